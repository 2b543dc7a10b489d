/* Exact Euclidean distance transform.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/distance.h"

#include "core/base/alloc.h"
#include "core/jobs/parallel.h"

#include <math.h>
#include <string.h>

#define LANES 16

/* A vector of columns; the compiler keeps it in registers. */
typedef struct {
    float at[LANES];
} Lanes;

typedef struct {
    const uint8_t *inside;
    CxVoxel size;
    CxNm voxel;
    float *distance;
    Lanes **columns; /* a worker */
} Work;

/* Squared distance along a row. */
static void
scan_row(const uint8_t *inside, float *out, int64_t n, float step)
{
    float since = INFINITY;

    for (int64_t x = 0; x < n; x++) {
        since = inside[x] != 0 ? since + step : 0;
        out[x] = since;
    }
    since = INFINITY;
    for (int64_t x = n - 1; x >= 0; x--) {
        since = inside[x] != 0 ? since + step : 0;
        float near = MIN(since, out[x]);
        out[x] = near * near;
    }
}

/* best = min(best, other + cost), lane by lane. */
static inline void
keep_least(Lanes *best, const Lanes *other, float cost)
{
    for (int k = 0; k < LANES; k++) {
        float candidate = other->at[k] + cost;
        best->at[k] = candidate < best->at[k] ? candidate : best->at[k];
    }
}

static inline bool
any_above(const Lanes *lanes, float limit)
{
    int32_t any = 0;

    for (int k = 0; k < LANES; k++)
        any |= lanes->at[k] > limit;
    return any != 0;
}

/* Replaces n columns' samples, step floats apart, by their lower envelope. */
static void
transform_columns(float *data, ptrdiff_t step, int64_t n, int lanes,
                  float square, Lanes *column)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(&column[i], data + i * step, (size_t)lanes * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        Lanes best = column[i];
        int64_t reach = MAX(i, n - 1 - i);

        for (int64_t k = 1; k <= reach; k++) {
            float cost = (float)(k * k) * square;
            if (!any_above(&best, cost))
                break;
            if (i >= k)
                keep_least(&best, &column[i - k], cost);
            if (i + k < n)
                keep_least(&best, &column[i + k], cost);
        }
        memcpy(data + i * step, &best, (size_t)lanes * sizeof(float));
    }
}

static bool
do_plane(size_t z, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    int64_t nx = work->size.x, ny = work->size.y;
    size_t start = z * (size_t)nx * (size_t)ny;
    float square = (float)(work->voxel.y * work->voxel.y);

    for (int64_t y = 0; y < ny; y++)
        scan_row(work->inside + start + (size_t)(y * nx),
                 work->distance + start + (size_t)(y * nx), nx,
                 (float)work->voxel.x);
    for (int64_t x = 0; x < nx; x += LANES)
        transform_columns(work->distance + start + (size_t)x, nx, ny,
                          (int)MIN(LANES, nx - x), square,
                          work->columns[worker]);
    return true;
}

static bool
do_depth(size_t y, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    int64_t nx = work->size.x, ny = work->size.y;
    float square = (float)(work->voxel.z * work->voxel.z);

    for (int64_t x = 0; x < nx; x += LANES)
        transform_columns(work->distance + (int64_t)y * nx + x, nx * ny,
                          work->size.z, (int)MIN(LANES, nx - x), square,
                          work->columns[worker]);
    return true;
}

static bool
run(Work *work, unsigned n_threads, CxJob *job, GError **error)
{
    if (!cx_parallel_for(n_threads, (size_t)work->size.z, do_plane, work, job,
                         error))
        return false;
    return work->size.z == 1 || cx_parallel_for(n_threads, (size_t)work->size.y,
                                                do_depth, work, job, error);
}

bool
cx_distance_squared(const uint8_t *inside, CxVoxel size, CxNm voxel,
                    float *distance, unsigned n_threads, CxJob *job,
                    GError **error)
{
    Work work = {inside, size, voxel, distance, NULL};
    size_t longest = (size_t)MAX(1, MAX(size.y, size.z));
    bool ok = true;

    n_threads = cx_parallel_n_threads(n_threads);
    work.columns = g_new0(Lanes *, n_threads);
    for (unsigned i = 0; i < n_threads && ok; i++) {
        work.columns[i] = cx_try_alloc0(longest, sizeof(Lanes), error);
        ok = work.columns[i] != NULL;
    }
    ok = ok && run(&work, n_threads, job, error);
    for (unsigned i = 0; i < n_threads; i++)
        cx_free(work.columns[i]);
    g_free(work.columns);
    return ok;
}
