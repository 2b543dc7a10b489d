/* A 3-D array of which only the touched parts take memory: cubes of samples,
 * made when they are first asked for.
 *
 * Voxels from -2^20 cubes to 2^20 cubes along each axis, below 0 too.  Not
 * thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

#define CX_FLOOD_MAX_CUBES ((int64_t)1 << 20) /* either side of 0 */

typedef struct CxFloodGrid CxFloodGrid;

/* side: a power of two. */
CxFloodGrid *cx_flood_grid_new(int64_t side, size_t sample_bytes);
void cx_flood_grid_free(CxFloodGrid *grid);

/* Index of the cube that holds a voxel. */
CxChunkIdx cx_flood_grid_cube(const CxFloodGrid *grid, CxVoxel voxel);
CxBox cx_flood_grid_cube_box(const CxFloodGrid *grid, CxChunkIdx cube);

/* Samples of a cube, x fastest; NULL if it was never made. */
void *cx_flood_grid_get(const CxFloodGrid *grid, CxChunkIdx cube);

/* The same, made if need be; what a new cube holds is undefined.  NULL with
 * CX_ERROR_NO_MEMORY. */
void *cx_flood_grid_make(CxFloodGrid *grid, CxChunkIdx cube, bool *was_new,
                         GError **error);

/* Cubes in the order they were made in, 0 to n - 1. */
size_t cx_flood_grid_n_cubes(const CxFloodGrid *grid);
CxChunkIdx cx_flood_grid_nth(const CxFloodGrid *grid, size_t n);

size_t cx_flood_grid_size_bytes(const CxFloodGrid *grid);

/* Offset, in samples, of a voxel in the cube that holds it. */
size_t cx_flood_grid_offset(const CxFloodGrid *grid, CxVoxel voxel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFloodGrid, cx_flood_grid_free)
