/* From kernels of x to kernels of x and y.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/retina_spread.h"

#include "core/base/error.h"

#include <math.h>

/* n weights that sum to 1; owned. */
static double *
bell(size_t n, double sigma)
{
    double *weights = g_new(double, n), sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        double off = ((double)i - 0.5 * (double)(n - 1)) / sigma;

        weights[i] = exp(-0.5 * off * off);
        sum += weights[i];
    }
    for (size_t i = 0; i < n; i++)
        weights[i] /= sum;
    return weights;
}

/* Rows of `from` [outer][x] become [outer][y][x], each times its weight; NULL
 * weights repeat them. */
static void
fill(const CxRetinaTensor *from, const CxRetinaTensor *to, size_t n_x,
     size_t n_y, const double *weights)
{
    for (size_t i = 0; i < from->n; i++) {
        size_t outer = i / n_x, x = i % n_x;

        for (size_t y = 0; y < n_y; y++)
            to->data[(outer * n_y + y) * n_x + x] =
                weights != NULL ? (float)((double)from->data[i] * weights[y])
                                : from->data[i];
    }
}

static void
fill_layer(const CxRetinaCnn *flat, CxRetinaCnn *net, unsigned layer,
           double sigma)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(net, layer);
    g_autofree double *weights = bell(l->kernel_y, sigma);

    for (unsigned w = 0; w < CX_RETINA_TENSORS_A_LAYER; w++) {
        unsigned i = layer * CX_RETINA_TENSORS_A_LAYER + w;
        const CxRetinaTensor *from = cx_retina_cnn_tensor(flat, i);
        const CxRetinaTensor *to = cx_retina_cnn_tensor(net, i);

        if (from->n_dims == 4)
            fill(from, to, l->kernel_x, l->kernel_y, weights);
        else if (from->n_dims == 3)
            fill(from, to, l->out_x, l->out_y, NULL);
        else
            fill(from, to, 1, 1, NULL);
    }
}

CxRetinaCnn *
cx_retina_cnn_spread(const CxRetinaCnn *flat, uint32_t height, double sigma_px,
                     GError **error)
{
    static const char *const texts[] = {"name", "description", "data",
                                        "licence", "training"};
    CxRetinaShape shape = *cx_retina_cnn_shape(flat);
    double mean, sd;

    if (shape.height != 1 || !(sigma_px > 0.0)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the network has films of height %u, expected 1 (x-t) and "
                    "a width of the spread above 0",
                    shape.height);
        return NULL;
    }
    shape.height = height;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++)
        shape.kernel_y[l] = shape.kernel_x[l];
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_new(&shape, 0, error);
    if (net == NULL)
        return NULL;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++)
        fill_layer(flat, net, l, sigma_px);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        cx_retina_cnn_set_text(net, texts[i],
                               cx_retina_cnn_text(flat, texts[i]));
    cx_retina_cnn_normalisation(flat, &mean, &sd);
    cx_retina_cnn_set_normalisation(net, mean, sd);
    cx_retina_cnn_refresh(net);
    return g_steal_pointer(&net);
}
