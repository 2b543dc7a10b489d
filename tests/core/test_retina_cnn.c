/* The retina network: against plain sums in double, gradients against
 * differences, files good and bad.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/retina_cnn.h"

#include "core/base/error.h"
#include "core/nn/plane_conv.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <hdf5.h>
#include <math.h>
#include <string.h>

/* ---- the slow twin ---------------------------------------------------- */

static const CxRetinaTensor *
tensor(const CxRetinaCnn *net, unsigned layer, unsigned which)
{
    return cx_retina_cnn_tensor(net, layer * CX_RETINA_TENSORS_A_LAYER + which);
}

/* z of a layer from its input, both [channel][y][x]. */
static double *
naive_conv(const CxRetinaCnn *net, unsigned layer, const double *in)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(net, layer);
    const float *w = tensor(net, layer, 0)->data;
    double *out = g_new(double, l->n_units);

    for (size_t u = 0; u < l->n_units; u++) {
        size_t x = u % l->out_x, y = u / l->out_x % l->out_y;
        size_t o = u / l->out_x / l->out_y;
        double sum = (double)tensor(net, layer, 1)->data[o];

        for (size_t i = 0; i < l->n_in; i++)
            for (size_t dy = 0; dy < l->kernel_y; dy++)
                for (size_t dx = 0; dx < l->kernel_x; dx++)
                    sum += (double)w[((o * l->n_in + i) * l->kernel_y + dy) *
                                         l->kernel_x +
                                     dx] *
                           in[(i * l->in_y + y + dy) * l->in_x + x + dx];
        out[u] = sum;
    }
    return out;
}

static double
naive_norm(const CxRetinaCnn *net, unsigned layer, size_t u, double z)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(net, layer);
    size_t i = layer < 2 ? u : u / l->out_y / l->out_x;
    double gain = fabs((double)tensor(net, layer, 2)->data[i]);
    double mean = (double)tensor(net, layer, 4)->data[i];
    double variance = (double)tensor(net, layer, 5)->data[i];

    return gain * (z - mean) / sqrt(variance + 1e-3) +
           (double)tensor(net, layer, 3)->data[i];
}

/* Masked activity of layer 1 or 2; grey: z of a grey film. */
static void
naive_relu(const CxRetinaCnn *net, unsigned layer, const uint8_t *fates,
           const double *grey, double *z)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(net, layer);

    for (size_t u = 0; u < l->n_units; u++) {
        uint8_t fate =
            fates != NULL ? fates[u / l->out_y / l->out_x] : CX_RETINA_KEEP;

        if (fate == CX_RETINA_HOLD)
            z[u] = grey[u];
        z[u] = fmax(naive_norm(net, layer, u, z[u]), 0.0);
        if (fate == CX_RETINA_ZERO)
            z[u] = 0.0;
    }
}

/* Rates of all map places from z1; owned. */
static double *
naive_rates(const CxRetinaCnn *net, const CxRetinaMask *mask, const double *z1)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(net, 0);
    g_autofree double *grey1 = g_new(double, l->n_units);
    g_autofree double *a1 = g_memdup2(z1, l->n_units * sizeof *z1);

    for (size_t u = 0; u < l->n_units; u++)
        grey1[u] = (double)tensor(net, 0, 1)->data[u / l->out_y / l->out_x];
    naive_relu(net, 0, mask != NULL ? mask->layer1 : NULL, grey1, a1);
    g_autofree double *z2 = naive_conv(net, 1, a1);
    naive_relu(net, 0, NULL, NULL, grey1);
    g_autofree double *grey2 = naive_conv(net, 1, grey1);
    naive_relu(net, 1, mask != NULL ? mask->layer2 : NULL, grey2, z2);
    double *u = naive_conv(net, 2, z2);
    for (size_t i = 0; i < cx_retina_cnn_layer(net, 2)->n_units; i++)
        u[i] = log1p(exp(naive_norm(net, 2, i, u[i])));
    return u;
}

static double *
naive_z1(const CxRetinaCnn *net, const CxMovie *movie, size_t window)
{
    const CxRetinaShape *s = cx_retina_cnn_shape(net);
    size_t area = (size_t)s->height * s->width;
    g_autofree double *in = g_new(double, s->history *area);

    for (size_t i = 0; i < s->history * area; i++) {
        const float *frame = cx_movie_frame(movie, window + i / area);
        size_t at = movie->height == 1 ? i % s->width : i % area;

        in[i] = (double)frame[at];
    }
    return naive_conv(net, 0, in);
}

/* ---- random networks and films ---------------------------------------- */

static CxRetinaShape
random_shape(CxRng *rng)
{
    bool flat = cx_rng_below(rng, 3) == 0;
    CxRetinaShape s = {.history = 1 + (uint32_t)cx_rng_below(rng, 7),
                       .height = flat ? 1 : 9 + (uint32_t)cx_rng_below(rng, 5),
                       .width = 9 + (uint32_t)cx_rng_below(rng, 8),
                       .n_maps = 1 + (uint32_t)cx_rng_below(rng, 3)};
    uint32_t y = s.height, x = s.width;

    for (unsigned l = 0; l < 3; l++) {
        bool dense = l == 2 && cx_rng_below(rng, 3) == 0;

        s.kernel_y[l] = dense ? y : 1 + (uint32_t)cx_rng_below(rng, MIN(y, 4));
        s.kernel_x[l] = dense ? x : 1 + (uint32_t)cx_rng_below(rng, MIN(x, 4));
        y -= s.kernel_y[l] - 1, x -= s.kernel_x[l] - 1;
        if (l < 2)
            s.n_channels[l] = 1 + (uint32_t)cx_rng_below(rng, 4);
    }
    return s;
}

/* A network whose every tensor matters. */
static CxRetinaCnn *
random_net(CxRng *rng)
{
    CxRetinaShape shape = random_shape(rng);
    g_autoptr(GError) error = NULL;
    CxRetinaCnn *net = cx_retina_cnn_new(&shape, cx_rng_next(rng), &error);

    g_assert_no_error(error);
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *t = cx_retina_cnn_tensor(net, i);
        unsigned which = i % CX_RETINA_TENSORS_A_LAYER;

        for (size_t k = 0; k < t->n && which > 0; k++)
            t->data[k] = (float)(which == 5   ? 0.2 + cx_rng_uniform(rng)
                                 : which == 2 ? 1.0 + 0.3 * cx_rng_normal(rng)
                                              : 0.3 * cx_rng_normal(rng));
        if (which == 2)
            t->data[0] = -t->data[0];
    }
    cx_retina_cnn_refresh(net);
    return net;
}

static CxMovie *
random_film(CxRng *rng, const CxRetinaCnn *net, size_t n_windows, bool flat)
{
    const CxRetinaShape *s = cx_retina_cnn_shape(net);
    CxMovie *movie = cx_movie_new(s->history + n_windows, flat ? 1 : s->height,
                                  s->width, NULL);

    g_assert_nonnull(movie);
    for (size_t i = 0; i < movie->n_frames * cx_movie_frame_size(movie); i++)
        movie->data[i] = (float)cx_rng_normal(rng);
    return movie;
}

static CxRetinaMask
random_mask(CxRng *rng)
{
    CxRetinaMask mask = {0};

    for (unsigned c = 0; c < 4; c++) {
        mask.layer1[c] = (uint8_t)cx_rng_below(rng, 3);
        mask.layer2[c] = (uint8_t)cx_rng_below(rng, 3);
    }
    return mask;
}

static void
assert_near(double found, double expected, double size, double bound)
{
    if (!(fabs(found - expected) <= bound * fmax(size, 1.0)))
        g_error("found %.9g, expected %.9g", found, expected);
}

/* ---- tests ------------------------------------------------------------ */

static void
test_against_naive(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 25; round++) {
        g_autoptr(CxRetinaCnn) net = random_net(&rng);
        size_t n_windows = 1 + cx_rng_below(&rng, 150);
        g_autoptr(CxMovie) movie =
            random_film(&rng, net, n_windows, cx_rng_below(&rng, 3) == 0);
        CxRetinaMask mask = random_mask(&rng);
        const CxRetinaMask *used = round % 2 == 0 ? NULL : &mask;
        const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
        g_autofree float *maps = g_new(float, n_windows * cells->n_units);
        CxRetinaPick picks[2];
        g_autofree float *rates = g_new(float, 2 * n_windows);
        g_autoptr(GError) error = NULL;

        for (unsigned i = 0; i < 2; i++)
            picks[i] =
                (CxRetinaPick){(int32_t)cx_rng_below(&rng, cells->n_out),
                               (int32_t)cx_rng_below(&rng, cells->out_y),
                               (int32_t)cx_rng_below(&rng, cells->out_x)};
        g_assert_cmpuint(cx_retina_cnn_n_windows(net, movie->n_frames), ==,
                         n_windows);
        g_assert_true(cx_retina_cnn_respond_maps(net, movie, used, 2, maps,
                                                 NULL, &error));
        g_assert_true(cx_retina_cnn_respond(net, movie, picks, 2, used, 2,
                                            rates, NULL, &error));
        for (unsigned k = 0; k < 4; k++) {
            size_t w = k == 0 ? n_windows - 1 : cx_rng_below(&rng, n_windows);
            g_autofree double *z1 = naive_z1(net, movie, w);
            g_autofree double *expected = naive_rates(net, used, z1);

            for (size_t u = 0; u < cells->n_units; u++)
                assert_near((double)maps[w * cells->n_units + u], expected[u],
                            expected[u], 2e-5);
            for (unsigned i = 0; i < 2; i++) {
                size_t at =
                    ((size_t)picks[i].map * cells->out_y + (size_t)picks[i].y) *
                        cells->out_x +
                    (size_t)picks[i].x;

                assert_near((double)rates[w * 2 + i], expected[at],
                            expected[at], 2e-5);
            }
        }
    }
}

static void
test_layers(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 15; round++) {
        g_autoptr(CxRetinaCnn) net = random_net(&rng);
        size_t n = 1 + cx_rng_below(&rng, 100);
        g_autoptr(CxMovie) movie = random_film(&rng, net, n + 3, false);
        CxRetinaMask mask = random_mask(&rng);
        size_t n1 = cx_retina_cnn_layer(net, 0)->n_units;
        size_t n2 = cx_retina_cnn_layer(net, 1)->n_units;
        g_autofree float *z1 = g_new(float, n *n1), *z2 = g_new(float, n *n2);
        g_autofree float *from1 = g_new(float, n), *from2 = g_new(float, n);
        g_autofree float *whole = g_new(float, n + 3);
        CxRetinaPick pick = cx_retina_cnn_picks(net, &(size_t){0})[0];
        g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(net);

        g_assert_true(cx_retina_cnn_z1(net, scratch, movie, 2, n, z1, NULL));
        cx_retina_cnn_z2(net, scratch, &mask, z1, n, z2);
        cx_retina_cnn_rates(net, scratch, &mask, 1, z1, n, &pick, 1, from1);
        cx_retina_cnn_rates(net, scratch, &mask, 2, z2, n, &pick, 1, from2);
        g_assert_true(cx_retina_cnn_respond(net, movie, &pick, 1, &mask, 1,
                                            whole, NULL, NULL));
        g_autofree double *expected = naive_z1(net, movie, 2 + n - 1);
        for (size_t u = 0; u < n1; u++)
            assert_near((double)z1[(n - 1) * n1 + u], expected[u], expected[u],
                        2e-5);
        for (size_t k = 0; k < n; k++) {
            assert_near((double)from1[k], (double)whole[k + 2], 1.0, 2e-5);
            assert_near((double)from2[k], (double)whole[k + 2], 1.0, 2e-5);
        }
    }
}

/* The gradient against differences of the twin in double, where no relu
 * changes sides. */
static void
test_gradient(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 15; round++) {
        g_autoptr(CxRetinaCnn) net = random_net(&rng);
        g_autoptr(CxMovie) movie = random_film(&rng, net, 3, false);
        CxRetinaMask mask = random_mask(&rng);
        const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
        size_t n1 = cx_retina_cnn_layer(net, 0)->n_units;
        g_autofree float *z1 = g_new(float, 3 * n1);
        g_autofree float *gradient = g_new(float, 3 * n1);
        g_autofree double *at = g_new(double, n1), *sum = g_new(double, n1);
        float rates[3];
        CxRetinaPick pick = {(int32_t)cx_rng_below(&rng, cells->n_out),
                             (int32_t)cx_rng_below(&rng, cells->out_y),
                             (int32_t)cx_rng_below(&rng, cells->out_x)};
        size_t place =
            ((size_t)pick.map * cells->out_y + (size_t)pick.y) * cells->out_x +
            (size_t)pick.x;
        g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(net);
        unsigned n_kinks = 0;

        g_assert_true(cx_retina_cnn_z1(net, scratch, movie, 0, 3, z1, NULL));
        cx_retina_cnn_gradient(net, scratch, &mask, 1, z1, 3, pick, rates,
                               gradient);
        for (unsigned k = 0; k < 40; k++) {
            size_t u = cx_rng_below(&rng, n1);
            double step = 1e-6;

            for (size_t i = 0; i < n1; i++)
                at[i] = (double)z1[2 * n1 + i];
            at[u] += step;
            g_autofree double *up = naive_rates(net, &mask, at);
            at[u] -= 2.0 * step;
            g_autofree double *down = naive_rates(net, &mask, at);
            double slope = (up[place] - down[place]) / (2.0 * step);

            if (fabs(slope - (double)gradient[2 * n1 + u]) > 1e-4)
                n_kinks++;
        }
        g_assert_cmpuint(n_kinks, <=, 1);
        /* a ray of two points is the weighted sum of their gradients */
        double alpha[2] = {0.0, 1.0}, weights[2] = {0.25, 0.75};
        g_autofree float *delta = g_new(float, n1);
        for (size_t u = 0; u < n1; u++)
            delta[u] = z1[n1 + u] - z1[u];
        cx_retina_cnn_ray(net, scratch, &mask, 1, z1, delta, alpha, weights, 2,
                          pick, rates, sum);
        for (size_t u = 0; u < n1; u++)
            if (fabs(0.25 * (double)gradient[u] +
                     0.75 * (double)gradient[n1 + u] - sum[u]) > 1e-4)
                n_kinks++; /* rounding of base + delta near a kink */
        g_assert_cmpuint(n_kinks, <=, 8);
    }
}

static void
test_gradient_layer2(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 10; round++) {
        g_autoptr(CxRetinaCnn) net = random_net(&rng);
        g_autoptr(CxMovie) movie = random_film(&rng, net, 1, false);
        size_t n1 = cx_retina_cnn_layer(net, 0)->n_units;
        size_t n2 = cx_retina_cnn_layer(net, 1)->n_units;
        g_autofree float *z1 = g_new(float, n1), *z2 = g_new(float, n2);
        g_autofree float *gradient = g_new(float, n2);
        CxRetinaPick pick = cx_retina_cnn_picks(net, &(size_t){0})[0];
        g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(net);
        float rate, up, down;
        unsigned n_kinks = 0;

        g_assert_true(cx_retina_cnn_z1(net, scratch, movie, 0, 1, z1, NULL));
        cx_retina_cnn_z2(net, scratch, NULL, z1, 1, z2);
        cx_retina_cnn_gradient(net, scratch, NULL, 2, z2, 1, pick, &rate,
                               gradient);
        for (unsigned k = 0; k < 40; k++) {
            size_t u = cx_rng_below(&rng, n2);
            float old = z2[u], step = 1e-2f;

            z2[u] = old + step;
            cx_retina_cnn_rates(net, scratch, NULL, 2, z2, 1, &pick, 1, &up);
            z2[u] = old - step;
            cx_retina_cnn_rates(net, scratch, NULL, 2, z2, 1, &pick, 1, &down);
            z2[u] = old;
            double slope = (double)(up - down) / (2.0 * (double)step);
            if (fabs(slope - (double)gradient[u]) > 1e-3)
                n_kinks++;
        }
        g_assert_cmpuint(n_kinks, <=, 3);
    }
}

static void
test_quantised(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = random_net(&rng);
    double last = -1.0;

    for (unsigned bits = 8; bits >= 2; bits--) {
        g_autoptr(CxRetinaCnn) coarse =
            cx_retina_cnn_quantised(net, bits, NULL);
        const CxRetinaTensor *a = tensor(net, 0, 0), *b = tensor(coarse, 0, 0);
        size_t n = a->n / a->dims[0];
        double error = 0.0;

        for (size_t o = 0; o < a->dims[0]; o++) {
            double most = 0.0, half;

            for (size_t i = 0; i < n; i++)
                most = fmax(most, fabs((double)a->data[o * n + i]));
            half = 0.5 * most / ((1 << (bits - 1)) - 1);
            for (size_t i = o * n; i < (o + 1) * n; i++) {
                double off = fabs((double)(a->data[i] - b->data[i]));

                g_assert_cmpfloat(off, <=, half * 1.0001);
                error += off;
            }
        }
        g_assert_cmpfloat(error, >=, last);
        last = error;
    }
}

/* ---- files ------------------------------------------------------------ */

static void
test_file(void)
{
    CxRng rng = cx_test_rng();
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "net.h5", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = random_net(&rng);
    const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
    CxRetinaPick pick = {0, (int32_t)cells->out_y - 1, 0};
    size_t n;
    double mean, sd;

    cx_retina_cnn_set_text(net, "name", "små");
    cx_retina_cnn_set_normalisation(net, 0.5, 2.0);
    g_assert_true(cx_retina_cnn_set_picks(net, &pick, 1, &error));
    g_assert_true(cx_retina_cnn_save(net, path, &error));
    g_autoptr(CxRetinaCnn) again = cx_retina_cnn_load(path, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(cx_retina_cnn_shape(again), sizeof(CxRetinaShape),
                    cx_retina_cnn_shape(net), sizeof(CxRetinaShape));
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *a = cx_retina_cnn_tensor(net, i);
        const CxRetinaTensor *b = cx_retina_cnn_tensor(again, i);

        g_assert_cmpmem(a->data, a->n * sizeof(float), b->data,
                        b->n * sizeof(float));
    }
    g_assert_cmpstr(cx_retina_cnn_text(again, "name"), ==, "små");
    cx_retina_cnn_normalisation(again, &mean, &sd);
    g_assert_cmpfloat(mean, ==, 0.5);
    g_assert_cmpfloat(sd, ==, 2.0);
    g_assert_cmpint(cx_retina_cnn_picks(again, &n)[0].y, ==, pick.y);
    g_assert_cmpuint(n, ==, 1);
    cx_test_remove_dir(dir);
}

/* Replaces a data set by another of one dimension, or removes it (n = 0). */
static void
replace(const char *path, const char *name, hsize_t n)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &n, NULL);

    H5Ldelete(file, name, H5P_DEFAULT);
    if (n > 0)
        H5Dclose(H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT,
                            H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
}

static void
expect_refused(const char *path, const char *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_load(path, &error);

    g_assert_null(net);
    cx_test_expect_error(&error, CX_ERROR_FORMAT, path, said, NULL);
}

static void
test_bad_files(void)
{
    CxRng rng = cx_test_rng();
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "net.h5", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = random_net(&rng);
    static const struct {
        const char *name;
        hsize_t n;
        const char *said;
    } damages[] = {
        {"layer1/weight", 0, "layer1/weight"},
        {"layer2/weight", 5, "dimensions"},
        {"layer2/bias", 63, "size 63"},
        {"cells/gain", 0, "cells/gain"},
        {"layer1/mean", 7, "dimensions"},
        {"picks", 4, "integers"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_assert_true(cx_retina_cnn_save(net, path, &error));
        replace(path, damages[i].name, damages[i].n);
        expect_refused(path, damages[i].said);
    }
    tensor(net, 1, 0)->data[0] = NAN;
    g_assert_true(cx_retina_cnn_save(net, path, &error));
    expect_refused(path, "nan");
    tensor(net, 1, 0)->data[0] = 0.0f;
    tensor(net, 2, 5)->data[0] = -1.0f;
    g_assert_true(cx_retina_cnn_save(net, path, &error));
    expect_refused(path, "not below 0");
    g_assert_true(g_file_set_contents(path, "no network", -1, NULL));
    g_autoptr(CxRetinaCnn) none = cx_retina_cnn_load(path, &error);
    g_assert_null(none);
    g_clear_error(&error);
    g_unlink(path);
    none = cx_retina_cnn_load(path, &error);
    g_assert_null(none);
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, path, NULL);
    cx_test_remove_dir(dir);
}

static void
test_shapes(void)
{
    CxRetinaShape shape = cx_retina_shape_default();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_new(&shape, 1, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(cx_retina_cnn_layer(net, 0)->n_units, ==, 10368);
    g_assert_cmpuint(cx_retina_cnn_layer(net, 1)->n_units, ==, 5408);
    g_assert_cmpuint(cx_retina_cnn_layer(net, 2)->n_units, ==, 256);
    CxRetinaPick pick = {0, 7, 8};
    CxCellPosition centre = cx_retina_cnn_pick_centre(net, pick);
    g_assert_cmpint(centre.y, ==, 24);
    g_assert_cmpint(centre.x, ==, 25);
    pick.y = 16;
    g_assert_false(cx_retina_cnn_set_picks(net, &pick, 1, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "y 16", NULL);
    shape.kernel_x[2] = 27;
    g_autoptr(CxRetinaCnn) none = cx_retina_cnn_new(&shape, 1, &error);
    g_assert_null(none);
    cx_test_expect_error(&error, CX_ERROR_INVALID, "layer 3", "26", NULL);
    shape =
        (CxRetinaShape){256, 200, 200, {64, 1}, 1, {150, 1, 1}, {150, 1, 1}};
    none = cx_retina_cnn_new(&shape, 1, &error);
    g_assert_null(none);
    cx_test_expect_error(&error, CX_ERROR_INVALID, "layer 1", "weights", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retina-cnn/shapes", test_shapes);
    g_test_add_func("/retina-cnn/against-naive", test_against_naive);
    g_test_add_func("/retina-cnn/layers", test_layers);
    g_test_add_func("/retina-cnn/gradient", test_gradient);
    g_test_add_func("/retina-cnn/gradient-layer2", test_gradient_layer2);
    g_test_add_func("/retina-cnn/quantised", test_quantised);
    g_test_add_func("/retina-cnn/file", test_file);
    g_test_add_func("/retina-cnn/bad-files", test_bad_files);
    return g_test_run();
}
