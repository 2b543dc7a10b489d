/* F12: figures of loader, caches, jobs and frames, four times a second.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "app/views/scene_view.h"
#include "app/views/slice_view.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_DEBUG_OVERLAY (cxui_debug_overlay_get_type())
G_DECLARE_FINAL_TYPE(CxuiDebugOverlay, cxui_debug_overlay, CXUI, DEBUG_OVERLAY,
                     GtkWidget)

GtkWidget *cxui_debug_overlay_new(CxuiSession *session);

/* The panes it tells about; borrowed, as old as the window. */
void cxui_debug_overlay_set_panes(CxuiDebugOverlay *self,
                                  CxuiSliceView *const *slices,
                                  CxuiSceneView *scene);
