/* Gabor functions are found again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/gabor_fit.h"
#include "core/theory/linear.h"
#include "tests/support/check.h"

#include <math.h>

#define SIDE 12

static CxGabor
random_gabor(CxRng *rng)
{
    return (CxGabor){
        .amplitude = 0.2 + cx_rng_uniform(rng),
        .x = 3.0 + 5.0 * cx_rng_uniform(rng),
        .y = 3.0 + 5.0 * cx_rng_uniform(rng),
        .sigma_u = 1.3 + 1.0 * cx_rng_uniform(rng),
        .sigma_v = 1.5 + 2.0 * cx_rng_uniform(rng),
        .angle = G_PI * cx_rng_uniform(rng),
        .frequency = 0.12 + 0.2 * cx_rng_uniform(rng),
        .phase = 2.0 * G_PI * cx_rng_uniform(rng),
    };
}

static double
angle_between(double a, double b, double period)
{
    return fabs(remainder(a - b, period));
}

static void
test_exact(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 60; round++) {
        CxGabor truth = random_gabor(&rng);
        float picture[SIDE * SIDE], again[SIDE * SIDE];

        cx_gabor_draw(&truth, SIDE, picture);
        CxGabor found = cx_gabor_fit(picture, SIDE);
        cx_gabor_draw(&found, SIDE, again);
        /* less its mean the picture is no Gabor function any more */
        g_assert_cmpfloat(found.r2, >, 0.9);
        if (found.r2 < 0.99)
            continue;
        g_assert_cmpfloat_with_epsilon(found.x, truth.x, 0.6);
        g_assert_cmpfloat_with_epsilon(found.y, truth.y, 0.6);
        g_assert_cmpfloat(angle_between(found.angle, truth.angle, G_PI), <,
                          0.2);
        g_assert_cmpfloat(found.phase, >=, 0.0);
        g_assert_cmpfloat(found.phase, <, 2.0 * G_PI + 1e-9);
        for (unsigned i = 0; i < SIDE * SIDE; i++)
            g_assert_cmpfloat_with_epsilon(again[i], picture[i],
                                           0.25 * truth.amplitude);
    }
}

/* The parameters are those of the drawn function to the last digits where the
 * picture has no mean to lose. */
static void
test_parameters(void)
{
    const CxGabor truth = {.amplitude = 0.8,
                           .x = 7.2,
                           .y = 8.4,
                           .sigma_u = 2.0,
                           .sigma_v = 2.6,
                           .angle = 2.1,
                           .frequency = 0.25,
                           .phase = G_PI / 2};
    float picture[16 * 16];

    cx_gabor_draw(&truth, 16, picture);
    CxGabor found = cx_gabor_fit(picture, 16);
    g_assert_cmpfloat(found.r2, >, 0.9999);
    g_assert_cmpfloat_with_epsilon(found.amplitude, truth.amplitude, 0.01);
    g_assert_cmpfloat_with_epsilon(found.x, truth.x, 0.01);
    g_assert_cmpfloat_with_epsilon(found.y, truth.y, 0.01);
    g_assert_cmpfloat_with_epsilon(found.sigma_u, truth.sigma_u, 0.02);
    g_assert_cmpfloat_with_epsilon(found.sigma_v, truth.sigma_v, 0.02);
    g_assert_cmpfloat_with_epsilon(found.frequency, truth.frequency, 0.002);
    g_assert_cmpfloat(angle_between(found.angle, truth.angle, G_PI), <, 0.01);
    g_assert_cmpfloat(angle_between(found.phase, truth.phase, 2 * G_PI), <,
                      0.02);
}

/* Noise is not taken for a wave, a flat picture does no harm. */
static void
test_others(void)
{
    CxRng rng = cx_test_rng();
    float pictures[20][SIDE * SIDE] = {{0}};
    CxGabor gabors[20];
    double mean = 0.0;

    for (unsigned k = 1; k < 20; k++)
        for (unsigned i = 0; i < SIDE * SIDE; i++)
            pictures[k][i] = (float)cx_rng_normal(&rng);
    g_assert_true(
        cx_gabor_fit_all(pictures[0], SIDE, 20, gabors, 2, NULL, NULL));
    g_assert_cmpfloat(gabors[0].r2, ==, 0.0);
    for (unsigned k = 1; k < 20; k++) {
        CxGabor one = cx_gabor_fit(pictures[k], SIDE);

        g_assert_cmpfloat(one.r2, ==, gabors[k].r2);
        mean += one.r2 / 19;
    }
    g_test_message("r2 of noise: %g", mean);
    g_assert_cmpfloat(mean, <, 0.4);
}

static void
test_linear(void)
{
    CxRng rng = cx_test_rng();
    enum { n = 9 };
    double m[n][n], a[n][n] = {{0}}, x[n], b[n];

    for (int i = 0; i < n; i++) {
        x[i] = cx_rng_normal(&rng);
        for (int j = 0; j < n; j++)
            m[i][j] = cx_rng_normal(&rng);
    }
    for (int i = 0; i < n; i++) {
        b[i] = 0.0;
        for (int j = 0; j < n; j++) {
            a[i][j] = i == j ? 0.1 : 0.0;
            for (int k = 0; k < n; k++)
                a[i][j] += m[i][k] * m[j][k];
            b[i] += a[i][j] * x[j];
        }
    }
    g_assert_true(cx_linear_solve(&a[0][0], n, b));
    for (int i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(b[i], x[i], 1e-8);
    double flat[2][2] = {{1, 1}, {1, 1}};
    g_assert_false(cx_linear_cholesky(&flat[0][0], 2));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gabor/exact", test_exact);
    g_test_add_func("/gabor/parameters", test_parameters);
    g_test_add_func("/gabor/others", test_others);
    g_test_add_func("/gabor/linear", test_linear);
    return g_test_run();
}
