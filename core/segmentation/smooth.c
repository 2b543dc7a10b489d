/* Separable Gaussian.  A plane is smoothed along x and y by one thread, then
 * every row along z; a line of rows is kept aside while its source is
 * overwritten.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/smooth.h"

#include "core/base/alloc.h"
#include "core/jobs/parallel.h"

#include <math.h>
#include <string.h>

#define MAX_RADIUS 24
#define STRIP 64 /* samples of a row handled together */

typedef struct {
    int radius;
    float weights[MAX_RADIUS + 1];  /* centre first */
    uint16_t parts[MAX_RADIUS + 1]; /* of 256 */
} Kernel;

typedef struct {
    void *data;
    bool is_u8;
    CxVoxel size;
    Kernel x, y, z;
    void **scratch;
} Work;

static Kernel
kernel_of(double sigma)
{
    Kernel kernel = {.radius = 0, .weights = {1}, .parts = {256}};
    double sum = 1;

    if (sigma <= 0)
        return kernel;
    kernel.radius = MIN(MAX_RADIUS, (int)ceil(3 * sigma));
    for (int k = 1; k <= kernel.radius; k++)
        sum += 2 * exp(-k * k / (2 * sigma * sigma));
    int rest = 256;
    for (int k = kernel.radius; k >= 0; k--) {
        double w = exp(-k * k / (2 * sigma * sigma)) / sum;
        kernel.weights[k] = (float)w;
        kernel.parts[k] = (uint16_t)lround(256 * w);
        if (k > 0)
            rest -= 2 * kernel.parts[k];
    }
    kernel.parts[0] = (uint16_t)rest;
    while (kernel.radius > 0 && kernel.parts[kernel.radius] == 0 &&
           kernel.weights[kernel.radius] < 1e-4F)
        kernel.radius--;
    return kernel;
}

/* out[i] = sum of weighted rows; rows[radius] is the centre. */
static void
blend_f32(const float *const *rows, float *restrict out, int64_t n,
          const Kernel *kernel)
{
    const float *centre = rows[kernel->radius];

    for (int64_t i = 0; i < n; i++)
        out[i] = kernel->weights[0] * centre[i];
    for (int k = 1; k <= kernel->radius; k++) {
        const float *a = rows[kernel->radius - k];
        const float *b = rows[kernel->radius + k];
        float w = kernel->weights[k];
        for (int64_t i = 0; i < n; i++)
            out[i] += w * (a[i] + b[i]);
    }
}

static void
blend_u8(const uint8_t *const *rows, uint8_t *restrict out, int64_t n,
         const Kernel *kernel)
{
    const uint8_t *centre = rows[kernel->radius];
    uint16_t sums[STRIP];

    for (int64_t i0 = 0; i0 < n; i0 += STRIP) {
        int64_t m = MIN(STRIP, n - i0);
        for (int64_t i = 0; i < m; i++)
            sums[i] = (uint16_t)(128 + kernel->parts[0] * centre[i0 + i]);
        for (int k = 1; k <= kernel->radius; k++) {
            const uint8_t *a = rows[kernel->radius - k] + i0;
            const uint8_t *b = rows[kernel->radius + k] + i0;
            uint16_t w = kernel->parts[k];
            for (int64_t i = 0; i < m; i++)
                sums[i] = (uint16_t)(sums[i] + w * (uint16_t)(a[i] + b[i]));
        }
        for (int64_t i = 0; i < m; i++)
            out[i0 + i] = (uint8_t)(sums[i] >> 8);
    }
}

/* Smooths n_rows rows of width samples, step apart, across the rows. */
static void
smooth_across(const Work *work, char *data, size_t step, int64_t n_rows,
              int64_t width, const Kernel *kernel, char *scratch)
{
    size_t sample = work->is_u8 ? 1 : sizeof(float);
    size_t bytes = (size_t)width * sample;
    const void *rows[2 * MAX_RADIUS + 1];

    if (kernel->radius == 0)
        return;
    for (int64_t i = 0; i < n_rows; i++)
        memcpy(scratch + (size_t)i * bytes, data + (size_t)i * step * sample,
               bytes);
    for (int64_t i = 0; i < n_rows; i++) {
        char *out = data + (size_t)i * step * sample;
        for (int k = -kernel->radius; k <= kernel->radius; k++)
            rows[kernel->radius + k] =
                scratch + (size_t)CLAMP(i + k, 0, n_rows - 1) * bytes;
        if (work->is_u8)
            blend_u8((const uint8_t *const *)rows, (uint8_t *)out, width,
                     kernel);
        else
            blend_f32((const float *const *)rows, (float *)out, width, kernel);
    }
}

/* Along a row: the row with its ends repeated, and shifted views of it. */
static void
smooth_row(const Work *work, char *row, char *scratch)
{
    size_t sample = work->is_u8 ? 1 : sizeof(float);
    int64_t n = work->size.x;
    int radius = work->x.radius;
    const void *rows[2 * MAX_RADIUS + 1];

    if (radius == 0)
        return;
    for (int k = 0; k < radius; k++) {
        memcpy(scratch + (size_t)k * sample, row, sample);
        memcpy(scratch + (size_t)(n + radius + k) * sample,
               row + (size_t)(n - 1) * sample, sample);
    }
    memcpy(scratch + (size_t)radius * sample, row, (size_t)n * sample);
    for (int k = 0; k <= 2 * radius; k++)
        rows[k] = scratch + (size_t)k * sample;
    if (work->is_u8)
        blend_u8((const uint8_t *const *)rows, (uint8_t *)row, n, &work->x);
    else
        blend_f32((const float *const *)rows, (float *)row, n, &work->x);
}

static bool
do_plane(size_t z, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    size_t sample = work->is_u8 ? 1 : sizeof(float);
    size_t nx = (size_t)work->size.x, ny = (size_t)work->size.y;
    char *plane = (char *)work->data + z * nx * ny * sample;

    for (size_t y = 0; y < ny; y++)
        smooth_row(work, plane + y * nx * sample, work->scratch[worker]);
    smooth_across(work, plane, nx, work->size.y, work->size.x, &work->y,
                  work->scratch[worker]);
    return true;
}

static bool
do_depth(size_t y, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    size_t sample = work->is_u8 ? 1 : sizeof(float);
    size_t nx = (size_t)work->size.x, ny = (size_t)work->size.y;
    char *rows = (char *)work->data + y * nx * sample;

    smooth_across(work, rows, nx * ny, work->size.z, work->size.x, &work->z,
                  work->scratch[worker]);
    return true;
}

static bool
run(Work *work, unsigned n_threads, CxJob *job, GError **error)
{
    if (!cx_parallel_for(n_threads, (size_t)work->size.z, do_plane, work, job,
                         error))
        return false;
    return work->z.radius == 0 ||
           cx_parallel_for(n_threads, (size_t)work->size.y, do_depth, work, job,
                           error);
}

static bool
smooth(Work *work, CxNm sigma, unsigned n_threads, CxJob *job, GError **error)
{
    CxVoxel size = work->size;
    size_t longest = (size_t)MAX(size.y, size.z);
    size_t n = ((size_t)size.x + 2 * MAX_RADIUS) * MAX(1, longest);
    bool ok = true;

    work->x = kernel_of(sigma.x);
    work->y = kernel_of(sigma.y);
    work->z = kernel_of(sigma.z);
    n_threads = cx_parallel_n_threads(n_threads);
    work->scratch = g_new0(void *, n_threads);
    for (unsigned i = 0; i < n_threads && ok; i++) {
        work->scratch[i] = cx_try_alloc(n, sizeof(float), error);
        ok = work->scratch[i] != NULL;
    }
    ok = ok && run(work, n_threads, job, error);
    for (unsigned i = 0; i < n_threads; i++)
        cx_free(work->scratch[i]);
    g_free(work->scratch);
    return ok;
}

bool
cx_smooth(float *data, CxVoxel size, CxNm sigma, unsigned n_threads, CxJob *job,
          GError **error)
{
    Work work = {.data = data, .is_u8 = false, .size = size};

    return smooth(&work, sigma, n_threads, job, error);
}

bool
cx_smooth_u8(uint8_t *data, CxVoxel size, CxNm sigma, unsigned n_threads,
             CxJob *job, GError **error)
{
    Work work = {.data = data, .is_u8 = true, .size = size};

    return smooth(&work, sigma, n_threads, job, error);
}
