/* A small undirected graph in compact arrays, as the cut wants it, and its
 * maximum flow.
 *
 * Every edge is two arcs, one at each end, each other's sister.  Nodes that
 * must stay together are contracted when the graph is built.  Not thread-safe
 * while built; read-only afterwards.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/split_mincut.h"

typedef enum {
    CX_SIDE_FREE,
    CX_SIDE_SOURCE,
    CX_SIDE_SINK,
} CxCutSide;

typedef struct {
    uint32_t n_nodes;
    uint32_t n_arcs;
    uint32_t *first;  /* n_nodes + 1: the arcs of a node */
    uint32_t *head;   /* node an arc leads to */
    uint32_t *sister; /* the same edge seen from its other end */
    double *capacity;
    double *strength; /* CxCutProblem.strengths, or the capacities */
} CxCutGraph;

/* node_of[i] < n_nodes is where node i of the problem went; edges of infinite
 * capacity and loops must have both ends in one node and are left out.
 * NULL with CX_ERROR_NO_MEMORY. */
CxCutGraph *cx_cut_graph_new(const CxCutProblem *problem, uint32_t n_nodes,
                             const uint32_t *node_of, GError **error);
void cx_cut_graph_free(CxCutGraph *graph);

/* Boykov and Kolmogorov's maximum flow.  side comes in with the terminals
 * (every SOURCE and SINK node has unlimited supply) and goes out with SOURCE
 * for what the sources still reach, SINK for what still reaches the sinks and
 * FREE for the rest. */
bool cx_cut_graph_max_flow(const CxCutGraph *graph, uint8_t *side, CxJob *job,
                           GError **error);

/* Grows both sides by their strongest arcs until no node is left that they
 * reach; appends the nodes (uint32_t) of each side in the order they came. */
bool cx_cut_graph_grow(const CxCutGraph *graph, const uint8_t *side,
                       GArray *source_order, GArray *sink_order, CxJob *job,
                       GError **error);

/* What a path may not or should not use: nodes that are blocked, and how many
 * times longer an arc into a node counts (NULL: once). */
typedef struct {
    const uint8_t *blocked;
    const double *toll;
} CxCutTerrain;

/* Joins the seeds by short paths; marks in `path` (n_nodes bytes) all nodes of
 * these paths.  *n_apart counts seeds that could not be joined, *length sums
 * the paths. */
bool cx_cut_graph_join(const CxCutGraph *graph, const uint32_t *seeds,
                       size_t n_seeds, CxCutTerrain terrain, uint8_t *path,
                       size_t *n_apart, double *length, CxJob *job,
                       GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxCutGraph, cx_cut_graph_free)
