/* Predicts what panes show.
 *
 * A field is cut into units of a few tiles, sorted by distance to the focus
 * when the field changes.  A thread that takes a unit predicts the smallest
 * rectangle that holds its missing tiles.  The sections ahead are the same
 * units moved in depth.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction_queue.h"

#include "core/base/error.h"
#include "core/volume/chunk_cache.h"

#include <stdlib.h>
#include <time.h>

/* In the plane; 128 voxels cover a field of 1024 with a quarter more at
 * worst. */
#define TILE 128

/* Tiles of a unit: 512 × 256 voxels run at 96 % of the speed of a whole field,
 * 256 × 256 at 78 %. */
#define UNIT_U 4
#define UNIT_V 2

/* The speed is that of about the last two seconds of work. */
#define SPEED_WINDOW_US ((int64_t)2000000)

/* The engine as threads share it. */
typedef CxuiPredictionEngine Engine;

typedef struct {
    CxBox tiles; /* indices */
    int64_t distance;
} Unit;

typedef struct {
    bool used;
    CxBox tiles; /* indices, one deep in the axis */
    int n_ahead;
    bool first;
    GArray *units; /* of Unit, nearest first */
} Field;

/* What a thread is doing. */
typedef struct {
    CxJob *job; /* NULL: idle */
    unsigned axis;
    uint32_t epoch;
    CxBox tiles;
} Running;

typedef struct {
    CxuiPredictionQueue *queue;
    unsigned index;
} Worker;

struct CxuiPredictionQueue {
    CxChunkCache *cache;
    void (*hook)(void *data);
    void *hook_data;
    unsigned n_threads;
    GThread **threads;
    Worker *workers;

    GMutex lock; /* guards all that follows */
    GCond news;
    bool stopping;
    Engine *engine; /* atomic box, or NULL */
    uint32_t epoch; /* of the engine; its tiles carry it */
    Field fields[CXUI_N_FIELDS];
    Running *running; /* of each thread */
    GError *error;    /* not told yet */
    bool failed;
    unsigned n_running;
    uint64_t n_voxels, n_cancelled;
    int64_t busy_since_us;              /* while n_running > 0 */
    int64_t started_us, ended_us;       /* of the last spell of work */
    int64_t run_us, keep_us;            /* processor time, all threads */
    int64_t window_us, window_n_voxels; /* for the speed */
};

static void
engine_clear(void *data)
{
    Engine *engine = data;

    if (engine->destroy != NULL)
        engine->destroy(engine->data);
}

static void
engine_unref(Engine *engine)
{
    if (engine != NULL)
        g_atomic_rc_box_release_full(engine, engine_clear);
}

static CxVoxel
tile_of(const Engine *engine, unsigned axis)
{
    CxVoxel tile = {TILE, TILE, TILE};
    int64_t thickness = engine != NULL ? engine->thickness : 1;

    *(axis == 0 ? &tile.x : axis == 1 ? &tile.y : &tile.z) = thickness;
    return tile;
}

static CxChunkKey
key_of(uint32_t epoch, unsigned axis, CxChunkIdx idx)
{
    return (CxChunkKey){epoch * CXUI_N_FIELDS + axis, 0, idx};
}

static bool
is_cached(CxuiPredictionQueue *self, unsigned axis, CxChunkIdx idx)
{
    CxChunkKey key = key_of(self->epoch, axis, idx);
    g_autoptr(CxChunk) chunk = cx_chunk_cache_lookup(self->cache, &key);

    return chunk != NULL;
}

/* Some thread will bring it. */
static bool
is_coming(CxuiPredictionQueue *self, unsigned axis, CxChunkIdx idx)
{
    for (unsigned i = 0; i < self->n_threads; i++) {
        const Running *running = &self->running[i];

        if (running->job != NULL && running->axis == axis &&
            running->epoch == self->epoch &&
            !cx_job_is_cancelled(running->job) &&
            cx_box_contains(running->tiles, (CxVoxel){idx.x, idx.y, idx.z}))
            return true;
    }
    return false;
}

static CxBox
shift_tiles(CxBox tiles, unsigned axis, int64_t by)
{
    if (axis == 0)
        tiles.lo.x += by, tiles.hi.x += by;
    else if (axis == 1)
        tiles.lo.y += by, tiles.hi.y += by;
    else
        tiles.lo.z += by, tiles.hi.z += by;
    return tiles;
}

/* Smallest box of the tiles that nobody has or brings. */
static CxBox
missing_part(CxuiPredictionQueue *self, unsigned axis, CxBox tiles)
{
    CxBox missing = {{0, 0, 0}, {0, 0, 0}};

    for (int64_t z = tiles.lo.z; z < tiles.hi.z; z++)
        for (int64_t y = tiles.lo.y; y < tiles.hi.y; y++)
            for (int64_t x = tiles.lo.x; x < tiles.hi.x; x++) {
                CxChunkIdx idx = {x, y, z};
                CxBox one = {{x, y, z}, {x + 1, y + 1, z + 1}};

                if (is_coming(self, axis, idx) || is_cached(self, axis, idx))
                    continue;
                missing =
                    cx_box_is_empty(missing) ? one : cx_box_union(missing, one);
            }
    return missing;
}

/* First unit of a field, moved in depth, that lacks something. */
static bool
find_in_field(CxuiPredictionQueue *self, unsigned axis, int64_t shift,
              CxBox *tiles)
{
    const Field *field = &self->fields[axis];
    CxBox all = cx_box_chunks(cx_box_of_size(self->engine->size),
                              tile_of(self->engine, axis));

    for (guint i = 0; field->used && i < field->units->len; i++) {
        CxBox unit = cx_box_intersect(
            shift_tiles(g_array_index(field->units, Unit, i).tiles, axis,
                        shift),
            all);

        *tiles = missing_part(self, axis, unit);
        if (!cx_box_is_empty(*tiles))
            return true;
    }
    return false;
}

/* Units that the cache can hold. */
static size_t
capacity_in_units(CxuiPredictionQueue *self)
{
    size_t bytes = (size_t)UNIT_U * UNIT_V * TILE * TILE *
                   self->engine->n_channels * (size_t)self->engine->thickness;

    return cx_chunk_cache_capacity_bytes(self->cache) / bytes;
}

/* How far ahead the cache allows to predict without losing what is shown. */
static int
allowed_ahead(CxuiPredictionQueue *self)
{
    size_t n_units = 0, n_ahead = 0;

    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++) {
        const Field *field = &self->fields[axis];
        size_t n = field->used ? field->units->len : 0;

        n_units += n * (1 + (size_t)abs(field->n_ahead));
        n_ahead = MAX(n_ahead, (size_t)abs(field->n_ahead));
    }
    return n_units <= capacity_in_units(self) ? (int)n_ahead : 0;
}

/* What is most wanted and not under way; false: nothing. */
static bool
find_work(CxuiPredictionQueue *self, unsigned *axis, CxBox *tiles)
{
    if (self->engine == NULL || self->failed)
        return false;
    for (int pass = 0; pass < 2; pass++)
        for (*axis = CXUI_N_FIELDS; (*axis)-- > 0;) {
            const Field *field = &self->fields[*axis];

            if (field->first == (pass == 0) &&
                find_in_field(self, *axis, 0, tiles))
                return true;
        }
    int n_ahead = allowed_ahead(self);
    for (int ahead = 1; ahead <= n_ahead; ahead++)
        for (*axis = CXUI_N_FIELDS; (*axis)-- > 0;) {
            int wish = self->fields[*axis].n_ahead;

            if (abs(wish) >= ahead &&
                find_in_field(self, *axis, wish < 0 ? -ahead : ahead, tiles))
                return true;
        }
    return false;
}

/* Voxels of tiles, inside the volume. */
static CxBox
voxels_of(const Engine *engine, unsigned axis, CxBox tiles)
{
    CxVoxel tile = tile_of(engine, axis);
    CxBox box = {
        {tiles.lo.x * tile.x, tiles.lo.y * tile.y, tiles.lo.z * tile.z},
        {tiles.hi.x * tile.x, tiles.hi.y * tile.y, tiles.hi.z * tile.z}};

    return cx_box_intersect(box, cx_box_of_size(engine->size));
}

static void
keep_tiles(CxuiPredictionQueue *self, const Engine *engine,
           const Running *running, const CxChunk *outputs)
{
    CxVoxel tile = tile_of(engine, running->axis);
    CxBox tiles = running->tiles;

    for (int64_t z = tiles.lo.z; z < tiles.hi.z; z++)
        for (int64_t y = tiles.lo.y; y < tiles.hi.y; y++)
            for (int64_t x = tiles.lo.x; x < tiles.hi.x; x++) {
                CxChunkIdx idx = {x, y, z};
                CxChunkKey key = key_of(running->epoch, running->axis, idx);
                g_autoptr(CxChunk) chunk =
                    cx_chunk_new(CX_DTYPE_U8,
                                 cx_chunk_box_clipped(
                                     idx, tile, cx_box_of_size(engine->size)),
                                 cx_chunk_n_channels(outputs), NULL);

                if (chunk == NULL)
                    return;
                cx_chunk_copy_overlap(chunk, outputs);
                cx_chunk_cache_insert(self->cache, &key, chunk);
            }
}

/* With the lock held. */
static void
note_start(CxuiPredictionQueue *self)
{
    if (self->n_running++ == 0)
        self->started_us = self->busy_since_us = g_get_monotonic_time();
}

static void
note_end(CxuiPredictionQueue *self, CxBox box, bool ok)
{
    int64_t now_us = g_get_monotonic_time();
    size_t n = 0;

    self->window_us += now_us - self->busy_since_us;
    self->busy_since_us = self->ended_us = now_us;
    self->n_running--;
    if (!ok) {
        self->n_cancelled++;
        return;
    }
    cx_box_n_voxels(box, &n);
    self->n_voxels += n;
    self->window_n_voxels += (int64_t)n;
    if (self->window_us > SPEED_WINDOW_US) {
        self->window_us /= 2;
        self->window_n_voxels /= 2;
    }
}

/* Processor time of this thread. */
static int64_t
thread_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* Predicts what the thread has taken; the lock is not held. */
static bool
run_unit(CxuiPredictionQueue *self, const Engine *engine,
         const Running *running, int64_t spent_us[2], GError **error)
{
    CxBox box = voxels_of(engine, running->axis, running->tiles);
    int64_t start_us = thread_us();
    g_autoptr(CxChunk) outputs =
        engine->run(engine->data, box, running->axis, running->job, error);

    spent_us[0] = thread_us() - start_us;
    if (outputs == NULL)
        return false;
    keep_tiles(self, engine, running, outputs);
    spent_us[1] = thread_us() - start_us - spent_us[0];
    return true;
}

static void
work_once(CxuiPredictionQueue *self, Running *running)
{
    Engine *engine = g_atomic_rc_box_acquire(self->engine);
    GError *error = NULL;
    int64_t spent_us[2] = {0, 0};

    running->job = cx_job_new("Predicting");
    running->epoch = self->epoch;
    note_start(self);
    g_mutex_unlock(&self->lock);
    bool ok = run_unit(self, engine, running, spent_us, &error);
    CxBox box = voxels_of(engine, running->axis, running->tiles);
    engine_unref(engine);
    g_mutex_lock(&self->lock);
    note_end(self, box, ok);
    self->run_us += spent_us[0];
    self->keep_us += spent_us[1];
    if (error != NULL && !cx_error_is_cancelled(error) &&
        running->epoch == self->epoch && self->error == NULL) {
        self->error = g_steal_pointer(&error);
        self->failed = true;
    }
    g_clear_error(&error);
    g_clear_pointer(&running->job, cx_job_unref);
}

static void *
run_worker(void *data)
{
    Worker *worker = data;
    CxuiPredictionQueue *self = worker->queue;
    Running *running = &self->running[worker->index];

    g_mutex_lock(&self->lock);
    while (!self->stopping) {
        if (!find_work(self, &running->axis, &running->tiles)) {
            g_cond_wait(&self->news, &self->lock);
            continue;
        }
        work_once(self, running);
        self->hook(self->hook_data);
    }
    g_mutex_unlock(&self->lock);
    return NULL;
}

CxuiPredictionQueue *
cxui_prediction_queue_new(unsigned n_threads, size_t budget_bytes,
                          void (*hook)(void *data), void *data)
{
    CxuiPredictionQueue *self = g_new0(CxuiPredictionQueue, 1);

    self->cache = cx_chunk_cache_new(budget_bytes);
    self->hook = hook;
    self->hook_data = data;
    self->n_threads = n_threads;
    self->epoch = 1;
    self->running = g_new0(Running, n_threads);
    self->workers = g_new0(Worker, n_threads);
    self->threads = g_new0(GThread *, n_threads);
    g_mutex_init(&self->lock);
    g_cond_init(&self->news);
    for (unsigned i = 0; i < CXUI_N_FIELDS; i++)
        self->fields[i].units = g_array_new(FALSE, FALSE, sizeof(Unit));
    for (unsigned i = 0; i < n_threads; i++) {
        self->workers[i] = (Worker){self, i};
        self->threads[i] =
            g_thread_new("cx-predict", run_worker, &self->workers[i]);
    }
    return self;
}

/* With the lock held. */
static void
cancel_all(CxuiPredictionQueue *self)
{
    for (unsigned i = 0; i < self->n_threads; i++)
        if (self->running[i].job != NULL)
            cx_job_cancel(self->running[i].job);
}

void
cxui_prediction_queue_free(CxuiPredictionQueue *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = true;
    cancel_all(self);
    g_cond_broadcast(&self->news);
    g_mutex_unlock(&self->lock);
    for (unsigned i = 0; i < self->n_threads; i++)
        g_thread_join(self->threads[i]);
    for (unsigned i = 0; i < CXUI_N_FIELDS; i++)
        g_array_unref(self->fields[i].units);
    engine_unref(self->engine);
    g_clear_error(&self->error);
    g_free(self->running);
    g_free(self->workers);
    g_free(self->threads);
    cx_chunk_cache_free(self->cache);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->news);
    g_free(self);
}

void
cxui_prediction_queue_set_engine(CxuiPredictionQueue *self,
                                 const CxuiPredictionEngine *engine)
{
    Engine *fresh = NULL;

    if (engine != NULL) {
        fresh = g_atomic_rc_box_new(Engine);
        *fresh = *engine;
    }
    g_mutex_lock(&self->lock);
    Engine *old = self->engine;
    self->engine = fresh;
    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++) {
        cx_chunk_cache_remove_volume(
            self->cache, key_of(self->epoch, axis, (CxChunkIdx){0}).volume_id);
        self->fields[axis].used = false;
    }
    self->epoch++;
    self->failed = false;
    g_clear_error(&self->error);
    self->window_us = self->window_n_voxels = 0;
    cancel_all(self);
    g_cond_broadcast(&self->news);
    g_mutex_unlock(&self->lock);
    engine_unref(old);
}

CxVoxel
cxui_prediction_queue_tile(CxuiPredictionQueue *self, unsigned axis)
{
    g_mutex_lock(&self->lock);
    CxVoxel tile = tile_of(self->engine, axis);
    g_mutex_unlock(&self->lock);
    return tile;
}

static int
compare_units(const void *a, const void *b)
{
    int64_t da = ((const Unit *)a)->distance, db = ((const Unit *)b)->distance;

    return (da > db) - (da < db);
}

/* Twice the distance of the middle of a range from a point. */
static int64_t
off_middle(int64_t lo, int64_t hi, int64_t size, int64_t at)
{
    return (lo + hi) * size - 2 * at;
}

static void
add_unit(Field *field, CxBox tiles, CxVoxel tile, CxVoxel focus)
{
    int64_t x = off_middle(tiles.lo.x, tiles.hi.x, tile.x, focus.x);
    int64_t y = off_middle(tiles.lo.y, tiles.hi.y, tile.y, focus.y);
    int64_t z = off_middle(tiles.lo.z, tiles.hi.z, tile.z, focus.z);
    Unit unit = {tiles, x * x + y * y + z * z};

    g_array_append_val(field->units, unit);
}

static int64_t
n_parts(int64_t n, int64_t most)
{
    return (n + most - 1) / most;
}

/* Cuts the field's tiles evenly into units: long along x, whose rows the
 * network runs through. */
static void
cut_into_units(Field *field, unsigned axis, CxVoxel tile, CxVoxel focus)
{
    CxVoxel lo = field->tiles.lo, size = cx_box_size(field->tiles);
    int64_t n_x = n_parts(size.x, UNIT_U);
    int64_t n_y = n_parts(size.y, axis == 2 ? UNIT_V : UNIT_U);
    int64_t n_z = n_parts(size.z, UNIT_V);

    g_array_set_size(field->units, 0);
    for (int64_t z = 0; z < n_z; z++)
        for (int64_t y = 0; y < n_y; y++)
            for (int64_t x = 0; x < n_x; x++) {
                CxBox part = {{lo.x + size.x * x / n_x, lo.y + size.y * y / n_y,
                               lo.z + size.z * z / n_z},
                              {lo.x + size.x * (x + 1) / n_x,
                               lo.y + size.y * (y + 1) / n_y,
                               lo.z + size.z * (z + 1) / n_z}};

                add_unit(field, part, tile, focus);
            }
    g_array_sort(field->units, compare_units);
}

/* True if a pane shows a part of these tiles, or would ahead. */
static bool
is_wanted(CxuiPredictionQueue *self, unsigned axis, CxBox tiles, bool ahead)
{
    const Field *field = &self->fields[axis];
    int from = ahead ? MIN(field->n_ahead, 0) : 0;
    int to = ahead ? MAX(field->n_ahead, 0) : 0;

    for (int shift = from; field->used && shift <= to; shift++)
        if (!cx_box_is_empty(cx_box_intersect(
                shift_tiles(field->tiles, axis, shift), tiles)))
            return true;
    return false;
}

/* With the lock held: stops what nobody wants, and what is only ahead while
 * something visible waits. */
static void
cancel_unwanted(CxuiPredictionQueue *self)
{
    CxBox unused;
    bool waits = false;

    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++)
        waits = waits ||
                (self->engine != NULL && find_in_field(self, axis, 0, &unused));
    for (unsigned i = 0; i < self->n_threads; i++) {
        const Running *running = &self->running[i];

        if (running->job != NULL &&
            !is_wanted(self, running->axis, running->tiles, !waits))
            cx_job_cancel(running->job);
    }
}

/* Leaves out the units farthest from the focus, so that all panes together
 * take half of the cache at most: what is shown is never dropped for what is
 * shown. */
static bool
limit(CxuiPredictionQueue *self, Field *field)
{
    size_t most = MAX(capacity_in_units(self) / (2 * CXUI_N_FIELDS), 1);

    if (field->units->len <= most)
        return true;
    g_array_set_size(field->units, (guint)most);
    return false;
}

bool
cxui_prediction_queue_want(CxuiPredictionQueue *self, unsigned axis,
                           const CxuiPredictionField *wish)
{
    bool fits = true;

    g_mutex_lock(&self->lock);
    Field *field = &self->fields[axis];
    field->used = self->engine != NULL && !cx_box_is_empty(wish->box);
    field->n_ahead = field->used ? wish->n_ahead : 0;
    field->first = wish->first;
    g_array_set_size(field->units, 0);
    if (field->used) {
        CxVoxel tile = tile_of(self->engine, axis);

        field->tiles = cx_box_chunks(wish->box, tile);
        cut_into_units(field, axis, tile, wish->focus);
        fits = limit(self, field);
    }
    cancel_unwanted(self);
    g_cond_broadcast(&self->news);
    g_mutex_unlock(&self->lock);
    return fits;
}

CxChunk *
cxui_prediction_queue_lookup(CxuiPredictionQueue *self, unsigned axis,
                             CxChunkIdx idx)
{
    g_mutex_lock(&self->lock);
    CxChunkKey key = key_of(self->epoch, axis, idx);
    g_mutex_unlock(&self->lock);
    return cx_chunk_cache_lookup(self->cache, &key);
}

/* With the lock held. */
static void
count(CxuiPredictionQueue *self, unsigned axis, size_t *n_wanted,
      size_t *n_missing)
{
    const Field *field = &self->fields[axis];

    for (guint i = 0; field->used && i < field->units->len; i++) {
        CxBox tiles = g_array_index(field->units, Unit, i).tiles;

        for (int64_t z = tiles.lo.z; z < tiles.hi.z; z++)
            for (int64_t y = tiles.lo.y; y < tiles.hi.y; y++)
                for (int64_t x = tiles.lo.x; x < tiles.hi.x; x++) {
                    ++*n_wanted;
                    *n_missing += !is_cached(self, axis, (CxChunkIdx){x, y, z});
                }
    }
}

size_t
cxui_prediction_queue_n_missing(CxuiPredictionQueue *self, unsigned axis)
{
    size_t n_wanted = 0, n_missing = 0;

    g_mutex_lock(&self->lock);
    count(self, axis, &n_wanted, &n_missing);
    g_mutex_unlock(&self->lock);
    return n_missing;
}

CxuiPredictionStats
cxui_prediction_queue_stats(CxuiPredictionQueue *self)
{
    CxuiPredictionStats stats = {0};

    g_mutex_lock(&self->lock);
    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++)
        count(self, axis, &stats.n_wanted, &stats.n_missing);
    stats.n_running = self->n_running;
    if (self->window_us > 0)
        stats.mvox_per_s =
            (double)self->window_n_voxels / (double)self->window_us;
    stats.n_voxels = self->n_voxels;
    stats.n_cancelled = self->n_cancelled;
    stats.run_us = self->run_us;
    stats.keep_us = self->keep_us;
    stats.started_us = self->started_us;
    stats.ended_us = self->ended_us;
    g_mutex_unlock(&self->lock);
    stats.used_bytes = cx_chunk_cache_used_bytes(self->cache);
    return stats;
}

GError *
cxui_prediction_queue_take_error(CxuiPredictionQueue *self)
{
    g_mutex_lock(&self->lock);
    GError *error = g_steal_pointer(&self->error);
    g_mutex_unlock(&self->lock);
    return error;
}
