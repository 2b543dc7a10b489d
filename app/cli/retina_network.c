/* Networks of the retina commands.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/retina_network.h"

#include "core/nn/network.h"

#include <string.h>

CxRetinaCnn *
cxcli_retina_load(const char *spec, GError **error)
{
    g_autofree char *path =
        cx_network_find(spec != NULL ? spec : CXCLI_RETINA_DEFAULT, error);

    return path != NULL ? cx_retina_cnn_load(path, error) : NULL;
}

bool
cxcli_retina_protocol(const CxcliContext *context, CxProtocolKind *kind,
                      GError **error)
{
    const char *name = cxcli_text(context, "protocol", NULL);

    *kind = CX_N_PROTOCOLS;
    if (name == NULL || cx_protocol_from_name(name, kind))
        return true;
    cxcli_set_usage_error(error,
                          "--protocol: found \"%s\", expected osr, latency, "
                          "reversal or anticipation",
                          name);
    return false;
}

bool
cxcli_retina_films(const CxcliContext *context, CxProtocolOptions *films,
                   GError **error)
{
    const char *name = cxcli_text(context, "preset", "simulated");

    *films =
        (CxProtocolOptions){.amplitude = cxcli_real(context, "amplitude", 0.0)};
    if (cx_preset_from_name(name, &films->preset))
        return true;
    cxcli_set_usage_error(error,
                          "--preset: found \"%s\", expected simulated, "
                          "reduction, 2023, library or ebert",
                          name);
    return false;
}

bool
cxcli_retina_fate(const CxcliContext *context, CxRetinaFate *fate,
                  GError **error)
{
    const char *name = cxcli_text(context, "fate", "zero");

    *fate = strcmp(name, "hold") == 0 ? CX_RETINA_HOLD : CX_RETINA_ZERO;
    if (strcmp(name, "hold") == 0 || strcmp(name, "zero") == 0)
        return true;
    cxcli_set_usage_error(error, "--fate: found \"%s\", expected zero or hold",
                          name);
    return false;
}

bool
cxcli_retina_order(const CxcliContext *context, const CxRetinaCnn *net,
                   CxProtocolKind kind, const CxProtocolOptions *films,
                   CxChannelOrder otherwise, double *scores, unsigned *order,
                   GError **error)
{
    const char *name =
        cxcli_text(context, "order", cx_channel_order_name(otherwise));
    g_autofree double *synflow = NULL;
    CxScoreOptions options = {
        .kind = kind,
        .options = *films,
        .seed = cxcli_integer(context, "seed", 1),
        .n_threads = context->n_threads,
    };

    if (!cx_channel_order_from_name(name, &options.order)) {
        cxcli_set_usage_error(error,
                              "--order: found \"%s\", expected stimulus, all, "
                              "magnitude, random, gradient or synflow",
                              name);
        return false;
    }
    bool asks = options.order == CX_ORDER_STIMULUS ||
                options.order == CX_ORDER_GRADIENT;
    if (asks && kind == CX_N_PROTOCOLS) {
        cxcli_set_usage_error(error, "--order %s needs --protocol", name);
        return false;
    }
    if (!cx_channel_scores(net, &options, scores, context->job, error))
        return false;
    cx_channel_sort(scores, cx_retina_cnn_layer(net, 0)->n_out, order);
    return true;
}

void
cxcli_retina_split_args(const CxcliContext *context, const char **net,
                        const char **out)
{
    *net = *out = NULL;
    for (int i = 0; i < context->n_args; i++)
        if (g_str_has_suffix(context->args[i], ".csv"))
            *out = context->args[i];
        else
            *net = context->args[i];
}

void
cxcli_retina_report_channels(CxcliReport *report, const CxCircuit *circuit,
                             const CxChannelLabel *labels)
{
    cxcli_report_begin_array(report, "channels");
    for (size_t i = 0; i < circuit->n_nodes; i++) {
        const CxCircuitNode *node = &circuit->nodes[i];

        cxcli_report_begin_object(report, NULL);
        cxcli_report_integer(report, "channel", node->channel);
        cxcli_report_text(report, "label",
                          cx_channel_label_text(&labels[node->channel]));
        cxcli_report_real(report, "lag_ms", node->lag_ms);
        cxcli_report_real(report, "strength_hz", node->strength);
        cxcli_report_real(report, "effect_hz", node->effect);
        cxcli_report_real(report, "share", node->share);
        cxcli_report_real(report, "at_peak_hz", node->at_peak);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
}
