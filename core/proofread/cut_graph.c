/* A small undirected graph in compact arrays, and paths in it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/cut_graph.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/heap.h"

#include <math.h>
#include <string.h>

/* Arcs are 32-bit; a local graph never comes near. */
#define MAX_EDGES (UINT32_MAX / 4)

void
cx_cut_graph_free(CxCutGraph *graph)
{
    if (graph == NULL)
        return;
    cx_free(graph->first);
    cx_free(graph->head);
    cx_free(graph->sister);
    cx_free(graph->capacity);
    cx_free(graph->strength);
    g_free(graph);
}

static bool
allocate(CxCutGraph *graph, GError **error)
{
    size_t n_arcs = graph->n_arcs;

    graph->first =
        cx_try_alloc0((size_t)graph->n_nodes + 1, sizeof(uint32_t), error);
    if (graph->first == NULL)
        return false;
    graph->head = cx_try_alloc(n_arcs, sizeof(uint32_t), error);
    if (graph->head == NULL)
        return false;
    graph->sister = cx_try_alloc(n_arcs, sizeof(uint32_t), error);
    if (graph->sister == NULL)
        return false;
    graph->capacity = cx_try_alloc(n_arcs, sizeof(double), error);
    if (graph->capacity == NULL)
        return false;
    graph->strength = cx_try_alloc(n_arcs, sizeof(double), error);
    return graph->strength != NULL;
}

static bool
is_kept(const CxCutEdge *edge, const uint32_t *node_of)
{
    return node_of[edge->a] != node_of[edge->b];
}

static void
put_arc(CxCutGraph *graph, uint32_t arc, uint32_t head, uint32_t sister,
        double capacity, double strength)
{
    graph->head[arc] = head;
    graph->sister[arc] = sister;
    graph->capacity[arc] = capacity;
    graph->strength[arc] = strength;
}

/* Counting sort: first[] counts, then runs ahead as arcs are put. */
static void
fill_arcs(CxCutGraph *graph, const CxCutProblem *problem,
          const uint32_t *node_of)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i <= graph->n_nodes; i++) {
        uint32_t n = graph->first[i];

        graph->first[i] = total;
        total += n;
    }
    for (size_t i = 0; i < problem->n_edges; i++) {
        const CxCutEdge *edge = &problem->edges[i];

        if (!is_kept(edge, node_of))
            continue;
        uint32_t a = node_of[edge->a], b = node_of[edge->b];
        uint32_t at_a = graph->first[a]++, at_b = graph->first[b]++;
        double strength =
            problem->strengths != NULL ? problem->strengths[i] : edge->capacity;

        put_arc(graph, at_a, b, at_b, edge->capacity, strength);
        put_arc(graph, at_b, a, at_a, edge->capacity, strength);
    }
    memmove(graph->first + 1, graph->first,
            graph->n_nodes * sizeof *graph->first);
    graph->first[0] = 0;
}

CxCutGraph *
cx_cut_graph_new(const CxCutProblem *problem, uint32_t n_nodes,
                 const uint32_t *node_of, GError **error)
{
    const CxCutEdge *edges = problem->edges;
    size_t n_edges = problem->n_edges;
    g_autoptr(CxCutGraph) graph = g_new0(CxCutGraph, 1);
    size_t n_kept = 0;

    for (size_t i = 0; i < n_edges; i++)
        n_kept += is_kept(&edges[i], node_of);
    if (n_kept > MAX_EDGES) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "cannot cut a graph of %" G_GSIZE_FORMAT
                    " edges, at most %u are possible",
                    n_kept, MAX_EDGES);
        return NULL;
    }
    graph->n_nodes = n_nodes;
    graph->n_arcs = (uint32_t)(2 * n_kept);
    if (!allocate(graph, error))
        return NULL;
    for (size_t i = 0; i < n_edges; i++) {
        if (is_kept(&edges[i], node_of)) {
            graph->first[node_of[edges[i].a]]++;
            graph->first[node_of[edges[i].b]]++;
        }
    }
    fill_arcs(graph, problem, node_of);
    return g_steal_pointer(&graph);
}

/* A growing tree of joined seeds: Dijkstra's search from all of its nodes at
 * once.  When a seed is reached its path joins the tree at distance 0 and the
 * search goes on; nodes settled before are reopened if they came nearer. */
typedef struct {
    const CxCutGraph *graph;
    CxCutTerrain terrain;
    uint8_t *path;
    uint8_t *wanted; /* seeds not reached yet */
    size_t n_wanted;
    double *distance;
    uint32_t *parent;
    CxHeap *heap;
    double mean_capacity;
} Search;

/* Strong edges are short. */
static double
arc_length(const Search *search, uint32_t arc)
{
    double unit = search->mean_capacity;
    const double *toll = search->terrain.toll;

    return unit / (search->graph->capacity[arc] + unit * 1e-6) *
           (toll != NULL ? toll[search->graph->head[arc]] : 1);
}

static void
add_to_tree(Search *search, uint32_t node)
{
    search->path[node] = 1;
    search->n_wanted -= search->wanted[node];
    search->wanted[node] = 0;
    search->distance[node] = 0;
    search->parent[node] = node;
    cx_heap_set(search->heap, node, 0);
}

static void
relax(Search *search, uint32_t node)
{
    const CxCutGraph *graph = search->graph;

    for (uint32_t arc = graph->first[node]; arc < graph->first[node + 1];
         arc++) {
        uint32_t next = graph->head[arc];
        double distance = search->distance[node] + arc_length(search, arc);

        if (search->terrain.blocked[next] || distance >= search->distance[next])
            continue;
        search->distance[next] = distance;
        search->parent[next] = node;
        cx_heap_set(search->heap, next, (float)-distance);
    }
}

static double
take_path(Search *search, uint32_t node)
{
    double length = search->distance[node];

    while (search->distance[node] > 0) {
        uint32_t parent = search->parent[node];

        add_to_tree(search, node);
        node = parent;
    }
    return length;
}

/* Reaches every seed that can be reached from the first. */
static bool
grow_tree(Search *search, uint32_t first, double *length, CxJob *job,
          GError **error)
{
    uint64_t n_steps = 0;

    add_to_tree(search, first);
    while (search->n_wanted > 0 && !cx_heap_is_empty(search->heap)) {
        float key;
        uint32_t node = cx_heap_pop(search->heap, &key);

        if (search->wanted[node]) {
            *length += take_path(search, node);
            continue;
        }
        relax(search, node);
        if ((++n_steps & 0xfff) == 0 && !cx_job_check(job, error))
            return false;
    }
    return true;
}

static bool
join_seeds(Search *search, const uint32_t *seeds, size_t n_seeds,
           size_t *n_apart, double *length, CxJob *job, GError **error)
{
    *n_apart = 0;
    *length = 0;
    for (size_t i = 0; i < n_seeds; i++) {
        search->n_wanted += !search->wanted[seeds[i]];
        search->wanted[seeds[i]] = 1;
    }
    for (size_t i = 0; i < n_seeds; i++) {
        if (!search->wanted[seeds[i]])
            continue;
        *n_apart += i > 0;
        if (!grow_tree(search, seeds[i], length, job, error))
            return false;
    }
    return true;
}

bool
cx_cut_graph_join(const CxCutGraph *graph, const uint32_t *seeds,
                  size_t n_seeds, CxCutTerrain terrain, uint8_t *path,
                  size_t *n_apart, double *length, CxJob *job, GError **error)
{
    uint32_t n = graph->n_nodes;
    g_autoptr(CxHeap) heap = cx_heap_new(n);
    CX_AUTOFREE uint8_t *wanted = cx_try_alloc0(n, 1, error);
    CX_AUTOFREE double *distance =
        wanted != NULL ? cx_try_alloc(n, sizeof(double), error) : NULL;
    CX_AUTOFREE uint32_t *parent =
        distance != NULL ? cx_try_alloc0(n, sizeof(uint32_t), error) : NULL;

    if (parent == NULL)
        return false;
    double total = 0;

    for (uint32_t arc = 0; arc < graph->n_arcs; arc++)
        total += graph->capacity[arc];
    for (uint32_t i = 0; i < n; i++)
        distance[i] = INFINITY;

    Search search = {
        .graph = graph,
        .terrain = terrain,
        .path = path,
        .wanted = wanted,
        .distance = distance,
        .parent = parent,
        .heap = heap,
        .mean_capacity = total > 0 ? total / graph->n_arcs : 1,
    };
    return join_seeds(&search, seeds, n_seeds, n_apart, length, job, error);
}
