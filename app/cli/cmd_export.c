/* export: what a project holds, as files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/export/export_project.h"

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    const char *what = cxcli_text(context, "what", "labels");
    CxExportKind kind;
    uint64_t size_bytes = 0;
    double start = cxcli_seconds();

    if (!cx_export_kind_from_name(what, &kind)) {
        cxcli_set_usage_error(error,
                              "--what: found \"%s\", expected labels, meshes, "
                              "skeletons, table, graph or log",
                              what);
        return false;
    }
    if (!cxcli_check_output(context, context->args[1], inputs, error))
        return false;
    g_autoptr(CxProject) project =
        cx_project_open(context->args[0], true, context->job, error);
    if (project == NULL ||
        !cx_export_project(project, kind, context->args[1], context->force,
                           context->job, &size_bytes, error))
        return false;
    cxcli_report_integer(context->report, "bytes", (int64_t)size_bytes);
    cxcli_report_real(context->report, "seconds", cxcli_seconds() - start);
    return true;
}

static const CxcliOption options_table[] = {
    {"what", CXCLI_TEXT, "KIND",
     "labels (default), meshes, skeletons, table, "
     "graph, log"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_export = {
    .name = "export",
    .usage = "PROJECT OUT",
    .summary = "Write the corrected labels, surfaces or tables",
    .text = "Labels: .h5 .zarr .tif or a folder ending in /; meshes, "
            "skeletons: a folder; "
            "the others .csv.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
