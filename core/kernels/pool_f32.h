/* Maximum over rows and neighbouring pixels, for one block of 16 channels.
 *
 *     dst[x][c] = max over rows r, j < factor of rows[r][x * factor + j][c]
 *
 * Every variant gives the same value for finite samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>

typedef void CxPoolRowF32Fn(float *dst, const float *const *rows, size_t n_rows,
                            size_t factor, size_t n_pixels);

CxPoolRowF32Fn cx_pool_row_f32_c;
CxPoolRowF32Fn cx_pool_row_f32_avx2;
CxPoolRowF32Fn cx_pool_row_f32_avx512;
