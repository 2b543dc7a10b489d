/* conv_rows.h with AMX, bfloat16 samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define DOT(sum, samples, weights) _tile_dpbf16ps(sum, samples, weights)

#include "core/kernels/conv_amx.h"

#include "core/kernels/requantise_avx512.h"

INLINE __m512
sums_of(const void *tile, size_t p)
{
    return _mm512_load_ps((const float *)tile + p * CX_GROUP);
}

static void
finish_logits(uint8_t *dst, size_t stride, const void *lower, const void *upper,
              const float *scale, size_t n)
{
    __m512 s0 = _mm512_load_ps(scale);
    __m512 s1 = upper != NULL ? _mm512_load_ps(scale + CX_GROUP) : s0;

    for (size_t p = 0; p < n; p++, dst += stride) {
        __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(sums_of(lower, p), s0));

        if (upper == NULL) {
            cx_requantise_store_one(dst, a, true);
            continue;
        }
        _mm512_storeu_si512(
            dst, cx_requantise_pack_logits(a, _mm512_cvtps_epi32(_mm512_mul_ps(
                                                  sums_of(upper, p), s1))));
    }
}

INLINE void
finish_samples(uint8_t *dst, size_t stride, const void *lower,
               const void *upper, __m512 floor, size_t n)
{
    for (size_t p = 0; p < n; p++, dst += stride) {
        __m512 a = _mm512_max_ps(floor, sums_of(lower, p));

        if (upper == NULL)
            _mm256_storeu_si256((__m256i *)(void *)dst,
                                (__m256i)_mm512_cvtneps_pbh(a));
        else
            _mm512_storeu_si512(
                dst, (__m512i)_mm512_cvtne2ps_pbh(
                         _mm512_max_ps(floor, sums_of(upper, p)), a));
    }
}

static void
finish(const CxConvRows *rows, const Place *place, size_t x, const void *lower,
       const void *upper)
{
    size_t left = rows->n_pixels - x, n = left < ROWS ? left : ROWS;
    uint8_t *dst = cx_conv_rows_dst(rows, place->row, place->group, 2) +
                   x * rows->dst_pixel;
    __m512 floor =
        rows->relu ? _mm512_setzero_ps() : _mm512_set1_ps(-__builtin_inff());

    if (rows->logits)
        finish_logits(dst, rows->dst_pixel, lower, upper,
                      rows->scale + place->group * CX_GROUP, n);
    else if (n == ROWS && upper != NULL)
        finish_samples(dst, rows->dst_pixel, lower, upper, floor, ROWS);
    else
        finish_samples(dst, rows->dst_pixel, lower, upper, floor, n);
}

void
cx_conv_rows_bf16_amx(const CxConvRows *rows)
{
    run_rows(rows);
}
