/* Maximum over rows and pixels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#define MAX_ROWS 9

static void
check_case(const CxKernels *kernels, CxRng *rng, bool extreme)
{
    size_t n_rows = 1 + cx_rng_below(rng, MAX_ROWS);
    size_t factor = 1 + cx_rng_below(rng, 4);
    size_t n_pixels = cx_rng_below(rng, 40);
    size_t n_src = n_pixels * factor * CX_BLOCK;
    size_t dst_bytes = n_pixels * CX_BLOCK * sizeof(float);
    bool at_end = cx_rng_below(rng, 2) == 0;
    Guarded sources[MAX_ROWS];
    const float *rows[MAX_ROWS];
    Guarded got = guarded_new(dst_bytes, at_end);
    Guarded want = guarded_new(dst_bytes, at_end);

    for (size_t r = 0; r < n_rows; r++) {
        sources[r] = guarded_new(n_src * sizeof(float), at_end);
        rows[r] = sources[r].data;
        for (size_t i = 0; i < n_src; i++)
            ((float *)sources[r].data)[i] = check_sample(rng, extreme);
    }
    cx_pool_row_f32_c(want.data, rows, n_rows, factor, n_pixels);
    kernels->pool_row_f32(got.data, rows, n_rows, factor, n_pixels);
    for (size_t i = 0; i < n_pixels * CX_BLOCK; i++)
        g_assert_cmpfloat(((float *)got.data)[i], ==, ((float *)want.data)[i]);
    for (size_t r = 0; r < n_rows; r++)
        guarded_clear(&sources[r]);
    guarded_clear(&got);
    guarded_clear(&want);
}

static void
check_cases(const CxKernels *kernels, CxRng *rng)
{
    for (int i = 0; i < 150; i++)
        check_case(kernels, rng, i % 2 == 1);
}

static void
test_against_c(void)
{
    check_each(check_cases);
}

static void
test_c_takes_the_largest(void)
{
    float a[2 * CX_BLOCK], b[2 * CX_BLOCK], dst[CX_BLOCK];
    const float *rows[] = {a, b};

    for (int i = 0; i < 2 * CX_BLOCK; i++)
        a[i] = (float)i, b[i] = -1.0f;
    b[3] = 100.0f;
    cx_pool_row_f32_c(dst, rows, 2, 2, 1);
    for (int c = 0; c < CX_BLOCK; c++)
        g_assert_cmpfloat(dst[c], ==, c == 3 ? 100.0f : (float)(CX_BLOCK + c));
}

void
check_pool_f32_add(void)
{
    g_test_add_func("/kernels/pool-f32/c", test_c_takes_the_largest);
    g_test_add_func("/kernels/pool-f32/against-c", test_against_c);
}
