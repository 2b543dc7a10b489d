/* The two ends of a convolution of three taps along x by Winograd's minimal
 * filtering F(4, 3): four neighbouring outputs cost six products a channel in
 * place of twelve (Lavin and Gray, Fast Algorithms for Convolutional Neural
 * Networks, 2016, section 4.3; there in two dimensions).
 *
 * A row is split into six parts, part t of group j from pixels 4j - 1 … 4j + 4:
 *
 *     d_t[j] = sum over i of B[t][i] * src[4j - 1 + i]
 *
 * each part is convolved on its own by a kernel of conv_f32.h with weights
 *
 *     u_t = sum over k of G[t][k] * w[k]
 *
 * which may sum over rows, planes, channels and sources as it likes, and the
 * six sums are joined to four pixels:
 *
 *     dst[4j + i] = act(bias + sum over t of A[i][t] * m_t[j])
 *
 *     B =  4  0 -5  0  1  0     G =  1/4    0    0     A = 1 1  1 1  1 0
 *          0 -4 -4  1  1  0         -1/6 -1/6 -1/6         0 1 -1 2 -2 0
 *          0  4 -4 -1  1  0         -1/6  1/6 -1/6         0 1  1 4  4 0
 *          0 -2 -1  2  1  0         1/24 1/12  1/6         0 1 -1 8 -8 1
 *          0  2 -1 -2  1  0         1/24 -1/12 1/6
 *          0  4  0 -5  0  1            0    0    1
 *
 * Samples lie in blocks of CX_BLOCK channels, one block a call.  Nothing is
 * fused: every variant gives equal bits.  Rounding grows: with s = max |src|
 * and K terms a sum, outputs differ from the exact ones by at most
 * (K + 12) * 2^-24 * 15 * s * sum |w| in practice of the networks here (the
 * entries of |A| |G| |B| reach 15 where the plain convolution has 1).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CX_WINOGRAD_OUT 4   /* pixels of a group */
#define CX_WINOGRAD_PARTS 6 /* products of a group */

/* src: the first pixel of group 0; the pixel before it and the one after the
 * last group are read.  part: floats from a part to the next in dst. */
typedef void CxWinogradSplitF32Fn(float *dst, size_t part, const float *src,
                                  size_t n_groups);

/* Reads six parts of n_groups pixels, writes 4 n_groups pixels.  bias: of the
 * block.  relu: max(0, sum). */
typedef void CxWinogradJoinF32Fn(float *dst, const float *src, size_t part,
                                 const float *bias, bool relu, size_t n_groups);

CxWinogradSplitF32Fn cx_winograd_split_f32_c;
CxWinogradSplitF32Fn cx_winograd_split_f32_avx2;
CxWinogradSplitF32Fn cx_winograd_split_f32_avx512;
CxWinogradJoinF32Fn cx_winograd_join_f32_c;
CxWinogradJoinF32Fn cx_winograd_join_f32_avx2;
CxWinogradJoinF32Fn cx_winograd_join_f32_avx512;
