/* gemm_f32.h with AVX-512.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <immintrin.h>

#define LANES 16
#define VECTOR(operation) _mm512_##operation##_ps
typedef __m512 Lanes;
#define MAX_I 14
#define DOT_I 4
#define DOT_J 4

#include "core/kernels/gemm_lanes.h"

void
cx_gemm_rows_f32_avx512(const CxGemmRows *gemm)
{
    gemm_rows(gemm);
}

void
cx_gemm_dots_f32_avx512(const CxGemmDots *gemm)
{
    gemm_dots(gemm);
}
