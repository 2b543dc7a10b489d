/* Networks to prune: small ones of our own, and those of model files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/flow_models.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/layer.h"

#include <math.h>
#include <string.h>

#define FIGURE 28 /* side of a sample */
#define CLASSES 10
#define MIN_BOTTOM 4 /* side of the coarsest level of a tile */
#define MAX_TILE 256

/* ---- Small ones ---- */

static unsigned
add_dense_relu(CxFlowNet *net, const char *name, unsigned input, uint32_t n_out,
               GError **error)
{
    unsigned at = cx_flow_add_dense(net, name, input, n_out, error);

    return at > 0 ? cx_flow_add_relu(net, at, error) : 0;
}

CxFlowNet *
cx_flow_new_mlp(CxRng *rng, GError **error)
{
    g_autoptr(CxFlowNet) net =
        cx_flow_net_new((CxFlowShape){1, 1, FIGURE, FIGURE}, error);
    unsigned at = 0;

    if (net == NULL || (at = add_dense_relu(net, "fc1", 0, 300, error)) == 0 ||
        (at = add_dense_relu(net, "fc2", at, 100, error)) == 0 ||
        cx_flow_add_dense(net, "fc3", at, CLASSES, error) == 0)
        return NULL;
    cx_flow_net_init(net, rng);
    return g_steal_pointer(&net);
}

/* Convolution, ReLU, means of 2 x 2. */
static unsigned
add_conv_pool(CxFlowNet *net, const char *name, unsigned input, uint32_t n_out,
              bool same, GError **error)
{
    static const uint32_t kernel[3] = {1, 5, 5}, halves[3] = {1, 2, 2};
    unsigned at =
        cx_flow_add_conv(net, name, input, n_out, kernel, same, error);

    if (at > 0)
        at = cx_flow_add_relu(net, at, error);
    return at > 0 ? cx_flow_add_pool(net, CX_FLOW_MEANPOOL, at, halves, error)
                  : 0;
}

CxFlowNet *
cx_flow_new_lenet(CxRng *rng, GError **error)
{
    g_autoptr(CxFlowNet) net =
        cx_flow_net_new((CxFlowShape){1, 1, FIGURE, FIGURE}, error);
    unsigned at = 0;

    if (net == NULL ||
        (at = add_conv_pool(net, "conv1", 0, 6, true, error)) == 0 ||
        (at = add_conv_pool(net, "conv2", at, 16, false, error)) == 0 ||
        (at = add_dense_relu(net, "fc1", at, 120, error)) == 0 ||
        (at = add_dense_relu(net, "fc2", at, 84, error)) == 0 ||
        cx_flow_add_dense(net, "fc3", at, CLASSES, error) == 0)
        return NULL;
    cx_flow_net_init(net, rng);
    return g_steal_pointer(&net);
}

/* ---- Networks of model files ---- */

/* Node of a layer's k-th input. */
static unsigned
node_of(const unsigned *nodes, const CxLayer *layer, unsigned k)
{
    return layer->inputs[k] < 0 ? 0 : nodes[layer->inputs[k]];
}

static unsigned
add_join(CxFlowNet *net, const CxLayer *layer, const unsigned *nodes,
         GError **error)
{
    unsigned inputs[CX_FLOW_MAX_INPUTS];

    for (unsigned k = 0; k < layer->n_inputs; k++)
        inputs[k] = node_of(nodes, layer, k);
    return cx_flow_add_join(
        net, layer->op == CX_OP_ADD ? CX_FLOW_ADD : CX_FLOW_CONCAT, inputs,
        layer->n_inputs, error);
}

static void
copy_weights(CxFlowNode *node, const CxLayer *layer)
{
    for (size_t i = 0; i < node->n_weights; i++)
        node->weight[i] = layer->weight[i];
    for (unsigned o = 0; o < layer->n_out; o++)
        node->bias[o] = layer->bias[o];
}

static unsigned
add_layer(CxFlowNet *net, const CxLayer *layer, const char *name,
          const unsigned *nodes, GError **error)
{
    const uint32_t extent[3] = {(uint32_t)layer->extent[0],
                                (uint32_t)layer->extent[1],
                                (uint32_t)layer->extent[2]};
    unsigned from = node_of(nodes, layer, 0), at = from;

    switch (layer->op) {
    case CX_OP_CONV:
        at = cx_flow_add_conv(net, name, from, layer->n_out, extent, true,
                              error);
        break;
    case CX_OP_UPCONV:
        at = cx_flow_add_upconv(net, name, from, layer->n_out, extent, error);
        break;
    case CX_OP_MAXPOOL:
        at = cx_flow_add_pool(net, CX_FLOW_MAXPOOL, from, extent, error);
        break;
    case CX_OP_UPSAMPLE:
        at = cx_flow_add_pool(net, CX_FLOW_UPSAMPLE, from, extent, error);
        break;
    case CX_OP_CONCAT:
    case CX_OP_ADD:
        at = add_join(net, layer, nodes, error);
        break;
    case CX_OP_SIGMOID:
        return from;
    }
    if (at > 0 && cx_flow_is_prunable(&net->nodes[at]))
        copy_weights(&net->nodes[at], layer);
    return at > 0 && layer->relu ? cx_flow_add_relu(net, at, error) : at;
}

/* Poolings along the axes together. */
static void
find_scale(const CxNetwork *network, uint32_t scale[3])
{
    for (unsigned a = 0; a < 3; a++) {
        scale[a] = 1;
        for (unsigned i = 0; i < network->n_layers; i++)
            scale[a] = MAX(scale[a], network->layers[i].scale[a]);
    }
}

static bool
find_tile(const CxNetwork *network, unsigned side, CxFlowShape *shape,
          GError **error)
{
    uint32_t scale[3], sides[3];

    find_scale(network, scale);
    for (unsigned a = 0; a < 3; a++) {
        bool flat = a == 0 && network->dims == 2;

        sides[a] = side > 0 ? side : scale[a] * MIN_BOTTOM;
        if (flat)
            sides[a] = 1;
        if (sides[a] % scale[a] == 0 && sides[a] <= MAX_TILE)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a tile of %u voxels was asked for %s, expected a "
                    "multiple of %u up to %d",
                    sides[a], cx_network_name(network), scale[a], MAX_TILE);
        return false;
    }
    *shape = (CxFlowShape){cx_network_n_inputs(network), sides[0], sides[1],
                           sides[2]};
    return true;
}

CxFlowNet *
cx_flow_new_from_network(const CxNetwork *network, unsigned side,
                         GError **error)
{
    g_autofree unsigned *nodes = g_new(unsigned, network->n_layers);
    CxFlowShape shape;

    if (!find_tile(network, side, &shape, error))
        return NULL;
    g_autoptr(CxFlowNet) net = cx_flow_net_new(shape, error);
    for (unsigned i = 0; net != NULL && i < network->n_layers; i++) {
        const CxLayer *layer = &network->layers[i];
        g_autofree char *name =
            g_strdup_printf("%03u %u-%u", i, layer->n_in, layer->n_out);

        nodes[i] = add_layer(net, layer, name, nodes, error);
        if (nodes[i] == 0)
            return NULL;
    }
    return g_steal_pointer(&net);
}

double
cx_flow_noise_loss(CxFlowNet *net, void *rng)
{
    CxRng copy = *(CxRng *)rng;
    size_t n_in = cx_flow_shape_size(net->nodes[0].shape);
    const CxFlowNode *output = cx_flow_net_output(net);
    size_t n_out = cx_flow_shape_size(output->shape);
    g_autofree double *input = g_new(double, n_in);
    g_autofree double *gradient = g_new(double, n_out);
    double loss = 0.0;

    for (size_t i = 0; i < n_in; i++)
        input[i] = cx_rng_normal(&copy);
    cx_flow_forward(net, input, false);
    for (size_t i = 0; i < n_out; i++) {
        loss += 0.5 * output->value[i] * output->value[i] / (double)n_out;
        gradient[i] = output->value[i] / (double)n_out;
    }
    cx_flow_backward(net, gradient, false);
    return loss;
}
