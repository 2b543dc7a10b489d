/* Runs a program over one tile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/infer.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/winograd.h"

#include <string.h>

struct CxInfer {
    const CxProgram *program;
    CxKernels kernels;
    CxPlan *plan;
    CxWinograd *winograd;
    float *split; /* memory of winograd */
    bool bf16;
    CxConvTapBf16 *taps_bf16; /* the same for bf16 */
    float *scratch;           /* one row in float, for the ports of bf16 */
    CxConvTap *taps;          /* program->max_taps */
    const float **rows;       /* program->max_pool_rows */
    float *arena;
    size_t n_floats;
    const CxInferPorts *ports; /* of the run */
    CxJob *job;
};

CxInfer *
cx_infer_new(const CxProgram *program, const CxKernels *kernels)
{
    CxInfer *infer = g_new0(CxInfer, 1);

    infer->program = program;
    infer->kernels = *kernels;
    infer->plan = cx_plan_new(program);
    infer->winograd = cx_winograd_new(program);
    infer->bf16 = program->type == CX_LAYER_BF16;
    infer->taps = g_new0(CxConvTap, program->max_taps);
    infer->taps_bf16 = g_new0(CxConvTapBf16, program->max_taps);
    infer->rows = g_new0(const float *, program->max_pool_rows);
    return infer;
}

void
cx_infer_free(CxInfer *infer)
{
    if (infer == NULL)
        return;
    cx_plan_free(infer->plan);
    cx_winograd_free(infer->winograd);
    g_free(infer->taps);
    g_free(infer->taps_bf16);
    g_free(infer->rows);
    cx_free(infer->arena);
    g_free(infer);
}

static size_t
n_pixels(const CxPlanTensor *tensor)
{
    return (size_t)(tensor->hi[CX_X] - tensor->lo[CX_X]);
}

/* The pixel of a phase that lies at `at` or just after it. */
static int64_t
first_of_phase(int64_t at, int64_t phase, int64_t period)
{
    return cx_floor_div(at - phase + period - 1, period) * period + phase;
}

static CxConvTap
aim_tap(const CxInfer *infer, const CxStep *step, const CxPhaseTap *tap,
        const int64_t base[CX_N_AXES])
{
    const CxPart *part = &step->parts[tap->part];
    const CxPlanTensor *source = &infer->plan->tensors[part->step];
    int64_t at[CX_N_AXES];

    /* base counts periods; a part has period / factor pixels in each. */
    for (unsigned a = 0; a < CX_N_AXES; a++)
        at[a] = base[a] * (step->period[a] / part->factor[a]) + tap->offset[a];
    return (CxConvTap){
        .src = cx_plan_holds(source, at[CX_STREAM], at[CX_ROW])
                   ? infer->arena +
                         cx_plan_at(source, at[CX_STREAM], at[CX_ROW], at[CX_X])
                   : NULL,
        .plane = source->plane,
        .n_channels = part->n_channels,
        .k = tap->k,
        .step = (uint32_t)(step->period[CX_X] / part->factor[CX_X]),
    };
}

/* bf16: 64 bytes a pixel and block as in float, twice as many samples. */
static void
call_conv_bf16(CxInfer *infer, const CxStep *step, const CxPhase *weights,
               size_t n_taps, float *dst, size_t dst_plane, size_t n)
{
    for (size_t t = 0; t < n_taps; t++) {
        const CxConvTap *tap = &infer->taps[t];

        infer->taps_bf16[t] = (CxConvTapBf16){
            .src = (const uint16_t *)(const void *)tap->src,
            .plane = 2 * tap->plane,
            .n_blocks = (tap->n_channels + CX_BLOCK_BF16 - 1) / CX_BLOCK_BF16,
            .tile = tap->k,
            .step = tap->step,
        };
    }
    infer->kernels.conv_row_bf16(&(CxConvRowBf16){
        .taps = infer->taps_bf16,
        .n_taps = n_taps,
        .weights = weights->weights,
        .n_tiles = weights->k_total,
        .bias = step->bias,
        .dst = (uint16_t *)(void *)dst,
        .dst_plane = 2 * dst_plane,
        .dst_step = (size_t)step->period[CX_X],
        .n_pixels = n,
        .n_groups = (step->n_channels + CX_GROUP_BF16 - 1) / CX_GROUP_BF16,
        .relu = step->relu,
    });
}

/* Runs the taps of infer->taps on a row of n pixels. */
static void
call_conv(CxInfer *infer, const CxStep *step, const CxPhase *weights,
          size_t n_taps, float *dst, size_t dst_plane, size_t n)
{
    if (infer->bf16)
        call_conv_bf16(infer, step, weights, n_taps, dst, dst_plane, n);
    else
        infer->kernels.conv_row_f32(&(CxConvRow){
            .taps = infer->taps,
            .n_taps = n_taps,
            .weights = weights->weights,
            .k_total = weights->k_total,
            .bias = step->bias,
            .dst = dst,
            .dst_plane = dst_plane,
            .dst_step = (size_t)step->period[CX_X],
            .n_pixels = n,
            .n_blocks = cx_step_n_blocks(step),
            .relu = step->relu,
        });
}

/* The pixels of a row that belong to one phase along x. */
static void
conv_phase(CxInfer *infer, unsigned index, const int64_t at[CX_N_AXES],
           int64_t phase_x)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    int64_t base[CX_N_AXES], phase[CX_N_AXES];
    int64_t first =
        first_of_phase(tensor->lo[CX_X], phase_x, step->period[CX_X]);
    int64_t here[CX_N_AXES] = {at[CX_STREAM], at[CX_ROW], first};

    if (first >= tensor->hi[CX_X])
        return;
    for (unsigned a = 0; a < CX_N_AXES; a++) {
        base[a] = cx_floor_div(here[a], step->period[a]);
        phase[a] = here[a] - base[a] * step->period[a];
    }
    const CxPhase *weights =
        &step->phases[(phase[CX_STREAM] * step->period[CX_ROW] +
                       phase[CX_ROW]) *
                          step->period[CX_X] +
                      phase[CX_X]];
    size_t n_taps = 0;
    for (unsigned t = 0; t < weights->n_taps; t++) {
        infer->taps[n_taps] = aim_tap(infer, step, &weights->taps[t], base);
        n_taps += infer->taps[n_taps].src != NULL;
    }
    call_conv(infer, step, weights, n_taps,
              infer->arena +
                  cx_plan_at(tensor, at[CX_STREAM], at[CX_ROW], first),
              tensor->plane,
              (size_t)((tensor->hi[CX_X] - first + step->period[CX_X] - 1) /
                       step->period[CX_X]));
}

static void
conv_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    int64_t at[CX_N_AXES] = {unit, row, 0};

    if (cx_winograd_takes(infer->plan, index)) {
        cx_winograd_row(infer->winograd, infer->plan, &infer->kernels,
                        infer->arena, infer->split, index, unit, row);
        return;
    }
    for (int64_t phase = 0; phase < step->period[CX_X]; phase++)
        conv_phase(infer, index, at, phase);
}

static void
pool_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[step->parts[0].step];
    float *dst = infer->arena + cx_plan_at(tensor, unit, row, tensor->lo[CX_X]);
    int64_t x = tensor->lo[CX_X] * step->factor[CX_X];

    for (unsigned b = 0; b < cx_step_n_blocks(step); b++) {
        size_t n = 0;

        for (int64_t s = 0; s < step->factor[CX_STREAM]; s++)
            for (int64_t r = 0; r < step->factor[CX_ROW]; r++) {
                int64_t su = unit * step->factor[CX_STREAM] + s;
                int64_t sr = row * step->factor[CX_ROW] + r;

                if (cx_plan_holds(source, su, sr))
                    infer->rows[n++] = infer->arena +
                                       cx_plan_at(source, su, sr, x) +
                                       b * source->plane;
            }
        if (infer->bf16)
            infer->kernels.pool_row_bf16(
                (uint16_t *)(void *)(dst + b * tensor->plane),
                (const uint16_t *const *)(const void *)infer->rows, n,
                (size_t)step->factor[CX_X], n_pixels(tensor));
        else
            infer->kernels.pool_row_f32(dst + b * tensor->plane, infer->rows, n,
                                        (size_t)step->factor[CX_X],
                                        n_pixels(tensor));
    }
}

/* Copies one channel of one part, each pixel factor times. */
static void
copy_channel(CxInfer *infer, unsigned index, const CxPart *part, size_t from,
             size_t to, int64_t unit, int64_t row)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[part->step];
    const float *src =
        infer->arena + from / CX_BLOCK * source->plane + from % CX_BLOCK +
        cx_plan_at(source, cx_floor_div(unit, part->factor[CX_STREAM]),
                   cx_floor_div(row, part->factor[CX_ROW]), source->lo[CX_X]);
    float *dst = infer->arena + to / CX_BLOCK * tensor->plane + to % CX_BLOCK +
                 cx_plan_at(tensor, unit, row, tensor->lo[CX_X]);

    for (int64_t x = tensor->lo[CX_X]; x < tensor->hi[CX_X]; x++)
        dst[(x - tensor->lo[CX_X]) * CX_BLOCK] =
            src[(cx_floor_div(x, part->factor[CX_X]) - source->lo[CX_X]) *
                CX_BLOCK];
}

static void
copy_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    size_t to = 0;

    for (unsigned p = 0; p < step->n_parts; p++)
        for (size_t c = 0; c < step->parts[p].n_channels; c++)
            copy_channel(infer, index, &step->parts[p], c, to++, unit, row);
}

static void
add_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    size_t n = n_pixels(tensor) * CX_BLOCK;

    for (unsigned b = 0; b < cx_step_n_blocks(step); b++) {
        float *dst = infer->arena + b * tensor->plane +
                     cx_plan_at(tensor, unit, row, tensor->lo[CX_X]);

        memset(dst, 0, n * sizeof *dst);
        for (unsigned p = 0; p < step->n_parts; p++) {
            const CxPlanTensor *source =
                &infer->plan->tensors[step->parts[p].step];
            const float *src = infer->arena + b * source->plane +
                               cx_plan_at(source, unit, row, tensor->lo[CX_X]);

            for (size_t i = 0; i < n; i++)
                dst[i] += src[i];
        }
        for (size_t i = 0; i < n && step->relu; i++)
            dst[i] = MAX(dst[i], 0.0f);
    }
}

static void
sigmoid_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[step->parts[0].step];
    int64_t x = tensor->lo[CX_X];

    for (unsigned b = 0; b < cx_step_n_blocks(step); b++)
        infer->kernels.sigmoid_f32(
            infer->arena + cx_plan_at(tensor, unit, row, x) + b * tensor->plane,
            infer->arena + cx_plan_at(source, unit, row, x) + b * source->plane,
            n_pixels(tensor) * CX_BLOCK);
}

/* Input rows come in float: blocks of 16, zero where no channel is. */
static void
input_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    size_t n = n_pixels(tensor), plane = n * CX_BLOCK;
    size_t n_halves = (step->n_channels + CX_BLOCK - 1) / CX_BLOCK;
    float *dst = infer->arena + cx_plan_at(tensor, unit, row, tensor->lo[CX_X]);

    if (!infer->bf16) {
        infer->ports->fill(infer->ports->data, unit, row, tensor->lo[CX_X], n,
                           dst, tensor->plane);
        return;
    }
    memset(infer->scratch, 0, n_halves * plane * sizeof *infer->scratch);
    infer->ports->fill(infer->ports->data, unit, row, tensor->lo[CX_X], n,
                       infer->scratch, plane);
    for (size_t b = 0; b < cx_step_n_blocks(step); b++)
        infer->kernels.narrow_bf16(
            (uint16_t *)(void *)(dst + b * tensor->plane),
            infer->scratch + 2 * b * plane,
            2 * b + 1 < n_halves ? infer->scratch + (2 * b + 1) * plane : NULL,
            n);
}

/* The last row of bf16, which stays in float. */
static void
widen_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[step->parts[0].step];
    size_t n = n_pixels(tensor), plane = n * CX_BLOCK;
    const float *from =
        infer->arena + cx_plan_at(source, unit, row, tensor->lo[CX_X]);

    for (size_t h = 0; h < (step->n_channels + CX_BLOCK - 1) / CX_BLOCK; h++) {
        const uint16_t *src =
            (const uint16_t *)(const void *)(from + h / 2 * source->plane) +
            h % 2 * CX_BLOCK;
        float *dst = infer->scratch + h * plane;

        for (size_t x = 0; x < n; x++)
            for (size_t c = 0; c < CX_BLOCK; c++)
                dst[x * CX_BLOCK + c] =
                    cx_float_from_bf16(src[x * CX_BLOCK_BF16 + c]);
        infer->kernels.sigmoid_f32(dst, dst, plane);
    }
}

static void
take_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    size_t n = n_pixels(tensor);

    infer->ports->take(
        infer->ports->data, unit, row, tensor->lo[CX_X], n,
        infer->bf16
            ? infer->scratch
            : infer->arena + cx_plan_at(tensor, unit, row, tensor->lo[CX_X]),
        infer->bf16 ? n * CX_BLOCK : tensor->plane);
}

static void
make_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    switch (infer->program->steps[index].kind) {
    case CX_STEP_INPUT:
        input_row(infer, index, unit, row);
        break;
    case CX_STEP_CONV:
        conv_row(infer, index, unit, row);
        break;
    case CX_STEP_POOL:
        pool_row(infer, index, unit, row);
        break;
    case CX_STEP_COPY:
        copy_row(infer, index, unit, row);
        break;
    case CX_STEP_ADD:
        add_row(infer, index, unit, row);
        break;
    case CX_STEP_SIGMOID:
        if (infer->bf16)
            widen_row(infer, index, unit, row);
        else
            sigmoid_row(infer, index, unit, row);
        break;
    }
}

static bool
make_unit(void *data, unsigned index, int64_t unit)
{
    CxInfer *infer = data;
    const CxPlanTensor *tensor = &infer->plan->tensors[index];

    for (int64_t row = tensor->lo[CX_ROW]; row < tensor->hi[CX_ROW]; row++) {
        if (cx_job_is_cancelled(infer->job))
            return false;
        make_row(infer, index, unit, row);
        if (index + 1 == infer->program->n_steps)
            take_row(infer, index, unit, row);
    }
    return true;
}

/* The pixels beside the rows of a zero-padded tile. */
static void
clear_ends(CxInfer *infer)
{
    for (unsigned i = 0; i < infer->program->n_steps; i++) {
        const CxPlanTensor *tensor = &infer->plan->tensors[i];
        size_t n = tensor->unit * (size_t)tensor->capacity;

        for (size_t at = 0; n > 0 && at < n; at += tensor->plane) {
            float *row = infer->arena + tensor->offset - CX_BLOCK + at;

            memset(row, 0, CX_BLOCK * sizeof *row);
            memset(row + tensor->plane - CX_BLOCK, 0, CX_BLOCK * sizeof *row);
        }
    }
}

static bool
reserve(CxInfer *infer, size_t n_floats, GError **error)
{
    if (n_floats <= infer->n_floats)
        return true;
    cx_free(infer->arena);
    infer->n_floats = 0;
    infer->arena = cx_try_alloc(n_floats, sizeof *infer->arena, error);
    if (infer->arena == NULL)
        return false;
    infer->n_floats = n_floats;
    return true;
}

/* Floats of a row of the input or the output. */
static size_t
scratch_floats(const CxInfer *infer)
{
    unsigned ends[] = {0, infer->program->n_steps - 1};
    size_t most = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(ends) && infer->bf16; i++) {
        size_t blocks =
            (infer->program->steps[ends[i]].n_channels + CX_BLOCK - 1) /
            CX_BLOCK;

        most = MAX(most, n_pixels(&infer->plan->tensors[ends[i]]) * blocks *
                             CX_BLOCK);
    }
    return most;
}

bool
cx_infer_run(CxInfer *infer, const int64_t lo[CX_N_AXES],
             const int64_t hi[CX_N_AXES], const int64_t *bounds,
             const CxInferPorts *ports, CxJob *job, GError **error)
{
    cx_plan_fit(infer->plan, lo, hi, bounds);
    size_t scratch = scratch_floats(infer);
    if (!reserve(infer,
                 infer->plan->n_floats + scratch +
                     cx_winograd_fit(infer->winograd, infer->plan),
                 error))
        return false;
    infer->scratch = infer->arena + infer->plan->n_floats;
    infer->split = infer->scratch + scratch;
    if (bounds != NULL)
        clear_ends(infer);
    infer->ports = ports;
    infer->job = job;
    if (cx_plan_run(infer->plan, make_unit, infer))
        return true;
    g_set_error_literal(error, CX_ERROR, CX_ERROR_CANCELLED, "cancelled");
    return false;
}

size_t
cx_infer_size_bytes(CxInfer *infer, const int64_t lo[CX_N_AXES],
                    const int64_t hi[CX_N_AXES])
{
    cx_plan_fit(infer->plan, lo, hi, NULL);
    return (infer->plan->n_floats + scratch_floats(infer) +
            cx_winograd_fit(infer->winograd, infer->plan)) *
           sizeof *infer->arena;
}
