/* Runs a program over one tile: the loop, and float.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/infer_private.h"
#include "core/nn/winograd_rows.h"

#include <string.h>

CxInfer *
cx_infer_new(const CxProgram *program, const CxKernels *kernels)
{
    CxInfer *infer = g_new0(CxInfer, 1);
    size_t n = program->max_taps;

    infer->program = program;
    infer->kernels = *kernels;
    infer->rows_kernels =
        program->type == CX_LAYER_BF16 ? kernels->bf16 : kernels->u8;
    infer->plan = cx_plan_new(program);
    infer->winograd = cx_winograd_new(program);
    infer->taps = g_new0(CxConvTap, n);
    infer->k_rows = g_new0(const uint8_t *, n *CX_INFER_MAX_ROWS);
    infer->k_steps = g_new0(uint32_t, n);
    infer->rows = g_new0(const uint8_t *, program->max_pool_rows);
    infer->group_rows =
        g_new0(const uint8_t *, CX_WINOGRAD_U8_TAKES * program->max_groups);
    infer->group_steps = g_new0(uint32_t, program->max_groups);
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
    g_free(infer->k_rows);
    g_free(infer->k_steps);
    g_free(infer->rows);
    g_free(infer->group_rows);
    g_free(infer->group_steps);
    cx_free(infer->arena);
    g_free(infer);
}

static size_t
floats(size_t n_bytes)
{
    return n_bytes / sizeof(float);
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
                   ? cx_plan_float(infer->arena, source, at[CX_STREAM],
                                   at[CX_ROW], at[CX_X])
                   : NULL,
        .plane = floats(source->plane),
        .n_channels = part->n_channels,
        .k = tap->k,
        .step = (uint32_t)(step->period[CX_X] / part->factor[CX_X]),
    };
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
        cx_infer_first_of_phase(tensor->lo[CX_X], phase_x, step->period[CX_X]);
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
    infer->kernels.conv_row_f32(&(CxConvRow){
        .taps = infer->taps,
        .n_taps = n_taps,
        .weights = weights->weights,
        .k_total = weights->k_total,
        .bias = step->bias,
        .dst = cx_plan_float(infer->arena, tensor, at[CX_STREAM], at[CX_ROW],
                             first),
        .dst_plane = floats(tensor->plane),
        .dst_step = (size_t)step->period[CX_X],
        .n_pixels =
            (size_t)((tensor->hi[CX_X] - first + step->period[CX_X] - 1) /
                     step->period[CX_X]),
        .n_blocks = cx_step_n_blocks(step),
        .relu = step->relu,
    });
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

size_t
cx_infer_pool_rows(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[step->parts[0].step];
    int64_t x = tensor->lo[CX_X] * step->factor[CX_X];
    size_t n = 0;

    for (int64_t s = 0; s < step->factor[CX_STREAM]; s++)
        for (int64_t r = 0; r < step->factor[CX_ROW]; r++) {
            int64_t su = unit * step->factor[CX_STREAM] + s;
            int64_t sr = row * step->factor[CX_ROW] + r;

            if (cx_plan_holds(source, su, sr))
                infer->rows[n++] = infer->arena + cx_plan_at(source, su, sr, x);
        }
    return n;
}

static void
pool_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[step->parts[0].step];
    size_t n = cx_infer_pool_rows(infer, index, unit, row);
    float *dst =
        cx_plan_float(infer->arena, tensor, unit, row, tensor->lo[CX_X]);

    for (unsigned b = 0; b < cx_step_n_blocks(step); b++) {
        infer->kernels.pool_row_f32(
            dst + b * floats(tensor->plane),
            (const float *const *)(const void *)infer->rows, n,
            (size_t)step->factor[CX_X], cx_infer_n_pixels(tensor));
        for (size_t r = 0; r < n; r++)
            infer->rows[r] += source->plane;
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
        cx_plan_float(
            infer->arena, source, cx_floor_div(unit, part->factor[CX_STREAM]),
            cx_floor_div(row, part->factor[CX_ROW]), source->lo[CX_X]) +
        from / CX_BLOCK * floats(source->plane) + from % CX_BLOCK;
    float *dst =
        cx_plan_float(infer->arena, tensor, unit, row, tensor->lo[CX_X]) +
        to / CX_BLOCK * floats(tensor->plane) + to % CX_BLOCK;

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
    size_t n = cx_infer_n_pixels(tensor) * CX_BLOCK;

    for (unsigned b = 0; b < cx_step_n_blocks(step); b++) {
        float *dst =
            cx_plan_float(infer->arena, tensor, unit, row, tensor->lo[CX_X]) +
            b * floats(tensor->plane);

        memset(dst, 0, n * sizeof *dst);
        for (unsigned p = 0; p < step->n_parts; p++) {
            const CxPlanTensor *source =
                &infer->plan->tensors[step->parts[p].step];
            const float *src = cx_plan_float(infer->arena, source, unit, row,
                                             tensor->lo[CX_X]) +
                               b * floats(source->plane);

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
            cx_plan_float(infer->arena, tensor, unit, row, x) +
                b * floats(tensor->plane),
            cx_plan_float(infer->arena, source, unit, row, x) +
                b * floats(source->plane),
            cx_infer_n_pixels(tensor) * CX_BLOCK);
}

static void
input_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    int64_t x = tensor->lo[CX_X];

    infer->ports->fill(infer->ports->data, unit, row, x,
                       cx_infer_n_pixels(tensor),
                       cx_plan_float(infer->arena, tensor, unit, row, x),
                       floats(tensor->plane));
}

/* Shows a row that is done to who wants to see it. */
static void
show_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxInferPorts *ports = infer->ports;
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    int64_t x = tensor->lo[CX_X];
    const float *src = cx_plan_float(infer->arena, tensor, unit, row, x);
    size_t n = cx_infer_n_pixels(tensor), plane = floats(tensor->plane);

    if (ports->watch != NULL)
        ports->watch(ports->data, index, n, src, plane);
    if (index + 1 == infer->program->n_steps)
        ports->take(ports->data, unit, row, x, n, src, plane);
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
        sigmoid_row(infer, index, unit, row);
        break;
    }
}

static bool
make_units(CxInfer *infer, unsigned index, int64_t lo, int64_t hi)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];

    if (infer->program->type != CX_LAYER_F32)
        return cx_infer_make_rows(infer, index, lo, hi);
    for (int64_t unit = lo; unit < hi; unit++)
        for (int64_t row = tensor->lo[CX_ROW]; row < tensor->hi[CX_ROW];
             row++) {
            if (cx_job_is_cancelled(infer->job))
                return false;
            make_row(infer, index, unit, row);
            show_row(infer, index, unit, row);
        }
    return true;
}

static bool
visit_units(void *data, unsigned index, int64_t lo, int64_t hi)
{
    CxInfer *infer = data;
    const CxInferPorts *ports = infer->ports;

    if (ports->mark == NULL)
        return make_units(infer, index, lo, hi);
    ports->mark(ports->data, index, false);
    bool ok = make_units(infer, index, lo, hi);
    ports->mark(ports->data, index, true);
    return ok;
}

/* The pixels beside the rows of a zero-padded tile. */
static void
clear_ends(CxInfer *infer)
{
    for (unsigned i = 0; i < infer->program->n_steps; i++) {
        const CxPlanTensor *tensor = &infer->plan->tensors[i];
        size_t n = tensor->unit * (size_t)tensor->capacity;
        uint8_t zero = infer->program->steps[i].zero;

        for (size_t at = 0; n > 0 && at < n; at += tensor->plane) {
            uint8_t *row = infer->arena + tensor->offset + at;

            memset(row - CX_PLAN_MARGIN, zero, CX_PLAN_MARGIN);
            memset(row + cx_infer_n_pixels(tensor) * tensor->pixel, zero,
                   tensor->pixel);
        }
    }
}

/* Bytes of a blank row: as long as any, and what is read beside it; they follow
 * each other, whole lines. */
static size_t
blank_bytes(const CxInfer *infer)
{
    size_t most = 0;

    for (unsigned i = 0; i < infer->program->n_steps; i++)
        most = MAX(most, infer->plan->tensors[i].plane);
    return (most + 8 * CX_PLAN_MARGIN + 63) / 64 * 64;
}

/* The tensors, what Winograd needs, blank rows, sums. */
static size_t
arena_bytes(CxInfer *infer)
{
    size_t sums;

    infer->split_bytes =
        cx_winograd_fit(infer->winograd, infer->plan) * sizeof(float);
    return infer->plan->size_bytes + infer->split_bytes +
           2 * blank_bytes(infer) + cx_winograd_rows_bytes(infer->plan, &sums) +
           64 + CX_ROWS_SLACK;
}

/* Cleared, since 16-bit samples that meet no weight must be finite. */
static bool
reserve(CxInfer *infer, size_t n_bytes, GError **error)
{
    if (n_bytes <= infer->n_bytes)
        return true;
    cx_free(infer->arena);
    infer->n_bytes = 0;
    infer->arena = cx_try_alloc0(n_bytes, 1, error);
    if (infer->arena == NULL)
        return false;
    infer->n_bytes = n_bytes;
    return true;
}

/* Aligned to 64, as the arena is. */
static void
place_sums(CxInfer *infer)
{
    size_t at = infer->plan->size_bytes + infer->split_bytes +
                2 * blank_bytes(infer),
           n;

    cx_winograd_rows_bytes(infer->plan, &n);
    infer->sums = (int32_t *)(void *)(infer->arena + (at + 63) / 64 * 64);
    infer->scratch = (uint8_t *)infer->sums + n;
}

static void
clear_blanks(CxInfer *infer)
{
    size_t n = blank_bytes(infer);

    for (unsigned i = 0; i < 2; i++) {
        infer->blanks[i] =
            infer->arena + infer->plan->size_bytes + infer->split_bytes + i * n;
        memset(infer->blanks[i], i == 0 ? 0 : 128, n);
    }
}

bool
cx_infer_run(CxInfer *infer, const int64_t lo[CX_N_AXES],
             const int64_t hi[CX_N_AXES], const int64_t *bounds,
             const CxInferPorts *ports, CxJob *job, GError **error)
{
    bool narrow = infer->program->type != CX_LAYER_F32, ok;

    cx_plan_fit(infer->plan, lo, hi, bounds);
    if (!reserve(infer, arena_bytes(infer), error))
        return false;
    infer->split = (float *)(void *)(infer->arena + infer->plan->size_bytes);
    infer->bounded = bounds != NULL;
    if (infer->bounded)
        clear_ends(infer);
    clear_blanks(infer);
    place_sums(infer);
    infer->ports = ports;
    infer->job = job;
    if (narrow)
        infer->rows_kernels.tiles_begin();
    ok = cx_plan_run(infer->plan, visit_units, infer);
    if (narrow)
        infer->rows_kernels.tiles_end();
    if (!ok)
        g_set_error_literal(error, CX_ERROR, CX_ERROR_CANCELLED, "cancelled");
    return ok;
}

size_t
cx_infer_size_bytes(CxInfer *infer, const int64_t lo[CX_N_AXES],
                    const int64_t hi[CX_N_AXES])
{
    cx_plan_fit(infer->plan, lo, hi, NULL);
    return arena_bytes(infer);
}
