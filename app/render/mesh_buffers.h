/* Surfaces on their way to the GPU.
 *
 * CxglMeshData is made on any thread (normals packed into 4 bytes, triangles
 * cut into clusters of near ones, a coarse twin for frames drawn while
 * something moves); the renderer then only copies it into buffers.  Reference
 * counted, immutable.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/matrix.h"
#include "core/mesh/mesh.h"

#include <epoxy/gl.h>

typedef struct CxglMeshData CxglMeshData;

/* Copies what it needs from mesh.  Never fails: an empty mesh draws
 * nothing. */
CxglMeshData *cxgl_mesh_data_new(const CxMesh *mesh);
CxglMeshData *cxgl_mesh_data_ref(CxglMeshData *data);
void cxgl_mesh_data_unref(CxglMeshData *data);

uint32_t cxgl_mesh_data_n_triangles(const CxglMeshData *data);
uint32_t cxgl_mesh_data_n_coarse_triangles(const CxglMeshData *data);
size_t cxgl_mesh_data_size_bytes(const CxglMeshData *data);

/* Global nm; false if there are no vertices. */
bool cxgl_mesh_data_bounds(const CxglMeshData *data, CxNm *lo, CxNm *hi);

/* Position of the data's origin; its coordinates are relative to it. */
CxNm cxgl_mesh_data_origin(const CxglMeshData *data);

/* The same data in buffers of one GL context.  Zeroed structs are valid and
 * empty; GL context current in all calls. */
typedef struct {
    GLuint array, vertices, indices;
} CxglMeshBuffers;

void cxgl_mesh_buffers_fill(CxglMeshBuffers *buffers, const CxglMeshData *data);
void cxgl_mesh_buffers_clear(CxglMeshBuffers *buffers);

/* Draws the triangles of clusters whose box touches the view volume of
 * clip_from_mesh (from the data's coordinates to clip space); attribute 0 is
 * the position, 1 the normal.  Returns the number of triangles drawn. */
uint32_t cxgl_mesh_buffers_draw(const CxglMeshBuffers *buffers,
                                const CxglMeshData *data, bool coarse,
                                const CxglMat4 *clip_from_mesh);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglMeshData, cxgl_mesh_data_unref)
