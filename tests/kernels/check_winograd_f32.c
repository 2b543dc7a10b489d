/* Ends of a convolution by Winograd's F(4, 3).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>
#include <string.h>

#define MAX_GROUPS 20

static void
fill(Guarded *guarded, size_t n, CxRng *rng, bool extreme)
{
    for (size_t i = 0; i < n; i++)
        ((float *)guarded->data)[i] = check_sample(rng, extreme);
}

static void
check_equal(const Guarded *got, const Guarded *want, size_t n_bytes)
{
    g_assert_cmpmem(got->data, n_bytes, want->data, n_bytes);
}

static void
check_split(const CxKernels *kernels, CxRng *rng, bool extreme)
{
    size_t n = cx_rng_below(rng, MAX_GROUPS);
    size_t part = (n + cx_rng_below(rng, 3)) * CX_BLOCK;
    size_t n_src = (n * CX_WINOGRAD_OUT + 2) * CX_BLOCK;
    size_t dst_bytes = CX_WINOGRAD_PARTS * part * sizeof(float);
    bool at_end = cx_rng_below(rng, 2) == 0;
    Guarded src = guarded_new(n_src * sizeof(float), at_end);
    Guarded got = guarded_new(dst_bytes, at_end);
    Guarded want = guarded_new(dst_bytes, at_end);

    fill(&src, n_src, rng, extreme);
    cx_winograd_split_f32_c(want.data, part, (float *)src.data + CX_BLOCK, n);
    kernels->winograd_split_f32(got.data, part, (float *)src.data + CX_BLOCK,
                                n);
    check_equal(&got, &want, dst_bytes);
    guarded_clear(&src);
    guarded_clear(&got);
    guarded_clear(&want);
}

static void
check_join(const CxKernels *kernels, CxRng *rng, bool extreme)
{
    size_t n = cx_rng_below(rng, MAX_GROUPS);
    size_t part = (n + cx_rng_below(rng, 3)) * CX_BLOCK;
    size_t n_src = CX_WINOGRAD_PARTS * part;
    size_t dst_bytes = n * CX_WINOGRAD_OUT * CX_BLOCK * sizeof(float);
    bool at_end = cx_rng_below(rng, 2) == 0, relu = cx_rng_below(rng, 2) == 0;
    Guarded src = guarded_new(n_src * sizeof(float), at_end);
    Guarded got = guarded_new(dst_bytes, at_end);
    Guarded want = guarded_new(dst_bytes, at_end);
    float bias[CX_BLOCK];

    fill(&src, n_src, rng, extreme);
    for (size_t c = 0; c < CX_BLOCK; c++)
        bias[c] = check_sample(rng, extreme);
    cx_winograd_join_f32_c(want.data, src.data, part, bias, relu, n);
    kernels->winograd_join_f32(got.data, src.data, part, bias, relu, n);
    for (size_t i = 0; i < dst_bytes / sizeof(float); i++)
        g_assert_cmpfloat(((float *)got.data)[i], ==, ((float *)want.data)[i]);
    guarded_clear(&src);
    guarded_clear(&got);
    guarded_clear(&want);
}

static void
check_cases(const CxKernels *kernels, CxRng *rng)
{
    for (int i = 0; i < 150; i++) {
        check_split(kernels, rng, i % 2 == 1);
        check_join(kernels, rng, i % 2 == 1);
    }
}

static void
test_against_c(void)
{
    check_each(check_cases);
}

/* One channel of four pixels against the three taps written out. */
static void
test_c_is_a_convolution(void)
{
    static const double g[CX_WINOGRAD_PARTS][3] = {
        {1.0 / 4, 0, 0},
        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
        {1.0 / 24, 1.0 / 12, 1.0 / 6},
        {1.0 / 24, -1.0 / 12, 1.0 / 6},
        {0, 0, 1},
    };
    static const double w[] = {0.5, -1.25, 2.0};
    float src[6 * CX_BLOCK], parts[6 * CX_BLOCK], dst[4 * CX_BLOCK];
    float bias[CX_BLOCK];

    for (int i = 0; i < 6 * CX_BLOCK; i++)
        src[i] = (float)((i * 37) % 101) / 50.0f - 1.0f;
    for (int c = 0; c < CX_BLOCK; c++)
        bias[c] = (float)c / 8.0f;
    cx_winograd_split_f32_c(parts, CX_BLOCK, src + CX_BLOCK, 1);
    for (int t = 0; t < CX_WINOGRAD_PARTS; t++)
        for (int c = 0; c < CX_BLOCK; c++)
            parts[t * CX_BLOCK + c] *=
                (float)(g[t][0] * w[0] + g[t][1] * w[1] + g[t][2] * w[2]);
    cx_winograd_join_f32_c(dst, parts, CX_BLOCK, bias, false, 1);
    for (int x = 0; x < 4; x++)
        for (int c = 0; c < CX_BLOCK; c++) {
            double want = (double)bias[c];

            for (int k = 0; k < 3; k++)
                want += w[k] * (double)src[(x + k) * CX_BLOCK + c];
            g_assert_cmpfloat(fabs((double)dst[x * CX_BLOCK + c] - want), <,
                              1e-5);
        }
}

void
check_winograd_f32_add(void)
{
    g_test_add_func("/kernels/winograd-f32/c", test_c_is_a_convolution);
    g_test_add_func("/kernels/winograd-f32/against-c", test_against_c);
}
