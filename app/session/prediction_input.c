/* An image as the network reads it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction_input.h"

#include "core/volume/reader.h"

/* What a tile needs is far below, what statistics of sections read is above. */
#define LARGEST_CACHED ((size_t)1 << 24)

typedef struct {
    CxVolume *image;
    CxChunkCache *cache;
    uint32_t volume_id;
    CxVoxel chunk_size;
} Input;

static CxChunk *
get_chunk(Input *self, CxChunkIdx idx, CxJob *job, GError **error)
{
    CxChunkKey key = {self->volume_id, 0, idx};
    CxChunk *chunk = cx_chunk_cache_lookup(self->cache, &key);

    if (chunk != NULL)
        return chunk;
    CxBox box = cx_chunk_box_clipped(idx, self->chunk_size,
                                     cx_volume_bounds(self->image, 0));
    chunk = cx_volume_read_u8(self->image, 0, box, job, error);
    if (chunk != NULL)
        cx_chunk_cache_insert(self->cache, &key, chunk);
    return chunk;
}

static bool
read_directly(Input *self, CxBox box, CxChunk *dst, CxJob *job, GError **error)
{
    g_autoptr(CxChunk) chunk =
        cx_volume_read_u8(self->image, 0, box, job, error);

    if (chunk == NULL)
        return false;
    cx_chunk_copy_overlap(dst, chunk);
    return true;
}

static bool
read_input(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
           GError **error)
{
    Input *self = data;
    CxBox idx = cx_box_chunks(box, self->chunk_size);

    if (cx_chunk_size_bytes(dst) > LARGEST_CACHED)
        return read_directly(self, box, dst, job, error);
    for (int64_t z = idx.lo.z; z < idx.hi.z; z++)
        for (int64_t y = idx.lo.y; y < idx.hi.y; y++)
            for (int64_t x = idx.lo.x; x < idx.hi.x; x++) {
                g_autoptr(CxChunk) chunk =
                    get_chunk(self, (CxChunkIdx){x, y, z}, job, error);

                if (chunk == NULL || !cx_job_check(job, error))
                    return false;
                cx_chunk_copy_overlap(dst, chunk);
            }
    return true;
}

static void
free_input(void *data)
{
    Input *self = data;

    cx_volume_unref(self->image);
    g_free(self);
}

static const CxReader reader = {
    .name = "input",
    .read = read_input,
    .free = free_input,
};

CxVolume *
cxui_prediction_input_new(CxVolume *image, CxChunkCache *cache,
                          uint32_t volume_id, CxVoxel chunk_size)
{
    Input *self = g_new(Input, 1);
    CxLevel level = cx_volume_level(image, 0);
    CxVolumeInfo info = {
        .dtype = CX_DTYPE_U8,
        .n_channels = cx_volume_n_channels(image),
        .n_levels = 1,
        .levels = {{level.size, chunk_size, level.voxel_nm}},
        .offset_nm = cx_volume_offset_nm(image),
        .has_voxel_size = cx_volume_has_voxel_size(image),
    };

    *self = (Input){cx_volume_ref(image), cache, volume_id, chunk_size};
    return cx_volume_new(&reader, self, &info, cx_volume_spec(image));
}
