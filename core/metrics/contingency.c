/* Sparse table of label overlaps, and the scores that follow from it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/metrics/contingency.h"

#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/metrics/truth.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    CxId truth, segment;
    uint64_t n_voxels; /* 0 = free slot */
} Overlap;

struct CxContingency {
    Overlap *slots;
    size_t capacity; /* a power of two */
    size_t n_used;
    uint64_t n_voxels;
};

CxContingency *
cx_contingency_new(void)
{
    CxContingency *table = g_new0(CxContingency, 1);

    table->capacity = 1024;
    table->slots = g_new0(Overlap, table->capacity);
    return table;
}

void
cx_contingency_free(CxContingency *table)
{
    if (table == NULL)
        return;
    g_free(table->slots);
    g_free(table);
}

static Overlap *
find(Overlap *slots, size_t capacity, CxId truth, CxId segment)
{
    size_t at = cx_hash64_mix(truth ^ cx_hash64_mix(segment + 1));

    for (at &= capacity - 1;; at = (at + 1) & (capacity - 1)) {
        Overlap *slot = &slots[at];
        if (slot->n_voxels == 0 ||
            (slot->truth == truth && slot->segment == segment))
            return slot;
    }
}

static void
grow(CxContingency *table)
{
    size_t capacity = 2 * table->capacity;
    Overlap *slots = g_new0(Overlap, capacity);

    for (size_t i = 0; i < table->capacity; i++) {
        const Overlap *old = &table->slots[i];
        if (old->n_voxels > 0)
            *find(slots, capacity, old->truth, old->segment) = *old;
    }
    g_free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
}

static void
add_run(CxContingency *table, CxId truth, CxId segment, uint64_t n)
{
    Overlap *slot = find(table->slots, table->capacity, truth, segment);

    if (slot->n_voxels == 0) {
        slot->truth = truth;
        slot->segment = segment;
        table->n_used++;
    }
    slot->n_voxels += n;
    table->n_voxels += n;
    if (4 * table->n_used > 3 * table->capacity)
        grow(table);
}

/* n voxels in a row of memory, a run of equal pairs at a time. */
static void
add_pairs(CxContingency *table, const CxId *truth, const CxId *segments,
          size_t n)
{
    for (size_t i = 0; i < n;) {
        CxId t = truth[i], s = segments[i];
        size_t end = i + 1;

        while (end < n && truth[end] == t && segments[end] == s)
            end++;
        if (t != 0)
            add_run(table, t, s, end - i);
        i = end;
    }
}

void
cx_contingency_add(CxContingency *table, const CxChunk *truth,
                   const CxChunk *segmentation)
{
    g_assert(cx_box_equal(cx_chunk_box(truth), cx_chunk_box(segmentation)));
    g_assert(cx_chunk_dtype(truth) == CX_DTYPE_U64);
    g_assert(cx_chunk_dtype(segmentation) == CX_DTYPE_U64);
    add_pairs(table, cx_chunk_data(truth), cx_chunk_data(segmentation),
              cx_chunk_n_voxels(truth));
}

static bool
check_sizes(CxVolume *truth, CxVolume *segmentation, GError **error)
{
    CxVoxel a = cx_volume_level(truth, 0).size;
    CxVoxel b = cx_volume_level(segmentation, 0).size;

    if (cx_voxel_equal(a, b))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s has %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                " x %" G_GINT64_FORMAT " voxels and %s has %" G_GINT64_FORMAT
                " x %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                "; truth and segmentation must have the same size",
                cx_volume_spec(truth), a.x, a.y, a.z,
                cx_volume_spec(segmentation), b.x, b.y, b.z);
    return false;
}

typedef struct {
    CxContingency *table;
    CxVolume *segmentation;
    CxJob *job;
} Target;

static bool
add_slab(CxChunk *truth, void *data, GError **error)
{
    Target *target = data;
    g_autoptr(CxChunk) segments = cx_volume_read_labels(
        target->segmentation, 0, cx_chunk_box(truth), target->job, error);

    if (segments == NULL)
        return false;
    cx_contingency_add(target->table, truth, segments);
    return true;
}

bool
cx_contingency_add_volumes(CxContingency *table, CxVolume *truth,
                           CxVolume *segmentation, unsigned border,
                           bool components, CxJob *job, GError **error)
{
    Target target = {table, segmentation, job};

    if (!check_sizes(truth, segmentation, error))
        return false;
    return cx_truth_each_slab(truth, border, components, add_slab, &target, job,
                              error);
}

uint64_t
cx_contingency_n_voxels(const CxContingency *table)
{
    return table->n_voxels;
}

bool
cx_contingency_next(const CxContingency *table, size_t *cursor, CxId *truth,
                    CxId *segment, uint64_t *n_voxels)
{
    while (*cursor < table->capacity) {
        const Overlap *slot = &table->slots[(*cursor)++];
        if (slot->n_voxels == 0)
            continue;
        *truth = slot->truth;
        *segment = slot->segment;
        *n_voxels = slot->n_voxels;
        return true;
    }
    return false;
}

/* What the scores need of one list of counts. */
typedef struct {
    double entropy; /* bits */
    double squares;
} Moments;

static int
compare_counts(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Sorted first, so that sums do not depend on the order of insertion. */
static Moments
moments(GArray *counts, double total)
{
    Moments m = {0, 0};

    g_array_sort(counts, compare_counts);
    for (guint i = 0; i < counts->len; i++) {
        double n = (double)g_array_index(counts, uint64_t, i);
        m.entropy -= n / total * log2(n / total);
        m.squares += n * n;
    }
    return m;
}

static GArray *
values_of(const CxHash64 *map)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    size_t cursor = 0;
    uint64_t key, value;

    while (cx_hash64_next(map, &cursor, &key, &value))
        g_array_append_val(values, value);
    return values;
}

/* The sums behind the scores: of overlaps, truth labels and segments. */
typedef struct {
    Moments joint, truth, segments;
    double background;         /* voxels of segment 0 */
    double background_squares; /* their share of joint.squares */
} Sums;

static Sums
sum_up(const CxContingency *table)
{
    double total = (double)table->n_voxels;
    g_autoptr(CxHash64) by_truth = cx_hash64_new(1024);
    g_autoptr(CxHash64) by_segment = cx_hash64_new(1024);
    g_autoptr(GArray) joint = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    Sums sums = {.background = 0};
    uint64_t background = 0, n;
    size_t cursor = 0;
    CxId truth, segment;

    while (cx_contingency_next(table, &cursor, &truth, &segment, &n)) {
        g_array_append_val(joint, n);
        *cx_hash64_at(by_truth, truth, 0, NULL) += n;
        if (segment != 0) {
            *cx_hash64_at(by_segment, segment, 0, NULL) += n;
        } else {
            background += n;
            sums.background_squares += (double)n * (double)n;
        }
    }
    g_autoptr(GArray) truths = values_of(by_truth);
    g_autoptr(GArray) segments = values_of(by_segment);
    if (background > 0)
        g_array_append_val(segments, background);
    sums.background = (double)background;
    sums.joint = moments(joint, total);
    sums.truth = moments(truths, total);
    sums.segments = moments(segments, total);
    return sums;
}

/* 1 - F of precision and recall over pairs. */
static double
rand_error(double joint, double truth, double segments)
{
    return truth + segments > 0 ? 1 - 2 * joint / (truth + segments) : 0;
}

CxScores
cx_contingency_scores(const CxContingency *table)
{
    CxScores scores = {.n_voxels = table->n_voxels, .v_rand = 1, .v_info = 1};
    double n = (double)table->n_voxels;

    if (table->n_voxels == 0)
        return scores;

    Sums s = sum_up(table);
    double b = s.background;
    scores.voi_split = MAX(0, s.joint.entropy - s.truth.entropy);
    scores.voi_merge = MAX(0, s.joint.entropy - s.segments.entropy);
    scores.arand = rand_error(s.joint.squares - n, s.truth.squares - n,
                              s.segments.squares - n);
    scores.arand_cremi =
        rand_error(s.joint.squares - s.background_squares + b, s.truth.squares,
                   s.segments.squares - b * b + b);
    scores.cremi_score = sqrt(MAX(0, scores.arand_cremi) *
                              (scores.voi_split + scores.voi_merge));
    scores.v_rand =
        2 * s.joint.squares / (s.truth.squares + s.segments.squares);
    double entropies = s.truth.entropy + s.segments.entropy;
    if (entropies > 0)
        scores.v_info = 2 * (entropies - s.joint.entropy) / entropies;
    return scores;
}
