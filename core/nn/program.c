/* A network turned into steps that run on rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/program.h"

#include "core/base/alloc.h"
#include "core/kernels/conv_f32.h"
#include "core/nn/layer.h"

#include <string.h>

/* Phases of a convolution over up-sampled sources; 2x2x2. */
#define MAX_PHASES 8

/* What a layer's output is made of before anything has to be computed. */
typedef struct {
    unsigned n_parts;
    CxPart parts[CX_NN_MAX_INPUTS];
} Value;

typedef struct {
    const CxNetwork *network;
    CxProgram *program;
    Value *values; /* of each layer */
    GError **error;
} Builder;

unsigned
cx_step_n_blocks(const CxStep *step)
{
    return (step->n_channels + CX_BLOCK - 1) / CX_BLOCK;
}

void
cx_step_span(const CxStep *step, const CxPart *part, unsigned axis, int64_t lo,
             int64_t hi, int64_t src[2])
{
    if (step->kind == CX_STEP_CONV)
        lo -= step->reach[axis], hi += step->reach[axis];
    else if (step->kind == CX_STEP_POOL)
        lo *= step->factor[axis], hi *= step->factor[axis];
    src[0] = cx_floor_div(lo, part->factor[axis]);
    src[1] = cx_floor_div(hi - 1, part->factor[axis]) + 1;
}

/* The program's axis of the file's axis (z, y, x). */
static unsigned
file_axis(const CxNetwork *network, unsigned axis)
{
    if (axis == CX_X)
        return 2;
    return network->dims == 2 ? 1 - axis : axis;
}

static Value
whole_step(const CxProgram *program, unsigned step)
{
    return (Value){
        .n_parts = 1,
        .parts = {{step, program->steps[step].n_channels, {1, 1, 1}}},
    };
}

static CxStep *
add_step(Builder *builder, CxStepKind kind, unsigned n_channels,
         const unsigned scale[CX_N_AXES], const Value *value)
{
    CxProgram *program = builder->program;
    CxStep *step = &program->steps[program->n_steps++];

    *step = (CxStep){
        .kind = kind,
        .n_channels = n_channels,
        .n_parts = value->n_parts,
        .parts = g_memdup2(value->parts, value->n_parts * sizeof *value->parts),
        .factor = {1, 1, 1},
        .period = {1, 1, 1},
    };
    memcpy(step->scale, scale, sizeof step->scale);
    return step;
}

/* The value as one tensor on its own grid. */
static Value
materialise(Builder *builder, Value value, const unsigned scale[CX_N_AXES])
{
    unsigned n_channels = 0;
    bool whole = value.n_parts == 1;

    for (unsigned p = 0; p < value.n_parts; p++) {
        n_channels += value.parts[p].n_channels;
        for (unsigned a = 0; a < CX_N_AXES; a++)
            whole = whole && value.parts[p].factor[a] == 1;
    }
    if (whole)
        return value;
    add_step(builder, CX_STEP_COPY, n_channels, scale, &value);
    return whole_step(builder->program, builder->program->n_steps - 1);
}

static const unsigned *
input_scale(const Builder *builder, const CxLayer *layer, unsigned input,
            unsigned scale[CX_N_AXES])
{
    for (unsigned a = 0; a < CX_N_AXES; a++)
        scale[a] = layer->inputs[input] < 0
                       ? 1
                       : builder->network->layers[layer->inputs[input]]
                             .scale[file_axis(builder->network, a)];
    return scale;
}

static Value
input_value(const Builder *builder, const CxLayer *layer, unsigned input)
{
    return layer->inputs[input] < 0 ? whole_step(builder->program, 0)
                                    : builder->values[layer->inputs[input]];
}

/* Up-sampling along x by anything but 2 has no kernel of its own, nor have
 * mixtures of factors; many phases would need many times the weights. */
static bool
conv_can_read(const Value *value)
{
    int64_t n_phases = 1;

    for (unsigned a = 0; a < CX_N_AXES; a++) {
        int64_t largest = 1;

        for (unsigned p = 0; p < value->n_parts; p++)
            largest = MAX(largest, value->parts[p].factor[a]);
        if (a == CX_X && largest > 2)
            return false;
        for (unsigned p = 0; p < value->n_parts; p++)
            if (largest % value->parts[p].factor[a] != 0)
                return false;
        n_phases *= largest;
    }
    return n_phases <= MAX_PHASES;
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

typedef struct {
    int64_t lo[CX_N_AXES], hi[CX_N_AXES]; /* fine offsets of the taps */
    size_t n_offsets;
} Window;

static Window
window_of(const CxStep *step)
{
    Window window = {.n_offsets = 1};

    for (unsigned a = 0; a < CX_N_AXES; a++) {
        window.lo[a] = -step->reach[a];
        window.hi[a] = step->reach[a];
        window.n_offsets *= (size_t)(2 * step->reach[a] + 1);
    }
    return window;
}

/* The i-th fine offset, x fastest. */
static void
nth_offset(const Window *window, size_t i, int64_t d[CX_N_AXES])
{
    for (unsigned a = CX_N_AXES; a-- > 0;) {
        size_t n = (size_t)(window->hi[a] - window->lo[a] + 1);

        d[a] = window->lo[a] + (int64_t)(i % n);
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

/* Weight of the layer for output o, input c (over all parts) at a fine offset
 * (conv) or a phase (upconv), program's axes. */
static double
weight_at(const Builder *builder, const CxLayer *layer, size_t o, size_t c,
          const int64_t at[CX_N_AXES])
{
    size_t outer = o * layer->n_in + c;

    if (layer->op == CX_OP_UPCONV)
        outer = c * layer->n_out + o;
    for (unsigned f = 0; f < 3; f++)
        for (unsigned a = 0; a < CX_N_AXES; a++)
            if (file_axis(builder->network, a) == f)
                outer = outer * (size_t)layer->extent[f] + (size_t)at[a];
    return (double)layer->weight[outer];
}

/* Adds the weights of one fine offset of one part to its tap. */
static void
add_weights(const Builder *builder, const CxLayer *layer, const CxStep *step,
            double *sums, size_t k_total, const CxPhaseTap *tap,
            const int64_t at[CX_N_AXES])
{
    size_t first = 0;

    for (unsigned p = 0; p < tap->part; p++)
        first += step->parts[p].n_channels;
    for (size_t o = 0; o < layer->n_out; o++)
        for (size_t c = 0; c < step->parts[tap->part].n_channels; c++)
            sums[(o / CX_BLOCK * k_total + tap->k + c) * CX_BLOCK +
                 o % CX_BLOCK] += weight_at(builder, layer, o, first + c, at);
}

static void
find_taps(const CxStep *step, CxPhase *phase, const int64_t at[CX_N_AXES])
{
    Window window = window_of(step);
    size_t k = 0;

    phase->taps = g_new0(CxPhaseTap, step->n_parts * window.n_offsets);
    for (unsigned p = 0; p < step->n_parts; p++)
        for (size_t i = 0; i < window.n_offsets; i++) {
            int64_t d[CX_N_AXES], offset[CX_N_AXES];

            nth_offset(&window, i, d);
            coarse_offset(&step->parts[p], at, d, offset);
            tap_at(phase, p, offset);
        }
    for (unsigned t = 0; t < phase->n_taps; t++) {
        phase->taps[t].k = (uint32_t)k;
        k += step->parts[phase->taps[t].part].n_channels;
    }
    phase->k_total = k;
}

static bool
pack_phase(const Builder *builder, const CxLayer *layer, const CxStep *step,
           CxPhase *phase, const int64_t at[CX_N_AXES])
{
    Window window = window_of(step);

    find_taps(step, phase, at);
    size_t n = cx_step_n_blocks(step) * phase->k_total * CX_BLOCK;
    CX_AUTOFREE double *sums = cx_try_alloc0(n, sizeof *sums, builder->error);
    phase->weights = cx_try_alloc(n, sizeof *phase->weights, builder->error);
    if (sums == NULL || phase->weights == NULL)
        return false;
    for (unsigned p = 0; p < step->n_parts; p++)
        for (size_t i = 0; i < window.n_offsets; i++) {
            int64_t d[CX_N_AXES], offset[CX_N_AXES], index[CX_N_AXES];

            nth_offset(&window, i, d);
            coarse_offset(&step->parts[p], at, d, offset);
            for (unsigned a = 0; a < CX_N_AXES; a++)
                index[a] =
                    layer->op == CX_OP_UPCONV ? at[a] : d[a] + step->reach[a];
            add_weights(builder, layer, step, sums, phase->k_total,
                        &phase->taps[tap_at(phase, p, offset)], index);
        }
    for (size_t i = 0; i < n; i++)
        phase->weights[i] = (float)sums[i];
    return true;
}

static bool
pack(Builder *builder, const CxLayer *layer, CxStep *step)
{
    size_t n = cx_step_n_blocks(step) * CX_BLOCK;

    step->bias = cx_try_alloc0(n, sizeof *step->bias, builder->error);
    if (step->bias == NULL)
        return false;
    memcpy(step->bias, layer->bias, layer->n_out * sizeof *step->bias);
    step->n_phases =
        (unsigned)(step->period[0] * step->period[1] * step->period[2]);
    step->phases = g_new0(CxPhase, step->n_phases);
    for (unsigned i = 0; i < step->n_phases; i++) {
        int64_t at[CX_N_AXES] = {
            i / (step->period[CX_ROW] * step->period[CX_X]),
            i / step->period[CX_X] % step->period[CX_ROW],
            i % step->period[CX_X],
        };

        if (!pack_phase(builder, layer, step, &step->phases[i], at))
            return false;
        builder->program->max_taps =
            MAX(builder->program->max_taps, step->phases[i].n_taps);
    }
    return true;
}

static bool
add_conv(Builder *builder, const CxLayer *layer,
         const unsigned scale[CX_N_AXES])
{
    unsigned in_scale[CX_N_AXES];
    Value value = input_value(builder, layer, 0);

    if (!conv_can_read(&value))
        value = materialise(builder, value,
                            input_scale(builder, layer, 0, in_scale));
    CxStep *step = add_step(builder, CX_STEP_CONV, layer->n_out, scale, &value);
    step->relu = layer->relu;
    for (unsigned a = 0; a < CX_N_AXES; a++) {
        step->reach[a] = layer->extent[file_axis(builder->network, a)] / 2;
        for (unsigned p = 0; p < step->n_parts; p++)
            step->period[a] = MAX(step->period[a], step->parts[p].factor[a]);
    }
    return pack(builder, layer, step);
}

static bool
add_upconv(Builder *builder, const CxLayer *layer,
           const unsigned scale[CX_N_AXES])
{
    unsigned in_scale[CX_N_AXES];
    Value value = materialise(builder, input_value(builder, layer, 0),
                              input_scale(builder, layer, 0, in_scale));

    for (unsigned a = 0; a < CX_N_AXES; a++)
        value.parts[0].factor[a] =
            layer->extent[file_axis(builder->network, a)];
    CxStep *step = add_step(builder, CX_STEP_CONV, layer->n_out, scale, &value);
    memcpy(step->period, value.parts[0].factor, sizeof step->period);
    return pack(builder, layer, step);
}

static void
add_pool(Builder *builder, const CxLayer *layer,
         const unsigned scale[CX_N_AXES])
{
    unsigned in_scale[CX_N_AXES];
    Value value = materialise(builder, input_value(builder, layer, 0),
                              input_scale(builder, layer, 0, in_scale));
    CxStep *step = add_step(builder, CX_STEP_POOL, layer->n_out, scale, &value);

    for (unsigned a = 0; a < CX_N_AXES; a++)
        step->factor[a] = layer->extent[file_axis(builder->network, a)];
    builder->program->max_pool_rows =
        MAX(builder->program->max_pool_rows,
            (size_t)(step->factor[CX_STREAM] * step->factor[CX_ROW]));
}

/* Layers that only name what is there already. */
static bool
rename_value(Builder *builder, const CxLayer *layer, Value *value)
{
    unsigned n = 0;

    for (unsigned i = 0; i < layer->n_inputs; i++)
        n += input_value(builder, layer, i).n_parts;
    for (unsigned i = 0; i < layer->n_inputs; i++) {
        unsigned scale[CX_N_AXES];
        Value input = input_value(builder, layer, i);

        if (n > CX_NN_MAX_INPUTS)
            input = materialise(builder, input,
                                input_scale(builder, layer, i, scale));
        for (unsigned p = 0; p < input.n_parts; p++) {
            CxPart *part = &value->parts[value->n_parts++];

            *part = input.parts[p];
            for (unsigned a = 0; a < CX_N_AXES && layer->op == CX_OP_UPSAMPLE;
                 a++)
                part->factor[a] *=
                    layer->extent[file_axis(builder->network, a)];
        }
    }
    return true;
}

static void
add_pointwise(Builder *builder, const CxLayer *layer,
              const unsigned scale[CX_N_AXES])
{
    Value parts = {0};

    for (unsigned i = 0; i < layer->n_inputs; i++)
        parts.parts[parts.n_parts++] =
            materialise(builder, input_value(builder, layer, i), scale)
                .parts[0];
    add_step(builder, layer->op == CX_OP_ADD ? CX_STEP_ADD : CX_STEP_SIGMOID,
             layer->n_out, scale, &parts);
}

static bool
add_layer(Builder *builder, unsigned index)
{
    const CxLayer *layer = &builder->network->layers[index];
    Value *value = &builder->values[index];
    unsigned scale[CX_N_AXES];
    bool ok = true;

    for (unsigned a = 0; a < CX_N_AXES; a++)
        scale[a] = layer->scale[file_axis(builder->network, a)];
    switch (layer->op) {
    case CX_OP_CONCAT:
    case CX_OP_UPSAMPLE:
        return rename_value(builder, layer, value);
    case CX_OP_CONV:
        ok = add_conv(builder, layer, scale);
        break;
    case CX_OP_UPCONV:
        ok = add_upconv(builder, layer, scale);
        break;
    case CX_OP_MAXPOOL:
        add_pool(builder, layer, scale);
        break;
    case CX_OP_ADD:
    case CX_OP_SIGMOID:
        add_pointwise(builder, layer, scale);
        break;
    }
    *value = whole_step(builder->program, builder->program->n_steps - 1);
    return ok;
}

static void
find_readers(CxProgram *program)
{
    for (unsigned s = 0; s < program->n_steps; s++)
        for (unsigned p = 0; p < program->steps[s].n_parts; p++)
            program->steps[program->steps[s].parts[p].step].n_readers++;
    for (unsigned s = 0; s < program->n_steps; s++) {
        CxStep *step = &program->steps[s];

        step->readers = g_new0(CxReadBy, step->n_readers);
        step->n_readers = 0;
        for (unsigned p = 0; p < step->n_parts; p++) {
            CxStep *from = &program->steps[step->parts[p].step];

            from->readers[from->n_readers++] = (CxReadBy){s, p};
        }
    }
}

CxProgram *
cx_program_new(const CxNetwork *network, GError **error)
{
    g_autoptr(CxProgram) program = g_new0(CxProgram, 1);
    g_autofree Value *values = g_new0(Value, network->n_layers);
    Builder builder = {network, program, values, error};
    static const unsigned whole[CX_N_AXES] = {1, 1, 1};
    static const Value none = {0};

    /* Each input of a layer may need one copy. */
    size_t max_steps = 1;
    for (unsigned i = 0; i < network->n_layers; i++)
        max_steps += 1 + network->layers[i].n_inputs;
    program->steps = g_new0(CxStep, max_steps);
    add_step(&builder, CX_STEP_INPUT, (unsigned)network->input_sections, whole,
             &none);
    for (unsigned i = 0; i < network->n_layers; i++)
        if (!add_layer(&builder, i))
            return NULL;
    find_readers(program);
    return g_steal_pointer(&program);
}

void
cx_program_free(CxProgram *program)
{
    if (program == NULL)
        return;
    for (unsigned i = 0; i < program->n_steps; i++) {
        CxStep *step = &program->steps[i];

        for (unsigned p = 0; p < step->n_phases; p++) {
            g_free(step->phases[p].taps);
            cx_free(step->phases[p].weights);
        }
        g_free(step->phases);
        g_free(step->parts);
        g_free(step->readers);
        cx_free(step->bias);
    }
    g_free(program->steps);
    g_free(program);
}
