/* Growth of both sides of a cut from what is known of them.
 *
 * Prim's algorithm from all marked nodes at once: the strongest arc that leaves
 * either side brings in the node it leads to.  The result is the cut of a
 * maximum spanning forest, in other words a seeded watershed of the graph
 * (Cousty et al., "Watershed cuts", TPAMI 2009).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/heap.h"
#include "core/proofread/cut_graph.h"

#include <string.h>

typedef struct {
    const CxCutGraph *graph;
    uint8_t *side;  /* of the nodes that are in */
    uint8_t *claim; /* of the others: whose strongest arc leads there */
    double *best;   /* the strength of that arc */
    CxHeap *heap;
} Growth;

static void
reach_out(Growth *growth, uint32_t node)
{
    const CxCutGraph *graph = growth->graph;

    for (uint32_t arc = graph->first[node]; arc < graph->first[node + 1];
         arc++) {
        uint32_t next = graph->head[arc];
        double strength = graph->strength[arc];

        if (growth->side[next] != CX_SIDE_FREE ||
            strength <= growth->best[next])
            continue;
        growth->best[next] = strength;
        growth->claim[next] = growth->side[node];
        cx_heap_set(growth->heap, next, (float)strength);
    }
}

static bool
grow(Growth *growth, GArray *source_order, GArray *sink_order, CxJob *job,
     GError **error)
{
    uint64_t n_steps = 0;

    for (uint32_t i = 0; i < growth->graph->n_nodes; i++) {
        if (growth->side[i] != CX_SIDE_FREE)
            reach_out(growth, i);
    }
    while (!cx_heap_is_empty(growth->heap)) {
        float key;
        uint32_t node = cx_heap_pop(growth->heap, &key);
        uint8_t side = growth->claim[node];

        growth->side[node] = side;
        g_array_append_val(side == CX_SIDE_SOURCE ? source_order : sink_order,
                           node);
        reach_out(growth, node);
        if ((++n_steps & 0xfff) == 0 && !cx_job_check(job, error))
            return false;
    }
    return true;
}

bool
cx_cut_graph_grow(const CxCutGraph *graph, const uint8_t *side,
                  GArray *source_order, GArray *sink_order, CxJob *job,
                  GError **error)
{
    uint32_t n = graph->n_nodes;
    g_autoptr(CxHeap) heap = cx_heap_new(n);
    CX_AUTOFREE uint8_t *sides = cx_try_alloc(n, 1, error);
    CX_AUTOFREE uint8_t *claim =
        sides != NULL ? cx_try_alloc0(n, 1, error) : NULL;
    CX_AUTOFREE double *best =
        claim != NULL ? cx_try_alloc(n, sizeof(double), error) : NULL;

    if (best == NULL)
        return false;
    memcpy(sides, side, n);
    for (uint32_t i = 0; i < n; i++)
        best[i] = -1;

    Growth growth = {graph, sides, claim, best, heap};
    return grow(&growth, source_order, sink_order, job, error);
}
