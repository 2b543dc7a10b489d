/* retina report: the four protocols on the simulated retina, a network and a
 * linear-nonlinear baseline.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/retina_network.h"
#include "core/retina/network_responder.h"
#include "core/retina/report.h"

static void
report_result(CxcliReport *report, const CxProtocolResult *result,
              bool reproduced)
{
    cxcli_report_bool(report, "reproduced", reproduced);
    cxcli_report_text(report, "verdict", result->verdict);
    for (size_t i = 0; i < result->n_scalars; i++)
        cxcli_report_real(report, result->scalars[i].key,
                          result->scalars[i].value);
}

static void
report_run(CxcliReport *report, const char *key, const CxProtocolRun *run)
{
    if (run == NULL)
        return;
    cxcli_report_begin_object(report, key);
    report_result(report, run->result, run->result->reproduced);
    cxcli_report_end_object(report);
}

static void
report_completeness(CxcliReport *report, const CxCompleteness *exact,
                    const CxCompleteness *steps)
{
    cxcli_report_real(report, "completeness_error", exact->median[0]);
    cxcli_report_real(report, "completeness_error_worst", exact->worst[0]);
    cxcli_report_real(report, "completeness_error_layer2", exact->median[1]);
    cxcli_report_real(report, "completeness_error_steps", steps->median[0]);
    cxcli_report_real(report, "completeness_error_steps_worst",
                      steps->worst[0]);
    cxcli_report_integer(report, "completeness_frames",
                         (int64_t)exact->n_frames);
}

static void
report_key(CxcliReport *report, const CxRetinaReportPart *part)
{
    const CxAnswerKey *key = &part->key;

    cxcli_report_begin_object(report, "answer_key");
    cxcli_report_text(
        report, "condition",
        part->network->protocol->conditions[key->condition].label);
    cxcli_report_integer(report, "frame", (int64_t)key->frame);
    cxcli_report_real(report, "true_off", key->true_off);
    cxcli_report_real(report, "true_on", key->true_on);
    cxcli_report_real(report, "true_slow", key->true_slow);
    cxcli_report_real(report, "off_hz", key->off);
    cxcli_report_real(report, "on_hz", key->on);
    cxcli_report_real(report, "inhibition_hz", key->inhibition);
    cxcli_report_bool(report, "leading_agrees", key->leading_agrees);
    cxcli_report_real(report, "r_off", key->r_off);
    cxcli_report_real(report, "r_on", key->r_on);
    cxcli_report_real(report, "r_inhibition", key->r_inhibition);
    cxcli_report_bool(report, "network_without_on", key->net_without_on);
    cxcli_report_bool(report, "network_without_off", key->net_without_off);
    cxcli_report_bool(report, "simulator_without_on", key->true_without_on);
    cxcli_report_bool(report, "simulator_without_off", key->true_without_off);
    cxcli_report_end_object(report);
}

static void
report_curve(CxcliReport *report, const char *key, const char *name,
             const CxFaithfulness *curve)
{
    if (curve == NULL)
        return;
    cxcli_report_begin_array(report, key);
    for (size_t i = 0; i < curve->n_points; i++) {
        cxcli_report_begin_object(report, NULL);
        cxcli_report_integer(report, name, curve->points[i].k);
        cxcli_report_real(report, "r", curve->points[i].r);
        cxcli_report_real(report, "explained", curve->points[i].explained);
        cxcli_report_real(report, "r_simulator", curve->points[i].r_simulator);
        cxcli_report_real(report, curve->scalar_key, curve->points[i].scalar);
        cxcli_report_bool(report, "reproduced", curve->points[i].reproduced);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
}

static void
report_knock_outs(CxcliReport *report, const CxRetinaReport *all,
                  const CxRetinaReportPart *part)
{
    if (!all->options.knock_outs)
        return;
    cxcli_report_begin_object(report, "knock_outs");
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++)
        report_run(report, cx_knock_out_name(i), part->knock_outs[i]);
    cxcli_report_end_object(report);
}

static void
report_part(CxcliReport *report, const CxRetinaReport *all,
            const CxRetinaReportPart *part, const char *key)
{
    cxcli_report_begin_object(report, key);
    report_result(report, part->network->result, part->reproduced);
    cxcli_report_real(report, "r_simulator", part->r_simulator);
    report_completeness(report, &part->exact, &part->steps);
    report_run(report, "simulator", part->simulator);
    report_run(report, "baseline", part->baseline);
    report_knock_outs(report, all, part);
    report_key(report, part);
    cxcli_retina_report_channels(report, part->circuit, all->labels);
    if (part->channels != NULL)
        cxcli_report_integer(report, "k_for_r_099", part->channels->k_for_099);
    report_curve(report, "faithfulness", "channels", part->channels);
    report_curve(report, "bits", "bits", part->bits);
    cxcli_report_end_object(report);
}

static void
report_circuit(CxcliReport *report, const CxRetinaReport *all)
{
    const CxRectifiedCircuit *circuit = &all->circuit;

    if (all->circuit_run == NULL)
        return;
    cxcli_report_begin_object(report, "osr_circuit");
    cxcli_report_real(report, "r", circuit->r);
    cxcli_report_real(report, "offset", circuit->offset);
    cxcli_report_begin_array(report, "channels");
    for (size_t i = 0; i < circuit->n_channels; i++) {
        cxcli_report_begin_object(report, NULL);
        cxcli_report_integer(report, "channel", circuit->channel[i]);
        cxcli_report_text(
            report, "label",
            cx_channel_label_text(&all->labels[circuit->channel[i]]));
        cxcli_report_real(report, "weight", circuit->weight[i]);
        cxcli_report_real(report, "threshold", circuit->threshold[i]);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
    report_run(report, "protocol", all->circuit_run);
    cxcli_report_end_object(report);
}

static void
report_all(CxcliReport *report, const CxRetinaCnn *net,
           const CxRetinaReport *all)
{
    cxcli_report_text(report, "data", "simulated retina");
    cxcli_report_text(report, "network", cx_retina_cnn_text(net, "name"));
    cxcli_report_text(report, "preset", cx_preset_name(all->options.preset));
    cxcli_report_integer(report, "n_reproduced", all->n_reproduced);
    cxcli_report_integer(report, "n_reproduced_simulator",
                         all->n_simulator_reproduced);
    if (all->parts[CX_PROTOCOL_OSR].baseline != NULL)
        cxcli_report_bool(report, "baseline_fails", all->baseline_fails);
    report_completeness(report, &all->exact, &all->steps);
    for (unsigned kind = 0; kind < CX_N_PROTOCOLS; kind++)
        report_part(report, all, &all->parts[kind],
                    cx_protocol_name((CxProtocolKind)kind));
    report_circuit(report, all);
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *spec = context->n_args > 0 ? context->args[0] : NULL;
    CxRetinaReportOptions options = {
        .n_steps = (uint32_t)MIN(cxcli_integer(context, "steps", 100), 1000000),
        .n_frames = (size_t)cxcli_integer(context, "frames", 0),
        .knock_outs = cxcli_has(context, "knock-outs"),
        .faithfulness = cxcli_has(context, "faithfulness"),
        .n_threads = context->n_threads,
    };
    CxProtocolOptions films;
    g_autoptr(CxLnModel) baseline = NULL;

    if (!cxcli_retina_films(context, &films, error))
        return false;
    g_autoptr(CxRetinaCnn) net = cxcli_retina_load(spec, error);
    if (net == NULL)
        return false;
    options.preset = films.preset;
    if (!cxcli_has(context, "no-baseline")) {
        cx_job_stage(context->job, "baseline", 0.0, 0.05);
        baseline = cx_network_baseline(cx_retina_cnn_shape(net)->width, 0, 1,
                                       context->job, error);
        if (baseline == NULL)
            return false;
    }
    options.baseline = baseline;
    g_autoptr(CxRetinaReport) all =
        cx_retina_report_new(net, &options, context->job, error);
    if (all == NULL)
        return false;
    report_all(context->report, net, all);
    return true;
}

static const CxcliOption options_table[] = {
    {"knock-outs", CXCLI_FLAG, NULL,
     "also the simulated retina with each part taken out"},
    {"faithfulness", CXCLI_FLAG, NULL,
     "also curves over channels and bits, and a circuit of three channels"},
    {"no-baseline", CXCLI_FLAG, NULL, "do not fit the linear-nonlinear model"},
    {"steps", CXCLI_INTEGER, "N",
     "of the mid-point rule that the exact integral is set beside (100)"},
    {"frames", CXCLI_INTEGER, "N",
     "attributed in each protocol, evenly (default 300)"},
    {"preset", CXCLI_TEXT, "NAME",
     "simulated (default), reduction, 2023, library, ebert"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_report = {
    .name = "retina report",
    .usage = "[NET]",
    .summary = "Does a network show what the simulated retina shows",
    .text = "Omitted stimulus response, latency coding, motion reversal and "
            "anticipation on the\nsimulated retina, on a network, and on a "
            "linear-nonlinear baseline; what the\nnetwork's channels give, and "
            "whether that agrees with the parts of the simulated\nretina.  "
            "completeness_error is the median of |sum of parts - (r - r0)| / "
            "|r - r0|\nfor the exact integral, completeness_error_steps for "
            "the mid-point rule.",
    .min_args = 0,
    .max_args = 1,
    .options = options_table,
    .run = run,
};
