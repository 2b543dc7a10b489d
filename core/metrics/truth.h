/* The truth as scores want it: without the voxels near borders, or split into
 * connected pieces, one slab after the other.
 *
 * A voxel with a 6-neighbour of another label (0 is a label here; beyond the
 * volume there is none) is 1 step from a border, its 6-neighbours are at most
 * 2 steps away, and so on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/components.h"

/* Sets to 0 what lies within `border` steps of a border, for the part of
 * labels (u64) inside box; labels must reach `border` slices beyond box or to
 * the end of the volume.  Returns a new chunk over box. */
CxChunk *cx_truth_without_border(const CxChunk *labels, CxBox box,
                                 unsigned border, GError **error);

/* Hands the whole truth to sink, u64, from z = 0 upwards. */
bool cx_truth_each_slab(CxVolume *truth, unsigned border, bool components,
                        CxSlabFunc sink, void *data, CxJob *job,
                        GError **error);
