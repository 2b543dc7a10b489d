/* The table of kernels for an instruction set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/kernels.h"

void
cx_kernels_fill(CxKernels *kernels, unsigned features)
{
    *kernels = (CxKernels){
        .isa = "c",
        .conv_row_f32 = cx_conv_row_f32_c,
        .pool_row_f32 = cx_pool_row_f32_c,
        .sigmoid_f32 = cx_sigmoid_f32_c,
        .envelope_f32 = cx_envelope_f32_c,
        .winograd_split_f32 = cx_winograd_split_f32_c,
        .winograd_join_f32 = cx_winograd_join_f32_c,
        .isa_bf16 = "c",
        .conv_row_bf16 = cx_conv_row_bf16_c,
        .pool_row_bf16 = cx_pool_row_bf16_c,
        .narrow_bf16 = cx_narrow_bf16_c,
    };
#ifdef CX_HAVE_AVX2
    if ((features & CX_CPU_AVX2) != 0) {
        kernels->isa = "avx2";
        kernels->conv_row_f32 = cx_conv_row_f32_avx2;
        kernels->pool_row_f32 = cx_pool_row_f32_avx2;
        kernels->sigmoid_f32 = cx_sigmoid_f32_avx2;
        kernels->envelope_f32 = cx_envelope_f32_avx2;
        kernels->winograd_split_f32 = cx_winograd_split_f32_avx2;
        kernels->winograd_join_f32 = cx_winograd_join_f32_avx2;
    }
#endif
#ifdef CX_HAVE_AVX512
    if ((features & CX_CPU_AVX512) != 0) {
        kernels->isa = "avx512";
        kernels->conv_row_f32 = cx_conv_row_f32_avx512;
        kernels->pool_row_f32 = cx_pool_row_f32_avx512;
        kernels->sigmoid_f32 = cx_sigmoid_f32_avx512;
        kernels->envelope_f32 = cx_envelope_f32_avx512;
        kernels->winograd_split_f32 = cx_winograd_split_f32_avx512;
        kernels->winograd_join_f32 = cx_winograd_join_f32_avx512;
        kernels->pool_row_bf16 = cx_pool_row_bf16_avx512;
        kernels->narrow_bf16 = cx_narrow_bf16_avx512;
    }
#endif
#ifdef CX_HAVE_AMX
    if ((features & CX_CPU_AMX_BF16) != 0) {
        kernels->isa_bf16 = "amx";
        kernels->conv_row_bf16 = cx_conv_row_bf16_amx;
    }
#endif
}
