/* norm_f32.h with AVX2 and FMA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <immintrin.h>

#define LANES 8
#define VECTOR(operation) _mm256_##operation##_ps
typedef __m256 Lanes;
#define FUSED(a, b, c) _mm256_fmadd_ps((a), (b), (c))
#define KEEP_ABOVE_0(a, d)                                                     \
    _mm256_and_ps(_mm256_cmp_ps((a), _mm256_setzero_ps(), _CMP_GT_OQ), (d))

#include "core/kernels/norm_lanes.h"

const CxNormF32 cx_norm_f32_avx2 = {moments, relu, unrelu, unnorm};
