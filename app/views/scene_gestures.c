/* The pointer in the 3-D pane: turn, move, zoom, pick.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/scene_view_private.h"

#include "app/render/picking.h"
#include "app/views/pane_gestures.h"

#include <math.h>

#define CLICK_SLACK 4.0
#define ZOOM_STEP 1.15

/* Surface under a point of the widget; the context is made current. */
static CxglPick
pick(CxuiSceneView *self, double x, double y)
{
    int scale = gtk_widget_get_scale_factor(self->area);
    CxglOrbitCamera camera = cxui_scene_view_camera(self, scale);
    CxglSceneContent content = cxui_scene_view_content(self);
    CxglSceneStyle style = cxui_scene_view_style(self);

    if (self->scene == NULL || !cxui_session_is_open(self->session))
        return (CxglPick){0};
    gtk_gl_area_make_current(GTK_GL_AREA(self->area));
    CxglPick hit = cxgl_pick_scene(self->scene, &camera, &content, &style,
                                   x * scale, y * scale, 3 * scale);
    hit.id = cxui_scene_view_real_id(self, hit.id);
    return hit;
}

static bool
follows(CxuiSceneView *self)
{
    return cxui_view_state_camera(cxui_session_view(self->session))->follows;
}

static gboolean
on_scroll(GtkEventControllerScroll *scroll, double dx, double dy,
          CxuiSceneView *self)
{
    CxglOrbitCamera camera = cxui_scene_view_camera(self, 1);
    double by = fabs(dy) >= fabs(dx) ? dy : dx;

    cxgl_orbit_camera_zoom_at(&camera, pow(ZOOM_STEP, -by), self->pointer_x,
                              self->pointer_y);
    cxui_scene_view_set_camera(self, &camera, follows(self));
    return TRUE;
}

static void
on_drag_begin(GtkGestureDrag *drag, double x, double y, CxuiSceneView *self)
{
    self->turning = false;
    self->panning = false;
    self->drag_x = 0;
    self->drag_y = 0;
    gtk_widget_grab_focus(self->area);
}

/* The point that was under the pointer is what it turns about. */
static void
begin_turn(CxuiSceneView *self, GtkGestureDrag *drag)
{
    double x = 0;
    double y = 0;

    gtk_gesture_drag_get_start_point(drag, &x, &y);
    CxglPick hit = pick(self, x, y);
    self->has_pivot = hit.hit;
    self->pivot = hit.at;
}

static void
begin_drag(CxuiSceneView *self, GtkGestureDrag *drag)
{
    GdkModifierType modifiers = gtk_event_controller_get_current_event_state(
        GTK_EVENT_CONTROLLER(drag));

    gtk_gesture_set_state(GTK_GESTURE(drag), GTK_EVENT_SEQUENCE_CLAIMED);
    if (modifiers & GDK_SHIFT_MASK) {
        self->panning = true;
        return;
    }
    begin_turn(self, drag);
    self->turning = true;
}

static void
on_drag_update(GtkGestureDrag *drag, double dx, double dy, CxuiSceneView *self)
{
    if (!self->turning && !self->panning) {
        if (hypot(dx, dy) < CLICK_SLACK)
            return;
        begin_drag(self, drag);
    }
    CxglOrbitCamera camera = cxui_scene_view_camera(self, 1);
    if (self->panning)
        cxgl_orbit_camera_pan(&camera, dx - self->drag_x, dy - self->drag_y);
    else
        cxgl_orbit_camera_orbit(&camera, dx - self->drag_x, dy - self->drag_y);
    self->drag_x = dx;
    self->drag_y = dy;
    cxui_scene_view_set_camera(
        self, &camera, !self->panning && !self->has_pivot && follows(self));
}

static void
on_drag_end(GtkGestureDrag *drag, double dx, double dy, CxuiSceneView *self)
{
    self->turning = false;
    self->panning = false;
    self->has_pivot = false;
    cxui_scene_view_redraw(self);
}

/* The voxel just below a surface, so that it lies in the segment. */
static CxVoxel
voxel_below(CxuiSceneView *self, const CxglPick *hit)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxNm nm = cxui_view_state_voxel_nm(view);
    CxBox bounds = cxui_view_state_bounds(view);
    CxVoxel at = cxui_view_state_nm_to_voxel(view, hit->at);

    for (int dz = -1; dz <= 1; dz++) {
        for (int dy = -1; dy <= 1; dy++) {
            for (int dx = -1; dx <= 1; dx++) {
                CxNm p = {hit->at.x + dx * nm.x, hit->at.y + dy * nm.y,
                          hit->at.z + dz * nm.z};
                CxVoxel v = cxui_view_state_nm_to_voxel(view, p);
                CxId supervoxel = 0;
                CxId segment = 0;
                if (cx_box_contains(bounds, v) &&
                    cxui_session_pick(self->session, v, &supervoxel,
                                      &segment) &&
                    segment == hit->id)
                    return v;
            }
        }
    }
    return at;
}

static void
on_click(GtkGestureClick *gesture, int n_press, double x, double y,
         CxuiSceneView *self)
{
    CxglPick hit = pick(self, x, y);

    if (!hit.hit || hit.id == 0)
        return;
    CxuiClick click = {
        .segment = hit.id,
        .at = voxel_below(self, &hit),
        .pane = 3,
        .modifiers = gtk_event_controller_get_current_event_state(
            GTK_EVENT_CONTROLLER(gesture)),
        .n_press = n_press,
    };
    cxui_hand_click(self->hand, &click);
}

static void
on_centre(GtkGestureClick *gesture, int n_press, double x, double y,
          CxuiSceneView *self)
{
    CxglPick hit = pick(self, x, y);

    gtk_widget_grab_focus(self->area);
    if (hit.hit)
        cxui_view_state_set_position_nm(cxui_session_view(self->session),
                                        hit.at);
}

static void
on_menu(GtkGestureLongPress *gesture, double x, double y, CxuiSceneView *self)
{
    gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
    g_signal_emit_by_name(self, "menu-asked", x, y);
}

static void
on_title_click(GtkGestureClick *gesture, int n_press, double x, double y,
               CxuiSceneView *self)
{
    if (n_press == 2)
        g_signal_emit_by_name(self, "layout-asked");
}

static void
on_motion(GtkEventControllerMotion *motion, double x, double y,
          CxuiSceneView *self)
{
    self->pointer_x = x;
    self->pointer_y = y;
}

static void
on_enter(GtkEventControllerMotion *motion, double x, double y,
         CxuiSceneView *self)
{
    CxVoxel nowhere = {0, 0, 0};

    on_motion(motion, x, y, self);
    g_signal_emit_by_name(self, "pointed", FALSE, &nowhere, (guint64)0);
}

/* The keyboard turns it too: 15 degrees a press. */
static gboolean
on_key(GtkEventControllerKey *keys, guint keyval, guint code,
       GdkModifierType modifiers, CxuiSceneView *self)
{
    CxglOrbitCamera camera = cxui_scene_view_camera(self, 1);
    double by = camera.height / 12.0;
    double dx = 0;
    double dy = 0;

    if (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;
    switch (keyval) {
    case GDK_KEY_Left:
        dx = -by;
        break;
    case GDK_KEY_Right:
        dx = by;
        break;
    case GDK_KEY_Up:
        dy = -by;
        break;
    case GDK_KEY_Down:
        dy = by;
        break;
    default:
        return FALSE;
    }
    if (modifiers & GDK_SHIFT_MASK)
        cxgl_orbit_camera_pan(&camera, dx, dy);
    else
        cxgl_orbit_camera_orbit(&camera, dx, dy);
    cxui_scene_view_set_camera(
        self, &camera, (modifiers & GDK_SHIFT_MASK) == 0 && follows(self));
    return TRUE;
}

void
cxui_scene_view_add_gestures(CxuiSceneView *self)
{
    static const CxuiPaneHandlers handlers = {
        .enter = G_CALLBACK(on_enter),
        .motion = G_CALLBACK(on_motion),
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
