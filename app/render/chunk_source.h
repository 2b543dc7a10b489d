/* What a pane draws from: the shape of a volume and a way to ask for chunks
 * that are in memory.
 *
 * The renderers never load: they ask lookup(), draw a coarser level where it
 * has nothing, and tell what they would like (cxgl_chunk_grid_wanted()) so
 * that a loader brings it.  Main thread; no GL calls.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/camera.h"
#include "core/volume/chunk_loader.h"
#include "core/volume/reader.h"

/* Levels of a volume, cut into chunks; level 0 is the finest. */
typedef struct {
    uint32_t volume_id; /* for CxChunkKey; 0 = no volume */
    unsigned n_levels;
    struct {
        CxVoxel size, chunk_size;
        CxNm voxel_nm;
    } levels[CX_MAX_LEVELS];
    CxNm offset_nm;
} CxglChunkGrid;

/* Reads the levels the volume has now (it may grow); chunk sizes are the
 * loader's. */
CxglChunkGrid cxgl_chunk_grid_of(CxVolume *volume, CxChunkLoader *loader,
                                 uint32_t volume_id);

/* The coarsest level that still has at least one voxel per pixel in both
 * directions of the pane (level 0 when magnified). */
unsigned cxgl_chunk_grid_level(const CxglChunkGrid *grid,
                               const CxglSliceCamera *camera);

/* Voxels of a level that the pane shows: one voxel thick, clipped to the
 * volume, empty if the plane lies outside. */
CxBox cxgl_chunk_grid_visible(const CxglChunkGrid *grid, unsigned level,
                              const CxglSliceCamera *camera);

/* Appends the CxChunkKeys a pane wants, most wanted first: the few chunks of
 * a coarse level that cover everything, then those of its level from the
 * centre outwards, then n_ahead planes of chunks on both sides in depth. */
void cxgl_chunk_grid_wanted(const CxglChunkGrid *grid,
                            const CxglSliceCamera *camera, unsigned n_ahead,
                            GArray *keys);

/* Whole volume in nm. */
void cxgl_chunk_grid_bounds(const CxglChunkGrid *grid, CxNm *lo, CxNm *hi);

typedef struct {
    /* New reference to a resident chunk (u8 for images, u64 for labels, box
     * in voxels of its level), or NULL. */
    CxChunk *(*lookup)(void *data, const CxChunkKey *key);

    /* True if the chunk failed for now: it is hatched.  May be NULL. */
    bool (*has_failed)(void *data, const CxChunkKey *key);
    void *data;
} CxglChunkSource;

/* A source over a loader and its cache; both must outlive the feed. */
typedef struct {
    CxChunkLoader *loader;
    CxChunkCache *cache;
} CxglChunkFeed;
CxglChunkSource cxgl_chunk_source(CxglChunkFeed *feed);

/* Sample under a position, from the finest resident level (at or above
 * level): the label of a label volume, the grey value of an image.  False if
 * nothing is resident there.  For hover and picking in slices. */
bool cxgl_chunk_source_sample(const CxglChunkSource *source,
                              const CxglChunkGrid *grid, unsigned level,
                              CxNm at, uint64_t *value, unsigned *found_level);
