/* The program: command line, windows, preferences, about, help.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/application.h"

#include "app/views/about.h"
#include "app/views/bindings.h"
#include "app/views/help_window.h"
#include "app/views/preferences.h"
#include "app/views/window.h"

struct _CxuiApplication {
    AdwApplication parent;
    CxuiSettings *settings; /* from startup on */
    bool open_sample;       /* --sample, until the first window */
};

G_DEFINE_FINAL_TYPE(CxuiApplication, cxui_application, ADW_TYPE_APPLICATION)

static const GOptionEntry options[] = {
    {"sample", 0, 0, G_OPTION_ARG_NONE, NULL, "Open the sample", NULL},
    {"new-instance", 0, 0, G_OPTION_ARG_NONE, NULL,
     "Start a process of its own", NULL},
    {"list-shortcuts", 0, 0, G_OPTION_ARG_NONE, NULL,
     "Print all keys and gestures as Markdown", NULL},
    {"version", 0, 0, G_OPTION_ARG_NONE, NULL, "Print the version", NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

static CxuiWindow *
new_window(CxuiApplication *self)
{
    return cxui_window_new(self);
}

/* The window that files go to: the last used one if nothing is open there. */
static CxuiWindow *
free_window(CxuiApplication *self)
{
    GtkWindow *active =
        gtk_application_get_active_window(GTK_APPLICATION(self));

    if (CXUI_IS_WINDOW(active) && !cxui_window_has_data(CXUI_WINDOW(active)))
        return CXUI_WINDOW(active);
    return new_window(self);
}

static void
cxui_application_activate(GApplication *application)
{
    CxuiApplication *self = CXUI_APPLICATION(application);
    GtkWindow *active =
        gtk_application_get_active_window(GTK_APPLICATION(self));

    if (active == NULL)
        active = GTK_WINDOW(new_window(self));
    if (self->open_sample)
        cxui_window_open_sample(CXUI_WINDOW(active));
    self->open_sample = false;
    gtk_window_present(active);
}

static void
cxui_application_open(GApplication *application, GFile **files, int n_files,
                      const char *hint)
{
    CxuiWindow *window = free_window(CXUI_APPLICATION(application));

    gtk_window_present(GTK_WINDOW(window));
    cxui_window_open(window, files, (size_t)n_files);
}

static int
cxui_application_handle_local_options(GApplication *application,
                                      GVariantDict *given)
{
    CxuiApplication *self = CXUI_APPLICATION(application);
    g_autoptr(GError) error = NULL;

    if (g_variant_dict_contains(given, "version")) {
        g_print("connexon %s\n", CX_VERSION);
        return 0;
    }
    if (g_variant_dict_contains(given, "list-shortcuts")) {
        g_autofree char *manual = cxui_bindings_dup_manual();
        g_print("%s", manual);
        return 0;
    }
    if (g_variant_dict_contains(given, "new-instance"))
        g_application_set_flags(application,
                                g_application_get_flags(application) |
                                    G_APPLICATION_NON_UNIQUE);
    if (!g_variant_dict_contains(given, "sample"))
        return -1;
    if (!g_application_register(application, NULL, &error)) {
        g_printerr("connexon: %s\n", error->message);
        return 1;
    }
    if (g_application_get_is_remote(application)) {
        g_action_group_activate_action(G_ACTION_GROUP(application),
                                       "open-sample", NULL);
        return 0;
    }
    self->open_sample = true;
    return -1;
}

static void
on_quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GList *windows = gtk_application_get_windows(GTK_APPLICATION(data));

    /* each window stores its state on the way out */
    while (windows != NULL) {
        GList *next = windows->next;
        gtk_window_close(GTK_WINDOW(windows->data));
        windows = next;
    }
}

static void
on_new_window(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_window_present(GTK_WINDOW(new_window(data)));
}

static void
on_open_sample(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *window = free_window(data);

    gtk_window_present(GTK_WINDOW(window));
    cxui_window_open_sample(window);
}

static void
on_preferences(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiApplication *self = data;
    GtkWidget *window = cxui_preferences_new(self->settings);

    gtk_window_set_transient_for(
        GTK_WINDOW(window),
        gtk_application_get_active_window(GTK_APPLICATION(self)));
    gtk_window_present(GTK_WINDOW(window));
}

static void
on_shortcuts(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GtkWidget *window = cxui_bindings_shortcuts_window();

    gtk_window_set_transient_for(
        GTK_WINDOW(window),
        gtk_application_get_active_window(GTK_APPLICATION(data)));
    gtk_window_present(GTK_WINDOW(window));
}

static void
on_help(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_help_present(gtk_application_get_active_window(GTK_APPLICATION(data)));
}

static void
on_about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_about_present(
        gtk_application_get_active_window(GTK_APPLICATION(data)));
}

static const GActionEntry actions[] = {
    {"quit", on_quit, NULL, NULL, NULL, {0}},
    {"new-window", on_new_window, NULL, NULL, NULL, {0}},
    {"open-sample", on_open_sample, NULL, NULL, NULL, {0}},
    {"preferences", on_preferences, NULL, NULL, NULL, {0}},
    {"shortcuts", on_shortcuts, NULL, NULL, NULL, {0}},
    {"help", on_help, NULL, NULL, NULL, {0}},
    {"about", on_about, NULL, NULL, NULL, {0}},
};

static bool
any_data_open(CxuiApplication *self)
{
    GList *windows = gtk_application_get_windows(GTK_APPLICATION(self));

    for (GList *l = windows; l != NULL; l = l->next) {
        if (CXUI_IS_WINDOW(l->data) && cxui_window_has_data(l->data))
            return true;
    }
    return false;
}

void
cxui_application_update_scheme(CxuiApplication *self)
{
    const char *scheme = cxui_settings_color_scheme(self->settings);
    AdwColorScheme chosen = ADW_COLOR_SCHEME_DEFAULT;

    if (g_str_equal(scheme, "light"))
        chosen = ADW_COLOR_SCHEME_FORCE_LIGHT;
    else if (g_str_equal(scheme, "dark") ||
             (g_str_equal(scheme, "auto") && any_data_open(self)))
        chosen = ADW_COLOR_SCHEME_FORCE_DARK;
    adw_style_manager_set_color_scheme(adw_style_manager_get_default(), chosen);
}

static void
cxui_application_startup(GApplication *application)
{
    CxuiApplication *self = CXUI_APPLICATION(application);

    G_APPLICATION_CLASS(cxui_application_parent_class)->startup(application);
    self->settings = cxui_settings_new();
    g_signal_connect_object(self->settings, "notify::color-scheme",
                            G_CALLBACK(cxui_application_update_scheme), self,
                            G_CONNECT_SWAPPED);
    g_action_map_add_action_entries(G_ACTION_MAP(self), actions,
                                    G_N_ELEMENTS(actions), self);
    cxui_bindings_install(GTK_APPLICATION(self));
    gtk_window_set_default_icon_name(CXUI_APPLICATION_ID);
    cxui_application_update_scheme(self);
}

static void
cxui_application_finalize(GObject *object)
{
    CxuiApplication *self = CXUI_APPLICATION(object);

    g_clear_object(&self->settings);
    G_OBJECT_CLASS(cxui_application_parent_class)->finalize(object);
}

CxuiSettings *
cxui_application_settings(CxuiApplication *self)
{
    return self->settings;
}

CxuiApplication *
cxui_application_new(void)
{
    return g_object_new(CXUI_TYPE_APPLICATION, "application-id",
                        CXUI_APPLICATION_ID, "flags",
                        G_APPLICATION_HANDLES_OPEN, "resource-base-path",
                        "/org/connexon/Connexon", NULL);
}

static void
cxui_application_init(CxuiApplication *self)
{
    g_application_add_main_option_entries(G_APPLICATION(self), options);
    g_application_set_option_context_parameter_string(G_APPLICATION(self),
                                                      "[FILE…]");
    g_application_set_option_context_summary(
        G_APPLICATION(self),
        "Segment and proofread electron-microscopy volumes.  FILE is a volume "
        "(TIFF, HDF5, Zarr, precomputed, a folder of slices) or a project; "
        "an image and its labels may be given together.");
}

static void
cxui_application_class_init(CxuiApplicationClass *klass)
{
    GApplicationClass *application_class = G_APPLICATION_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = cxui_application_finalize;
    application_class->startup = cxui_application_startup;
    application_class->activate = cxui_application_activate;
    application_class->open = cxui_application_open;
    application_class->handle_local_options =
        cxui_application_handle_local_options;
}
