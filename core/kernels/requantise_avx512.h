/* Sums of 16 outputs → samples, as conv_rows.h says: for its AVX-512 and AMX
 * variants alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/conv_rows.h"

#include <immintrin.h>

#define REQUANTISE static inline __attribute__((always_inline))

/* Saturating packs clamp what is rounded here. */
REQUANTISE __m512i
cx_requantise(__m512i sum, __m512 scale)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale));
}

/* Two groups of two pixels → the 32 bytes of each. */
REQUANTISE __m512i
cx_requantise_pack_u8(__m512i p0g0, __m512i p0g1, __m512i p1g0, __m512i p1g1)
{
    const __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);

    return _mm512_permutexvar_epi32(
        order, _mm512_packus_epi16(_mm512_packs_epi32(p0g0, p0g1),
                                   _mm512_packs_epi32(p1g0, p1g1)));
}

/* Two groups of a pixel → its 64 bytes of logits. */
REQUANTISE __m512i
cx_requantise_pack_logits(__m512i g0, __m512i g1)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i logits = _mm512_min_epu16(_mm512_packus_epi32(g0, g1),
                                      _mm512_set1_epi16(CX_LOGIT_MOST));

    return _mm512_permutexvar_epi64(order, logits);
}

REQUANTISE void
cx_store_half(uint8_t *dst, __m512i bytes)
{
    _mm256_storeu_si256((__m256i *)(void *)dst, _mm512_castsi512_si256(bytes));
}

/* One group of a pixel. */
REQUANTISE void
cx_requantise_store_one(uint8_t *dst, __m512i sum, bool logits)
{
    __m512i zero = _mm512_setzero_si512();

    if (logits)
        cx_store_half(dst, cx_requantise_pack_logits(sum, zero));
    else
        _mm_storeu_si128((__m128i *)(void *)dst,
                         _mm512_castsi512_si128(
                             cx_requantise_pack_u8(sum, zero, zero, zero)));
}
