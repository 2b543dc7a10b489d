/* Products of matrices whose rows are found by a table of offsets.
 *
 * Rows that need not lie side by side make one loop of what is otherwise
 * several: a product, a product by a transposed matrix, a convolution (row j
 * is tap j: the image at the tap's offset) and a Fourier transform of any
 * length along any axis.
 *
 * Rows are n floats long, n a multiple of CX_GEMM_LANES; no alignment is asked
 * for.  Nothing beyond the n floats of a row is read or written.  Rows of the
 * result must not overlap each other or the operands.
 *
 * rows:  C[i][x] = (add ? C[i][x] : 0) + sum over j of A(i, j) * B[j][x]
 *        A(i, j) is a[i * a_i + j * a_j]; row j of B begins at b[b_at[j]], row
 *        i of C at c[c_at[i]].  The sum runs over j in order, fused.
 * dots:  C(i, j) = (add ? C(i, j) : 0) + sum over p, x of A[i][x] * B[j][x]
 *        row i of A begins at a[a_at[i]] in part 0, C(i, j) is
 *        c[i * c_i + j * c_j].  Products are added into 16 sums by x modulo 16,
 *        fused, part after part, and these to one as a tree of 8, 4, 2, 1.
 *
 * Both run over `parts` parts: part p of a matrix begins p * a_part (b_part,
 * c_part) floats further.
 *
 * Vector variants give equal bits; C, which does not fuse, is within
 * (K + 5) * 2^-23 * sum |a * b| of them, K products a sum.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CX_GEMM_LANES 16

typedef struct {
    size_t n_i, n_j, n; /* rows of C, rows of B, floats of a row */
    const float *a;
    size_t a_i, a_j;
    const float *b;
    const size_t *b_at; /* [n_j] */
    float *c;
    const size_t *c_at; /* [n_i] */
    size_t parts, b_part, c_part;
    bool add;
} CxGemmRows;

typedef struct {
    size_t n_i, n_j, n;
    const float *a, *b;
    const size_t *a_at, *b_at; /* [n_i], [n_j] */
    float *c;
    size_t c_i, c_j;
    size_t parts, a_part, b_part;
    bool add;
} CxGemmDots;

typedef void CxGemmRowsFn(const CxGemmRows *gemm);
typedef void CxGemmDotsFn(const CxGemmDots *gemm);

CxGemmRowsFn cx_gemm_rows_f32_c;
CxGemmRowsFn cx_gemm_rows_f32_avx2;
CxGemmRowsFn cx_gemm_rows_f32_avx512;
CxGemmDotsFn cx_gemm_dots_f32_c;
CxGemmDotsFn cx_gemm_dots_f32_avx2;
CxGemmDotsFn cx_gemm_dots_f32_avx512;
