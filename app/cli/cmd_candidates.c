/* candidates: where the segmentation is probably wrong.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/review/suspicions.h"

static void
report_one(CxcliReport *report, const CxSuspicion *suspicion)
{
    cxcli_report_begin_object(report, NULL);
    cxcli_report_text(report, "kind", cx_suspicion_kind_name(suspicion->kind));
    cxcli_report_id(report, "a", suspicion->segment_a);
    cxcli_report_id(report, "b", suspicion->segment_b);
    cxcli_report_real(report, "score", suspicion->score);
    cxcli_report_voxel(report, "at", suspicion->at);
    cxcli_report_real(report, "probability", suspicion->probability);
    cxcli_report_real(report, "affinity", (double)suspicion->affinity);
    cxcli_report_integer(report, "contacts", suspicion->contacts);
    cxcli_report_integer(report, "voxels",
                         (int64_t)MIN(suspicion->n_a, suspicion->n_b));
    cxcli_report_id(report, "supervoxel_a", suspicion->a);
    cxcli_report_id(report, "supervoxel_b", suspicion->b);
    cxcli_report_end_object(report);
}

static bool
run(CxcliContext *context, GError **error)
{
    CxSuspicionModel model = cx_suspicion_model_default();
    CxSuspicionOptions options = cx_suspicion_defaults();

    options.limit = cxcli_integer(context, "limit", 100);
    options.min_voxels =
        cxcli_integer(context, "min-voxels", options.min_voxels);
    g_autoptr(CxProject) project =
        cx_project_open(context->args[0], true, context->job, error);
    if (project == NULL)
        return false;
    g_autoptr(GArray) found = cx_suspicions_find(
        cx_project_graph(project), &model, &options, context->job, error);
    if (found == NULL)
        return false;
    cxcli_report_begin_array(context->report, "candidates");
    for (guint i = 0; i < found->len; i++)
        report_one(context->report, &g_array_index(found, CxSuspicion, i));
    cxcli_report_end_array(context->report);
    return true;
}

static const CxcliOption options_table[] = {
    {"limit", CXCLI_INTEGER, "N", "the first N only; 0: all (100)"},
    {"min-voxels", CXCLI_INTEGER, "N", "leave out smaller sides (500)"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_candidates = {
    .name = "candidates",
    .usage = "PROJECT",
    .summary = "Where the segmentation is probably wrong, the worst first",
    .text = "kind split: a and b may be one neuron; kind merge: a may be two, "
            "which part at the\ncontact of the supervoxels.  score: bits a "
            "voxel that the answer is worth.",
    .min_args = 1,
    .max_args = 1,
    .options = options_table,
    .run = run,
};
