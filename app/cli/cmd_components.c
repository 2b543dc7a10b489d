/* components: connected pieces of equal labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/slab_writer.h"
#include "core/segmentation/components.h"

static bool
write_slab(CxChunk *slab, void *data, GError **error)
{
    return cxcli_slab_writer_put(data, slab, error);
}

static bool
label_all(CxcliContext *context, CxVolume *labels, unsigned connectivity,
          uint64_t *count, GError **error)
{
    CxWriterOptions options =
        cxcli_label_options(context, labels, cx_volume_bounds(labels, 0));
    g_autoptr(CxcliSlabWriter) writer =
        cxcli_slab_writer_new(context->args[1], &options, error);

    return writer != NULL &&
           cx_components_of_volume(labels, connectivity, write_slab, writer,
                                   count, context->job, error) &&
           cxcli_slab_writer_finish(writer, NULL, error);
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    uint64_t connectivity = cxcli_integer(context, "connectivity", 26);
    g_autoptr(CxProject) project = NULL;
    uint64_t count = 0;
    size_t n_voxels = 0;

    if (connectivity != 6 && connectivity != 18 && connectivity != 26) {
        cxcli_set_usage_error(error,
                              "--connectivity: found %" G_GUINT64_FORMAT
                              ", expected 6, 18 or 26",
                              connectivity);
        return false;
    }
    if (!cxcli_check_output(context, context->args[1], inputs, error))
        return false;
    g_autoptr(CxVolume) labels =
        cxcli_open_labels(context, context->args[0], &project, error);
    double start = cxcli_seconds();
    if (labels == NULL ||
        !label_all(context, labels, (unsigned)connectivity, &count, error))
        return false;
    cx_box_n_voxels(cx_volume_bounds(labels, 0), &n_voxels);
    cxcli_report_integer(context->report, "count", (int64_t)count);
    cxcli_report_real(context->report, "mvox_per_s",
                      (double)n_voxels * 1e-6 / (cxcli_seconds() - start));
    return true;
}

static const CxcliOption options_table[] = {
    {"connectivity", CXCLI_INTEGER, "N", "6, 18 or 26 (default)"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_components = {
    .name = "components",
    .usage = "IN OUT",
    .summary = "Number the connected pieces of equal labels",
    .text = "Label 0 is left out; pieces are numbered from 1 in the order of "
            "their first voxel.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
