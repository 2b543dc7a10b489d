/* The table of kernels for an instruction set.
 *
 * Plain values: fill one per predictor and pass it on; nothing is global.
 * Later sample types (u8 x s8) add their own members beside these.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/bf16.h"
#include "core/kernels/conv_bf16.h"
#include "core/kernels/conv_f32.h"
#include "core/kernels/cpu.h"
#include "core/kernels/envelope_f32.h"
#include "core/kernels/pool_f32.h"
#include "core/kernels/sigmoid_f32.h"
#include "core/kernels/winograd_f32.h"

typedef struct {
    const char *isa; /* "c", "avx2", "avx512": what the float kernels use */
    CxConvRowF32Fn *conv_row_f32;
    CxPoolRowF32Fn *pool_row_f32;
    CxSigmoidF32Fn *sigmoid_f32;
    CxEnvelopeF32Fn *envelope_f32;
    CxWinogradSplitF32Fn *winograd_split_f32;
    CxWinogradJoinF32Fn *winograd_join_f32;
    const char *isa_bf16; /* "c", "amx": what the bf16 convolution uses */
    CxConvRowBf16Fn *conv_row_bf16;
    CxPoolRowBf16Fn *pool_row_bf16;
    CxNarrowBf16Fn *narrow_bf16;
} CxKernels;

/* Before the bf16 convolution of "amx" runs, the process must have been given
 * the tiles: cx_cpu_permit_tiles().
 *
 * features: of cx_cpu_features(), or fewer.  Variants that were not built
 * (compiler too old, other architecture) count as absent. */
void cx_kernels_fill(CxKernels *kernels, unsigned features);
