/* Lower envelope of parabolas.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>
#include <string.h>

/* Distances as they occur: small, large and infinite. */
static float
sample(CxRng *rng)
{
    uint64_t kind = cx_rng_below(rng, 4);

    if (kind == 0)
        return INFINITY;
    return (float)cx_rng_below(rng, kind == 1 ? 3 : 500);
}

/* Rows a step apart, or one line that is read beside itself (step 1); the
 * samples read begin and end at the pages' edges. */
static void
check_case(const CxKernels *kernels, CxRng *rng, bool is_line)
{
    size_t n = CX_ENVELOPE_LANES * cx_rng_below(rng, 4);
    size_t below = cx_rng_below(rng, 30), above = cx_rng_below(rng, 30);
    size_t step = is_line ? 1 : n;
    size_t n_src = n == 0 ? 0 : n + (below + above) * step;
    bool at_end = cx_rng_below(rng, 2) == 0;
    Guarded source = guarded_new(n_src * sizeof(float), at_end);
    Guarded got = guarded_new(n * sizeof(float), at_end);
    Guarded want = guarded_new(n * sizeof(float), at_end);
    float square = (float)(1 + cx_rng_below(rng, 20)) / 4;
    float *src = source.data;

    for (size_t i = 0; i < n_src; i++)
        src[i] = sample(rng);
    cx_envelope_f32_c(want.data, src + below * step, n, (ptrdiff_t)step,
                      (ptrdiff_t)below, (ptrdiff_t)above, square);
    kernels->envelope_f32(got.data, src + below * step, n, (ptrdiff_t)step,
                          (ptrdiff_t)below, (ptrdiff_t)above, square);
    g_assert_cmpmem(got.data, n * sizeof(float), want.data, n * sizeof(float));
    guarded_clear(&source);
    guarded_clear(&got);
    guarded_clear(&want);
}

static void
check_cases(const CxKernels *kernels, CxRng *rng)
{
    for (int i = 0; i < 600; i++)
        check_case(kernels, rng, i % 2 == 1);
}

static void
test_against_c(void)
{
    check_each(check_cases);
}

/* All rows, none left out. */
static void
test_c_is_the_formula(void)
{
    CxRng rng;
    float src[20 * CX_ENVELOPE_LANES], dst[CX_ENVELOPE_LANES];

    cx_rng_init(&rng, 5);
    for (int i = 0; i < 20 * CX_ENVELOPE_LANES; i++)
        src[i] = sample(&rng);
    cx_envelope_f32_c(dst, src + 12 * CX_ENVELOPE_LANES, CX_ENVELOPE_LANES,
                      CX_ENVELOPE_LANES, 12, 7, 2.5F);
    for (int i = 0; i < CX_ENVELOPE_LANES; i++) {
        float best = INFINITY;
        for (int k = -12; k <= 7; k++)
            best = fminf(best, src[(12 + k) * CX_ENVELOPE_LANES + i] +
                                   (float)(k * k) * 2.5F);
        g_assert_cmpfloat(dst[i], ==, best);
    }
}

void
check_envelope_f32_add(void)
{
    g_test_add_func("/kernels/envelope-f32/c", test_c_is_the_formula);
    g_test_add_func("/kernels/envelope-f32/against-c", test_against_c);
}
