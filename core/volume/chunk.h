/* Reference-counted block of samples: what readers fill, caches keep and
 * every stage passes on.
 *
 * Layout: channel slowest, then z, y, x with x fastest; dense over box().
 * Written once by its maker, immutable as soon as it is shared; references
 * may be taken and dropped on any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/dtype.h"
#include "core/base/geometry.h"

#include <glib.h>

typedef struct CxChunk CxChunk;

/* Samples are not cleared.  CX_ERROR_NO_MEMORY if it does not fit. */
CxChunk *cx_chunk_new(CxDtype dtype, CxBox box, unsigned n_channels,
                      GError **error);
CxChunk *cx_chunk_ref(CxChunk *chunk);
void cx_chunk_unref(CxChunk *chunk);

CxDtype cx_chunk_dtype(const CxChunk *chunk);
CxBox cx_chunk_box(const CxChunk *chunk);
unsigned cx_chunk_n_channels(const CxChunk *chunk);
size_t cx_chunk_n_voxels(const CxChunk *chunk);
size_t cx_chunk_size_bytes(const CxChunk *chunk);

const void *cx_chunk_data(const CxChunk *chunk);

/* For the maker only, before the chunk is shared. */
void *cx_chunk_data_mut(CxChunk *chunk);

/* First sample of a channel. */
const void *cx_chunk_channel(const CxChunk *chunk, unsigned channel);

/* Label at a voxel inside the box (integer types, channel 0), widened. */
uint64_t cx_chunk_label_at(const CxChunk *chunk, CxVoxel voxel);

/* Copies the part both boxes share (same dtype and channels). */
void cx_chunk_copy_overlap(CxChunk *dst, const CxChunk *src);

/* A new chunk with integer samples widened to u64 (a reference if they are
 * u64 already).  Negative or float samples: CX_ERROR_FORMAT. */
CxChunk *cx_chunk_to_u64(CxChunk *chunk, GError **error);

/* The same samples as another type (a reference if they are that already);
 * floats are rounded for integer types.  CX_ERROR_INVALID if one does not
 * fit. */
CxChunk *cx_chunk_convert(CxChunk *chunk, CxDtype dtype, GError **error);

/* The same samples with the box moved by a vector (a reference if it is 0). */
CxChunk *cx_chunk_move(CxChunk *chunk, CxVoxel by, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxChunk, cx_chunk_unref)
