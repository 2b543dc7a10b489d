/* A network that predicts rates of ganglion cells: its shape, weights and
 * copies.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/retina/retina_cnn_private.h"

#include <math.h>
#include <string.h>

const char *const cx_retina_text_names[CX_RETINA_N_TEXTS] = {
    "name", "description", "data", "licence", "training"};

static const char *const tensor_names[CX_RETINA_N_TENSORS] = {
    "layer1/weight", "layer1/bias",     "layer1/gain",   "layer1/shift",
    "layer1/mean",   "layer1/variance", "layer2/weight", "layer2/bias",
    "layer2/gain",   "layer2/shift",    "layer2/mean",   "layer2/variance",
    "cells/weight",  "cells/bias",      "cells/gain",    "cells/shift",
    "cells/mean",    "cells/variance"};

CxRetinaShape
cx_retina_shape_default(void)
{
    return (CxRetinaShape){.history = 40,
                           .height = 50,
                           .width = 50,
                           .n_channels = {8, 8},
                           .n_maps = 1,
                           .kernel_y = {15, 11, 11},
                           .kernel_x = {15, 11, 11}};
}

static bool
check_number(uint32_t value, uint32_t most, const char *name, const char *what,
             int code, GError **error)
{
    if (value >= 1 && value <= most)
        return true;
    g_set_error(error, CX_ERROR, code, "%s: %s is %u, expected 1 to %u", what,
                name, value, most);
    return false;
}

static bool
check_numbers(const CxRetinaShape *s, const char *what, int code,
              GError **error)
{
    return check_number(s->history, CX_RETINA_MAX_HISTORY, "history", what,
                        code, error) &&
           check_number(s->height, CX_RETINA_MAX_SIDE, "height", what, code,
                        error) &&
           check_number(s->width, CX_RETINA_MAX_SIDE, "width", what, code,
                        error) &&
           check_number(s->n_channels[0], CX_RETINA_MAX_CHANNELS,
                        "number of channels of layer 1", what, code, error) &&
           check_number(s->n_channels[1], CX_RETINA_MAX_CHANNELS,
                        "number of channels of layer 2", what, code, error) &&
           check_number(s->n_maps, CX_RETINA_MAX_MAPS, "number of maps", what,
                        code, error);
}

bool
cx_retina_shape_check(const CxRetinaShape *shape,
                      CxRetinaLayer layers[CX_RETINA_N_LAYERS],
                      const char *what, int code, GError **error)
{
    size_t n_in = shape->history, y = shape->height, x = shape->width;

    if (!check_numbers(shape, what, code, error))
        return false;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        size_t ky = shape->kernel_y[l], kx = shape->kernel_x[l];
        size_t n_out = l < 2 ? shape->n_channels[l] : shape->n_maps;

        if (ky < 1 || ky > y || kx < 1 || kx > x) {
            g_set_error(error, CX_ERROR, code,
                        "%s: the kernel of layer %u is %zu x %zu (y, x), "
                        "expected 1 x 1 to %zu x %zu",
                        what, l + 1, ky, kx, y, x);
            return false;
        }
        layers[l] = (CxRetinaLayer){.n_in = n_in,
                                    .in_y = y,
                                    .in_x = x,
                                    .n_out = n_out,
                                    .out_y = y - ky + 1,
                                    .out_x = x - kx + 1,
                                    .kernel_y = ky,
                                    .kernel_x = kx};
        y = layers[l].out_y, x = layers[l].out_x, n_in = n_out;
        layers[l].n_units = n_out * y * x;
        if (layers[l].n_units > CX_RETINA_MAX_UNITS) {
            g_set_error(error, CX_ERROR, code,
                        "%s: layer %u has %zu units, expected at most %zu",
                        what, l + 1, layers[l].n_units, CX_RETINA_MAX_UNITS);
            return false;
        }
        if (n_out * layers[l].n_in > CX_RETINA_MAX_WEIGHTS / ky / kx) {
            g_set_error(error, CX_ERROR, code,
                        "%s: layer %u has %zu kernels of %zu x %zu, expected "
                        "at most %zu weights",
                        what, l + 1, n_out * layers[l].n_in, ky, kx,
                        CX_RETINA_MAX_WEIGHTS);
            return false;
        }
    }
    return true;
}

size_t
cx_retina_n_norms(const CxRetinaCnn *net, unsigned layer)
{
    const CxRetinaLayer *l = &net->layers[layer];

    return layer < 2 ? l->n_units : l->n_out;
}

static void
describe_tensor(CxRetinaCnn *net, unsigned i)
{
    const CxRetinaLayer *l = &net->layers[i / CX_RETINA_TENSORS_A_LAYER];
    CxRetinaTensor *t = &net->tensors[i];
    unsigned which = i % CX_RETINA_TENSORS_A_LAYER;

    t->name = tensor_names[i];
    t->n_dims = 1;
    t->dims[0] = l->n_out;
    if (which == CX_RETINA_WEIGHT) {
        t->n_dims = 4;
        t->dims[1] = l->n_in;
        t->dims[2] = l->kernel_y, t->dims[3] = l->kernel_x;
    } else if (which != CX_RETINA_BIAS && i < 2 * CX_RETINA_TENSORS_A_LAYER) {
        t->n_dims = 3;
        t->dims[1] = l->out_y, t->dims[2] = l->out_x;
    }
    t->n = 1;
    for (unsigned d = 0; d < t->n_dims; d++)
        t->n *= t->dims[d];
}

static bool
alloc_tensors(CxRetinaCnn *net, GError **error)
{
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        describe_tensor(net, i);
        net->n_values += net->tensors[i].n;
    }
    net->values = cx_try_alloc0(net->n_values, sizeof *net->values, error);
    if (net->values == NULL)
        return false;
    float *at = net->values;
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        unsigned which = i % CX_RETINA_TENSORS_A_LAYER;

        net->tensors[i].data = at;
        at += net->tensors[i].n;
        for (size_t k = 0; k < net->tensors[i].n; k++)
            if (which == CX_RETINA_GAIN)
                net->tensors[i].data[k] = 1.0f;
            else if (which == CX_RETINA_VARIANCE)
                net->tensors[i].data[k] = 1.0f - CX_RETINA_EPSILON;
    }
    return true;
}

static bool
alloc_prepared(CxRetinaCnn *net, GError **error)
{
    size_t chunk = 0;

    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        const CxRetinaLayer *layer = &net->layers[l];
        CxPlaneConvShape shape = {.n_in = layer->n_in,
                                  .in_y = layer->in_y,
                                  .in_x = layer->in_x,
                                  .n_out = layer->n_out,
                                  .kernel_y = layer->kernel_y,
                                  .kernel_x = layer->kernel_x};
        size_t n = cx_retina_n_norms(net, l);

        net->convs[l] = cx_plane_conv_new(&shape, error);
        if (net->convs[l] == NULL)
            return false;
        chunk = MAX(chunk, cx_plane_conv_chunk_scratch(net->convs[l]));
        net->scale[l] = cx_try_alloc(n, sizeof(float), error);
        if (net->scale[l] == NULL)
            return false;
        net->offset[l] = cx_try_alloc(n, sizeof(float), error);
        if (net->offset[l] == NULL)
            return false;
    }
    net->grey_z2 = cx_try_alloc(net->layers[1].n_units, sizeof(float), error);
    if (net->grey_z2 == NULL)
        return false;
    net->chunk = cx_try_alloc(chunk, sizeof(float), error);
    return net->chunk != NULL;
}

CxRetinaCnn *
cx_retina_cnn_alloc(const CxRetinaShape *shape, const char *what, int code,
                    GError **error)
{
    g_autoptr(CxRetinaCnn) net = g_new0(CxRetinaCnn, 1);

    net->shape = *shape;
    net->sd = 1.0;
    if (!cx_retina_shape_check(shape, net->layers, what, code, error) ||
        !alloc_tensors(net, error) || !alloc_prepared(net, error))
        return NULL;
    cx_kernels_fill(&net->kernels, cx_cpu_features());
    for (unsigned i = 0; i < CX_RETINA_N_TEXTS; i++)
        net->texts[i] = g_strdup("");
    return g_steal_pointer(&net);
}

static void
pick_middles(CxRetinaCnn *net)
{
    const CxRetinaLayer *cells = &net->layers[2];

    g_free(net->picks);
    net->n_picks = cells->n_out;
    net->picks = g_new(CxRetinaPick, net->n_picks);
    for (size_t i = 0; i < net->n_picks; i++)
        net->picks[i] = (CxRetinaPick){(int32_t)i, (int32_t)(cells->out_y / 2),
                                       (int32_t)(cells->out_x / 2)};
}

CxRetinaCnn *
cx_retina_cnn_new(const CxRetinaShape *shape, uint64_t seed, GError **error)
{
    CxRetinaCnn *net = cx_retina_cnn_alloc(shape, "the network's shape",
                                           CX_ERROR_INVALID, error);
    CxRng rng;

    if (net == NULL)
        return NULL;
    cx_rng_init(&rng, seed);
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        const CxRetinaTensor *t =
            &net->tensors[l * CX_RETINA_TENSORS_A_LAYER + CX_RETINA_WEIGHT];
        double fan_in = (double)(t->n / t->dims[0]);

        for (size_t i = 0; i < t->n; i++)
            t->data[i] = (float)(sqrt(2.0 / fan_in) * cx_rng_normal(&rng));
    }
    pick_middles(net);
    cx_retina_cnn_refresh(net);
    return net;
}

CxRetinaCnn *
cx_retina_cnn_copy(const CxRetinaCnn *net, GError **error)
{
    CxRetinaCnn *copy = cx_retina_cnn_alloc(&net->shape, "the network's shape",
                                            CX_ERROR_INVALID, error);

    if (copy == NULL)
        return NULL;
    memcpy(copy->values, net->values, net->n_values * sizeof *net->values);
    for (unsigned i = 0; i < CX_RETINA_N_TEXTS; i++) {
        g_free(copy->texts[i]);
        copy->texts[i] = g_strdup(net->texts[i]);
    }
    copy->mean = net->mean, copy->sd = net->sd;
    copy->n_picks = net->n_picks;
    copy->picks = g_memdup2(net->picks, net->n_picks * sizeof *net->picks);
    copy->kernels = net->kernels;
    cx_retina_cnn_refresh(copy);
    return copy;
}

void
cx_retina_cnn_free(CxRetinaCnn *net)
{
    if (net == NULL)
        return;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        cx_plane_conv_free(net->convs[l]);
        cx_free(net->scale[l]);
        cx_free(net->offset[l]);
    }
    for (unsigned i = 0; i < CX_RETINA_N_TEXTS; i++)
        g_free(net->texts[i]);
    cx_free(net->values);
    cx_free(net->grey_z2);
    cx_free(net->chunk);
    g_free(net->picks);
    g_free(net);
}

const CxRetinaShape *
cx_retina_cnn_shape(const CxRetinaCnn *net)
{
    return &net->shape;
}

const CxRetinaLayer *
cx_retina_cnn_layer(const CxRetinaCnn *net, unsigned layer)
{
    g_return_val_if_fail(layer < CX_RETINA_N_LAYERS, NULL);
    return &net->layers[layer];
}

size_t
cx_retina_cnn_n_weights(const CxRetinaCnn *net)
{
    return net->n_values;
}

static unsigned
text_index(const char *key)
{
    for (unsigned i = 0; i < CX_RETINA_N_TEXTS; i++)
        if (g_str_equal(cx_retina_text_names[i], key))
            return i;
    g_return_val_if_reached(0);
}

const char *
cx_retina_cnn_text(const CxRetinaCnn *net, const char *key)
{
    return net->texts[text_index(key)];
}

void
cx_retina_cnn_set_text(CxRetinaCnn *net, const char *key, const char *text)
{
    unsigned i = text_index(key);
    char *copy = g_strdup(text);

    g_free(net->texts[i]);
    net->texts[i] = copy;
}

void
cx_retina_cnn_normalisation(const CxRetinaCnn *net, double *mean, double *sd)
{
    *mean = net->mean;
    *sd = net->sd;
}

void
cx_retina_cnn_set_normalisation(CxRetinaCnn *net, double mean, double sd)
{
    g_return_if_fail(isfinite(mean) && isfinite(sd) && sd > 0.0);
    net->mean = mean;
    net->sd = sd;
}

const CxRetinaPick *
cx_retina_cnn_picks(const CxRetinaCnn *net, size_t *n)
{
    *n = net->n_picks;
    return net->picks;
}

bool
cx_retina_pick_is_inside(const CxRetinaCnn *net, CxRetinaPick pick)
{
    const CxRetinaLayer *cells = &net->layers[2];

    return pick.map >= 0 && (size_t)pick.map < cells->n_out && pick.y >= 0 &&
           (size_t)pick.y < cells->out_y && pick.x >= 0 &&
           (size_t)pick.x < cells->out_x;
}

bool
cx_retina_cnn_set_picks(CxRetinaCnn *net, const CxRetinaPick *picks, size_t n,
                        GError **error)
{
    const CxRetinaLayer *cells = &net->layers[2];

    if (n < 1 || n > CX_RETINA_MAX_PICKS) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%zu cells, expected 1 to %d", n, CX_RETINA_MAX_PICKS);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!cx_retina_pick_is_inside(net, picks[i])) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "cell %zu is map %d, y %d, x %d, expected %zu maps of "
                        "%zu x %zu (y, x)",
                        i, picks[i].map, picks[i].y, picks[i].x, cells->n_out,
                        cells->out_y, cells->out_x);
            return false;
        }
    CxRetinaPick *copy = g_memdup2(picks, n * sizeof *picks);
    g_free(net->picks);
    net->picks = copy;
    net->n_picks = n;
    return true;
}

void
cx_retina_cnn_pick_field(const CxRetinaCnn *net, CxRetinaPick pick, int32_t *y0,
                         int32_t *x0, int32_t *n_y, int32_t *n_x)
{
    *y0 = pick.y;
    *x0 = pick.x;
    *n_y = *n_x = 1;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        *n_y += (int32_t)net->layers[l].kernel_y - 1;
        *n_x += (int32_t)net->layers[l].kernel_x - 1;
    }
}

CxCellPosition
cx_retina_cnn_pick_centre(const CxRetinaCnn *net, CxRetinaPick pick)
{
    int32_t y0, x0, n_y, n_x;

    cx_retina_cnn_pick_field(net, pick, &y0, &x0, &n_y, &n_x);
    return (CxCellPosition){.x = x0 + (n_x - 1) / 2, .y = y0 + (n_y - 1) / 2};
}

const CxRetinaTensor *
cx_retina_cnn_tensor(const CxRetinaCnn *net, unsigned i)
{
    g_return_val_if_fail(i < CX_RETINA_N_TENSORS, NULL);
    return &net->tensors[i];
}

void
cx_retina_cnn_fold(CxRetinaCnn *net)
{
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        const float *gain = cx_retina_values(net, l, CX_RETINA_GAIN);
        const float *shift = cx_retina_values(net, l, CX_RETINA_SHIFT);
        const float *mean = cx_retina_values(net, l, CX_RETINA_MEAN);
        const float *variance = cx_retina_values(net, l, CX_RETINA_VARIANCE);

        for (size_t i = 0; i < cx_retina_n_norms(net, l); i++) {
            net->scale[l][i] =
                fabsf(gain[i]) / sqrtf(variance[i] + CX_RETINA_EPSILON);
            net->offset[l][i] = shift[i] - mean[i] * net->scale[l][i];
        }
    }
}

static void
quantise_row(float *weights, size_t n, int most)
{
    float size = 0.0f;

    for (size_t i = 0; i < n; i++)
        size = MAX(size, fabsf(weights[i]));
    float step = size / (float)most;
    for (size_t i = 0; i < n && step > 0.0f; i++)
        weights[i] = step * roundf(weights[i] / step);
}

CxRetinaCnn *
cx_retina_cnn_quantised(const CxRetinaCnn *net, unsigned bits, GError **error)
{
    g_return_val_if_fail(bits >= 2 && bits <= 8, NULL);
    CxRetinaCnn *copy = cx_retina_cnn_copy(net, error);

    if (copy == NULL)
        return NULL;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        const CxRetinaTensor *t =
            &copy->tensors[l * CX_RETINA_TENSORS_A_LAYER + CX_RETINA_WEIGHT];
        size_t n = t->n / t->dims[0];

        for (size_t o = 0; o < t->dims[0]; o++)
            quantise_row(t->data + o * n, n, (1 << (bits - 1)) - 1);
    }
    cx_retina_cnn_refresh(copy);
    return copy;
}

double
cx_retina_pearson(const float *a, size_t stride_a, const float *b,
                  size_t stride_b, size_t n)
{
    double mean_a = 0.0, mean_b = 0.0, aa = 0.0, bb = 0.0, ab = 0.0;

    for (size_t i = 0; i < n; i++) {
        mean_a += (double)a[i * stride_a] / (double)n;
        mean_b += (double)b[i * stride_b] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double da = (double)a[i * stride_a] - mean_a;
        double db = (double)b[i * stride_b] - mean_b;

        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : 0.0;
}
