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

#include <math.h>

/* Seeds of one side, and their numbers among the members from 0; NONE for one
 * that lies elsewhere. */
typedef struct {
    const CxId *ids;
    uint32_t *numbers;
    size_t n;
} Seeds;

#define NONE UINT32_MAX

/* Cost of cutting an edge: contacts × (a / (1 - a))^SHARPNESS for affinity a.
 *
 * With contacts × a the cheapest cut is the smallest: across a border the
 * affinity is not 0, so a wide true border costs more than a thin neurite.  The
 * odds of a to a high power make any true border cheap; to an infinite power
 * the cut would follow the maximum spanning forest, the watershed (Couprie et
 * al., "Power watershed", TPAMI 2011), and one strong false contact would
 * decide alone.  README.md has what each gave. */
#define SHARPNESS 4
#define MAX_ODDS 99.0

/* The inner edges of one segment with members numbered from 0. */
typedef struct {
    GArray *ids;        /* of CxId, by number */
    GArray *edges;      /* of CxCutEdge; capacity is the number of contacts
                           until it is weighed, 0: a link made by hand */
    GArray *affinities; /* of double, by edge */
} Local;

static void
local_clear(Local *local)
{
    g_clear_pointer(&local->ids, g_array_unref);
    g_clear_pointer(&local->edges, g_array_unref);
    g_clear_pointer(&local->affinities, g_array_unref);
}

/* number_of: vertex → number + 1, 0 for vertices of other segments. */
static void
copy_edges(const CxSupervoxelGraph *graph, uint32_t vertex,
           const uint32_t *number_of, Local *local)
{
    uint32_t half = graph->vertices[vertex].first_half;

    while (half != 0) {
        const Edge *edge = cx_graph_edge(graph, half);
        unsigned end = cx_graph_end(half);
        uint32_t other = number_of[edge->end[!end]];

        if (end == 0 && edge->affinity >= 0 && other != 0) {
            CxCutEdge copy = {number_of[vertex] - 1, other - 1,
                              (double)edge->contacts};
            double affinity = (double)edge->affinity;

            g_array_append_val(local->edges, copy);
            g_array_append_val(local->affinities, affinity);
        }
        half = edge->next[end];
    }
}

static void
number_seeds(const CxSupervoxelGraph *graph, const uint32_t *number_of,
             Seeds *seeds)
{
    for (size_t i = 0; i < seeds->n; i++) {
        uint32_t number = number_of[cx_graph_vertex(graph, seeds->ids[i])];

        seeds->numbers[i] = number != 0 ? number - 1 : NONE;
    }
}

/* With the lock held. */
static bool
copy_slot(const CxSupervoxelGraph *graph, const Slot *slot, Local *local,
          Seeds *sources, Seeds *sinks, GError **error)
{
    CX_AUTOFREE uint32_t *number_of =
        cx_try_alloc0(graph->n_vertices, sizeof(uint32_t), error);
    uint32_t n = slot->n_members;

    if (number_of == NULL)
        return false;
    local->ids = g_array_sized_new(FALSE, FALSE, sizeof(CxId), n);
    local->edges = g_array_new(FALSE, FALSE, sizeof(CxCutEdge));
    local->affinities = g_array_new(FALSE, FALSE, sizeof(double));
    for (uint32_t v = slot->first; v != 0; v = graph->vertices[v].next) {
        g_array_append_val(local->ids, graph->vertices[v].supervoxel.id);
        number_of[v] = local->ids->len;
    }
    for (uint32_t v = slot->first; v != 0; v = graph->vertices[v].next)
        copy_edges(graph, v, number_of, local);
    number_seeds(graph, number_of, sources);
    number_seeds(graph, number_of, sinks);
    return true;
}

static bool
copy_segment(CxSupervoxelGraph *graph, CxId segment, Local *local,
             Seeds *sources, Seeds *sinks, GError **error)
{
    bool ok = false;

    g_rw_lock_reader_lock(&graph->lock);
    const Slot *slot = cx_graph_slot(graph, segment);

    if (slot != NULL)
        ok = copy_slot(graph, slot, local, sources, sinks, error);
    else
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no segment %" G_GUINT64_FORMAT, segment);
    g_rw_lock_reader_unlock(&graph->lock);
    return ok;
}

/* A link made by hand has no contact to measure: it counts as an edge of mean
 * affinity and contacts, so that it is neither free to cut nor uncuttable. */
static void
weigh_links(Local *local)
{
    double affinity = 0, contacts = 0;
    guint n = 0;

    for (guint i = 0; i < local->edges->len; i++) {
        double capacity = g_array_index(local->edges, CxCutEdge, i).capacity;

        if (capacity > 0) {
            affinity += g_array_index(local->affinities, double, i);
            contacts += capacity;
            n++;
        }
    }
    for (guint i = 0; i < local->edges->len; i++) {
        CxCutEdge *edge = &g_array_index(local->edges, CxCutEdge, i);

        if (edge->capacity > 0)
            continue;
        edge->capacity = n > 0 ? contacts / n : 1;
        g_array_index(local->affinities, double, i) = n > 0 ? affinity / n : 1;
    }
}

static void
weigh_edges(Local *local)
{
    weigh_links(local);
    for (guint i = 0; i < local->edges->len; i++) {
        double a = g_array_index(local->affinities, double, i);
        double odds = a < 1 ? MIN(a / (1 - a), MAX_ODDS) : MAX_ODDS;

        g_array_index(local->edges, CxCutEdge, i).capacity *=
            pow(odds, SHARPNESS);
    }
}

static bool
check_inside(CxId segment, const Seeds *seeds, GError **error)
{
    for (size_t i = 0; i < seeds->n; i++) {
        if (seeds->numbers[i] != NONE)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a seed lies in supervoxel %" G_GUINT64_FORMAT
                    ", which is not part of segment %" G_GUINT64_FORMAT,
                    seeds->ids[i], segment);
        return false;
    }
    return true;
}

static bool
check_apart(const Seeds *sources, const Seeds *sinks, GError **error)
{
    for (size_t i = 0; i < sources->n; i++) {
        for (size_t k = 0; k < sinks->n; k++) {
            if (sources->ids[i] != sinks->ids[k])
                continue;
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "seeds of both sides lie in supervoxel "
                        "%" G_GUINT64_FORMAT
                        ", which a cut between supervoxels cannot divide",
                        sources->ids[i]);
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
cut(CxSupervoxelGraph *graph, CxId segment, Seeds *sources, Seeds *sinks,
    Local *local, double *cut_value, CxJob *job, GError **error)
{
    if (!copy_segment(graph, segment, local, sources, sinks, error) ||
        !check_inside(segment, sources, error) ||
        !check_inside(segment, sinks, error) ||
        !check_apart(sources, sinks, error))
        return NULL;
    weigh_edges(local);

    CxCutProblem problem = {
        .n_nodes = local->ids->len,
        .edges = (const CxCutEdge *)(const void *)local->edges->data,
        .n_edges = local->edges->len,
        .sources = sources->numbers,
        .sinks = sinks->numbers,
        .n_sources = sources->n,
        .n_sinks = sinks->n,
        .join_seeds = true,
        .strengths = (const double *)(const void *)local->affinities->data,
    };
    return solve(local, &problem, cut_value, job, error);
}

GArray *
cx_supervoxel_graph_cut(CxSupervoxelGraph *graph, CxId segment,
                        const CxId *sources, size_t n_sources,
                        const CxId *sinks, size_t n_sinks, double *cut_value,
                        CxJob *job, GError **error)
{
    if (n_sources == 0 || n_sinks == 0) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "a split needs at least one seed on each side");
        return NULL;
    }
    CX_AUTOFREE uint32_t *numbers =
        cx_try_alloc(n_sources + n_sinks, sizeof(uint32_t), error);

    if (numbers == NULL)
        return NULL;
    Seeds source_seeds = {sources, numbers, n_sources};
    Seeds sink_seeds = {sinks, numbers + n_sources, n_sinks};
    Local local = {0};
    GArray *result = cut(graph, segment, &source_seeds, &sink_seeds, &local,
                         cut_value, job, error);

    local_clear(&local);
    return result;
}
