/* The chunk cache against a list, and from several threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/chunk_cache.h"
#include "tests/support/check.h"

static CxChunk *
make_chunk(int64_t n_bytes)
{
    return cx_chunk_new(CX_DTYPE_U8, cx_box_of_size((CxVoxel){n_bytes, 1, 1}),
                        1, NULL);
}

static CxChunkKey
random_key(CxRng *rng)
{
    return (CxChunkKey){
        1 + (uint32_t)cx_rng_below(rng, 2),
        (uint32_t)cx_rng_below(rng, 2),
        {(int64_t)cx_rng_below(rng, 4), (int64_t)cx_rng_below(rng, 3) - 1, 0}};
}

/* The naive twin: most recently used first. */
typedef struct {
    CxChunkKey key;
    CxChunk *chunk;
} Item;

static bool
same_key(const CxChunkKey *a, const CxChunkKey *b)
{
    return a->volume_id == b->volume_id && a->level == b->level &&
           a->idx.x == b->idx.x && a->idx.y == b->idx.y && a->idx.z == b->idx.z;
}

static Item *
find_item(GPtrArray *list, const CxChunkKey *key, guint *at)
{
    for (*at = 0; *at < list->len; (*at)++) {
        Item *item = list->pdata[*at];

        if (same_key(&item->key, key))
            return item;
    }
    return NULL;
}

static size_t
total(GPtrArray *list)
{
    size_t n = 0;

    for (guint i = 0; i < list->len; i++)
        n += cx_chunk_size_bytes(((Item *)list->pdata[i])->chunk);
    return n;
}

static void
insert_item(GPtrArray *list, const CxChunkKey *key, CxChunk *chunk,
            size_t capacity)
{
    guint at;
    Item *item = g_new(Item, 1);

    if (find_item(list, key, &at) != NULL)
        g_ptr_array_remove_index(list, at);
    *item = (Item){*key, chunk};
    g_ptr_array_insert(list, 0, item);
    while (total(list) > capacity)
        g_ptr_array_remove_index(list, list->len - 1);
}

static void
test_same_as_a_list(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) chunks =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_chunk_unref);
    size_t capacity = 1000;
    g_autoptr(CxChunkCache) cache = cx_chunk_cache_new(capacity);

    for (int i = 0; i < 20; i++)
        g_ptr_array_add(chunks,
                        make_chunk(1 + (int64_t)cx_rng_below(&rng, 300)));
    for (int round = 0; round < 20000; round++) {
        CxChunkKey key = random_key(&rng);
        guint at;

        if (cx_rng_below(&rng, 2) == 0) {
            CxChunk *chunk = chunks->pdata[cx_rng_below(&rng, chunks->len)];

            cx_chunk_cache_insert(cache, &key, chunk);
            insert_item(list, &key, chunk, capacity);
        } else if (cx_rng_below(&rng, 20) == 0) {
            cx_chunk_cache_remove(cache, &key);
            if (find_item(list, &key, &at) != NULL)
                g_ptr_array_remove_index(list, at);
        } else if (cx_rng_below(&rng, 200) == 0) {
            cx_chunk_cache_remove_volume(cache, 1);
            for (guint i = list->len; i-- > 0;) {
                if (((Item *)list->pdata[i])->key.volume_id == 1)
                    g_ptr_array_remove_index(list, i);
            }
        } else {
            g_autoptr(CxChunk) found = cx_chunk_cache_lookup(cache, &key);
            Item *item = find_item(list, &key, &at);

            g_assert_true(found == (item != NULL ? item->chunk : NULL));
            if (item != NULL)
                g_ptr_array_insert(list, 0, g_ptr_array_steal_index(list, at));
        }
        g_assert_cmpuint(cx_chunk_cache_used_bytes(cache), ==, total(list));
    }
}

static void
test_evicted_chunk_outlives_cache(void)
{
    CxChunkCache *cache = cx_chunk_cache_new(100);
    CxChunkKey key = {1, 0, {0, 0, 0}}, other = {1, 0, {1, 0, 0}};
    g_autoptr(CxChunk) first = make_chunk(80);
    g_autoptr(CxChunk) second = make_chunk(80);

    ((uint8_t *)cx_chunk_data_mut(first))[79] = 7;
    cx_chunk_cache_insert(cache, &key, first);
    g_autoptr(CxChunk) held = cx_chunk_cache_lookup(cache, &key);
    cx_chunk_cache_insert(cache, &other, second);
    g_assert_null(cx_chunk_cache_lookup(cache, &key));
    cx_chunk_cache_free(cache);
    g_assert_cmpuint(((const uint8_t *)cx_chunk_data(held))[79], ==, 7);
}

static void
test_chunk_larger_than_cache(void)
{
    g_autoptr(CxChunkCache) cache = cx_chunk_cache_new(100);
    CxChunkKey key = {1, 0, {0, 0, 0}};
    g_autoptr(CxChunk) large = make_chunk(101);

    cx_chunk_cache_insert(cache, &key, large);
    g_assert_cmpuint(cx_chunk_cache_used_bytes(cache), ==, 0);
    cx_chunk_cache_set_capacity(cache, 200);
    cx_chunk_cache_insert(cache, &key, large);
    g_assert_cmpuint(cx_chunk_cache_used_bytes(cache), ==, 101);
    cx_chunk_cache_set_capacity(cache, 50);
    g_assert_cmpuint(cx_chunk_cache_used_bytes(cache), ==, 0);
}

static void *
hammer(void *data)
{
    CxChunkCache *cache = data;
    CxRng rng;

    cx_rng_init(&rng, (uint64_t)(uintptr_t)&rng);
    for (int i = 0; i < 20000; i++) {
        CxChunkKey key = random_key(&rng);
        g_autoptr(CxChunk) chunk = cx_chunk_cache_lookup(cache, &key);

        if (chunk == NULL) {
            chunk = make_chunk(1 + (int64_t)cx_rng_below(&rng, 300));
            cx_chunk_cache_insert(cache, &key, chunk);
        }
    }
    return NULL;
}

static void
test_threads(void)
{
    g_autoptr(CxChunkCache) cache = cx_chunk_cache_new(1000);
    GThread *threads[3];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("hammer", hammer, cache);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(cx_chunk_cache_used_bytes(cache), <=, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chunk-cache/list", test_same_as_a_list);
    g_test_add_func("/chunk-cache/evicted", test_evicted_chunk_outlives_cache);
    g_test_add_func("/chunk-cache/too-large", test_chunk_larger_than_cache);
    g_test_add_func("/chunk-cache/threads", test_threads);
    return g_test_run();
}
