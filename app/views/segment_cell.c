/* One row of the segment list.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/segment_cell.h"

#include "app/views/format.h"
#include "app/views/swatch.h"

struct _CxuiSegmentCell {
    GtkWidget parent;
    GtkWidget *swatch;
    GtkWidget *text; /* box of the two lines */
    GtkWidget *id;
    GtkWidget *facts;
    GtkWidget *lock;

    CxuiSession *session; /* owned references */
    CxuiSegmentLook *look;
    CxuiSegmentItem *item;
};

G_DEFINE_FINAL_TYPE(CxuiSegmentCell, cxui_segment_cell, GTK_TYPE_WIDGET)

static void
show_colour(CxuiSegmentCell *self)
{
    if (self->item == NULL)
        return;
    CxId id = cxui_segment_item_id(self->item);
    CxuiSelection *selection = cxui_session_selection(self->session);
    cxui_swatch_set(CXUI_SWATCH(self->swatch),
                    cxui_segment_look_colour(self->look, id),
                    cxui_selection_is_hidden(selection, id));
}

static void
show_item(CxuiSegmentCell *self)
{
    if (self->item == NULL)
        return;
    g_autofree char *id = cxui_format_id(cxui_segment_item_id(self->item));
    g_autofree char *volume =
        cxui_format_volume(cxui_segment_item_volume_um3(self->item));
    g_autofree char *pieces = cxui_format_count(
        cxui_segment_item_n_supervoxels(self->item), "piece", "pieces");
    const char *note = cxui_segment_item_note(self->item);
    g_autofree char *facts = note[0] != '\0'
                                 ? g_strdup_printf("%s · %s", volume, note)
                                 : g_strdup_printf("%s · %s", volume, pieces);

    gtk_label_set_text(GTK_LABEL(self->id), id);
    gtk_label_set_text(GTK_LABEL(self->facts), facts);
    gtk_widget_set_visible(self->lock, cxui_segment_item_is_locked(self->item));
    show_colour(self);
}

void
cxui_segment_cell_set_item(CxuiSegmentCell *self, CxuiSegmentItem *item)
{
    if (self->item != NULL)
        g_signal_handlers_disconnect_by_func(self->item, G_CALLBACK(show_item),
                                             self);
    g_set_object(&self->item, item);
    if (item == NULL)
        return;
    g_signal_connect_object(item, "notify", G_CALLBACK(show_item), self,
                            G_CONNECT_SWAPPED);
    show_item(self);
}

static void
on_look_changed(CxuiSegmentLook *look, gboolean only_hover,
                CxuiSegmentCell *self)
{
    if (!only_hover)
        show_colour(self);
}

GtkWidget *
cxui_segment_cell_new(CxuiSession *session, CxuiSegmentLook *look)
{
    CxuiSegmentCell *self = g_object_new(CXUI_TYPE_SEGMENT_CELL, NULL);

    self->session = g_object_ref(session);
    self->look = g_object_ref(look);
    g_signal_connect_object(look, "changed", G_CALLBACK(on_look_changed), self,
                            0);
    return GTK_WIDGET(self);
}

static GtkWidget *
add_line(GtkWidget *box, const char *css_class)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(label, "numeric");
    gtk_widget_add_css_class(label, css_class);
    gtk_box_append(GTK_BOX(box), label);
    return label;
}

static void
cxui_segment_cell_dispose(GObject *object)
{
    CxuiSegmentCell *self = CXUI_SEGMENT_CELL(object);

    g_clear_pointer(&self->swatch, gtk_widget_unparent);
    g_clear_pointer(&self->text, gtk_widget_unparent);
    g_clear_pointer(&self->lock, gtk_widget_unparent);
    g_clear_object(&self->session);
    g_clear_object(&self->look);
    g_clear_object(&self->item);
    G_OBJECT_CLASS(cxui_segment_cell_parent_class)->dispose(object);
}

static void
cxui_segment_cell_init(CxuiSegmentCell *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    GtkLayoutManager *layout = gtk_widget_get_layout_manager(widget);

    gtk_box_layout_set_spacing(GTK_BOX_LAYOUT(layout), 12);
    gtk_widget_add_css_class(widget, "segment-row");
    self->swatch = cxui_swatch_new();
    gtk_widget_set_parent(self->swatch, widget);
    self->text = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_set_hexpand(self->text, TRUE);
    gtk_widget_set_valign(self->text, GTK_ALIGN_CENTER);
    self->id = add_line(self->text, "segment-id");
    self->facts = add_line(self->text, "caption-dim");
    gtk_widget_set_parent(self->text, widget);
    self->lock = gtk_image_new_from_icon_name("changes-prevent-symbolic");
    gtk_widget_set_tooltip_text(self->lock, "Locked");
    gtk_widget_set_parent(self->lock, widget);
}

static void
cxui_segment_cell_class_init(CxuiSegmentCellClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = cxui_segment_cell_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass),
                                             GTK_TYPE_BOX_LAYOUT);
}
