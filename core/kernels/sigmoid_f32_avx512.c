/* sigmoid_f32.h with AVX-512.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/sigmoid_f32.h"

#include <immintrin.h>

#define LANES 16
#define SET _mm512_set1_ps

static __m512
sigmoid(__m512 x)
{
    x = _mm512_xor_ps(x, SET(-0.0f));
    x = _mm512_min_ps(x, SET(CX_EXP_LIMIT)); /* takes NaN too */
    x = _mm512_max_ps(x, SET(-CX_EXP_LIMIT));

    __m512i n = _mm512_cvtps_epi32(_mm512_mul_ps(x, SET(CX_EXP_LOG2E)));
    __m512 nf = _mm512_cvtepi32_ps(n);
    __m512 r = _mm512_fnmadd_ps(nf, SET(CX_EXP_LN2_HI), x);
    r = _mm512_fnmadd_ps(nf, SET(CX_EXP_LN2_LO), r);

    __m512 p = SET(CX_EXP_P0);
    p = _mm512_fmadd_ps(p, r, SET(CX_EXP_P1));
    p = _mm512_fmadd_ps(p, r, SET(CX_EXP_P2));
    p = _mm512_fmadd_ps(p, r, SET(CX_EXP_P3));
    p = _mm512_fmadd_ps(p, r, SET(CX_EXP_P4));
    p = _mm512_fmadd_ps(p, r, SET(CX_EXP_P5));
    p = _mm512_fmadd_ps(_mm512_mul_ps(p, r), r, _mm512_add_ps(r, SET(1.0f)));

    __m512i power =
        _mm512_slli_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(127)), 23);
    __m512 e = _mm512_mul_ps(p, _mm512_castsi512_ps(power));
    return _mm512_div_ps(SET(1.0f), _mm512_add_ps(SET(1.0f), e));
}

void
cx_sigmoid_f32_avx512(float *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t left = n - i;
        __mmask16 mask = left >= LANES ? 0xffff : (__mmask16)((1u << left) - 1);

        _mm512_mask_storeu_ps(dst + i, mask,
                              sigmoid(_mm512_maskz_loadu_ps(mask, src + i)));
    }
}
