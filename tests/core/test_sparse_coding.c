/* Sparse coding: images, whitening, inference, learning.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/kernels/kernels.h"
#include "core/theory/fft.h"
#include "core/theory/gabor_fit.h"
#include "core/theory/matrix.h"
#include "core/theory/sparse_coding.h"
#include "core/volume/writer.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

static void
test_fft(void)
{
    enum { w = 16, h = 4 };
    CxRng rng = cx_test_rng();
    double re[w * h], im[w * h], a[w * h], b[w * h];

    for (int i = 0; i < w * h; i++) {
        a[i] = re[i] = cx_rng_normal(&rng);
        b[i] = im[i] = cx_rng_normal(&rng);
    }
    cx_fft_2d(re, im, w, h, false);
    for (int v = 0; v < h; v++)
        for (int u = 0; u < w; u++) {
            double x = 0, y = 0;

            for (int i = 0; i < w * h; i++) {
                double t = -2 * G_PI *
                           ((double)u * (i % w) / w + (double)v * (i / w) / h);

                x += a[i] * cos(t) - b[i] * sin(t);
                y += a[i] * sin(t) + b[i] * cos(t);
            }
            g_assert_cmpfloat_with_epsilon(re[v * w + u], x, 1e-9);
            g_assert_cmpfloat_with_epsilon(im[v * w + u], y, 1e-9);
        }
    cx_fft_2d(re, im, w, h, true);
    for (int i = 0; i < w * h; i++) {
        g_assert_cmpfloat_with_epsilon(re[i], a[i], 1e-12);
        g_assert_cmpfloat_with_epsilon(im[i], b[i], 1e-12);
    }
    g_assert_cmpfloat(cx_fft_frequency(1, 16), ==, 1.0 / 16);
    g_assert_cmpfloat(cx_fft_frequency(15, 16), ==, -1.0 / 16);
    g_assert_cmpuint(cx_fft_size(513), ==, 1024);
}

static void
test_matrix(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 20; round++) {
        size_t m = 1 + cx_rng_below(&rng, 300);
        size_t k = 1 + cx_rng_below(&rng, 300);
        size_t n = 1 + cx_rng_below(&rng, 70);
        g_autofree float *a = g_new(float, m *k);
        g_autofree float *b = g_new(float, k *n);
        g_autofree float *c = g_new(float, m *n);
        g_autofree float *turned = g_new(float, m *k);

        for (size_t i = 0; i < m * k; i++)
            a[i] = (float)cx_rng_normal(&rng);
        for (size_t i = 0; i < k * n; i++)
            b[i] = (float)cx_rng_normal(&rng);
        cx_matrix_multiply(cx_gemm_rows_f32_c, c, a, b, m, k, n);
        cx_matrix_transpose(turned, a, m, k);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0.0;

                for (size_t x = 0; x < k; x++) {
                    sum += (double)a[i * k + x] * b[x * n + j];
                    g_assert_cmpfloat(turned[x * m + i], ==, a[i * k + x]);
                }
                g_assert_cmpfloat_with_epsilon(c[i * n + j], sum, 1e-3);
            }
    }
}

static CxImageSet *
draw_white(unsigned n, unsigned side, uint64_t seed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxImageSet) set = cx_image_set_draw(n, side, seed, NULL, &error);
    CxImageSet *white =
        set != NULL ? cx_image_set_whiten(set, 0.4, NULL, &error) : NULL;

    g_assert_no_error(error);
    return white;
}

static void
test_images(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxImageSet) set = cx_image_set_draw(3, 256, 7, NULL, &error);
    g_autoptr(CxImageSet) again = cx_image_set_draw(3, 256, 7, NULL, &error);
    g_autoptr(CxImageSet) white = draw_white(3, 256, 7);
    unsigned width, height;
    double squares = 0.0;

    g_assert_cmpuint(cx_image_set_n_images(set), ==, 3);
    const float *a = cx_image_set_pixels(set, 2, &width, &height);
    g_assert_cmpuint(width, ==, 256);
    g_assert_cmpuint(height, ==, 256);
    const float *b = cx_image_set_pixels(again, 2, &width, &height);
    g_assert_cmpmem(a, sizeof *a * 256 * 256, b, sizeof *b * 256 * 256);
    double slope = cx_image_set_slope(set, &error);
    double flat = cx_image_set_slope(white, &error);
    g_test_message("slope %g, white %g", slope, flat);
    g_assert_cmpfloat_with_epsilon(slope, -2.0, 0.4);
    g_assert_cmpfloat(fabs(flat), <, 0.5);
    for (unsigned i = 0; i < 3; i++) {
        const float *p = cx_image_set_pixels(white, i, &width, &height);

        for (size_t k = 0; k < 256 * 256; k++)
            squares += (double)p[k] * p[k] / (3 * 256 * 256);
    }
    g_assert_cmpfloat_with_epsilon(squares, 0.1, 0.005);
    g_assert_null(cx_image_set_draw(3, 100, 7, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "power of two", NULL);
}

static void
write_image(const char *dir, const char *name, int64_t w, int64_t h,
            unsigned step)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autoptr(GError) error = NULL;
    CxBox box = {{0, 0, 0}, {w, h, 1}};
    g_autoptr(CxChunk) chunk = cx_chunk_new(CX_DTYPE_U8, box, 1, &error);
    uint8_t *data = cx_chunk_data_mut(chunk);

    for (int64_t i = 0; i < w * h; i++)
        data[i] = (uint8_t)(i * step % 251);
    CxWriterOptions options = {.dtype = CX_DTYPE_U8,
                               .size = {w, h, 1},
                               .voxel_nm = {1, 1, 1},
                               .n_channels = 1};
    g_autoptr(CxWriter) writer = cx_writer_new(path, &options, &error);
    g_assert_no_error(error);
    g_assert_true(cx_writer_write(writer, chunk, &error));
    g_assert_true(cx_writer_finish(writer, NULL, &error));
}

static void
test_load(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autoptr(GError) error = NULL;
    unsigned width, height;

    write_image(dir, "b.tif", 40, 30, 7);
    write_image(dir, "a.tif", 20, 50, 3);
    g_autoptr(CxImageSet) set = cx_image_set_load(dir, 10, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(cx_image_set_n_images(set), ==, 2);
    const float *a = cx_image_set_pixels(set, 0, &width, &height);
    g_assert_cmpuint(width, ==, 20);
    g_assert_cmpuint(height, ==, 50);
    g_assert_cmpfloat_with_epsilon(a[5], 15 / 255.0, 1e-6);
    g_autoptr(CxImageSet) white = cx_image_set_whiten(set, 0.4, NULL, &error);
    g_assert_no_error(error);
    float patch[4 * 32 * 32];
    CxRng rng = cx_test_rng();
    g_assert_true(cx_image_set_patches(white, 16, 4, &rng, patch, &error));
    double mean = 0.0;
    for (unsigned i = 0; i < 256; i++)
        mean += patch[i];
    g_assert_cmpfloat_with_epsilon(mean, 0.0, 1e-4);
    g_assert_false(cx_image_set_patches(white, 32, 4, &rng, patch, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "as large as a patch", NULL);
    g_assert_null(cx_image_set_load("/nowhere", 10, NULL, &error));
    g_assert_nonnull(error);
    cx_test_remove_dir(dir);
}

/* ---- Inference ---- */

enum { SIDE = 6, PIXELS = SIDE * SIDE, ATOMS = 50, PATCHES = 70, STEPS = 60 };

static double
objective_of(const CxDictionary *d, const float *x, const float *a,
             double lambda)
{
    double sum = 0.0, f = 0.0;

    for (int p = 0; p < PIXELS; p++) {
        double rest = x[p];

        for (int k = 0; k < ATOMS; k++)
            rest -= (double)a[k] * d->atoms[k * PIXELS + p];
        f += 0.5 * rest * rest;
    }
    for (int k = 0; k < ATOMS; k++)
        sum += fabs(a[k]);
    return f + lambda * sum;
}

/* Coordinate descent, until nothing moves: the minimum. */
static double
least_objective(const CxDictionary *d, const float *x, double lambda)
{
    float a[ATOMS] = {0};

    for (int round = 0; round < 3000; round++)
        for (int k = 0; k < ATOMS; k++) {
            const float *atom = d->atoms + k * PIXELS;
            double dot = 0.0;

            a[k] = 0.0f;
            for (int p = 0; p < PIXELS; p++) {
                double rest = x[p];

                for (int j = 0; j < ATOMS; j++)
                    if (a[j] != 0.0f)
                        rest -= (double)a[j] * d->atoms[j * PIXELS + p];
                dot += rest * atom[p];
            }
            a[k] = (float)(dot > lambda    ? dot - lambda
                           : dot < -lambda ? dot + lambda
                                           : 0.0);
        }
    return objective_of(d, x, a, lambda);
}

static void
test_infer(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxDictionary) d = cx_dictionary_new(SIDE, ATOMS, &rng, &error);
    g_autofree float *x = g_new(float, PATCHES *PIXELS);
    g_autofree float *a = g_new(float, PATCHES *ATOMS);
    g_autofree float *b = g_new(float, PATCHES *ATOMS);
    double f[2][STEPS + 1], sum = 0.0;

    for (int i = 0; i < PATCHES * PIXELS; i++)
        x[i] = (float)cx_rng_normal(&rng);
    for (int m = 0; m < 2; m++) {
        g_assert_true(cx_sparse_infer(d, x, PATCHES, 0.5, (CxSparseMethod)m,
                                      STEPS, a, f[m], 2, NULL, &error));
        g_assert_true(cx_sparse_infer(d, x, PATCHES, 0.5, (CxSparseMethod)m,
                                      STEPS, b, NULL, 1, NULL, &error));
        g_assert_cmpmem(a, sizeof *a * PATCHES * ATOMS, b,
                        sizeof *b * PATCHES * ATOMS);
        sum = 0.0;
        for (int i = 0; i < PATCHES; i++)
            sum += objective_of(d, x + i * PIXELS, a + i * ATOMS, 0.5);
        g_assert_cmpfloat_with_epsilon(sum, f[m][STEPS], 1e-3 * sum);
    }
    g_assert_cmpfloat(f[0][0], ==, f[1][0]);
    for (int k = 0; k < STEPS; k++)
        g_assert_cmpfloat(f[0][k + 1], <=, f[0][k] * (1 + 1e-6));
    for (int k = 2; k <= STEPS; k++)
        g_assert_cmpfloat(f[1][k], <=, f[0][k] * (1 + 1e-6));
    g_assert_true(cx_sparse_infer(d, x, 2, 0.5, CX_SPARSE_FISTA, 2000, a, NULL,
                                  1, NULL, &error));
    for (int i = 0; i < 2; i++) {
        double least = least_objective(d, x + i * PIXELS, 0.5);
        double found = objective_of(d, x + i * PIXELS, a + i * ATOMS, 0.5);

        g_assert_cmpfloat_with_epsilon(found, least, 1e-3 * least);
    }
}

/* ---- Learning ---- */

static CxDictionary *
learn(const CxImageSet *images, CxSparseOptions options, unsigned piece)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxSparseLearner) learner =
        cx_sparse_learner_new(&options, images, &error);

    g_assert_no_error(error);
    while (!cx_sparse_learner_is_done(learner))
        g_assert_true(cx_sparse_learner_run(learner, piece, NULL, &error));
    CxSparseProgress progress = cx_sparse_learner_progress(learner);
    g_assert_cmpuint(progress.n_batches, ==, options.n_batches);
    g_assert_cmpfloat(progress.active, <, 0.3);
    g_assert_cmpfloat(progress.error, <, 0.5);
    return cx_dictionary_copy(cx_sparse_learner_dictionary(learner), &error);
}

/* Atoms become Gabor functions, codes sparse. */
static void
test_learn(void)
{
    CxSparseOptions options = cx_sparse_defaults();
    g_autoptr(CxImageSet) white = draw_white(4, 256, 1);
    g_autoptr(GError) error = NULL;
    CxGabor gabors[64];
    unsigned n_good = 0, width, height;

    options.side = 8;
    options.n_atoms = 64;
    options.n_batches = 600;
    g_autoptr(CxDictionary) d = learn(white, options, 100);
    g_assert_true(cx_gabor_fit_all(d->atoms, 8, 64, gabors, 0, NULL, &error));
    for (unsigned k = 0; k < 64; k++) {
        double squares = 0.0;

        n_good += gabors[k].r2 >= 0.7;
        for (unsigned i = 0; i < 64; i++)
            squares += (double)d->atoms[k * 64 + i] * d->atoms[k * 64 + i];
        g_assert_cmpfloat_with_epsilon(squares, 1.0, 1e-4);
    }
    g_test_message("%u of 64 atoms are Gabor functions", n_good);
    g_assert_cmpuint(n_good, >=, 52);
    g_autofree float *x = g_new(float, 500 * 64);
    g_autofree float *a = g_new(float, 500 * 64);
    CxRng rng = cx_test_rng();
    g_assert_true(cx_image_set_patches(white, 8, 500, &rng, x, &error));
    g_assert_true(cx_sparse_infer(d, x, 500, options.lambda, CX_SPARSE_FISTA,
                                  100, a, NULL, 0, NULL, &error));
    g_test_message("kurtosis %g", cx_kurtosis(a, 500 * 64));
    g_assert_cmpfloat(cx_kurtosis(a, 500 * 64), >, 10.0);
    CX_AUTOFREE uint8_t *mosaic =
        cx_dictionary_mosaic(d, 2, &width, &height, &error);
    g_assert_cmpuint(width, ==, 8 * 18 + 2);
    g_assert_cmpuint(height, ==, 8 * 18 + 2);
    g_assert_cmpuint(mosaic[0], ==, 0);
}

/* The same whatever the threads and the pieces. */
static void
test_same(void)
{
    CxSparseOptions options = cx_sparse_defaults();
    g_autoptr(CxImageSet) white = draw_white(1, 64, 1);

    options.side = 6;
    options.n_atoms = 30;
    options.n_batches = 12;
    options.n_threads = 2;
    g_autoptr(CxDictionary) a = learn(white, options, 5);
    options.n_threads = 1;
    g_autoptr(CxDictionary) b = learn(white, options, 100);
    g_assert_cmpmem(a->atoms, 30 * 36 * sizeof(float), b->atoms,
                    30 * 36 * sizeof(float));
}

static void
test_kurtosis(void)
{
    CxRng rng = cx_test_rng();
    g_autofree float *x = g_new(float, 100000);

    for (int i = 0; i < 100000; i++)
        x[i] = (float)cx_rng_normal(&rng);
    g_assert_cmpfloat_with_epsilon(cx_kurtosis(x, 100000), 3.0, 0.15);
}

static bool
run_learner(CxJob *job, void *data, GError **error)
{
    return cx_sparse_learner_run(data, 100, job, error);
}

static void
test_cancel(void)
{
    CxSparseOptions options = cx_sparse_defaults();
    g_autoptr(CxImageSet) white = draw_white(1, 64, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("learning");
    g_autoptr(CxSparseLearner) learner =
        cx_sparse_learner_new(&options, white, &error);

    cx_job_cancel(job);
    g_assert_false(cx_job_run(job, run_learner, learner, &error));
    g_assert_true(cx_error_is_cancelled(error));
    g_clear_error(&error);
    options.lambda = 0.0;
    g_assert_null(cx_sparse_learner_new(&options, white, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "positive numbers", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sparse/fft", test_fft);
    g_test_add_func("/sparse/matrix", test_matrix);
    g_test_add_func("/sparse/images", test_images);
    g_test_add_func("/sparse/load", test_load);
    g_test_add_func("/sparse/infer", test_infer);
    g_test_add_func("/sparse/kurtosis", test_kurtosis);
    g_test_add_func("/sparse/same", test_same);
    g_test_add_func("/sparse/cancel", test_cancel);
    g_test_add_func("/sparse/learn", test_learn);
    return g_test_run();
}
