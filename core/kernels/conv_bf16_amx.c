/* conv_rows.h with AMX, bfloat16 samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define DOT(sum, samples, weights) _tile_dpbf16ps(sum, samples, weights)

#include "core/kernels/conv_amx.h"

#include "core/kernels/requantise_avx512.h"

INLINE __m512
sums_of(const Pending *pending, const uint8_t *sums, size_t group)
{
    return _mm512_add_ps(_mm512_load_ps(sums + group * BLOCK * CX_K_BYTES),
                         _mm512_load_ps(pending->bias + group * CX_K_BYTES));
}

static void
finish_logits(const Pending *pending)
{
    __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(
        sums_of(pending, pending->sums, 0), _mm512_load_ps(pending->scale)));

    if (!pending->pair) {
        cx_requantise_store_one(pending->dst, a, true);
        return;
    }
    __m512i b = _mm512_cvtps_epi32(
        _mm512_mul_ps(sums_of(pending, pending->sums, 1),
                      _mm512_load_ps(pending->scale + CX_GROUP)));
    _mm512_storeu_si512(pending->dst, cx_requantise_pack_logits(a, b));
}

static void
finish_one(Work *work, __m512 floor)
{
    const Pending *pending = &work->pending;

    if (work->rows->logits)
        finish_logits(pending);
    else
        _mm256_storeu_si256((__m256i *)(void *)pending->dst,
                            (__m256i)_mm512_cvtneps_pbh(_mm512_max_ps(
                                floor, sums_of(pending, pending->sums, 0))));
    advance(work, 1);
}

static __attribute__((noinline)) void
finish(Work *work, size_t n_pairs)
{
    const Pending *pending = &work->pending;
    __m512 floor = work->rows->relu ? _mm512_setzero_ps()
                                    : _mm512_set1_ps(-__builtin_inff());
    const uint8_t *sums = pending->sums;
    uint8_t *dst = pending->dst;
    size_t n = pending->left < 2 * n_pairs ? pending->left : 2 * n_pairs;

    if (work->rows->logits || !pending->pair) {
        for (; n > 0; n--)
            finish_one(work, floor);
        return;
    }
    for (size_t i = 0; i < n;
         i++, dst += work->rows->dst_pixel, sums += CX_K_BYTES)
        _mm512_storeu_si512(
            dst, (__m512i)_mm512_cvtne2ps_pbh(
                     _mm512_max_ps(floor, sums_of(pending, sums, 1)),
                     _mm512_max_ps(floor, sums_of(pending, sums, 0))));
    advance(work, n);
}

void
cx_conv_rows_bf16_amx(const CxConvRows *rows)
{
    run_rows(rows, 2);
}
