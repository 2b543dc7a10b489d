/* Peaks, and the slopes that lead to them.
 *
 * Nearly every voxel fails against its six neighbours, which is tested for a
 * row at once; the few that pass look at their whole window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/seeds.h"

#include "core/base/alloc.h"
#include "core/base/union_find.h"
#include "core/jobs/parallel.h"

#include <string.h>

typedef struct {
    const float *height;
    CxVoxel size, radius;
    float lowest;
    uint32_t *labels;
    uint8_t *ways; /* for the climb: which neighbour is next */
} Work;

static ptrdiff_t
row_of(const Work *work, int64_t y, int64_t z)
{
    return (z * work->size.y + y) * work->size.x;
}

/* --- peaks ------------------------------------------------------------------- */

/* Clears marks[x] where row[x] is below what lies at row[x + step]. */
static void
keep_not_below(const float *row, ptrdiff_t step, uint32_t *marks, int64_t n)
{
    for (int64_t x = 0; x < n; x++)
        marks[x] &= (uint32_t)(row[x] >= row[x + step]);
}

static void
mark_row(const Work *work, int64_t y, int64_t z)
{
    CxVoxel n = work->size;
    ptrdiff_t plane = n.x * n.y, at = row_of(work, y, z);
    const float *row = work->height + at;
    uint32_t *marks = work->labels + at;

    for (int64_t x = 0; x < n.x; x++)
        marks[x] = row[x] >= work->lowest;
    keep_not_below(row + 1, -1, marks + 1, n.x - 1);
    keep_not_below(row, 1, marks, n.x - 1);
    if (y > 0)
        keep_not_below(row, -n.x, marks, n.x);
    if (y + 1 < n.y)
        keep_not_below(row, n.x, marks, n.x);
    if (z > 0 && work->radius.z > 0)
        keep_not_below(row, -plane, marks, n.x);
    if (z + 1 < n.z && work->radius.z > 0)
        keep_not_below(row, plane, marks, n.x);
}

/* The highest voxel of a window, the first of equals. */
static ptrdiff_t
highest_around(const Work *work, CxVoxel at)
{
    CxVoxel n = work->size, r = work->radius;
    ptrdiff_t best = row_of(work, at.y, at.z) + at.x;

    for (int64_t z = MAX(0, at.z - r.z); z <= MIN(n.z - 1, at.z + r.z); z++) {
        for (int64_t y = MAX(0, at.y - r.y); y <= MIN(n.y - 1, at.y + r.y);
             y++) {
            ptrdiff_t lo = row_of(work, y, z) + MAX(0, at.x - r.x);
            ptrdiff_t hi = row_of(work, y, z) + MIN(n.x - 1, at.x + r.x);

            for (ptrdiff_t i = lo; i <= hi; i++) {
                float d = work->height[i] - work->height[best];
                if (d > 0 || (d == 0 && i < best))
                    best = i;
            }
        }
    }
    return best;
}

static bool
do_peaks(size_t z, unsigned worker, void *data, GError **error)
{
    const Work *work = data;

    for (int64_t y = 0; y < work->size.y; y++) {
        ptrdiff_t row = row_of(work, y, (int64_t)z);
        uint32_t *marks = work->labels + row;

        mark_row(work, y, (int64_t)z);
        for (int64_t x = 0; x < work->size.x; x++) {
            if (marks[x] == 0)
                continue;
            CxVoxel at = {x, y, (int64_t)z};
            ptrdiff_t best = highest_around(work, at);
            marks[x] = work->height[best] == work->height[row + x];
        }
    }
    return true;
}

/* Numbers the marked voxels; neighbours of the same height share one. */
static bool
number_peaks(const Work *work, uint32_t *n_seeds, GError **error)
{
    CxVoxel n = work->size;
    ptrdiff_t total = n.x * n.y * n.z;
    ptrdiff_t steps[3] = {1, n.x, n.x * n.y};
    uint32_t *labels = work->labels;
    uint32_t count = 0, final = 0;

    for (ptrdiff_t i = 0; i < total; i++)
        count += labels[i];
    g_autoptr(CxUnionFind) sets = cx_union_find_new(count + 1);
    CX_AUTOFREE uint32_t *numbers =
        cx_try_alloc0((size_t)count + 1, sizeof(uint32_t), error);
    if (numbers == NULL)
        return false;
    count = 0;
    for (ptrdiff_t i = 0; i < total; i++) {
        if (labels[i] == 0)
            continue;
        labels[i] = ++count;
        int64_t at[3] = {i % n.x, i / n.x % n.y, i / steps[2]};
        for (int a = 0; a < (work->radius.z > 0 ? 3 : 2); a++) {
            ptrdiff_t j = i - steps[a];
            if (at[a] > 0 && labels[j] != 0 &&
                work->height[j] == work->height[i])
                cx_union_find_join(sets, labels[j], count);
        }
    }
    for (uint32_t k = 1; k <= count; k++) {
        uint32_t root = cx_union_find_root(sets, k);
        numbers[k] = root == k ? ++final : numbers[root];
    }
    for (ptrdiff_t i = 0; i < total; i++)
        labels[i] = numbers[labels[i]];
    *n_seeds = final;
    return true;
}

bool
cx_seeds_find(const float *height, CxVoxel size, CxVoxel radius, float lowest,
              uint32_t *labels, uint32_t *n_seeds, unsigned n_threads,
              CxJob *job, GError **error)
{
    Work work = {height, size, radius, lowest, labels, NULL};

    return cx_parallel_for(n_threads, (size_t)size.z, do_peaks, &work, job,
                           error) &&
           number_peaks(&work, n_seeds, error);
}

/* --- climb ------------------------------------------------------------------- */

enum { HERE = 6, BELOW = 7 };

/* A neighbour with a larger index must be higher than the voxel itself. */
static void
look_ahead(const float *row, ptrdiff_t step, int32_t way, float *restrict best,
           int32_t *restrict ways, int64_t n)
{
    for (int64_t x = 0; x < n; x++) {
        float other = row[x + step];
        int32_t better =
            -(int32_t)(other > row[x]) & -(int32_t)(other >= best[x]);
        ways[x] = (way & better) | (ways[x] & ~better);
        best[x] = other > best[x] ? other : best[x];
    }
}

/* One with a smaller index wins if it is as high. */
static void
look_back(const float *row, ptrdiff_t step, int32_t way, float *restrict best,
          int32_t *restrict ways, int64_t n)
{
    for (int64_t x = 0; x < n; x++) {
        float other = row[x + step];
        int32_t better = -(int32_t)(other >= best[x]);
        ways[x] = (way & better) | (ways[x] & ~better);
        best[x] = other > best[x] ? other : best[x];
    }
}

/* The ways of a row, 0 … 5: z-, y-, x-, x+, y+, z+.  best and wide are rows of
 * scratch; a way is as wide as a height there, so that loops vectorise. */
static void
find_ways(const Work *work, int64_t y, int64_t z, float *best, int32_t *wide)
{
    CxVoxel n = work->size;
    ptrdiff_t plane = n.x * n.y, at = row_of(work, y, z);
    const float *row = work->height + at;
    uint8_t *ways = work->ways + at;

    memcpy(best, row, (size_t)n.x * sizeof(float));
    for (int64_t x = 0; x < n.x; x++)
        wide[x] = HERE;
    if (z + 1 < n.z && work->radius.z > 0)
        look_ahead(row, plane, 5, best, wide, n.x);
    if (y + 1 < n.y)
        look_ahead(row, n.x, 4, best, wide, n.x);
    look_ahead(row, 1, 3, best, wide, n.x - 1);
    look_back(row + 1, -1, 2, best + 1, wide + 1, n.x - 1);
    if (y > 0)
        look_back(row, -n.x, 1, best, wide, n.x);
    if (z > 0 && work->radius.z > 0)
        look_back(row, -plane, 0, best, wide, n.x);
    for (int64_t x = 0; x < n.x; x++)
        ways[x] = (uint8_t)(row[x] >= work->lowest ? wide[x] : BELOW);
}

static bool
do_ways(size_t z, unsigned worker, void *data, GError **error)
{
    const Work *work = data;
    g_autofree float *best = g_new(float, (size_t)work->size.x);
    g_autofree int32_t *wide = g_new(int32_t, (size_t)work->size.x);

    for (int64_t y = 0; y < work->size.y; y++)
        find_ways(work, y, (int64_t)z, best, wide);
    return true;
}

/* Where the climb goes on from a voxel without a label. */
static ptrdiff_t
next_of(const Work *work, ptrdiff_t i)
{
    CxVoxel n = work->size;
    ptrdiff_t plane = n.x * n.y;
    const ptrdiff_t steps[6] = {-plane, -n.x, -1, 1, n.x, plane};

    if (work->ways[i] < HERE)
        return i + steps[work->ways[i]];
    return highest_around(work, (CxVoxel){i % n.x, i / n.x % n.y, i / plane});
}

/* Several threads may label the same voxel, always with the same label. */
static inline uint32_t
label_at(const Work *work, ptrdiff_t at)
{
    return __atomic_load_n(&work->labels[at], __ATOMIC_RELAXED);
}

/* Follows the ways up to a label, then labels the whole path. */
static void
climb_from(const Work *work, ptrdiff_t start)
{
    ptrdiff_t at = start;

    while (label_at(work, at) == 0) {
        ptrdiff_t next = next_of(work, at);
        if (next == at)
            return; /* a maximum below the seeds' own limit */
        at = next;
    }
    uint32_t label = label_at(work, at);
    for (at = start; label_at(work, at) == 0; at = next_of(work, at))
        __atomic_store_n(&work->labels[at], label, __ATOMIC_RELAXED);
}

static bool
do_climb(size_t z, unsigned worker, void *data, GError **error)
{
    const Work *work = data;
    ptrdiff_t area = work->size.x * work->size.y;
    ptrdiff_t start = (ptrdiff_t)z * area;

    for (ptrdiff_t i = start; i < start + area; i++) {
        if (work->ways[i] != BELOW && label_at(work, i) == 0)
            climb_from(work, i);
    }
    return true;
}

bool
cx_seeds_climb(const float *height, CxVoxel size, CxVoxel radius, float lowest,
               uint32_t *labels, unsigned n_threads, CxJob *job, GError **error)
{
    size_t n = (size_t)(size.x * size.y * size.z);
    CX_AUTOFREE uint8_t *ways = cx_try_alloc(n, 1, error);
    Work work = {height, size, radius, lowest, labels, ways};

    return ways != NULL &&
           cx_parallel_for(n_threads, (size_t)size.z, do_ways, &work, job,
                           error) &&
           cx_parallel_for(n_threads, (size_t)size.z, do_climb, &work, job,
                           error);
}
