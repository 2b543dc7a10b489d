/* One block from prediction to fragments.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/block.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/segmentation/block_graph.h"
#include "core/segmentation/block_sections.h"
#include "core/segmentation/components.h"
#include "core/segmentation/distance.h"
#include "core/segmentation/seeds.h"
#include "core/segmentation/smooth.h"
#include "core/segmentation/watershed.h"

#include <math.h>
#include <string.h>

typedef struct {
    const CxBlockInput *input;
    const CxBlockOptions *options;
    unsigned n_threads;
    CxBox grown; /* of the prediction */
    CxVoxel size;
    size_t n;
    CxNm unit; /* voxel size in units of x; sections are infinitely far apart */
} Block;

static CxNm
per_axis(const Block *block, double in_x)
{
    return (CxNm){in_x / block->unit.x, in_x / block->unit.y,
                  in_x / block->unit.z};
}

static CxVoxel
window(const Block *block)
{
    CxNm r = per_axis(block, block->options->seed_distance);

    return (CxVoxel){llround(r.x), llround(r.y), llround(r.z)};
}

/* 1 where the (smoothed) boundary is below the level. */
static bool
find_inside(const Block *block, const uint8_t *boundary, uint8_t *inside,
            CxJob *job, GError **error)
{
    unsigned level = (unsigned)lround(255 * block->options->seed_level);

    memcpy(inside, boundary, block->n);
    if (!cx_smooth_u8(inside, block->size,
                      per_axis(block, block->options->inside_sigma),
                      block->n_threads, job, error))
        return false;
    for (size_t i = 0; i < block->n; i++)
        inside[i] = inside[i] < level;
    return true;
}

/* Seeds: peaks of the smoothed distance to membrane, grown by all that lies
 * deep enough to climb to them. */
static bool
find_seeds(const Block *block, const uint8_t *boundary, uint32_t *labels,
           CxJob *job, GError **error)
{
    CX_AUTOFREE uint8_t *inside = cx_try_alloc(block->n, 1, error);
    CX_AUTOFREE float *height = cx_try_alloc(block->n, sizeof(float), error);
    uint32_t n_seeds = 0;

    if (inside == NULL || height == NULL ||
        !find_inside(block, boundary, inside, job, error) ||
        !cx_distance_squared(inside, block->size, block->unit, height,
                             block->n_threads, job, error))
        return false;
    for (size_t i = 0; i < block->n; i++)
        height[i] = sqrtf(MIN(height[i], 65536.F));
    double climb = block->options->climb_distance;
    return cx_smooth(height, block->size,
                     per_axis(block, block->options->seed_sigma),
                     block->n_threads, job, error) &&
           cx_seeds_find(height, block->size, window(block), 0.5F, labels,
                         &n_seeds, block->n_threads, job, error) &&
           (climb <= 0 ||
            cx_seeds_climb(height, block->size, window(block), (float)climb,
                           labels, block->n_threads, job, error));
}

/* The flood runs slab by slab, each with a halo, so that threads share the
 * work; where slabs end depends on the block alone.  Sections flood one by
 * one. */
#define SLAB_DEPTH 64
#define SLAB_HALO 8

typedef struct {
    const Block *block;
    const uint8_t *relief;
    const uint32_t *seeds;
    uint32_t *labels;
    int64_t depth, halo;
    CxJob *job;
} Flood;

static bool
flood_slab(size_t item, unsigned worker, void *data, GError **error)
{
    const Flood *flood = data;
    CxVoxel size = flood->block->size;
    int64_t z0 = (int64_t)item * flood->depth;
    int64_t z1 = MIN(size.z, z0 + flood->depth);
    int64_t lo = MAX(0, z0 - flood->halo), hi = MIN(size.z, z1 + flood->halo);
    size_t area = (size_t)(size.x * size.y);
    size_t n = (size_t)(hi - lo) * area;
    CX_AUTOFREE uint32_t *slab = cx_try_alloc(n, sizeof(uint32_t), error);

    if (slab == NULL)
        return false;
    size.z = hi - lo;
    memcpy(slab, flood->seeds + (size_t)lo * area, n * sizeof(uint32_t));
    if (!cx_watershed_flood(flood->relief + (size_t)lo * area, size, slab,
                            flood->job, error))
        return false;
    memcpy(flood->labels + (size_t)z0 * area, slab + (size_t)(z0 - lo) * area,
           (size_t)(z1 - z0) * area * sizeof(uint32_t));
    return true;
}

static bool
flood(const Block *block, const uint8_t *relief, const uint32_t *seeds,
      uint32_t *labels, CxJob *job, GError **error)
{
    Flood work = {block, relief, seeds, labels, SLAB_DEPTH, SLAB_HALO, job};

    if (block->options->by_sections) {
        work.depth = 1;
        work.halo = 0;
    } else if (block->size.z <= SLAB_DEPTH + SLAB_DEPTH / 2) {
        work.depth = block->size.z;
    }
    size_t n_slabs = (size_t)((block->size.z + work.depth - 1) / work.depth);
    return cx_parallel_for(block->n_threads, n_slabs, flood_slab, &work, job,
                           error);
}

/* Fragments over the whole prediction, labels 1 …, not yet dense. */
static bool
make_fragments(const Block *block, uint8_t *boundary, uint32_t *labels,
               CxJob *job, GError **error)
{
    CX_AUTOFREE uint32_t *seeds =
        cx_try_alloc(block->n, sizeof(uint32_t), error);

    return seeds != NULL && find_seeds(block, boundary, seeds, job, error) &&
           cx_smooth_u8(boundary, block->size,
                        per_axis(block, block->options->border_sigma),
                        block->n_threads, job, error) &&
           flood(block, boundary, seeds, labels, job, error);
}

/* Cuts a box out of the grown one, in place; pieces that the cut separates
 * become labels of their own, numbered by first voxel. */
static bool
crop(const Block *block, uint32_t *labels, CxBox box, uint32_t *count,
     CxJob *job, GError **error)
{
    size_t width = (size_t)(box.hi.x - box.lo.x);
    uint32_t *to = labels;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++, to += width) {
            CxVoxel first = {box.lo.x, y, z};
            memmove(to, labels + cx_box_offset(block->grown, first),
                    width * sizeof(uint32_t));
        }
    }
    return cx_components_of_block(labels, cx_box_size(box), 6, count,
                                  block->n_threads, job, error);
}

/* Dense labels 1 … *count over *box: the block, and for sections those beside
 * it, which are to be linked to. */
static uint32_t *
segment(const Block *block, CxBox *box, uint32_t *count, CxJob *job,
        GError **error)
{
    CX_AUTOFREE uint8_t *boundary = cx_try_alloc(block->n, 1, error);
    CX_AUTOFREE uint32_t *labels =
        cx_try_alloc(block->n, sizeof(uint32_t), error);

    *box = block->input->box;
    if (block->options->by_sections) {
        box->lo.z = block->grown.lo.z;
        box->hi.z = block->grown.hi.z;
    }
    if (boundary == NULL || labels == NULL ||
        !cx_boundary_map(block->input->prediction, &block->input->roles,
                         boundary, block->n_threads, job, error) ||
        !make_fragments(block, boundary, labels, job, error) ||
        !crop(block, labels, *box, count, job, error))
        return NULL;
    return g_steal_pointer(&labels);
}

static CxFragments *
build_graph(const Block *block, uint32_t *labels, CxBox box, uint32_t count,
            CxBlockSeconds *seconds, CxJob *job, GError **error)
{
    const CxBlockInput *input = block->input;
    CxAffinities affinities;
    g_autoptr(GArray) links = NULL;
    CxFragments *out = NULL;
    bool ok = true;

    if (!cx_affinities_init(&affinities, input->prediction, &input->roles,
                            error))
        return NULL;
    if (block->options->by_sections) {
        int64_t start = g_get_monotonic_time();
        links =
            cx_block_section_links(input, block->options, &affinities, labels,
                                   box, &count, block->n_threads, job, error);
        seconds->fuse = (double)(g_get_monotonic_time() - start) / 1e6;
        ok = links != NULL;
    }
    if (ok)
        out = cx_block_graph(input, block->options, &affinities, labels, count,
                             links, block->n_threads, job, error);
    cx_affinities_clear(&affinities);
    return out;
}

CxFragments *
cx_block_segment(const CxBlockInput *input, const CxBlockOptions *options,
                 unsigned n_threads, CxBlockSeconds *seconds, CxJob *job,
                 GError **error)
{
    CxBox grown = cx_chunk_box(input->prediction), box;
    CxNm nm = input->voxel_nm;
    double z = options->by_sections ? INFINITY : nm.z / nm.x;
    Block block = {input,
                   options,
                   n_threads,
                   grown,
                   cx_box_size(grown),
                   cx_chunk_n_voxels(input->prediction),
                   {1, nm.y / nm.x, z}};
    int64_t start = g_get_monotonic_time();
    uint32_t count = 0;

    *seconds = (CxBlockSeconds){0};
    CX_AUTOFREE uint32_t *labels = segment(&block, &box, &count, job, error);
    if (labels == NULL)
        return NULL;
    int64_t middle = g_get_monotonic_time();
    CxFragments *out =
        build_graph(&block, labels, box, count, seconds, job, error);
    seconds->watershed = (double)(middle - start) / 1e6;
    seconds->graph =
        (double)(g_get_monotonic_time() - middle) / 1e6 - seconds->fuse;
    return out;
}
