/* TIFF stacks and folders of TIFF slices.
 *
 * Strips are compressed with deflate, images of integers with horizontal
 * prediction.  The description is ImageJ's: unit, spacing and origin; the
 * resolution tags hold the best fraction of 32-bit numbers, which gives back
 * the voxel size to the last digit that people write.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/volume/block.h"
#include "core/volume/codec.h"
#include "core/volume/writer_format.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define STRIP_BYTES ((int64_t)1 << 18)
#define CLASSIC_LIMIT ((int64_t)3900000000)
#define DEFLATE_LEVEL 4
#define MAX_ENTRIES 20u

enum {
    TYPE_ASCII = 2,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_RATIONAL = 5,
    TYPE_LONG8 = 16
};

typedef struct {
    char *path;
    CxWriterOptions options;
    bool in_folder;
    bool is_big;
    int64_t rows_per_strip;
    unsigned n_digits; /* of slice numbers */
    int fd;
    char *file_path;    /* of fd */
    uint64_t end;       /* of what is written */
    uint64_t next_link; /* where the offset of the next directory goes */
} TiffWriter;

static bool
fail(const TiffWriter *self, GError **error)
{
    cx_error_set_errno(error, errno, "cannot write %s", self->file_path);
    return false;
}

static bool
append(TiffWriter *self, const void *bytes, size_t n, GError **error)
{
    if (!cx_writer_put(self->fd, self->file_path, bytes, n, error))
        return false;
    self->end += n;
    return true;
}

/* Offsets in the file must be even. */
static bool
align(TiffWriter *self, GError **error)
{
    static const uint8_t zeros[8];

    return self->end % 8 == 0 || append(self, zeros, 8 - self->end % 8, error);
}

static bool
patch(TiffWriter *self, uint64_t offset, uint64_t value, GError **error)
{
    uint64_t bytes = GUINT64_TO_LE(value);
    size_t n = self->is_big ? 8 : 4;

    return pwrite(self->fd, &bytes, n, (int64_t)offset) == (int64_t)n ||
           fail(self, error);
}

static bool
begin_file(TiffWriter *self, const char *path, GError **error)
{
    static const uint8_t classic[8] = {'I', 'I', 42, 0};
    static const uint8_t big[16] = {'I', 'I', 43, 0, 8};

    g_free(self->file_path);
    self->file_path = g_strdup(path);
    self->end = 0;
    self->fd = g_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (self->fd < 0)
        return fail(self, error);
    self->next_link = self->is_big ? 8 : 4;
    return self->is_big ? append(self, big, sizeof big, error)
                        : append(self, classic, sizeof classic, error);
}

static bool
end_file(TiffWriter *self, GError **error)
{
    int fd = self->fd;

    self->fd = -1;
    return fd < 0 || close(fd) == 0 || fail(self, error);
}

/* Best fraction p / q of numbers below 2^32 (continued fraction). */
static void
to_fraction(double value, uint32_t *p, uint32_t *q)
{
    double rest = value, p0 = 0, q0 = 1, p1 = 1, q1 = 0;

    for (int i = 0; i < 40; i++) {
        double whole = floor(rest);
        double p2 = whole * p1 + p0, q2 = whole * q1 + q0;

        if (p2 > UINT32_MAX || q2 > UINT32_MAX)
            break;
        p0 = p1, q0 = q1, p1 = p2, q1 = q2;
        if (p1 / q1 == value || rest == whole)
            break;
        rest = 1.0 / (rest - whole);
    }
    *p = p1 >= 1 && q1 >= 1 ? (uint32_t)p1 : 1;
    *q = p1 >= 1 && q1 >= 1 ? (uint32_t)q1 : 1;
}

static char *
describe(const TiffWriter *self)
{
    const CxWriterOptions *options = &self->options;
    CxNm nm = options->voxel_nm, offset = options->offset_nm;
    g_autofree char *spacing = cx_writer_format_double(nm.z);
    GString *text = g_string_new("ImageJ=1.53t\n");

    if (!self->in_folder && options->size.z > 1)
        g_string_append_printf(
            text, "images=%" G_GINT64_FORMAT "\nslices=%" G_GINT64_FORMAT "\n",
            options->size.z, options->size.z);
    g_string_append_printf(text, "unit=nm\nspacing=%s\nloop=false\n", spacing);
    if (offset.x != 0 || offset.y != 0 || offset.z != 0) {
        g_autofree char *x = cx_writer_format_double(-offset.x / nm.x);
        g_autofree char *y = cx_writer_format_double(-offset.y / nm.y);
        g_autofree char *z = cx_writer_format_double(-offset.z / nm.z);

        g_string_append_printf(text, "xorigin=%s\nyorigin=%s\nzorigin=%s\n", x,
                               y, z);
    }
    return g_string_free(text, FALSE);
}

/* A directory under construction: entries, then values that do not fit. */
typedef struct {
    bool is_big;
    uint64_t at; /* where it will stand */
    unsigned n_entries, n_max;
    GByteArray *entries;
    GByteArray *values;
} Directory;

static void
put(GByteArray *bytes, uint64_t value, unsigned n)
{
    uint64_t little = GUINT64_TO_LE(value);

    g_byte_array_append(bytes, (const uint8_t *)&little, n);
}

static void
add_entry(Directory *self, uint16_t tag, uint16_t type, uint64_t count,
          const void *data, size_t n_bytes)
{
    static const uint8_t zeros[8];
    size_t inline_bytes = self->is_big ? 8 : 4;
    uint64_t values_at = self->at + (self->is_big ? 16 : 6) +
                         (uint64_t)self->n_max * (self->is_big ? 20 : 12);

    put(self->entries, tag, 2);
    put(self->entries, type, 2);
    put(self->entries, count, self->is_big ? 8 : 4);
    if (n_bytes <= inline_bytes) {
        g_byte_array_append(self->entries, data, (guint)n_bytes);
        g_byte_array_append(self->entries, zeros,
                            (guint)(inline_bytes - n_bytes));
    } else {
        put(self->entries, values_at + self->values->len, self->is_big ? 8 : 4);
        g_byte_array_append(self->values, data, (guint)n_bytes);
        g_byte_array_append(self->values, zeros, self->values->len % 2);
    }
    self->n_entries++;
}

static void
add_short(Directory *self, uint16_t tag, uint16_t value)
{
    uint16_t little = GUINT16_TO_LE(value);

    add_entry(self, tag, TYPE_SHORT, 1, &little, 2);
}

static void
add_long(Directory *self, uint16_t tag, uint32_t value)
{
    uint32_t little = GUINT32_TO_LE(value);

    add_entry(self, tag, TYPE_LONG, 1, &little, 4);
}

static void
add_offsets(Directory *self, uint16_t tag, const uint64_t *values, size_t n)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (size_t i = 0; i < n; i++)
        put(bytes, values[i], self->is_big ? 8 : 4);
    add_entry(self, tag, self->is_big ? TYPE_LONG8 : TYPE_LONG, n, bytes->data,
              bytes->len);
}

static void
add_resolution(Directory *self, uint16_t tag, double voxel_nm)
{
    uint32_t fraction[2];

    to_fraction(voxel_nm, &fraction[1], &fraction[0]);
    fraction[0] = GUINT32_TO_LE(fraction[0]);
    fraction[1] = GUINT32_TO_LE(fraction[1]);
    add_entry(self, tag, TYPE_RATIONAL, 1, fraction, 8);
}

static bool
uses_predictor(const TiffWriter *self)
{
    return !self->options.is_labels && (self->options.dtype == CX_DTYPE_U8 ||
                                        self->options.dtype == CX_DTYPE_U16);
}

static uint16_t
sample_format(CxDtype dtype)
{
    if (!cx_dtype_is_integer(dtype))
        return 3;
    return dtype >= CX_DTYPE_I8 ? 2 : 1;
}

static void
add_entries(const TiffWriter *self, Directory *directory,
            const uint64_t *offsets, const uint64_t *sizes, size_t n_strips,
            bool is_first)
{
    const CxWriterOptions *options = &self->options;
    size_t bits = 8 * cx_dtype_size_bytes(options->dtype);

    add_long(directory, 254, 0);
    add_long(directory, 256, (uint32_t)options->size.x);
    add_long(directory, 257, (uint32_t)options->size.y);
    add_short(directory, 258, (uint16_t)bits);
    add_short(directory, 259, 8); /* deflate */
    add_short(directory, 262, 1); /* black is zero */
    if (is_first) {
        g_autofree char *text = describe(self);
        add_entry(directory, 270, TYPE_ASCII, strlen(text) + 1, text,
                  strlen(text) + 1);
    }
    add_offsets(directory, 273, offsets, n_strips);
    add_short(directory, 277, 1);
    add_long(directory, 278, (uint32_t)self->rows_per_strip);
    add_offsets(directory, 279, sizes, n_strips);
    add_resolution(directory, 282, options->voxel_nm.x);
    add_resolution(directory, 283, options->voxel_nm.y);
    add_short(directory, 296, 1); /* no absolute unit: ImageJ's text has it */
    if (uses_predictor(self))
        add_short(directory, 317, 2);
    add_short(directory, 339, sample_format(options->dtype));
}

static bool
put_directory(TiffWriter *self, const uint64_t *offsets, const uint64_t *sizes,
              size_t n_strips, bool is_first, GError **error)
{
    g_autoptr(GByteArray) entries = g_byte_array_new();
    g_autoptr(GByteArray) values = g_byte_array_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (!align(self, error))
        return false;
    Directory directory = {self->is_big, self->end, 0,
                           MAX_ENTRIES,  entries,   values};
    add_entries(self, &directory, offsets, sizes, n_strips, is_first);
    put(bytes, directory.n_entries, self->is_big ? 8 : 2);
    g_byte_array_append(bytes, entries->data, entries->len);
    uint64_t link = self->end + bytes->len;
    put(bytes, 0, self->is_big ? 8 : 4);
    while (bytes->len <
           (self->is_big ? 16 : 6) + MAX_ENTRIES * (self->is_big ? 20u : 12u))
        put(bytes, 0, 1);
    g_byte_array_append(bytes, values->data, values->len);

    uint64_t at = self->end;
    if (!append(self, bytes->data, bytes->len, error) ||
        !patch(self, self->next_link, at, error))
        return false;
    self->next_link = link;
    if (self->is_big || self->end < UINT32_MAX)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: grew beyond the 4 GiB of a classic TIFF file",
                self->file_path);
    return false;
}

typedef struct {
    const TiffWriter *writer;
    const uint8_t *page;
    void **packed;
    size_t *n_packed;
} Task;

static void
predict(uint8_t *rows, int64_t n_rows, int64_t width, CxDtype dtype)
{
    for (int64_t y = 0; y < n_rows; y++) {
        if (dtype == CX_DTYPE_U8) {
            uint8_t *row = rows + y * width;

            for (int64_t x = width - 1; x > 0; x--)
                row[x] = (uint8_t)(row[x] - row[x - 1]);
        } else {
            uint16_t *row = (uint16_t *)(void *)rows + y * width;

            for (int64_t x = width - 1; x > 0; x--)
                row[x] = (uint16_t)(row[x] - row[x - 1]);
        }
    }
}

static bool
pack_strip(size_t item, unsigned worker, void *data, GError **error)
{
    Task *task = data;
    const TiffWriter *self = task->writer;
    int64_t first = (int64_t)item * self->rows_per_strip;
    int64_t n_rows = MIN(self->rows_per_strip, self->options.size.y - first);
    int64_t width = self->options.size.x;
    size_t sample = cx_dtype_size_bytes(self->options.dtype);
    size_t n = (size_t)(n_rows * width) * sample;
    CX_AUTOFREE uint8_t *rows = cx_try_alloc(n, 1, error);

    if (rows == NULL)
        return false;
    memcpy(rows, task->page + (size_t)(first * width) * sample, n);
    if (uses_predictor(self))
        predict(rows, n_rows, width, self->options.dtype);
    cx_block_to_little_endian(rows, n, sample);
    return cx_codec_encode_zlib(rows, n, DEFLATE_LEVEL, &task->packed[item],
                                &task->n_packed[item], error);
}

static bool
put_strips(TiffWriter *self, const Task *task, size_t n_strips, bool is_first,
           GError **error)
{
    g_autofree uint64_t *offsets = g_new(uint64_t, n_strips);
    g_autofree uint64_t *sizes = g_new(uint64_t, n_strips);

    for (size_t i = 0; i < n_strips; i++) {
        offsets[i] = self->end;
        sizes[i] = task->n_packed[i];
        if (!append(self, task->packed[i], task->n_packed[i], error))
            return false;
    }
    return put_directory(self, offsets, sizes, n_strips, is_first, error);
}

static bool
put_page(TiffWriter *self, const uint8_t *page, bool is_first, GError **error)
{
    size_t n = (size_t)((self->options.size.y + self->rows_per_strip - 1) /
                        self->rows_per_strip);
    Task task = {self, page, g_new0(void *, n), g_new0(size_t, n)};

    bool ok = cx_parallel_for(0, n, pack_strip, &task, NULL, error) &&
              put_strips(self, &task, n, is_first, error);
    for (size_t i = 0; i < n; i++)
        cx_free(task.packed[i]);
    g_free(task.packed);
    g_free(task.n_packed);
    return ok;
}

static bool
write_slab(void *data, const CxChunk *slab, GError **error)
{
    TiffWriter *self = data;
    CxBox box = cx_chunk_box(slab);
    size_t page_bytes = (size_t)(self->options.size.x * self->options.size.y) *
                        cx_dtype_size_bytes(self->options.dtype);

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        const uint8_t *page = (const uint8_t *)cx_chunk_data(slab) +
                              (size_t)(z - box.lo.z) * page_bytes;

        if (self->in_folder) {
            g_autofree char *name =
                g_strdup_printf("%s/slice_%0*" G_GINT64_FORMAT ".tif",
                                self->path, (int)self->n_digits, z);
            if (!begin_file(self, name, error))
                return false;
        }
        if (!put_page(self, page, self->in_folder || z == 0, error) ||
            (self->in_folder && !end_file(self, error)))
            return false;
    }
    return true;
}

static void
free_writer(void *data)
{
    TiffWriter *self = data;

    if (self->fd >= 0)
        close(self->fd);
    g_free(self->file_path);
    g_free(self->path);
    g_free(self);
}

static bool
check_options(const char *path, const CxWriterOptions *options, GError **error)
{
    const char *instead = ".h5 and .zarr hold it";

    if (options->n_channels > 1)
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: %u channels, but TIFF is written with one; %s", path,
                    options->n_channels, instead);
    else if (options->dtype == CX_DTYPE_U64 || options->dtype == CX_DTYPE_I64)
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: %s samples, which programs cannot read from TIFF; %s",
                    path, cx_dtype_name(options->dtype), instead);
    else if (options->size.x > INT32_MAX || options->size.y > INT32_MAX)
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: sections wider than TIFF can hold; %s", path, instead);
    else
        return true;
    return false;
}

static void *
open_in(const char *path, const CxWriterOptions *options, bool in_folder,
        GError **error)
{
    CxVoxel size = options->size;
    int64_t row = size.x * (int64_t)cx_dtype_size_bytes(options->dtype);

    if (!check_options(path, options, error))
        return NULL;

    TiffWriter *self = g_new0(TiffWriter, 1);
    self->path = g_strdup(path);
    self->options = *options;
    self->in_folder = in_folder;
    self->rows_per_strip = CLAMP(STRIP_BYTES / row, 1, size.y);
    int64_t page = row * size.y + (int64_t)1024;
    self->is_big = page > CLASSIC_LIMIT / (in_folder ? 1 : size.z);
    self->n_digits = 4;
    for (int64_t n = 10000; n < size.z; n *= 10)
        self->n_digits++;
    self->fd = -1;
    if (in_folder) {
        self->file_path = g_strdup(path);
        if (g_mkdir(path, 0777) == 0)
            return self;
        fail(self, error);
    } else if (begin_file(self, path, error)) {
        return self;
    }
    free_writer(self);
    return NULL;
}

static void *
open_stack(const char *path, const CxWriterOptions *options, GError **error)
{
    return open_in(path, options, false, error);
}

static void *
open_folder(const char *path, const CxWriterOptions *options, GError **error)
{
    return open_in(path, options, true, error);
}

static int64_t
slab_depth(void *data)
{
    return cx_writer_slab_depth(&((TiffWriter *)data)->options, 16);
}

static bool
finish(void *data, GError **error)
{
    return end_file(data, error);
}

const CxWriterFormat cx_writer_tiff = {
    .name = "tiff",
    .open = open_stack,
    .slab = slab_depth,
    .write = write_slab,
    .finish = finish,
    .free = free_writer,
};

const CxWriterFormat cx_writer_slices = {
    .name = "slices",
    .is_folder = true,
    .open = open_folder,
    .slab = slab_depth,
    .write = write_slab,
    .finish = finish,
    .free = free_writer,
};
