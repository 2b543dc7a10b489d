/* Mixtures to train on: shares, repeatability, answers, spreading of kernels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/training_mix.h"

#include "core/base/error.h"
#include "core/retina/retina_spread.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

static CxTrainingMix
small_mix(void)
{
    CxTrainingMix mix = cx_training_mix_mixed();

    mix.n_clips = 20;
    mix.clip_frames = 120;
    mix.first_frame = 60;
    mix.height = 21;
    mix.width = 22;
    mix.margin = 9;
    return mix;
}

static void
test_names(void)
{
    CxTrainingMix mix;

    g_assert_true(cx_training_mix_from_name("mixed", &mix));
    g_assert_cmpfloat(mix.share[CX_TRAINING_FLICKER], >, 0.0);
    g_assert_true(cx_training_mix_from_name("natural", &mix));
    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++)
        g_assert_true((mix.share[k] > 0.0) == (k == CX_TRAINING_SCENES));
    g_assert_false(cx_training_mix_from_name("white", &mix));
    g_assert_cmpstr(cx_training_kind_name(CX_TRAINING_STEPS), ==, "steps");
}

/* Parts are neighbours, as long as their shares, and cover all clips. */
static void
test_shares(void)
{
    CxTrainingMix mix = small_mix();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxTrainingSet) set = cx_training_set_new(&mix, NULL, &error);

    g_assert_no_error(error);
    CxRetinaData all = cx_training_set_data(set);
    const CxRetinaClip *next = all.clips;
    double sum = 0.0;

    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++)
        sum += mix.share[k];
    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++) {
        CxRetinaData part = cx_training_set_part(set, (CxTrainingKind)k);
        bool whole = k == CX_TRAINING_SCENES || k == CX_TRAINING_BARS;

        g_assert_true(part.clips == next);
        g_assert_cmpfloat(fabs((double)part.n_clips -
                               mix.share[k] / sum * (double)mix.n_clips),
                          <=, 1.0);
        for (size_t i = 0; i < part.n_clips; i++) {
            g_assert_cmpuint(part.clips[i].movie->height, ==,
                             whole ? mix.height : 1);
            g_assert_cmpuint(part.clips[i].first, ==, mix.first_frame);
        }
        next += part.n_clips;
    }
    g_assert_true(next == all.clips + mix.n_clips);
}

/* Targets are what the simulator says at the places of the map. */
static void
test_answers(void)
{
    CxTrainingMix mix = small_mix();
    g_autoptr(CxTrainingSet) set = cx_training_set_new(&mix, NULL, NULL);
    CxRetinaData all = cx_training_set_data(set);
    size_t rows = mix.height - 2 * mix.margin;
    size_t columns = mix.width - 2 * mix.margin, units = rows * columns;
    double highest = 0.0;

    for (size_t i = 0; i < all.n_clips; i += 3) {
        const CxMovie *movie = all.clips[i].movie;
        size_t n = movie->n_frames, at = i % units;
        CxCellPosition cell = {.x = (int32_t)(mix.margin + at % columns),
                               .y = (int32_t)(mix.margin + at / columns)};
        g_autofree float *rate = g_new(float, n);
        CxSimulatorOutput output = {.rate = rate};

        if (movie->height == 1)
            cell.y = 0;
        g_assert_true(
            cx_simulator_run(movie, NULL, &cell, 1, &output, NULL, NULL));
        for (size_t t = 0; t < n; t++) {
            double target = (double)all.clips[i].target[t * units + at];

            g_assert_cmpfloat(fabs(target - (double)rate[t]), <, 1e-4);
            highest = fmax(highest, target);
        }
    }
    g_assert_cmpfloat(highest, >, 5.0);
}

static void
test_repeats(void)
{
    CxTrainingMix mix = small_mix();

    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++) {
        g_autoptr(CxMovie) one =
            cx_training_clip_new(&mix, (CxTrainingKind)k, 7, NULL);
        g_autoptr(CxMovie) same =
            cx_training_clip_new(&mix, (CxTrainingKind)k, 7, NULL);
        g_autoptr(CxMovie) other =
            cx_training_clip_new(&mix, (CxTrainingKind)k, 8, NULL);
        size_t bytes = one->n_frames * cx_movie_frame_size(one) * sizeof(float);

        g_assert_cmpmem(one->data, bytes, same->data, bytes);
        g_assert_true(memcmp(one->data, other->data, bytes) != 0);
    }
}

/* Flicker is full field and aperiodic: no lag repeats all its onsets. */
static void
test_flicker(void)
{
    CxTrainingMix mix = cx_training_mix_mixed();
    unsigned n_clips_with_grey = 0;

    for (unsigned clip = 0; clip < 8; clip++) {
        g_autoptr(CxMovie) movie =
            cx_training_clip_new(&mix, CX_TRAINING_FLICKER, clip, NULL);
        size_t grey = 0, flashes = 0, repeats = 0;

        for (size_t t = 1; t < movie->n_frames; t++) {
            const float *now = cx_movie_frame(movie, t);
            const float *before = cx_movie_frame(movie, t - 1);

            grey += now[0] == 0.0f;
            if (before[0] == 0.0f && now[0] != 0.0f) {
                flashes++;
                for (size_t lag = 3; lag <= 8 && lag < t; lag++)
                    repeats += cx_movie_frame(movie, t - lag)[0] != 0.0f &&
                               cx_movie_frame(movie, t - lag - 1)[0] == 0.0f;
            }
        }
        if (grey == 0)
            continue; /* over texture */
        n_clips_with_grey++;
        g_assert_cmpuint(grey, >, movie->n_frames / 10);
        g_assert_cmpuint(flashes, >, 10);
        g_assert_cmpuint(repeats, <, 3 * flashes);
    }
    g_assert_cmpuint(n_clips_with_grey, >=, 3);
}

static void
test_refuses(void)
{
    g_autoptr(GError) error = NULL;
    CxTrainingMix mix = small_mix();

    mix.margin = 11;
    g_assert_null(cx_training_set_new(&mix, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "margin", NULL);
    mix = small_mix();
    memset(mix.share, 0, sizeof mix.share);
    g_assert_null(cx_training_set_new(&mix, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "share", NULL);
}

/* To a film constant in y a spread network answers as the x-t one does. */
static void
test_spread(void)
{
    CxRng rng = cx_test_rng();
    CxRetinaShape shape = {.history = 6,
                           .height = 1,
                           .width = 20,
                           .n_channels = {3, 2},
                           .n_maps = 1,
                           .kernel_y = {1, 1, 1},
                           .kernel_x = {5, 3, 5}};
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) flat = cx_retina_cnn_new(&shape, 4, NULL);
    g_autoptr(CxMovie) film = cx_movie_new(40, 1, 20, NULL);

    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *t = cx_retina_cnn_tensor(flat, i);

        for (size_t k = 0; k < t->n && i % 6 != 0; k++)
            t->data[k] = (float)(0.5 + cx_rng_uniform(&rng));
    }
    cx_retina_cnn_refresh(flat);
    for (size_t i = 0; i < 40 * 20; i++)
        film->data[i] = (float)cx_rng_normal(&rng);
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_spread(flat, 17, 1.5, &error);
    g_assert_no_error(error);
    size_t n_x = cx_retina_cnn_layer(net, 2)->out_x;
    size_t n_y = cx_retina_cnn_layer(net, 2)->out_y, n = 40 - 6;
    g_autofree float *one = g_new(float, n *n_x);
    g_autofree float *two = g_new(float, n *n_x *n_y);
    g_assert_true(
        cx_retina_cnn_respond_maps(flat, film, NULL, 1, one, NULL, &error));
    g_assert_true(
        cx_retina_cnn_respond_maps(net, film, NULL, 1, two, NULL, &error));
    for (size_t i = 0; i < n * n_x * n_y; i++) {
        double expected = (double)one[i / n_x / n_y * n_x + i % n_x];

        g_assert_cmpfloat(fabs((double)two[i] - expected), <,
                          1e-4 * (1.0 + expected));
    }
    g_assert_null(cx_retina_cnn_spread(net, 17, 1.5, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "height 17", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/training-mix/names", test_names);
    g_test_add_func("/training-mix/shares", test_shares);
    g_test_add_func("/training-mix/answers", test_answers);
    g_test_add_func("/training-mix/repeats", test_repeats);
    g_test_add_func("/training-mix/flicker", test_flicker);
    g_test_add_func("/training-mix/refuses", test_refuses);
    g_test_add_func("/training-mix/spread", test_spread);
    return g_test_run();
}
