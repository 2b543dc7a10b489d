/* The pointer and the arrow keys in a slice pane.
 *
 * Left: a press that does not travel is a click, one that does pans.  Right:
 * centre, held: menu.  Wheel: slices, with Ctrl zoom.  Moves follow the
 * pointer exactly, without easing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/slice_view_private.h"

#include "app/views/pane_gestures.h"

#include <math.h>

/* A hand that clicks may tremble by this much (logical pixels). */
#define CLICK_SLACK 4.0

/* One notch of Ctrl+wheel. */
#define ZOOM_STEP 1.25

static void
on_motion(GtkEventControllerMotion *motion, double x, double y,
          CxuiSliceView *self)
{
    self->pointer_inside = true;
    self->pointer_x = x;
    self->pointer_y = y;
    cxui_slice_view_point(self);
}

static void
on_leave(GtkEventControllerMotion *motion, CxuiSliceView *self)
{
    CxVoxel nowhere = {0, 0, 0};

    self->pointer_inside = false;
    if (self->session == NULL)
        return;
    cxui_selection_set_hover(cxui_session_selection(self->session), 0);
    g_signal_emit_by_name(self, "pointed", FALSE, &nowhere, (guint64)0);
}

static gboolean
on_scroll(GtkEventControllerScroll *scroll, double dx, double dy,
          CxuiSliceView *self)
{
    GdkModifierType modifiers = gtk_event_controller_get_current_event_state(
        GTK_EVENT_CONTROLLER(scroll));
    /* with Shift held some systems turn the wheel sideways */
    double by = fabs(dy) >= fabs(dx) ? dy : dx;

    if (modifiers & GDK_CONTROL_MASK) {
        cxui_slice_view_zoom(self, pow(ZOOM_STEP, -by));
        return TRUE;
    }
    self->scroll_rest += modifiers & GDK_SHIFT_MASK ? by * 10 : by;
    double whole = trunc(self->scroll_rest);
    self->scroll_rest -= whole;
    if (whole != 0)
        cxui_slice_view_step(self, (int64_t)whole);
    return TRUE;
}

static void
on_drag_begin(GtkGestureDrag *drag, double x, double y, CxuiSliceView *self)
{
    self->dragging = false;
    self->drag_x = 0;
    self->drag_y = 0;
    gtk_widget_grab_focus(self->area);
}

static void
on_drag_update(GtkGestureDrag *drag, double dx, double dy, CxuiSliceView *self)
{
    if (!self->dragging) {
        if (hypot(dx, dy) < CLICK_SLACK)
            return;
        self->dragging = true;
        gtk_gesture_set_state(GTK_GESTURE(drag), GTK_EVENT_SEQUENCE_CLAIMED);
        gtk_widget_set_cursor_from_name(self->area, "grabbing");
    }
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);
    cxgl_slice_camera_pan(&camera, dx - self->drag_x, dy - self->drag_y);
    self->drag_x = dx;
    self->drag_y = dy;
    cxui_view_state_set_position_nm(cxui_session_view(self->session),
                                    camera.centre);
}

static void
on_drag_end(GtkGestureDrag *drag, double dx, double dy, CxuiSliceView *self)
{
    CxuiTool tool = cxui_selection_tool(cxui_session_selection(self->session));

    if (self->dragging)
        gtk_widget_set_cursor_from_name(
            self->area, tool == CXUI_TOOL_POINTER ? "default" : "crosshair");
    self->dragging = false;
}

static bool
voxel_at(CxuiSliceView *self, double x, double y, CxVoxel *at)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);

    *at = cxui_view_state_nm_to_voxel(view,
                                      cxgl_slice_camera_nm_at(&camera, x, y));
    return cx_box_contains(cxui_view_state_bounds(view), *at);
}

static void
on_click(GtkGestureClick *gesture, int n_press, double x, double y,
         CxuiSliceView *self)
{
    CxuiClick click = {
        .pane = (unsigned)self->axis,
        .modifiers = gtk_event_controller_get_current_event_state(
            GTK_EVENT_CONTROLLER(gesture)),
        .n_press = n_press,
    };
    CxId supervoxel = 0;

    if (!cxui_session_is_open(self->session) ||
        !voxel_at(self, x, y, &click.at))
        return;
    if (!cxui_session_pick(self->session, click.at, &supervoxel,
                           &click.segment))
        return;
    cxui_hand_click(self->hand, &click);
}

static void
on_centre(GtkGestureClick *gesture, int n_press, double x, double y,
          CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);

    gtk_widget_grab_focus(self->area);
    cxui_view_state_set_position_nm(view,
                                    cxgl_slice_camera_nm_at(&camera, x, y));
}

static void
on_menu(GtkGestureLongPress *gesture, double x, double y, CxuiSliceView *self)
{
    gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
    g_signal_emit_by_name(self, "menu-asked", x, y);
}

static void
on_title_click(GtkGestureClick *gesture, int n_press, double x, double y,
               CxuiSliceView *self)
{
    if (n_press == 2)
        g_signal_emit_by_name(self, "layout-asked");
}

/* Arrow keys move the cross-hair in the plane, so that every voxel can be
 * reached without a pointer. */
static gboolean
on_key(GtkEventControllerKey *keys, guint keyval, guint code,
       GdkModifierType modifiers, CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    int64_t by = modifiers & GDK_SHIFT_MASK ? 10 : 1;
    unsigned right = cxgl_axis_right(self->axis);
    unsigned down = cxgl_axis_down(self->axis);

    if (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;
    switch (keyval) {
    case GDK_KEY_Left:
        cxui_view_state_step(view, right, -by);
        return TRUE;
    case GDK_KEY_Right:
        cxui_view_state_step(view, right, by);
        return TRUE;
    case GDK_KEY_Up:
        cxui_view_state_step(view, down, -by);
        return TRUE;
    case GDK_KEY_Down:
        cxui_view_state_step(view, down, by);
        return TRUE;
    case GDK_KEY_Page_Up:
        cxui_slice_view_step(self, -by);
        return TRUE;
    case GDK_KEY_Page_Down:
        cxui_slice_view_step(self, by);
        return TRUE;
    case GDK_KEY_Menu:
        g_signal_emit_by_name(self, "menu-asked",
                              gtk_widget_get_width(self->area) / 2.0,
                              gtk_widget_get_height(self->area) / 2.0);
        return TRUE;
    default:
        return FALSE;
    }
}

void
cxui_slice_view_add_gestures(CxuiSliceView *self)
{
    static const CxuiPaneHandlers handlers = {
        .enter = G_CALLBACK(on_motion),
        .motion = G_CALLBACK(on_motion),
        .leave = G_CALLBACK(on_leave),
        .scroll = G_CALLBACK(on_scroll),
        .click = G_CALLBACK(on_click),
        .drag_begin = G_CALLBACK(on_drag_begin),
        .drag_update = G_CALLBACK(on_drag_update),
        .drag_end = G_CALLBACK(on_drag_end),
        .centre = G_CALLBACK(on_centre),
        .menu = G_CALLBACK(on_menu),
        .key = G_CALLBACK(on_key),
        .title = G_CALLBACK(on_title_click),
    };

    cxui_pane_add_gestures(self->area, self->title, &handlers, self);
}
