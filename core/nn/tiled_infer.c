/* Runs a network over a box of a volume.
 *
 * A run reads the box and its halo once as u8, cuts the box into tiles, and
 * hands them to the workers.  A 2-D network has one tile (or several) a
 * section; with three views it also runs on axes turned to (z, x, y) and
 * (y, z, x).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/tiled_infer.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/kernels/bf16.h"
#include "core/nn/calibrate.h"
#include "core/nn/choose.h"
#include "core/nn/infer.h"
#include "core/nn/layer.h"
#include "core/nn/normalise.h"
#include "core/nn/winograd_rows.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define MAX_WORKER_BYTES ((size_t)60 << 20)
#define MAX_SUM_BYTES ((size_t)128 << 20) /* of the sums over views */
#define LEAST_TILE 64

/* A third of the largest u16: the weight of one view of three. */
#define VIEW_ONE 21845.0f

enum { X, Y, Z };

/* Real axis of each axis of a view. */
static const unsigned view_axes[3][3] = {{X, Y, Z}, {Z, X, Y}, {Y, Z, X}};

struct CxPredictor {
    CxNetwork *network;
    CxVolume *volume;
    CxProgram *program;
    CxNormalise *normalise;
    CxKernels kernels;
    unsigned n_threads;
    CxVoxel tile;
    CxCalibrator *calibrator;              /* NULL unless one watches */
    uint8_t sigmoid_u8[CX_LOGIT_MOST + 1]; /* of logits as conv_rows.h has */
    uint16_t sigmoid_view[CX_LOGIT_MOST + 1];
    GMutex lock;     /* guards idle */
    GPtrArray *idle; /* CxInfer that no run holds */
};

/* One run over one box, maybe a part of what was asked for. */
typedef struct {
    CxPredictor *predictor;
    CxJob *job;
    const CxChunk *input;
    int64_t input_lo[3], input_stride[3]; /* real axes */
    int64_t size[3];                      /* of the volume */
    CxBox box;
    uint8_t *out;  /* one view: channels of the result */
    uint16_t *sum; /* several views: channels over box */
    int64_t out_lo[3], out_stride[3];
    int64_t out_channel;
    uint64_t n_steps; /* tiles of the whole run */
    atomic_uint_fast64_t done;

    unsigned first_view, n_views;

    /* of the view */
    unsigned view;
    int64_t lo[3], hi[3], n_tiles[3]; /* view axes */
    int from_channel[CX_NN_MAX_OUTPUTS];
    struct Worker *workers;
} Run;

typedef struct Worker {
    Run *run;
    CxInfer *infer;
    int64_t z; /* section of a 2-D network, view axis */
    float (*tables)[256];
    uint16_t (*narrow)[256]; /* the same as samples of 8 bits or bf16 */
    int64_t *table_z;        /* of each table; -1 if not made */
    int64_t *x_offsets;      /* of the pixels of a row in the input */
    size_t n_offsets;
} Worker;

static int64_t
component(CxVoxel voxel, unsigned axis)
{
    return axis == X ? voxel.x : axis == Y ? voxel.y : voxel.z;
}

/* Position inside [0, n) that mirroring at both ends maps `at` to. */
static int64_t
mirror(int64_t at, int64_t n)
{
    if (at >= 0 && at < n)
        return at;
    if (n == 1)
        return 0;
    int64_t period = 2 * (n - 1);
    at %= period;
    at = at < 0 ? at + period : at;
    return at < n ? at : period - at;
}

/* In double, once: the same samples with every instruction set. */
static void
fill_sigmoids(CxPredictor *predictor)
{
    for (int i = 0; i <= CX_LOGIT_MOST; i++) {
        double logit = (double)(i - CX_LOGIT_ZERO) / CX_LOGIT_ONE;
        double p = 1.0 / (1.0 + exp(-logit));

        predictor->sigmoid_u8[i] = (uint8_t)lrint(255.0 * p);
        predictor->sigmoid_view[i] = (uint16_t)lrint((double)VIEW_ONE * p);
    }
}

static bool
choose_program(CxPredictor *predictor, const char *type, const char *isa,
               GError **error)
{
    bool any = g_strcmp0(type, "auto") == 0;
    CxLayerType chosen;

    if (any && cx_nn_choose("int8", isa, &chosen, &predictor->kernels, NULL) &&
        !g_str_equal(predictor->kernels.u8.isa, "c"))
        predictor->program = cx_program_new(predictor->network, chosen, NULL);
    if (predictor->program != NULL)
        return cx_winograd_rows_prepare(predictor->program, &predictor->kernels,
                                        error);
    if (!cx_nn_choose(any ? NULL : type, isa, &chosen, &predictor->kernels,
                      error))
        return false;
    predictor->program = cx_program_new(predictor->network, chosen, error);
    return predictor->program != NULL &&
           cx_winograd_rows_prepare(predictor->program, &predictor->kernels,
                                    error);
}

CxPredictor *
cx_predictor_new(CxNetwork *network, CxVolume *volume,
                 const CxPredictorOptions *options, GError **error)
{
    if (cx_network_grows(network)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "model %s grows one object from a seed, expected one that "
                    "predicts boundaries or affinities",
                    cx_network_name(network));
        return NULL;
    }

    g_autoptr(CxPredictor) predictor = g_new0(CxPredictor, 1);

    predictor->network = cx_network_ref(network);
    predictor->volume = cx_volume_ref(volume);
    predictor->normalise = cx_normalise_new(network, volume);
    predictor->idle =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_infer_free);
    g_mutex_init(&predictor->lock);
    if (options != NULL)
        predictor->tile = options->tile;
    predictor->n_threads =
        cx_parallel_n_threads(options != NULL ? options->n_threads : 0);
    if (!choose_program(predictor, options != NULL ? options->type : NULL,
                        options != NULL ? options->isa : NULL, error))
        return NULL;
    fill_sigmoids(predictor);
    return g_steal_pointer(&predictor);
}

void
cx_predictor_free(CxPredictor *predictor)
{
    if (predictor == NULL)
        return;
    g_ptr_array_unref(predictor->idle);
    g_mutex_clear(&predictor->lock);
    cx_normalise_free(predictor->normalise);
    cx_program_free(predictor->program);
    cx_volume_unref(predictor->volume);
    cx_network_unref(predictor->network);
    g_free(predictor);
}

CxNetwork *
cx_predictor_network(CxPredictor *predictor)
{
    return predictor->network;
}

CxVolume *
cx_predictor_volume(CxPredictor *predictor)
{
    return predictor->volume;
}

const char *
cx_predictor_isa(const CxPredictor *predictor)
{
    return cx_nn_isa(&predictor->kernels, predictor->program->type);
}

const char *
cx_predictor_type(const CxPredictor *predictor)
{
    return cx_nn_type_name(predictor->program->type);
}

/* The tables of a section, as the network wants its samples. */
static void
make_table(Worker *worker, unsigned channel, int64_t z)
{
    const CxPredictor *predictor = worker->run->predictor;
    const CxStep *input = &predictor->program->steps[0];
    CxLayerType type = predictor->program->type;
    float *table = worker->tables[channel];

    if (worker->table_z[channel] == z ||
        (worker->table_z[channel] >= 0 && !predictor->network->per_section))
        return;
    worker->table_z[channel] = z;
    cx_normalise_table(predictor->normalise, z, table);
    for (unsigned v = 0; v < 256 && type != CX_LAYER_F32; v++)
        worker->narrow[channel][v] =
            type == CX_LAYER_BF16
                ? cx_bf16_from_float(table[v])
                : (uint16_t)CLAMP(rint((double)table[v] / input->quantum) +
                                      input->zero,
                                  0.0, 255.0);
}

/* Offset in the input of a position along an axis of the view. */
static int64_t
input_offset(const Run *run, unsigned axis, int64_t at)
{
    unsigned real = view_axes[run->view][axis];

    return (mirror(at, run->size[real]) - run->input_lo[real]) *
           run->input_stride[real];
}

/* Offsets of the pixels of a row, and the tables of its sections. */
static void
prepare_row(Worker *worker, int64_t stream, int64_t x, size_t n)
{
    const Run *run = worker->run;
    const CxNetwork *network = run->predictor->network;
    int64_t z_real = run->size[view_axes[run->view][Z]];

    if (worker->n_offsets < n) {
        worker->x_offsets = g_renew(int64_t, worker->x_offsets, n);
        worker->n_offsets = n;
    }
    for (size_t i = 0; i < n; i++)
        worker->x_offsets[i] = input_offset(run, X, x + (int64_t)i);
    for (unsigned c = 0; c < (unsigned)network->input_sections; c++)
        make_table(worker, c,
                   mirror(network->dims == 2
                              ? worker->z + c - network->input_sections / 2
                              : stream,
                          z_real));
}

/* Where a row of a section begins in the input. */
static const uint8_t *
input_row(const Worker *worker, unsigned channel, int64_t stream, int64_t row)
{
    const Run *run = worker->run;
    const CxNetwork *network = run->predictor->network;
    bool flat = network->dims == 2;
    int64_t z =
        flat ? worker->z + channel - network->input_sections / 2 : stream;

    return (const uint8_t *)cx_chunk_channel(run->input, 0) +
           input_offset(run, Y, flat ? stream : row) + input_offset(run, Z, z);
}

static void
fill_row(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
         float *dst, size_t plane)
{
    Worker *worker = data;
    unsigned n_channels =
        (unsigned)worker->run->predictor->network->input_sections;

    prepare_row(worker, stream, x, n);
    for (unsigned c = 0; c < n_channels; c++) {
        const float *table = worker->tables[c];
        const uint8_t *src = input_row(worker, c, stream, row);
        float *to = dst + c / CX_BLOCK * plane + c % CX_BLOCK;

        for (size_t i = 0; i < n; i++)
            to[i * CX_BLOCK] = table[src[worker->x_offsets[i]]];
    }
}

static void
fill_samples(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
             const CxStep *input, uint8_t *dst, size_t plane)
{
    Worker *worker = data;
    size_t size = input->pixel / input->block;

    prepare_row(worker, stream, x, n);
    for (unsigned c = 0; c < input->n_channels; c++) {
        const uint16_t *table = worker->narrow[c];
        const uint8_t *src = input_row(worker, c, stream, row);
        uint8_t *to = dst + c / input->block * plane + c % input->block * size;

        if (size == 1)
            for (size_t i = 0; i < n; i++)
                to[i * input->pixel] =
                    (uint8_t)table[src[worker->x_offsets[i]]];
        else
            for (size_t i = 0; i < n; i++)
                *(uint16_t *)(void *)(to + i * input->pixel) =
                    table[src[worker->x_offsets[i]]];
    }
}

/* Where a row of the first channel goes in the output, in samples. */
static int64_t
output_offset(const Worker *worker, int64_t stream, int64_t row, int64_t x)
{
    const Run *run = worker->run;
    const unsigned *axes = view_axes[run->view];
    bool flat = run->predictor->network->dims == 2;
    int64_t y = flat ? stream : row, z = flat ? worker->z : stream;

    return (x - run->out_lo[axes[X]]) * run->out_stride[axes[X]] +
           (y - run->out_lo[axes[Y]]) * run->out_stride[axes[Y]] +
           (z - run->out_lo[axes[Z]]) * run->out_stride[axes[Z]];
}

static void
take_row(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
         const float *src, size_t plane)
{
    Worker *worker = data;
    const Run *run = worker->run;
    const CxNetwork *network = run->predictor->network;
    int64_t step = run->out_stride[view_axes[run->view][X]];
    int64_t at = output_offset(worker, stream, row, x);

    for (unsigned c = 0; c < network->n_outputs; c++) {
        size_t channel = (size_t)run->from_channel[c];
        const float *from =
            src + channel / CX_BLOCK * plane + channel % CX_BLOCK;
        int64_t to = (int64_t)c * run->out_channel + at;

        if (run->sum == NULL)
            for (size_t i = 0; i < n; i++)
                run->out[to + (int64_t)i * step] =
                    (uint8_t)(from[i * CX_BLOCK] * 255.0f + 0.5f);
        else
            for (size_t i = 0; i < n; i++)
                run->sum[to + (int64_t)i * step] +=
                    (uint16_t)(from[i * CX_BLOCK] * VIEW_ONE + 0.5f);
    }
}

static void
take_logits(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
            const uint16_t *src, size_t pixel)
{
    Worker *worker = data;
    const Run *run = worker->run;
    const CxPredictor *predictor = run->predictor;
    int64_t step = run->out_stride[view_axes[run->view][X]];
    int64_t at = output_offset(worker, stream, row, x);

    for (unsigned c = 0; c < predictor->network->n_outputs; c++) {
        const uint16_t *from = src + run->from_channel[c];
        int64_t to = (int64_t)c * run->out_channel + at;

        if (run->sum == NULL)
            for (size_t i = 0; i < n; i++)
                run->out[to + (int64_t)i * step] =
                    predictor->sigmoid_u8[from[i * pixel]];
        else
            for (size_t i = 0; i < n; i++)
                run->sum[to + (int64_t)i * step] +=
                    predictor->sigmoid_view[from[i * pixel]];
    }
}

static void
watch_row(void *data, unsigned step, size_t n, const float *row, size_t plane)
{
    const CxPredictor *predictor = ((Worker *)data)->run->predictor;

    if (predictor->calibrator != NULL)
        cx_calibrator_watch(predictor->calibrator, step, n, row, plane);
}

/* Axes of the program from axes of the view. */
static void
program_range(const Run *run, const int64_t lo[3], const int64_t hi[3],
              int64_t out_lo[CX_N_AXES], int64_t out_hi[CX_N_AXES])
{
    bool flat = run->predictor->network->dims == 2;

    out_lo[CX_X] = lo[X], out_hi[CX_X] = hi[X];
    out_lo[CX_STREAM] = flat ? lo[Y] : lo[Z];
    out_hi[CX_STREAM] = flat ? hi[Y] : hi[Z];
    out_lo[CX_ROW] = flat ? 0 : lo[Y];
    out_hi[CX_ROW] = flat ? 1 : hi[Y];
}

static void
tile_range(const Run *run, size_t item, int64_t lo[3], int64_t hi[3])
{
    int64_t i = (int64_t)item;

    for (unsigned a = 0; a < 3; a++) {
        int64_t n = run->n_tiles[a], size = run->hi[a] - run->lo[a];

        lo[a] = run->lo[a] + size * (i % n) / n;
        hi[a] = run->lo[a] + size * (i % n + 1) / n;
        i /= n;
    }
}

static bool
run_tile(size_t item, unsigned index, void *data, GError **error)
{
    Run *run = data;
    Worker *worker = &run->workers[index];
    int64_t lo[3], hi[3], plo[CX_N_AXES], phi[CX_N_AXES];
    CxInferPorts ports = {.data = worker,
                          .fill = fill_row,
                          .take = take_row,
                          .watch = watch_row,
                          .fill_samples = fill_samples,
                          .take_logits = take_logits};

    if (!cx_job_step(run->job, atomic_load(&run->done), run->n_steps, error))
        return false;
    tile_range(run, item, lo, hi);
    program_range(run, lo, hi, plo, phi);
    worker->z = lo[Z];
    if (!cx_infer_run(worker->infer, plo, phi, NULL, &ports, run->job, error))
        return false;
    atomic_fetch_add(&run->done, 1);
    return true;
}

/* Largest tile within the memory of a worker; then smaller until every
 * thread has one. */
static void
choose_tiles(Run *run, CxInfer *infer)
{
    const CxPredictor *predictor = run->predictor;
    bool flat = predictor->network->dims == 2;
    int64_t most[3] = {flat ? 1024 : 160, flat ? 4096 : 160, flat ? 1 : 512};
    int64_t n_items;

    for (unsigned a = 0; a < 3; a++) {
        int64_t wanted = component(predictor->tile, a);

        if (wanted > 0 && !(flat && a == Z))
            most[a] = wanted;
        most[a] = MIN(most[a], run->hi[a] - run->lo[a]);
    }
    for (;;) {
        int64_t lo[CX_N_AXES], hi[CX_N_AXES], end[3];
        unsigned largest = most[X] >= most[Y] ? X : Y;

        for (unsigned a = 0; a < 3; a++)
            end[a] = run->lo[a] + most[a];
        program_range(run, run->lo, end, lo, hi);
        if (component(predictor->tile, X) > 0 || most[largest] <= LEAST_TILE ||
            cx_infer_size_bytes(infer, lo, hi) <= MAX_WORKER_BYTES)
            break;
        most[largest] = (most[largest] + 1) / 2;
    }
    for (;;) {
        n_items = 1;
        for (unsigned a = 0; a < 3; a++) {
            run->n_tiles[a] = (run->hi[a] - run->lo[a] + most[a] - 1) / most[a];
            n_items *= run->n_tiles[a];
        }
        if (component(predictor->tile, X) > 0 || most[Y] <= LEAST_TILE ||
            n_items >= predictor->n_threads)
            break;
        most[Y] = (most[Y] + 1) / 2;
    }
}

static CxInfer *
take_infer(CxPredictor *predictor)
{
    CxInfer *infer = NULL;

    g_mutex_lock(&predictor->lock);
    if (predictor->idle->len > 0)
        infer =
            g_ptr_array_steal_index(predictor->idle, predictor->idle->len - 1);
    g_mutex_unlock(&predictor->lock);
    return infer != NULL
               ? infer
               : cx_infer_new(predictor->program, &predictor->kernels);
}

static void
init_workers(Run *run)
{
    CxPredictor *predictor = run->predictor;
    size_t n_channels = (size_t)predictor->network->input_sections;

    run->workers = g_new0(Worker, predictor->n_threads);
    for (unsigned i = 0; i < predictor->n_threads; i++) {
        Worker *worker = &run->workers[i];

        worker->run = run;
        worker->infer = take_infer(predictor);
        worker->tables = g_malloc_n(n_channels, sizeof *worker->tables);
        worker->narrow = g_malloc_n(n_channels, sizeof *worker->narrow);
        worker->table_z = g_new(int64_t, n_channels);
        for (size_t c = 0; c < n_channels; c++)
            worker->table_z[c] = -1;
    }
}

static void
clear_workers(Run *run)
{
    CxPredictor *predictor = run->predictor;

    g_mutex_lock(&predictor->lock);
    for (unsigned i = 0; i < predictor->n_threads; i++) {
        g_ptr_array_add(predictor->idle, run->workers[i].infer);
        g_free(run->workers[i].tables);
        g_free(run->workers[i].narrow);
        g_free(run->workers[i].table_z);
        g_free(run->workers[i].x_offsets);
    }
    g_mutex_unlock(&predictor->lock);
    g_free(run->workers);
}

static void
set_view(Run *run, unsigned view)
{
    const CxNetwork *network = run->predictor->network;

    run->view = view;
    for (unsigned a = 0; a < 3; a++) {
        run->lo[a] = component(run->box.lo, view_axes[view][a]);
        run->hi[a] = component(run->box.hi, view_axes[view][a]);
    }
    for (unsigned c = 0; c < network->n_outputs; c++)
        run->from_channel[c] = cx_network_turned_channel(network, view, c);
    choose_tiles(run, run->workers[0].infer);
}

static size_t
n_tiles(const Run *run)
{
    return (size_t)(run->n_tiles[X] * run->n_tiles[Y] * run->n_tiles[Z]);
}

static bool
run_views(Run *run, GError **error)
{
    unsigned end = run->first_view + run->n_views;
    bool ok = true;

    init_workers(run);
    for (unsigned view = run->first_view; view < end; view++) {
        set_view(run, view);
        run->n_steps += n_tiles(run);
    }
    for (unsigned view = run->first_view; view < end && ok; view++) {
        set_view(run, view);
        ok = cx_parallel_for(run->predictor->n_threads, n_tiles(run), run_tile,
                             run, NULL, error);
    }
    clear_workers(run);
    return ok && cx_job_step(run->job, run->n_steps, run->n_steps, error);
}

/* The halo on real axes; that of several views is the same on all. */
static CxVoxel
turned_halo(const CxNetwork *network, unsigned view)
{
    CxVoxel halo = cx_network_halo(network);

    if (view == 1)
        return (CxVoxel){halo.y, halo.z, halo.x};
    return view == 2 ? (CxVoxel){halo.z, halo.x, halo.y} : halo;
}

/* What of the volume the box and its halo need; mirrored voxels lie inside. */
static CxChunk *
read_input(Run *run, GError **error)
{
    CxPredictor *predictor = run->predictor;
    CxVoxel halo = turned_halo(predictor->network, run->first_view);
    CxBox bounds = cx_volume_bounds(predictor->volume, 0);
    CxBox need = cx_box_intersect(cx_box_grow(run->box, halo), bounds);
    CxVoxel size = cx_box_size(need);

    run->input_lo[X] = need.lo.x;
    run->input_lo[Y] = need.lo.y;
    run->input_lo[Z] = need.lo.z;
    run->input_stride[X] = 1;
    run->input_stride[Y] = size.x;
    run->input_stride[Z] = size.x * size.y;
    if (!cx_normalise_prepare(predictor->normalise, need.lo.z, need.hi.z,
                              run->job, error))
        return NULL;
    return cx_volume_read_u8(predictor->volume, 0, need, run->job, error);
}

static void
set_output(Run *run, CxBox over)
{
    CxVoxel size = cx_box_size(over);

    run->out_lo[X] = over.lo.x;
    run->out_lo[Y] = over.lo.y;
    run->out_lo[Z] = over.lo.z;
    run->out_stride[X] = 1;
    run->out_stride[Y] = size.x;
    run->out_stride[Z] = size.x * size.y;
    run->out_channel = size.x * size.y * size.z;
}

/* The mean of three views, from their sums over the run's box. */
static void
round_sums(const Run *run, CxChunk *result)
{
    CxBox whole = cx_chunk_box(result);
    size_t n_voxels = cx_chunk_n_voxels(result);
    size_t width = (size_t)(run->box.hi.x - run->box.lo.x);
    const uint16_t *sum = run->sum;

    for (unsigned c = 0; c < run->predictor->network->n_outputs; c++)
        for (int64_t z = run->box.lo.z; z < run->box.hi.z; z++)
            for (int64_t y = run->box.lo.y; y < run->box.hi.y; y++) {
                uint8_t *to =
                    (uint8_t *)cx_chunk_data_mut(result) + c * n_voxels +
                    cx_box_offset(whole, (CxVoxel){run->box.lo.x, y, z});

                for (size_t x = 0; x < width; x++)
                    to[x] = (uint8_t)((sum[x] * 255u + 32767u) / 65535u);
                sum += width;
            }
}

static CxBox
half_of(CxBox box, unsigned half)
{
    CxVoxel size = cx_box_size(box);
    int64_t *lo = &box.lo.z, *hi = &box.hi.z;

    if (size.x >= size.y && size.x >= size.z)
        lo = &box.lo.x, hi = &box.hi.x;
    else if (size.y >= size.z)
        lo = &box.lo.y, hi = &box.hi.y;
    int64_t middle = *lo + (*hi - *lo) / 2;
    *(half == 0 ? hi : lo) = middle;
    return box;
}

/* Fills the part of the result that is over the box. */
static bool
predict(const Run *like, CxBox box, CxChunk *result, GError **error)
{
    CxPredictor *predictor = like->predictor;
    Run run = *like;
    CxVoxel size = cx_volume_level(predictor->volume, 0).size;
    size_t n_sums = 0;
    CX_AUTOFREE uint16_t *sum = NULL;

    run.box = box;
    if (run.n_views > 1) {
        CxVoxel extent = cx_box_size(box);

        n_sums = predictor->network->n_outputs * (size_t)extent.x *
                 (size_t)extent.y * (size_t)extent.z;
        if (n_sums * sizeof *sum > MAX_SUM_BYTES &&
            MAX(extent.x, MAX(extent.y, extent.z)) > 1)
            return predict(like, half_of(box, 0), result, error) &&
                   predict(like, half_of(box, 1), result, error);
        sum = cx_try_alloc0(n_sums, sizeof *sum, error);
        if (sum == NULL)
            return false;
    }
    for (unsigned a = 0; a < 3; a++)
        run.size[a] = component(size, a);
    g_autoptr(CxChunk) input = read_input(&run, error);
    if (input == NULL)
        return false;
    run.input = input;
    run.out = cx_chunk_data_mut(result);
    run.sum = sum;
    set_output(&run, sum != NULL ? box : cx_chunk_box(result));
    if (!run_views(&run, error))
        return false;
    if (sum != NULL)
        round_sums(&run, result);
    return true;
}

static CxChunk *
run_over(const Run *like, CxBox box, GError **error)
{
    CxPredictor *predictor = like->predictor;
    CxBox bounds = cx_volume_bounds(predictor->volume, 0);

    if (cx_box_is_empty(box) || !cx_box_contains_box(bounds, box)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the box to predict is empty or reaches outside of %s",
                    cx_volume_spec(predictor->volume));
        return NULL;
    }
    g_autoptr(CxChunk) result = cx_chunk_new(
        CX_DTYPE_U8, box, cx_network_n_outputs(predictor->network), error);
    if (result == NULL || !predict(like, box, result, error))
        return NULL;
    return g_steal_pointer(&result);
}

CxChunk *
cx_predictor_run(CxPredictor *predictor, CxBox box, CxJob *job, GError **error)
{
    Run run = {.predictor = predictor,
               .job = job,
               .n_views = (unsigned)predictor->network->views};

    return run_over(&run, box, error);
}

CxChunk *
cx_predictor_run_cut(CxPredictor *predictor, CxBox box, unsigned axis,
                     CxJob *job, GError **error)
{
    bool flat = predictor->network->dims == 2;
    Run run = {.predictor = predictor,
               .job = job,
               .first_view = flat ? Z - axis : 0,
               .n_views = 1};

    g_assert(cx_network_can_cut(predictor->network, axis));
    return run_over(&run, box, error);
}

/* One volume more for the calibrator, whose program is as good as that of the
 * predictor. */
static bool
watch_volume(CxPredictor *predictor, CxCalibrator *calibrator, CxBox box,
             CxJob *job, GError **error)
{
    predictor->calibrator = calibrator;
    g_autoptr(CxChunk) result = cx_predictor_run(predictor, box, job, error);
    return result != NULL;
}

bool
cx_predictor_calibrate(CxNetwork *network, CxVolume *const *volumes,
                       const CxBox *boxes, size_t n, unsigned n_threads,
                       CxJob *job, GError **error)
{
    CxPredictorOptions options = {.n_threads = n_threads};
    g_autoptr(CxProgram) program = cx_program_new(network, CX_LAYER_F32, error);

    if (program == NULL)
        return false;
    g_autoptr(CxCalibrator) calibrator = cx_calibrator_new(program);
    for (size_t i = 0; i < n; i++) {
        g_autoptr(CxPredictor) predictor =
            cx_predictor_new(network, volumes[i], &options, error);

        if (predictor == NULL ||
            !watch_volume(predictor, calibrator, boxes[i], job, error))
            return false;
    }
    return cx_calibrator_apply(calibrator, network, error);
}
