/* Gaussian blur of one frame, edge values repeated.
 *
 * Separable; the weights are those of the Gaussian at whole pixels out to four
 * sigma, scaled to a sum of 1.  An object belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxBlur CxBlur;

/* For frames of this size; a height of 1 is blurred in x alone. */
CxBlur *cx_blur_new(double sigma_px, size_t height, size_t width);
void cx_blur_free(CxBlur *blur);

/* dst and src [height][width], different or the same. */
void cx_blur_apply(CxBlur *blur, const float *src, float *dst);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxBlur, cx_blur_free)
