/* The 3-D pane: surfaces of the selected segments, slice planes, cross-hair.
 *
 * Surfaces come from the session's mesh controller; they are prepared for the
 * GPU in hidden jobs, and an old surface stays until the new one is there.
 *
 * Signals: gl-failed, layout-asked, menu-asked, pointed as CxuiSliceView.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "app/views/hand.h"
#include "app/views/segment_look.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_SCENE_VIEW (cxui_scene_view_get_type())
G_DECLARE_FINAL_TYPE(CxuiSceneView, cxui_scene_view, CXUI, SCENE_VIEW,
                     GtkWidget)

GtkWidget *cxui_scene_view_new(CxuiSession *session, CxuiSegmentLook *look,
                               CxuiHand *hand);

/* Looks at all that is shown (the whole volume if nothing is), as xy does. */
void cxui_scene_view_reset(CxuiSceneView *self);
void cxui_scene_view_zoom(CxuiSceneView *self, double factor);
void cxui_scene_view_set_active(CxuiSceneView *self, bool active);

/* For the debug overlay. */
unsigned cxui_scene_view_n_triangles(CxuiSceneView *self);
size_t cxui_scene_view_gpu_bytes(CxuiSceneView *self);
double cxui_scene_view_frame_ms(CxuiSceneView *self);
