/* Supervoxels, the edges between them, and the current segment of each.
 *
 * Vertices are numbered from 1 in order of arrival.  Edges are records with
 * two ends; each end is a link in the list of its vertex, so that blocks can
 * be added without moving anything (24 bytes an edge).  The members of a
 * segment are a doubly linked list through the vertices: moving a supervoxel
 * costs the same however large the segments are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/supervoxel_graph.h"

#include "core/base/hash64.h"
#include "core/proofread/supervoxel_graph_private.h"

#include <string.h>

CxSupervoxelGraph *
cx_supervoxel_graph_new(void)
{
    CxSupervoxelGraph *graph = g_new0(CxSupervoxelGraph, 1);

    g_rw_lock_init(&graph->lock);
    graph->vertex_of = cx_hash64_new(0);
    graph->slot_of = cx_hash64_new(0);
    graph->vertices = g_new0(Vertex, 1);
    graph->slots = g_new0(Slot, 1);
    graph->n_vertices = graph->room_vertices = 1;
    graph->n_slots = graph->room_slots = 1;
    return graph;
}

void
cx_supervoxel_graph_free(CxSupervoxelGraph *graph)
{
    if (graph == NULL)
        return;
    g_rw_lock_clear(&graph->lock);
    cx_hash64_free(graph->vertex_of);
    cx_hash64_free(graph->slot_of);
    g_free(graph->vertices);
    g_free(graph->edges);
    g_free(graph->slots);
    g_free(graph);
}

/* Room for n more of something; doubles. */
static void *
grow(void *memory, size_t size, size_t n_used, size_t n_more, size_t *room)
{
    if (*room - n_used >= n_more)
        return memory;
    *room = MAX(n_used + n_more, *room + *room / 2);
    return g_realloc_n(memory, *room, size);
}

/* Segment slots. */

static uint32_t
slot_for(CxSupervoxelGraph *graph, CxId segment)
{
    bool was_new;
    uint64_t *place = cx_hash64_at(graph->slot_of, segment, 0, &was_new);

    if (!was_new)
        return (uint32_t)*place;
    uint32_t slot = graph->free_slot;

    if (slot != 0) {
        graph->free_slot = graph->slots[slot].first;
    } else {
        graph->slots = grow(graph->slots, sizeof(Slot), graph->n_slots, 1,
                            &graph->room_slots);
        slot = (uint32_t)graph->n_slots++;
    }
    graph->slots[slot] = (Slot){.id = segment};
    *place = slot;
    return slot;
}

static void
drop_slot(CxSupervoxelGraph *graph, uint32_t slot)
{
    cx_hash64_remove(graph->slot_of, graph->slots[slot].id);
    graph->slots[slot] = (Slot){.first = graph->free_slot};
    graph->free_slot = slot;
}

/* The supervoxel that stands for its segment: the largest, then the one with
 * the smallest id. */
static bool
stands_before(const CxSupervoxel *a, const CxSupervoxel *b)
{
    return a->n_voxels != b->n_voxels ? a->n_voxels > b->n_voxels
                                      : a->id < b->id;
}

static void
enter_slot(CxSupervoxelGraph *graph, uint32_t slot_index, uint32_t vertex)
{
    Slot *slot = &graph->slots[slot_index];
    Vertex *v = &graph->vertices[vertex];

    v->slot = slot_index;
    v->previous = 0;
    v->next = slot->first;
    if (slot->first != 0)
        graph->vertices[slot->first].previous = vertex;
    slot->first = vertex;
    slot->n_voxels += v->supervoxel.n_voxels;
    if (slot->n_members++ == 0) {
        slot->box = v->supervoxel.box;
        slot->largest = vertex;
        return;
    }
    slot->box = cx_box_union(slot->box, v->supervoxel.box);
    if (stands_before(&v->supervoxel,
                      &graph->vertices[slot->largest].supervoxel))
        slot->largest = vertex;
}

/* True if without `inner` the outer box might be smaller. */
static bool
touches_border(CxBox outer, CxBox inner)
{
    return inner.lo.x == outer.lo.x || inner.lo.y == outer.lo.y ||
           inner.lo.z == outer.lo.z || inner.hi.x == outer.hi.x ||
           inner.hi.y == outer.hi.y || inner.hi.z == outer.hi.z;
}

static void
leave_slot(CxSupervoxelGraph *graph, uint32_t vertex)
{
    Vertex *v = &graph->vertices[vertex];
    Slot *slot = &graph->slots[v->slot];

    if (v->previous != 0)
        graph->vertices[v->previous].next = v->next;
    else
        slot->first = v->next;
    if (v->next != 0)
        graph->vertices[v->next].previous = v->previous;
    slot->n_voxels -= v->supervoxel.n_voxels;
    slot->is_stale = slot->is_stale || slot->largest == vertex ||
                     touches_border(slot->box, v->supervoxel.box);
    if (--slot->n_members == 0)
        drop_slot(graph, v->slot);
}

/* Bounds and largest member, after some left. */
static void
refresh_slot(CxSupervoxelGraph *graph, CxId segment)
{
    uint64_t index;

    if (!cx_hash64_get(graph->slot_of, segment, &index) ||
        !graph->slots[index].is_stale)
        return;
    Slot *slot = &graph->slots[index];

    slot->is_stale = false;
    slot->largest = slot->first;
    slot->box = graph->vertices[slot->first].supervoxel.box;
    for (uint32_t v = slot->first; v != 0; v = graph->vertices[v].next) {
        const CxSupervoxel *supervoxel = &graph->vertices[v].supervoxel;

        slot->box = cx_box_union(slot->box, supervoxel->box);
        if (stands_before(supervoxel,
                          &graph->vertices[slot->largest].supervoxel))
            slot->largest = v;
    }
}

/* Returns the segment that was left, whose slot may be stale now; 0 if
 * nothing moved. */
static CxId
move_vertex(CxSupervoxelGraph *graph, uint32_t vertex, CxId segment)
{
    CxId from = graph->slots[graph->vertices[vertex].slot].id;

    if (from == segment || segment == 0)
        return 0;
    leave_slot(graph, vertex);
    enter_slot(graph, slot_for(graph, segment), vertex);
    return from;
}

/* Edges. */

/* Edge between two vertices + 1, dead or not; 0 = none. */
static uint32_t
find_edge(const CxSupervoxelGraph *graph, uint32_t a, uint32_t b)
{
    uint32_t half = graph->vertices[a].first_half;

    while (half != 0) {
        const Edge *edge = cx_graph_edge(graph, half);
        unsigned end = cx_graph_end(half);

        if (edge->end[!end] == b)
            return (half - 1) / 2 + 1;
        half = edge->next[end];
    }
    return 0;
}

static void
append_edge(CxSupervoxelGraph *graph, uint32_t a, uint32_t b, float affinity,
            uint32_t contacts)
{
    graph->edges =
        grow(graph->edges, sizeof(Edge), graph->n_edges, 1, &graph->room_edges);
    uint32_t half = (uint32_t)(2 * graph->n_edges + 1);
    Edge *edge = &graph->edges[graph->n_edges++];

    *edge = (Edge){
        .end = {a, b},
        .next = {graph->vertices[a].first_half, graph->vertices[b].first_half},
        .affinity = affinity,
        .contacts = contacts,
    };
    graph->vertices[a].first_half = half;
    graph->vertices[b].first_half = half + 1;
}

static void
pool_edge(Edge *edge, float affinity, uint32_t contacts)
{
    uint64_t n = (uint64_t)edge->contacts + contacts;

    if (edge->affinity < 0 || edge->contacts == 0)
        edge->affinity = affinity;
    else if (n > 0)
        edge->affinity = (float)((edge->affinity * (double)edge->contacts +
                                  affinity * (double)contacts) /
                                 (double)n);
    edge->contacts = (uint32_t)MIN(n, UINT32_MAX);
}

/* n_before: vertices known before this block; an edge between two of the new
 * ones cannot be there yet, as the block's edges are unique. */
static void
add_edge(CxSupervoxelGraph *graph, const CxEdge *edge, uint32_t a,
         uint32_t n_before)
{
    uint32_t b = cx_graph_vertex(graph, edge->b);

    if (a == 0 || b == 0 || a == b)
        return;
    uint32_t found = a >= n_before && b >= n_before ? 0
                     : a > b                        ? find_edge(graph, a, b)
                                                    : find_edge(graph, b, a);

    if (found != 0)
        pool_edge(&graph->edges[found - 1], edge->affinity, edge->contacts);
    else
        append_edge(graph, a, b, edge->affinity, edge->contacts);
}

/* Edges are sorted, so one look-up of `a` serves many. */
static void
add_edges(CxSupervoxelGraph *graph, const GArray *edges, uint32_t n_before)
{
    CxId last = 0;
    uint32_t vertex = 0;

    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);

        if (edge->a != last) {
            last = edge->a;
            vertex = cx_graph_vertex(graph, last);
        }
        add_edge(graph, edge, vertex, n_before);
    }
}

static void
add_vertex(CxSupervoxelGraph *graph, const CxSupervoxel *supervoxel,
           CxId segment)
{
    bool was_new;
    uint64_t *place;

    if (supervoxel->id == 0)
        return;
    place = cx_hash64_at(graph->vertex_of, supervoxel->id, graph->n_vertices,
                         &was_new);
    if (!was_new)
        return;
    uint32_t vertex = (uint32_t)*place;

    graph->vertices[vertex] = (Vertex){.supervoxel = *supervoxel};
    graph->n_vertices++;
    enter_slot(graph, slot_for(graph, segment != 0 ? segment : supervoxel->id),
               vertex);
}

void
cx_supervoxel_graph_add(CxSupervoxelGraph *graph, const GArray *supervoxels,
                        const GArray *edges, const CxId *segments)
{
    g_rw_lock_writer_lock(&graph->lock);
    uint32_t n_before = (uint32_t)graph->n_vertices;

    graph->vertices = grow(graph->vertices, sizeof(Vertex), graph->n_vertices,
                           supervoxels->len, &graph->room_vertices);
    graph->edges = grow(graph->edges, sizeof(Edge), graph->n_edges, edges->len,
                        &graph->room_edges);
    for (guint i = 0; i < supervoxels->len; i++)
        add_vertex(graph, &g_array_index(supervoxels, CxSupervoxel, i),
                   segments[i]);
    add_edges(graph, edges, n_before);
    g_rw_lock_writer_unlock(&graph->lock);
}

void
cx_supervoxel_graph_assign(CxSupervoxelGraph *graph, const CxId *supervoxels,
                           const CxId *segments, size_t n)
{
    g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(CxId));

    g_rw_lock_writer_lock(&graph->lock);
    for (size_t i = 0; i < n; i++) {
        uint32_t vertex = cx_graph_vertex(graph, supervoxels[i]);
        CxId from = vertex != 0 ? move_vertex(graph, vertex, segments[i]) : 0;

        if (from != 0)
            g_array_append_val(left, from);
    }
    for (guint i = 0; i < left->len; i++)
        refresh_slot(graph, g_array_index(left, CxId, i));
    g_rw_lock_writer_unlock(&graph->lock);
}

static void
link_vertices(CxSupervoxelGraph *graph, CxId a, CxId b)
{
    uint32_t va = cx_graph_vertex(graph, a), vb = cx_graph_vertex(graph, b);

    if (va == 0 || vb == 0 || va == vb)
        return;
    uint32_t found = find_edge(graph, va, vb);

    if (found == 0)
        append_edge(graph, va, vb, 1, 0);
    else if (graph->edges[found - 1].affinity < 0)
        graph->edges[found - 1].affinity = 1;
}

/* A dead edge stays in its lists, to be revived by a redo. */
static void
unlink_vertices(CxSupervoxelGraph *graph, CxId a, CxId b)
{
    uint32_t va = cx_graph_vertex(graph, a), vb = cx_graph_vertex(graph, b);
    uint32_t found = va != 0 && vb != 0 ? find_edge(graph, va, vb) : 0;

    if (found != 0 && graph->edges[found - 1].contacts == 0)
        graph->edges[found - 1].affinity = -1;
}

void
cx_supervoxel_graph_link(CxSupervoxelGraph *graph, CxId a, CxId b)
{
    g_rw_lock_writer_lock(&graph->lock);
    link_vertices(graph, a, b);
    g_rw_lock_writer_unlock(&graph->lock);
}

void
cx_supervoxel_graph_unlink(CxSupervoxelGraph *graph, CxId a, CxId b)
{
    g_rw_lock_writer_lock(&graph->lock);
    unlink_vertices(graph, a, b);
    g_rw_lock_writer_unlock(&graph->lock);
}

static void
carry_out(CxSupervoxelGraph *graph, const CxMove *move, bool inverse)
{
    CxId from = inverse ? move->to : move->from;
    CxId to = inverse ? move->from : move->to;

    for (guint i = 0; i < move->supervoxels->len; i++) {
        CxId id = g_array_index(move->supervoxels, CxId, i);
        uint32_t vertex = cx_graph_vertex(graph, id);

        if (vertex != 0)
            move_vertex(graph, vertex, to);
    }
    refresh_slot(graph, from);
}

/* Patches. */

/* Refreshes what an emptied slot would not survive. */
static void
leave_segment(CxSupervoxelGraph *graph, uint32_t vertex)
{
    CxId segment = graph->slots[graph->vertices[vertex].slot].id;

    leave_slot(graph, vertex);
    refresh_slot(graph, segment);
}

static void
remove_vertex(CxSupervoxelGraph *graph, uint32_t vertex)
{
    leave_segment(graph, vertex);
    graph->vertices[vertex].slot = 0;
    graph->n_removed++;
}

/* A supervoxel that was removed once has its place still. */
static void
put_vertex(CxSupervoxelGraph *graph, const CxPatchNode *node)
{
    uint64_t vertex;

    if (!cx_hash64_get(graph->vertex_of, node->supervoxel.id, &vertex)) {
        graph->vertices = grow(graph->vertices, sizeof(Vertex),
                               graph->n_vertices, 1, &graph->room_vertices);
        add_vertex(graph, &node->supervoxel, node->segment);
        return;
    }
    if (graph->vertices[vertex].slot != 0)
        leave_segment(graph, (uint32_t)vertex);
    else
        graph->n_removed--;
    graph->vertices[vertex].supervoxel = node->supervoxel;
    enter_slot(graph, slot_for(graph, node->segment), (uint32_t)vertex);
}

/* Vertices whether removed or not: edges of both go with the patch. */
static uint32_t
any_vertex(const CxSupervoxelGraph *graph, CxId supervoxel)
{
    uint64_t vertex = 0;

    cx_hash64_get(graph->vertex_of, supervoxel, &vertex);
    return (uint32_t)vertex;
}

static void
drop_edge(CxSupervoxelGraph *graph, const CxEdge *edge)
{
    uint32_t a = any_vertex(graph, edge->a), b = any_vertex(graph, edge->b);
    uint32_t found = a != 0 && b != 0 ? find_edge(graph, a, b) : 0;

    if (found != 0) {
        graph->edges[found - 1].affinity = -1;
        graph->edges[found - 1].contacts = 0;
    }
}

static void
put_edge(CxSupervoxelGraph *graph, const CxEdge *edge)
{
    uint32_t a = any_vertex(graph, edge->a), b = any_vertex(graph, edge->b);

    if (a == 0 || b == 0 || a == b)
        return;
    uint32_t found = find_edge(graph, a, b);

    if (found == 0) {
        append_edge(graph, a, b, edge->affinity, edge->contacts);
        return;
    }
    graph->edges[found - 1].affinity = edge->affinity;
    graph->edges[found - 1].contacts = edge->contacts;
}

/* With the lock held for writing. */
static void
put_patch(CxSupervoxelGraph *graph, const CxPatch *patch, CxPatchSide side)
{
    const GArray *former = patch->nodes[!side], *nodes = patch->nodes[side];
    const GArray *old_edges = patch->edges[!side], *edges = patch->edges[side];

    for (guint i = 0; i < old_edges->len; i++)
        drop_edge(graph, &g_array_index(old_edges, CxEdge, i));
    for (guint i = 0; i < nodes->len; i++)
        put_vertex(graph, &g_array_index(nodes, CxPatchNode, i));
    for (guint i = 0; i < former->len; i++) {
        CxId id = g_array_index(former, CxPatchNode, i).supervoxel.id;
        uint32_t vertex = cx_graph_vertex(graph, id);

        if (vertex != 0 && cx_patch_find(patch, side, id) == NULL)
            remove_vertex(graph, vertex);
    }
    for (guint i = 0; i < edges->len; i++)
        put_edge(graph, &g_array_index(edges, CxEdge, i));
}

void
cx_supervoxel_graph_patch(CxSupervoxelGraph *graph, const CxPatch *patch,
                          CxPatchSide side)
{
    g_rw_lock_writer_lock(&graph->lock);
    put_patch(graph, patch, side);
    g_rw_lock_writer_unlock(&graph->lock);
}

void
cx_supervoxel_graph_apply(CxSupervoxelGraph *graph, const CxEdit *edit,
                          bool inverse)
{
    guint n = edit->moves->len;

    g_rw_lock_writer_lock(&graph->lock);
    if (edit->patch != NULL && !inverse)
        put_patch(graph, edit->patch, CX_AFTER);
    for (guint i = 0; i < n; i++) {
        guint at = inverse ? n - 1 - i : i;

        carry_out(graph, &g_array_index(edit->moves, CxMove, at), inverse);
    }
    if (edit->link_a != 0 && inverse)
        unlink_vertices(graph, edit->link_a, edit->link_b);
    else if (edit->link_a != 0)
        link_vertices(graph, edit->link_a, edit->link_b);
    if (edit->patch != NULL && inverse)
        put_patch(graph, edit->patch, CX_BEFORE);
    g_rw_lock_writer_unlock(&graph->lock);
}
