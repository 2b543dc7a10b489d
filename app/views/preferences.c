/* The preferences window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/preferences.h"

struct _CxuiPreferences {
    AdwPreferencesWindow parent;

    /* template */
    GtkWidget *scheme;
    GtkWidget *palette;
    GtkWidget *cross_hair;
    GtkWidget *author;
    GtkWidget *image_cache;
    GtkWidget *mesh_cache;
};

G_DEFINE_FINAL_TYPE(CxuiPreferences, cxui_preferences,
                    ADW_TYPE_PREFERENCES_WINDOW)

/* Names of the settings in the order of the rows' lists. */
static const char *const schemes[] = {"auto", "system", "light", "dark", NULL};
static const char *const palettes[] = {"vivid", "colour-blind", NULL};

static gboolean
name_to_row(GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
    const char *const *names = data;

    for (guint i = 0; names[i] != NULL; i++) {
        if (g_strcmp0(names[i], g_value_get_string(from)) == 0)
            g_value_set_uint(to, i);
    }
    return TRUE;
}

static gboolean
row_to_name(GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
    const char *const *names = data;
    guint row = g_value_get_uint(from);

    if (row >= g_strv_length((char **)data))
        return FALSE;
    g_value_set_string(to, names[row]);
    return TRUE;
}

static void
bind_names(CxuiSettings *settings, const char *name, GtkWidget *row,
           const char *const *names)
{
    g_object_bind_property_full(settings, name, row, "selected",
                                G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL,
                                name_to_row, row_to_name, (gpointer)names,
                                NULL);
}

GtkWidget *
cxui_preferences_new(CxuiSettings *settings)
{
    CxuiPreferences *self = g_object_new(CXUI_TYPE_PREFERENCES, NULL);
    GBindingFlags both = G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL;

    bind_names(settings, "color-scheme", self->scheme, schemes);
    bind_names(settings, "palette", self->palette, palettes);
    g_object_bind_property(settings, "show-cross-hair", self->cross_hair,
                           "active", both);
    g_object_bind_property(settings, "author", self->author, "text", both);
    g_object_bind_property(settings, "image-cache-mib", self->image_cache,
                           "value", both);
    g_object_bind_property(settings, "mesh-cache-mib", self->mesh_cache,
                           "value", both);
    return GTK_WIDGET(self);
}

static void
cxui_preferences_init(CxuiPreferences *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}

static void
cxui_preferences_class_init(CxuiPreferencesClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/preferences.ui");
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiPreferences, name)
    BIND(scheme);
    BIND(palette);
    BIND(cross_hair);
    BIND(author);
    BIND(image_cache);
    BIND(mesh_cache);
#undef BIND
}
