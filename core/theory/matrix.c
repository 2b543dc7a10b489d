/* Products of dense matrices: the kernel's tables of rows for pieces of a
 * bounded size.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/matrix.h"

#include <glib.h>

#define ROWS 256 /* of a piece, either way */

static void
multiply_piece(CxGemmRowsFn *gemm, float *c, const float *a, const float *b,
               size_t m, size_t k, size_t n, size_t whole_n, size_t k_all,
               bool add)
{
    size_t b_at[ROWS], c_at[ROWS];

    for (size_t i = 0; i < m; i++)
        c_at[i] = i * n;
    for (size_t j = 0; j < k; j++)
        b_at[j] = j * n;
    const CxGemmRows product = {.n_i = m,
                                .n_j = k,
                                .n = whole_n,
                                .a = a,
                                .a_i = k_all,
                                .a_j = 1,
                                .b = b,
                                .b_at = b_at,
                                .c = c,
                                .c_at = c_at,
                                .parts = 1,
                                .add = add};
    gemm(&product);
}

static void
multiply_rest(float *c, const float *a, const float *b, size_t m, size_t k,
              size_t n, size_t from)
{
    for (size_t i = 0; i < m; i++)
        for (size_t x = from; x < n; x++) {
            float sum = 0.0f;

            for (size_t j = 0; j < k; j++)
                sum += a[i * k + j] * b[j * n + x];
            c[i * n + x] = sum;
        }
}

void
cx_matrix_multiply(CxGemmRowsFn *gemm, float *c, const float *a, const float *b,
                   size_t m, size_t k, size_t n)
{
    size_t whole_n = n - n % CX_GEMM_LANES;

    for (size_t i = 0; i < m && whole_n > 0; i += ROWS)
        for (size_t j = 0; j < k; j += ROWS)
            multiply_piece(gemm, c + i * n, a + i * k + j, b + j * n,
                           MIN(m - i, ROWS), MIN(k - j, ROWS), n, whole_n, k,
                           j > 0);
    multiply_rest(c, a, b, m, k, n, whole_n);
}

void
cx_matrix_transpose(float *restrict to, const float *from, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            to[j * m + i] = from[i * n + j];
}
