/* Cheapest cut of a small graph between two groups of nodes.
 *
 * Steps: nodes joined by uncuttable edges become one; the seeds of each side
 * are joined along short paths; maximum flow between the two sets; what no
 * side reaches is dealt out.  A side that then has no more than it was given is
 * given twice as much of what is strongest tied to it, and the flow is computed
 * anew.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/split_mincut.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/union_find.h"
#include "core/proofread/cut_graph.h"

#include <math.h>
#include <string.h>

/* The seeds of one side, in nodes of the contracted graph, and the nodes that
 * may not be cut from them. */
typedef struct {
    uint32_t *seeds;
    size_t n_seeds;
    uint8_t *path;
    size_t n_apart;
    double length;
} Side;

static void
side_clear(Side *side)
{
    cx_free(side->seeds);
    cx_free(side->path);
}

static bool
side_init(Side *side, uint32_t n_nodes, const uint32_t *node_of,
          const uint32_t *seeds, size_t n_seeds, GError **error)
{
    side->seeds = cx_try_alloc(n_seeds, sizeof(uint32_t), error);
    if (side->seeds == NULL)
        return false;
    side->path = cx_try_alloc0(n_nodes, 1, error);
    if (side->path == NULL)
        return false;
    side->n_seeds = n_seeds;
    for (size_t i = 0; i < n_seeds; i++) {
        side->seeds[i] = node_of[seeds[i]];
        side->path[side->seeds[i]] = 1;
    }
    return true;
}

/* Numbers the groups of nodes that uncuttable edges hold together. */
static uint32_t
contract(const CxCutProblem *problem, uint32_t *node_of)
{
    g_autoptr(CxUnionFind) sets = cx_union_find_new(problem->n_nodes);
    uint32_t n_nodes = 0;

    for (size_t i = 0; i < problem->n_edges; i++) {
        const CxCutEdge *edge = &problem->edges[i];

        if (isinf(edge->capacity))
            cx_union_find_join(sets, edge->a, edge->b);
    }
    for (uint32_t i = 0; i < problem->n_nodes; i++) {
        uint32_t root = cx_union_find_root(sets, i);

        /* The root is the smallest of its set, so it has its number. */
        node_of[i] = root == i ? n_nodes++ : node_of[root];
    }
    return n_nodes;
}

static bool
check_seeds(const CxCutProblem *problem, const uint32_t *node_of, Side *source,
            GError **error)
{
    for (size_t k = 0; k < problem->n_sinks; k++) {
        uint32_t sink = problem->sinks[k];

        if (!source->path[node_of[sink]])
            continue;
        for (size_t i = 0; i < problem->n_sources; i++) {
            if (problem->sources[i] == sink) {
                g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                            "node %u is a seed of both sides", sink);
                return false;
            }
        }
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "node %u cannot be cut from the other side: edges that "
                    "may not be cut join them",
                    sink);
        return false;
    }
    return true;
}

/* Joins the seeds of a side anew. */
static bool
join_side(const CxCutGraph *graph, Side *side, CxCutTerrain terrain,
          uint8_t *path, CxJob *job, GError **error)
{
    memset(path, 0, graph->n_nodes);
    return cx_cut_graph_join(graph, side->seeds, side->n_seeds, terrain, path,
                             &side->n_apart, &side->length, job, error);
}

static bool
overlap(const uint8_t *a, const uint8_t *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (a[i] && b[i])
            return true;
    }
    return false;
}

/* The paths of the two sides cross: each side in turn keeps its own while the
 * other goes round, and the better of the two ways is taken. */
static bool
go_round(const CxCutGraph *graph, Side *a, Side *b, CxJob *job, GError **error)
{
    size_t n = graph->n_nodes;
    CX_AUTOFREE uint8_t *a_round = cx_try_alloc0(n, 1, error);
    CX_AUTOFREE uint8_t *b_round =
        a_round != NULL ? cx_try_alloc0(n, 1, error) : NULL;
    Side other_a = *a, other_b = *b;
    CxCutTerrain round_a = {a->path, NULL}, round_b = {b->path, NULL};

    if (b_round == NULL ||
        !join_side(graph, &other_b, round_a, b_round, job, error) ||
        !join_side(graph, &other_a, round_b, a_round, job, error))
        return false;

    size_t apart_if_a = a->n_apart + other_b.n_apart;
    size_t apart_if_b = b->n_apart + other_a.n_apart;
    bool a_keeps = apart_if_a != apart_if_b ? apart_if_a < apart_if_b
                                            : a->length + other_b.length <=
                                                  b->length + other_a.length;
    Side *moved = a_keeps ? b : a;
    const Side *other = a_keeps ? &other_b : &other_a;

    memcpy(moved->path, a_keeps ? b_round : a_round, n);
    moved->n_apart = other->n_apart;
    moved->length = other->length;
    return true;
}

#define MAX_ROUNDS 40

/* Neither could go round the other: both give way.  Nodes that both want become
 * dearer from round to round, and what the other has now the more so (McMurchie
 * and Ebeling, "PathFinder", FPGA 1995).  *parted: they no longer cross. */
static bool
negotiate(const CxCutGraph *graph, Side *sides[2], const uint8_t *seeds[2],
          bool *parted, CxJob *job, GError **error)
{
    uint32_t n = graph->n_nodes;
    CX_AUTOFREE double *wanted = cx_try_alloc0(n, sizeof(double), error);
    CX_AUTOFREE double *toll =
        wanted != NULL ? cx_try_alloc(n, sizeof(double), error) : NULL;

    if (toll == NULL)
        return false;
    *parted = false;
    for (int round = 1; round <= MAX_ROUNDS && !*parted; round++) {
        for (uint32_t i = 0; i < n; i++)
            wanted[i] += sides[0]->path[i] && sides[1]->path[i];
        for (int k = 0; k < 2; k++) {
            CxCutTerrain terrain = {seeds[1 - k], toll};

            for (uint32_t i = 0; i < n; i++)
                toll[i] =
                    (1 + wanted[i]) * (sides[1 - k]->path[i] ? 1 + round : 1);
            if (!join_side(graph, sides[k], terrain, sides[k]->path, job,
                           error))
                return false;
        }
        *parted = !overlap(sides[0]->path, sides[1]->path, n);
    }
    return true;
}

static bool
part_paths(const CxCutGraph *graph, Side *source, Side *sink,
           const uint8_t *seeds[2], CxJob *job, GError **error)
{
    size_t n = graph->n_nodes, n_apart = source->n_apart + sink->n_apart;
    CX_AUTOFREE uint8_t *sources = cx_try_alloc(n, 1, error);
    CX_AUTOFREE uint8_t *sinks =
        sources != NULL ? cx_try_alloc(n, 1, error) : NULL;
    Side a = *source, b = *sink, *both[2] = {&a, &b};
    bool parted = false;

    if (sinks == NULL)
        return false;
    a.path = memcpy(sources, source->path, n);
    b.path = memcpy(sinks, sink->path, n);
    if (!go_round(graph, source, sink, job, error))
        return false;
    if (source->n_apart + sink->n_apart <= n_apart)
        return true;
    if (!negotiate(graph, both, seeds, &parted, job, error))
        return false;
    if (parted) {
        memcpy(source->path, a.path, n);
        memcpy(sink->path, b.path, n);
    }
    return true;
}

static bool
join_sides(const CxCutGraph *graph, Side *source, Side *sink, CxJob *job,
           GError **error)
{
    size_t n = graph->n_nodes;
    CX_AUTOFREE uint8_t *sources = cx_try_alloc(n, 1, error);
    CX_AUTOFREE uint8_t *sinks =
        sources != NULL ? cx_try_alloc(n, 1, error) : NULL;

    if (sinks == NULL)
        return false;
    memcpy(sources, source->path, n);
    memcpy(sinks, sink->path, n);

    CxCutTerrain not_sinks = {sinks, NULL}, not_sources = {sources, NULL};
    const uint8_t *seeds[2] = {sources, sinks};

    if (!join_side(graph, source, not_sinks, source->path, job, error) ||
        !join_side(graph, sink, not_sources, sink->path, job, error))
        return false;
    if (!overlap(source->path, sink->path, graph->n_nodes))
        return true;
    return part_paths(graph, source, sink, seeds, job, error);
}

/* Collects the free nodes joined to `start` and finds their strongest edge to
 * a side. */
static CxCutSide
strongest_side(const CxCutGraph *graph, const uint8_t *side, uint32_t start,
               uint8_t *seen, GArray *piece)
{
    CxCutSide best_side = CX_SIDE_SOURCE;
    double best = -1;

    g_array_set_size(piece, 0);
    g_array_append_val(piece, start);
    seen[start] = 1;
    for (guint i = 0; i < piece->len; i++) {
        uint32_t node = g_array_index(piece, uint32_t, i);

        for (uint32_t arc = graph->first[node]; arc < graph->first[node + 1];
             arc++) {
            uint32_t next = graph->head[arc];

            if (side[next] != CX_SIDE_FREE && graph->capacity[arc] > best) {
                best = graph->capacity[arc];
                best_side = (CxCutSide)side[next];
            } else if (side[next] == CX_SIDE_FREE && !seen[next]) {
                seen[next] = 1;
                g_array_append_val(piece, next);
            }
        }
    }
    return best_side;
}

/* All edges that leave a free piece are full, and as much flows in as out: so
 * whichever side a whole piece goes to, the cut costs the same. */
static bool
deal_out_free(const CxCutGraph *graph, uint8_t *side, GError **error)
{
    g_autoptr(GArray) piece = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    CX_AUTOFREE uint8_t *seen = cx_try_alloc0(graph->n_nodes, 1, error);

    if (seen == NULL)
        return false;
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        if (side[i] != CX_SIDE_FREE)
            continue;
        CxCutSide best = strongest_side(graph, side, i, seen, piece);

        for (guint k = 0; k < piece->len; k++)
            side[g_array_index(piece, uint32_t, k)] = (uint8_t)best;
    }
    return true;
}

/* What is known of the sides, and what may be added. */
typedef struct {
    uint8_t *known;    /* CxCutSide of each node */
    size_t n_known[2]; /* of source, of sink */
    GArray *order[2];  /* nodes tied to each, strongest first */
    guint n_taken[2];  /* of order, in known */
} Known;

static void
known_clear(Known *self)
{
    cx_free(self->known);
    g_clear_pointer(&self->order[0], g_array_unref);
    g_clear_pointer(&self->order[1], g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Known, known_clear)

static bool
known_init(Known *self, const CxCutGraph *graph, const Side *source,
           const Side *sink, GError **error)
{
    self->known = cx_try_alloc(graph->n_nodes, 1, error);
    if (self->known == NULL)
        return false;
    for (uint32_t i = 0; i < graph->n_nodes; i++) {
        self->known[i] = source->path[i] ? CX_SIDE_SOURCE
                         : sink->path[i] ? CX_SIDE_SINK
                                         : CX_SIDE_FREE;
        self->n_known[0] += source->path[i];
        self->n_known[1] += self->known[i] == CX_SIDE_SINK;
    }
    return true;
}

static bool
order_rest(Known *self, const CxCutGraph *graph, CxJob *job, GError **error)
{
    for (int k = 0; k < 2; k++)
        self->order[k] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return cx_cut_graph_grow(graph, self->known, self->order[0], self->order[1],
                             job, error);
}

/* As many nodes again as are known of the side; false if there are none. */
static bool
learn_more(Known *self, int k)
{
    guint n =
        (guint)MIN(self->n_known[k], self->order[k]->len - self->n_taken[k]);

    for (guint i = 0; i < n; i++) {
        uint32_t node =
            g_array_index(self->order[k], uint32_t, self->n_taken[k] + i);

        self->known[node] = k == 0 ? CX_SIDE_SOURCE : CX_SIDE_SINK;
    }
    self->n_taken[k] += n;
    self->n_known[k] += n;
    return n > 0;
}

/* A side that got nothing beyond what was known learns more, if it can. */
static bool
widen_trivial(Known *self, const CxCutGraph *graph, const uint8_t *side,
              bool *widened, CxJob *job, GError **error)
{
    size_t n_sink = 0;

    for (uint32_t i = 0; i < graph->n_nodes; i++)
        n_sink += side[i] == CX_SIDE_SINK;
    bool trivial[2] = {graph->n_nodes - n_sink == self->n_known[0],
                       n_sink == self->n_known[1]};

    *widened = false;
    if (!trivial[0] && !trivial[1])
        return true;
    if (self->order[0] == NULL && !order_rest(self, graph, job, error))
        return false;
    for (int k = 0; k < 2; k++)
        *widened |= trivial[k] && learn_more(self, k);
    return true;
}

static bool
cut(const CxCutProblem *problem, const CxCutGraph *graph, Side *source,
    Side *sink, uint8_t *side, CxJob *job, GError **error)
{
    g_auto(Known) known = {0};
    bool again = true;

    if (problem->join_seeds && !join_sides(graph, source, sink, job, error))
        return false;
    if (!known_init(&known, graph, source, sink, error))
        return false;
    while (again) {
        memcpy(side, known.known, graph->n_nodes);
        if (!cx_cut_graph_max_flow(graph, side, job, error) ||
            !deal_out_free(graph, side, error))
            return false;
        again = false;
        if (problem->join_seeds &&
            !widen_trivial(&known, graph, side, &again, job, error))
            return false;
    }
    return true;
}

static double
cut_value(const CxCutProblem *problem, const uint8_t *side)
{
    double value = 0;

    for (size_t i = 0; i < problem->n_edges; i++) {
        const CxCutEdge *edge = &problem->edges[i];

        if (side[edge->a] != side[edge->b])
            value += edge->capacity;
    }
    return value;
}

static bool
solve(const CxCutProblem *problem, const uint32_t *node_of, uint32_t n_nodes,
      Side *source, Side *sink, uint8_t *side, CxJob *job, GError **error)
{
    if (!side_init(source, n_nodes, node_of, problem->sources,
                   problem->n_sources, error) ||
        !side_init(sink, n_nodes, node_of, problem->sinks, problem->n_sinks,
                   error) ||
        !check_seeds(problem, node_of, source, error))
        return false;

    g_autoptr(CxCutGraph) graph =
        cx_cut_graph_new(problem, n_nodes, node_of, error);
    CX_AUTOFREE uint8_t *node_side =
        graph != NULL ? cx_try_alloc0(n_nodes, 1, error) : NULL;

    if (node_side == NULL ||
        !cut(problem, graph, source, sink, node_side, job, error))
        return false;
    for (uint32_t i = 0; i < problem->n_nodes; i++)
        side[i] = node_side[node_of[i]] == CX_SIDE_SINK;
    return true;
}

bool
cx_split_mincut(const CxCutProblem *problem, uint8_t *side, double *value,
                CxJob *job, GError **error)
{
    Side source = {0}, sink = {0};
    CX_AUTOFREE uint32_t *node_of =
        cx_try_alloc(problem->n_nodes, sizeof(uint32_t), error);

    if (node_of == NULL)
        return false;
    uint32_t n_nodes = contract(problem, node_of);
    bool ok =
        solve(problem, node_of, n_nodes, &source, &sink, side, job, error);

    side_clear(&source);
    side_clear(&sink);
    if (ok && value != NULL)
        *value = cut_value(problem, side);
    return ok;
}
