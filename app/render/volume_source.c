/* Reads chunks when asked; see volume_source.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/volume_source.h"

#include "core/base/hash64.h"

struct CxglVolumeSource {
    CxVolume *volume;
    bool labels;
    CxglChunkGrid grid;
    CxJob *job;
    GHashTable *chunks; /* CxChunkKey → CxChunk */
    GError *error;
};

static guint
hash_key(const void *data)
{
    const CxChunkKey *key = data;
    uint64_t hash = cx_hash64_mix(key->level);

    hash = cx_hash64_mix(hash ^ (uint64_t)key->idx.x);
    hash = cx_hash64_mix(hash ^ (uint64_t)key->idx.y);
    return (guint)cx_hash64_mix(hash ^ (uint64_t)key->idx.z);
}

static gboolean
equal_keys(const void *a, const void *b)
{
    const CxChunkKey *x = a, *y = b;

    return x->level == y->level && x->idx.x == y->idx.x &&
           x->idx.y == y->idx.y && x->idx.z == y->idx.z;
}

CxglVolumeSource *
cxgl_volume_source_new(CxVolume *volume, bool labels, CxVoxel chunk,
                       uint32_t volume_id, CxJob *job)
{
    CxglVolumeSource *source = g_new0(CxglVolumeSource, 1);

    source->volume = cx_volume_ref(volume);
    source->labels = labels;
    source->job = job;
    source->grid.volume_id = volume_id;
    source->grid.offset_nm = cx_volume_offset_nm(volume);
    source->grid.n_levels = MIN(cx_volume_n_levels(volume), CX_MAX_LEVELS);
    for (unsigned i = 0; i < source->grid.n_levels; i++) {
        CxLevel level = cx_volume_level(volume, i);

        source->grid.levels[i].size = level.size;
        source->grid.levels[i].voxel_nm = level.voxel_nm;
        source->grid.levels[i].chunk_size = chunk;
    }
    source->chunks = g_hash_table_new_full(hash_key, equal_keys, g_free,
                                           (GDestroyNotify)cx_chunk_unref);
    return source;
}

void
cxgl_volume_source_free(CxglVolumeSource *source)
{
    if (source == NULL)
        return;
    g_hash_table_unref(source->chunks);
    cx_volume_unref(source->volume);
    g_clear_error(&source->error);
    g_free(source);
}

const CxglChunkGrid *
cxgl_volume_source_grid(const CxglVolumeSource *source)
{
    return &source->grid;
}

static CxChunk *
read_chunk(CxglVolumeSource *source, const CxChunkKey *key)
{
    CxBox bounds = cx_box_of_size(source->grid.levels[key->level].size);
    CxBox box = cx_chunk_box_clipped(
        key->idx, source->grid.levels[key->level].chunk_size, bounds);

    if (source->labels)
        return cx_volume_read_labels(source->volume, key->level, box,
                                     source->job, &source->error);
    return cx_volume_read_u8(source->volume, key->level, box, source->job,
                             &source->error);
}

static CxChunk *
lookup(void *data, const CxChunkKey *key)
{
    CxglVolumeSource *source = data;
    CxChunk *chunk = g_hash_table_lookup(source->chunks, key);

    if (chunk == NULL && source->error == NULL) {
        chunk = read_chunk(source, key);
        if (chunk != NULL)
            g_hash_table_insert(source->chunks, g_memdup2(key, sizeof *key),
                                chunk);
    }
    return chunk != NULL ? cx_chunk_ref(chunk) : NULL;
}

CxglChunkSource
cxgl_volume_source_chunks(CxglVolumeSource *source)
{
    return (CxglChunkSource){lookup, NULL, source};
}

bool
cxgl_volume_source_is_good(CxglVolumeSource *source, GError **error)
{
    if (source->error == NULL)
        return true;
    g_propagate_error(error, g_error_copy(source->error));
    return false;
}
