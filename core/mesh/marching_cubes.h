/* Surfaces of all labels of a block in one pass.
 *
 * Marching cubes over binary labels: a cell has voxel centres as corners, a
 * vertex lies half-way between two voxels of which exactly one has the label.
 * Every label gets its own closed surface; where two labels touch there are
 * two, back to back.  Voxels outside the block count as neither: the caller
 * gives a block with a margin.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

/* A vertex; position in half voxels from the centre of the block's first
 * voxel (one odd component: the middle of an edge). */
typedef struct {
    uint16_t at[3];
    uint32_t label;
} CxCubesVertex;

typedef struct {
    uint32_t v[3];
} CxCubesTriangle;

/* inner: the cell of the triangle lies inside `inner` of cx_marching_cubes(). */
typedef struct {
    GArray *vertices;  /* CxCubesVertex */
    GArray *triangles; /* CxCubesTriangle */
    GArray *inner;     /* uint8_t, one per triangle */
} CxCubes;

CxCubes *cx_cubes_new(void);
void cx_cubes_free(CxCubes *cubes);

/* labels: dense numbers, 0 = background, x fastest, size.x * y * z of them
 * (each side 2 … 32767).  inner: cells by their lowest corner, in voxels of
 * the block.  Adds to cubes. */
void cx_marching_cubes(const uint32_t *labels, CxVoxel size, CxBox inner,
                       CxCubes *cubes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxCubes, cx_cubes_free)
