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
    };
#ifdef CX_HAVE_AVX2
    if ((features & CX_CPU_AVX2) != 0)
        *kernels = (CxKernels){
            .isa = "avx2",
            .conv_row_f32 = cx_conv_row_f32_avx2,
            .pool_row_f32 = cx_pool_row_f32_avx2,
            .sigmoid_f32 = cx_sigmoid_f32_avx2,
        };
#endif
#ifdef CX_HAVE_AVX512
    if ((features & CX_CPU_AVX512) != 0)
        *kernels = (CxKernels){
            .isa = "avx512",
            .conv_row_f32 = cx_conv_row_f32_avx512,
            .pool_row_f32 = cx_pool_row_f32_avx512,
            .sigmoid_f32 = cx_sigmoid_f32_avx512,
        };
#endif
}
