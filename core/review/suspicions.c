/* Where the segmentation is probably wrong, the worst first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/review/suspicions.h"

#include "core/base/hash64.h"
#include "core/review/sides.h"

#include <math.h>
#include <stdlib.h>

/* Weak places looked at in one segment. */
#define MOST_SIDES 16U
#define LEAST_AFFINITY 0.02

CxSuspicionModel
cx_suspicion_model_default(void)
{
    /* what 150 answers taught it on the training part of fib-medulla */
    return (CxSuspicionModel){.offset = -0.75, .slope = 1.75};
}

CxSuspicionOptions
cx_suspicion_defaults(void)
{
    return (CxSuspicionOptions){.limit = 0, .min_voxels = 500};
}

const char *
cx_suspicion_kind_name(CxSuspicionKind kind)
{
    return kind == CX_SUSPECT_SPLIT ? "split" : "merge";
}

static double
logit(float affinity)
{
    double a = CLAMP((double)affinity, LEAST_AFFINITY, 1 - LEAST_AFFINITY);

    return log(a / (1 - a));
}

double
cx_suspicion_model_same(const CxSuspicionModel *model, float affinity)
{
    return 1 / (1 + exp(-(model->offset + model->slope * logit(affinity))));
}

void
cx_suspicion_model_learn(CxSuspicionModel *model, float affinity, bool is_same)
{
    double wrong = (is_same ? 1 : 0) - cx_suspicion_model_same(model, affinity);
    double rate = 0.5 / sqrt(1 + (double)model->n_answers++ / 10);

    model->offset += rate * wrong;
    model->slope =
        fmax(0.1, model->slope + 0.2 * rate * wrong * logit(affinity));
}

static double
h(double n)
{
    return n > 0 ? n * log2(n) : 0;
}

static double
impact(uint64_t s, uint64_t t)
{
    return h((double)(s + t)) - h((double)s) - h((double)t);
}

/* The middle of where two boxes come nearest. */
static double
meet(int64_t a_lo, int64_t a_hi, int64_t b_lo, int64_t b_hi)
{
    return (double)(MAX(a_lo, b_lo) + MIN(a_hi, b_hi) - 1) / 2;
}

static CxVoxel
contact_of(const CxSupervoxel *a, const CxSupervoxel *b)
{
    return (CxVoxel){
        (int64_t)meet(a->box.lo.x, a->box.hi.x, b->box.lo.x, b->box.hi.x),
        (int64_t)meet(a->box.lo.y, a->box.hi.y, b->box.lo.y, b->box.hi.y),
        (int64_t)meet(a->box.lo.z, a->box.hi.z, b->box.lo.z, b->box.hi.z)};
}

typedef struct {
    const CxSuspicionModel *model;
    const CxSuspicionOptions *options;
    GArray *supervoxels; /* of CxSupervoxel, sorted by id */
    GArray *segments;    /* of CxSegment, sorted by id */
    CxHash64 *sizes;     /* segment → voxels */
    double n_total;
    GArray *found;
} Search;

static int
by_id(const void *key, const void *item)
{
    CxId a = *(const CxId *)key, b = ((const CxSupervoxel *)item)->id;

    return (a > b) - (a < b);
}

static const CxSupervoxel *
supervoxel(const Search *search, CxId id)
{
    return bsearch(&id, search->supervoxels->data, search->supervoxels->len,
                   sizeof(CxSupervoxel), by_id);
}

static void
add(Search *search, CxSuspicion suspicion)
{
    const CxSupervoxel *a = supervoxel(search, suspicion.a);
    const CxSupervoxel *b = supervoxel(search, suspicion.b);
    double same = cx_suspicion_model_same(search->model, suspicion.affinity);

    if (a == NULL || b == NULL)
        return;
    suspicion.at = contact_of(a, b);
    suspicion.seed_a = a->inside;
    suspicion.seed_b = b->inside;
    suspicion.probability =
        suspicion.kind == CX_SUSPECT_SPLIT ? same : 1 - same;
    suspicion.score = suspicion.probability *
                      impact(suspicion.n_a, suspicion.n_b) / search->n_total;
    g_array_append_val(search->found, suspicion);
}

/* --- false splits: pairs of segments that touch */

typedef struct {
    CxId segment_a, segment_b; /* a < b */
    CxEdge best;               /* the strongest edge between them */
    double sum;                /* affinity * contacts */
    uint64_t contacts;
} Pair;

static int
by_segments(const void *x, const void *y)
{
    const Pair *a = x, *b = y;

    if (a->segment_a != b->segment_a)
        return a->segment_a < b->segment_a ? -1 : 1;
    return (a->segment_b > b->segment_b) - (a->segment_b < b->segment_b);
}

static GArray *
list_pairs(CxSupervoxelGraph *graph)
{
    GArray *pairs = g_array_new(false, false, sizeof(Pair));
    g_autoptr(GArray) edges = cx_supervoxel_graph_all_edges(graph);

    for (guint i = 0; i < edges->len; i++) {
        CxEdge edge = g_array_index(edges, CxEdge, i);
        CxId ends[2] = {edge.a, edge.b};

        cx_supervoxel_graph_map(graph, ends, ends, 2);
        if (ends[0] == ends[1] || ends[0] == 0 || ends[1] == 0 ||
            edge.contacts == 0)
            continue;
        if (ends[0] > ends[1]) {
            CxId first = ends[1];

            edge = (CxEdge){edge.b, edge.a, edge.affinity, edge.contacts};
            ends[1] = ends[0];
            ends[0] = first;
        }
        Pair pair = {ends[0], ends[1], edge,
                     (double)edge.affinity * edge.contacts, edge.contacts};
        g_array_append_val(pairs, pair);
    }
    g_array_sort(pairs, by_segments);
    return pairs;
}

/* Puts the edges of each pair of segments together; the pairs that are left. */
static void
pool_pairs(GArray *pairs)
{
    guint n = 0;

    for (guint i = 0; i < pairs->len; i++) {
        const Pair *next = &g_array_index(pairs, Pair, i);
        Pair *last = n > 0 ? &g_array_index(pairs, Pair, n - 1) : NULL;

        if (last == NULL || by_segments(last, next) != 0) {
            g_array_index(pairs, Pair, n++) = *next;
            continue;
        }
        if (next->best.affinity > last->best.affinity)
            last->best = next->best;
        last->sum += next->sum;
        last->contacts += next->contacts;
    }
    g_array_set_size(pairs, n);
}

static uint64_t
size_of(const Search *search, CxId segment)
{
    uint64_t n = 0;

    cx_hash64_get(search->sizes, segment, &n);
    return n;
}

static void
add_splits(Search *search, CxSupervoxelGraph *graph)
{
    g_autoptr(GArray) pairs = list_pairs(graph);

    pool_pairs(pairs);
    for (guint i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        CxSuspicion suspicion = {
            .kind = CX_SUSPECT_SPLIT,
            .a = pair->best.a,
            .b = pair->best.b,
            .segment_a = pair->segment_a,
            .segment_b = pair->segment_b,
            .n_a = size_of(search, pair->segment_a),
            .n_b = size_of(search, pair->segment_b),
            .affinity = (float)(pair->sum / (double)pair->contacts),
            .contacts = (uint32_t)MIN(pair->contacts, UINT32_MAX),
        };

        if (MIN(suspicion.n_a, suspicion.n_b) >= search->options->min_voxels)
            add(search, suspicion);
    }
}

/* --- false merges: weak places of segments */

static void
add_merges_of(Search *search, CxSupervoxelGraph *graph, CxId segment)
{
    g_autoptr(GArray) members = cx_supervoxel_graph_members(graph, segment);
    g_autoptr(GArray) edges = cx_supervoxel_graph_edges(graph, segment, false);

    if (members == NULL)
        return;
    g_autoptr(GArray) weak =
        cx_sides_find(members, edges, search->options->min_voxels, MOST_SIDES);
    for (guint i = 0; i < weak->len; i++) {
        const CxSides *sides = &g_array_index(weak, CxSides, i);

        add(search, (CxSuspicion){
                        .kind = CX_SUSPECT_MERGE,
                        .a = sides->a,
                        .b = sides->b,
                        .segment_a = segment,
                        .segment_b = segment,
                        .n_a = sides->n_a,
                        .n_b = sides->n_b,
                        .affinity = (float)sides->affinity,
                        .contacts = (uint32_t)MIN(sides->contacts, UINT32_MAX),
                    });
    }
}

static bool
add_merges(Search *search, CxSupervoxelGraph *graph, CxJob *job, GError **error)
{
    for (guint i = 0; i < search->segments->len; i++) {
        const CxSegment *segment =
            &g_array_index(search->segments, CxSegment, i);

        if (segment->n_supervoxels > 1 &&
            segment->n_voxels >= 2 * search->options->min_voxels)
            add_merges_of(search, graph, segment->id);
        if (!cx_job_step(job, i, search->segments->len, error))
            return false;
    }
    return true;
}

static int
best_first(const void *x, const void *y)
{
    const CxSuspicion *a = x, *b = y;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static void
count_voxels(Search *search)
{
    for (guint i = 0; i < search->segments->len; i++) {
        const CxSegment *segment =
            &g_array_index(search->segments, CxSegment, i);

        cx_hash64_set(search->sizes, segment->id, segment->n_voxels);
        search->n_total += (double)segment->n_voxels;
    }
}

GArray *
cx_suspicions_find(CxSupervoxelGraph *graph, const CxSuspicionModel *model,
                   const CxSuspicionOptions *options, CxJob *job,
                   GError **error)
{
    g_autoptr(GArray) supervoxels = cx_supervoxel_graph_supervoxels(graph);
    g_autoptr(GArray) segments = cx_supervoxel_graph_segments(graph);
    g_autoptr(CxHash64) sizes = cx_hash64_new(segments->len);
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(CxSuspicion));
    Search search = {model, options, supervoxels, segments, sizes, 0, found};

    count_voxels(&search);
    add_splits(&search, graph);
    if (!add_merges(&search, graph, job, error))
        return NULL;
    g_array_sort(found, best_first);
    if (options->limit > 0 && found->len > options->limit)
        g_array_set_size(found, (guint)options->limit);
    return g_steal_pointer(&found);
}
