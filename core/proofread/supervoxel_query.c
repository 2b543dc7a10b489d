/* Questions to the supervoxel graph; nothing here changes it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/supervoxel_graph_private.h"

#include <string.h>

size_t
cx_supervoxel_graph_n_supervoxels(CxSupervoxelGraph *graph)
{
    g_rw_lock_reader_lock(&graph->lock);
    size_t n = graph->n_vertices - 1 - graph->n_removed;
    g_rw_lock_reader_unlock(&graph->lock);
    return n;
}

uint32_t
cx_supervoxel_graph_largest_index(CxSupervoxelGraph *graph)
{
    g_rw_lock_reader_lock(&graph->lock);
    uint32_t largest = (uint32_t)(graph->n_vertices - 1);
    g_rw_lock_reader_unlock(&graph->lock);
    return largest;
}

size_t
cx_supervoxel_graph_n_segments(CxSupervoxelGraph *graph)
{
    g_rw_lock_reader_lock(&graph->lock);
    size_t n = cx_hash64_size(graph->slot_of);
    g_rw_lock_reader_unlock(&graph->lock);
    return n;
}

static CxId
segment_of(const CxSupervoxelGraph *graph, CxId supervoxel)
{
    uint32_t vertex = cx_graph_vertex(graph, supervoxel);

    return vertex != 0 ? graph->slots[graph->vertices[vertex].slot].id : 0;
}

CxId
cx_supervoxel_graph_segment_of(CxSupervoxelGraph *graph, CxId supervoxel)
{
    g_rw_lock_reader_lock(&graph->lock);
    CxId segment = segment_of(graph, supervoxel);
    g_rw_lock_reader_unlock(&graph->lock);
    return segment;
}

/* Neighbouring voxels mostly hold one id: the last answer is kept. */
void
cx_supervoxel_graph_map(CxSupervoxelGraph *graph, const CxId *supervoxels,
                        CxId *segments, size_t n)
{
    CxId last = 0, last_segment = 0;

    g_rw_lock_reader_lock(&graph->lock);
    for (size_t i = 0; i < n; i++) {
        if (supervoxels[i] != last) {
            last = supervoxels[i];
            last_segment = segment_of(graph, last);
        }
        segments[i] = last_segment;
    }
    g_rw_lock_reader_unlock(&graph->lock);
}

void
cx_supervoxel_graph_map_indices(CxSupervoxelGraph *graph,
                                const CxId *supervoxels, uint32_t *indices,
                                size_t n)
{
    CxId last = 0;
    uint32_t last_index = 0;

    g_rw_lock_reader_lock(&graph->lock);
    for (size_t i = 0; i < n; i++) {
        if (supervoxels[i] != last) {
            last = supervoxels[i];
            last_index = cx_graph_vertex(graph, last);
        }
        indices[i] = last_index;
    }
    g_rw_lock_reader_unlock(&graph->lock);
}

void
cx_supervoxel_graph_copy_table(CxSupervoxelGraph *graph, uint32_t first,
                               uint32_t end, CxId *by_index)
{
    g_rw_lock_reader_lock(&graph->lock);
    for (uint32_t i = first; i < end; i++)
        by_index[i] = i > 0 && i < graph->n_vertices
                          ? graph->slots[graph->vertices[i].slot].id
                          : 0;
    g_rw_lock_reader_unlock(&graph->lock);
}

static CxSegment
describe(const CxSupervoxelGraph *graph, const Slot *slot)
{
    return (CxSegment){
        .id = slot->id,
        .n_voxels = slot->n_voxels,
        .n_supervoxels = slot->n_members,
        .box = slot->box,
        .inside = graph->vertices[slot->largest].supervoxel.inside,
    };
}

bool
cx_supervoxel_graph_segment(CxSupervoxelGraph *graph, CxId segment,
                            CxSegment *out)
{
    g_rw_lock_reader_lock(&graph->lock);
    const Slot *slot = cx_graph_slot(graph, segment);

    if (slot != NULL && out != NULL)
        *out = describe(graph, slot);
    g_rw_lock_reader_unlock(&graph->lock);
    return slot != NULL;
}

/* CxSegment and CxSupervoxel both begin with their id. */
static int
compare_ids(const void *a, const void *b)
{
    CxId left = *(const CxId *)a, right = *(const CxId *)b;

    return left < right ? -1 : left > right;
}

static int
compare_edges(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

GArray *
cx_supervoxel_graph_members(CxSupervoxelGraph *graph, CxId segment)
{
    g_autoptr(GArray) members = NULL;

    g_rw_lock_reader_lock(&graph->lock);
    const Slot *slot = cx_graph_slot(graph, segment);

    if (slot != NULL) {
        members = g_array_sized_new(FALSE, FALSE, sizeof(CxSupervoxel),
                                    slot->n_members);
        for (uint32_t v = slot->first; v != 0; v = graph->vertices[v].next)
            g_array_append_val(members, graph->vertices[v].supervoxel);
    }
    g_rw_lock_reader_unlock(&graph->lock);
    if (members != NULL)
        g_array_sort(members, compare_ids);
    return g_steal_pointer(&members);
}

GArray *
cx_supervoxel_graph_segments(CxSupervoxelGraph *graph)
{
    g_rw_lock_reader_lock(&graph->lock);
    g_autoptr(GArray) segments = g_array_sized_new(
        FALSE, FALSE, sizeof(CxSegment), (guint)cx_hash64_size(graph->slot_of));

    for (size_t i = 1; i < graph->n_slots; i++) {
        if (graph->slots[i].n_members == 0)
            continue;
        CxSegment segment = describe(graph, &graph->slots[i]);

        g_array_append_val(segments, segment);
    }
    g_rw_lock_reader_unlock(&graph->lock);
    g_array_sort(segments, compare_ids);
    return g_steal_pointer(&segments);
}

GArray *
cx_supervoxel_graph_supervoxels(CxSupervoxelGraph *graph)
{
    g_rw_lock_reader_lock(&graph->lock);
    g_autoptr(GArray) all = g_array_sized_new(
        FALSE, FALSE, sizeof(CxSupervoxel), (guint)(graph->n_vertices - 1));

    for (size_t v = 1; v < graph->n_vertices; v++) {
        if (graph->vertices[v].slot != 0)
            g_array_append_val(all, graph->vertices[v].supervoxel);
    }
    g_rw_lock_reader_unlock(&graph->lock);
    g_array_sort(all, compare_ids);
    return g_steal_pointer(&all);
}

static void
append_edge(const CxSupervoxelGraph *graph, const Edge *edge, GArray *out)
{
    CxId a = graph->vertices[edge->end[0]].supervoxel.id;
    CxId b = graph->vertices[edge->end[1]].supervoxel.id;
    CxEdge plain = {MIN(a, b), MAX(a, b), edge->affinity, edge->contacts};

    g_array_append_val(out, plain);
}

GArray *
cx_supervoxel_graph_all_edges(CxSupervoxelGraph *graph)
{
    g_rw_lock_reader_lock(&graph->lock);
    g_autoptr(GArray) edges =
        g_array_sized_new(FALSE, FALSE, sizeof(CxEdge), (guint)graph->n_edges);

    for (size_t i = 0; i < graph->n_edges; i++) {
        if (graph->edges[i].affinity >= 0)
            append_edge(graph, &graph->edges[i], edges);
    }
    g_rw_lock_reader_unlock(&graph->lock);
    g_array_sort(edges, compare_edges);
    return g_steal_pointer(&edges);
}

bool
cx_supervoxel_graph_supervoxel(CxSupervoxelGraph *graph, CxId supervoxel,
                               CxSupervoxel *out, CxId *segment)
{
    g_rw_lock_reader_lock(&graph->lock);
    uint32_t vertex = cx_graph_vertex(graph, supervoxel);

    if (vertex != 0 && out != NULL)
        *out = graph->vertices[vertex].supervoxel;
    if (vertex != 0 && segment != NULL)
        *segment = graph->slots[graph->vertices[vertex].slot].id;
    g_rw_lock_reader_unlock(&graph->lock);
    return vertex != 0;
}

void
cx_supervoxel_graph_edges_of(CxSupervoxelGraph *graph, CxId supervoxel,
                             GArray *edges)
{
    g_rw_lock_reader_lock(&graph->lock);
    uint32_t vertex = cx_graph_vertex(graph, supervoxel);
    uint32_t half = vertex != 0 ? graph->vertices[vertex].first_half : 0;

    while (half != 0) {
        const Edge *edge = cx_graph_edge(graph, half);

        if (edge->affinity >= 0)
            append_edge(graph, edge, edges);
        half = edge->next[cx_graph_end(half)];
    }
    g_rw_lock_reader_unlock(&graph->lock);
}

bool
cx_supervoxel_graph_edge(CxSupervoxelGraph *graph, CxId a, CxId b, CxEdge *out)
{
    bool found = false;

    g_rw_lock_reader_lock(&graph->lock);
    uint32_t va = cx_graph_vertex(graph, a), vb = cx_graph_vertex(graph, b);
    uint32_t half = va != 0 && vb != 0 ? graph->vertices[va].first_half : 0;

    while (half != 0 && !found) {
        const Edge *edge = cx_graph_edge(graph, half);
        unsigned end = cx_graph_end(half);

        found = edge->end[!end] == vb && edge->affinity >= 0;
        if (found)
            *out =
                (CxEdge){MIN(a, b), MAX(a, b), edge->affinity, edge->contacts};
        half = edge->next[end];
    }
    g_rw_lock_reader_unlock(&graph->lock);
    return found;
}

GArray *
cx_supervoxel_graph_edges(CxSupervoxelGraph *graph, CxId segment, bool across)
{
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));

    g_rw_lock_reader_lock(&graph->lock);
    const Slot *slot = cx_graph_slot(graph, segment);

    for (uint32_t v = slot != NULL ? slot->first : 0; v != 0;
         v = graph->vertices[v].next) {
        uint32_t half = graph->vertices[v].first_half;

        while (half != 0) {
            const Edge *edge = cx_graph_edge(graph, half);
            unsigned end = cx_graph_end(half);
            bool leaves = graph->vertices[edge->end[!end]].slot !=
                          graph->vertices[v].slot;

            /* An inner edge is met from both ends and taken once. */
            if (edge->affinity >= 0 && leaves == across && (across || end == 0))
                append_edge(graph, edge, edges);
            half = edge->next[end];
        }
    }
    g_rw_lock_reader_unlock(&graph->lock);
    g_array_sort(edges, compare_edges);
    return g_steal_pointer(&edges);
}

static bool
touches_slot(const CxSupervoxelGraph *graph, uint32_t vertex, uint32_t slot)
{
    uint32_t half = graph->vertices[vertex].first_half;

    while (half != 0) {
        const Edge *edge = cx_graph_edge(graph, half);
        unsigned end = cx_graph_end(half);

        if (edge->affinity >= 0 &&
            graph->vertices[edge->end[!end]].slot == slot)
            return true;
        half = edge->next[end];
    }
    return false;
}

bool
cx_supervoxel_graph_touch(CxSupervoxelGraph *graph, CxId a, CxId b)
{
    bool touch = false;

    g_rw_lock_reader_lock(&graph->lock);
    const Slot *small = cx_graph_slot(graph, a);
    const Slot *large = cx_graph_slot(graph, b);

    if (small != NULL && large != NULL && small != large) {
        if (small->n_members > large->n_members) {
            const Slot *swap = small;

            small = large;
            large = swap;
        }
        for (uint32_t v = small->first; v != 0 && !touch;
             v = graph->vertices[v].next)
            touch = touches_slot(graph, v, (uint32_t)(large - graph->slots));
    }
    g_rw_lock_reader_unlock(&graph->lock);
    return touch;
}
