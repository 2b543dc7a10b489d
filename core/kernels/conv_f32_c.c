/* Reference of conv_f32.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_f32.h"

#include <string.h>

/* Adds what one tap gives to the 16 sums of a pixel. */
static void
add_tap(float sums[restrict CX_BLOCK], const CxConvTap *tap,
        const float *restrict weights, size_t x)
{
    const float *pixel = tap->src + x * tap->step * CX_BLOCK;

    weights += (size_t)tap->k * CX_BLOCK;
    for (size_t c = 0; c < tap->n_channels; c++, weights += CX_BLOCK) {
        float sample = pixel[c / CX_BLOCK * tap->plane + c % CX_BLOCK];

        for (size_t o = 0; o < CX_BLOCK; o++)
            sums[o] += weights[o] * sample;
    }
}

void
cx_conv_row_f32_c(const CxConvRow *row)
{
    for (size_t b = 0; b < row->n_blocks; b++) {
        const float *weights = row->weights + b * row->k_total * CX_BLOCK;

        for (size_t x = 0; x < row->n_pixels; x++) {
            float *dst = row->dst + b * row->dst_plane;
            float sums[CX_BLOCK];

            memcpy(sums, row->bias + b * CX_BLOCK, sizeof sums);
            for (size_t t = 0; t < row->n_taps; t++)
                add_tap(sums, &row->taps[t], weights, x);
            for (size_t o = 0; o < CX_BLOCK && row->relu; o++)
                sums[o] = sums[o] > 0.0f ? sums[o] : 0.0f;
            memcpy(dst + x * row->dst_step * CX_BLOCK, sums, sizeof sums);
        }
    }
}
