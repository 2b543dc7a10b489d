/* A network turned into steps that run on rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/program.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/kernels/conv_f32.h"
#include "core/nn/layer.h"
#include "core/nn/program_pack.h"
#include "core/nn/winograd.h"
#include "core/nn/winograd_rows.h"

#include <math.h>
#include <string.h>

/* Phases of a convolution over up-sampled sources; 2x2x2. */
#define MAX_PHASES 8

/* Folding a transposed convolution multiplies matrices; larger products than
 * this (times taps and phases) would make loading slow. */
#define MAX_FOLD ((uint64_t)1 << 24)

/* Rows at once at the lowest levels. */
#define MAX_UNITS 8

/* What a layer's output is made of before anything has to be computed. */
typedef struct {
    unsigned n_parts;
    CxPart parts[CX_NN_MAX_INPUTS];
    const CxLayer *ups[CX_NN_MAX_INPUTS]; /* upconv not yet computed, or NULL:
                                           * the part is what it reads */
} Value;

typedef struct {
    const CxNetwork *network;
    CxProgram *program;
    Value *values;      /* of each layer */
    unsigned *up_steps; /* of each upconv layer once computed, else 0 */
    int32_t head; /* layer that gives the logits, or -1: the sigmoid is run */
    bool failed;  /* and error set */
    GError **error;
} Builder;

static bool
is_narrow(const CxProgram *program)
{
    return program->type != CX_LAYER_F32;
}

static void fail(Builder *builder, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
fail(Builder *builder, const char *format, ...)
{
    va_list arguments;

    if (builder->failed)
        return;
    builder->failed = true;
    va_start(arguments, format);
    if (builder->error != NULL)
        *builder->error =
            g_error_new_valist(CX_ERROR, CX_ERROR_INVALID, format, arguments);
    va_end(arguments);
}

unsigned
cx_step_n_blocks(const CxStep *step)
{
    return (step->n_channels + step->block - 1) / step->block;
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

static Value
whole_step(const CxProgram *program, unsigned step)
{
    return (Value){
        .n_parts = 1,
        .parts = {{step, program->steps[step].n_channels, {1, 1, 1}}},
    };
}

/* Pixels of 16, 32 or 64 bytes; logits have all channels in one. */
static void
set_pixel(const CxProgram *program, CxStep *step)
{
    unsigned size = program->type == CX_LAYER_INT8 ? 1 : 2;
    unsigned width = (step->n_channels + CX_GROUP - 1) / CX_GROUP * CX_GROUP;

    step->block = CX_BLOCK;
    step->pixel = CX_BLOCK * sizeof(float);
    if (!is_narrow(program))
        return;
    step->pixel = width * (step->logits ? 2 : size);
    if (!step->logits)
        step->pixel = step->pixel <= 32 ? step->pixel : 64;
    step->block = step->logits ? width : step->pixel / size;
}

/* What a step of a sample of 8 bits is worth. */
static void
set_quantum(Builder *builder, CxStep *step, double amax)
{
    step->zero = step->kind == CX_STEP_CONV && step->relu ? 0 : 128;
    step->quantum = amax / (step->zero == 0 ? 255.0 : 128.0);
    if (amax > 0.0)
        return;
    if (step->layer < 0)
        fail(builder,
             "network %s has no input_amax: it is not calibrated for int8, "
             "expected type fp32 or bf16",
             cx_network_name(builder->network));
    else
        fail(builder,
             "network %s, layer %03d has no amax: it is not calibrated for "
             "int8, expected type fp32 or bf16",
             cx_network_name(builder->network), step->layer);
}

static CxStep *
add_step(Builder *builder, CxStepKind kind, unsigned n_channels,
         const unsigned scale[CX_N_AXES], const Value *value)
{
    CxProgram *program = builder->program;
    CxStep *step = &program->steps[program->n_steps++];
    bool flat = builder->network->dims == 2;

    *step = (CxStep){
        .kind = kind,
        .layer = -1,
        .n_channels = n_channels,
        .units =
            is_narrow(program) && flat ? MIN(scale[CX_STREAM], MAX_UNITS) : 1,
        .n_parts = value->n_parts,
        .parts = g_memdup2(value->parts, value->n_parts * sizeof *value->parts),
        .factor = {1, 1, 1},
        .period = {1, 1, 1},
    };
    memcpy(step->scale, scale, sizeof step->scale);
    set_pixel(program, step);
    return step;
}

/* Appends a convolution and packs its weights. */
static CxStep *
add_packed(Builder *builder, const CxLayer *layer,
           const unsigned scale[CX_N_AXES], const Value *value)
{
    CxStep *step = add_step(builder, CX_STEP_CONV, layer->n_out, scale, value);

    step->relu = layer->relu;
    step->layer = (int32_t)(layer - builder->network->layers);
    step->mean = layer->mean;
    step->logits = step->layer == builder->head;
    set_pixel(builder->program, step);
    if (builder->program->type == CX_LAYER_INT8 && !step->logits)
        set_quantum(builder, step, layer->amax);
    for (unsigned a = 0; a < CX_N_AXES; a++) {
        unsigned f = cx_program_file_axis(builder->network, a);

        step->reach[a] = layer->op == CX_OP_CONV ? layer->extent[f] / 2 : 0;
        for (unsigned p = 0; p < step->n_parts; p++)
            step->period[a] = MAX(step->period[a], step->parts[p].factor[a]);
    }
    /* Two pixels of 16 outputs are computed like one of 32. */
    if (is_narrow(builder->program) && step->n_channels <= CX_GROUP) {
        step->merged = true;
        step->period[CX_X] = 2;
    }
    if (builder->failed)
        return step;
    if (!cx_program_pack(builder->program, builder->network, layer, value->ups,
                         step, builder->error))
        builder->failed = true;
    else if (builder->program->type == CX_LAYER_F32 &&
             cx_winograd_suits(step) && !cx_winograd_pack(step, builder->error))
        builder->failed = true;
    for (unsigned i = 0; i < step->n_phases; i++)
        builder->program->max_taps =
            MAX(builder->program->max_taps,
                MAX(step->phases[i].n_taps, step->phases[i].n_k));
    return step;
}

/* Computes transposed convolutions that were put off. */
static void
compute_ups(Builder *builder, Value *value)
{
    for (unsigned p = 0; p < value->n_parts; p++) {
        const CxLayer *up = value->ups[p];
        unsigned scale[CX_N_AXES];

        if (up == NULL)
            continue;
        unsigned *made = &builder->up_steps[up - builder->network->layers];
        if (*made == 0) {
            Value one = {.n_parts = 1, .parts = {value->parts[p]}};

            for (unsigned a = 0; a < CX_N_AXES; a++)
                scale[a] = up->scale[cx_program_file_axis(builder->network, a)];
            add_packed(builder, up, scale, &one);
            *made = builder->program->n_steps - 1;
        }
        value->parts[p] = (CxPart){*made, up->n_out, {1, 1, 1}};
        value->ups[p] = NULL;
    }
}

/* The value as one tensor on its own grid. */
static Value
materialise(Builder *builder, Value value, const unsigned scale[CX_N_AXES])
{
    unsigned n_channels = 0;
    bool whole = value.n_parts == 1;

    compute_ups(builder, &value);
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
                             .scale[cx_program_file_axis(builder->network, a)];
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

/* Products of an output pixel if the source of an upconv is read directly
 * (folded; coarse taps in the mean over phases) against those of the fine taps
 * and of the upconv itself. */
static bool
fold_pays(const Builder *builder, const CxLayer *layer, const CxLayer *up)
{
    double coarse = 1.0, fine = 1.0;

    if ((uint64_t)layer->n_out * up->n_in * up->n_out > MAX_FOLD)
        return false;
    for (unsigned f = 0; f < 3; f++) {
        double k = layer->extent[f], s = up->extent[f];

        /* A window of k pixels at a random phase meets this many of s. */
        coarse *= (k - 1.0) / s + 1.0;
        fine *= k;
    }
    double skip = fine * (layer->n_in - up->n_out);
    double whole = fine * layer->n_in;
    if (builder->program->type == CX_LAYER_F32 && layer->extent[2] == 3)
        whole *= CX_WINOGRAD_SHARE;
    return (coarse * up->n_in + skip) * layer->n_out <
           whole * layer->n_out + (double)up->n_in * up->n_out;
}

static void
add_conv(Builder *builder, const CxLayer *layer,
         const unsigned scale[CX_N_AXES])
{
    unsigned in_scale[CX_N_AXES];
    Value value = input_value(builder, layer, 0);
    bool fold = conv_can_read(&value);

    for (unsigned p = 0; p < value.n_parts; p++)
        if (value.ups[p] != NULL)
            fold = fold && fold_pays(builder, layer, value.ups[p]);
    if (!fold)
        compute_ups(builder, &value);
    if (!conv_can_read(&value))
        value = materialise(builder, value,
                            input_scale(builder, layer, 0, in_scale));
    add_packed(builder, layer, scale, &value);
}

/* Only noted: a convolution that reads it may take it in. */
static void
note_upconv(Builder *builder, const CxLayer *layer, Value *value)
{
    unsigned in_scale[CX_N_AXES];

    *value = materialise(builder, input_value(builder, layer, 0),
                         input_scale(builder, layer, 0, in_scale));
    for (unsigned a = 0; a < CX_N_AXES; a++)
        value->parts[0].factor[a] =
            layer->extent[cx_program_file_axis(builder->network, a)];
    value->ups[0] = layer;
}

static void
add_pool(Builder *builder, const CxLayer *layer,
         const unsigned scale[CX_N_AXES])
{
    unsigned in_scale[CX_N_AXES];
    Value value = materialise(builder, input_value(builder, layer, 0),
                              input_scale(builder, layer, 0, in_scale));
    CxStep *step = add_step(builder, CX_STEP_POOL, layer->n_out, scale, &value);

    step->layer = (int32_t)(layer - builder->network->layers);
    step->mean = layer->mean;
    step->quantum = builder->program->steps[value.parts[0].step].quantum;
    step->zero = builder->program->steps[value.parts[0].step].zero;
    for (unsigned a = 0; a < CX_N_AXES; a++)
        step->factor[a] =
            layer->extent[cx_program_file_axis(builder->network, a)];
    builder->program->max_pool_rows =
        MAX(builder->program->max_pool_rows,
            (size_t)(step->factor[CX_STREAM] * step->factor[CX_ROW]));
}

/* Layers that only name what is there already. */
static void
rename_value(Builder *builder, const CxLayer *layer, Value *value)
{
    unsigned n = 0;

    for (unsigned i = 0; i < layer->n_inputs; i++)
        n += input_value(builder, layer, i).n_parts;
    for (unsigned i = 0; i < layer->n_inputs; i++) {
        unsigned scale[CX_N_AXES];
        Value input = input_value(builder, layer, i);

        if (layer->op == CX_OP_UPSAMPLE)
            compute_ups(builder, &input);
        if (n > CX_NN_MAX_INPUTS)
            input = materialise(builder, input,
                                input_scale(builder, layer, i, scale));
        for (unsigned p = 0; p < input.n_parts; p++) {
            CxPart *part = &value->parts[value->n_parts];

            value->ups[value->n_parts++] = input.ups[p];
            *part = input.parts[p];
            for (unsigned a = 0; a < CX_N_AXES && layer->op == CX_OP_UPSAMPLE;
                 a++)
                part->factor[a] *=
                    layer->extent[cx_program_file_axis(builder->network, a)];
        }
    }
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
             layer->n_out, scale, &parts)
        ->relu = layer->relu;
}

/* The logits of the last step stand for the sigmoid. */
static void
skip_sigmoid(Builder *builder, const CxLayer *layer)
{
    const CxProgram *program = builder->program;

    if (layer->inputs[0] != builder->head ||
        program->steps[program->n_steps - 1].layer != builder->head)
        fail(builder,
             "network %s has a sigmoid that is not the end of a convolution: "
             "that needs type fp32, not bf16 or int8",
             cx_network_name(builder->network));
}

static void
add_layer(Builder *builder, unsigned index)
{
    const CxLayer *layer = &builder->network->layers[index];
    Value *value = &builder->values[index];
    unsigned scale[CX_N_AXES];

    for (unsigned a = 0; a < CX_N_AXES; a++)
        scale[a] = layer->scale[cx_program_file_axis(builder->network, a)];
    switch (layer->op) {
    case CX_OP_CONCAT:
    case CX_OP_UPSAMPLE:
        rename_value(builder, layer, value);
        return;
    case CX_OP_UPCONV:
        note_upconv(builder, layer, value);
        return;
    case CX_OP_CONV:
        add_conv(builder, layer, scale);
        break;
    case CX_OP_MAXPOOL:
        add_pool(builder, layer, scale);
        break;
    case CX_OP_SIGMOID:
        if (is_narrow(builder->program)) {
            skip_sigmoid(builder, layer);
            break;
        }
        add_pointwise(builder, layer, scale);
        break;
    case CX_OP_ADD:
        add_pointwise(builder, layer, scale);
        break;
    }
    *value = whole_step(builder->program, builder->program->n_steps - 1);
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

/* The kernels of narrow samples cover what U-Nets need. */
static void
check_narrow(Builder *builder)
{
    const CxProgram *program = builder->program;

    for (unsigned i = 0; i < program->n_steps; i++)
        if (program->steps[i].kind == CX_STEP_COPY ||
            program->steps[i].kind == CX_STEP_ADD)
            fail(builder,
                 "network %s has layers that add or copy: that needs type "
                 "fp32, not bf16 or int8",
                 cx_network_name(builder->network));
}

/* The convolution that nothing but the last sigmoid reads. */
static int32_t
find_head(const CxNetwork *network)
{
    int32_t head = network->layers[network->n_layers - 1].inputs[0];

    if (network->layers[network->n_layers - 1].op != CX_OP_SIGMOID ||
        head < 0 || network->layers[head].op != CX_OP_CONV ||
        network->layers[head].relu)
        return -1;
    for (unsigned i = 0; i + 1 < network->n_layers; i++)
        for (unsigned k = 0; k < network->layers[i].n_inputs; k++)
            if (network->layers[i].inputs[k] == head)
                return -1;
    return head;
}

/* Normalised samples; those of one mean for all have known limits. */
static void
add_input(Builder *builder)
{
    const CxNetwork *network = builder->network;
    static const unsigned whole[CX_N_AXES] = {1, 1, 1};
    static const Value none = {0};
    CxStep *step = add_step(builder, CX_STEP_INPUT,
                            cx_network_n_inputs(network), whole, &none);
    double amax = network->input_amax;

    if (!network->per_section && amax == 0.0)
        amax = MAX(fabs(network->norm_mean), fabs(255.0 - network->norm_mean)) /
               network->norm_std;
    if (builder->program->type == CX_LAYER_INT8)
        set_quantum(builder, step, amax);
}

CxProgram *
cx_program_new(const CxNetwork *network, CxLayerType type, GError **error)
{
    g_autoptr(CxProgram) program = g_new0(CxProgram, 1);
    g_autofree Value *values = g_new0(Value, network->n_layers);
    g_autofree unsigned *up_steps = g_new0(unsigned, network->n_layers);
    Builder builder = {.network = network,
                       .program = program,
                       .values = values,
                       .up_steps = up_steps,
                       .head = -1,
                       .error = error};

    program->type = type;
    /* Each input of a layer may need one copy. */
    size_t max_steps = 1;
    for (unsigned i = 0; i < network->n_layers; i++)
        max_steps += 1 + network->layers[i].n_inputs;
    program->steps = g_new0(CxStep, max_steps);
    if (is_narrow(program))
        builder.head = find_head(network);
    add_input(&builder);
    for (unsigned i = 0; i < network->n_layers && !builder.failed; i++)
        add_layer(&builder, i);
    if (type == CX_LAYER_INT8 || (is_narrow(program) && !network->grows))
        check_narrow(&builder);
    if (builder.failed)
        return NULL;
    find_readers(program);
    return g_steal_pointer(&program);
}

static void
free_phases(CxPhase *phases, unsigned n)
{
    for (unsigned i = 0; phases != NULL && i < n; i++) {
        g_free(phases[i].taps);
        g_free(phases[i].blocks);
        g_free(phases[i].spans);
        cx_free(phases[i].bias);
        cx_free(phases[i].scale);
        cx_free(phases[i].weights);
    }
    g_free(phases);
}

void
cx_program_free(CxProgram *program)
{
    if (program == NULL)
        return;
    for (unsigned i = 0; i < program->n_steps; i++) {
        CxStep *step = &program->steps[i];

        free_phases(step->phases, step->n_phases);
        free_phases(step->winograd, CX_WINOGRAD_PARTS);
        cx_winograd_rows_free(step);
        g_free(step->parts);
        g_free(step->readers);
        cx_free(step->bias);
    }
    g_free(program->steps);
    g_free(program);
}
