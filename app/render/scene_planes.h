/* The image in the 3-D scene: three slice planes through the cross-hair.
 *
 * Each plane is drawn by a slice renderer into a texture, again only when
 * something it shows has changed.  Part of CxglSceneRenderer; GL context
 * current in every call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/scene_renderer.h"

#include <epoxy/gl.h>

typedef struct CxglScenePlanes CxglScenePlanes;

CxglScenePlanes *cxgl_scene_planes_new(GError **error);
void cxgl_scene_planes_free(CxglScenePlanes *planes);

/* Whether a plane is asked for, has data and lies inside the box. */
bool cxgl_scene_planes_is_shown(const CxglSceneContent *content,
                                const CxglSceneStyle *style, CxglAxis axis);

/* The slice camera that covers a whole plane of the content's box with at
 * most `side` pixels. */
CxglSliceCamera cxgl_scene_planes_camera(const CxglSceneContent *content,
                                         CxglAxis axis, int side);

/* Brings the textures of the wanted planes up to date.  Changes the bound
 * framebuffer and viewport. */
void cxgl_scene_planes_update(CxglScenePlanes *planes,
                              const CxglSceneContent *content,
                              const CxglSceneStyle *style, int side,
                              CxglSceneStats *stats);

void cxgl_scene_planes_draw(CxglScenePlanes *planes,
                            const CxglSceneContent *content,
                            const CxglSceneStyle *style,
                            const CxglOrbitCamera *camera,
                            const CxglMat4 *clip_from_eye);

/* Draws the rectangle of one plane with a program that knows plane.vert's
 * uniforms (for picking). */
void cxgl_scene_planes_draw_one(CxglScenePlanes *planes, GLuint program,
                                const CxglSceneContent *content, CxglAxis axis,
                                const CxglOrbitCamera *camera,
                                const CxglMat4 *clip_from_eye);
size_t cxgl_scene_planes_gpu_bytes(const CxglScenePlanes *planes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglScenePlanes, cxgl_scene_planes_free)
