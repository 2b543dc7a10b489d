/* Winograd in whole numbers against the plain convolution.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <string.h>

#define MAX_GROUPS 3
#define MAX_PIXELS 150

typedef enum { PLAIN, LARGEST, CORNERS, N_KINDS } Kind;

typedef struct {
    CxWinogradU8 sums;
    const uint8_t *src[CX_WINOGRAD_U8_TAKES * MAX_GROUPS];
    uint32_t steps[MAX_GROUPS];
    Guarded rows[CX_WINOGRAD_U8_TAKES * MAX_GROUPS];
    Guarded weights, scratch, got;
    size_t n_padded;
    int8_t *plain; /* [out][in][9] */
} Case;

static size_t
below(CxRng *rng, size_t n)
{
    return (size_t)cx_rng_below(rng, n);
}

static void
fill_rows(Case *c, CxRng *rng, Kind kind)
{
    for (size_t i = 0; i < CX_WINOGRAD_U8_TAKES * c->sums.n_in; i++) {
        size_t step = c->steps[i % c->sums.n_in];
        size_t n = (c->n_padded + 1) * step + 16;

        c->rows[i] = guarded_new(n, true);
        for (size_t k = 0; k < n; k++)
            ((uint8_t *)c->rows[i].data)[k] =
                kind == LARGEST   ? 255
                : kind == CORNERS ? (uint8_t)(below(rng, 2) * 255)
                                  : (uint8_t)cx_rng_next(rng);
        c->src[i] = (const uint8_t *)c->rows[i].data + step;
    }
}

/* Few enough large weights for the sums to stay within what is promised. */
static void
fill_weights(Case *c, CxRng *rng, Kind kind)
{
    size_t n_in = 16 * c->sums.n_in, n_out = 16 * c->sums.n_out;

    c->plain = g_malloc(n_in * n_out * 9);
    c->weights = guarded_new(n_in * n_out * CX_WINOGRAD_U8_POINTS * 2, true);
    for (size_t i = 0; i < n_in * n_out; i++) {
        size_t o = i / n_in, in = i % n_in;
        int8_t *w = c->plain + i * 9;
        int16_t points[CX_WINOGRAD_U8_POINTS];

        for (int k = 0; k < 9; k++)
            w[k] = kind == PLAIN ? (int8_t)((int)below(rng, 256) - 128)
                   : o % 2 == 0  ? 127
                                 : -128;
        cx_winograd_u8_weights(w, points);
        for (size_t p = 0; p < CX_WINOGRAD_U8_POINTS; p++)
            ((int16_t *)c->weights
                 .data)[(((p * c->sums.n_out + o / 16) * n_in / 2 + in / 2) *
                             16 +
                         o % 16) *
                            2 +
                        in % 2] = points[p];
    }
}

static void
init_case(Case *c, CxRng *rng, Kind kind)
{
    static const uint32_t steps[] = {16, 32, 64};
    CxWinogradU8 *sums = &c->sums;

    memset(c, 0, sizeof *c);
    sums->n_pixels = 1 + below(rng, MAX_PIXELS);
    sums->n_in = 1 + below(rng, MAX_GROUPS);
    sums->n_out = 1 + below(rng, MAX_GROUPS);
    c->n_padded = (sums->n_pixels + 3) / 4 * 4;
    for (size_t i = 0; i < sums->n_in; i++)
        c->steps[i] = steps[below(rng, G_N_ELEMENTS(steps))];
    fill_rows(c, rng, kind);
    fill_weights(c, rng, kind);
    sums->dst_row = c->n_padded * 16 * sums->n_out;
    c->got = guarded_new(sums->dst_row * 4 * CX_WINOGRAD_U8_ROWS, true);
    c->scratch = guarded_new(cx_winograd_u8_scratch(sums->n_in), true);
    sums->src = c->src;
    sums->steps = c->steps;
    sums->weights = c->weights.data;
    sums->dst = c->got.data;
    sums->scratch = c->scratch.data;
}

static void
clear_case(Case *c)
{
    for (size_t i = 0; i < CX_WINOGRAD_U8_TAKES * c->sums.n_in; i++)
        guarded_clear(&c->rows[i]);
    guarded_clear(&c->weights);
    guarded_clear(&c->scratch);
    guarded_clear(&c->got);
    g_free(c->plain);
}

static int32_t
plain_sum(const Case *c, size_t y, size_t x, size_t o)
{
    size_t n_in = 16 * c->sums.n_in;
    int32_t sum = 0;

    for (size_t in = 0; in < n_in; in++)
        for (size_t k = 0; k < 9; k++) {
            size_t step = c->steps[in / 16];
            const uint8_t *row = c->src[(y + k / 3) * c->sums.n_in + in / 16];

            sum += c->plain[(o * n_in + in) * 9 + k] *
                   row[(x + k % 3) * step - step + in % 16];
        }
    return sum;
}

static void
check_variant(CxWinogradU8Fn *func, CxRng *rng)
{
    for (int i = 0; i < 40; i++) {
        Case c;

        init_case(&c, rng, (Kind)(i % N_KINDS));
        func(&c.sums);
        for (size_t y = 0; y < CX_WINOGRAD_U8_ROWS; y++)
            for (size_t x = 0; x < c.sums.n_pixels; x++)
                for (size_t o = 0; o < 16 * c.sums.n_out; o++)
                    g_assert_cmpint(c.sums.dst[y * c.sums.dst_row +
                                               x * 16 * c.sums.n_out + o],
                                    ==, plain_sum(&c, y, x, o));
        clear_case(&c);
    }
}

static void
test_c(void)
{
    CxRng rng;

    cx_rng_init(&rng, 5);
    check_variant(cx_winograd_u8_c, &rng);
}

static void
test_variant(const void *isa)
{
    CxRng rng;
    CxKernels kernels;
    unsigned features = cx_cpu_features();

    g_assert_true(cx_cpu_cap(&features, isa));
    cx_kernels_fill(&kernels, features);
    if (!g_str_equal(kernels.u8.isa, isa)) {
        g_test_skip("this processor (or CX_CPU) does not have it");
        return;
    }
    cx_rng_init(&rng, 6);
    check_variant(kernels.u8.winograd, &rng);
}

void
check_winograd_u8_add(void)
{
    g_test_add_func("/kernels/winograd-u8/c", test_c);
    g_test_add_data_func("/kernels/winograd-u8/avx2", "avx2", test_variant);
}
