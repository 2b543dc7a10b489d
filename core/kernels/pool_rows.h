/* Maximum over rows and neighbouring pixels of 8-bit or bfloat16 samples, for
 * one plane of pixels of 16, 32 or 64 bytes that lie side by side.
 *
 *     dst[x] = max over rows r, j < factor of rows[r][x * factor + j]
 *
 * sample by sample.  Every variant gives the same value for finite samples
 * (the sign of a zero may differ).  Reads and writes nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef void CxPoolRowsFn(uint8_t *dst, const uint8_t *const *rows,
                          size_t n_rows, size_t factor, size_t n_pixels,
                          size_t pixel);

CxPoolRowsFn cx_pool_rows_u8_c;
CxPoolRowsFn cx_pool_rows_u8_avx2;
CxPoolRowsFn cx_pool_rows_bf16_c;
CxPoolRowsFn cx_pool_rows_bf16_avx2;
