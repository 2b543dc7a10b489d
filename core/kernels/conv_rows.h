/* Rows of a convolution in 8-bit integers or bfloat16, cut into pieces of 64
 * bytes of samples against 16 outputs: what a matrix unit multiplies.
 *
 * A pixel holds its channels one after the other, CX_GROUP at least: 16, 32 or
 * 64 bytes, more channels in further planes.  The pixels of a row lie side by
 * side, so that the 64 bytes from a pixel on, a *K block*, may cover several
 * neighbouring pixels: a 3x3 convolution over 16 channels of one byte has
 * three K blocks, not nine.
 *
 * A K block has one tile of weights for 16 outputs, 1 KiB:
 *     u8 samples:    s8 [16 words of 4 bytes][output][4]
 *     bf16 samples: u16 [16 words of 2 samples][output][2]
 * and a span of words outside of which all its weights are zero.
 *
 *     sum[o][x] = bias[o] + sums[x][o] + sum over K blocks k, samples i of
 *                     weight[k][o][i] * (src[k] + x * steps[k])[i]
 *     dst[o][x] = clamp(round(float(sum[o][x]) * scale[o]), 0, most)
 *
 * with most = 255 for u8 samples and CX_LOGIT_MOST for logits (u16); in bf16
 * samples are bf16(act(sum)), without a scale.  Rounding is to nearest, ties
 * to even.  Group g of outputs goes to dst + g / dst_groups * dst_plane +
 * g % dst_groups * (16 samples); groups 2i and 2i + 1 lie side by side.
 *
 * Contract of u8: sums do not overflow 32 bits, |float(sum) * scale| < 2^31,
 * and over each CX_RUN_WORDS aligned words the positive weights of an output
 * that stand first or second in their word add up to at most CX_RUN_SUM and the
 * negative ones to at least -CX_RUN_SUM, and so do those that stand third or
 * fourth (255 times that fits 16 bits, where AVX2 adds).  Then every variant
 * gives the same bytes.  Contract of bf16: sums of products in float, rounding
 * and order of each K block as the unit likes, denormals may count as 0: with
 * n terms of size s two variants differ by at most 2 (n + 1) * 2^-23 * s
 * before the result is rounded.  Samples that meet no weight must be finite.
 *
 * Reads whole K blocks, and up to CX_ROWS_SLACK bytes behind the last one.
 * AMX kernels run between cx_tiles_begin_amx() and cx_tiles_end_amx() of the
 * same thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CX_GROUP 16        /* outputs of a tile of weights */
#define CX_K_BYTES 64      /* of a K block */
#define CX_K_WORDS 16      /* of a K block */
#define CX_TILE_BYTES 1024 /* of weights */
#define CX_RUN_WORDS 4
#define CX_RUN_SUM 128
#define CX_ROWS_SLACK 2048 /* bytes readable behind the samples of a row */
#define CX_ROWS_MAX_STEP 128

/* Logits are counted in 1 / 256 from -8 on. */
#define CX_LOGIT_MOST 4095
#define CX_LOGIT_ZERO 2048
#define CX_LOGIT_ONE 256

/* Words [first, last) of a tile have weights. */
typedef struct {
    uint8_t first, last;
} CxConvSpan;

typedef struct {
    size_t n_rows, n_k, n_groups;
    size_t n_pixels;           /* of dst, a row of this call */
    const uint8_t *const *src; /* [n_rows][n_k]: the K block of pixel 0 */
    uint8_t *const *dst;       /* [n_rows]: pixel 0 */
    const uint32_t *steps;     /* [n_k]: bytes to the K block of the next
                                * pixel, up to CX_ROWS_MAX_STEP */
    const CxConvSpan *spans;   /* [n_groups][n_k] */
    const uint8_t *weights;    /* [n_groups][n_k][CX_TILE_BYTES], aligned to 64
                                */
    const void *bias;          /* [n_groups][CX_GROUP] int32_t; bf16: float;
                                * aligned to 64 */
    const float *scale;        /* [n_groups][CX_GROUP], aligned to 64 */
    size_t dst_pixel;          /* bytes from a pixel to the next */
    size_t dst_plane;          /* bytes */
    size_t dst_groups;
    const int32_t *const *sums; /* NULL, or [n_rows]: what is added to the
                                 * sums of u8 first, group g of pixel x at
                                 * x * sums_pixel + 16 g; not with AMX */
    size_t sums_pixel;          /* int32_t */
    bool logits;                /* dst: uint16_t */
    bool relu;                  /* bf16 samples: max(0, sum) */
} CxConvRows;

typedef void CxConvRowsFn(const CxConvRows *rows);
typedef void CxTilesFn(void);

CxConvRowsFn cx_conv_rows_u8_c;
CxConvRowsFn cx_conv_rows_u8_avx2;
CxConvRowsFn cx_conv_rows_u8_vnni;
CxConvRowsFn cx_conv_rows_u8_amx;
CxConvRowsFn cx_conv_rows_bf16_c;
CxConvRowsFn cx_conv_rows_bf16_amx;

/* Sets up and gives back the calling thread's tiles. */
CxTilesFn cx_tiles_begin_amx;
CxTilesFn cx_tiles_end_amx;
CxTilesFn cx_tiles_none; /* of kernels that need none */

/* Where a group of outputs of pixel 0 of a row goes; size: of a sample. */
static inline uint8_t *
cx_conv_rows_dst(const CxConvRows *rows, size_t row, size_t group, size_t size)
{
    return rows->dst[row] + group / rows->dst_groups * rows->dst_plane +
           group % rows->dst_groups * CX_GROUP * size;
}
