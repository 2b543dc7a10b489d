/* Keeps recently used chunks in memory, up to a byte budget.
 *
 * One cache serves every view.  Chunks are reference counted: an evicted chunk
 * stays valid until its last holder lets go.  Thread-safe; does no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"

/* volume_id: any number the caller gives a volume; 0 is not used. */
typedef struct {
    uint32_t volume_id;
    uint32_t level;
    CxChunkIdx idx;
} CxChunkKey;

typedef struct CxChunkCache CxChunkCache;

CxChunkCache *cx_chunk_cache_new(size_t capacity_bytes);
void cx_chunk_cache_free(CxChunkCache *cache);

/* Returns a new reference and marks it recently used, or NULL. */
CxChunk *cx_chunk_cache_lookup(CxChunkCache *cache, const CxChunkKey *key);

/* Takes a reference; replaces an older chunk of the same key. */
void cx_chunk_cache_insert(CxChunkCache *cache, const CxChunkKey *key,
                           CxChunk *chunk);

/* Forgets one chunk, or all chunks of a volume. */
void cx_chunk_cache_remove(CxChunkCache *cache, const CxChunkKey *key);
void cx_chunk_cache_remove_volume(CxChunkCache *cache, uint32_t volume_id);

size_t cx_chunk_cache_used_bytes(CxChunkCache *cache);
size_t cx_chunk_cache_capacity_bytes(CxChunkCache *cache);
void cx_chunk_cache_set_capacity(CxChunkCache *cache, size_t capacity_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxChunkCache, cx_chunk_cache_free)
