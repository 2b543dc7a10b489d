/* Scores, orders and masks of channels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/reduction.h"

#include "core/base/rng.h"
#include "core/retina/film_drive.h"
#include "core/retina/network_responder.h"

#include <math.h>
#include <string.h>

static const char *const order_names[CX_N_ORDERS] = {
    "stimulus", "all", "magnitude", "random", "gradient", "synflow",
};

const char *
cx_channel_order_name(CxChannelOrder order)
{
    g_return_val_if_fail(order < CX_N_ORDERS, "");
    return order_names[order];
}

bool
cx_channel_order_from_name(const char *name, CxChannelOrder *order)
{
    for (unsigned i = 0; i < CX_N_ORDERS; i++)
        if (strcmp(name, order_names[i]) == 0) {
            *order = (CxChannelOrder)i;
            return true;
        }
    return false;
}

void
cx_channel_scores_magnitude(const CxRetinaCnn *net, double *scores)
{
    const CxRetinaTensor *weight = cx_retina_cnn_tensor(net, 0);
    size_t n = weight->n / weight->dims[0];

    for (size_t c = 0; c < weight->dims[0]; c++) {
        double sum = 0.0;

        for (size_t i = c * n; i < (c + 1) * n; i++)
            sum += (double)weight->data[i] * (double)weight->data[i];
        scores[c] = sqrt(sum / (double)n);
    }
}

static void
random_scores(uint64_t seed, size_t n, double *scores)
{
    CxRng rng;

    cx_rng_init(&rng, seed);
    for (size_t c = 0; c < n; c++)
        scores[c] = cx_rng_uniform(&rng);
}

/* |sum over the patch of dr/dz1 d| of every channel at one frame. */
static bool
add_gradients(const CxRetinaCnn *net, const CxMovie *movie, CxRetinaPick pick,
              size_t stride, double *gradient, CxJob *job, GError **error)
{
    size_t n_channels = cx_retina_cnn_layer(net, 0)->n_out;
    size_t history = cx_retina_cnn_shape(net)->history;

    for (size_t t = history; t < movie->n_frames; t += stride) {
        g_autofree double *parts = g_new(double, n_channels);

        if (!cx_attribution_gradient(net, movie, pick, t, parts, error) ||
            !cx_job_check(job, error))
            return false;
        for (size_t c = 0; c < n_channels; c++)
            gradient[c] += fabs(parts[c]);
    }
    return true;
}

bool
cx_channel_scores_add(const CxRetinaCnn *net, const CxMovie *movie,
                      CxRetinaPick pick, const CxScoreOptions *options,
                      double *attribution, double *gradient, size_t *n,
                      CxJob *job, GError **error)
{
    uint32_t stride = options->stride > 0 ? options->stride : 4;
    CxAttributionOptions how = {
        .stride = stride,
        .n_threads = options->n_threads,
    };
    size_t n_channels = cx_retina_cnn_layer(net, 0)->n_out;
    size_t history = cx_retina_cnn_shape(net)->history;

    for (size_t t = history; t < movie->n_frames; t += stride)
        (*n)++;
    if (gradient != NULL &&
        !add_gradients(net, movie, pick, stride, gradient, job, error))
        return false;
    if (attribution == NULL)
        return true;
    g_autoptr(CxAttribution) parts =
        cx_attribution_new(net, movie, pick, &how, job, error);
    if (parts == NULL)
        return false;
    const double *from = options->abs_sum ? parts->magnitude[0] : parts->sum[0];
    for (size_t i = 0; i < parts->n_frames * n_channels; i++)
        attribution[i % n_channels] += fabs(from[i]);
    return true;
}

/* Mean over the films of one protocol, controls left out. */
static bool
protocol_scores(const CxRetinaCnn *net, const CxScoreOptions *options,
                CxProtocolKind kind, double *scores, CxJob *job, GError **error)
{
    CxProtocolOptions films = options->options;
    size_t n_channels = cx_retina_cnn_layer(net, 0)->n_out, n = 0;
    CxRetinaPick pick;

    cx_network_film_size(net, &films);
    g_autoptr(CxProtocol) protocol = cx_protocol_new(kind, &films, error);
    if (protocol == NULL ||
        !cx_network_pick_at(net, 0, protocol->cells[protocol->n_cells / 2].x,
                            &pick, error))
        return false;
    memset(scores, 0, n_channels * sizeof(double));
    bool gradient = options->order == CX_ORDER_GRADIENT;
    for (size_t i = 0; i < protocol->n_conditions; i++) {
        const CxProtocolCondition *condition = &protocol->conditions[i];
        g_autoptr(CxJob) part =
            cx_job_new_part(job, (double)i / (double)protocol->n_conditions,
                            (double)(i + 1) / (double)protocol->n_conditions);
        g_autoptr(CxMovie) film =
            cx_film_for_network(net, condition->movie, 0, error);

        if (film == NULL)
            return false;
        if (!condition->control &&
            !cx_channel_scores_add(net, film, pick, options,
                                   gradient ? NULL : scores,
                                   gradient ? scores : NULL, &n, part, error))
            return false;
    }
    for (size_t c = 0; c < n_channels; c++)
        scores[c] /= (double)MAX(n, 1);
    return true;
}

static bool
all_scores(const CxRetinaCnn *net, const CxScoreOptions *options,
           double *scores, CxJob *job, GError **error)
{
    size_t n = cx_retina_cnn_layer(net, 0)->n_out;
    g_autofree double *one = g_new(double, n);

    memset(scores, 0, n * sizeof(double));
    for (unsigned kind = 0; kind < CX_N_PROTOCOLS; kind++) {
        g_autoptr(CxJob) part =
            cx_job_new_part(job, (double)kind / CX_N_PROTOCOLS,
                            (double)(kind + 1) / CX_N_PROTOCOLS);
        double sum = 0.0;

        if (!protocol_scores(net, options, (CxProtocolKind)kind, one, part,
                             error))
            return false;
        for (size_t c = 0; c < n; c++)
            sum += one[c];
        for (size_t c = 0; c < n && sum > 0.0; c++)
            scores[c] += one[c] / sum / CX_N_PROTOCOLS;
    }
    return true;
}

bool
cx_channel_scores(const CxRetinaCnn *net, const CxScoreOptions *options,
                  double *scores, CxJob *job, GError **error)
{
    size_t n = cx_retina_cnn_layer(net, 0)->n_out;

    switch (options->order) {
    case CX_ORDER_STIMULUS:
    case CX_ORDER_GRADIENT:
        return protocol_scores(net, options, options->kind, scores, job, error);
    case CX_ORDER_ALL:
        return all_scores(net, options, scores, job, error);
    case CX_ORDER_MAGNITUDE:
        cx_channel_scores_magnitude(net, scores);
        return true;
    case CX_ORDER_RANDOM:
        random_scores(options->seed, n, scores);
        return true;
    case CX_ORDER_SYNFLOW:
        if (options->synflow != NULL)
            memcpy(scores, options->synflow, n * sizeof(double));
        else
            cx_channel_scores_synflow(net, scores);
        return true;
    case CX_N_ORDERS:
        break;
    }
    g_return_val_if_reached(false);
}

void
cx_channel_sort(const double *scores, size_t n, unsigned *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;

        for (; at > 0 && scores[order[at - 1]] < scores[i]; at--)
            order[at] = order[at - 1];
        order[at] = (unsigned)i;
    }
}

CxRetinaMask
cx_channel_mask(const unsigned *order, size_t n, size_t n_keep,
                CxRetinaFate fate)
{
    CxRetinaMask mask = {{0}, {0}};

    for (size_t i = n_keep; i < n; i++)
        mask.layer1[order[i]] = (uint8_t)fate;
    return mask;
}
