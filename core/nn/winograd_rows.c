/* 3x3 convolutions of 8 bits with a quarter of their products.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/winograd_rows.h"

#include "core/base/alloc.h"

#include <string.h>

#define TAPS 9

/* More weights than this cost more to read than they save. */
#define MAX_WEIGHT_BYTES ((size_t)5 << 20)

typedef struct {
    const CxProgram *program;
    const CxStep *step;
    CxStepWinograd *winograd;
    int8_t *weights; /* [output][channel][TAPS] */
} Packing;

/* Channels in 16s of sources on the step's own grid. */
static unsigned
count_groups(const CxStep *step)
{
    unsigned n = 0;

    for (unsigned p = 0; p < step->n_parts; p++)
        if (step->parts[p].factor[CX_STREAM] == 1 &&
            step->parts[p].factor[CX_X] == 1)
            n += (step->parts[p].n_channels + CX_GROUP - 1) / CX_GROUP;
    return n;
}

static bool
suits(const CxStep *step, const CxKernels *kernels)
{
    size_t n_in = count_groups(step);
    size_t n_out = (step->n_channels + CX_GROUP - 1) / CX_GROUP;
    size_t products = n_in * n_out * CX_GROUP * CX_GROUP;

    return step->kind == CX_STEP_CONV && step->reach[CX_STREAM] == 1 &&
           step->reach[CX_X] == 1 && step->reach[CX_ROW] == 0 &&
           step->period[CX_ROW] == 1 && n_in > 0 &&
           step->parts[0].n_channels >= CX_GROUP &&
           products >= kernels->u8.winograd_least &&
           products * CX_WINOGRAD_U8_POINTS * 2 <= MAX_WEIGHT_BYTES;
}

static void
list_groups(Packing *packing)
{
    const CxStep *step = packing->step;
    unsigned n = 0;

    for (unsigned p = 0; p < step->n_parts; p++) {
        const CxStep *source = &packing->program->steps[step->parts[p].step];

        if (step->parts[p].factor[CX_STREAM] != 1 ||
            step->parts[p].factor[CX_X] != 1)
            continue;
        for (unsigned c = 0; c < step->parts[p].n_channels; c += CX_GROUP)
            packing->winograd->groups[n++] =
                (CxPhaseGroup){p, c / source->block, c % source->block};
    }
}

/* Group of channels at this place of a source, or -1: a coarser source. */
static int
find_group(const Packing *packing, unsigned part, unsigned plane, size_t at)
{
    for (unsigned i = 0; i < packing->winograd->n_in; i++) {
        const CxPhaseGroup *group = &packing->winograd->groups[i];

        if (group->part == part && group->plane == plane &&
            group->at == at / CX_GROUP * CX_GROUP)
            return (int)i;
    }
    return -1;
}

/* Takes the weights of a K block of one group of outputs apart into taps; false
 * if they are not those of a 3x3 window. */
static bool
take_block(Packing *packing, const CxPhase *phase, unsigned k, size_t group,
           size_t n_groups, int64_t phase_stream, int64_t phase_x)
{
    const CxPhaseBlock *block = &phase->blocks[k];
    const CxStep *source =
        &packing->program->steps[packing->step->parts[block->part].step];
    const int8_t *tile = (const int8_t *)phase->weights +
                         (group * phase->n_k + k) * CX_TILE_BYTES;
    size_t n_in = (size_t)packing->winograd->n_in * CX_GROUP;

    for (size_t i = 0; i < CX_TILE_BYTES; i++) {
        size_t o = i / 4 % CX_GROUP + group % n_groups * CX_GROUP;
        size_t byte = i / 4 / CX_GROUP * 4 + i % 4;
        int64_t x =
            block->offset[CX_X] - phase_x + (int64_t)(byte / source->pixel);
        int64_t y = block->offset[CX_STREAM] - phase_stream;
        int in = find_group(packing, block->part, block->plane,
                            byte % source->pixel);

        if (tile[i] == 0)
            continue;
        if (in < 0 || x < -1 || x > 1 || y < -1 || y > 1)
            return false;
        packing->weights[(o * n_in + (size_t)in * CX_GROUP + byte % CX_GROUP) *
                             TAPS +
                         (size_t)((y + 1) * 3 + x + 1)] = tile[i];
    }
    return true;
}

static bool
is_own_grid(const Packing *packing, unsigned part)
{
    return packing->step->parts[part].factor[CX_STREAM] == 1 &&
           packing->step->parts[part].factor[CX_X] == 1;
}

/* The taps of one phase along x, as integers. */
static bool
take_phase(Packing *packing, unsigned index, unsigned x)
{
    const CxStep *step = packing->step;
    const CxPhase *phase = &step->phases[index];
    unsigned n_x = step->merged ? 1 : (unsigned)step->period[CX_X];
    size_t n_groups = packing->winograd->n_out;

    for (unsigned k = 0; k < phase->n_k; k++)
        for (size_t g = 0; g < n_groups; g++)
            if (is_own_grid(packing, phase->blocks[k].part) &&
                !take_block(packing, phase, k, x * n_groups + g, n_groups,
                            index / n_x, step->merged ? x : index % n_x))
                return false;
    return true;
}

/* Sums that the last division of winograd_u8.h can hold. */
static bool
sums_fit(const Packing *packing)
{
    size_t n_in = (size_t)packing->winograd->n_in * CX_GROUP;

    for (size_t o = 0; o < (size_t)packing->winograd->n_out * CX_GROUP; o++) {
        int64_t sum = 0;

        for (size_t i = 0; i < n_in * TAPS; i++)
            sum += 255 * ABS((int64_t)packing->weights[o * n_in * TAPS + i]);
        if (sum >= CX_WINOGRAD_U8_MOST)
            return false;
    }
    return true;
}

/* Fills weights from all phases, which must agree. */
static bool
take_weights(Packing *packing)
{
    const CxStep *step = packing->step;
    unsigned n_x = step->merged ? (unsigned)step->period[CX_X] : 1;
    size_t n = (size_t)packing->winograd->n_in * CX_GROUP *
               packing->winograd->n_out * CX_GROUP * TAPS;
    g_autofree int8_t *first = NULL;

    for (unsigned i = 0; i < step->n_phases; i++)
        for (unsigned x = 0; x < n_x; x++) {
            memset(packing->weights, 0, n);
            if (!take_phase(packing, i, x))
                return false;
            if (first == NULL)
                first = g_memdup2(packing->weights, n);
            else if (memcmp(first, packing->weights, n) != 0)
                return false;
        }
    return sums_fit(packing);
}

static void
transform_weights(Packing *packing)
{
    size_t n_in = (size_t)packing->winograd->n_in * CX_GROUP;
    size_t n_out = packing->winograd->n_out;

    for (size_t i = 0; i < n_out * CX_GROUP * n_in; i++) {
        int16_t points[CX_WINOGRAD_U8_POINTS];
        size_t o = i / n_in, in = i % n_in;

        cx_winograd_u8_weights(packing->weights + i * TAPS, points);
        for (size_t p = 0; p < CX_WINOGRAD_U8_POINTS; p++)
            packing->winograd
                ->weights[(((p * n_out + o / CX_GROUP) * n_in / 2 + in / 2) *
                               CX_GROUP +
                           o % CX_GROUP) *
                              2 +
                          in % 2] = points[p];
    }
}

/* What is left of a phase: the blocks of coarser sources. */
static bool
take_rest(const Packing *packing, const CxPhase *phase, CxPhase *rest,
          size_t n_groups, GError **error)
{
    *rest = (CxPhase){.bias = phase->bias, .scale = phase->scale};
    rest->blocks = g_new0(CxPhaseBlock, phase->n_k);
    rest->spans = g_new0(CxConvSpan, n_groups * phase->n_k);
    rest->weights = cx_try_alloc0(n_groups * phase->n_k, CX_TILE_BYTES, error);
    if (rest->weights == NULL)
        return false;
    for (unsigned k = 0; k < phase->n_k; k++)
        if (!is_own_grid(packing, phase->blocks[k].part))
            rest->blocks[rest->n_k++] = phase->blocks[k];
    for (size_t g = 0; g < n_groups; g++)
        for (unsigned k = 0, n = 0; k < phase->n_k; k++) {
            size_t from = g * phase->n_k + k, to = g * rest->n_k + n;

            if (is_own_grid(packing, phase->blocks[k].part))
                continue;
            rest->spans[to] = phase->spans[from];
            memcpy((uint8_t *)rest->weights + to * CX_TILE_BYTES,
                   (const uint8_t *)phase->weights + from * CX_TILE_BYTES,
                   CX_TILE_BYTES);
            n++;
        }
    return true;
}

static bool
prepare_step(CxProgram *program, CxStep *step, GError **error)
{
    CxStepWinograd *winograd = g_new0(CxStepWinograd, 1);
    Packing packing = {program, step, winograd, NULL};
    size_t n_all;
    bool ok = true;

    winograd->n_in = count_groups(step);
    winograd->n_out = (step->n_channels + CX_GROUP - 1) / CX_GROUP;
    winograd->groups = g_new0(CxPhaseGroup, winograd->n_in);
    winograd->rest = g_new0(CxPhase, step->n_phases);
    step->winograd_rows = winograd;
    list_groups(&packing);
    n_all = (size_t)winograd->n_in * winograd->n_out * CX_GROUP * CX_GROUP;
    g_autofree int8_t *weights = g_malloc0(n_all * TAPS);
    packing.weights = weights;
    if (!take_weights(&packing)) {
        cx_winograd_rows_free(step);
        return true;
    }
    winograd->weights = cx_try_alloc(n_all * CX_WINOGRAD_U8_POINTS,
                                     sizeof *winograd->weights, error);
    if (winograd->weights == NULL)
        return false;
    transform_weights(&packing);
    for (unsigned i = 0; i < step->n_phases && ok; i++)
        ok = take_rest(&packing, &step->phases[i], &winograd->rest[i],
                       winograd->n_out *
                           (step->merged ? (size_t)step->period[CX_X] : 1),
                       error);
    step->units = MAX(step->units, CX_WINOGRAD_U8_ROWS);
    program->max_groups = MAX(program->max_groups, winograd->n_in);
    return ok;
}

bool
cx_winograd_rows_prepare(CxProgram *program, const CxKernels *kernels,
                         GError **error)
{
    bool ok = true;

    if (program->type != CX_LAYER_INT8 || kernels->u8.winograd == NULL)
        return true;
    for (unsigned i = 0; i < program->n_steps && ok; i++)
        if (suits(&program->steps[i], kernels))
            ok = prepare_step(program, &program->steps[i], error);
    return ok;
}

void
cx_winograd_rows_free(CxStep *step)
{
    CxStepWinograd *winograd = step->winograd_rows;

    if (winograd == NULL)
        return;
    for (unsigned i = 0; i < step->n_phases; i++) {
        g_free(winograd->rest[i].blocks);
        g_free(winograd->rest[i].spans);
        cx_free(winograd->rest[i].weights);
    }
    cx_free(winograd->weights);
    g_free(winograd->rest);
    g_free(winograd->groups);
    g_free(winograd);
    step->winograd_rows = NULL;
}

size_t
cx_winograd_rows_range(const CxStep *step, const CxPlanTensor *tensor,
                       int64_t *first)
{
    int64_t period = step->period[CX_X];

    *first = cx_floor_div(tensor->lo[CX_X], period) * period;
    return (size_t)((tensor->hi[CX_X] - *first + period - 1) / period * period);
}

size_t
cx_winograd_rows_bytes(const CxPlan *plan, size_t *sums_bytes)
{
    size_t scratch = 0;

    *sums_bytes = 0;
    for (unsigned i = 0; i < plan->program->n_steps; i++) {
        const CxStep *step = &plan->program->steps[i];
        const CxPlanTensor *tensor = &plan->tensors[i];
        int64_t first;

        if (step->winograd_rows == NULL ||
            tensor->lo[CX_STREAM] >= tensor->hi[CX_STREAM])
            continue;
        size_t n = (cx_winograd_rows_range(step, tensor, &first) + 3) / 4 * 4;
        *sums_bytes =
            MAX(*sums_bytes, n * CX_WINOGRAD_U8_ROWS * CX_GROUP *
                                 sizeof(int32_t) * step->winograd_rows->n_out);
        scratch =
            MAX(scratch, cx_winograd_u8_scratch(step->winograd_rows->n_in));
    }
    return *sums_bytes + scratch;
}
