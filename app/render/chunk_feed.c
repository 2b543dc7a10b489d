/* Chunks from a loader and its cache; see chunk_source.h.  A file of its own,
 * so that programs without a loader need not link it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/chunk_source.h"

CxglChunkGrid
cxgl_chunk_grid_of(CxVolume *volume, CxChunkLoader *loader, uint32_t volume_id)
{
    CxglChunkGrid grid = {.volume_id = volume_id,
                          .offset_nm = cx_volume_offset_nm(volume)};

    grid.n_levels = MIN(cx_volume_n_levels(volume), CX_MAX_LEVELS);
    for (unsigned i = 0; i < grid.n_levels; i++) {
        CxLevel level = cx_volume_level(volume, i);

        grid.levels[i].size = level.size;
        grid.levels[i].voxel_nm = level.voxel_nm;
        grid.levels[i].chunk_size =
            cx_chunk_loader_chunk_size(loader, volume_id, i);
    }
    return grid;
}

static CxChunk *
lookup_in_feed(void *data, const CxChunkKey *key)
{
    return cx_chunk_cache_lookup(((CxglChunkFeed *)data)->cache, key);
}

static bool
has_failed_in_feed(void *data, const CxChunkKey *key)
{
    return cx_chunk_loader_state(((CxglChunkFeed *)data)->loader, key) ==
           CX_CHUNK_FAILED;
}

CxglChunkSource
cxgl_chunk_source(CxglChunkFeed *feed)
{
    return (CxglChunkSource){lookup_in_feed, has_failed_in_feed, feed};
}
