/* Takes whole channels away from a network of a model file.
 *
 * The score of a channel is the sum of the SynFlow scores that enter it, which
 * by conservation also leave it.  Masks of all its weights stand for a channel
 * that is gone until the end, when the arrays are rewritten.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/flow_network_file.h"
#include "core/theory/flow_origin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    CxNetwork *network;
    CxFlowNet *net;
    CxFlowOrigin **origins;
    uint8_t **kept;        /* [node][channel] of nodes with weights */
    unsigned *layer_nodes; /* [layer] its node with weights, or 0 */
    double *scores;
} Narrow;

typedef struct {
    unsigned node;
    uint32_t channel;
    double score;
} Channel;

static bool
is_kept(const Narrow *n, CxFlowOrigin origin)
{
    return origin.node == 0 || n->kept[origin.node][origin.channel];
}

static uint32_t
count_kept(const Narrow *n, unsigned node)
{
    const CxFlowNode *from = &n->net->nodes[node];
    uint32_t count = 0;

    for (uint32_t c = 0; c < from->shape.n_channels; c++)
        count += is_kept(n, n->origins[node][c]);
    return count;
}

/* Products for a voxel of the input, with the channels that are left. */
static double
flop_left(const Narrow *n)
{
    double sum = 0.0;

    for (unsigned i = 0; i < n->network->n_layers; i++) {
        const CxLayer *layer = &n->network->layers[i];
        unsigned node = n->layer_nodes[i];

        if (node == 0)
            continue;
        double taps = layer->op == CX_OP_UPCONV
                          ? 1.0
                          : (double)layer->extent[0] * layer->extent[1] *
                                layer->extent[2];
        sum += 2.0 * taps * count_kept(n, n->net->nodes[node].inputs[0]) *
               count_kept(n, node) /
               ((double)layer->scale[0] * layer->scale[1] * layer->scale[2]);
    }
    return sum * n->network->views;
}

static int
compare_channels(const void *a, const void *b)
{
    const Channel *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->channel < y->channel ? -1 : 1;
}

static double
channel_score(const CxFlowNode *node, const double *scores, uint32_t channel)
{
    uint32_t n_out = node->shape.n_channels;
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];
    size_t n_in = node->n_weights / n_out / taps;
    double sum = 0.0;

    for (size_t i = 0; i < n_in; i++) {
        size_t row = node->op == CX_FLOW_UPCONV ? i * n_out + channel
                                                : channel * n_in + i;

        for (size_t t = 0; t < taps; t++)
            sum += scores[row * taps + t];
    }
    return sum;
}

/* Channels that may go, by rising score: hidden ones that are still there. */
static GArray *
rank_channels(const Narrow *n)
{
    GArray *channels = g_array_new(FALSE, FALSE, sizeof(Channel));
    const double *scores = n->scores;
    unsigned last = n->net->n_nodes - 1;

    for (unsigned i = 0; i < n->net->n_nodes; i++) {
        const CxFlowNode *node = &n->net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        for (uint32_t c = 0; c < node->shape.n_channels; c++) {
            Channel channel = {i, c, channel_score(node, scores, c)};

            if (i != n->origins[last][0].node && n->kept[i][c])
                g_array_append_val(channels, channel);
        }
        scores += node->n_weights;
    }
    g_array_sort(channels, compare_channels);
    return channels;
}

static void
mask_channel(CxFlowNode *node, uint32_t channel)
{
    uint32_t n_out = node->shape.n_channels;
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];

    for (size_t k = 0; k < node->n_weights; k++) {
        size_t row = k / taps;
        size_t out = node->op == CX_FLOW_UPCONV
                         ? row % n_out
                         : row / (node->n_weights / n_out / taps);

        if (out == channel)
            node->mask[k] = 0;
    }
}

/* Takes channels of the lowest score until no more than this is left. */
static bool
run_round(Narrow *n, double flop, CxJob *job, GError **error)
{
    const CxPruneOptions options = cx_prune_defaults();

    if (!cx_prune_score(n->net, &options, n->scores, job, error))
        return false;
    g_autoptr(GArray) channels = rank_channels(n);
    for (unsigned i = 0; i < channels->len && flop_left(n) > flop; i++) {
        Channel channel = g_array_index(channels, Channel, i);

        if (count_kept(n, channel.node) == 1)
            continue;
        n->kept[channel.node][channel.channel] = 0;
        mask_channel(&n->net->nodes[channel.node], channel.channel);
    }
    return true;
}

/* ---- Rewriting ---- */

/* The mean of channel c of a layer in calibration: its own, or that of the
 * layers it was copied from; 0 if there was none. */
static double
mean_of(const CxNetwork *network, int32_t index, uint32_t c)
{
    while (index >= 0) {
        const CxLayer *layer = &network->layers[index];
        unsigned k = 0;

        if (layer->mean != NULL)
            return layer->mean[c];
        if (layer->op == CX_OP_CONCAT)
            while (layer->inputs[k] >= 0 &&
                   c >= network->layers[layer->inputs[k]].n_out)
                c -= network->layers[layer->inputs[k++]].n_out;
        else if (layer->op != CX_OP_UPSAMPLE && layer->op != CX_OP_MAXPOOL)
            return 0.0;
        index = layer->inputs[k];
    }
    return 0.0;
}

/* What a lost input gave on average goes into the biases. */
static void
move_to_bias(const Narrow *n, CxLayer *layer, uint32_t in, size_t taps)
{
    double mean = mean_of(n->network, layer->inputs[0], in);

    for (unsigned o = 0; o < layer->n_out; o++) {
        bool up = layer->op == CX_OP_UPCONV;
        const float *weight =
            layer->weight + (up ? (size_t)in * layer->n_out + o
                                : (size_t)o * layer->n_in + in) *
                                taps;
        double sum = 0.0;

        for (size_t t = 0; t < taps; t++)
            sum += weight[t];
        layer->bias[o] += (float)(mean * sum / (up ? (double)taps : 1.0));
    }
}

/* Moves what is left to the front of the arrays. */
static void
rewrite_layer(const Narrow *n, CxLayer *layer, unsigned node,
              const CxFlowOrigin *in)
{
    size_t taps =
        (size_t)layer->extent[0] * layer->extent[1] * layer->extent[2];
    bool up = layer->op == CX_OP_UPCONV;
    unsigned n_first = up ? layer->n_in : layer->n_out;
    unsigned n_second = up ? layer->n_out : layer->n_in;
    size_t at = 0, n_bias = 0;

    for (uint32_t i = 0; i < layer->n_in; i++)
        if (!is_kept(n, in[i]))
            move_to_bias(n, layer, i, taps);
    for (unsigned a = 0; a < n_first; a++)
        for (unsigned b = 0; b < n_second; b++) {
            unsigned i = up ? a : b, o = up ? b : a;

            if (!is_kept(n, in[i]) || !n->kept[node][o])
                continue;
            memmove(layer->weight + at * taps,
                    layer->weight + ((size_t)a * n_second + b) * taps,
                    taps * sizeof *layer->weight);
            at++;
        }
    for (unsigned o = 0; o < layer->n_out; o++)
        if (n->kept[node][o])
            layer->bias[n_bias++] = layer->bias[o];
}

static void
rewrite(Narrow *n)
{
    for (unsigned i = 0; i < n->network->n_layers; i++) {
        unsigned node = n->layer_nodes[i];

        if (node > 0)
            rewrite_layer(n, &n->network->layers[i], node,
                          n->origins[n->net->nodes[node].inputs[0]]);
    }
    for (unsigned i = 0; i < n->network->n_layers; i++) {
        CxLayer *layer = &n->network->layers[i];
        unsigned node = n->layer_nodes[i];

        if (node == 0)
            continue;
        layer->n_in = count_kept(n, n->net->nodes[node].inputs[0]);
        layer->n_out = count_kept(n, node);
    }
}

static void
count(const Narrow *n, double *flop, size_t *weights, unsigned *channels)
{
    *flop = flop_left(n);
    *weights = 0;
    *channels = 0;
    for (unsigned i = 0; i < n->network->n_layers; i++) {
        const CxLayer *layer = &n->network->layers[i];
        unsigned node = n->layer_nodes[i];

        if (node == 0)
            continue;
        uint32_t n_out = count_kept(n, node);
        *channels += n_out;
        *weights += (size_t)layer->extent[0] * layer->extent[1] *
                    layer->extent[2] * n_out *
                    count_kept(n, n->net->nodes[node].inputs[0]);
    }
}

/* ---- The whole of it ---- */

static bool
init_narrow(Narrow *n, const char *from, GError **error)
{
    n->network = cx_network_load(from, error);
    n->net = n->network != NULL ? cx_flow_new_from_network(n->network, 0, error)
                                : NULL;
    if (n->net == NULL)
        return false;
    for (unsigned i = 0; i < n->network->n_layers; i++)
        if (n->network->layers[i].op == CX_OP_ADD &&
            n->network->layers[i].n_inputs > 1) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "%s: layer %03u adds several layers, whose channels "
                        "cannot be taken away one by one; expected a network "
                        "without such sums",
                        from, i);
            return false;
        }
    n->origins = cx_flow_origins(n->net);
    n->layer_nodes = g_new0(unsigned, n->network->n_layers);
    n->kept = g_new0(uint8_t *, n->net->n_nodes);
    for (unsigned i = 0, layer = 0; i < n->net->n_nodes; i++) {
        uint32_t n_channels = n->net->nodes[i].shape.n_channels;

        if (!cx_flow_is_prunable(&n->net->nodes[i]))
            continue;
        while (n->network->layers[layer].weight == NULL)
            layer++;
        n->layer_nodes[layer++] = i;
        n->kept[i] = g_malloc(n_channels);
        memset(n->kept[i], 1, n_channels);
    }
    n->scores = cx_try_alloc(cx_flow_n_weights(n->net), sizeof(double), error);
    return n->scores != NULL;
}

static void
clear_narrow(Narrow *n)
{
    for (unsigned i = 0; n->kept != NULL && i < n->net->n_nodes; i++)
        g_free(n->kept[i]);
    g_free(n->kept);
    g_free(n->layer_nodes);
    cx_free(n->scores);
    cx_flow_origins_free(n->origins);
    cx_flow_net_free(n->net);
    cx_network_unref(n->network);
}

static bool
run_rounds(Narrow *n, const CxChannelPruning *p, CxJob *job, GError **error)
{
    for (unsigned k = 1; k <= p->n_rounds; k++) {
        double share = pow(p->compression, -(double)k / p->n_rounds);

        if (!run_round(n, p->flop_before * share, job, error) ||
            !cx_job_step(job, k, p->n_rounds, error))
            return false;
    }
    return true;
}

bool
cx_flow_write_narrow(const char *from, const char *to,
                     CxChannelPruning *pruning, CxJob *job, GError **error)
{
    Narrow n = {0};
    bool ok = false;

    if (!(pruning->compression >= 1.0) || pruning->n_rounds == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "channels pruned by %g in %u rounds were asked for, "
                    "expected a compression of at least 1 and at least one "
                    "round",
                    pruning->compression, pruning->n_rounds);
        return false;
    }
    if (init_narrow(&n, from, error)) {
        count(&n, &pruning->flop_before, &pruning->weights_before,
              &pruning->channels_before);
        ok = run_rounds(&n, pruning, job, error);
    }
    if (ok) {
        count(&n, &pruning->flop_after, &pruning->weights_after,
              &pruning->channels_after);
        rewrite(&n);
        ok = cx_flow_write_network(n.network, from, to, error);
    }
    clear_narrow(&n);
    return ok;
}
