/* Products of dense matrices in float, rows first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/gemm_f32.h"

/* c[m][n] = a[m][k] b[k][n]; gemm from a table of kernels.  The last n modulo
 * CX_GEMM_LANES columns are worked out one by one. */
void cx_matrix_multiply(CxGemmRowsFn *gemm, float *c, const float *a,
                        const float *b, size_t m, size_t k, size_t n);

/* to[n][m] = from[m][n] */
void cx_matrix_transpose(float *restrict to, const float *from, size_t m,
                         size_t n);
