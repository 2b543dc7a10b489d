/* Controls that the Retina and Models pages are made of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_parts.h"

#include "app/views/bindings.h"

#include <math.h>

static void
set_name(GtkWidget *widget, const char *name)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

GtkWidget *
cxui_part_column(void)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    gtk_widget_set_margin_start(box, 12);
    gtk_widget_set_margin_end(box, 12);
    gtk_widget_set_margin_top(box, 6);
    gtk_widget_set_margin_bottom(box, 12);
    return box;
}

GtkWidget *
cxui_part_scrolled(GtkWidget *column, int width)
{
    GtkWidget *scrolled = gtk_scrolled_window_new();

    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled),
                                   GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), column);
    gtk_widget_set_size_request(scrolled, width, -1);
    return scrolled;
}

GtkWidget *
cxui_part_heading(GtkWidget *box, const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0.0F);
    gtk_widget_add_css_class(label, "heading");
    gtk_widget_set_margin_top(label, 6);
    gtk_box_append(GTK_BOX(box), label);
    return label;
}

GtkWidget *
cxui_part_text(GtkWidget *box, const char *text, bool dim)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0.0F);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_width_chars(GTK_LABEL(label), 12);
    gtk_widget_add_css_class(label, "numeric");
    if (dim)
        gtk_widget_add_css_class(label, "caption-dim");
    gtk_box_append(GTK_BOX(box), label);
    return label;
}

static void
add_caption(GtkWidget *box, const char *name)
{
    GtkWidget *caption = gtk_label_new(name);

    gtk_label_set_xalign(GTK_LABEL(caption), 0.0F);
    gtk_label_set_ellipsize(GTK_LABEL(caption), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(caption, "caption-dim");
    gtk_box_append(GTK_BOX(box), caption);
}

static char *
format_value(GtkScale *scale, double value, gpointer unit)
{
    int digits = gtk_scale_get_digits(scale);
    const char *text = unit;

    return g_strdup_printf("%.*f%s%s", digits, value,
                           text[0] != '\0' ? " " : "", text);
}

GtkWidget *
cxui_part_scale(GtkWidget *box, const char *name, const char *unit, double low,
                double high, double step, int digits)
{
    GtkWidget *both = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *scale =
        gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, low, high, step);

    add_caption(both, name);
    gtk_scale_set_digits(GTK_SCALE(scale), digits);
    gtk_scale_set_draw_value(GTK_SCALE(scale), TRUE);
    gtk_scale_set_value_pos(GTK_SCALE(scale), GTK_POS_RIGHT);
    gtk_scale_set_format_value_func(GTK_SCALE(scale), format_value,
                                    g_strdup(unit), g_free);
    gtk_widget_add_css_class(scale, "numeric");
    gtk_widget_set_focus_on_click(scale, FALSE);
    set_name(scale, name);
    gtk_box_append(GTK_BOX(both), scale);
    gtk_box_append(GTK_BOX(box), both);
    return scale;
}

/* Long rows are shortened in the button; the list shows them whole. */
static void
ellipsize_button(GtkWidget *choice)
{
    GtkWidget *button = gtk_widget_get_first_child(choice);

    gtk_widget_set_focus_on_click(button, FALSE);
}

static void
bind_row(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    GtkStringObject *row = GTK_STRING_OBJECT(gtk_list_item_get_item(item));

    gtk_label_set_text(GTK_LABEL(gtk_list_item_get_child(item)),
                       gtk_string_object_get_string(row));
}

static void
set_up_row(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0.0F);
    if (data != NULL)
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_list_item_set_child(item, label);
}

static GtkListItemFactory *
new_factory(bool short_rows)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect(factory, "setup", G_CALLBACK(set_up_row),
                     GINT_TO_POINTER(short_rows));
    g_signal_connect(factory, "bind", G_CALLBACK(bind_row), NULL);
    return factory;
}

GtkWidget *
cxui_part_choice(GtkWidget *box, const char *name, const char *const *rows)
{
    GtkWidget *both = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *choice = gtk_drop_down_new_from_strings(rows);
    g_autoptr(GtkListItemFactory) button = new_factory(true);
    g_autoptr(GtkListItemFactory) list = new_factory(false);

    add_caption(both, name);
    gtk_drop_down_set_factory(GTK_DROP_DOWN(choice), button);
    gtk_drop_down_set_list_factory(GTK_DROP_DOWN(choice), list);
    set_name(choice, name);
    ellipsize_button(choice);
    gtk_box_append(GTK_BOX(both), choice);
    gtk_box_append(GTK_BOX(box), both);
    return choice;
}

void
cxui_part_set_rows(GtkWidget *choice, const char *const *rows, guint selected,
                   GCallback handler, gpointer data)
{
    GListModel *model = gtk_drop_down_get_model(GTK_DROP_DOWN(choice));
    guint n = g_strv_length((char **)rows);
    bool same = g_list_model_get_n_items(model) == n;

    for (guint i = 0; same && i < n; i++)
        same = g_str_equal(
            gtk_string_list_get_string(GTK_STRING_LIST(model), i), rows[i]);
    g_signal_handlers_block_by_func(choice, (gpointer)handler, data);
    if (!same) {
        g_autoptr(GtkStringList) list = gtk_string_list_new(rows);
        gtk_drop_down_set_model(GTK_DROP_DOWN(choice), G_LIST_MODEL(list));
    }
    gtk_drop_down_set_selected(GTK_DROP_DOWN(choice), selected);
    g_signal_handlers_unblock_by_func(choice, (gpointer)handler, data);
}

GtkWidget *
cxui_part_check(GtkWidget *box, const char *name)
{
    GtkWidget *check = gtk_check_button_new_with_label(name);

    gtk_widget_set_focus_on_click(check, FALSE);
    gtk_box_append(GTK_BOX(box), check);
    return check;
}

GtkWidget *
cxui_part_button(GtkWidget *box, const char *name)
{
    GtkWidget *button = gtk_button_new_with_label(name);

    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_box_append(GTK_BOX(box), button);
    return button;
}

GtkWidget *
cxui_part_row(GtkWidget *box)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

    gtk_box_set_homogeneous(GTK_BOX(row), TRUE);
    gtk_box_append(GTK_BOX(box), row);
    return row;
}

GtkWidget *
cxui_part_plot(GtkWidget *box, CxuiFigure *figure, const char *name,
               int least_height)
{
    GtkWidget *plot = cxui_plot_view_new(figure, name);

    gtk_widget_set_size_request(plot, -1, least_height);
    gtk_widget_set_hexpand(plot, TRUE);
    gtk_widget_set_vexpand(plot, TRUE);
    gtk_widget_add_css_class(plot, "plot");
    gtk_box_append(GTK_BOX(box), plot);
    return plot;
}

char *
cxui_part_dup_number(double value)
{
    return isfinite(value) ? g_strdup_printf("%.3g", value) : g_strdup("–");
}

void
cxui_part_say(GtkWidget *label, const char *text)
{
    if (!g_str_equal(gtk_label_get_text(GTK_LABEL(label)), text))
        gtk_label_set_text(GTK_LABEL(label), text);
}

GtkWidget *
cxui_part_icon(GtkWidget *box, const char *icon, const char *name,
               const char *action)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);
    g_autofree char *tooltip =
        action != NULL ? cxui_bindings_dup_tooltip(action) : NULL;

    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_tooltip_text(button, tooltip != NULL ? tooltip : name);
    set_name(button, name);
    if (action != NULL)
        gtk_actionable_set_detailed_action_name(GTK_ACTIONABLE(button), action);
    gtk_box_append(GTK_BOX(box), button);
    return button;
}
