/* Keeps recently used chunks in memory, up to a byte budget.
 *
 * A hash table of entries that also stand in a queue, most recent first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/chunk_cache.h"

#include "core/base/hash64.h"

typedef struct {
    CxChunkKey key;
    CxChunk *chunk;
    GList link; /* in CxChunkCache.recent; data is the entry */
} Entry;

struct CxChunkCache {
    GMutex lock; /* guards all that follows */
    GHashTable *entries;
    GQueue recent;
    size_t used_bytes;
    size_t capacity_bytes;
};

static guint
hash_key(gconstpointer data)
{
    const CxChunkKey *key = data;
    uint64_t hash = cx_hash64_mix((uint64_t)key->volume_id << 32 | key->level);

    hash = cx_hash64_mix(hash ^ (uint64_t)key->idx.x);
    hash = cx_hash64_mix(hash ^ (uint64_t)key->idx.y);
    return (guint)cx_hash64_mix(hash ^ (uint64_t)key->idx.z);
}

static gboolean
equal_keys(gconstpointer a, gconstpointer b)
{
    const CxChunkKey *p = a, *q = b;

    return p->volume_id == q->volume_id && p->level == q->level &&
           p->idx.x == q->idx.x && p->idx.y == q->idx.y && p->idx.z == q->idx.z;
}

CxChunkCache *
cx_chunk_cache_new(size_t capacity_bytes)
{
    CxChunkCache *cache = g_new0(CxChunkCache, 1);

    g_mutex_init(&cache->lock);
    cache->entries = g_hash_table_new(hash_key, equal_keys);
    g_queue_init(&cache->recent);
    cache->capacity_bytes = capacity_bytes;
    return cache;
}

/* Under the lock. */
static void
drop(CxChunkCache *cache, Entry *entry)
{
    g_hash_table_remove(cache->entries, &entry->key);
    g_queue_unlink(&cache->recent, &entry->link);
    cache->used_bytes -= cx_chunk_size_bytes(entry->chunk);
    cx_chunk_unref(entry->chunk);
    g_free(entry);
}

static void
evict_until_fits(CxChunkCache *cache)
{
    while (cache->used_bytes > cache->capacity_bytes)
        drop(cache, g_queue_peek_tail(&cache->recent));
}

void
cx_chunk_cache_free(CxChunkCache *cache)
{
    if (cache == NULL)
        return;
    while (!g_queue_is_empty(&cache->recent))
        drop(cache, g_queue_peek_tail(&cache->recent));
    g_hash_table_unref(cache->entries);
    g_mutex_clear(&cache->lock);
    g_free(cache);
}

CxChunk *
cx_chunk_cache_lookup(CxChunkCache *cache, const CxChunkKey *key)
{
    CxChunk *chunk = NULL;

    g_mutex_lock(&cache->lock);
    Entry *entry = g_hash_table_lookup(cache->entries, key);
    if (entry != NULL) {
        g_queue_unlink(&cache->recent, &entry->link);
        g_queue_push_head_link(&cache->recent, &entry->link);
        chunk = cx_chunk_ref(entry->chunk);
    }
    g_mutex_unlock(&cache->lock);
    return chunk;
}

void
cx_chunk_cache_insert(CxChunkCache *cache, const CxChunkKey *key,
                      CxChunk *chunk)
{
    Entry *entry = g_new0(Entry, 1);

    entry->key = *key;
    entry->chunk = cx_chunk_ref(chunk);
    entry->link.data = entry;
    g_mutex_lock(&cache->lock);
    Entry *old = g_hash_table_lookup(cache->entries, key);
    if (old != NULL)
        drop(cache, old);
    g_hash_table_insert(cache->entries, &entry->key, entry);
    g_queue_push_head_link(&cache->recent, &entry->link);
    cache->used_bytes += cx_chunk_size_bytes(chunk);
    evict_until_fits(cache);
    g_mutex_unlock(&cache->lock);
}

void
cx_chunk_cache_remove(CxChunkCache *cache, const CxChunkKey *key)
{
    g_mutex_lock(&cache->lock);
    Entry *entry = g_hash_table_lookup(cache->entries, key);
    if (entry != NULL)
        drop(cache, entry);
    g_mutex_unlock(&cache->lock);
}

void
cx_chunk_cache_remove_volume(CxChunkCache *cache, uint32_t volume_id)
{
    g_mutex_lock(&cache->lock);
    for (GList *l = cache->recent.head, *next; l != NULL; l = next) {
        Entry *entry = l->data;

        next = l->next;
        if (entry->key.volume_id == volume_id)
            drop(cache, entry);
    }
    g_mutex_unlock(&cache->lock);
}

size_t
cx_chunk_cache_used_bytes(CxChunkCache *cache)
{
    g_mutex_lock(&cache->lock);
    size_t used = cache->used_bytes;
    g_mutex_unlock(&cache->lock);
    return used;
}

size_t
cx_chunk_cache_capacity_bytes(CxChunkCache *cache)
{
    g_mutex_lock(&cache->lock);
    size_t capacity = cache->capacity_bytes;
    g_mutex_unlock(&cache->lock);
    return capacity;
}

void
cx_chunk_cache_set_capacity(CxChunkCache *cache, size_t capacity_bytes)
{
    g_mutex_lock(&cache->lock);
    cache->capacity_bytes = capacity_bytes;
    evict_until_fits(cache);
    g_mutex_unlock(&cache->lock);
}
