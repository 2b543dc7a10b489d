/* The simulated retina against a naive twin in double precision, one pixel and
 * one millisecond at a time; GTR-E against the published latencies.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/retina/blur.h"
#include "core/retina/simulator.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* ---- the twin --------------------------------------------------------- */

static double
sg(double x, double a, double b)
{
    return 1.0 / (1.0 + exp(-a * (x - b)));
}

static double
plus(double x)
{
    return x > 0.0 ? x : 0.0;
}

/* A blur by the definition: every pixel asks all within four sigma. */
static void
blur_naive(double sigma, int h, int w, const double *in, double *out)
{
    int r = (int)ceil(4.0 * sigma), ry = h > 1 ? r : 0;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double sum = 0.0, weight = 0.0;

            for (int dy = -ry; dy <= ry; dy++)
                for (int dx = -r; dx <= r; dx++) {
                    double g =
                        exp(-0.5 * (double)(dx * dx + dy * dy) / sigma / sigma);

                    sum += g * in[CLAMP(y + dy, 0, h - 1) * w +
                                  CLAMP(x + dx, 0, w - 1)];
                    weight += g;
                }
            out[y * w + x] = sum / weight;
        }
}

typedef struct {
    double r1, v, f1, f2, s1, s2, d1, d2, a_off, a_on, off, on;
    double vb, va1, va2, n, ve;
} Pixel;

static void
pixel_step(Pixel *p, double light, unsigned out)
{
    double gain = (out & CX_KNOCK_OUT_GAIN_CONTROL) != 0 ? 0.0 : 7.5;
    double beta = (out & CX_KNOCK_OUT_DEPRESSION) != 0 ? 0.0 : 0.086;

    p->r1 += (light - p->r1) / 7.0;
    p->v += (p->r1 - p->v) / 7.0;
    p->f1 += (p->v - p->f1) / 15.0;
    p->f2 += (p->f1 - p->f2) / 15.0;
    p->s1 += (p->v - p->s1) / 60.0;
    p->s2 += (p->s1 - p->s2) / 60.0;
    double y = p->f2 - p->s2;
    p->d1 += (y - p->d1) / 21.0;
    p->d2 += (p->d1 - p->d2) / 21.0;
    double o = plus(-y), q = plus(p->d2);
    p->a_off += (gain * o - p->a_off) / 160.0;
    p->a_on += (gain * q - p->a_on) / 160.0;
    p->off += (o / (1.0 + pow(p->a_off, 4.0)) - p->off) / 7.0;
    p->on += (q / (1.0 + pow(p->a_on, 4.0)) - p->on) / 7.0;
    double dark = 20.0 * (sg(p->v, 14.0, -0.5) - 1.0);
    double dve = -p->ve / 55.0 + 0.002 * (50.0 * plus(p->vb + 26.0) -
                                          53.0 * p->n * plus(p->va1) -
                                          65.0 * plus(p->va2 + 20.0));
    double dn = 0.02 * (1.0 - p->n) - 0.02 * beta * plus(p->va1) * p->n;
    p->ve += dve;
    p->n += dn;
    p->vb += (dark - p->vb) / 40.0;
    p->va1 += (20.0 * sg(-p->v, 12.0, 0.5) - p->va1) / 42.5;
    p->va2 += (dark - p->va2) / 60.0;
}

/* The state a long time of grey leads to. */
static Pixel
rest(unsigned out)
{
    Pixel p = {0};

    for (int t = 0; t < 5000; t++)
        pixel_step(&p, 0.0, out);
    return p;
}

/* rates and the three drives, [frame][pixel]. */
static void
simulate_naive(const CxMovie *movie, unsigned out, double *const traces[4])
{
    int h = (int)movie->height, w = (int)movie->width, n = h * w;
    g_autofree Pixel *pixels = g_new(Pixel, n);
    g_autofree double *light = g_new(double, n), *blurred = g_new(double, n);
    g_autofree double *field = g_new(double, n), *drives[3] = {NULL};
    double weights[3] = {(out & CX_KNOCK_OUT_OFF_BIPOLAR) != 0 ? 0.0 : 100.0,
                         (out & CX_KNOCK_OUT_ON_BIPOLAR) != 0 ? 0.0 : 44.0,
                         (out & CX_KNOCK_OUT_SLOW_BRANCH) != 0 ? 0.0 : 0.73};

    for (int i = 0; i < n; i++)
        pixels[i] = rest(out);
    for (int k = 0; k < 3; k++)
        drives[k] = g_new(double, n);
    for (size_t t = 0; t < movie->n_frames; t++) {
        for (int i = 0; i < n; i++)
            light[i] = (double)cx_movie_frame(movie, t)[i];
        blur_naive(0.8, h, w, light, blurred);
        for (int k = 0; k < 4; k++)
            memset(traces[k] + t * (size_t)n, 0, (size_t)n * sizeof(double));
        for (int step = 0; step < 10; step++) {
            for (int i = 0; i < n; i++)
                pixel_step(&pixels[i], blurred[i], out);
            for (int k = 0; k < 3; k++) {
                for (int i = 0; i < n; i++)
                    field[i] = k == 0   ? pixels[i].off
                               : k == 1 ? pixels[i].on
                                        : pixels[i].ve;
                blur_naive(k < 2 ? 2.9 : 5.0, h, w, field, drives[k]);
            }
            for (int i = 0; i < n; i++) {
                double sum = 0.0;

                for (int k = 0; k < 3; k++) {
                    double drive = weights[k] * drives[k][i];

                    sum += drive;
                    traces[k + 1][t * (size_t)n + (size_t)i] += 0.1 * drive;
                }
                traces[0][t * (size_t)n + (size_t)i] += 0.1 * plus(sum);
            }
        }
    }
    g_free(drives[1]);
    g_free(drives[2]);
}

/* ---- tests ------------------------------------------------------------ */

/* Blobs that come and go, black to white. */
static CxMovie *
random_movie(CxRng *rng, size_t n_frames, size_t height, size_t width)
{
    CxMovie *movie = cx_movie_new(n_frames, height, width, NULL);
    size_t n = height * width;

    for (size_t t = 0; t < n_frames; t++)
        for (size_t i = 0; i < n; i++) {
            float before = t > 0 ? movie->data[(t - 1) * n + i] : 0.0f;
            bool change = cx_rng_below(rng, 12) == 0;

            movie->data[t * n + i] =
                change ? (float)(1.5 * cx_rng_uniform(rng) - 1.0) : before;
        }
    return movie;
}

static void
compare_with_twin(const CxMovie *movie, unsigned knock_outs, double tolerance)
{
    size_t n = movie->n_frames * cx_movie_frame_size(movie);
    double *wanted[4];
    float *found[4];
    CxSimulatorOptions options = {.knock_outs = knock_outs, .n_threads = 1};
    g_autoptr(GError) error = NULL;

    for (int k = 0; k < 4; k++) {
        wanted[k] = g_new(double, n);
        found[k] = g_new(float, n);
    }
    CxSimulatorOutput output = {found[0], found[1], found[2], found[3]};
    simulate_naive(movie, knock_outs, wanted);
    g_assert_true(
        cx_simulator_run(movie, &options, NULL, 0, &output, NULL, &error));
    g_assert_no_error(error);
    for (int k = 0; k < 4; k++) {
        double worst = 0.0;

        for (size_t i = 0; i < n; i++)
            worst = MAX(worst, fabs((double)found[k][i] - wanted[k][i]));
        g_test_message("trace %d: off by at most %g", k, worst);
        g_assert_cmpfloat(worst, <, tolerance);
        g_free(wanted[k]);
        g_free(found[k]);
    }
}

static void
test_line(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = random_movie(&rng, 120, 1, 14);

    for (unsigned k = 0; k <= CX_N_KNOCK_OUTS; k++)
        compare_with_twin(movie, k == 0 ? 0 : 1u << (k - 1), 2e-3);
}

static void
test_square(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = random_movie(&rng, 20, 5, 7);

    compare_with_twin(movie, 0, 2e-3);
}

/* Pieces of a long film join without a seam, on any number of threads. */
static void
test_pieces(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = random_movie(&rng, 4100, 1, 3);
    g_autofree float *one = g_new(float, 4100 * 3);
    g_autofree float *two = g_new(float, 4100 * 3);
    CxSimulatorOptions options = {.n_threads = 1};
    CxSimulatorOutput output = {.rate = one};

    compare_with_twin(movie, 0, 2e-3);
    g_assert_true(
        cx_simulator_run(movie, &options, NULL, 0, &output, NULL, NULL));
    options.n_threads = 2;
    output.rate = two;
    g_assert_true(
        cx_simulator_run(movie, &options, NULL, 0, &output, NULL, NULL));
    g_assert_cmpmem(one, sizeof(float) * 12300, two, sizeof(float) * 12300);
}

/* What is constant in y is simulated as one row, and cells are found. */
static void
test_rows(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) row = random_movie(&rng, 60, 1, 12);
    g_autoptr(CxMovie) tall = cx_movie_repeat_rows(row, 6, NULL);
    CxCellPosition cells[] = {{3, 1}, {11, 5}, {0, 0}};
    float full[180], quick[180], line[720];
    CxSimulatorOptions options = {.n_threads = 1, .full_2d = true};
    CxSimulatorOutput output = {.rate = full};

    g_assert_true(
        cx_simulator_run(tall, &options, cells, 3, &output, NULL, NULL));
    options.full_2d = false;
    output.rate = quick;
    g_assert_true(
        cx_simulator_run(tall, &options, cells, 3, &output, NULL, NULL));
    output.rate = line;
    g_assert_true(
        cx_simulator_run(row, &options, NULL, 0, &output, NULL, NULL));
    for (size_t t = 0; t < 60; t++)
        for (size_t i = 0; i < 3; i++) {
            float wanted = line[t * 12 + (size_t)cells[i].x];

            g_assert_cmpfloat(quick[t * 3 + i], ==, wanted);
            g_assert_cmpfloat_with_epsilon(full[t * 3 + i], wanted, 2e-4f);
        }
}

/* Grey gives nothing, for ever. */
static void
test_rest(void)
{
    g_autoptr(CxMovie) movie = cx_movie_new(500, 1, 4, NULL);
    float rate[2000], slow[2000];
    CxSimulatorOutput output = {.rate = rate, .slow = slow};

    g_assert_true(cx_simulator_run(movie, NULL, NULL, 0, &output, NULL, NULL));
    for (size_t i = 0; i < 2000; i++) {
        g_assert_cmpfloat(rate[i], ==, 0.0f);
        g_assert_cmpfloat_with_epsilon(slow[i], slow[0], 1e-3f);
    }
}

static void
test_errors(void)
{
    g_autoptr(CxMovie) movie = cx_movie_new(10, 1, 4, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("test");
    CxCellPosition outside = {4, 0};
    float rate[40];
    CxSimulatorOutput output = {.rate = rate};

    g_assert_false(
        cx_simulator_run(movie, NULL, &outside, 1, &output, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "cell 0", "4 x 1", NULL);
    movie->frame_ms = 10.5;
    g_assert_false(
        cx_simulator_run(movie, NULL, NULL, 0, &output, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "10.5 ms", NULL);
    movie->frame_ms = 10.0;
    cx_job_cancel(job);
    g_assert_false(
        cx_simulator_run(movie, NULL, NULL, 0, &output, job, &error));
    cx_test_expect_error(&error, CX_ERROR_CANCELLED, NULL);
}

static void
test_names(void)
{
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++)
        g_assert_cmpuint(cx_knock_out_from_name(cx_knock_out_name(i)), ==,
                         1u << i);
    g_assert_null(cx_knock_out_name(CX_N_KNOCK_OUTS));
    g_assert_cmpuint(cx_knock_out_from_name("cone"), ==, CX_KNOCK_OUT_NONE);
}

/* 12 flashes of 40 ms: time of the peak after the end of the last one, its
 * height, and the largest rate before. */
static void
flash_ebert(double hertz, unsigned knock_outs, double *latency, double *peak,
            double *train)
{
    double period = 1000.0 / hertz, lead = 500.0;
    size_t n = (size_t)(lead + 12.0 * period) + 1200;
    size_t end = (size_t)rint(lead + 11.0 * period) + 40;
    g_autoptr(CxMovie) movie = cx_movie_new(n, 1, 1, NULL);
    g_autofree float *rate = g_new(float, n);
    CxSimulatorOptions options = {.model = CX_RETINA_GTR_E,
                                  .knock_outs = knock_outs};
    CxSimulatorOutput output = {.rate = rate};

    movie->frame_ms = 1.0;
    for (unsigned k = 0; k < 12; k++)
        for (size_t t = 0; t < 40; t++)
            movie->data[(size_t)rint(lead + k * period) + t] = -1.0f;
    g_assert_true(
        cx_simulator_run(movie, &options, NULL, 0, &output, NULL, NULL));
    *peak = *train = 0.0;
    for (size_t t = 0; t < n; t++) {
        if (t < end)
            *train = MAX(*train, (double)rate[t]);
        if (t < end || !((double)rate[t] > *peak))
            continue;
        *peak = (double)rate[t];
        *latency = (double)(t + 1 - end);
    }
}

/* Described: 330.5 to 447.7 ms (slope 1.13), 40 to 7.5 Hz, a silent train;
 * without depression 497 to 533 ms.  Ours come 2 to 3 ms earlier. */
static void
test_ebert(void)
{
    static const double hertz[] = {16, 12, 10, 8, 6};
    static const double described[] = {330.5, 366.8, 389.0, 415.5, 447.7};
    double latency[5] = {0}, peak, train;

    for (unsigned i = 0; i < 5; i++) {
        flash_ebert(hertz[i], 0, &latency[i], &peak, &train);
        g_test_message("%g Hz: %.1f ms, %.1f Hz", hertz[i], latency[i], peak);
        g_assert_cmpfloat_with_epsilon(latency[i], described[i], 4.0);
        g_assert_cmpfloat(train, ==, 0.0);
        if (i == 0)
            g_assert_cmpfloat_with_epsilon(peak, 40.0, 1.0);
        if (i == 4)
            g_assert_cmpfloat_with_epsilon(peak, 7.5, 0.5);
    }
    double rise = latency[4] - latency[0], periods = 1000.0 / 6 - 1000.0 / 16;
    g_assert_cmpfloat_with_epsilon(rise / periods, 1.13, 0.03);
    double first, last;
    flash_ebert(16, CX_KNOCK_OUT_DEPRESSION, &first, &peak, &train);
    flash_ebert(6, CX_KNOCK_OUT_DEPRESSION, &last, &peak, &train);
    g_assert_cmpfloat_with_epsilon(first, 497.0, 4.0);
    g_assert_cmpfloat_with_epsilon(last, 533.0, 4.0);
    g_assert_cmpfloat_with_epsilon((last - first) / periods, 0.34, 0.03);
}

static void
test_blur(void)
{
    CxRng rng = cx_test_rng();
    float in[63], out[63];
    double wide[63], wanted[63];

    for (int i = 0; i < 63; i++)
        wide[i] = (double)(in[i] = (float)cx_rng_uniform(&rng));
    g_autoptr(CxBlur) blur = cx_blur_new(1.7, 7, 9);
    cx_blur_apply(blur, in, out);
    cx_blur_apply(blur, in, in);
    blur_naive(1.7, 7, 9, wide, wanted);
    for (int i = 0; i < 63; i++) {
        g_assert_cmpfloat_with_epsilon((double)out[i], wanted[i], 1e-5);
        g_assert_cmpfloat(out[i], ==, in[i]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/simulator/blur", test_blur);
    g_test_add_func("/simulator/line", test_line);
    g_test_add_func("/simulator/square", test_square);
    g_test_add_func("/simulator/pieces", test_pieces);
    g_test_add_func("/simulator/rows", test_rows);
    g_test_add_func("/simulator/rest", test_rest);
    g_test_add_func("/simulator/errors", test_errors);
    g_test_add_func("/simulator/names", test_names);
    g_test_add_func("/simulator/ebert", test_ebert);
    return g_test_run();
}
