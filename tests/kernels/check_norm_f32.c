/* Normalisation of rows: each variant against C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>
#include <string.h>

#define MAX_FLOATS 2048

/* z, a, d, sums and squares of one call. */
typedef struct {
    float z[MAX_FLOATS], a[MAX_FLOATS], d[MAX_FLOATS];
    float sums[CX_NORM_LANES], squares[CX_NORM_LANES];
} Data;

static CxNormRows
point_at(const CxNormRows *rows, Data *data)
{
    CxNormRows there = *rows;

    there.z = data->z;
    there.a = data->a;
    there.d = data->d;
    there.sums = data->sums;
    there.squares = data->squares;
    return there;
}

static void
assert_near(const float *found, const float *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double size = fmax(fabs((double)expected[i]), 1.0);

        g_assert_cmpfloat(fabs((double)found[i] - (double)expected[i]), <=,
                          1e-4 * size);
    }
}

static void
check_once(const CxKernels *kernels, CxRng *rng)
{
    CxNormRowsFn *const c[] = {cx_norm_f32_c.moments, cx_norm_f32_c.relu,
                               cx_norm_f32_c.unrelu, cx_norm_f32_c.unnorm};
    CxNormRowsFn *const f[] = {kernels->norm_f32.moments,
                               kernels->norm_f32.relu, kernels->norm_f32.unrelu,
                               kernels->norm_f32.unnorm};
    float noise[100];
    uint32_t at[8];
    CxNormRows rows = {.n_rows = cx_rng_below(rng, 9),
                       .n = CX_NORM_LANES * (1 + cx_rng_below(rng, 4)),
                       .noise = cx_rng_below(rng, 2) == 0 ? noise : NULL,
                       .noise_at = at,
                       .mean = check_sample(rng, false),
                       .scale = check_sample(rng, false),
                       .offset = check_sample(rng, false),
                       .shift = check_sample(rng, false),
                       .slope = check_sample(rng, false)};
    g_autofree Data *expected = g_new(Data, 1), *found = g_new(Data, 1);

    rows.step = rows.n + cx_rng_below(rng, 100);
    for (size_t i = 0; i < G_N_ELEMENTS(noise); i++)
        noise[i] = check_sample(rng, false);
    for (size_t i = 0; i < G_N_ELEMENTS(at); i++)
        at[i] = (uint32_t)cx_rng_below(rng, 100 - 64);
    for (unsigned k = 0; k < G_N_ELEMENTS(c); k++) {
        float *all = (float *)(void *)expected;

        for (size_t i = 0; i < sizeof *expected / sizeof(float); i++)
            all[i] = check_sample(rng, false);
        memcpy(found, expected, sizeof *found);
        CxNormRows there = point_at(&rows, expected);
        c[k](&there);
        there = point_at(&rows, found);
        f[k](&there);
        assert_near((float *)(void *)found, all,
                    sizeof *expected / sizeof(float));
    }
}

static void
check_variant(const CxKernels *kernels, CxRng *rng)
{
    for (unsigned round = 0; round < 300; round++)
        check_once(kernels, rng);
}

static void
test_variants(void)
{
    check_each(check_variant);
}

void
check_norm_f32_add(void)
{
    g_test_add_func("/kernels/norm-f32/variants", test_variants);
}
