/* Brings supervoxels together in one segment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/gather.h"

#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/base/union_find.h"
#include "core/proofread/project_private.h"

/* One part in so many of a segment must lie in the object, else the object is
 * no part of it. */
#define LEAST_SHARE 8

/* A supervoxel of the object, or (index 0) the segment that is kept. */
typedef struct {
    CxId id, segment;
    uint64_t n_voxels;
} Node;

/* A segment that has supervoxels in the object. */
typedef struct {
    CxId id;
    uint64_t n_inside, n_voxels;
    guint n_members, n_nodes;
} Holder;

typedef struct {
    CxSupervoxelGraph *graph;
    GArray *nodes;   /* Node, sorted by id */
    GArray *holders; /* Holder, sorted by id */
} Work;

void
cx_gather_clear(CxGather *gather)
{
    g_clear_pointer(&gather->inside, g_array_unref);
    g_clear_pointer(&gather->movers, g_array_unref);
    *gather = (CxGather){0};
}

static int
compare_nodes(const void *a, const void *b)
{
    const Node *p = a, *q = b;

    return p->id < q->id ? -1 : p->id > q->id;
}

static int
compare_ids(const void *a, const void *b)
{
    CxId p = *(const CxId *)a, q = *(const CxId *)b;

    return p < q ? -1 : p > q;
}

/* The segments of the overlapping supervoxels, each once, sorted. */
static GArray *
segments_of(CxSupervoxelGraph *graph, const GArray *overlaps)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    guint n = 0;

    for (guint i = 0; i < overlaps->len; i++) {
        CxId segment = cx_supervoxel_graph_segment_of(
            graph, g_array_index(overlaps, CxFloodOverlap, i).id);

        if (segment != 0)
            g_array_append_val(ids, segment);
    }
    g_array_sort(ids, compare_ids);
    for (guint i = 0; i < ids->len; i++)
        if (i == 0 ||
            g_array_index(ids, CxId, i) != g_array_index(ids, CxId, n - 1))
            g_array_index(ids, CxId, n++) = g_array_index(ids, CxId, i);
    g_array_set_size(ids, n);
    return ids;
}

/* Members and overlaps are both sorted by id. */
static void
add_segment(Work *work, CxId segment, const GArray *overlaps)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(work->graph, segment);
    Holder holder = {.id = segment};
    guint next = 0;

    holder.n_members = members != NULL ? members->len : 0;
    for (guint i = 0; i < holder.n_members; i++) {
        const CxSupervoxel *member = &g_array_index(members, CxSupervoxel, i);

        holder.n_voxels += member->n_voxels;
        while (next < overlaps->len &&
               g_array_index(overlaps, CxFloodOverlap, next).id < member->id)
            next++;
        if (next == overlaps->len)
            continue;
        CxFloodOverlap overlap = g_array_index(overlaps, CxFloodOverlap, next);
        if (overlap.id != member->id ||
            overlap.n_inside < member->n_voxels - overlap.n_inside)
            continue;
        Node node = {member->id, segment, member->n_voxels};
        g_array_append_val(work->nodes, node);
        holder.n_inside += member->n_voxels;
        holder.n_nodes++;
    }
    if (holder.n_nodes > 0)
        g_array_append_val(work->holders, holder);
}

/* Place of a supervoxel among the nodes + 1; 0 for the kept segment, whose
 * supervoxels all hang together; -1 for others. */
static int64_t
place_of(const Work *work, CxId keep, CxId supervoxel)
{
    Node wanted = {.id = supervoxel};
    const Node *found = bsearch(&wanted, work->nodes->data, work->nodes->len,
                                sizeof wanted, compare_nodes);

    if (keep != 0 &&
        cx_supervoxel_graph_segment_of(work->graph, supervoxel) == keep)
        return 0;
    return found != NULL ? found - (const Node *)(void *)work->nodes->data + 1
                         : -1;
}

static void
join_edges(const Work *work, CxId keep, const GArray *edges, CxUnionFind *sets)
{
    for (guint i = 0; edges != NULL && i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);
        int64_t a = place_of(work, keep, edge->a);
        int64_t b = place_of(work, keep, edge->b);

        if (a >= 0 && b >= 0)
            cx_union_find_join(sets, (uint32_t)a, (uint32_t)b);
    }
}

/* The set of nodes to bring together: that of the kept segment, else the
 * largest. */
static uint32_t
choose_set(const Work *work, CxId keep, CxUnionFind *sets)
{
    g_autofree uint64_t *sizes = g_new0(uint64_t, work->nodes->len + 1);
    uint32_t best = 0;

    for (guint i = 0; i < work->nodes->len && keep == 0; i++) {
        uint32_t root = cx_union_find_root(sets, i + 1);

        sizes[root] += g_array_index(work->nodes, Node, i).n_voxels;
    }
    for (guint i = 1; i <= work->nodes->len; i++)
        if (sizes[i] > sizes[best])
            best = i;
    return cx_union_find_root(sets, best);
}

static void
choose_movers(const Work *work, CxGather *gather)
{
    CxUnionFind *sets = cx_union_find_new(work->nodes->len + 1);

    for (guint i = 0; i < work->holders->len; i++) {
        CxId id = g_array_index(work->holders, Holder, i).id;
        g_autoptr(GArray) across =
            cx_supervoxel_graph_edges(work->graph, id, true);
        g_autoptr(GArray) within =
            cx_supervoxel_graph_edges(work->graph, id, false);

        join_edges(work, gather->keep, across, sets);
        join_edges(work, gather->keep, within, sets);
    }
    uint32_t set = choose_set(work, gather->keep, sets);
    for (guint i = 0; i < work->nodes->len; i++) {
        const Node *node = &g_array_index(work->nodes, Node, i);
        bool is_kept = node->segment == gather->keep;

        if (!is_kept && cx_union_find_root(sets, i + 1) != set)
            continue;
        g_array_append_val(gather->inside, node->id);
        if (!is_kept)
            g_array_append_val(gather->movers, node->id);
    }
    cx_union_find_free(sets);
}

/* How many segments move as a whole, and how many lose a part. */
static void
count_segments(const Work *work, CxGather *gather)
{
    for (guint h = 0; h < work->holders->len; h++) {
        const Holder *holder = &g_array_index(work->holders, Holder, h);
        guint n = 0;

        for (guint i = 0; i < gather->movers->len; i++)
            n += cx_supervoxel_graph_segment_of(
                     work->graph, g_array_index(gather->movers, CxId, i)) ==
                 holder->id;
        if (n > 0 && n == holder->n_members)
            gather->n_joined++;
        else if (n > 0)
            gather->n_cut++;
    }
}

void
cx_gather_plan(CxSupervoxelGraph *graph, const GArray *overlaps,
               CxGather *gather)
{
    g_autoptr(GArray) segments = segments_of(graph, overlaps);
    Work work = {graph, g_array_new(FALSE, FALSE, sizeof(Node)),
                 g_array_new(FALSE, FALSE, sizeof(Holder))};
    uint64_t most = 0;

    *gather = (CxGather){
        .inside = g_array_new(FALSE, FALSE, sizeof(CxId)),
        .movers = g_array_new(FALSE, FALSE, sizeof(CxId)),
    };
    for (guint i = 0; i < segments->len; i++)
        add_segment(&work, g_array_index(segments, CxId, i), overlaps);
    g_array_sort(work.nodes, compare_nodes);
    for (guint i = 0; i < work.holders->len; i++) {
        const Holder *holder = &g_array_index(work.holders, Holder, i);

        if (holder->n_inside > most &&
            holder->n_inside >= holder->n_voxels / LEAST_SHARE) {
            most = holder->n_inside;
            gather->keep = holder->id;
        }
    }
    choose_movers(&work, gather);
    count_segments(&work, gather);
    g_array_unref(work.nodes);
    g_array_unref(work.holders);
}

/* Moves grouped by the segment they leave. */
static bool
add_moves(CxProject *project, CxId keep, const CxId *supervoxels, size_t n,
          CxEdit *edit, GError **error)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, FALSE, sizeof(Node));
    GArray *group = NULL;

    for (size_t i = 0; i < n; i++) {
        Node node = {.id = cx_supervoxel_graph_segment_of(project->graph,
                                                          supervoxels[i]),
                     .segment = supervoxels[i]};

        if (node.id == 0 || node.id == keep) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "supervoxel %" G_GUINT64_FORMAT
                        " is in segment %" G_GUINT64_FORMAT
                        ", expected in one other than %" G_GUINT64_FORMAT,
                        supervoxels[i], node.id, keep);
            return false;
        }
        g_array_append_val(nodes, node);
    }
    g_array_sort(nodes, compare_nodes);
    for (guint i = 0; i < nodes->len; i++) {
        Node node = g_array_index(nodes, Node, i);
        bool is_last = i + 1 == nodes->len ||
                       g_array_index(nodes, Node, i + 1).id != node.id;

        if (group == NULL)
            group = g_array_new(FALSE, FALSE, sizeof(CxId));
        g_array_append_val(group, node.segment);
        if (is_last)
            cx_edit_add_move(edit, node.id, keep, g_steal_pointer(&group));
    }
    return true;
}

CxEdit *
cx_project_gather(CxProject *project, CxId keep, const CxId *supervoxels,
                  size_t n, CxVoxel at, GError **error)
{
    g_autoptr(CxEdit) edit =
        cx_edit_new(keep != 0 ? CX_EDIT_MERGE : CX_EDIT_SPLIT);

    if (n == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "there is nothing to bring into segment %" G_GUINT64_FORMAT,
                    keep);
        return NULL;
    }
    if (keep != 0 && !cx_supervoxel_graph_segment(project->graph, keep, NULL)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no segment %" G_GUINT64_FORMAT, keep);
        return NULL;
    }
    CxId to = keep != 0 ? keep : cx_project_take_new_id(project);
    edit->at = at;
    if (!add_moves(project, to, supervoxels, n, edit, error))
        return NULL;
    guint from = edit->moves->len;
    edit->sentence = g_strdup_printf(
        keep != 0 ? "Brought %" G_GSIZE_FORMAT " piece%s of %u segment%s into "
                    "%" G_GUINT64_FORMAT
                  : "Cut %" G_GSIZE_FORMAT " piece%s out of %u segment%s: they "
                    "became %" G_GUINT64_FORMAT,
        n, n == 1 ? "" : "s", from, from == 1 ? "" : "s", to);
    return cx_project_apply(project, edit, error);
}
