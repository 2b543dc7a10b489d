/* Lines and balls in the 3-D scene, with a width in pixels.
 *
 * Collected on the CPU (positions in nm), drawn with depth test and smooth
 * edges.  Part of CxglSceneRenderer; GL context current in new, free, draw.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/camera.h"
#include "app/render/colour.h"

#include <glib.h>

typedef struct CxglSceneLines CxglSceneLines;

CxglSceneLines *cxgl_scene_lines_new(GError **error);
void cxgl_scene_lines_free(CxglSceneLines *lines);

/* One list of the caller: CxglSceneSegment and CxglScenePoint. */
typedef struct {
    CxNm from, to;
    CxglColour colour;
    float width_px;
} CxglSceneSegment;

typedef struct {
    CxNm at;
    CxglColour colour;
    float radius_px;
} CxglScenePoint;

void cxgl_scene_lines_draw(CxglSceneLines *lines, const GArray *segments,
                           const GArray *points, const CxglOrbitCamera *camera,
                           const CxglMat4 *clip_from_eye);

/* The twelve edges of a box. */
void cxgl_scene_lines_add_box(GArray *segments, CxNm lo, CxNm hi,
                              CxglColour colour, float width_px);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglSceneLines, cxgl_scene_lines_free)
