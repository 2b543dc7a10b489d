/* Reads overlapping blocks of labels; see label_reader.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/label_reader.h"

#include "core/base/error.h"
#include "core/volume/chunk_cache.h"

#include <string.h>

/* Larger chunks (whole slices) are not kept: their readers take parts. */
#define MAX_CHUNK_BYTES ((size_t)8 << 20)

struct CxLabelReader {
    CxVolume *volume;
    unsigned level;
    GMutex lock; /* guards generation, and insertion against it */
    uint64_t generation;
    CxChunkCache *cache;
};

CxLabelReader *
cx_label_reader_new(CxVolume *volume, unsigned level, size_t capacity_bytes)
{
    CxLabelReader *reader = g_new0(CxLabelReader, 1);

    reader->volume = volume;
    reader->level = level;
    g_mutex_init(&reader->lock);
    reader->cache = cx_chunk_cache_new(capacity_bytes);
    return reader;
}

void
cx_label_reader_free(CxLabelReader *reader)
{
    if (reader == NULL)
        return;
    cx_chunk_cache_free(reader->cache);
    g_mutex_clear(&reader->lock);
    g_free(reader);
}

void
cx_label_reader_invalidate(CxLabelReader *reader)
{
    g_mutex_lock(&reader->lock);
    reader->generation++;
    cx_chunk_cache_remove_volume(reader->cache, 1);
    g_mutex_unlock(&reader->lock);
}

static CxChunk *
get_chunk(CxLabelReader *reader, CxChunkIdx idx, CxVoxel chunk_size, CxJob *job,
          GError **error)
{
    CxChunkKey key = {1, reader->level, idx};
    CxChunk *chunk = cx_chunk_cache_lookup(reader->cache, &key);
    uint64_t generation;

    if (chunk != NULL)
        return chunk;
    g_mutex_lock(&reader->lock);
    generation = reader->generation;
    g_mutex_unlock(&reader->lock);
    chunk = cx_volume_read(
        reader->volume, reader->level,
        cx_chunk_box_clipped(idx, chunk_size,
                             cx_volume_bounds(reader->volume, reader->level)),
        job, error);
    g_mutex_lock(&reader->lock);
    if (chunk != NULL && generation == reader->generation)
        cx_chunk_cache_insert(reader->cache, &key, chunk);
    g_mutex_unlock(&reader->lock);
    return chunk;
}

#define WIDEN(type)                                                            \
    for (size_t i = 0; i < n; i++)                                             \
        out[i] = (CxId)((const type *)in)[i];                                  \
    break

/* A row of labels; signed ones are not negative, as the whole chunk was
 * checked. */
static void
widen(CxDtype dtype, const void *in, size_t n, CxId *out)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        WIDEN(uint8_t);
    case CX_DTYPE_U16:
        WIDEN(uint16_t);
    case CX_DTYPE_U32:
        WIDEN(uint32_t);
    case CX_DTYPE_U64:
        memcpy(out, in, n * sizeof *out);
        break;
    case CX_DTYPE_I8:
    case CX_DTYPE_I16:
    case CX_DTYPE_I32:
    case CX_DTYPE_I64:
    case CX_DTYPE_F32:
    case CX_DTYPE_F64:
        g_assert_not_reached();
    }
}

static void
copy_part(const CxChunk *chunk, CxChunk *block)
{
    CxBox from = cx_chunk_box(chunk), to = cx_chunk_box(block);
    CxBox part = cx_box_intersect(from, to);
    CxDtype dtype = cx_chunk_dtype(chunk);
    const uint8_t *in = cx_chunk_data(chunk);
    CxId *out = cx_chunk_data_mut(block);
    size_t n = (size_t)(part.hi.x - part.lo.x);

    for (int64_t z = part.lo.z; z < part.hi.z; z++) {
        for (int64_t y = part.lo.y; y < part.hi.y; y++) {
            CxVoxel start = {part.lo.x, y, z};

            widen(dtype,
                  in + cx_box_offset(from, start) * cx_dtype_size_bytes(dtype),
                  n, out + cx_box_offset(to, start));
        }
    }
}

static bool
is_unsigned(CxDtype dtype)
{
    return dtype == CX_DTYPE_U8 || dtype == CX_DTYPE_U16 ||
           dtype == CX_DTYPE_U32 || dtype == CX_DTYPE_U64;
}

/* Whether going through chunks of the file makes sense. */
static bool
uses_chunks(CxVolume *volume, CxVoxel size)
{
    CxDtype dtype = cx_volume_dtype(volume);
    size_t n;

    return is_unsigned(dtype) && size.x > 0 && size.y > 0 && size.z > 0 &&
           cx_box_n_voxels(cx_box_of_size(size), &n) &&
           n <= MAX_CHUNK_BYTES / cx_dtype_size_bytes(dtype);
}

CxChunk *
cx_label_reader_read(CxLabelReader *reader, CxBox box, CxJob *job,
                     GError **error)
{
    CxLevel level = cx_volume_level(reader->volume, reader->level);
    CxBox chunks;
    g_autoptr(CxChunk) block = NULL;

    if (!uses_chunks(reader->volume, level.chunk_size))
        return cx_volume_read_labels(reader->volume, reader->level, box, job,
                                     error);
    block = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    if (block == NULL)
        return NULL;
    chunks = cx_box_chunks(box, level.chunk_size);
    for (int64_t z = chunks.lo.z; z < chunks.hi.z; z++) {
        for (int64_t y = chunks.lo.y; y < chunks.hi.y; y++) {
            for (int64_t x = chunks.lo.x; x < chunks.hi.x; x++) {
                g_autoptr(CxChunk) chunk =
                    get_chunk(reader, (CxChunkIdx){x, y, z}, level.chunk_size,
                              job, error);

                if (chunk == NULL)
                    return NULL;
                copy_part(chunk, block);
            }
        }
    }
    return g_steal_pointer(&block);
}
