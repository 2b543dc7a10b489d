/* What the channels of layer 1 look for, read off their kernels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/attribution.h"

#include <math.h>
#include <stdlib.h>

/* The newest 25 of 40 frames hold the extremum that names a channel. */
static size_t
oldest_that_counts(size_t history)
{
    return history * 15 / 40;
}

static void
fill_label(const float *weight, size_t history, size_t area, double frame_ms,
           CxChannelLabel *label)
{
    size_t at = oldest_that_counts(history);

    label->history = history;
    label->filter = g_new(float, history);
    for (size_t h = 0; h < history; h++) {
        double sum = 0.0;

        for (size_t i = 0; i < area; i++)
            sum += (double)weight[h * area + i];
        label->filter[h] = (float)sum;
    }
    for (size_t h = at; h < history; h++)
        if (fabsf(label->filter[h]) > fabsf(label->filter[at]))
            at = h;
    label->on = label->filter[at] > 0.0f;
    label->lag_ms = (double)(history - 1 - at) * frame_ms;
}

static int
compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median_lag(const CxChannelLabel *labels, size_t n)
{
    g_autofree double *lags = g_new(double, n);

    for (size_t i = 0; i < n; i++)
        lags[i] = labels[i].lag_ms;
    qsort(lags, n, sizeof(double), compare_reals);
    return lags[(n - 1) / 2];
}

CxChannelLabel *
cx_channel_labels_new(const CxRetinaCnn *net, double frame_ms)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(net, 0);
    const float *weight = cx_retina_cnn_tensor(net, 0)->data;
    size_t area = layer->kernel_y * layer->kernel_x;
    CxChannelLabel *labels = g_new0(CxChannelLabel, layer->n_out);

    for (size_t c = 0; c < layer->n_out; c++)
        fill_label(weight + c * layer->n_in * area, layer->n_in, area, frame_ms,
                   &labels[c]);
    double median = median_lag(labels, layer->n_out);
    for (size_t c = 0; c < layer->n_out; c++)
        labels[c].fast = labels[c].lag_ms <= median;
    return labels;
}

void
cx_channel_labels_free(CxChannelLabel *labels, size_t n)
{
    for (size_t i = 0; labels != NULL && i < n; i++)
        g_free(labels[i].filter);
    g_free(labels);
}

const char *
cx_channel_label_text(const CxChannelLabel *label)
{
    if (label->on)
        return label->fast ? "ON fast" : "ON slow";
    return label->fast ? "OFF fast" : "OFF slow";
}
