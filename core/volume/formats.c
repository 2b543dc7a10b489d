/* Which reader opens what: parts of a volume argument, probe order, and the
 * check that readers keep the error contract.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/formats.h"

#include "core/base/error.h"
#include "core/volume/hdf5.h"
#include "core/volume/png_stack.h"
#include "core/volume/precomputed.h"
#include "core/volume/reader_util.h"
#include "core/volume/tiff_stack.h"
#include "core/volume/zarr.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const CxReader *const cx_readers[] = {
    &cx_hdf5_reader, &cx_zarr_reader, &cx_precomputed_reader,
    &cx_tiff_reader, &cx_png_reader,  NULL,
};

void
cx_volume_split_spec(const char *spec, char **path, char **dataset)
{
    struct stat info;

    *dataset = NULL;
    *path = g_strdup(spec);
    if (stat(spec, &info) == 0)
        return;
    for (char *at = *path + strlen(*path); at > *path; at--) {
        if (at[0] != ':' || at[1] != '/')
            continue;
        *at = '\0';
        if (stat(*path, &info) == 0) {
            *dataset = g_strdup(at + 1);
            return;
        }
        *at = ':';
    }

    char *colon = strstr(*path, ":/"); /* nothing there: name the file part */
    if (colon != NULL && colon > *path) {
        *dataset = g_strdup(colon + 1);
        *colon = '\0';
    }
}

static const char *
kind_of(mode_t mode)
{
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

static const CxReader *
find_reader(const char *path, GError **error)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        return NULL;
    }
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %s, expected a file or folder", path,
                    kind_of(info.st_mode));
        return NULL;
    }
    if (S_ISREG(info.st_mode) && info.st_size == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: the file is empty, expected a volume", path);
        return NULL;
    }
    for (size_t i = 0; cx_readers[i] != NULL; i++) {
        if (cx_readers[i]->probe(path))
            return cx_readers[i];
    }
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                S_ISDIR(info.st_mode)
                    ? "%s: a folder without numbered TIFF or PNG slices and "
                      "not a .zarr or precomputed volume"
                    : "%s: not a known format, expected TIFF, PNG, HDF5 or "
                      "Zarr",
                path);
    return NULL;
}

static bool
keeps_contract(const CxVolumeInfo *info)
{
    if (info->n_levels < 1 || info->n_levels > CX_MAX_LEVELS ||
        info->n_channels < 1)
        return false;
    for (unsigned i = 0; i < info->n_levels; i++) {
        CxVoxel chunk = info->levels[i].chunk_size;

        if (cx_box_is_empty(cx_box_of_size(info->levels[i].size)) ||
            cx_box_is_empty(cx_box_of_size(chunk)))
            return false;
    }
    return true;
}

CxVolume *
cx_volume_open(const char *spec, CxJob *job, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *dataset = NULL;
    CxVolumeInfo info = {.n_channels = 1};
    GError *local = NULL;

    cx_volume_split_spec(spec, &path, &dataset);
    const CxReader *reader = find_reader(path, error);
    if (reader == NULL)
        return NULL;

    void *self = reader->open(path, dataset, &info, job, &local);
    g_assert((self == NULL) == (local != NULL));
    if (self == NULL) {
        g_strdelimit(local->message, "\r\n", ' ');
        g_propagate_error(error, local);
        return NULL;
    }
    g_assert(keeps_contract(&info));
    return cx_volume_new(reader, self, &info, spec);
}

/* The one data set of a format whose file or folder is the data set. */
static GPtrArray *
list_one(const CxReader *reader, const char *path, GError **error)
{
    CxVolumeInfo info = {.n_channels = 1};
    void *self = reader->open(path, NULL, &info, NULL, error);

    if (self == NULL)
        return NULL;
    reader->free(self);
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_dataset_info_free);
    g_ptr_array_add(list, cx_dataset_info_new("", info.levels[0].size,
                                              info.dtype, info.is_labels));
    return list;
}

bool
cx_volume_may_hold_several(const char *path)
{
    const CxReader *reader = find_reader(path, NULL);

    return reader != NULL && reader->list != NULL;
}

GPtrArray *
cx_volume_list(const char *path, GError **error)
{
    GError *local = NULL;
    const CxReader *reader = find_reader(path, error);

    if (reader == NULL)
        return NULL;
    GPtrArray *list = reader->list != NULL ? reader->list(path, &local)
                                           : list_one(reader, path, &local);
    g_assert((list == NULL) == (local != NULL));
    if (local != NULL)
        g_propagate_error(error, local);
    return list;
}
