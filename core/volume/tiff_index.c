/* Where the pages of a TIFF file are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/tiff_index.h"

#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/volume/reader_util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PAGES 1000000
#define WINDOW_BYTES ((size_t)1 << 16)

typedef struct {
    const char *path;
    int fd;
    bool big_endian;
    bool big_tiff;
    uint64_t file_bytes;
    uint8_t *window; /* WINDOW_BYTES of the file from window_at */
    uint64_t window_at;
    size_t window_bytes;
} Walker;

typedef struct {
    uint64_t next;
    uint64_t width, height, subfile_type;
    uint64_t x_resolution_at, y_resolution_at; /* of rationals in the file */
} Directory;

static void
walker_clear(Walker *self)
{
    if (self->fd >= 0)
        close(self->fd);
    g_free(self->window);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walker, walker_clear)

static uint64_t
get_uint(const Walker *self, const uint8_t *at, unsigned n_bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n_bytes; i++)
        value |= (uint64_t)at[i]
                 << 8 * (self->big_endian ? n_bytes - 1 - i : i);
    return value;
}

/* n bytes of the file at an offset, or NULL if they lie beyond its end. */
static const uint8_t *
peek(Walker *self, uint64_t offset, size_t n)
{
    if (offset > self->file_bytes || n > self->file_bytes - offset ||
        n > WINDOW_BYTES)
        return NULL;
    if (offset < self->window_at ||
        offset + n > self->window_at + self->window_bytes) {
        int64_t got;

        do
            got = pread(self->fd, self->window, WINDOW_BYTES, (int64_t)offset);
        while (got < 0 && errno == EINTR);
        self->window_at = offset;
        self->window_bytes = got > 0 ? (size_t)got : 0;
        if (self->window_bytes < n)
            return NULL;
    }
    return self->window + (offset - self->window_at);
}

/* Value of an entry of one short, word or (BigTIFF) long. */
static uint64_t
entry_value(const Walker *self, const uint8_t *entry)
{
    static const unsigned sizes[] = {0, 1, 1, 2, 4};
    uint64_t type = get_uint(self, entry + 2, 2);
    const uint8_t *value = entry + (self->big_tiff ? 12 : 8);

    if (type == 16)
        return self->big_tiff ? get_uint(self, value, 8) : 0;
    return type < G_N_ELEMENTS(sizes) ? get_uint(self, value, sizes[type]) : 0;
}

/* Where a rational of one value stands; 0 if the entry is no such thing. */
static uint64_t
rational_offset(const Walker *self, const uint8_t *entry, uint64_t offset)
{
    if (get_uint(self, entry + 2, 2) != 5)
        return 0;
    return self->big_tiff ? offset + 12 : get_uint(self, entry + 8, 4);
}

static double
read_rational(Walker *self, uint64_t offset)
{
    const uint8_t *at = offset > 0 ? peek(self, offset, 8) : NULL;
    uint64_t numerator = at != NULL ? get_uint(self, at, 4) : 0;
    uint64_t denominator = at != NULL ? get_uint(self, at + 4, 4) : 0;

    return denominator > 0 ? (double)numerator / (double)denominator : 0;
}

static bool
read_directory(Walker *self, uint64_t offset, Directory *directory)
{
    unsigned count_bytes = self->big_tiff ? 8 : 2;
    unsigned entry_bytes = self->big_tiff ? 20 : 12;
    unsigned next_bytes = self->big_tiff ? 8 : 4;
    const uint8_t *at = peek(self, offset, count_bytes);
    uint64_t n = at != NULL ? get_uint(self, at, count_bytes) : 0;

    *directory = (Directory){0};
    if (n == 0 || n > UINT16_MAX)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t entry = offset + count_bytes + i * entry_bytes;

        at = peek(self, entry, entry_bytes);
        if (at == NULL)
            return false;
        uint64_t tag = get_uint(self, at, 2);
        if (tag == 254)
            directory->subfile_type = entry_value(self, at);
        else if (tag == 256)
            directory->width = entry_value(self, at);
        else if (tag == 257)
            directory->height = entry_value(self, at);
        else if (tag == 282)
            directory->x_resolution_at = rational_offset(self, at, entry);
        else if (tag == 283)
            directory->y_resolution_at = rational_offset(self, at, entry);
    }
    at = peek(self, offset + count_bytes + n * entry_bytes, next_bytes);
    if (at != NULL) /* a missing end mark after the last page is common */
        directory->next = get_uint(self, at, next_bytes);
    return true;
}

static bool
open_walker(Walker *self, const char *path, uint64_t *first, GError **error)
{
    struct stat info;

    self->path = path;
    self->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (self->fd < 0 || fstat(self->fd, &info) != 0) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        return false;
    }
    self->file_bytes = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    self->window = g_malloc(WINDOW_BYTES);

    const uint8_t *head = peek(self, 0, 8);
    if (head != NULL &&
        (memcmp(head, "II", 2) == 0 || memcmp(head, "MM", 2) == 0)) {
        self->big_endian = head[0] == 'M';
        uint64_t version = get_uint(self, head + 2, 2);
        self->big_tiff = version == 43;
        if (self->big_tiff)
            head = peek(self, 0, 16);
        if (head != NULL && (version == 42 || version == 43)) {
            *first = self->big_tiff ? get_uint(self, head + 8, 8)
                                    : get_uint(self, head + 4, 4);
            return true;
        }
    }
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the header is not that of a TIFF file", path);
    return false;
}

static bool
add_page(const Walker *self, uint64_t offset, const Directory *page,
         Directory *first, GArray *offsets, GError **error)
{
    if (page->subfile_type & (1 | 4))
        return true;
    if (offsets->len == 0)
        *first = *page;
    if (page->width != first->width || page->height != first->height) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: page %u is %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                    " pixels, expected %" G_GUINT64_FORMAT
                    " x %" G_GUINT64_FORMAT " as page 1",
                    self->path, offsets->len + 1, page->width, page->height,
                    first->width, first->height);
        return false;
    }
    if (offsets->len >= MAX_PAGES) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: more than %d pages",
                    self->path, MAX_PAGES);
        return false;
    }
    g_array_append_val(offsets, offset);
    return true;
}

bool
cx_tiff_index_read(const char *path, CxTiffIndex *index, GError **error)
{
    g_auto(Walker) walker = {.fd = -1};
    g_autoptr(GArray) offsets = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(CxHash64) seen = cx_hash64_new(64);
    Directory first = {0};
    uint64_t offset = 0;

    if (!open_walker(&walker, path, &offset, error))
        return false;
    while (offset != 0) {
        Directory page;
        bool is_new;

        cx_hash64_at(seen, offset, 1, &is_new);
        if (!is_new)
            break;
        if (!read_directory(&walker, offset, &page)) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: the directory of page %u, at byte %" //
                        G_GUINT64_FORMAT
                        ", is damaged or beyond the end of the file (%" //
                        G_GUINT64_FORMAT " bytes)",
                        path, offsets->len + 1, offset, walker.file_bytes);
            return false;
        }
        if (!add_page(&walker, offset, &page, &first, offsets, error))
            return false;
        offset = page.next;
    }
    if (offsets->len == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: no page in it",
                    path);
        return false;
    }
    *index = (CxTiffIndex){
        .offsets = g_steal_pointer(&offsets),
        .file_bytes = walker.file_bytes,
        .x_per_unit = read_rational(&walker, first.x_resolution_at),
        .y_per_unit = read_rational(&walker, first.y_resolution_at),
    };
    return true;
}

void
cx_tiff_index_clear(CxTiffIndex *index)
{
    g_clear_pointer(&index->offsets, g_array_unref);
}

bool
cx_tiff_probe(const char *path)
{
    uint8_t head[4];

    if (cx_reader_peek(path, head, 4) != 4)
        return false;
    return memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 ||
           memcmp(head, "II+\0", 4) == 0 || memcmp(head, "MM\0+", 4) == 0;
}
