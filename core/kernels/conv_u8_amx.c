/* conv_rows.h with AMX, u8 samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define DOT(sum, samples, weights) _tile_dpbusd(sum, samples, weights)

#include "core/kernels/conv_amx.h"

#include "core/kernels/requantise_avx512.h"

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} TileConfig;

void
cx_tiles_begin_amx(void)
{
    TileConfig config = {.palette = 1};

    for (int t = 0; t < 8; t++) {
        config.bytes[t] = CX_K_BYTES;
        config.rows[t] = ROWS;
    }
    /* The intrinsic of GCC 12 names 8 of the 64 bytes that it reads. */
    __asm__ volatile("" : : "r"(&config) : "memory");
    _tile_loadconfig(&config);
}

void
cx_tiles_end_amx(void)
{
    _tile_release();
}

/* Sums of pixel p in a stored tile. */
INLINE __m512i
sums_of(const void *tile, size_t p)
{
    return _mm512_load_si512((const __m512i *)tile + p);
}

static void
finish_one(uint8_t *dst, size_t stride, const void *sums, __m512 scale,
           size_t n, bool logits)
{
    for (size_t p = 0; p < n; p++, dst += stride)
        cx_requantise_store_one(dst, cx_requantise(sums_of(sums, p), scale),
                                logits);
}

static void
finish_logits(uint8_t *dst, size_t stride, const void *const sums[2],
              const __m512 scale[2], size_t n)
{
    for (size_t p = 0; p < n; p++, dst += stride)
        _mm512_storeu_si512(dst,
                            cx_requantise_pack_logits(
                                cx_requantise(sums_of(sums[0], p), scale[0]),
                                cx_requantise(sums_of(sums[1], p), scale[1])));
}

/* Two pixels at a time; a tile has sums for 16 whatever n. */
INLINE void
finish_samples(uint8_t *dst, size_t stride, const void *const sums[2],
               const __m512 scale[2], size_t n)
{
    for (size_t p = 0; p < n; p += 2, dst += 2 * stride) {
        __m512i bytes = cx_requantise_pack_u8(
            cx_requantise(sums_of(sums[0], p), scale[0]),
            cx_requantise(sums_of(sums[1], p), scale[1]),
            cx_requantise(sums_of(sums[0], p + 1), scale[0]),
            cx_requantise(sums_of(sums[1], p + 1), scale[1]));

        cx_store_half(dst, bytes);
        if (p + 1 < n)
            _mm256_storeu_si256((__m256i *)(void *)(dst + stride),
                                _mm512_extracti64x4_epi64(bytes, 1));
    }
}

static void
finish(const CxConvRows *rows, const Place *place, size_t x, const void *lower,
       const void *upper)
{
    size_t left = rows->n_pixels - x, stride = rows->dst_pixel;
    uint8_t *dst =
        cx_conv_rows_dst(rows, place->row, place->group, rows->logits ? 2 : 1) +
        x * stride;
    const float *scales = rows->scale + place->group * CX_GROUP;
    const void *const sums[2] = {lower, upper};
    size_t n = left < ROWS ? left : ROWS;

    if (upper == NULL) {
        finish_one(dst, stride, lower, _mm512_load_ps(scales), n, rows->logits);
        return;
    }
    const __m512 scale[2] = {_mm512_load_ps(scales),
                             _mm512_load_ps(scales + CX_GROUP)};
    if (rows->logits)
        finish_logits(dst, stride, sums, scale, n);
    else if (n == ROWS)
        finish_samples(dst, stride, sums, scale, ROWS);
    else
        finish_samples(dst, stride, sums, scale, n);
}

void
cx_conv_rows_u8_amx(const CxConvRows *rows)
{
    run_rows(rows);
}
