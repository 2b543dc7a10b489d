/* Speed of the inference engine on a fixed network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/bench_unet.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/jobs/parallel.h"
#include "core/kernels/bf16.h"
#include "core/nn/calibrate.h"
#include "core/nn/choose.h"
#include "core/nn/infer.h"
#include "core/nn/layer.h"
#include "core/nn/winograd_rows.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define N_LEVELS 4 /* poolings */
#define GRAIN 16   /* 2^N_LEVELS */
#define MAX_RUNS 1000
#define MIN_LAYER_RUNS 10
#define MAX_LAYERS (7 * N_LEVELS + 4)

typedef struct {
    CxNetwork *network;
    CxRng rng;
    unsigned n; /* layers so far */
    GError **error;
    bool ok;
} Builder;

static bool
draw_weights(Builder *builder, CxLayer *layer)
{
    size_t taps = (size_t)(layer->extent[1] * layer->extent[2]);
    size_t n = (size_t)layer->n_in * layer->n_out * taps;
    double scale = sqrt(2.0 / ((double)layer->n_in * (double)taps));

    layer->weight = cx_try_alloc(n, sizeof *layer->weight, builder->error);
    layer->bias =
        cx_try_alloc(layer->n_out, sizeof *layer->bias, builder->error);
    if (layer->weight == NULL || layer->bias == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        layer->weight[i] = (float)(scale * cx_rng_normal(&builder->rng));
    /* Zero for transposed convolutions: folded into the next layer, their
     * bias would also act where the tile is padded. */
    double shift = layer->op == CX_OP_CONV ? 0.1 : 0.0;
    for (size_t i = 0; i < layer->n_out; i++)
        layer->bias[i] = (float)(shift * cx_rng_normal(&builder->rng));
    return true;
}

/* Appends a layer over one input, or two; returns its index. */
static int32_t
add(Builder *builder, CxLayerOp op, int32_t a, int32_t b, int32_t extent,
    unsigned n_out)
{
    CxLayer *layer = &builder->network->layers[builder->n];

    *layer = (CxLayer){
        .op = op,
        .n_inputs = op == CX_OP_CONCAT ? 2 : 1,
        .inputs = {a, b},
        .extent = {1, extent, extent},
        .relu = op == CX_OP_CONV && extent == 3,
        .n_out = n_out,
    };
    builder->ok =
        builder->ok &&
        cx_layer_check(builder->network, builder->n, "bench", builder->error) &&
        ((op != CX_OP_CONV && op != CX_OP_UPCONV) ||
         draw_weights(builder, layer));
    return (int32_t)builder->n++;
}

static int32_t
add_pair(Builder *builder, int32_t from, unsigned n)
{
    return add(builder, CX_OP_CONV, add(builder, CX_OP_CONV, from, 0, 3, n), 0,
               3, n);
}

CxNetwork *
cx_bench_unet_network(unsigned base, uint64_t seed, GError **error)
{
    g_autoptr(CxNetwork) network = cx_network_new(MAX_LAYERS);
    Builder builder = {.network = network, .error = error, .ok = true};
    int32_t skips[N_LEVELS], at = -1;

    cx_rng_init(&builder.rng, seed);
    for (unsigned level = 0; level < N_LEVELS; level++) {
        skips[level] = add_pair(&builder, at, base << level);
        at = add(&builder, CX_OP_MAXPOOL, skips[level], 0, 2, 1);
    }
    at = add_pair(&builder, at, base << N_LEVELS);
    for (unsigned level = N_LEVELS; level-- > 0;) {
        at = add(&builder, CX_OP_UPCONV, at, 0, 2, base << level);
        at = add(&builder, CX_OP_CONCAT, skips[level], at, 1, 1);
        at = add_pair(&builder, at, base << level);
    }
    at = add(&builder, CX_OP_CONV, at, 0, 1, 1);
    add(&builder, CX_OP_SIGMOID, at, 0, 1, 1);
    network->n_layers = builder.n;
    network->name = g_strdup("bench");
    network->n_outputs = 1;
    if (!builder.ok || !cx_network_finish(network, "bench", error))
        return NULL;
    return g_steal_pointer(&network);
}

typedef struct {
    CxKernels kernels;
    const CxProgram *program;
    CxInfer **infers;
    const uint8_t *image;
    float table[256];
    uint16_t narrow[256]; /* the same as samples of 8 bits or bf16 */
    int64_t tile;
    CxJob *job;
} Bench;

typedef struct {
    const Bench *bench;
    CxCalibrator *calibrator; /* while calibrating */
    CxBenchLayers *layers;    /* while layers are measured */
    float sum;                /* keeps the result alive */
} Worker;

static void
watch(void *data, unsigned step, size_t n, const float *row, size_t plane)
{
    cx_calibrator_watch(((Worker *)data)->calibrator, step, n, row, plane);
}

static void
mark(void *data, unsigned step, bool done)
{
    cx_bench_layers_mark(((Worker *)data)->layers, step, done);
}

static void
fill(void *data, int64_t stream, int64_t row, int64_t x, size_t n, float *dst,
     size_t plane)
{
    const Bench *bench = ((Worker *)data)->bench;

    for (size_t i = 0; i < n; i++)
        dst[i * CX_BLOCK] =
            bench->table[bench->image[stream * bench->tile + x + (int64_t)i]];
}

static void
fill_samples(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
             const CxStep *input, uint8_t *dst, size_t plane)
{
    const Bench *bench = ((Worker *)data)->bench;
    const uint8_t *src = bench->image + stream * bench->tile + x;
    const uint16_t *table = bench->narrow;

    for (size_t i = 0; i < n; i++, dst += input->pixel)
        if (input->pixel == input->block)
            *dst = (uint8_t)table[src[i]];
        else
            *(uint16_t *)(void *)dst = table[src[i]];
}

static void
take_logits(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
            const uint16_t *src, size_t pixel)
{
    ((Worker *)data)->sum += (float)src[0] + (float)src[(n - 1) * pixel];
}

static void
take(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
     const float *src, size_t plane)
{
    ((Worker *)data)->sum += src[0] + src[(n - 1) * CX_BLOCK];
}

static uint8_t *
draw_image(unsigned tile, GError **error)
{
    size_t n = (size_t)tile * tile;
    uint8_t *image = cx_try_alloc(n, 1, error);
    CxRng rng;

    cx_rng_init(&rng, 2);
    for (size_t i = 0; i < n && image != NULL; i++)
        image[i] = (uint8_t)CLAMP(128.0 + 40.0 * cx_rng_normal(&rng), 0, 255);
    return image;
}

/* What a sample is to the network: 40 is a deviation. */
static void
fill_tables(Bench *bench)
{
    const CxStep *input = &bench->program->steps[0];

    for (int v = 0; v < 256; v++) {
        bench->table[v] = ((float)v - 128.0f) / 40.0f;
        if (bench->program->type == CX_LAYER_BF16)
            bench->narrow[v] = cx_bf16_from_float(bench->table[v]);
        else if (bench->program->type == CX_LAYER_INT8)
            bench->narrow[v] = (uint16_t)CLAMP(
                rint((double)bench->table[v] / input->quantum) + input->zero,
                0.0, 255.0);
    }
}

/* Runs the network in float over the image, once. */
static bool
calibrate(Bench *bench, CxNetwork *network, GError **error)
{
    g_autoptr(CxProgram) program = cx_program_new(network, CX_LAYER_F32, error);

    if (program == NULL)
        return false;
    g_autoptr(CxCalibrator) calibrator = cx_calibrator_new(program);
    g_autoptr(CxInfer) infer = cx_infer_new(program, &bench->kernels);
    Worker worker = {.bench = bench, .calibrator = calibrator};
    CxInferPorts ports = {
        .data = &worker, .fill = fill, .take = take, .watch = watch};
    int64_t lo[CX_N_AXES] = {0, 0, 0};
    int64_t hi[CX_N_AXES] = {bench->tile, 1, bench->tile};

    bench->program = program;
    fill_tables(bench);
    if (!cx_infer_run(infer, lo, hi, hi, &ports, bench->job, error))
        return false;
    return cx_calibrator_apply(calibrator, network, error);
}

static bool
run_tile(const Bench *bench, CxInfer *infer, CxBenchLayers *layers,
         GError **error)
{
    Worker worker = {.bench = bench, .layers = layers};
    CxInferPorts ports = {.data = &worker,
                          .fill = fill,
                          .take = take,
                          .fill_samples = fill_samples,
                          .take_logits = take_logits,
                          .mark = layers != NULL ? mark : NULL};
    int64_t lo[CX_N_AXES] = {0, 0, 0};
    int64_t hi[CX_N_AXES] = {bench->tile, 1, bench->tile};

    return cx_infer_run(infer, lo, hi, hi, &ports, bench->job, error);
}

static bool
run_once(size_t item, unsigned index, void *data, GError **error)
{
    const Bench *bench = data;

    return run_tile(bench, bench->infers[item], NULL, error);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median_of(double *times, unsigned n)
{
    qsort(times, n, sizeof *times, compare);
    return times[n / 2];
}

static double
cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Medians of the seconds of a run, by the clock and of the processor. */
static bool
measure(Bench *bench, unsigned n_threads, double seconds, double median[2],
        unsigned *runs, GError **error)
{
    double times[MAX_RUNS], cpu_times[MAX_RUNS], total = 0.0;
    unsigned n = 0;

    if (!cx_parallel_for(n_threads, n_threads, run_once, bench, NULL, error))
        return false;
    while ((n < 3 || total < seconds) && n < MAX_RUNS) {
        int64_t start = g_get_monotonic_time();
        double cpu_start = cpu_seconds();

        if (!cx_job_step(bench->job, n, 0, error) ||
            !cx_parallel_for(n_threads, n_threads, run_once, bench, NULL,
                             error))
            return false;
        cpu_times[n] = cpu_seconds() - cpu_start;
        times[n] = (double)(g_get_monotonic_time() - start) / 1e6;
        total += times[n++];
    }
    median[0] = median_of(times, n);
    median[1] = median_of(cpu_times, n);
    *runs = n;
    return true;
}

/* Each layer for itself, over at least MIN_LAYER_RUNS runs. */
static bool
measure_layers(Bench *bench, const CxNetwork *network, double seconds,
               CxBenchUnetResult *result, GError **error)
{
    g_autoptr(CxBenchLayers) layers =
        cx_bench_layers_new(network, bench->program);
    int64_t start = g_get_monotonic_time();
    unsigned n = 0;

    for (; n < MIN_LAYER_RUNS ||
           (double)(g_get_monotonic_time() - start) / 1e6 < seconds;
         n++) {
        cx_bench_layers_try_peak(layers, &bench->kernels);
        cx_bench_layers_begin(layers);
        if (!cx_job_step(bench->job, n, 0, error) ||
            !run_tile(bench, bench->infers[0], layers, error))
            return false;
    }
    result->peak_gop_per_s = cx_bench_layers_peak(layers);
    result->layers =
        cx_bench_layers_take(layers, (double)(bench->tile * bench->tile));
    return true;
}

void
cx_bench_unet_result_clear(CxBenchUnetResult *result)
{
    g_clear_pointer(&result->layers, g_array_unref);
}

bool
cx_bench_unet(const CxBenchUnetOptions *options, CxBenchUnetResult *result,
              CxJob *job, GError **error)
{
    unsigned base = options->base > 0 ? options->base : 16;
    unsigned tile = options->tile > 0 ? options->tile : 512;
    unsigned n_threads = options->n_threads > 0 ? options->n_threads : 1;
    double seconds = options->seconds > 0.0 ? options->seconds : 1.5;
    CxLayerType type;
    Bench bench = {.tile = tile, .job = job};

    *result = (CxBenchUnetResult){0};
    if (base > 256 || tile > 8192 || tile % GRAIN != 0 || n_threads > 1024) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "base %u, tile %u, expected a base up to 256 and a tile "
                    "up to 8192 that is a multiple of %d",
                    base, tile, GRAIN);
        return false;
    }
    if (!cx_nn_choose(options->type, options->isa, &type, &bench.kernels,
                      error))
        return false;
    g_autoptr(CxNetwork) network = cx_bench_unet_network(base, 1, error);
    CX_AUTOFREE uint8_t *image =
        network != NULL ? draw_image(tile, error) : NULL;
    if (image == NULL)
        return false;
    bench.image = image;
    if (type == CX_LAYER_INT8 && !calibrate(&bench, network, error))
        return false;
    g_autoptr(CxProgram) program = cx_program_new(network, type, error);
    if (program == NULL ||
        !cx_winograd_rows_prepare(program, &bench.kernels, error))
        return false;

    bench.program = program;
    fill_tables(&bench);
    g_autoptr(GPtrArray) infers =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_infer_free);
    for (unsigned i = 0; i < n_threads; i++)
        g_ptr_array_add(infers, cx_infer_new(program, &bench.kernels));
    bench.infers = (CxInfer **)infers->pdata;
    double median[2];
    if (!measure(&bench, n_threads, seconds, median, &result->runs, error))
        return false;
    if (options->layers &&
        !measure_layers(&bench, network, seconds, result, error))
        return false;
    double n = (double)tile * tile * n_threads;
    result->median_seconds = median[0];
    result->mvox_per_cpu_s = n / median[1] / 1e6;
    result->isa = cx_nn_isa(&bench.kernels, type);
    result->mvox_per_s = n / result->median_seconds / 1e6;
    result->gflop_per_s =
        result->mvox_per_s * cx_network_flop_per_voxel(network) / 1e3;
    return true;
}
