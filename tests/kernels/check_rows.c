/* Rows of narrow samples: convolutions in u8 and bfloat16, maxima.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include "core/kernels/bf16.h"

#include <math.h>

#define MAX_K 24
#define MAX_N_ROWS 4
#define MAX_POOL_ROWS 9

typedef struct {
    CxConvRows rows;
    bool bf16;
    size_t sample; /* bytes */
    const uint8_t *src[MAX_N_ROWS * MAX_K];
    uint8_t *to_got[MAX_N_ROWS], *to_want[MAX_N_ROWS];
    uint32_t steps[MAX_K];
    Guarded sources[MAX_N_ROWS * MAX_K];
    const int32_t *sums_of[MAX_N_ROWS];
    Guarded sums[MAX_N_ROWS];
    Guarded spans, weights, bias, scale, got[MAX_N_ROWS], want[MAX_N_ROWS];
    size_t dst_bytes; /* of a row */
} Case;

typedef enum { PLAIN, LARGEST, SMALLEST, CORNERS, N_KINDS } Kind;

static size_t
below(CxRng *rng, size_t n)
{
    return (size_t)cx_rng_below(rng, n);
}

static uint8_t
draw_u8(CxRng *rng, Kind kind)
{
    if (kind == LARGEST || kind == SMALLEST)
        return 255;
    return kind == CORNERS ? (uint8_t)(below(rng, 2) * 255)
                           : (uint8_t)cx_rng_next(rng);
}

static void
fill_source(Case *c, size_t i, CxRng *rng, Kind kind)
{
    size_t step = c->steps[i % c->rows.n_k];
    size_t n = (c->rows.n_pixels - 1) * step + CX_K_BYTES;
    uint8_t *to;

    c->sources[i] = guarded_new(n + CX_ROWS_SLACK, below(rng, 2) == 0);
    to = c->sources[i].data;
    for (size_t k = 0; k < n; k += c->sample)
        if (c->bf16)
            *(uint16_t *)(void *)(to + k) =
                cx_bf16_from_float(check_sample(rng, kind == CORNERS));
        else
            to[k] = draw_u8(rng, kind);
    c->src[i] = to;
}

/* Weights of one output in one run: as large as the contract allows. */
static void
fill_run(int8_t *tile, size_t run, size_t o, CxRng *rng, Kind kind)
{
    int up[2] = {0}, down[2] = {0};

    for (size_t i = 0; i < 4 * CX_RUN_WORDS; i++) {
        size_t at = 4 * CX_RUN_WORDS * run + i;
        int w = (int)below(rng, 256) - 128;

        if (kind == LARGEST || kind == SMALLEST || kind == CORNERS)
            w = kind == LARGEST || (kind == CORNERS && o % 2 == 0) ? 127 : -128;
        w = CLAMP(w, -CX_RUN_SUM - down[i % 4 / 2], CX_RUN_SUM - up[i % 4 / 2]);
        up[i % 4 / 2] += MAX(w, 0);
        down[i % 4 / 2] += MIN(w, 0);
        tile[(at / 4 * CX_GROUP + o) * 4 + at % 4] = (int8_t)w;
    }
}

static void
fill_tile(Case *c, size_t index, CxRng *rng, Kind kind)
{
    CxConvSpan *span = &((CxConvSpan *)c->spans.data)[index];
    uint8_t *tile = (uint8_t *)c->weights.data + index * CX_TILE_BYTES;

    span->first = (uint8_t)below(rng, CX_K_WORDS);
    span->last =
        (uint8_t)(span->first + 1 + below(rng, CX_K_WORDS - span->first));
    if (below(rng, 5) == 0)
        *span = (CxConvSpan){0, 0};
    for (size_t o = 0; o < CX_GROUP; o++)
        for (size_t run = 0; run < CX_K_WORDS / CX_RUN_WORDS && !c->bf16; run++)
            fill_run((int8_t *)tile, run, o, rng, kind);
    for (size_t i = 0; i < CX_TILE_BYTES / 2 && c->bf16; i++)
        ((uint16_t *)(void *)tile)[i] =
            cx_bf16_from_float(check_sample(rng, kind == CORNERS));
    memset(tile, 0, span->first * CX_K_BYTES);
    memset(tile + span->last * CX_K_BYTES, 0,
           (CX_K_WORDS - span->last) * CX_K_BYTES);
}

static void
fill_outputs(Case *c, CxRng *rng, Kind kind)
{
    size_t n = c->rows.n_groups * CX_GROUP;

    c->bias = guarded_new(n * 4, true);
    c->scale = guarded_new(n * 4, true);
    for (size_t o = 0; o < n; o++) {
        float *scale = (float *)c->scale.data + o;

        if (c->bf16)
            ((float *)c->bias.data)[o] = check_sample(rng, kind == CORNERS);
        else
            ((int32_t *)c->bias.data)[o] = (int32_t)below(rng, 200001) - 100000;
        *scale = (float)ldexp(1.0 + cx_rng_uniform(rng), -(int)below(rng, 14));
        if (kind == CORNERS && !c->bf16)
            *scale = 0.5f; /* many ties */
    }
    c->rows.bias = c->bias.data;
    c->rows.scale = c->scale.data;
}

static void
place_outputs(Case *c, CxRng *rng)
{
    CxConvRows *rows = &c->rows;
    size_t size = rows->logits ? 2 : c->sample, n_planes;

    rows->dst_groups =
        below(rng, 2) == 0 ? rows->n_groups : (size_t)1 << below(rng, 3);
    if (rows->n_groups > 1 && rows->dst_groups % 2 == 1 &&
        rows->dst_groups != rows->n_groups)
        rows->dst_groups++;
    n_planes = (rows->n_groups + rows->dst_groups - 1) / rows->dst_groups;
    rows->dst_pixel = MIN(rows->dst_groups, rows->n_groups) * CX_GROUP * size *
                      (1 + below(rng, 2));
    rows->dst_plane = rows->n_pixels * rows->dst_pixel;
    c->dst_bytes = n_planes * rows->dst_plane;
    for (size_t r = 0; r < rows->n_rows; r++) {
        c->got[r] = guarded_new(c->dst_bytes, below(rng, 2) == 0);
        c->want[r] = guarded_new(c->dst_bytes, true);
        c->to_got[r] = c->got[r].data;
        c->to_want[r] = c->want[r].data;
    }
}

/* Sums from elsewhere, at odd distances. */
static void
add_sums(Case *c, CxRng *rng)
{
    CxConvRows *rows = &c->rows;

    rows->sums_pixel = (rows->n_groups + below(rng, 3)) * CX_GROUP;
    rows->sums = c->sums_of;
    for (size_t r = 0; r < rows->n_rows; r++) {
        size_t n =
            (rows->n_pixels - 1) * rows->sums_pixel + rows->n_groups * CX_GROUP;

        c->sums[r] = guarded_new(n * sizeof(int32_t), true);
        for (size_t i = 0; i < n; i++)
            ((int32_t *)c->sums[r].data)[i] =
                (int32_t)below(rng, 200001) - 100000;
        c->sums_of[r] = c->sums[r].data;
    }
}

static void
init_case(Case *c, CxRng *rng, bool bf16, Kind kind)
{
    static const uint32_t steps[] = {16, 32, 64, 128};
    CxConvRows *rows = &c->rows;

    memset(c, 0, sizeof *c);
    c->bf16 = bf16;
    c->sample = bf16 ? 2 : 1;
    *rows = (CxConvRows){
        .n_rows = 1 + below(rng, MAX_N_ROWS),
        .n_k = below(rng, MAX_K + 1),
        .n_groups = 1 + below(rng, 5),
        .n_pixels = 1 + below(rng, 90),
        .src = c->src,
        .steps = c->steps,
        .logits = below(rng, 3) == 0,
        .relu = below(rng, 2) == 0,
    };
    for (size_t k = 0; k < rows->n_k; k++)
        c->steps[k] = steps[below(rng, G_N_ELEMENTS(steps))];
    for (size_t i = 0; i < rows->n_rows * rows->n_k; i++)
        fill_source(c, i, rng, kind);
    size_t n_tiles = rows->n_groups * rows->n_k;
    c->spans = guarded_new(n_tiles * sizeof(CxConvSpan), true);
    c->weights = guarded_new(n_tiles * CX_TILE_BYTES, true);
    for (size_t i = 0; i < n_tiles; i++)
        fill_tile(c, i, rng, kind);
    rows->spans = c->spans.data;
    rows->weights = c->weights.data;
    fill_outputs(c, rng, kind);
    place_outputs(c, rng);
}

static void
clear_case(Case *c)
{
    for (size_t i = 0; i < c->rows.n_rows * c->rows.n_k; i++)
        guarded_clear(&c->sources[i]);
    for (size_t r = 0; r < c->rows.n_rows; r++) {
        guarded_clear(&c->got[r]);
        guarded_clear(&c->want[r]);
        if (c->rows.sums != NULL)
            guarded_clear(&c->sums[r]);
    }
    guarded_clear(&c->spans);
    guarded_clear(&c->weights);
    guarded_clear(&c->bias);
    guarded_clear(&c->scale);
}

/* A denormal factor may count as 0: then the whole term is an error. */
static double
size_of_term(uint16_t a, uint16_t b)
{
    double size =
        fabs((double)cx_float_from_bf16(a) * (double)cx_float_from_bf16(b));

    return (a & 0x7f80) == 0 || (b & 0x7f80) == 0 ? size * 0x1p23 : size;
}

/* Sum of |terms| of an output. */
static double
size_of_terms(const Case *c, size_t r, size_t x, size_t g, size_t o)
{
    const CxConvRows *rows = &c->rows;
    double sum = fabs((double)((const float *)rows->bias)[g * CX_GROUP + o]);

    for (size_t k = 0; k < rows->n_k; k++) {
        const uint16_t *src =
            (const void *)(rows->src[r * rows->n_k + k] + x * rows->steps[k]);
        const uint16_t *tile =
            (const void *)(rows->weights + (g * rows->n_k + k) * CX_TILE_BYTES);

        for (size_t i = 0; i < CX_K_BYTES / 2; i++)
            sum +=
                size_of_term(src[i], tile[(i / 2 * CX_GROUP + o) * 2 + i % 2]);
    }
    return sum;
}

static void
expect_near(const Case *c, size_t r, size_t x, size_t g, size_t o)
{
    const CxConvRows *rows = &c->rows;
    size_t at =
        (g / rows->dst_groups * rows->dst_plane + x * rows->dst_pixel) / 2 +
        g % rows->dst_groups * CX_GROUP + o;
    uint16_t got = ((const uint16_t *)(const void *)c->to_got[r])[at];
    uint16_t want = ((const uint16_t *)(const void *)c->to_want[r])[at];
    double n = (double)rows->n_k * 32.0 + 1.0;
    double bound = 2.0 * n * 0x1p-23 * size_of_terms(c, r, x, g, o);
    double a = (double)cx_float_from_bf16(got);
    double b = (double)cx_float_from_bf16(want);

    if (rows->logits) {
        g_assert_cmpfloat(fabs((double)got - (double)want), <=,
                          1.0 + bound * (double)rows->scale[g * CX_GROUP + o]);
        return;
    }
    bound += 0x1p-7 * fmax(fabs(a), fabs(b)) + n * 0x1p-100;
    g_assert_cmpfloat(fabs(a - b), <=, bound);
}

static void
compare(const Case *c)
{
    const CxConvRows *rows = &c->rows;

    for (size_t r = 0; r < rows->n_rows; r++) {
        if (!c->bf16) {
            g_assert_cmpmem(c->to_got[r], c->dst_bytes, c->to_want[r],
                            c->dst_bytes);
            continue;
        }
        for (size_t i = 0; i < rows->n_groups * CX_GROUP; i++)
            for (size_t x = 0; x < rows->n_pixels; x++)
                expect_near(c, r, x, i / CX_GROUP, i % CX_GROUP);
        /* Nothing between the pixels. */
        for (size_t i = 0; i < c->dst_bytes / 2; i++)
            if (((uint16_t *)(void *)c->to_want[r])[i] == 0xffff)
                g_assert_cmphex(((uint16_t *)(void *)c->to_got[r])[i], ==,
                                0xffff);
    }
}

static void
check_conv(const CxRowsKernels *kernels, bool bf16, bool takes_sums, CxRng *rng)
{
    for (int i = 0; i < 160; i++) {
        Case c;

        init_case(&c, rng, bf16, i % 2 == 0 ? PLAIN : (Kind)(i / 2 % N_KINDS));
        if (takes_sums && below(rng, 2) == 0)
            add_sums(&c, rng);
        c.rows.dst = c.to_want;
        (bf16 ? cx_conv_rows_bf16_c : cx_conv_rows_u8_c)(&c.rows);
        c.rows.dst = c.to_got;
        kernels->tiles_begin();
        kernels->conv_rows(&c.rows);
        kernels->tiles_end();
        compare(&c);
        clear_case(&c);
    }
}

static void
test_conv(const void *data)
{
    const char *isa = data;
    bool bf16 = g_str_has_suffix(isa, "-bf16");
    g_autofree char *cap = g_strndup(isa, strcspn(isa, "-"));
    CxRng rng;
    CxKernels kernels;
    unsigned features = cx_cpu_features();

    g_assert_true(cx_cpu_cap(&features, cap));
    cx_kernels_fill(&kernels, features);
    const CxRowsKernels *rows = bf16 ? &kernels.bf16 : &kernels.u8;
    if (!g_str_equal(rows->isa, cap) ||
        (g_str_equal(cap, "amx") && !cx_cpu_permit_tiles())) {
        g_test_skip("this processor (or CX_CPU) does not have it");
        return;
    }
    cx_rng_init(&rng, 3);
    check_conv(rows, bf16, !bf16 && !g_str_equal(cap, "amx"), &rng);
}

/* One pixel, one weight: what the tiles mean. */
static void
test_layout(void)
{
    _Alignas(64) int8_t tile[CX_TILE_BYTES] = {0};
    _Alignas(64) int32_t bias[CX_GROUP] = {0};
    _Alignas(64) float scale[CX_GROUP];
    uint8_t source[CX_K_BYTES] = {0}, dst[CX_GROUP], *to = dst;
    const uint8_t *src = source;
    uint32_t step = 16;
    CxConvSpan span = {1, 2};
    CxConvRows rows = {.n_rows = 1,
                       .n_k = 1,
                       .n_groups = 1,
                       .n_pixels = 1,
                       .src = &src,
                       .dst = &to,
                       .steps = &step,
                       .spans = &span,
                       .weights = (const uint8_t *)tile,
                       .bias = bias,
                       .scale = scale,
                       .dst_pixel = 16,
                       .dst_groups = 1};

    for (int o = 0; o < CX_GROUP; o++)
        scale[o] = 0.5f;
    source[5] = 3;
    tile[(1 * CX_GROUP + 7) * 4 + 1] = -2;
    tile[(1 * CX_GROUP + 8) * 4 + 1] = 2;
    bias[7] = 11;
    bias[9] = 1;
    bias[10] = 3;
    bias[11] = 100000;
    cx_conv_rows_u8_c(&rows);
    g_assert_cmpint(dst[7], ==, 2); /* 2.5 to even */
    g_assert_cmpint(dst[8], ==, 3);
    g_assert_cmpint(dst[9], ==, 0);
    g_assert_cmpint(dst[10], ==, 2);
    g_assert_cmpint(dst[11], ==, 255);
    bias[7] = 0;
    cx_conv_rows_u8_c(&rows);
    g_assert_cmpint(dst[7], ==, 0);
}

static void
fill_pool(Guarded *guarded, size_t n_bytes, CxRng *rng, bool bf16, bool extreme)
{
    for (size_t i = 0; i < n_bytes / 2; i++)
        ((uint16_t *)guarded->data)[i] =
            bf16 ? cx_bf16_from_float(check_sample(rng, extreme))
                 : (uint16_t)cx_rng_next(rng);
}

static void
expect_equal_pools(const Guarded *got, const Guarded *want, size_t n_bytes,
                   bool bf16)
{
    if (!bf16) {
        g_assert_cmpmem(got->data, n_bytes, want->data, n_bytes);
        return;
    }
    for (size_t k = 0; k < n_bytes / 2; k++)
        g_assert_cmpfloat(cx_float_from_bf16(((uint16_t *)got->data)[k]), ==,
                          cx_float_from_bf16(((uint16_t *)want->data)[k]));
}

static void
check_pools(const CxKernels *kernels, CxRng *rng)
{
    for (int i = 0; i < 300; i++) {
        bool bf16 = i % 2 == 0;
        size_t n_rows = 1 + below(rng, MAX_POOL_ROWS);
        size_t factor = 1 + below(rng, 4);
        size_t pixel = (size_t)16 << below(rng, 3);
        size_t n_pixels = below(rng, 40);
        size_t n_src = n_pixels * factor * pixel, n_dst = n_pixels * pixel;
        Guarded sources[MAX_POOL_ROWS];
        const uint8_t *rows[MAX_POOL_ROWS];
        Guarded got = guarded_new(n_dst, i % 4 < 2);
        Guarded want = guarded_new(n_dst, i % 4 < 2);

        for (size_t r = 0; r < n_rows; r++) {
            sources[r] = guarded_new(n_src, i % 4 < 2);
            rows[r] = sources[r].data;
            fill_pool(&sources[r], n_src, rng, bf16, i % 3 == 2);
        }
        (bf16 ? cx_pool_rows_bf16_c : cx_pool_rows_u8_c)(
            want.data, rows, n_rows, factor, n_pixels, pixel);
        (bf16 ? &kernels->bf16 : &kernels->u8)
            ->pool_rows(got.data, rows, n_rows, factor, n_pixels, pixel);
        expect_equal_pools(&got, &want, n_dst, bf16);
        for (size_t r = 0; r < n_rows; r++)
            guarded_clear(&sources[r]);
        guarded_clear(&got);
        guarded_clear(&want);
    }
}

static void
test_pools(void)
{
    check_each(check_pools);
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
check_rows_add(void)
{
    g_test_add_func("/kernels/rows/bf16-rounding", test_rounding);
    g_test_add_func("/kernels/rows/layout", test_layout);
    g_test_add_data_func("/kernels/rows/u8-avx2", "avx2", test_conv);
    g_test_add_data_func("/kernels/rows/u8-vnni", "vnni", test_conv);
    g_test_add_data_func("/kernels/rows/u8-amx", "amx", test_conv);
    g_test_add_data_func("/kernels/rows/bf16-amx", "amx-bf16", test_conv);
    g_test_add_func("/kernels/rows/pool", test_pools);
}
