/* Packs the weights of a convolution for conv_rows.h: neighbouring taps of
 * small pixels into common K blocks, then 8 bits or bfloat16.
 *
 * In 8 bits a sample q of a source stands for (q - zero) * quantum, an output
 * for the same of its own.  Each output has one scale for all its weights in
 * all phases, chosen so that runs keep the contract of conv_rows.h; zeros, the
 * bias and what rounding the weights adds to a channel of mean size go into the
 * integer bias:
 *
 *     sum = bias + sum of w q,  w = weight * quantum(source) / unit
 *     q(out) = round(sum * unit / quantum(out))
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/kernels/bf16.h"
#include "core/kernels/conv_f32.h"
#include "core/nn/program_pack.h"

#include <math.h>
#include <string.h>

#define TILE_WEIGHTS 1024 /* of 8 bits */

/* The phases along x that one call computes, one after the other in groups of
 * outputs. */
typedef struct {
    const CxProgram *program;
    const CxPacking *pack;
    CxPhase *phase; /* to be filled */
    CxPhase xs[2];  /* taps alone */
    double *sums[2];
    unsigned n_x, n_groups; /* groups of one phase along x */
    size_t sample;          /* bytes */
    unsigned max_k;
    /* [group][k][word][output][sample of the word] */
    double *weights;
    double *means; /* 8 bits: [k][sample] of sources, in steps above zero */
} Rows;

static const CxStep *
source_of(const Rows *rows, unsigned part)
{
    return &rows->program->steps[rows->pack->step->parts[part].step];
}

/* Pixels of a K block. */
static int64_t
reach_of(const Rows *rows, unsigned part)
{
    return CX_K_BYTES / source_of(rows, part)->pixel;
}

static bool
covers(const Rows *rows, const CxPhaseBlock *block, const CxPhaseTap *tap,
       unsigned plane)
{
    int64_t x = tap->offset[CX_X] - block->offset[CX_X];

    return block->part == tap->part && block->plane == plane &&
           block->offset[CX_STREAM] == tap->offset[CX_STREAM] &&
           block->offset[CX_ROW] == tap->offset[CX_ROW] && x >= 0 &&
           x < reach_of(rows, tap->part);
}

static int
find_block(const Rows *rows, unsigned first, const CxPhaseTap *tap,
           unsigned plane)
{
    for (unsigned k = first; k < rows->phase->n_k; k++)
        if (covers(rows, &rows->phase->blocks[k], tap, plane))
            return (int)k;
    return -1;
}

static int
add_block(Rows *rows, const CxPhaseTap *tap, unsigned plane)
{
    CxPhaseBlock *block = &rows->phase->blocks[rows->phase->n_k];

    g_assert(rows->phase->n_k < rows->max_k);
    *block = (CxPhaseBlock){.part = tap->part, .plane = plane};
    memcpy(block->offset, tap->offset, sizeof block->offset);
    return (int)rows->phase->n_k++;
}

/* Writes the weights of a tap in a plane of its source into a K block. */
static void
place_tap(Rows *rows, unsigned x, const CxPhaseTap *tap, unsigned plane,
          unsigned k)
{
    const CxStep *source = source_of(rows, tap->part);
    size_t first = (size_t)plane * source->block, per_word = 4 / rows->sample;
    size_t at =
        (size_t)(tap->offset[CX_X] - rows->phase->blocks[k].offset[CX_X]) *
        source->block;
    size_t n = MIN(source->block, source->n_channels - first);
    unsigned words = (unsigned)((at + n + per_word - 1) / per_word);

    for (unsigned g = 0; g < rows->n_groups; g++) {
        size_t tile = (size_t)(x * rows->n_groups + g) * rows->max_k + k;
        CxConvSpan *span = &rows->phase->spans[tile];
        const double *from =
            rows->sums[x] +
            (g * rows->xs[x].k_total + tap->k + first) * CX_BLOCK;

        for (size_t i = 0; g == 0 && source->mean != NULL && i < n; i++)
            rows->means[(size_t)k * CX_K_BYTES + at + i] =
                (double)source->mean[first + i] / source->quantum;
        if (span->last == 0 || span->first > at / per_word)
            span->first = (uint8_t)(at / per_word);
        span->last = (uint8_t)MAX(span->last, words);
        for (size_t i = 0; i < n * CX_GROUP; i++) {
            size_t c = at + i / CX_GROUP, o = i % CX_GROUP;

            rows->weights[tile * TILE_WEIGHTS +
                          (c / per_word * CX_GROUP + o) * per_word +
                          c % per_word] = from[i];
        }
    }
}

/* Taps [t, end) of a phase along x are neighbours in one row: can the blocks
 * there are take them all without more products than blocks of their own? */
static bool
fits_blocks(const Rows *rows, const CxPhaseTap *taps, unsigned n)
{
    int64_t reach = reach_of(rows, taps->part);
    unsigned n_blocks = 0;
    int last = -1;

    for (unsigned t = 0; t < n; t++) {
        int k = find_block(rows, 0, &taps[t], 0);

        if (k < 0)
            return false;
        n_blocks += k != last;
        last = k;
    }
    return n_blocks <= (n + reach - 1) / reach;
}

static void
place_row(Rows *rows, unsigned x, const CxPhaseTap *taps, unsigned n)
{
    const CxStep *source = source_of(rows, taps->part);
    unsigned n_planes = cx_step_n_blocks(source);
    bool fits = fits_blocks(rows, taps, n);

    for (unsigned plane = 0; plane < n_planes; plane++) {
        unsigned first = fits ? 0 : rows->phase->n_k;

        for (unsigned t = 0; t < n; t++) {
            int k = find_block(rows, first, &taps[t], plane);

            if (k < 0)
                k = add_block(rows, &taps[t], plane);
            place_tap(rows, x, &taps[t], plane, (unsigned)k);
        }
    }
}

/* Neighbours follow each other: find_taps() goes along x first. */
static void
place_taps(Rows *rows, unsigned x)
{
    const CxPhase *taps = &rows->xs[x];
    unsigned end;

    for (unsigned t = 0; t < taps->n_taps; t = end) {
        const CxPhaseTap *first = &taps->taps[t];

        for (end = t + 1; end < taps->n_taps; end++) {
            const CxPhaseTap *next = &taps->taps[end];

            if (next->part != first->part ||
                next->offset[CX_STREAM] != first->offset[CX_STREAM] ||
                next->offset[CX_ROW] != first->offset[CX_ROW])
                break;
        }
        place_row(rows, x, first, end - t);
    }
}

/* Closes the gaps left by blocks that were reserved and not needed. */
static bool
take_phase(Rows *rows, GError **error)
{
    unsigned n_groups = rows->n_x * rows->n_groups;
    size_t n_tiles = 0;

    for (unsigned x = 0; x < rows->n_x; x++)
        for (unsigned t = 0; t < rows->xs[x].n_taps; t++)
            rows->max_k +=
                cx_step_n_blocks(source_of(rows, rows->xs[x].taps[t].part));
    n_tiles = (size_t)n_groups * rows->max_k;
    rows->phase->blocks = g_new0(CxPhaseBlock, rows->max_k);
    rows->phase->spans = g_new0(CxConvSpan, n_tiles);
    rows->weights =
        cx_try_alloc0(n_tiles * TILE_WEIGHTS, sizeof *rows->weights, error);
    rows->means = g_new0(double, (size_t)rows->max_k *CX_K_BYTES);
    return rows->weights != NULL;
}

static void
close_gaps(Rows *rows)
{
    unsigned n_groups = rows->n_x * rows->n_groups, n_k = rows->phase->n_k;

    for (size_t g = 1; g < n_groups; g++) {
        memmove(rows->phase->spans + g * n_k,
                rows->phase->spans + g * rows->max_k,
                n_k * sizeof *rows->phase->spans);
        memmove(rows->weights + g * n_k * TILE_WEIGHTS,
                rows->weights + g * rows->max_k * TILE_WEIGHTS,
                n_k * TILE_WEIGHTS * sizeof *rows->weights);
    }
}

static bool
take_outputs(Rows *rows, GError **error)
{
    size_t n_groups = (size_t)rows->n_x * rows->n_groups;
    CxPhase *phase = rows->phase;

    phase->weights = cx_try_alloc0(n_groups * phase->n_k, CX_TILE_BYTES, error);
    if (phase->weights != NULL)
        phase->bias = cx_try_alloc0(n_groups * CX_GROUP, 4, error);
    if (phase->bias != NULL)
        phase->scale = cx_try_alloc0(n_groups * CX_GROUP, sizeof(float), error);
    return phase->scale != NULL;
}

/* What is added to a real output before it is counted in steps. */
static double
shift_of(const CxStep *step)
{
    return step->logits ? (double)CX_LOGIT_ZERO / CX_LOGIT_ONE
                        : step->zero * step->quantum;
}

static double
real_bias(const Rows *rows, size_t group, size_t o)
{
    size_t channel = group % rows->n_groups * CX_GROUP + o;

    return channel < rows->pack->step->n_channels
               ? cx_pack_bias(rows->pack, channel)
               : 0.0;
}

static double *
tile_of(const Rows *rows, size_t group, size_t k)
{
    return rows->weights + (group * rows->phase->n_k + k) * TILE_WEIGHTS;
}

/* Largest weight of an output, and largest sum over a run of what AVX2 adds in
 * one lane of 16 bits, in steps. */
static double
largest_run(const Rows *rows, size_t group, size_t o)
{
    double most = 0.0;

    for (size_t k = 0; k < rows->phase->n_k; k++) {
        const double *tile = tile_of(rows, group, k);

        for (size_t w = 0; w < CX_K_WORDS; w += CX_RUN_WORDS) {
            double sums[2][2] = {{0.0}};

            for (size_t i = 0; i < 4 * CX_RUN_WORDS; i++) {
                double v = tile[((w + i / 4) * CX_GROUP + o) * 4 + i % 4];
                double *sum = &sums[i % 4 / 2][v > 0.0];

                *sum += fabs(v);
                most = MAX(most, fabs(v) / 127.0);
                most = MAX(most, *sum / CX_RUN_SUM);
            }
        }
    }
    return most;
}

/* Sums over the rounded weights of an output. */
typedef struct {
    double zeros, sizes, drift;
} Rounded;

/* Rounds the weights of an output to this unit; false if a run is too large
 * then.  Gives the sums of weights times zeros of the sources and of sizes, and
 * what samples of mean size gain by the rounding. */
static bool
round_weights(const Rows *rows, size_t group, size_t o, double unit,
              Rounded *rounded)
{
    *rounded = (Rounded){0};
    for (size_t k = 0; k < rows->phase->n_k; k++) {
        const double *tile = tile_of(rows, group, k);
        int8_t *to = (int8_t *)rows->phase->weights +
                     (group * rows->phase->n_k + k) * CX_TILE_BYTES;
        uint8_t zero = source_of(rows, rows->phase->blocks[k].part)->zero;
        const double *means = rows->means + k * CX_K_BYTES;
        int sums[2][2] = {{0}};

        for (size_t i = 0; i < CX_K_BYTES; i++) {
            size_t at = (i / 4 * CX_GROUP + o) * 4 + i % 4;
            int w = (int)lrint(tile[at] / unit);

            int *sum = &sums[i % 4 / 2][w > 0];

            if (i % (4 * CX_RUN_WORDS) == 0)
                memset(sums, 0, sizeof sums);
            *sum += ABS(w);
            if (*sum > CX_RUN_SUM || w > 127)
                return false;
            to[at] = (int8_t)w;
            rounded->zeros += (double)zero * w;
            rounded->sizes += 255.0 * ABS(w);
            rounded->drift += ((double)w - tile[at] / unit) * means[i];
        }
    }
    return true;
}

/* Bias and scale of an output in one phase whose weights are rounded. */
static bool
store_output(const Rows *rows, size_t group, size_t o, double unit,
             const Rounded *rounded, GError **error)
{
    const CxStep *step = rows->pack->step;
    double real = real_bias(rows, group, o);
    double quantum = step->logits ? 1.0 / CX_LOGIT_ONE : step->quantum;
    double bias =
        rint((real + shift_of(step)) / unit - rounded->drift) - rounded->zeros;
    double scale = unit / quantum, most = rounded->sizes + fabs(bias);

    if (most >= 0x1p31 || most * scale >= 0x1p31 || !isfinite(most * scale)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "network %s, layer %03d: sums for int8 reach %g of 255, "
                    "expected less than 2^31: weights or amax are out of "
                    "proportion",
                    cx_network_name(rows->pack->network), step->layer,
                    most * scale);
        return false;
    }
    ((int32_t *)rows->phase->bias)[group * CX_GROUP + o] = (int32_t)bias;
    rows->phase->scale[group * CX_GROUP + o] = (float)scale;
    return true;
}

/* Rounds an output in all phases (and once more, to store them) to one unit. */
static bool
round_all(const Rows *all, unsigned n_phases, size_t channel, double unit,
          bool store, GError **error)
{
    for (unsigned i = 0; i < n_phases; i++)
        for (unsigned x = 0; x < all[i].n_x; x++) {
            size_t group = x * all[i].n_groups + channel / CX_GROUP;
            size_t o = channel % CX_GROUP;
            Rounded rounded;

            if (!round_weights(&all[i], group, o, unit, &rounded) ||
                (store &&
                 !store_output(&all[i], group, o, unit, &rounded, error)))
                return false;
        }
    return true;
}

/* One unit for all phases of an output: the same weight is the same integer
 * in each of them. */
static bool
store_channel(const Rows *all, unsigned n_phases, size_t channel,
              GError **error)
{
    double shift = shift_of(all->pack->step), unit = 0.0;

    for (unsigned i = 0; i < n_phases; i++)
        for (unsigned x = 0; x < all[i].n_x; x++) {
            size_t group = x * all[i].n_groups + channel / CX_GROUP;
            size_t o = channel % CX_GROUP;

            unit = MAX(unit, largest_run(&all[i], group, o));
            /* Dead outputs: the bias alone must fit. */
            unit = MAX(unit, (fabs(real_bias(&all[i], group, o)) + shift) /
                                 (1 << 28));
        }
    unit = unit > 0.0 ? unit : 1.0;
    while (!round_all(all, n_phases, channel, unit, false, NULL))
        unit *= 1.0 + 1.0 / 256;
    return round_all(all, n_phases, channel, unit, true, error);
}

/* Weights count in steps of their source. */
static void
scale_weights(Rows *rows)
{
    size_t n_groups = (size_t)rows->n_x * rows->n_groups;

    for (size_t i = 0; i < n_groups * rows->phase->n_k; i++) {
        unsigned part = rows->phase->blocks[i % rows->phase->n_k].part;
        double quantum = source_of(rows, part)->quantum;

        for (size_t w = 0; w < TILE_WEIGHTS; w++)
            rows->weights[i * TILE_WEIGHTS + w] *= quantum;
    }
}

static bool
store_int8(Rows *all, unsigned n_phases, GError **error)
{
    for (unsigned i = 0; i < n_phases; i++)
        scale_weights(&all[i]);
    for (size_t c = 0; c < (size_t)all->n_groups * CX_GROUP; c++)
        if (!store_channel(all, n_phases, c, error))
            return false;
    return true;
}

static void
store_bf16(const Rows *rows)
{
    size_t n_groups = (size_t)rows->n_x * rows->n_groups;
    const CxStep *step = rows->pack->step;

    for (size_t t = 0; t < n_groups * rows->phase->n_k; t++)
        for (size_t i = 0; i < CX_TILE_BYTES / 2; i++)
            ((uint16_t *)rows->phase->weights)[t * CX_TILE_BYTES / 2 + i] =
                cx_bf16_from_float((float)rows->weights[t * TILE_WEIGHTS + i]);
    for (size_t i = 0; i < n_groups * CX_GROUP; i++) {
        size_t channel = i % ((size_t)rows->n_groups * CX_GROUP);

        if (channel < step->n_channels)
            ((float *)rows->phase->bias)[i] =
                (float)(cx_pack_bias(rows->pack, channel) +
                        (step->logits ? shift_of(step) : 0.0));
        rows->phase->scale[i] = CX_LOGIT_ONE;
    }
}

static bool
pack_phase(Rows *rows, const int64_t at[CX_N_AXES], GError **error)
{
    for (unsigned x = 0; x < rows->n_x; x++) {
        int64_t here[CX_N_AXES] = {at[CX_STREAM], at[CX_ROW], at[CX_X] + x};

        rows->sums[x] = cx_pack_phase(rows->pack, &rows->xs[x], here, error);
        if (rows->sums[x] == NULL)
            return false;
    }
    if (!take_phase(rows, error))
        return false;
    for (unsigned x = 0; x < rows->n_x; x++)
        place_taps(rows, x);
    close_gaps(rows);
    return take_outputs(rows, error);
}

static void
clear_rows(Rows *rows)
{
    for (unsigned x = 0; x < rows->n_x; x++) {
        g_free(rows->xs[x].taps);
        cx_free(rows->sums[x]);
    }
    cx_free(rows->weights);
    g_free(rows->means);
}

bool
cx_pack_rows(const CxProgram *program, const CxPacking *pack, GError **error)
{
    CxStep *step = pack->step;
    int64_t n_x = step->merged ? 1 : step->period[CX_X];
    g_autofree Rows *all = g_new0(Rows, step->n_phases);
    bool ok = true;

    for (unsigned i = 0; i < step->n_phases; i++) {
        int64_t at[CX_N_AXES] = {i / (step->period[CX_ROW] * n_x),
                                 i / n_x % step->period[CX_ROW], i % n_x};

        all[i] = (Rows){
            .program = program,
            .pack = pack,
            .phase = &step->phases[i],
            .n_x = step->merged ? (unsigned)step->period[CX_X] : 1,
            .n_groups = (step->n_channels + CX_GROUP - 1) / CX_GROUP,
            .sample = program->type == CX_LAYER_INT8 ? 1 : 2,
        };
        ok = ok && pack_phase(&all[i], at, error);
    }
    if (ok && program->type == CX_LAYER_INT8)
        ok = store_int8(all, step->n_phases, error);
    for (unsigned i = 0; i < step->n_phases; i++) {
        if (ok && program->type == CX_LAYER_BF16)
            store_bf16(&all[i]);
        clear_rows(&all[i]);
    }
    return ok;
}
