/* The weak places of one segment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/review/sides.h"

#include "core/base/hash64.h"
#include "core/base/union_find.h"

#include <string.h>

/* An edge between members, by their places. */
typedef struct {
    uint32_t a, b;
    float affinity;
    uint32_t contacts;
    bool in_tree;
} Link;

typedef struct {
    const GArray *members;
    GArray *links;   /* of Link, strongest first */
    uint32_t *first; /* tree as lists: first[i] … first[i + 1] of neighbours */
    uint32_t *next_to;
    uint8_t *side;
    GArray *stack;
} Tree;

static int
strongest_first(const void *x, const void *y)
{
    const Link *a = x, *b = y;

    if (a->affinity != b->affinity)
        return a->affinity < b->affinity ? 1 : -1;
    if (a->contacts != b->contacts)
        return a->contacts < b->contacts ? 1 : -1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static GArray *
make_links(const GArray *members, const GArray *edges)
{
    GArray *links = g_array_new(false, false, sizeof(Link));
    g_autoptr(CxHash64) places = cx_hash64_new(members->len);
    uint64_t a, b;

    for (guint i = 0; i < members->len; i++)
        cx_hash64_set(places, g_array_index(members, CxSupervoxel, i).id, i);
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);

        if (!cx_hash64_get(places, edge->a, &a) ||
            !cx_hash64_get(places, edge->b, &b))
            continue;
        Link link = {(uint32_t)a, (uint32_t)b, edge->affinity, edge->contacts,
                     false};
        g_array_append_val(links, link);
    }
    g_array_sort(links, strongest_first);
    return links;
}

static void
mark_tree(Tree *tree)
{
    g_autoptr(CxUnionFind) sets =
        cx_union_find_new((uint32_t)tree->members->len);

    for (guint i = 0; i < tree->links->len; i++) {
        Link *link = &g_array_index(tree->links, Link, i);

        link->in_tree = cx_union_find_join(sets, link->a, link->b);
    }
}

static void
list_neighbours(Tree *tree)
{
    guint n = tree->members->len;
    g_autofree uint32_t *fill = NULL;

    tree->first = g_new0(uint32_t, n + 1);
    for (guint i = 0; i < tree->links->len; i++) {
        const Link *link = &g_array_index(tree->links, Link, i);

        tree->first[link->a + 1] += link->in_tree;
        tree->first[link->b + 1] += link->in_tree;
    }
    for (guint i = 0; i < n; i++)
        tree->first[i + 1] += tree->first[i];
    fill = g_memdup2(tree->first, (n + 1) * sizeof *fill);
    tree->next_to = g_new(uint32_t, tree->first[n] + 1);
    for (guint i = 0; i < tree->links->len; i++) {
        const Link *link = &g_array_index(tree->links, Link, i);

        if (!link->in_tree)
            continue;
        tree->next_to[fill[link->a]++] = link->b;
        tree->next_to[fill[link->b]++] = link->a;
    }
}

/* Marks what the tree reaches from a without the edge to b; its voxels. */
static uint64_t
mark_side(Tree *tree, uint32_t a, uint32_t b)
{
    uint64_t n_voxels = 0;

    memset(tree->side, 0, tree->members->len);
    g_array_set_size(tree->stack, 0);
    g_array_append_val(tree->stack, a);
    tree->side[a] = 1;
    while (tree->stack->len > 0) {
        uint32_t at =
            g_array_index(tree->stack, uint32_t, tree->stack->len - 1);

        g_array_set_size(tree->stack, tree->stack->len - 1);
        n_voxels += g_array_index(tree->members, CxSupervoxel, at).n_voxels;
        for (uint32_t k = tree->first[at]; k < tree->first[at + 1]; k++) {
            uint32_t to = tree->next_to[k];

            if (tree->side[to] || (at == a && to == b))
                continue;
            tree->side[to] = 1;
            g_array_append_val(tree->stack, to);
        }
    }
    return n_voxels;
}

/* The other side is what hangs together with b: a segment need not be one
 * piece. */
static CxSides
measure(Tree *tree, const Link *cut)
{
    const CxSupervoxel *members = (const CxSupervoxel *)tree->members->data;
    CxSides sides = {.a = members[cut->a].id, .b = members[cut->b].id};
    double sum = 0;

    sides.n_b = mark_side(tree, cut->b, cut->a);
    sides.n_a = mark_side(tree, cut->a, cut->b);
    for (guint i = 0; i < tree->links->len; i++) {
        const Link *link = &g_array_index(tree->links, Link, i);

        if (tree->side[link->a] == tree->side[link->b])
            continue;
        uint32_t weight = MAX(link->contacts, 1);
        sum += (double)link->affinity * weight;
        sides.contacts += weight;
    }
    sides.affinity = sides.contacts > 0 ? sum / (double)sides.contacts : 1;
    return sides;
}

GArray *
cx_sides_find(const GArray *members, const GArray *edges, uint64_t min_voxels,
              unsigned most)
{
    GArray *found = g_array_new(false, false, sizeof(CxSides));
    g_autoptr(GArray) links = make_links(members, edges);
    g_autoptr(GArray) stack = g_array_new(false, false, sizeof(uint32_t));
    Tree tree = {.members = members, .links = links, .stack = stack};

    if (members->len < 2)
        return found;
    mark_tree(&tree);
    list_neighbours(&tree);
    tree.side = g_malloc(members->len);
    for (guint i = links->len; i-- > 0 && found->len < most;) {
        const Link *link = &g_array_index(links, Link, i);

        if (!link->in_tree)
            continue;
        CxSides sides = measure(&tree, link);
        if (MIN(sides.n_a, sides.n_b) >= min_voxels)
            g_array_append_val(found, sides);
    }
    g_free(tree.first);
    g_free(tree.next_to);
    g_free(tree.side);
    return found;
}
