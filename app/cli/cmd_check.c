/* check: is a project sound?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"

static bool
run(CxcliContext *context, GError **error)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(CxProject) project =
        cx_project_open(context->args[0], true, context->job, error);

    if (project == NULL ||
        !cx_project_check(project, problems, context->job, error))
        return false;
    cxcli_report_bool(context->report, "ok", problems->len == 0);
    cxcli_report_begin_array(context->report, "problems");
    for (guint i = 0; i < problems->len; i++)
        cxcli_report_text(context->report, NULL,
                          g_ptr_array_index(problems, i));
    cxcli_report_end_array(context->report);
    context->exit_code = problems->len == 0 ? 0 : 1;
    return true;
}

const CxcliCommand cxcli_check = {
    .name = "check",
    .usage = "PROJECT",
    .summary = "Check a project from end to end",
    .text = "Checksums of all stored labels, the database itself, and the log "
            "replayed against\nthe graph.  Exit code 1 if anything is wrong.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
