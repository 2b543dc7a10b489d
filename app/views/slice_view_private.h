/* Shared by slice_view.c, slice_gestures.c and slice_prediction.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/overlay_renderer.h"
#include "app/views/slice_view.h"

struct _CxuiSliceView {
    GtkWidget parent;

    /* template */
    GtkWidget *overlay;
    GtkWidget *area;
    GtkWidget *title;
    GtkWidget *scale_label;
    GtkWidget *note;

    CxuiSession *session; /* owned references */
    CxuiSegmentLook *look;
    CxuiHand *hand;
    CxglAxis axis;
    bool raw;
    bool has_box;
    CxBox box;

    /* GL, between realize and unrealize */
    CxglSliceRenderer *renderer;
    CxglOverlayRenderer *overlay_renderer;
    CxglOverlay *shapes;
    CxglSliceStats stats;
    double frame_ms;
    char scale_text[32];
    guint after_frame; /* tick callback, 0 = none */

    CxglChunkGrid image_grid, label_grid, grower_grid;
    GArray *wanted; /* of CxChunkKey: scratch */
    CxglChunkGrid prediction_grid;
    bool prediction_complete; /* in the last frame, nothing was stood in for */

    /* pointer, in logical pixels */
    bool pointer_inside;
    double pointer_x, pointer_y;
    double drag_x, drag_y; /* last point of the drag */
    bool dragging;
    double scroll_rest; /* part of a slice not yet scrolled */
};

/* slice_gestures.c */
void cxui_slice_view_add_gestures(CxuiSliceView *self);

/* slice_view.c: camera in logical pixels; its position under a point. */
CxglSliceCamera cxui_slice_view_camera(CxuiSliceView *self, int scale);

/* Tells what is under the pointer, after it or the picture moved. */
void cxui_slice_view_point(CxuiSliceView *self);

/* slice_prediction.c: says what the pane shows now, also within a frame; the
 * same outside of frames, with the note why there is none; the layer of a
 * frame; what makes it draw again. */
void cxui_slice_view_ask_prediction(CxuiSliceView *self);
void cxui_slice_view_follow_field(CxuiSliceView *self);
void cxui_slice_view_add_prediction(CxuiSliceView *self,
                                    CxglSliceLayers *layers,
                                    CxglSliceStyle *style);
void cxui_slice_view_follow_prediction(CxuiSliceView *self);

/* slice_grow.c: an object that grows, in place of another overlay; what makes
 * the pane draw again. */
void cxui_slice_view_add_grower(CxuiSliceView *self, CxglSliceLayers *layers,
                                CxglSliceStyle *style);
void cxui_slice_view_follow_grower(CxuiSliceView *self);
