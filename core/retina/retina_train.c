/* Trains a CxRetinaCnn.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/retina_train.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/jobs/parallel.h"
#include "core/nn/adam.h"
#include "core/retina/retina_batch.h"

#include <math.h>

#define REFUSE(...)                                                            \
    (g_set_error(error, CX_ERROR, CX_ERROR_INVALID, __VA_ARGS__), false)

/* Options with their defaults filled in. */
static CxRetinaTrainOptions
complete(const CxRetinaTrainOptions *given)
{
    CxRetinaTrainOptions o = given != NULL ? *given : (CxRetinaTrainOptions){0};

    o.epochs = o.epochs > 0 ? o.epochs : 20;
    o.batch = o.batch > 0 ? o.batch : 512;
    o.stride = o.stride > 0 ? o.stride : 2;
    o.rate = o.rate > 0.0 ? o.rate : 1e-2;
    o.rate_end = o.rate_end > 0.0 ? o.rate_end : o.rate / 50.0;
    o.warm_up = o.warm_up > 0.0 ? o.warm_up : 0.02;
    o.noise = o.noise < 0.0 ? 0.0 : o.noise > 0.0 ? o.noise : 0.05;
    o.clip = o.clip > 0.0 ? o.clip : 10.0;
    o.norm_momentum = o.norm_momentum > 0.0 ? o.norm_momentum : 0.05;
    o.n_threads = cx_parallel_n_threads(o.n_threads);
    return o;
}

/* ---- runs of windows -------------------------------------------------- */

/* Windows of a clip with a target that may be learnt from: [*from, *to). */
static void
windows_of(const CxRetinaCnn *net, const CxRetinaClip *clip, size_t *from,
           size_t *to)
{
    size_t history = net->shape.history;

    *from = clip->first > history ? clip->first - history : 0;
    *to = cx_retina_cnn_n_windows(net, clip->movie->n_frames);
}

static bool
check_data(const CxRetinaCnn *net, const CxRetinaData *data, unsigned stride,
           const char *what, GError **error)
{
    const CxRetinaShape *s = &net->shape;

    if (data->n_clips == 0)
        return REFUSE("there are no %s films, expected at least one", what);
    for (size_t i = 0; i < data->n_clips; i++) {
        const CxMovie *movie = data->clips[i].movie;
        size_t from, to, least = (CX_RETINA_RUN - 1) * stride + 1;

        if (movie->width != s->width ||
            (movie->height != s->height && movie->height != 1))
            return REFUSE("%s film %zu is %zu x %zu pixels (x, y), expected "
                          "%u x %u as the network",
                          what, i, movie->width, movie->height, s->width,
                          s->height);
        windows_of(net, &data->clips[i], &from, &to);
        if (to < from + least)
            return REFUSE("%s film %zu has %zu frames, expected at least %zu "
                          "for a run of %d windows %u frames apart",
                          what, i, movie->n_frames,
                          movie->n_frames - MIN(to, movie->n_frames) + from +
                              least,
                          CX_RETINA_RUN, stride);
    }
    return true;
}

/* The runs of an epoch: each clip from a random window on, end to end; all in
 * random order.  GArray of CxRetinaRun. */
static GArray *
draw_runs(const CxRetinaCnn *net, const CxRetinaData *data, unsigned stride,
          CxRng *rng)
{
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(CxRetinaRun));
    size_t length = (size_t)CX_RETINA_RUN * stride;

    for (size_t i = 0; i < data->n_clips; i++) {
        size_t from, to;

        windows_of(net, &data->clips[i], &from, &to);
        size_t n = MAX((to - from + stride - 1) / length, 1);
        size_t used = (n - 1) * length + (CX_RETINA_RUN - 1) * stride + 1;
        size_t first = from + cx_rng_below(rng, to - from - used + 1);

        for (size_t k = 0; k < n; k++) {
            CxRetinaRun run = {(uint32_t)i, first + k * length};

            g_array_append_val(runs, run);
        }
    }
    CxRetinaRun *all = (CxRetinaRun *)(void *)runs->data;
    for (size_t i = runs->len; i > 1; i--) {
        size_t k = cx_rng_below(rng, i);
        CxRetinaRun old = all[i - 1];

        all[i - 1] = all[k];
        all[k] = old;
    }
    return runs;
}

/* ---- how good it is --------------------------------------------------- */

/* Sums for Pearson's r. */
typedef struct {
    double n, a, b, aa, bb, ab;
} Moments;

static void
add(Moments *m, double a, double b)
{
    m->n += 1.0;
    m->a += a, m->b += b;
    m->aa += a * a, m->bb += b * b, m->ab += a * b;
}

static double
correlation(const Moments *m)
{
    double aa = m->aa - m->a * m->a / m->n, bb = m->bb - m->b * m->b / m->n;

    return m->n > 1.0 && aa > 0.0 && bb > 0.0
               ? (m->ab - m->a * m->b / m->n) / sqrt(aa * bb)
               : 0.0;
}

typedef struct {
    Moments all, *places;
    double loss;
} Score;

static void
add_clip(const CxRetinaCnn *net, const CxRetinaClip *clip, const float *rates,
         Score *score)
{
    size_t units = net->layers[2].n_units, from, to;

    windows_of(net, clip, &from, &to);
    for (size_t w = from; w < to; w++) {
        const float *target = clip->target + (w + net->shape.history) * units;

        for (size_t i = 0; i < units; i++) {
            double rate = (double)rates[w * units + i];
            double y = (double)target[i];

            if (isnan(y))
                continue;
            add(&score->all, rate, y);
            add(&score->places[i], rate, y);
            score->loss += rate - y * log(fmax(rate, 1e-6));
        }
    }
}

static bool
validate(const CxRetinaCnn *net, const CxRetinaData *data,
         const CxRetinaTrainOptions *options, CxRetinaEpoch *epoch, CxJob *job,
         GError **error)
{
    size_t units = net->layers[2].n_units;
    g_autofree Moments *places = g_new0(Moments, units);
    Score score = {.places = places};
    double sum = 0.0;

    for (size_t i = 0; i < data->n_clips; i++) {
        const CxRetinaClip *clip = &data->clips[i];
        size_t n = cx_retina_cnn_n_windows(net, clip->movie->n_frames);
        CX_AUTOFREE float *rates =
            cx_try_alloc(n * units, sizeof *rates, error);

        if (rates == NULL ||
            !cx_retina_cnn_respond_maps(net, clip->movie, NULL,
                                        options->n_threads, rates, NULL,
                                        error) ||
            !cx_job_check(job, error))
            return false;
        add_clip(net, clip, rates, &score);
    }
    for (size_t i = 0; i < units; i++)
        sum += correlation(&places[i]);
    epoch->valid_loss = score.loss / fmax(score.all.n, 1.0);
    epoch->valid_r = correlation(&score.all);
    epoch->valid_cell_r = sum / (double)units;
    return true;
}

/* ---- steps ------------------------------------------------------------ */

typedef struct {
    CxRetinaCnn *net;
    const CxRetinaData *train, *valid;
    CxRetinaTrainOptions options;
    CxRetinaBatch *batch;
    unsigned n_runs; /* of a batch */
    CxAdam *adam;
    uint64_t step, n_steps;
    CxJob *job;
} Training;

/* A straight rise, then half a cosine. */
static double
rate_at(const Training *t)
{
    const CxRetinaTrainOptions *o = &t->options;
    double at = (double)t->step / (double)t->n_steps;

    if (at < o->warm_up)
        return o->rate * (at / o->warm_up + 1.0 / (double)t->n_steps);
    double along = (at - o->warm_up) / (1.0 - o->warm_up);
    return o->rate_end +
           0.5 * (o->rate - o->rate_end) * (1.0 + cos(G_PI * along));
}

/* *loss: the mean over the epoch. */
static bool
run_epoch(Training *t, const GArray *runs, double *loss, GError **error)
{
    size_t n_batches = runs->len / t->n_runs;
    double sum = 0.0, n = 0.0;

    for (size_t b = 0; b < n_batches; b++, t->step++) {
        const CxRetinaRun *first =
            &g_array_index(runs, CxRetinaRun, b * t->n_runs);
        double one = cx_retina_batch_run(t->batch, t->train, first, t->step);

        if (!isnan(one)) { /* else it has no targets */
            if (!isfinite(one))
                return REFUSE("the loss of step %" G_GUINT64_FORMAT
                              " is not finite, expected a lower rate than %g",
                              t->step, t->options.rate);
            cx_adam_step(t->adam, t->net->values,
                         cx_retina_batch_gradient(t->batch), rate_at(t));
            sum += one;
            n += 1.0;
        }
        if (!cx_job_step(t->job, t->step + 1, t->n_steps, error))
            return false;
    }
    *loss = n > 0.0 ? sum / n : NAN;
    return true;
}

static bool
run_epochs(Training *t, CxRetinaEpochFunc on_epoch, void *user_data, CxRng *rng,
           GError **error)
{
    int64_t start = g_get_monotonic_time();

    for (unsigned e = 0; e < t->options.epochs; e++) {
        g_autoptr(GArray) runs =
            draw_runs(t->net, t->train, t->options.stride, rng);
        CxRetinaEpoch epoch = {.epoch = e + 1,
                               .n_epochs = t->options.epochs,
                               .rate = rate_at(t),
                               .valid_loss = NAN,
                               .valid_r = NAN,
                               .valid_cell_r = NAN};
        uint64_t before = t->step;
        int64_t began = g_get_monotonic_time();

        if (!run_epoch(t, runs, &epoch.train_loss, error))
            return false;
        double seconds = (double)(g_get_monotonic_time() - began) / 1e6;
        epoch.windows_per_s = (double)(t->step - before) * t->n_runs *
                              CX_RETINA_RUN / fmax(seconds, 1e-9);
        if (t->valid != NULL) {
            cx_retina_cnn_refresh(t->net);
            if (!validate(t->net, t->valid, &t->options, &epoch, t->job, error))
                return false;
        }
        epoch.seconds = (double)(g_get_monotonic_time() - start) / 1e6;
        if (on_epoch != NULL && !on_epoch(&epoch, user_data))
            break;
    }
    return true;
}

static bool
prepare(Training *t, GError **error)
{
    const CxRetinaTrainOptions *o = &t->options;
    unsigned features = cx_cpu_features();
    CxRng rng;

    if (!check_data(t->net, t->train, o->stride, "training", error) ||
        (t->valid != NULL &&
         !check_data(t->net, t->valid, 1, "held-out", error)))
        return false;
    if (!cx_cpu_cap(&features, o->isa))
        return REFUSE("there is no instruction set \"%s\", expected c, avx2, "
                      "avx512, vnni or amx",
                      o->isa);
    cx_kernels_fill(&t->net->kernels, features);
    cx_rng_init(&rng, o->seed);
    g_autoptr(GArray) runs = draw_runs(t->net, t->train, o->stride, &rng);
    t->n_runs = (o->batch + CX_RETINA_RUN - 1) / CX_RETINA_RUN;
    t->n_runs = MIN(t->n_runs, runs->len);
    t->n_steps = (uint64_t)(runs->len / t->n_runs) * o->epochs;
    CxRetinaBatchOptions options = {
        .n_runs = t->n_runs,
        .stride = o->stride,
        .n_threads = o->n_threads,
        .noise = (float)o->noise,
        .clip = (float)o->clip,
        .l1 = (float)o->l1,
        .l2 = (float)o->l2,
        .momentum = (float)o->norm_momentum,
        .batch_norm = !o->no_batch_norm,
        .by_channel = o->norm_by_channel,
        .seed = o->seed,
    };
    t->batch = cx_retina_batch_new(t->net, &options, error);
    if (t->batch == NULL)
        return false;
    t->adam = cx_adam_new(t->net->n_values, error);
    return t->adam != NULL;
}

bool
cx_retina_train(CxRetinaCnn *net, const CxRetinaData *train,
                const CxRetinaData *valid, const CxRetinaTrainOptions *options,
                CxRetinaEpochFunc on_epoch, void *user_data, CxJob *job,
                GError **error)
{
    Training t = {.net = net,
                  .train = train,
                  .valid = valid,
                  .options = complete(options),
                  .job = job};
    CxKernels kernels = net->kernels;
    CxRng rng;

    cx_rng_init(&rng, t.options.seed + 1);
    bool ok =
        prepare(&t, error) && run_epochs(&t, on_epoch, user_data, &rng, error);
    cx_retina_batch_free(t.batch);
    cx_adam_free(t.adam);
    net->kernels = kernels;
    cx_retina_cnn_refresh(net);
    return ok;
}
