/* The main window: what is where, and what follows the session.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window.h"
#include "app/views/window_private.h"

#include "app/views/bindings.h"
#include "app/views/debug_overlay.h"
#include "app/views/error_bar.h"
#include "app/views/history_panel.h"
#include "app/views/jobs_bar.h"
#include "app/views/layer_panel.h"
#include "app/views/queue_panel.h"
#include "app/views/segment_list.h"

G_DEFINE_FINAL_TYPE(CxuiWindow, cxui_window, ADW_TYPE_APPLICATION_WINDOW)

/* At the start; the border between panes and side bar can be dragged. */
#define SIDEBAR_WIDTH 300

/* A press of Space shorter than this is a tap. */
#define TAP_US (250 * G_TIME_SPAN_MILLISECOND)

GtkWidget *
cxui_window_pane(CxuiWindow *self, int pane)
{
    return pane == PANE_SCENE ? self->scene : self->slices[pane];
}

CxuiSliceView *
cxui_window_slice(CxuiWindow *self)
{
    int pane = self->active == PANE_SCENE ? 0 : self->active;

    return CXUI_SLICE_VIEW(self->slices[pane]);
}

void
cxui_window_set_active(CxuiWindow *self, int pane)
{
    self->active = pane;
    for (int i = 0; i < PANE_SCENE; i++)
        cxui_slice_view_set_active(CXUI_SLICE_VIEW(self->slices[i]), i == pane);
    cxui_scene_view_set_active(CXUI_SCENE_VIEW(self->scene),
                               pane == PANE_SCENE);
}

/* Which panes a layout shows: xy, xz, yz, scene. */
static const bool shown[CXUI_N_LAYOUTS][N_PANES] = {
    [CXUI_LAYOUT_FOUR] = {true, true, true, true},
    [CXUI_LAYOUT_XY] = {true, false, false, false},
    [CXUI_LAYOUT_XZ] = {false, true, false, false},
    [CXUI_LAYOUT_YZ] = {false, false, true, false},
    [CXUI_LAYOUT_SCENE] = {false, false, false, true},
    [CXUI_LAYOUT_XY_SCENE] = {true, false, false, true},
    [CXUI_LAYOUT_XZ_SCENE] = {false, true, false, true},
    [CXUI_LAYOUT_YZ_SCENE] = {false, false, true, true},
};

/* Hidden children give their room to the others of a GtkPaned.  For a slice
 * of the bottom row beside 3-D the rows stand one above the other. */
static void
apply_layout(CxuiWindow *self)
{
    CxuiLayout layout =
        cxui_view_state_layout(cxui_session_view(self->session));
    const bool *on = shown[layout];

    for (int i = 0; i < N_PANES; i++)
        gtk_widget_set_visible(cxui_window_pane(self, i), on[i]);
    gtk_widget_set_visible(self->top_row, on[0] || on[PANE_SCENE]);
    gtk_widget_set_visible(self->bottom_row, on[1] || on[2]);
    if (!on[self->active]) {
        for (int i = N_PANES - 1; i >= 0; i--) {
            if (on[i])
                cxui_window_set_active(self, i);
        }
    }
}

/* Four panes → this pane → this pane and 3-D → four panes. */
void
cxui_window_next_layout(CxuiWindow *self, int pane)
{
    static const CxuiLayout alone[N_PANES] = {
        CXUI_LAYOUT_XY, CXUI_LAYOUT_XZ, CXUI_LAYOUT_YZ, CXUI_LAYOUT_SCENE};
    static const CxuiLayout paired[N_PANES] = {
        CXUI_LAYOUT_XY_SCENE, CXUI_LAYOUT_XZ_SCENE, CXUI_LAYOUT_YZ_SCENE,
        CXUI_LAYOUT_FOUR};
    CxuiViewState *view = cxui_session_view(self->session);
    CxuiLayout layout = cxui_view_state_layout(view);
    CxuiLayout next = layout == CXUI_LAYOUT_FOUR ? alone[pane]
                      : layout == alone[pane]    ? paired[pane]
                                                 : CXUI_LAYOUT_FOUR;

    cxui_view_state_set_layout(view, next);
}

static void
on_layout_asked(GtkWidget *pane, CxuiWindow *self)
{
    for (int i = 0; i < N_PANES; i++) {
        if (cxui_window_pane(self, i) == pane)
            cxui_window_next_layout(self, i);
    }
}

static void
on_menu_asked(GtkWidget *pane, double x, double y, CxuiWindow *self)
{
    cxui_window_menu_at(self, pane, x, y);
}

static void
on_pointed(GtkWidget *pane, gboolean inside, CxVoxel *at, guint64 segment,
           CxuiWindow *self)
{
    cxui_window_show_pointer(self, inside, *at, segment);
}

static void
on_pane_enter(GtkEventController *controller, double x, double y,
              CxuiWindow *self)
{
    GtkWidget *pane = gtk_event_controller_get_widget(controller);

    for (int i = 0; i < N_PANES; i++) {
        if (cxui_window_pane(self, i) == pane)
            cxui_window_set_active(self, i);
    }
}

static void
on_pane_focus(GtkEventController *controller, CxuiWindow *self)
{
    on_pane_enter(controller, 0, 0, self);
}

static void
on_gl_failed(GtkWidget *pane, const char *reason, CxuiWindow *self)
{
    gtk_label_set_text(GTK_LABEL(self->no_gl_details), reason);
    gtk_stack_set_visible_child_name(GTK_STACK(self->pane_stack), "no-gl");
}

static void
add_pane(CxuiWindow *self, GtkWidget *pane)
{
    GtkEventController *motion = gtk_event_controller_motion_new();
    GtkEventController *focus = gtk_event_controller_focus_new();

    g_signal_connect(pane, "gl-failed", G_CALLBACK(on_gl_failed), self);
    g_signal_connect(pane, "layout-asked", G_CALLBACK(on_layout_asked), self);
    g_signal_connect(pane, "menu-asked", G_CALLBACK(on_menu_asked), self);
    g_signal_connect(pane, "pointed", G_CALLBACK(on_pointed), self);
    g_signal_connect(motion, "enter", G_CALLBACK(on_pane_enter), self);
    gtk_widget_add_controller(pane, motion);
    g_signal_connect(focus, "enter", G_CALLBACK(on_pane_focus), self);
    gtk_widget_add_controller(pane, focus);
}

static void
add_panes(CxuiWindow *self)
{
    for (int i = 0; i < PANE_SCENE; i++) {
        self->slices[i] = cxui_slice_view_new(self->session, self->look,
                                              self->hand, (CxglAxis)i);
        add_pane(self, self->slices[i]);
    }
    self->scene = cxui_scene_view_new(self->session, self->look, self->hand);
    add_pane(self, self->scene);
    gtk_paned_set_start_child(GTK_PANED(self->top_row),
                              self->slices[CXGL_AXIS_XY]);
    gtk_paned_set_end_child(GTK_PANED(self->top_row), self->scene);
    gtk_paned_set_start_child(GTK_PANED(self->bottom_row),
                              self->slices[CXGL_AXIS_XZ]);
    gtk_paned_set_end_child(GTK_PANED(self->bottom_row),
                            self->slices[CXGL_AXIS_YZ]);
    cxui_window_set_active(self, 0);
}

static void
add_panels(CxuiWindow *self)
{
    GtkStack *stack = GTK_STACK(self->sidebar_stack);

    self->segment_list = cxui_segment_list_new(self->session, self->look);
    self->history_panel = cxui_history_panel_new(self->session);
    gtk_stack_add_titled(stack, self->segment_list, "segments", "Segments");
    gtk_stack_add_titled(stack, cxui_queue_panel_new(self->session), "queue",
                         "Queue");
    gtk_stack_add_titled(stack, self->history_panel, "history", "History");
    gtk_stack_add_titled(stack, cxui_layer_panel_new(self->session), "layers",
                         "Layers");

    GtkWidget *jobs = cxui_jobs_bar_new(self->session);
    gtk_widget_set_hexpand(jobs, TRUE);
    gtk_box_append(GTK_BOX(self->jobs_box), jobs);

    self->error_bar = cxui_error_bar_new();
    gtk_widget_set_hexpand(self->error_bar, TRUE);
    gtk_box_append(GTK_BOX(self->error_box), self->error_bar);

    CxuiSliceView *slices[3] = {CXUI_SLICE_VIEW(self->slices[0]),
                                CXUI_SLICE_VIEW(self->slices[1]),
                                CXUI_SLICE_VIEW(self->slices[2])};
    self->debug = cxui_debug_overlay_new(self->session);
    cxui_debug_overlay_set_panes(CXUI_DEBUG_OVERLAY(self->debug), slices,
                                 CXUI_SCENE_VIEW(self->scene));
    gtk_widget_set_visible(self->debug, FALSE);
    gtk_overlay_add_overlay(GTK_OVERLAY(self->pane_overlay), self->debug);
}

/* Space: held = image only, tapped = next layout. */
static void
set_raw(CxuiWindow *self, bool raw)
{
    for (int i = 0; i < PANE_SCENE; i++)
        cxui_slice_view_set_raw(CXUI_SLICE_VIEW(self->slices[i]), raw);
}

static gboolean
on_key_pressed(GtkEventControllerKey *keys, guint keyval, guint code,
               GdkModifierType modifiers, CxuiWindow *self)
{
    /* Esc answers an open question before it closes a toast. */
    if (keyval == GDK_KEY_Escape && gtk_widget_get_visible(self->ask_bar)) {
        gtk_widget_activate_action(GTK_WIDGET(self), "win.cancel", NULL);
        return TRUE;
    }
    if (keyval != GDK_KEY_space ||
        (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK)))
        return FALSE;
    if (!self->space_held) {
        self->space_held = true;
        self->space_at = g_get_monotonic_time();
        set_raw(self, true);
    }
    return TRUE;
}

static void
on_key_released(GtkEventControllerKey *keys, guint keyval, guint code,
                GdkModifierType modifiers, CxuiWindow *self)
{
    if (keyval != GDK_KEY_space || !self->space_held)
        return;
    self->space_held = false;
    set_raw(self, false);
    if (g_get_monotonic_time() - self->space_at < TAP_US)
        cxui_window_next_layout(self, self->active);
}

static void
on_keys_left(GtkEventController *focus, CxuiWindow *self)
{
    self->space_held = false;
    set_raw(self, false);
}

static void
add_keys(CxuiWindow *self)
{
    GtkEventController *keys = gtk_event_controller_key_new();
    GtkEventController *focus = gtk_event_controller_focus_new();

    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key_pressed), self);
    g_signal_connect(keys, "key-released", G_CALLBACK(on_key_released), self);
    gtk_widget_add_controller(self->rows, keys);
    g_signal_connect(focus, "leave", G_CALLBACK(on_keys_left), self);
    gtk_widget_add_controller(self->rows, focus);
}

static void
on_view_changed(CxuiViewState *view, guint flags, CxuiWindow *self)
{
    if (flags & CXUI_VIEW_LAYOUT) {
        apply_layout(self);
        cxui_window_update_actions(self);
    }
}

/* Sizes are known after the first allocation: divide the room, and show the
 * whole of data that nobody has looked at yet. */
static gboolean
frame_data(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    CxuiWindow *self = CXUI_WINDOW(widget);
    CxuiViewState *view = cxui_session_view(self->session);
    int width = gtk_widget_get_width(self->rows);
    int height = gtk_widget_get_height(self->rows);

    if (!cxui_session_is_open(self->session))
        return G_SOURCE_REMOVE;
    if (width < 2 || height < 2)
        return G_SOURCE_CONTINUE;
    if (self->divided == 0) {
        int all = gtk_widget_get_width(self->main_paned);
        gtk_paned_set_position(GTK_PANED(self->main_paned),
                               all - SIDEBAR_WIDTH);
        self->divided = 1;
        return G_SOURCE_CONTINUE;
    }
    if (self->divided == 1) {
        self->divided = 2;
        gtk_paned_set_position(GTK_PANED(self->rows), height * 58 / 100);
        gtk_paned_set_position(GTK_PANED(self->top_row), width * 56 / 100);
        gtk_paned_set_position(GTK_PANED(self->bottom_row), width / 2);
        return G_SOURCE_CONTINUE;
    }
    if (!cxui_view_state_is_framed(view))
        cxui_slice_view_fit(CXUI_SLICE_VIEW(self->slices[0]));
    return G_SOURCE_REMOVE;
}

static void
on_opened(CxuiSession *session, CxuiWindow *self)
{
    CxuiApplication *application =
        CXUI_APPLICATION(gtk_window_get_application(GTK_WINDOW(self)));

    cxui_error_bar_dismiss(CXUI_ERROR_BAR(self->error_bar));
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "work");
    cxui_window_set_mode(self, MODE_PROOFREAD);
    gtk_widget_set_visible(self->status_line, TRUE);
    apply_layout(self);
    cxui_window_remember_recent(self);
    cxui_window_update_title(self);
    cxui_window_update_mode(self);
    cxui_window_update_actions(self);
    cxui_application_update_scheme(application);
    gtk_widget_child_focus(self->slices[0], GTK_DIR_TAB_FORWARD);
    gtk_widget_add_tick_callback(GTK_WIDGET(self), frame_data, NULL, NULL);
}

static void
on_closed(CxuiSession *session, CxuiWindow *self)
{
    GtkApplication *application = gtk_window_get_application(GTK_WINDOW(self));

    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "empty");
    gtk_widget_set_visible(self->status_line, self->mode != MODE_PROOFREAD);
    cxui_window_update_title(self);
    cxui_window_update_actions(self);
    if (application != NULL)
        cxui_application_update_scheme(CXUI_APPLICATION(application));
}

/* While something opens and nothing is open, say so. */
static void
on_state_changed(CxuiSession *session, CxuiWindow *self)
{
    const char *page = cxui_session_is_open(session)      ? "work"
                       : cxui_session_is_opening(session) ? "opening"
                                                          : "empty";

    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), page);
    cxui_window_update_title(self);
    cxui_window_update_actions(self);
}

static void
follow_session(CxuiWindow *self)
{
    CxuiSession *session = self->session;

    g_signal_connect_object(session, "opened", G_CALLBACK(on_opened), self, 0);
    g_signal_connect_object(session, "closed", G_CALLBACK(on_closed), self, 0);
    g_signal_connect_object(session, "state-changed",
                            G_CALLBACK(on_state_changed), self, 0);
    g_signal_connect_object(cxui_session_view(session), "changed",
                            G_CALLBACK(on_view_changed), self, 0);
}

static void
restore_size(CxuiWindow *self, CxuiSettings *settings)
{
    int width = 0;
    int height = 0;
    gboolean maximized = FALSE;

    g_object_get(settings, "window-width", &width, "window-height", &height,
                 "window-maximized", &maximized, NULL);
    gtk_window_set_default_size(GTK_WINDOW(self), width, height);
    if (maximized)
        gtk_window_maximize(GTK_WINDOW(self));
    g_object_bind_property(settings, "show-sidebar", self->sidebar, "visible",
                           G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL);
}

static gboolean
cxui_window_close_request(GtkWindow *window)
{
    CxuiWindow *self = CXUI_WINDOW(window);
    int width = 0;
    int height = 0;

    gtk_window_get_default_size(window, &width, &height);
    g_object_set(cxui_session_settings(self->session), "window-width", width,
                 "window-height", height, "window-maximized",
                 gtk_window_is_maximized(window), NULL);
    cxui_session_close(self->session);
    return GTK_WINDOW_CLASS(cxui_window_parent_class)->close_request(window);
}

bool
cxui_window_has_data(CxuiWindow *self)
{
    return cxui_session_is_open(self->session) ||
           cxui_session_is_opening(self->session);
}

CxuiWindow *
cxui_window_new(CxuiApplication *application)
{
    CxuiWindow *self =
        g_object_new(CXUI_TYPE_WINDOW, "application", application, NULL);
    CxuiSettings *settings = cxui_application_settings(application);

    self->session = cxui_session_new(settings);
    self->look = cxui_segment_look_new(self->session);
    self->hand = cxui_hand_new(self->session);
    add_panes(self);
    add_panels(self);
    cxui_window_add_actions(self);
    cxui_window_add_growing(self);
    cxui_window_add_opening(self);
    cxui_window_add_status(self);
    add_keys(self);
    cxui_window_add_modes(self);
    follow_session(self);
    restore_size(self, settings);
    cxui_window_update_actions(self);
    return self;
}

static void
cxui_window_dispose(GObject *object)
{
    CxuiWindow *self = CXUI_WINDOW(object);

    cxui_window_stop_modes(self);
    g_clear_object(&self->chooser);
    g_clear_pointer(&self->go_to_popover, gtk_widget_unparent);
    g_clear_pointer(&self->pane_menu, gtk_widget_unparent);
    G_OBJECT_CLASS(cxui_window_parent_class)->dispose(object);
    g_clear_object(&self->stage);
    g_clear_object(&self->hand);
    g_clear_object(&self->look);
    g_clear_object(&self->session);
}

static void
cxui_window_init(CxuiWindow *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

static void
bind_template(GtkWidgetClass *widget_class)
{
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiWindow, name)
    BIND(title);
    BIND(open_button);
    BIND(undo_button);
    BIND(redo_button);
    BIND(menu_button);
    BIND(sidebar_button);
    BIND(segment_button);
    BIND(mode_box);
    BIND(drop_overlay);
    BIND(error_box);
    BIND(toasts);
    BIND(stack);
    BIND(empty_page);
    BIND(opening_page);
    BIND(recent_list);
    BIND(rail);
    BIND(main_paned);
    BIND(pane_stack);
    BIND(pane_overlay);
    BIND(no_gl_details);
    BIND(rows);
    BIND(top_row);
    BIND(bottom_row);
    BIND(sidebar);
    BIND(sidebar_stack);
    BIND(drop_hint);
    BIND(status_line);
    BIND(mode_label);
    BIND(hint_label);
    BIND(position_button);
    BIND(hover_label);
    BIND(jobs_box);
    BIND(recent_section);
    BIND(model_section);
#undef BIND
}

static void
cxui_window_class_init(CxuiWindowClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_window_dispose;
    GTK_WINDOW_CLASS(klass)->close_request = cxui_window_close_request;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/window.ui");
    bind_template(widget_class);
}
