/* A widget that shows one figure.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_view.h"

#include <adwaita.h>
#include <math.h>

#define EXPORT_WIDTH 640
#define EXPORT_HEIGHT 400

struct _CxuiPlotView {
    GtkWidget parent;
    CxuiFigure *figure;
    CxuiPlotTheme theme;
    cairo_surface_t *picture; /* of the figure without its cursor */
    unsigned picture_serial;
    int picture_width, picture_height, picture_density;
    int last_part; /* under the brush */
};

enum {
    SEEK,
    PART,
    BRUSH,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(CxuiPlotView, cxui_plot_view, GTK_TYPE_WIDGET)

static CxuiFigureFrame
frame_of(CxuiPlotView *self)
{
    return (CxuiFigureFrame){gtk_widget_get_width(GTK_WIDGET(self)),
                             gtk_widget_get_height(GTK_WIDGET(self)),
                             &self->theme};
}

static void
drop_picture(CxuiPlotView *self)
{
    g_clear_pointer(&self->picture, cairo_surface_destroy);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
make_picture(CxuiPlotView *self, const CxuiFigureFrame *frame)
{
    int width = (int)frame->width;
    int height = (int)frame->height;
    int density = gtk_widget_get_scale_factor(GTK_WIDGET(self));

    if (self->picture != NULL && self->picture_serial == self->figure->serial &&
        self->picture_width == width && self->picture_height == height &&
        self->picture_density == density)
        return;
    g_clear_pointer(&self->picture, cairo_surface_destroy);
    self->picture = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, width * density, height * density);
    cairo_surface_set_device_scale(self->picture, density, density);
    self->picture_serial = self->figure->serial;
    self->picture_width = width;
    self->picture_height = height;
    self->picture_density = density;
    cairo_t *cr = cairo_create(self->picture);
    cxui_plot_source(cr, self->theme.ground);
    cairo_paint(cr);
    self->figure->class->draw(self->figure, cr, frame);
    cairo_destroy(cr);
}

static void
cxui_plot_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    CxuiPlotView *self = CXUI_PLOT_VIEW(widget);
    CxuiFigureFrame frame = frame_of(self);
    graphene_rect_t bounds =
        GRAPHENE_RECT_INIT(0, 0, (float)frame.width, (float)frame.height);

    if (frame.width < 1.0 || frame.height < 1.0)
        return;
    make_picture(self, &frame);
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
    cairo_set_source_surface(cr, self->picture, 0.0, 0.0);
    cairo_paint(cr);
    if (self->figure->class->draw_cursor != NULL)
        self->figure->class->draw_cursor(self->figure, cr, &frame);
    cairo_destroy(cr);
}

/* --- pointer */

static void
seek_to(CxuiPlotView *self, double x, double y)
{
    CxuiFigureFrame frame = frame_of(self);
    double value = NAN;

    if (self->figure->class->value_at != NULL)
        value = self->figure->class->value_at(self->figure, &frame, x, y);
    if (!isnan(value))
        g_signal_emit(self, signals[SEEK], 0, value);
}

static int
part_under(CxuiPlotView *self, double x, double y)
{
    CxuiFigureFrame frame = frame_of(self);

    return self->figure->class->part_at != NULL
               ? self->figure->class->part_at(self->figure, &frame, x, y)
               : -1;
}

static void
brush_to(CxuiPlotView *self, GtkGesture *gesture, double x, double y)
{
    int part = part_under(self, x, y);
    guint button =
        gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture));

    if (part >= 0 && part != self->last_part)
        g_signal_emit(self, signals[BRUSH], 0, part, button);
    self->last_part = part;
}

static void
on_pressed(GtkGestureClick *click, int n, double x, double y,
           CxuiPlotView *self)
{
    int part = part_under(self, x, y);
    guint button =
        gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(click));

    if (part >= 0)
        g_signal_emit(self, signals[PART], 0, part, button, n);
}

static void
on_drag_begin(GtkGestureDrag *drag, double x, double y, CxuiPlotView *self)
{
    self->last_part = -1;
    brush_to(self, GTK_GESTURE(drag), x, y);
    seek_to(self, x, y);
}

static void
on_drag_update(GtkGestureDrag *drag, double dx, double dy, CxuiPlotView *self)
{
    double x = 0.0;
    double y = 0.0;

    gtk_gesture_drag_get_start_point(drag, &x, &y);
    brush_to(self, GTK_GESTURE(drag), x + dx, y + dy);
    seek_to(self, x + dx, y + dy);
}

/* --- theme */

static void
on_dark_changed(CxuiPlotView *self)
{
    bool dark = adw_style_manager_get_dark(adw_style_manager_get_default());

    self->theme = cxui_plot_theme(dark, self->theme.scale);
    drop_picture(self);
}

void
cxui_plot_view_set_scale(CxuiPlotView *self, double scale)
{
    if (scale == self->theme.scale)
        return;
    self->theme = cxui_plot_theme(self->theme.dark, scale);
    drop_picture(self);
}

CxuiFigure *
cxui_plot_view_figure(CxuiPlotView *self)
{
    return self->figure;
}

void
cxui_plot_view_update(CxuiPlotView *self)
{
    if (self->picture == NULL || self->picture_serial != self->figure->serial)
        gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
cxui_plot_view_set_cursor(CxuiPlotView *self, double cursor)
{
    if (cursor == self->figure->cursor ||
        (isnan(cursor) && isnan(self->figure->cursor)))
        return;
    self->figure->cursor = cursor;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

bool
cxui_plot_view_save(CxuiPlotView *self, const char *path, GError **error)
{
    CxuiFigureFrame frame = frame_of(self);

    if (frame.width < 100.0 || frame.height < 60.0) {
        frame.width = EXPORT_WIDTH;
        frame.height = EXPORT_HEIGHT;
    }
    return cxui_figure_save(self->figure, &frame, path, error);
}

static void
collect(GtkWidget *widget, GPtrArray *views)
{
    if (!gtk_widget_get_child_visible(widget) ||
        !gtk_widget_get_visible(widget))
        return;
    if (CXUI_IS_PLOT_VIEW(widget))
        g_ptr_array_add(views, widget);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
         child = gtk_widget_get_next_sibling(child))
        collect(child, views);
}

GPtrArray *
cxui_plot_views_below(GtkWidget *widget)
{
    GPtrArray *views = g_ptr_array_new();

    collect(widget, views);
    return views;
}

GtkWidget *
cxui_plot_view_new(CxuiFigure *figure, const char *label)
{
    CxuiPlotView *self = g_object_new(CXUI_TYPE_PLOT_VIEW, "accessible-role",
                                      GTK_ACCESSIBLE_ROLE_IMG, NULL);

    self->figure = figure;
    gtk_accessible_update_property(GTK_ACCESSIBLE(self),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
    return GTK_WIDGET(self);
}

static void
cxui_plot_view_finalize(GObject *object)
{
    CxuiPlotView *self = CXUI_PLOT_VIEW(object);

    g_clear_pointer(&self->picture, cairo_surface_destroy);
    cxui_figure_free(self->figure);
    G_OBJECT_CLASS(cxui_plot_view_parent_class)->finalize(object);
}

static void
cxui_plot_view_class_init(CxuiPlotViewClass *class)
{
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = cxui_plot_view_finalize;
    GTK_WIDGET_CLASS(class)->snapshot = cxui_plot_view_snapshot;
    signals[SEEK] = g_signal_new("seek", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 1, G_TYPE_DOUBLE);
    signals[PART] =
        g_signal_new("part", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 3, G_TYPE_INT, G_TYPE_UINT, G_TYPE_INT);
    signals[BRUSH] =
        g_signal_new("brush", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_UINT);
}

static void
cxui_plot_view_init(CxuiPlotView *self)
{
    GtkGesture *click = gtk_gesture_click_new();
    GtkGesture *drag = gtk_gesture_drag_new();

    self->theme = cxui_plot_theme(
        adw_style_manager_get_dark(adw_style_manager_get_default()), 1.0);
    self->last_part = -1;
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(click), 0);
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), 0);
    g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), self);
    g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(click));
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drag));
    g_signal_connect_object(adw_style_manager_get_default(), "notify::dark",
                            G_CALLBACK(on_dark_changed), self,
                            G_CONNECT_SWAPPED);
}
