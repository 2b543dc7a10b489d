/* Turns "what is visible" into jobs that fill the chunk cache.
 *
 * States of a chunk: ABSENT → QUEUED → LOADING → RESIDENT, or FAILED (asked
 * for again after a pause that doubles, with its error kept for the hover).
 * Wants are replaced as a whole: what is not wanted any more is cancelled.
 * Thread-safe; the hook runs on a worker.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/scheduler.h"
#include "core/volume/chunk_cache.h"
#include "core/volume/volume.h"

typedef enum {
    CX_CHUNK_ABSENT,
    CX_CHUNK_QUEUED,
    CX_CHUNK_LOADING,
    CX_CHUNK_RESIDENT,
    CX_CHUNK_FAILED,
} CxChunkState;

typedef struct CxChunkLoader CxChunkLoader;

/* Called when a chunk became resident or failed. */
typedef void (*CxChunkHook)(const CxChunkKey *key, void *data);

/* scheduler and cache must outlive the loader. */
CxChunkLoader *cx_chunk_loader_new(CxScheduler *scheduler, CxChunkCache *cache,
                                   CxChunkHook hook, void *data);
void cx_chunk_loader_free(CxChunkLoader *loader);

/* Makes a volume known; returns its volume_id for keys.  labels = true loads
 * u64 chunks (cx_volume_read_labels), false u8 (cx_volume_read_u8). */
uint32_t cx_chunk_loader_add(CxChunkLoader *loader, CxVolume *volume,
                             bool labels);
void cx_chunk_loader_remove(CxChunkLoader *loader, uint32_t volume_id);

/* Size of the loader's chunks for a level (cubes or slabs that suit panes in
 * all three directions; independent of the file's own chunks). */
CxVoxel cx_chunk_loader_chunk_size(CxChunkLoader *loader, uint32_t volume_id,
                                   unsigned level);

/* The whole set of one client (a pane: any small number), most wanted first.
 * Resident ones are touched in the cache, others requested. */
void cx_chunk_loader_want(CxChunkLoader *loader, unsigned client,
                          const CxChunkKey *keys, size_t n_keys);

CxChunkState cx_chunk_loader_state(CxChunkLoader *loader,
                                   const CxChunkKey *key);

/* Reason of a FAILED chunk, or NULL; owned by the caller. */
char *cx_chunk_loader_dup_reason(CxChunkLoader *loader, const CxChunkKey *key);

/* Samples in this box (of level 0) have changed: chunks of all levels that
 * touch it are dropped and, if wanted, loaded again. */
void cx_chunk_loader_invalidate(CxChunkLoader *loader, uint32_t volume_id,
                                CxBox box);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxChunkLoader, cx_chunk_loader_free)
