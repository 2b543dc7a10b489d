/* Sums of a 3x3 convolution in 8-bit integers with a quarter of its products:
 * Winograd's F(4x4, 3x3) (Lavin and Gray, arXiv 1509.09308) in whole numbers.
 *
 * Blocks of 4x4 pixels of four rows, each from 6x6 samples d and weights g:
 *
 *     576 sum = A^T T [(G g G^T) * (B^T d B)] T A
 *
 * where G holds whole numbers and T what they were multiplied by to be whole.
 * B^T d B is at most 100 * 255 and G g G^T at most 49 * 128: both fit 16 bits.
 * Products are added modulo 2^32, the transforms go on modulo 2^32, and the
 * division of what is known to be a multiple of 9 * 2^k is exact there, too,
 * if |sum| < CX_WINOGRAD_U8_MOST.  So every variant gives the sums of the plain
 * convolution, bit for bit, wherever blocks begin.
 *
 * Reads the 16 samples of pixels -1 ... 4 * ceil(n_pixels / 4) of six rows;
 * writes four rows of 4 * ceil(n_pixels / 4) pixels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CX_WINOGRAD_U8_POINTS 36
#define CX_WINOGRAD_U8_ROWS 4  /* of output, computed at once */
#define CX_WINOGRAD_U8_TAKES 6 /* rows of samples for them */
#define CX_WINOGRAD_U8_MOST (1 << 25)
#define CX_WINOGRAD_U8_RUN 12 /* blocks at once, at most */

typedef struct {
    size_t n_pixels;
    size_t n_in, n_out;        /* groups of 16 channels, of 16 outputs */
    const uint8_t *const *src; /* [6][n_in]: 16 samples of pixel 0 */
    const uint32_t *steps;     /* [n_in]: bytes from a pixel to the next */
    const int16_t *weights;    /* [point][n_out][8 n_in pairs][output][2],
                                * aligned to 64 */
    int32_t *dst;              /* [4][pixel][16 n_out], aligned to 64 */
    size_t dst_row;            /* int32_t from a row to the next, in 16s */
    void *scratch;             /* cx_winograd_u8_scratch(), aligned to 64 */
} CxWinogradU8;

typedef void CxWinogradU8Fn(const CxWinogradU8 *sums);

CxWinogradU8Fn cx_winograd_u8_c;
CxWinogradU8Fn cx_winograd_u8_avx2;

/* Bytes: samples and products of CX_WINOGRAD_U8_RUN blocks. */
static inline size_t
cx_winograd_u8_scratch(size_t n_in)
{
    return (size_t)CX_WINOGRAD_U8_POINTS * CX_WINOGRAD_U8_RUN *
           (n_in * 32 + 2 * 64);
}

/* G g G^T of weights [row][x]. */
void cx_winograd_u8_weights(const int8_t weights[9],
                            int16_t points[CX_WINOGRAD_U8_POINTS]);
