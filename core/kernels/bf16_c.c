/* Reference of bf16.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/bf16.h"

#include "core/kernels/conv_bf16.h"

static void
keep_larger(uint16_t *best, const uint16_t *pixel)
{
    for (size_t c = 0; c < CX_BLOCK_BF16; c++)
        if (cx_float_from_bf16(pixel[c]) > cx_float_from_bf16(best[c]))
            best[c] = pixel[c];
}

void
cx_pool_row_bf16_c(uint16_t *dst, const uint16_t *const *rows, size_t n_rows,
                   size_t factor, size_t n_pixels)
{
    for (size_t x = 0; x < n_pixels; x++, dst += CX_BLOCK_BF16) {
        memcpy(dst, rows[0] + x * factor * CX_BLOCK_BF16,
               CX_BLOCK_BF16 * sizeof *dst);
        for (size_t r = 0; r < n_rows; r++)
            for (size_t j = 0; j < factor; j++)
                keep_larger(dst, rows[r] + (x * factor + j) * CX_BLOCK_BF16);
    }
}

void
cx_narrow_bf16_c(uint16_t *dst, const float *lower, const float *upper,
                 size_t n_pixels)
{
    for (size_t x = 0; x < n_pixels; x++)
        for (size_t c = 0; c < CX_BLOCK_BF16; c++) {
            const float *half = c < 16 ? lower : upper;
            float sample = half != NULL ? half[x * 16 + c % 16] : 0.0f;

            dst[x * CX_BLOCK_BF16 + c] = cx_bf16_from_float(sample);
        }
}
