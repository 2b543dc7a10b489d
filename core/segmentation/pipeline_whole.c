/* All blocks of a box, agglomerated together.
 *
 * Blocks run in order of z, y, x, so a block's lower neighbours are done: it
 * needs their last layers alone, which are kept for one layer of blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/pipeline_private.h"

#include <stdlib.h>

void
cx_segmentation_free(CxSegmentation *segmentation)
{
    if (segmentation == NULL)
        return;
    g_clear_pointer(&segmentation->supervoxels, g_array_unref);
    g_clear_pointer(&segmentation->edges, g_array_unref);
    g_clear_pointer(&segmentation->segments, g_array_unref);
    g_free(segmentation);
}

typedef struct {
    CxPipeline *pipeline;
    CxBox grid; /* of block indices */
    CxBlockFunc sink;
    void *data;
    CxJob *job;
    CxSegmentation *out;

    /* Upper faces, by place in a layer of the grid, for x, y, z. */
    CxChunk **upper[3];
} Walk;

static size_t
place_of(const Walk *walk, CxVoxel index)
{
    CxVoxel lo = walk->grid.lo;
    int64_t nx = walk->grid.hi.x - lo.x;

    return (size_t)((index.y - lo.y) * nx + index.x - lo.x);
}

static CxNeighbourFaces
lower_faces(const Walk *walk, CxVoxel index)
{
    CxVoxel lo = walk->grid.lo;
    CxNeighbourFaces faces = {{NULL}};

    if (index.x > lo.x)
        faces.faces[0] =
            walk->upper[0][place_of(walk, (CxVoxel){index.x - 1, index.y, 0})];
    if (index.y > lo.y)
        faces.faces[2] =
            walk->upper[1][place_of(walk, (CxVoxel){index.x, index.y - 1, 0})];
    if (index.z > lo.z)
        faces.faces[4] = walk->upper[2][place_of(walk, index)];
    return faces;
}

static bool
keep_face(Walk *walk, CxVoxel index, int axis, CxChunk *labels, GError **error)
{
    CxBox box = cx_chunk_box(labels);
    CxChunk **place = &walk->upper[axis][place_of(walk, index)];

    if (axis == 0)
        box.lo.x = box.hi.x - 1;
    else if (axis == 1)
        box.lo.y = box.hi.y - 1;
    else
        box.lo.z = box.hi.z - 1;
    g_clear_pointer(place, cx_chunk_unref);
    *place = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    if (*place == NULL)
        return false;
    cx_chunk_copy_overlap(*place, labels);
    return true;
}

static bool
do_block(Walk *walk, CxVoxel index, CxJob *job, GError **error)
{
    CxNeighbourFaces faces = lower_faces(walk, index);
    g_autoptr(CxFragments) block =
        cx_pipeline_run_block(walk->pipeline, index, &faces, job, error);

    if (block == NULL)
        return false;
    for (int axis = 0; axis < 3; axis++) {
        if (!keep_face(walk, index, axis, block->labels, error))
            return false;
    }
    g_array_append_vals(walk->out->supervoxels, block->supervoxels->data,
                        block->supervoxels->len);
    g_array_append_vals(walk->out->edges, block->edges->data,
                        block->edges->len);
    return walk->sink == NULL ||
           walk->sink(index, block->labels, walk->data, error);
}

static bool
do_blocks(Walk *walk, GError **error)
{
    CxVoxel n = cx_box_size(walk->grid);
    double total = (double)(n.x * n.y * n.z), done = 0;
    CxVoxel at;

    for (at.z = walk->grid.lo.z; at.z < walk->grid.hi.z; at.z++) {
        for (at.y = walk->grid.lo.y; at.y < walk->grid.hi.y; at.y++) {
            for (at.x = walk->grid.lo.x; at.x < walk->grid.hi.x; at.x++) {
                g_autoptr(CxJob) part = cx_job_new_part(walk->job, done / total,
                                                        (done + 1) / total);
                if (!do_block(walk, at, part, error))
                    return false;
                done++;
            }
        }
    }
    return true;
}

/* Ids grow from block to block, so supervoxels are sorted already. */
static bool
agglomerate(Walk *walk, GError **error)
{
    CxSegmentation *out = walk->out;
    CxAgglomerateOptions options =
        cx_pipeline_agglomerate_options(walk->pipeline);
    int64_t start = g_get_monotonic_time();

    out->segments = cx_agglomerate(out->supervoxels, out->edges, NULL, &options,
                                   NULL, walk->job, error);
    double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    cx_pipeline_add_seconds(walk->pipeline,
                            (CxStageSeconds){.agglomerate = seconds});
    return out->segments != NULL;
}

CxSegmentation *
cx_pipeline_run_box(CxPipeline *pipeline, CxBox box, CxBlockFunc sink,
                    void *data, CxJob *job, GError **error)
{
    g_autoptr(CxSegmentation) out = g_new0(CxSegmentation, 1);
    Walk walk = {.pipeline = pipeline,
                 .grid = cx_pipeline_blocks(pipeline, box),
                 .sink = sink,
                 .data = data,
                 .job = job,
                 .out = out};
    CxVoxel n = cx_box_size(walk.grid);
    size_t n_places = (size_t)(MAX(0, n.x) * MAX(0, n.y));

    out->supervoxels = g_array_new(FALSE, FALSE, sizeof(CxSupervoxel));
    out->edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    for (int axis = 0; axis < 3; axis++)
        walk.upper[axis] = g_new0(CxChunk *, n_places);
    cx_job_stage(job, "segmenting", 0, 0.95);
    bool ok = do_blocks(&walk, error);
    for (int axis = 0; axis < 3; axis++) {
        for (size_t i = 0; i < n_places; i++)
            g_clear_pointer(&walk.upper[axis][i], cx_chunk_unref);
        g_free(walk.upper[axis]);
    }
    cx_job_stage(job, "agglomerating", 0.95, 1);
    if (!ok || !agglomerate(&walk, error))
        return NULL;
    return g_steal_pointer(&out);
}
