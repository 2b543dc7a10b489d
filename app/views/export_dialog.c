/* What to export, in which format, where to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/export_dialog.h"

#include <string.h>

/* Rows of "What", in the order of the template. */
static const struct {
    CxExportKind kind;
    bool selected_only;
    const char *name; /* suggested, without suffix */
} choices[] = {
    {CX_EXPORT_LABELS, false, "labels"},
    {CX_EXPORT_MESHES, false, "surfaces"},
    {CX_EXPORT_MESHES, true, "selected"},
    {CX_EXPORT_SKELETONS, false, "skeletons"},
    {CX_EXPORT_TABLE, false, "segments"},
    {CX_EXPORT_GRAPH, false, "graph"},
    {CX_EXPORT_LOG, false, "edits"},
};

static const struct {
    const char *suffix;
    const char *text;
} formats[] = {
    {".h5", "HDF5, CREMI layout (.h5)"},
    {".zarr", "OME-Zarr (.zarr)"},
    {".tif", "TIFF stack (.tif)"},
    {".tiff", "TIFF stack (.tiff)"},
    {"/", "Folder"},
    {".ply", "PLY (.ply)"},
    {".obj", "Wavefront (.obj)"},
    {".stl", "STL (.stl)"},
    {".glb", "glTF (.glb)"},
    {".csv", "Table (.csv)"},
};

struct _CxuiExportDialog {
    AdwWindow parent;

    /* template */
    GtkWidget *export;
    GtkWidget *what;
    GtkWidget *format;
    GtkWidget *folder_row;
    GtkWidget *folder;
    GtkWidget *name;
    GtkWidget *overwrite_row;
    GtkWidget *overwrite;
    GtkWidget *message;

    CxuiSession *session; /* owned references */
    GFile *place;
    GtkFileChooserNative *chooser;
    GCancellable *look; /* for what is there already */
};

G_DEFINE_FINAL_TYPE(CxuiExportDialog, cxui_export_dialog, ADW_TYPE_WINDOW)

static guint
choice(CxuiExportDialog *self)
{
    guint row = adw_combo_row_get_selected(ADW_COMBO_ROW(self->what));

    return MIN(row, G_N_ELEMENTS(choices) - 1);
}

static const char *
suffix(CxuiExportDialog *self)
{
    const char *const *all = cxui_exporter_suffixes(choices[choice(self)].kind);
    guint row = adw_combo_row_get_selected(ADW_COMBO_ROW(self->format));

    return row < g_strv_length((char **)all) ? all[row] : all[0];
}

/* The format whose suffix the name ends in; its row, or -1. */
static int
named_format(CxuiExportDialog *self)
{
    const char *const *all = cxui_exporter_suffixes(choices[choice(self)].kind);
    const char *name = gtk_editable_get_text(GTK_EDITABLE(self->name));

    for (int i = 0; all[i] != NULL; i++) {
        if (g_str_has_suffix(name, all[i]))
            return i;
    }
    return -1;
}

/* A name that ends in a known suffix is taken as it is.  A folder of surfaces
 * is a plain name: "/" is only how it is spelled. */
static GFile *
target(CxuiExportDialog *self)
{
    const char *name = gtk_editable_get_text(GTK_EDITABLE(self->name));
    const char *end = suffix(self);
    g_autofree char *full = g_str_equal(end, "/") || named_format(self) >= 0
                                ? g_strdup(name)
                                : g_strconcat(name, end, NULL);

    return g_file_get_child(self->place, full);
}

static const char *
format_text(const char *end)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_str_equal(formats[i].suffix, end))
            return formats[i].text;
    }
    return end;
}

static void
fill_formats(CxuiExportDialog *self)
{
    const char *const *all = cxui_exporter_suffixes(choices[choice(self)].kind);
    g_autoptr(GtkStringList) list = gtk_string_list_new(NULL);

    for (size_t i = 0; all[i] != NULL; i++)
        gtk_string_list_append(list, format_text(all[i]));
    adw_combo_row_set_model(ADW_COMBO_ROW(self->format), G_LIST_MODEL(list));
}

static void
suggest_name(CxuiExportDialog *self)
{
    const char *title = cxui_session_title(self->session);
    g_autofree char *name =
        g_strdup_printf("%s-%s", title[0] != '\0' ? title : "connexon",
                        choices[choice(self)].name);

    gtk_editable_set_text(GTK_EDITABLE(self->name), name);
}

static bool
can_export(CxuiExportDialog *self, const char **why)
{
    size_t n = 0;
    const char *name = gtk_editable_get_text(GTK_EDITABLE(self->name));

    cxui_selection_ids(cxui_session_selection(self->session), &n);
    *why = NULL;
    if (cxui_session_segments(self->session) == NULL)
        *why = "There are no segments yet: segment the image first.";
    else if (choices[choice(self)].selected_only && n == 0)
        *why = "No segment is selected.";
    else if (name[0] == '\0' || strchr(name, '/') != NULL)
        *why = "Give it a name without a slash.";
    return *why == NULL;
}

static void
show_target(CxuiExportDialog *self, bool exists)
{
    const char *why = NULL;
    bool able = can_export(self, &why);
    bool agreed = gtk_switch_get_active(GTK_SWITCH(self->overwrite));
    g_autoptr(GFile) file = target(self);
    g_autofree char *path = g_file_get_parse_name(file);
    g_autofree char *text = why != NULL ? g_strdup(why)
                            : exists
                                ? g_strdup_printf("%s is there already.", path)
                                : g_strdup_printf("Writes %s", path);

    gtk_label_set_text(GTK_LABEL(self->message), text);
    gtk_widget_set_visible(self->overwrite_row, exists && able);
    gtk_widget_set_sensitive(self->export, able && (!exists || agreed));
}

static void
on_looked(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(CxuiExportDialog) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GFileInfo) info =
        g_file_query_info_finish(G_FILE(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
        self->session == NULL)
        return;
    show_target(self, info != NULL);
}

/* Looks without waiting: the folder may lie on a slow network. */
static void
look(CxuiExportDialog *self)
{
    if (self->session == NULL || self->place == NULL)
        return;
    g_cancellable_cancel(self->look);
    g_clear_object(&self->look);
    self->look = g_cancellable_new();
    g_autoptr(GFile) file = target(self);
    g_file_query_info_async(file, G_FILE_ATTRIBUTE_STANDARD_TYPE,
                            G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                            self->look, on_looked, g_object_ref(self));
}

static void
show_folder(CxuiExportDialog *self)
{
    g_autofree char *path = g_file_get_parse_name(self->place);

    adw_action_row_set_subtitle(ADW_ACTION_ROW(self->folder_row), path);
    look(self);
}

/* A suffix in the name says the format. */
static void
on_name(CxuiExportDialog *self)
{
    int named = named_format(self);

    if (named >= 0)
        adw_combo_row_set_selected(ADW_COMBO_ROW(self->format), (guint)named);
    look(self);
}

/* A format chosen against the suffix in the name takes it away. */
static void
on_format(CxuiExportDialog *self)
{
    const char *const *all = cxui_exporter_suffixes(choices[choice(self)].kind);
    guint row = adw_combo_row_get_selected(ADW_COMBO_ROW(self->format));
    int named = named_format(self);

    if (named >= 0 && row != GTK_INVALID_LIST_POSITION && row != (guint)named) {
        const char *name = gtk_editable_get_text(GTK_EDITABLE(self->name));
        g_autofree char *bare =
            g_strndup(name, strlen(name) - strlen(all[named]));

        gtk_editable_set_text(GTK_EDITABLE(self->name), bare);
    }
    look(self);
}

static void
on_what(CxuiExportDialog *self)
{
    if (self->session == NULL)
        return;
    fill_formats(self);
    suggest_name(self);
    look(self);
}

static void
on_folder_chosen(GtkNativeDialog *chooser, int response, CxuiExportDialog *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_clear_object(&self->place);
        self->place = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
        show_folder(self);
    }
    g_clear_object(&self->chooser);
}

static void
on_folder(CxuiExportDialog *self)
{
    self->chooser = gtk_file_chooser_native_new(
        "Export To", GTK_WINDOW(self), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
        "_Choose", "_Cancel");
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(self->chooser),
                                        self->place, NULL);
    g_signal_connect(self->chooser, "response", G_CALLBACK(on_folder_chosen),
                     self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

static void
on_export(CxuiExportDialog *self)
{
    CxuiExporter *exporter = cxui_session_exporter(self->session);
    bool overwrite = gtk_widget_get_visible(self->overwrite_row) &&
                     gtk_switch_get_active(GTK_SWITCH(self->overwrite));
    g_autoptr(GFile) file = target(self);
    g_autofree char *path = g_file_get_path(file);
    guint row = choice(self);
    size_t n = 0;
    const CxId *ids =
        cxui_selection_ids(cxui_session_selection(self->session), &n);

    if (path == NULL)
        return;
    g_autofree char *parent = g_path_get_dirname(path);
    g_object_set(cxui_session_settings(self->session), "last-folder", parent,
                 NULL);
    if (choices[row].selected_only)
        cxui_exporter_run_meshes(exporter, ids, n, path, overwrite);
    else
        cxui_exporter_run(exporter, choices[row].kind, path, overwrite);
    gtk_window_close(GTK_WINDOW(self));
}

static GFile *
first_place(CxuiSession *session)
{
    const char *last =
        cxui_settings_last_folder(cxui_session_settings(session));
    const char *documents = g_get_user_special_dir(G_USER_DIRECTORY_DOCUMENTS);

    if (last[0] != '\0')
        return g_file_new_for_path(last);
    return g_file_new_for_path(documents != NULL ? documents
                                                 : g_get_home_dir());
}

GtkWidget *
cxui_export_dialog_new(CxuiSession *session)
{
    CxuiExportDialog *self = g_object_new(CXUI_TYPE_EXPORT_DIALOG, NULL);

    self->session = g_object_ref(session);
    self->place = first_place(session);
    fill_formats(self);
    suggest_name(self);
    show_folder(self);
    return GTK_WIDGET(self);
}

static void
cxui_export_dialog_dispose(GObject *object)
{
    CxuiExportDialog *self = CXUI_EXPORT_DIALOG(object);

    g_cancellable_cancel(self->look);
    g_clear_object(&self->look);
    g_clear_object(&self->chooser);
    g_clear_object(&self->session);
    g_clear_object(&self->place);
    G_OBJECT_CLASS(cxui_export_dialog_parent_class)->dispose(object);
}

static void
cxui_export_dialog_init(CxuiExportDialog *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->what, "notify::selected",
                             G_CALLBACK(on_what), self);
    g_signal_connect_swapped(self->format, "notify::selected",
                             G_CALLBACK(on_format), self);
    g_signal_connect_swapped(self->name, "changed", G_CALLBACK(on_name), self);
    g_signal_connect_swapped(self->overwrite, "notify::active",
                             G_CALLBACK(look), self);
    g_signal_connect_swapped(self->folder, "clicked", G_CALLBACK(on_folder),
                             self);
    g_signal_connect_swapped(self->export, "clicked", G_CALLBACK(on_export),
                             self);
}

static void
cxui_export_dialog_class_init(CxuiExportDialogClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_export_dialog_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/export_dialog.ui");
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Escape, 0,
                                        "window.close", NULL);
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiExportDialog, name)
    BIND(export);
    BIND(what);
    BIND(format);
    BIND(folder_row);
    BIND(folder);
    BIND(name);
    BIND(overwrite_row);
    BIND(overwrite);
    BIND(message);
#undef BIND
}
