/* Compressed blocks of bytes of known size: raw, zlib, gzip, zstd, blosc, lz4
 * (as numcodecs frames it).
 *
 * Decoding is safe for any input: what does not give exactly the expected
 * number of bytes is CX_ERROR_FORMAT.  Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef enum {
    CX_CODEC_RAW,
    CX_CODEC_ZLIB,
    CX_CODEC_GZIP,
    CX_CODEC_ZSTD,
    CX_CODEC_BLOSC,
    CX_CODEC_LZ4,
} CxCodec;

/* "zlib", "zstd", …; false for unknown names. */
bool cx_codec_from_name(const char *name, CxCodec *codec);

/* where: the file, for messages. */
bool cx_codec_decode(CxCodec codec, const void *src, size_t n_src, void *dst,
                     size_t n_dst, const char *where, GError **error);

/* gzip or zlib data of unknown length, up to max_bytes; NULL if they are
 * damaged or longer. */
GBytes *cx_codec_gunzip(const void *src, size_t n_src, size_t max_bytes,
                        const char *where, GError **error);

/* zlib stream (HDF5's deflate) or blosc with zstd and byte shuffle; a new
 * block in *dst, to be freed with cx_free(). */
bool cx_codec_encode_zlib(const void *src, size_t n_src, int level, void **dst,
                          size_t *n_dst, GError **error);
bool cx_codec_encode_blosc(const void *src, size_t n_src, size_t sample_bytes,
                           void **dst, size_t *n_dst, GError **error);
