/* What every test needs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/support/check.h"

#include "core/base/error.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

char *
cx_test_data_path(const char *relative)
{
    const char *dir = g_getenv("CONNEXON_DATA");
    const char *source = g_getenv("CONNEXON_SOURCE");
    g_autofree char *beside = g_build_filename(source != NULL ? source : ".",
                                               "..", "shared", "data", NULL);
    char *path = g_build_filename(dir != NULL ? dir : beside, relative, NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return path;
    g_autofree char *why = g_strdup_printf("real data not here: %s", path);
    g_test_skip(why);
    g_free(path);
    return NULL;
}

CxRng
cx_test_rng(void)
{
    const char *text = g_getenv("CX_TEST_SEED");
    uint64_t seed = text != NULL ? g_ascii_strtoull(text, NULL, 10)
                                 : (uint64_t)g_get_real_time();
    CxRng rng;

    g_test_message("CX_TEST_SEED=%" G_GUINT64_FORMAT, seed);
    cx_rng_init(&rng, seed);
    return rng;
}

char *
cx_test_make_dir(void)
{
    g_autoptr(GError) error = NULL;
    char *dir = g_dir_make_tmp("cx-test-XXXXXX", &error);

    g_assert_no_error(error);
    return dir;
}

void
cx_test_remove_dir(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR) &&
        !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;

        while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            cx_test_remove_dir(child);
        }
    }
    g_remove(path);
}

void
cx_test_expect_error(GError **error, int code, ...)
{
    va_list args;
    const char *part;

    g_assert_nonnull(*error);
    g_test_message("%s", (*error)->message);
    g_assert_error(*error, CX_ERROR, code);
    g_assert_null(strchr((*error)->message, '\n'));
    va_start(args, code);
    while ((part = va_arg(args, const char *)) != NULL) {
        if (strstr((*error)->message, part) == NULL)
            g_error("error \"%s\" does not name \"%s\"", (*error)->message,
                    part);
    }
    va_end(args);
    g_clear_error(error);
}
