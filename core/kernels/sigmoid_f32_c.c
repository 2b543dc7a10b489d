/* Reference of sigmoid_f32.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/sigmoid_f32.h"

#include <stdint.h>
#include <string.h>

/* exp(x) for |x| <= CX_EXP_LIMIT. */
static float
exp_approx(float x)
{
    float scaled = x * CX_EXP_LOG2E;
    int32_t n = (int32_t)(scaled + (scaled < 0.0f ? -0.5f : 0.5f));
    float r = x - (float)n * CX_EXP_LN2_HI - (float)n * CX_EXP_LN2_LO;
    float p = CX_EXP_P0;
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;

    p = p * r + CX_EXP_P1;
    p = p * r + CX_EXP_P2;
    p = p * r + CX_EXP_P3;
    p = p * r + CX_EXP_P4;
    p = p * r + CX_EXP_P5;
    memcpy(&power, &bits, sizeof power);
    return (p * r * r + r + 1.0f) * power;
}

void
cx_sigmoid_f32_c(float *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x = -src[i];

        x = x < CX_EXP_LIMIT ? x : CX_EXP_LIMIT; /* takes NaN too */
        x = x > -CX_EXP_LIMIT ? x : -CX_EXP_LIMIT;
        dst[i] = 1.0f / (1.0f + exp_approx(x));
    }
}
