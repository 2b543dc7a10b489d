/* SynFlow: what enters a hidden neuron, and what leaves it.
 *
 * The way from a layer to those that use it leads through nodes that keep the
 * channels apart; for each channel of each node it is known which channel of
 * which layer it comes from.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/flow_origin.h"
#include "core/theory/synflow.h"

#include <math.h>

CxFlowOrigin **
cx_flow_origins(const CxFlowNet *net)
{
    CxFlowOrigin **origins = g_new0(CxFlowOrigin *, net->n_nodes + 1);

    for (unsigned i = 0; i < net->n_nodes; i++) {
        const CxFlowNode *node = &net->nodes[i];
        uint32_t n = node->shape.n_channels, at = 0;

        origins[i] = g_new0(CxFlowOrigin, n);
        if (node->op == CX_FLOW_INPUT)
            continue;
        for (uint32_t c = 0; cx_flow_is_prunable(node) && c < n; c++)
            origins[i][c] = (CxFlowOrigin){i, c};
        if (cx_flow_is_prunable(node) ||
            (node->op == CX_FLOW_ADD && node->n_inputs > 1))
            continue; /* a sum of several comes from none of them */
        for (unsigned k = 0; k < node->n_inputs; k++)
            for (uint32_t c = 0;
                 c < net->nodes[node->inputs[k]].shape.n_channels; c++)
                origins[i][at++] = origins[node->inputs[k]][c];
    }
    return origins;
}

void
cx_flow_origins_free(CxFlowOrigin **origins)
{
    for (unsigned i = 0; origins != NULL && origins[i] != NULL; i++)
        g_free(origins[i]);
    g_free(origins);
}

/* Marks channels whose scores do not all pass through layers: those that reach
 * the output, or a sum. */
static void
mark_open(const CxFlowNet *net, CxFlowOrigin **origins, GHashTable *open)
{
    for (unsigned i = 0; i < net->n_nodes; i++) {
        const CxFlowNode *node = &net->nodes[i];
        bool sums = node->op == CX_FLOW_ADD && node->n_inputs > 1;

        for (unsigned k = 0; sums && k < node->n_inputs; k++)
            for (uint32_t c = 0; c < node->shape.n_channels; c++)
                g_hash_table_add(
                    open, cx_flow_origin_key(origins[node->inputs[k]][c]));
    }
    for (uint32_t c = 0; c < cx_flow_net_output(net)->shape.n_channels; c++)
        g_hash_table_add(open,
                         cx_flow_origin_key(origins[net->n_nodes - 1][c]));
}

/* Sums of scores by channel in front of and behind the weights of a layer. */
static void
add_layer(const CxFlowNode *node, uint32_t n_in, const double *scores,
          double *by_in, double *by_out)
{
    uint32_t n_out = node->shape.n_channels;
    size_t taps = node->n_weights / n_in / n_out;

    for (size_t k = 0; k < node->n_weights; k++) {
        size_t first = k / taps;
        size_t in = node->op == CX_FLOW_UPCONV ? first / n_out : first % n_in;
        size_t out = node->op == CX_FLOW_UPCONV ? first % n_out : first / n_in;

        by_in[in] += scores[k];
        by_out[out] += scores[k];
    }
}

static void
add_to_neurons(const CxFlowNet *net, unsigned index, CxFlowOrigin **origins,
               const double *scores, double **in, double **out)
{
    const CxFlowNode *node = &net->nodes[index];
    unsigned from = node->inputs[0];
    uint32_t n_in = net->nodes[from].shape.n_channels;
    g_autofree double *by_in = g_new0(double, n_in);

    add_layer(node, n_in, scores, by_in, in[index]);
    for (uint32_t c = 0; c < n_in; c++) {
        CxFlowOrigin origin = origins[from][c];

        if (origin.node > 0)
            out[origin.node][origin.channel] += by_in[c];
    }
}

CxFlowNeuron *
cx_synflow_neurons(const CxFlowNet *net, const double *scores, size_t *n)
{
    CxFlowOrigin **origins = cx_flow_origins(net);
    g_autoptr(GHashTable) open =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GArray) neurons = g_array_new(FALSE, FALSE, sizeof(CxFlowNeuron));
    g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(g_free);
    g_autofree double **in = g_new0(double *, net->n_nodes);
    g_autofree double **out = g_new0(double *, net->n_nodes);

    for (unsigned i = 0; i < net->n_nodes; i++) {
        in[i] = g_new0(double, net->nodes[i].shape.n_channels);
        out[i] = g_new0(double, net->nodes[i].shape.n_channels);
        g_ptr_array_add(memory, in[i]);
        g_ptr_array_add(memory, out[i]);
    }
    for (unsigned i = 0; i < net->n_nodes; i++) {
        if (!cx_flow_is_prunable(&net->nodes[i]))
            continue;
        add_to_neurons(net, i, origins, scores, in, out);
        scores += net->nodes[i].n_weights;
    }
    mark_open(net, origins, open);
    for (unsigned i = 0; i < net->n_nodes; i++)
        for (uint32_t c = 0; cx_flow_is_prunable(&net->nodes[i]) &&
                             c < net->nodes[i].shape.n_channels;
             c++) {
            CxFlowNeuron neuron = {i, c, in[i][c], out[i][c]};
            g_autofree void *key = cx_flow_origin_key((CxFlowOrigin){i, c});

            if (!g_hash_table_contains(open, key))
                g_array_append_val(neurons, neuron);
        }
    cx_flow_origins_free(origins);
    *n = neurons->len;
    return (CxFlowNeuron *)(void *)g_array_free(g_steal_pointer(&neurons),
                                                FALSE);
}

double
cx_synflow_conservation_error(const CxFlowNeuron *neurons, size_t n)
{
    double largest = 0.0;

    for (size_t i = 0; i < n; i++) {
        double most = fmax(neurons[i].in, neurons[i].out);

        if (most > 0.0)
            largest =
                fmax(largest, fabs(neurons[i].in - neurons[i].out) / most);
    }
    return largest;
}
