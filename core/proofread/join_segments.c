/* Decides which segment new supervoxels belong to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/join_segments.h"

#include "core/base/alloc.h"
#include "core/base/hash64.h"
#include "core/base/union_find.h"

/* The segment that names a set of nodes; index 0 … n - 1, or NONE. */
#define NONE UINT32_MAX

typedef struct {
    const CxJoinNode *nodes;
    uint32_t n;
    CxHash64 *number_of; /* id → node */
    CxUnionFind *sets;
    uint32_t *name; /* by root */
} Joining;

static int
compare_ends(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

static int
compare_strength(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->affinity != right->affinity)
        return left->affinity > right->affinity ? -1 : 1;
    return compare_ends(a, b);
}

static const CxJoinNode *
name_node(const Joining *joining, uint32_t root)
{
    uint32_t name = joining->name[root];

    return name != NONE ? &joining->nodes[name] : NULL;
}

/* True if `a` gives its id to a set that holds both. */
static bool
names_before(const CxJoinNode *a, const CxJoinNode *b)
{
    if (a->is_kept != b->is_kept)
        return a->is_kept;
    if (a->supervoxel.n_voxels != b->supervoxel.n_voxels)
        return a->supervoxel.n_voxels > b->supervoxel.n_voxels;
    return a->segment < b->segment;
}

static void
join(Joining *joining, uint32_t a, uint32_t b)
{
    a = cx_union_find_root(joining->sets, a);
    b = cx_union_find_root(joining->sets, b);
    if (a == b)
        return;
    const CxJoinNode *name_a = name_node(joining, a);
    const CxJoinNode *name_b = name_node(joining, b);
    uint32_t name = name_a == NULL                 ? joining->name[b]
                    : name_b == NULL               ? joining->name[a]
                    : names_before(name_a, name_b) ? joining->name[a]
                                                   : joining->name[b];

    if (name_a != NULL && name_b != NULL && name_a->is_kept && name_b->is_kept)
        return;
    cx_union_find_join(joining->sets, a, b);
    joining->name[cx_union_find_root(joining->sets, a)] = name;
}

/* Edges between the same two nodes become one: mean affinity, all faces. */
static GArray *
pool_edges(const GArray *edges)
{
    GArray *pooled =
        g_array_sized_new(FALSE, FALSE, sizeof(CxEdge), edges->len);

    for (guint i = 0; i < edges->len; i++) {
        CxEdge edge = g_array_index(edges, CxEdge, i);

        if (edge.a == edge.b || edge.contacts == 0)
            continue;
        if (edge.a > edge.b) {
            CxId swap = edge.a;

            edge.a = edge.b;
            edge.b = swap;
        }
        g_array_append_val(pooled, edge);
    }
    g_array_sort(pooled, compare_ends);

    guint n = 0;

    for (guint i = 0; i < pooled->len; i++) {
        CxEdge edge = g_array_index(pooled, CxEdge, i);
        CxEdge *last = n > 0 ? &g_array_index(pooled, CxEdge, n - 1) : NULL;

        if (last == NULL || compare_ends(last, &edge) != 0) {
            g_array_index(pooled, CxEdge, n++) = edge;
            continue;
        }
        double faces = (double)last->contacts + edge.contacts;

        last->affinity = (float)((last->affinity * (double)last->contacts +
                                  edge.affinity * (double)edge.contacts) /
                                 faces);
        last->contacts += edge.contacts;
    }
    g_array_set_size(pooled, n);
    return pooled;
}

/* Groups with two kept segments or more, by their id. */
static CxHash64 *
find_conflicts(const Joining *joining, const GArray *groups)
{
    CxHash64 *conflicts = cx_hash64_new(16);
    g_autoptr(CxHash64) kept = cx_hash64_new(16);

    for (uint32_t i = 0; i < joining->n; i++) {
        CxId group = g_array_index(groups, CxId, i);
        bool was_new = true;

        if (!joining->nodes[i].is_kept)
            continue;
        cx_hash64_at(kept, group, i, &was_new);
        if (!was_new)
            cx_hash64_set(conflicts, group, 1);
    }
    return conflicts;
}

static void
join_edge(Joining *joining, const CxEdge *edge, const GArray *groups)
{
    uint64_t a, b;

    if (cx_hash64_get(joining->number_of, edge->a, &a) &&
        cx_hash64_get(joining->number_of, edge->b, &b) &&
        g_array_index(groups, CxId, a) == g_array_index(groups, CxId, b))
        join(joining, (uint32_t)a, (uint32_t)b);
}

/* A group without conflict becomes one.  In one with conflict every node goes
 * to the kept segment to which the strongest path leads: its edges are taken
 * in order of affinity, but for those that would make two kept ones one. */
static void
join_groups(Joining *joining, const GArray *groups, GArray *edges)
{
    g_autoptr(CxHash64) conflicts = find_conflicts(joining, groups);
    g_autoptr(CxHash64) first = cx_hash64_new(joining->n);

    for (uint32_t i = 0; i < joining->n; i++) {
        CxId group = g_array_index(groups, CxId, i);

        if (!cx_hash64_get(conflicts, group, NULL))
            join(joining, i, (uint32_t)*cx_hash64_at(first, group, i, NULL));
    }
    if (cx_hash64_size(conflicts) == 0)
        return;
    g_array_sort(edges, compare_strength);
    for (guint i = 0; i < edges->len; i++)
        join_edge(joining, &g_array_index(edges, CxEdge, i), groups);
}

static GArray *
name_all(Joining *joining)
{
    GArray *segments =
        g_array_sized_new(FALSE, FALSE, sizeof(CxId), joining->n);
    g_autoptr(CxHash64) smallest = cx_hash64_new(joining->n);

    for (uint32_t i = 0; i < joining->n; i++) {
        uint64_t root = cx_union_find_root(joining->sets, i) + UINT64_C(1);
        CxId id = joining->nodes[i].supervoxel.id;
        uint64_t *least = cx_hash64_at(smallest, root, id, NULL);

        *least = MIN(*least, id);
    }
    for (uint32_t i = 0; i < joining->n; i++) {
        uint32_t root = cx_union_find_root(joining->sets, i);
        const CxJoinNode *name = name_node(joining, root);
        CxId id = 0;

        cx_hash64_get(smallest, root + UINT64_C(1), &id);
        if (name != NULL)
            id = name->segment;
        g_array_append_val(segments, id);
    }
    return segments;
}

static GArray *
join_nodes(const GArray *nodes, const GArray *groups, GArray *edges,
           GError **error)
{
    uint32_t n = nodes->len;
    CX_AUTOFREE uint32_t *name = cx_try_alloc(n, sizeof *name, error);
    g_autoptr(CxHash64) number_of = cx_hash64_new(n);
    g_autoptr(CxUnionFind) sets = cx_union_find_new(n);
    Joining joining = {(const CxJoinNode *)(const void *)nodes->data, n,
                       number_of, sets, name};

    if (name == NULL)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        cx_hash64_set(number_of, joining.nodes[i].supervoxel.id, i);
        name[i] = joining.nodes[i].segment != 0 ? i : NONE;
    }
    join_groups(&joining, groups, edges);
    return name_all(&joining);
}

GArray *
cx_join_segments(const GArray *nodes, const GArray *edges,
                 const CxAgglomerateOptions *options, CxJob *job,
                 GError **error)
{
    g_autoptr(GArray) supervoxels =
        g_array_sized_new(FALSE, FALSE, sizeof(CxSupervoxel), nodes->len);
    g_autoptr(GArray) pooled = pool_edges(edges);

    for (guint i = 0; i < nodes->len; i++)
        g_array_append_val(supervoxels,
                           g_array_index(nodes, CxJoinNode, i).supervoxel);
    g_autoptr(GArray) groups =
        cx_agglomerate(supervoxels, pooled, NULL, options, NULL, job, error);

    if (groups == NULL)
        return NULL;
    return join_nodes(nodes, groups, pooled, error);
}
