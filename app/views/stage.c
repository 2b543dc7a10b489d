/* Stage mode.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/stage.h"

#include "app/views/plot_view.h"

#include <math.h>

#define PLOT_SCALE 1.45
#define RING_SIZE 56
#define KEYS_SHOWN_MS 1400

struct _CxuiStage {
    GObject parent;
    GtkWindow *window;   /* borrowed */
    GtkOverlay *overlay; /* borrowed */
    GtkWidget *keys, *ring;
    GtkEventController *listener, *motion; /* of the window, or NULL */
    guint hide;
    bool active;
};

G_DEFINE_FINAL_TYPE(CxuiStage, cxui_stage, G_TYPE_OBJECT)

/* --- keys */

static gboolean
hide_keys(gpointer data)
{
    CxuiStage *self = data;

    self->hide = 0;
    gtk_widget_set_visible(self->keys, FALSE);
    return G_SOURCE_REMOVE;
}

static bool
is_modifier(guint keyval)
{
    return keyval >= GDK_KEY_Shift_L && keyval <= GDK_KEY_Hyper_R;
}

static gboolean
on_key(GtkEventControllerKey *keys, guint keyval, guint code,
       GdkModifierType modifiers, CxuiStage *self)
{
    const GdkModifierType shown =
        GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK;

    if (is_modifier(keyval))
        return FALSE;
    g_autofree char *label =
        gtk_accelerator_get_label(keyval, modifiers & shown);
    gtk_label_set_text(GTK_LABEL(self->keys), label);
    gtk_widget_set_visible(self->keys, TRUE);
    g_clear_handle_id(&self->hide, g_source_remove);
    self->hide = g_timeout_add(KEYS_SHOWN_MS, hide_keys, self);
    return FALSE;
}

/* --- pointer */

static void
draw_ring(GtkDrawingArea *area, cairo_t *cr, int width, int height,
          gpointer data)
{
    cairo_arc(cr, width / 2.0, height / 2.0, width / 2.0 - 4.0, 0.0,
              2.0 * G_PI);
    cairo_set_line_width(cr, 5.0);
    cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.45);
    cairo_stroke_preserve(cr);
    cairo_set_line_width(cr, 3.0);
    cairo_set_source_rgba(cr, 1.0, 0.78, 0.2, 0.95);
    cairo_stroke(cr);
}

static void
on_motion(GtkEventControllerMotion *motion, double x, double y, CxuiStage *self)
{
    double ox = 0.0;
    double oy = 0.0;

    if (!gtk_widget_translate_coordinates(GTK_WIDGET(self->window),
                                          GTK_WIDGET(self->overlay), x, y, &ox,
                                          &oy))
        return;
    int left = (int)lround(ox) - RING_SIZE / 2;
    int top = (int)lround(oy) - RING_SIZE / 2;
    gtk_widget_set_visible(self->ring, left >= 0 && top >= 0);
    gtk_widget_set_margin_start(self->ring, MAX(left, 0));
    gtk_widget_set_margin_top(self->ring, MAX(top, 0));
}

static void
on_leave(GtkEventControllerMotion *motion, CxuiStage *self)
{
    gtk_widget_set_visible(self->ring, FALSE);
}

/* --- switching */

static void
listen(CxuiStage *self)
{
    self->listener = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(self->listener,
                                               GTK_PHASE_CAPTURE);
    g_signal_connect(self->listener, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self->window), self->listener);
    self->motion = gtk_event_controller_motion_new();
    gtk_event_controller_set_propagation_phase(self->motion, GTK_PHASE_CAPTURE);
    g_signal_connect(self->motion, "motion", G_CALLBACK(on_motion), self);
    g_signal_connect(self->motion, "leave", G_CALLBACK(on_leave), self);
    gtk_widget_add_controller(GTK_WIDGET(self->window), self->motion);
}

static void
stop_listening(CxuiStage *self)
{
    gtk_widget_remove_controller(GTK_WIDGET(self->window), self->listener);
    gtk_widget_remove_controller(GTK_WIDGET(self->window), self->motion);
    self->listener = NULL;
    self->motion = NULL;
    gtk_widget_set_visible(self->ring, FALSE);
    gtk_widget_set_visible(self->keys, FALSE);
    g_clear_handle_id(&self->hide, g_source_remove);
}

static void
scale_plots(GtkWidget *widget, double scale)
{
    if (CXUI_IS_PLOT_VIEW(widget))
        cxui_plot_view_set_scale(CXUI_PLOT_VIEW(widget), scale);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
         child = gtk_widget_get_next_sibling(child))
        scale_plots(child, scale);
}

void
cxui_stage_set_active(CxuiStage *self, bool active)
{
    if (active != self->active) {
        self->active = active;
        if (active) {
            gtk_widget_add_css_class(GTK_WIDGET(self->window), "stage");
            listen(self);
        } else {
            gtk_widget_remove_css_class(GTK_WIDGET(self->window), "stage");
            stop_listening(self);
        }
    }
    scale_plots(GTK_WIDGET(self->window), active ? PLOT_SCALE : 1.0);
}

bool
cxui_stage_is_active(CxuiStage *self)
{
    return self->active;
}

CxuiStage *
cxui_stage_new(GtkWindow *window, GtkOverlay *overlay)
{
    CxuiStage *self = g_object_new(CXUI_TYPE_STAGE, NULL);

    self->window = window;
    self->overlay = overlay;
    self->keys = gtk_label_new(NULL);
    gtk_widget_add_css_class(self->keys, "stage-keys");
    gtk_widget_set_halign(self->keys, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(self->keys, GTK_ALIGN_END);
    gtk_widget_set_can_target(self->keys, FALSE);
    gtk_widget_set_visible(self->keys, FALSE);
    gtk_overlay_add_overlay(overlay, self->keys);
    self->ring = gtk_drawing_area_new();
    gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(self->ring), RING_SIZE);
    gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(self->ring),
                                        RING_SIZE);
    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(self->ring), draw_ring,
                                   NULL, NULL);
    gtk_widget_set_halign(self->ring, GTK_ALIGN_START);
    gtk_widget_set_valign(self->ring, GTK_ALIGN_START);
    gtk_widget_set_can_target(self->ring, FALSE);
    gtk_widget_set_visible(self->ring, FALSE);
    gtk_overlay_add_overlay(overlay, self->ring);
    return self;
}

static void
finalize(GObject *object)
{
    g_clear_handle_id(&CXUI_STAGE(object)->hide, g_source_remove);
    G_OBJECT_CLASS(cxui_stage_parent_class)->finalize(object);
}

static void
cxui_stage_class_init(CxuiStageClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void
cxui_stage_init(CxuiStage *self)
{
}
