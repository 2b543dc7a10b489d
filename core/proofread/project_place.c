/* A project: which segments the supervoxels of a block belong to.
 *
 * Either the block alone meets the segments around it, or, at the end of a
 * run over everything, all supervoxels meet anew; segments that people have
 * edited take part as one node in both.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/join_segments.h"
#include "core/proofread/project_private.h"

void
cx_place_clear(CxPlace *place)
{
    g_clear_pointer(&place->segments, g_array_unref);
    g_clear_pointer(&place->joined, g_array_unref);
}

typedef struct {
    CxProject *project;
    GArray *nodes;     /* of CxJoinNode: the new, then the segments */
    GArray *edges;     /* of CxEdge between ids of nodes */
    CxHash64 *is_new;  /* supervoxels of this block */
    CxHash64 *node_of; /* segment → id of its node */
    guint n_new;
} Meeting;

/* The node of the segment that holds a supervoxel known before; 0 if the
 * graph does not know it. */
static CxId
node_of_known(Meeting *meeting, CxId supervoxel)
{
    CxSegment segment;
    CxId id =
        cx_supervoxel_graph_segment_of(meeting->project->graph, supervoxel);
    bool was_new;

    if (id == 0 ||
        !cx_supervoxel_graph_segment(meeting->project->graph, id, &segment))
        return 0;
    uint64_t node = *cx_hash64_at(meeting->node_of, id, supervoxel, &was_new);

    if (was_new) {
        CxJoinNode fresh = {
            .supervoxel = {node, segment.n_voxels, segment.box, segment.inside},
            .segment = id,
            .is_kept = cx_project_is_edited(meeting->project, id),
        };

        g_array_append_val(meeting->nodes, fresh);
    }
    return node;
}

static CxId
node_of_end(Meeting *meeting, CxId supervoxel)
{
    return cx_hash64_get(meeting->is_new, supervoxel, NULL)
               ? supervoxel
               : node_of_known(meeting, supervoxel);
}

/* An end whose segment takes part, without bringing in further ones. */
static CxId
node_of_present(const Meeting *meeting, CxId supervoxel)
{
    CxId segment =
        cx_supervoxel_graph_segment_of(meeting->project->graph, supervoxel);
    uint64_t node = 0;

    cx_hash64_get(meeting->node_of, segment, &node);
    return node;
}

static void
add_edge(Meeting *meeting, const CxEdge *edge, CxId a, CxId b)
{
    CxEdge copy = {MIN(a, b), MAX(a, b), edge->affinity, edge->contacts};

    if (a != 0 && b != 0 && a != b)
        g_array_append_val(meeting->edges, copy);
}

/* Contacts the segments have with each other: each is met from one end at
 * least if the edges of all but the largest are looked at. */
static void
add_old_contacts(Meeting *meeting)
{
    guint largest = meeting->n_new;
    g_autoptr(CxHash64) seen = cx_hash64_new(16);

    for (guint i = meeting->n_new; i < meeting->nodes->len; i++) {
        if (g_array_index(meeting->nodes, CxJoinNode, i).supervoxel.n_voxels >
            g_array_index(meeting->nodes, CxJoinNode, largest)
                .supervoxel.n_voxels)
            largest = i;
    }
    for (guint i = meeting->n_new; i < meeting->nodes->len; i++) {
        const CxJoinNode *node = &g_array_index(meeting->nodes, CxJoinNode, i);

        if (i == largest)
            continue;
        g_autoptr(GArray) edges = cx_supervoxel_graph_edges(
            meeting->project->graph, node->segment, true);

        for (guint k = 0; k < edges->len; k++) {
            const CxEdge *edge = &g_array_index(edges, CxEdge, k);
            CxId a = node_of_present(meeting, edge->a);
            CxId b = node_of_present(meeting, edge->b);
            CxId other = a == node->supervoxel.id ? b : a;

            if (other != 0 && !cx_hash64_get(seen, other, NULL))
                add_edge(meeting, edge, a, b);
        }
        cx_hash64_set(seen, node->supervoxel.id, 1);
    }
}

static void
meet(Meeting *meeting, const CxFragments *fragments, bool with_segments)
{
    for (guint i = 0; i < fragments->supervoxels->len; i++) {
        CxJoinNode node = {.supervoxel = g_array_index(fragments->supervoxels,
                                                       CxSupervoxel, i)};

        cx_hash64_set(meeting->is_new, node.supervoxel.id, 1);
        g_array_append_val(meeting->nodes, node);
    }
    meeting->n_new = meeting->nodes->len;
    for (guint i = 0; i < fragments->edges->len; i++) {
        const CxEdge *edge = &g_array_index(fragments->edges, CxEdge, i);
        bool inner = cx_hash64_get(meeting->is_new, edge->a, NULL) &&
                     cx_hash64_get(meeting->is_new, edge->b, NULL);

        if (inner || with_segments)
            add_edge(meeting, edge, node_of_end(meeting, edge->a),
                     node_of_end(meeting, edge->b));
    }
    if (with_segments && meeting->nodes->len > meeting->n_new)
        add_old_contacts(meeting);
}

static void
read_off(const Meeting *meeting, const GArray *segments, CxPlace *place)
{
    place->segments = g_array_new(FALSE, FALSE, sizeof(CxId));
    place->joined = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_array_append_vals(place->segments, segments->data, meeting->n_new);
    for (guint i = meeting->n_new; i < meeting->nodes->len; i++) {
        const CxJoinNode *node = &g_array_index(meeting->nodes, CxJoinNode, i);
        CxId into = g_array_index(segments, CxId, i);

        if (into == node->segment)
            continue;
        g_array_append_val(place->joined, node->segment);
        g_array_append_val(place->joined, into);
        place->box = cx_box_union(place->box, node->supervoxel.box);
    }
}

bool
cx_project_find_place(CxProject *project, const CxFragments *fragments,
                      const CxAgglomerateOptions *options, bool with_segments,
                      CxPlace *place, CxJob *job, GError **error)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(CxJoinNode));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    g_autoptr(CxHash64) is_new = cx_hash64_new(fragments->supervoxels->len);
    g_autoptr(CxHash64) node_of = cx_hash64_new(64);
    Meeting meeting = {project, nodes, edges, is_new, node_of, 0};

    meet(&meeting, fragments, with_segments);
    g_autoptr(GArray) segments =
        cx_join_segments(nodes, edges, options, job, error);

    if (segments != NULL)
        read_off(&meeting, segments, place);
    return segments != NULL;
}

static void
add_global_node(CxProject *project, const CxSupervoxel *supervoxel,
                Meeting *meeting)
{
    CxId segment =
        cx_supervoxel_graph_segment_of(project->graph, supervoxel->id);
    CxJoinNode node = {.supervoxel = *supervoxel};

    if (cx_project_is_edited(project, segment)) {
        node_of_known(meeting, supervoxel->id);
    } else {
        cx_hash64_set(meeting->is_new, supervoxel->id, 1);
        g_array_append_val(meeting->nodes, node);
    }
}

/* Segment of every supervoxel, by id, in order of the list. */
GArray *
cx_project_agglomerate_all(CxProject *project, const GArray *supervoxels,
                           const CxAgglomerateOptions *options, CxJob *job,
                           GError **error)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(CxJoinNode));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    g_autoptr(GArray) all = cx_supervoxel_graph_all_edges(project->graph);
    g_autoptr(CxHash64) is_new = cx_hash64_new(supervoxels->len);
    g_autoptr(CxHash64) node_of = cx_hash64_new(64);
    Meeting meeting = {project, nodes, edges, is_new, node_of, 0};

    for (guint i = 0; i < supervoxels->len; i++)
        add_global_node(project, &g_array_index(supervoxels, CxSupervoxel, i),
                        &meeting);
    for (guint i = 0; i < all->len; i++) {
        const CxEdge *edge = &g_array_index(all, CxEdge, i);

        add_edge(&meeting, edge, node_of_end(&meeting, edge->a),
                 node_of_end(&meeting, edge->b));
    }
    g_autoptr(GArray) joined =
        cx_join_segments(nodes, edges, options, job, error);

    if (joined == NULL)
        return NULL;
    g_autoptr(CxHash64) segment_of_node = cx_hash64_new(nodes->len);
    GArray *segments = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (guint i = 0; i < nodes->len; i++)
        cx_hash64_set(segment_of_node,
                      g_array_index(nodes, CxJoinNode, i).supervoxel.id,
                      g_array_index(joined, CxId, i));
    for (guint i = 0; i < supervoxels->len; i++) {
        CxId id = g_array_index(supervoxels, CxSupervoxel, i).id, segment = 0;

        cx_hash64_get(segment_of_node, node_of_end(&meeting, id), &segment);
        g_array_append_val(segments, segment);
    }
    return segments;
}
