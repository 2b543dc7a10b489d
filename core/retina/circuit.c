/* The drawing of a reduced network: who gives how much, with which sign.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/circuit.h"

#include <math.h>

static CxCircuitNode
make_node(const CxAttribution *attribution, const CxChannelLabel *label,
          unsigned channel, size_t first, size_t end, size_t peak)
{
    size_t n_channels = attribution->n_channels[0], n = 0;
    const double *sum = attribution->sum[0];
    CxCircuitNode node = {
        .channel = channel,
        .on = label->on,
        .fast = label->fast,
        .lag_ms = label->lag_ms,
        .at_peak = sum[peak * n_channels + channel],
    };

    for (size_t t = first; t < end; t++) {
        if (!attribution->done[t])
            continue;
        node.strength += fabs(sum[t * n_channels + channel]);
        node.effect += sum[t * n_channels + channel];
        n++;
    }
    node.strength /= (double)MAX(n, 1);
    node.effect /= (double)MAX(n, 1);
    return node;
}

static size_t
find_peak(const CxAttribution *attribution, size_t first, size_t end)
{
    size_t peak = MIN(first, attribution->n_frames - 1);

    for (size_t t = first; t < end; t++)
        if (attribution->done[t] &&
            attribution->rate[t] > attribution->rate[peak])
            peak = t;
    return peak;
}

static void
sort_nodes(CxCircuitNode *nodes, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        CxCircuitNode node = nodes[i];
        size_t at = i;

        for (; at > 0 && nodes[at - 1].strength < node.strength; at--)
            nodes[at] = nodes[at - 1];
        nodes[at] = node;
    }
}

CxCircuit *
cx_circuit_new(const CxAttribution *attribution, const CxChannelLabel *labels,
               size_t first, size_t end)
{
    CxCircuit *circuit = g_new0(CxCircuit, 1);
    double total = 0.0;

    first = MAX(first, attribution->history);
    end = end > 0 ? MIN(end, attribution->n_frames) : attribution->n_frames;
    circuit->n_nodes = attribution->n_channels[0];
    circuit->nodes = g_new(CxCircuitNode, circuit->n_nodes);
    circuit->rate0 = attribution->rate0;
    circuit->peak_frame = find_peak(attribution, first, end);
    circuit->peak_rate = attribution->rate[circuit->peak_frame];
    for (unsigned c = 0; c < circuit->n_nodes; c++) {
        circuit->nodes[c] = make_node(attribution, &labels[c], c, first, end,
                                      circuit->peak_frame);
        total += circuit->nodes[c].strength;
    }
    for (size_t c = 0; c < circuit->n_nodes && total > 0.0; c++)
        circuit->nodes[c].share = circuit->nodes[c].strength / total;
    sort_nodes(circuit->nodes, circuit->n_nodes);
    return circuit;
}

CxCircuit *
cx_circuit_copy(const CxCircuit *circuit)
{
    CxCircuit *copy = g_memdup2(circuit, sizeof(CxCircuit));

    copy->nodes =
        g_memdup2(circuit->nodes, circuit->n_nodes * sizeof(CxCircuitNode));
    return copy;
}

void
cx_circuit_free(CxCircuit *circuit)
{
    g_free(circuit->nodes);
    g_free(circuit);
}

size_t
cx_circuit_n_for_share(const CxCircuit *circuit, double share)
{
    double sum = 0.0;
    size_t n = 0;

    while (n < circuit->n_nodes && sum < share)
        sum += circuit->nodes[n++].share;
    return n;
}
