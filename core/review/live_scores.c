/* Scores against a truth that follow the edits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/review/live_scores.h"

#include "core/base/hash64.h"

#include <math.h>
#include <stdlib.h>

/* Voxels of one truth label in one supervoxel. */
typedef struct {
    CxId supervoxel, truth;
    uint64_t n;
} Overlap;

/* truth 0, which is left out, stands for all voxels of a segment. */
typedef struct {
    CxId truth, segment;
} Key;

/* Sums over counts n: of n log2 n and of n^2. */
typedef struct {
    double entropy, square;
} Sums;

struct CxLiveScores {
    GArray *overlaps;   /* of Overlap, sorted by supervoxel */
    GHashTable *counts; /* Key → voxels */
    Sums of_joint, of_segments, of_truth;
    uint64_t n_voxels;
};

static guint
hash_key(gconstpointer p)
{
    const Key *key = p;

    return (guint)cx_hash64_mix(key->truth ^ cx_hash64_mix(key->segment));
}

static gboolean
equal_keys(gconstpointer p, gconstpointer q)
{
    const Key *a = p, *b = q;

    return a->truth == b->truth && a->segment == b->segment;
}

static double
h(uint64_t n)
{
    return n > 0 ? (double)n * log2((double)n) : 0;
}

static void
replace(Sums *sums, uint64_t before, uint64_t after)
{
    sums->entropy += h(after) - h(before);
    sums->square +=
        (double)after * (double)after - (double)before * (double)before;
}

static void
change(CxLiveScores *self, Sums *sums, Key key, int64_t by)
{
    uint64_t *count = g_hash_table_lookup(self->counts, &key);

    if (count == NULL) {
        count = g_new0(uint64_t, 1);
        g_hash_table_insert(self->counts, g_memdup2(&key, sizeof key), count);
    }
    uint64_t after = *count + (uint64_t)by;
    replace(sums, *count, after);
    *count = after;
    if (after == 0)
        g_hash_table_remove(self->counts, &key);
}

static void
add_to(CxLiveScores *self, CxId truth, CxId segment, int64_t by)
{
    change(self, &self->of_joint, (Key){truth, segment}, by);
    change(self, &self->of_segments, (Key){0, segment}, by);
}

static int
by_supervoxel(const void *p, const void *q)
{
    const Overlap *a = p, *b = q;

    if (a->supervoxel != b->supervoxel)
        return a->supervoxel < b->supervoxel ? -1 : 1;
    return (a->truth > b->truth) - (a->truth < b->truth);
}

static void
count_truth(CxLiveScores *self)
{
    g_autoptr(CxHash64) truth = cx_hash64_new(256);
    size_t cursor = 0;
    uint64_t key, n;
    bool was_new;

    for (guint i = 0; i < self->overlaps->len; i++) {
        const Overlap *overlap = &g_array_index(self->overlaps, Overlap, i);

        *cx_hash64_at(truth, overlap->truth, 0, &was_new) += overlap->n;
    }
    while (cx_hash64_next(truth, &cursor, &key, &n))
        replace(&self->of_truth, 0, n);
}

CxLiveScores *
cx_live_scores_new(CxSupervoxelGraph *graph, const CxContingency *overlaps)
{
    CxLiveScores *self = g_new0(CxLiveScores, 1);
    Overlap overlap;
    size_t cursor = 0;

    self->overlaps = g_array_new(false, false, sizeof(Overlap));
    self->counts = g_hash_table_new_full(hash_key, equal_keys, g_free, g_free);
    while (cx_contingency_next(overlaps, &cursor, &overlap.truth,
                               &overlap.supervoxel, &overlap.n)) {
        CxId segment =
            cx_supervoxel_graph_segment_of(graph, overlap.supervoxel);

        g_array_append_val(self->overlaps, overlap);
        add_to(self, overlap.truth, segment, (int64_t)overlap.n);
        self->n_voxels += overlap.n;
    }
    g_array_sort(self->overlaps, by_supervoxel);
    count_truth(self);
    return self;
}

void
cx_live_scores_free(CxLiveScores *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->overlaps);
    g_hash_table_unref(self->counts);
    g_free(self);
}

/* First overlap of a supervoxel, or where it would be. */
static guint
find(const CxLiveScores *self, CxId supervoxel)
{
    guint lo = 0, hi = self->overlaps->len;

    while (lo < hi) {
        guint middle = lo + (hi - lo) / 2;

        if (g_array_index(self->overlaps, Overlap, middle).supervoxel <
            supervoxel)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static void
move(CxLiveScores *self, CxId supervoxel, CxId from, CxId to)
{
    for (guint i = find(self, supervoxel); i < self->overlaps->len; i++) {
        const Overlap *overlap = &g_array_index(self->overlaps, Overlap, i);

        if (overlap->supervoxel != supervoxel)
            break;
        add_to(self, overlap->truth, from, -(int64_t)overlap->n);
        add_to(self, overlap->truth, to, (int64_t)overlap->n);
    }
}

void
cx_live_scores_apply(CxLiveScores *self, const CxEdit *edit, bool inverse)
{
    for (guint i = 0; i < edit->moves->len; i++) {
        guint k = inverse ? edit->moves->len - 1 - i : i;
        const CxMove *one = &g_array_index(edit->moves, CxMove, k);
        CxId from = inverse ? one->to : one->from;
        CxId to = inverse ? one->from : one->to;

        for (guint s = 0; s < one->supervoxels->len; s++)
            move(self, g_array_index(one->supervoxels, CxId, s), from, to);
    }
}

CxScores
cx_live_scores_get(const CxLiveScores *self)
{
    double n = fmax(1, (double)self->n_voxels);
    /* scikit-image's adapted Rand error: self-pairs are no pairs */
    double both = self->of_joint.square - n;
    double segments = self->of_segments.square - n;
    double truth = self->of_truth.square - n;

    return (CxScores){
        .voi_split = (self->of_truth.entropy - self->of_joint.entropy) / n,
        .voi_merge = (self->of_segments.entropy - self->of_joint.entropy) / n,
        .arand = segments + truth > 0 ? 1 - 2 * both / (segments + truth) : 0,
        .arand_cremi = NAN,
        .cremi_score = NAN,
        .v_rand = NAN,
        .v_info = NAN,
        .n_voxels = self->n_voxels,
    };
}

CxId
cx_live_scores_majority(const CxLiveScores *self, const CxId *supervoxels,
                        size_t n)
{
    g_autoptr(CxHash64) counts = cx_hash64_new(16);
    uint64_t most = 0;
    CxId winner = 0;
    bool was_new;

    for (size_t s = 0; s < n; s++)
        for (guint i = find(self, supervoxels[s]); i < self->overlaps->len;
             i++) {
            const Overlap *overlap = &g_array_index(self->overlaps, Overlap, i);

            if (overlap->supervoxel != supervoxels[s])
                break;
            uint64_t *count = cx_hash64_at(counts, overlap->truth, 0, &was_new);
            *count += overlap->n;
            if (*count > most || (*count == most && overlap->truth < winner)) {
                most = *count;
                winner = overlap->truth;
            }
        }
    return winner;
}
