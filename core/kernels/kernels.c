/* The table of kernels for an instruction set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/kernels.h"

/* Channels times outputs from which on a quarter of the products pays for the
 * transforms. */
#define WINOGRAD_LEAST_AVX2 1024

static void
fill_c(CxKernels *kernels)
{
    *kernels = (CxKernels){
        .isa = "c",
        .conv_row_f32 = cx_conv_row_f32_c,
        .pool_row_f32 = cx_pool_row_f32_c,
        .sigmoid_f32 = cx_sigmoid_f32_c,
        .envelope_f32 = cx_envelope_f32_c,
        .gemm_rows_f32 = cx_gemm_rows_f32_c,
        .gemm_dots_f32 = cx_gemm_dots_f32_c,
        .norm_f32 = cx_norm_f32_c,
        .winograd_split_f32 = cx_winograd_split_f32_c,
        .winograd_join_f32 = cx_winograd_join_f32_c,
        .u8 = {"c",
               cx_conv_rows_u8_c,
               cx_pool_rows_u8_c,
               cx_tiles_none,
               cx_tiles_none,
               {NULL, 0.0}},
        .bf16 = {"c",
                 cx_conv_rows_bf16_c,
                 cx_pool_rows_bf16_c,
                 cx_tiles_none,
                 cx_tiles_none,
                 {NULL, 0.0}},
    };
}

void
cx_kernels_fill(CxKernels *kernels, unsigned features)
{
    fill_c(kernels);
#ifdef CX_HAVE_AVX2
    if ((features & CX_CPU_AVX2) != 0) {
        kernels->isa = "avx2";
        kernels->conv_row_f32 = cx_conv_row_f32_avx2;
        kernels->pool_row_f32 = cx_pool_row_f32_avx2;
        kernels->sigmoid_f32 = cx_sigmoid_f32_avx2;
        kernels->envelope_f32 = cx_envelope_f32_avx2;
        kernels->gemm_rows_f32 = cx_gemm_rows_f32_avx2;
        kernels->gemm_dots_f32 = cx_gemm_dots_f32_avx2;
        kernels->norm_f32 = cx_norm_f32_avx2;
        kernels->winograd_split_f32 = cx_winograd_split_f32_avx2;
        kernels->winograd_join_f32 = cx_winograd_join_f32_avx2;
        kernels->peak = (CxPeak){cx_peak_f32_avx2, CX_PEAK_F32_AVX2};
        kernels->u8.peak = (CxPeak){cx_peak_u8_avx2, CX_PEAK_U8_AVX2};
        kernels->u8.isa = "avx2";
        kernels->u8.conv_rows = cx_conv_rows_u8_avx2;
        kernels->u8.winograd = cx_winograd_u8_avx2;
        kernels->u8.winograd_least = WINOGRAD_LEAST_AVX2;
        kernels->u8.pool_rows = cx_pool_rows_u8_avx2;
        kernels->bf16.pool_rows = cx_pool_rows_bf16_avx2;
    }
#endif
#ifdef CX_HAVE_AVX512
    if ((features & CX_CPU_AVX512) != 0) {
        kernels->isa = "avx512";
        kernels->peak = (CxPeak){cx_peak_f32_avx512, CX_PEAK_F32_AVX512};
        kernels->conv_row_f32 = cx_conv_row_f32_avx512;
        kernels->pool_row_f32 = cx_pool_row_f32_avx512;
        kernels->sigmoid_f32 = cx_sigmoid_f32_avx512;
        kernels->envelope_f32 = cx_envelope_f32_avx512;
        kernels->gemm_rows_f32 = cx_gemm_rows_f32_avx512;
        kernels->gemm_dots_f32 = cx_gemm_dots_f32_avx512;
        kernels->norm_f32 = cx_norm_f32_avx512;
        kernels->winograd_split_f32 = cx_winograd_split_f32_avx512;
        kernels->winograd_join_f32 = cx_winograd_join_f32_avx512;
    }
#endif
#ifdef CX_HAVE_VNNI
    if ((features & CX_CPU_AVX512_VNNI) != 0) {
        kernels->u8.isa = "vnni";
        kernels->u8.peak = (CxPeak){cx_peak_u8_vnni, CX_PEAK_U8_VNNI};
        kernels->u8.conv_rows = cx_conv_rows_u8_vnni;
        kernels->u8.winograd = NULL;
    }
#endif
#ifdef CX_HAVE_AMX
    if ((features & CX_CPU_AMX_INT8) != 0) {
        kernels->u8.isa = "amx";
        kernels->u8.peak = (CxPeak){cx_peak_u8_amx, CX_PEAK_U8_AMX};
        kernels->u8.conv_rows = cx_conv_rows_u8_amx;
        kernels->u8.winograd = NULL;
        kernels->u8.tiles_begin = cx_tiles_begin_amx;
        kernels->u8.tiles_end = cx_tiles_end_amx;
    }
    if ((features & CX_CPU_AMX_BF16) != 0) {
        kernels->bf16.isa = "amx";
        kernels->bf16.peak = (CxPeak){cx_peak_bf16_amx, CX_PEAK_BF16_AMX};
        kernels->bf16.conv_rows = cx_conv_rows_bf16_amx;
        kernels->bf16.tiles_begin = cx_tiles_begin_amx;
        kernels->bf16.tiles_end = cx_tiles_end_amx;
    }
#endif
}
