/* Cheapest cut of a small graph between two groups of nodes.
 *
 * Max-flow by growing two search trees (Boykov and Kolmogorov, TPAMI 2004),
 * after joining the seeds of each side along shortest paths that may not be
 * cut (the path-augmented min-cut of PyChunkedGraph: Dorkenwald et al., Nature
 * Methods 2022), so that no seed of a group is cut off from the others.
 *
 * A path does not help a seed that is alone: where its own contacts cost less
 * than the border it should find, the cheapest cut is around it.  So a side that
 * comes out as its seeds and paths and nothing else is widened: it takes as
 * many nodes again, those tied to it most strongly, and the cut is computed
 * anew, until it finds a border of its own.  Which nodes are tied to which side
 * is decided by growing both at once along the strongest edges (a maximum
 * spanning forest); the cut decides everywhere else.  A seed stays alone only if
 * each neighbour is tied more strongly to the other side.
 *
 * Pure functions of their arguments; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"

/* Undirected.  capacity >= 0; INFINITY = must not be cut.  Parallel edges add
 * up, loops are ignored. */
typedef struct {
    uint32_t a, b;
    double capacity;
} CxCutEdge;

typedef struct {
    uint32_t n_nodes;
    const CxCutEdge *edges;
    size_t n_edges;
    const uint32_t *sources, *sinks;
    size_t n_sources, n_sinks;
    bool join_seeds; /* and widen trivial sides; false: the plain min-cut */

    /* How strongly the ends of each edge belong together, whatever their
     * contact; only the order counts.  NULL: the capacities. */
    const double *strengths;
} CxCutProblem;

/* side[i] becomes 0 (source's) or 1 (sink's) for each node; *value (may be
 * NULL) the sum of the capacities cut.  Nodes that no seed reaches through
 * uncut edges go, a connected piece at a time, to the side of their strongest
 * edge; this never changes the value.
 *
 * Where the shortest paths of the two sides cross, one side keeps its paths
 * and the other goes round, whichever makes the shorter total; where neither
 * can, both give way.  A seed that cannot be reached then stays on its side
 * alone.
 *
 * CX_ERROR_INVALID if a node is a seed of both sides or uncuttable edges join
 * the sides; CX_ERROR_CANCELLED. */
bool cx_split_mincut(const CxCutProblem *problem, uint8_t *side, double *value,
                     CxJob *job, GError **error);
