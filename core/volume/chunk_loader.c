/* Turns "what is visible" into jobs that fill the chunk cache.
 *
 * Jobs are not bound to chunks: each takes, when it runs, the most wanted
 * chunk of that moment, loads it and ends.  So a want that is replaced leaves
 * nothing behind in the scheduler's queue.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/chunk_loader.h"

#include "core/base/error.h"
#include "core/base/hash64.h"

#include <math.h>

#define FIRST_PAUSE_US ((int64_t)1000000)
#define LONGEST_PAUSE_US ((int64_t)60000000)
#define MAX_DROPPED_ONE_BY_ONE ((int64_t)1 << 16)

typedef struct {
    CxVolume *volume;
    bool labels;
} Source;

/* What one pane wants; next: the first that may still be missing. */
typedef struct {
    unsigned client;
    CxChunkKey *keys;
    size_t n_keys, next;
} Want;

typedef struct {
    CxChunkKey key;
    CxJob *job;
    bool is_stale; /* samples have changed since it began */
} Loading;

typedef struct {
    CxChunkKey key;
    char *reason;
    int64_t retry_us; /* monotonic time */
    int64_t pause_us;
} Failure;

struct CxChunkLoader {
    CxScheduler *scheduler;
    CxChunkCache *cache;
    CxChunkHook hook;
    void *hook_data;

    GMutex lock;          /* guards all that follows */
    GCond idle;           /* n_pumps fell to 0 */
    GPtrArray *sources;   /* Source of volume_id - 1, or NULL */
    GPtrArray *wants;     /* Want, one a client */
    GHashTable *wanted;   /* key → in how many wants */
    GHashTable *loading;  /* key → Loading */
    GHashTable *failures; /* key → Failure */
    unsigned n_pumps;     /* jobs handed to the scheduler */
    bool stopping;
};

/* A job handed to the scheduler. */
typedef struct {
    CxChunkLoader *loader;
    bool has_run;
} Pump;

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

static void
source_free(Source *source)
{
    if (source == NULL)
        return;
    cx_volume_unref(source->volume);
    g_free(source);
}

static void
want_free(Want *want)
{
    g_free(want->keys);
    g_free(want);
}

static void
loading_free(Loading *loading)
{
    cx_job_unref(loading->job);
    g_free(loading);
}

static void
failure_free(Failure *failure)
{
    g_free(failure->reason);
    g_free(failure);
}

CxChunkLoader *
cx_chunk_loader_new(CxScheduler *scheduler, CxChunkCache *cache,
                    CxChunkHook hook, void *data)
{
    CxChunkLoader *self = g_new0(CxChunkLoader, 1);

    self->scheduler = scheduler;
    self->cache = cache;
    self->hook = hook;
    self->hook_data = data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->idle);
    self->sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
    self->wants = g_ptr_array_new_with_free_func((GDestroyNotify)want_free);
    self->wanted = g_hash_table_new_full(hash_key, equal_keys, g_free, NULL);
    self->loading = g_hash_table_new_full(hash_key, equal_keys, NULL,
                                          (GDestroyNotify)loading_free);
    self->failures = g_hash_table_new_full(hash_key, equal_keys, NULL,
                                           (GDestroyNotify)failure_free);
    return self;
}

static void
cancel_all(CxChunkLoader *self)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, self->loading);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        cx_job_cancel(((Loading *)value)->job);
}

void
cx_chunk_loader_free(CxChunkLoader *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = true;
    cancel_all(self);
    while (self->n_pumps > 0)
        g_cond_wait(&self->idle, &self->lock);
    g_mutex_unlock(&self->lock);

    for (guint i = 0; i < self->sources->len; i++)
        cx_chunk_cache_remove_volume(self->cache, i + 1);
    g_ptr_array_unref(self->sources);
    g_ptr_array_unref(self->wants);
    g_hash_table_unref(self->wanted);
    g_hash_table_unref(self->loading);
    g_hash_table_unref(self->failures);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->idle);
    g_free(self);
}

uint32_t
cx_chunk_loader_add(CxChunkLoader *self, CxVolume *volume, bool labels)
{
    Source *source = g_new(Source, 1);

    *source = (Source){cx_volume_ref(volume), labels};
    g_mutex_lock(&self->lock);
    g_ptr_array_add(self->sources, source);
    uint32_t id = self->sources->len;
    g_mutex_unlock(&self->lock);
    return id;
}

/* Under the lock; NULL if removed. */
static const Source *
find_source(CxChunkLoader *self, uint32_t volume_id)
{
    if (volume_id == 0 || volume_id > self->sources->len)
        return NULL;
    return self->sources->pdata[volume_id - 1];
}

static CxVolume *
ref_volume(CxChunkLoader *self, uint32_t volume_id, bool *labels)
{
    CxVolume *volume = NULL;

    g_mutex_lock(&self->lock);
    const Source *source = find_source(self, volume_id);
    if (source != NULL) {
        volume = cx_volume_ref(source->volume);
        *labels = source->labels;
    }
    g_mutex_unlock(&self->lock);
    return volume;
}

/* Under the lock. */
static void
forget_volume(CxChunkLoader *self, uint32_t volume_id)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, self->loading);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (((CxChunkKey *)key)->volume_id == volume_id) {
            ((Loading *)value)->is_stale = true;
            cx_job_cancel(((Loading *)value)->job);
        }
    }
    g_hash_table_iter_init(&iter, self->failures);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (((CxChunkKey *)key)->volume_id == volume_id)
            g_hash_table_iter_remove(&iter);
    }
}

void
cx_chunk_loader_remove(CxChunkLoader *self, uint32_t volume_id)
{
    Source *source = NULL;

    g_mutex_lock(&self->lock);
    if (find_source(self, volume_id) != NULL) {
        source = self->sources->pdata[volume_id - 1];
        self->sources->pdata[volume_id - 1] = NULL;
        forget_volume(self, volume_id);
    }
    g_mutex_unlock(&self->lock);
    source_free(source);
    cx_chunk_cache_remove_volume(self->cache, volume_id);
}

/* Cubes of 64 where voxels are about as high as wide, slabs of 128 x 128 x 16
 * where sections are thick.  Where a file must decode large sections whole,
 * thinner ones, so that one chunk costs at most about 64 MiB of decoding. */
static CxVoxel
choose_chunk_size(CxVolume *volume, const CxLevel *level)
{
    CxVoxel size = {64, 64, 64};
    double section = (double)level->chunk_size.x * (double)level->chunk_size.y *
                     (double)cx_dtype_size_bytes(cx_volume_dtype(volume));

    if (level->voxel_nm.z >= 3 * MIN(level->voxel_nm.x, level->voxel_nm.y))
        size = (CxVoxel){128, 128, 16};
    while (level->chunk_size.z == 1 && size.z > 4 &&
           section * (double)size.z > (double)((int64_t)64 << 20)) {
        size.z /= 2;
        size.y *= 2;
    }
    return size;
}

CxVoxel
cx_chunk_loader_chunk_size(CxChunkLoader *self, uint32_t volume_id,
                           unsigned level)
{
    bool labels;
    g_autoptr(CxVolume) volume = ref_volume(self, volume_id, &labels);

    if (volume == NULL || level >= cx_volume_n_levels(volume))
        return (CxVoxel){64, 64, 64};
    CxLevel l = cx_volume_level(volume, level);
    return choose_chunk_size(volume, &l);
}

static bool
is_resident(CxChunkLoader *self, const CxChunkKey *key)
{
    CxChunk *chunk = cx_chunk_cache_lookup(self->cache, key);

    cx_chunk_unref(chunk);
    return chunk != NULL;
}

/* Under the lock: may loading begin now? */
static bool
is_due(CxChunkLoader *self, const CxChunkKey *key)
{
    const Failure *failure = g_hash_table_lookup(self->failures, key);

    return find_source(self, key->volume_id) != NULL &&
           !g_hash_table_contains(self->loading, key) &&
           (failure == NULL || failure->retry_us <= g_get_monotonic_time()) &&
           !is_resident(self, key);
}

/* Under the lock: the most wanted missing chunk over all clients; those that
 * are found resident are passed for good. */
static bool
take_next(CxChunkLoader *self, CxChunkKey *key)
{
    for (;;) {
        Want *best = NULL;

        for (guint i = 0; i < self->wants->len; i++) {
            Want *want = self->wants->pdata[i];

            if (want->next < want->n_keys &&
                (best == NULL || want->next < best->next))
                best = want;
        }
        if (best == NULL)
            return false;
        *key = best->keys[best->next++];
        if (is_due(self, key))
            return true;
    }
}

/* Under the lock. */
static void
start_over(CxChunkLoader *self)
{
    for (guint i = 0; i < self->wants->len; i++)
        ((Want *)self->wants->pdata[i])->next = 0;
}

static bool
has_work(CxChunkLoader *self)
{
    for (guint i = 0; i < self->wants->len; i++) {
        const Want *want = self->wants->pdata[i];

        if (want->next < want->n_keys)
            return true;
    }
    return false;
}

static CxChunk *
load(CxChunkLoader *self, const CxChunkKey *key, CxJob *job, GError **error)
{
    bool labels = false;
    g_autoptr(CxVolume) volume = ref_volume(self, key->volume_id, &labels);

    if (volume == NULL) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_CANCELLED, "removed");
        return NULL;
    }
    if (key->level >= cx_volume_n_levels(volume)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: level %u asked for, but there are %u",
                    cx_volume_spec(volume), key->level,
                    cx_volume_n_levels(volume));
        return NULL;
    }
    CxLevel level = cx_volume_level(volume, key->level);
    CxBox box =
        cx_chunk_box_clipped(key->idx, choose_chunk_size(volume, &level),
                             cx_box_of_size(level.size));
    return labels ? cx_volume_read_labels(volume, key->level, box, job, error)
                  : cx_volume_read_u8(volume, key->level, box, job, error);
}

/* Under the lock. */
static void
note_failure(CxChunkLoader *self, const CxChunkKey *key, const GError *error)
{
    Failure *failure = g_hash_table_lookup(self->failures, key);

    if (failure == NULL) {
        failure = g_new0(Failure, 1);
        failure->key = *key;
        failure->pause_us = FIRST_PAUSE_US / 2;
        g_hash_table_insert(self->failures, &failure->key, failure);
    }
    g_free(failure->reason);
    failure->reason = g_strdup(error->message);
    failure->pause_us = MIN(failure->pause_us * 2, LONGEST_PAUSE_US);
    failure->retry_us = g_get_monotonic_time() + failure->pause_us;
}

/* Puts the result in its place; true if somebody should be told. */
static bool
settle(CxChunkLoader *self, const CxChunkKey *key, CxChunk *chunk,
       const GError *error)
{
    bool tell = false;

    g_mutex_lock(&self->lock);
    const Loading *loading = g_hash_table_lookup(self->loading, key);
    if (loading->is_stale) {
        start_over(self);
    } else if (chunk != NULL) {
        cx_chunk_cache_insert(self->cache, key, chunk);
        g_hash_table_remove(self->failures, key);
        tell = true;
    } else if (!cx_error_is_cancelled(error)) {
        note_failure(self, key, error);
        tell = true;
    } else if (g_hash_table_contains(self->wanted, key)) {
        start_over(self); /* wanted again after it was cancelled */
    }
    g_hash_table_remove(self->loading, key);
    tell = tell && !self->stopping;
    g_mutex_unlock(&self->lock);
    return tell;
}

static bool
run_pump(CxJob *job, void *data, GError **error)
{
    Pump *pump = data;
    CxChunkLoader *self = pump->loader;
    g_autoptr(GError) local = NULL;
    CxChunkKey key;

    pump->has_run = true;
    g_mutex_lock(&self->lock);
    bool found = !self->stopping && take_next(self, &key);
    if (found) {
        Loading *loading = g_new0(Loading, 1);

        loading->key = key;
        loading->job = cx_job_ref(job);
        g_hash_table_insert(self->loading, &loading->key, loading);
    }
    g_mutex_unlock(&self->lock);
    if (!found)
        return true;

    g_autoptr(CxChunk) chunk = load(self, &key, job, &local);
    if (settle(self, &key, chunk, local) && self->hook != NULL)
        self->hook(&key, self->hook_data);
    if (chunk != NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

static void pump_chunks(CxChunkLoader *self);

/* After a job is over: the next one, if it was not turned away. */
static void
end_pump(void *data)
{
    g_autofree Pump *pump = data;
    CxChunkLoader *self = pump->loader;

    if (pump->has_run)
        pump_chunks(self);
    g_mutex_lock(&self->lock);
    if (--self->n_pumps == 0)
        g_cond_broadcast(&self->idle);
    g_mutex_unlock(&self->lock);
}

/* Keeps as many jobs at the scheduler as it has workers. */
static void
pump_chunks(CxChunkLoader *self)
{
    unsigned n_most = cx_scheduler_n_workers(self->scheduler) + 1;
    bool more = true;

    while (more) {
        g_mutex_lock(&self->lock);
        more = !self->stopping && self->n_pumps < n_most && has_work(self);
        self->n_pumps += more;
        g_mutex_unlock(&self->lock);
        if (!more)
            break;

        Pump *pump = g_new(Pump, 1);
        *pump = (Pump){self, false};
        g_autoptr(CxJob) job = cx_job_new("Loading");
        more = cx_scheduler_submit(self->scheduler, job, CX_TIER_VISIBLE, 0,
                                   run_pump, pump, end_pump);
    }
}

/* Under the lock: counts the keys of a want up or down. */
static void
count_wanted(CxChunkLoader *self, const Want *want, int by)
{
    for (size_t i = 0; i < want->n_keys; i++) {
        const CxChunkKey *key = &want->keys[i];
        int n = GPOINTER_TO_INT(g_hash_table_lookup(self->wanted, key)) + by;

        if (n > 0)
            g_hash_table_replace(self->wanted, g_memdup2(key, sizeof *key),
                                 GINT_TO_POINTER(n));
        else
            g_hash_table_remove(self->wanted, key);
    }
}

/* Under the lock: the want of a client, made if new. */
static Want *
find_want(CxChunkLoader *self, unsigned client)
{
    for (guint i = 0; i < self->wants->len; i++) {
        Want *want = self->wants->pdata[i];

        if (want->client == client)
            return want;
    }
    Want *want = g_new0(Want, 1);
    want->client = client;
    g_ptr_array_add(self->wants, want);
    return want;
}

static void
cancel_unwanted(CxChunkLoader *self)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, self->loading);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (!g_hash_table_contains(self->wanted, key))
            cx_job_cancel(((Loading *)value)->job);
    }
}

void
cx_chunk_loader_want(CxChunkLoader *self, unsigned client,
                     const CxChunkKey *keys, size_t n_keys)
{
    Want fresh = {client, g_memdup2(keys, n_keys * sizeof *keys), n_keys, 0};

    for (size_t i = 0; i < n_keys; i++)
        is_resident(self, &keys[i]); /* touches it */
    g_mutex_lock(&self->lock);
    Want *want = find_want(self, client);
    Want old = *want;
    *want = fresh;
    count_wanted(self, &fresh, 1);
    count_wanted(self, &old, -1);
    cancel_unwanted(self);
    g_mutex_unlock(&self->lock);
    g_free(old.keys);
    pump_chunks(self);
}

CxChunkState
cx_chunk_loader_state(CxChunkLoader *self, const CxChunkKey *key)
{
    CxChunkState state = CX_CHUNK_ABSENT;

    g_mutex_lock(&self->lock);
    if (is_resident(self, key))
        state = CX_CHUNK_RESIDENT;
    else if (g_hash_table_contains(self->loading, key))
        state = CX_CHUNK_LOADING;
    else if (g_hash_table_contains(self->failures, key))
        state = CX_CHUNK_FAILED;
    else if (g_hash_table_contains(self->wanted, key))
        state = CX_CHUNK_QUEUED;
    g_mutex_unlock(&self->lock);
    return state;
}

char *
cx_chunk_loader_dup_reason(CxChunkLoader *self, const CxChunkKey *key)
{
    g_mutex_lock(&self->lock);
    const Failure *failure = g_hash_table_lookup(self->failures, key);
    char *reason = failure != NULL ? g_strdup(failure->reason) : NULL;
    g_mutex_unlock(&self->lock);
    return reason;
}

/* The part of a level that a box of level 0 touches. */
static CxBox
scale_box(CxBox box, CxVoxel from, CxVoxel to)
{
    double x = (double)to.x / (double)from.x, y = (double)to.y / (double)from.y;
    double z = (double)to.z / (double)from.z;

    return (CxBox){{(int64_t)floor((double)box.lo.x * x),
                    (int64_t)floor((double)box.lo.y * y),
                    (int64_t)floor((double)box.lo.z * z)},
                   {(int64_t)ceil((double)box.hi.x * x) + 1,
                    (int64_t)ceil((double)box.hi.y * y) + 1,
                    (int64_t)ceil((double)box.hi.z * z) + 1}};
}

/* Under the lock. */
static void
drop_chunk(CxChunkLoader *self, const CxChunkKey *key)
{
    Loading *loading = g_hash_table_lookup(self->loading, key);

    if (loading != NULL)
        loading->is_stale = true;
    g_hash_table_remove(self->failures, key);
    cx_chunk_cache_remove(self->cache, key);
}

/* Under the lock. */
static void
drop_level(CxChunkLoader *self, CxVolume *volume, uint32_t volume_id,
           unsigned number, CxBox box)
{
    CxLevel level = cx_volume_level(volume, number);
    CxBox bounds = cx_box_of_size(level.size);
    CxBox touched = cx_box_intersect(
        scale_box(box, cx_volume_level(volume, 0).size, level.size), bounds);
    CxBox chunks = cx_box_chunks(touched, choose_chunk_size(volume, &level));

    for (int64_t z = chunks.lo.z; z < chunks.hi.z; z++)
        for (int64_t y = chunks.lo.y; y < chunks.hi.y; y++)
            for (int64_t x = chunks.lo.x; x < chunks.hi.x; x++)
                drop_chunk(self, &(CxChunkKey){volume_id, number, {x, y, z}});
}

/* Is the box so large that all is dropped at once? */
static bool
is_large(CxBox box)
{
    CxVoxel size = cx_box_size(box);

    return size.x / 64 + 1 >
           MAX_DROPPED_ONE_BY_ONE / (size.y / 64 + 1) / (size.z / 16 + 1);
}

void
cx_chunk_loader_invalidate(CxChunkLoader *self, uint32_t volume_id, CxBox box)
{
    g_mutex_lock(&self->lock);
    const Source *source = find_source(self, volume_id);
    if (source != NULL && !cx_box_is_empty(box)) {
        unsigned n_levels = cx_volume_n_levels(source->volume);

        if (is_large(box)) {
            forget_volume(self, volume_id);
            cx_chunk_cache_remove_volume(self->cache, volume_id);
        } else {
            for (unsigned i = 0; i < n_levels; i++)
                drop_level(self, source->volume, volume_id, i, box);
        }
        start_over(self);
    }
    g_mutex_unlock(&self->lock);
    pump_chunks(self);
}
