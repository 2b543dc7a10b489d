/* Seeds of a watershed: the peaks of a height map, and what climbs to them.
 *
 * A voxel is on a peak if nothing within its window is higher; neighbours (6)
 * on a peak at the same height are one seed, so that a plateau, or a whole
 * block without membrane, yields one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

/* Marks peaks of at least `lowest` with 1, 2, … in order of their first voxel
 * and clears all other labels.  radius: half the window, in voxels along each
 * axis; 0 along z keeps sections apart.  *n_seeds: how many. */
bool cx_seeds_find(const float *height, CxVoxel size, CxVoxel radius,
                   float lowest, uint32_t *labels, uint32_t *n_seeds,
                   unsigned n_threads, CxJob *job, GError **error);

/* Gives every voxel of at least `lowest` the label of the seed it climbs to:
 * from voxel to highest neighbour (the first of equals), and from a maximum
 * that is no seed to the highest voxel of its window. */
bool cx_seeds_climb(const float *height, CxVoxel size, CxVoxel radius,
                    float lowest, uint32_t *labels, unsigned n_threads,
                    CxJob *job, GError **error);
