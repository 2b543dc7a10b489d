/* The Export menu of the Retina page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_export.h"

#include "app/views/plot_view.h"

#include <string.h>

struct _CxuiRetinaExport {
    GObject parent;
    CxuiRetinaSession *session; /* a reference */
    GtkWidget *page;            /* borrowed */
    GMenu *menu;
    GtkFileChooserNative *chooser;
    const char *suffix; /* of pictures */
};

G_DEFINE_FINAL_TYPE(CxuiRetinaExport, cxui_retina_export, G_TYPE_OBJECT)

static void
fail(CxuiRetinaExport *self, const GError *error)
{
    cxui_retina_session_fail(self->session, error);
}

static char *
take_path(CxuiRetinaExport *self, GtkNativeDialog *chooser, int response)
{
    g_autoptr(GFile) file =
        response == GTK_RESPONSE_ACCEPT
            ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser))
            : NULL;

    g_clear_object(&self->chooser);
    return file != NULL ? g_file_get_path(file) : NULL;
}

static void
choose(CxuiRetinaExport *self, const char *title, GtkFileChooserAction action,
       const char *name, GCallback response)
{
    GtkRoot *window = gtk_widget_get_root(self->page);
    const char *accept =
        action == GTK_FILE_CHOOSER_ACTION_OPEN ? "_Open" : "_Save";

    g_clear_object(&self->chooser);
    self->chooser = gtk_file_chooser_native_new(title, GTK_WINDOW(window),
                                                action, accept, "_Cancel");
    if (name != NULL)
        gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->chooser),
                                          name);
    g_signal_connect(self->chooser, "response", response, self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

/* --- traces */

static void
on_csv(GtkNativeDialog *chooser, int response, CxuiRetinaExport *self)
{
    g_autofree char *path = take_path(self, chooser, response);

    if (path != NULL)
        cxui_retina_session_export_csv(self->session, path);
}

static void
export_csv(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    choose(data, "Export the Traces", GTK_FILE_CHOOSER_ACTION_SAVE,
           "traces.csv", G_CALLBACK(on_csv));
}

/* --- pictures */

/* "Firing rates over time" → "firing-rates-over-time" */
static char *
file_name(const char *title, guint number)
{
    g_autofree char *low = g_ascii_strdown(title != NULL ? title : "panel", -1);
    GString *name = g_string_new(NULL);

    g_string_append_printf(name, "%02u-", number);
    for (const char *c = low; *c != '\0'; c++) {
        if (g_ascii_isalnum(*c))
            g_string_append_c(name, *c);
        else if (name->str[name->len - 1] != '-')
            g_string_append_c(name, '-');
    }
    return g_string_free(name, FALSE);
}

static void
on_pictures(GtkNativeDialog *chooser, int response, CxuiRetinaExport *self)
{
    g_autofree char *folder = take_path(self, chooser, response);
    g_autoptr(GPtrArray) views = cxui_plot_views_below(self->page);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; folder != NULL && i < views->len; i++) {
        CxuiPlotView *view = g_ptr_array_index(views, i);
        const char *title = cxui_plot_view_figure(view)->title;
        g_autofree char *name = file_name(title, i + 1);
        g_autofree char *path =
            g_strdup_printf("%s/%s.%s", folder, name, self->suffix);
        if (!cxui_plot_view_save(view, path, &error)) {
            fail(self, error);
            return;
        }
    }
}

static void
export_pictures(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiRetinaExport *self = data;
    const char *suffix = g_variant_get_string(parameter, NULL);

    self->suffix = g_intern_string(suffix);
    choose(self, "Folder for the Panels", GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
           NULL, G_CALLBACK(on_pictures));
}

/* --- preset */

static void
on_save_preset(GtkNativeDialog *chooser, int response, CxuiRetinaExport *self)
{
    g_autofree char *path = take_path(self, chooser, response);
    g_autofree char *text =
        cxui_retina_wish_to_json(cxui_retina_session_wish(self->session));
    g_autoptr(GError) error = NULL;

    if (path != NULL &&
        !g_file_set_contents(path, text, (gssize)strlen(text), &error))
        fail(self, error);
}

static void
save_preset(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    choose(data, "Save the Preset", GTK_FILE_CHOOSER_ACTION_SAVE,
           "retina-preset.json", G_CALLBACK(on_save_preset));
}

static void
on_open_preset(GtkNativeDialog *chooser, int response, CxuiRetinaExport *self)
{
    g_autofree char *path = take_path(self, chooser, response);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    CxuiRetinaWish wish;

    if (path == NULL)
        return;
    if (!g_file_get_contents(path, &text, NULL, &error) ||
        !cxui_retina_wish_from_json(text, &wish, &error)) {
        fail(self, error);
        return;
    }
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
open_preset(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    choose(data, "Open a Preset", GTK_FILE_CHOOSER_ACTION_OPEN, NULL,
           G_CALLBACK(on_open_preset));
}

/* --- network */

static void
on_open_network(GtkNativeDialog *chooser, int response, CxuiRetinaExport *self)
{
    g_autofree char *path = take_path(self, chooser, response);

    if (path != NULL)
        cxui_retina_session_open_network(self->session, path);
}

static void
open_network(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    choose(data, "Open a Retina Network", GTK_FILE_CHOOSER_ACTION_OPEN, NULL,
           G_CALLBACK(on_open_network));
}

static const GActionEntry actions[] = {
    {"export-csv", export_csv, NULL, NULL, NULL, {0}},
    {"export-pictures", export_pictures, "s", NULL, NULL, {0}},
    {"save-preset", save_preset, NULL, NULL, NULL, {0}},
    {"open-preset", open_preset, NULL, NULL, NULL, {0}},
    {"open-network", open_network, NULL, NULL, NULL, {0}},
};

GMenuModel *
cxui_retina_export_menu(CxuiRetinaExport *self)
{
    return G_MENU_MODEL(self->menu);
}

CxuiRetinaExport *
cxui_retina_export_new(CxuiRetinaSession *session, GtkWidget *page)
{
    CxuiRetinaExport *self = g_object_new(CXUI_TYPE_RETINA_EXPORT, NULL);
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    g_autoptr(GMenu) out = g_menu_new();
    g_autoptr(GMenu) in = g_menu_new();

    self->session = g_object_ref(session);
    self->page = page;
    self->menu = g_menu_new();
    g_menu_append(out, "_Traces (CSV)…", "retina.export-csv");
    g_menu_append(out, "Panels as _PNG…", "retina.export-pictures::png");
    g_menu_append(out, "Panels as _SVG…", "retina.export-pictures::svg");
    g_menu_append(out, "Panels as _CSV…", "retina.export-pictures::csv");
    g_menu_append(in, "Save P_reset (JSON)…", "retina.save-preset");
    g_menu_append(in, "_Open Preset…", "retina.open-preset");
    g_menu_append(in, "Open _Network…", "retina.open-network");
    g_menu_append_section(self->menu, NULL, G_MENU_MODEL(out));
    g_menu_append_section(self->menu, NULL, G_MENU_MODEL(in));
    g_action_map_add_action_entries(G_ACTION_MAP(group), actions,
                                    G_N_ELEMENTS(actions), self);
    gtk_widget_insert_action_group(page, "retina", G_ACTION_GROUP(group));
    return self;
}

static void
dispose(GObject *object)
{
    CxuiRetinaExport *self = CXUI_RETINA_EXPORT(object);

    g_clear_object(&self->chooser);
    g_clear_object(&self->session);
    g_clear_object(&self->menu);
    G_OBJECT_CLASS(cxui_retina_export_parent_class)->dispose(object);
}

static void
cxui_retina_export_class_init(CxuiRetinaExportClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_export_init(CxuiRetinaExport *self)
{
}
