/* The samples of added levels.
 *
 * File: a header of one page (magic, key, shape), then the bricks of level
 * after level, x fastest.  Native byte order: it is a cache of this machine.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/level_store.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 4096
#define MAGIC "connexon levels 1"

typedef struct {
    char magic[24];
    uint64_t key;
    CxLevelShape shape;
} Header;

struct CxLevelStore {
    atomic_int n_refs;
    CxLevelShape shape;
    uint64_t starts[17]; /* of each level's bricks, and the end */
    uint8_t *memory;     /* or … */
    int fd;
    char *path, *temp; /* temp: until it is finished */
};

static uint64_t
brick_bytes(const CxLevelShape *shape)
{
    return (uint64_t)CX_BRICK * CX_BRICK * CX_BRICK * shape->n_channels *
           cx_dtype_size_bytes(shape->dtype);
}

static CxVoxel
n_bricks(CxVoxel size)
{
    return (CxVoxel){(size.x + CX_BRICK - 1) / CX_BRICK,
                     (size.y + CX_BRICK - 1) / CX_BRICK,
                     (size.z + CX_BRICK - 1) / CX_BRICK};
}

/* Fills starts; returns the end. */
static uint64_t
place_levels(const CxLevelShape *shape, uint64_t starts[17])
{
    uint64_t at = 0;

    for (unsigned i = 0; i < shape->n_levels; i++) {
        CxVoxel n = n_bricks(shape->sizes[i]);

        starts[i] = at;
        at +=
            (uint64_t)n.x * (uint64_t)n.y * (uint64_t)n.z * brick_bytes(shape);
    }
    starts[shape->n_levels] = at;
    return at;
}

uint64_t
cx_level_store_bytes(const CxLevelShape *shape)
{
    uint64_t starts[17];

    return place_levels(shape, starts);
}

static CxLevelStore *
store_new(const CxLevelShape *shape)
{
    CxLevelStore *self = g_new0(CxLevelStore, 1);

    atomic_init(&self->n_refs, 1);
    self->shape = *shape;
    self->fd = -1;
    place_levels(shape, self->starts);
    return self;
}

CxLevelStore *
cx_level_store_new(const CxLevelShape *shape, GError **error)
{
    g_autoptr(CxLevelStore) self = store_new(shape);

    self->memory = cx_try_alloc(self->starts[shape->n_levels], 1, error);
    return self->memory != NULL ? g_steal_pointer(&self) : NULL;
}

static bool
write_at(CxLevelStore *self, const void *bytes, size_t n, uint64_t offset,
         GError **error)
{
    while (n > 0) {
        int64_t done = pwrite(self->fd, bytes, n, (int64_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            cx_error_set_errno(error, errno, "cannot write %s", self->path);
            return false;
        }
        bytes = (const uint8_t *)bytes + done;
        offset += (uint64_t)done;
        n -= (size_t)done;
    }
    return true;
}

static bool
read_at(const CxLevelStore *self, void *bytes, size_t n, uint64_t offset,
        GError **error)
{
    while (n > 0) {
        int64_t got = pread(self->fd, bytes, n, (int64_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got < 0)
                cx_error_set_errno(error, errno, "cannot read %s", self->path);
            else
                g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                            "%s: the cache file was cut short", self->path);
            return false;
        }
        bytes = (uint8_t *)bytes + got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static void
fill_header(Header *header, uint64_t key, const CxLevelShape *shape)
{
    memset(header, 0, sizeof *header);
    memcpy(header->magic, MAGIC, sizeof MAGIC);
    header->key = key;
    header->shape.n_levels = shape->n_levels;
    header->shape.dtype = shape->dtype;
    header->shape.n_channels = shape->n_channels;
    for (unsigned i = 0; i < shape->n_levels; i++)
        header->shape.sizes[i] = shape->sizes[i];
}

CxLevelStore *
cx_level_store_create(const char *path, uint64_t key, const CxLevelShape *shape,
                      GError **error)
{
    g_autoptr(CxLevelStore) self = store_new(shape);
    char *temp = g_strdup_printf("%s.partial-%08x", path, g_random_int());
    Header header;

    self->path = g_strdup(path);
    self->fd = g_open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (self->fd < 0) {
        cx_error_set_errno(error, errno, "cannot make %s", temp);
        g_free(temp);
        return NULL;
    }
    self->temp = temp;
    fill_header(&header, key, shape);
    uint64_t end = HEADER_BYTES + self->starts[shape->n_levels];
    if (ftruncate(self->fd, (int64_t)end) != 0) {
        cx_error_set_errno(error, errno, "cannot make %s", temp);
        return NULL;
    }
    return write_at(self, &header, sizeof header, 0, error)
               ? g_steal_pointer(&self)
               : NULL;
}

CxLevelStore *
cx_level_store_open(const char *path, uint64_t key, const CxLevelShape *shape)
{
    g_autoptr(CxLevelStore) self = store_new(shape);
    Header found, expected;
    struct stat info;

    self->path = g_strdup(path);
    self->fd = g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    fill_header(&expected, key, shape);
    if (self->fd < 0 || fstat(self->fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        (uint64_t)info.st_size !=
            HEADER_BYTES + self->starts[shape->n_levels] ||
        !read_at(self, &found, sizeof found, 0, NULL) ||
        memcmp(&found, &expected, sizeof found) != 0)
        return NULL;
    futimens(self->fd, NULL); /* used now: the cache drops the oldest */
    return g_steal_pointer(&self);
}

CxLevelStore *
cx_level_store_ref(CxLevelStore *self)
{
    atomic_fetch_add_explicit(&self->n_refs, 1, memory_order_relaxed);
    return self;
}

void
cx_level_store_unref(CxLevelStore *self)
{
    if (self == NULL || atomic_fetch_sub(&self->n_refs, 1) != 1)
        return;
    if (self->fd >= 0)
        close(self->fd);
    if (self->temp != NULL)
        g_remove(self->temp);
    cx_free(self->memory);
    g_free(self->path);
    g_free(self->temp);
    g_free(self);
}

/* Where a voxel is stored; rows within a brick are CX_BRICK long. */
static uint64_t
offset_of(const CxLevelStore *self, unsigned level, unsigned channel, CxVoxel v)
{
    CxVoxel n = n_bricks(self->shape.sizes[level]);
    uint64_t sample = cx_dtype_size_bytes(self->shape.dtype);
    uint64_t brick = (uint64_t)((v.z / CX_BRICK * n.y + v.y / CX_BRICK) * n.x +
                                v.x / CX_BRICK);
    uint64_t inside =
        (uint64_t)((v.z % CX_BRICK * CX_BRICK + v.y % CX_BRICK) * CX_BRICK +
                   v.x % CX_BRICK);

    inside += (uint64_t)channel * CX_BRICK * CX_BRICK * CX_BRICK;
    return self->starts[level] + brick * brick_bytes(&self->shape) +
           inside * sample;
}

/* The part of a section that lies in one brick; rows go through a plane of
 * the brick, so that a file sees one write. */
static bool
put_in_brick(CxLevelStore *self, unsigned level, unsigned channel, CxBox part,
             const uint8_t *from, size_t stride, GError **error)
{
    size_t sample = cx_dtype_size_bytes(self->shape.dtype);
    size_t row = (size_t)(part.hi.x - part.lo.x) * sample;
    CxVoxel first = {part.lo.x, part.lo.y, part.lo.z};
    uint64_t offset = offset_of(self, level, channel, first);
    uint8_t plane[CX_BRICK * CX_BRICK * 8];

    for (int64_t y = part.lo.y; y < part.hi.y; y++) {
        size_t at = (size_t)(y - part.lo.y) * CX_BRICK * sample;
        uint8_t *to =
            self->memory != NULL ? self->memory + offset + at : plane + at;

        memcpy(to, from + (size_t)(y - part.lo.y) * stride, row);
    }
    if (self->memory != NULL)
        return true;
    if (row == CX_BRICK * sample)
        return write_at(self, plane,
                        (size_t)(part.hi.y - part.lo.y) * CX_BRICK * sample,
                        offset, error);
    for (int64_t y = 0; y < part.hi.y - part.lo.y; y++) {
        size_t at = (size_t)y * CX_BRICK * sample;

        if (!write_at(self, plane + at, row, offset + at, error))
            return false;
    }
    return true;
}

bool
cx_level_store_put(CxLevelStore *self, unsigned level, unsigned channel,
                   CxVoxel lo, size_t width, size_t height, const void *samples,
                   GError **error)
{
    CxBox box = {lo, {lo.x + (int64_t)width, lo.y + (int64_t)height, lo.z + 1}};
    CxVoxel brick = {CX_BRICK, CX_BRICK, CX_BRICK};
    CxBox bricks = cx_box_chunks(box, brick);
    size_t sample = cx_dtype_size_bytes(self->shape.dtype);

    for (int64_t y = bricks.lo.y; y < bricks.hi.y; y++) {
        for (int64_t x = bricks.lo.x; x < bricks.hi.x; x++) {
            CxChunkIdx idx = {x, y, bricks.lo.z};
            CxBox part = cx_chunk_box_clipped(idx, brick, box);
            const uint8_t *from =
                (const uint8_t *)samples + cx_box_offset(box, part.lo) * sample;

            if (!put_in_brick(self, level, channel, part, from, width * sample,
                              error))
                return false;
        }
    }
    return true;
}

bool
cx_level_store_finish(CxLevelStore *self, GError **error)
{
    if (self->memory != NULL)
        return true;
    /* a cache: what a crash leaves is found out by its size and header, so
     * only the order of data and name matters */
    if (fdatasync(self->fd) != 0 || rename(self->temp, self->path) != 0) {
        cx_error_set_errno(error, errno, "cannot finish %s", self->path);
        return false;
    }
    g_clear_pointer(&self->temp, g_free);
    return true;
}

/* The rows of one section of a brick that dst wants. */
static bool
get_from_brick(CxLevelStore *self, unsigned level, unsigned channel, CxBox part,
               CxChunk *dst, GError **error)
{
    size_t sample = cx_dtype_size_bytes(self->shape.dtype);
    size_t n_rows = (size_t)(part.hi.y - part.lo.y);
    size_t row = (size_t)(part.hi.x - part.lo.x) * sample;
    uint64_t offset = offset_of(self, level, channel, part.lo);
    uint8_t plane[CX_BRICK * CX_BRICK * 8];
    const uint8_t *from = plane;

    if (self->memory != NULL)
        from = self->memory + offset;
    else if (!read_at(self, plane, (n_rows - 1) * CX_BRICK * sample + row,
                      offset, error))
        return false;
    uint8_t *to = cx_chunk_data_mut(dst);
    for (size_t y = 0; y < n_rows; y++) {
        CxVoxel at = {part.lo.x, part.lo.y + (int64_t)y, part.lo.z};
        size_t where = (size_t)channel * cx_chunk_n_voxels(dst) +
                       cx_box_offset(cx_chunk_box(dst), at);

        memcpy(to + where * sample, from + y * CX_BRICK * sample, row);
    }
    return true;
}

static bool
get_brick(CxLevelStore *self, unsigned level, CxBox box, CxChunk *dst,
          GError **error)
{
    for (unsigned c = 0; c < self->shape.n_channels; c++) {
        for (int64_t z = box.lo.z; z < box.hi.z; z++) {
            CxBox part = box;

            part.lo.z = z;
            part.hi.z = z + 1;
            if (!get_from_brick(self, level, c, part, dst, error))
                return false;
        }
    }
    return true;
}

bool
cx_level_store_get(CxLevelStore *self, unsigned level, CxChunk *dst,
                   GError **error)
{
    CxBox box = cx_chunk_box(dst);
    CxVoxel brick = {CX_BRICK, CX_BRICK, CX_BRICK};
    CxBox bricks = cx_box_chunks(box, brick);

    for (int64_t z = bricks.lo.z; z < bricks.hi.z; z++)
        for (int64_t y = bricks.lo.y; y < bricks.hi.y; y++)
            for (int64_t x = bricks.lo.x; x < bricks.hi.x; x++) {
                CxChunkIdx idx = {x, y, z};

                if (!get_brick(self, level,
                               cx_chunk_box_clipped(idx, brick, box), dst,
                               error))
                    return false;
            }
    return true;
}
