/* Positions and boxes.
 *
 * Three kinds of position, three types: a voxel index, a chunk index and a
 * physical position in nanometres.  Order is x, y, z with x fastest in memory.
 * Boxes are half-open.  Voxel i occupies [i, i + 1); the physical origin is
 * the corner of voxel 0, not its centre.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

typedef struct {
    int64_t x, y, z;
} CxVoxel;

typedef struct {
    int64_t x, y, z;
} CxChunkIdx;

typedef struct {
    double x, y, z;
} CxNm;

/* lo is inside, hi is outside; empty if any hi <= lo. */
typedef struct {
    CxVoxel lo, hi;
} CxBox;

CxBox cx_box(CxVoxel lo, CxVoxel hi);
CxBox cx_box_of_size(CxVoxel size);
CxVoxel cx_box_size(CxBox box);
bool cx_box_is_empty(CxBox box);
bool cx_box_equal(CxBox a, CxBox b);
bool cx_box_contains(CxBox box, CxVoxel voxel);
bool cx_box_contains_box(CxBox outer, CxBox inner);
CxBox cx_box_intersect(CxBox a, CxBox b);

/* Smallest box that holds both; an empty box adds nothing. */
CxBox cx_box_union(CxBox a, CxBox b);
CxBox cx_box_grow(CxBox box, CxVoxel by);

/* Number of voxels; false if it does not fit or the box is negative. */
bool cx_box_n_voxels(CxBox box, size_t *n);

/* Offset of a voxel inside a dense block that covers the box. */
size_t cx_box_offset(CxBox box, CxVoxel voxel);

/* Parses "x0,y0,z0,x1,y1,z1". */
bool cx_box_parse(const char *text, CxBox *box);
bool cx_voxel_parse(const char *text, CxVoxel *voxel);

bool cx_voxel_equal(CxVoxel a, CxVoxel b);

/* Chunk that holds a voxel; floors also for negative positions. */
CxChunkIdx cx_chunk_of_voxel(CxVoxel voxel, CxVoxel chunk_size);

/* The voxels of a chunk, cut at bounds. */
CxBox cx_chunk_box_clipped(CxChunkIdx idx, CxVoxel chunk_size, CxBox bounds);

/* Range of chunk indices that touch the box (half-open, as a box). */
CxBox cx_box_chunks(CxBox box, CxVoxel chunk_size);

CxNm cx_voxel_to_nm(CxVoxel voxel, CxNm voxel_nm, CxNm offset_nm);
