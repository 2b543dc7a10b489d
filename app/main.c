/* The program `connexon`: the window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/application.h"

#include <string.h>

/* Settings compiled beside a build that is run without being installed. */
static void
use_settings_of_build(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);

    if (self != NULL && g_str_has_prefix(self, CX_BUILD_DIR) &&
        g_getenv("GSETTINGS_SCHEMA_DIR") == NULL)
        g_setenv("GSETTINGS_SCHEMA_DIR", CX_BUILD_DIR "/data/desktop", FALSE);
}

/* "a.h5:/volumes/raw" looks like a URI of scheme "a.h5"; as an absolute path it
 * does not. */
static char *
absolute_path(const char *argument)
{
    const char *dataset = strstr(argument, ":/");

    if (argument[0] == '-' || argument[0] == '/' || dataset == NULL ||
        g_str_has_prefix(dataset, "://"))
        return g_strdup(argument);
    return g_canonicalize_filename(argument, NULL);
}

int
main(int argc, char **argv)
{
    use_settings_of_build();
    g_auto(GStrv) arguments = g_new0(char *, (gsize)argc + 1);
    for (int i = 0; i < argc; i++)
        arguments[i] = absolute_path(argv[i]);
    g_autoptr(CxuiApplication) application = cxui_application_new();
    return g_application_run(G_APPLICATION(application), argc, arguments);
}
