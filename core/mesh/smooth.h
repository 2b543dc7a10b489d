/* Takes the stairs out of surfaces of voxels.
 *
 * Taubin's λ|μ filter (1995): a step towards the mean of the neighbours, a
 * slightly longer one back, so that volume stays.  No vertex leaves the half
 * voxel around its place.  Integers throughout: the result for a vertex does
 * not depend on where its block begins nor on the order of triangles, so two
 * blocks that overlap by cx_smooth_margin() cells agree to the last bit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/marching_cubes.h"

/* Positions are counted in 1 / 256 voxel. */
#define CX_SMOOTH_UNITS 256

/* Cells of margin that n_rounds need. */
int64_t cx_smooth_margin(unsigned n_rounds);

/* positions: 3 per vertex, from the centre of the block's first voxel; filled
 * in.  n_rounds = 0 copies. */
void cx_mesh_smooth(const CxCubes *cubes, unsigned n_rounds,
                    int32_t *positions);

/* Unit normals for these positions (3 floats per vertex, filled in): area-
 * weighted, then averaged over the neighbours n_rounds times, which hides
 * what is left of the stairs.  voxel_nm: the shape of a voxel. */
void cx_mesh_smooth_normals(const CxCubes *cubes, const int32_t *positions,
                            CxNm voxel_nm, unsigned n_rounds, float *normals);
