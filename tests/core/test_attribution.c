/* Attribution of a network over a film: against the network's own gradients,
 * its rates, and on any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/attribution.h"

#include "core/base/error.h"
#include "core/retina/film_drive.h"
#include "core/retina/reduction.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* A network with everything at random, normalisation too. */
static CxRetinaCnn *
make_net(CxRng *rng, bool flat)
{
    g_autoptr(GError) error = NULL;
    CxRetinaShape shape = {
        .history = 7,
        .height = flat ? 1 : 11,
        .width = 14,
        .n_channels = {3, 4},
        .n_maps = 2,
        .kernel_y = {flat ? 1 : 3, flat ? 1 : 4, flat ? 1 : 2},
        .kernel_x = {5, 3, 4},
    };
    CxRetinaCnn *net = cx_retina_cnn_new(&shape, cx_rng_next(rng), &error);

    g_assert_no_error(error);
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *t = cx_retina_cnn_tensor(net, i);
        unsigned which = i % CX_RETINA_TENSORS_A_LAYER;

        for (size_t k = 0; k < t->n; k++)
            if (which == 5)
                t->data[k] = 0.3f + (float)cx_rng_uniform(rng);
            else if (which == 2)
                t->data[k] = 0.7f + 0.5f * (float)cx_rng_normal(rng);
            else if (which != 0)
                t->data[k] = 0.4f * (float)cx_rng_normal(rng);
    }
    cx_retina_cnn_set_normalisation(net, 0.1, 1.3);
    cx_retina_cnn_refresh(net);
    return net;
}

static CxMovie *
make_movie(const CxRetinaCnn *net, size_t n_frames, bool flat, CxRng *rng)
{
    const CxRetinaShape *shape = cx_retina_cnn_shape(net);
    CxMovie *movie =
        cx_movie_new(n_frames, flat ? 1 : shape->height, shape->width, NULL);

    for (size_t i = 0; i < n_frames * cx_movie_frame_size(movie); i++)
        movie->data[i] = (float)cx_rng_normal(rng);
    return movie;
}

static void
expect_close(const float *a, const float *b, size_t n, float tolerance)
{
    for (size_t i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(a[i], b[i], tolerance);
}

/* The short way for x-t films gives what the network's first layer gives. */
static void
test_drive(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng, false);
    g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(net);
    g_autoptr(CxMovie) flat = make_movie(net, 12, true, &rng);
    g_autoptr(CxMovie) tall = cx_movie_repeat_rows(flat, 11, NULL);
    g_autoptr(CxFilmDrive) short_way = cx_film_drive_new(net, flat, NULL);
    g_autoptr(CxFilmDrive) long_way = cx_film_drive_new(net, tall, NULL);
    size_t n = cx_retina_cnn_layer(net, 0)->n_units;
    g_autofree float *a = g_new(float, 5 * n), *b = g_new(float, 5 * n);
    double means[15];

    g_assert_true(cx_film_drive_get(short_way, scratch, 7, 5, a, NULL));
    g_assert_true(cx_film_drive_get(long_way, scratch, 7, 5, b, NULL));
    expect_close(a, b, 5 * n, 1e-4f);
    g_assert_true(cx_film_drive_means(short_way, scratch, 7, 5, means, NULL));
    double sum = 0.0;
    for (size_t i = 0; i < n / 3; i++)
        sum += (double)a[2 * n + n / 3 + i];
    g_assert_cmpfloat_with_epsilon(means[2 * 3 + 1], sum / (double)(n / 3),
                                   1e-6);
    cx_film_drive_to_z1(net, 5, a);
    g_assert_true(cx_retina_cnn_z1(net, scratch, tall, 0, 5, b, NULL));
    expect_close(a, b, 5 * n, 1e-4f);
}

static CxRetinaMask
random_mask(CxRng *rng)
{
    CxRetinaMask mask = {{0}, {0}};

    for (unsigned c = 0; c < 4; c++) {
        mask.layer1[c] = (uint8_t)cx_rng_below(rng, 3);
        mask.layer2[c] = (uint8_t)cx_rng_below(rng, 3);
    }
    return mask;
}

static void
check_film(const CxRetinaCnn *net, const CxMovie *movie, CxRetinaPick pick,
           const CxRetinaMask *mask)
{
    g_autoptr(GError) error = NULL;
    CxAttributionOptions options = {.mask = mask, .n_threads = 2};
    g_autoptr(CxAttribution) got =
        cx_attribution_new(net, movie, pick, &options, NULL, &error);
    g_autofree float *rates = g_new(float, movie->n_frames);

    g_assert_no_error(error);
    g_assert_true(cx_retina_cnn_respond(net, movie, &pick, 1, mask, 1, rates,
                                        NULL, &error));
    for (size_t t = 7; t < movie->n_frames; t++) {
        double change = got->rate[t] - got->rate0;

        g_assert_cmpfloat_with_epsilon(got->rate[t], (double)rates[t - 7],
                                       2e-4 * (1.0 + got->rate[t]));
        for (unsigned l = 0; l < 2; l++) {
            double sum = 0.0;

            for (size_t c = 0; c < got->n_channels[l]; c++)
                sum += got->sum[l][t * got->n_channels[l] + c];
            g_assert_cmpfloat_with_epsilon(sum, change,
                                           1e-9 * (1.0 + got->rate[t]));
            g_assert_cmpfloat_with_epsilon(got->gap[l][t], sum - change, 1e-9);
        }
    }
    g_assert_true(isnan(got->median_error[0]) || got->worst_error[0] < 1e-6);
    g_assert_true(isnan(got->median_error[1]) || got->worst_error[1] < 1e-6);
}

static void
test_film(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned i = 0; i < 12; i++) {
        g_autoptr(CxRetinaCnn) net = make_net(&rng, i % 3 == 2);
        g_autoptr(CxMovie) movie = make_movie(net, 19, i % 3 == 1, &rng);
        CxRetinaMask mask = random_mask(&rng);
        const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
        CxRetinaPick pick = {
            .map = (int32_t)cx_rng_below(&rng, cells->n_out),
            .y = (int32_t)cx_rng_below(&rng, cells->out_y),
            .x = (int32_t)cx_rng_below(&rng, cells->out_x),
        };

        check_film(net, movie, pick, NULL);
        check_film(net, movie, pick, &mask);
    }
}

/* The parts of every unit against the network's own gradients at the same
 * steps, and the exact ones against many steps. */
static void
test_parts(void)
{
    CxRng rng = cx_test_rng();
    enum { N = 4000 };
    g_autoptr(CxRetinaCnn) net = make_net(&rng, false);
    g_autoptr(CxMovie) movie = make_movie(net, 9, false, &rng);
    g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(net);
    g_autoptr(CxFilmDrive) film = cx_film_drive_new(net, movie, NULL);
    size_t n = cx_retina_cnn_layer(net, 0)->n_units;
    size_t n2 = cx_retina_cnn_layer(net, 1)->n_units;
    CxRetinaPick pick = {.map = 1, .y = 2, .x = 3};
    g_autofree float *base = g_new(float, n), *delta = g_new(float, n);
    g_autofree float *got = g_new(float, n), *got2 = g_new(float, n2);
    g_autofree double *alpha = g_new(double, N), *weights = g_new(double, N);
    g_autofree double *sum = g_new(double, n);

    g_assert_true(cx_film_drive_get(film, scratch, 8, 1, delta, NULL));
    cx_retina_cnn_grey(net, scratch, NULL, base, got2);
    for (unsigned k = 0; k < N; k++) {
        alpha[k] = (k + 0.5) / N;
        weights[k] = 1.0 / N;
    }
    cx_retina_cnn_ray(net, scratch, NULL, 1, base, delta, alpha, weights, N,
                      pick, NULL, sum);
    g_assert_true(
        cx_attribution_map(net, movie, pick, NULL, 8, got, got2, NULL));
    double total = 0.0, total2 = 0.0, largest = 0.0;
    for (size_t u = 0; u < n; u++) {
        g_assert_cmpfloat_with_epsilon((double)got[u],
                                       sum[u] * (double)delta[u], 2e-3);
        total += (double)got[u];
        largest = fmax(largest, fabs((double)got[u]));
    }
    for (size_t v = 0; v < n2; v++)
        total2 += (double)got2[v];
    g_assert_cmpfloat(largest, >, 1e-3);
    g_assert_cmpfloat_with_epsilon(total, total2, 1e-5);
}

static void
test_path(void)
{
    CxRng rng = cx_test_rng();
    enum { N = 400 };
    g_autoptr(CxRetinaCnn) net = make_net(&rng, true);
    g_autoptr(CxMovie) movie = make_movie(net, 9, true, &rng);
    CxRetinaPick pick = {.map = 0, .y = 0, .x = 1};
    g_autoptr(CxAttribution) whole =
        cx_attribution_new(net, movie, pick, NULL, NULL, NULL);
    double rate[N], density[3 * N];

    g_assert_true(
        cx_attribution_path(net, movie, pick, NULL, 8, N, rate, density, NULL));
    for (unsigned c = 0; c < 3; c++) {
        double sum = 0.0;

        for (unsigned k = 0; k < N; k++)
            sum += density[c * N + k] / N;
        g_assert_cmpfloat_with_epsilon(sum, whole->sum[0][8 * 3 + c], 0.02);
    }
    g_assert_cmpfloat_with_epsilon(rate[0], whole->rate0, 0.05);
    g_assert_cmpfloat_with_epsilon(rate[N - 1], whole->rate[8], 0.05);
}

static void
test_threads(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng, false);
    g_autoptr(CxMovie) movie = make_movie(net, 60, false, &rng);
    CxRetinaPick pick = {.map = 0, .y = 1, .x = 2};
    g_autoptr(CxAttribution) first = NULL;

    for (unsigned n = 1; n <= 3; n++) {
        CxAttributionOptions options = {.n_threads = n};
        g_autoptr(CxAttribution) got =
            cx_attribution_new(net, movie, pick, &options, NULL, NULL);

        if (first == NULL) {
            first = g_steal_pointer(&got);
            continue;
        }
        for (unsigned l = 0; l < 2; l++)
            g_assert_cmpmem(
                got->sum[l], 60 * got->n_channels[l] * sizeof(double),
                first->sum[l], 60 * got->n_channels[l] * sizeof(double));
        g_assert_cmpmem(got->rate, 60 * sizeof(double), first->rate,
                        60 * sizeof(double));
    }
    CxAttributionOptions some = {.first = 20, .end = 41, .stride = 5};
    g_autoptr(CxAttribution) part =
        cx_attribution_new(net, movie, pick, &some, NULL, NULL);
    for (size_t t = 0; t < 60; t++) {
        g_assert_true(part->done[t] == (t >= 20 && t < 41 && t % 5 == 0));
        if (part->done[t])
            g_assert_cmpfloat(part->sum[0][t * 3], ==, first->sum[0][t * 3]);
    }
}

static void
cancel_at_once(CxJob *job, void *data)
{
    cx_job_cancel(job);
}

static bool
run_attribution(CxJob *job, void *data, GError **error)
{
    const CxRetinaCnn *net = data;
    g_autoptr(CxMovie) movie = cx_movie_new(400, 11, 14, NULL);
    g_autoptr(CxAttribution) got =
        cx_attribution_new(net, movie, (CxRetinaPick){0}, NULL, job, error);

    return got != NULL;
}

static void
test_errors(void)
{
    CxRng rng = cx_test_rng();
    GError *error = NULL;
    g_autoptr(CxRetinaCnn) net = make_net(&rng, false);
    g_autoptr(CxMovie) brief = cx_movie_new(7, 11, 14, NULL);
    g_autoptr(CxMovie) narrow = cx_movie_new(9, 11, 13, NULL);
    g_autoptr(CxMovie) movie = cx_movie_new(9, 11, 14, NULL);
    g_autoptr(CxJob) job = cx_job_new("attribution");
    CxRetinaPick pick = {0}, outside = {.map = 0, .y = 0, .x = 99};

    g_assert_null(cx_attribution_new(net, brief, pick, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "7 frames", NULL);
    g_assert_null(cx_attribution_new(net, narrow, pick, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "13 x 11", NULL);
    g_assert_null(cx_attribution_new(net, movie, outside, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "99,0", NULL);
    g_assert_false(
        cx_attribution_map(net, movie, pick, NULL, 3, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "frame 3", NULL);
    cx_job_set_hook(job, cancel_at_once, NULL);
    g_assert_false(cx_job_run(job, run_attribution, net, &error));
    cx_test_expect_error(&error, CX_ERROR_CANCELLED, NULL);
}

static void
test_rules(void)
{
    CxAttributionRule rule;

    for (unsigned i = 0; i <= CX_ATTRIBUTION_RIGHT; i++) {
        g_assert_true(cx_attribution_rule_from_name(
            cx_attribution_rule_name((CxAttributionRule)i), &rule));
        g_assert_cmpint(rule, ==, i);
    }
    g_assert_false(cx_attribution_rule_from_name("left", &rule));
}

/* Kernels of one lag each: sign says ON or OFF, lag says fast or slow. */
static void
test_labels(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng, false);
    const CxRetinaTensor *w = cx_retina_cnn_tensor(net, 0);
    static const size_t lag[3] = {6, 5, 3};
    static const float sign[3] = {1.0f, -1.0f, 1.0f};

    memset(w->data, 0, w->n * sizeof(float));
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < 15; i++)
            w->data[(c * 7 + lag[c]) * 15 + i] = sign[c];
    w->data[0] = 100.0f; /* too old to count */
    CxChannelLabel *labels = cx_channel_labels_new(net, 10.0);
    g_assert_cmpstr(cx_channel_label_text(&labels[0]), ==, "ON fast");
    g_assert_cmpstr(cx_channel_label_text(&labels[1]), ==, "OFF fast");
    g_assert_cmpstr(cx_channel_label_text(&labels[2]), ==, "ON slow");
    g_assert_cmpfloat(labels[2].lag_ms, ==, 30.0);
    g_assert_cmpfloat(labels[1].filter[5], ==, -15.0f);
    cx_channel_labels_free(labels, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attribution/drive", test_drive);
    g_test_add_func("/attribution/film", test_film);
    g_test_add_func("/attribution/parts", test_parts);
    g_test_add_func("/attribution/path", test_path);
    g_test_add_func("/attribution/threads", test_threads);
    g_test_add_func("/attribution/errors", test_errors);
    g_test_add_func("/attribution/rules", test_rules);
    g_test_add_func("/attribution/labels", test_labels);
    return g_test_run();
}
