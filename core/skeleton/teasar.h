/* Centre lines by TEASAR (Sato, Bitter, Bender, Kaufman and Nakajima, Pacific
 * Graphics 2000; with invalidation by radius as in Bae et al. 2018).
 *
 * From the cell farthest from any, a root, ways are laid to all cells; they
 * cost least along the middle.  Then the farthest cell that no path covers is
 * joined to what is there, and its path covers all within `scale` times the
 * depth plus `constant_nm`, until nothing is left.  A step into a cell of
 * depth d costs its length / d^3: unlike the published penalty this does not
 * depend on the deepest place of the object, so that thin neurites of a cell
 * with its body stay centred too.
 *
 * Pure functions of their arguments; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/skeleton/skeleton.h"
#include "core/skeleton/voxel_graph.h"

typedef struct {
    double scale;       /* 1.5 */
    double constant_nm; /* side branches shorter than about this are none */
} CxTeasarOptions;

/* One tree for each piece that hangs together; positions are middles of cells,
 * in voxels * voxel size of the mask + offset_nm. */
CxSkeleton *cx_teasar(const CxObjectMask *mask, const CxVoxelGraph *graph,
                      CxNm offset_nm, const CxTeasarOptions *options,
                      CxJob *job, GError **error);
