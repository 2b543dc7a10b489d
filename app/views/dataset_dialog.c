/* Which data sets of a file?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/dataset_dialog.h"

#include "core/volume/reader_util.h"

#include <adwaita.h>

/* A person reads no more; the rest is opened by its path. */
#define MAX_ROWS 200

typedef struct {
    char *path;
    GPtrArray *list;
    GtkWidget *checks[MAX_ROWS]; /* by index in list; NULL: has no row */
    CxuiDatasetsChosen chosen;
} Asking;

static void
asking_free(gpointer data, GClosure *closure)
{
    Asking *asking = data;

    g_free(asking->path);
    g_ptr_array_unref(asking->list);
    g_free(asking);
}

static guint
n_rows(const Asking *asking)
{
    return MIN(asking->list->len, MAX_ROWS);
}

static void
on_response(AdwMessageDialog *dialog, const char *response, Asking *asking)
{
    g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < n_rows(asking); i++) {
        const CxDatasetInfo *info = g_ptr_array_index(asking->list, i);

        if (gtk_check_button_get_active(GTK_CHECK_BUTTON(asking->checks[i])))
            g_ptr_array_add(specs,
                            g_strconcat(asking->path, ":", info->path, NULL));
    }
    if (g_str_equal(response, "open") && specs->len > 0)
        asking->chosen(gtk_window_get_transient_for(GTK_WINDOW(dialog)),
                       (const char *const *)specs->pdata, specs->len);
}

static GtkWidget *
add_row(AdwPreferencesGroup *group, GtkWidget **first, const char *title,
        const char *subtitle)
{
    GtkWidget *row = adw_action_row_new();
    GtkWidget *check = gtk_check_button_new();

    if (*first != NULL)
        gtk_check_button_set_group(GTK_CHECK_BUTTON(check),
                                   GTK_CHECK_BUTTON(*first));
    else
        *first = check;
    gtk_widget_set_valign(check, GTK_ALIGN_CENTER);
    gtk_accessible_update_property(GTK_ACCESSIBLE(check),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    adw_action_row_add_prefix(ADW_ACTION_ROW(row), check);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), check);
    adw_preferences_group_add(group, row);
    return check;
}

/* The images of a file, or its labels; NULL if it has none of them. */
static GtkWidget *
new_group(Asking *asking, bool of_labels, const CxDatasetInfo *best)
{
    GtkWidget *group = adw_preferences_group_new();
    GtkWidget *none = NULL;
    GtkWidget *first = NULL;
    guint n = 0;

    adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group),
                                    of_labels ? "Labels" : "Image");
    for (guint i = 0; i < n_rows(asking); i++) {
        const CxDatasetInfo *info = g_ptr_array_index(asking->list, i);

        if (info->is_labels != of_labels)
            continue;
        if (n++ == 0)
            none = add_row(ADW_PREFERENCES_GROUP(group), &first, "None", "");
        g_autofree char *text =
            g_strdup_printf("%" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                            " × %" G_GINT64_FORMAT " voxels · %s",
                            info->size.x, info->size.y, info->size.z,
                            cx_dtype_name(info->dtype));
        asking->checks[i] =
            add_row(ADW_PREFERENCES_GROUP(group), &first, info->path, text);
        if (info == best)
            gtk_check_button_set_active(GTK_CHECK_BUTTON(asking->checks[i]),
                                        TRUE);
    }
    if (n == 0) {
        g_object_ref_sink(group);
        g_object_unref(group);
        return NULL;
    }
    if (best == NULL || best->is_labels != of_labels)
        gtk_check_button_set_active(GTK_CHECK_BUTTON(none), TRUE);
    return group;
}

static GtkWidget *
new_lists(Asking *asking)
{
    const CxDatasetInfo *best = cx_reader_choose(asking->list);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *scroller = gtk_scrolled_window_new();

    for (int of_labels = 0; of_labels < 2; of_labels++) {
        GtkWidget *group = new_group(asking, of_labels == 1, best);

        if (group != NULL)
            gtk_box_append(GTK_BOX(box), group);
    }
    /* so that the frames of the lists are not cut at the edge */
    gtk_widget_set_margin_start(box, 3);
    gtk_widget_set_margin_end(box, 3);
    gtk_widget_set_margin_bottom(box, 3);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), box);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller),
                                   GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_propagate_natural_height(
        GTK_SCROLLED_WINDOW(scroller), TRUE);
    gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller),
                                               420);
    gtk_widget_set_size_request(scroller, 420, -1);
    return scroller;
}

void
cxui_dataset_dialog_present(GtkWindow *parent, const char *path,
                            GPtrArray *list, CxuiDatasetsChosen chosen)
{
    Asking *asking = g_new0(Asking, 1);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *text =
        list->len > MAX_ROWS
            ? g_strdup_printf("%s holds %u data sets; the first %u are "
                              "listed, others open by their path.",
                              name, list->len, MAX_ROWS)
            : g_strdup_printf("%s holds %u data sets.", name, list->len);
    GtkWidget *dialog =
        adw_message_dialog_new(parent, "Open Which Data?", text);

    asking->path = g_strdup(path);
    asking->list = g_ptr_array_ref(list);
    asking->chosen = chosen;
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog),
                                       new_lists(asking));
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel",
                                     "_Cancel", "open", "_Open", NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog),
                                               "open", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "open");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_response), asking,
                          asking_free, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}
