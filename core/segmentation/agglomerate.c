/* Hierarchical agglomeration by mean affinity.
 *
 * Every region has a slot (the index of one of its supervoxels) and a list of
 * its half-edges; half-edge 2 e + s belongs to end s of edge e.  A merge moves
 * the shorter list to the longer one's slot; where that makes two edges
 * between the same slots, they pool their faces in the one of smaller index
 * and the other dies (its half-edges are dropped when a list is next walked).
 * Sums are whole numbers, so their order does not matter.
 *
 * The heap holds score and edge index in one u64, compared at once.  Its keys
 * may be too high (a pooled score that fell is corrected when it surfaces),
 * never too low.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/agglomerate.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/base/union_find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT ((double)(1 << 26)) /* an affinity of 1 in sums */
#define NONE UINT32_MAX

typedef struct {
    uint32_t slot[2];
    uint32_t next[2]; /* half-edges */
    uint64_t sum;     /* of affinity * UNIT over the faces */
    uint64_t n_faces; /* 0 = dead */
} Edge;

typedef struct {
    uint32_t first, last; /* half-edges */
    uint32_t n_edges;     /* alive */
    uint32_t name;        /* index of the smallest supervoxel */
    uint64_t n_voxels;
} Region;

typedef struct {
    uint64_t pair; /* smaller slot << 32 | larger slot; 0 = free */
    uint32_t edge;
} PairSlot;

typedef struct {
    uint32_t n, n_edges;
    const CxId *ids; /* sorted */
    Region *regions;
    Edge *edges;
    uint64_t *heap; /* key of float << 32 | ~edge, largest first */
    uint32_t *place;
    uint32_t n_heap;
    PairSlot *pairs;
    size_t pair_mask, n_pairs;
    uint32_t *parent; /* of slots: to the slot that took them over */
} Forest;

/* --- heap ---------------------------------------------------------------- */

static float
score_of(const Edge *edge)
{
    return (float)((double)edge->sum / ((double)edge->n_faces * UNIT));
}

/* Scores are not negative, so their bits are in order. */
static uint64_t
key_of(const Forest *forest, uint32_t e)
{
    float score = score_of(&forest->edges[e]);
    uint32_t bits;

    memcpy(&bits, &score, sizeof(bits));
    return (uint64_t)bits << 32 | (uint32_t)~e;
}

static inline void
heap_put(Forest *forest, uint32_t at, uint64_t key)
{
    forest->heap[at] = key;
    forest->place[(uint32_t)~key] = at;
}

static void
heap_up(Forest *forest, uint32_t at, uint64_t key)
{
    while (at > 0 && forest->heap[(at - 1) / 4] < key) {
        heap_put(forest, at, forest->heap[(at - 1) / 4]);
        at = (at - 1) / 4;
    }
    heap_put(forest, at, key);
}

static void
heap_down(Forest *forest, uint32_t at, uint64_t key)
{
    const uint64_t *heap = forest->heap;

    for (;;) {
        uint32_t child = 4 * at + 1;
        uint32_t end = MIN(child + 4, forest->n_heap);
        uint32_t best = child;

        if (child >= forest->n_heap)
            break;
        for (uint32_t c = child + 1; c < end; c++)
            best = heap[c] > heap[best] ? c : best;
        if (heap[best] <= key)
            break;
        heap_put(forest, at, heap[best]);
        at = best;
    }
    heap_put(forest, at, key);
}

static void
heap_pop(Forest *forest)
{
    uint64_t last = forest->heap[--forest->n_heap];

    forest->place[(uint32_t)~forest->heap[0]] = NONE;
    if (forest->n_heap > 0)
        heap_down(forest, 0, last);
}

/* After the score of an edge changed: a rise moves it, a fall waits. */
static void
heap_raise(Forest *forest, uint32_t e)
{
    uint64_t key = key_of(forest, e);

    if (forest->place[e] == NONE)
        heap_up(forest, forest->n_heap++, key);
    else if (forest->heap[forest->place[e]] < key)
        heap_up(forest, forest->place[e], key);
}

static void
heap_fill(Forest *forest)
{
    forest->n_heap = 0;
    for (uint32_t e = 0; e < forest->n_edges; e++) {
        forest->place[e] = NONE;
        if (forest->edges[e].n_faces > 0)
            heap_put(forest, forest->n_heap++, key_of(forest, e));
    }
    for (uint32_t i = forest->n_heap / 4 + 1; i-- > 0;) {
        if (i < forest->n_heap)
            heap_down(forest, i, forest->heap[i]);
    }
}

/* --- pairs of slots ------------------------------------------------------- */

static uint64_t
pair_of(uint32_t a, uint32_t b)
{
    return (uint64_t)MIN(a, b) << 32 | MAX(a, b);
}

static PairSlot *
pair_find(PairSlot *pairs, size_t mask, uint64_t pair)
{
    size_t at = (pair * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

    for (at &= mask; pairs[at].pair != 0 && pairs[at].pair != pair;)
        at = (at + 1) & mask;
    return &pairs[at];
}

/* Entries of slots that are gone stay until the table is made anew; they are
 * never asked for. */
static bool
pairs_rebuild(Forest *forest, GError **error)
{
    size_t n_alive = 0, capacity = 1024;

    for (uint32_t e = 0; e < forest->n_edges; e++)
        n_alive += forest->edges[e].n_faces > 0;
    while (capacity < 4 * n_alive)
        capacity *= 2;
    PairSlot *pairs = cx_try_alloc0(capacity, sizeof(PairSlot), error);
    if (pairs == NULL)
        return false;
    for (uint32_t e = 0; e < forest->n_edges; e++) {
        const Edge *edge = &forest->edges[e];
        if (edge->n_faces == 0)
            continue;
        uint64_t pair = pair_of(edge->slot[0], edge->slot[1]);
        *pair_find(pairs, capacity - 1, pair) = (PairSlot){pair, e};
    }
    cx_free(forest->pairs);
    forest->pairs = pairs;
    forest->pair_mask = capacity - 1;
    forest->n_pairs = n_alive;
    return true;
}

/* --- building -------------------------------------------------------------- */

static int
compare_ids(const void *a, const void *b)
{
    CxId x = *(const CxId *)a, y = *(const CxId *)b;

    return x < y ? -1 : x > y;
}

static int
compare_edges(const void *a, const void *b)
{
    const Edge *x = a, *y = b;

    if (x->slot[0] != y->slot[0])
        return x->slot[0] < y->slot[0] ? -1 : 1;
    return x->slot[1] < y->slot[1] ? -1 : x->slot[1] > y->slot[1];
}

/* Sorts, and pools edges between the same two supervoxels. */
static uint32_t
sort_edges(Edge *edges, uint32_t n)
{
    uint32_t n_out = 0;
    bool is_sorted = true;

    for (uint32_t e = 1; e < n && is_sorted; e++)
        is_sorted = compare_edges(&edges[e - 1], &edges[e]) <= 0;
    if (!is_sorted)
        qsort(edges, n, sizeof(Edge), compare_edges);
    for (uint32_t e = 0; e < n; e++) {
        if (n_out > 0 && compare_edges(&edges[n_out - 1], &edges[e]) == 0) {
            edges[n_out - 1].sum += edges[e].sum;
            edges[n_out - 1].n_faces += edges[e].n_faces;
        } else {
            edges[n_out++] = edges[e];
        }
    }
    return n_out;
}

static uint64_t
fixed_sum(const CxEdge *edge)
{
    double affinity = edge->affinity > 0 ? MIN(edge->affinity, 1) : 0;

    return (uint64_t)llround(affinity * UNIT) * edge->contacts;
}

/* Edges with an end that is not among the supervoxels are left out. */
static bool
take_edges(Forest *forest, const GArray *edges, GError **error)
{
    g_autoptr(CxHash64) index = cx_hash64_new(forest->n);
    uint32_t n = 0;

    forest->edges = cx_try_alloc(edges->len, sizeof(Edge), error);
    if (forest->edges == NULL)
        return false;
    for (uint32_t i = 0; i < forest->n; i++)
        cx_hash64_set(index, forest->ids[i], i);
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *from = &g_array_index(edges, CxEdge, i);
        uint64_t a, b;

        if (from->contacts == 0 || !cx_hash64_get(index, from->a, &a) ||
            !cx_hash64_get(index, from->b, &b) || a == b)
            continue;
        forest->edges[n++] = (Edge){
            .slot = {(uint32_t)MIN(a, b), (uint32_t)MAX(a, b)},
            .next = {NONE, NONE},
            .sum = fixed_sum(from),
            .n_faces = from->contacts,
        };
    }
    forest->n_edges = sort_edges(forest->edges, n);
    return true;
}

static void
list_append(Forest *forest, uint32_t slot, uint32_t half)
{
    Region *region = &forest->regions[slot];

    forest->edges[half / 2].next[half & 1] = NONE;
    if (region->first == NONE)
        region->first = half;
    else
        forest->edges[region->last / 2].next[region->last & 1] = half;
    region->last = half;
}

static void
forest_clear(Forest *forest)
{
    cx_free(forest->regions);
    cx_free(forest->edges);
    cx_free(forest->heap);
    cx_free(forest->place);
    cx_free(forest->pairs);
    cx_free(forest->parent);
}

/* ids sorted; sizes in the same order. */
static bool
forest_init(Forest *forest, const CxId *ids, const uint64_t *sizes, uint32_t n,
            const GArray *edges, GError **error)
{
    *forest = (Forest){.n = n, .ids = ids};
    if (!take_edges(forest, edges, error))
        return false;
    size_t m = forest->n_edges;
    if ((forest->regions = cx_try_alloc(n, sizeof(Region), error)) == NULL ||
        (forest->parent = cx_try_alloc(n, sizeof(uint32_t), error)) == NULL ||
        (forest->heap = cx_try_alloc(m, sizeof(uint64_t), error)) == NULL ||
        (forest->place = cx_try_alloc(m, sizeof(uint32_t), error)) == NULL ||
        !pairs_rebuild(forest, error))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        forest->regions[i] = (Region){NONE, NONE, 0, i, sizes[i]};
        forest->parent[i] = i;
    }
    for (uint32_t e = 0; e < m; e++) {
        for (uint32_t s = 0; s < 2; s++) {
            uint32_t slot = forest->edges[e].slot[s];
            list_append(forest, slot, 2 * e + s);
            forest->regions[slot].n_edges++;
        }
        forest->place[e] = NONE;
    }
    return true;
}

/* --- merging --------------------------------------------------------------- */

static uint32_t
slot_of(Forest *forest, uint32_t i)
{
    uint32_t *parent = forest->parent;

    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Two edges between the same slots become the one of smaller index. */
static void
pool(Forest *forest, uint32_t a, uint32_t b, PairSlot *entry, bool use_heap)
{
    uint32_t keep = MIN(a, b), gone = MAX(a, b);

    forest->edges[keep].sum += forest->edges[gone].sum;
    forest->edges[keep].n_faces += forest->edges[gone].n_faces;
    forest->edges[gone].n_faces = 0;
    entry->edge = keep;
    if (use_heap)
        heap_raise(forest, keep);
}

/* Moves one live edge from a slot that goes to the slot that stays. */
static bool
move_edge(Forest *forest, uint32_t half, uint32_t stays, bool use_heap,
          GError **error)
{
    uint32_t e = half / 2;
    Edge *edge = &forest->edges[e];
    uint32_t other = edge->slot[~half & 1];
    uint64_t pair = pair_of(stays, other);

    edge->slot[half & 1] = stays;
    list_append(forest, stays, half);
    PairSlot *entry = pair_find(forest->pairs, forest->pair_mask, pair);
    if (entry->pair != 0) {
        pool(forest, e, entry->edge, entry, use_heap);
        forest->regions[other].n_edges--;
        return true;
    }
    *entry = (PairSlot){pair, e};
    forest->regions[stays].n_edges++;
    if (4 * ++forest->n_pairs > 3 * forest->pair_mask)
        return pairs_rebuild(forest, error);
    return true;
}

static bool
merge_slots(Forest *forest, uint32_t a, uint32_t b, bool use_heap,
            GError **error)
{
    Region *ra = &forest->regions[a], *rb = &forest->regions[b];
    bool a_stays =
        ra->n_edges > rb->n_edges || (ra->n_edges == rb->n_edges && a < b);
    uint32_t stays = a_stays ? a : b, goes = a_stays ? b : a;
    Region *to = &forest->regions[stays], *from = &forest->regions[goes];
    uint32_t half = from->first;

    forest->parent[goes] = stays;
    to->n_voxels += from->n_voxels;
    to->name = MIN(to->name, from->name);
    while (half != NONE) {
        Edge *edge = &forest->edges[half / 2];
        uint32_t next = edge->next[half & 1];

        if (edge->n_faces > 0) {
            if (edge->slot[~half & 1] == stays) {
                edge->n_faces = 0;
                to->n_edges--;
            } else if (!move_edge(forest, half, stays, use_heap, error)) {
                return false;
            }
        }
        half = next;
    }
    from->first = from->last = NONE;
    from->n_edges = 0;
    return true;
}

static bool
join_units(Forest *forest, const CxId *units, GError **error)
{
    g_autoptr(CxHash64) first = cx_hash64_new(1024);

    for (uint32_t i = 0; units != NULL && i < forest->n; i++) {
        bool was_new = false;
        uint64_t *at;

        if (units[i] == 0)
            continue;
        at = cx_hash64_at(first, units[i], i, &was_new);
        if (was_new)
            continue;
        uint32_t a = slot_of(forest, (uint32_t)*at), b = slot_of(forest, i);
        if (!merge_slots(forest, a, b, false, error))
            return false;
    }
    return true;
}

typedef struct {
    const CxAgglomerateOptions *options;
    bool is_dust; /* the pass that clears small regions */
    float lowest; /* stop below this score */
} Rules;

static bool
may_merge(const Forest *forest, const Rules *rules, const Edge *edge)
{
    const CxAgglomerateOptions *options = rules->options;
    uint64_t a = forest->regions[edge->slot[0]].n_voxels;
    uint64_t b = forest->regions[edge->slot[1]].n_voxels;

    if (rules->is_dust)
        return MIN(a, b) < options->dust_voxels;
    return options->large_voxels == 0 || MIN(a, b) <= options->large_voxels ||
           score_of(edge) >= (float)options->large_threshold;
}

/* Merges from the best score down to rules->lowest; a pair the rules forbid
 * is set aside until its score rises. */
static bool
merge_down(Forest *forest, const Rules *rules, GArray *tree, uint64_t *n_done,
           CxJob *job, GError **error)
{
    while (forest->n_heap > 0) {
        uint64_t top = forest->heap[0];
        uint32_t e = (uint32_t)~top;
        const Edge *edge = &forest->edges[e];

        if (edge->n_faces == 0) {
            heap_pop(forest);
            continue;
        }
        uint64_t key = key_of(forest, e);
        if (key != top) {
            heap_down(forest, 0, key);
            continue;
        }
        float score = score_of(edge);
        if (score < rules->lowest)
            break;
        heap_pop(forest);
        if (!may_merge(forest, rules, edge))
            continue;
        uint32_t a = edge->slot[0], b = edge->slot[1];
        if (tree != NULL) {
            uint32_t x = forest->regions[a].name, y = forest->regions[b].name;
            CxMerge merge = {forest->ids[MIN(x, y)], forest->ids[MAX(x, y)],
                             score};
            g_array_append_val(tree, merge);
        }
        if (!merge_slots(forest, a, b, true, error))
            return false;
        if ((++*n_done & 0x3fff) == 0 &&
            !cx_job_step(job, *n_done, forest->n, error))
            return false;
    }
    return true;
}

static bool
merge_all(Forest *forest, const CxAgglomerateOptions *options, GArray *tree,
          CxId *segments, CxJob *job, GError **error)
{
    Rules rules = {options, false, (float)options->threshold};
    Rules dust = {options, true, (float)options->dust_threshold};
    uint64_t n_done = 0;

    heap_fill(forest);
    if (!merge_down(forest, &rules, tree, &n_done, job, error))
        return false;
    if (options->dust_voxels > 0) {
        heap_fill(forest);
        if (!merge_down(forest, &dust, tree, &n_done, job, error))
            return false;
    }
    for (uint32_t i = 0; i < forest->n; i++)
        segments[i] = forest->ids[forest->regions[slot_of(forest, i)].name];
    if (tree == NULL || options->tree_threshold >= options->threshold)
        return true;
    rules.lowest = (float)options->tree_threshold;
    heap_fill(forest);
    return merge_down(forest, &rules, tree, &n_done, job, error);
}

/* --- in and out ------------------------------------------------------------ */

/* Supervoxels in the order of their ids. */
typedef struct {
    uint32_t n;
    CxId *ids;
    uint64_t *sizes;
    CxId *units;    /* NULL if none */
    uint32_t *from; /* position in the caller's array */
} Nodes;

typedef struct {
    CxId id;
    uint32_t from;
} Order;

static void
nodes_clear(Nodes *nodes)
{
    cx_free(nodes->ids);
    cx_free(nodes->sizes);
    cx_free(nodes->units);
    cx_free(nodes->from);
}

static bool
nodes_check(const Nodes *nodes, GError **error)
{
    for (uint32_t i = 0; i < nodes->n; i++) {
        if (nodes->ids[i] == 0 ||
            (i > 0 && nodes->ids[i] == nodes->ids[i - 1])) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "supervoxel %" G_GUINT64_FORMAT
                        " %s among the regions to agglomerate",
                        nodes->ids[i], nodes->ids[i] == 0 ? "is" : "is twice");
            return false;
        }
    }
    return true;
}

static bool
nodes_init(Nodes *nodes, const GArray *supervoxels, const CxId *units,
           GError **error)
{
    uint32_t n = supervoxels->len;
    CX_AUTOFREE Order *order = cx_try_alloc(n, sizeof(Order), error);

    *nodes = (Nodes){.n = n};
    if (order == NULL ||
        (nodes->ids = cx_try_alloc(n, sizeof(CxId), error)) == NULL ||
        (nodes->sizes = cx_try_alloc(n, sizeof(uint64_t), error)) == NULL ||
        (nodes->from = cx_try_alloc(n, sizeof(uint32_t), error)) == NULL ||
        (units != NULL &&
         (nodes->units = cx_try_alloc(n, sizeof(CxId), error)) == NULL))
        return false;
    for (uint32_t i = 0; i < n; i++)
        order[i] = (Order){g_array_index(supervoxels, CxSupervoxel, i).id, i};
    qsort(order, n, sizeof(Order), compare_ids);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = order[i].from;
        nodes->ids[i] = order[i].id;
        nodes->from[i] = from;
        nodes->sizes[i] =
            g_array_index(supervoxels, CxSupervoxel, from).n_voxels;
        if (units != NULL)
            nodes->units[i] = units[from];
    }
    return nodes_check(nodes, error);
}

static GArray *
run(const Nodes *nodes, const GArray *edges,
    const CxAgglomerateOptions *options, GArray *tree, CxJob *job,
    GError **error)
{
    Forest forest;
    CX_AUTOFREE CxId *segments = cx_try_alloc(nodes->n, sizeof(CxId), error);
    GArray *out = NULL;

    if (segments == NULL)
        return NULL;
    if (forest_init(&forest, nodes->ids, nodes->sizes, nodes->n, edges,
                    error) &&
        join_units(&forest, nodes->units, error) &&
        merge_all(&forest, options, tree, segments, job, error)) {
        out = g_array_sized_new(FALSE, FALSE, sizeof(CxId), nodes->n);
        g_array_set_size(out, nodes->n);
        for (uint32_t i = 0; i < nodes->n; i++)
            g_array_index(out, CxId, nodes->from[i]) = segments[i];
    }
    forest_clear(&forest);
    return out;
}

GArray *
cx_agglomerate(const GArray *supervoxels, const GArray *edges,
               const CxId *units, const CxAgglomerateOptions *options,
               GArray **tree, CxJob *job, GError **error)
{
    Nodes nodes;
    g_autoptr(GArray) merges = NULL;
    GArray *segments = NULL;

    if (tree != NULL)
        merges = g_array_new(FALSE, FALSE, sizeof(CxMerge));
    if (nodes_init(&nodes, supervoxels, units, error))
        segments = run(&nodes, edges, options, merges, job, error);
    nodes_clear(&nodes);
    if (segments != NULL && tree != NULL)
        *tree = g_steal_pointer(&merges);
    return segments;
}
