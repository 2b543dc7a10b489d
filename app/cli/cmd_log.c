/* log: the history of a project.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/export/export_project.h"

#include <stdio.h>

static char *
format_time(int64_t time_us)
{
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);

    return time != NULL ? g_date_time_format_iso8601(time) : g_strdup("");
}

static void
report_edit(CxcliReport *report, const CxEdit *edit)
{
    g_autofree char *time = format_time(edit->time_us);

    cxcli_report_begin_object(report, NULL);
    cxcli_report_integer(report, "sequence", edit->sequence);
    cxcli_report_text(report, "kind", cx_edit_kind_name(edit->kind));
    cxcli_report_text(report, "time", time);
    cxcli_report_text(report, "author",
                      edit->author != NULL ? edit->author : "");
    cxcli_report_voxel(report, "at", edit->at);
    cxcli_report_bool(report, "undone", edit->undone);
    cxcli_report_text(report, "sentence",
                      edit->sentence != NULL ? edit->sentence : "");
    cxcli_report_end_object(report);
}

static bool
report_history(CxcliContext *context, CxProject *project, GError **error)
{
    g_autoptr(GPtrArray) edits =
        cx_project_edits(project, 1, cx_project_n_edits(project), false, error);

    if (edits == NULL)
        return false;
    cxcli_report_begin_array(context->report, "history");
    for (guint i = 0; i < edits->len; i++)
        report_edit(context->report, g_ptr_array_index(edits, i));
    cxcli_report_end_array(context->report);
    return true;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    const char *csv = cxcli_text(context, "csv", NULL);

    if (csv != NULL && !cxcli_check_output(context, csv, inputs, error))
        return false;
    g_autoptr(CxProject) project =
        cx_project_open(context->args[0], true, context->job, error);
    if (project == NULL)
        return false;
    cxcli_report_integer(context->report, "head", cx_project_head(project));
    cxcli_report_integer(context->report, "edits", cx_project_n_edits(project));
    if (csv == NULL)
        return report_history(context, project, error);
    return cx_export_project(project, CX_EXPORT_LOG, csv, context->force,
                             context->job, NULL, error);
}

static const CxcliOption options_table[] = {
    {"csv", CXCLI_TEXT, "FILE", "write the log to a file that replay reads"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_log = {
    .name = "log",
    .usage = "PROJECT",
    .summary = "The history of a project",
    .min_args = 1,
    .max_args = 1,
    .options = options_table,
    .run = run,
};
