/* Hierarchical agglomeration by mean affinity.
 *
 * Every region has a slot (the index of one of its supervoxels) and a list of
 * its half-edges; half-edge 2 e + s belongs to end s of edge e.  A merge moves
 * the shorter list to the longer one's slot; where that makes two edges
 * between the same slots, they pool their faces in the one of smaller index
 * and the other dies (its half-edges are dropped when a list is next walked).
 * Sums are whole numbers, so their order does not matter.
 *
 * Scores in the queue are one u64 with the edge's index, compared at once.  A
 * pooled mean is never above both its parts, so the best score only falls, and
 * the queue needs order only within one narrow range of scores at a time: the
 * rest waits in buckets.  An entry whose edge has changed since is dropped when
 * it surfaces.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/agglomerate.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/segmentation/relabel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT ((double)(1 << 26)) /* an affinity of 1 in sums */
#define NONE UINT32_MAX
#define DEAD UINT32_MAX /* no score has these bits */

typedef struct {
    uint32_t slot[2];
    uint32_t next[2]; /* half-edges */
    uint64_t sum;     /* of affinity * UNIT over the faces */
    uint64_t n_faces; /* 0 = dead */
} Edge;

typedef struct {
    uint32_t first, last; /* half-edges */
    uint32_t n_edges;     /* about: how long the list is */
    uint32_t name;        /* index of the smallest supervoxel */
    uint64_t n_voxels;
} Region;

#define N_BUCKETS 4096
#define BLOCK 62 /* entries: 512 bytes with the header */

typedef struct {
    uint32_t next; /* block of the same bucket, or of the free list */
    uint32_t n;
    uint64_t keys[BLOCK];
} Block;

/* Largest key first. */
typedef struct {
    Block *blocks;
    uint32_t n_blocks, capacity, free_list;
    uint32_t buckets[N_BUCKETS]; /* last block of each, or NONE */
    uint64_t *heap;              /* of the bucket that is emptied now */
    uint32_t n_heap, heap_capacity;
    int current; /* that bucket; none above holds anything */
} Queue;

typedef struct {
    uint32_t n, n_edges;
    const CxId *ids; /* sorted */
    Region *regions;
    Edge *edges;
    uint32_t *scores; /* of edges: bits of the float, DEAD when it is none */
    Queue queue;
    uint32_t *pairs; /* edges by their slots, open addressing; NONE = free */
    size_t pair_mask, n_pairs;
    uint32_t *parent; /* of slots: to the slot that took them over */
} Forest;

/* --- queue -------------------------------------------------------------------- */

static float
score_of(const Edge *edge)
{
    return (float)((double)edge->sum / ((double)edge->n_faces * UNIT));
}

/* Scores are not negative, so their bits are in order. */
static void
update_score(Forest *forest, uint32_t e)
{
    float score = score_of(&forest->edges[e]);

    memcpy(&forest->scores[e], &score, sizeof(score));
}

static uint64_t
key_of(const Forest *forest, uint32_t e)
{
    return (uint64_t)forest->scores[e] << 32 | (uint32_t)~e;
}

static int
bucket_of(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    float score;

    memcpy(&score, &bits, sizeof(score));
    return (int)(MIN(score, 1) * (N_BUCKETS - 1));
}

static void
queue_clear(Queue *queue)
{
    g_free(queue->blocks);
    g_free(queue->heap);
    *queue = (Queue){.free_list = NONE, .current = N_BUCKETS - 1};
    memset(queue->buckets, 0xff, sizeof(queue->buckets));
}

static uint32_t
take_block(Queue *queue)
{
    uint32_t block = queue->free_list;

    if (block != NONE) {
        queue->free_list = queue->blocks[block].next;
    } else {
        if (queue->n_blocks == queue->capacity) {
            queue->capacity = MAX(64, 2 * queue->capacity);
            queue->blocks = g_renew(Block, queue->blocks, queue->capacity);
        }
        block = queue->n_blocks++;
    }
    queue->blocks[block].n = 0;
    return block;
}

static void
bucket_add(Queue *queue, int bucket, uint64_t key)
{
    uint32_t last = queue->buckets[bucket];

    if (last == NONE || queue->blocks[last].n == BLOCK) {
        uint32_t block = take_block(queue);
        queue->blocks[block].next = last;
        queue->buckets[bucket] = last = block;
    }
    Block *block = &queue->blocks[last];
    block->keys[block->n++] = key;
}

static void
heap_add(Queue *queue, uint64_t key)
{
    if (queue->n_heap == queue->heap_capacity) {
        queue->heap_capacity = MAX(256, 2 * queue->heap_capacity);
        queue->heap = g_renew(uint64_t, queue->heap, queue->heap_capacity);
    }
    uint32_t at = queue->n_heap++;
    uint64_t *heap = queue->heap;
    for (; at > 0 && heap[(at - 1) / 2] < key; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = key;
}

static uint64_t
heap_pop(Queue *queue)
{
    uint64_t *heap = queue->heap, top = heap[0];
    uint64_t key = heap[--queue->n_heap];
    uint32_t n = queue->n_heap, at = 0;

    for (uint32_t child = 1; child < n; child = 2 * at + 1) {
        child += child + 1 < n && heap[child + 1] > heap[child];
        if (heap[child] <= key)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = key;
    return top;
}

static void
queue_push(Queue *queue, uint64_t key)
{
    int bucket = bucket_of(key);

    if (bucket < queue->current) {
        bucket_add(queue, bucket, key);
        return;
    }
    if (bucket > queue->current) {
        /* Only where a rule has set pairs aside. */
        while (queue->n_heap > 0)
            bucket_add(queue, queue->current, queue->heap[--queue->n_heap]);
        queue->current = bucket;
    }
    heap_add(queue, key);
}

/* Makes the highest bucket that holds anything the current one; entries that
 * are out of date are dropped here. */
static bool
queue_refill(Forest *forest)
{
    Queue *queue = &forest->queue;

    while (queue->n_heap == 0 && queue->current >= 0) {
        uint32_t block = queue->buckets[queue->current];

        queue->buckets[queue->current] = NONE;
        while (block != NONE) {
            Block *from = &queue->blocks[block];
            uint32_t next = from->next;
            for (uint32_t i = 0; i < from->n; i++) {
                uint64_t key = from->keys[i];
                if (forest->scores[(uint32_t)~key] == key >> 32)
                    heap_add(queue, key);
            }
            from->next = queue->free_list;
            queue->free_list = block;
            block = next;
        }
        if (queue->n_heap == 0)
            queue->current--;
    }
    return queue->n_heap > 0;
}

/* The best edge, taken out; NONE when there is no more. */
static uint32_t
queue_pop(Forest *forest)
{
    while (queue_refill(forest)) {
        uint64_t key = heap_pop(&forest->queue);
        uint32_t e = (uint32_t)~key;

        if (forest->scores[e] == key >> 32)
            return e;
    }
    return NONE;
}

static void
queue_fill(Forest *forest)
{
    queue_clear(&forest->queue);
    for (uint32_t e = 0; e < forest->n_edges; e++) {
        if (forest->scores[e] != DEAD)
            queue_push(&forest->queue, key_of(forest, e));
    }
}

/* --- pairs of slots ------------------------------------------------------- */

static size_t
pair_hash(uint32_t a, uint32_t b)
{
    uint64_t pair = (uint64_t)MIN(a, b) << 32 | MAX(a, b);

    return (pair * UINT64_C(0x9e3779b97f4a7c15)) >> 20;
}

/* The place of the live edge between two slots, or a free one.  Edges that
 * died or moved on stay behind until the table is made anew. */
static uint32_t *
pair_find(const Forest *forest, uint32_t a, uint32_t b)
{
    size_t at = pair_hash(a, b);

    for (;; at++) {
        uint32_t *place = &forest->pairs[at & forest->pair_mask];
        if (*place == NONE)
            return place;
        const Edge *edge = &forest->edges[*place];
        if (forest->scores[*place] != DEAD &&
            ((edge->slot[0] == a && edge->slot[1] == b) ||
             (edge->slot[0] == b && edge->slot[1] == a)))
            return place;
    }
}

static bool
pairs_rebuild(Forest *forest, GError **error)
{
    size_t n_alive = 0, capacity = 1024;

    for (uint32_t e = 0; e < forest->n_edges; e++)
        n_alive += forest->edges[e].n_faces > 0;
    while (capacity < 3 * n_alive)
        capacity *= 2;
    cx_free(forest->pairs);
    forest->pairs = cx_try_alloc(capacity, sizeof(uint32_t), error);
    if (forest->pairs == NULL)
        return false;
    memset(forest->pairs, 0xff, capacity * sizeof(uint32_t));
    forest->pair_mask = capacity - 1;
    forest->n_pairs = n_alive;
    for (uint32_t e = 0; e < forest->n_edges; e++) {
        const Edge *edge = &forest->edges[e];
        size_t at = pair_hash(edge->slot[0], edge->slot[1]);

        if (edge->n_faces == 0)
            continue;
        while (forest->pairs[at & forest->pair_mask] != NONE)
            at++;
        forest->pairs[at & forest->pair_mask] = e;
    }
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

static bool
is_sorted(const Edge *edges, uint32_t n)
{
    for (uint32_t e = 1; e < n; e++) {
        if (compare_edges(&edges[e - 1], &edges[e]) > 0)
            return false;
    }
    return true;
}

/* Sorts by the first slot in one sweep, then the few of each by the second. */
static bool
sort_edges(Forest *forest, uint32_t n, GError **error)
{
    CX_AUTOFREE uint32_t *starts =
        cx_try_alloc0((size_t)forest->n + 1, sizeof(uint32_t), error);
    Edge *sorted = cx_try_alloc(n, sizeof(Edge), error);
    Edge *edges = forest->edges;

    if (starts == NULL || sorted == NULL) {
        cx_free(sorted);
        return false;
    }
    for (uint32_t e = 0; e < n; e++)
        starts[edges[e].slot[0] + 1]++;
    for (uint32_t i = 1; i <= forest->n; i++)
        starts[i] += starts[i - 1];
    for (uint32_t e = 0; e < n; e++)
        sorted[starts[edges[e].slot[0]]++] = edges[e];
    /* starts[i] is now where the edges of i end. */
    for (uint32_t i = 0, start = 0; i < forest->n; start = starts[i++]) {
        if (!is_sorted(sorted + start, starts[i] - start))
            qsort(sorted + start, starts[i] - start, sizeof(Edge),
                  compare_edges);
    }
    cx_free(forest->edges);
    forest->edges = sorted;
    return true;
}

/* Pools edges between the same two supervoxels; edges are sorted. */
static uint32_t
pool_equal(Edge *edges, uint32_t n)
{
    uint32_t n_out = 0;

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
    g_autofree CxId *numbers = g_new(CxId, (size_t)forest->n + 1);
    uint32_t n = 0;

    forest->edges = cx_try_alloc(edges->len, sizeof(Edge), error);
    if (forest->edges == NULL)
        return false;
    for (uint32_t i = 0; i < forest->n; i++)
        numbers[i] = i + 1;
    g_autoptr(CxRelabel) index =
        cx_relabel_new(forest->ids, numbers, forest->n);
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *from = &g_array_index(edges, CxEdge, i);
        CxId a = cx_relabel_get(index, from->a);
        CxId b = cx_relabel_get(index, from->b);

        if (from->contacts == 0 || a == 0 || b == 0 || a == b)
            continue;
        forest->edges[n++] = (Edge){
            .slot = {(uint32_t)MIN(a, b) - 1, (uint32_t)MAX(a, b) - 1},
            .next = {NONE, NONE},
            .sum = fixed_sum(from),
            .n_faces = from->contacts,
        };
    }
    if (!is_sorted(forest->edges, n) && !sort_edges(forest, n, error))
        return false;
    forest->n_edges = pool_equal(forest->edges, n);
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
    cx_free(forest->scores);
    queue_clear(&forest->queue);
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
        (forest->scores = cx_try_alloc(m, sizeof(uint32_t), error)) == NULL ||
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
        update_score(forest, e);
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
pool(Forest *forest, uint32_t a, uint32_t b, uint32_t *place, bool use_queue)
{
    uint32_t keep = MIN(a, b), gone = MAX(a, b);

    forest->edges[keep].sum += forest->edges[gone].sum;
    forest->edges[keep].n_faces += forest->edges[gone].n_faces;
    forest->edges[gone].n_faces = 0;
    forest->scores[gone] = DEAD;
    update_score(forest, keep);
    *place = keep;
    if (use_queue)
        queue_push(&forest->queue, key_of(forest, keep));
}

/* Moves one live edge from a slot that goes to the slot that stays. */
static bool
move_edge(Forest *forest, uint32_t half, uint32_t stays, bool use_queue,
          GError **error)
{
    uint32_t e = half / 2;
    Edge *edge = &forest->edges[e];
    uint32_t other = edge->slot[~half & 1];
    uint32_t *place = pair_find(forest, stays, other);

    edge->slot[half & 1] = stays;
    list_append(forest, stays, half);
    if (*place != NONE) {
        pool(forest, e, *place, place, use_queue);
        return true;
    }
    *place = e;
    forest->regions[stays].n_edges++;
    if (4 * ++forest->n_pairs > 3 * forest->pair_mask)
        return pairs_rebuild(forest, error);
    return true;
}

static bool
merge_slots(Forest *forest, uint32_t a, uint32_t b, bool use_queue,
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

        if (next != NONE)
            __builtin_prefetch(&forest->edges[next / 2]);
        if (edge->n_faces > 0) {
            if (edge->slot[~half & 1] == stays) {
                edge->n_faces = 0;
                forest->scores[half / 2] = DEAD;
            } else if (!move_edge(forest, half, stays, use_queue, error)) {
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

    if (!rules->is_dust && options->large_voxels == 0)
        return true;
    uint64_t a = forest->regions[edge->slot[0]].n_voxels;
    uint64_t b = forest->regions[edge->slot[1]].n_voxels;
    if (rules->is_dust)
        return MIN(a, b) < options->dust_voxels;
    return MIN(a, b) <= options->large_voxels ||
           score_of(edge) >= (float)options->large_threshold;
}

/* Merges from the best score down to rules->lowest; a pair the rules forbid
 * is set aside until its score rises. */
static bool
merge_down(Forest *forest, const Rules *rules, GArray *tree, uint64_t *n_done,
           CxJob *job, GError **error)
{
    uint32_t e;

    while ((e = queue_pop(forest)) != NONE) {
        const Edge *edge = &forest->edges[e];
        float score = score_of(edge);

        if (score < rules->lowest)
            break;
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

    queue_fill(forest);
    if (!merge_down(forest, &rules, tree, &n_done, job, error))
        return false;
    if (options->dust_voxels > 0) {
        queue_fill(forest);
        if (!merge_down(forest, &dust, tree, &n_done, job, error))
            return false;
    }
    for (uint32_t i = 0; i < forest->n; i++)
        segments[i] = forest->ids[forest->regions[slot_of(forest, i)].name];
    if (tree == NULL || options->tree_threshold >= options->threshold)
        return true;
    rules.lowest = (float)options->tree_threshold;
    queue_fill(forest);
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
