/* What ImageJ and OME write into the description of the first page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

typedef struct {
    /* How pages follow each other: page = c * channel_step + z * z_step;
     * n_z is 0 if the text does not say. */
    uint64_t n_z, n_channels, n_times;
    uint64_t channel_step, z_step;
    uint64_t n_images; /* ImageJ's "images=", else 0 */
    CxNm voxel_nm;     /* each 0 if not stated */
    CxNm offset_nm;
    bool has_display_range;
    double display_min, display_max;
} CxTiffMeta;

/* x_per_unit: pixels per unit from the resolution tags, 0 if absent.  Texts
 * of other programs give an empty result. */
CxTiffMeta cx_tiff_meta_parse(const char *description, double x_per_unit,
                              double y_per_unit);
