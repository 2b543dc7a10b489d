/* Convolutions by Winograd's F(4, 3) along x.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/winograd.h"

#include "core/base/alloc.h"

#include <string.h>

#define PARTS CX_WINOGRAD_PARTS
#define OUT CX_WINOGRAD_OUT

/* Fewer channels than this do not earn back the splitting. */
#define MIN_CHANNELS 8

/* Groups convolved before they are joined: their sums stay in the cache. */
#define CHUNK 56

typedef struct {
    int64_t unit, row;
    bool filled;
} Tag;

/* Split rows of one source of a step. */
typedef struct {
    size_t offset; /* of slot 0 in the memory */
    size_t slot;   /* floats from a slot to the next */
    Tag *tags;     /* [units][rows] that taps of one row meet */
} Kept;

struct CxWinograd {
    const CxProgram *program;
    Kept **kept;     /* [step][part]; NULL for other steps */
    CxConvTap *taps; /* of one part, at group 0 of the row */
    size_t part;     /* floats from a part of a split row to the next */
    size_t sums;     /* offset of the sums of a chunk in the memory */
    size_t zeros;    /* offset of a bias of 0 */
};

bool
cx_winograd_suits(const CxStep *step)
{
    unsigned n_channels = 0;

    for (unsigned p = 0; p < step->n_parts; p++)
        n_channels += step->parts[p].n_channels;
    return step->kind == CX_STEP_CONV && step->n_phases == 1 &&
           step->reach[CX_X] == 1 && n_channels >= MIN_CHANNELS;
}

/* Row t of G times three weights. */
static double
split_weight(unsigned t, const double w[3])
{
    static const double g[PARTS][3] = {
        {1.0 / 4, 0, 0},
        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
        {1.0 / 24, 1.0 / 12, 1.0 / 6},
        {1.0 / 24, -1.0 / 12, 1.0 / 6},
        {0, 0, 1},
    };

    return g[t][0] * w[0] + g[t][1] * w[1] + g[t][2] * w[2];
}

static void
split_taps(const CxStep *step, const CxPhase *plain, CxPhase *phase)
{
    phase->n_taps = plain->n_taps / 3;
    phase->taps = g_new0(CxPhaseTap, phase->n_taps);
    phase->k_total = plain->k_total / 3;
    size_t k = 0;
    for (unsigned i = 0; i < phase->n_taps; i++) {
        /* The middle one of three neighbours. */
        phase->taps[i] = plain->taps[3 * i + 1];
        phase->taps[i].k = (uint32_t)k;
        k += step->parts[phase->taps[i].part].n_channels;
    }
}

/* Weights of one tap, block of outputs and part. */
static void
split_tap(const float *from, float *to, size_t n, unsigned t)
{
    for (size_t i = 0; i < n; i++) {
        double w[] = {(double)from[i], (double)from[n + i],
                      (double)from[2 * n + i]};

        to[i] = (float)split_weight(t, w);
    }
}

static bool
pack_part(const CxStep *step, const CxPhase *plain, CxPhase *phase, unsigned t,
          GError **error)
{
    size_t n_blocks = cx_step_n_blocks(step);

    split_taps(step, plain, phase);
    size_t block = phase->k_total * CX_BLOCK;
    float *weights = cx_try_alloc(n_blocks * block, sizeof *weights, error);
    phase->weights = weights;
    for (size_t b = 0; b < n_blocks && weights != NULL; b++)
        for (unsigned i = 0; i < phase->n_taps; i++) {
            const CxPhaseTap *tap = &phase->taps[i];

            split_tap((const float *)plain->weights +
                          (b * plain->k_total + plain->taps[3 * i].k) *
                              CX_BLOCK,
                      weights + b * block + tap->k * CX_BLOCK,
                      step->parts[tap->part].n_channels * (size_t)CX_BLOCK, t);
        }
    return weights != NULL;
}

bool
cx_winograd_pack(CxStep *step, GError **error)
{
    step->winograd = g_new0(CxPhase, PARTS);
    for (unsigned t = 0; t < PARTS; t++)
        if (!pack_part(step, step->phases, &step->winograd[t], t, error))
            return false;
    return true;
}

/* Slots for the rows that the taps of one row meet. */
static size_t
n_slots(const CxStep *step)
{
    return (size_t)((2 * step->reach[CX_STREAM] + 1) *
                    (2 * step->reach[CX_ROW] + 1));
}

CxWinograd *
cx_winograd_new(const CxProgram *program)
{
    CxWinograd *winograd = g_new0(CxWinograd, 1);

    winograd->program = program;
    winograd->kept = g_new0(Kept *, program->n_steps);
    winograd->taps = g_new0(CxConvTap, program->max_taps);
    for (unsigned s = 0; s < program->n_steps; s++) {
        const CxStep *step = &program->steps[s];

        if (step->winograd == NULL)
            continue;
        winograd->kept[s] = g_new0(Kept, step->n_parts);
        for (unsigned p = 0; p < step->n_parts; p++)
            winograd->kept[s][p].tags = g_new0(Tag, n_slots(step));
    }
    return winograd;
}

void
cx_winograd_free(CxWinograd *winograd)
{
    if (winograd == NULL)
        return;
    for (unsigned s = 0; s < winograd->program->n_steps; s++) {
        for (unsigned p = 0; winograd->kept[s] != NULL &&
                             p < winograd->program->steps[s].n_parts;
             p++)
            g_free(winograd->kept[s][p].tags);
        g_free(winograd->kept[s]);
    }
    g_free(winograd->kept);
    g_free(winograd->taps);
    g_free(winograd);
}

static size_t
n_pixels(const CxPlan *plan, unsigned step)
{
    const CxPlanTensor *tensor = &plan->tensors[step];

    return tensor->hi[CX_X] > tensor->lo[CX_X]
               ? (size_t)(tensor->hi[CX_X] - tensor->lo[CX_X])
               : 0;
}

bool
cx_winograd_takes(const CxPlan *plan, unsigned step)
{
    return plan->program->steps[step].winograd != NULL &&
           n_pixels(plan, step) >= OUT;
}

/* Groups of a row; the last one may overlap the one before it. */
static size_t
n_groups(size_t n)
{
    return (n + OUT - 1) / OUT;
}

/* An odd number of pixels, so that parts do not meet in the same places of
 * the cache. */
static size_t
part_floats(const CxPlan *plan, unsigned step)
{
    return (n_groups(n_pixels(plan, step)) | 1) * CX_BLOCK;
}

static size_t
n_source_blocks(const CxProgram *program, const CxPart *part)
{
    return cx_step_n_blocks(&program->steps[part->step]);
}

size_t
cx_winograd_fit(CxWinograd *winograd, const CxPlan *plan)
{
    const CxProgram *program = winograd->program;
    size_t n = 0, most_blocks = 0;

    for (unsigned s = 0; s < program->n_steps; s++) {
        const CxStep *step = &program->steps[s];

        if (!cx_winograd_takes(plan, s))
            continue;
        most_blocks = MAX(most_blocks, cx_step_n_blocks(step));
        for (unsigned p = 0; p < step->n_parts; p++) {
            Kept *kept = &winograd->kept[s][p];

            kept->offset = n;
            kept->slot = PARTS * part_floats(plan, s) *
                         n_source_blocks(program, &step->parts[p]);
            memset(kept->tags, 0, n_slots(step) * sizeof *kept->tags);
            n += kept->slot * n_slots(step);
        }
    }
    winograd->part = (CHUNK | 1) * CX_BLOCK;
    winograd->sums = n;
    winograd->zeros = n + most_blocks * PARTS * winograd->part;
    return winograd->zeros + most_blocks * CX_BLOCK;
}

/* The split row of a source, made if it is not kept; NULL outside of what the
 * source has. */
static const float *
split_row(CxWinograd *winograd, const CxPlan *plan, const CxKernels *kernels,
          uint8_t *arena, float *memory, unsigned index, unsigned p,
          int64_t unit, int64_t row)
{
    const CxStep *step = &winograd->program->steps[index];
    const CxPlanTensor *source = &plan->tensors[step->parts[p].step];
    const CxPlanTensor *tensor = &plan->tensors[index];
    Kept *kept = &winograd->kept[index][p];
    int64_t n_units = 2 * step->reach[CX_STREAM] + 1;
    int64_t n_rows = 2 * step->reach[CX_ROW] + 1;

    if (!cx_plan_holds(source, unit, row))
        return NULL;
    int64_t slot = (unit - cx_floor_div(unit, n_units) * n_units) * n_rows +
                   row - cx_floor_div(row, n_rows) * n_rows;
    Tag *tag = &kept->tags[slot];
    float *dst = memory + kept->offset + (size_t)slot * kept->slot;
    if (tag->filled && tag->unit == unit && tag->row == row)
        return dst;
    *tag = (Tag){unit, row, true};

    size_t n = n_pixels(plan, index), part = part_floats(plan, index);
    const float *src =
        cx_plan_float(arena, source, unit, row, tensor->lo[CX_X]);
    float *to = dst;
    for (size_t b = 0; b < n_source_blocks(winograd->program, &step->parts[p]);
         b++, to += PARTS * part, src += source->plane / sizeof *src) {
        kernels->winograd_split_f32(to, part, src, n / OUT);
        if (n % OUT != 0)
            kernels->winograd_split_f32(to + n / OUT * CX_BLOCK, part,
                                        src + (n - OUT) * CX_BLOCK, 1);
    }
    return dst;
}

/* Joins groups [first, last) of a row of n pixels, one block. */
static void
join_groups(const CxKernels *kernels, float *dst, const float *sums,
            size_t part, const float *bias, bool relu, size_t n, size_t first,
            size_t last)
{
    size_t whole = MIN(last, n / OUT) - first;

    kernels->winograd_join_f32(dst + first * OUT * CX_BLOCK, sums, part, bias,
                               relu, whole);
    if (first + whole < last)
        kernels->winograd_join_f32(dst + (n - OUT) * CX_BLOCK,
                                   sums + whole * CX_BLOCK, part, bias, relu,
                                   1);
}

/* Taps over the split rows that this row meets; how many. */
static size_t
aim_taps(CxWinograd *winograd, const CxPlan *plan, const CxKernels *kernels,
         uint8_t *arena, float *memory, unsigned index, int64_t unit,
         int64_t row)
{
    const CxStep *step = &winograd->program->steps[index];
    const CxPhase *phase = &step->winograd[0];
    size_t n_taps = 0;

    for (unsigned t = 0; t < phase->n_taps; t++) {
        const CxPhaseTap *tap = &phase->taps[t];
        const float *src =
            split_row(winograd, plan, kernels, arena, memory, index, tap->part,
                      unit + tap->offset[CX_STREAM], row + tap->offset[CX_ROW]);

        if (src != NULL)
            winograd->taps[n_taps++] = (CxConvTap){
                .src = src,
                .plane = PARTS * part_floats(plan, index),
                .n_channels = step->parts[tap->part].n_channels,
                .k = tap->k,
                .step = 1,
            };
    }
    return n_taps;
}

/* Sums of n groups from `first` on, of every part. */
static void
convolve(CxWinograd *winograd, const CxKernels *kernels, const CxStep *step,
         size_t n_taps, size_t part, float *memory, size_t n)
{
    for (unsigned t = 0; t < PARTS; t++) {
        const CxPhase *phase = &step->winograd[t];

        kernels->conv_row_f32(&(CxConvRow){
            .taps = winograd->taps,
            .n_taps = n_taps,
            .weights = phase->weights,
            .k_total = phase->k_total,
            .bias = memory + winograd->zeros,
            .dst = memory + winograd->sums + t * winograd->part,
            .dst_plane = PARTS * winograd->part,
            .dst_step = 1,
            .n_pixels = n,
            .n_blocks = cx_step_n_blocks(step),
        });
        for (size_t i = 0; i < n_taps; i++)
            winograd->taps[i].src += part;
    }
    for (size_t i = 0; i < n_taps; i++)
        winograd->taps[i].src += n * CX_BLOCK - PARTS * part;
}

void
cx_winograd_row(CxWinograd *winograd, const CxPlan *plan,
                const CxKernels *kernels, uint8_t *arena, float *memory,
                unsigned index, int64_t unit, int64_t row)
{
    const CxStep *step = &winograd->program->steps[index];
    const CxPlanTensor *tensor = &plan->tensors[index];
    float *dst = cx_plan_float(arena, tensor, unit, row, tensor->lo[CX_X]);
    size_t n = n_pixels(plan, index), groups = n_groups(n);
    size_t n_taps =
        aim_taps(winograd, plan, kernels, arena, memory, index, unit, row);
    size_t n_chunks = (groups + CHUNK - 1) / CHUNK;

    memset(memory + winograd->zeros, 0,
           cx_step_n_blocks(step) * CX_BLOCK * sizeof *memory);
    for (size_t i = 0; i < n_chunks; i++) {
        size_t first = groups * i / n_chunks,
               last = groups * (i + 1) / n_chunks;

        convolve(winograd, kernels, step, n_taps, part_floats(plan, index),
                 memory, last - first);
        for (unsigned b = 0; b < cx_step_n_blocks(step); b++)
            join_groups(kernels, dst + b * (tensor->plane / sizeof *dst),
                        memory + winograd->sums + b * PARTS * winograd->part,
                        winograd->part, step->bias + b * CX_BLOCK, step->relu,
                        n, first, last);
    }
}
