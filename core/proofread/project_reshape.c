/* A project: a segment grown, shrunk or smoothed within a box.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/proofread/paint_private.h"
#include "core/segmentation/distance.h"
#include "core/segmentation/smooth.h"

#include <math.h>
#include <string.h>

#define N_THREADS 2

typedef struct {
    CxProject *project;
    const CxPaintRule *rule;
    CxReshape reshape;
    double nm;
    CxBox box;  /* where voxels may change */
    CxBox read; /* with what is needed around */
    CxJob *job;
} Shape;

static CxVoxel
reach(const Shape *shape)
{
    CxNm nm = shape->project->note.voxel_nm;
    double by = shape->reshape == CX_RESHAPE_SMOOTH ? 3 * shape->nm : shape->nm;

    return (CxVoxel){(int64_t)ceil(by / nm.x) + 1, (int64_t)ceil(by / nm.y) + 1,
                     (int64_t)ceil(by / nm.z) + 1};
}

/* 1 where a voxel becomes the segment's, 2 where it is taken from it. */
static bool
by_distance(const Shape *shape, uint8_t *mask, GError **error)
{
    CxVoxel size = cx_box_size(shape->read);
    size_t n = cx_box_offset(shape->read, (CxVoxel){shape->read.hi.x - 1,
                                                    shape->read.hi.y - 1,
                                                    shape->read.hi.z - 1}) +
               1;
    bool grow = shape->reshape == CX_RESHAPE_GROW;
    CX_AUTOFREE float *distance = cx_try_alloc(n, sizeof *distance, error);
    float limit = (float)(shape->nm * shape->nm * (1 + 1e-6));

    if (distance == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        mask[i] = grow ? mask[i] == 0 : mask[i] != 0;
    if (!cx_distance_squared(mask, size, shape->project->note.voxel_nm,
                             distance, N_THREADS, shape->job, error))
        return false;
    for (size_t i = 0; i < n; i++)
        mask[i] = mask[i] != 0 && distance[i] <= limit ? (grow ? 1 : 2) : 0;
    return true;
}

static bool
by_smoothing(const Shape *shape, uint8_t *mask, GError **error)
{
    CxVoxel size = cx_box_size(shape->read);
    CxNm nm = shape->project->note.voxel_nm;
    CxNm sigma = {shape->nm / nm.x, shape->nm / nm.y, shape->nm / nm.z};
    size_t n = (size_t)size.x * (size_t)size.y * (size_t)size.z;
    CX_AUTOFREE float *value = cx_try_alloc(n, sizeof *value, error);

    if (value == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        value[i] = mask[i];
    if (!cx_smooth(value, size, sigma, N_THREADS, shape->job, error))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool inside = value[i] >= 0.5f;

        mask[i] = inside && mask[i] == 0 ? 1 : !inside && mask[i] != 0 ? 2 : 0;
    }
    return true;
}

/* Runs inside the box whose voxels have a mark. */
static GArray *
runs_of(const Shape *shape, const uint8_t *mask, uint8_t mark)
{
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(CxRun));
    CxBox box = shape->box;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            CxRun run = {{0, y, z}, 0};

            for (int64_t x = box.lo.x; x <= box.hi.x; x++) {
                CxVoxel v = {x, y, z};
                bool is_marked =
                    x < box.hi.x && mask[cx_box_offset(shape->read, v)] == mark;

                if (is_marked) {
                    run.at.x = run.n == 0 ? x : run.at.x;
                    run.n++;
                } else if (run.n > 0) {
                    g_array_append_val(runs, run);
                    run.n = 0;
                }
            }
        }
    }
    return runs;
}

/* What it wins first: that must touch what is there now. */
static bool
put(const Shape *shape, CxVoxelDraft *draft, CxEdit *edit, const uint8_t *mask,
    CxPainted *won, CxPainted *lost, GError **error)
{
    g_autoptr(GArray) wins = runs_of(shape, mask, 1);
    g_autoptr(GArray) losses = runs_of(shape, mask, 2);
    CxPaintRule take = *shape->rule;
    CxPaintRule erase = {.segment = shape->rule->segment, .erase = true};

    take.erase = false;
    return (wins->len == 0 ||
            cx_paint_into(shape->project, draft, edit, &take,
                          (const CxRun *)(const void *)wins->data, wins->len,
                          won, shape->job, error)) &&
           cx_paint_into(shape->project, draft, edit, &erase,
                         (const CxRun *)(const void *)losses->data, losses->len,
                         lost, shape->job, error);
}

static CxEdit *
reshape(Shape *shape, const char *what, GError **error)
{
    g_autoptr(CxVoxelDraft) draft = cx_voxel_draft_new(shape->project);
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_PAINT);
    CxPainted won = {0}, lost = {0};
    CX_AUTOFREE uint8_t *mask = cx_paint_read_mask(
        shape->project, shape->rule->segment, shape->read, error);

    if (mask == NULL ||
        !(shape->reshape == CX_RESHAPE_SMOOTH
              ? by_smoothing(shape, mask, error)
              : by_distance(shape, mask, error)) ||
        !put(shape, draft, edit, mask, &won, &lost, error))
        return NULL;
    edit->at = won.n_voxels > 0 ? won.at : lost.at;
    edit->sentence = g_strdup_printf(
        "%s %" G_GUINT64_FORMAT ": %" G_GUINT64_FORMAT " voxels won, "
        "%" G_GUINT64_FORMAT " lost",
        what, shape->rule->segment, won.n_voxels, lost.n_voxels);
    return cx_project_commit_draft(shape->project, edit, draft, shape->job,
                                   error)
               ? g_steal_pointer(&edit)
               : NULL;
}

CxEdit *
cx_project_reshape(CxProject *project, const CxPaintRule *rule,
                   CxReshape reshape_by, double nm, CxBox box, CxJob *job,
                   GError **error)
{
    static const char *const what[] = {"Grew", "Shrank", "Smoothed"};
    CxBox bounds = cx_project_bounds(project);
    CxSegment segment;
    CxEdit *edit = NULL;

    if (!(nm > 0) || nm > 1e5) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a segment cannot be changed by %g nm: expected more than "
                    "0 and at most 10^5",
                    nm);
        return NULL;
    }
    g_mutex_lock(&project->edit_lock);
    CxId next_before = project->next_segment;

    if (cx_project_find_segment(project, rule->segment, &segment, error) &&
        cx_paint_check_rule(project, rule, error)) {
        Shape shape = {project, rule, reshape_by, nm, box, box, job};
        CxVoxel by = reach(&shape);

        if (cx_box_is_empty(box))
            box = cx_box_grow(segment.box, by);
        shape.box = cx_box_intersect(box, bounds);
        shape.read = cx_box_intersect(cx_box_grow(shape.box, by), bounds);
        edit = reshape(&shape, what[reshape_by], error);
    }
    if (edit == NULL)
        project->next_segment = next_before;
    g_mutex_unlock(&project->edit_lock);
    return edit;
}
