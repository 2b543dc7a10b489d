/* What the AMX variants of conv_rows.h share: for them alone.
 *
 * C[16 pixels][16 outputs] += A[16 pixels][64 bytes] * B[64 bytes][16 outputs]
 * on tiles: 0-3 sums, 4-5 samples, 6-7 weights.  A tile of samples is read
 * where it lies, the step as stride.  Two groups of outputs against 32 pixels
 * make four sums and as many loads as products.
 *
 * The includer defines DOT(sum, samples, weights) and
 *     void finish(const CxConvRows *, const Place *, size_t x,
 *                 const void *lower, const void *upper)
 * which brings up to 16 pixels of one group (upper = NULL) or two to dst.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/conv_rows.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define ROWS 16 /* pixels of a tile */

/* Which part of a call is at work. */
typedef struct {
    size_t row, group;
} Place;

static void finish(const CxConvRows *rows, const Place *place, size_t x,
                   const void *lower, const void *upper);

/* One or two groups and tiles of pixels from x on. */
INLINE void
multiply(const CxConvRows *rows, const Place *place, size_t x, int n_groups,
         int n_tiles)
{
    const uint8_t *const *src = rows->src + place->row * rows->n_k;
    const uint8_t *w0 =
        rows->weights + place->group * rows->n_k * CX_TILE_BYTES;
    const uint8_t *w1 = w0 + rows->n_k * CX_TILE_BYTES;
    const uint8_t *bias =
        (const uint8_t *)rows->bias + place->group * CX_K_BYTES;
    const CxConvSpan *s0 = rows->spans + place->group * rows->n_k;
    const CxConvSpan *s1 = s0 + rows->n_k;
    _Alignas(64) uint8_t sums[4][CX_TILE_BYTES];

    _tile_loadd(0, bias, 0);
    if (n_groups > 1)
        _tile_loadd(1, bias + CX_K_BYTES, 0);
    if (n_tiles > 1)
        _tile_loadd(2, bias, 0);
    if (n_tiles > 1 && n_groups > 1)
        _tile_loadd(3, bias + CX_K_BYTES, 0);
    for (size_t k = 0; k < rows->n_k; k++) {
        size_t step = rows->steps[k];
        const uint8_t *a = src[k] + x * step;

        _tile_loadd(4, a, step);
        if (n_tiles > 1)
            _tile_loadd(5, a + ROWS * step, step);
        if (s0[k].last > 0) {
            _tile_loadd(6, w0 + k * CX_TILE_BYTES, CX_K_BYTES);
            DOT(0, 4, 6);
            if (n_tiles > 1)
                DOT(2, 5, 6);
        }
        if (n_groups > 1 && s1[k].last > 0) {
            _tile_loadd(7, w1 + k * CX_TILE_BYTES, CX_K_BYTES);
            DOT(1, 4, 7);
            if (n_tiles > 1)
                DOT(3, 5, 7);
        }
    }
    _tile_stored(0, sums[0], CX_K_BYTES);
    if (n_groups > 1)
        _tile_stored(1, sums[1], CX_K_BYTES);
    if (n_tiles > 1)
        _tile_stored(2, sums[2], CX_K_BYTES);
    if (n_tiles > 1 && n_groups > 1)
        _tile_stored(3, sums[3], CX_K_BYTES);
    finish(rows, place, x, sums[0], n_groups > 1 ? sums[1] : NULL);
    if (n_tiles > 1)
        finish(rows, place, x + ROWS, sums[2], n_groups > 1 ? sums[3] : NULL);
}

static void
run_row(const CxConvRows *rows, const Place *place)
{
    bool pair = place->group + 1 < rows->n_groups;
    size_t x = 0;

    for (; x + ROWS < rows->n_pixels; x += 2 * ROWS)
        if (pair)
            multiply(rows, place, x, 2, 2);
        else
            multiply(rows, place, x, 1, 2);
    if (x < rows->n_pixels && pair)
        multiply(rows, place, x, 2, 1);
    else if (x < rows->n_pixels)
        multiply(rows, place, x, 1, 1);
}

/* The weights of two groups stay in the cache while all rows go by. */
static void
run_rows(const CxConvRows *rows)
{
    Place place;

    for (place.group = 0; place.group < rows->n_groups; place.group += 2)
        for (place.row = 0; place.row < rows->n_rows; place.row++)
            run_row(rows, &place);
}
