/* A small square in the colour of a segment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/swatch.h"

#define SIZE 14

struct _CxuiSwatch {
    GtkWidget parent;
    CxglColour colour;
    bool hollow;
};

G_DEFINE_FINAL_TYPE(CxuiSwatch, cxui_swatch, GTK_TYPE_WIDGET)

static void
cxui_swatch_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    CxuiSwatch *self = CXUI_SWATCH(widget);
    float x = (float)(gtk_widget_get_width(widget) - SIZE) / 2;
    float y = (float)(gtk_widget_get_height(widget) - SIZE) / 2;
    GdkRGBA colour = {(float)self->colour.r / 255, (float)self->colour.g / 255,
                      (float)self->colour.b / 255, 1};
    GskRoundedRect outline;

    gsk_rounded_rect_init_from_rect(&outline,
                                    &GRAPHENE_RECT_INIT(x, y, SIZE, SIZE), 3);
    if (self->hollow) {
        float widths[4] = {2, 2, 2, 2};
        GdkRGBA colours[4] = {colour, colour, colour, colour};
        gtk_snapshot_append_border(snapshot, &outline, widths, colours);
        return;
    }
    gtk_snapshot_push_rounded_clip(snapshot, &outline);
    gtk_snapshot_append_color(snapshot, &colour, &outline.bounds);
    gtk_snapshot_pop(snapshot);
}

static void
cxui_swatch_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                    int *minimum, int *natural, int *minimum_baseline,
                    int *natural_baseline)
{
    *minimum = SIZE;
    *natural = SIZE;
}

GtkWidget *
cxui_swatch_new(void)
{
    return g_object_new(CXUI_TYPE_SWATCH, "accessible-role",
                        GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);
}

void
cxui_swatch_set(CxuiSwatch *self, CxglColour colour, bool hollow)
{
    if (self->colour.r == colour.r && self->colour.g == colour.g &&
        self->colour.b == colour.b && self->hollow == hollow)
        return;
    self->colour = colour;
    self->hollow = hollow;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
cxui_swatch_init(CxuiSwatch *self)
{
}

static void
cxui_swatch_class_init(CxuiSwatchClass *klass)
{
    GTK_WIDGET_CLASS(klass)->snapshot = cxui_swatch_snapshot;
    GTK_WIDGET_CLASS(klass)->measure = cxui_swatch_measure;
}
