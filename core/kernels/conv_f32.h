/* One row of a convolution in float: a list of taps, each a source row seen
 * at an offset, so that 3x3, 1x1, 3-D, transposed and up-sampled convolutions
 * over any number of sources are the same loop.
 *
 * Samples lie in blocks of CX_BLOCK channels: pixel x of a block starts at
 * 16 * x floats, the next block `plane` floats further.
 *
 *     dst[o][x] = act(bias[o] + sum over taps t, channels c of
 *                     weight[t.k + c][o] * t.src[c][x * t.step])
 *
 * Contract: sums run over taps in order, channels in order, one multiply-add
 * each.  The AVX2 and AVX-512 variants fuse it and give equal bits; the C
 * variant rounds twice.  With K terms of size s = |bias| + sum |w| |x| any two
 * variants differ by at most (K + 1) * 2^-23 * s (Higham, Accuracy and
 * Stability of Numerical Algorithms, 3.1).  Reads only what the formula names,
 * except that weights and bias come in whole blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Channels of a block; 64 bytes in float. */
#define CX_BLOCK 16

typedef struct {
    const float *src;    /* block 0 of the source pixel under dst pixel 0 */
    size_t plane;        /* floats from one block to the next */
    uint32_t n_channels; /* of this source, 1 or more */
    uint32_t k;          /* row of its first channel in the weights */
    uint32_t step;       /* source pixels a dst pixel: 1 or 2 */
} CxConvTap;

typedef struct {
    const CxConvTap *taps;
    size_t n_taps;
    const float *weights; /* [n_blocks][k_total][CX_BLOCK], 64-byte aligned */
    size_t k_total;
    const float *bias; /* [n_blocks][CX_BLOCK] */
    float *dst;
    size_t dst_plane; /* floats from one block to the next */
    size_t dst_step;  /* pixels of the row a pixel of this call: 1 or 2 */
    size_t n_pixels;
    size_t n_blocks; /* of dst */
    bool relu;       /* max(0, sum) */
} CxConvRow;

/* End of the part of the taps that begins at `first` and has at most `rows`
 * rows of weights, or one tap. */
static inline size_t
cx_conv_part_end(const CxConvRow *row, size_t first, size_t rows)
{
    size_t end = first, sum = 0;

    while (end < row->n_taps &&
           (end == first || sum + row->taps[end].n_channels <= rows))
        sum += row->taps[end++].n_channels;
    return end;
}

typedef void CxConvRowF32Fn(const CxConvRow *row);

CxConvRowF32Fn cx_conv_row_f32_c;
CxConvRowF32Fn cx_conv_row_f32_avx2;
CxConvRowF32Fn cx_conv_row_f32_avx512;
