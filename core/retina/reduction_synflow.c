/* SynFlow of the channels of layer 1, in closed form: the network of
 * magnitudes is linear, so what flows through a channel is one pass back.
 *
 * Tanaka, Kunin, Yamins and Ganguli 2020; described in US patent 12406185.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/reduction.h"
#include "core/retina/retina_cnn_private.h"

#include <math.h>

/* Spreads what flows out of a layer's units to its inputs; the flow out of the
 * last layer is 1 from every cell. */
static void
flow_back(const CxRetinaCnn *net, unsigned layer, const double *out, double *in)
{
    const CxRetinaLayer *l = &net->layers[layer];
    const float *weight = cx_retina_values(net, layer, CX_RETINA_WEIGHT);
    size_t field = l->n_in * l->kernel_y * l->kernel_x;
    size_t area = l->out_y * l->out_x;

    for (size_t u = 0; u < l->n_units; u++) {
        size_t y = u % area / l->out_x, x = u % l->out_x, o = u / area;
        double flow = out[u] * (double)net->scale[layer][layer < 2 ? u : o];

        for (size_t k = 0; k < field; k++) {
            size_t c = k / l->kernel_x / l->kernel_y;
            size_t dy = k / l->kernel_x % l->kernel_y, dx = k % l->kernel_x;

            in[(c * l->in_y + y + dy) * l->in_x + x + dx] +=
                flow * fabs((double)weight[o * field + k]);
        }
    }
}

void
cx_channel_scores_synflow(const CxRetinaCnn *net, double *scores)
{
    const CxRetinaLayer *first = &net->layers[0];
    const float *weight = cx_retina_values(net, 0, CX_RETINA_WEIGHT);
    size_t area = first->out_y * first->out_x;
    size_t field = first->n_in * first->kernel_y * first->kernel_x;
    g_autofree double *ones = g_new(double, net->layers[2].n_units);
    g_autofree double *out2 = g_new0(double, net->layers[1].n_units);
    g_autofree double *out1 = g_new0(double, first->n_units);

    for (size_t i = 0; i < net->layers[2].n_units; i++)
        ones[i] = 1.0;
    flow_back(net, 2, ones, out2);
    flow_back(net, 1, out2, out1);
    for (size_t c = 0; c < first->n_out; c++) {
        double drive = 0.0, flow = 0.0;

        for (size_t k = 0; k < field; k++)
            drive += fabs((double)weight[c * field + k]);
        for (size_t u = c * area; u < (c + 1) * area; u++)
            flow += out1[u] * (double)net->scale[0][u];
        scores[c] = drive * flow;
    }
}
