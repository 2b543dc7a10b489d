/* Reference of pool_f32.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/pool_f32.h"

#include "core/kernels/conv_f32.h"

#include <string.h>

static void
keep_larger(float *restrict best, const float *restrict pixel)
{
    for (size_t c = 0; c < CX_BLOCK; c++)
        best[c] = pixel[c] > best[c] ? pixel[c] : best[c];
}

void
cx_pool_row_f32_c(float *dst, const float *const *rows, size_t n_rows,
                  size_t factor, size_t n_pixels)
{
    for (size_t x = 0; x < n_pixels; x++, dst += CX_BLOCK) {
        float best[CX_BLOCK];

        memcpy(best, rows[0] + x * factor * CX_BLOCK, sizeof best);
        for (size_t r = 0; r < n_rows; r++)
            for (size_t j = 0; j < factor; j++)
                keep_larger(best, rows[r] + (x * factor + j) * CX_BLOCK);
        memcpy(dst, best, sizeof best);
    }
}
