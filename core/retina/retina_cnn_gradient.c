/* Gradients of one cell's rate with respect to hidden layers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/retina/retina_lanes.h"

#include <math.h>
#include <string.h>

/* One cell at points of one layer, lanes wide. */
typedef struct {
    const CxRetinaCnn *net;
    CxRetinaScratch *scratch;
    const CxRetinaMask *mask;
    unsigned layer; /* 1 or 2 */
    CxRetinaPick pick;
} Cell;

/* Turns the gradient with respect to the relu's output into that with respect
 * to z, in place. */
static void
through_relu(const Cell *cell, unsigned layer, float *gradient, size_t lanes)
{
    const CxRetinaLayer *l = &cell->net->layers[layer];
    const float *scale = cell->net->scale[layer];
    const float *a = cell->scratch->a[layer];
    size_t area = l->out_y * l->out_x;

    for (size_t u = 0; u < l->n_units; u++) {
        bool kept =
            cx_retina_fate(cell->mask, layer, u / area) == CX_RETINA_KEEP;
        float k = kept ? scale[u] : 0.0f;

        for (size_t i = u * lanes; i < (u + 1) * lanes; i++)
            gradient[i] = a[i] > 0.0f ? gradient[i] * k : 0.0f;
    }
}

/* The cell's weights times slope, where its field is in layer 2. */
static void
spread(const Cell *cell, const float *slope, float *gradient, size_t lanes)
{
    const CxRetinaLayer *l = &cell->net->layers[2];
    size_t field = l->n_in * l->kernel_y * l->kernel_x;
    const float *w = cx_retina_values(cell->net, 2, CX_RETINA_WEIGHT) +
                     (size_t)cell->pick.map * field;

    memset(gradient, 0,
           cell->net->layers[1].n_units * lanes * sizeof *gradient);
    for (size_t i = 0; i < field; i++) {
        size_t x = i % l->kernel_x + (size_t)cell->pick.x;
        size_t y = i / l->kernel_x % l->kernel_y + (size_t)cell->pick.y;
        size_t c = i / l->kernel_x / l->kernel_y;
        float *to = gradient + ((c * l->in_y + y) * l->in_x + x) * lanes;

        for (size_t k = 0; k < lanes; k++)
            to[k] = w[i] * slope[k];
    }
}

/* From scratch->z[layer - 1]: logits to rates [lanes], and the gradient over
 * that z, [unit][lane], in the memory that is returned. */
static float *
differentiate(const Cell *cell, float *rates, size_t lanes)
{
    const CxRetinaCnn *net = cell->net;
    CxRetinaScratch *s = cell->scratch;
    float slope[CX_RETINA_LANES];

    if (cell->layer == 1) {
        cx_retina_lanes_relu(net, s, cell->mask, 0, false, lanes);
        cx_retina_lanes_conv(net, s, 1, s->z[1], lanes);
    }
    cx_retina_lanes_relu(net, s, cell->mask, 1, cell->layer == 1, lanes);
    cx_retina_lanes_cells(net, s, &cell->pick, 1, rates, lanes);
    for (size_t k = 0; k < lanes; k++) {
        slope[k] = net->scale[2][cell->pick.map] / (1.0f + expf(-rates[k]));
        rates[k] = cx_retina_softplus(rates[k]);
    }
    spread(cell, slope, s->z[1], lanes);
    through_relu(cell, 1, s->z[1], lanes);
    if (cell->layer == 2)
        return s->z[1];
    cx_retina_lanes_adjoint(net, s, s->z[1], s->z[0], lanes);
    through_relu(cell, 0, s->z[0], lanes);
    return s->z[0];
}

void
cx_retina_cnn_gradient(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                       const CxRetinaMask *mask, unsigned layer, const float *z,
                       size_t n, CxRetinaPick pick, float *rates,
                       float *gradient)
{
    Cell cell = {net, scratch, mask, layer, pick};

    g_return_if_fail(layer == 1 || layer == 2);
    g_return_if_fail(cx_retina_pick_is_inside(net, pick));
    size_t units = net->layers[layer - 1].n_units;
    for (size_t k = 0; k < n; k += CX_RETINA_LANES) {
        size_t part = MIN(CX_RETINA_LANES, n - k);
        size_t lanes = cx_retina_lanes_for(part);
        float found[CX_RETINA_LANES];

        cx_retina_to_lanes(z + k * units, units, units, part,
                           scratch->z[layer - 1], lanes);
        const float *slopes = differentiate(&cell, found, lanes);
        cx_retina_from_lanes(slopes, lanes, units, part, gradient + k * units,
                             units);
        if (rates != NULL)
            memcpy(rates + k, found, part * sizeof *rates);
    }
}

void
cx_retina_cnn_ray(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                  const CxRetinaMask *mask, unsigned layer, const float *base,
                  const float *delta, const double *alpha,
                  const double *weights, size_t n, CxRetinaPick pick,
                  float *rates, double *sum)
{
    Cell cell = {net, scratch, mask, layer, pick};

    g_return_if_fail(layer == 1 || layer == 2);
    g_return_if_fail(cx_retina_pick_is_inside(net, pick));
    size_t units = net->layers[layer - 1].n_units;
    memset(sum, 0, units * sizeof *sum);
    for (size_t k = 0; k < n; k += CX_RETINA_LANES) {
        size_t part = MIN(CX_RETINA_LANES, n - k);
        size_t lanes = cx_retina_lanes_for(part);
        float found[CX_RETINA_LANES], a[CX_RETINA_LANES] = {0.0f};
        float *z = scratch->z[layer - 1];

        for (size_t i = 0; i < part; i++)
            a[i] = (float)alpha[k + i];
        for (size_t u = 0; u < units; u++)
            for (size_t i = 0; i < lanes; i++)
                z[u * lanes + i] = base[u] + a[i] * delta[u];
        const float *slopes = differentiate(&cell, found, lanes);
        for (size_t u = 0; u < units; u++)
            for (size_t i = 0; i < part; i++)
                sum[u] += weights[k + i] * (double)slopes[u * lanes + i];
        if (rates != NULL)
            memcpy(rates + k, found, part * sizeof *rates);
    }
}
