/* Local maxima.
 *
 * Nearly every voxel fails against its six neighbours, which is tested for a
 * row at once; the few that pass look at their whole window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/seeds.h"

#include "core/jobs/parallel.h"

#include <string.h>

typedef struct {
    const float *height;
    CxVoxel size, radius;
    float lowest;
    uint32_t *labels;
} Work;

/* Sets marks[x] where row[x] is not below what lies at row[x + step]. */
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
    ptrdiff_t plane = n.x * n.y, at = z * plane + y * n.x;
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

static bool
is_maximum(const Work *work, CxVoxel at)
{
    CxVoxel n = work->size, r = work->radius;
    ptrdiff_t plane = n.x * n.y;
    ptrdiff_t self = at.z * plane + at.y * n.x + at.x;
    float height = work->height[self];

    for (int64_t z = MAX(0, at.z - r.z); z <= MIN(n.z - 1, at.z + r.z); z++) {
        for (int64_t y = MAX(0, at.y - r.y); y <= MIN(n.y - 1, at.y + r.y);
             y++) {
            int64_t lo = MAX(0, at.x - r.x), hi = MIN(n.x - 1, at.x + r.x);
            ptrdiff_t start = z * plane + y * n.x;

            for (ptrdiff_t i = start + lo; i <= start + hi; i++) {
                float other = work->height[i];
                if (other > height || (other == height && i < self))
                    return false;
            }
        }
    }
    return true;
}

static bool
do_plane(size_t z, unsigned worker, void *data, GError **error)
{
    const Work *work = data;
    CxVoxel n = work->size;

    for (int64_t y = 0; y < n.y; y++) {
        uint32_t *marks = work->labels + ((int64_t)z * n.y + y) * n.x;

        mark_row(work, y, (int64_t)z);
        for (int64_t x = 0; x < n.x; x++) {
            if (marks[x] != 0)
                marks[x] = is_maximum(work, (CxVoxel){x, y, (int64_t)z});
        }
    }
    return true;
}

bool
cx_seeds_find(const float *height, CxVoxel size, CxVoxel radius, float lowest,
              uint32_t *labels, uint32_t *n_seeds, unsigned n_threads,
              CxJob *job, GError **error)
{
    Work work = {height, size, radius, lowest, labels};
    size_t n = (size_t)(size.x * size.y * size.z);
    uint32_t count = 0;

    if (!cx_parallel_for(n_threads, (size_t)size.z, do_plane, &work, job,
                         error))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (labels[i] != 0)
            labels[i] = ++count;
    }
    *n_seeds = count;
    return true;
}
