/* pool_rows.h with AVX2.
 *
 * bfloat16 orders like signed integers once negative numbers have all bits
 * but the sign turned over.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/pool_rows.h"

#include <immintrin.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define HALF 16 /* bytes of the smallest pixel */

INLINE __m256i
ordered(__m256i samples)
{
    __m256i negative = _mm256_srai_epi16(samples, 15);

    return _mm256_xor_si256(samples, _mm256_srli_epi16(negative, 1));
}

INLINE __m256i
larger(__m256i a, __m256i b, bool bf16)
{
    return bf16 ? _mm256_max_epi16(a, b) : _mm256_max_epu8(a, b);
}

INLINE __m256i
load(const uint8_t *at, bool bf16)
{
    __m256i samples = _mm256_loadu_si256((const __m256i *)(const void *)at);

    return bf16 ? ordered(samples) : samples;
}

INLINE void
store(uint8_t *at, __m256i samples, bool bf16)
{
    _mm256_storeu_si256((__m256i *)(void *)at,
                        bf16 ? ordered(samples) : samples);
}

/* Two pixels of 16 bytes out of four in each row. */
INLINE void
pool_pair(uint8_t *dst, const uint8_t *const *rows, size_t n_rows, size_t at,
          bool bf16)
{
    __m256i low = load(rows[0] + at, bf16);
    __m256i high = load(rows[0] + at + 2 * HALF, bf16);

    for (size_t r = 1; r < n_rows; r++) {
        low = larger(low, load(rows[r] + at, bf16), bf16);
        high = larger(high, load(rows[r] + at + 2 * HALF, bf16), bf16);
    }
    store(dst,
          larger(_mm256_permute2x128_si256(low, high, 0x20),
                 _mm256_permute2x128_si256(low, high, 0x31), bf16),
          bf16);
}

/* Half a register, which a pixel of 16 bytes is. */
INLINE void
pool_half(uint8_t *dst, const uint8_t *const *rows, size_t n_rows, size_t at,
          size_t factor, bool bf16)
{
    __m256i best = _mm256_undefined_si256();

    for (size_t i = 0; i < n_rows * factor; i++) {
        const uint8_t *from = rows[i / factor] + at + i % factor * HALF;
        __m256i samples = _mm256_castsi128_si256(
            _mm_loadu_si128((const __m128i *)(const void *)from));

        samples = bf16 ? ordered(samples) : samples;
        best = i == 0 ? samples : larger(best, samples, bf16);
    }
    _mm_storeu_si128((__m128i *)(void *)dst,
                     _mm256_castsi256_si128(bf16 ? ordered(best) : best));
}

INLINE void
pool(uint8_t *dst, const uint8_t *const *rows, size_t n_rows, size_t factor,
     size_t n_pixels, size_t pixel, bool bf16)
{
    size_t x = 0;

    for (; pixel == HALF && factor == 2 && x + 2 <= n_pixels; x += 2)
        pool_pair(dst + x * HALF, rows, n_rows, x * 2 * HALF, bf16);
    for (; pixel == HALF && x < n_pixels; x++)
        pool_half(dst + x * HALF, rows, n_rows, x * factor * HALF, factor,
                  bf16);
    for (; x < n_pixels; x++)
        for (size_t i = 0; i < pixel; i += 2 * HALF) {
            size_t at = x * factor * pixel + i;
            __m256i best = load(rows[0] + at, bf16);

            for (size_t r = 0; r < n_rows; r++)
                for (size_t j = 0; j < factor; j++)
                    best = larger(best, load(rows[r] + at + j * pixel, bf16),
                                  bf16);
            store(dst + x * pixel + i, best, bf16);
        }
}

void
cx_pool_rows_u8_avx2(uint8_t *dst, const uint8_t *const *rows, size_t n_rows,
                     size_t factor, size_t n_pixels, size_t pixel)
{
    pool(dst, rows, n_rows, factor, n_pixels, pixel, false);
}

void
cx_pool_rows_bf16_avx2(uint8_t *dst, const uint8_t *const *rows, size_t n_rows,
                       size_t factor, size_t n_pixels, size_t pixel)
{
    pool(dst, rows, n_rows, factor, n_pixels, pixel, true);
}
