/* One row of a convolution in bfloat16 with float sums, for processors whose
 * matrix unit multiplies tiles of 16 x 32 by 32 x 16.
 *
 * The taps are those of conv_f32.h.  Samples lie in blocks of
 * CX_BLOCK_BF16 = 32 channels, 64 bytes a pixel as in float; a source holds
 * whole blocks, with finite samples also in channels that do not exist, and
 * dst is written in whole blocks.  Outputs go in groups of 16: channel o is
 * output o % 16 of group o / 16; where the last block has one group, its
 * upper half is set to 0.
 *
 * Weights are tiles of 1 KiB for 16 outputs and one block of one tap, zero
 * for what does not exist: [group][tile][pair of channels][output][2].
 *
 *     dst[o][x] = bf16(act(bias[o] + sum over taps t, channels c of
 *                          weight[t, c][o] * t.src[c][x * t.step]))
 *
 * Contract: sums of products in float, in any order within a pair of channels
 * and rounding as the unit likes; products of denormals may count as 0.  So
 * with K terms of size s two variants differ, before the result is rounded to
 * 8 bits of mantissa, by at most 2 (K + 1) * 2^-23 * s.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CX_BLOCK_BF16 32
#define CX_GROUP_BF16 16 /* outputs of a tile of weights */
#define CX_TILE_BF16 512 /* samples of a tile of weights */

typedef struct {
    const uint16_t *src; /* block 0 of the source pixel under dst pixel 0 */
    size_t plane;        /* samples from one block to the next */
    uint32_t n_blocks;   /* of this source */
    uint32_t tile;       /* first tile of weights of this tap in a group */
    uint32_t step;       /* source pixels a dst pixel: 1 or 2 */
} CxConvTapBf16;

typedef struct {
    const CxConvTapBf16 *taps;
    size_t n_taps;
    const uint16_t *weights; /* [n_groups][n_tiles][CX_TILE_BF16] */
    size_t n_tiles;
    const float *bias; /* [n_groups][CX_GROUP_BF16] */
    uint16_t *dst;
    size_t dst_plane; /* samples from one block to the next */
    size_t dst_step;  /* pixels of the row a pixel of this call: 1 or more */
    size_t n_pixels;
    size_t n_groups;
    bool relu;
} CxConvRowBf16;

typedef void CxConvRowBf16Fn(const CxConvRowBf16 *row);

CxConvRowBf16Fn cx_conv_row_bf16_c;
CxConvRowBf16Fn cx_conv_row_bf16_amx;

static inline float
cx_float_from_bf16(uint16_t sample)
{
    uint32_t bits = (uint32_t)sample << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounds to nearest, ties to even; value must not be NaN. */
static inline uint16_t
cx_bf16_from_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
