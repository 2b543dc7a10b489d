/* What the AMX variants of conv_rows.h share: for them alone.
 *
 * C[16 pixels][16 outputs] += A[16 pixels][64 bytes] * B[64 bytes][16 outputs]
 * on tiles: 0-3 sums, 4-5 samples, 6-7 weights.  A tile of samples is read
 * where it lies, the step as stride.  Two groups of outputs against 32 pixels
 * make four sums and as many loads as products.
 *
 * Tile registers are not renamed: an instruction that writes one waits for
 * those before it that use it.  So the sums of a block are stored one by one
 * during the first K block of the next, each just before its register is
 * needed again, and brought to dst during the others, a few pixels after each:
 * the matrix unit never waits for the vector units.
 *
 * The includer defines DOT(sum, samples, weights) and finish().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/conv_rows.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define ROWS 16          /* pixels of a tile */
#define BLOCK (2 * ROWS) /* pixels multiplied together */

/* Sums that are not in dst yet. */
typedef struct {
    const uint8_t *bias; /* of two groups */
    const float *scale;
    uint8_t *dst;
    const uint8_t *sums; /* of a pixel; its second group BLOCK further */
    size_t left;         /* pixels */
    bool pair;
} Pending;

/* What a call carries along. */
typedef struct {
    const CxConvRows *rows;
    size_t row, group;
    size_t sample; /* bytes of dst */
    Pending pending;
    _Alignas(64) uint8_t sums[2][BLOCK][CX_K_BYTES];
} Work;

/* Brings up to this many pairs of pending pixels to dst. */
static void finish(Work *work, size_t n_pairs);

/* These pixels are done. */
INLINE void
advance(Work *work, size_t n)
{
    work->pending.left -= n;
    work->pending.sums += n * CX_K_BYTES;
    work->pending.dst += n * work->rows->dst_pixel;
}

/* The block from x on will be pending. */
INLINE void
expect(Work *work, size_t x)
{
    const CxConvRows *rows = work->rows;
    size_t left = rows->n_pixels - x;

    work->pending = (Pending){
        .bias = (const uint8_t *)rows->bias + work->group * CX_K_BYTES,
        .scale = rows->scale + work->group * CX_GROUP,
        .dst = cx_conv_rows_dst(rows, work->row, work->group, work->sample) +
               x * rows->dst_pixel,
        .sums = work->sums[0][0],
        .left = left < BLOCK ? left : BLOCK,
        .pair = work->group + 1 < rows->n_groups,
    };
}

/* Sums of the last block → memory, and a new one begins. */
#define NEXT(tile, group, pixel)                                               \
    do {                                                                       \
        if (first) {                                                           \
            _tile_stored(tile, work->sums[group][pixel], CX_K_BYTES);          \
            _tile_zero(tile);                                                  \
        }                                                                      \
    } while (0)

/* One K block: one or two tiles of pixels from a on, one or two groups whose
 * weights are not NULL. */
INLINE void
add_block(Work *work, const uint8_t *a, size_t step, const uint8_t *w0,
          const uint8_t *w1, int n_tiles, bool first)
{
    _tile_loadd(4, a, step);
    if (w0 != NULL)
        _tile_loadd(6, w0, CX_K_BYTES);
    NEXT(0, 0, 0);
    if (w0 != NULL)
        DOT(0, 4, 6);
    if (w1 != NULL)
        _tile_loadd(7, w1, CX_K_BYTES);
    NEXT(1, 1, 0);
    if (w1 != NULL)
        DOT(1, 4, 7);
    if (n_tiles > 1)
        _tile_loadd(5, a + ROWS * step, step);
    NEXT(2, 0, ROWS);
    if (n_tiles > 1 && w0 != NULL)
        DOT(2, 5, 6);
    NEXT(3, 1, ROWS);
    if (n_tiles > 1 && w1 != NULL)
        DOT(3, 5, 7);
}

static void
store_sums(Work *work)
{
    _tile_stored(0, work->sums[0][0], CX_K_BYTES);
    _tile_stored(1, work->sums[1][0], CX_K_BYTES);
    _tile_stored(2, work->sums[0][ROWS], CX_K_BYTES);
    _tile_stored(3, work->sums[1][ROWS], CX_K_BYTES);
}

/* A single K block has nobody to wait with. */
INLINE void
multiply_once(Work *work, size_t x, int n_groups, int n_tiles)
{
    const CxConvRows *rows = work->rows;
    const CxConvSpan *span = rows->spans + work->group;
    const uint8_t *w = rows->weights + work->group * CX_TILE_BYTES;

    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    add_block(work, rows->src[work->row] + x * rows->steps[0], rows->steps[0],
              span[0].last > 0 ? w : NULL,
              n_groups > 1 && span[1].last > 0 ? w + CX_TILE_BYTES : NULL,
              n_tiles, false);
    store_sums(work);
    expect(work, x);
    finish(work, BLOCK);
}

/* One or two groups and tiles of pixels from x on. */
INLINE void
multiply(Work *work, size_t x, int n_groups, int n_tiles)
{
    const CxConvRows *rows = work->rows;
    size_t n_k = rows->n_k, pairs = n_k > 1 ? (ROWS + n_k - 2) / (n_k - 1) : 0;
    const uint8_t *const *src = rows->src + work->row * n_k;
    const uint8_t *w0 = rows->weights + work->group * n_k * CX_TILE_BYTES;
    const uint8_t *w1 = w0 + n_k * CX_TILE_BYTES;
    const CxConvSpan *s0 = rows->spans + work->group * n_k;
    const CxConvSpan *s1 = s0 + n_k;

    if (n_k == 1) {
        multiply_once(work, x, n_groups, n_tiles);
        return;
    }
    for (size_t k = 0; k < n_k; k++) {
        size_t step = rows->steps[k], at = k * CX_TILE_BYTES;
        const uint8_t *a = src[k] + x * step;
        const uint8_t *b0 = s0[k].last > 0 ? w0 + at : NULL;
        const uint8_t *b1 = n_groups > 1 && s1[k].last > 0 ? w1 + at : NULL;

        if (k == 0) {
            add_block(work, a, step, b0, b1, n_tiles, true);
            continue;
        }
        if (b0 != NULL && b1 != NULL)
            add_block(work, a, step, w0 + at, w1 + at, n_tiles, false);
        else
            add_block(work, a, step, b0, b1, n_tiles, false);
        if (work->pending.left > 0)
            finish(work, pairs);
    }
    if (work->pending.left > 0)
        finish(work, BLOCK);
    expect(work, x);
}

INLINE void
run_row(Work *work)
{
    size_t n = work->rows->n_pixels, x = 0;
    bool pair = work->group + 1 < work->rows->n_groups;

    for (; x + ROWS < n; x += BLOCK)
        if (pair)
            multiply(work, x, 2, 2);
        else
            multiply(work, x, 1, 2);
    if (x < n && pair)
        multiply(work, x, 2, 1);
    else if (x < n)
        multiply(work, x, 1, 1);
}

/* Without K blocks the bias is all there is. */
INLINE void
run_empty(Work *work)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    store_sums(work);
    for (size_t x = 0; x < work->rows->n_pixels; x += BLOCK) {
        expect(work, x);
        finish(work, BLOCK);
    }
}

/* The weights of two groups stay in the cache while all rows go by; sample:
 * bytes of dst. */
INLINE void
run_rows(const CxConvRows *rows, size_t sample)
{
    Work work;

    work.rows = rows;
    work.sample = sample;
    work.pending.left = 0;
    for (work.group = 0; work.group < rows->n_groups; work.group += 2)
        for (work.row = 0; work.row < rows->n_rows; work.row++)
            if (rows->n_k > 0)
                run_row(&work);
            else
                run_empty(&work);
    if (work.pending.left > 0) {
        store_sums(&work);
        finish(&work, BLOCK);
    }
}
