/* Reference of pool_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/bf16.h"
#include "core/kernels/pool_rows.h"

void
cx_pool_rows_u8_c(uint8_t *dst, const uint8_t *const *rows, size_t n_rows,
                  size_t factor, size_t n_pixels, size_t pixel)
{
    for (size_t x = 0; x < n_pixels; x++)
        for (size_t i = 0; i < pixel; i++) {
            uint8_t best = 0;

            for (size_t r = 0; r < n_rows; r++)
                for (size_t j = 0; j < factor; j++) {
                    uint8_t sample = rows[r][(x * factor + j) * pixel + i];

                    best = sample > best ? sample : best;
                }
            dst[x * pixel + i] = best;
        }
}

void
cx_pool_rows_bf16_c(uint8_t *dst, const uint8_t *const *rows, size_t n_rows,
                    size_t factor, size_t n_pixels, size_t pixel)
{
    size_t n = pixel / 2;

    for (size_t x = 0; x < n_pixels; x++)
        for (size_t i = 0; i < n; i++) {
            uint16_t best = 0xff80; /* -inf */

            for (size_t r = 0; r < n_rows; r++)
                for (size_t j = 0; j < factor; j++) {
                    const uint16_t *row = (const void *)rows[r];
                    uint16_t sample = row[(x * factor + j) * n + i];

                    if (cx_float_from_bf16(sample) > cx_float_from_bf16(best))
                        best = sample;
                }
            ((uint16_t *)(void *)dst)[x * n + i] = best;
        }
}
