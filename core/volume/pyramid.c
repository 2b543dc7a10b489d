/* Builds the coarser levels that a volume lacks.
 *
 * The volume is cut into columns that reach through all sections.  A column
 * is read slab by slab; each section goes down a cascade: a level that has
 * got as many sections as it needs makes one of the next level.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/pyramid.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/jobs/parallel.h"
#include "core/volume/formats.h"
#include "core/volume/level_store.h"
#include "core/volume/reader.h"
#include "core/volume/reduce.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define MEMORY_BYTES ((uint64_t)256 << 20)
#define CACHE_BYTES ((uint64_t)8 << 30)
#define SLAB_BYTES ((int64_t)256 << 20)
#define COLUMN 1024 /* on each side, at least */
#define SMALL_VOXELS ((int64_t)1 << 18)
#define SMALL_SIDE 256

/* What is added to the volume: levels first … first + n - 1. */
typedef struct {
    unsigned first, n;
    CxLevel levels[CX_MAX_LEVELS];
    bool halves_z[CX_MAX_LEVELS]; /* level i is made so from the one before */
} Plan;

static bool
is_small(CxVoxel size)
{
    return (size.x <= SMALL_SIDE && size.y <= SMALL_SIDE &&
            size.z <= SMALL_SIDE) ||
           size.x * size.y * size.z <= SMALL_VOXELS;
}

static Plan
make_plan(CxVolume *volume)
{
    Plan plan = {.first = cx_volume_n_levels(volume)};
    CxLevel level = cx_volume_level(volume, plan.first - 1);

    while (!is_small(level.size) && plan.first + plan.n < CX_MAX_LEVELS) {
        double wide = MAX(level.voxel_nm.x, level.voxel_nm.y);
        bool z_too = level.voxel_nm.z < 1.5 * wide && level.size.z > 1;

        level.size.x = (level.size.x + 1) / 2;
        level.size.y = (level.size.y + 1) / 2;
        level.voxel_nm.x *= 2;
        level.voxel_nm.y *= 2;
        if (z_too) {
            level.size.z = (level.size.z + 1) / 2;
            level.voxel_nm.z *= 2;
        }
        level.chunk_size =
            (CxVoxel){MIN(CX_BRICK, level.size.x), MIN(CX_BRICK, level.size.y),
                      MIN(CX_BRICK, level.size.z)};
        plan.halves_z[plan.n] = z_too;
        plan.levels[plan.n++] = level;
    }
    return plan;
}

bool
cx_pyramid_is_needed(CxVolume *volume)
{
    return make_plan(volume).n > 0;
}

typedef struct {
    CxVolume *volume;
    const Plan *plan;
    CxLevelStore *store;
    CxVoxel column, n_columns;
    int64_t depth; /* sections read at once */
    bool labels;
} Builder;

/* One step of the cascade: sections waiting to be reduced. */
typedef struct {
    size_t width, height; /* of a section that comes in */
    unsigned n_waiting;
    uint8_t *waiting[2];
    uint8_t *made;
    int64_t next_z;
} Step;

typedef struct {
    const Builder *builder;
    unsigned channel;
    int64_t x, y; /* of the column at the finest level */
    Step steps[CX_MAX_LEVELS];
} Cascade;

static void
cascade_clear(Cascade *self)
{
    for (unsigned i = 0; i < self->builder->plan->n; i++) {
        cx_free(self->steps[i].waiting[0]);
        cx_free(self->steps[i].waiting[1]);
        cx_free(self->steps[i].made);
    }
}

static bool
cascade_init(Cascade *self, const Builder *builder, unsigned channel, CxBox box,
             GError **error)
{
    size_t sample = cx_dtype_size_bytes(cx_volume_dtype(builder->volume));
    size_t width = (size_t)(box.hi.x - box.lo.x);
    size_t height = (size_t)(box.hi.y - box.lo.y);

    *self = (Cascade){builder, channel, box.lo.x, box.lo.y, {{0}}};
    for (unsigned i = 0; i < builder->plan->n; i++) {
        Step *step = &self->steps[i];

        step->width = width;
        step->height = height;
        for (int k = 0; k < 2; k++)
            step->waiting[k] = cx_try_alloc(width * height, sample, error);
        width = (width + 1) / 2;
        height = (height + 1) / 2;
        step->made = step->waiting[0] != NULL && step->waiting[1] != NULL
                         ? cx_try_alloc(width * height, sample, error)
                         : NULL;
        if (step->made == NULL)
            return false;
    }
    return true;
}

static bool push(Cascade *self, unsigned number, const void *section,
                 GError **error);

/* Reduces what waits at a step and hands it on. */
static bool
reduce(Cascade *self, unsigned number, GError **error)
{
    const Builder *builder = self->builder;
    Step *step = &self->steps[number];
    CxSection sections[2] = {{step->waiting[0], step->width, step->height},
                             {step->waiting[1], step->width, step->height}};
    CxVoxel lo = {self->x >> (number + 1), self->y >> (number + 1),
                  step->next_z++};

    cx_reduce_sections(step->made, sections, step->n_waiting,
                       cx_volume_dtype(builder->volume), builder->labels);
    step->n_waiting = 0;
    return cx_level_store_put(builder->store, number, self->channel, lo,
                              (step->width + 1) / 2, (step->height + 1) / 2,
                              step->made, error) &&
           (number + 1 == builder->plan->n ||
            push(self, number + 1, step->made, error));
}

static bool
push(Cascade *self, unsigned number, const void *section, GError **error)
{
    const Builder *builder = self->builder;
    Step *step = &self->steps[number];
    size_t sample = cx_dtype_size_bytes(cx_volume_dtype(builder->volume));

    memcpy(step->waiting[step->n_waiting++], section,
           step->width * step->height * sample);
    return step->n_waiting < (builder->plan->halves_z[number] ? 2u : 1u) ||
           reduce(self, number, error);
}

/* Odd numbers of sections leave one waiting. */
static bool
flush(Cascade *self, GError **error)
{
    for (unsigned i = 0; i < self->builder->plan->n; i++) {
        if (self->steps[i].n_waiting > 0 && !reduce(self, i, error))
            return false;
    }
    return true;
}

static bool
push_slab(Cascade *cascades, unsigned n_channels, const CxChunk *slab,
          GError **error)
{
    CxVoxel size = cx_box_size(cx_chunk_box(slab));
    size_t section =
        (size_t)(size.x * size.y) * cx_dtype_size_bytes(cx_chunk_dtype(slab));

    for (unsigned c = 0; c < n_channels; c++) {
        const uint8_t *samples = cx_chunk_channel(slab, c);

        for (int64_t z = 0; z < size.z; z++) {
            if (!push(&cascades[c], 0, samples + (size_t)z * section, error))
                return false;
        }
    }
    return true;
}

static bool
run_column(const Builder *self, CxBox box, Cascade *cascades,
           unsigned n_channels, GError **error)
{
    for (int64_t z = box.lo.z; z < box.hi.z; z += self->depth) {
        CxBox slab_box = box;

        slab_box.lo.z = z;
        slab_box.hi.z = MIN(z + self->depth, box.hi.z);
        g_autoptr(CxChunk) slab = cx_volume_read(
            self->volume, self->plan->first - 1, slab_box, NULL, error);
        if (slab == NULL || !push_slab(cascades, n_channels, slab, error))
            return false;
    }
    for (unsigned c = 0; c < n_channels; c++) {
        if (!flush(&cascades[c], error))
            return false;
    }
    return true;
}

static bool
build_column(size_t item, unsigned worker, void *data, GError **error)
{
    const Builder *self = data;
    CxBox bounds = cx_volume_bounds(self->volume, self->plan->first - 1);
    CxChunkIdx idx = {(int64_t)item % self->n_columns.x,
                      (int64_t)item / self->n_columns.x, 0};
    CxBox box = cx_chunk_box_clipped(idx, self->column, bounds);
    unsigned n_channels = cx_volume_n_channels(self->volume);
    g_autofree Cascade *cascades = g_new0(Cascade, n_channels);
    unsigned n_ready = 0;
    bool ok = true;

    while (ok && n_ready < n_channels) {
        ok = cascade_init(&cascades[n_ready], self, n_ready, box, error);
        n_ready++;
    }
    ok = ok && run_column(self, box, cascades, n_channels, error);
    for (unsigned c = 0; c < n_ready; c++)
        cascade_clear(&cascades[c]);
    return ok;
}

/* Columns as wide as blocks of the file that are decoded whole, and slabs as
 * deep as its chunks, as far as memory goes. */
static void
choose_columns(Builder *self)
{
    CxLevel level = cx_volume_level(self->volume, self->plan->first - 1);
    int64_t bytes =
        (int64_t)cx_dtype_size_bytes(cx_volume_dtype(self->volume)) *
        cx_volume_n_channels(self->volume);
    int64_t side = MAX(COLUMN, (int64_t)1 << self->plan->n);
    CxVoxel column = {side, side, level.size.z};

    while (column.x < level.chunk_size.x)
        column.x *= 2;
    while (column.y < level.chunk_size.y)
        column.y *= 2;
    self->column = column;
    self->n_columns = cx_box_chunks(cx_box_of_size(level.size), column).hi;
    int64_t section =
        MIN(column.x, level.size.x) * MIN(column.y, level.size.y) * bytes;
    self->depth = CLAMP(SLAB_BYTES / section, 1, MAX(level.chunk_size.z, 8));
}

static bool
build(CxVolume *volume, const Plan *plan, CxLevelStore *store, CxJob *job,
      GError **error)
{
    Builder builder = {.volume = volume,
                       .plan = plan,
                       .store = store,
                       .labels = cx_volume_is_labels(volume)};
    unsigned n_threads = MAX(cx_parallel_n_threads(0) / 2, 1);

    choose_columns(&builder);
    return cx_parallel_for(n_threads,
                           (size_t)(builder.n_columns.x * builder.n_columns.y),
                           build_column, &builder, job, error) &&
           cx_level_store_finish(store, error);
}

/* What one added level reads from. */
typedef struct {
    CxLevelStore *store;
    unsigned number;
} Source;

static bool
read_level(void *data, CxBox box, CxChunk *dst, CxJob *job, GError **error)
{
    Source *source = data;

    return cx_level_store_get(source->store, source->number, dst, error);
}

static void
source_free(void *data)
{
    Source *source = data;

    cx_level_store_unref(source->store);
    g_free(source);
}

static void
add_levels(CxVolume *volume, const Plan *plan, CxLevelStore *store)
{
    CxNm now = cx_volume_level(volume, plan->first - 1).voxel_nm;

    for (unsigned i = 0; i < plan->n; i++) {
        Source *source = g_new(Source, 1);
        CxLevel level = plan->levels[i];

        /* somebody may have set another voxel size meanwhile */
        now =
            (CxNm){now.x * 2, now.y * 2, plan->halves_z[i] ? now.z * 2 : now.z};
        level.voxel_nm = now;
        *source = (Source){cx_level_store_ref(store), i};
        cx_volume_add_level(volume, &level, read_level, source, source_free);
    }
}

static uint64_t
mix_text(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = cx_hash64_mix(hash ^ (uint8_t)*text) + 1;
    return cx_hash64_mix(hash);
}

static uint64_t
mix_file(uint64_t hash, const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return hash;
    hash = cx_hash64_mix(hash ^ (uint64_t)info.st_size);
    hash = cx_hash64_mix(hash ^ (uint64_t)info.st_mtim.tv_sec);
    hash = cx_hash64_mix(hash ^ (uint64_t)info.st_mtim.tv_nsec);
    return cx_hash64_mix(hash ^ (uint64_t)info.st_ino);
}

/* Of a folder the entries count as well: their names, sizes and times. */
static uint64_t
mix_folder(uint64_t hash, const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    uint64_t sum = 0;
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        sum += mix_file(mix_text(1, name), child); /* in any order */
    }
    return cx_hash64_mix(hash ^ sum);
}

/* A number that changes with the source; 0 if the volume is no file. */
static uint64_t
key_of(CxVolume *volume, const Plan *plan)
{
    g_autofree char *path = NULL;
    g_autofree char *dataset = NULL;
    uint64_t hash = plan->first;

    cx_volume_split_spec(cx_volume_spec(volume), &path, &dataset);
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    if (!g_file_test(whole, G_FILE_TEST_EXISTS))
        return 0;
    hash = mix_file(mix_text(mix_text(hash, whole), dataset), whole);
    if (g_file_test(whole, G_FILE_TEST_IS_DIR))
        hash = mix_folder(hash, whole);
    hash = cx_hash64_mix(hash ^ cx_volume_is_labels(volume));
    for (unsigned i = 0; i < plan->n; i++)
        hash = cx_hash64_mix(hash ^ plan->halves_z[i]);
    return MAX(hash, 1);
}

typedef struct {
    char *path;
    uint64_t bytes;
    int64_t used_ns;
} CacheFile;

static void
cache_file_free(CacheFile *file)
{
    g_free(file->path);
    g_free(file);
}

static int
compare_age(gconstpointer a, gconstpointer b)
{
    const CacheFile *p = *(CacheFile *const *)a, *q = *(CacheFile *const *)b;

    return p->used_ns < q->used_ns ? -1 : p->used_ns > q->used_ns;
}

static GPtrArray *
list_cache(const char *dir, uint64_t *total)
{
    GPtrArray *files =
        g_ptr_array_new_with_free_func((GDestroyNotify)cache_file_free);
    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    const char *name;

    *total = 0;
    while (handle != NULL && (name = g_dir_read_name(handle)) != NULL) {
        char *path = g_build_filename(dir, name, NULL);
        struct stat info;

        if (strstr(name, ".levels") == NULL || stat(path, &info) != 0) {
            g_free(path);
            continue;
        }
        CacheFile *file = g_new(CacheFile, 1);
        *file = (CacheFile){path, (uint64_t)info.st_blocks * 512,
                            (int64_t)info.st_mtim.tv_sec * 1000000000 +
                                info.st_mtim.tv_nsec};
        *total += file->bytes;
        g_ptr_array_add(files, file);
    }
    g_ptr_array_sort(files, compare_age);
    return files;
}

/* Removes the longest unused files until so many bytes fit under the cap. */
static bool
make_room(const char *dir, uint64_t bytes, uint64_t cap, GError **error)
{
    uint64_t total;
    g_autoptr(GPtrArray) files = list_cache(dir, &total);

    if (bytes > cap) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_SPACE,
                    "coarser levels would take %" G_GUINT64_FORMAT
                    " MiB, but the cache %s is limited to %" G_GUINT64_FORMAT
                    " MiB",
                    bytes >> 20, dir, cap >> 20);
        return false;
    }
    for (guint i = 0; i < files->len && total + bytes > cap; i++) {
        const CacheFile *file = files->pdata[i];

        if (g_remove(file->path) == 0)
            total -= file->bytes;
    }
    return true;
}

/* A store to build in, or one that is complete already. */
static CxLevelStore *
open_store(CxVolume *volume, const Plan *plan, const CxPyramidOptions *options,
           bool *complete, GError **error)
{
    CxLevelShape shape = {.n_levels = plan->n,
                          .dtype = cx_volume_dtype(volume),
                          .n_channels = cx_volume_n_channels(volume)};
    uint64_t memory =
        options->memory_bytes > 0 ? options->memory_bytes : MEMORY_BYTES;

    *complete = false;
    for (unsigned i = 0; i < plan->n; i++)
        shape.sizes[i] = plan->levels[i].size;
    uint64_t bytes = cx_level_store_bytes(&shape);
    uint64_t key = key_of(volume, plan);
    if (bytes <= memory || key == 0)
        return cx_level_store_new(&shape, error);

    g_autofree char *dir = options->cache_dir != NULL
                               ? g_strdup(options->cache_dir)
                               : g_build_filename(g_get_user_cache_dir(),
                                                  "connexon", "levels", NULL);
    g_autofree char *path =
        g_strdup_printf("%s/%016" G_GINT64_MODIFIER "x.levels", dir, key);
    g_mkdir_with_parents(dir, 0700);
    CxLevelStore *store = cx_level_store_open(path, key, &shape);
    *complete = store != NULL;
    if (store != NULL)
        return store;
    if (!make_room(dir, bytes,
                   options->cache_bytes > 0 ? options->cache_bytes
                                            : CACHE_BYTES,
                   error))
        return NULL;
    return cx_level_store_create(path, key, &shape, error);
}

bool
cx_pyramid_build(CxVolume *volume, const CxPyramidOptions *options, CxJob *job,
                 GError **error)
{
    static const CxPyramidOptions defaults;
    Plan plan = make_plan(volume);
    bool complete;

    if (plan.n == 0)
        return true;
    g_autoptr(CxLevelStore) store = open_store(
        volume, &plan, options != NULL ? options : &defaults, &complete, error);
    if (store == NULL ||
        (!complete && !build(volume, &plan, store, job, error)))
        return false;
    add_levels(volume, &plan, store);
    return true;
}

static bool
run_job(CxJob *job, void *data, GError **error)
{
    return cx_pyramid_build(data, NULL, job, error);
}

CxJob *
cx_pyramid_submit(CxScheduler *scheduler, CxVolume *volume, CxJobHook hook,
                  void *hook_data)
{
    if (!cx_pyramid_is_needed(volume))
        return NULL;

    CxJob *job = cx_job_new("Building coarser levels");
    if (hook != NULL)
        cx_job_set_hook(job, hook, hook_data);
    cx_scheduler_submit(scheduler, job, CX_TIER_BATCH, 0, run_job,
                        cx_volume_ref(volume), (GDestroyNotify)cx_volume_unref);
    return job;
}
