/* Rows of convolutions: random taps, sizes and samples, in memory that ends
 * where the contract says reading ends.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>
#include <string.h>

#define MAX_TAPS 30
#define N_CASES 150

typedef struct {
    CxConvRow row;
    CxConvTap taps[MAX_TAPS];
    Guarded sources[MAX_TAPS];
    Guarded weights, bias, dst, want;
    size_t n_dst; /* floats */
} Case;

static void
fill(Guarded *guarded, size_t n, CxRng *rng, bool extreme)
{
    float *to = guarded->data;

    for (size_t i = 0; i < n; i++)
        to[i] = check_sample(rng, extreme);
}

/* A source that ends with the last channel of the last pixel. */
static void
add_source(Case *c, size_t t, CxRng *rng, bool extreme)
{
    CxConvTap *tap = &c->taps[t];
    size_t last_pixel, n;

    tap->n_channels = 1 + (uint32_t)cx_rng_below(rng, 40);
    tap->step = 1 + (uint32_t)cx_rng_below(rng, 2);
    tap->k = (uint32_t)c->row.k_total;
    c->row.k_total += tap->n_channels;
    last_pixel = (c->row.n_pixels - 1) * tap->step;
    tap->plane = (last_pixel + 1 + cx_rng_below(rng, 3)) * CX_BLOCK;
    n = (tap->n_channels - 1) / CX_BLOCK * tap->plane + last_pixel * CX_BLOCK +
        (tap->n_channels - 1) % CX_BLOCK + 1;
    c->sources[t] = guarded_new(n * sizeof(float), cx_rng_below(rng, 2) == 0);
    fill(&c->sources[t], n, rng, extreme);
    tap->src = c->sources[t].data;
}

static void
init_case(Case *c, CxRng *rng, bool extreme)
{
    bool at_end = cx_rng_below(rng, 2) == 0;

    memset(c, 0, sizeof *c);
    c->row.taps = c->taps;
    c->row.n_taps = cx_rng_below(rng, MAX_TAPS + 1);
    c->row.n_pixels = 1 + cx_rng_below(rng, 75);
    c->row.n_blocks = 1 + cx_rng_below(rng, 5);
    c->row.dst_step = 1 + cx_rng_below(rng, 3);
    c->row.relu = cx_rng_below(rng, 2) == 0;
    for (size_t t = 0; t < c->row.n_taps; t++)
        add_source(c, t, rng, extreme);

    size_t n_weights = c->row.n_blocks * c->row.k_total * CX_BLOCK;
    size_t n_bias = c->row.n_blocks * CX_BLOCK;
    size_t pixels = (c->row.n_pixels - 1) * c->row.dst_step + 1;
    c->row.dst_plane = (pixels + cx_rng_below(rng, 3)) * CX_BLOCK;
    c->n_dst = (c->row.n_blocks - 1) * c->row.dst_plane + pixels * CX_BLOCK;
    c->weights = guarded_new(n_weights * sizeof(float), at_end);
    c->bias = guarded_new(n_bias * sizeof(float), at_end);
    c->dst = guarded_new(c->n_dst * sizeof(float), at_end);
    c->want = guarded_new(c->n_dst * sizeof(float), at_end);
    fill(&c->weights, n_weights, rng, extreme);
    fill(&c->bias, n_bias, rng, extreme);
    c->row.weights = c->weights.data;
    c->row.bias = c->bias.data;
}

static void
clear_case(Case *c)
{
    for (size_t t = 0; t < c->row.n_taps; t++)
        guarded_clear(&c->sources[t]);
    guarded_clear(&c->weights);
    guarded_clear(&c->bias);
    guarded_clear(&c->dst);
    guarded_clear(&c->want);
}

/* |bias| + sum |w| |x| of one sum. */
static double
size_of_terms(const Case *c, size_t o, size_t x)
{
    const float *weights = c->row.weights;
    double sum = fabs((double)c->row.bias[o]);

    for (size_t t = 0; t < c->row.n_taps; t++)
        for (size_t i = 0; i < c->taps[t].n_channels; i++) {
            const CxConvTap *tap = &c->taps[t];
            size_t k = o / CX_BLOCK * c->row.k_total + tap->k + i;
            double w = (double)weights[k * CX_BLOCK + o % CX_BLOCK];
            double s =
                (double)tap->src[i / CX_BLOCK * tap->plane +
                                 x * tap->step * CX_BLOCK + i % CX_BLOCK];

            sum += fabs(w * s);
        }
    return sum;
}

static void
compare(const Case *c)
{
    const float *got = c->dst.data, *want = c->want.data;

    for (size_t o = 0; o < c->row.n_blocks * CX_BLOCK; o++)
        for (size_t x = 0; x < c->row.n_pixels; x++) {
            size_t at = o / CX_BLOCK * c->row.dst_plane +
                        x * c->row.dst_step * CX_BLOCK + o % CX_BLOCK;
            double k = (double)c->row.k_total + 1.0;
            double bound = k * 0x1p-23 * size_of_terms(c, o, x) + k * 0x1p-148;

            g_assert_cmpfloat(fabs((double)got[at] - (double)want[at]), <=,
                              bound);
        }
    /* What lies between the pixels is left alone. */
    for (size_t i = 0; i < c->n_dst; i++)
        g_assert_cmpint(isnan(got[i]), ==, isnan(want[i]));
}

static void
check_cases(const CxKernels *kernels, CxRng *rng)
{
    for (int i = 0; i < N_CASES; i++) {
        Case c;

        init_case(&c, rng, i % 4 == 3);
        c.row.dst = c.want.data;
        cx_conv_row_f32_c(&c.row);
        c.row.dst = c.dst.data;
        kernels->conv_row_f32(&c.row);
        compare(&c);
        clear_case(&c);
    }
}

static void
test_against_c(void)
{
    check_each(check_cases);
}

static void
test_vector_variants_give_equal_bits(void)
{
    CxKernels avx2, avx512;
    CxRng rng;

    cx_kernels_fill(&avx2, cx_cpu_features() & CX_CPU_AVX2);
    cx_kernels_fill(&avx512, cx_cpu_features());
    if (!g_str_equal(avx512.isa, "avx512")) {
        g_test_skip("this processor (or CX_CPU) has no AVX-512");
        return;
    }
    cx_rng_init(&rng, 11);
    for (int i = 0; i < N_CASES; i++) {
        Case c;

        init_case(&c, &rng, i % 4 == 3);
        c.row.dst = c.want.data;
        avx2.conv_row_f32(&c.row);
        c.row.dst = c.dst.data;
        avx512.conv_row_f32(&c.row);
        g_assert_cmpmem(c.dst.data, c.n_dst * sizeof(float), c.want.data,
                        c.n_dst * sizeof(float));
        clear_case(&c);
    }
}

void
check_conv_f32_add(void)
{
    g_test_add_func("/kernels/conv-f32/against-c", test_against_c);
    g_test_add_func("/kernels/conv-f32/equal-bits",
                    test_vector_variants_give_equal_bits);
}
