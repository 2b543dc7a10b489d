/* The live prediction in a slice pane: what is asked for, and how it is drawn.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/slice_view_private.h"

/* Stands out from grey and from all segments' colours by its brightness. */
#define COLOUR ((CxglColour){0xff, 0xc4, 0x40, 0xff})

static CxuiPrediction *
prediction_of(CxuiSliceView *self)
{
    return cxui_session_prediction(self->session);
}

static CxVoxel
focus_of(CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);

    if (!self->pointer_inside)
        return cxui_view_state_voxel(view);
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);
    return cxui_view_state_nm_to_voxel(
        view,
        cxgl_slice_camera_nm_at(&camera, self->pointer_x, self->pointer_y));
}

static void
show_note(CxuiSliceView *self)
{
    const char *text = cxui_prediction_why_not(prediction_of(self),
                                               cxgl_axis_depth(self->axis));

    gtk_widget_set_visible(self->note, text != NULL);
    if (text != NULL &&
        g_strcmp0(gtk_label_get_text(GTK_LABEL(self->note)), text) != 0)
        gtk_label_set_text(GTK_LABEL(self->note), text);
}

void
cxui_slice_view_ask_prediction(CxuiSliceView *self)
{
    bool seen = gtk_widget_get_mapped(self->area) && !self->raw &&
                cxui_session_is_open(self->session);
    CxBox nothing = {{0, 0, 0}, {0, 0, 0}};
    CxBox box = seen ? cxui_slice_view_field(self) : nothing;
    bool first = self->pointer_inside ||
                 gtk_widget_has_css_class(GTK_WIDGET(self), "active");

    cxui_prediction_want(prediction_of(self), cxgl_axis_depth(self->axis), box,
                         focus_of(self), first);
}

void
cxui_slice_view_follow_field(CxuiSliceView *self)
{
    cxui_slice_view_ask_prediction(self);
    show_note(self);
}

static CxChunk *
lookup(void *data, const CxChunkKey *key)
{
    return cxui_prediction_lookup(data, key);
}

void
cxui_slice_view_add_prediction(CxuiSliceView *self, CxglSliceLayers *layers,
                               CxglSliceStyle *style)
{
    unsigned axis = cxgl_axis_depth(self->axis);
    CxuiPredictionGrid grid = cxui_prediction_grid(prediction_of(self), axis);
    double opacity;

    self->prediction_complete =
        grid.volume_id == 0 ||
        cxui_prediction_is_complete(prediction_of(self), axis);
    if (grid.volume_id == 0 || self->raw)
        return;
    g_object_get(cxui_session_settings(self->session), "prediction-opacity",
                 &opacity, NULL);
    self->prediction_grid = (CxglChunkGrid){
        .volume_id = grid.volume_id,
        .n_levels = 1,
        .levels = {{grid.size, grid.tile, grid.voxel_nm}},
        .offset_nm = grid.offset_nm,
    };
    layers->overlay = (CxglSliceLayer){&self->prediction_grid,
                                       {lookup, NULL, prediction_of(self)}};
    style->overlay_opacity = (float)opacity;
    style->overlay_colour = COLOUR;
}

bool
cxui_slice_view_shows_prediction(CxuiSliceView *self)
{
    return self->prediction_complete && !self->stats.has_more;
}

static void
redraw(CxuiSliceView *self)
{
    gtk_gl_area_queue_render(GTK_GL_AREA(self->area));
}

static void
on_changed(CxuiSliceView *self)
{
    if (!self->prediction_complete)
        redraw(self);
}

static void
on_look_changed(CxuiSliceView *self)
{
    cxui_slice_view_follow_field(self);
    self->prediction_complete = false;
    redraw(self);
}

void
cxui_slice_view_follow_prediction(CxuiSliceView *self)
{
    g_signal_connect_object(prediction_of(self), "changed",
                            G_CALLBACK(on_changed), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(prediction_of(self), "look-changed",
                            G_CALLBACK(on_look_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_settings(self->session),
                            "notify::prediction-opacity", G_CALLBACK(redraw),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->area, "unmap",
                            G_CALLBACK(cxui_slice_view_ask_prediction), self,
                            G_CONNECT_SWAPPED | G_CONNECT_AFTER);
}
