/* What the metadata of a Zarr array say, checked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/axes.h"
#include "core/volume/codec.h"

/* How a block is stored: axes in storage order, byte order, compressor. */
typedef struct {
    uint64_t shape[CX_MAX_RANK];
    int order[CX_MAX_RANK]; /* order[k]: array axis at stored position k */
    bool big_endian;
    CxCodec codec;
    bool has_checksum; /* crc32c behind it */
} CxZarrBlock;

typedef struct {
    int rank;
    uint64_t shape[CX_MAX_RANK];
    CxDtype dtype;
    uint64_t fill; /* the bytes of one sample, low ones first */
    char separator;
    bool has_c; /* keys begin with "c" */
    bool is_sharded;
    CxZarrBlock block; /* inner blocks if sharded */
    uint64_t shard_shape[CX_MAX_RANK];
    bool index_at_start, index_has_checksum;
    char **names; /* dimension_names or NULL; owned */
} CxZarrMeta;

/* Fill meta from <dir>/.zarray or <dir>/zarr.json. */
bool cx_zarr_meta_read(const char *dir, CxZarrMeta *meta, GError **error);
void cx_zarr_meta_clear(CxZarrMeta *meta);
