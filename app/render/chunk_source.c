/* Levels, wanted chunks and samples; see chunk_source.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/chunk_source.h"

#include <math.h>

/* A coarse level is wanted first if so few chunks of it cover the pane. */
#define N_COARSE_CHUNKS 6

/* A coarser level loses nothing in a direction as long as its voxels are no
 * larger than a pixel, or no larger than those of level 0. */
static bool
is_fine_enough(const CxglChunkGrid *grid, unsigned level, unsigned component,
               double nm_per_px)
{
    double voxel = cxgl_nm_get(grid->levels[level].voxel_nm, component);
    double finest = cxgl_nm_get(grid->levels[0].voxel_nm, component);

    return voxel <= fmax(nm_per_px, finest) * 1.001;
}

unsigned
cxgl_chunk_grid_level(const CxglChunkGrid *grid, const CxglSliceCamera *camera)
{
    unsigned best = 0;

    for (unsigned i = 1; i < grid->n_levels; i++)
        if (is_fine_enough(grid, i, cxgl_axis_right(camera->axis),
                           camera->nm_per_px) &&
            is_fine_enough(grid, i, cxgl_axis_down(camera->axis),
                           camera->nm_per_px))
            best = i;
    return best;
}

/* Keeps doubles from data-driven cameras inside the range of int64. */
static int64_t
to_index(double value)
{
    return (int64_t)CLAMP(value, -1e15, 1e15);
}

CxBox
cxgl_chunk_grid_visible(const CxglChunkGrid *grid, unsigned level,
                        const CxglSliceCamera *camera)
{
    CxNm voxel_nm = grid->levels[level].voxel_nm, lo, hi;
    int64_t from[3], to[3];
    unsigned depth = cxgl_axis_depth(camera->axis);

    cxgl_slice_camera_bounds(camera, &lo, &hi);
    for (unsigned c = 0; c < 3; c++) {
        double size = cxgl_nm_get(voxel_nm, c);
        double offset = cxgl_nm_get(grid->offset_nm, c);

        from[c] = to_index(floor((cxgl_nm_get(lo, c) - offset) / size));
        to[c] = c == depth
                    ? from[c] + 1
                    : to_index(ceil((cxgl_nm_get(hi, c) - offset) / size));
    }
    return cx_box_intersect(cx_box((CxVoxel){from[0], from[1], from[2]},
                                   (CxVoxel){to[0], to[1], to[2]}),
                            cx_box_of_size(grid->levels[level].size));
}

typedef struct {
    CxChunkKey key;
    double distance;
} Want;

static int
compare_wants(const void *a, const void *b)
{
    double da = ((const Want *)a)->distance, db = ((const Want *)b)->distance;

    return (da > db) - (da < db);
}

static void
add_chunk(const CxglChunkGrid *grid, unsigned level,
          const CxglSliceCamera *camera, CxChunkIdx idx, GArray *wants)
{
    CxVoxel size = grid->levels[level].chunk_size;
    CxVoxel lo = {idx.x * size.x, idx.y * size.y, idx.z * size.z};
    CxVoxel middle = {lo.x + size.x / 2, lo.y + size.y / 2, lo.z + size.z / 2};
    CxNm nm = cxgl_nm_of_voxel_centre(middle, grid->levels[level].voxel_nm,
                                      grid->offset_nm);
    unsigned u = cxgl_axis_right(camera->axis);
    unsigned v = cxgl_axis_down(camera->axis);
    Want want = {
        {grid->volume_id, level, idx},
        hypot(cxgl_nm_get(nm, u) - cxgl_nm_get(camera->centre, u),
              cxgl_nm_get(nm, v) - cxgl_nm_get(camera->centre, v)),
    };

    g_array_append_val(wants, want);
}

/* The chunks that hold the visible box moved by planes chunks in depth. */
static void
add_plane(const CxglChunkGrid *grid, unsigned level,
          const CxglSliceCamera *camera, int planes, GArray *keys)
{
    CxBox visible = cxgl_chunk_grid_visible(grid, level, camera);
    CxBox bounds = cx_box_of_size(grid->levels[level].size);
    CxVoxel size = grid->levels[level].chunk_size;
    CxBox all = cx_box_chunks(bounds, size);
    CxBox chunks = cx_box_chunks(visible, size);
    g_autoptr(GArray) wants = g_array_new(FALSE, FALSE, sizeof(Want));
    int64_t shift[3] = {0, 0, 0};

    if (cx_box_is_empty(visible))
        return;
    shift[cxgl_axis_depth(camera->axis)] = planes;
    chunks.lo.x += shift[0], chunks.hi.x += shift[0];
    chunks.lo.y += shift[1], chunks.hi.y += shift[1];
    chunks.lo.z += shift[2], chunks.hi.z += shift[2];
    chunks = cx_box_intersect(chunks, all);
    for (int64_t z = chunks.lo.z; z < chunks.hi.z; z++)
        for (int64_t y = chunks.lo.y; y < chunks.hi.y; y++)
            for (int64_t x = chunks.lo.x; x < chunks.hi.x; x++)
                add_chunk(grid, level, camera, (CxChunkIdx){x, y, z}, wants);
    g_array_sort(wants, compare_wants);
    for (guint i = 0; i < wants->len; i++)
        g_array_append_val(keys, g_array_index(wants, Want, i).key);
}

static size_t
n_visible_chunks(const CxglChunkGrid *grid, unsigned level,
                 const CxglSliceCamera *camera)
{
    CxBox visible = cxgl_chunk_grid_visible(grid, level, camera);
    size_t n = 0;

    if (!cx_box_is_empty(visible))
        cx_box_n_voxels(cx_box_chunks(visible, grid->levels[level].chunk_size),
                        &n);
    return n;
}

void
cxgl_chunk_grid_wanted(const CxglChunkGrid *grid, const CxglSliceCamera *camera,
                       unsigned n_ahead, GArray *keys)
{
    unsigned level, coarse;

    if (grid == NULL || grid->volume_id == 0 || grid->n_levels == 0)
        return;
    level = cxgl_chunk_grid_level(grid, camera);
    coarse = level;
    while (coarse + 1 < grid->n_levels &&
           n_visible_chunks(grid, coarse, camera) > N_COARSE_CHUNKS)
        coarse++;
    if (coarse != level)
        add_plane(grid, coarse, camera, 0, keys);
    add_plane(grid, level, camera, 0, keys);
    for (int i = 1; i <= (int)n_ahead; i++) {
        add_plane(grid, level, camera, i, keys);
        add_plane(grid, level, camera, -i, keys);
    }
}

void
cxgl_chunk_grid_bounds(const CxglChunkGrid *grid, CxNm *lo, CxNm *hi)
{
    *lo = grid->offset_nm;
    *hi = cx_voxel_to_nm(grid->levels[0].size, grid->levels[0].voxel_nm,
                         grid->offset_nm);
}

bool
cxgl_chunk_source_sample(const CxglChunkSource *source,
                         const CxglChunkGrid *grid, unsigned level, CxNm at,
                         uint64_t *value, unsigned *found_level)
{
    for (unsigned i = level; i < grid->n_levels; i++) {
        CxVoxel voxel =
            cxgl_voxel_of_nm(at, grid->levels[i].voxel_nm, grid->offset_nm);
        CxChunkKey key = {grid->volume_id, i,
                          cx_chunk_of_voxel(voxel, grid->levels[i].chunk_size)};

        if (!cx_box_contains(cx_box_of_size(grid->levels[i].size), voxel))
            return false;
        g_autoptr(CxChunk) chunk = source->lookup(source->data, &key);
        if (chunk == NULL)
            continue;
        *value = cx_chunk_label_at(chunk, voxel);
        if (found_level != NULL)
            *found_level = i;
        return true;
    }
    return false;
}
