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

/* What two groups of outputs need to become samples. */
typedef struct {
    __m512i bias[2];
    __m512 scale[2];
} Outputs;

INLINE Outputs
load_outputs(const Pending *pending)
{
    return (Outputs){
        {_mm512_load_si512(pending->bias),
         _mm512_load_si512(pending->bias + (pending->pair ? CX_K_BYTES : 0))},
        {_mm512_load_ps(pending->scale),
         _mm512_load_ps(pending->scale + (pending->pair ? CX_GROUP : 0))}};
}

INLINE __m512i
requantised(const Outputs *outputs, const uint8_t *sums, int group)
{
    __m512i sum = _mm512_load_si512(sums + group * BLOCK * CX_K_BYTES);

    return cx_requantise(_mm512_add_epi32(sum, outputs->bias[group]),
                         outputs->scale[group]);
}

static void
finish_one(Work *work, const Outputs *outputs)
{
    const Pending *pending = &work->pending;
    __m512i a = requantised(outputs, pending->sums, 0);

    if (!pending->pair) {
        cx_requantise_store_one(pending->dst, a, work->rows->logits);
    } else {
        __m512i b = requantised(outputs, pending->sums, 1);

        if (work->rows->logits)
            _mm512_storeu_si512(pending->dst, cx_requantise_pack_logits(a, b));
        else
            cx_store_half(pending->dst, cx_requantise_pack_u8(a, b, a, b));
    }
    advance(work, 1);
}

static __attribute__((noinline)) void
finish(Work *work, size_t n_pairs)
{
    Outputs outputs = load_outputs(&work->pending);
    const uint8_t *sums = work->pending.sums;
    uint8_t *dst = work->pending.dst;
    size_t stride = work->rows->dst_pixel, n = work->pending.left / 2;

    if (work->rows->logits && work->pending.pair) {
        n = work->pending.left < 2 * n_pairs ? work->pending.left : 2 * n_pairs;
        for (size_t i = 0; i < n; i++, dst += stride, sums += CX_K_BYTES)
            _mm512_storeu_si512(
                dst, cx_requantise_pack_logits(requantised(&outputs, sums, 0),
                                               requantised(&outputs, sums, 1)));
        advance(work, n);
        return;
    }
    if (!work->pending.pair) {
        for (; n_pairs > 0 && work->pending.left > 0; n_pairs--)
            finish_one(work, &outputs);
        return;
    }
    n = n < n_pairs ? n : n_pairs;
    for (size_t i = 0; i < n; i++, dst += 2 * stride, sums += 2 * CX_K_BYTES) {
        const uint8_t *next = sums + CX_K_BYTES;
        __m512i bytes = cx_requantise_pack_u8(
            requantised(&outputs, sums, 0), requantised(&outputs, sums, 1),
            requantised(&outputs, next, 0), requantised(&outputs, next, 1));

        cx_store_half(dst, bytes);
        _mm256_storeu_si256((__m256i *)(void *)(dst + stride),
                            _mm512_extracti64x4_epi64(bytes, 1));
    }
    advance(work, 2 * n);
    if (n < n_pairs && work->pending.left == 1)
        finish_one(work, &outputs);
}

void
cx_conv_rows_u8_amx(const CxConvRows *rows)
{
    run_rows(rows, rows->logits ? 2 : 1);
}
