/* Runs a program over one tile in 8 bits or bf16: conv_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/infer_private.h"
#include "core/nn/winograd_rows.h"

#include <string.h>

/* One phase of a step, and its rows that are waiting to be computed. */
typedef struct {
    CxInfer *infer;
    unsigned index;
    const CxPhase *phase;
    int64_t first, base_x; /* pixel along x, and the period it lies in */
    size_t n_pixels;
    size_t n_rows;
    uint8_t *dst[CX_INFER_MAX_ROWS];
    /* Where winograd_rows has summed: of unit sums_unit from pixel sums_x on. */
    int64_t sums_unit, sums_x;
    size_t sums_row, sums_pixel; /* int32_t; 0 = there are none */
    const int32_t *sums[CX_INFER_MAX_ROWS];
} Batch;

static const CxStep *
step_of(const Batch *batch)
{
    return &batch->infer->program->steps[batch->index];
}

static void
run_batch(Batch *batch)
{
    CxInfer *infer = batch->infer;
    const CxStep *step = step_of(batch);
    size_t size =
        infer->program->type == CX_LAYER_INT8 && !step->logits ? 1 : 2;
    size_t n_groups = (step->n_channels + CX_GROUP - 1) / CX_GROUP;

    if (batch->n_rows == 0)
        return;
    infer->rows_kernels.conv_rows(&(CxConvRows){
        .n_rows = batch->n_rows,
        .n_k = batch->phase->n_k,
        .n_groups = step->merged ? (size_t)step->period[CX_X] : n_groups,
        .n_pixels = batch->n_pixels,
        .src = infer->k_rows,
        .dst = batch->dst,
        .steps = infer->k_steps,
        .spans = batch->phase->spans,
        .weights = batch->phase->weights,
        .bias = batch->phase->bias,
        .scale = batch->phase->scale,
        .dst_pixel = (size_t)step->period[CX_X] * step->pixel,
        .dst_plane = infer->plan->tensors[batch->index].plane,
        .dst_groups = step->merged ? (size_t)step->period[CX_X]
                                   : step->pixel / (CX_GROUP * size),
        .sums = batch->sums_row > 0 ? batch->sums : NULL,
        .sums_pixel = (size_t)step->period[CX_X] * batch->sums_pixel,
        .logits = step->logits,
        .relu = step->relu,
    });
    batch->n_rows = 0;
}

/* Where a K block of pixel 0 of a row lies; in a tile that is padded, rows
 * outside are blank. */
static const uint8_t *
aim_block(const Batch *batch, const CxPhaseBlock *block,
          const int64_t base[CX_N_AXES])
{
    const CxInfer *infer = batch->infer;
    const CxStep *step = step_of(batch);
    const CxPart *part = &step->parts[block->part];
    const CxPlanTensor *source = &infer->plan->tensors[part->step];
    int64_t at[CX_N_AXES];

    for (unsigned a = 0; a < CX_N_AXES; a++)
        at[a] =
            base[a] * (step->period[a] / part->factor[a]) + block->offset[a];
    if (cx_plan_holds(source, at[CX_STREAM], at[CX_ROW]))
        return infer->arena +
               cx_plan_at(source, at[CX_STREAM], at[CX_ROW], at[CX_X]) +
               block->plane * source->plane;
    return infer->blanks[infer->program->steps[part->step].zero == 128] +
           2 * CX_PLAN_MARGIN +
           (at[CX_X] - source->lo[CX_X]) * (int64_t)source->pixel;
}

static void
add_row(Batch *batch, int64_t unit, int64_t row)
{
    CxInfer *infer = batch->infer;
    const CxStep *step = step_of(batch);
    const CxPlanTensor *tensor = &infer->plan->tensors[batch->index];
    size_t n_k = batch->phase->n_k;
    int64_t base[CX_N_AXES] = {cx_floor_div(unit, step->period[CX_STREAM]),
                               cx_floor_div(row, step->period[CX_ROW]),
                               batch->base_x};

    for (size_t k = 0; k < n_k; k++)
        infer->k_rows[batch->n_rows * n_k + k] =
            aim_block(batch, &batch->phase->blocks[k], base);
    if (batch->sums_row > 0)
        batch->sums[batch->n_rows] =
            infer->sums + (size_t)(unit - batch->sums_unit) * batch->sums_row +
            (size_t)(batch->first - batch->sums_x) * batch->sums_pixel;
    batch->dst[batch->n_rows++] =
        infer->arena + cx_plan_at(tensor, unit, row, batch->first);
    if (batch->n_rows == CX_INFER_MAX_ROWS)
        run_batch(batch);
}

/* Sets up a phase along x; false if it has no pixels. */
static bool
open_batch(Batch *batch, unsigned phase_x)
{
    CxInfer *infer = batch->infer;
    const CxStep *step = step_of(batch);
    const CxPlanTensor *tensor = &infer->plan->tensors[batch->index];
    int64_t period = step->period[CX_X], lo = tensor->lo[CX_X];

    /* Where phases are merged the first pixel may lie before the range. */
    batch->first = step->merged ? cx_floor_div(lo, period) * period
                                : cx_infer_first_of_phase(lo, phase_x, period);
    batch->base_x = cx_floor_div(batch->first, period);
    if (batch->first >= tensor->hi[CX_X])
        return false;
    batch->n_pixels =
        (size_t)((tensor->hi[CX_X] - batch->first + period - 1) / period);
    for (size_t k = 0; k < batch->phase->n_k; k++) {
        const CxPart *part = &step->parts[batch->phase->blocks[k].part];

        infer->k_steps[k] =
            (uint32_t)(period / part->factor[CX_X] *
                       (int64_t)infer->plan->tensors[part->step].pixel);
    }
    return true;
}

/* One phase along each axis of units [lo, hi); sums: a batch that has them, or
 * NULL. */
static bool
conv_phase(CxInfer *infer, unsigned index, unsigned phase, int64_t lo,
           int64_t hi, const Batch *sums)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    unsigned n_x = step->merged ? 1 : (unsigned)step->period[CX_X];
    int64_t period_row = step->period[CX_ROW];
    int64_t period_stream = step->period[CX_STREAM];
    int64_t phase_row = phase / n_x % period_row;
    int64_t phase_stream = phase / n_x / period_row;
    Batch batch =
        sums != NULL ? *sums : (Batch){.infer = infer, .index = index};

    batch.phase =
        sums != NULL ? &step->winograd_rows->rest[phase] : &step->phases[phase];
    if (!open_batch(&batch, phase % n_x))
        return true;
    for (int64_t unit =
             cx_infer_first_of_phase(lo, phase_stream, period_stream);
         unit < hi; unit += period_stream)
        for (int64_t row = cx_infer_first_of_phase(tensor->lo[CX_ROW],
                                                   phase_row, period_row);
             row < tensor->hi[CX_ROW]; row += period_row) {
            if (cx_job_is_cancelled(infer->job))
                return false;
            add_row(&batch, unit, row);
        }
    run_batch(&batch);
    return true;
}

/* Merged phases may have written the pixel behind the row. */
static void
clear_end(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];

    memset(infer->arena + cx_plan_at(tensor, unit, row, tensor->hi[CX_X]),
           infer->program->steps[index].zero, tensor->pixel);
}

/* Sums of winograd_rows for CX_WINOGRAD_U8_ROWS units from this one on; rows
 * that are not there only count for units behind the last. */
static void
sum_rows(Batch *batch)
{
    CxInfer *infer = batch->infer;
    const CxStep *step = step_of(batch);
    const CxStepWinograd *winograd = step->winograd_rows;
    int64_t base[CX_N_AXES] = {0, 0, 0};
    size_t n = cx_winograd_rows_range(step, &infer->plan->tensors[batch->index],
                                      &batch->sums_x);

    batch->sums_pixel = (size_t)winograd->n_out * CX_GROUP;
    batch->sums_row = (n + 3) / 4 * 4 * batch->sums_pixel;
    for (size_t g = 0; g < winograd->n_in; g++) {
        const CxPhaseGroup *group = &winograd->groups[g];

        infer->group_steps[g] =
            (uint32_t)infer->plan->tensors[step->parts[group->part].step].pixel;
        for (size_t y = 0; y < CX_WINOGRAD_U8_TAKES; y++) {
            CxPhaseBlock block = {.part = group->part,
                                  .plane = group->plane,
                                  .offset = {batch->sums_unit - 1 + (int64_t)y,
                                             0, batch->sums_x}};

            infer->group_rows[y * winograd->n_in + g] =
                aim_block(batch, &block, base) + group->at;
        }
    }
    infer->rows_kernels.winograd(&(CxWinogradU8){
        .n_pixels = n,
        .n_in = winograd->n_in,
        .n_out = winograd->n_out,
        .src = infer->group_rows,
        .steps = infer->group_steps,
        .weights = winograd->weights,
        .dst = infer->sums,
        .dst_row = batch->sums_row,
        .scratch = infer->scratch,
    });
}

static bool
make_winograd(CxInfer *infer, unsigned index, int64_t lo, int64_t hi)
{
    const CxStep *step = &infer->program->steps[index];

    for (int64_t unit = lo; unit < hi; unit += CX_WINOGRAD_U8_ROWS) {
        Batch batch = {.infer = infer, .index = index, .sums_unit = unit};

        sum_rows(&batch);
        for (unsigned phase = 0; phase < step->n_phases; phase++)
            if (!conv_phase(infer, index, phase, unit,
                            MIN(unit + CX_WINOGRAD_U8_ROWS, hi), &batch))
                return false;
    }
    return true;
}

static bool
make_phases(CxInfer *infer, unsigned index, int64_t lo, int64_t hi)
{
    const CxStep *step = &infer->program->steps[index];

    if (step->winograd_rows != NULL)
        return make_winograd(infer, index, lo, hi);
    for (unsigned phase = 0; phase < step->n_phases; phase++)
        if (!conv_phase(infer, index, phase, lo, hi, NULL))
            return false;
    return true;
}

static bool
make_conv(CxInfer *infer, unsigned index, int64_t lo, int64_t hi)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];

    if (!make_phases(infer, index, lo, hi))
        return false;
    if (infer->bounded && step->merged)
        for (int64_t unit = lo; unit < hi; unit++)
            for (int64_t row = tensor->lo[CX_ROW]; row < tensor->hi[CX_ROW];
                 row++)
                clear_end(infer, index, unit, row);
    return true;
}

static void
pool_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    const CxPlanTensor *source = &infer->plan->tensors[step->parts[0].step];
    size_t n = cx_infer_pool_rows(infer, index, unit, row);
    uint8_t *dst =
        infer->arena + cx_plan_at(tensor, unit, row, tensor->lo[CX_X]);

    for (unsigned b = 0; b < cx_step_n_blocks(step); b++) {
        infer->rows_kernels.pool_rows(dst + b * tensor->plane, infer->rows, n,
                                      (size_t)step->factor[CX_X],
                                      cx_infer_n_pixels(tensor), step->pixel);
        for (size_t r = 0; r < n; r++)
            infer->rows[r] += source->plane;
    }
}

static void
fill_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    int64_t x = tensor->lo[CX_X];

    infer->ports->fill_samples(
        infer->ports->data, unit, row, x, cx_infer_n_pixels(tensor),
        &infer->program->steps[index],
        infer->arena + cx_plan_at(tensor, unit, row, x), tensor->plane);
}

static void
take_row(CxInfer *infer, unsigned index, int64_t unit, int64_t row)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];
    int64_t x = tensor->lo[CX_X];
    const uint8_t *src = infer->arena + cx_plan_at(tensor, unit, row, x);

    infer->ports->take_logits(
        infer->ports->data, unit, row, x, cx_infer_n_pixels(tensor),
        (const uint16_t *)(const void *)src, tensor->pixel / sizeof(uint16_t));
}

typedef void RowFunc(CxInfer *infer, unsigned index, int64_t unit, int64_t row);

static bool
each_row(CxInfer *infer, unsigned index, int64_t lo, int64_t hi, RowFunc *func)
{
    const CxPlanTensor *tensor = &infer->plan->tensors[index];

    for (int64_t unit = lo; unit < hi; unit++)
        for (int64_t row = tensor->lo[CX_ROW]; row < tensor->hi[CX_ROW];
             row++) {
            if (cx_job_is_cancelled(infer->job))
                return false;
            func(infer, index, unit, row);
        }
    return true;
}

bool
cx_infer_make_rows(CxInfer *infer, unsigned index, int64_t lo, int64_t hi)
{
    CxStepKind kind = infer->program->steps[index].kind;

    if (kind == CX_STEP_INPUT)
        return each_row(infer, index, lo, hi, fill_row);
    if (kind == CX_STEP_POOL)
        return each_row(infer, index, lo, hi, pool_row);
    return make_conv(infer, index, lo, hi) &&
           (index + 1 < infer->program->n_steps ||
            each_row(infer, index, lo, hi, take_row));
}
