/* Makes every edge belong to two triangles again.
 *
 * Collapsing edges may fold a surface onto itself: an edge then has four
 * triangles, or two triangles lie back to back.  The latter are taken out; at
 * the former the surface is split into two sheets that touch there, by giving
 * each sheet vertices of its own.  The shape stays.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"

/* Border edges of an open surface stay open.  Normals of new vertices are
 * copied.  Returns the number of edges that had to be split. */
size_t cx_mesh_make_manifold(CxMesh *mesh);
