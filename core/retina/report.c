/* Protocols, attributions and curves put together for one network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/report.h"

#include "core/retina/film_drive.h"
#include "core/retina/network_responder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const CxRetinaCnn *net;
    const CxRetinaReportOptions *options;
    CxProtocolOptions films;
    CxRetinaReport *report;
    GArray *exact[2], *steps[2]; /* errors of all frames, a layer each */
} Run;

static unsigned
first_knock_out_of(CxKnockOut bit)
{
    unsigned i = 0;

    while ((1u << i) != (unsigned)bit)
        i++;
    return i;
}

static CxProtocolRun *
run_simulator(const Run *run, CxProtocolKind kind, unsigned knock_outs,
              CxJob *job, GError **error)
{
    CxSimulatorOptions simulator = {
        .knock_outs = knock_outs,
        .n_threads = run->options->n_threads,
    };
    CxResponder responder =
        cx_responder_simulator(&simulator, 1, run->films.width);

    return cx_protocol_run(kind, &run->films, &responder, job, error);
}

static CxProtocolRun *
run_network(const Run *run, CxProtocolKind kind, const CxRetinaMask *mask,
            CxJob *job, GError **error)
{
    CxNetworkResponder network = {
        .net = run->net,
        .map = run->options->map,
        .n_threads = run->options->n_threads,
    };

    if (mask != NULL)
        network.mask = *mask;
    CxResponder responder = cx_responder_network(&network, "network");
    return cx_protocol_run(kind, &run->films, &responder, job, error);
}

static bool
run_protocols(const Run *run, CxProtocolKind kind, CxRetinaReportPart *part,
              CxJob *job, GError **error)
{
    part->simulator = run_simulator(run, kind, 0, job, error);
    if (part->simulator == NULL)
        return false;
    part->network = run_network(run, kind, NULL, job, error);
    if (part->network == NULL)
        return false;
    part->reproduced = part->network->result->reproduced;
    cx_faithfulness_compare(part->simulator, part->network, &part->r_simulator,
                            NULL);
    if (run->options->baseline == NULL)
        return true;
    CxResponder baseline =
        cx_responder_ln(run->options->baseline, 1, run->films.width);
    part->baseline = cx_protocol_run(kind, &run->films, &baseline, job, error);
    return part->baseline != NULL;
}

/* Does it show the first sign of an omitted stimulus response? */
static bool
answers_omission(const CxProtocolRun *run)
{
    return cx_protocol_scalar(run->result, "ratio") >= 1.0;
}

static bool
run_knock_outs(const Run *run, CxProtocolKind kind, CxRetinaReportPart *part,
               CxJob *job, GError **error)
{
    unsigned on = first_knock_out_of(CX_KNOCK_OUT_ON_BIPOLAR);
    unsigned off = first_knock_out_of(CX_KNOCK_OUT_OFF_BIPOLAR);

    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++) {
        if (!run->options->knock_outs && i != on && i != off)
            continue;
        part->knock_outs[i] = run_simulator(run, kind, 1u << i, job, error);
        if (part->knock_outs[i] == NULL)
            return false;
    }
    part->key.true_without_on = part->knock_outs[on]->result->reproduced;
    part->key.true_without_off = part->knock_outs[off]->result->reproduced;
    return true;
}

static bool
run_polarities(const Run *run, CxProtocolKind kind, CxRetinaReportPart *part,
               CxJob *job, GError **error)
{
    for (unsigned on = 0; on < 2; on++) {
        CxRetinaMask mask = cx_polarity_mask(run->report->labels,
                                             run->report->n_channels, on == 1);
        g_autoptr(CxProtocolRun) without =
            run_network(run, kind, &mask, job, error);

        if (without == NULL)
            return false;
        if (on == 1)
            part->key.net_without_on = without->result->reproduced;
        else
            part->key.net_without_off = without->result->reproduced;
    }
    return true;
}

/* ---- attributions ----------------------------------------------------- */

static void
collect_errors(const CxAttribution *attribution, GArray *const errors[2])
{
    double largest = 0.0;

    for (size_t t = 0; t < attribution->n_frames; t++)
        largest =
            fmax(largest, fabs(attribution->rate[t] - attribution->rate0));
    for (size_t t = 0; t < attribution->n_frames; t++) {
        double change = fabs(attribution->rate[t] - attribution->rate0);

        if (!attribution->done[t] || change <= 0.0 || change < 0.01 * largest)
            continue;
        for (unsigned l = 0; l < 2; l++) {
            double error = fabs(attribution->gap[l][t]) / change;

            g_array_append_val(errors[l], error);
        }
    }
}

static int
compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static CxCompleteness
measure_errors(GArray *const errors[2])
{
    CxCompleteness out = {.n_frames = errors[0]->len};

    for (unsigned l = 0; l < 2; l++) {
        guint n = errors[l]->len;

        g_array_sort(errors[l], compare_reals);
        out.median[l] =
            n > 0 ? g_array_index(errors[l], double, n / 2) : (double)NAN;
        out.worst[l] =
            n > 0 ? g_array_index(errors[l], double, n - 1) : (double)NAN;
    }
    return out;
}

static uint32_t
find_stride(const Run *run, const CxProtocol *protocol)
{
    size_t most = run->options->n_frames > 0 ? run->options->n_frames : 300;
    size_t history = cx_retina_cnn_shape(run->net)->history, n = 0;

    for (size_t i = 0; i < protocol->n_conditions; i++)
        if (!protocol->conditions[i].control &&
            protocol->conditions[i].movie->n_frames > history)
            n += protocol->conditions[i].movie->n_frames - history;
    return (uint32_t)MAX((n + most - 1) / most, 1);
}

static CxAttribution *
attribute(const Run *run, const CxProtocol *protocol, size_t condition,
          const CxAttributionOptions *how, CxJob *job, GError **error)
{
    CxRetinaPick pick;
    g_autoptr(CxMovie) film = cx_film_for_network(
        run->net, protocol->conditions[condition].movie, 0, error);

    if (film == NULL ||
        !cx_network_pick_at(run->net, run->options->map,
                            protocol->cells[protocol->n_cells / 2].x, &pick,
                            error))
        return NULL;
    return cx_attribution_new(run->net, film, pick, how, job, error);
}

static bool
add_condition(Run *run, const CxProtocol *protocol, size_t condition,
              uint32_t stride, GArray *const exact[2], GArray *const steps[2],
              double *scores, CxJob *job, GError **error)
{
    CxAttributionOptions how = {
        .stride = stride,
        .n_steps = run->options->n_steps,
        .n_threads = run->options->n_threads,
    };
    size_t n_channels = run->report->n_channels;
    g_autoptr(CxAttribution) pieces =
        attribute(run, protocol, condition, &how, job, error);

    if (pieces == NULL)
        return false;
    how.rule = CX_ATTRIBUTION_MIDPOINT;
    g_autoptr(CxAttribution) points =
        attribute(run, protocol, condition, &how, job, error);
    if (points == NULL)
        return false;
    collect_errors(pieces, exact);
    collect_errors(points, steps);
    for (size_t i = 0; i < pieces->n_frames * n_channels; i++)
        scores[i % n_channels] += fabs(pieces->sum[0][i]);
    return true;
}

static void
move_errors(GArray *from, GArray *to)
{
    g_array_append_vals(to, from->data, from->len);
    g_array_unref(from);
}

static bool
attribute_protocol(Run *run, CxRetinaReportPart *part, CxJob *job,
                   GError **error)
{
    const CxProtocol *protocol = part->network->protocol;
    size_t n = run->report->n_channels, n_done = 0;
    uint32_t stride = find_stride(run, protocol);
    GArray *errors[4];
    bool done = true;

    for (unsigned i = 0; i < 4; i++)
        errors[i] = g_array_new(FALSE, FALSE, sizeof(double));
    part->scores = g_new0(double, n);
    part->order = g_new0(unsigned, n);
    for (size_t i = 0; done && i < protocol->n_conditions; i++) {
        size_t n_frames = protocol->conditions[i].movie->n_frames;

        if (protocol->conditions[i].control)
            continue;
        done = add_condition(run, protocol, i, stride, errors, errors + 2,
                             part->scores, job, error);
        n_done += n_frames / stride;
    }
    for (size_t c = 0; c < n; c++)
        part->scores[c] /= (double)MAX(n_done, 1);
    cx_channel_sort(part->scores, n, part->order);
    part->exact = measure_errors(errors);
    part->steps = measure_errors(errors + 2);
    for (unsigned l = 0; l < 2; l++) {
        move_errors(errors[l], run->exact[l]);
        move_errors(errors[2 + l], run->steps[l]);
    }
    return done;
}

static bool
read_key(Run *run, CxRetinaReportPart *part, CxJob *job, GError **error)
{
    cx_answer_key_find(part->network, part->simulator, &part->key);
    CxAttributionOptions how = {
        .n_threads = run->options->n_threads,
        .stride = 1,
    };
    g_autoptr(CxAttribution) whole = attribute(
        run, part->network->protocol, part->key.condition, &how, job, error);

    if (whole == NULL ||
        !cx_answer_key_fill(part->simulator, whole, run->report->labels,
                            &part->key, job, error))
        return false;
    part->circuit = cx_circuit_new(whole, run->report->labels, 0, 0);
    return true;
}

/* ---- curves ----------------------------------------------------------- */

static bool
draw_curves(const Run *run, CxProtocolKind kind, CxRetinaReportPart *part,
            CxJob *job, GError **error)
{
    CxFaithfulnessOptions options = {
        .kind = kind,
        .options = run->films,
        .map = run->options->map,
        .n_threads = run->options->n_threads,
    };

    if (!run->options->faithfulness)
        return true;
    part->channels =
        cx_faithfulness_channels(run->net, &options, part->order, job, error);
    if (part->channels == NULL)
        return false;
    part->bits = cx_faithfulness_bits(run->net, &options, job, error);
    return part->bits != NULL;
}

static bool
fit_circuit(const Run *run, CxJob *job, GError **error)
{
    CxRetinaReport *report = run->report;
    CxCircuitResponder circuit = {.net = run->net};

    if (!run->options->faithfulness)
        return true;
    if (!cx_rectified_circuit_new(run->net, &run->films, CX_PROTOCOL_OSR, 3,
                                  run->options->n_threads, &report->circuit,
                                  job, error))
        return false;
    circuit.circuit = report->circuit;
    CxResponder responder = cx_responder_circuit(&circuit);
    report->circuit_run =
        cx_protocol_run(CX_PROTOCOL_OSR, &run->films, &responder, job, error);
    return report->circuit_run != NULL;
}

static bool
report_protocol(Run *run, CxProtocolKind kind, CxJob *job, GError **error)
{
    CxRetinaReportPart *part = &run->report->parts[kind];

    if (!run_protocols(run, kind, part, job, error) ||
        !run_knock_outs(run, kind, part, job, error) ||
        !run_polarities(run, kind, part, job, error) ||
        !attribute_protocol(run, part, job, error) ||
        !read_key(run, part, job, error) ||
        !draw_curves(run, kind, part, job, error))
        return false;
    if (kind == CX_PROTOCOL_OSR && part->baseline != NULL) {
        run->report->baseline_fails = !answers_omission(part->baseline);
        part->reproduced = part->reproduced && run->report->baseline_fails;
    }
    run->report->n_reproduced += part->reproduced ? 1 : 0;
    run->report->n_simulator_reproduced +=
        part->simulator->result->reproduced ? 1 : 0;
    return true;
}

static bool
report_all(Run *run, CxJob *job, GError **error)
{
    for (unsigned kind = 0; kind < CX_N_PROTOCOLS; kind++) {
        cx_job_stage(job, cx_protocol_title((CxProtocolKind)kind),
                     (double)kind / (CX_N_PROTOCOLS + 1),
                     (double)(kind + 1) / (CX_N_PROTOCOLS + 1));
        if (!report_protocol(run, (CxProtocolKind)kind, job, error))
            return false;
    }
    cx_job_stage(job, "circuit", (double)CX_N_PROTOCOLS / (CX_N_PROTOCOLS + 1),
                 1.0);
    return fit_circuit(run, job, error);
}

CxRetinaReport *
cx_retina_report_new(const CxRetinaCnn *net,
                     const CxRetinaReportOptions *options, CxJob *job,
                     GError **error)
{
    g_autoptr(CxRetinaReport) report = g_new0(CxRetinaReport, 1);
    Run run = {
        .net = net,
        .options = options,
        .films = {.preset = options->preset},
        .report = report,
    };

    cx_network_film_size(net, &run.films);
    report->options = *options;
    report->options.baseline = NULL;
    report->labels = cx_channel_labels_new(net, CX_RETINA_FRAME_MS);
    report->n_channels = cx_retina_cnn_layer(net, 0)->n_out;
    for (unsigned l = 0; l < 2; l++) {
        run.exact[l] = g_array_new(FALSE, FALSE, sizeof(double));
        run.steps[l] = g_array_new(FALSE, FALSE, sizeof(double));
    }
    bool done = report_all(&run, job, error);
    report->exact = measure_errors(run.exact);
    report->steps = measure_errors(run.steps);
    for (unsigned l = 0; l < 2; l++) {
        g_array_unref(run.exact[l]);
        g_array_unref(run.steps[l]);
    }
    return done ? g_steal_pointer(&report) : NULL;
}

static void
part_clear(CxRetinaReportPart *part)
{
    g_clear_pointer(&part->simulator, cx_protocol_run_free);
    g_clear_pointer(&part->network, cx_protocol_run_free);
    g_clear_pointer(&part->baseline, cx_protocol_run_free);
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++)
        g_clear_pointer(&part->knock_outs[i], cx_protocol_run_free);
    g_clear_pointer(&part->circuit, cx_circuit_free);
    g_clear_pointer(&part->channels, cx_faithfulness_free);
    g_clear_pointer(&part->bits, cx_faithfulness_free);
    g_free(part->scores);
    g_free(part->order);
}

void
cx_retina_report_free(CxRetinaReport *report)
{
    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++)
        part_clear(&report->parts[i]);
    g_clear_pointer(&report->circuit_run, cx_protocol_run_free);
    cx_channel_labels_free(report->labels, report->n_channels);
    g_free(report);
}
