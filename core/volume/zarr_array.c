/* One Zarr array in a local folder.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/zarr_array.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/block.h"
#include "core/volume/zarr_meta.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MISSING UINT64_MAX

struct CxZarrArray {
    char *dir;
    CxZarrMeta meta;
    size_t n_samples; /* of a block */
    size_t steps[CX_MAX_RANK];
};

bool
cx_zarr_array_probe(const char *dir)
{
    g_autofree char *v2 = g_build_filename(dir, ".zarray", NULL);
    g_autofree char *v3 = g_build_filename(dir, "zarr.json", NULL);

    return g_file_test(v2, G_FILE_TEST_EXISTS) ||
           g_file_test(v3, G_FILE_TEST_EXISTS);
}

CxZarrArray *
cx_zarr_array_open(const char *dir, GError **error)
{
    g_autoptr(CxZarrArray) self = g_new0(CxZarrArray, 1);

    if (!cx_zarr_meta_read(dir, &self->meta, error))
        return NULL;
    self->dir = g_strdup(dir);
    self->n_samples = 1;
    for (int k = self->meta.rank - 1; k >= 0; k--) {
        int axis = self->meta.block.order[k];

        self->steps[axis] = self->n_samples;
        self->n_samples *= self->meta.block.shape[axis];
    }
    return g_steal_pointer(&self);
}

void
cx_zarr_array_free(CxZarrArray *self)
{
    if (self == NULL)
        return;
    cx_zarr_meta_clear(&self->meta);
    g_free(self->dir);
    g_free(self);
}

int
cx_zarr_array_rank(const CxZarrArray *self)
{
    return self->meta.rank;
}

const uint64_t *
cx_zarr_array_shape(const CxZarrArray *self)
{
    return self->meta.shape;
}

const uint64_t *
cx_zarr_array_block_shape(const CxZarrArray *self)
{
    return self->meta.block.shape;
}

CxDtype
cx_zarr_array_dtype(const CxZarrArray *self)
{
    return self->meta.dtype;
}

const char *const *
cx_zarr_array_names(const CxZarrArray *self)
{
    return (const char *const *)self->meta.names;
}

const size_t *
cx_zarr_array_steps(const CxZarrArray *self)
{
    return self->steps;
}

/* File that holds the block or shard of this index. */
static char *
path_of(const CxZarrArray *self, const uint64_t *idx)
{
    GString *path = g_string_new(self->dir);

    g_string_append_c(path, '/');
    if (self->meta.has_c)
        g_string_append_printf(path, "c%c", self->meta.separator);
    for (int i = 0; i < self->meta.rank; i++) {
        if (i > 0)
            g_string_append_c(path, self->meta.separator);
        g_string_append_printf(path, "%" G_GUINT64_FORMAT, idx[i]);
    }
    return g_string_free(path, FALSE);
}

/* An open regular file and its length; -1 without error if there is none. */
static int
open_file(const char *path, uint64_t *length, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;

    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            cx_error_set_errno(error, errno, "cannot open %s", path);
        return -1;
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        *length = (uint64_t)info.st_size;
        return fd;
    }
    close(fd);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: not a regular file, expected a chunk", path);
    return -1;
}

static bool
read_at(int fd, const char *path, void *buffer, uint64_t n, uint64_t offset,
        GError **error)
{
    for (uint64_t done = 0; done < n;) {
        int64_t got = pread(fd, (uint8_t *)buffer + done, n - done,
                            (int64_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            cx_error_set_errno(error, errno, "cannot read %s", path);
            return false;
        }
        if (got == 0) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: ends at byte %" G_GUINT64_FORMAT
                        ", expected %" G_GUINT64_FORMAT " more",
                        path, offset + done, n - done);
            return false;
        }
        done += (uint64_t)got;
    }
    return true;
}

/* CRC-32C (Castagnoli), bit by bit over a table of 256. */
static uint32_t
crc32c(const uint8_t *bytes, size_t n)
{
    uint32_t crc = UINT32_MAX, table[256];

    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 : 0);
    }
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
    return ~crc;
}

static uint64_t
get_u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return GUINT64_FROM_LE(value);
}

/* Takes the checksum off the end; false if it does not fit. */
static bool
check_crc(const uint8_t *bytes, size_t *n)
{
    uint32_t stored;

    if (*n < 4)
        return false;
    *n -= 4;
    memcpy(&stored, bytes + *n, 4);
    return crc32c(bytes, *n) == GUINT32_FROM_LE(stored);
}

/* Undoes checksum, compressor and byte order. */
static bool
decode(const CxZarrArray *self, const char *path, const uint8_t *bytes,
       size_t n, CxChunk *block, GError **error)
{
    const CxZarrBlock *how = &self->meta.block;
    size_t sample = cx_dtype_size_bytes(self->meta.dtype);
    size_t n_out = self->n_samples * sample;
    void *out = cx_chunk_data_mut(block);

    if (how->has_checksum && !check_crc(bytes, &n)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: the checksum of a chunk does not fit its bytes", path);
        return false;
    }
    if (!cx_codec_decode(how->codec, bytes, n, out, n_out, path, error))
        return false;
    if (how->big_endian != (G_BYTE_ORDER == G_BIG_ENDIAN))
        cx_block_swap(out, n_out, sample);
    return true;
}

static void
fill(const CxZarrArray *self, CxChunk *block)
{
    size_t sample = cx_dtype_size_bytes(self->meta.dtype);
    uint8_t *to = cx_chunk_data_mut(block), value[8];
    uint64_t bits = self->meta.fill;

    if (bits == 0) {
        memset(to, 0, cx_chunk_size_bytes(block));
        return;
    }
    memcpy(value,
           (const uint8_t *)&bits +
               (G_BYTE_ORDER == G_BIG_ENDIAN ? 8 - sample : 0),
           sample);
    for (size_t i = 0; i < self->n_samples; i++)
        memcpy(to + i * sample, value, sample);
}

/* Where a block lies in its shard: the index stands before or behind all
 * blocks, as pairs of offset and length. */
static bool
find_in_shard(const CxZarrArray *self, int fd, const char *path,
              const uint64_t *idx, uint64_t length, uint64_t *offset,
              uint64_t *n_bytes, GError **error)
{
    const CxZarrMeta *meta = &self->meta;
    uint64_t n = 1, at = 0;

    for (int i = 0; i < meta->rank; i++) {
        uint64_t per_shard = meta->shard_shape[i] / meta->block.shape[i];

        at = at * per_shard + idx[i] % per_shard;
        n *= per_shard;
    }
    size_t index_bytes = n * 16 + (meta->index_has_checksum ? 4 : 0);
    size_t n_checked = index_bytes;
    if (length < index_bytes) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %" G_GUINT64_FORMAT
                    " bytes, expected an index of %zu in a shard",
                    path, length, index_bytes);
        return false;
    }
    CX_AUTOFREE uint8_t *index = cx_try_alloc(index_bytes, 1, error);
    if (index == NULL ||
        !read_at(fd, path, index, index_bytes,
                 meta->index_at_start ? 0 : length - index_bytes, error))
        return false;
    *offset = get_u64(index + at * 16);
    *n_bytes = get_u64(index + at * 16 + 8);
    if (*offset == MISSING && *n_bytes == MISSING)
        return true;
    if ((!meta->index_has_checksum || check_crc(index, &n_checked)) &&
        *offset <= length && *n_bytes <= length - *offset)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the index of the shard is damaged", path);
    return false;
}

/* Reads and decodes; an absent block is filled. */
static bool
read_from(const CxZarrArray *self, int fd, const char *path,
          const uint64_t *idx, uint64_t length, CxChunk *block, GError **error)
{
    uint64_t offset = 0, n_bytes = length;
    uint64_t limit = cx_chunk_size_bytes(block) * 2 + 65536;

    if (self->meta.is_sharded &&
        !find_in_shard(self, fd, path, idx, length, &offset, &n_bytes, error))
        return false;
    if (offset == MISSING) {
        fill(self, block);
        return true;
    }
    if (n_bytes > limit) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: a chunk of %" G_GUINT64_FORMAT
                    " bytes, expected fewer than %" G_GUINT64_FORMAT,
                    path, n_bytes, limit);
        return false;
    }
    CX_AUTOFREE uint8_t *bytes = cx_try_alloc((size_t)n_bytes, 1, error);
    return bytes != NULL && read_at(fd, path, bytes, n_bytes, offset, error) &&
           decode(self, path, bytes, (size_t)n_bytes, block, error);
}

CxChunk *
cx_zarr_array_read(const CxZarrArray *self, const uint64_t *idx, GError **error)
{
    CxBox box = cx_box_of_size((CxVoxel){(int64_t)self->n_samples, 1, 1});
    g_autoptr(CxChunk) block = cx_chunk_new(self->meta.dtype, box, 1, error);
    uint64_t file_idx[CX_MAX_RANK], length = 0;
    GError *local = NULL;

    if (block == NULL)
        return NULL;
    for (int i = 0; i < self->meta.rank; i++)
        file_idx[i] = self->meta.is_sharded
                          ? idx[i] / (self->meta.shard_shape[i] /
                                      self->meta.block.shape[i])
                          : idx[i];
    g_autofree char *path = path_of(self, file_idx);
    int fd = open_file(path, &length, &local);
    if (fd < 0) {
        if (local != NULL) {
            g_propagate_error(error, local);
            return NULL;
        }
        fill(self, block);
        return g_steal_pointer(&block);
    }
    bool ok = read_from(self, fd, path, idx, length, block, error);
    close(fd);
    return ok ? g_steal_pointer(&block) : NULL;
}
