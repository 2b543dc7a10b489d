/* skeleton: the centre line of one label, or of all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/export/export_skeleton.h"

static bool
skeleton_all(CxcliContext *context, CxVolume *labels,
             const CxSkeletonOptions *options, GError **error)
{
    uint64_t n = 0;

    if (!cx_export_skeletons_of(
            labels, (uint64_t)cxcli_integer(context, "min-voxels", 1000),
            options, context->args[1], context->force, context->job, &n, NULL,
            error))
        return false;
    cxcli_report_integer(context->report, "skeletons", (int64_t)n);
    return true;
}

static bool
skeleton_one(CxcliContext *context, CxProject *project, CxVolume *labels,
             const CxSkeletonOptions *options, GError **error)
{
    CxId id = cxcli_integer(context, "id", 0);
    CxBox box = cx_volume_bounds(labels, 0);
    CxSegment segment;

    if (project != NULL &&
        cx_supervoxel_graph_segment(cx_project_graph(project), id, &segment))
        box = segment.box;
    g_autoptr(CxSkeleton) skeleton =
        cx_skeletonise(labels, id, box, options, context->job, error);
    if (skeleton == NULL || !cx_export_skeleton(skeleton, context->args[1],
                                                context->force, NULL, error))
        return false;
    cxcli_report_integer(context->report, "nodes",
                         (int64_t)cx_skeleton_n_nodes(skeleton));
    cxcli_report_real(context->report, "length_um",
                      cx_skeleton_length_nm(skeleton) * 1e-3);
    return true;
}

static bool
read_options(CxcliContext *context, CxSkeletonOptions *options, GError **error)
{
    *options = cx_skeleton_defaults();
    options->pitch_nm = cxcli_real(context, "pitch", options->pitch_nm);
    options->constant_nm = cxcli_real(context, "spur", options->constant_nm);
    options->n_threads = context->n_threads;
    if (cxcli_has(context, "all") == cxcli_has(context, "id")) {
        cxcli_set_usage_error(error,
                              "skeleton: expected either --id N or --all");
        return false;
    }
    if (options->pitch_nm >= 0 && options->constant_nm >= 0)
        return true;
    cxcli_set_usage_error(error, "--pitch, --spur: found a negative length, "
                                 "expected nanometres from 0");
    return false;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    g_autoptr(CxProject) project = NULL;
    CxSkeletonOptions options;

    if (!read_options(context, &options, error) ||
        !cxcli_check_output(context, context->args[1], inputs, error))
        return false;
    g_autoptr(CxVolume) labels =
        cxcli_open_labels(context, context->args[0], &project, error);
    double start = cxcli_seconds();
    if (labels == NULL ||
        !(cxcli_has(context, "all")
              ? skeleton_all(context, labels, &options, error)
              : skeleton_one(context, project, labels, &options, error)))
        return false;
    cxcli_report_real(context->report, "seconds", cxcli_seconds() - start);
    return true;
}

static const CxcliOption options_table[] = {
    {"id", CXCLI_ID, "N", "the label or segment"},
    {"all", CXCLI_FLAG, NULL, "every label; OUT becomes a folder of N.swc"},
    {"min-voxels", CXCLI_INTEGER, "N", "with --all: from this size (1000)"},
    {"pitch", CXCLI_REAL, "NM", "side of the cells (about two voxels)"},
    {"spur", CXCLI_REAL, "NM", "leave out shorter side branches (100)"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_skeleton = {
    .name = "skeleton",
    .usage = "LABELS|PROJECT OUT.swc",
    .summary = "The centre line of a label, or of all",
    .text = "SWC in micrometres.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
