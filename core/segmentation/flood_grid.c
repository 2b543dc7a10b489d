/* A 3-D array of which only the touched parts take memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/flood_grid.h"

#include "core/base/alloc.h"
#include "core/base/hash64.h"

#define INDEX_BITS 21

struct CxFloodGrid {
    int64_t side;
    size_t sample_bytes;
    CxHash64 *places; /* packed index → place in cubes */
    GPtrArray *cubes;
    GArray *indices; /* CxChunkIdx of each */
};

CxFloodGrid *
cx_flood_grid_new(int64_t side, size_t sample_bytes)
{
    CxFloodGrid *grid = g_new0(CxFloodGrid, 1);

    g_assert(side > 0 && (side & (side - 1)) == 0);
    grid->side = side;
    grid->sample_bytes = sample_bytes;
    grid->places = cx_hash64_new(64);
    grid->cubes = g_ptr_array_new_with_free_func(cx_free);
    grid->indices = g_array_new(FALSE, FALSE, sizeof(CxChunkIdx));
    return grid;
}

void
cx_flood_grid_free(CxFloodGrid *grid)
{
    if (grid == NULL)
        return;
    cx_hash64_free(grid->places);
    g_ptr_array_unref(grid->cubes);
    g_array_unref(grid->indices);
    g_free(grid);
}

CxChunkIdx
cx_flood_grid_cube(const CxFloodGrid *grid, CxVoxel voxel)
{
    return cx_chunk_of_voxel(voxel,
                             (CxVoxel){grid->side, grid->side, grid->side});
}

CxBox
cx_flood_grid_cube_box(const CxFloodGrid *grid, CxChunkIdx cube)
{
    CxVoxel lo = {cube.x * grid->side, cube.y * grid->side,
                  cube.z * grid->side};

    return cx_box(
        lo, (CxVoxel){lo.x + grid->side, lo.y + grid->side, lo.z + grid->side});
}

static uint64_t
key_of(CxChunkIdx cube)
{
    uint64_t x = (uint64_t)(cube.x + CX_FLOOD_MAX_CUBES);
    uint64_t y = (uint64_t)(cube.y + CX_FLOOD_MAX_CUBES);
    uint64_t z = (uint64_t)(cube.z + CX_FLOOD_MAX_CUBES);

    g_assert((x | y | z) >> INDEX_BITS == 0);
    /* The hash has no key 0. */
    return (x | y << INDEX_BITS | z << 2 * INDEX_BITS) + 1;
}

void *
cx_flood_grid_get(const CxFloodGrid *grid, CxChunkIdx cube)
{
    uint64_t place;

    return cx_hash64_get(grid->places, key_of(cube), &place)
               ? g_ptr_array_index(grid->cubes, place)
               : NULL;
}

void *
cx_flood_grid_make(CxFloodGrid *grid, CxChunkIdx cube, bool *was_new,
                   GError **error)
{
    void *samples = cx_flood_grid_get(grid, cube);
    size_t n = (size_t)(grid->side * grid->side * grid->side);

    *was_new = samples == NULL;
    if (samples != NULL)
        return samples;
    samples = cx_try_alloc(n, grid->sample_bytes, error);
    if (samples == NULL)
        return NULL;
    cx_hash64_set(grid->places, key_of(cube), grid->cubes->len);
    g_ptr_array_add(grid->cubes, samples);
    g_array_append_val(grid->indices, cube);
    return samples;
}

size_t
cx_flood_grid_n_cubes(const CxFloodGrid *grid)
{
    return grid->cubes->len;
}

CxChunkIdx
cx_flood_grid_nth(const CxFloodGrid *grid, size_t n)
{
    return g_array_index(grid->indices, CxChunkIdx, n);
}

size_t
cx_flood_grid_size_bytes(const CxFloodGrid *grid)
{
    return grid->cubes->len * grid->sample_bytes *
           (size_t)(grid->side * grid->side * grid->side);
}

size_t
cx_flood_grid_offset(const CxFloodGrid *grid, CxVoxel voxel)
{
    int64_t mask = grid->side - 1;

    return (size_t)(((voxel.z & mask) * grid->side + (voxel.y & mask)) *
                        grid->side +
                    (voxel.x & mask));
}
