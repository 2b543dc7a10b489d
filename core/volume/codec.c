/* Compressed blocks of bytes of known size.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/codec.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <blosc.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static const char *const names[] = {
    [CX_CODEC_RAW] = "raw",     [CX_CODEC_ZLIB] = "zlib",
    [CX_CODEC_GZIP] = "gzip",   [CX_CODEC_ZSTD] = "zstd",
    [CX_CODEC_BLOSC] = "blosc", [CX_CODEC_LZ4] = "lz4",
};

bool
cx_codec_from_name(const char *name, CxCodec *codec)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(name, names[i])) {
            *codec = (CxCodec)i;
            return true;
        }
    }
    return false;
}

/* zlib or gzip, whichever the header says; the number of bytes, or -1. */
static int64_t
inflate_all(const void *src, size_t n_src, void *dst, size_t n_dst)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)src, .next_out = dst};
    size_t n_in = n_src, n_out = n_dst;
    int state = Z_OK;

    if (inflateInit2(&stream, 15 + 32) != Z_OK)
        return -1;
    while (state == Z_OK) { /* zlib counts in 32 bits */
        uInt in = (uInt)MIN(n_in, UINT_MAX), out = (uInt)MIN(n_out, UINT_MAX);

        stream.avail_in = in;
        stream.avail_out = out;
        state = inflate(&stream, Z_NO_FLUSH);
        n_in -= in - stream.avail_in;
        n_out -= out - stream.avail_out;
        if (in == stream.avail_in && out == stream.avail_out)
            break;
    }
    inflateEnd(&stream);
    return state == Z_STREAM_END ? (int64_t)(n_dst - n_out) : -1;
}

static int64_t
unblosc(const void *src, size_t n_src, void *dst, size_t n_dst)
{
    size_t n = 0;

    if (blosc_cbuffer_validate(src, n_src, &n) != 0 || n != n_dst ||
        n > INT_MAX)
        return -1;
    return blosc_decompress_ctx(src, dst, n_dst, 1);
}

/* Length that continues in bytes of 255. */
static bool
lz4_length(const uint8_t **at, const uint8_t *end, size_t *length)
{
    uint8_t byte = 255;

    if (*length != 15)
        return true;
    while (byte == 255) {
        if (*at >= end)
            return false;
        byte = *(*at)++;
        *length += byte;
    }
    return true;
}

/* An LZ4 block behind the length that numcodecs puts before it. */
static int64_t
unlz4(const uint8_t *src, size_t n_src, uint8_t *dst, size_t n_dst)
{
    const uint8_t *at = src + 4, *end = src + n_src;
    size_t n = 0;

    if (n_src < 5)
        return -1;
    while (at < end) {
        size_t n_literals = *at >> 4, n_match = *at & 15;

        at++;
        if (!lz4_length(&at, end, &n_literals) ||
            n_literals > (size_t)(end - at) || n_literals > n_dst - n)
            return -1;
        memcpy(dst + n, at, n_literals);
        at += n_literals;
        n += n_literals;
        if (at == end)
            return (int64_t)n;
        if (end - at < 2)
            return -1;
        size_t offset = at[0] | (size_t)at[1] << 8;
        at += 2;
        if (!lz4_length(&at, end, &n_match) || offset == 0 || offset > n)
            return -1;
        n_match += 4;
        if (n_match > n_dst - n)
            return -1;
        for (; n_match > 0; n_match--, n++)
            dst[n] = dst[n - offset];
    }
    return -1;
}

static int64_t
decode(CxCodec codec, const void *src, size_t n_src, void *dst, size_t n_dst)
{
    size_t n;

    switch (codec) {
    case CX_CODEC_RAW:
        if (n_src == n_dst)
            memcpy(dst, src, n_dst);
        return (int64_t)n_src;
    case CX_CODEC_ZLIB:
    case CX_CODEC_GZIP:
        return inflate_all(src, n_src, dst, n_dst);
    case CX_CODEC_ZSTD:
        n = ZSTD_decompress(dst, n_dst, src, n_src);
        return ZSTD_isError(n) ? -1 : (int64_t)n;
    case CX_CODEC_BLOSC:
        return unblosc(src, n_src, dst, n_dst);
    case CX_CODEC_LZ4:
        return unlz4(src, n_src, dst, n_dst);
    }
    return -1;
}

bool
cx_codec_decode(CxCodec codec, const void *src, size_t n_src, void *dst,
                size_t n_dst, const char *where, GError **error)
{
    int64_t n = decode(codec, src, n_src, dst, n_dst);

    if (n == (int64_t)n_dst)
        return true;
    if (n < 0)
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %zu bytes that are no whole %s block of %zu bytes",
                    where, n_src, names[codec], n_dst);
    else
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: a %s block of %" G_GINT64_FORMAT
                    " bytes, expected %zu",
                    where, names[codec], n, n_dst);
    return false;
}

/* Inflates into a buffer that doubles; false if damaged or too long. */
static bool
inflate_growing(z_stream *stream, size_t max_bytes, GByteArray *out)
{
    size_t room = MIN(MAX((size_t)stream->avail_in * 4, 4096), max_bytes);
    size_t done = 0;
    int state = Z_OK;

    while (state == Z_OK) {
        g_byte_array_set_size(out, (guint)room);
        stream->next_out = out->data + done;
        stream->avail_out = (uInt)(room - done);
        state = inflate(stream, Z_NO_FLUSH);
        done = room - stream->avail_out;
        if (state == Z_STREAM_END)
            break;
        if (stream->avail_out > 0 || room >= max_bytes)
            return false;
        room = MIN(room * 2, max_bytes);
    }
    g_byte_array_set_size(out, (guint)done);
    return state == Z_STREAM_END;
}

GBytes *
cx_codec_gunzip(const void *src, size_t n_src, size_t max_bytes,
                const char *where, GError **error)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)src};
    g_autoptr(GByteArray) out = g_byte_array_new();
    bool ok = n_src <= G_MAXINT32 && max_bytes <= G_MAXINT32 &&
              inflateInit2(&stream, 15 + 32) == Z_OK;

    if (ok) {
        stream.avail_in = (uInt)n_src;
        ok = inflate_growing(&stream, max_bytes, out);
        inflateEnd(&stream);
    }
    if (ok)
        return g_byte_array_free_to_bytes(g_steal_pointer(&out));
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: %zu bytes that are no whole gzip data of at most %zu",
                where, n_src, max_bytes);
    return NULL;
}

bool
cx_codec_encode_zlib(const void *src, size_t n_src, int level, void **dst,
                     size_t *n_dst, GError **error)
{
    uLongf n = compressBound(n_src);

    *dst = cx_try_alloc(n, 1, error);
    if (*dst == NULL)
        return false;
    if (compress2(*dst, &n, src, n_src, level) != Z_OK) {
        cx_free(g_steal_pointer(dst));
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "not enough memory to compress %zu bytes", n_src);
        return false;
    }
    *n_dst = n;
    return true;
}

bool
cx_codec_encode_blosc(const void *src, size_t n_src, size_t sample_bytes,
                      void **dst, size_t *n_dst, GError **error)
{
    size_t room = n_src + BLOSC_MAX_OVERHEAD;

    *dst = cx_try_alloc(room, 1, error);
    if (*dst == NULL)
        return false;
    int n = blosc_compress_ctx(5, BLOSC_SHUFFLE, sample_bytes, n_src, src, *dst,
                               room, "zstd", 0, 1);
    if (n <= 0) {
        cx_free(g_steal_pointer(dst));
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "blosc could not compress %zu bytes", n_src);
        return false;
    }
    *n_dst = (size_t)n;
    return true;
}
