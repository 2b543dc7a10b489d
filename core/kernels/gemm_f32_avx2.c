/* gemm_f32.h with AVX2 and FMA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <immintrin.h>

#define LANES 8
#define VECTOR(operation) _mm256_##operation##_ps
typedef __m256 Lanes;
#define MAX_I 6
#define DOT_I 3
#define DOT_J 2

#include "core/kernels/gemm_lanes.h"

void
cx_gemm_rows_f32_avx2(const CxGemmRows *gemm)
{
    gemm_rows(gemm);
}

void
cx_gemm_dots_f32_avx2(const CxGemmDots *gemm)
{
    gemm_dots(gemm);
}
