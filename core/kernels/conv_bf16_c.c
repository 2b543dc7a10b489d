/* Reference of conv_bf16.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_bf16.h"

/* Adds one block of one tap to the 16 sums of a pixel. */
static void
add_block(float sums[CX_GROUP_BF16], const uint16_t *pixel,
          const uint16_t *weights)
{
    for (size_t c = 0; c < CX_BLOCK_BF16; c++)
        for (size_t o = 0; o < CX_GROUP_BF16; o++)
            sums[o] += cx_float_from_bf16(
                           weights[(c / 2 * CX_GROUP_BF16 + o) * 2 + c % 2]) *
                       cx_float_from_bf16(pixel[c]);
}

static void
convolve(const CxConvRowBf16 *row, size_t group, size_t x, uint16_t *dst)
{
    float sums[CX_GROUP_BF16] = {0.0f};

    for (size_t t = 0; t < row->n_taps; t++) {
        const CxConvTapBf16 *tap = &row->taps[t];
        const uint16_t *pixel = tap->src + x * tap->step * CX_BLOCK_BF16;
        const uint16_t *weights =
            row->weights + (group * row->n_tiles + tap->tile) * CX_TILE_BF16;

        for (size_t b = 0; b < tap->n_blocks; b++)
            add_block(sums, pixel + b * tap->plane, weights + b * CX_TILE_BF16);
    }
    for (size_t o = 0; o < CX_GROUP_BF16; o++) {
        float sum = sums[o] + row->bias[group * CX_GROUP_BF16 + o];

        dst[o] = cx_bf16_from_float(row->relu && sum < 0.0f ? 0.0f : sum);
    }
}

void
cx_conv_row_bf16_c(const CxConvRowBf16 *row)
{
    for (size_t g = 0; g < row->n_groups; g++)
        for (size_t x = 0; x < row->n_pixels; x++) {
            uint16_t *dst = row->dst + g / 2 * row->dst_plane +
                            x * row->dst_step * CX_BLOCK_BF16 +
                            g % 2 * CX_GROUP_BF16;

            convolve(row, g, x, dst);
            if (g % 2 == 0 && g + 1 == row->n_groups)
                memset(dst + CX_GROUP_BF16, 0, CX_GROUP_BF16 * sizeof *dst);
        }
}
