/* Packs the weights of a convolution.
 *
 * In phase `at` of the output, the tap at fine offset d of a part meets fine
 * pixel at + d: coarse pixel floor((at + d) / factor) of the source.  All fine
 * taps that meet one coarse pixel add their weights.  If the part stands for a
 * transposed convolution U, the weight is the product of the two:
 *
 *     sum over channels m of  W[o][m][d] * U[c][m][(at + d) mod factor]
 *
 * and U's bias, through all taps, joins the bias.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/program_pack.h"

#include "core/base/alloc.h"
#include "core/kernels/conv_f32.h"

#include <string.h>

unsigned
cx_program_file_axis(const CxNetwork *network, unsigned axis)
{
    if (axis == CX_X)
        return 2;
    return network->dims == 2 ? 1 - axis : axis;
}

/* Index of the tap of a phase at this place, made if new. */
static unsigned
tap_at(CxPhase *phase, unsigned part, const int64_t offset[CX_N_AXES])
{
    for (unsigned t = 0; t < phase->n_taps; t++)
        if (phase->taps[t].part == part &&
            memcmp(phase->taps[t].offset, offset,
                   sizeof phase->taps[t].offset) == 0)
            return t;
    CxPhaseTap *tap = &phase->taps[phase->n_taps];
    tap->part = part;
    memcpy(tap->offset, offset, sizeof tap->offset);
    return phase->n_taps++;
}

static size_t
n_offsets(const CxStep *step)
{
    size_t n = 1;

    for (unsigned a = 0; a < CX_N_AXES; a++)
        n *= (size_t)(2 * step->reach[a] + 1);
    return n;
}

/* The i-th fine offset, x fastest. */
static void
nth_offset(const CxStep *step, size_t i, int64_t d[CX_N_AXES])
{
    for (unsigned a = CX_N_AXES; a-- > 0;) {
        size_t n = (size_t)(2 * step->reach[a] + 1);

        d[a] = (int64_t)(i % n) - step->reach[a];
        i /= n;
    }
}

static void
coarse_offset(const CxPart *part, const int64_t at[CX_N_AXES],
              const int64_t d[CX_N_AXES], int64_t offset[CX_N_AXES])
{
    for (unsigned a = 0; a < CX_N_AXES; a++)
        offset[a] = cx_floor_div(at[a] + d[a], part->factor[a]);
}

static void
find_taps(const CxStep *step, CxPhase *phase, const int64_t at[CX_N_AXES])
{
    size_t k = 0;

    phase->taps = g_new0(CxPhaseTap, step->n_parts * n_offsets(step));
    for (unsigned p = 0; p < step->n_parts; p++)
        for (size_t i = 0; i < n_offsets(step); i++) {
            int64_t d[CX_N_AXES], offset[CX_N_AXES];

            nth_offset(step, i, d);
            coarse_offset(&step->parts[p], at, d, offset);
            tap_at(phase, p, offset);
        }
    for (unsigned t = 0; t < phase->n_taps; t++) {
        phase->taps[t].k = (uint32_t)k;
        k += step->parts[phase->taps[t].part].n_channels;
    }
    phase->k_total = k;
}

/* Position of extents (z, y, x of the file) index within a kernel. */
static size_t
kernel_index(const CxPacking *pack, const CxLayer *layer,
             const int64_t at[CX_N_AXES])
{
    size_t index = 0;

    for (unsigned f = 0; f < 3; f++)
        for (unsigned a = 0; a < CX_N_AXES; a++)
            if (cx_program_file_axis(pack->network, a) == f)
                index = index * (size_t)layer->extent[f] + (size_t)at[a];
    return index;
}

static size_t
kernel_size(const CxLayer *layer)
{
    return (size_t)layer->extent[0] * (size_t)layer->extent[1] *
           (size_t)layer->extent[2];
}

/* Channels of the layer's input that a part stands for. */
static unsigned
width_of(const CxPacking *pack, unsigned part)
{
    return pack->ups[part] != NULL ? pack->ups[part]->n_out
                                   : pack->step->parts[part].n_channels;
}

static size_t
first_channel(const CxPacking *pack, unsigned part)
{
    size_t first = 0;

    for (unsigned p = 0; p < part; p++)
        first += width_of(pack, p);
    return first;
}

/* Weights of output o for channels [first, first + n) at a kernel position. */
static void
read_row(const CxPacking *pack, size_t o, size_t first, size_t n, size_t index)
{
    const CxLayer *layer = pack->layer;
    size_t size = kernel_size(layer);

    for (size_t m = 0; m < n; m++) {
        size_t at = o * layer->n_in + first + m;

        if (layer->op == CX_OP_UPCONV)
            at = (first + m) * layer->n_out + o;
        pack->row[m] = (double)layer->weight[at * size + index];
    }
}

/* The folded transposed convolution at the phase of a fine pixel. */
static void
read_inner(const CxPacking *pack, unsigned part, const int64_t at[CX_N_AXES],
           const int64_t d[CX_N_AXES])
{
    const CxLayer *up = pack->ups[part];
    const int64_t *factor = pack->step->parts[part].factor;
    size_t size = kernel_size(up), n = (size_t)up->n_in * up->n_out;
    int64_t phase[CX_N_AXES];

    for (unsigned a = 0; a < CX_N_AXES; a++)
        phase[a] =
            at[a] + d[a] - cx_floor_div(at[a] + d[a], factor[a]) * factor[a];
    for (size_t i = 0; i < n; i++)
        pack->inner[i] =
            (double)up->weight[i * size + kernel_index(pack, up, phase)];
}

static double
dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Adds the weights of one fine offset of one part to its tap. */
static void
add_weights(const CxPacking *pack, const CxPhase *phase, const CxPhaseTap *tap,
            const int64_t at[CX_N_AXES], const int64_t d[CX_N_AXES],
            double *sums)
{
    const CxLayer *up = pack->ups[tap->part];
    size_t width = width_of(pack, tap->part);
    int64_t position[CX_N_AXES];

    /* A phase of two pixels may hold two of a factor of 1. */
    for (unsigned a = 0; a < CX_N_AXES; a++) {
        unsigned f = cx_program_file_axis(pack->network, a);

        position[a] = pack->layer->op == CX_OP_UPCONV
                          ? at[a] % pack->layer->extent[f]
                          : d[a] + pack->step->reach[a];
    }
    if (up != NULL)
        read_inner(pack, tap->part, at, d);
    for (size_t o = 0; o < pack->layer->n_out; o++) {
        double *to = sums +
                     (o / CX_BLOCK * phase->k_total + tap->k) * CX_BLOCK +
                     o % CX_BLOCK;

        read_row(pack, o, first_channel(pack, tap->part), width,
                 kernel_index(pack, pack->layer, position));
        for (size_t c = 0; c < pack->step->parts[tap->part].n_channels; c++)
            to[c * CX_BLOCK] +=
                up == NULL ? pack->row[c]
                           : dot(pack->row, pack->inner + c * width, width);
    }
}

static size_t
n_groups(const CxStep *step)
{
    return (step->n_channels + CX_BLOCK - 1) / CX_BLOCK;
}

double *
cx_pack_phase(const CxPacking *pack, CxPhase *phase,
              const int64_t at[CX_N_AXES], GError **error)
{
    const CxStep *step = pack->step;

    find_taps(step, phase, at);
    double *sums = cx_try_alloc0(n_groups(step) * phase->k_total * CX_BLOCK,
                                 sizeof *sums, error);
    if (sums == NULL)
        return NULL;
    for (unsigned p = 0; p < step->n_parts; p++)
        for (size_t i = 0; i < n_offsets(step); i++) {
            int64_t d[CX_N_AXES], offset[CX_N_AXES];

            nth_offset(step, i, d);
            coarse_offset(&step->parts[p], at, d, offset);
            add_weights(pack, phase, &phase->taps[tap_at(phase, p, offset)], at,
                        d, sums);
        }
    return sums;
}

static bool
store_f32(const CxPacking *pack, CxPhase *phase, const double *sums,
          GError **error)
{
    size_t n = n_groups(pack->step) * phase->k_total * CX_BLOCK;
    float *weights = cx_try_alloc(n, sizeof *weights, error);

    phase->weights = weights;
    for (size_t i = 0; i < n && weights != NULL; i++)
        weights[i] = (float)sums[i];
    return weights != NULL;
}

/* What the biases of folded transposed convolutions give, through all taps. */
static double
folded_bias(const CxPacking *pack, size_t o)
{
    double sum = 0.0;

    for (unsigned p = 0; p < pack->step->n_parts; p++) {
        const CxLayer *up = pack->ups[p];

        for (size_t i = 0; up != NULL && i < kernel_size(pack->layer); i++) {
            read_row(pack, o, first_channel(pack, p), up->n_out, i);
            for (size_t m = 0; m < up->n_out; m++)
                sum += pack->row[m] * (double)up->bias[m];
        }
    }
    return sum;
}

double
cx_pack_bias(const CxPacking *pack, size_t o)
{
    return (double)pack->layer->bias[o] + folded_bias(pack, o);
}

static bool
pack_bias(const CxPacking *pack, GError **error)
{
    CxStep *step = pack->step;
    size_t n = n_groups(step) * CX_BLOCK;

    step->bias = cx_try_alloc0(n, sizeof *step->bias, error);
    if (step->bias == NULL)
        return false;
    for (size_t o = 0; o < pack->layer->n_out; o++)
        step->bias[o] = (float)cx_pack_bias(pack, o);
    return true;
}

static bool
pack_f32(const CxPacking *pack, GError **error)
{
    CxStep *step = pack->step;

    if (!pack_bias(pack, error))
        return false;
    for (unsigned i = 0; i < step->n_phases; i++) {
        int64_t at[CX_N_AXES] = {
            i / (step->period[CX_ROW] * step->period[CX_X]),
            i / step->period[CX_X] % step->period[CX_ROW],
            i % step->period[CX_X],
        };
        CX_AUTOFREE double *sums =
            cx_pack_phase(pack, &step->phases[i], at, error);

        if (sums == NULL || !store_f32(pack, &step->phases[i], sums, error))
            return false;
    }
    return true;
}

static bool
take_scratch(CxPacking *pack, GError **error)
{
    size_t widest = 1, largest = 1;

    for (unsigned p = 0; p < pack->step->n_parts; p++) {
        widest = MAX(widest, width_of(pack, p));
        if (pack->ups[p] != NULL)
            largest =
                MAX(largest, (size_t)pack->ups[p]->n_in * pack->ups[p]->n_out);
    }
    pack->row = cx_try_alloc(widest, sizeof *pack->row, error);
    pack->inner = pack->row != NULL
                      ? cx_try_alloc(largest, sizeof *pack->inner, error)
                      : NULL;
    return pack->inner != NULL;
}

bool
cx_program_pack(const CxProgram *program, const CxNetwork *network,
                const CxLayer *layer, const CxLayer *const *ups, CxStep *step,
                GError **error)
{
    CxPacking pack = {
        .network = network, .layer = layer, .ups = ups, .step = step};
    bool ok = take_scratch(&pack, error);

    step->n_phases = (unsigned)(step->period[0] * step->period[1] *
                                (step->merged ? 1 : step->period[2]));
    step->phases = g_new0(CxPhase, step->n_phases);
    ok = ok &&
         (program->type == CX_LAYER_F32 ? pack_f32(&pack, error)
                                        : cx_pack_rows(program, &pack, error));
    cx_free(pack.row);
    cx_free(pack.inner);
    return ok;
}
