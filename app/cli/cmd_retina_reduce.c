/* retina reduce: how much of a response a few channels, or a few bits, keep.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/retina_network.h"
#include "core/retina/faithfulness.h"

#include <math.h>
#include <string.h>

static void
report_point(CxcliReport *report, const char *key, const char *name,
             const CxFaithfulnessPoint *point)
{
    cxcli_report_begin_object(report, key);
    cxcli_report_integer(report, name, point->k);
    cxcli_report_real(report, "r", point->r);
    cxcli_report_real(report, "explained", point->explained);
    cxcli_report_real(report, "r_simulator", point->r_simulator);
    cxcli_report_real(report, "scalar", point->scalar);
    cxcli_report_bool(report, "reproduced", point->reproduced);
    cxcli_report_end_object(report);
}

static void
report_curve(CxcliReport *report, const char *key, const char *name,
             const CxFaithfulness *curve)
{
    cxcli_report_begin_array(report, key);
    for (size_t i = 0; i < curve->n_points; i++)
        report_point(report, NULL, name, &curve->points[i]);
    cxcli_report_end_array(report);
}

static void
report_scalar(CxcliReport *report, const CxFaithfulness *curve)
{
    cxcli_report_text(report, "scalar", curve->scalar_key);
    cxcli_report_text(report, "scalar_definition", curve->scalar_definition);
    cxcli_report_real(report, "scalar_network", curve->whole_scalar);
    cxcli_report_real(report, "scalar_simulator", curve->simulator_scalar);
    cxcli_report_integer(report, "k_for_r_099", curve->k_for_099);
}

static void
report_order(CxcliReport *report, const CxRetinaCnn *net, const unsigned *order,
             const double *scores)
{
    size_t n = cx_retina_cnn_layer(net, 0)->n_out;
    CxChannelLabel *labels = cx_channel_labels_new(net, CX_RETINA_FRAME_MS);

    cxcli_report_begin_array(report, "order");
    for (size_t i = 0; i < n; i++) {
        cxcli_report_begin_object(report, NULL);
        cxcli_report_integer(report, "channel", order[i]);
        cxcli_report_text(report, "label",
                          cx_channel_label_text(&labels[order[i]]));
        cxcli_report_real(report, "score", scores[order[i]]);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
    cx_channel_labels_free(labels, n);
}

static void
add_lines(GString *csv, const char *what, const CxFaithfulness *curve)
{
    for (size_t i = 0; i < curve->n_points; i++) {
        const CxFaithfulnessPoint *p = &curve->points[i];
        double values[] = {p->r, p->explained, p->r_simulator, p->scalar};

        g_string_append_printf(csv, "%s,%u", what, p->k);
        for (unsigned k = 0; k < G_N_ELEMENTS(values); k++) {
            char text[G_ASCII_DTOSTR_BUF_SIZE];

            g_string_append_c(csv, ',');
            if (isfinite(values[k]))
                g_string_append(
                    csv, g_ascii_formatd(text, sizeof text, "%.7g", values[k]));
        }
        g_string_append_printf(csv, ",%d\n", p->reproduced);
    }
}

static bool
write_csv(const char *path, const CxFaithfulness *channels,
          const CxFaithfulness *bits, GError **error)
{
    g_autoptr(GString) csv =
        g_string_new("what,k,r,explained,r_simulator,scalar,reproduced\n");

    add_lines(csv, "channels", channels);
    if (bits != NULL)
        add_lines(csv, "bits", bits);
    return path == NULL || cxcli_write_text(path, csv->str, csv->len, error);
}

static bool
measure(CxcliContext *context, const CxRetinaCnn *net,
        CxFaithfulnessOptions *options, const char *out, GError **error)
{
    size_t n = cx_retina_cnn_layer(net, 0)->n_out;
    size_t k = (size_t)cxcli_integer(context, "channels", 0);
    g_autofree double *scores = g_new0(double, n);
    g_autofree unsigned *order = g_new0(unsigned, n);
    g_autoptr(CxFaithfulness) bits = NULL;

    if (k > n) {
        cxcli_set_usage_error(error, "--channels: found %zu, expected 1 to %zu",
                              k, n);
        return false;
    }
    cx_job_stage(context->job, "scores", 0.0, 0.4);
    if (!cxcli_retina_order(context, net, options->kind, &options->options,
                            CX_ORDER_STIMULUS, scores, order, error))
        return false;
    cx_job_stage(context->job, "channels", 0.4, 0.8);
    g_autoptr(CxFaithfulness) channels =
        cx_faithfulness_channels(net, options, order, context->job, error);
    if (channels == NULL)
        return false;
    cx_job_stage(context->job, "bits", 0.8, 1.0);
    if (cxcli_has(context, "bits")) {
        bits = cx_faithfulness_bits(net, options, context->job, error);
        if (bits == NULL)
            return false;
    }
    report_scalar(context->report, channels);
    report_order(context->report, net, order, scores);
    if (k > 0)
        report_point(context->report, "kept", "channels",
                     &channels->points[n - k]);
    report_curve(context->report, "curve", "channels", channels);
    if (bits != NULL)
        report_curve(context->report, "bits", "bits", bits);
    return write_csv(out, channels, bits, error);
}

static bool
run(CxcliContext *context, GError **error)
{
    CxFaithfulnessOptions options = {.n_threads = context->n_threads};
    const char *spec, *out;

    cxcli_retina_split_args(context, &spec, &out);
    const char *const inputs[] = {spec, NULL};
    if (!cxcli_retina_protocol(context, &options.kind, error) ||
        !cxcli_retina_films(context, &options.options, error) ||
        !cxcli_retina_fate(context, &options.fate, error) ||
        (out != NULL && !cxcli_check_output(context, out, inputs, error)))
        return false;
    if (options.kind == CX_N_PROTOCOLS)
        options.kind = CX_PROTOCOL_OSR;
    g_autoptr(CxRetinaCnn) net = cxcli_retina_load(spec, error);
    if (net == NULL)
        return false;
    cxcli_report_text(context->report, "data", "simulated retina");
    cxcli_report_text(context->report, "protocol",
                      cx_protocol_name(options.kind));
    return measure(context, net, &options, out, error);
}

static const CxcliOption options_table[] = {
    {"protocol", CXCLI_TEXT, "P",
     "osr (default), latency, reversal, anticipation"},
    {"channels", CXCLI_INTEGER, "K", "report the network of K channels"},
    {"order", CXCLI_TEXT, "O",
     "stimulus (default), all, magnitude, random, gradient, synflow"},
    {"seed", CXCLI_INTEGER, "N", "of the random order"},
    {"fate", CXCLI_TEXT, "F",
     "zero (default) or hold: what a removed channel gives"},
    {"bits", CXCLI_FLAG, NULL, "also weights of 8 to 2 bits"},
    {"preset", CXCLI_TEXT, "NAME",
     "simulated (default), reduction, 2023, library, ebert"},
    {"amplitude", CXCLI_REAL, "F", "a factor on the stimulus"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_reduce = {
    .name = "retina reduce",
    .usage = "[NET] [OUT.csv] [--protocol P] [--channels K]",
    .summary = "How much of a response a few channels keep",
    .text = "Pearson's r and explained variance against the whole network, and "
            "the protocol's\nown scalar, for every number of channels.  The "
            "curve is as measured: it may fall\nand rise again, where a "
            "channel's partner goes first.",
    .min_args = 0,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
