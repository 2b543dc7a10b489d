/* SynFlow on a network of the retina.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/flow_retina.h"

#include "core/base/alloc.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS, GAIN, SHIFT, MEAN, VARIANCE };

#define EPSILON 1e-3 /* of the normalisation, as core/retina adds it */

static const CxRetinaTensor *
tensor(const CxRetinaCnn *retina, unsigned layer, unsigned which)
{
    return cx_retina_cnn_tensor(retina,
                                layer * CX_RETINA_TENSORS_A_LAYER + which);
}

/* |gain| / sqrt(variance + epsilon), and the shift that goes with it. */
static void
copy_scale(CxFlowNode *node, const CxRetinaCnn *retina, unsigned layer)
{
    const float *gain = tensor(retina, layer, GAIN)->data;
    const float *shift = tensor(retina, layer, SHIFT)->data;
    const float *mean = tensor(retina, layer, MEAN)->data;
    const float *variance = tensor(retina, layer, VARIANCE)->data;

    for (size_t i = 0; i < node->n_weights; i++) {
        node->weight[i] = fabs(gain[i]) / sqrt(variance[i] + EPSILON);
        node->bias[i] = shift[i] - mean[i] * node->weight[i];
    }
}

static unsigned
add_layer(CxFlowNet *net, const CxRetinaCnn *retina, unsigned layer,
          unsigned from, GError **error)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(retina, layer);
    const uint32_t kernel[3] = {1, (uint32_t)l->kernel_y,
                                (uint32_t)l->kernel_x};
    const float *weight = tensor(retina, layer, WEIGHT)->data;
    const float *bias = tensor(retina, layer, BIAS)->data;
    g_autofree char *name = g_strdup_printf("layer %u", layer + 1);
    unsigned at = cx_flow_add_conv(net, name, from, (uint32_t)l->n_out, kernel,
                                   false, error);

    if (at == 0)
        return 0;
    for (size_t i = 0; i < net->nodes[at].n_weights; i++)
        net->nodes[at].weight[i] = weight[i];
    for (size_t i = 0; i < l->n_out; i++)
        net->nodes[at].bias[i] = bias[i];
    bool per_unit =
        tensor(retina, layer, GAIN)->n == l->n_units && l->n_units > l->n_out;
    at = cx_flow_add_scale(net, at, per_unit, error);
    if (at == 0)
        return 0;
    copy_scale(&net->nodes[at], retina, layer);
    return layer + 1 < CX_RETINA_N_LAYERS ? cx_flow_add_relu(net, at, error)
                                          : at;
}

CxFlowNet *
cx_flow_new_from_retina(const CxRetinaCnn *retina, GError **error)
{
    const CxRetinaShape *shape = cx_retina_cnn_shape(retina);
    g_autoptr(CxFlowNet) net = cx_flow_net_new(
        (CxFlowShape){shape->history, 1, shape->height, shape->width}, error);
    unsigned at = 0;

    if (net == NULL)
        return NULL;
    for (unsigned layer = 0; layer < CX_RETINA_N_LAYERS; layer++) {
        at = add_layer(net, retina, layer, at, error);
        if (at == 0)
            return NULL;
    }
    return g_steal_pointer(&net);
}

/* The node of a layer of the retina. */
static CxFlowNode *
find_layer(const CxFlowNet *net, unsigned layer)
{
    for (unsigned i = 0; i < net->n_nodes; i++)
        if (cx_flow_is_prunable(&net->nodes[i]) && layer-- == 0)
            return &net->nodes[i];
    g_assert_not_reached();
}

void
cx_flow_mask_retina(const CxFlowNet *net, CxRetinaCnn *retina)
{
    for (unsigned layer = 0; layer < CX_RETINA_N_LAYERS; layer++) {
        const CxFlowNode *node = find_layer(net, layer);
        float *weight = tensor(retina, layer, WEIGHT)->data;

        for (size_t i = 0; i < node->n_weights; i++)
            if (!node->mask[i])
                weight[i] = 0.0f;
    }
    cx_retina_cnn_refresh(retina);
}

bool
cx_flow_retina_channels(CxFlowNet *net, unsigned layer, double *scores,
                        GError **error)
{
    const CxPruneOptions options = cx_prune_defaults();
    CX_AUTOFREE double *all =
        cx_try_alloc(cx_flow_n_weights(net), sizeof *all, error);
    const CxFlowNode *node = find_layer(net, layer);
    const double *from = all;

    if (all == NULL || !cx_prune_score(net, &options, all, NULL, error))
        return false;
    for (unsigned l = 0; l < layer; l++)
        from += find_layer(net, l)->n_weights;
    size_t fan_in = node->n_weights / node->shape.n_channels;
    for (size_t c = 0; c < node->shape.n_channels; c++) {
        scores[c] = 0.0;
        for (size_t k = 0; k < fan_in; k++)
            scores[c] += from[c * fan_in + k];
    }
    return true;
}
