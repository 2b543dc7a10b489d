/* One batch through a CxRetinaCnn, forwards and backwards.
 *
 * Frames as lanes: with stride s frame j of a run (counted from its first
 * window's first frame) is lane (j % s) * per_group + j / s.  Window k at lag h
 * sees frame k s + h, which is lane (h % s) * per_group + h / s + k: rows of
 * neighbouring lanes for every lag.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/jobs/parallel.h"
#include "core/retina/retina_batch_private.h"

#include <math.h>
#include <string.h>

#define RUN CX_RETINA_RUN
#define NOISE 65536
#define BLOCK 32 /* frequencies of an item */

/* ---- memory ----------------------------------------------------------- */

static bool
take(float **memory, size_t n, size_t runs, GError **error)
{
    if (n > SIZE_MAX / 64 / runs) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "a batch of %zu runs is too large, expected fewer", runs);
        return false;
    }
    *memory = cx_try_alloc(n * runs, sizeof **memory, error);
    return *memory != NULL;
}

static size_t
frames_a_group(const CxRetinaBatch *batch)
{
    size_t history = batch->net->shape.history;

    return RUN + (history - 1) / batch->options.stride;
}

/* Rows of channels [channel][frequency][ri][lane]. */
static size_t *
channel_table(size_t n_channels, size_t n_frequencies)
{
    size_t *at = g_new(size_t, 2 * n_channels);

    for (size_t i = 0; i < 2 * n_channels; i++)
        at[i] = (i / 2 * n_frequencies * 2 + i % 2) * RUN;
    return at;
}

static size_t *
film_table(const CxRetinaBatch *batch)
{
    size_t history = batch->net->shape.history, s = batch->options.stride;
    size_t *at = g_new(size_t, 2 * history);

    for (size_t i = 0; i < 2 * history; i++)
        at[i] = i % 2 * batch->frames + i / 2 % s * frames_a_group(batch) +
                i / 2 / s;
    return at;
}

static bool
take_pass(CxRetinaBatch *batch, unsigned layer, GError **error)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];
    const CxPlaneConv *conv = batch->net->convs[layer];
    CxRetinaPass *p = &batch->passes[layer];
    size_t runs = batch->options.n_runs, units = l->n_units * RUN;
    size_t n_norms = cx_retina_n_norms(batch->net, layer);

    p->n_frequencies = cx_plane_dft_n_frequencies(cx_plane_conv_dft(conv));
    size_t plane = p->n_frequencies * 2;
    p->in_at = layer == 0 ? film_table(batch)
                          : channel_table(l->n_in, p->n_frequencies);
    p->out_at = channel_table(l->n_out, p->n_frequencies);
    p->in_frequency = 2 * (layer == 0 ? batch->frames : RUN);
    p->in_run = layer == 0 ? plane * batch->frames : l->n_in * plane * RUN;
    p->out_run = l->n_out * plane * RUN;
    return take(&p->in, p->in_run, runs, error) &&
           take(&p->out, p->out_run, runs, error) &&
           take(&p->z, units, runs, error) && take(&p->a, units, runs, error) &&
           take(&p->d, units, runs, error) &&
           take(&p->gradient, cx_plane_conv_gradient_size(conv), 1, error) &&
           take(&p->mean, n_norms, 1, error) &&
           take(&p->scale, n_norms, 1, error) &&
           take(&p->inverse, n_norms, 1, error);
}

static bool
take_scratch(CxRetinaBatch *batch, GError **error)
{
    const CxRetinaLayer *l = batch->net->layers;
    size_t n = 0;

    for (unsigned i = 0; i < CX_RETINA_N_LAYERS; i++) {
        const CxPlaneConv *conv = batch->net->convs[i];
        size_t lanes = i == 0 ? batch->frames : RUN;

        n = MAX(n, cx_plane_conv_chunk_scratch(conv));
        n = MAX(n, cx_plane_dft_scratch(cx_plane_conv_dft(conv), lanes) +
                       l[i].in_y * l[i].in_x * lanes);
    }
    batch->scratch = g_new0(float *, batch->options.n_threads);
    for (unsigned i = 0; i < batch->options.n_threads; i++)
        if (!take(&batch->scratch[i], n, 1, error))
            return false;
    return true;
}

CxRetinaBatch *
cx_retina_batch_new(CxRetinaCnn *net, const CxRetinaBatchOptions *options,
                    GError **error)
{
    g_autoptr(CxRetinaBatch) batch = g_new0(CxRetinaBatch, 1);
    CxRng rng;

    batch->net = net;
    batch->options = *options;
    batch->frames = frames_a_group(batch) * options->stride;
    batch->frames = (batch->frames + RUN - 1) / RUN * RUN;
    for (unsigned i = 0; i < CX_RETINA_N_LAYERS; i++)
        if (!take_pass(batch, i, error))
            return NULL;
    if (!take_scratch(batch, error) ||
        !take(&batch->values, net->n_values, 1, error) ||
        !take(&batch->table, NOISE + RUN, 1, error))
        return NULL;
    memset(batch->values, 0, net->n_values * sizeof *batch->values);
    batch->sums =
        g_new0(CxRetinaSums, options->n_runs * (size_t)net->shape.n_maps);
    cx_rng_init(&rng, options->seed);
    for (size_t i = 0; i < NOISE + RUN; i++)
        batch->table[i] = options->noise * (float)cx_rng_normal(&rng);
    return g_steal_pointer(&batch);
}

void
cx_retina_batch_free(CxRetinaBatch *batch)
{
    if (batch == NULL)
        return;
    for (unsigned i = 0; i < CX_RETINA_N_LAYERS; i++) {
        CxRetinaPass *p = &batch->passes[i];

        g_free(p->in_at);
        g_free(p->out_at);
        cx_free(p->in);
        cx_free(p->out);
        cx_free(p->z);
        cx_free(p->a);
        cx_free(p->d);
        cx_free(p->gradient);
        cx_free(p->mean);
        cx_free(p->scale);
        cx_free(p->inverse);
    }
    for (unsigned i = 0; batch->scratch != NULL && i < batch->options.n_threads;
         i++)
        cx_free(batch->scratch[i]);
    g_free(batch->scratch);
    cx_free(batch->values);
    cx_free(batch->table);
    g_free(batch->sums);
    g_free(batch);
}

const float *
cx_retina_batch_gradient(const CxRetinaBatch *batch)
{
    return batch->values;
}

/* ---- phases over runs ------------------------------------------------- */

/* The film of a run as lanes, into memory; lanes without a frame are grey. */
static void
pack_film(const CxRetinaBatch *batch, size_t run, float *film)
{
    const CxRetinaRun *r = &batch->runs[run];
    const CxMovie *movie = batch->data->clips[r->clip].movie;
    const CxRetinaLayer *l = &batch->net->layers[0];
    size_t s = batch->options.stride, area = l->in_y * l->in_x;
    size_t n = (RUN - 1) * s + l->n_in, frames = batch->frames;

    memset(film, 0, area * frames * sizeof *film);
    for (size_t i0 = 0; i0 < area; i0 += RUN)
        for (size_t j = 0; j < n; j++) {
            const float *frame = cx_movie_frame(movie, r->first + j);
            size_t lane = j % s * frames_a_group(batch) + j / s;

            for (size_t i = i0; i < MIN(i0 + RUN, area); i++)
                film[i * frames + lane] =
                    frame[movie->height == 1 ? i % l->in_x : i];
        }
}

static void
pack_targets(const CxRetinaBatch *batch, size_t run)
{
    const CxRetinaRun *r = &batch->runs[run];
    const CxRetinaClip *clip = &batch->data->clips[r->clip];
    size_t units = batch->net->layers[2].n_units;
    float *to = batch->passes[2].a + run * units * RUN;

    for (size_t k = 0; k < RUN; k++) {
        size_t t = r->first + k * batch->options.stride;
        const float *from =
            clip->target + (t + batch->net->shape.history) * units;

        for (size_t i = 0; i < units; i++)
            to[i * RUN + k] = from[i];
    }
}

static void
transform_film(CxRetinaBatch *batch, size_t run, float *scratch)
{
    const CxRetinaLayer *l = &batch->net->layers[0];
    const CxRetinaPass *p = &batch->passes[0];
    float *film = scratch, *rest = film + l->in_y * l->in_x * batch->frames;

    pack_film(batch, run, film);
    cx_plane_dft_forward(cx_plane_conv_dft(batch->net->convs[0]),
                         &batch->net->kernels, film, l->in_y, l->in_x,
                         batch->frames, p->in + run * p->in_run, rest);
    pack_targets(batch, run);
}

/* Planes [channel][y][x] of a run to spectra, or back. */
typedef struct {
    float *planes, *spectra;
    size_t n, y, x;
} Planes;

static void
to_spectra(const CxRetinaBatch *batch, unsigned layer, const Planes *planes,
           float *scratch)
{
    const CxPlaneDft *dft = cx_plane_conv_dft(batch->net->convs[layer]);
    size_t size = 2 * batch->passes[layer].n_frequencies * RUN;

    for (size_t c = 0; c < planes->n; c++)
        cx_plane_dft_forward(dft, &batch->net->kernels,
                             planes->planes + c * planes->y * planes->x * RUN,
                             planes->y, planes->x, RUN,
                             planes->spectra + c * size, scratch);
}

static void
from_spectra(const CxRetinaBatch *batch, unsigned layer, const Planes *planes,
             float *scratch)
{
    const CxPlaneDft *dft = cx_plane_conv_dft(batch->net->convs[layer]);
    size_t size = 2 * batch->passes[layer].n_frequencies * RUN;

    for (size_t c = 0; c < planes->n; c++)
        cx_plane_dft_inverse(
            dft, &batch->net->kernels, planes->spectra + c * size, planes->y,
            planes->x, RUN, planes->planes + c * planes->y * planes->x * RUN,
            scratch);
}

/* The input side of a layer (planes: of the layer before) or its output. */
static Planes
input_of(const CxRetinaBatch *batch, unsigned layer, size_t run, float *planes)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];
    const CxRetinaPass *p = &batch->passes[layer];

    return (Planes){planes + run * batch->net->layers[layer - 1].n_units * RUN,
                    p->in + run * p->in_run, l->n_in, l->in_y, l->in_x};
}

static Planes
output_of(const CxRetinaBatch *batch, unsigned layer, size_t run, float *planes)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];
    const CxRetinaPass *p = &batch->passes[layer];

    return (Planes){planes + run * l->n_units * RUN, p->out + run * p->out_run,
                    l->n_out, l->out_y, l->out_x};
}

/* ---- the order of things ---------------------------------------------- */

typedef enum {
    PHASE_WEIGHTS,   /* a chunk of kernels to spectra */
    PHASE_FILM,      /* a run's film to spectra */
    PHASE_PRODUCT,   /* frequencies: out from in */
    PHASE_INVERT,    /* a run: out to z */
    PHASE_RELU,      /* units: z to a */
    PHASE_TRANSFORM, /* a run: a of the layer before to in */
    PHASE_LOSS,      /* a run: logits to slopes */
    PHASE_SLOPES,    /* a run: d to out */
    PHASE_BACK,      /* frequencies: weights' gradient, then in from out */
    PHASE_RETURN,    /* a run: in to d of the layer before */
    PHASE_UNRELU,    /* units: d over a to d over z */
    PHASE_GRADIENT,  /* a chunk of kernels from spectra */
} Phase;

typedef struct {
    CxRetinaBatch *batch;
    Phase phase;
    unsigned layer;
} Work;

static CxPlaneRun
run_of(const CxRetinaBatch *batch, unsigned layer, size_t item)
{
    const CxRetinaPass *p = &batch->passes[layer];

    return (CxPlaneRun){
        .first = item * BLOCK,
        .last = MIN((item + 1) * BLOCK, p->n_frequencies),
        .lanes = RUN,
        .n_tiles = batch->options.n_runs,
        .in = {p->in, p->in_at, p->in_frequency, p->in_run},
        .out = {p->out, p->out_at, 2 * RUN, p->out_run},
    };
}

static void
back(CxRetinaBatch *batch, unsigned layer, size_t item)
{
    const CxPlaneConv *conv = batch->net->convs[layer];
    CxPlaneRun run = run_of(batch, layer, item);

    cx_plane_conv_gradient(conv, &batch->net->kernels, &run,
                           batch->passes[layer].gradient);
    if (layer > 0)
        cx_plane_conv_adjoint(conv, &batch->net->kernels, &run);
}

static void
invert(CxRetinaBatch *batch, unsigned layer, size_t run, float *scratch)
{
    Planes planes = output_of(batch, layer, run, batch->passes[layer].z);

    from_spectra(batch, layer, &planes, scratch);
    if (layer == 2)
        cx_retina_batch_sum_cells(batch, run);
}

/* Slopes to spectra; those of the cells still have to pass the norm. */
static void
slopes(CxRetinaBatch *batch, unsigned layer, size_t run, float *scratch)
{
    Planes planes = output_of(batch, layer, run, batch->passes[layer].d);

    if (layer == 2)
        cx_retina_batch_unnorm_cells(batch, run);
    to_spectra(batch, layer, &planes, scratch);
}

static void
chunk(CxRetinaBatch *batch, unsigned layer, bool gradient, size_t item,
      float *scratch)
{
    CxPlaneConv *conv = batch->net->convs[layer];

    if (gradient)
        cx_plane_conv_gradient_chunk(
            conv, &batch->net->kernels, batch->passes[layer].gradient, item,
            cx_retina_batch_gradient_of(batch, layer, CX_RETINA_WEIGHT),
            scratch);
    else
        cx_plane_conv_set_chunk(
            conv, &batch->net->kernels,
            cx_retina_values(batch->net, layer, CX_RETINA_WEIGHT), item,
            scratch);
}

static bool
do_item(size_t item, unsigned worker, void *data, GError **error)
{
    const Work *work = data;
    CxRetinaBatch *batch = work->batch;
    unsigned layer = work->layer;
    float *scratch = batch->scratch[worker];
    CxPlaneRun run = run_of(batch, layer, item);
    Planes planes = {0};

    switch (work->phase) {
    case PHASE_WEIGHTS:
    case PHASE_GRADIENT:
        chunk(batch, layer, work->phase == PHASE_GRADIENT, item, scratch);
        break;
    case PHASE_FILM:
        transform_film(batch, item, scratch);
        break;
    case PHASE_PRODUCT:
        cx_plane_conv_forward(batch->net->convs[layer], &batch->net->kernels,
                              &run);
        break;
    case PHASE_INVERT:
        invert(batch, layer, item, scratch);
        break;
    case PHASE_RELU:
        cx_retina_batch_relu(batch, layer, item);
        break;
    case PHASE_TRANSFORM:
        planes = input_of(batch, layer, item, batch->passes[layer - 1].a);
        to_spectra(batch, layer, &planes, scratch);
        break;
    case PHASE_LOSS:
        cx_retina_batch_loss(batch, item);
        break;
    case PHASE_SLOPES:
        slopes(batch, layer, item, scratch);
        break;
    case PHASE_BACK:
        back(batch, layer, item);
        break;
    case PHASE_RETURN:
        planes = input_of(batch, layer, item, batch->passes[layer - 1].d);
        from_spectra(batch, layer, &planes, scratch);
        break;
    case PHASE_UNRELU:
        cx_retina_batch_unrelu(batch, layer, item);
        break;
    }
    return true;
}

static size_t
n_items(const CxRetinaBatch *batch, Phase phase, unsigned layer)
{
    if (phase == PHASE_WEIGHTS || phase == PHASE_GRADIENT)
        return cx_plane_conv_n_chunks(batch->net->convs[layer]);
    if (phase == PHASE_PRODUCT || phase == PHASE_BACK)
        return (batch->passes[layer].n_frequencies + BLOCK - 1) / BLOCK;
    if (phase == PHASE_RELU || phase == PHASE_UNRELU)
        return cx_retina_batch_n_norm_items(batch, layer);
    return batch->options.n_runs;
}

static void
run_phase(CxRetinaBatch *batch, Phase phase, unsigned layer)
{
    Work work = {batch, phase, layer};

    /* nothing in it fails, and nobody can stop it half way */
    (void)cx_parallel_for(batch->options.n_threads,
                          n_items(batch, phase, layer), do_item, &work, NULL,
                          NULL);
}

static void
forwards(CxRetinaBatch *batch)
{
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++)
        run_phase(batch, PHASE_WEIGHTS, l);
    run_phase(batch, PHASE_FILM, 0);
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        if (l > 0)
            run_phase(batch, PHASE_TRANSFORM, l);
        run_phase(batch, PHASE_PRODUCT, l);
        run_phase(batch, PHASE_INVERT, l);
        if (l < 2)
            run_phase(batch, PHASE_RELU, l);
    }
    cx_retina_batch_norm_cells(batch);
    run_phase(batch, PHASE_LOSS, 2);
}

static void
backwards(CxRetinaBatch *batch)
{
    for (unsigned l = CX_RETINA_N_LAYERS; l-- > 0;) {
        if (l < 2)
            run_phase(batch, PHASE_UNRELU, l);
        run_phase(batch, PHASE_SLOPES, l);
        run_phase(batch, PHASE_BACK, l);
        if (l > 0)
            run_phase(batch, PHASE_RETURN, l);
        run_phase(batch, PHASE_GRADIENT, l);
    }
}

/* Gradient of the bias from what unrelu left a unit; decay of the kernels.
 * Returns the price of the kernels. */
static double
finish_gradient(CxRetinaBatch *batch)
{
    float l2 = batch->options.l2;
    double price = 0.0;

    for (unsigned l = 0; l < 2; l++) {
        const CxRetinaLayer *layer = &batch->net->layers[l];
        const float *w = cx_retina_values(batch->net, l, CX_RETINA_WEIGHT);
        float *dw = cx_retina_batch_gradient_of(batch, l, CX_RETINA_WEIGHT);
        float *db = cx_retina_batch_gradient_of(batch, l, CX_RETINA_BIAS);
        float *by_unit = cx_retina_batch_gradient_of(batch, l, CX_RETINA_MEAN);
        size_t area = layer->out_y * layer->out_x;
        size_t n = batch->net->tensors[l * CX_RETINA_TENSORS_A_LAYER].n;

        for (size_t o = 0; o < layer->n_out; o++) {
            double sum = 0.0;

            for (size_t u = o * area; u < (o + 1) * area; u++)
                sum += (double)by_unit[u];
            db[o] = (float)sum;
        }
        memset(by_unit, 0, layer->n_units * sizeof *by_unit);
        for (size_t i = 0; i < n; i++) {
            price += (double)l2 * (double)w[i] * (double)w[i];
            dw[i] += 2.0f * l2 * w[i];
        }
    }
    return price;
}

double
cx_retina_batch_run(CxRetinaBatch *batch, const CxRetinaData *data,
                    const CxRetinaRun *runs, uint64_t step)
{
    batch->data = data;
    batch->runs = runs;
    batch->step = step;
    forwards(batch);
    double loss = cx_retina_batch_total(batch);
    backwards(batch);
    return loss + finish_gradient(batch);
}
