/* Rows of bfloat16: maximum, and from and to float.
 *
 * A block is 32 channels, 64 bytes a pixel; two blocks of float (16 channels)
 * are one of bfloat16.  Variants give equal bits for finite samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As pool_f32.h, for one block. */
typedef void CxPoolRowBf16Fn(uint16_t *dst, const uint16_t *const *rows,
                             size_t n_rows, size_t factor, size_t n_pixels);

/* Rounds n pixels to nearest even.  lower: channels 0-15, upper: 16-31, or
 * NULL for zeros. */
typedef void CxNarrowBf16Fn(uint16_t *dst, const float *lower,
                            const float *upper, size_t n_pixels);

CxPoolRowBf16Fn cx_pool_row_bf16_c;
CxPoolRowBf16Fn cx_pool_row_bf16_avx512;
CxNarrowBf16Fn cx_narrow_bf16_c;
CxNarrowBf16Fn cx_narrow_bf16_avx512;
