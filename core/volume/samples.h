/* Arrays of samples of any type: widened, scaled, measured.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/dtype.h"

/* False, with dst undefined, if a sample is negative or the type is float. */
bool cx_samples_to_u64(uint64_t *dst, const void *src, CxDtype dtype, size_t n);

/* min becomes 0, max 255, rounded and clamped: infinities become 0 and 255 as
 * their sign says; NaN becomes 0. */
void cx_samples_to_u8(uint8_t *dst, const void *src, CxDtype dtype, size_t n,
                      double min, double max);

/* Between any two types, floats rounded for integer types; false, with dst
 * undefined, if a number does not fit. */
bool cx_samples_convert(void *dst, CxDtype dst_type, const void *src,
                        CxDtype src_type, size_t n);

/* Widens [*min, *max] to hold the samples; NaN and infinities are passed
 * over. */
void cx_samples_add_range(const void *src, CxDtype dtype, size_t n, double *min,
                          double *max);
