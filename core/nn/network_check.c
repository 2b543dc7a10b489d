/* Do the layers of a network fit together?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/nn/layer.h"

#define REFUSE(...)                                                            \
    (g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, __VA_ARGS__), false)

static unsigned
channels_of(const CxNetwork *network, int32_t input)
{
    return input < 0 ? cx_network_n_inputs(network)
                     : network->layers[input].n_out;
}

static const unsigned *
scale_of(const CxNetwork *network, int32_t input)
{
    static const unsigned whole[3] = {1, 1, 1};

    return input < 0 ? whole : network->layers[input].scale;
}

static bool
check_inputs(const CxNetwork *network, unsigned index, const char *what,
             GError **error)
{
    const CxLayer *layer = &network->layers[index];
    bool joins = layer->op == CX_OP_CONCAT || layer->op == CX_OP_ADD;

    if (layer->n_inputs == 0 || (!joins && layer->n_inputs != 1))
        return REFUSE("%s has %u inputs, expected %s", what, layer->n_inputs,
                      joins ? "at least one" : "one");
    for (unsigned i = 0; i < layer->n_inputs; i++)
        if (layer->inputs[i] < -1 || layer->inputs[i] >= (int32_t)index)
            return REFUSE("%s takes its input from layer %d, expected -1 or "
                          "an earlier layer",
                          what, layer->inputs[i]);
    for (unsigned i = 1; i < layer->n_inputs; i++) {
        const unsigned *a = scale_of(network, layer->inputs[0]);
        const unsigned *b = scale_of(network, layer->inputs[i]);

        if (a[0] != b[0] || a[1] != b[1] || a[2] != b[2])
            return REFUSE("%s joins layers %d and %d, which are pooled by "
                          "%u,%u,%u and %u,%u,%u, expected the same",
                          what, layer->inputs[0], layer->inputs[i], a[0], a[1],
                          a[2], b[0], b[1], b[2]);
    }
    return true;
}

static bool
check_extent(const CxNetwork *network, const CxLayer *layer, const char *what,
             GError **error)
{
    bool is_conv = layer->op == CX_OP_CONV;

    for (unsigned a = 0; a < 3; a++) {
        int32_t e = layer->extent[a];

        if (is_conv ? e != 1 && e != 3 : e < 1 || e > CX_NN_MAX_FACTOR)
            return REFUSE("%s has %s %d,%d,%d, expected %s", what,
                          is_conv ? "kernel" : "factor", layer->extent[0],
                          layer->extent[1], layer->extent[2],
                          is_conv ? "1 or 3 along each axis" : "1 to 8");
    }
    if (network->dims == 2 && layer->extent[0] != 1)
        return REFUSE("%s has extent %d along z, expected 1 in a network of 2 "
                      "dimensions",
                      what, layer->extent[0]);
    return true;
}

static bool
set_scale(CxNetwork *network, CxLayer *layer, const char *what, GError **error)
{
    const unsigned *from = scale_of(network, layer->inputs[0]);
    bool up = layer->op == CX_OP_UPSAMPLE || layer->op == CX_OP_UPCONV;

    for (unsigned a = 0; a < 3; a++) {
        unsigned e = (unsigned)layer->extent[a];

        layer->scale[a] = from[a];
        if (layer->op == CX_OP_MAXPOOL)
            layer->scale[a] = from[a] * e;
        else if (up && from[a] % e == 0)
            layer->scale[a] = from[a] / e;
        else if (up)
            return REFUSE("%s scales up by %d,%d,%d what was pooled by "
                          "%u,%u,%u, expected a divisor",
                          what, layer->extent[0], layer->extent[1],
                          layer->extent[2], from[0], from[1], from[2]);
        if (layer->scale[a] > CX_NN_MAX_SCALE)
            return REFUSE("%s is pooled by %u in all, expected at most %d",
                          what, layer->scale[a], CX_NN_MAX_SCALE);
    }
    return true;
}

static bool
set_channels(CxNetwork *network, CxLayer *layer, const char *what,
             GError **error)
{
    layer->n_in = channels_of(network, layer->inputs[0]);
    for (unsigned i = 1; i < layer->n_inputs; i++) {
        unsigned n = channels_of(network, layer->inputs[i]);

        if (layer->op == CX_OP_CONCAT)
            layer->n_in += n;
        else if (n != layer->n_in)
            return REFUSE("%s adds layers of %u and %u channels, expected the "
                          "same number",
                          what, layer->n_in, n);
    }
    if (layer->op != CX_OP_CONV && layer->op != CX_OP_UPCONV)
        layer->n_out = layer->n_in;
    if (layer->n_out == 0 || layer->n_out > CX_NN_MAX_CHANNELS)
        return REFUSE("%s has %u channels, expected 1 to %d", what,
                      layer->n_out, CX_NN_MAX_CHANNELS);
    return true;
}

bool
cx_layer_check(CxNetwork *network, unsigned index, const char *what,
               GError **error)
{
    CxLayer *layer = &network->layers[index];

    return check_inputs(network, index, what, error) &&
           check_extent(network, layer, what, error) &&
           set_scale(network, layer, what, error) &&
           set_channels(network, layer, what, error);
}

/* A run with view v sees (x', y', z') = (x, y, z), (z, x, y), (y, z, x). */
int
cx_network_turned_channel(const CxNetwork *network, unsigned view,
                          unsigned channel)
{
    CxOutput want = network->outputs[channel];
    CxVoxel o = want.offset;

    if (view == 1)
        o = (CxVoxel){o.z, o.x, o.y};
    else if (view == 2)
        o = (CxVoxel){o.y, o.z, o.x};
    for (unsigned c = 0; c < network->n_outputs; c++)
        if (network->outputs[c].kind == want.kind &&
            cx_voxel_equal(network->outputs[c].offset, o))
            return (int)c;
    return -1;
}

static bool
check_views(const CxNetwork *network, const char *path, GError **error)
{
    if (network->views == 1)
        return true;
    if (network->per_section)
        return REFUSE("%s: views is 3 with normalise \"section\", expected "
                      "\"fixed\"",
                      path);
    for (unsigned view = 1; view < 3; view++)
        for (unsigned c = 0; c < network->n_outputs; c++)
            if (cx_network_turned_channel(network, view, c) < 0)
                return REFUSE("%s: views is 3 but output %u has no partner "
                              "when the axes turn, expected its offset along "
                              "x, y and z",
                              path, c);
    return true;
}

static uint64_t
common_multiple(uint64_t a, uint64_t b)
{
    uint64_t x = a, y = b;

    while (y != 0) {
        uint64_t rest = x % y;

        x = y;
        y = rest;
    }
    return a / x * b;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Range of input voxels along an axis that act on output voxel `at`. */
static void
reach_of_voxel(const CxNetwork *network, unsigned axis, int64_t at,
               int64_t (*range)[2], int64_t input[2])
{
    for (unsigned i = 0; i < network->n_layers; i++)
        range[i][0] = INT64_MAX, range[i][1] = INT64_MIN;
    input[0] = input[1] = at;
    range[network->n_layers - 1][0] = range[network->n_layers - 1][1] = at;
    for (unsigned i = network->n_layers; i-- > 0;) {
        const CxLayer *layer = &network->layers[i];
        int64_t e = layer->extent[axis];
        int64_t lo = range[i][0], hi = range[i][1];

        if (lo > hi)
            continue;
        if (layer->op == CX_OP_CONV)
            lo -= e / 2, hi += e / 2;
        else if (layer->op == CX_OP_MAXPOOL)
            lo *= e, hi = hi * e + e - 1;
        else
            lo = floor_div(lo, e), hi = floor_div(hi, e);
        for (unsigned k = 0; k < layer->n_inputs; k++) {
            int64_t *to =
                layer->inputs[k] < 0 ? input : range[layer->inputs[k]];

            to[0] = MIN(to[0], lo);
            to[1] = MAX(to[1], hi);
        }
    }
}

static bool
find_reach(const CxNetwork *network, const char *path, unsigned axis,
           int64_t *reach, GError **error)
{
    g_autofree int64_t(*range)[2] =
        g_malloc_n(network->n_layers, sizeof *range);
    uint64_t period = 1;

    for (unsigned i = 0; i < network->n_layers; i++) {
        period = common_multiple(period, network->layers[i].scale[axis]);
        if (period > CX_NN_MAX_SCALE)
            return REFUSE("%s: layer %03u is pooled by %u while others are "
                          "not by a divisor of it, expected a common multiple "
                          "of at most %d",
                          path, i, network->layers[i].scale[axis],
                          CX_NN_MAX_SCALE);
    }
    *reach = 0;
    for (int64_t at = 0; at < (int64_t)period; at++) {
        int64_t input[2];

        reach_of_voxel(network, axis, at, range, input);
        *reach = MAX(*reach, MAX(at - input[0], input[1] - at));
    }
    return true;
}

static bool
find_halo(CxNetwork *network, const char *path, GError **error)
{
    CxVoxel *halo = &network->halo;

    if (!find_reach(network, path, 0, &halo->z, error) ||
        !find_reach(network, path, 1, &halo->y, error) ||
        !find_reach(network, path, 2, &halo->x, error))
        return false;
    if (network->dims == 2)
        halo->z = network->input_sections / 2;
    if (network->views == 3)
        halo->x = halo->y = halo->z = MAX(halo->x, MAX(halo->y, halo->z));
    return true;
}

static bool
check_grows(const CxNetwork *network, const char *path, GError **error)
{
    for (unsigned c = 0; c < network->n_outputs; c++)
        if (network->grows != (network->outputs[c].kind == CX_OUTPUT_OBJECT) ||
            (network->grows && c > 0))
            return REFUSE("%s: output %u is of kind %d with method \"%s\", "
                          "expected %s",
                          path, c, (int)network->outputs[c].kind,
                          cx_network_method(network),
                          network->grows ? "one output of kind 2"
                                         : "kind 0 or 1");
    if (network->grows &&
        (network->dims != 3 || network->views != 1 || network->per_section))
        return REFUSE("%s: method is \"flood\" with dims %d, views %d and "
                      "normalise \"%s\", expected 3, 1 and \"fixed\"",
                      path, network->dims, network->views,
                      network->per_section ? "section" : "fixed");
    return true;
}

bool
cx_network_finish(CxNetwork *network, const char *path, GError **error)
{
    const CxLayer *last = &network->layers[network->n_layers - 1];

    if (network->grows ? last->op != CX_OP_CONV : last->op != CX_OP_SIGMOID)
        return REFUSE("%s: the last layer, %03u, is not a %s", path,
                      network->n_layers - 1,
                      network->grows ? "conv" : "sigmoid");
    if (last->n_out != network->n_outputs)
        return REFUSE("%s: the last layer, %03u, has %u channels, expected %u "
                      "as listed in outputs",
                      path, network->n_layers - 1, last->n_out,
                      network->n_outputs);
    for (unsigned a = 0; a < 3; a++)
        if (last->scale[a] != 1)
            return REFUSE("%s: the last layer, %03u, is pooled by %u,%u,%u, "
                          "expected 1,1,1",
                          path, network->n_layers - 1, last->scale[0],
                          last->scale[1], last->scale[2]);
    return check_grows(network, path, error) &&
           find_halo(network, path, error) && check_views(network, path, error);
}
