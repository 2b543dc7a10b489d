/* bfloat16: convolutions on the matrix unit, maximum, rounding.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>

#define MAX_TAPS 20
#define MAX_ROWS 9

typedef struct {
    CxConvRowBf16 row;
    CxConvTapBf16 taps[MAX_TAPS];
    Guarded sources[MAX_TAPS];
    Guarded weights, bias, dst, want;
    size_t n_dst; /* samples */
} Case;

static void
fill(Guarded *guarded, size_t n, CxRng *rng, bool extreme)
{
    uint16_t *to = guarded->data;

    for (size_t i = 0; i < n; i++)
        to[i] = cx_bf16_from_float(check_sample(rng, extreme));
}

static void
add_source(Case *c, size_t t, CxRng *rng, bool extreme)
{
    CxConvTapBf16 *tap = &c->taps[t];

    tap->n_blocks = 1 + (uint32_t)cx_rng_below(rng, 4);
    tap->step = 1 + (uint32_t)cx_rng_below(rng, 2);
    tap->tile = (uint32_t)c->row.n_tiles;
    c->row.n_tiles += tap->n_blocks;
    size_t pixels = (c->row.n_pixels - 1) * tap->step + 1;
    tap->plane = (pixels + cx_rng_below(rng, 3)) * CX_BLOCK_BF16;
    size_t n = (tap->n_blocks - 1) * tap->plane + pixels * CX_BLOCK_BF16;
    c->sources[t] = guarded_new(n * 2, cx_rng_below(rng, 2) == 0);
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
    c->row.n_pixels = 1 + cx_rng_below(rng, 150);
    c->row.n_groups = 1 + cx_rng_below(rng, 5);
    c->row.dst_step = 1 + cx_rng_below(rng, 3);
    c->row.relu = cx_rng_below(rng, 2) == 0;
    for (size_t t = 0; t < c->row.n_taps; t++)
        add_source(c, t, rng, extreme);

    size_t n_weights = c->row.n_groups * c->row.n_tiles * CX_TILE_BF16;
    size_t n_bias = c->row.n_groups * CX_GROUP_BF16;
    size_t n_blocks = (c->row.n_groups + 1) / 2;
    size_t pixels = (c->row.n_pixels - 1) * c->row.dst_step + 1;
    c->row.dst_plane = (pixels + cx_rng_below(rng, 3)) * CX_BLOCK_BF16;
    c->n_dst = (n_blocks - 1) * c->row.dst_plane + pixels * CX_BLOCK_BF16;
    c->weights = guarded_new(n_weights * 2, at_end);
    c->bias = guarded_new(n_bias * sizeof(float), at_end);
    c->dst = guarded_new(c->n_dst * 2, at_end);
    c->want = guarded_new(c->n_dst * 2, at_end);
    fill(&c->weights, n_weights, rng, extreme);
    for (size_t i = 0; i < n_bias; i++)
        ((float *)c->bias.data)[i] = check_sample(rng, extreme);
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

static double
size_of_terms(const Case *c, size_t o, size_t x)
{
    double sum = fabs((double)c->row.bias[o]);

    for (size_t t = 0; t < c->row.n_taps; t++)
        for (size_t i = 0; i < c->taps[t].n_blocks * CX_BLOCK_BF16; i++) {
            const CxConvTapBf16 *tap = &c->taps[t];
            size_t in = i % CX_BLOCK_BF16, block = i / CX_BLOCK_BF16;
            const uint16_t *tile =
                c->row.weights +
                (o / CX_GROUP_BF16 * c->row.n_tiles + tap->tile + block) *
                    CX_TILE_BF16;
            uint16_t w =
                tile[(in / 2 * CX_GROUP_BF16 + o % CX_GROUP_BF16) * 2 + in % 2];
            uint16_t s = tap->src[block * tap->plane +
                                  x * tap->step * CX_BLOCK_BF16 + in];

            sum += fabs((double)cx_float_from_bf16(w) *
                        (double)cx_float_from_bf16(s));
        }
    return sum;
}

static void
compare(const Case *c)
{
    const uint16_t *got = c->dst.data, *want = c->want.data;
    double k = (double)c->row.n_tiles * CX_BLOCK_BF16 + 1.0;

    for (size_t o = 0; o < c->row.n_groups * CX_GROUP_BF16; o++)
        for (size_t x = 0; x < c->row.n_pixels; x++) {
            size_t at = o / CX_BLOCK_BF16 * c->row.dst_plane +
                        x * c->row.dst_step * CX_BLOCK_BF16 + o % CX_BLOCK_BF16;
            double a = (double)cx_float_from_bf16(got[at]);
            double b = (double)cx_float_from_bf16(want[at]);
            double bound = 2.0 * k * 0x1p-23 * size_of_terms(c, o, x) +
                           0x1p-7 * fmax(fabs(a), fabs(b)) + k * 0x1p-100;

            g_assert_cmpfloat(fabs(a - b), <=, bound);
        }
    /* Zeros above the last group, and nothing between the pixels. */
    for (size_t i = 0; i < c->n_dst; i++)
        if (want[i] == 0xffff || got[i] == 0xffff)
            g_assert_cmphex(got[i], ==, want[i]);
}

static void
test_conv(void)
{
    CxRng rng;
    CxKernels kernels;
    unsigned features = cx_cpu_features();

    cx_kernels_fill(&kernels, features);
    if (!g_str_equal(kernels.isa_bf16, "amx") || !cx_cpu_permit_tiles()) {
        g_test_skip("this processor (or CX_CPU) has no AMX for bf16");
        return;
    }
    cx_rng_init(&rng, 3);
    for (int i = 0; i < 120; i++) {
        Case c;

        init_case(&c, &rng, i % 4 == 3);
        c.row.dst = c.want.data;
        cx_conv_row_bf16_c(&c.row);
        c.row.dst = c.dst.data;
        kernels.conv_row_bf16(&c.row);
        compare(&c);
        clear_case(&c);
    }
}

/* One pixel, one channel: what the tiles mean. */
static void
test_layout(void)
{
    uint16_t src[CX_BLOCK_BF16] = {0}, weights[CX_TILE_BF16] = {0};
    uint16_t dst[CX_BLOCK_BF16];
    float bias[CX_GROUP_BF16] = {0};
    CxConvTapBf16 tap = {src, 0, 1, 0, 1};
    CxConvRowBf16 row = {&tap, 1, weights, 1, bias, dst, 0, 1, 1, 1, true};

    src[5] = cx_bf16_from_float(3.0f);
    weights[(2 * 16 + 7) * 2 + 1] = cx_bf16_from_float(-2.0f);
    weights[(2 * 16 + 8) * 2 + 1] = cx_bf16_from_float(2.0f);
    bias[7] = 1.0f;
    bias[9] = 0.5f;
    cx_conv_row_bf16_c(&row);
    g_assert_cmpfloat(cx_float_from_bf16(dst[7]), ==, 0.0f);
    g_assert_cmpfloat(cx_float_from_bf16(dst[8]), ==, 6.0f);
    g_assert_cmpfloat(cx_float_from_bf16(dst[9]), ==, 0.5f);
    g_assert_cmpfloat(cx_float_from_bf16(dst[16]), ==, 0.0f);
    row.relu = false;
    cx_conv_row_bf16_c(&row);
    g_assert_cmpfloat(cx_float_from_bf16(dst[7]), ==, -5.0f);
}

static void
check_pool(const CxKernels *kernels, CxRng *rng)
{
    for (int i = 0; i < 120; i++) {
        size_t n_rows = 1 + cx_rng_below(rng, MAX_ROWS);
        size_t factor = 1 + cx_rng_below(rng, 4);
        size_t n_pixels = cx_rng_below(rng, 40);
        size_t n_src = n_pixels * factor * CX_BLOCK_BF16;
        size_t n_dst = n_pixels * CX_BLOCK_BF16;
        Guarded sources[MAX_ROWS];
        const uint16_t *rows[MAX_ROWS];
        Guarded got = guarded_new(n_dst * 2, i % 2 == 0);
        Guarded want = guarded_new(n_dst * 2, i % 2 == 0);

        for (size_t r = 0; r < n_rows; r++) {
            sources[r] = guarded_new(n_src * 2, i % 2 == 0);
            rows[r] = sources[r].data;
            fill(&sources[r], n_src, rng, i % 3 == 2);
        }
        cx_pool_row_bf16_c(want.data, rows, n_rows, factor, n_pixels);
        kernels->pool_row_bf16(got.data, rows, n_rows, factor, n_pixels);
        for (size_t k = 0; k < n_dst; k++)
            g_assert_cmpfloat(cx_float_from_bf16(((uint16_t *)got.data)[k]), ==,
                              cx_float_from_bf16(((uint16_t *)want.data)[k]));
        for (size_t r = 0; r < n_rows; r++)
            guarded_clear(&sources[r]);
        guarded_clear(&got);
        guarded_clear(&want);
    }
}

static void
check_narrow(const CxKernels *kernels, CxRng *rng)
{
    for (size_t n = 0; n < 40; n++) {
        Guarded lower = guarded_new(n * 64, n % 2 == 0);
        Guarded upper = guarded_new(n * 64, n % 2 == 0);
        Guarded got = guarded_new(n * 64, n % 2 == 0);
        Guarded want = guarded_new(n * 64, n % 2 == 0);
        const float *second = n % 3 == 0 ? NULL : upper.data;

        for (size_t i = 0; i < n * 16; i++) {
            ((float *)lower.data)[i] = check_sample(rng, n % 4 == 0);
            ((float *)upper.data)[i] = check_sample(rng, n % 4 == 1);
        }
        cx_narrow_bf16_c(want.data, lower.data, second, n);
        kernels->narrow_bf16(got.data, lower.data, second, n);
        g_assert_cmpmem(got.data, n * 64, want.data, n * 64);
        guarded_clear(&lower);
        guarded_clear(&upper);
        guarded_clear(&got);
        guarded_clear(&want);
    }
}

static void
test_pool(void)
{
    check_each(check_pool);
}

static void
test_narrow(void)
{
    check_each(check_narrow);
}

static void
test_rounding(void)
{
    g_assert_cmphex(cx_bf16_from_float(1.0f), ==, 0x3f80);
    g_assert_cmphex(cx_bf16_from_float(-2.0f), ==, 0xc000);
    g_assert_cmphex(cx_bf16_from_float(1.0f + 0x1p-8f), ==, 0x3f80);
    g_assert_cmphex(cx_bf16_from_float(1.0f + 0x1.8p-7f), ==, 0x3f82);
    g_assert_cmphex(cx_bf16_from_float(1.0f + 0x1.2p-8f), ==, 0x3f81);
    g_assert_cmpfloat(cx_float_from_bf16(0x3f81), ==, 1.0f + 0x1p-7f);
}

void
check_bf16_add(void)
{
    g_test_add_func("/kernels/bf16/rounding", test_rounding);
    g_test_add_func("/kernels/bf16/layout", test_layout);
    g_test_add_func("/kernels/bf16/conv", test_conv);
    g_test_add_func("/kernels/bf16/pool", test_pool);
    g_test_add_func("/kernels/bf16/narrow", test_narrow);
}
