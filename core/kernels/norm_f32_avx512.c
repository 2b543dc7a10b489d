/* norm_f32.h with AVX-512.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <immintrin.h>

#define LANES 16
#define VECTOR(operation) _mm512_##operation##_ps
typedef __m512 Lanes;
#define FUSED(a, b, c) _mm512_fmadd_ps((a), (b), (c))
#define KEEP_ABOVE_0(a, d)                                                     \
    _mm512_maskz_mov_ps(                                                       \
        _mm512_cmp_ps_mask((a), _mm512_setzero_ps(), _CMP_GT_OQ), (d))

#include "core/kernels/norm_lanes.h"

const CxNormF32 cx_norm_f32_avx512 = {moments, relu, unrelu, unnorm};
