/* Products of matrices by tables of rows: each variant against C within the
 * stated bound, the vector variants against each other to the bit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include <math.h>
#include <string.h>

#define MAX_ROWS 40

/* Rows in shuffled order behind each other, so that no stride fits, in memory
 * that ends at a guard page. */
typedef struct {
    Guarded memory;
    size_t at[MAX_ROWS];
    size_t part;
} Rows;

static Rows
rows_new(CxRng *rng, size_t n_rows, size_t n, size_t parts, bool extreme)
{
    Rows rows = {.part = n_rows * n};
    size_t order[MAX_ROWS];

    rows.memory = guarded_new(parts * rows.part * sizeof(float), true);
    for (size_t i = 0; i < n_rows; i++)
        order[i] = i;
    for (size_t i = n_rows; i > 1; i--) {
        size_t k = cx_rng_below(rng, i), old = order[i - 1];

        order[i - 1] = order[k];
        order[k] = old;
    }
    for (size_t i = 0; i < n_rows; i++)
        rows.at[i] = order[i] * n;
    float *data = rows.memory.data;
    for (size_t i = 0; i < parts * rows.part; i++)
        data[i] = check_sample(rng, extreme);
    return rows;
}

static void
check_within(const float *found, const float *expected, const float *sizes,
             size_t n, size_t terms)
{
    for (size_t i = 0; i < n; i++) {
        double bound = ((double)terms + 5.0) * 0x1p-23 * (double)sizes[i];

        g_assert_cmpfloat(fabs((double)found[i] - (double)expected[i]), <=,
                          bound + 1e-30);
    }
}

static void
absolute(float *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        data[i] = fabsf(data[i]);
}

static float *
copy(const float *data, size_t n)
{
    return g_memdup2(data, n * sizeof *data);
}

static void
check_rows_once(const CxKernels *kernels, CxRng *rng)
{
    size_t n_i = 1 + cx_rng_below(rng, 33), n_j = cx_rng_below(rng, 34);
    size_t n = CX_GEMM_LANES * (1 + cx_rng_below(rng, 5));
    size_t parts = 1 + cx_rng_below(rng, 3);
    bool extreme = cx_rng_below(rng, 4) == 0, turned = cx_rng_below(rng, 2);
    Rows a = rows_new(rng, n_i, MAX_ROWS, 1, extreme);
    Rows b = rows_new(rng, n_j, n, parts, extreme);
    Rows c = rows_new(rng, n_i, n, parts, extreme);
    size_t n_c = parts * c.part;
    float *start = c.memory.data;
    g_autofree float *expected = copy(start, n_c), *sizes = copy(start, n_c);
    CxGemmRows gemm = {.n_i = n_i,
                       .n_j = n_j,
                       .n = n,
                       .a = a.memory.data,
                       .a_i = turned ? 1 : MAX_ROWS,
                       .a_j = turned ? n_i : 1,
                       .b = b.memory.data,
                       .b_at = b.at,
                       .c = expected,
                       .c_at = c.at,
                       .parts = parts,
                       .b_part = b.part,
                       .c_part = c.part,
                       .add = cx_rng_below(rng, 2)};

    cx_gemm_rows_f32_c(&gemm);
    gemm.c = start;
    kernels->gemm_rows_f32(&gemm);
    absolute(a.memory.data, n_i * MAX_ROWS);
    absolute(b.memory.data, parts * b.part);
    absolute(sizes, n_c);
    gemm.c = sizes;
    cx_gemm_rows_f32_c(&gemm);
    check_within(start, expected, sizes, n_c, n_j);
    guarded_clear(&a.memory);
    guarded_clear(&b.memory);
    guarded_clear(&c.memory);
}

static void
check_dots_once(const CxKernels *kernels, CxRng *rng)
{
    size_t n_i = 1 + cx_rng_below(rng, 19), n_j = 1 + cx_rng_below(rng, 19);
    size_t n = CX_GEMM_LANES * (1 + cx_rng_below(rng, 5));
    size_t parts = 1 + cx_rng_below(rng, 3);
    bool extreme = cx_rng_below(rng, 4) == 0, turned = cx_rng_below(rng, 2);
    Rows a = rows_new(rng, n_i, n, parts, extreme);
    Rows b = rows_new(rng, n_j, n, parts, extreme);
    Rows c = rows_new(rng, n_i, n_j, 1, extreme);
    float *start = c.memory.data;
    g_autofree float *expected = copy(start, c.part);
    g_autofree float *sizes = copy(start, c.part);
    CxGemmDots gemm = {.n_i = n_i,
                       .n_j = n_j,
                       .n = n,
                       .a = a.memory.data,
                       .b = b.memory.data,
                       .a_at = a.at,
                       .b_at = b.at,
                       .c = expected,
                       .c_i = turned ? 1 : n_j,
                       .c_j = turned ? n_i : 1,
                       .parts = parts,
                       .a_part = a.part,
                       .b_part = b.part,
                       .add = cx_rng_below(rng, 2)};

    cx_gemm_dots_f32_c(&gemm);
    gemm.c = start;
    kernels->gemm_dots_f32(&gemm);
    absolute(a.memory.data, parts * a.part);
    absolute(b.memory.data, parts * b.part);
    absolute(sizes, c.part);
    gemm.c = sizes;
    cx_gemm_dots_f32_c(&gemm);
    check_within(start, expected, sizes, c.part, parts * n);
    guarded_clear(&a.memory);
    guarded_clear(&b.memory);
    guarded_clear(&c.memory);
}

static void
check_variant(const CxKernels *kernels, CxRng *rng)
{
    for (unsigned round = 0; round < 200; round++) {
        check_rows_once(kernels, rng);
        check_dots_once(kernels, rng);
    }
}

static void
test_variants(void)
{
    check_each(check_variant);
}

/* Both operations over one set of numbers, into out[2][n_i * 64]. */
static void
run_both(const CxKernels *kernels, const float *data, size_t n_i, float *out)
{
    size_t at[MAX_ROWS];

    for (size_t i = 0; i < MAX_ROWS; i++)
        at[i] = i * 64;
    CxGemmRows rows = {n_i, 23,  64, data, 64, 1, data + 7,
                       at,  out, at, 1,    0,  0, false};
    CxGemmDots dots = {n_i, 23, 48, data, data + 5, at,   at, out + n_i * 64,
                       64,  1,  2,  13,   17,       false};

    kernels->gemm_rows_f32(&rows);
    kernels->gemm_dots_f32(&dots);
}

static void
check_equal(const CxKernels *kernels, CxRng *rng)
{
    unsigned features = cx_cpu_features();
    CxKernels narrow;

    g_assert_true(cx_cpu_cap(&features, "avx2"));
    cx_kernels_fill(&narrow, features);
    for (size_t n_i = 1; n_i < 31; n_i++) {
        float data[MAX_ROWS * 64 + 64], out[2][2 * 31 * 64] = {{0.0f}};

        for (size_t i = 0; i < G_N_ELEMENTS(data); i++)
            data[i] = check_sample(rng, false);
        run_both(&narrow, data, n_i, out[0]);
        run_both(kernels, data, n_i, out[1]);
        g_assert_cmpmem(out[0], sizeof out[0], out[1], sizeof out[1]);
    }
}

static void
test_equal(void)
{
    check_each(check_equal);
}

void
check_gemm_f32_add(void)
{
    g_test_add_func("/kernels/gemm-f32/variants", test_variants);
    g_test_add_func("/kernels/gemm-f32/equal-bits", test_equal);
}
