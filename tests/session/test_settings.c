/* Preferences without a schema: the key file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/settings.h"
#include "tests/support/check.h"

static void
test_survive_in_a_file(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a", "settings.ini", NULL);
    g_autoptr(CxuiSettings) first = cxui_settings_new_for_file(path);

    g_assert_cmpstr(cxui_settings_color_scheme(first), ==, "auto");
    g_assert_cmpstr(cxui_settings_author(first), ==, g_get_user_name());
    g_object_set(first, "author", "Ada", "mesh-cache-mib", 128u,
                 "label-opacity", 0.75, "show-borders", FALSE, NULL);
    g_autoptr(CxuiSettings) second = cxui_settings_new_for_file(path);
    double opacity;
    gboolean borders;
    g_object_get(second, "label-opacity", &opacity, "show-borders", &borders,
                 NULL);
    g_assert_cmpstr(cxui_settings_author(second), ==, "Ada");
    g_assert_cmpuint(cxui_settings_mesh_budget_bytes(second), ==, 128u << 20);
    g_assert_cmpfloat(opacity, ==, 0.75);
    g_assert_false(borders);
    cx_test_remove_dir(dir);
}

static void
test_odd_values_are_brought_into_range(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "settings.ini", NULL);

    g_assert_true(g_file_set_contents(path,
                                      "[Connexon]\nlabel-opacity=7\n"
                                      "image-cache-mib=1\nwindow-width=x\n",
                                      -1, NULL));
    g_autoptr(CxuiSettings) settings = cxui_settings_new_for_file(path);
    double opacity;
    int width;
    g_object_get(settings, "label-opacity", &opacity, "window-width", &width,
                 NULL);
    g_assert_cmpfloat(opacity, ==, 1.0);
    g_assert_cmpint(width, ==, 1360);
    g_assert_cmpuint(cxui_settings_image_budget_bytes(settings), ==, 64u << 20);
    cx_test_remove_dir(dir);
}

static void
count(GObject *settings, GParamSpec *spec, unsigned *n)
{
    (*n)++;
}

static void
test_only_changes_are_told(void)
{
    g_autoptr(CxuiSettings) settings = cxui_settings_new_in_memory();
    unsigned n = 0;

    g_signal_connect(settings, "notify::palette", G_CALLBACK(count), &n);
    g_object_set(settings, "palette", "vivid", NULL);
    g_assert_cmpuint(n, ==, 0);
    g_object_set(settings, "palette", "colour-blind", NULL);
    g_assert_cmpuint(n, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/survive_in_a_file", test_survive_in_a_file);
    g_test_add_func("/settings/odd_values_are_brought_into_range",
                    test_odd_values_are_brought_into_range);
    g_test_add_func("/settings/only_changes_are_told",
                    test_only_changes_are_told);
    return g_test_run();
}
