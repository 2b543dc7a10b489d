/* Finds how far the samples of each layer reach.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/calibrate.h"

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
};

CxCalibrator *
cx_calibrator_new(const CxProgram *program)
{
    CxCalibrator *calibrator = g_new0(CxCalibrator, 1);

    calibrator->program = program;
    calibrator->bins = g_malloc0_n(program->n_steps, sizeof *calibrator->bins);
    g_mutex_init(&calibrator->lock);
    return calibrator;
}

void
cx_calibrator_free(CxCalibrator *calibrator)
{
    if (calibrator == NULL)
        return;
    g_mutex_clear(&calibrator->lock);
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
    for (unsigned c = 0; c < n_channels; c++)
        for (size_t i = 0; i < n; i++) {
            float sample =
                fabsf(row[c / CX_BLOCK * plane + i * CX_BLOCK + c % CX_BLOCK]);
            uint32_t bits;

            memcpy(&bits, &sample, sizeof bits);
            bins[bits >> BIN_SHIFT] += bits != 0;
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

void
cx_calibrator_apply(CxCalibrator *calibrator, CxNetwork *network)
{
    for (unsigned i = 0; i < calibrator->program->n_steps; i++) {
        const CxStep *step = &calibrator->program->steps[i];
        bool floor = step->kind == CX_STEP_CONV && step->relu;

        if (step->kind == CX_STEP_INPUT)
            network->input_amax = best_limit(calibrator->bins[i], 128.0);
        else if (step->layer >= 0)
            network->layers[step->layer].amax =
                best_limit(calibrator->bins[i], floor ? 255.0 : 128.0);
    }
}
