/* info: what a volume or a project is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"

#include <string.h>

static void
report_volume(CxcliContext *context, CxVolume *volume)
{
    CxcliReport *report = context->report;
    unsigned n_levels = cx_volume_n_levels(volume);

    cxcli_report_voxel(report, "shape_xyz", cx_volume_level(volume, 0).size);
    cxcli_report_text(report, "dtype", cx_dtype_name(cx_volume_dtype(volume)));
    cxcli_report_nm(report, "voxel_nm", cx_volume_level(volume, 0).voxel_nm);
    cxcli_report_bool(report, "has_voxel_size",
                      cx_volume_has_voxel_size(volume));
    cxcli_report_nm(report, "offset_nm", cx_volume_offset_nm(volume));
    cxcli_report_integer(report, "channels", cx_volume_n_channels(volume));
    cxcli_report_bool(report, "labels", cx_volume_is_labels(volume));
    cxcli_report_integer(report, "levels", n_levels);
}

static bool
report_datasets(CxcliContext *context, const char *path, GError **error)
{
    CxcliReport *report = context->report;
    g_autoptr(GPtrArray) datasets = cx_volume_list(path, error);

    if (datasets == NULL)
        return false;
    cxcli_report_begin_array(report, "datasets");
    for (guint i = 0; i < datasets->len; i++) {
        const CxDatasetInfo *info = g_ptr_array_index(datasets, i);

        cxcli_report_begin_object(report, NULL);
        cxcli_report_text(report, "path", info->path);
        cxcli_report_voxel(report, "shape_xyz", info->size);
        cxcli_report_text(report, "dtype", cx_dtype_name(info->dtype));
        cxcli_report_bool(report, "labels", info->is_labels);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
    return true;
}

/* The smallest and largest sample; whole numbers where the type is whole. */
static bool
report_range(CxcliContext *context, CxVolume *volume, GError **error)
{
    CxcliReport *report = context->report;
    double min, max;

    if (!cx_volume_range(volume, context->job, &min, &max, error))
        return false;
    bool whole = cx_dtype_is_integer(cx_volume_dtype(volume)) &&
                 ABS(min) < 0x1p53 && ABS(max) < 0x1p53;
    if (whole) {
        cxcli_report_integer(report, "min", (int64_t)min);
        cxcli_report_integer(report, "max", (int64_t)max);
    } else {
        cxcli_report_real(report, "min", min);
        cxcli_report_real(report, "max", max);
    }
    return true;
}

static bool
info_of_volume(CxcliContext *context, const char *spec, GError **error)
{
    g_autoptr(CxVolume) volume = cx_volume_open(spec, context->job, error);

    if (volume == NULL)
        return false;
    cxcli_report_text(context->report, "format", cx_volume_format(volume));
    report_volume(context, volume);
    g_autofree char *path = g_strdup(spec);
    char *dataset = strstr(path, ":/");
    if (dataset != NULL && dataset != path)
        *dataset = '\0';
    return report_datasets(context, path, error) &&
           report_range(context, volume, error);
}

static bool
info_of_project(CxcliContext *context, const char *path, GError **error)
{
    CxcliReport *report = context->report;
    g_autoptr(CxProject) project =
        cx_project_open(path, true, context->job, error);

    if (project == NULL)
        return false;
    CxSupervoxelGraph *graph = cx_project_graph(project);
    CxVolume *image = cx_project_image(project);
    size_t n_total = 0, n_blocks = cx_project_n_blocks(project, &n_total);
    cxcli_report_text(report, "format", "connexon");
    report_volume(context, cx_project_segments(project));
    cxcli_report_text(report, "image", cx_project_image_spec(project));
    cxcli_report_bool(report, "image_found", image != NULL);
    cxcli_report_integer(report, "blocks", (int64_t)n_blocks);
    cxcli_report_integer(report, "blocks_total", (int64_t)n_total);
    cxcli_report_integer(report, "supervoxels",
                         (int64_t)cx_supervoxel_graph_n_supervoxels(graph));
    cxcli_report_integer(report, "segments",
                         (int64_t)cx_supervoxel_graph_n_segments(graph));
    cxcli_report_integer(report, "edits", cx_project_n_edits(project));
    cxcli_report_integer(report, "head", cx_project_head(project));
    return true;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *spec = context->args[0];

    return cxcli_is_project(spec) ? info_of_project(context, spec, error)
                                  : info_of_volume(context, spec, error);
}

const CxcliCommand cxcli_info = {
    .name = "info",
    .usage = "VOLUME|PROJECT",
    .summary = "What a volume or a project is",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
