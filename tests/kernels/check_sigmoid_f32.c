/* The logistic function: against exp() in double, for all variants.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>

static const float corners[] = {
    0.0f,   -0.0f,  1e-40f, 86.9f,   -86.9f,   87.1f,     -87.1f,
    200.0f, -200.f, 3e38f,  -3e38f,  INFINITY, -INFINITY, NAN,
    88.5f,  0.5f,   -0.5f,  16.635f, -16.635f,
};

static double
exact(float x)
{
    double clipped = fmin(fmax((double)x, -87.0), 87.0);

    return 1.0 / (1.0 + exp(-clipped));
}

static void
check_values(CxSigmoidF32Fn *sigmoid, CxRng *rng)
{
    for (size_t n = 0; n < 70; n++) {
        Guarded src = guarded_new(n * sizeof(float), n % 2 == 0);
        Guarded dst = guarded_new(n * sizeof(float), n % 2 == 0);
        float *x = src.data, *y = dst.data;

        for (size_t i = 0; i < n; i++)
            x[i] = cx_rng_below(rng, 3) == 0
                       ? corners[cx_rng_below(rng, G_N_ELEMENTS(corners))]
                       : (float)(8.0 * cx_rng_normal(rng));
        sigmoid(y, x, n);
        for (size_t i = 0; i < n; i++) {
            g_assert_true(y[i] >= 0.0f && y[i] <= 1.0f);
            if (!isnan(x[i]))
                g_assert_cmpfloat(fabs((double)y[i] - exact(x[i])), <=, 3e-7);
        }
        sigmoid(x, x, n);
        g_assert_cmpmem(x, n * sizeof(float), y, n * sizeof(float));
        guarded_clear(&src);
        guarded_clear(&dst);
    }
}

static void
check_variant(const CxKernels *kernels, CxRng *rng)
{
    check_values(kernels->sigmoid_f32, rng);
}

static void
test_variants(void)
{
    check_each(check_variant);
}

static void
test_c(void)
{
    CxRng rng;

    cx_rng_init(&rng, 5);
    check_values(cx_sigmoid_f32_c, &rng);
}

void
check_sigmoid_f32_add(void)
{
    g_test_add_func("/kernels/sigmoid-f32/c", test_c);
    g_test_add_func("/kernels/sigmoid-f32/variants", test_variants);
}
