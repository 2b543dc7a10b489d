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
    GArray *contacts;   /* of double, by edge; links 0 */
} Local;

static void
local_clear(Local *local)
{
    g_clear_pointer(&local->ids, g_array_unref);
    g_clear_pointer(&local->edges, g_array_unref);
    g_clear_pointer(&local->affinities, g_array_unref);
    g_clear_pointer(&local->contacts, g_array_unref);
}

static void
add_local_edge(Local *local, uint32_t a, uint32_t b, double affinity,
               double contacts)
{
    CxCutEdge edge = {a, b, contacts};

    g_array_append_val(local->edges, edge);
    g_array_append_val(local->affinities, affinity);
    g_array_append_val(local->contacts, contacts);
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

        if (end == 0 && edge->affinity >= 0 && other != 0)
            add_local_edge(local, number_of[vertex] - 1, other - 1,
                           (double)edge->affinity, (double)edge->contacts);
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
    local->contacts = g_array_new(FALSE, FALSE, sizeof(double));
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

/* The patch that is not carried out yet. */

static uint64_t
number_in(const CxHash64 *numbers, CxId id)
{
    uint64_t number = NONE;

    cx_hash64_get(numbers, id, &number);
    return number;
}

/* Takes out the edges that the patch changes; the order of the rest stays. */
static void
drop_patched(Local *local, const CxPatch *patch, const CxHash64 *numbers)
{
    const GArray *old = patch->edges[CX_BEFORE];
    g_autoptr(CxHash64) gone = cx_hash64_new(old->len);
    guint n = 0;

    for (guint i = 0; i < old->len; i++) {
        const CxEdge *edge = &g_array_index(old, CxEdge, i);
        uint64_t a = number_in(numbers, edge->a);
        uint64_t b = number_in(numbers, edge->b);

        cx_hash64_set(gone, (MIN(a, b) + 1) << 32 | (MAX(a, b) + 1), 1);
    }
    for (guint i = 0; i < local->edges->len; i++) {
        CxCutEdge edge = g_array_index(local->edges, CxCutEdge, i);
        uint64_t lo = MIN(edge.a, edge.b), hi = MAX(edge.a, edge.b);

        if (cx_hash64_get(gone, (lo + 1) << 32 | (hi + 1), NULL))
            continue;
        g_array_index(local->edges, CxCutEdge, n) = edge;
        g_array_index(local->affinities, double, n) =
            g_array_index(local->affinities, double, i);
        g_array_index(local->contacts, double, n) =
            g_array_index(local->contacts, double, i);
        n++;
    }
    g_array_set_size(local->edges, n);
    g_array_set_size(local->affinities, n);
    g_array_set_size(local->contacts, n);
}

static void
renumber_seeds(const CxHash64 *numbers, Seeds *seeds)
{
    for (size_t i = 0; i < seeds->n; i++)
        seeds->numbers[i] = (uint32_t)number_in(numbers, seeds->ids[i]);
}

/* Splits alone come here: nothing of a segment vanishes. */
static void
apply_patch(Local *local, CxId segment, const CxPatch *patch, Seeds *sources,
            Seeds *sinks)
{
    const GArray *nodes = patch->nodes[CX_AFTER];
    const GArray *edges = patch->edges[CX_AFTER];
    g_autoptr(CxHash64) numbers = cx_hash64_new(local->ids->len);

    for (guint i = 0; i < local->ids->len; i++)
        cx_hash64_set(numbers, g_array_index(local->ids, CxId, i), i);
    drop_patched(local, patch, numbers);
    for (guint i = 0; i < nodes->len; i++) {
        const CxPatchNode *node = &g_array_index(nodes, CxPatchNode, i);

        if (node->segment != segment ||
            cx_hash64_get(numbers, node->supervoxel.id, NULL))
            continue;
        cx_hash64_set(numbers, node->supervoxel.id, local->ids->len);
        g_array_append_val(local->ids, node->supervoxel.id);
    }
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);
        uint64_t a = number_in(numbers, edge->a);
        uint64_t b = number_in(numbers, edge->b);

        if (a != NONE && b != NONE)
            add_local_edge(local, (uint32_t)a, (uint32_t)b,
                           (double)edge->affinity, edge->contacts);
    }
    renumber_seeds(numbers, sources);
    renumber_seeds(numbers, sinks);
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

void
cx_cut_evidence_clear(CxCutEvidence *evidence)
{
    g_clear_pointer(&evidence->edges, g_array_unref);
}

static int
compare_edges(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

static void
add_cut_edge(const Local *local, guint i, GArray *edges)
{
    const CxCutEdge *edge = &g_array_index(local->edges, CxCutEdge, i);
    CxId a = g_array_index(local->ids, CxId, edge->a);
    CxId b = g_array_index(local->ids, CxId, edge->b);
    CxEdge plain = {MIN(a, b), MAX(a, b),
                    (float)g_array_index(local->affinities, double, i),
                    (uint32_t)g_array_index(local->contacts, double, i)};

    g_array_append_val(edges, plain);
}

static void
gather_evidence(const Local *local, const uint8_t *side,
                CxCutEvidence *evidence)
{
    double all = 0, sum = 0, cut = 0, cut_sum = 0;

    evidence->edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    for (guint i = 0; i < local->edges->len; i++) {
        const CxCutEdge *edge = &g_array_index(local->edges, CxCutEdge, i);
        double contacts = g_array_index(local->contacts, double, i);
        double affinity = g_array_index(local->affinities, double, i);

        all += contacts;
        sum += contacts * affinity;
        if (side[edge->a] == side[edge->b])
            continue;
        cut += contacts;
        cut_sum += contacts * affinity;
        add_cut_edge(local, i, evidence->edges);
    }
    g_array_sort(evidence->edges, compare_edges);
    evidence->n_faces = (uint64_t)cut;
    evidence->cut_affinity = cut > 0 ? cut_sum / cut : 0;
    evidence->mean_affinity = all > 0 ? sum / all : 0;
}

static GArray *
solve(const Local *local, const CxCutProblem *problem, CxCutEvidence *evidence,
      CxJob *job, GError **error)
{
    CX_AUTOFREE uint8_t *side = cx_try_alloc(problem->n_nodes, 1, error);

    if (side == NULL ||
        !cx_split_mincut(problem, side, &evidence->value, job, error))
        return NULL;
    g_autoptr(GArray) sink_side = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (guint i = 0; i < problem->n_nodes; i++) {
        if (side[i])
            g_array_append_val(sink_side, g_array_index(local->ids, CxId, i));
    }
    g_array_sort(sink_side, compare_ids);
    gather_evidence(local, side, evidence);
    return g_steal_pointer(&sink_side);
}

static GArray *
cut(CxSupervoxelGraph *graph, CxId segment, const CxPatch *patch,
    Seeds *sources, Seeds *sinks, Local *local, CxCutEvidence *evidence,
    CxJob *job, GError **error)
{
    if (!copy_segment(graph, segment, local, sources, sinks, error))
        return NULL;
    if (patch != NULL)
        apply_patch(local, segment, patch, sources, sinks);
    if (!check_inside(segment, sources, error) ||
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
    return solve(local, &problem, evidence, job, error);
}

GArray *
cx_supervoxel_graph_cut_patched(CxSupervoxelGraph *graph, CxId segment,
                                const CxPatch *patch, const CxId *sources,
                                size_t n_sources, const CxId *sinks,
                                size_t n_sinks, CxCutEvidence *evidence,
                                CxJob *job, GError **error)
{
    *evidence = (CxCutEvidence){0};
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
    GArray *result = cut(graph, segment, patch, &source_seeds, &sink_seeds,
                         &local, evidence, job, error);

    local_clear(&local);
    return result;
}

GArray *
cx_supervoxel_graph_cut(CxSupervoxelGraph *graph, CxId segment,
                        const CxId *sources, size_t n_sources,
                        const CxId *sinks, size_t n_sinks, double *cut_value,
                        CxJob *job, GError **error)
{
    g_auto(CxCutEvidence) evidence = {0};
    GArray *sink_side = cx_supervoxel_graph_cut_patched(
        graph, segment, NULL, sources, n_sources, sinks, n_sinks, &evidence,
        job, error);

    if (cut_value != NULL)
        *cut_value = evidence.value;
    return sink_side;
}
