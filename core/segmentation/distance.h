/* Exact Euclidean distance transform of a binary block, with anisotropy.
 *
 * Line by line along x, then columns along y and z: the least of g(k) +
 * w^2 (i - k)^2, searched outwards from k = i until no farther k can win, many
 * columns at once.  That is exact, and quick where distances are short, as
 * inside neurites.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

/* voxel.z = INFINITY: every section by itself.
 * Squared distance, in units of `voxel`, from every voxel to the nearest one
 * that is 0 in inside; 0 there.  Beyond the block is nothing.  INFINITY where
 * the block has no 0 at all.  Exact in float up to 2^24 for integer spacing.
 * distance: size.x * size.y * size.z floats. */
bool cx_distance_squared(const uint8_t *inside, CxVoxel size, CxNm voxel,
                         float *distance, unsigned n_threads, CxJob *job,
                         GError **error);
