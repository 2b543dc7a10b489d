/* Truth without borders, or in pieces.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/metrics/truth.h"

#include "core/base/alloc.h"

#include <string.h>

typedef struct {
    CxVoxel size;
    ptrdiff_t step[3]; /* of one voxel in x, y, z */
} Grid;

static Grid
grid_of(CxBox box)
{
    CxVoxel size = cx_box_size(box);

    return (Grid){size, {1, size.x, size.x * size.y}};
}

/* Steps to the nearest border, at most limit, into steps. */
static void
mark_borders(const CxId *labels, Grid grid, uint8_t *steps, uint8_t limit)
{
    int64_t n[3] = {grid.size.x, grid.size.y, grid.size.z};
    ptrdiff_t i = 0;

    for (int64_t z = 0; z < n[2]; z++) {
        for (int64_t y = 0; y < n[1]; y++) {
            for (int64_t x = 0; x < n[0]; x++, i++) {
                int64_t at[3] = {x, y, z};
                bool is_border = false;
                for (int a = 0; a < 3; a++) {
                    ptrdiff_t s = grid.step[a];
                    if ((at[a] > 0 && labels[i - s] != labels[i]) ||
                        (at[a] + 1 < n[a] && labels[i + s] != labels[i]))
                        is_border = true;
                }
                steps[i] = is_border ? 1 : limit;
            }
        }
    }
}

/* Two passes make the exact city-block distance (Rosenfeld, Pfaltz 1966). */
static void
spread(Grid grid, uint8_t *steps)
{
    int64_t n[3] = {grid.size.x, grid.size.y, grid.size.z};

    for (int sign = -1; sign <= 1; sign += 2) {
        ptrdiff_t total = n[0] * n[1] * n[2];
        for (ptrdiff_t k = 0; k < total; k++) {
            ptrdiff_t i = sign < 0 ? k : total - 1 - k;
            int64_t at[3] = {i % n[0], i / n[0] % n[1], i / (n[0] * n[1])};
            for (int a = 0; a < 3; a++) {
                if (sign < 0 ? at[a] == 0 : at[a] + 1 == n[a])
                    continue;
                uint8_t via = steps[i + sign * grid.step[a]];
                if (via < steps[i] - 1)
                    steps[i] = (uint8_t)(via + 1);
            }
        }
    }
}

CxChunk *
cx_truth_without_border(const CxChunk *labels, CxBox box, unsigned border,
                        GError **error)
{
    CxBox whole = cx_chunk_box(labels);
    uint8_t limit = (uint8_t)MIN(border + 1, 255);
    g_autoptr(CxChunk) all = cx_chunk_new(CX_DTYPE_U64, whole, 1, error);
    g_autoptr(CxChunk) part = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    CX_AUTOFREE uint8_t *steps =
        cx_try_alloc(cx_chunk_n_voxels(labels), 1, error);

    if (all == NULL || part == NULL || steps == NULL)
        return NULL;
    const CxId *from = cx_chunk_data(labels);
    CxId *to = cx_chunk_data_mut(all);
    mark_borders(from, grid_of(whole), steps, limit);
    spread(grid_of(whole), steps);
    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        to[i] = steps[i] < limit ? 0 : from[i];
    cx_chunk_copy_overlap(part, all);
    return g_steal_pointer(&part);
}

typedef struct {
    CxVolume *truth;
    unsigned border;
    CxSlabFunc sink;
    void *data;
    CxJob *job;
} Pass;

/* Clears the voxels near borders of the original truth from a slab of
 * (perhaps split) labels before it goes on. */
static bool
drop_borders(CxChunk *slab, void *data, GError **error)
{
    Pass *pass = data;
    CxBox box = cx_chunk_box(slab);

    if (pass->border == 0)
        return pass->sink(slab, pass->data, error);
    CxBox grown = cx_box_grow(box, (CxVoxel){0, 0, pass->border});
    grown = cx_box_intersect(grown, cx_volume_bounds(pass->truth, 0));
    g_autoptr(CxChunk) truth =
        cx_volume_read_labels(pass->truth, 0, grown, pass->job, error);
    if (truth == NULL)
        return false;
    g_autoptr(CxChunk) inner =
        cx_truth_without_border(truth, box, pass->border, error);
    if (inner == NULL)
        return false;
    /* Same voxels, the names of the pieces. */
    CxId *names = cx_chunk_data_mut(inner);
    const CxId *pieces = cx_chunk_data(slab);
    for (size_t i = 0; i < cx_chunk_n_voxels(inner); i++) {
        if (names[i] != 0)
            names[i] = pieces[i];
    }
    return pass->sink(inner, pass->data, error);
}

static bool
each_slab(Pass *pass, GError **error)
{
    CxBox bounds = cx_volume_bounds(pass->truth, 0);

    for (int64_t z = 0; z < bounds.hi.z;) {
        CxBox slab = cx_components_slab(bounds, z);
        g_autoptr(CxChunk) labels =
            cx_volume_read_labels(pass->truth, 0, slab, pass->job, error);
        if (labels == NULL || !drop_borders(labels, pass, error))
            return false;
        z = slab.hi.z;
        if (!cx_job_step(pass->job, (uint64_t)z, (uint64_t)bounds.hi.z, error))
            return false;
    }
    return true;
}

bool
cx_truth_each_slab(CxVolume *truth, unsigned border, bool components,
                   CxSlabFunc sink, void *data, CxJob *job, GError **error)
{
    Pass pass = {truth, MIN(border, 254), sink, data, job};

    if (components)
        return cx_components_of_volume(truth, 26, drop_borders, &pass, NULL,
                                       job, error);
    return each_slab(&pass, error);
}
