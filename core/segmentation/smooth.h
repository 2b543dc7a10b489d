/* Gaussian smoothing of a dense block, edges repeated beyond the border.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

/* In place; sigma in voxels along each axis, 0 = leave that axis.  The kernel
 * ends at 3 sigma. */
bool cx_smooth(float *data, CxVoxel size, CxNm sigma, unsigned n_threads,
               CxJob *job, GError **error);

/* The same for u8, rounded after each axis (weights in 1/256; sigma <= 4). */
bool cx_smooth_u8(uint8_t *data, CxVoxel size, CxNm sigma, unsigned n_threads,
                  CxJob *job, GError **error);
