/* One orthogonal pane: xy, xz or yz.
 *
 * Draws the session's image and labels with a CxglSliceRenderer in a
 * GtkGLArea, and turns the pointer into moves, zooms and clicks.  All panes
 * share the session's position, which is the middle of each.  No computing,
 * no waiting: what is not in memory is asked of the loader.
 *
 * Signals:
 *   gl-failed(const char *reason)  GL 3.3 cannot be had
 *   layout-asked()                 double-click on the title
 *   menu-asked(double x, double y) long right press or the Menu key, at a
 *                                  point of this widget
 *   pointed(gboolean inside, CxVoxel *at, guint64 segment)
 *                                  the pointer moved; not inside: it left
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/slice_renderer.h"
#include "app/session/session.h"
#include "app/views/hand.h"
#include "app/views/segment_look.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_SLICE_VIEW (cxui_slice_view_get_type())
G_DECLARE_FINAL_TYPE(CxuiSliceView, cxui_slice_view, CXUI, SLICE_VIEW,
                     GtkWidget)

GtkWidget *cxui_slice_view_new(CxuiSession *session, CxuiSegmentLook *look,
                               CxuiHand *hand, CxglAxis axis);

CxglAxis cxui_slice_view_axis(CxuiSliceView *self);

/* Image only, while a key is held. */
void cxui_slice_view_set_raw(CxuiSliceView *self, bool raw);

/* Moves by whole slices in depth. */
void cxui_slice_view_step(CxuiSliceView *self, int64_t slices);

/* factor > 1 magnifies, about the pointer if it is here, else the middle. */
void cxui_slice_view_zoom(CxuiSliceView *self, double factor);

/* Shows all of the volume. */
void cxui_slice_view_fit(CxuiSliceView *self);

/* What the pane shows, one voxel thick; empty without data. */
CxBox cxui_slice_view_field(CxuiSliceView *self);

/* Frame of the pane that keys act on. */
void cxui_slice_view_set_active(CxuiSliceView *self, bool active);

/* A box that is drawn as a frame (of a box to be segmented); NULL removes. */
void cxui_slice_view_set_box(CxuiSliceView *self, const CxBox *box);

/* The last frame showed all of the live prediction of the field (true as well
 * where there is none). */
bool cxui_slice_view_shows_prediction(CxuiSliceView *self);

/* For the debug overlay: figures of the last frame. */
const CxglSliceStats *cxui_slice_view_stats(CxuiSliceView *self);
size_t cxui_slice_view_gpu_bytes(CxuiSliceView *self);
double cxui_slice_view_frame_ms(CxuiSliceView *self);
