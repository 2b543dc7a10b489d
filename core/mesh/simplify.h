/* Fewer triangles for the same shape (quadric error collapse of
 * meshoptimizer).  Vertices are chosen among those there are, never moved.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"

/* Simplifies an index list in place towards n_target indices, not beyond
 * max_error (units of positions).  positions: 3 floats per vertex.
 * lock_border keeps the vertices of open edges.  Returns the indices left. */
size_t cx_simplify_indices(uint32_t *indices, size_t n_indices,
                           const float *positions, size_t n_vertices,
                           size_t n_target, double max_error, bool lock_border);

/* Simplifies a mesh in place to keep × its triangles, drops vertices that are
 * not used any more.  Normals stay with their vertices: they show the shape
 * better than the triangles that are left. */
void cx_mesh_simplify(CxMesh *mesh, double keep, double max_error_nm);
