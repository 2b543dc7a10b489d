/* The numbered slices of a folder.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/slice_names.h"

#include "core/base/error.h"
#include "core/volume/reader_util.h"

#include <errno.h>
#include <string.h>

#define MAX_SLICES 1000000

static int
compare(gconstpointer a, gconstpointer b)
{
    return cx_reader_compare_names(*(const char *const *)a,
                                   *(const char *const *)b);
}

static GPtrArray *
list_names(const char *dir, const char *const *suffixes, GError **error)
{
    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    int errnum = errno;
    const char *name;

    if (handle == NULL) {
        cx_error_set_errno(error, errnum, "cannot open folder %s", dir);
        return NULL;
    }

    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    while ((name = g_dir_read_name(handle)) != NULL) {
        if (name[0] == '.' || !cx_reader_has_suffix(name, suffixes))
            continue;
        g_ptr_array_add(names, g_strdup(name));
        if (names->len > MAX_SLICES) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: more than %d slices", dir, MAX_SLICES);
            return NULL;
        }
    }
    if (names->len == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: no slice of the kind %s in this folder", dir,
                    suffixes[0]);
        return NULL;
    }
    g_ptr_array_sort(names, compare);
    return g_steal_pointer(&names);
}

/* The name with every run of digits replaced by '#'. */
static char *
pattern_of(const char *name)
{
    GString *text = g_string_new(NULL);

    for (; *name != '\0'; name++) {
        if (!g_ascii_isdigit(*name))
            g_string_append_c(text, *name);
        else if (!g_ascii_isdigit(name[1]))
            g_string_append_c(text, '#');
    }
    return g_string_free(text, FALSE);
}

/* Value of the run-th run of digits. */
static uint64_t
number_in(const char *name, unsigned run)
{
    for (;;) {
        while (*name != '\0' && !g_ascii_isdigit(*name))
            name++;
        if (*name == '\0')
            return 0;
        if (run-- == 0)
            return g_ascii_strtoull(name, NULL, 10);
        while (g_ascii_isdigit(*name))
            name++;
    }
}

static bool
check_alike(const char *dir, GPtrArray *names, unsigned *n_runs, GError **error)
{
    const char *first = names->pdata[0];
    g_autofree char *expected = pattern_of(first);

    *n_runs = 0;
    for (const char *at = expected; *at != '\0'; at++)
        *n_runs += *at == '#';
    for (guint i = 1; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *found = pattern_of(name);

        if (g_str_equal(found, expected) && *n_runs > 0)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: \"%s\" and \"%s\" are not numbered slices of one "
                    "stack, expected names that differ in a number only",
                    dir, first, name);
        return false;
    }
    return true;
}

/* The run of digits that differs; -1 if several do, 0 if none does. */
static int
find_varying_run(GPtrArray *names, unsigned n_runs)
{
    int varying = -1;

    for (unsigned run = 0; run < n_runs; run++) {
        uint64_t first = number_in(names->pdata[0], run);
        bool differs = false;

        for (guint i = 1; i < names->len && !differs; i++)
            differs = number_in(names->pdata[i], run) != first;
        if (differs && varying >= 0)
            return -1;
        if (differs)
            varying = (int)run;
    }
    if (varying < 0 && names->len == 1)
        return (int)n_runs - 1;
    return MAX(varying, 0);
}

static bool
check_numbers(const char *dir, GPtrArray *names, unsigned run,
              CxSliceNames *out, GError **error)
{
    uint64_t last = number_in(names->pdata[0], run), step = 0;

    out->first = last;
    out->has_numbers = true;
    for (guint i = 1; i < names->len; i++) {
        uint64_t number = number_in(names->pdata[i], run);

        if (number == last) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: slice %" G_GUINT64_FORMAT
                        " is there twice, as \"%s\" and \"%s\"",
                        dir, number, (char *)names->pdata[i - 1],
                        (char *)names->pdata[i]);
            return false;
        }
        if (step == 0 || number - last < step)
            step = number - last;
        last = number;
    }
    out->step = MAX(step, 1);
    for (guint i = 1; i < names->len; i++) {
        uint64_t expected = number_in(names->pdata[i - 1], run) + out->step;

        if (number_in(names->pdata[i], run) == expected)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: slice %" G_GUINT64_FORMAT
                    " is missing between \"%s\" and \"%s\"",
                    dir, expected, (char *)names->pdata[i - 1],
                    (char *)names->pdata[i]);
        return false;
    }
    return true;
}

bool
cx_slice_names_list(const char *dir, const char *const *suffixes,
                    CxSliceNames *out, GError **error)
{
    g_autoptr(GPtrArray) names = list_names(dir, suffixes, error);
    unsigned n_runs;

    *out = (CxSliceNames){.step = 1};
    if (names == NULL || !check_alike(dir, names, &n_runs, error))
        return false;

    int run = find_varying_run(names, n_runs);
    if (run >= 0 && n_runs > 0 &&
        !check_numbers(dir, names, (unsigned)run, out, error))
        return false;
    out->paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(out->paths,
                        g_build_filename(dir, names->pdata[i], NULL));
    return true;
}

void
cx_slice_names_clear(CxSliceNames *names)
{
    g_clear_pointer(&names->paths, g_ptr_array_unref);
}

char *
cx_slice_names_describe(const CxSliceNames *names, size_t i)
{
    const char *path = names->paths->pdata[i];

    if (!names->has_numbers)
        return g_strdup(path);
    return g_strdup_printf("slice %" G_GUINT64_FORMAT " (%s)",
                           names->first + i * names->step, path);
}
