/* Exact Euclidean distance transform.
 *
 * Along y the distance is a running count, for whole rows at once.  Along z
 * and x it is the lower envelope of parabolas, searched outwards.  All loops
 * run along x over contiguous samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/distance.h"

#include "core/base/alloc.h"
#include "core/jobs/parallel.h"
#include "core/kernels/kernels.h"

#include <math.h>
#include <string.h>

typedef struct {
    const uint8_t *inside;
    CxVoxel size;
    CxNm voxel;
    float *distance;
    int64_t width;   /* of a row in scratch: whole lanes */
    float **scratch; /* a worker */
    CxEnvelopeF32Fn *envelope;
} Work;

/* --- along y ----------------------------------------------------------------- */

static void
step_down(const uint8_t *inside, const float *before, float step, float *out,
          int64_t n)
{
    for (int64_t x = 0; x < n; x++)
        out[x] = inside[x] != 0 ? before[x] + step : 0;
}

static void
step_up(const float *after, float step, float *out, int64_t n)
{
    for (int64_t x = 0; x < n; x++)
        out[x] = MIN(out[x], after[x] + step);
}

static bool
do_plane(size_t z, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    int64_t nx = work->size.x, ny = work->size.y;
    const uint8_t *inside = work->inside + (int64_t)z * nx * ny;
    float *out = work->distance + (int64_t)z * nx * ny;
    float step = (float)work->voxel.y;

    for (int64_t x = 0; x < nx; x++)
        out[x] = inside[x] != 0 ? INFINITY : 0;
    for (int64_t y = 1; y < ny; y++)
        step_down(inside + y * nx, out + (y - 1) * nx, step, out + y * nx, nx);
    for (int64_t y = ny - 1; y-- > 0;)
        step_up(out + (y + 1) * nx, step, out + y * nx, nx);
    for (int64_t i = 0; i < nx * ny; i++)
        out[i] *= out[i];
    return true;
}

/* --- along z and x ----------------------------------------------------------- */

/* All rows of one y: along z from copies of them, then along x. */
static bool
do_depth(size_t y, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    int64_t nx = work->size.x, nz = work->size.z, width = work->width;
    ptrdiff_t plane = nx * work->size.y;
    float *rows = work->scratch[worker];
    float *padded = rows + nz * width;
    float *line = padded + width; /* between two of nothing */
    float *out = line + 2 * width;
    float *data_y = work->distance + (int64_t)y * nx;
    float square_x = (float)(work->voxel.x * work->voxel.x);
    float square_z = (float)(work->voxel.z * work->voxel.z);
    bool by_z = nz > 1 && !isinf(work->voxel.z);

    for (int64_t z = 0; z < nz; z++)
        memcpy(rows + z * width, data_y + z * plane,
               (size_t)nx * sizeof(float));
    for (int64_t z = 0; z < nz; z++) {
        work->envelope(line, rows + z * width, (size_t)width, width,
                       by_z ? z : 0, by_z ? nz - 1 - z : 0, square_z);
        for (int64_t x = nx; x < width; x++)
            line[x] = INFINITY;
        work->envelope(out, line, (size_t)width, 1, width, width, square_x);
        memcpy(data_y + z * plane, out, (size_t)nx * sizeof(float));
    }
    return true;
}

static float *
new_scratch(const Work *work, GError **error)
{
    size_t n = (size_t)(work->width * (work->size.z + 4));
    float *scratch = cx_try_alloc(n, sizeof(float), error);

    for (size_t i = 0; scratch != NULL && i < n; i++)
        scratch[i] = INFINITY;
    return scratch;
}

bool
cx_distance_squared(const uint8_t *inside, CxVoxel size, CxNm voxel,
                    float *distance, unsigned n_threads, CxJob *job,
                    GError **error)
{
    int64_t lanes = CX_ENVELOPE_LANES;
    int64_t width = (size.x + lanes - 1) / lanes * lanes;
    CxKernels kernels;
    bool ok = true;

    cx_kernels_fill(&kernels, cx_cpu_features());
    Work work = {
        inside, size, voxel, distance, width, NULL, kernels.envelope_f32};
    n_threads = cx_parallel_n_threads(n_threads);
    work.scratch = g_new0(float *, n_threads);
    for (unsigned i = 0; i < n_threads && ok; i++) {
        work.scratch[i] = new_scratch(&work, error);
        ok = work.scratch[i] != NULL;
    }
    ok =
        ok &&
        cx_parallel_for(n_threads, (size_t)size.z, do_plane, &work, job,
                        error) &&
        cx_parallel_for(n_threads, (size_t)size.y, do_depth, &work, job, error);
    for (unsigned i = 0; i < n_threads; i++)
        cx_free(work.scratch[i]);
    g_free(work.scratch);
    return ok;
}
