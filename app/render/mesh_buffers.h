/* Surfaces on their way to the GPU.
 *
 * CxglMeshData is made on any thread (normals packed into 4 bytes, triangles
 * ordered for the vertex cache, a coarse twin for frames drawn while
 * something moves); the scene renderer then only copies it into buffers.
 * Reference counted, immutable.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"

typedef struct CxglMeshData CxglMeshData;

/* Copies what it needs from mesh.  Never fails: an empty mesh draws
 * nothing. */
CxglMeshData *cxgl_mesh_data_new(const CxMesh *mesh);
CxglMeshData *cxgl_mesh_data_ref(CxglMeshData *data);
void cxgl_mesh_data_unref(CxglMeshData *data);

uint32_t cxgl_mesh_data_n_triangles(const CxglMeshData *data);
uint32_t cxgl_mesh_data_n_coarse_triangles(const CxglMeshData *data);
size_t cxgl_mesh_data_size_bytes(const CxglMeshData *data);
bool cxgl_mesh_data_bounds(const CxglMeshData *data, CxNm *lo, CxNm *hi);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglMeshData, cxgl_mesh_data_unref)
