/* Time of each step of a program, beside the peak.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/bench_layers.h"

#include <math.h>
#include <time.h>

#define PEAK_ROUNDS 4000

typedef struct {
    GArray *least; /* int64_t: nanoseconds of each call */
    guint next;    /* call of this run */
} Step;

struct CxBenchLayers {
    const CxNetwork *network;
    const CxProgram *program;
    Step *steps;
    int64_t start;
    double peak;
};

static int64_t
nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

CxBenchLayers *
cx_bench_layers_new(const CxNetwork *network, const CxProgram *program)
{
    CxBenchLayers *layers = g_new0(CxBenchLayers, 1);

    layers->network = network;
    layers->program = program;
    layers->steps = g_new0(Step, program->n_steps);
    for (unsigned i = 0; i < program->n_steps; i++)
        layers->steps[i].least = g_array_new(FALSE, FALSE, sizeof(int64_t));
    return layers;
}

void
cx_bench_layers_free(CxBenchLayers *layers)
{
    if (layers == NULL)
        return;
    for (unsigned i = 0; i < layers->program->n_steps; i++)
        g_array_unref(layers->steps[i].least);
    g_free(layers->steps);
    g_free(layers);
}

void
cx_bench_layers_begin(CxBenchLayers *layers)
{
    for (unsigned i = 0; i < layers->program->n_steps; i++)
        layers->steps[i].next = 0;
}

void
cx_bench_layers_try_peak(CxBenchLayers *layers, const CxKernels *kernels)
{
    CxLayerType type = layers->program->type;
    const CxRowsKernels *rows =
        type == CX_LAYER_BF16 ? &kernels->bf16 : &kernels->u8;
    const CxPeak *peak = type == CX_LAYER_F32 ? &kernels->peak : &rows->peak;

    if (peak->run == NULL)
        return;
    if (type != CX_LAYER_F32)
        rows->tiles_begin();
    int64_t start = nanoseconds();
    peak->run(PEAK_ROUNDS);
    int64_t took = nanoseconds() - start;
    if (type != CX_LAYER_F32)
        rows->tiles_end();
    layers->peak = fmax(layers->peak, peak->n_operations * PEAK_ROUNDS /
                                          (double)MAX(took, 1));
}

void
cx_bench_layers_mark(CxBenchLayers *layers, unsigned step, bool done)
{
    Step *at = &layers->steps[step];

    if (!done) {
        layers->start = nanoseconds();
        return;
    }
    int64_t took = nanoseconds() - layers->start;
    if (at->next == at->least->len)
        g_array_append_val(at->least, took);
    else if (took < g_array_index(at->least, int64_t, at->next))
        g_array_index(at->least, int64_t, at->next) = took;
    at->next++;
}

double
cx_bench_layers_peak(const CxBenchLayers *layers)
{
    return layers->peak;
}

static void
name_step(const CxBenchLayers *layers, unsigned index, char *name, size_t size)
{
    const CxStep *step = &layers->program->steps[index];
    static const char *const kinds[] = {"input", "conv", "pool",
                                        "copy",  "add",  "sigmoid"};
    unsigned n_in = 0;

    for (unsigned p = 0; p < step->n_parts; p++)
        n_in += step->parts[p].n_channels;
    if (step->kind != CX_STEP_CONV) {
        g_snprintf(name, size, "%s, %u", kinds[step->kind], step->n_channels);
        return;
    }
    const CxLayer *layer = &layers->network->layers[step->layer];
    g_snprintf(name, size, "%03d %s %dx%d, %u -> %u", step->layer,
               layer->op == CX_OP_UPCONV ? "upconv" : "conv", layer->extent[1],
               layer->extent[2], n_in, step->n_channels);
}

/* A layer that has no step was taken in by the next one that has. */
static void
count_operations(const CxBenchLayers *layers, double n_voxels, GArray *found)
{
    double waiting = 0.0;

    for (unsigned l = 0; l < layers->network->n_layers; l++) {
        waiting += cx_layer_flop(&layers->network->layers[l]);
        for (unsigned i = 0; i < layers->program->n_steps; i++) {
            if (layers->program->steps[i].layer != (int32_t)l)
                continue;
            g_array_index(found, CxBenchLayer, i).gop =
                1e-9 * waiting * n_voxels;
            waiting = 0.0;
            break;
        }
    }
}

GArray *
cx_bench_layers_take(const CxBenchLayers *layers, double n_voxels)
{
    guint n = layers->program->n_steps;
    GArray *found = g_array_sized_new(FALSE, TRUE, sizeof(CxBenchLayer), n);

    g_array_set_size(found, n);
    count_operations(layers, n_voxels, found);
    for (guint i = 0; i < n; i++) {
        CxBenchLayer *layer = &g_array_index(found, CxBenchLayer, i);
        const GArray *least = layers->steps[i].least;

        name_step(layers, i, layer->name, sizeof layer->name);
        for (guint k = 0; k < least->len; k++)
            layer->seconds += 1e-9 * (double)g_array_index(least, int64_t, k);
        if (layer->seconds > 0.0)
            layer->gop_per_s = layer->gop / layer->seconds;
        layer->share =
            layers->peak > 0.0 ? layer->gop_per_s / layers->peak : NAN;
    }
    return found;
}
