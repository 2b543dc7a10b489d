/* Seeds of a watershed: the local maxima of a height map, one a cell.
 *
 * A voxel is a maximum if none within the window is higher and none of the
 * same height within the window comes before it (z, then y, then x); so a
 * plateau yields one seed a window, whatever its shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

/* Marks maxima of at least `lowest` with 1, 2, … in order of voxel and clears
 * all other labels.  radius: half the window, in voxels along each axis.
 * *n_seeds: how many. */
bool cx_seeds_find(const float *height, CxVoxel size, CxVoxel radius,
                   float lowest, uint32_t *labels, uint32_t *n_seeds,
                   unsigned n_threads, CxJob *job, GError **error);
