/* A failure as a sentence with a Details fold.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/error_bar.h"

struct _CxuiErrorBar {
    GtkWidget parent;
    GtkWidget *revealer;
    GtkWidget *sentence;
    GtkWidget *toggle;
    GtkWidget *fold;
    GtkWidget *details;
};

G_DEFINE_FINAL_TYPE(CxuiErrorBar, cxui_error_bar, GTK_TYPE_WIDGET)

void
cxui_error_bar_show(CxuiErrorBar *self, const char *sentence,
                    const char *details)
{
    bool more = details != NULL && details[0] != '\0';

    gtk_label_set_text(GTK_LABEL(self->sentence), sentence);
    gtk_label_set_text(GTK_LABEL(self->details), more ? details : "");
    gtk_widget_set_visible(self->toggle, more);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->toggle), FALSE);
    gtk_revealer_set_reveal_child(GTK_REVEALER(self->revealer), TRUE);
}

void
cxui_error_bar_dismiss(CxuiErrorBar *self)
{
    gtk_revealer_set_reveal_child(GTK_REVEALER(self->revealer), FALSE);
}

GtkWidget *
cxui_error_bar_new(void)
{
    return g_object_new(CXUI_TYPE_ERROR_BAR, NULL);
}

static GtkWidget *
new_line(CxuiErrorBar *self)
{
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *icon = gtk_image_new_from_icon_name("dialog-warning-symbolic");
    GtkWidget *close = gtk_button_new_from_icon_name("window-close-symbolic");

    self->sentence = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(self->sentence), 0);
    gtk_label_set_wrap(GTK_LABEL(self->sentence), TRUE);
    gtk_label_set_selectable(GTK_LABEL(self->sentence), TRUE);
    gtk_widget_set_hexpand(self->sentence, TRUE);
    self->toggle = gtk_toggle_button_new_with_label("Details");
    gtk_widget_add_css_class(self->toggle, "flat");
    gtk_widget_set_valign(self->toggle, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(close, "flat");
    gtk_widget_set_valign(close, GTK_ALIGN_CENTER);
    gtk_widget_set_tooltip_text(close, "Dismiss");
    gtk_accessible_update_property(GTK_ACCESSIBLE(close),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Dismiss the message", -1);
    g_signal_connect_swapped(close, "clicked",
                             G_CALLBACK(cxui_error_bar_dismiss), self);
    gtk_box_append(GTK_BOX(line), icon);
    gtk_box_append(GTK_BOX(line), self->sentence);
    gtk_box_append(GTK_BOX(line), self->toggle);
    gtk_box_append(GTK_BOX(line), close);
    return line;
}

static void
cxui_error_bar_dispose(GObject *object)
{
    CxuiErrorBar *self = CXUI_ERROR_BAR(object);

    g_clear_pointer(&self->revealer, gtk_widget_unparent);
    G_OBJECT_CLASS(cxui_error_bar_parent_class)->dispose(object);
}

static void
cxui_error_bar_init(CxuiErrorBar *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    self->revealer = gtk_revealer_new();
    gtk_widget_set_parent(self->revealer, GTK_WIDGET(self));
    gtk_widget_add_css_class(box, "error-bar");
    gtk_box_append(GTK_BOX(box), new_line(self));
    self->details = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(self->details), 0);
    gtk_label_set_wrap(GTK_LABEL(self->details), TRUE);
    gtk_label_set_selectable(GTK_LABEL(self->details), TRUE);
    gtk_widget_set_margin_start(self->details, 28);
    self->fold = gtk_revealer_new();
    gtk_revealer_set_child(GTK_REVEALER(self->fold), self->details);
    g_object_bind_property(self->toggle, "active", self->fold, "reveal-child",
                           G_BINDING_DEFAULT);
    gtk_box_append(GTK_BOX(box), self->fold);
    gtk_revealer_set_child(GTK_REVEALER(self->revealer), box);
}

static void
cxui_error_bar_class_init(CxuiErrorBarClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = cxui_error_bar_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass),
                                             GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(klass),
                                         GTK_ACCESSIBLE_ROLE_ALERT);
}
