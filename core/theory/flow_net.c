/* A network of weights for pruning: how it is built.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/flow_net.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <math.h>
#include <string.h>

#define MAX_VALUES ((size_t)1 << 27) /* of one array */

size_t
cx_flow_shape_size(CxFlowShape shape)
{
    return (size_t)shape.n_channels * shape.nz * shape.ny * shape.nx;
}

static bool
is_sane(CxFlowShape shape)
{
    double n = (double)shape.n_channels * shape.nz * shape.ny * shape.nx;

    return n >= 1.0 && n <= (double)MAX_VALUES;
}

static void
clear_node(CxFlowNode *node)
{
    g_free(node->name);
    cx_free(node->weight);
    cx_free(node->bias);
    cx_free(node->mask);
    cx_free(node->weight_gradient);
    cx_free(node->bias_gradient);
    cx_free(node->value);
    cx_free(node->gradient);
}

void
cx_flow_net_free(CxFlowNet *net)
{
    if (net == NULL)
        return;
    for (unsigned i = 0; i < net->n_nodes; i++)
        clear_node(&net->nodes[i]);
    g_free(net->nodes);
    g_free(net);
}

static bool
take_memory(CxFlowNode *node, size_t n_bias, GError **error)
{
    size_t n = cx_flow_shape_size(node->shape), w = node->n_weights;

    node->value = cx_try_alloc0(n, sizeof(double), error);
    if (node->value == NULL)
        return false;
    node->gradient = cx_try_alloc0(n, sizeof(double), error);
    if (node->gradient == NULL)
        return false;
    if (w == 0)
        return true;
    return (node->weight = cx_try_alloc0(w, sizeof(double), error)) != NULL &&
           (node->weight_gradient = cx_try_alloc0(w, sizeof(double), error)) !=
               NULL &&
           (node->bias = cx_try_alloc0(n_bias, sizeof(double), error)) !=
               NULL &&
           (node->bias_gradient =
                cx_try_alloc0(n_bias, sizeof(double), error)) != NULL &&
           (!cx_flow_is_prunable(node) ||
            (node->mask = cx_try_alloc0(w, 1, error)) != NULL);
}

/* Takes over node->name; the index, 0 with error. */
static unsigned
append(CxFlowNet *net, CxFlowNode node, size_t n_bias, GError **error)
{
    if (!is_sane(node.shape) || node.n_weights > MAX_VALUES) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "node %u (%s) gives %u channels of %u x %u x %u from %zu "
                    "weights, expected sizes that fit its input and at most "
                    "%zu values",
                    net->n_nodes, node.name, node.shape.n_channels,
                    node.shape.nx, node.shape.ny, node.shape.nz, node.n_weights,
                    MAX_VALUES);
        g_free(node.name);
        return 0;
    }
    if (!take_memory(&node, n_bias, error)) {
        clear_node(&node);
        return 0;
    }
    if (node.mask != NULL)
        memset(node.mask, 1, node.n_weights);
    if (net->n_nodes == net->room) {
        net->room = MAX(16, 2 * net->room);
        net->nodes = g_renew(CxFlowNode, net->nodes, net->room);
    }
    net->nodes[net->n_nodes] = node;
    return net->n_nodes++;
}

CxFlowNet *
cx_flow_net_new(CxFlowShape input, GError **error)
{
    g_autoptr(CxFlowNet) net = g_new0(CxFlowNet, 1);
    CxFlowNode node = {
        .op = CX_FLOW_INPUT, .name = g_strdup("input"), .shape = input};

    append(net, node, 0, error);
    return net->n_nodes == 1 ? g_steal_pointer(&net) : NULL;
}

static const CxFlowShape *
shape_of(const CxFlowNet *net, unsigned node)
{
    g_assert(node < net->n_nodes);
    return &net->nodes[node].shape;
}

/* Length of the output of a convolution; 0 if the kernel is too long. */
static uint32_t
length(uint32_t n, uint32_t kernel, bool same)
{
    if (same)
        return n;
    return kernel <= n ? n - kernel + 1 : 0;
}

unsigned
cx_flow_add_conv(CxFlowNet *net, const char *name, unsigned input,
                 uint32_t n_out, const uint32_t kernel[3], bool same,
                 GError **error)
{
    const CxFlowShape *in = shape_of(net, input);
    CxFlowNode node = {
        .op = CX_FLOW_CONV,
        .name = g_strdup(name),
        .n_inputs = 1,
        .inputs = {input},
        .shape = {n_out, length(in->nz, kernel[0], same),
                  length(in->ny, kernel[1], same),
                  length(in->nx, kernel[2], same)},
        .extent = {kernel[0], kernel[1], kernel[2]},
        .same = same,
        .n_weights =
            (size_t)n_out * in->n_channels * kernel[0] * kernel[1] * kernel[2],
    };

    return append(net, node, n_out, error);
}

unsigned
cx_flow_add_upconv(CxFlowNet *net, const char *name, unsigned input,
                   uint32_t n_out, const uint32_t factor[3], GError **error)
{
    const CxFlowShape *in = shape_of(net, input);
    CxFlowNode node = {
        .op = CX_FLOW_UPCONV,
        .name = g_strdup(name),
        .n_inputs = 1,
        .inputs = {input},
        .shape = {n_out, in->nz * factor[0], in->ny * factor[1],
                  in->nx * factor[2]},
        .extent = {factor[0], factor[1], factor[2]},
        .n_weights =
            (size_t)n_out * in->n_channels * factor[0] * factor[1] * factor[2],
    };

    return append(net, node, n_out, error);
}

unsigned
cx_flow_add_dense(CxFlowNet *net, const char *name, unsigned input,
                  uint32_t n_out, GError **error)
{
    const CxFlowShape *in = shape_of(net, input);
    const uint32_t kernel[3] = {in->nz, in->ny, in->nx};

    return cx_flow_add_conv(net, name, input, n_out, kernel, false, error);
}

unsigned
cx_flow_add_scale(CxFlowNet *net, unsigned input, bool per_unit, GError **error)
{
    CxFlowShape in = *shape_of(net, input);
    size_t n = per_unit ? cx_flow_shape_size(in) : in.n_channels;
    CxFlowNode node = {.op = CX_FLOW_SCALE,
                       .name = g_strdup("scale"),
                       .n_inputs = 1,
                       .inputs = {input},
                       .shape = in,
                       .n_weights = n};
    unsigned at = append(net, node, n, error);

    for (size_t i = 0; at > 0 && i < n; i++)
        net->nodes[at].weight[i] = 1.0;
    return at;
}

unsigned
cx_flow_add_relu(CxFlowNet *net, unsigned input, GError **error)
{
    CxFlowNode node = {.op = CX_FLOW_RELU,
                       .name = g_strdup("relu"),
                       .n_inputs = 1,
                       .inputs = {input},
                       .shape = *shape_of(net, input)};

    return append(net, node, 0, error);
}

unsigned
cx_flow_add_pool(CxFlowNet *net, CxFlowOp op, unsigned input,
                 const uint32_t factor[3], GError **error)
{
    const CxFlowShape *in = shape_of(net, input);
    CxFlowNode node = {
        .op = op,
        .name = g_strdup(op == CX_FLOW_UPSAMPLE ? "upsample" : "pool"),
        .n_inputs = 1,
        .inputs = {input},
        .shape = {in->n_channels, in->nz / factor[0], in->ny / factor[1],
                  in->nx / factor[2]},
        .extent = {factor[0], factor[1], factor[2]}};

    if (op == CX_FLOW_UPSAMPLE)
        node.shape = (CxFlowShape){in->n_channels, in->nz * factor[0],
                                   in->ny * factor[1], in->nx * factor[2]};
    return append(net, node, 0, error);
}

unsigned
cx_flow_add_join(CxFlowNet *net, CxFlowOp op, const unsigned *inputs,
                 unsigned n_inputs, GError **error)
{
    CxFlowNode node = {.op = op,
                       .name = g_strdup(op == CX_FLOW_ADD ? "add" : "concat"),
                       .n_inputs = n_inputs,
                       .shape = *shape_of(net, inputs[0])};

    g_assert(n_inputs >= 1 && n_inputs <= CX_FLOW_MAX_INPUTS);
    for (unsigned i = 0; i < n_inputs; i++) {
        const CxFlowShape *in = shape_of(net, inputs[i]);

        g_assert(in->nz == node.shape.nz && in->ny == node.shape.ny &&
                 in->nx == node.shape.nx);
        node.inputs[i] = inputs[i];
        if (op == CX_FLOW_CONCAT && i > 0)
            node.shape.n_channels += in->n_channels;
    }
    return append(net, node, 0, error);
}

const CxFlowNode *
cx_flow_net_output(const CxFlowNet *net)
{
    return &net->nodes[net->n_nodes - 1];
}

bool
cx_flow_is_prunable(const CxFlowNode *node)
{
    return node->op == CX_FLOW_CONV || node->op == CX_FLOW_UPCONV;
}

size_t
cx_flow_n_weights(const CxFlowNet *net)
{
    size_t n = 0;

    for (unsigned i = 0; i < net->n_nodes; i++)
        if (cx_flow_is_prunable(&net->nodes[i]))
            n += net->nodes[i].n_weights;
    return n;
}

size_t
cx_flow_n_kept(const CxFlowNet *net)
{
    size_t n = 0;

    for (unsigned i = 0; i < net->n_nodes; i++)
        for (size_t k = 0;
             cx_flow_is_prunable(&net->nodes[i]) && k < net->nodes[i].n_weights;
             k++)
            n += net->nodes[i].mask[k];
    return n;
}

unsigned
cx_flow_n_layers(const CxFlowNet *net)
{
    unsigned n = 0;

    for (unsigned i = 0; i < net->n_nodes; i++)
        n += cx_flow_is_prunable(&net->nodes[i]);
    return n;
}

void
cx_flow_net_init(CxFlowNet *net, CxRng *rng)
{
    for (unsigned i = 0; i < net->n_nodes; i++) {
        CxFlowNode *node = &net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        size_t fan_in = node->n_weights / node->shape.n_channels;
        if (node->op == CX_FLOW_UPCONV)
            fan_in = net->nodes[node->inputs[0]].shape.n_channels;
        double sd = sqrt(2.0 / (double)fan_in);
        for (size_t k = 0; k < node->n_weights; k++)
            node->weight[k] = sd * cx_rng_normal(rng);
        memset(node->bias, 0, node->shape.n_channels * sizeof *node->bias);
    }
}
