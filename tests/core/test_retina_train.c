/* Training: gradients against differences of a loss in double, learning from a
 * known teacher, equal networks on any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/retina_train.h"

#include "core/base/error.h"
#include "core/retina/retina_batch.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

#define RUN CX_RETINA_RUN

/* ---- the slow twin: the loss of a batch in double ---------------------- */

typedef struct {
    const CxRetinaCnn *net;
    const CxRetinaData *data;
    const CxRetinaRun *runs;
    const CxRetinaBatchOptions *options;
    double *values; /* of all tensors, in their order */
} Twin;

static const double *
value_of(const Twin *twin, unsigned layer, unsigned which)
{
    return twin->values +
           (cx_retina_values(twin->net, layer, which) - twin->net->values);
}

/* out [window][unit] from in [window][channel][y][x]; owned. */
static double *
twin_conv(const Twin *twin, unsigned layer, const double *in, size_t n)
{
    const CxRetinaLayer *l = &twin->net->layers[layer];
    const double *w = value_of(twin, layer, CX_RETINA_WEIGHT);
    size_t n_in = l->n_in * l->in_y * l->in_x;
    double *out = g_new(double, n * l->n_units);

    for (size_t i = 0; i < n * l->n_units; i++) {
        size_t u = i % l->n_units, x = u % l->out_x;
        size_t y = u / l->out_x % l->out_y, o = u / l->out_x / l->out_y;
        const double *from = in + i / l->n_units * n_in;
        double sum = value_of(twin, layer, CX_RETINA_BIAS)[o];

        for (size_t c = 0; c < l->n_in; c++)
            for (size_t dy = 0; dy < l->kernel_y; dy++)
                for (size_t dx = 0; dx < l->kernel_x; dx++)
                    sum +=
                        w[((o * l->n_in + c) * l->kernel_y + dy) * l->kernel_x +
                          dx] *
                        from[(c * l->in_y + y + dy) * l->in_x + x + dx];
        out[i] = sum;
    }
    return out;
}

/* In place; group: units that share their normalisation, side by side. */
static void
twin_norm(const Twin *twin, unsigned layer, double *z, size_t n, size_t group)
{
    size_t units = twin->net->layers[layer].n_units;

    for (size_t first = 0; first < units; first += group) {
        size_t i = layer < 2 ? first : first / group;
        double mean = value_of(twin, layer, CX_RETINA_MEAN)[i];
        double variance = value_of(twin, layer, CX_RETINA_VARIANCE)[i];

        if (twin->options->batch_norm) {
            mean = variance = 0.0;
            for (size_t k = 0; k < n * group; k++)
                mean += z[k / group * units + first + k % group];
            mean /= (double)(n * group);
            for (size_t k = 0; k < n * group; k++) {
                double off = z[k / group * units + first + k % group] - mean;

                variance += off * off / (double)(n * group);
            }
        }
        for (size_t k = 0; k < n * group; k++) {
            double *at = &z[k / group * units + first + k % group];

            *at = fabs(value_of(twin, layer, CX_RETINA_GAIN)[i]) *
                      (*at - mean) / sqrt(variance + 1e-3) +
                  value_of(twin, layer, CX_RETINA_SHIFT)[i];
        }
    }
}

/* Films and targets of all windows of the batch. */
static void
twin_gather(const Twin *twin, double *in, double *target)
{
    const CxRetinaShape *s = &twin->net->shape;
    size_t area = (size_t)s->height * s->width, size = s->history * area;
    size_t units = twin->net->layers[2].n_units;

    for (size_t w = 0; w < twin->options->n_runs * RUN; w++) {
        const CxRetinaRun *run = &twin->runs[w / RUN];
        const CxRetinaClip *clip = &twin->data->clips[run->clip];
        size_t t = run->first + w % RUN * twin->options->stride;

        for (size_t i = 0; i < size; i++)
            in[w * size + i] =
                (double)cx_movie_frame(clip->movie, t + i / area)[i % area];
        for (size_t i = 0; i < units; i++)
            target[w * units + i] =
                (double)clip->target[(t + s->history) * units + i];
    }
}

/* Units side by side that share their statistics in layer 1 or 2. */
static size_t
group_size(const CxRetinaCnn *net, const CxRetinaBatchOptions *options,
           unsigned layer)
{
    const CxRetinaLayer *l = &net->layers[layer];

    return options->by_channel ? l->out_y * l->out_x : 1;
}

static double
twin_loss(const Twin *twin)
{
    const CxRetinaLayer *l = twin->net->layers;
    size_t n = twin->options->n_runs * RUN, units = l[2].n_units;
    g_autofree double *in = g_new(double, n *l[0].n_in *l[0].in_y *l[0].in_x);
    g_autofree double *target = g_new(double, n *units);
    double loss = 0.0, n_targets = 0.0, price = 0.0;

    twin_gather(twin, in, target);
    g_autofree double *a1 = twin_conv(twin, 0, in, n);
    twin_norm(twin, 0, a1, n, group_size(twin->net, twin->options, 0));
    for (size_t i = 0; i < n * l[0].n_units; i++)
        a1[i] = fmax(a1[i], 0.0);
    g_autofree double *a2 = twin_conv(twin, 1, a1, n);
    twin_norm(twin, 1, a2, n, group_size(twin->net, twin->options, 1));
    for (size_t i = 0; i < n * l[1].n_units; i++)
        a2[i] = fmax(a2[i], 0.0);
    g_autofree double *u = twin_conv(twin, 2, a2, n);
    twin_norm(twin, 2, u, n, l[2].out_y * l[2].out_x);
    for (size_t i = 0; i < n * units; i++) {
        double rate = log1p(exp(u[i]));

        if (isnan(target[i]))
            continue;
        loss +=
            rate * (1.0 + (double)twin->options->l1) - target[i] * log(rate);
        n_targets += 1.0;
    }
    for (unsigned i = 0; i < 2; i++)
        for (size_t k = 0; k < twin->net->tensors[6 * i].n; k++)
            price += (double)twin->options->l2 *
                     pow(value_of(twin, i, CX_RETINA_WEIGHT)[k], 2.0);
    return loss / n_targets + price;
}

/* ---- films and networks ----------------------------------------------- */

static CxRetinaShape
small_shape(CxRng *rng, bool flat)
{
    return (CxRetinaShape){
        .history = 2 + (uint32_t)cx_rng_below(rng, 5),
        .height = flat ? 1 : 8,
        .width = 9,
        .n_channels = {2 + (uint32_t)cx_rng_below(rng, 2), 2},
        .n_maps = 1 + (uint32_t)cx_rng_below(rng, 2),
        .kernel_y = {flat ? 1 : 3, flat ? 1 : 2, flat ? 1 : 3},
        .kernel_x = {3, 2, cx_rng_below(rng, 2) == 0 ? 6 : 3},
    };
}

static CxMovie *
noise_film(CxRng *rng, const CxRetinaShape *s, size_t n_frames)
{
    CxMovie *movie = cx_movie_new(n_frames, s->height, s->width, NULL);

    g_assert_nonnull(movie);
    for (size_t i = 0; i < n_frames * cx_movie_frame_size(movie); i++)
        movie->data[i] = (float)cx_rng_normal(rng);
    return movie;
}

/* Rates of a teacher, or noise without one; a few entries are no target. */
static float *
targets_of(CxRng *rng, const CxRetinaCnn *net, const CxRetinaCnn *teacher,
           const CxMovie *movie, bool holes)
{
    size_t units = net->layers[2].n_units, n = movie->n_frames * units;
    size_t history = net->shape.history;
    float *target = g_new0(float, n);

    if (teacher != NULL)
        g_assert_true(cx_retina_cnn_respond_maps(
            teacher, movie, NULL, 1, target + history * units, NULL, NULL));
    for (size_t i = 0; i < n && teacher == NULL; i++)
        target[i] = (float)(3.0 * cx_rng_uniform(rng));
    for (size_t i = 0; i < n && holes; i++)
        if (cx_rng_below(rng, 10) == 0)
            target[i] = NAN;
    return target;
}

/* ---- gradients -------------------------------------------------------- */

/* Groups of units take gain, shift, mean and variance of their first. */
static void
share_norms(CxRetinaCnn *net, unsigned layer, size_t group)
{
    for (unsigned which = CX_RETINA_GAIN; which <= CX_RETINA_VARIANCE; which++)
        for (size_t u = 0; u < net->layers[layer].n_units; u++) {
            float *values = cx_retina_values(net, layer, which);

            values[u] = values[u / group * group];
        }
}

static void
check_gradient(CxRng *rng, bool batch_norm, bool by_channel, unsigned stride)
{
    CxRetinaShape shape = small_shape(rng, cx_rng_below(rng, 3) == 0);
    g_autoptr(CxRetinaCnn) net =
        cx_retina_cnn_new(&shape, cx_rng_next(rng), NULL);
    g_autoptr(CxMovie) movie = noise_film(rng, &shape, 120);
    unsigned n_wrong = 0;

    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++)
        for (size_t k = 0; k < net->tensors[i].n && i % 6 != 0; k++)
            net->tensors[i].data[k] =
                (float)(i % 6 == CX_RETINA_VARIANCE ? 0.5 + cx_rng_uniform(rng)
                        : i % 6 == CX_RETINA_GAIN
                            ? (cx_rng_below(rng, 4) == 0 ? -1.0 : 1.0) *
                                  (0.7 + cx_rng_uniform(rng))
                            : 0.3 * cx_rng_normal(rng));
    for (unsigned m = 0; m < shape.n_maps; m++) /* keeps logits moderate */
        cx_retina_values(net, 2, CX_RETINA_GAIN)[m] *= 0.3f;
    g_autofree float *target = targets_of(rng, net, NULL, movie, true);
    CxRetinaClip clip = {movie, target, 0};
    CxRetinaData data = {&clip, 1};
    CxRetinaRun runs[3];
    CxRetinaBatchOptions options = {.n_runs = 3,
                                    .stride = stride,
                                    .n_threads = 2,
                                    .clip = 1e6f,
                                    .l1 = 0.01f,
                                    .l2 = 0.003f,
                                    .momentum = 0.0f,
                                    .batch_norm = batch_norm,
                                    .by_channel = by_channel,
                                    .seed = 1};
    for (unsigned l = 0; l < 2; l++)
        share_norms(net, l, group_size(net, &options, l));
    for (unsigned i = 0; i < 3; i++)
        runs[i] = (CxRetinaRun){0, cx_rng_below(rng, 20)};
    g_autofree double *values = g_new(double, net->n_values);
    for (size_t i = 0; i < net->n_values; i++)
        values[i] = (double)net->values[i];
    Twin twin = {net, &data, runs, &options, values};
    g_autoptr(CxRetinaBatch) batch = cx_retina_batch_new(net, &options, NULL);
    double loss = cx_retina_batch_run(batch, &data, runs, 0);
    const float *gradient = cx_retina_batch_gradient(batch);

    g_assert_cmpfloat(fabs(loss - twin_loss(&twin)), <, 1e-5 * fabs(loss));
    for (unsigned t = 0; t < CX_RETINA_N_TENSORS; t++)
        for (unsigned k = 0; k < 6; k++) {
            const CxRetinaTensor *tensor = &net->tensors[t];
            unsigned which = t % 6;
            size_t i = (size_t)(tensor->data - net->values) +
                       cx_rng_below(rng, tensor->n);
            double old = values[i], step = 1e-7;
            size_t n_moved = 1, first = i;

            if (t < 12 && which >= CX_RETINA_GAIN) { /* its group moves along */
                size_t base = (size_t)(tensor->data - net->values);

                n_moved = group_size(net, &options, t / 6);
                first = base + (i - base) / n_moved * n_moved;
            }

            if (which >= CX_RETINA_MEAN ||
                (!batch_norm &&
                 (which == CX_RETINA_GAIN || which == CX_RETINA_SHIFT))) {
                g_assert_cmpfloat((double)gradient[i], ==, 0.0);
                continue;
            }
            for (size_t m = 0; m < n_moved; m++)
                values[first + m] = old + step;
            double up = twin_loss(&twin);
            for (size_t m = 0; m < n_moved; m++)
                values[first + m] = old - step;
            double slope = (up - twin_loss(&twin)) / (2.0 * step);
            for (size_t m = 0; m < n_moved; m++)
                values[first + m] = old;
            if (fabs(slope - (double)gradient[i]) > 2e-4 + 2e-3 * fabs(slope)) {
                g_test_message("%s: gradient %.7f, by differences %.7f",
                               tensor->name, (double)gradient[i], slope);
                n_wrong++;
            }
        }
    g_assert_cmpuint(n_wrong, <=, 1); /* a relu that changed sides */
}

static void
test_gradient(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 8; round++)
        check_gradient(&rng, round % 3 != 2, round % 2 == 1, 1 + round % 4);
}

/* ---- learning --------------------------------------------------------- */

static CxRetinaShape
flat_shape(void)
{
    return (CxRetinaShape){.history = 8,
                           .height = 1,
                           .width = 24,
                           .n_channels = {4, 4},
                           .n_maps = 1,
                           .kernel_y = {1, 1, 1},
                           .kernel_x = {5, 5, 5}};
}

typedef struct {
    CxRetinaEpoch last;
    unsigned n_calls, stop_after;
} Seen;

static bool
see(const CxRetinaEpoch *epoch, void *user_data)
{
    Seen *seen = user_data;

    seen->last = *epoch;
    return ++seen->n_calls != seen->stop_after;
}

typedef struct {
    CxMovie *movies[6];
    float *targets[6];
    CxRetinaClip clips[6];
    CxRetinaData train, valid;
} Lesson;

static void
lesson_init(Lesson *lesson, CxRng *rng)
{
    CxRetinaShape shape = flat_shape();
    g_autoptr(CxRetinaCnn) teacher = cx_retina_cnn_new(&shape, 5, NULL);

    for (unsigned i = 0; i < 6; i++) {
        lesson->movies[i] = noise_film(rng, &shape, 500);
        lesson->targets[i] =
            targets_of(rng, teacher, teacher, lesson->movies[i], false);
        lesson->clips[i] =
            (CxRetinaClip){lesson->movies[i], lesson->targets[i], 20};
    }
    lesson->train = (CxRetinaData){lesson->clips, 5};
    lesson->valid = (CxRetinaData){lesson->clips + 5, 1};
}

static void
lesson_clear(Lesson *lesson)
{
    for (unsigned i = 0; i < 6; i++) {
        cx_movie_free(lesson->movies[i]);
        g_free(lesson->targets[i]);
    }
}

static void
test_learns(void)
{
    CxRng rng;
    Lesson lesson;
    CxRetinaShape shape = flat_shape();
    g_autoptr(GError) error = NULL;

    cx_rng_init(&rng, 9);
    lesson_init(&lesson, &rng);
    for (unsigned with_norm = 0; with_norm < 2; with_norm++) {
        g_autoptr(CxRetinaCnn) net = cx_retina_cnn_new(&shape, 77, &error);
        CxRetinaTrainOptions options = {.epochs = 60,
                                        .batch = 128,
                                        .stride = 1,
                                        .rate = 1e-2,
                                        .noise = -1.0,
                                        .no_batch_norm = with_norm == 0,
                                        .seed = 3};
        Seen seen = {0};

        g_assert_true(cx_retina_train(net, &lesson.train, &lesson.valid,
                                      &options, see, &seen, NULL, &error));
        g_test_message("r %.3f, per place %.3f, loss %.4f", seen.last.valid_r,
                       seen.last.valid_cell_r, seen.last.valid_loss);
        g_assert_cmpuint(seen.n_calls, ==, 60);
        g_assert_cmpfloat(seen.last.valid_r, >, 0.9);
        g_assert_cmpfloat(seen.last.valid_cell_r, >, 0.9);
    }
    lesson_clear(&lesson);
}

static CxRetinaCnn *
train_on(const Lesson *lesson, unsigned n_threads, const char *isa)
{
    CxRetinaShape shape = flat_shape();
    CxRetinaCnn *net = cx_retina_cnn_new(&shape, 7, NULL);
    CxRetinaTrainOptions options = {.epochs = 3,
                                    .batch = 64,
                                    .seed = 3,
                                    .n_threads = n_threads,
                                    .isa = isa};

    g_assert_true(cx_retina_train(net, &lesson->train, NULL, &options, NULL,
                                  NULL, NULL, NULL));
    return net;
}

static void
test_deterministic(void)
{
    CxRng rng;
    Lesson lesson;

    cx_rng_init(&rng, 9);
    lesson_init(&lesson, &rng);
    g_autoptr(CxRetinaCnn) one = train_on(&lesson, 1, NULL);
    g_autoptr(CxRetinaCnn) two = train_on(&lesson, 2, NULL);
    g_autoptr(CxRetinaCnn) narrow = train_on(&lesson, 3, "avx2");
    unsigned features = cx_cpu_features();

    g_assert_cmpmem(one->values, one->n_values * sizeof(float), two->values,
                    two->n_values * sizeof(float));
    if ((features & CX_CPU_AVX2) != 0)
        g_assert_cmpmem(one->values, one->n_values * sizeof(float),
                        narrow->values, narrow->n_values * sizeof(float));
    lesson_clear(&lesson);
}

static void
test_stops(void)
{
    CxRng rng;
    Lesson lesson;
    CxRetinaShape shape = flat_shape();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_new(&shape, 7, NULL);
    g_autoptr(CxJob) job = cx_job_new("training");
    CxRetinaTrainOptions options = {.epochs = 9, .batch = 64};
    Seen seen = {.stop_after = 2};

    cx_rng_init(&rng, 9);
    lesson_init(&lesson, &rng);
    g_assert_true(cx_retina_train(net, &lesson.train, NULL, &options, see,
                                  &seen, NULL, &error));
    g_assert_cmpuint(seen.n_calls, ==, 2);
    cx_job_cancel(job);
    g_assert_false(cx_retina_train(net, &lesson.train, NULL, &options, see,
                                   &seen, job, &error));
    g_assert_error(error, CX_ERROR, CX_ERROR_CANCELLED);
    g_clear_error(&error);
    options.isa = "vax";
    g_assert_false(cx_retina_train(net, &lesson.train, NULL, &options, see,
                                   &seen, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "vax", NULL);
    options.isa = NULL;
    options.stride = 40;
    g_assert_false(cx_retina_train(net, &lesson.train, NULL, &options, see,
                                   &seen, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "frames", NULL);
    lesson_clear(&lesson);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retina-train/gradient", test_gradient);
    g_test_add_func("/retina-train/learns", test_learns);
    g_test_add_func("/retina-train/deterministic", test_deterministic);
    g_test_add_func("/retina-train/stops", test_stops);
    return g_test_run();
}
