/* What is under the pointer.
 *
 * In slices see cxgl_chunk_source_sample().  In 3-D the visible surfaces near
 * the pointer are drawn once more into a few pixels that hold 64-bit ids and
 * depths (surfaces whose bounds miss the pointer are skipped), so ids are
 * exact up to 2^64 - 1.  GL context current.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/scene_renderer.h"

typedef struct {
    CxId id;    /* 0: a slice plane was hit, or nothing */
    bool hit;   /* at is valid */
    bool plane; /* a slice plane is in front */
    CxNm at;    /* position on the surface */
} CxglPick;

/* radius_px: how far from the pointer a surface still counts (0 = exact). */
CxglPick cxgl_pick_scene(CxglSceneRenderer *scene,
                         const CxglOrbitCamera *camera,
                         const CxglSceneContent *content,
                         const CxglSceneStyle *style, double px, double py,
                         int radius_px);
