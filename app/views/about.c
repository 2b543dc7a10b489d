/* The About window, with facts for bug reports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/about.h"

#include <adwaita.h>
#include <sys/sysinfo.h>

#define RENDERER_KEY "cx-gl-renderer"

void
cxui_about_note_renderer(GtkWidget *pane, const char *renderer)
{
    GtkRoot *root = gtk_widget_get_root(pane);

    if (root != NULL)
        g_object_set_data_full(G_OBJECT(root), RENDERER_KEY, g_strdup(renderer),
                               g_free);
}

static char *
dup_facts(GtkWindow *parent)
{
    const char *renderer =
        parent != NULL ? g_object_get_data(G_OBJECT(parent), RENDERER_KEY)
                       : NULL;
    GdkDisplay *display = gdk_display_get_default();
    struct sysinfo system = {0};

    sysinfo(&system);
    guint64 ram = (guint64)system.totalram * system.mem_unit;
    g_autofree char *memory = g_format_size_full(ram, G_FORMAT_SIZE_IEC_UNITS);
    return g_strdup_printf(
        "Connexon %s\nGTK %u.%u.%u, libadwaita %u.%u.%u, GLib %u.%u.%u\n"
        "OpenGL: %s\nDisplay: %s\nCores: %u\nMemory: %s\n",
        CX_VERSION, gtk_get_major_version(), gtk_get_minor_version(),
        gtk_get_micro_version(), adw_get_major_version(),
        adw_get_minor_version(), adw_get_micro_version(), glib_major_version,
        glib_minor_version, glib_micro_version,
        renderer != NULL ? renderer : "nothing drawn yet",
        display != NULL ? G_OBJECT_TYPE_NAME(display) : "none",
        g_get_num_processors(), memory);
}

void
cxui_about_present(GtkWindow *parent)
{
    g_autofree char *facts = dup_facts(parent);

    adw_show_about_window(
        parent, "application-name", "Connexon", "application-icon",
        "org.connexon.Connexon", "version", CX_VERSION, "comments",
        "Segments and proofreads electron-microscopy volumes of nervous "
        "tissue: offline, on the CPU, with every edit kept.",
        "license-type", GTK_LICENSE_APACHE_2_0, "developer-name",
        "The Connexon authors", "debug-info", facts, "debug-info-filename",
        "connexon.txt", NULL);
}
