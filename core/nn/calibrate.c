/* Finds how far the samples of each layer reach.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/calibrate.h"

#include "core/base/alloc.h"
#include "core/kernels/conv_f32.h"

#include <math.h>
#include <string.h>

/* A bin is the exponent and the upper 5 bits of the mantissa of a float. */
#define BIN_SHIFT 18
#define N_BINS (1u << (31 - BIN_SHIFT))

struct CxCalibrator {
    const CxProgram *program;
    GMutex lock;
    uint64_t (*bins)[N_BINS]; /* of each step; exact zeros are not counted */
    double **sums;            /* of each step and channel */
    uint64_t *n_pixels;       /* of each step */
};

CxCalibrator *
cx_calibrator_new(const CxProgram *program)
{
    CxCalibrator *calibrator = g_new0(CxCalibrator, 1);

    calibrator->program = program;
    calibrator->bins = g_malloc0_n(program->n_steps, sizeof *calibrator->bins);
    calibrator->sums = g_new0(double *, program->n_steps);
    calibrator->n_pixels = g_new0(uint64_t, program->n_steps);
    for (unsigned i = 0; i < program->n_steps; i++)
        calibrator->sums[i] = g_new0(double, program->steps[i].n_channels);
    g_mutex_init(&calibrator->lock);
    return calibrator;
}

void
cx_calibrator_free(CxCalibrator *calibrator)
{
    if (calibrator == NULL)
        return;
    g_mutex_clear(&calibrator->lock);
    for (unsigned i = 0; i < calibrator->program->n_steps; i++)
        g_free(calibrator->sums[i]);
    g_free(calibrator->sums);
    g_free(calibrator->n_pixels);
    g_free(calibrator->bins);
    g_free(calibrator);
}

void
cx_calibrator_watch(void *data, unsigned step, size_t n, const float *row,
                    size_t plane)
{
    CxCalibrator *calibrator = data;
    unsigned n_channels = calibrator->program->steps[step].n_channels;
    uint64_t *bins = calibrator->bins[step];

    g_mutex_lock(&calibrator->lock);
    calibrator->n_pixels[step] += n;
    for (unsigned c = 0; c < n_channels; c++) {
        const float *from = row + c / CX_BLOCK * plane + c % CX_BLOCK;
        double sum = 0.0;

        for (size_t i = 0; i < n; i++) {
            float size = fabsf(from[i * CX_BLOCK]);
            uint32_t bits;

            sum += (double)from[i * CX_BLOCK];
            memcpy(&bits, &size, sizeof bits);
            bins[bits >> BIN_SHIFT] += bits != 0;
        }
        calibrator->sums[step][c] += sum;
    }
    g_mutex_unlock(&calibrator->lock);
}

/* The number in the middle of a bin. */
static double
middle(uint32_t bin)
{
    uint32_t bits = bin << BIN_SHIFT | 1u << (BIN_SHIFT - 1);
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* Clamping at the middle of bin `limit`, in this many steps. */
static double
square_error(const uint64_t bins[N_BINS], uint32_t top, uint32_t limit,
             double n_levels)
{
    double most = middle(limit), quantum = most / n_levels, sum = 0.0;

    for (uint32_t b = 0; b <= top; b++) {
        double v = middle(b), error = quantum * quantum / 12.0;

        if (v < quantum / 2.0)
            error = v * v;
        else if (b > limit)
            error = (v - most) * (v - most);
        sum += (double)bins[b] * error;
    }
    return sum;
}

static double
best_limit(const uint64_t bins[N_BINS], double n_levels)
{
    uint32_t top = 0, best;
    double least;

    for (uint32_t b = 0; b < N_BINS; b++)
        if (bins[b] > 0 && isfinite(middle(b)))
            top = b;
    /* Nothing but zeros: any limit will do. */
    if (bins[top] == 0)
        return 1.0;
    best = top;
    least = square_error(bins, top, top, n_levels);
    /* Down to a 64th of the largest. */
    for (uint32_t b = top; b-- > 0 && b + 6 * 32 > top;) {
        double error = square_error(bins, top, b, n_levels);

        if (error < least) {
            least = error;
            best = b;
        }
    }
    return middle(best);
}

static bool
set_mean(const CxCalibrator *calibrator, unsigned step, CxLayer *layer,
         GError **error)
{
    uint64_t n = MAX(calibrator->n_pixels[step], 1);

    cx_free(layer->mean);
    layer->mean = cx_try_alloc(layer->n_out, sizeof *layer->mean, error);
    for (unsigned c = 0; layer->mean != NULL && c < layer->n_out; c++)
        layer->mean[c] = (float)(calibrator->sums[step][c] / (double)n);
    return layer->mean != NULL;
}

bool
cx_calibrator_apply(CxCalibrator *calibrator, CxNetwork *network,
                    GError **error)
{
    for (unsigned i = 0; i < calibrator->program->n_steps; i++) {
        const CxStep *step = &calibrator->program->steps[i];
        bool floor = step->kind == CX_STEP_CONV && step->relu;

        if (step->kind == CX_STEP_INPUT)
            network->input_amax = best_limit(calibrator->bins[i], 128.0);
        else if (step->kind == CX_STEP_CONV)
            network->layers[step->layer].amax =
                best_limit(calibrator->bins[i], floor ? 255.0 : 128.0);
        if (step->layer >= 0 &&
            !set_mean(calibrator, i, &network->layers[step->layer], error))
            return false;
    }
    return true;
}
