/* Connected pieces of equal labels: the multi-label components of a volume.
 *
 * Label 0 is left out.  Two passes over the slices in order of z: scan() all of
 * them, finish(), then label() all of them again; the result is numbered 1 …
 * count in the order of each piece's first voxel (z, then y, then x), so it
 * does not depend on how the volume is cut.  Memory: the runs of two slices,
 * and 4 bytes a provisional piece.  Run-based union-find as in He, Chao,
 * Suzuki (IEEE TIP 2008), rows joined by a merge of sorted runs.
 *
 * Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

typedef struct CxComponents CxComponents;

/* connectivity: 6, 18 or 26 (4 or 8 within single slices: 6 and 26). */
CxComponents *cx_components_new(int64_t nx, int64_t ny, unsigned connectivity);
void cx_components_free(CxComponents *components);

/* First pass; slice: nx * ny labels, x fastest. */
bool cx_components_scan(CxComponents *components, const CxId *slice,
                        GError **error);

/* Ends the first pass; returns the number of pieces.  Call once. */
uint64_t cx_components_finish(CxComponents *components);

/* Second pass, the same slices in the same order.  out may be slice. */
bool cx_components_label(CxComponents *components, const CxId *slice, CxId *out,
                         GError **error);

/* The pieces of one u64 chunk, as a new chunk.  count may be NULL.  Keeps all
 * runs (24 bytes each) to look at the labels once. */
CxChunk *cx_components_of_chunk(const CxChunk *labels_u64,
                                unsigned connectivity, uint64_t *count,
                                CxJob *job, GError **error);

/* The same in place, for u32 labels, on several threads. */
bool cx_components_of_block(uint32_t *labels, CxVoxel size,
                            unsigned connectivity, uint32_t *count,
                            unsigned n_threads, CxJob *job, GError **error);

/* Receives the labelled slabs of a volume, from z = 0 upwards. */
typedef bool (*CxSlabFunc)(CxChunk *slab, void *data, GError **error);

/* The pieces of a whole volume, slab by slab; sink may be NULL (count only).
 * The volume is read twice (once if sink is NULL). */
bool cx_components_of_volume(CxVolume *labels, unsigned connectivity,
                             CxSlabFunc sink, void *data, uint64_t *count,
                             CxJob *job, GError **error);

/* Box of the slices z … that are handled together: about 2^24 voxels. */
CxBox cx_components_slab(CxBox bounds, int64_t z);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxComponents, cx_components_free)
