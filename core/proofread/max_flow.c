/* Maximum flow of an undirected graph.
 *
 * Two trees grow through arcs that still have room, one from the sources, one
 * from the sinks.  Where they touch, a path is filled; nodes whose arc to the
 * parent is full then look for another parent in their tree or fall out of it
 * (Boykov and Kolmogorov, "An experimental comparison of min-cut/max-flow
 * algorithms for energy minimization in vision", TPAMI 2004, section 3; marks
 * and distances as in Kolmogorov's thesis, 2003).
 *
 * All terminals here have unlimited supply, so roots never become orphans.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/proofread/cut_graph.h"

#include <math.h>
#include <string.h>

#define NO_ARC UINT32_MAX
#define ROOT (UINT32_MAX - 1)

typedef struct {
    const CxCutGraph *graph;
    uint8_t *side;    /* CxCutSide: the tree a node is in */
    double *room;     /* of each arc */
    uint32_t *parent; /* arc from a node to its parent */
    uint32_t *distance;
    uint32_t *mark; /* time at which distance was known to be right */
    uint32_t now;
    GArray *active, *orphans; /* of uint32_t, used as queues */
    guint next_active, next_orphan;
    uint8_t *is_active;
} Flow;

static uint32_t
parent_node(const Flow *flow, uint32_t node)
{
    return flow->graph->head[flow->parent[node]];
}

static void
make_active(Flow *flow, uint32_t node)
{
    if (flow->is_active[node])
        return;
    flow->is_active[node] = 1;
    g_array_append_val(flow->active, node);
}

static void
make_orphan(Flow *flow, uint32_t node)
{
    flow->parent[node] = NO_ARC;
    g_array_append_val(flow->orphans, node);
}

/* The next active node that is still in a tree, or false. */
static bool
next_active(Flow *flow, uint32_t *node)
{
    while (flow->next_active < flow->active->len) {
        *node = g_array_index(flow->active, uint32_t, flow->next_active);
        if (flow->side[*node] != CX_SIDE_FREE)
            return true;
        flow->is_active[*node] = 0;
        flow->next_active++;
    }
    return false;
}

static void
retire(Flow *flow, uint32_t node)
{
    flow->is_active[node] = 0;
    flow->next_active++;
    if (flow->next_active > 4096 && flow->next_active > flow->active->len / 2) {
        g_array_remove_range(flow->active, 0, flow->next_active);
        flow->next_active = 0;
    }
}

/* Room towards the sink through an arc of `node`, from the side it is on. */
static double
outward_room(const Flow *flow, uint32_t node, uint32_t arc)
{
    return flow->side[node] == CX_SIDE_SOURCE
               ? flow->room[arc]
               : flow->room[flow->graph->sister[arc]];
}

/* Room of the arc through which `node` would hang from its neighbour. */
static double
inward_room(const Flow *flow, uint32_t node, uint32_t arc)
{
    return flow->side[node] == CX_SIDE_SOURCE
               ? flow->room[flow->graph->sister[arc]]
               : flow->room[arc];
}

static void
hang(Flow *flow, uint32_t node, uint32_t arc_to_parent, uint32_t mark,
     uint32_t distance)
{
    flow->parent[node] = arc_to_parent;
    flow->mark[node] = mark;
    flow->distance[node] = distance;
}

/* Grows the tree of `node` by its neighbours.  Returns the arc, in the
 * direction of flow, at which the other tree was met, or NO_ARC. */
static uint32_t
grow(Flow *flow, uint32_t node)
{
    const CxCutGraph *graph = flow->graph;

    for (uint32_t arc = graph->first[node]; arc < graph->first[node + 1];
         arc++) {
        if (!(outward_room(flow, node, arc) > 0))
            continue;
        uint32_t next = graph->head[arc], sister = graph->sister[arc];

        if (flow->side[next] == CX_SIDE_FREE) {
            flow->side[next] = flow->side[node];
            hang(flow, next, sister, flow->mark[node],
                 flow->distance[node] + 1);
            make_active(flow, next);
        } else if (flow->side[next] != flow->side[node]) {
            return flow->side[node] == CX_SIDE_SOURCE ? arc : sister;
        } else if (flow->parent[next] < ROOT &&
                   flow->mark[next] <= flow->mark[node] &&
                   flow->distance[next] > flow->distance[node] + 1) {
            hang(flow, next, sister, flow->mark[node],
                 flow->distance[node] + 1);
        }
    }
    return NO_ARC;
}

/* The arc of the flow between a node and its parent. */
static uint32_t
flow_arc(const Flow *flow, uint32_t node)
{
    uint32_t arc = flow->parent[node];

    return flow->side[node] == CX_SIDE_SOURCE ? flow->graph->sister[arc] : arc;
}

static double
narrowest(const Flow *flow, uint32_t node, double room)
{
    for (; flow->parent[node] != ROOT; node = parent_node(flow, node))
        room = fmin(room, flow->room[flow_arc(flow, node)]);
    return room;
}

static void
fill_arc(Flow *flow, uint32_t arc, double amount)
{
    flow->room[arc] -= amount;
    flow->room[flow->graph->sister[arc]] += amount;
}

static void
fill_branch(Flow *flow, uint32_t node, double amount)
{
    while (flow->parent[node] != ROOT) {
        uint32_t arc = flow_arc(flow, node), up = parent_node(flow, node);

        fill_arc(flow, arc, amount);
        if (!(flow->room[arc] > 0))
            make_orphan(flow, node);
        node = up;
    }
}

static void
augment(Flow *flow, uint32_t meeting)
{
    uint32_t from = flow->graph->head[flow->graph->sister[meeting]];
    uint32_t to = flow->graph->head[meeting];
    double amount = narrowest(flow, from, flow->room[meeting]);

    amount = narrowest(flow, to, amount);
    fill_arc(flow, meeting, amount);
    fill_branch(flow, from, amount);
    fill_branch(flow, to, amount);
}

/* Steps from a node to the root of its tree; UINT32_MAX if the branch hangs
 * from an orphan.  Marks the way, so that the next walk is short. */
static uint32_t
distance_to_root(Flow *flow, uint32_t node)
{
    uint32_t n_steps = 0, at = node;

    while (flow->mark[at] != flow->now) {
        if (flow->parent[at] == NO_ARC)
            return UINT32_MAX;
        if (flow->parent[at] == ROOT) {
            flow->mark[at] = flow->now;
            flow->distance[at] = 0;
            break;
        }
        at = parent_node(flow, at);
        n_steps++;
    }
    uint32_t distance = n_steps + flow->distance[at];
    uint32_t left = distance;

    for (at = node; flow->mark[at] != flow->now; at = parent_node(flow, at)) {
        flow->mark[at] = flow->now;
        flow->distance[at] = left--;
    }
    return distance;
}

static void
drop(Flow *flow, uint32_t node)
{
    const CxCutGraph *graph = flow->graph;

    for (uint32_t arc = graph->first[node]; arc < graph->first[node + 1];
         arc++) {
        uint32_t next = graph->head[arc];

        if (flow->side[next] != flow->side[node])
            continue;
        if (inward_room(flow, node, arc) > 0)
            make_active(flow, next);
        if (flow->parent[next] < ROOT && parent_node(flow, next) == node)
            make_orphan(flow, next);
    }
    flow->side[node] = CX_SIDE_FREE;
}

static void
adopt(Flow *flow, uint32_t node)
{
    const CxCutGraph *graph = flow->graph;
    uint32_t best_arc = NO_ARC, best = UINT32_MAX;

    for (uint32_t arc = graph->first[node]; arc < graph->first[node + 1];
         arc++) {
        uint32_t next = graph->head[arc];

        if (flow->side[next] != flow->side[node] ||
            flow->parent[next] == NO_ARC || !(inward_room(flow, node, arc) > 0))
            continue;
        uint32_t distance = distance_to_root(flow, next);

        if (distance < best) {
            best = distance;
            best_arc = arc;
        }
    }
    if (best_arc != NO_ARC)
        hang(flow, node, best_arc, flow->now, best + 1);
    else
        drop(flow, node);
}

static void
adopt_orphans(Flow *flow)
{
    flow->now++;
    while (flow->next_orphan < flow->orphans->len)
        adopt(flow,
              g_array_index(flow->orphans, uint32_t, flow->next_orphan++));
    g_array_set_size(flow->orphans, 0);
    flow->next_orphan = 0;
}

static bool
run(Flow *flow, CxJob *job, GError **error)
{
    uint64_t n_rounds = 0;
    uint32_t node;

    for (uint32_t i = 0; i < flow->graph->n_nodes; i++) {
        if (flow->side[i] != CX_SIDE_FREE) {
            flow->parent[i] = ROOT;
            make_active(flow, i);
        }
    }
    while (next_active(flow, &node)) {
        uint32_t meeting = grow(flow, node);

        if (meeting == NO_ARC) {
            retire(flow, node);
        } else {
            augment(flow, meeting);
            adopt_orphans(flow);
        }
        if ((++n_rounds & 0x3ff) == 0 && !cx_job_check(job, error))
            return false;
    }
    return true;
}

bool
cx_cut_graph_max_flow(const CxCutGraph *graph, uint8_t *side, CxJob *job,
                      GError **error)
{
    uint32_t n = graph->n_nodes;
    size_t size = sizeof(uint32_t);
    CX_AUTOFREE double *room =
        cx_try_alloc(graph->n_arcs, sizeof(double), error);
    CX_AUTOFREE uint32_t *numbers =
        room != NULL ? cx_try_alloc0(n, 3 * size, error) : NULL;
    CX_AUTOFREE uint8_t *is_active =
        numbers != NULL ? cx_try_alloc0(n, 1, error) : NULL;

    if (is_active == NULL)
        return false;
    if (graph->n_arcs > 0)
        memcpy(room, graph->capacity, graph->n_arcs * sizeof *room);
    memset(numbers, 0xff, n * size);

    g_autoptr(GArray) active = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) orphans = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    Flow flow = {
        .graph = graph,
        .side = side,
        .room = room,
        .parent = numbers,
        .distance = numbers + n,
        .mark = numbers + 2 * (size_t)n,
        .active = active,
        .orphans = orphans,
        .is_active = is_active,
    };

    return run(&flow, job, error);
}
