/* libhdf5 made safe to call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/hdf5_file.h"

#include "core/base/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static GMutex hdf5_lock; /* lint-ok: libhdf5 itself is one per process */

void
cx_hdf5_lock(void)
{
    static gsize opened = 0;

    g_mutex_lock(&hdf5_lock);
    /* A file that could not be written out keeps its id, and libhdf5's own
     * clean-up at exit then follows a dangling pointer: do without it. */
    if (g_once_init_enter(&opened)) {
        H5dont_atexit();
        g_once_init_leave(&opened, 1);
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void
cx_hdf5_unlock(void)
{
    g_mutex_unlock(&hdf5_lock);
}

/* The innermost message of the error stack. */
static herr_t
keep_reason(unsigned n, const H5E_error2_t *entry, void *data)
{
    char **reason = data;

    if (n == 0 && entry->desc != NULL)
        *reason = g_strdup(entry->desc);
    return 0;
}

static herr_t
find_errno(unsigned n, const H5E_error2_t *entry, void *data)
{
    const char *at =
        entry->desc != NULL ? strstr(entry->desc, "errno = ") : NULL;

    if (at != NULL)
        *(int *)data = (int)g_ascii_strtoll(at + 8, NULL, 10);
    return 0;
}

int
cx_hdf5_errno(void)
{
    int errnum = 0;

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_errno, &errnum);
    return errnum;
}

hid_t
cx_hdf5_open_file(const char *path, GError **error)
{
    g_autofree char *reason = NULL;
    CX_HID access = H5Pcreate(H5P_FILE_ACCESS);

    H5Pset_file_locking(access, false, true);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file < 0) {
        H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, &reason);
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: not a whole HDF5 file: %s", path,
                    reason != NULL ? reason : "it could not be opened");
    }
    return file;
}

static herr_t
refuse_external(const char *parent_file, const char *parent_group,
                const char *child_file, const char *child_object,
                unsigned *flags, hid_t access, void *data)
{
    return -1;
}

bool
cx_hdf5_install(const char *part, const char *path)
{
    int fd = open(part, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok && g_rename(part, path) == 0;
}

hid_t
cx_hdf5_open_object(hid_t file, const char *path)
{
    CX_HID access = H5Pcreate(H5P_LINK_ACCESS);

    H5Pset_elink_cb(access, refuse_external, NULL);
    return H5Oopen(file, path, access);
}

static bool
integer_dtype(hid_t type, CxDtype *dtype)
{
    size_t size = H5Tget_size(type);
    bool is_signed = H5Tget_sign(type) == H5T_SGN_2;

    if (size == 0 || size > 8)
        return false;
    if (size == 1)
        *dtype = is_signed ? CX_DTYPE_I8 : CX_DTYPE_U8;
    else if (size == 2)
        *dtype = is_signed ? CX_DTYPE_I16 : CX_DTYPE_U16;
    else if (size <= 4)
        *dtype = is_signed ? CX_DTYPE_I32 : CX_DTYPE_U32;
    else
        *dtype = is_signed ? CX_DTYPE_I64 : CX_DTYPE_U64;
    return true;
}

bool
cx_hdf5_dtype(hid_t type, CxDtype *dtype)
{
    H5T_class_t class = H5Tget_class(type);

    if (class == H5T_INTEGER)
        return integer_dtype(type, dtype);
    if (class == H5T_FLOAT) {
        *dtype = H5Tget_size(type) <= 4 ? CX_DTYPE_F32 : CX_DTYPE_F64;
        return true;
    }
    if (class == H5T_ENUM) {
        CX_HID base = H5Tget_super(type);
        size_t size = base >= 0 ? H5Tget_size(base) : 0;

        return (size == 1 || size == 2 || size == 4 || size == 8) &&
               integer_dtype(base, dtype);
    }
    return false;
}

hid_t
cx_hdf5_native(CxDtype dtype)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        return H5T_NATIVE_UINT8;
    case CX_DTYPE_U16:
        return H5T_NATIVE_UINT16;
    case CX_DTYPE_U32:
        return H5T_NATIVE_UINT32;
    case CX_DTYPE_U64:
        return H5T_NATIVE_UINT64;
    case CX_DTYPE_I8:
        return H5T_NATIVE_INT8;
    case CX_DTYPE_I16:
        return H5T_NATIVE_INT16;
    case CX_DTYPE_I32:
        return H5T_NATIVE_INT32;
    case CX_DTYPE_I64:
        return H5T_NATIVE_INT64;
    case CX_DTYPE_F32:
        return H5T_NATIVE_FLOAT;
    case CX_DTYPE_F64:
        return H5T_NATIVE_DOUBLE;
    }
    return H5I_INVALID_HID;
}

hid_t
cx_hdf5_memory_type(hid_t type, CxDtype dtype)
{
    if (H5Tget_class(type) == H5T_ENUM)
        return H5Tget_native_type(type, H5T_DIR_ASCEND);
    return H5Tcopy(cx_hdf5_native(dtype));
}

static const char *
filter_name(H5Z_filter_t id)
{
    static const struct {
        H5Z_filter_t id;
        const char *name;
    } table[] = {
        {H5Z_FILTER_DEFLATE, "deflate"},
        {H5Z_FILTER_SZIP, "szip"},
        {305, "LZO"},
        {307, "bzip2"},
        {32000, "LZF"},
        {32001, "blosc"},
        {32004, "lz4"},
        {32008, "bitshuffle"},
        {32013, "zfp"},
        {32015, "zstd"},
        {32017, "sz"},
        {32022, "jpeg"},
        {32026, "blosc2"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].id == id)
            return table[i].name;
    }
    return "unknown";
}

static bool
check_filters(hid_t plist, const char *where, GError **error)
{
    int n = H5Pget_nfilters(plist);

    for (int i = 0; i < n; i++) {
        char name[128] = "";
        unsigned flags, config;
        size_t n_values = 0;
        H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &n_values,
                                         NULL, sizeof name, name, &config);

        if (id >= 0 && H5Zfilter_avail(id) > 0)
            continue;
        g_autofree char *text = g_utf8_make_valid(name, -1);
        g_strdelimit(text, "\r\n\t", ' ');
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: compressed with the HDF5 filter %s (%d%s%s), for "
                    "which no plug-in is installed; expected deflate or none",
                    where, filter_name(id), (int)id,
                    text[0] != '\0' ? ", " : "", text);
        return false;
    }
    return true;
}

/* A virtual data set may only take from the file it is in. */
static bool
check_virtual(hid_t plist, const char *where, GError **error)
{
    size_t n = 0;

    H5Pget_virtual_count(plist, &n);
    for (size_t i = 0; i < n; i++) {
        char name[4] = "";

        if (H5Pget_virtual_filename(plist, i, name, sizeof name) == 1 &&
            name[0] == '.')
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: a virtual data set made of other files, expected "
                    "samples inside this file",
                    where);
        return false;
    }
    return true;
}

bool
cx_hdf5_check_storage(hid_t dataset, const char *where, GError **error)
{
    CX_HID plist = H5Dget_create_plist(dataset);

    if (plist < 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: its storage description is damaged", where);
        return false;
    }
    if (H5Pget_external_count(plist) > 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: samples lie in external files, expected them inside "
                    "this file",
                    where);
        return false;
    }
    if (H5Pget_layout(plist) == H5D_VIRTUAL)
        return check_virtual(plist, where, error);
    return check_filters(plist, where, error);
}

bool
cx_hdf5_attribute_doubles(hid_t object, const char *name, double *values,
                          unsigned n_values)
{
    if (H5Aexists(object, name) <= 0)
        return false;

    CX_HID attribute = H5Aopen(object, name, H5P_DEFAULT);
    CX_HID space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    CX_HID type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    if (space < 0 || type < 0)
        return false;

    H5T_class_t class = H5Tget_class(type);
    return (class == H5T_INTEGER || class == H5T_FLOAT) &&
           H5Sget_simple_extent_npoints(space) == (hssize_t)n_values &&
           H5Aread(attribute, H5T_NATIVE_DOUBLE, values) >= 0;
}

#define MAX_STRING ((size_t)1 << 20)

static char *
read_variable_string(hid_t attribute)
{
    CX_HID type = H5Tcopy(H5T_C_S1);
    char *text = NULL;

    H5Tset_size(type, H5T_VARIABLE);
    CX_HID stored = H5Aget_type(attribute);
    H5Tset_cset(type, H5Tget_cset(stored));
    if (H5Aread(attribute, type, &text) < 0 || text == NULL)
        return NULL;

    char *copy = g_strndup(text, MAX_STRING);
    H5free_memory(text);
    return copy;
}

char *
cx_hdf5_attribute_string(hid_t object, const char *name)
{
    if (H5Aexists(object, name) <= 0)
        return NULL;

    CX_HID attribute = H5Aopen(object, name, H5P_DEFAULT);
    CX_HID space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    CX_HID type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    if (space < 0 || type < 0 || H5Tget_class(type) != H5T_STRING ||
        H5Sget_simple_extent_npoints(space) != 1)
        return NULL;
    if (H5Tis_variable_str(type) > 0)
        return read_variable_string(attribute);

    size_t size = H5Tget_size(type);
    if (size == 0 || size > MAX_STRING)
        return NULL;
    g_autofree char *text = g_malloc0(size + 1);
    return H5Aread(attribute, type, text) >= 0 ? g_steal_pointer(&text) : NULL;
}
