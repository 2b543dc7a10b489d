/* Opening: choosers, recent files, drops on the window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window_private.h"

#include "app/views/dataset_dialog.h"
#include "app/views/error_bar.h"

#include <string.h>

#define MAX_RECENT 6
#define MIME_ANY "application/octet-stream"

static void
open_specs(GtkWindow *window, const char *const *specs, size_t n_specs)
{
    CxuiWindow *self = CXUI_WINDOW(window);
    g_autofree char *name = g_path_get_basename(specs[0]);
    g_autofree char *title = g_strdup_printf("Opening %s…", name);

    if (self->session == NULL)
        return;
    adw_status_page_set_title(ADW_STATUS_PAGE(self->opening_page), title);
    cxui_session_open(self->session, specs, n_specs);
}

/* A look into a file, in a job: how many data sets are there? */
typedef struct {
    CxuiWindow *window; /* a reference */
    char *path;
    GPtrArray *list; /* NULL if there is none to choose from */
    unsigned number;
} Look;

static void
look_free(void *data)
{
    Look *look = data;

    g_object_unref(look->window);
    g_free(look->path);
    g_clear_pointer(&look->list, g_ptr_array_unref);
    g_free(look);
}

static bool
run_look(CxJob *job, void *data, GError **error)
{
    Look *look = data;

    /* what is wrong with the file is told when it is opened */
    if (cx_volume_may_hold_several(look->path))
        look->list = cx_volume_list(look->path, NULL);
    return true;
}

static void
on_looked(CxJob *job, const GError *error, void *data)
{
    Look *look = data;
    CxuiWindow *self = look->window;

    if (look->number != self->n_looks || self->session == NULL)
        return;
    if (look->list != NULL && look->list->len > 1)
        cxui_dataset_dialog_present(GTK_WINDOW(self), look->path, look->list,
                                    open_specs);
    else
        open_specs(GTK_WINDOW(self), (const char *const *)&look->path, 1);
}

static void
look_into(CxuiWindow *self, const char *path)
{
    Look *look = g_new0(Look, 1);

    look->window = g_object_ref(self);
    look->path = g_strdup(path);
    look->number = self->n_looks;
    CxuiJobRequest request = {
        .title = "Looking into the file",
        .tier = CX_TIER_EDIT,
        .hidden = true,
        .func = run_look,
        .data = look,
        .destroy = look_free,
        .done = on_looked,
        .user_data = look,
    };
    g_autoptr(CxJob) job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

static bool
names_what(const char *path)
{
    return strstr(path, ":/") != NULL || g_str_has_suffix(path, ".connexon");
}

void
cxui_window_open(CxuiWindow *self, GFile *const *files, size_t n_files)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < n_files; i++) {
        char *path = g_file_get_path(files[i]);
        if (path == NULL) {
            g_autofree char *uri = g_file_get_uri(files[i]);
            cxui_error_bar_show(CXUI_ERROR_BAR(self->error_bar),
                                "Only files on this machine can be opened.",
                                uri);
            return;
        }
        g_ptr_array_add(paths, path);
    }
    if (paths->len == 0)
        return;
    self->n_looks++;
    if (paths->len == 1 && !names_what(g_ptr_array_index(paths, 0)))
        look_into(self, g_ptr_array_index(paths, 0));
    else
        open_specs(GTK_WINDOW(self), (const char *const *)paths->pdata,
                   paths->len);
}

void
cxui_window_open_sample(CxuiWindow *self)
{
    adw_status_page_set_title(ADW_STATUS_PAGE(self->opening_page),
                              "Drawing the Sample…");
    cxui_session_open_sample(self->session);
}

/* --- choosers */

static void
remember_folder(CxuiWindow *self, GFile *file)
{
    g_autoptr(GFile) parent = g_file_get_parent(file);
    g_autofree char *path = parent != NULL ? g_file_get_path(parent) : NULL;

    if (path != NULL)
        g_object_set(cxui_session_settings(self->session), "last-folder", path,
                     NULL);
}

static void
on_open_response(GtkNativeDialog *chooser, int response, CxuiWindow *self)
{
    g_autoptr(GListModel) chosen =
        gtk_file_chooser_get_files(GTK_FILE_CHOOSER(chooser));
    guint n = g_list_model_get_n_items(chosen);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; i < n; i++)
        g_ptr_array_add(files, g_list_model_get_item(chosen, i));
    if (response == GTK_RESPONSE_ACCEPT && n > 0) {
        remember_folder(self, g_ptr_array_index(files, 0));
        cxui_window_open(self, (GFile *const *)files->pdata, files->len);
    }
    g_clear_object(&self->chooser);
}

static void
add_filters(GtkFileChooser *chooser)
{
    static const char *const patterns[] = {
        "*.connexon", "*.tif",   "*.tiff", "*.h5",      "*.hdf",
        "*.hdf5",     "*.png",   "*.TIF",  "zarr.json", "info",
        ".zattrs",    ".zarray", NULL};
    g_autoptr(GtkFileFilter) known = gtk_file_filter_new();
    g_autoptr(GtkFileFilter) all = gtk_file_filter_new();

    gtk_file_filter_set_name(known, "Volumes and projects");
    for (size_t i = 0; patterns[i] != NULL; i++)
        gtk_file_filter_add_pattern(known, patterns[i]);
    gtk_file_filter_set_name(all, "All files");
    gtk_file_filter_add_pattern(all, "*");
    gtk_file_chooser_add_filter(chooser, known);
    gtk_file_chooser_add_filter(chooser, all);
}

static void
go_to_last_folder(CxuiWindow *self)
{
    const char *last =
        cxui_settings_last_folder(cxui_session_settings(self->session));

    if (last[0] == '\0')
        return;
    g_autoptr(GFile) folder = g_file_new_for_path(last);
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(self->chooser), folder,
                                        NULL);
}

static void
show_chooser(CxuiWindow *self, GCallback response)
{
    go_to_last_folder(self);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
    g_signal_connect(self->chooser, "response", response, self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

void
cxui_window_choose_file(CxuiWindow *self, bool folder)
{
    g_clear_object(&self->chooser);
    self->chooser = gtk_file_chooser_native_new(
        folder ? "Open Folder" : "Open", GTK_WINDOW(self),
        folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER
               : GTK_FILE_CHOOSER_ACTION_OPEN,
        "_Open", "_Cancel");
    gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(self->chooser),
                                         !folder);
    if (!folder)
        add_filters(GTK_FILE_CHOOSER(self->chooser));
    show_chooser(self, G_CALLBACK(on_open_response));
}

void
cxui_window_choose_model(CxuiWindow *self, const char *title,
                         GtkFileFilter *filter, GCallback response)
{
    g_clear_object(&self->chooser);
    self->chooser = gtk_file_chooser_native_new(title, GTK_WINDOW(self),
                                                GTK_FILE_CHOOSER_ACTION_OPEN,
                                                "_Choose", "_Cancel");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(self->chooser), filter);
    show_chooser(self, response);
}

static void
on_save_response(GtkNativeDialog *chooser, int response, CxuiWindow *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file =
            gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
        g_autofree char *path = g_file_get_path(file);
        g_autofree char *full = g_str_has_suffix(path, ".connexon")
                                    ? g_strdup(path)
                                    : g_strconcat(path, ".connexon", NULL);
        remember_folder(self, file);
        /* the chooser has asked before replacing the name as typed */
        cxui_session_save_as(self->session, full, g_str_equal(full, path));
    }
    g_clear_object(&self->chooser);
}

void
cxui_window_save_as(CxuiWindow *self)
{
    g_autofree char *name =
        g_strconcat(cxui_session_title(self->session), ".connexon", NULL);

    g_clear_object(&self->chooser);
    self->chooser = gtk_file_chooser_native_new(
        "Keep Project As", GTK_WINDOW(self), GTK_FILE_CHOOSER_ACTION_SAVE,
        "_Save", "_Cancel");
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->chooser), name);
    show_chooser(self, G_CALLBACK(on_save_response));
}

/* --- recent files */

static char *
path_of_data(CxuiWindow *self)
{
    CxProject *project = cxui_session_project(self->session);
    CxVolume *image = cxui_session_image(self->session);
    CxVolume *labels = cxui_session_labels(self->session);

    if (project != NULL && !cxui_session_is_untitled(self->session))
        return g_strdup(cx_project_path(project));
    CxVolume *volume = image != NULL ? image : labels;
    if (volume == NULL)
        return NULL;
    const char *spec = cx_volume_spec(volume);
    const char *dataset = g_strrstr(spec, ":/");
    g_autofree char *path = dataset != NULL
                                ? g_strndup(spec, (gsize)(dataset - spec))
                                : g_strdup(spec);
    return g_canonicalize_filename(path, NULL);
}

/* The sample and projects without a name: they have their own way back. */
static bool
is_our_own(const char *path)
{
    g_autofree char *ours =
        g_build_filename(g_get_user_data_dir(), "connexon", "", NULL);

    return g_str_has_prefix(path, ours) ||
           g_str_has_prefix(path, g_get_user_cache_dir());
}

void
cxui_window_remember_recent(CxuiWindow *self)
{
    g_autofree char *path = path_of_data(self);
    if (path == NULL || is_our_own(path))
        return;

    g_autofree char *uri = g_filename_to_uri(path, NULL, NULL);
    GtkRecentData data = {
        .mime_type = (char *)MIME_ANY,
        .app_name = (char *)"Connexon",
        .app_exec = (char *)"connexon %f",
    };
    if (uri != NULL)
        gtk_recent_manager_add_full(gtk_recent_manager_get_default(), uri,
                                    &data);
}

static void
on_recent_looked(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkWidget) row = data;
    g_autoptr(GFileInfo) info =
        g_file_query_info_finish(G_FILE(source), result, NULL);

    gtk_widget_set_sensitive(row, info != NULL);
}

static void
add_recent_row(CxuiWindow *self, GtkRecentInfo *info)
{
    const char *uri = gtk_recent_info_get_uri(info);
    g_autofree char *where = gtk_recent_info_get_uri_display(info);
    GtkWidget *row = adw_action_row_new();
    g_autoptr(GFile) file = g_file_new_for_uri(uri);

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row),
                                  gtk_recent_info_get_display_name(info));
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), where);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 1);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), TRUE);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(row), "win.open-recent");
    gtk_actionable_set_action_target(GTK_ACTIONABLE(row), "s", uri);
    gtk_list_box_append(GTK_LIST_BOX(self->recent_list), row);
    g_file_query_info_async(file, G_FILE_ATTRIBUTE_STANDARD_TYPE,
                            G_FILE_QUERY_INFO_NONE, G_PRIORITY_LOW, NULL,
                            on_recent_looked, g_object_ref(row));
}

static void
clear_recent(CxuiWindow *self)
{
    GtkWidget *child = NULL;

    g_menu_remove_all(self->recent_section);
    while ((child = gtk_widget_get_first_child(self->recent_list)) != NULL)
        gtk_list_box_remove(GTK_LIST_BOX(self->recent_list), child);
}

static int
compare_recent(gconstpointer a, gconstpointer b)
{
    GDateTime *ta = gtk_recent_info_get_modified((GtkRecentInfo *)a);
    GDateTime *tb = gtk_recent_info_get_modified((GtkRecentInfo *)b);

    return ta == NULL || tb == NULL ? 0 : g_date_time_compare(tb, ta);
}

static void
fill_recent(CxuiWindow *self)
{
    GList *items =
        gtk_recent_manager_get_items(gtk_recent_manager_get_default());
    int n = 0;

    clear_recent(self);
    items = g_list_sort(items, compare_recent);
    for (GList *l = items; l != NULL; l = l->next) {
        GtkRecentInfo *info = l->data;
        if (n >= MAX_RECENT ||
            !gtk_recent_info_has_application(info, "Connexon"))
            continue;
        g_autoptr(GMenuItem) item =
            g_menu_item_new(gtk_recent_info_get_display_name(info), NULL);
        g_menu_item_set_action_and_target(item, "win.open-recent", "s",
                                          gtk_recent_info_get_uri(info));
        g_menu_append_item(self->recent_section, item);
        add_recent_row(self, info);
        n++;
    }
    gtk_widget_set_visible(self->recent_list, n > 0);
    g_list_free_full(items, (GDestroyNotify)gtk_recent_info_unref);
}

/* --- drops over the whole window */

static gboolean
on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
        CxuiWindow *self)
{
    gtk_widget_set_visible(self->drop_hint, FALSE);
    if (!G_VALUE_HOLDS(value, GDK_TYPE_FILE_LIST))
        return FALSE;
    GSList *list = g_value_get_boxed(value);
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    for (GSList *l = list; l != NULL; l = l->next)
        g_ptr_array_add(files, l->data);
    cxui_window_open(self, (GFile *const *)files->pdata, files->len);
    return TRUE;
}

static GdkDragAction
on_drop_enter(GtkDropTarget *target, double x, double y, CxuiWindow *self)
{
    gtk_widget_set_visible(self->drop_hint, TRUE);
    return GDK_ACTION_COPY;
}

static void
on_drop_leave(GtkDropTarget *target, CxuiWindow *self)
{
    gtk_widget_set_visible(self->drop_hint, FALSE);
}

void
cxui_window_add_opening(CxuiWindow *self)
{
    GtkDropTarget *target =
        gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

    g_signal_connect(target, "drop", G_CALLBACK(on_drop), self);
    g_signal_connect(target, "enter", G_CALLBACK(on_drop_enter), self);
    g_signal_connect(target, "leave", G_CALLBACK(on_drop_leave), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(target));
    g_signal_connect_object(gtk_recent_manager_get_default(), "changed",
                            G_CALLBACK(fill_recent), self, G_CONNECT_SWAPPED);
    fill_recent(self);
}
