/* One Zarr array in a local folder: version 2 (.zarray) or 3 (zarr.json).
 *
 * Blocks raw or compressed with zlib, gzip, zstd, blosc or lz4; C and F order
 * and any transposition; both separators; both byte orders; version 3 also in
 * shards.  Whatever the metadata say is checked before use.  Immutable after
 * opening, so any thread may read blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/axes.h"

typedef struct CxZarrArray CxZarrArray;

/* Is there an array's metadata file in the folder? */
bool cx_zarr_array_probe(const char *dir);

CxZarrArray *cx_zarr_array_open(const char *dir, GError **error);
void cx_zarr_array_free(CxZarrArray *array);

int cx_zarr_array_rank(const CxZarrArray *array);
const uint64_t *cx_zarr_array_shape(const CxZarrArray *array);
const uint64_t *cx_zarr_array_block_shape(const CxZarrArray *array);
CxDtype cx_zarr_array_dtype(const CxZarrArray *array);

/* dimension_names of version 3; NULL if absent. */
const char *const *cx_zarr_array_names(const CxZarrArray *array);

/* Distance in samples between neighbours along each axis of a block. */
const size_t *cx_zarr_array_steps(const CxZarrArray *array);

/* A block as a one-dimensional chunk in native byte order (full size at the
 * edges, too); filled with fill_value where the store has none. */
CxChunk *cx_zarr_array_read(const CxZarrArray *array, const uint64_t *idx,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxZarrArray, cx_zarr_array_free)
