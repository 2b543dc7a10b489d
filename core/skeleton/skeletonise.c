/* The centre line of a label of a volume.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/skeleton/skeletonise.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/jobs/parallel.h"
#include "core/skeleton/teasar.h"

#define SLAB_VOXELS ((int64_t)1 << 24)
#define MAX_KEPT ((size_t)1 << 29)
#define BATCH 64U
#define CENSUS_SHARE 0.1 /* of the progress */

CxSkeletonOptions
cx_skeleton_defaults(void)
{
    return (CxSkeletonOptions){
        .scale = 1.5,
        .constant_nm = 100,
        .smooth = 2,
        .max_cells = (size_t)1 << 26,
    };
}

/* Calls for the slabs of a box, from z = lo upwards. */
typedef void (*SlabFunc)(const CxChunk *slab, void *data);

static bool
each_slab(CxVolume *labels, CxBox box, SlabFunc func, void *data, CxJob *job,
          GError **error)
{
    CxVoxel size = cx_box_size(box);
    int64_t depth = CLAMP(SLAB_VOXELS / size.x / size.y, 1, size.z);

    for (int64_t z = box.lo.z; z < box.hi.z; z += depth) {
        CxBox slab = box;

        slab.lo.z = z;
        slab.hi.z = MIN(z + depth, box.hi.z);
        g_autoptr(CxChunk) chunk =
            cx_volume_read_labels(labels, 0, slab, job, error);
        if (chunk == NULL)
            return false;
        func(chunk, data);
        if (!cx_job_check(job, error))
            return false;
    }
    return true;
}

static void
add_slab(const CxChunk *slab, void *mask)
{
    cx_object_mask_add(mask, slab);
}

static CxSkeleton *
of_mask(CxVolume *labels, const CxObjectMask *mask,
        const CxSkeletonOptions *options, CxJob *job, GError **error)
{
    CxTeasarOptions teasar = {options->scale, options->constant_nm};
    g_autoptr(CxJob) part = cx_job_new_part(job, 0, 0.4);
    g_autoptr(CxVoxelGraph) graph =
        cx_voxel_graph_new(mask, options->n_threads, part, error);

    if (graph == NULL)
        return NULL;
    if (graph->n == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: there is no label %" G_GUINT64_FORMAT,
                    cx_volume_spec(labels), mask->id);
        return NULL;
    }
    CxSkeleton *skeleton = cx_teasar(mask, graph, cx_volume_offset_nm(labels),
                                     &teasar, job, error);
    if (skeleton != NULL)
        cx_skeleton_smooth(skeleton, options->smooth);
    return skeleton;
}

CxSkeleton *
cx_skeletonise(CxVolume *labels, CxId id, CxBox box,
               const CxSkeletonOptions *options, CxJob *job, GError **error)
{
    CxBox bounds = cx_volume_bounds(labels, 0);
    g_autoptr(CxObjectMask) mask =
        cx_object_mask_new(id, cx_box_intersect(box, bounds), bounds,
                           cx_volume_level(labels, 0).voxel_nm,
                           options->pitch_nm, options->max_cells, error);

    if (mask == NULL || !each_slab(labels, cx_box_intersect(mask->box, bounds),
                                   add_slab, mask, job, error))
        return NULL;
    return of_mask(labels, mask, options, job, error);
}

/* --- all labels */

typedef struct {
    CxId id;
    uint32_t number; /* in the kept block */
    uint64_t n_voxels;
    CxBox box;
} Extent;

typedef struct {
    CxHash64 *index; /* id → place in extents */
    GArray *extents; /* of Extent */
    CxBox bounds;
    uint32_t *numbers; /* 1 + place in extents of each voxel; NULL: not kept */
} Census;

static Extent *
extent_of(Census *census, CxId id)
{
    bool was_new;
    uint64_t *place =
        cx_hash64_at(census->index, id, census->extents->len, &was_new);

    if (was_new) {
        Extent fresh = {.id = id, .number = census->extents->len + 1};

        g_array_append_val(census->extents, fresh);
    }
    return &g_array_index(census->extents, Extent, *place);
}

/* One run of equal labels along x. */
static void
count_run(Census *census, CxId id, CxVoxel at, int64_t n)
{
    Extent *extent = extent_of(census, id);

    extent->n_voxels += (uint64_t)n;
    extent->box = cx_box_union(
        extent->box, cx_box(at, (CxVoxel){at.x + n, at.y + 1, at.z + 1}));
    if (census->numbers == NULL)
        return;
    uint32_t *to = census->numbers + cx_box_offset(census->bounds, at);
    for (int64_t i = 0; i < n; i++)
        to[i] = extent->number;
}

static void
count_slab(const CxChunk *slab, void *data)
{
    CxBox box = cx_chunk_box(slab);
    const CxId *labels = cx_chunk_data(slab);
    int64_t width = cx_box_size(box).x;

    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++, labels += width)
            for (int64_t x = 0, end; x < width; x = end) {
                for (end = x + 1; end < width && labels[end] == labels[x];)
                    end++;
                if (labels[x] != 0)
                    count_run(data, labels[x], (CxVoxel){box.lo.x + x, y, z},
                              end - x);
            }
}

static int
by_id(const void *a, const void *b)
{
    CxId x = ((const Extent *)a)->id, y = ((const Extent *)b)->id;

    return (x > y) - (x < y);
}

/* Some labels at once. */
typedef struct {
    CxVolume *labels;
    const Census *census;
    const Extent *extents;
    CxSkeletonOptions options;
    CxSkeleton **made;
    CxJob *job; /* to be cancelled; its progress stays */
    double at;
} Batch;

static bool
make_one(size_t item, unsigned worker, void *data, GError **error)
{
    Batch *batch = data;
    const Extent *extent = &batch->extents[item];
    const Census *census = batch->census;
    const CxSkeletonOptions *options = &batch->options;
    g_autoptr(CxJob) job = cx_job_new_part(batch->job, batch->at, batch->at);

    if (census->numbers == NULL) {
        batch->made[item] = cx_skeletonise(batch->labels, extent->id,
                                           extent->box, options, job, error);
        return batch->made[item] != NULL;
    }
    g_autoptr(CxObjectMask) mask =
        cx_object_mask_new(extent->id, extent->box, census->bounds,
                           cx_volume_level(batch->labels, 0).voxel_nm,
                           options->pitch_nm, options->max_cells, error);
    if (mask == NULL)
        return false;
    cx_object_mask_add_block(mask, census->numbers, census->bounds,
                             extent->number);
    batch->made[item] = of_mask(batch->labels, mask, options, job, error);
    return batch->made[item] != NULL;
}

static bool
run_batch(Batch *batch, size_t n, unsigned n_threads, CxSkeletonFunc func,
          void *data, CxJob *part, GError **error)
{
    CxSkeleton *made[BATCH] = {NULL};
    bool ok;

    batch->made = made;
    ok = cx_parallel_for(n_threads, n, make_one, batch, part, error);
    for (size_t i = 0; i < n; i++) {
        if (ok)
            ok = func(batch->extents[i].id, made[i], data, error);
        else
            cx_skeleton_free(made[i]);
    }
    return ok;
}

static void
keep_large(GArray *extents, uint64_t min_voxels)
{
    guint n = 0;

    for (guint i = 0; i < extents->len; i++) {
        Extent extent = g_array_index(extents, Extent, i);

        if (extent.n_voxels >= min_voxels)
            g_array_index(extents, Extent, n++) = extent;
    }
    g_array_set_size(extents, n);
    g_array_sort(extents, by_id);
}

static bool
run_batches(Batch *batch, GArray *extents, unsigned n_threads,
            CxSkeletonFunc func, void *data, CxJob *job, GError **error)
{
    for (guint i = 0; i < extents->len; i += BATCH) {
        guint n = MIN(BATCH, extents->len - i);
        double share = (1 - CENSUS_SHARE) / extents->len;

        batch->extents = &g_array_index(extents, Extent, i);
        batch->at = CENSUS_SHARE + share * i;
        g_autoptr(CxJob) part =
            cx_job_new_part(job, batch->at, batch->at + share * n);
        if (!run_batch(batch, n, n_threads, func, data, part, error))
            return false;
    }
    return true;
}

bool
cx_skeletonise_all(CxVolume *labels, uint64_t min_voxels,
                   const CxSkeletonOptions *options, CxSkeletonFunc func,
                   void *data, CxJob *job, GError **error)
{
    CxBox bounds = cx_volume_bounds(labels, 0);
    size_t n = 0;
    bool is_kept = cx_box_n_voxels(bounds, &n) && n <= MAX_KEPT;
    CX_AUTOFREE uint32_t *numbers =
        is_kept ? cx_try_alloc0(n, sizeof *numbers, error) : NULL;
    g_autoptr(CxHash64) index = cx_hash64_new(1024);
    g_autoptr(GArray) extents = g_array_new(false, false, sizeof(Extent));
    Census census = {index, extents, bounds, numbers};
    Batch batch = {labels, &census, NULL, *options, NULL, job, 0};

    if ((is_kept && numbers == NULL) ||
        !each_slab(labels, bounds, count_slab, &census, job, error))
        return false;
    keep_large(extents, min_voxels);
    batch.options.n_threads = 1;
    return run_batches(&batch, extents, options->n_threads, func, data, job,
                       error);
}
