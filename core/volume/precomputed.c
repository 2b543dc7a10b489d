/* Neuroglancer's precomputed volumes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/precomputed.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/volume/block.h"
#include "core/volume/chunk_cache.h"
#include "core/volume/codec.h"
#include "core/volume/compressed_seg.h"
#include "core/volume/precomputed_shard.h"
#include "core/volume/reader_util.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_BYTES ((size_t)64 << 20)
#define MAX_CHUNK_BYTES ((size_t)1 << 30)

typedef struct {
    char *dir;
    CxVoxel size, offset, chunk;
    bool is_compressed; /* compressed_segmentation */
    CxVoxel brick;
    bool is_sharded;
    CxShardSpec shards;
} Scale;

typedef struct {
    char *path;
    unsigned n_scales;
    Scale scales[CX_MAX_LEVELS];
    CxDtype dtype;
    unsigned n_channels;
    CxChunkCache *chunks;
    CxChunkCache *indices; /* of minishards */
} Precomputed;

static bool
probe(const char *path)
{
    g_autofree char *info = g_build_filename(path, "info", NULL);
    char head[4096 + 1] = "";

    if (!g_file_test(info, G_FILE_TEST_IS_REGULAR))
        return false;
    cx_reader_peek(info, head, sizeof head - 1);
    return strstr(head, "\"scales\"") != NULL ||
           strstr(head, "neuroglancer_multiscale_volume") != NULL;
}

static void
free_volume(void *data)
{
    Precomputed *self = data;

    for (unsigned i = 0; i < self->n_scales; i++)
        g_free(self->scales[i].dir);
    cx_chunk_cache_free(self->chunks);
    cx_chunk_cache_free(self->indices);
    g_free(self->path);
    g_free(self);
}

static bool
fail(const char *where, const char *found, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: %s", where, found);
    return false;
}

/* Three numbers; false if the list is anything else. */
static bool
read_three(JsonArray *list, double values[3])
{
    if (list == NULL || json_array_get_length(list) != 3)
        return false;
    for (guint i = 0; i < 3; i++) {
        if (!cx_json_node_double(json_array_get_element(list, i), &values[i]) ||
            !isfinite(values[i]))
            return false;
    }
    return true;
}

static bool
read_voxel(JsonArray *list, double least, CxVoxel *voxel)
{
    double v[3];

    if (!read_three(list, v))
        return false;
    for (int i = 0; i < 3; i++) {
        if (v[i] < least || fabs(v[i]) > 1e12 || v[i] != floor(v[i]))
            return false;
    }
    *voxel = (CxVoxel){(int64_t)v[0], (int64_t)v[1], (int64_t)v[2]};
    return true;
}

static bool
read_encoding(JsonObject *object, Scale *scale, CxDtype dtype,
              const char *where, GError **error)
{
    const char *encoding = cx_json_get_string(object, "encoding");
    JsonObject *sharding = cx_json_get_object(object, "sharding");

    if (encoding == NULL)
        return fail(where, "a scale without encoding", error);
    scale->is_compressed = g_str_equal(encoding, "compressed_segmentation");
    if (!scale->is_compressed && !g_str_equal(encoding, "raw")) {
        g_autofree char *part = g_strndup(encoding, 40);
        g_autofree char *valid = g_utf8_make_valid(part, -1);

        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: chunks are encoded as \"%s\", expected raw or "
                    "compressed_segmentation",
                    where, valid);
        return false;
    }
    if (scale->is_compressed &&
        (!read_voxel(
             cx_json_get_array(object, "compressed_segmentation_block_size"), 1,
             &scale->brick) ||
         scale->brick.x > 256 || scale->brick.y > 256 || scale->brick.z > 256 ||
         (dtype != CX_DTYPE_U32 && dtype != CX_DTYPE_U64)))
        return fail(where,
                    "compressed_segmentation of a damaged block size or "
                    "of other than uint32 and uint64 labels",
                    error);
    scale->is_sharded = sharding != NULL;
    return !scale->is_sharded ||
           cx_shard_spec_read(sharding, &scale->shards, where, error);
}

static bool
read_geometry(const Precomputed *self, JsonObject *object, Scale *scale,
              CxLevel *level, const char *where, GError **error)
{
    JsonArray *chunks = cx_json_get_array(object, "chunk_sizes");
    JsonArray *first = chunks != NULL && json_array_get_length(chunks) > 0
                           ? cx_json_array(json_array_get_element(chunks, 0))
                           : NULL;
    double nm[3];
    size_t bytes;

    if (!read_voxel(cx_json_get_array(object, "size"), 1, &scale->size) ||
        !read_voxel(first, 1, &scale->chunk) ||
        !read_three(cx_json_get_array(object, "resolution"), nm))
        return fail(where,
                    "a scale whose size, chunk_sizes or resolution is damaged",
                    error);
    if (!read_voxel(cx_json_get_array(object, "voxel_offset"), -1e12,
                    &scale->offset))
        scale->offset = (CxVoxel){0, 0, 0};
    if (!cx_reader_check_size(where, scale->size, self->dtype, self->n_channels,
                              error))
        return false;
    if (!cx_box_n_voxels(cx_box_of_size(scale->chunk), &bytes) ||
        __builtin_mul_overflow(
            bytes, cx_dtype_size_bytes(self->dtype) * self->n_channels,
            &bytes) ||
        bytes > MAX_CHUNK_BYTES)
        return fail(where, "chunks of more than 1 GiB", error);
    *level = (CxLevel){scale->size,
                       {MIN(scale->chunk.x, scale->size.x),
                        MIN(scale->chunk.y, scale->size.y),
                        MIN(scale->chunk.z, scale->size.z)},
                       {nm[0], nm[1], nm[2]}};
    return true;
}

static bool
add_scale(Precomputed *self, JsonObject *object, CxVolumeInfo *info,
          const char *where, GError **error)
{
    Scale *scale = &self->scales[self->n_scales];
    const char *key = cx_json_get_string(object, "key");
    g_auto(GStrv) parts = g_strsplit(key != NULL ? key : "..", "/", -1);

    if (key == NULL || key[0] == '/' ||
        g_strv_contains((const char *const *)parts, ".."))
        return fail(where, "a scale whose key leaves the folder", error);
    scale->dir = g_build_filename(self->path, key, NULL);
    return read_geometry(self, object, scale, &info->levels[self->n_scales++],
                         where, error) &&
           read_encoding(object, scale, self->dtype, where, error);
}

static bool
open_in(Precomputed *self, CxVolumeInfo *info, GError **error)
{
    g_autofree char *where = g_build_filename(self->path, "info", NULL);
    g_autoptr(JsonNode) root = cx_json_load(where, error);
    JsonObject *object = cx_json_object(root);
    JsonArray *scales = cx_json_get_array(object, "scales");
    const char *type = cx_json_get_string(object, "data_type");
    const char *kind = cx_json_get_string(object, "type");
    uint64_t n_channels = 1;

    if (root == NULL)
        return false;
    guint n = scales != NULL ? json_array_get_length(scales) : 0;
    cx_json_get_u64(object, "num_channels", &n_channels);
    if (n == 0 || n_channels < 1 || n_channels > 4096)
        return fail(where, "no scales, or no number of channels", error);
    if (type == NULL || !cx_dtype_from_name(type, &self->dtype))
        return fail(where, "samples are of no known data_type", error);
    self->n_channels = (unsigned)n_channels;
    for (guint i = 0; i < MIN(n, CX_MAX_LEVELS); i++) {
        if (!add_scale(self, cx_json_object(json_array_get_element(scales, i)),
                       info, where, error))
            return false;
    }
    CxVoxel offset = self->scales[0].offset;
    info->dtype = self->dtype;
    info->n_channels = self->n_channels;
    info->n_levels = self->n_scales;
    info->offset_nm =
        cx_voxel_to_nm(offset, info->levels[0].voxel_nm, (CxNm){0, 0, 0});
    info->has_voxel_size = true;
    info->is_labels = kind != NULL && g_str_equal(kind, "segmentation");
    self->chunks = cx_chunk_cache_new(CACHE_BYTES);
    self->indices = cx_chunk_cache_new(CACHE_BYTES);
    return true;
}

static void *
open_volume(const char *path, const char *dataset, CxVolumeInfo *info,
            CxJob *job, GError **error)
{
    if (dataset != NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: a precomputed volume has no data sets, but %s was "
                    "asked for",
                    path, dataset);
        return NULL;
    }

    Precomputed *self = g_new0(Precomputed, 1);
    self->path = g_strdup(path);
    if (open_in(self, info, error))
        return self;
    free_volume(self);
    return NULL;
}

/* The bytes of a chunk that lies in a file of its own; NULL without error if
 * there is none. */
static GBytes *
read_file(const char *path, size_t max_bytes, GError **error)
{
    struct stat info;
    char *content = NULL;
    size_t length;

    if (stat(path, &info) != 0) {
        if (errno != ENOENT)
            cx_error_set_errno(error, errno, "cannot open %s", path);
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || (size_t)info.st_size > max_bytes + 65536) {
        fail(path, "not a file, or larger than a chunk can be", error);
        return NULL;
    }
    if (!g_file_get_contents(path, &content, &length, NULL)) {
        cx_error_set_errno(error, EIO, "cannot read %s", path);
        return NULL;
    }
    return g_bytes_new_take(content, length);
}

/* Compressed labels may be somewhat larger than plain ones. */
static size_t
most_bytes(const Precomputed *self, const Scale *scale, CxBox box)
{
    size_t n = 0;

    cx_box_n_voxels(box, &n);
    n *= cx_dtype_size_bytes(self->dtype) * self->n_channels;
    return scale->is_compressed ? 3 * n + 65536 : n;
}

static GBytes *
fetch(const Precomputed *self, const Scale *scale, CxChunkIdx idx, CxBox box,
      char **path, GError **error)
{
    size_t most = most_bytes(self, scale, box);
    CxVoxel o = scale->offset;
    GError *local = NULL;

    if (scale->is_sharded) {
        CxVoxel n = cx_box_chunks(cx_box_of_size(scale->size), scale->chunk).hi;
        uint64_t grid[3] = {(uint64_t)n.x, (uint64_t)n.y, (uint64_t)n.z};
        uint64_t at[3] = {(uint64_t)idx.x, (uint64_t)idx.y, (uint64_t)idx.z};

        *path = g_strdup(scale->dir);
        return cx_shard_read(&scale->shards, scale->dir,
                             cx_shard_morton(at, grid), most, self->indices,
                             error);
    }
    *path = g_strdup_printf(
        "%s/%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT
        "-%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT,
        scale->dir, o.x + box.lo.x, o.x + box.hi.x, o.y + box.lo.y,
        o.y + box.hi.y, o.z + box.lo.z, o.z + box.hi.z);
    GBytes *bytes = read_file(*path, most, &local);
    if (bytes == NULL && local == NULL) {
        g_autofree char *gz = g_strconcat(*path, ".gz", NULL);

        bytes = read_file(gz, most, &local);
    }
    if (local != NULL)
        g_propagate_error(error, local);
    return bytes;
}

static bool
decode(const Precomputed *self, const Scale *scale, GBytes *bytes, CxBox box,
       const char *path, CxChunk *chunk, GError **error)
{
    size_t n_bytes, sample = cx_dtype_size_bytes(self->dtype);
    const uint8_t *from = g_bytes_get_data(bytes, &n_bytes);
    size_t expected = cx_chunk_size_bytes(chunk);
    g_autoptr(GBytes) unpacked = NULL;

    if (n_bytes >= 2 && from[0] == 0x1f && from[1] == 0x8b &&
        (scale->is_compressed || n_bytes != expected)) {
        unpacked = cx_codec_gunzip(from, n_bytes, most_bytes(self, scale, box),
                                   path, error);
        if (unpacked == NULL)
            return false;
        from = g_bytes_get_data(unpacked, &n_bytes);
    }
    if (scale->is_compressed) {
        if (cx_compressed_seg_decode(from, n_bytes, cx_box_size(box),
                                     scale->brick, self->n_channels, sample,
                                     cx_chunk_data_mut(chunk)))
            return true;
        return fail(path, "a chunk of compressed_segmentation is damaged",
                    error);
    }
    if (n_bytes != expected) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %zu bytes, expected %zu in a raw chunk", path, n_bytes,
                    expected);
        return false;
    }
    memcpy(cx_chunk_data_mut(chunk), from, expected);
    cx_block_to_little_endian(cx_chunk_data_mut(chunk), expected, sample);
    return true;
}

static CxChunk *
get_chunk(Precomputed *self, unsigned level, CxChunkIdx idx, GError **error)
{
    const Scale *scale = &self->scales[level];
    CxChunkKey key = {1, level, idx};
    CxBox box =
        cx_chunk_box_clipped(idx, scale->chunk, cx_box_of_size(scale->size));
    CxChunk *found = cx_chunk_cache_lookup(self->chunks, &key);
    g_autofree char *path = NULL;
    GError *local = NULL;

    if (found != NULL)
        return found;
    g_autoptr(CxChunk) chunk =
        cx_chunk_new(self->dtype, box, self->n_channels, error);
    if (chunk == NULL)
        return NULL;
    g_autoptr(GBytes) bytes = fetch(self, scale, idx, box, &path, &local);
    if (local != NULL) {
        g_propagate_error(error, local);
        return NULL;
    }
    if (bytes == NULL)
        memset(cx_chunk_data_mut(chunk), 0, cx_chunk_size_bytes(chunk));
    else if (!decode(self, scale, bytes, box, path, chunk, error))
        return NULL;
    cx_chunk_cache_insert(self->chunks, &key, chunk);
    return g_steal_pointer(&chunk);
}

static bool
read_box(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    Precomputed *self = data;
    CxBox chunks = cx_box_chunks(box, self->scales[level].chunk);

    for (int64_t z = chunks.lo.z; z < chunks.hi.z; z++)
        for (int64_t y = chunks.lo.y; y < chunks.hi.y; y++)
            for (int64_t x = chunks.lo.x; x < chunks.hi.x; x++) {
                g_autoptr(CxChunk) chunk =
                    get_chunk(self, level, (CxChunkIdx){x, y, z}, error);

                if (chunk == NULL)
                    return false;
                cx_chunk_copy_overlap(dst, chunk);
                if (cx_job_is_cancelled(job))
                    return cx_job_step(job, 0, 1, error);
            }
    return true;
}

static void
limit_cache(void *self, size_t n_bytes)
{
    cx_chunk_cache_set_capacity(((Precomputed *)self)->chunks, n_bytes);
    cx_chunk_cache_set_capacity(((Precomputed *)self)->indices, n_bytes);
}

const CxReader cx_precomputed_reader = {
    .name = "precomputed",
    .probe = probe,
    .open = open_volume,
    .read = read_box,
    .free = free_volume,
    .limit_cache = limit_cache,
};
