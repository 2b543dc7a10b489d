/* A PNG image, or a folder of numbered PNG slices.
 *
 * PNG cannot be entered in the middle: a section is decoded whole and kept in
 * a small cache.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/png_stack.h"

#include "core/base/error.h"
#include "core/volume/chunk_cache.h"
#include "core/volume/png_slice.h"
#include "core/volume/reader_util.h"
#include "core/volume/slice_names.h"

typedef struct {
    CxSliceNames names;
    CxVoxel size;
    CxDtype dtype;
    bool as_labels;
    CxChunkCache *sections;
} PngStack;

static const char *const suffixes[] = {".png", NULL};

static bool
probe(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    if (dir == NULL)
        return cx_png_probe(path) || cx_reader_has_suffix(path, suffixes);
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (name[0] != '.' && cx_reader_has_suffix(name, suffixes))
            return true;
    }
    return false;
}

static void
free_stack(void *data)
{
    PngStack *self = data;

    cx_slice_names_clear(&self->names);
    cx_chunk_cache_free(self->sections);
    g_free(self);
}

static bool
check_like_first(const PngStack *self, size_t i, int64_t width, int64_t height,
                 CxDtype dtype, GError **error)
{
    if (width == self->size.x && height == self->size.y && dtype == self->dtype)
        return true;
    g_autofree char *which = cx_slice_names_describe(&self->names, i);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s is %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                " pixels of %s, expected %" G_GINT64_FORMAT
                " x %" G_GINT64_FORMAT " of %s as the first",
                which, width, height, cx_dtype_name(dtype), self->size.x,
                self->size.y, cx_dtype_name(self->dtype));
    return false;
}

static CxChunk *
get_section(PngStack *self, int64_t z, GError **error)
{
    CxChunkKey key = {1, 0, {0, 0, z}};
    CxChunk *section = cx_chunk_cache_lookup(self->sections, &key);

    if (section != NULL)
        return section;
    section =
        cx_png_read(self->names.paths->pdata[z], z, self->as_labels, error);
    if (section == NULL)
        return NULL;
    CxVoxel size = cx_box_size(cx_chunk_box(section));
    if (!check_like_first(self, (size_t)z, size.x, size.y,
                          cx_chunk_dtype(section), error)) {
        cx_chunk_unref(section);
        return NULL;
    }
    cx_chunk_cache_insert(self->sections, &key, section);
    return section;
}

static bool
read_box(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        g_autoptr(CxChunk) section = get_section(data, z, error);

        if (section == NULL ||
            (cx_job_is_cancelled(job) && !cx_job_step(job, 0, 1, error)))
            return false;
        cx_chunk_copy_overlap(dst, section);
    }
    return true;
}

/* Reads some other headers, so that a slice of another size is found at once
 * in stacks of usual length. */
static bool
check_sizes(PngStack *self, CxJob *job, GError **error)
{
    size_t n_slices = self->names.paths->len, n = MIN(n_slices, 512);

    for (size_t i = 1; i < n; i++) {
        size_t at = i * (n_slices - 1) / (n - 1);
        int64_t width, height;
        CxDtype dtype;

        if (!cx_png_read_size(self->names.paths->pdata[at], &width, &height,
                              &dtype, error) ||
            !check_like_first(self, at, width, height, dtype, error) ||
            !cx_job_step(job, i, n, error))
            return false;
    }
    return true;
}

static bool
open_in(PngStack *self, const char *path, CxVolumeInfo *info, CxJob *job,
        GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        if (!cx_slice_names_list(path, suffixes, &self->names, error))
            return false;
    } else {
        self->names.paths = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(self->names.paths, g_strdup(path));
    }
    if (!cx_png_read_size(self->names.paths->pdata[0], &self->size.x,
                          &self->size.y, &self->dtype, error))
        return false;
    self->size.z = self->names.paths->len;
    if (!cx_reader_check_size(path, self->size, self->dtype, 1, error) ||
        !check_sizes(self, job, error))
        return false;

    size_t section = (size_t)(self->size.x * self->size.y) *
                     cx_dtype_size_bytes(self->dtype);
    self->sections = cx_chunk_cache_new(
        CLAMP(8 * section, (size_t)64 << 20, (size_t)512 << 20));
    self->as_labels = cx_reader_guess_labels(path, NULL, self->dtype);
    *info = (CxVolumeInfo){
        .dtype = self->dtype,
        .n_channels = 1,
        .n_levels = 1,
        .levels = {{self->size, {self->size.x, self->size.y, 1}, {1, 1, 1}}},
        .is_labels = self->as_labels,
    };
    return true;
}

static void *
open_stack(const char *path, const char *dataset, CxVolumeInfo *info,
           CxJob *job, GError **error)
{
    if (dataset != NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: PNG images have no data sets, but %s was asked for",
                    path, dataset);
        return NULL;
    }

    PngStack *self = g_new0(PngStack, 1);
    if (open_in(self, path, info, job, error))
        return self;
    free_stack(self);
    return NULL;
}

const CxReader cx_png_reader = {
    .name = "png",
    .probe = probe,
    .open = open_stack,
    .read = read_box,
    .free = free_stack,
};
