/* evaluate: scores of a segmentation against the truth.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/metrics/contingency.h"
#include "core/metrics/isbi.h"

static bool
evaluate_isbi(CxcliContext *context, GError **error)
{
    CxIsbiScores scores;
    g_autoptr(CxVolume) truth =
        cx_volume_open(context->args[0], context->job, error);
    g_autoptr(CxVolume) map =
        truth != NULL ? cx_volume_open(context->args[1], context->job, error)
                      : NULL;

    if (map == NULL || !cx_isbi_score(truth, map, context->n_threads, &scores,
                                      context->job, error))
        return false;
    cxcli_report_real(context->report, "v_rand", scores.v_rand);
    cxcli_report_real(context->report, "v_info", scores.v_info);
    cxcli_report_real(context->report, "threshold", scores.threshold);
    cxcli_report_real(context->report, "threshold_info", scores.threshold_info);
    cxcli_report_integer(context->report, "voxels", (int64_t)scores.n_voxels);
    return true;
}

static void
report_scores(CxcliReport *report, CxScores scores)
{
    cxcli_report_real(report, "voi_split", scores.voi_split);
    cxcli_report_real(report, "voi_merge", scores.voi_merge);
    cxcli_report_real(report, "voi", scores.voi_split + scores.voi_merge);
    cxcli_report_real(report, "arand", scores.arand);
    cxcli_report_real(report, "arand_cremi", scores.arand_cremi);
    cxcli_report_real(report, "cremi_score", scores.cremi_score);
    cxcli_report_real(report, "v_rand", scores.v_rand);
    cxcli_report_real(report, "v_info", scores.v_info);
    cxcli_report_integer(report, "voxels", (int64_t)scores.n_voxels);
}

static bool
evaluate_labels(CxcliContext *context, GError **error)
{
    g_autoptr(CxProject) truth_project = NULL;
    g_autoptr(CxProject) project = NULL;
    g_autoptr(CxContingency) table = cx_contingency_new();
    g_autoptr(CxVolume) truth =
        cxcli_open_labels(context, context->args[0], &truth_project, error);
    g_autoptr(CxVolume) segments =
        truth != NULL
            ? cxcli_open_labels(context, context->args[1], &project, error)
            : NULL;

    if (segments == NULL ||
        !cx_contingency_add_volumes(
            table, truth, segments,
            (unsigned)MIN(cxcli_integer(context, "border", 0), 1000),
            cxcli_has(context, "components"), context->job, error))
        return false;
    report_scores(context->report, cx_contingency_scores(table));
    return true;
}

static bool
run(CxcliContext *context, GError **error)
{
    return cxcli_has(context, "isbi") ? evaluate_isbi(context, error)
                                      : evaluate_labels(context, error);
}

static const CxcliOption options_table[] = {
    {"border", CXCLI_INTEGER, "N",
     "leave out voxels within N steps of a truth border"},
    {"components", CXCLI_FLAG, NULL,
     "split the truth into 26-connected pieces first"},
    {"isbi", CXCLI_FLAG, NULL,
     "ISBI 2012 scores: TRUTH cell interior > 0, SEG a membrane map"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_evaluate = {
    .name = "evaluate",
    .usage = "TRUTH SEG",
    .summary = "Score a segmentation against the truth",
    .text = "VOI in bits: split = H(seg | truth), merge = H(truth | seg); "
            "voxels with truth 0\nare left out.  arand is scikit-image's "
            "adapted Rand error, arand_cremi CREMI's.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
