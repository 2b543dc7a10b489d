/* What the processor could do at best: products of registers and nothing else,
 * of the instruction that a variant of a convolution is made of.
 *
 * A product and its addition are two operations.  The loops keep enough sums
 * in flight to hide the latency of the instruction.  Those of AMX run between
 * cx_tiles_begin_amx() and cx_tiles_end_amx().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>

typedef void CxPeakFn(size_t n_rounds);

typedef struct {
    CxPeakFn *run;       /* NULL: unknown, of plain C */
    double n_operations; /* of a round */
} CxPeak;

CxPeakFn cx_peak_f32_avx2;
CxPeakFn cx_peak_u8_avx2; /* vpmaddubsw and the addition of its results */
CxPeakFn cx_peak_f32_avx512;
CxPeakFn cx_peak_u8_vnni;
CxPeakFn cx_peak_u8_amx;
CxPeakFn cx_peak_bf16_amx;

/* Operations of a round. */
#define CX_PEAK_F32_AVX2 (12 * 8 * 2)
#define CX_PEAK_U8_AVX2 (8 * 32 * 2)
#define CX_PEAK_F32_AVX512 (12 * 16 * 2)
#define CX_PEAK_U8_VNNI (12 * 64 * 2)
#define CX_PEAK_U8_AMX (4 * 16 * 16 * 64 * 2)
#define CX_PEAK_BF16_AMX (4 * 16 * 16 * 32 * 2)
