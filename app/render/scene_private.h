/* What picking shares with the scene renderer; for these two only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/mesh_set.h"
#include "app/render/scene_planes.h"

CxglMeshSet *cxgl_scene_renderer_meshes(CxglSceneRenderer *scene);
CxglScenePlanes *cxgl_scene_renderer_planes(CxglSceneRenderer *scene);

/* Program of pick.vert (or plane.vert) and pick.frag, made once; 0 after a
 * warning if it does not compile. */
GLuint cxgl_scene_renderer_pick_program(CxglSceneRenderer *scene, bool planes);

/* Target of at least size × size pixels for picking, bound. */
bool cxgl_scene_renderer_bind_pick_target(CxglSceneRenderer *scene, int size);

/* Distance from the focus to the farthest thing. */
double cxgl_scene_renderer_radius_nm(CxglSceneRenderer *scene,
                                     const CxglOrbitCamera *camera,
                                     const CxglSceneContent *content);
