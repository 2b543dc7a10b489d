/* Writes a volume box by box to a new file or folder, atomically.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/writer.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/reader_util.h"
#include "core/volume/writer_format.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SLAB_BYTES ((int64_t)256 << 20)

struct CxWriter {
    const CxWriterFormat *format;
    char *path; /* without trailing slashes */
    char *temp; /* beside it */
    CxWriterOptions options;
    void *self;
    int64_t next_z;
    bool narrows; /* labels to TIFF: as few bits as the ids need */
    uint64_t largest;
};

static const struct {
    const char *suffix;
    const CxWriterFormat *format;
} formats[] = {
    {".h5", &cx_writer_hdf5},
    {".hdf", &cx_writer_hdf5},
    {".hdf5", &cx_writer_hdf5},
    {".tif", &cx_writer_tiff},
    {".tiff", &cx_writer_tiff},
    {".zarr", &cx_writer_zarr},
    {".precomputed", &cx_writer_precomputed},
    {"/", &cx_writer_slices},
};

static const CxWriterFormat *
find_format(const char *path, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        const char *suffixes[] = {formats[i].suffix, NULL};

        if (cx_reader_has_suffix(path, suffixes))
            return formats[i].format;
    }
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: the name does not say a format, expected one that ends "
                "in .h5, .tif, .zarr, .precomputed or / (numbered slices)",
                path);
    return NULL;
}

static char *
strip_slashes(const char *path)
{
    char *text = g_strdup(path);

    for (size_t n = strlen(text); n > 1 && text[n - 1] == '/'; n--)
        text[n - 1] = '\0';
    return text;
}

static void
remove_tree(const char *path)
{
    struct stat info;

    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;

        while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
            g_autofree char *child = g_build_filename(path, name, NULL);

            remove_tree(child);
        }
    }
    g_remove(path);
}

static char *
make_temp_name(const char *path)
{
    struct stat info;

    for (;;) {
        char *temp = g_strdup_printf("%s.partial-%08x", path, g_random_int());

        if (lstat(temp, &info) != 0)
            return temp;
        g_free(temp);
    }
}

int64_t
cx_writer_slab_depth(const CxWriterOptions *options, int64_t wanted)
{
    int64_t section = options->size.x * options->size.y *
                      (int64_t)cx_dtype_size_bytes(options->dtype) *
                      options->n_channels;
    int64_t most = options->slab_bytes > 0
                       ? (int64_t)MIN(options->slab_bytes, MAX_SLAB_BYTES)
                       : MAX_SLAB_BYTES;
    int64_t depth = wanted;

    while (depth > 1 && section > most / depth)
        depth /= 2;
    return MIN(depth, options->size.z);
}

CxVoxel
cx_writer_cube(const CxWriterOptions *options)
{
    return (CxVoxel){MIN(options->size.x, 64), MIN(options->size.y, 64),
                     cx_writer_slab_depth(options, 64)};
}

bool
cx_writer_make_folder(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0777) == 0)
        return true;
    cx_error_set_errno(error, errno, "cannot make folder %s", path);
    return false;
}

bool
cx_writer_put(int fd, const char *path, const void *bytes, size_t n,
              GError **error)
{
    while (n > 0) {
        int64_t done = write(fd, bytes, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            cx_error_set_errno(error, errno, "cannot write %s", path);
            return false;
        }
        bytes = (const uint8_t *)bytes + done;
        n -= (size_t)done;
    }
    return true;
}

bool
cx_writer_put_file(const char *path, const void *bytes, size_t n,
                   GError **error)
{
    int fd = g_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0) {
        cx_error_set_errno(error, errno, "cannot write %s", path);
        return false;
    }
    if (!cx_writer_put(fd, path, bytes, n, error)) {
        close(fd);
        return false;
    }
    if (close(fd) == 0)
        return true;
    cx_error_set_errno(error, errno, "cannot write %s", path);
    return false;
}

char *
cx_writer_format_double(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    for (int digits = 6; digits <= 17; digits++) {
        g_autofree char *format = g_strdup_printf("%%.%dg", digits);

        g_ascii_formatd(text, sizeof text, format, value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    return g_strdup(text);
}

static bool
check_options(const char *path, CxWriterOptions *options, GError **error)
{
    CxNm nm = options->voxel_nm, offset = options->offset_nm;

    if (options->n_channels == 0)
        options->n_channels = 1;
    if (!cx_reader_check_size(path, options->size, options->dtype,
                              options->n_channels, error))
        return false;
    if (!(nm.x > 0 && nm.y > 0 && nm.z > 0) || !isfinite(nm.x) ||
        !isfinite(nm.y) || !isfinite(nm.z))
        options->voxel_nm = (CxNm){1, 1, 1};
    if (!isfinite(offset.x) || !isfinite(offset.y) || !isfinite(offset.z))
        options->offset_nm = (CxNm){0, 0, 0};
    return true;
}

static bool
check_target(const CxWriter *self, GError **error)
{
    struct stat info;

    if (lstat(self->path, &info) != 0 || self->options.overwrite)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_EXISTS, "%s is already there",
                self->path);
    return false;
}

CxWriterOptions
cx_writer_options_over(CxVolume *volume, CxBox box)
{
    CxNm voxel = cx_volume_level(volume, 0).voxel_nm;

    return (CxWriterOptions){
        .size = cx_box_size(box),
        .dtype = CX_DTYPE_U8,
        .voxel_nm = voxel,
        .offset_nm = cx_voxel_to_nm(box.lo, voxel, cx_volume_offset_nm(volume)),
    };
}

CxWriter *
cx_writer_new(const char *path, const CxWriterOptions *options, GError **error)
{
    g_autofree char *bare = strip_slashes(path);
    /* "a.zarr/" is a Zarr volume, not a folder of slices */
    static const char *const folders[] = {".zarr", ".precomputed", NULL};
    const CxWriterFormat *format =
        find_format(cx_reader_has_suffix(bare, folders) ? bare : path, error);

    if (format == NULL)
        return NULL;

    g_autoptr(CxWriter) self = g_new0(CxWriter, 1);
    self->format = format;
    self->path = g_steal_pointer(&bare);
    self->options = *options;
    self->options.dataset = self->options.keep = NULL;
    if (!check_options(path, &self->options, error) ||
        !check_target(self, error))
        return NULL;

    CxWriterOptions inner = self->options;
    inner.dataset = options->dataset;
    inner.keep = options->keep;
    self->narrows =
        (format == &cx_writer_tiff || format == &cx_writer_slices) &&
        options->is_labels && cx_dtype_is_integer(options->dtype) &&
        cx_dtype_size_bytes(options->dtype) >= 4;
    if (self->narrows)
        inner.dtype = CX_DTYPE_U32;
    self->temp = make_temp_name(self->path);
    self->self = format->open(self->temp, &inner, error);
    return self->self != NULL ? g_steal_pointer(&self) : NULL;
}

int64_t
cx_writer_slab(const CxWriter *self)
{
    return self->format->slab(self->self);
}

/* Labels as u32, or CX_ERROR_INVALID. */
static CxChunk *
narrow(CxWriter *self, CxChunk *slab, GError **error)
{
    size_t n = cx_chunk_n_voxels(slab);
    g_autoptr(CxChunk) wide = cx_chunk_to_u64(slab, error);
    g_autoptr(CxChunk) result =
        wide != NULL ? cx_chunk_new(CX_DTYPE_U32, cx_chunk_box(slab), 1, error)
                     : NULL;

    if (result == NULL)
        return NULL;
    const uint64_t *from = cx_chunk_data(wide);
    uint32_t *to = cx_chunk_data_mut(result);
    for (size_t i = 0; i < n; i++) {
        self->largest = MAX(self->largest, from[i]);
        to[i] = (uint32_t)from[i];
    }
    if (self->largest <= UINT32_MAX)
        return g_steal_pointer(&result);
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: label %" G_GUINT64_FORMAT
                " does not fit into 32 bits, the most that programs read from "
                "TIFF; .h5 and .zarr hold it",
                self->path, self->largest);
    return NULL;
}

bool
cx_writer_write(CxWriter *self, const CxChunk *slab, GError **error)
{
    CxBox box = cx_chunk_box(slab);
    const CxWriterOptions *options = &self->options;
    int64_t depth = cx_writer_slab(self);

    g_return_val_if_fail(cx_chunk_dtype(slab) == options->dtype &&
                             cx_chunk_n_channels(slab) == options->n_channels,
                         false);
    if (box.lo.x != 0 || box.lo.y != 0 || box.hi.x != options->size.x ||
        box.hi.y != options->size.y || box.lo.z != self->next_z ||
        box.hi.z != MIN(box.lo.z + depth, options->size.z)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: sections %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                    " written out of turn, expected %" G_GINT64_FORMAT
                    " sections from %" G_GINT64_FORMAT " on in full",
                    self->path, box.lo.z, box.hi.z - 1, depth, self->next_z);
        return false;
    }
    self->next_z = box.hi.z;
    if (!self->narrows)
        return self->format->write(self->self, slab, error);
    g_autoptr(CxChunk) narrowed =
        narrow(self, (CxChunk *)(uintptr_t)slab, error);
    return narrowed != NULL && self->format->write(self->self, narrowed, error);
}

static bool
sync_path(const char *path, bool whole_system, GError **error)
{
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    bool ok = fd >= 0 && (whole_system ? syncfs(fd) : fsync(fd)) == 0;

    if (!ok && (errno != EINVAL || fd < 0))
        cx_error_set_errno(error, errno, "cannot make %s durable", path);
    else
        ok = true; /* EINVAL: a file system without fsync */
    if (fd >= 0)
        close(fd);
    return ok;
}

static uint64_t
measure_tree(const char *path)
{
    struct stat info;
    uint64_t n = 0;

    if (lstat(path, &info) != 0)
        return 0;
    if (!S_ISDIR(info.st_mode))
        return (uint64_t)info.st_size;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        n += measure_tree(child);
    }
    return n;
}

/* The finished temporary takes the name; an old target goes only then. */
static bool
take_name(CxWriter *self, GError **error)
{
    struct stat info;
    unsigned flags = 0;

    if (!self->options.overwrite)
        flags = RENAME_NOREPLACE;
    else if (lstat(self->path, &info) == 0 &&
             (S_ISDIR(info.st_mode) || self->format->is_folder))
        flags = RENAME_EXCHANGE;
    int done = renameat2(AT_FDCWD, self->temp, AT_FDCWD, self->path, flags);
    if (done != 0 && errno == EINVAL) { /* not on this file system */
        if (flags == RENAME_NOREPLACE && lstat(self->path, &info) == 0) {
            errno = EEXIST;
        } else {
            if (flags == RENAME_EXCHANGE)
                remove_tree(self->path);
            flags = 0;
            done = rename(self->temp, self->path);
        }
    }
    if (done != 0) {
        cx_error_set_errno(error, errno, "cannot give %s its name", self->path);
        return false;
    }
    if (flags == RENAME_EXCHANGE)
        remove_tree(self->temp);
    return true;
}

/* All ids turned out small: the same once more with fewer bits. */
static bool
rewrite_narrower(CxWriter *self, GError **error)
{
    CxWriterOptions options = self->options;
    g_autofree char *wide = g_strdup(self->temp);
    g_autofree char *narrow_path = make_temp_name(self->path);

    options.dtype = self->largest <= UINT8_MAX ? CX_DTYPE_U8 : CX_DTYPE_U16;
    g_autoptr(CxVolume) volume = cx_volume_open(wide, NULL, error);
    void *writer = volume != NULL
                       ? self->format->open(narrow_path, &options, error)
                       : NULL;
    bool ok = writer != NULL;
    int64_t depth = ok ? self->format->slab(writer) : 1;
    for (int64_t z = 0; ok && z < options.size.z; z += depth) {
        CxBox box = cx_box_of_size(options.size);

        box.lo.z = z;
        box.hi.z = MIN(z + depth, options.size.z);
        g_autoptr(CxChunk) slab = cx_volume_read(volume, 0, box, NULL, error);
        g_autoptr(CxChunk) small =
            slab != NULL ? cx_chunk_convert(slab, options.dtype, error) : NULL;
        ok = small != NULL && self->format->write(writer, small, error);
    }
    ok = ok && self->format->finish(writer, error);
    if (writer != NULL)
        self->format->free(writer);
    remove_tree(ok ? wide : narrow_path);
    if (ok) {
        g_free(self->temp);
        self->temp = g_steal_pointer(&narrow_path);
    }
    return ok;
}

bool
cx_writer_finish(CxWriter *self, uint64_t *size_bytes, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(self->path);

    if (self->next_z != self->options.size.z) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: %" G_GINT64_FORMAT
                    " sections written, expected %" G_GINT64_FORMAT,
                    self->path, self->next_z, self->options.size.z);
        return false;
    }
    if (!self->format->finish(self->self, error))
        return false;
    self->format->free(g_steal_pointer(&self->self));
    if (self->narrows && self->largest <= UINT16_MAX &&
        !rewrite_narrower(self, error))
        return false;
    if (!sync_path(self->temp, self->format->is_folder, error))
        return false;
    if (size_bytes != NULL)
        *size_bytes = measure_tree(self->temp);
    if (!take_name(self, error))
        return false;
    g_clear_pointer(&self->temp, g_free);
    return sync_path(parent, false, error);
}

void
cx_writer_free(CxWriter *self)
{
    if (self == NULL)
        return;
    if (self->self != NULL)
        self->format->free(self->self);
    if (self->temp != NULL)
        remove_tree(self->temp);
    g_free(self->temp);
    g_free(self->path);
    g_free(self);
}

static CxWriterOptions
options_for_copy(CxVolume *src, CxBox box, const CxWriterOptions *given)
{
    CxLevel level = cx_volume_level(src, 0);
    CxWriterOptions options = {
        .dtype = cx_volume_dtype(src),
        .voxel_nm = level.voxel_nm,
        .is_labels = cx_volume_is_labels(src),
    };

    if (given != NULL) {
        options = *given;
        if (!(given->voxel_nm.x > 0))
            options.voxel_nm = level.voxel_nm;
    }
    options.size = cx_box_size(box);
    options.n_channels = cx_volume_n_channels(src);
    options.offset_nm =
        cx_voxel_to_nm(box.lo, options.voxel_nm, cx_volume_offset_nm(src));
    return options;
}

/* A slab of src as the writer wants it, moved so that box begins at 0. */
static CxChunk *
read_slab(CxVolume *src, CxBox slab, CxVoxel origin,
          const CxWriterOptions *options, CxJob *job, GError **error)
{
    bool scaled = options->dtype == CX_DTYPE_U8 && !options->is_labels;
    g_autoptr(CxChunk) chunk = scaled
                                   ? cx_volume_read_u8(src, 0, slab, job, error)
                                   : cx_volume_read(src, 0, slab, job, error);

    if (chunk == NULL)
        return NULL;
    g_autoptr(CxChunk) converted =
        cx_chunk_convert(chunk, options->dtype, error);
    if (converted == NULL) {
        g_prefix_error(error, "%s: ", cx_volume_spec(src));
        return NULL;
    }
    return cx_chunk_move(converted, (CxVoxel){-origin.x, -origin.y, -origin.z},
                         error);
}

bool
cx_writer_copy(CxVolume *src, CxBox box, const char *path,
               const CxWriterOptions *given, CxJob *job, uint64_t *size_bytes,
               GError **error)
{
    if (cx_box_is_empty(box) ||
        !cx_box_contains_box(cx_volume_bounds(src, 0), box)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: the box is empty or not inside the volume",
                    cx_volume_spec(src));
        return false;
    }

    CxWriterOptions options = options_for_copy(src, box, given);
    g_autoptr(CxWriter) writer = cx_writer_new(path, &options, error);
    if (writer == NULL)
        return false;
    int64_t depth = cx_writer_slab(writer);
    for (int64_t z = box.lo.z; z < box.hi.z; z += depth) {
        CxBox slab = box;

        slab.lo.z = z;
        slab.hi.z = MIN(z + depth, box.hi.z);
        g_autoptr(CxChunk) chunk =
            read_slab(src, slab, box.lo, &options, job, error);
        if (chunk == NULL || !cx_writer_write(writer, chunk, error) ||
            !cx_job_step(job, (uint64_t)(slab.hi.z - box.lo.z),
                         (uint64_t)options.size.z, error))
            return false;
    }
    return cx_writer_finish(writer, size_bytes, error);
}
