/* bf16.h with AVX-512, by way of float and integers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/bf16.h"

#include <immintrin.h>

#define PIXEL 32 /* samples */

/* The larger of each pair: the upper 16 bits of a word as float where they
 * are, the lower ones moved up. */
static __m512i
larger(__m512i a, __m512i b)
{
    const __m512i high = _mm512_set1_epi32((int)0xffff0000u);
    __m512 odd = _mm512_max_ps((__m512)_mm512_and_si512(b, high),
                               (__m512)_mm512_and_si512(a, high));
    __m512 even = _mm512_max_ps((__m512)_mm512_slli_epi32(b, 16),
                                (__m512)_mm512_slli_epi32(a, 16));

    return _mm512_or_si512((__m512i)odd, _mm512_srli_epi32((__m512i)even, 16));
}

void
cx_pool_row_bf16_avx512(uint16_t *dst, const uint16_t *const *rows,
                        size_t n_rows, size_t factor, size_t n_pixels)
{
    for (size_t x = 0; x < n_pixels; x++) {
        __m512i best = _mm512_loadu_si512(rows[0] + x * factor * PIXEL);

        for (size_t r = 0; r < n_rows; r++)
            for (size_t j = 0; j < factor; j++)
                best = larger(best, _mm512_loadu_si512(
                                        rows[r] + (x * factor + j) * PIXEL));
        _mm512_storeu_si512(dst + x * PIXEL, best);
    }
}

static __m256i
narrow(__m512 samples)
{
    __m512i bits = (__m512i)samples;
    __m512i odd =
        _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(
        bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));

    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

void
cx_narrow_bf16_avx512(uint16_t *dst, const float *lower, const float *upper,
                      size_t n_pixels)
{
    for (size_t x = 0; x < n_pixels; x++) {
        __m256i high = _mm256_setzero_si256();

        if (upper != NULL)
            high = narrow(_mm512_loadu_ps(upper + x * 16));
        _mm256_storeu_si256((__m256i *)(void *)(dst + x * PIXEL),
                            narrow(_mm512_loadu_ps(lower + x * 16)));
        _mm256_storeu_si256((__m256i *)(void *)(dst + x * PIXEL + 16), high);
    }
}
