/* Reference of winograd_f32.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/winograd_f32.h"

#include "core/kernels/conv_f32.h"

static void
split(float *dst, size_t part, const float x[6])
{
    float p = x[4] - 4.0f * x[2], q = x[3] - 4.0f * x[1];
    float r = x[4] - x[2], s = 2.0f * (x[3] - x[1]);

    dst[0 * part] = 4.0f * x[0] - 5.0f * x[2] + x[4];
    dst[1 * part] = p + q;
    dst[2 * part] = p - q;
    dst[3 * part] = r + s;
    dst[4 * part] = r - s;
    dst[5 * part] = 4.0f * x[1] - 5.0f * x[3] + x[5];
}

void
cx_winograd_split_f32_c(float *dst, size_t part, const float *src,
                        size_t n_groups)
{
    for (size_t i = 0; i < n_groups * CX_BLOCK; i++) {
        size_t j = i / CX_BLOCK, c = i % CX_BLOCK;
        const float *at = src + j * CX_WINOGRAD_OUT * CX_BLOCK + c - CX_BLOCK;
        float x[CX_WINOGRAD_PARTS];

        for (size_t k = 0; k < CX_WINOGRAD_PARTS; k++)
            x[k] = at[k * CX_BLOCK];
        split(dst + i, part, x);
    }
}

static float
act(float value, bool relu)
{
    return relu && !(value > 0.0f) ? 0.0f : value;
}

void
cx_winograd_join_f32_c(float *dst, const float *src, size_t part,
                       const float *bias, bool relu, size_t n_groups)
{
    for (size_t i = 0; i < n_groups * CX_BLOCK; i++) {
        size_t j = i / CX_BLOCK, c = i % CX_BLOCK;
        const float *m = src + i;
        float *to = dst + j * CX_WINOGRAD_OUT * CX_BLOCK + c;
        float u = m[part] + m[2 * part], v = m[part] - m[2 * part];
        float w = m[3 * part] + m[4 * part], z = m[3 * part] - m[4 * part];

        to[0 * CX_BLOCK] = act(m[0] + u + w + bias[c], relu);
        to[1 * CX_BLOCK] = act(v + 2.0f * z + bias[c], relu);
        to[2 * CX_BLOCK] = act(u + 4.0f * w + bias[c], relu);
        to[3 * CX_BLOCK] = act(v + 8.0f * z + m[5 * part] + bias[c], relu);
    }
}
