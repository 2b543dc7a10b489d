/* The voxels of the supervoxels a plan brings together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/grower_paint.h"

#include "core/base/hash64.h"
#include "core/segmentation/flood_grid.h"

#include <string.h>

#define SIDE 64
#define MOVES 240
#define STAYS 150

struct CxuiGrowerPaint {
    CxFloodGrid *grid; /* u8 */
};

typedef struct {
    CxuiGrowerPaint *paint;
    CxVolume *labels;
    CxHash64 *strengths; /* supervoxel → MOVES or STAYS */
    CxJob *job;
} Work;

void
cxui_grower_paint_free(CxuiGrowerPaint *paint)
{
    if (paint == NULL)
        return;
    cx_flood_grid_free(paint->grid);
    g_free(paint);
}

static bool
paint_cube(Work *work, CxChunkIdx cube, GError **error)
{
    CxBox box =
        cx_box_intersect(cx_flood_grid_cube_box(work->paint->grid, cube),
                         cx_volume_bounds(work->labels, 0));
    bool was_new;
    uint8_t *samples =
        cx_flood_grid_make(work->paint->grid, cube, &was_new, error);

    if (samples == NULL || !was_new)
        return samples != NULL;
    memset(samples, 0, SIDE * SIDE * SIDE);
    g_autoptr(CxChunk) chunk =
        cx_volume_read_labels(work->labels, 0, box, work->job, error);
    if (chunk == NULL)
        return false;
    const uint64_t *id = cx_chunk_channel(chunk, 0);
    uint64_t last = 0, strength = 0;
    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++)
            for (int64_t x = box.lo.x; x < box.hi.x; x++, id++) {
                if (*id != last) {
                    last = *id;
                    if (!cx_hash64_get(work->strengths, last, &strength))
                        strength = 0;
                }
                samples[cx_flood_grid_offset(
                    work->paint->grid, (CxVoxel){x, y, z})] = (uint8_t)strength;
            }
    return true;
}

static bool
paint_box(Work *work, CxBox box, GError **error)
{
    CxBox cubes = cx_box_chunks(box, (CxVoxel){SIDE, SIDE, SIDE});

    for (int64_t z = cubes.lo.z; z < cubes.hi.z; z++)
        for (int64_t y = cubes.lo.y; y < cubes.hi.y; y++)
            for (int64_t x = cubes.lo.x; x < cubes.hi.x; x++)
                if (!cx_job_check(work->job, error) ||
                    !paint_cube(work, (CxChunkIdx){x, y, z}, error))
                    return false;
    return true;
}

/* The boxes of the supervoxels are with the members of their segments. */
static bool
paint_segment(Work *work, CxSupervoxelGraph *graph, CxId segment,
              GError **error)
{
    g_autoptr(GArray) members = cx_supervoxel_graph_members(graph, segment);

    for (guint i = 0; members != NULL && i < members->len; i++) {
        const CxSupervoxel *member = &g_array_index(members, CxSupervoxel, i);

        if (cx_hash64_get(work->strengths, member->id, NULL) &&
            !paint_box(work, member->box, error))
            return false;
    }
    return true;
}

static bool
paint_all(Work *work, CxSupervoxelGraph *graph, const CxGather *gather,
          GError **error)
{
    g_autoptr(CxHash64) done = cx_hash64_new(16);
    const GArray *inside = gather->inside;

    for (guint i = 0; i < inside->len; i++)
        cx_hash64_set(work->strengths, g_array_index(inside, CxId, i), STAYS);
    for (guint i = 0; i < gather->movers->len; i++)
        cx_hash64_set(work->strengths, g_array_index(gather->movers, CxId, i),
                      MOVES);
    for (guint i = 0; i < inside->len; i++) {
        CxId segment = cx_supervoxel_graph_segment_of(
            graph, g_array_index(inside, CxId, i));

        if (segment == 0 || cx_hash64_get(done, segment, NULL))
            continue;
        cx_hash64_set(done, segment, 1);
        if (!cx_job_step(work->job, i, inside->len, error) ||
            !paint_segment(work, graph, segment, error))
            return false;
    }
    return true;
}

CxuiGrowerPaint *
cxui_grower_paint_new(CxSupervoxelGraph *graph, CxVolume *labels,
                      const CxGather *gather, CxJob *job, GError **error)
{
    CxuiGrowerPaint *paint = g_new0(CxuiGrowerPaint, 1);
    Work work = {paint, labels, cx_hash64_new(64), job};

    paint->grid = cx_flood_grid_new(SIDE, 1);
    bool ok = paint_all(&work, graph, gather, error);
    cx_hash64_free(work.strengths);
    if (!ok)
        g_clear_pointer(&paint, cxui_grower_paint_free);
    return paint;
}

CxChunk *
cxui_grower_paint_read(CxuiGrowerPaint *paint, CxBox box)
{
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U8, box, 1, NULL);
    const uint8_t *samples =
        cx_flood_grid_get(paint->grid, cx_flood_grid_cube(paint->grid, box.lo));
    size_t n = (size_t)(box.hi.x - box.lo.x);

    if (chunk == NULL)
        return NULL;
    uint8_t *to = cx_chunk_data_mut(chunk);
    memset(to, 0, cx_chunk_size_bytes(chunk));
    for (int64_t z = box.lo.z; samples != NULL && z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++, to += n)
            memcpy(to,
                   samples + cx_flood_grid_offset(paint->grid,
                                                  (CxVoxel){box.lo.x, y, z}),
                   n);
    return chunk;
}
