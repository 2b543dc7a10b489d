/* sigmoid_f32.h with AVX2 and FMA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/sigmoid_f32.h"

#include <immintrin.h>

#define LANES 8
#define SET _mm256_set1_ps

static __m256
sigmoid(__m256 x)
{
    x = _mm256_xor_ps(x, SET(-0.0f));
    x = _mm256_min_ps(x, SET(CX_EXP_LIMIT)); /* takes NaN too */
    x = _mm256_max_ps(x, SET(-CX_EXP_LIMIT));

    __m256i n = _mm256_cvtps_epi32(_mm256_mul_ps(x, SET(CX_EXP_LOG2E)));
    __m256 nf = _mm256_cvtepi32_ps(n);
    __m256 r = _mm256_fnmadd_ps(nf, SET(CX_EXP_LN2_HI), x);
    r = _mm256_fnmadd_ps(nf, SET(CX_EXP_LN2_LO), r);

    __m256 p = SET(CX_EXP_P0);
    p = _mm256_fmadd_ps(p, r, SET(CX_EXP_P1));
    p = _mm256_fmadd_ps(p, r, SET(CX_EXP_P2));
    p = _mm256_fmadd_ps(p, r, SET(CX_EXP_P3));
    p = _mm256_fmadd_ps(p, r, SET(CX_EXP_P4));
    p = _mm256_fmadd_ps(p, r, SET(CX_EXP_P5));
    p = _mm256_fmadd_ps(_mm256_mul_ps(p, r), r, _mm256_add_ps(r, SET(1.0f)));

    __m256i power =
        _mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23);
    __m256 e = _mm256_mul_ps(p, _mm256_castsi256_ps(power));
    return _mm256_div_ps(SET(1.0f), _mm256_add_ps(SET(1.0f), e));
}

void
cx_sigmoid_f32_avx2(float *dst, const float *src, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES)
        _mm256_storeu_ps(dst + i, sigmoid(_mm256_loadu_ps(src + i)));
    if (i < n) {
        int32_t ones[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
        __m256i mask = _mm256_loadu_si256(
            (const __m256i *)(const void *)(ones + LANES - (n - i)));

        _mm256_maskstore_ps(dst + i, mask,
                            sigmoid(_mm256_maskload_ps(src + i, mask)));
    }
}
