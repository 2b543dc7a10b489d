/* retina attribute: which channels drive a cell, frame by frame.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/retina_network.h"
#include "core/retina/replay.h"

#include <string.h>

static bool
read_options(const CxcliContext *context, CxRetinaReplayOptions *options,
             GError **error)
{
    const char *rule = cxcli_text(context, "rule", "exact");

    options->condition = (size_t)cxcli_integer(context, "condition", 0);
    options->cell = (size_t)cxcli_integer(context, "cell", SIZE_MAX);
    options->n_steps =
        (uint32_t)MIN(cxcli_integer(context, "steps", 100), 1000000);
    options->n_threads = context->n_threads;
    if (!cxcli_retina_protocol(context, &options->kind, error) ||
        !cxcli_retina_films(context, &options->protocol, error))
        return false;
    if (options->kind == CX_N_PROTOCOLS)
        options->kind = CX_PROTOCOL_OSR;
    if (cx_attribution_rule_from_name(rule, &options->rule))
        return true;
    cxcli_set_usage_error(
        error, "--rule: found \"%s\", expected exact, midpoint or right", rule);
    return false;
}

static void
report_replay(CxcliReport *report, const CxRetinaReplay *replay)
{
    const CxAttribution *a = replay->attribution;

    cxcli_report_text(report, "data", "simulated retina");
    cxcli_report_text(report, "protocol",
                      cx_protocol_name(replay->options.kind));
    cxcli_report_text(report, "condition", replay->condition->label);
    cxcli_report_text(report, "rule",
                      cx_attribution_rule_name(replay->options.rule));
    cxcli_report_integer(report, "frames", (int64_t)replay->n_frames);
    cxcli_report_real(report, "rate0_hz", replay->rate0);
    cxcli_report_real(report, "peak_hz", replay->circuit->peak_rate);
    cxcli_report_integer(report, "peak_frame",
                         (int64_t)replay->circuit->peak_frame);
    cxcli_report_real(report, "completeness_error", a->median_error[0]);
    cxcli_report_real(report, "completeness_error_worst", a->worst_error[0]);
    cxcli_report_real(report, "completeness_error_layer2", a->median_error[1]);
    cxcli_report_real(report, "kinks_a_frame", a->mean_kinks);
    cxcli_retina_report_channels(report, replay->circuit, replay->labels);
}

static bool
run(CxcliContext *context, GError **error)
{
    CxRetinaReplayOptions options = {0};
    const char *spec, *out;

    cxcli_retina_split_args(context, &spec, &out);
    const char *const inputs[] = {spec, NULL};
    if (!read_options(context, &options, error) ||
        (out != NULL && !cxcli_check_output(context, out, inputs, error)))
        return false;
    g_autoptr(CxRetinaCnn) net = cxcli_retina_load(spec, error);
    if (net == NULL)
        return false;
    double start = cxcli_seconds();
    g_autoptr(CxRetinaReplay) replay =
        cx_retina_replay_new(net, &options, context->job, error);
    if (replay == NULL)
        return false;
    double seconds = cxcli_seconds() - start;
    g_autofree char *csv = cx_retina_replay_csv(replay);
    if (out != NULL && !cxcli_write_text(out, csv, strlen(csv), error))
        return false;
    report_replay(context->report, replay);
    cxcli_report_real(context->report, "seconds", seconds);
    return true;
}

static const CxcliOption options_table[] = {
    {"protocol", CXCLI_TEXT, "P",
     "osr (default), latency, reversal, anticipation"},
    {"condition", CXCLI_INTEGER, "I", "which of its films (default 0)"},
    {"cell", CXCLI_INTEGER, "I", "which of its cells (default: the middle)"},
    {"preset", CXCLI_TEXT, "NAME",
     "simulated (default), reduction, 2023, library, ebert"},
    {"amplitude", CXCLI_REAL, "F", "a factor on the stimulus"},
    {"rule", CXCLI_TEXT, "R",
     "exact (default), midpoint, right: how the path is integrated"},
    {"steps", CXCLI_INTEGER, "N", "of the rules with steps (default 100)"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_attribute = {
    .name = "retina attribute",
    .usage = "[NET] [OUT.csv] [--protocol P]",
    .summary = "Which channels of a network drive a cell, frame by frame",
    .text = "Integrated gradients to the first layer, along the path from no "
            "stimulus to the\nstimulus, after Tanaka et al. 2019.  OUT.csv has "
            "a line for every frame: rates and\nthe part of each channel, "
            "which sum to the rate less the rate without a stimulus.",
    .min_args = 0,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
