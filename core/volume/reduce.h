/* Sections made coarser: mean of intensities, mode of labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/dtype.h"

/* One dense section, or one channel of it. */
typedef struct {
    const void *samples;
    size_t width, height;
} CxSection;

/* Reduces n_sections (1 or 2, of one size) by 2 in x and y into dst, of
 * (width + 1) / 2 by (height + 1) / 2 samples; n_sections = 2 reduces z, too.
 * At odd edges fewer samples count.  labels: the commonest value, of equally
 * common ones the first in x, y, z order; else the mean, rounded. */
void cx_reduce_sections(void *dst, const CxSection *sections,
                        unsigned n_sections, CxDtype dtype, bool labels);
