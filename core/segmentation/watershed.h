/* Watershed: seeds grow over a relief, lowest voxel first (Meyer 1994).
 *
 * Relief is u8 (255 counts as 254); voxels of equal height are taken in the order in which they
 * were reached, neighbours in the order z-, y-, x-, x+, y+, z+, so the result
 * is one and the same on every machine.  Size with z = 1: a section.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

/* A voxel with this label is never entered. */
#define CX_WATERSHED_WALL UINT32_MAX

/* Grows the non-zero labels into the 0 ones over 6-neighbours until nothing
 * more can be reached.  About 9 bytes of working memory a voxel; at most
 * 2^31 voxels. */
bool cx_watershed_flood(const uint8_t *relief, CxVoxel size, uint32_t *labels,
                        CxJob *job, GError **error);
