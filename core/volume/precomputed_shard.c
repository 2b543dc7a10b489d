/* Chunks inside the shards of a precomputed volume.
 *
 * A shard file begins with its index: for each minishard the range of that
 * minishard's own index, counted from the end of the first.  A minishard
 * index is three rows of numbers: ids (differences), starts (differences from
 * the end before), sizes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/precomputed_shard.h"

#include "core/base/error.h"
#include "core/volume/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_INDEX_BYTES ((size_t)256 << 20)

static bool
read_encoding(JsonObject *sharding, const char *name, bool *gzip)
{
    const char *text = cx_json_get_string(sharding, name);

    *gzip = text != NULL && g_str_equal(text, "gzip");
    return text == NULL || *gzip || g_str_equal(text, "raw");
}

bool
cx_shard_spec_read(JsonObject *sharding, CxShardSpec *spec, const char *where,
                   GError **error)
{
    const char *hash = cx_json_get_string(sharding, "hash");
    uint64_t preshift = 0, minishard = 65, shard = 65;

    cx_json_get_u64(sharding, "preshift_bits", &preshift);
    cx_json_get_u64(sharding, "minishard_bits", &minishard);
    cx_json_get_u64(sharding, "shard_bits", &shard);
    spec->murmur = hash != NULL && g_str_equal(hash, "murmurhash3_x86_128");
    if (preshift > 63 || minishard > 24 || shard > 64 ||
        minishard + shard > 64 ||
        (!spec->murmur && (hash == NULL || !g_str_equal(hash, "identity"))) ||
        !read_encoding(sharding, "minishard_index_encoding",
                       &spec->index_gzip) ||
        !read_encoding(sharding, "data_encoding", &spec->data_gzip)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: a description of shards that is damaged or of "
                    "another kind, expected neuroglancer_uint64_sharded_v1",
                    where);
        return false;
    }
    spec->preshift_bits = (unsigned)preshift;
    spec->minishard_bits = (unsigned)minishard;
    spec->shard_bits = (unsigned)shard;
    return true;
}

uint64_t
cx_shard_morton(const uint64_t position[3], const uint64_t grid[3])
{
    uint64_t code = 0;
    unsigned out = 0;

    for (unsigned bit = 0; bit < 63 && out < 64; bit++) {
        for (int axis = 0; axis < 3 && out < 64; axis++) {
            if ((UINT64_C(1) << bit) < grid[axis])
                code |= (position[axis] >> bit & 1) << out++;
        }
    }
    return code;
}

static uint32_t
rotate(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static uint32_t
finish(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}

/* The general function, with everything left out that eight bytes do not
 * reach. */
uint64_t
cx_shard_murmur(uint64_t key)
{
    uint32_t h1 = 0, h2 = 0, h3 = 0, h4 = 0;

    h2 ^= rotate((uint32_t)(key >> 32) * 0xab0e9789, 16) * 0x38b34ae5;
    h1 ^= rotate((uint32_t)key * 0x239b961b, 15) * 0xab0e9789;
    h1 ^= 8, h2 ^= 8, h3 ^= 8, h4 ^= 8;
    h1 += h2 + h3 + h4;
    h2 += h1, h3 += h1, h4 += h1;
    h1 = finish(h1), h2 = finish(h2), h3 = finish(h3), h4 = finish(h4);
    h1 += h2 + h3 + h4;
    h2 += h1;
    return (uint64_t)h2 << 32 | h1;
}

/* An open shard. */
typedef struct {
    const char *path;
    int fd;
    uint64_t length;
} Shard;

static bool
fail(const Shard *shard, const char *what, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: %s", shard->path, what);
    return false;
}

static bool
read_range(const Shard *shard, uint64_t offset, uint64_t n, void *to,
           GError **error)
{
    if (offset > shard->length || n > shard->length - offset)
        return fail(shard, "a range that reaches beyond the end of the shard",
                    error);
    for (uint64_t done = 0; done < n;) {
        int64_t got = pread(shard->fd, (uint8_t *)to + done, n - done,
                            (int64_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            cx_error_set_errno(error, got < 0 ? errno : EIO, "cannot read %s",
                               shard->path);
            return false;
        }
        done += (uint64_t)got;
    }
    return true;
}

/* A range of the shard, without gzip. */
static GBytes *
read_block(const Shard *shard, uint64_t offset, uint64_t n, bool gzip,
           size_t max_bytes, GError **error)
{
    if (n > max_bytes + 65536 || n > shard->length) {
        fail(shard, "a block larger than can be", error);
        return NULL;
    }
    g_autofree uint8_t *bytes = g_try_malloc(n > 0 ? n : 1);
    if (bytes == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: not enough memory for a block", shard->path);
        return NULL;
    }
    if (!read_range(shard, offset, n, bytes, error))
        return NULL;
    if (gzip)
        return cx_codec_gunzip(bytes, n, max_bytes, shard->path, error);
    return g_bytes_new_take(g_steal_pointer(&bytes), n);
}

static uint64_t
get_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, 8);
    return GUINT64_FROM_LE(value);
}

/* A minishard's index with whole numbers: ids, starts in the file, sizes. */
static CxChunk *
decode_index(const Shard *shard, GBytes *bytes, uint64_t base, GError **error)
{
    size_t n_bytes;
    const uint8_t *from = g_bytes_get_data(bytes, &n_bytes);
    size_t n = n_bytes / 24;
    uint64_t id = 0, end = base;

    if (n_bytes % 24 != 0) {
        fail(shard, "a minishard index of odd length", error);
        return NULL;
    }
    CxChunk *index = cx_chunk_new(
        CX_DTYPE_U64, cx_box_of_size((CxVoxel){(int64_t)n, 1, 1}), 3, error);
    if (index == NULL)
        return NULL;
    uint64_t *to = cx_chunk_data_mut(index);
    for (size_t i = 0; i < n; i++) {
        id += get_u64(from + 8 * i);
        to[i] = id;
        to[n + i] = end + get_u64(from + 8 * (n + i));
        to[2 * n + i] = get_u64(from + 8 * (2 * n + i));
        end = to[n + i] + to[2 * n + i];
    }
    return index;
}

static CxChunk *
load_index(const CxShardSpec *spec, const Shard *shard, uint64_t minishard,
           GError **error)
{
    uint64_t base = (UINT64_C(1) << spec->minishard_bits) * 16;
    uint8_t range[16];

    if (!read_range(shard, minishard * 16, 16, range, error))
        return NULL;
    uint64_t start = get_u64(range), end = get_u64(range + 8);
    if (end < start || end > shard->length) {
        fail(shard, "the index of the shard is damaged", error);
        return NULL;
    }
    g_autoptr(GBytes) bytes =
        end > start ? read_block(shard, base + start, end - start,
                                 spec->index_gzip, MAX_INDEX_BYTES, error)
                    : g_bytes_new(NULL, 0);
    return bytes != NULL ? decode_index(shard, bytes, base, error) : NULL;
}

/* Place of an id in an index; false if it is not there. */
static bool
find_in_index(const CxChunk *index, uint64_t id, uint64_t *start,
              uint64_t *n_bytes)
{
    size_t n = cx_chunk_n_voxels(index);
    const uint64_t *ids = cx_chunk_data(index);

    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id) {
            *start = ids[n + i];
            *n_bytes = ids[2 * n + i];
            return true;
        }
    }
    return false;
}

static GBytes *
read_from(const CxShardSpec *spec, const Shard *shard, uint64_t id,
          uint64_t shard_number, uint64_t minishard, size_t max_bytes,
          CxChunkCache *indices, GError **error)
{
    CxChunkKey key = {1, 0, {(int64_t)shard_number, (int64_t)minishard, 0}};
    g_autoptr(CxChunk) index = cx_chunk_cache_lookup(indices, &key);
    uint64_t start, n_bytes;

    if (index == NULL) {
        index = load_index(spec, shard, minishard, error);
        if (index == NULL)
            return NULL;
        cx_chunk_cache_insert(indices, &key, index);
    }
    if (!find_in_index(index, id, &start, &n_bytes))
        return NULL;
    return read_block(shard, start, n_bytes, spec->data_gzip, max_bytes, error);
}

GBytes *
cx_shard_read(const CxShardSpec *spec, const char *dir, uint64_t id,
              size_t max_bytes, CxChunkCache *indices, GError **error)
{
    uint64_t shifted = id >> spec->preshift_bits;
    uint64_t hash = spec->murmur ? cx_shard_murmur(shifted) : shifted;
    uint64_t minishard = hash & ((UINT64_C(1) << spec->minishard_bits) - 1);
    uint64_t number =
        spec->minishard_bits < 64 ? hash >> spec->minishard_bits : 0;
    struct stat info;

    if (spec->shard_bits < 64)
        number &= (UINT64_C(1) << spec->shard_bits) - 1;
    g_autofree char *path =
        g_strdup_printf("%s/%0*" G_GINT64_MODIFIER "x.shard", dir,
                        MAX((int)(spec->shard_bits + 3) / 4, 1), number);
    Shard shard = {path, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), 0};
    if (shard.fd < 0) {
        if (errno != ENOENT)
            cx_error_set_errno(error, errno, "cannot open %s", path);
        return NULL;
    }
    GBytes *bytes = NULL;
    if (fstat(shard.fd, &info) == 0 && S_ISREG(info.st_mode)) {
        shard.length = (uint64_t)info.st_size;
        bytes = read_from(spec, &shard, id, number, minishard, max_bytes,
                          indices, error);
    } else {
        fail(&shard, "not a regular file, expected a shard", error);
    }
    close(shard.fd);
    return bytes;
}
