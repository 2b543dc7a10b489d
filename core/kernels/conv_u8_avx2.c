/* conv_rows.h with AVX2, u8 samples: 8 outputs a register.
 *
 * vpmaddubsw adds two products of 8 bits in 16; the contract on runs of words
 * lets four of its results be added there before they are widened.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_rows.h"
#include "core/kernels/unroll.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define HALF_WORD 32 /* bytes of a word of weights for 8 outputs */
#define WORD_BYTES (2 * HALF_WORD)
#define MAX_PIXELS 2
#define MAX_HALVES 4 /* registers of outputs: two groups */

/* Which part of a call is at work. */
typedef struct {
    const CxConvRows *rows;
    size_t row, group;
} Place;

INLINE __m256i
load(const void *at)
{
    return _mm256_load_si256((const __m256i *)at);
}

INLINE __m256i
broadcast(const uint8_t *at)
{
    int32_t word;

    __builtin_memcpy(&word, at, sizeof word);
    return _mm256_set1_epi32(word);
}

/* A run of words of a pixel into the sums of one group. */
INLINE void
add_run(__m256i sums[2], const uint8_t *src, const uint8_t *weights)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i a = broadcast(src), b = broadcast(src + 4);
    __m256i c = broadcast(src + 8), d = broadcast(src + 12);

    CX_UNROLL
    for (int h = 0; h < 2; h++) {
        const uint8_t *w = weights + h * HALF_WORD;
        __m256i low =
            _mm256_add_epi16(_mm256_maddubs_epi16(a, load(w)),
                             _mm256_maddubs_epi16(b, load(w + WORD_BYTES)));
        __m256i high =
            _mm256_add_epi16(_mm256_maddubs_epi16(c, load(w + 2 * WORD_BYTES)),
                             _mm256_maddubs_epi16(d, load(w + 3 * WORD_BYTES)));

        sums[h] = _mm256_add_epi32(
            sums[h], _mm256_madd_epi16(_mm256_add_epi16(low, high), ones));
    }
}

/* A K block of one group: the aligned runs that its span touches. */
INLINE void
add_span(__m256i sums[MAX_PIXELS][MAX_HALVES], int half, const uint8_t *src,
         size_t step, const uint8_t *tile, CxConvSpan span, int n_px)
{
    for (size_t w = span.first / CX_RUN_WORDS * CX_RUN_WORDS; w < span.last;
         w += CX_RUN_WORDS) {
        CX_UNROLL
        for (int p = 0; p < n_px; p++)
            add_run(&sums[p][half], src + (size_t)p * step + 4 * w,
                    tile + w * WORD_BYTES);
    }
}

INLINE __m256i
requantise(__m256i sum, const float *scale)
{
    return _mm256_cvtps_epi32(
        _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_load_ps(scale)));
}

INLINE void
store_logits(uint8_t *dst, const __m256i sums[2], const float *scale)
{
    __m256i logits =
        _mm256_min_epu16(_mm256_packus_epi32(requantise(sums[0], scale),
                                             requantise(sums[1], scale + 8)),
                         _mm256_set1_epi16(CX_LOGIT_MOST));

    _mm256_storeu_si256((__m256i *)(void *)dst,
                        _mm256_permute4x64_epi64(logits, 0xd8));
}

INLINE void
store_samples(uint8_t *dst, const __m256i sums[MAX_HALVES], const float *scale,
              int n_groups)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i first = _mm256_packs_epi32(requantise(sums[0], scale),
                                       requantise(sums[1], scale + 8));
    __m256i second = first;

    if (n_groups > 1)
        second = _mm256_packs_epi32(requantise(sums[2], scale + 16),
                                    requantise(sums[3], scale + 24));
    __m256i bytes =
        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
    if (n_groups > 1)
        _mm256_storeu_si256((__m256i *)(void *)dst, bytes);
    else
        _mm_storeu_si128((__m128i *)(void *)dst, _mm256_castsi256_si128(bytes));
}

/* The bias, and the sums there are already. */
INLINE __m256i
start_of(const Place *place, size_t x, int half)
{
    const CxConvRows *rows = place->rows;
    __m256i bias = load((const uint8_t *)rows->bias +
                        place->group * CX_K_BYTES + half * HALF_WORD);

    if (rows->sums == NULL)
        return bias;
    return _mm256_add_epi32(
        bias, _mm256_loadu_si256(
                  (const __m256i *)(const void *)(rows->sums[place->row] +
                                                  x * rows->sums_pixel +
                                                  place->group * CX_GROUP +
                                                  half * 8)));
}

INLINE void
run(const Place *place, size_t x, int n_px, int n_groups)
{
    const CxConvRows *rows = place->rows;
    size_t n_k = rows->n_k, g = place->group;
    const uint8_t *const *src = rows->src + place->row * n_k;
    const uint8_t *tiles = rows->weights + g * n_k * CX_TILE_BYTES;
    const CxConvSpan *spans = rows->spans + g * n_k;
    const float *scale = rows->scale + g * CX_GROUP;
    uint8_t *dst = cx_conv_rows_dst(rows, place->row, g, rows->logits ? 2 : 1) +
                   x * rows->dst_pixel;
    __m256i sums[MAX_PIXELS][MAX_HALVES];

    CX_UNROLL
    for (int p = 0; p < n_px; p++) {
        CX_UNROLL
        for (int h = 0; h < 2 * n_groups; h++)
            sums[p][h] = start_of(place, x + (size_t)p, h);
    }
    for (size_t k = 0; k < n_k; k++) {
        size_t step = rows->steps[k];
        const uint8_t *from = src[k] + x * step;
        const uint8_t *tile = tiles + k * CX_TILE_BYTES;

        add_span(sums, 0, from, step, tile, spans[k], n_px);
        if (n_groups > 1)
            add_span(sums, 2, from, step, tile + n_k * CX_TILE_BYTES,
                     spans[n_k + k], n_px);
    }
    CX_UNROLL
    for (int p = 0; p < n_px; p++, dst += rows->dst_pixel) {
        if (!rows->logits) {
            store_samples(dst, sums[p], scale, n_groups);
            continue;
        }
        store_logits(dst, sums[p], scale);
        if (n_groups > 1)
            store_logits(dst + 2 * CX_GROUP, sums[p] + 2, scale + CX_GROUP);
    }
}

static void
cover(const Place *place)
{
    size_t n = place->rows->n_pixels, x = 0;
    bool pair = place->group + 1 < place->rows->n_groups;

    for (; x + 2 <= n; x += 2)
        if (pair)
            run(place, x, 2, 2);
        else
            run(place, x, 2, 1);
    if (x < n && pair)
        run(place, x, 1, 2);
    else if (x < n)
        run(place, x, 1, 1);
}

void
cx_conv_rows_u8_avx2(const CxConvRows *rows)
{
    Place place = {.rows = rows};

    for (; place.group < rows->n_groups; place.group += 2)
        for (place.row = 0; place.row < rows->n_rows; place.row++)
            cover(&place);
}
