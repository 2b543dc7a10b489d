/* Pieces and labels of chunks; see piece_cache.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/piece_cache.h"

#include "core/base/hash64.h"

#include <string.h>

/* id = 0: the labels of the chunk. */
typedef struct {
    CxChunkIdx idx;
    CxId id;
} Key;

typedef struct {
    Key key;
    CxMeshPiece *piece; /* or NULL */
    GArray *labels;     /* or NULL */
    size_t size_bytes;
    GList link; /* in the order of use; data = the entry */
} Entry;

struct CxPieceCache {
    GMutex lock; /* guards all below */
    GHashTable *entries;
    GQueue by_use; /* head = last used */
    size_t used_bytes, capacity_bytes;
    uint64_t generation;
};

static guint
hash_key(const void *data)
{
    const Key *key = data;
    uint64_t hash = cx_hash64_mix(key->id);

    hash = cx_hash64_mix(hash ^ (uint64_t)key->idx.x);
    hash = cx_hash64_mix(hash ^ (uint64_t)key->idx.y);
    return (guint)cx_hash64_mix(hash ^ (uint64_t)key->idx.z);
}

static gboolean
equal_keys(const void *a, const void *b)
{
    const Key *x = a, *y = b;

    return x->id == y->id && x->idx.x == y->idx.x && x->idx.y == y->idx.y &&
           x->idx.z == y->idx.z;
}

static void
free_entry(void *data)
{
    Entry *entry = data;

    cx_mesh_piece_unref(entry->piece);
    if (entry->labels != NULL)
        g_array_unref(entry->labels);
    g_free(entry);
}

CxPieceCache *
cx_piece_cache_new(size_t capacity_bytes)
{
    CxPieceCache *cache = g_new0(CxPieceCache, 1);

    g_mutex_init(&cache->lock);
    cache->entries =
        g_hash_table_new_full(hash_key, equal_keys, NULL, free_entry);
    cache->capacity_bytes = capacity_bytes;
    return cache;
}

void
cx_piece_cache_free(CxPieceCache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_unref(cache->entries);
    g_mutex_clear(&cache->lock);
    g_free(cache);
}

uint64_t
cx_piece_cache_generation(CxPieceCache *cache)
{
    uint64_t generation;

    g_mutex_lock(&cache->lock);
    generation = cache->generation;
    g_mutex_unlock(&cache->lock);
    return generation;
}

static void
remove_entry(CxPieceCache *cache, Entry *entry)
{
    cache->used_bytes -= entry->size_bytes;
    g_queue_unlink(&cache->by_use, &entry->link);
    g_hash_table_remove(cache->entries, &entry->key);
}

static Entry *
find(CxPieceCache *cache, CxChunkIdx idx, CxId id)
{
    Key key = {idx, id};
    Entry *entry = g_hash_table_lookup(cache->entries, &key);

    if (entry != NULL) {
        g_queue_unlink(&cache->by_use, &entry->link);
        g_queue_push_head_link(&cache->by_use, &entry->link);
    }
    return entry;
}

static bool
holds(const GArray *labels, CxId id)
{
    guint lo = 0, hi = labels->len;

    while (lo < hi) {
        guint middle = lo + (hi - lo) / 2;
        CxId found = g_array_index(labels, CxId, middle);

        if (found == id)
            return true;
        if (found < id)
            lo = middle + 1;
        else
            hi = middle;
    }
    return false;
}

CxPieceState
cx_piece_cache_lookup(CxPieceCache *cache, CxChunkIdx idx, CxId id,
                      CxMeshPiece **piece)
{
    CxPieceState state = CX_PIECE_UNKNOWN;
    Entry *entry;

    g_mutex_lock(&cache->lock);
    entry = find(cache, idx, id);
    if (entry != NULL) {
        state = entry->piece != NULL ? CX_PIECE_PRESENT : CX_PIECE_ABSENT;
        if (entry->piece != NULL)
            *piece = cx_mesh_piece_ref(entry->piece);
    } else {
        entry = find(cache, idx, 0);
        if (entry != NULL && !holds(entry->labels, id))
            state = CX_PIECE_ABSENT;
    }
    g_mutex_unlock(&cache->lock);
    return state;
}

static void
put(CxPieceCache *cache, CxChunkIdx idx, CxId id, CxMeshPiece *piece,
    GArray *labels)
{
    Entry *entry = find(cache, idx, id);

    if (entry != NULL)
        remove_entry(cache, entry);
    entry = g_new0(Entry, 1);
    entry->key = (Key){idx, id};
    entry->piece = piece != NULL ? cx_mesh_piece_ref(piece) : NULL;
    entry->labels = labels;
    entry->size_bytes = sizeof *entry + 64;
    if (piece != NULL)
        entry->size_bytes += cx_mesh_piece_size_bytes(piece);
    if (labels != NULL)
        entry->size_bytes += labels->len * sizeof(CxId);
    entry->link.data = entry;
    cache->used_bytes += entry->size_bytes;
    g_hash_table_insert(cache->entries, &entry->key, entry);
    g_queue_push_head_link(&cache->by_use, &entry->link);
}

static void
insert(CxPieceCache *cache, uint64_t generation, CxChunkIdx idx, CxId id,
       CxMeshPiece *piece, GArray *labels)
{
    g_mutex_lock(&cache->lock);
    if (generation == cache->generation) {
        put(cache, idx, id, piece, g_steal_pointer(&labels));
        while (cache->used_bytes > cache->capacity_bytes &&
               cache->by_use.length > 0)
            remove_entry(cache, g_queue_peek_tail(&cache->by_use));
    }
    g_mutex_unlock(&cache->lock);
    if (labels != NULL)
        g_array_unref(labels);
}

void
cx_piece_cache_insert(CxPieceCache *cache, uint64_t generation, CxChunkIdx idx,
                      CxId id, CxMeshPiece *piece)
{
    insert(cache, generation, idx, id, piece, NULL);
}

void
cx_piece_cache_insert_labels(CxPieceCache *cache, uint64_t generation,
                             CxChunkIdx idx, GArray *labels)
{
    insert(cache, generation, idx, 0, NULL, labels);
}

void
cx_piece_cache_invalidate(CxPieceCache *cache, CxBox chunks)
{
    GList *link;

    g_mutex_lock(&cache->lock);
    cache->generation++;
    link = cache->by_use.head;
    while (link != NULL) {
        Entry *entry = link->data;
        CxChunkIdx idx = entry->key.idx;

        link = link->next;
        if (cx_box_contains(chunks, (CxVoxel){idx.x, idx.y, idx.z}))
            remove_entry(cache, entry);
    }
    g_mutex_unlock(&cache->lock);
}
