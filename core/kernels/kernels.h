/* The table of kernels for an instruction set.
 *
 * Plain values: fill one per predictor and pass it on; nothing is global.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/conv_f32.h"
#include "core/kernels/conv_rows.h"
#include "core/kernels/cpu.h"
#include "core/kernels/envelope_f32.h"
#include "core/kernels/gemm_f32.h"
#include "core/kernels/norm_f32.h"
#include "core/kernels/peak.h"
#include "core/kernels/pool_f32.h"
#include "core/kernels/pool_rows.h"
#include "core/kernels/sigmoid_f32.h"
#include "core/kernels/winograd_f32.h"
#include "core/kernels/winograd_u8.h"

/* Kernels of one type of narrow samples. */
typedef struct {
    const char *isa;
    CxConvRowsFn *conv_rows;
    CxPoolRowsFn *pool_rows;
    CxTilesFn *tiles_begin, *tiles_end; /* around the calls of a thread */
    CxPeak peak;                        /* of conv_rows */
    /* u8: pays from so many products of channels and outputs on; or NULL. */
    CxWinogradU8Fn *winograd;
    size_t winograd_least;
} CxRowsKernels;

typedef struct {
    const char *isa; /* "c", "avx2", "avx512": what the float kernels use */
    CxConvRowF32Fn *conv_row_f32;
    CxPoolRowF32Fn *pool_row_f32;
    CxSigmoidF32Fn *sigmoid_f32;
    CxEnvelopeF32Fn *envelope_f32;
    CxGemmRowsFn *gemm_rows_f32;
    CxGemmDotsFn *gemm_dots_f32;
    CxNormF32 norm_f32;
    CxWinogradSplitF32Fn *winograd_split_f32;
    CxWinogradJoinF32Fn *winograd_join_f32;
    CxPeak peak;        /* of conv_row_f32 */
    CxRowsKernels u8;   /* "c", "avx2", "vnni", "amx" */
    CxRowsKernels bf16; /* "c", "amx" */
} CxKernels;

/* Before tiles_begin of "amx", the process must have been given the tiles:
 * cx_cpu_permit_tiles().
 *
 * features: of cx_cpu_features(), or fewer.  Variants that were not built
 * (compiler too old, other architecture) count as absent. */
void cx_kernels_fill(CxKernels *kernels, unsigned features);
