/* 1 / (1 + exp(-x)), in place allowed.
 *
 * exp by range reduction with ln 2 in two parts and a polynomial of degree 5
 * (Cephes expf).  Every variant is within 3e-7 of the exact value; arguments
 * beyond +-87 give the value at 87; NaN gives a value in [0, 1].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>

/* Coefficients shared by the variants. */
#define CX_EXP_LIMIT 87.0f
#define CX_EXP_LOG2E 1.44269504088896341f
#define CX_EXP_LN2_HI 0.693359375f
#define CX_EXP_LN2_LO -2.12194440e-4f
#define CX_EXP_P0 1.9875691500e-4f
#define CX_EXP_P1 1.3981999507e-3f
#define CX_EXP_P2 8.3334519073e-3f
#define CX_EXP_P3 4.1665795894e-2f
#define CX_EXP_P4 1.6666665459e-1f
#define CX_EXP_P5 5.0000001201e-1f

typedef void CxSigmoidF32Fn(float *dst, const float *src, size_t n);

CxSigmoidF32Fn cx_sigmoid_f32_c;
CxSigmoidF32Fn cx_sigmoid_f32_avx2;
CxSigmoidF32Fn cx_sigmoid_f32_avx512;
