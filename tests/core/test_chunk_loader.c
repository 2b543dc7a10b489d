/* The chunk loader over a volume that is slow, fails and changes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/volume/chunk_loader.h"
#include "core/volume/reader.h"
#include "tests/support/check.h"

#include <stdatomic.h>
#include <string.h>

/* Every sample is the version of the data; blocks may be told to fail. */
typedef struct {
    atomic_int version;
    atomic_int n_reads, n_cancelled;
    atomic_int delay_us;
    atomic_int fail_x; /* reading at this x fails; -1 never */
} Source;

static bool
read_box(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    Source *source = data;

    atomic_fetch_add(&source->n_reads, 1);
    memset(cx_chunk_data_mut(dst), atomic_load(&source->version),
           cx_chunk_size_bytes(dst));
    for (int i = 0; i < 4; i++) {
        g_usleep((unsigned)atomic_load(&source->delay_us) / 4);
        if (!cx_job_step(job, 0, 1, error)) {
            atomic_fetch_add(&source->n_cancelled, 1);
            return false;
        }
    }
    if (box.lo.x == atomic_load(&source->fail_x)) {
        g_set_error(error, CX_ERROR, CX_ERROR_IO, "block at %d is broken",
                    (int)box.lo.x);
        return false;
    }
    return true;
}

static void
free_source(void *data)
{
}

static const CxReader reader = {
    .name = "slow", .read = read_box, .free = free_source};

static CxVolume *
make_volume(Source *source)
{
    CxVolumeInfo info = {
        .dtype = CX_DTYPE_U8,
        .n_channels = 1,
        .n_levels = 2,
        .levels = {{{640, 640, 640}, {64, 64, 64}, {8, 8, 8}},
                   {{320, 320, 320}, {64, 64, 64}, {16, 16, 16}}},
        .has_voxel_size = true,
    };

    atomic_store(&source->fail_x, -1);
    return cx_volume_new(&reader, source, &info, "slow");
}

typedef struct {
    GMutex lock;
    GCond changed;
    unsigned n_told;
} Listener;

static void
on_chunk(const CxChunkKey *key, void *data)
{
    Listener *listener = data;

    g_mutex_lock(&listener->lock);
    listener->n_told++;
    g_cond_broadcast(&listener->changed);
    g_mutex_unlock(&listener->lock);
}

/* Waits until the chunk is in a state; fails after ten seconds. */
static void
wait_for(Listener *listener, CxChunkLoader *loader, const CxChunkKey *key,
         CxChunkState state)
{
    int64_t end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

    g_mutex_lock(&listener->lock);
    while (cx_chunk_loader_state(loader, key) != state) {
        int64_t soon = g_get_monotonic_time() + 20000;

        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_cond_wait_until(&listener->changed, &listener->lock, soon);
    }
    g_mutex_unlock(&listener->lock);
}

typedef struct {
    Source source;
    Listener listener;
    CxVolume *volume;
    CxScheduler *scheduler;
    CxChunkCache *cache;
    CxChunkLoader *loader;
    uint32_t id;
} Fixture;

static void
setup(Fixture *fixture, const void *data)
{
    fixture->volume = make_volume(&fixture->source);
    fixture->scheduler = cx_scheduler_new(2);
    fixture->cache = cx_chunk_cache_new((size_t)200 << 20);
    fixture->loader = cx_chunk_loader_new(fixture->scheduler, fixture->cache,
                                          on_chunk, &fixture->listener);
    fixture->id = cx_chunk_loader_add(fixture->loader, fixture->volume, false);
}

static void
teardown(Fixture *fixture, const void *data)
{
    cx_chunk_loader_free(fixture->loader);
    cx_chunk_cache_free(fixture->cache);
    cx_scheduler_free(fixture->scheduler);
    cx_volume_unref(fixture->volume);
}

static CxChunkKey
key_at(const Fixture *fixture, int64_t x)
{
    return (CxChunkKey){fixture->id, 0, {x, 0, 0}};
}

static void
test_wanted_becomes_resident(Fixture *f, const void *data)
{
    CxChunkKey keys[3] = {key_at(f, 0), key_at(f, 1), key_at(f, 2)};
    CxChunkKey other = key_at(f, 5);

    g_assert_cmpint(cx_chunk_loader_state(f->loader, &keys[0]), ==,
                    CX_CHUNK_ABSENT);
    cx_chunk_loader_want(f->loader, 0, keys, 3);
    for (int i = 0; i < 3; i++)
        wait_for(&f->listener, f->loader, &keys[i], CX_CHUNK_RESIDENT);
    g_assert_cmpint(cx_chunk_loader_state(f->loader, &other), ==,
                    CX_CHUNK_ABSENT);
    g_autoptr(CxChunk) chunk = cx_chunk_cache_lookup(f->cache, &keys[1]);
    g_assert_cmpint(cx_chunk_box(chunk).lo.x, ==, 64);
    g_assert_cmpuint(f->listener.n_told, ==, 3);
    cx_chunk_loader_want(f->loader, 0, keys, 3);
    g_assert_cmpint(atomic_load(&f->source.n_reads), ==, 3);
}

static void
test_most_wanted_comes_first(Fixture *f, const void *data)
{
    CxChunkKey keys[10];

    atomic_store(&f->source.delay_us, 20000);
    for (int i = 0; i < 10; i++)
        keys[i] = key_at(f, 9 - i);
    cx_chunk_loader_want(f->loader, 0, keys, 10);
    wait_for(&f->listener, f->loader, &keys[0], CX_CHUNK_RESIDENT);
    g_assert_cmpint(cx_chunk_loader_state(f->loader, &keys[9]), !=,
                    CX_CHUNK_RESIDENT);
}

static void
test_unwanted_is_cancelled(Fixture *f, const void *data)
{
    CxChunkKey first = key_at(f, 0), second = key_at(f, 1);

    atomic_store(&f->source.delay_us, 400000);
    cx_chunk_loader_want(f->loader, 0, &first, 1);
    wait_for(&f->listener, f->loader, &first, CX_CHUNK_LOADING);
    cx_chunk_loader_want(f->loader, 0, NULL, 0);
    wait_for(&f->listener, f->loader, &first, CX_CHUNK_ABSENT);
    g_assert_cmpint(atomic_load(&f->source.n_cancelled), ==, 1);

    atomic_store(&f->source.delay_us, 0);
    cx_chunk_loader_want(f->loader, 0, &second, 1);
    cx_chunk_loader_want(f->loader, 1, &first, 1);
    wait_for(&f->listener, f->loader, &first, CX_CHUNK_RESIDENT);
    wait_for(&f->listener, f->loader, &second, CX_CHUNK_RESIDENT);
}

static void
test_failure_keeps_its_reason(Fixture *f, const void *data)
{
    CxChunkKey key = key_at(f, 1);

    atomic_store(&f->source.fail_x, 64);
    cx_chunk_loader_want(f->loader, 0, &key, 1);
    wait_for(&f->listener, f->loader, &key, CX_CHUNK_FAILED);
    g_autofree char *reason = cx_chunk_loader_dup_reason(f->loader, &key);
    g_assert_cmpstr(reason, ==, "block at 64 is broken");

    atomic_store(&f->source.fail_x, -1);
    cx_chunk_loader_want(f->loader, 0, &key, 1); /* still pausing */
    g_usleep(50000);
    g_assert_cmpint(cx_chunk_loader_state(f->loader, &key), ==,
                    CX_CHUNK_FAILED);
    g_usleep(1000000);
    cx_chunk_loader_want(f->loader, 0, &key, 1);
    wait_for(&f->listener, f->loader, &key, CX_CHUNK_RESIDENT);
    g_assert_null(cx_chunk_loader_dup_reason(f->loader, &key));
}

static void
test_change_is_loaded_again(Fixture *f, const void *data)
{
    CxChunkKey keys[2] = {key_at(f, 0), {f->id, 1, {0, 0, 0}}};
    CxChunkKey far = key_at(f, 4);
    CxBox box = {{10, 10, 10}, {11, 11, 11}};

    cx_chunk_loader_want(f->loader, 0, keys, 2);
    cx_chunk_loader_want(f->loader, 1, &far, 1);
    for (int i = 0; i < 2; i++)
        wait_for(&f->listener, f->loader, &keys[i], CX_CHUNK_RESIDENT);
    wait_for(&f->listener, f->loader, &far, CX_CHUNK_RESIDENT);
    atomic_store(&f->source.version, 1);
    cx_chunk_loader_invalidate(f->loader, f->id, box);
    for (int i = 0; i < 2; i++) {
        wait_for(&f->listener, f->loader, &keys[i], CX_CHUNK_RESIDENT);
        g_autoptr(CxChunk) chunk = cx_chunk_cache_lookup(f->cache, &keys[i]);
        g_assert_cmpuint(*(const uint8_t *)cx_chunk_data(chunk), ==, 1);
    }
    g_autoptr(CxChunk) kept = cx_chunk_cache_lookup(f->cache, &far);
    g_assert_cmpuint(*(const uint8_t *)cx_chunk_data(kept), ==, 0);
}

/* Wants, changes and removals at random; in the end what is wanted is there
 * and of the last version. */
static void
test_random(Fixture *f, const void *data)
{
    CxRng rng = cx_test_rng();
    CxChunkKey keys[40];

    atomic_store(&f->source.delay_us, 300);
    for (int round = 0; round < 400; round++) {
        size_t n = cx_rng_below(&rng, G_N_ELEMENTS(keys));

        for (size_t i = 0; i < n; i++)
            keys[i] = (CxChunkKey){f->id,
                                   (uint32_t)cx_rng_below(&rng, 3),
                                   {(int64_t)cx_rng_below(&rng, 5),
                                    (int64_t)cx_rng_below(&rng, 5), 0}};
        cx_chunk_loader_want(f->loader, (unsigned)cx_rng_below(&rng, 3), keys,
                             n);
        if (cx_rng_below(&rng, 4) == 0) {
            CxBox box = {{0, 0, 0}, {640, 640, 640}};

            if (cx_rng_below(&rng, 2) == 0)
                box.hi = (CxVoxel){100, 640, 640};
            else
                atomic_fetch_add(&f->source.version, 1);
            cx_chunk_loader_invalidate(f->loader, f->id, box);
        }
        if (cx_rng_below(&rng, 50) == 0) {
            cx_chunk_loader_remove(f->loader, f->id);
            f->id = cx_chunk_loader_add(f->loader, f->volume, false);
        }
        g_usleep((unsigned)cx_rng_below(&rng, 2000));
    }
    for (unsigned client = 0; client < 3; client++)
        cx_chunk_loader_want(f->loader, client, NULL, 0);
    for (int i = 0; i < 40; i++)
        keys[i] = (CxChunkKey){f->id, (uint32_t)i % 2, {i % 5, i / 10, 0}};
    cx_chunk_loader_want(f->loader, 0, keys, 40);
    for (int i = 0; i < 40; i++) {
        wait_for(&f->listener, f->loader, &keys[i], CX_CHUNK_RESIDENT);
        g_autoptr(CxChunk) chunk = cx_chunk_cache_lookup(f->cache, &keys[i]);
        g_assert_cmpuint(*(const uint8_t *)cx_chunk_data(chunk), ==,
                         (uint8_t)atomic_load(&f->source.version));
    }
}

static void
test_freed_in_the_middle(Fixture *f, const void *data)
{
    CxChunkKey keys[10];

    atomic_store(&f->source.delay_us, 100000);
    for (int i = 0; i < 10; i++)
        keys[i] = key_at(f, i);
    cx_chunk_loader_want(f->loader, 0, keys, 10);
    g_usleep(20000);
}

#define ADD(name, func)                                                        \
    g_test_add("/chunk-loader/" name, Fixture, NULL, setup, func, teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("resident", test_wanted_becomes_resident);
    ADD("order", test_most_wanted_comes_first);
    ADD("cancel", test_unwanted_is_cancelled);
    ADD("failure", test_failure_keeps_its_reason);
    ADD("change", test_change_is_loaded_again);
    ADD("random", test_random);
    ADD("freed", test_freed_in_the_middle);
    return g_test_run();
}
