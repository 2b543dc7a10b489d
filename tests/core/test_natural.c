/* Training films: the same seed gives the same film, scenes have the spectrum
 * they should, clips hold what they say.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/retina/natural.h"
#include "core/retina/natural_scene.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

static CxNaturalOptions
small(size_t n_frames, size_t height, size_t width)
{
    CxNaturalOptions o = cx_natural_options_mixture();

    o.n_frames = n_frames;
    o.height = height;
    o.width = width;
    o.scene_px = height > 1 ? 64 : 1024;
    o.clip_frames = 150;
    return o;
}

static void
test_same_seed(void)
{
    for (size_t height = 1; height <= 9; height += 8) {
        CxNaturalOptions o = small(1000, height, 12);
        g_autoptr(CxMovie) a = cx_natural_new(&o, NULL, NULL);
        g_autoptr(CxMovie) b = cx_natural_new(&o, NULL, NULL);
        size_t n = 1000 * height * 12 * sizeof(float);

        g_assert_cmpmem(a->data, n, b->data, n);
        o.seed++;
        g_autoptr(CxMovie) c = cx_natural_new(&o, NULL, NULL);
        g_assert_true(memcmp(a->data, c->data, n) != 0);
        for (size_t i = 0; i < n / sizeof(float); i++)
            g_assert_true(isfinite(a->data[i]) && fabsf(a->data[i]) < 12.0f);
    }
}

/* Power of a line at a frequency, by the definition. */
static double
power_at(const float *line, size_t n, size_t frequency)
{
    double re = 0.0, im = 0.0;

    for (size_t i = 0; i < n; i++) {
        double angle = 2.0 * G_PI * (double)(i * frequency % n) / (double)n;

        re += (double)line[i] * cos(angle);
        im += (double)line[i] * sin(angle);
    }
    return re * re + im * im;
}

/* Power at 4 to 7 against 32 to 63 cycles, means over scenes: 1/f^2. */
static void
test_spectrum_line(void)
{
    CxRng rng = cx_test_rng();
    double low = 0.0, high = 0.0, beyond = 0.0, wanted = 0.0;
    float line[512];

    for (int round = 0; round < 200; round++) {
        g_autoptr(CxNaturalScene) scene =
            cx_natural_scene_new(512, false, 100, &rng, NULL);
        double sum = 0.0, squares = 0.0;

        memset(line, 0, sizeof line);
        cx_natural_scene_add(scene, 0.0, 0.0, 1.0f, 1, 512, line);
        for (size_t i = 0; i < 512; i++) {
            sum += (double)line[i];
            squares += (double)line[i] * (double)line[i];
        }
        g_assert_cmpfloat_with_epsilon(sum / 512.0, 0.0, 1e-4);
        g_assert_cmpfloat_with_epsilon(squares / 512.0, 1.0, 1e-3);
        for (size_t f = 4; f < 8; f++)
            low += power_at(line, 512, f) / 4.0;
        for (size_t f = 32; f < 64; f++)
            high += power_at(line, 512, f) / 32.0;
        beyond += power_at(line, 512, 120);
    }
    double a = 0.0, b = 0.0;
    for (int f = 4; f < 8; f++)
        a += 0.25 / (f * f);
    for (int f = 32; f < 64; f++)
        b += 1.0 / 32.0 / (f * f);
    wanted = a / b;
    g_test_message("%.1f, expected %.1f", low / high, wanted);
    g_assert_true(low / high > 0.8 * wanted && low / high < 1.25 * wanted);
    g_assert_cmpfloat(beyond / high, <, 1e-6);
}

/* Isotropic: as much power along x as along y, each falling as 1/f^2. */
static void
test_spectrum_square(void)
{
    CxRng rng = cx_test_rng();
    double along[2][2] = {{0.0}};
    float square[64 * 64], line[64];

    for (int round = 0; round < 100; round++) {
        g_autoptr(CxNaturalScene) scene =
            cx_natural_scene_new(64, true, 500, &rng, NULL);

        memset(square, 0, sizeof square);
        cx_natural_scene_add(scene, 0.0, 0.0, 1.0f, 64, 64, square);
        for (size_t k = 0; k < 2; k++) {
            memset(line, 0, sizeof line);
            for (size_t i = 0; i < 64 * 64; i++)
                line[k == 0 ? i % 64 : i / 64] += square[i];
            for (size_t f = 3; f < 6; f++)
                along[k][0] += power_at(line, 64, f) / 3.0;
            for (size_t f = 12; f < 24; f++)
                along[k][1] += power_at(line, 64, f) / 12.0;
        }
    }
    double a = (1.0 / 9 + 1.0 / 16 + 1.0 / 25) / 3, b = 0.0;
    for (int f = 12; f < 24; f++)
        b += 1.0 / 12.0 / (f * f);
    for (size_t k = 0; k < 2; k++) {
        g_test_message("%.1f, expected %.1f", along[k][0] / along[k][1], a / b);
        g_assert_true(along[k][0] / along[k][1] > 0.75 * a / b &&
                      along[k][0] / along[k][1] < 1.35 * a / b);
    }
    g_assert_true(along[0][0] > 0.7 * along[1][0] &&
                  along[0][0] < 1.4 * along[1][0]);
}

/* A window between pixels is the mean of its neighbours, also at the seam. */
static void
test_window(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNaturalScene) scene =
        cx_natural_scene_new(16, true, 8, &rng, NULL);
    float whole[18 * 18] = {0}, window[9] = {0};

    cx_natural_scene_add(scene, 0.0, 0.0, 1.0f, 18, 18, whole);
    cx_natural_scene_add(scene, 14.25 - 160.0, 14.5 + 32.0, 2.0f, 3, 3, window);
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 3; x++) {
            int j = (14 + y) % 16, i = (14 + x) % 16;
            float upper =
                0.75f * whole[j * 18 + i] + 0.25f * whole[j * 18 + i + 1];
            float lower = 0.75f * whole[(j + 1) * 18 + i] +
                          0.25f * whole[(j + 1) * 18 + i + 1];

            g_assert_cmpfloat_with_epsilon(window[y * 3 + x], upper + lower,
                                           1e-5f);
        }
}

static void
test_kinds(void)
{
    CxNaturalOptions o = small(150 * 4000, 1, 12);
    size_t n, count[CX_N_CLIP_KINDS] = {0};
    g_autofree CxClipKind *kinds = cx_natural_clip_kinds(&o, &n);

    g_assert_cmpuint(n, ==, 4000);
    for (size_t i = 0; i < n; i++)
        count[kinds[i]]++;
    for (unsigned k = 0; k < CX_N_CLIP_KINDS; k++)
        g_assert_cmpfloat_with_epsilon((double)count[k] / 4000.0, o.share[k],
                                       0.03);
    o = cx_natural_options_natural();
    o.n_frames = 150 * 500;
    g_autofree CxClipKind *natural = cx_natural_clip_kinds(&o, &n);
    for (size_t i = 0; i < n; i++)
        g_assert_cmpuint(natural[i], ==, CX_CLIP_NATURAL);
}

/* Steps without texture fill the field and last as long as they may. */
static void
test_steps(void)
{
    CxNaturalOptions o = small(6000, 4, 5);
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = cx_movie_new(6000, 4, 5, NULL);
    size_t length = 0, dark = 0, light = 0;

    o.texture_share = 0.0;
    o.step_grey_share = 0.0;
    g_assert_true(
        cx_natural_clip(movie, 0, 6000, CX_CLIP_STEPS, &o, &rng, NULL));
    for (size_t t = 0; t < 6000; t++) {
        const float *frame = cx_movie_frame(movie, t);
        bool change = t > 0 && frame[0] != cx_movie_frame(movie, t - 1)[0];

        for (size_t i = 1; i < 20; i++)
            g_assert_cmpfloat(frame[i], ==, frame[0]);
        g_assert_cmpfloat(fabsf(frame[0]), <=, 1.2f);
        length = change ? 1 : length + 1;
        g_assert_cmpuint(length, <=, 31);
        dark += change && frame[0] < 0;
        light += change && frame[0] > 0;
    }
    double share = (double)dark / (double)(dark + light);
    g_test_message("%zu dark, %zu light", dark, light);
    g_assert_cmpfloat_with_epsilon(share, 0.75, 0.12);
}

/* A single bar: the area it covers is its width, and it moves by its speed. */
static void
test_bars(void)
{
    CxNaturalOptions o = small(400, 1, 60);
    CxRng rng = cx_test_rng();
    size_t compared = 0;

    o.n_bars = 1;
    o.reversal_per_frame = 0.0;
    o.bar_amplitude_min = o.bar_amplitude_max = 1.0;
    for (int round = 0; round < 20; round++) {
        g_autoptr(CxMovie) movie = cx_movie_new(400, 1, 60, NULL);
        double before = NAN, speed = NAN, area = NAN;

        g_assert_true(
            cx_natural_clip(movie, 0, 400, CX_CLIP_BARS, &o, &rng, NULL));
        for (size_t t = 0; t < 400; t++) {
            double sum = 0.0, moment = 0.0;
            const float *frame = cx_movie_frame(movie, t);

            for (size_t x = 0; x < 60; x++) {
                sum += fabs((double)frame[x]);
                moment += fabs((double)frame[x]) * (double)x;
            }
            bool whole = frame[0] == 0.0f && frame[59] == 0.0f && sum > 0.5;
            if (whole && !isnan(before)) {
                double moved = moment / sum - before;

                if (!isnan(speed)) {
                    g_assert_cmpfloat_with_epsilon(sum, area, 1e-3);
                    compared++;
                }
                g_assert_true(sum > 1.999 && sum < 6.001);
                g_assert_true(fabs(moved) > 0.02 && fabs(moved) < 0.75);
                speed = moved;
            }
            area = sum;
            before = whole ? moment / sum : NAN;
            speed = whole ? speed : NAN;
        }
    }
    g_assert_cmpuint(compared, >, 1000);
}

static void
test_errors(void)
{
    CxNaturalOptions o = small(100, 1, 12);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("test");

    memset(o.share, 0, sizeof o.share);
    g_assert_null(cx_natural_new(&o, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "share", NULL);
    o = small(100, 1, 12);
    o.scene_px = 1000;
    o.share[CX_CLIP_BARS] = o.share[CX_CLIP_STEPS] = 0.0;
    g_assert_null(cx_natural_new(&o, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "1000", NULL);
    o = small(100, 1, 12);
    o.step_max_frames = 0;
    g_assert_null(cx_natural_new(&o, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "steps", NULL);
    o = small(100, 1, 12);
    cx_job_cancel(job);
    g_assert_null(cx_natural_new(&o, job, &error));
    cx_test_expect_error(&error, CX_ERROR_CANCELLED, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/natural/same-seed", test_same_seed);
    g_test_add_func("/natural/spectrum-line", test_spectrum_line);
    g_test_add_func("/natural/spectrum-square", test_spectrum_square);
    g_test_add_func("/natural/window", test_window);
    g_test_add_func("/natural/kinds", test_kinds);
    g_test_add_func("/natural/steps", test_steps);
    g_test_add_func("/natural/bars", test_bars);
    g_test_add_func("/natural/errors", test_errors);
    return g_test_run();
}
