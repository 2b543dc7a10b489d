/* What several readers need.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/reader_util.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Does a word of the name begin so ("seg" in "a_seg3", not in "unseg")? */
static bool
has_word(const char *name, const char *word)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    for (const char *at = strstr(lower, word); at != NULL;
         at = strstr(at + 1, word)) {
        if (at == lower || !g_ascii_isalpha(at[-1]))
            return true;
    }
    return false;
}

static bool
names_labels(const char *name)
{
    static const char *const words[] = {
        "label", "seg",      "neuron_ids", "supervoxel", "truth",      "cleft",
        "ids",   "instance", "watershed",  "bodies",     "components", "gt",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (has_word(name, words[i]))
            return true;
    }
    return false;
}

static bool
names_image(const char *name)
{
    static const char *const words[] = {"raw", "image", "em", "grey", "gray"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (has_word(name, words[i]))
            return true;
    }
    return false;
}

/* The last two parts of a path: a file and its folder. */
static char *
tail_of_path(const char *path)
{
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    g_autofree char *dir = g_path_get_dirname(whole);
    g_autofree char *parent = g_path_get_basename(dir);
    g_autofree char *name = g_path_get_basename(whole);

    return g_strconcat(parent, "/", name, NULL);
}

bool
cx_reader_guess_labels(const char *path, const char *dataset, CxDtype dtype)
{
    switch (dtype) {
    case CX_DTYPE_F32:
    case CX_DTYPE_F64:
        return false;
    case CX_DTYPE_U32:
    case CX_DTYPE_U64:
    case CX_DTYPE_I32:
    case CX_DTYPE_I64:
        return true;
    case CX_DTYPE_U8:
    case CX_DTYPE_U16:
    case CX_DTYPE_I8:
    case CX_DTYPE_I16:
        break;
    }
    if (dataset != NULL && names_labels(dataset))
        return true;
    if (dataset != NULL && names_image(dataset))
        return false;

    g_autofree char *tail = tail_of_path(path);
    return names_labels(tail);
}

double
cx_reader_unit_nm(const char *unit)
{
    static const struct {
        const char *name;
        double nm;
    } table[] = {
        {"nm", 1},
        {"nanometer", 1},
        {"nanometre", 1},
        {"nanometers", 1},
        {"um", 1e3},
        {"\xc2\xb5m", 1e3},
        {"\xce\xbcm", 1e3},
        {"\xb5m", 1e3},
        {"\\u00B5m", 1e3},
        {"micron", 1e3},
        {"microns", 1e3},
        {"micrometer", 1e3},
        {"micrometre", 1e3},
        {"micrometers", 1e3},
        {"mm", 1e6},
        {"millimeter", 1e6},
        {"cm", 1e7},
        {"centimeter", 1e7},
        {"m", 1e9},
        {"meter", 1e9},
        {"metre", 1e9},
        {"inch", 25.4e6},
        {"angstrom", 0.1},
        {"\xc3\x85", 0.1},
        {"\xe2\x84\xab", 0.1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_ascii_strcasecmp(unit, table[i].name) == 0)
            return table[i].nm;
    }
    return 0;
}

#define MAX_AXIS ((int64_t)1 << 40)
#define MAX_BYTES ((size_t)1 << 60)

bool
cx_reader_check_size(const char *path, CxVoxel size, CxDtype dtype,
                     unsigned n_channels, GError **error)
{
    bool fits = size.x >= 1 && size.y >= 1 && size.z >= 1 &&
                size.x <= MAX_AXIS && size.y <= MAX_AXIS && size.z <= MAX_AXIS;
    size_t n = 0;

    fits = fits && cx_box_n_voxels(cx_box_of_size(size), &n) &&
           !__builtin_mul_overflow(n, n_channels, &n) &&
           !__builtin_mul_overflow(n, cx_dtype_size_bytes(dtype), &n) &&
           n <= MAX_BYTES;
    if (!fits)
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: size %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                    " x %" G_GINT64_FORMAT " is empty or beyond any file",
                    path, size.x, size.y, size.z);
    return fits;
}

static const char *
skip_zeros(const char *digits)
{
    while (digits[0] == '0' && g_ascii_isdigit(digits[1]))
        digits++;
    return digits;
}

int
cx_reader_compare_names(const char *a, const char *b)
{
    const char *whole_a = a, *whole_b = b;

    while (*a != '\0' && *b != '\0') {
        if (!g_ascii_isdigit(*a) || !g_ascii_isdigit(*b)) {
            if (*a != *b)
                return (unsigned char)*a - (unsigned char)*b;
            a++;
            b++;
            continue;
        }
        a = skip_zeros(a);
        b = skip_zeros(b);
        size_t length_a = strspn(a, "0123456789");
        size_t length_b = strspn(b, "0123456789");
        if (length_a != length_b)
            return length_a < length_b ? -1 : 1;
        int order = strncmp(a, b, length_a);
        if (order != 0)
            return order;
        a += length_a;
        b += length_b;
    }
    if (*a != *b)
        return (unsigned char)*a - (unsigned char)*b;
    return strcmp(whole_a, whole_b);
}

CxDatasetInfo *
cx_dataset_info_new(const char *path, CxVoxel size, CxDtype dtype,
                    bool is_labels)
{
    CxDatasetInfo *info = g_new(CxDatasetInfo, 1);

    *info = (CxDatasetInfo){g_strdup(path), size, dtype, is_labels};
    return info;
}

void
cx_dataset_info_free(CxDatasetInfo *info)
{
    g_free(info->path);
    g_free(info);
}

size_t
cx_reader_peek(const char *path, void *buffer, size_t size_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t n = 0;

    if (fd < 0)
        return 0;
    while (n < size_bytes) {
        int64_t got = read(fd, (char *)buffer + n, size_bytes - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    return n;
}

bool
cx_reader_has_suffix(const char *path, const char *const *suffixes)
{
    size_t length = strlen(path);

    for (; *suffixes != NULL; suffixes++) {
        size_t n = strlen(*suffixes);

        if (length >= n &&
            g_ascii_strcasecmp(path + length - n, *suffixes) == 0)
            return true;
    }
    return false;
}

/* The higher the more likely what somebody wants to look at. */
static double
score(const CxDatasetInfo *info)
{
    static const char *const names[] = {
        "/volumes/raw", "/raw",   "/main", "/exported_data",
        "/stack",       "/image", "/data", "/volume/data",
    };
    double size =
        (double)info->size.x * (double)info->size.y * (double)info->size.z;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(info->path, names[i]))
            return 4e30 - (double)i * 1e28;
    }
    return (info->size.z > 1 ? 2e30 : 0) + (info->is_labels ? 0 : 1e30) + size;
}

const CxDatasetInfo *
cx_reader_choose(GPtrArray *list)
{
    const CxDatasetInfo *best = NULL;

    for (guint i = 0; i < list->len; i++) {
        const CxDatasetInfo *info = g_ptr_array_index(list, i);

        if (best == NULL || score(info) > score(best))
            best = info;
    }
    return best;
}
