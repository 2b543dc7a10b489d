/* A project: fills, and interpolation between sections.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/proofread/paint_private.h"
#include "core/segmentation/distance.h"

#include <math.h>
#include <string.h>

#define MAX_BOX ((size_t)1 << 27)
#define N_THREADS 2

static bool
check_box(CxBox box, GError **error)
{
    size_t n;

    if (!cx_box_is_empty(box) && cx_box_n_voxels(box, &n) && n <= MAX_BOX)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "the box to paint in has %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " voxels, expected 1 to 2^27",
                MAX(box.hi.x - box.lo.x, 0), MAX(box.hi.y - box.lo.y, 0),
                MAX(box.hi.z - box.lo.z, 0));
    return false;
}

uint8_t *
cx_paint_read_mask(CxProject *project, CxId segment, CxBox box, GError **error)
{
    if (!check_box(box, error))
        return NULL;
    g_autoptr(CxChunk) labels = cx_volume_read_labels(
        cx_project_segments(project), 0, box, NULL, error);
    size_t n = labels != NULL ? cx_chunk_n_voxels(labels) : 0;
    uint8_t *mask = labels != NULL ? cx_try_alloc(n, 1, error) : NULL;
    const CxId *ids = mask != NULL ? cx_chunk_data(labels) : NULL;

    for (size_t i = 0; mask != NULL && i < n; i++)
        mask[i] = ids[i] == segment;
    return mask;
}

void
cx_paint_append_mask(const uint8_t *mask, CxBox box, GArray *runs)
{
    size_t i = 0;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            CxRun run = {{0, y, z}, 0};

            for (int64_t x = box.lo.x; x <= box.hi.x; x++) {
                if (x < box.hi.x && mask[i++] != 0) {
                    run.at.x = run.n == 0 ? x : run.at.x;
                    run.n++;
                } else if (run.n > 0) {
                    g_array_append_val(runs, run);
                    run.n = 0;
                }
            }
        }
    }
}

/* Fill. */

static CxBox
flatten(CxBox box, CxPlane plane, CxVoxel at)
{
    if (plane == CX_PLANE_XY)
        box.lo.z = at.z, box.hi.z = at.z + 1;
    else if (plane == CX_PLANE_XZ)
        box.lo.y = at.y, box.hi.y = at.y + 1;
    else if (plane == CX_PLANE_YZ)
        box.lo.x = at.x, box.hi.x = at.x + 1;
    return box;
}

/* Marks what is connected to `first` among the 1s of mask as 2, then clears
 * the rest: 6 neighbours inside the block. */
static bool
connect(uint8_t *mask, CxVoxel size, size_t first, CxJob *job, GError **error)
{
    size_t row = (size_t)size.x, plane = row * (size_t)size.y;
    size_t n = plane * (size_t)size.z;
    g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t at = first;

    mask[first] = 2;
    g_array_append_val(stack, at);
    for (size_t steps = 0; stack->len > 0; steps++) {
        at = g_array_index(stack, uint64_t, stack->len - 1);
        g_array_set_size(stack, stack->len - 1);
        if (steps % (1 << 20) == 0 && !cx_job_check(job, error))
            return false;
        size_t x = at % row, y = at / row % (size_t)size.y, z = at / plane;
        const struct {
            bool is_there;
            uint64_t at;
        } next[6] = {
            {x > 0, at - 1},     {x + 1 < row, at + 1},
            {y > 0, at - row},   {y + 1 < (size_t)size.y, at + row},
            {z > 0, at - plane}, {z + 1 < (size_t)size.z, at + plane},
        };

        for (int i = 0; i < 6; i++) {
            if (!next[i].is_there || mask[next[i].at] != 1)
                continue;
            mask[next[i].at] = 2;
            g_array_append_val(stack, next[i].at);
        }
    }
    for (size_t i = 0; i < n; i++)
        mask[i] = mask[i] == 2;
    return true;
}

CxEdit *
cx_project_fill(CxProject *project, const CxPaintRule *rule, CxVoxel seed,
                CxBox box, CxPlane plane, CxJob *job, GError **error)
{
    CxBox bounds = cx_project_bounds(project);
    CxId segment;

    if (!cx_box_contains(bounds, seed)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the voxel to fill from, %" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ", lies outside the volume",
                    seed.x, seed.y, seed.z);
        return NULL;
    }
    if (cx_box_is_empty(box) && plane == CX_PLANE_3D) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "a fill in 3-D needs a box");
        return NULL;
    }
    box = cx_box_is_empty(box) ? bounds : cx_box_intersect(box, bounds);
    box = flatten(box, plane, seed);
    if (!cx_box_contains(box, seed)) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "the voxel to fill from lies outside the box");
        return NULL;
    }
    if (!cx_project_pick(project, seed, NULL, &segment, error))
        return NULL;
    CX_AUTOFREE uint8_t *mask =
        cx_paint_read_mask(project, segment, box, error);

    if (mask == NULL ||
        !connect(mask, cx_box_size(box), cx_box_offset(box, seed), job, error))
        return NULL;
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(CxRun));

    cx_paint_append_mask(mask, box, runs);
    return cx_project_paint_runs(project, rule,
                                 (const CxRun *)(const void *)runs->data,
                                 runs->len, "Fill", job, error);
}

/* Interpolation. */

typedef struct {
    CxBox box;       /* of one section */
    CxVoxel size;    /* as a block: one voxel along the normal */
    float *distance; /* nm, positive inside */
    double u, v;     /* centre, voxels in the plane from box.lo */
} Outline;

static void
outline_clear(Outline *outline)
{
    g_clear_pointer(&outline->distance, cx_free);
}

/* Axes in the plane: u fastest. */
static void
plane_steps(CxPlane plane, CxVoxel size, size_t *n_u, size_t *n_v)
{
    *n_u = (size_t)(plane == CX_PLANE_YZ ? size.y : size.x);
    *n_v = (size_t)(plane == CX_PLANE_XY ? size.y : size.z);
}

/* A section along any plane is dense with u fastest, so that it can be taken
 * for one along xy. */
static bool
measure(Outline *outline, const uint8_t *mask, CxPlane plane, CxNm nm,
        CxJob *job, GError **error)
{
    size_t n_u, n_v, count = 0;

    plane_steps(plane, outline->size, &n_u, &n_v);
    size_t n = n_u * n_v;
    CxVoxel flat = {(int64_t)n_u, (int64_t)n_v, 1};
    CxNm step = {plane == CX_PLANE_YZ ? nm.y : nm.x,
                 plane == CX_PLANE_XY ? nm.y : nm.z, INFINITY};
    CX_AUTOFREE float *outside = cx_try_alloc(n, sizeof(float), error);
    CX_AUTOFREE uint8_t *other =
        outside != NULL ? cx_try_alloc(n, 1, error) : NULL;

    outline->distance =
        other != NULL ? cx_try_alloc(n, sizeof(float), error) : NULL;
    if (outline->distance == NULL)
        return false;
    outline->u = outline->v = 0;
    for (size_t i = 0; i < n; i++) {
        other[i] = mask[i] == 0;
        outline->u += mask[i] != 0 ? (double)(i % n_u) : 0;
        outline->v += mask[i] != 0 ? (double)(i / n_u) : 0;
        count += mask[i] != 0;
    }
    if (count == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the segment is not drawn in both sections to interpolate "
                    "between");
        return false;
    }
    outline->u /= (double)count;
    outline->v /= (double)count;
    if (!cx_distance_squared(mask, flat, step, outline->distance, N_THREADS,
                             job, error) ||
        !cx_distance_squared(other, flat, step, outside, N_THREADS, job, error))
        return false;
    for (size_t i = 0; i < n; i++) {
        float in = outline->distance[i], out = outside[i];

        outline->distance[i] =
            mask[i] != 0 ? (isinf(in) ? 1e6f : sqrtf(in)) : -sqrtf(out);
    }
    return true;
}

/* Distance at a place of the plane; far outside beyond the section. */
static double
sample(const Outline *outline, double u, double v, size_t n_u, size_t n_v)
{
    double iu = floor(u + 0.5), iv = floor(v + 0.5);

    if (iu < 0 || iv < 0 || iu >= (double)n_u || iv >= (double)n_v)
        return -1e6;
    return (double)outline->distance[(size_t)iu + (size_t)iv * n_u];
}

static void
blend(const Outline *a, const Outline *b, double t, size_t n_u, size_t n_v,
      uint8_t *mask)
{
    double du = b->u - a->u, dv = b->v - a->v;

    for (size_t i = 0; i < n_u * n_v; i++) {
        double u = (double)(i % n_u), v = (double)(i / n_u);
        double from = sample(a, u - t * du, v - t * dv, n_u, n_v);
        double to = sample(b, u + (1 - t) * du, v + (1 - t) * dv, n_u, n_v);

        mask[i] = (1 - t) * from + t * to > 0;
    }
}

static CxBox
section(CxBox box, CxPlane plane, int64_t at)
{
    CxVoxel v = {at, at, at};

    return flatten(box, plane, v);
}

static bool
read_outline(CxProject *project, CxId segment, CxPlane plane, CxBox box,
             Outline *outline, CxJob *job, GError **error)
{
    CX_AUTOFREE uint8_t *mask =
        cx_paint_read_mask(project, segment, box, error);

    outline->box = box;
    outline->size = cx_box_size(box);
    return mask != NULL &&
           measure(outline, mask, plane, project->note.voxel_nm, job, error);
}

static bool
interpolate(CxProject *project, const CxPaintRule *rule, CxPlane plane,
            CxBox box, int64_t first, int64_t last, GArray *runs, CxJob *job,
            GError **error)
{
    Outline a = {0}, b = {0};
    size_t n_u, n_v;
    bool ok = read_outline(project, rule->segment, plane,
                           section(box, plane, first), &a, job, error) &&
              read_outline(project, rule->segment, plane,
                           section(box, plane, last), &b, job, error);

    plane_steps(plane, cx_box_size(section(box, plane, first)), &n_u, &n_v);
    CX_AUTOFREE uint8_t *mask = ok ? cx_try_alloc(n_u * n_v, 1, error) : NULL;

    for (int64_t at = first + 1; mask != NULL && at < last; at++) {
        blend(&a, &b, (double)(at - first) / (double)(last - first), n_u, n_v,
              mask);
        cx_paint_append_mask(mask, section(box, plane, at), runs);
    }
    outline_clear(&a);
    outline_clear(&b);
    return mask != NULL;
}

CxEdit *
cx_project_interpolate(CxProject *project, const CxPaintRule *rule,
                       CxPlane plane, int64_t first, int64_t last, CxJob *job,
                       GError **error)
{
    CxBox bounds = cx_project_bounds(project);
    CxSegment segment;
    const CxVoxel around = {2, 2, 2};

    if (first > last) {
        int64_t swap = first;

        first = last;
        last = swap;
    }
    if (plane == CX_PLANE_3D || last - first < 2) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "there is nothing between the sections %" G_GINT64_FORMAT
                    " and %" G_GINT64_FORMAT
                    ": expected two of a plane, two or more apart",
                    first, last);
        return NULL;
    }
    if (!cx_project_find_segment(project, rule->segment, &segment, error))
        return NULL;
    CxBox box = cx_box_intersect(cx_box_grow(segment.box, around), bounds);
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(CxRun));

    if (first < 0 || cx_box_is_empty(cx_box_intersect(
                         section(bounds, plane, last), bounds))) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the sections %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                    " do not both lie inside the volume",
                    first, last);
        return NULL;
    }
    if (!interpolate(project, rule, plane, box, first, last, runs, job, error))
        return NULL;
    cx_paint_join_runs(runs);
    return cx_project_paint_runs(project, rule,
                                 (const CxRun *)(const void *)runs->data,
                                 runs->len, "Interpolation", job, error);
}
