/* Reference of conv_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/bf16.h"
#include "core/kernels/conv_rows.h"

/* Clamped first, so that adding 1.5 * 2^23 leaves the nearest integer in the
 * mantissa; NaN counts as 0. */
static uint32_t
nearest(float value, float most)
{
    const float shift = 0x1.8p23f;

    value = value > 0.0f ? value : 0.0f;
    value = value < most ? value : most;
    return (uint32_t)((value + shift) - shift);
}

static int32_t
sum_u8(const CxConvRows *rows, size_t row, size_t x, size_t group, size_t o)
{
    int32_t sum = ((const int32_t *)rows->bias)[group * CX_GROUP + o];

    if (rows->sums != NULL)
        sum += rows->sums[row][x * rows->sums_pixel + group * CX_GROUP + o];
    for (size_t k = 0; k < rows->n_k; k++) {
        const uint8_t *src = rows->src[row * rows->n_k + k];
        const CxConvSpan *span = &rows->spans[group * rows->n_k + k];
        const int8_t *tile = (const int8_t *)rows->weights +
                             (group * rows->n_k + k) * CX_TILE_BYTES;

        src += x * rows->steps[k];
        for (size_t i = 4u * span->first; i < 4u * span->last; i++)
            sum += src[i] * tile[(i / 4 * CX_GROUP + o) * 4 + i % 4];
    }
    return sum;
}

static float
sum_bf16(const CxConvRows *rows, size_t row, size_t x, size_t group, size_t o)
{
    float sum = ((const float *)rows->bias)[group * CX_GROUP + o];

    for (size_t k = 0; k < rows->n_k; k++) {
        const uint8_t *at = rows->src[row * rows->n_k + k] + x * rows->steps[k];
        const uint16_t *src = (const uint16_t *)(const void *)at;
        const CxConvSpan *span = &rows->spans[group * rows->n_k + k];
        const uint16_t *tile =
            (const uint16_t *)(const void *)(rows->weights +
                                             (group * rows->n_k + k) *
                                                 CX_TILE_BYTES);

        for (size_t i = 2u * span->first; i < 2u * span->last; i++)
            sum += cx_float_from_bf16(src[i]) *
                   cx_float_from_bf16(tile[(i / 2 * CX_GROUP + o) * 2 + i % 2]);
    }
    return sum;
}

static void
put(const CxConvRows *rows, size_t row, size_t x, size_t group, size_t o,
    uint32_t value, size_t size)
{
    uint8_t *dst =
        cx_conv_rows_dst(rows, row, group, size) + x * rows->dst_pixel;

    if (size == 1)
        dst[o] = (uint8_t)value;
    else
        ((uint16_t *)(void *)dst)[o] = (uint16_t)value;
}

void
cx_conv_rows_u8_c(const CxConvRows *rows)
{
    for (size_t r = 0; r < rows->n_rows; r++)
        for (size_t x = 0; x < rows->n_pixels; x++)
            for (size_t i = 0; i < rows->n_groups * CX_GROUP; i++) {
                size_t g = i / CX_GROUP, o = i % CX_GROUP;
                float sum = (float)sum_u8(rows, r, x, g, o);

                put(rows, r, x, g, o,
                    nearest(sum * rows->scale[i],
                            rows->logits ? CX_LOGIT_MOST : 255),
                    rows->logits ? 2 : 1);
            }
}

void
cx_conv_rows_bf16_c(const CxConvRows *rows)
{
    for (size_t r = 0; r < rows->n_rows; r++)
        for (size_t x = 0; x < rows->n_pixels; x++)
            for (size_t i = 0; i < rows->n_groups * CX_GROUP; i++) {
                size_t g = i / CX_GROUP, o = i % CX_GROUP;
                float sum = sum_bf16(rows, r, x, g, o);

                if (rows->relu && !(sum > 0.0f))
                    sum = 0.0f;
                put(rows, r, x, g, o,
                    rows->logits ? nearest(sum * rows->scale[i], CX_LOGIT_MOST)
                                 : cx_bf16_from_float(sum),
                    2);
            }
}

void
cx_tiles_none(void)
{
}
