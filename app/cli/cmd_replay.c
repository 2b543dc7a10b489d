/* replay: the edits of one project, carried out on another.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/export/edit_log.h"

static bool
run(CxcliContext *context, GError **error)
{
    int64_t n_done = 0;
    g_autoptr(CxProject) project =
        cx_project_open(context->args[1], false, context->job, error);

    if (project == NULL || !cx_edit_log_replay(project, context->args[0],
                                               &n_done, context->job, error))
        return false;
    cxcli_report_integer(context->report, "head", cx_project_head(project));
    cxcli_report_integer(context->report, "edits", cx_project_n_edits(project));
    cxcli_report_integer(context->report, "replayed", n_done);
    return true;
}

const CxcliCommand cxcli_replay = {
    .name = "replay",
    .usage = "LOG PROJECT",
    .summary = "Carry out a log of edits on a project",
    .text = "LOG is a file written by `log PROJECT --csv LOG`; the project "
            "must hold the same\nsupervoxels.  Stops at the first edit that "
            "does not fit; those before it stay.",
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
