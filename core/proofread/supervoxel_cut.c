/* Cheapest cut of one segment of the supervoxel graph.
 *
 * Copies the segment's inner edges under the lock and computes without it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/proofread/split_mincut.h"
#include "core/proofread/supervoxel_graph_private.h"

/* The inner edges of one segment with members numbered from 0. */
typedef struct {
    GArray *ids;         /* of CxId, by number */
    GArray *edges;       /* of CxCutEdge; capacity < 0: a link made by hand */
    CxHash64 *number_of; /* supervoxel → number */
} Local;

static void
local_clear(Local *local)
{
    g_clear_pointer(&local->ids, g_array_unref);
    g_clear_pointer(&local->edges, g_array_unref);
    g_clear_pointer(&local->number_of, cx_hash64_free);
}

static void
copy_edges(const CxSupervoxelGraph *graph, uint32_t vertex, Local *local)
{
    uint32_t half = graph->vertices[vertex].first_half;

    while (half != 0) {
        const Edge *edge = cx_graph_edge(graph, half);
        unsigned end = cx_graph_end(half);
        const Vertex *other = &graph->vertices[edge->end[!end]];
        uint64_t a, b;

        if (end == 0 && edge->affinity >= 0 &&
            other->slot == graph->vertices[vertex].slot &&
            cx_hash64_get(local->number_of,
                          graph->vertices[vertex].supervoxel.id, &a) &&
            cx_hash64_get(local->number_of, other->supervoxel.id, &b)) {
            CxCutEdge copy = {(uint32_t)a, (uint32_t)b,
                              edge->contacts > 0
                                  ? (double)edge->affinity * edge->contacts
                                  : -1};

            g_array_append_val(local->edges, copy);
        }
        half = edge->next[end];
    }
}

static bool
copy_segment(CxSupervoxelGraph *graph, CxId segment, Local *local)
{
    g_rw_lock_reader_lock(&graph->lock);
    const Slot *slot = cx_graph_slot(graph, segment);

    if (slot != NULL) {
        uint32_t n = slot->n_members;

        local->ids = g_array_sized_new(FALSE, FALSE, sizeof(CxId), n);
        local->edges =
            g_array_sized_new(FALSE, FALSE, sizeof(CxCutEdge), 4 * n);
        local->number_of = cx_hash64_new(n);
        for (uint32_t v = slot->first; v != 0; v = graph->vertices[v].next) {
            cx_hash64_set(local->number_of, graph->vertices[v].supervoxel.id,
                          local->ids->len);
            g_array_append_val(local->ids, graph->vertices[v].supervoxel.id);
        }
        for (uint32_t v = slot->first; v != 0; v = graph->vertices[v].next)
            copy_edges(graph, v, local);
    }
    g_rw_lock_reader_unlock(&graph->lock);
    return slot != NULL;
}

/* A link made by hand has no contact to measure: it counts as the mean edge,
 * so that it is neither free to cut nor uncuttable. */
static void
weigh_links(GArray *edges)
{
    double total = 0;
    guint n = 0;

    for (guint i = 0; i < edges->len; i++) {
        double capacity = g_array_index(edges, CxCutEdge, i).capacity;

        if (capacity >= 0) {
            total += capacity;
            n++;
        }
    }
    for (guint i = 0; i < edges->len; i++) {
        CxCutEdge *edge = &g_array_index(edges, CxCutEdge, i);

        if (edge->capacity < 0)
            edge->capacity = n > 0 ? total / n : 1;
    }
}

static uint32_t *
number_seeds(const Local *local, CxId segment, const CxId *seeds, size_t n,
             GError **error)
{
    CX_AUTOFREE uint32_t *numbers = cx_try_alloc(n, sizeof(uint32_t), error);

    for (size_t i = 0; numbers != NULL && i < n; i++) {
        uint64_t number;

        if (seeds[i] == 0 ||
            !cx_hash64_get(local->number_of, seeds[i], &number)) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "a seed lies in supervoxel %" G_GUINT64_FORMAT
                        ", which is not part of segment %" G_GUINT64_FORMAT,
                        seeds[i], segment);
            return NULL;
        }
        numbers[i] = (uint32_t)number;
    }
    return g_steal_pointer(&numbers);
}

static bool
check_sides(const CxId *sources, size_t n_sources, const CxId *sinks,
            size_t n_sinks, GError **error)
{
    if (n_sources == 0 || n_sinks == 0) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "a split needs at least one seed on each side");
        return false;
    }
    for (size_t i = 0; i < n_sources; i++) {
        for (size_t k = 0; k < n_sinks; k++) {
            if (sources[i] != sinks[k])
                continue;
            g_set_error(
                error, CX_ERROR, CX_ERROR_INVALID,
                "seeds of both sides lie in supervoxel %" G_GUINT64_FORMAT
                ", which a cut between supervoxels cannot divide",
                sources[i]);
            return false;
        }
    }
    return true;
}

static int
compare_ids(const void *a, const void *b)
{
    CxId left = *(const CxId *)a, right = *(const CxId *)b;

    return left < right ? -1 : left > right;
}

static GArray *
solve(const Local *local, const CxCutProblem *problem, double *cut_value,
      CxJob *job, GError **error)
{
    CX_AUTOFREE uint8_t *side = cx_try_alloc(problem->n_nodes, 1, error);

    if (side == NULL || !cx_split_mincut(problem, side, cut_value, job, error))
        return NULL;
    g_autoptr(GArray) sink_side = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (guint i = 0; i < problem->n_nodes; i++) {
        if (side[i])
            g_array_append_val(sink_side, g_array_index(local->ids, CxId, i));
    }
    g_array_sort(sink_side, compare_ids);
    return g_steal_pointer(&sink_side);
}

static GArray *
cut_local(const Local *local, CxId segment, const CxId *sources,
          size_t n_sources, const CxId *sinks, size_t n_sinks,
          double *cut_value, CxJob *job, GError **error)
{
    CX_AUTOFREE uint32_t *source_numbers =
        number_seeds(local, segment, sources, n_sources, error);
    CX_AUTOFREE uint32_t *sink_numbers =
        source_numbers != NULL
            ? number_seeds(local, segment, sinks, n_sinks, error)
            : NULL;

    if (sink_numbers == NULL ||
        !check_sides(sources, n_sources, sinks, n_sinks, error))
        return NULL;
    weigh_links(local->edges);

    CxCutProblem problem = {
        .n_nodes = local->ids->len,
        .edges = (const CxCutEdge *)(const void *)local->edges->data,
        .n_edges = local->edges->len,
        .sources = source_numbers,
        .sinks = sink_numbers,
        .n_sources = n_sources,
        .n_sinks = n_sinks,
        .join_seeds = true,
    };
    return solve(local, &problem, cut_value, job, error);
}

GArray *
cx_supervoxel_graph_cut(CxSupervoxelGraph *graph, CxId segment,
                        const CxId *sources, size_t n_sources,
                        const CxId *sinks, size_t n_sinks, double *cut_value,
                        CxJob *job, GError **error)
{
    Local local = {0};

    if (!copy_segment(graph, segment, &local)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no segment %" G_GUINT64_FORMAT, segment);
        return NULL;
    }
    GArray *result = cut_local(&local, segment, sources, n_sources, sinks,
                               n_sinks, cut_value, job, error);

    local_clear(&local);
    return result;
}
