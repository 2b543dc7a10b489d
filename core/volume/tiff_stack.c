/* Multi-page TIFF files and folders of numbered slices.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/tiff_stack.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/chunk_cache.h"
#include "core/volume/reader_util.h"
#include "core/volume/slice_names.h"
#include "core/volume/tiff_index.h"
#include "core/volume/tiff_meta.h"
#include "core/volume/tiff_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MAX_IDLE_FILES 8
#define GROUP_BYTES ((uint64_t)1 << 19)
#define PLAIN_BYTES ((uint64_t)1 << 20)
#define NOT_PLAIN UINT64_MAX

typedef struct {
    char *path;
    bool is_folder;
    CxSliceNames names; /* folder: a file a page */
    GArray *offsets;    /* else: a directory a page */
    CxTiffPage page;    /* the first one; all have its size and dtype */
    bool as_labels;
    uint64_t n_pages, channel_step, z_step;
    uint32_t group_height; /* rows decoded at once */

    /* Where the pixels of a plain page are: 0 not known yet, NOT_PLAIN. */
    _Atomic uint64_t *plain;
    CxChunkCache *blocks;

    GMutex lock; /* guards idle */
    GPtrArray *idle;
} TiffStack;

static const char *const suffixes[] = {".tif", ".tiff", ".btf", NULL};

static bool
folder_has(const char *path, const char *const *wanted)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (name[0] != '.' && cx_reader_has_suffix(name, wanted))
            return true;
    }
    return false;
}

static bool
probe(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return folder_has(path, suffixes);
    return cx_tiff_probe(path) || cx_reader_has_suffix(path, suffixes);
}

static const char *
path_of(const TiffStack *self, uint64_t page)
{
    return self->is_folder ? self->names.paths->pdata[page] : self->path;
}

static uint64_t
directory_of(const TiffStack *self, uint64_t page)
{
    return self->is_folder ? 0 : g_array_index(self->offsets, uint64_t, page);
}

/* "page 4 of a.tif" or "slice 12 (s/s012.tif)", for messages. */
static char *
describe_page(const TiffStack *self, uint64_t page)
{
    if (self->is_folder)
        return cx_slice_names_describe(&self->names, page);
    return g_strdup_printf("%s: page %" G_GUINT64_FORMAT, self->path, page + 1);
}

/* An idle handle on the page's file, or a new one. */
static CxTiffFile *
borrow(TiffStack *self, uint64_t page, GError **error)
{
    const char *path = path_of(self, page);
    CxTiffFile *file = NULL;

    g_mutex_lock(&self->lock);
    for (guint i = 0; i < self->idle->len && file == NULL; i++) {
        CxTiffFile *candidate = self->idle->pdata[i];

        if (g_str_equal(candidate->path, path))
            file = g_ptr_array_steal_index_fast(self->idle, i);
    }
    g_mutex_unlock(&self->lock);
    return file != NULL ? file : cx_tiff_file_open(path, error);
}

static void
give_back(TiffStack *self, CxTiffFile *file)
{
    CxTiffFile *oldest = NULL;

    g_mutex_lock(&self->lock);
    if (self->idle->len >= MAX_IDLE_FILES)
        oldest = g_ptr_array_steal_index(self->idle, 0);
    g_ptr_array_add(self->idle, file);
    g_mutex_unlock(&self->lock);
    cx_tiff_file_close(oldest);
}

static bool
check_like_first(const TiffStack *self, uint64_t number, const CxTiffPage *page,
                 GError **error)
{
    const CxTiffPage *first = &self->page;

    if (page->width == first->width && page->height == first->height &&
        page->dtype == first->dtype)
        return true;
    g_autofree char *which = describe_page(self, number);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s is %u x %u pixels of %s, expected %u x %u of %s as the "
                "first",
                which, page->width, page->height, cx_dtype_name(page->dtype),
                first->width, first->height, cx_dtype_name(first->dtype));
    return false;
}

/* A handle that stands on the page, and what the page is. */
static CxTiffFile *
borrow_page(TiffStack *self, uint64_t number, CxTiffPage *page, GError **error)
{
    g_autoptr(CxTiffFile) file = borrow(self, number, error);

    if (file == NULL ||
        !cx_tiff_file_seek(file, directory_of(self, number), error) ||
        !cx_tiff_page_read(file, page, error) ||
        !check_like_first(self, number, page, error))
        return NULL;
    return g_steal_pointer(&file);
}

/* Remembers where the pixels of a page are, if it is as plain as the first. */
static void
note_plain(TiffStack *self, uint64_t number, const CxTiffPage *page)
{
    const CxTiffPage *first = &self->page;
    bool same = page->is_plain && page->kind == first->kind &&
                page->bits == first->bits && page->format == first->format &&
                page->n_samples == first->n_samples &&
                page->needs_swap == first->needs_swap;

    atomic_store(&self->plain[number], same ? page->plain_offset : NOT_PLAIN);
}

static bool
find_plain(TiffStack *self, uint64_t number, uint64_t *offset, GError **error)
{
    *offset = atomic_load(&self->plain[number]);
    if (*offset != 0)
        return true;

    CxTiffPage page;
    CxTiffFile *file = borrow_page(self, number, &page, error);
    if (file == NULL)
        return false;
    note_plain(self, number, &page);
    give_back(self, file);
    *offset = atomic_load(&self->plain[number]);
    return true;
}

/* The rows of one section of one channel of dst, for the writers below. */
typedef struct {
    uint8_t *at;
    size_t stride;
} Rows;

static Rows
rows_of(CxChunk *dst, unsigned channel, int64_t z)
{
    CxBox box = cx_chunk_box(dst);
    size_t sample = cx_dtype_size_bytes(cx_chunk_dtype(dst));
    CxVoxel first = {box.lo.x, box.lo.y, z};

    return (Rows){
        (uint8_t *)cx_chunk_data_mut(dst) +
            ((size_t)channel * cx_chunk_n_voxels(dst) +
             cx_box_offset(box, first)) *
                sample,
        (size_t)(box.hi.x - box.lo.x) * sample,
    };
}

static bool
read_exactly(TiffStack *self, int fd, uint64_t number, uint8_t *buffer,
             uint64_t n, uint64_t offset, GError **error)
{
    for (uint64_t done = 0; done < n;) {
        int64_t got =
            pread(fd, buffer + done, n - done, (int64_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int errnum = errno;
            g_autofree char *which = describe_page(self, number);

            if (got < 0)
                cx_error_set_errno(error, errnum, "cannot read %s", which);
            else
                g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                            "%s: the file ends at byte %" G_GUINT64_FORMAT
                            ", expected pixels up to byte %" G_GUINT64_FORMAT,
                            which, offset + done, offset + n);
            return false;
        }
        done += (uint64_t)got;
    }
    return true;
}

/* Rows of a plain page straight from the file. */
static bool
read_plain(TiffStack *self, uint64_t number, uint64_t offset, CxBox box,
           Rows dst, GError **error)
{
    const CxTiffPage *page = &self->page;
    uint64_t row_bytes = cx_tiff_page_row_bytes(page);
    uint64_t pixel_bytes = row_bytes / page->width;
    uint64_t wanted = (uint64_t)(box.hi.x - box.lo.x) * pixel_bytes;
    uint64_t skip = (uint64_t)box.lo.x * pixel_bytes;
    int64_t step =
        wanted * 4 >= row_bytes ? (int64_t)MAX(PLAIN_BYTES / row_bytes, 1) : 1;
    CX_AUTOFREE uint8_t *buffer =
        cx_try_alloc((size_t)row_bytes, (size_t)step, error);
    int fd = open(path_of(self, number), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = buffer != NULL && fd >= 0;

    if (fd < 0)
        cx_error_set_errno(buffer != NULL ? error : NULL, errno,
                           "cannot open %s", path_of(self, number));
    for (int64_t y = box.lo.y; ok && y < box.hi.y; y += step) {
        int64_t n = MIN(step, box.hi.y - y);
        uint64_t length = (uint64_t)(n - 1) * row_bytes + wanted;

        ok = read_exactly(self, fd, number, buffer, length,
                          offset + (uint64_t)y * row_bytes + skip, error);
        if (ok)
            cx_tiff_page_convert_rows(
                page, self->as_labels, buffer, (size_t)row_bytes,
                dst.at + (size_t)(y - box.lo.y) * dst.stride, dst.stride,
                (size_t)n, (size_t)(box.hi.x - box.lo.x));
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Decodes a block of a page, or takes it from the cache. */
static CxChunk *
get_block(TiffStack *self, uint64_t number, CxChunkIdx idx, CxVoxel size,
          GError **error)
{
    CxChunkKey key = {1, 0, {idx.x, idx.y, (int64_t)number}};
    CxBox bounds = {{0, 0, 0}, {self->page.width, self->page.height, 1}};
    CxBox box =
        cx_chunk_box_clipped((CxChunkIdx){idx.x, idx.y, 0}, size, bounds);
    CxChunk *found = cx_chunk_cache_lookup(self->blocks, &key);
    CxTiffPage page;

    if (found != NULL)
        return found;
    g_autoptr(CxChunk) block = cx_chunk_new(self->page.dtype, box, 1, error);
    if (block == NULL)
        return NULL;
    CxTiffFile *file = borrow_page(self, number, &page, error);
    if (file == NULL)
        return NULL;
    if (page.block_width != self->page.block_width ||
        page.block_height != self->page.block_height) {
        /* other strips than the first page: as one block */
        key.level = 1;
        key.idx.x = key.idx.y = 0;
        cx_chunk_unref(g_steal_pointer(&block));
        block = cx_chunk_new(self->page.dtype, bounds, 1, error);
    }
    bool ok = block != NULL &&
              cx_tiff_page_decode(file, &page, self->as_labels, block, error);
    if (!ok) {
        cx_tiff_file_close(file);
        if (!self->is_folder)
            g_prefix_error(error, "page %" G_GUINT64_FORMAT " of ", number + 1);
        return NULL;
    }
    give_back(self, file);
    cx_chunk_cache_insert(self->blocks, &key, block);
    return g_steal_pointer(&block);
}

static void
copy_block(const CxChunk *block, CxBox box, Rows dst)
{
    CxBox from_box = cx_chunk_box(block);
    CxBox flat = {{box.lo.x, box.lo.y, 0}, {box.hi.x, box.hi.y, 1}};
    CxBox common = cx_box_intersect(from_box, flat);
    size_t sample = cx_dtype_size_bytes(cx_chunk_dtype(block));
    const uint8_t *from = cx_chunk_data(block);

    for (int64_t y = common.lo.y; y < common.hi.y; y++) {
        CxVoxel at = {common.lo.x, y, 0};

        memcpy(dst.at + (size_t)(y - box.lo.y) * dst.stride +
                   (size_t)(common.lo.x - box.lo.x) * sample,
               from + cx_box_offset(from_box, at) * sample,
               (size_t)(common.hi.x - common.lo.x) * sample);
    }
}

static bool
read_blocks(TiffStack *self, uint64_t number, CxBox box, Rows dst,
            GError **error)
{
    CxVoxel size = {self->page.block_width, self->group_height, 1};
    CxBox flat = {{box.lo.x, box.lo.y, 0}, {box.hi.x, box.hi.y, 1}};
    CxBox chunks = cx_box_chunks(flat, size);

    for (int64_t y = chunks.lo.y; y < chunks.hi.y; y++) {
        for (int64_t x = chunks.lo.x; x < chunks.hi.x; x++) {
            g_autoptr(CxChunk) block =
                get_block(self, number, (CxChunkIdx){x, y, 0}, size, error);

            if (block == NULL)
                return false;
            copy_block(block, box, dst);
        }
    }
    return true;
}

static bool
read_box(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    TiffStack *self = data;

    for (unsigned c = 0; c < cx_chunk_n_channels(dst); c++) {
        for (int64_t z = box.lo.z; z < box.hi.z; z++) {
            uint64_t number =
                c * self->channel_step + (uint64_t)z * self->z_step;
            Rows rows = rows_of(dst, c, z);
            uint64_t offset = NOT_PLAIN;

            if (self->page.is_plain &&
                !find_plain(self, number, &offset, error))
                return false;
            if (offset != NOT_PLAIN
                    ? !read_plain(self, number, offset, box, rows, error)
                    : !read_blocks(self, number, box, rows, error))
                return false;
            if (cx_job_is_cancelled(job) && !cx_job_step(job, 0, 1, error))
                return false;
        }
    }
    return true;
}

static void
free_stack(void *data)
{
    TiffStack *self = data;

    cx_slice_names_clear(&self->names);
    g_clear_pointer(&self->offsets, g_array_unref);
    cx_free((void *)self->plain);
    cx_chunk_cache_free(self->blocks);
    g_ptr_array_unref(self->idle);
    g_mutex_clear(&self->lock);
    g_free(self->path);
    g_free(self);
}

/* Reads some other headers of a folder, so that a slice of another size is
 * found at once in stacks of usual length. */
static bool
check_folder(TiffStack *self, CxJob *job, GError **error)
{
    uint64_t n = MIN(self->n_pages, 512);

    for (uint64_t i = 1; i < n; i++) {
        uint64_t number = i * (self->n_pages - 1) / (n - 1);
        CxTiffPage page;
        CxTiffFile *file = borrow_page(self, number, &page, error);

        if (file == NULL)
            return false;
        note_plain(self, number, &page);
        cx_tiff_file_close(file);
        if (!cx_job_step(job, i, n, error))
            return false;
    }
    return true;
}

/* ImageJ writes stacks of more than 4 GB as one directory followed by all
 * planes. */
static bool
take_planes_behind(TiffStack *self, const CxTiffMeta *meta, uint64_t file_bytes,
                   GError **error)
{
    uint64_t plane = cx_tiff_page_row_bytes(&self->page) * self->page.height;
    uint64_t first = self->page.plain_offset, n = meta->n_images;

    if (self->is_folder || self->n_pages != 1 || n <= 1 || !self->page.is_plain)
        return true;
    if (first > file_bytes || (file_bytes - first) / plane < n) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: ImageJ's description says %" G_GUINT64_FORMAT
                    " images, but the file ends after %" G_GUINT64_FORMAT,
                    self->path, n,
                    first > file_bytes ? 0 : (file_bytes - first) / plane);
        return false;
    }
    _Atomic uint64_t *plain = cx_try_alloc((size_t)n, sizeof *plain, error);
    if (plain == NULL)
        return false;
    for (uint64_t i = 0; i < n; i++)
        atomic_init(&plain[i], first + i * plane);
    cx_free((void *)self->plain);
    self->plain = plain;
    self->n_pages = n;
    return true;
}

/* Sections and channels from the number of pages and the description. */
static bool
take_order(TiffStack *self, const CxTiffMeta *meta, CxVolumeInfo *info,
           CxVoxel *size, GError **error)
{
    uint64_t n_z = self->n_pages, n_channels = 1, product;

    self->channel_step = 0;
    self->z_step = 1;
    if (!self->is_folder && meta->n_z > 0 &&
        !__builtin_mul_overflow(meta->n_z, meta->n_channels, &product) &&
        !__builtin_mul_overflow(product, meta->n_times, &product) &&
        product == self->n_pages && meta->n_channels <= 4096) {
        if (meta->n_times > 1) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: a time series of %" G_GUINT64_FORMAT
                        " volumes, expected one volume",
                        self->path, meta->n_times);
            return false;
        }
        n_z = meta->n_z;
        n_channels = meta->n_channels;
        self->channel_step = meta->channel_step;
        self->z_step = meta->z_step;
    }
    *size = (CxVoxel){self->page.width, self->page.height, (int64_t)n_z};
    info->n_channels = (unsigned)n_channels;
    return true;
}

static void
take_geometry(const CxTiffMeta *meta, CxVoxel size, CxVolumeInfo *info)
{
    CxNm nm = meta->voxel_nm;

    if (size.z == 1 && nm.z == 0)
        nm.z = nm.x;
    info->has_voxel_size = nm.x > 0 && nm.y > 0 && nm.z > 0;
    info->levels[0].voxel_nm = nm;
    info->offset_nm = meta->offset_nm;
    info->has_display_range = meta->has_display_range;
    info->display_min = meta->display_min;
    info->display_max = meta->display_max;
}

/* How many rows are decoded at once, and the cache that keeps them. */
static void
set_blocks(TiffStack *self, CxLevel *level)
{
    const CxTiffPage *page = &self->page;
    uint64_t sample = cx_dtype_size_bytes(page->dtype);
    uint64_t block = (uint64_t)page->block_width * page->block_height * sample;
    uint64_t n = page->is_tiled ? 1 : MAX(GROUP_BYTES / block, 1);

    self->group_height =
        (uint32_t)MIN(n * page->block_height,
                      page->is_tiled ? page->block_height : page->height);
    block = (uint64_t)page->block_width * self->group_height * sample;
    self->blocks = cx_chunk_cache_new(
        (size_t)CLAMP(4 * block, (uint64_t)32 << 20, (uint64_t)512 << 20));
    level->chunk_size = (CxVoxel){MIN(page->block_width, level->size.x),
                                  MIN(self->group_height, level->size.y), 1};
}

static bool
read_first(TiffStack *self, CxTiffMeta *meta, uint64_t *file_bytes,
           GError **error)
{
    CxTiffIndex index;
    const char *description = NULL;

    if (!cx_tiff_index_read(path_of(self, 0), &index, error))
        return false;
    if (self->is_folder) {
        g_array_unref(index.offsets);
    } else {
        self->offsets = index.offsets;
        self->n_pages = index.offsets->len;
    }
    *file_bytes = index.file_bytes;

    g_autoptr(CxTiffFile) file = cx_tiff_file_open(path_of(self, 0), error);
    if (file == NULL ||
        !cx_tiff_file_seek(file, directory_of(self, 0), error) ||
        !cx_tiff_page_read(file, &self->page, error))
        return false;
    TIFFGetField(file->tiff, TIFFTAG_IMAGEDESCRIPTION, &description);
    *meta = cx_tiff_meta_parse(description, index.x_per_unit, index.y_per_unit);
    return true;
}

static bool
open_in(TiffStack *self, CxVolumeInfo *info, CxJob *job, GError **error)
{
    uint64_t file_bytes = 0;
    CxTiffMeta meta;

    self->is_folder = g_file_test(self->path, G_FILE_TEST_IS_DIR);
    if (self->is_folder) {
        if (!cx_slice_names_list(self->path, suffixes, &self->names, error))
            return false;
        self->n_pages = self->names.paths->len;
    }
    if (!read_first(self, &meta, &file_bytes, error))
        return false;
    self->plain = cx_try_alloc0(self->n_pages, sizeof *self->plain, error);
    if (self->plain == NULL)
        return false;
    note_plain(self, 0, &self->page);

    CxLevel *level = &info->levels[0];
    info->dtype = self->page.dtype;
    info->n_levels = 1;
    info->is_labels =
        self->page.kind <= CX_TIFF_PALETTE &&
        cx_reader_guess_labels(self->path, NULL, self->page.dtype);
    self->as_labels = info->is_labels;
    if ((self->is_folder && !check_folder(self, job, error)) ||
        !take_planes_behind(self, &meta, file_bytes, error) ||
        !take_order(self, &meta, info, &level->size, error) ||
        !cx_reader_check_size(self->path, level->size, info->dtype,
                              info->n_channels, error))
        return false;
    take_geometry(&meta, level->size, info);
    set_blocks(self, level);
    return true;
}

static void *
open_stack(const char *path, const char *dataset, CxVolumeInfo *info,
           CxJob *job, GError **error)
{
    if (dataset != NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: a TIFF stack has no data sets, but %s was asked for",
                    path, dataset);
        return NULL;
    }

    TiffStack *self = g_new0(TiffStack, 1);
    self->path = g_strdup(path);
    self->idle =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_tiff_file_close);
    g_mutex_init(&self->lock);
    if (open_in(self, info, job, error))
        return self;
    free_stack(self);
    return NULL;
}

const CxReader cx_tiff_reader = {
    .name = "tiff",
    .probe = probe,
    .open = open_stack,
    .read = read_box,
    .free = free_stack,
};
