/* segment: image to project, or to labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/engine.h"
#include "app/cli/label_store.h"
#include "core/base/error.h"
#include "core/segmentation/relabel.h"

#include <glib/gstdio.h>
#include <math.h>

static void
report_result(CxcliContext *context, CxPipeline *pipeline, size_t n_supervoxels,
              size_t n_segments, CxBox box, double start)
{
    CxcliReport *report = context->report;
    double seconds = cxcli_seconds() - start;
    size_t n_voxels = 0;

    cx_box_n_voxels(box, &n_voxels);
    cxcli_report_integer(report, "supervoxels", (int64_t)n_supervoxels);
    cxcli_report_integer(report, "segments", (int64_t)n_segments);
    cxcli_report_real(report, "seconds", seconds);
    cxcli_report_real(report, "mvox_per_s", (double)n_voxels * 1e-6 / seconds);
    cxcli_report_integer(report, "peak_bytes", (int64_t)cxcli_peak_bytes());
    cxcli_report_stages(report, cx_pipeline_seconds(pipeline));
}

static bool
put_block(CxVoxel index, CxChunk *labels, void *data, GError **error)
{
    return cxcli_label_store_put(data, labels, error);
}

/* The segment of each supervoxel, ready to be applied. */
static CxRelabel *
relabel_of(const CxSegmentation *segmentation)
{
    const GArray *supervoxels = segmentation->supervoxels;
    g_autoptr(GArray) from =
        g_array_sized_new(FALSE, FALSE, sizeof(CxId), supervoxels->len);

    for (guint i = 0; i < supervoxels->len; i++)
        g_array_append_val(from,
                           g_array_index(supervoxels, CxSupervoxel, i).id);
    return cx_relabel_new((const CxId *)from->data,
                          (const CxId *)segmentation->segments->data,
                          from->len);
}

static CxChunk *
make_slab(CxcliLabelStore *store, const CxRelabel *relabel, CxBox box,
          int64_t z, int64_t n_z, GError **error)
{
    g_autoptr(CxChunk) slab =
        cxcli_label_store_get(store, box.lo.z + z, n_z, error);
    CxBox place = cx_box_of_size(cx_box_size(box));

    if (slab == NULL)
        return NULL;
    place.lo.z = z;
    place.hi.z = z + n_z;
    CxChunk *out = cx_chunk_new(CX_DTYPE_U64, place, 1, error);
    if (out != NULL)
        cx_relabel_apply(relabel, cx_chunk_data(slab), cx_chunk_data_mut(out),
                         cx_chunk_n_voxels(slab));
    return out;
}

static bool
write_labels(CxcliContext *context, CxVolume *volume, CxcliLabelStore *store,
             const CxRelabel *relabel, CxBox box, GError **error)
{
    CxWriterOptions options = cxcli_label_options(context, volume, box);
    g_autoptr(CxWriter) writer =
        cx_writer_new(context->args[1], &options, error);

    if (writer == NULL)
        return false;
    int64_t depth = cx_writer_slab(writer);
    cx_job_stage(context->job, "writing", 0.95, 1.0);
    for (int64_t z = 0; z < options.size.z; z += depth) {
        g_autoptr(CxChunk) slab = make_slab(
            store, relabel, box, z, MIN(depth, options.size.z - z), error);

        if (slab == NULL || !cx_writer_write(writer, slab, error) ||
            !cx_job_step(context->job, (uint64_t)z, (uint64_t)options.size.z,
                         error))
            return false;
    }
    return cx_writer_finish(writer, NULL, error);
}

static int
compare_ids(const void *a, const void *b)
{
    CxId x = *(const CxId *)a, y = *(const CxId *)b;

    return (x > y) - (x < y);
}

static size_t
count_distinct(const GArray *ids)
{
    g_autoptr(GArray) sorted = g_array_copy((GArray *)ids);
    size_t n = 0;

    g_array_sort(sorted, compare_ids);
    for (guint i = 0; i < sorted->len; i++)
        n += i == 0 || g_array_index(sorted, CxId, i) !=
                           g_array_index(sorted, CxId, i - 1);
    return n;
}

static bool
segment_to_labels(CxcliContext *context, CxVolume *volume, CxPipeline *pipeline,
                  CxBox box, double start, GError **error)
{
    g_autoptr(CxcliLabelStore) store =
        cxcli_label_store_new(context->args[1], box, error);

    if (store == NULL)
        return false;
    g_autoptr(CxJob) part = cx_job_new("segmenting");
    cx_job_stage(context->job, "segmenting", 0.0, 0.95);
    g_autoptr(CxSegmentation) segmentation = cx_pipeline_run_box(
        pipeline, box, put_block, store, context->job, error);
    if (segmentation == NULL)
        return false;
    g_autoptr(CxRelabel) relabel = relabel_of(segmentation);
    double before = cxcli_seconds();
    if (!write_labels(context, volume, store, relabel, box, error))
        return false;
    cx_pipeline_add_seconds(
        pipeline, (CxStageSeconds){.write = cxcli_seconds() - before});
    report_result(context, pipeline, segmentation->supervoxels->len,
                  count_distinct(segmentation->segments), box, start);
    return true;
}

/* A project under its final name is whole only when the work is done; until
 * then it lies beside it. */
static bool
finish_project(CxcliContext *context, CxProject *project, const char *partial,
               GError **error)
{
    const char *path = context->args[1];

    cx_job_stage(context->job, "closing", 0.99, 1.0);
    if (partial == NULL)
        return true;
    return cx_project_copy(project, path, context->force, context->job, error);
}

static bool
segment_project(CxcliContext *context, CxProject *project, CxPipeline *pipeline,
                CxBox box, double start, GError **error)
{
    CxVoxel middle = {box.lo.x + (box.hi.x - box.lo.x) / 2,
                      box.lo.y + (box.hi.y - box.lo.y) / 2,
                      box.lo.z + (box.hi.z - box.lo.z) / 2};

    if (!cx_project_segment(project, pipeline, box, middle, NULL, NULL,
                            context->job, error))
        return false;
    CxSupervoxelGraph *graph = cx_project_graph(project);
    report_result(context, pipeline, cx_supervoxel_graph_n_supervoxels(graph),
                  cx_supervoxel_graph_n_segments(graph), box, start);
    return true;
}

/* Goes on with a project that is there, or begins one under its own name: a
 * run that was ended, however it was, has kept its blocks for the next. */
static bool
resume_project(CxcliContext *context, CxVolume *volume, CxPipeline *pipeline,
               CxBox box, double start, GError **error)
{
    const char *path = context->args[1];
    g_autoptr(CxProject) project =
        cxcli_exists(path) ? cx_project_open(path, false, context->job, error)
                           : cx_project_create(path, volume, error);

    return project != NULL &&
           segment_project(context, project, pipeline, box, start, error);
}

static bool
make_project(CxcliContext *context, CxVolume *volume, CxPipeline *pipeline,
             CxBox box, double start, GError **error)
{
    const char *path = context->args[1];
    g_autofree char *partial =
        g_strdup_printf("%s.partial-%08x.connexon", path, g_random_int());
    g_autoptr(CxProject) project = cx_project_create(partial, volume, error);
    bool done =
        project != NULL &&
        segment_project(context, project, pipeline, box, start, error) &&
        finish_project(context, project, partial, error);

    g_clear_pointer(&project, cx_project_unref);
    cx_project_delete_files(partial);
    return done;
}

static bool
segment_to_project(CxcliContext *context, CxVolume *volume,
                   CxPipeline *pipeline, CxBox box, double start,
                   GError **error)
{
    if (cxcli_has(context, "resume"))
        return resume_project(context, volume, pipeline, box, start, error);
    return make_project(context, volume, pipeline, box, start, error);
}

static int64_t *
axis_of(CxVoxel *v, int axis)
{
    return axis == 0 ? &v->x : axis == 1 ? &v->y : &v->z;
}

/* Narrows the box to share I of N: whole blocks, along the axis that has most
 * of them. */
static bool
take_share(CxcliContext *context, CxPipeline *pipeline, CxBox *box,
           GError **error)
{
    int64_t index = (int64_t)cxcli_integer(context, "index", 0);
    int64_t of = (int64_t)cxcli_integer(context, "of", 1);
    CxBox grid = cx_pipeline_blocks(pipeline, *box);
    CxVoxel n = cx_box_size(grid);
    int axis = n.z >= n.y && n.z >= n.x ? 2 : n.y >= n.x ? 1 : 0;
    int64_t n_blocks = *axis_of(&n, axis), first = *axis_of(&grid.lo, axis);

    *axis_of(&grid.lo, axis) = first + n_blocks * index / of;
    *axis_of(&grid.hi, axis) = first + n_blocks * (index + 1) / of;
    if (cx_box_is_empty(grid)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: share %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                    " is empty, expected at most %" G_GINT64_FORMAT
                    " shares (blocks along %c)",
                    context->args[0], index, of, n_blocks, "xyz"[axis]);
        return false;
    }
    CxVoxel last = {grid.hi.x - 1, grid.hi.y - 1, grid.hi.z - 1};
    CxBox share = {cx_pipeline_block_box(pipeline, grid.lo).lo,
                   cx_pipeline_block_box(pipeline, last).hi};

    *box = cx_box_intersect(*box, share);
    return true;
}

static bool
check_share(CxcliContext *context, GError **error)
{
    uint64_t index = cxcli_integer(context, "index", 0);
    uint64_t of = cxcli_integer(context, "of", 1);

    if (cxcli_has(context, "index") == cxcli_has(context, "of") && of >= 1 &&
        of <= UINT32_MAX && index < of)
        return true;
    cxcli_set_usage_error(error,
                          "--index I --of N: found %" G_GUINT64_FORMAT
                          " and %" G_GUINT64_FORMAT
                          ", expected both, with 0 <= I < N",
                          index, of);
    return false;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    const char *out = context->args[1];
    double start = cxcli_seconds();
    bool to_project = cxcli_is_project(out);
    CxBox box;

    if (!check_share(context, error))
        return false;
    if (cxcli_has(context, "resume") && !to_project) {
        cxcli_set_usage_error(error,
                              "--resume: expected an output that ends in "
                              ".connexon, found %s",
                              out);
        return false;
    }
    if (!(to_project && cxcli_has(context, "resume")) &&
        !cxcli_check_output(context, out, inputs, error))
        return false;
    g_autoptr(CxVolume) volume =
        cx_volume_open(context->args[0], context->job, error);
    if (volume == NULL || !cxcli_find_box(context, volume, &box, error))
        return false;
    g_autoptr(CxPredictor) predictor =
        cxcli_make_predictor(context, volume, error);
    if (predictor == NULL)
        return false;
    g_autoptr(CxPipeline) pipeline =
        cxcli_make_pipeline(context, predictor, error);
    if (pipeline == NULL || !take_share(context, pipeline, &box, error))
        return false;
    return to_project ? segment_to_project(context, volume, pipeline, box,
                                           start, error)
                      : segment_to_labels(context, volume, pipeline, box, start,
                                          error);
}

static const CxcliOption options_table[] = {
    {"model", CXCLI_TEXT, "M",
     "fib, sstem, or a file (default: by voxel size)"},
    {"threshold", CXCLI_REAL, "T",
     "merge while the score is at least T (0 to 1)"},
    {"box", CXCLI_BOX, "BOX", "only this part"},
    {"isa", CXCLI_TEXT, "I", "c, avx2, avx512 (default: the best present)"},
    {"type", CXCLI_TEXT, "T",
     "auto (int8 where it can), fp32, bf16 (AMX only), int8"},
    {"index", CXCLI_INTEGER, "I", "only share I, counted from 0 …"},
    {"of", CXCLI_INTEGER, "N", "… of N shares of the blocks"},
    {"resume", CXCLI_FLAG, NULL,
     "go on with OUT if it is there, and keep it if this run is ended"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_segment = {
    .name = "segment",
    .usage = "VOLUME OUT",
    .summary = "Segment a volume into a project or labels",
    .text =
        "OUT ending in .connexon becomes a project to proofread; .h5, .zarr "
        "or .tif\nlabels (segment ids).\n\n"
        "--index and --of divide the blocks over several runs. Ids are the "
        "same in all of\nthem. Each writes its own OUT, or, one after the "
        "other with --resume, one project,\nwhere blocks join what is there.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
