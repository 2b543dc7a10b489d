/* Wires the pointer and keys of a pane.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/pane_gestures.h"

static void
connect(void *controller, const char *signal, GCallback handler, void *data)
{
    if (handler != NULL)
        g_signal_connect(controller, signal, handler, data);
}

static GtkGesture *
add_button_gesture(GtkWidget *area, GtkGesture *gesture, guint button)
{
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(gesture), button);
    gtk_widget_add_controller(area, GTK_EVENT_CONTROLLER(gesture));
    return gesture;
}

static void
add_buttons(GtkWidget *area, const CxuiPaneHandlers *handlers, void *data)
{
    GtkGesture *click =
        add_button_gesture(area, gtk_gesture_click_new(), GDK_BUTTON_PRIMARY);
    connect(click, "released", handlers->click, data);

    GtkGesture *drag =
        add_button_gesture(area, gtk_gesture_drag_new(), GDK_BUTTON_PRIMARY);
    connect(drag, "drag-begin", handlers->drag_begin, data);
    connect(drag, "drag-update", handlers->drag_update, data);
    connect(drag, "drag-end", handlers->drag_end, data);

    GtkGesture *centre =
        add_button_gesture(area, gtk_gesture_click_new(), GDK_BUTTON_SECONDARY);
    connect(centre, "released", handlers->centre, data);
    GtkGesture *held = add_button_gesture(area, gtk_gesture_long_press_new(),
                                          GDK_BUTTON_SECONDARY);
    connect(held, "pressed", handlers->menu, data);
}

void
cxui_pane_add_gestures(GtkWidget *area, GtkWidget *title,
                       const CxuiPaneHandlers *handlers, void *data)
{
    GtkEventController *motion = gtk_event_controller_motion_new();
    connect(motion, "enter", handlers->enter, data);
    connect(motion, "motion", handlers->motion, data);
    connect(motion, "leave", handlers->leave, data);
    gtk_widget_add_controller(area, motion);

    GtkEventController *scroll =
        gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
    connect(scroll, "scroll", handlers->scroll, data);
    gtk_widget_add_controller(area, scroll);

    add_buttons(area, handlers, data);

    GtkEventController *keys = gtk_event_controller_key_new();
    connect(keys, "key-pressed", handlers->key, data);
    gtk_widget_add_controller(area, keys);

    GtkGesture *press = gtk_gesture_click_new();
    connect(press, "pressed", handlers->title, data);
    gtk_widget_add_controller(title, GTK_EVENT_CONTROLLER(press));
}
