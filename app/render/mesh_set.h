/* The surfaces of a scene by id, and how each looks.
 *
 * Changes need no GL context: they are carried out by the next
 * cxgl_mesh_set_sync().  Part of CxglSceneRenderer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/scene_renderer.h"

typedef struct CxglMeshSet CxglMeshSet;

CxglMeshSet *cxgl_mesh_set_new(void);

/* GL context current. */
void cxgl_mesh_set_free(CxglMeshSet *set);

/* Fills buffers of new surfaces, deletes those of removed ones; GL context
 * current. */
void cxgl_mesh_set_sync(CxglMeshSet *set);

void cxgl_mesh_set_put(CxglMeshSet *set, CxId id, CxglMeshData *data);
void cxgl_mesh_set_remove(CxglMeshSet *set, CxId id);
void cxgl_mesh_set_remove_all(CxglMeshSet *set);

/* Look of a surface, to read or change; NULL if there is none. */
CxglMeshLook *cxgl_mesh_set_look(CxglMeshSet *set, CxId id);
size_t cxgl_mesh_set_size(const CxglMeshSet *set);
bool cxgl_mesh_set_bounds(const CxglMeshSet *set, CxNm *lo, CxNm *hi);
size_t cxgl_mesh_set_gpu_bytes(const CxglMeshSet *set);

/* Called for each surface before it is drawn, to set uniforms;
 * eye_from_mesh: from the surface's coordinates to eye space. */
typedef void (*CxglMeshSetup)(CxId id, const CxglMeshLook *look,
                              const CxglMat4 *eye_from_mesh, void *data);

/* Draws all visible surfaces that are (or are not) see-through.  Returns the
 * number of triangles. */
uint32_t cxgl_mesh_set_draw(CxglMeshSet *set, bool see_through, bool coarse,
                            const CxglOrbitCamera *camera,
                            const CxglMat4 *clip_from_eye, CxglMeshSetup setup,
                            void *data);
