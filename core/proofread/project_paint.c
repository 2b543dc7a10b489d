/* A project: voxels that change hands by rules; the brush.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/paint_private.h"

#include <math.h>
#include <string.h>

bool
cx_plane_from_name(const char *name, CxPlane *plane)
{
    static const char *const names[] = {"xy", "xz", "yz", "3d"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(name, names[i]) == 0) {
            *plane = (CxPlane)i;
            return true;
        }
    }
    return false;
}

/* Who gets what. */

typedef struct {
    CxProject *project;
    const CxPaintRule *rule;
    CxVoxelDraft *draft;
    GArray *runs;      /* of CxRun: those that change, in order */
    CxHash64 *touched; /* supervoxel of the segment → faces */
    CxId last, last_segment;
    CxJob *job;
} Painting;

static CxId
segment_of(Painting *painting, CxId supervoxel)
{
    if (supervoxel != painting->last) {
        painting->last = supervoxel;
        painting->last_segment = cx_supervoxel_graph_segment_of(
            painting->project->graph, supervoxel);
    }
    return painting->last_segment;
}

static bool
may_change(Painting *painting, CxId supervoxel)
{
    const CxPaintRule *rule = painting->rule;
    CxId segment = segment_of(painting, supervoxel);

    if (rule->erase &&
        (segment == 0 || (rule->segment != 0 && segment != rule->segment)))
        return false;
    if (!rule->erase && rule->segment != 0 && segment == rule->segment)
        return false;
    switch ((int)rule->over) {
    case CX_PAINT_OVER_BACKGROUND:
        return rule->erase || segment == 0;
    case CX_PAINT_OVER_SEGMENT:
        return segment == rule->over_segment;
    default:
        return true;
    }
}

/* Keeps the parts of a run that the rule allows. */
static bool
sift_run(Painting *painting, CxRun run, GError **error)
{
    CxRun kept = {run.at, 0};

    for (int64_t i = 0; i <= run.n; i++) {
        CxVoxel at = {run.at.x + i, run.at.y, run.at.z};
        CxId id = 0;
        bool take = false;

        if (i < run.n) {
            if (!cx_voxel_draft_get(painting->draft, at, &id, error))
                return false;
            take = may_change(painting, id);
        }
        if (take) {
            kept.at = kept.n == 0 ? at : kept.at;
            kept.n++;
        } else if (kept.n > 0) {
            g_array_append_val(painting->runs, kept);
            kept.n = 0;
        }
    }
    return true;
}

static bool
touch(Painting *painting, CxVoxel at, GError **error)
{
    CxId id;

    if (!cx_voxel_draft_get(painting->draft, at, &id, error))
        return false;
    if (id != 0 && segment_of(painting, id) == painting->rule->segment)
        *cx_hash64_at(painting->touched, id, 0, NULL) += 1;
    return true;
}

/* Faces between what is painted and supervoxels of the segment. */
static bool
touch_run(Painting *painting, CxRun run, GError **error)
{
    CxVoxel v = run.at;

    if (!touch(painting, (CxVoxel){v.x - 1, v.y, v.z}, error) ||
        !touch(painting, (CxVoxel){v.x + run.n, v.y, v.z}, error))
        return false;
    for (int64_t i = 0; i < run.n; i++, v.x++) {
        if (!touch(painting, (CxVoxel){v.x, v.y - 1, v.z}, error) ||
            !touch(painting, (CxVoxel){v.x, v.y + 1, v.z}, error) ||
            !touch(painting, (CxVoxel){v.x, v.y, v.z - 1}, error) ||
            !touch(painting, (CxVoxel){v.x, v.y, v.z + 1}, error))
            return false;
    }
    return true;
}

/* The supervoxel with the most faces; 0 if nothing is touched. */
static bool
find_touched(Painting *painting, CxId *best, GError **error)
{
    size_t cursor = 0;
    uint64_t id, n, most = 0;

    *best = 0;
    for (guint i = 0; i < painting->runs->len; i++) {
        if (!touch_run(painting, g_array_index(painting->runs, CxRun, i),
                       error))
            return false;
    }
    while (cx_hash64_next(painting->touched, &cursor, &id, &n)) {
        if (n > most || (n == most && id < *best)) {
            most = n;
            *best = id;
        }
    }
    return true;
}

static int64_t
gap(int64_t at, int64_t lo, int64_t hi)
{
    return MAX(MAX(lo - at, at - hi + 1), 0);
}

/* The member whose bounds are nearest to a voxel. */
static CxId
nearest_member(CxProject *project, CxId segment, CxVoxel at)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(project->graph, segment);
    CxNm nm = project->note.voxel_nm;
    double least = 0;
    CxId best = 0;

    for (guint i = 0; members != NULL && i < members->len; i++) {
        const CxSupervoxel *m = &g_array_index(members, CxSupervoxel, i);
        double x = (double)gap(at.x, m->box.lo.x, m->box.hi.x) * nm.x;
        double y = (double)gap(at.y, m->box.lo.y, m->box.hi.y) * nm.y;
        double z = (double)gap(at.z, m->box.lo.z, m->box.hi.z) * nm.z;
        double distance = x * x + y * y + z * z;

        if (best == 0 || distance < least) {
            best = m->id;
            least = distance;
        }
    }
    return best;
}

/* The supervoxel that gets the voxels; made if need be, with a link to its
 * segment. */
static bool
choose_supervoxel(Painting *painting, CxEdit *edit, CxId *id, GError **error)
{
    CxProject *project = painting->project;
    CxId segment = painting->rule->segment;

    *id = 0;
    if (painting->rule->erase)
        return true;
    if (segment != 0 && !find_touched(painting, id, error))
        return false;
    if (*id != 0)
        return true;
    *id = cx_project_next_id(project);
    cx_voxel_draft_add_new(painting->draft, *id, segment != 0 ? segment : *id,
                           0);
    if (segment != 0 && painting->runs->len > 0) {
        edit->link_a = *id;
        edit->link_b = nearest_member(
            project, segment, g_array_index(painting->runs, CxRun, 0).at);
    }
    return true;
}

static bool
put_runs(Painting *painting, CxId id, uint64_t *n_voxels, GError **error)
{
    for (guint i = 0; i < painting->runs->len; i++) {
        CxRun run = g_array_index(painting->runs, CxRun, i);

        if (!cx_voxel_draft_set(painting->draft, run.at, run.n, id, error))
            return false;
        *n_voxels += (uint64_t)run.n;
    }
    return true;
}

bool
cx_paint_into(CxProject *project, CxVoxelDraft *draft, CxEdit *edit,
              const CxPaintRule *rule, const CxRun *runs, size_t n_runs,
              CxPainted *painted, CxJob *job, GError **error)
{
    g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(CxRun));
    g_autoptr(CxHash64) touched = cx_hash64_new(16);
    Painting painting = {
        .project = project,
        .rule = rule,
        .draft = draft,
        .runs = kept,
        .touched = touched,
        .job = job,
    };
    CxId id;

    for (size_t i = 0; i < n_runs; i++) {
        if ((i % 4096 == 0 && !cx_job_check(job, error)) ||
            !sift_run(&painting, runs[i], error))
            return false;
    }
    if (!choose_supervoxel(&painting, edit, &id, error) ||
        !put_runs(&painting, id, &painted->n_voxels, error))
        return false;
    if (kept->len > 0) {
        CxRun middle = g_array_index(kept, CxRun, kept->len / 2);

        painted->at =
            (CxVoxel){middle.at.x + middle.n / 2, middle.at.y, middle.at.z};
        painted->segment = rule->segment != 0 ? rule->segment : id;
    }
    return true;
}

bool
cx_paint_check_rule(CxProject *project, const CxPaintRule *rule, GError **error)
{
    return rule->segment == 0 ||
           (cx_project_find_segment(project, rule->segment, NULL, error) &&
            cx_project_check_unlocked(project, rule->segment, error));
}

static CxEdit *
paint_runs(CxProject *project, const CxPaintRule *rule, const CxRun *runs,
           size_t n_runs, const char *what, CxJob *job, GError **error)
{
    g_autoptr(CxVoxelDraft) draft = cx_voxel_draft_new(project);
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_PAINT);
    CxPainted painted = {0};

    if (!cx_paint_check_rule(project, rule, error) ||
        !cx_paint_into(project, draft, edit, rule, runs, n_runs, &painted, job,
                       error))
        return NULL;
    edit->at = painted.at;
    edit->sentence =
        rule->erase ? g_strdup_printf("%s: erased %" G_GUINT64_FORMAT " voxels",
                                      what, painted.n_voxels)
                    : g_strdup_printf("%s: %" G_GUINT64_FORMAT
                                      " voxels for %" G_GUINT64_FORMAT,
                                      what, painted.n_voxels, painted.segment);
    return cx_project_commit_draft(project, edit, draft, job, error)
               ? g_steal_pointer(&edit)
               : NULL;
}

CxEdit *
cx_project_paint_runs(CxProject *project, const CxPaintRule *rule,
                      const CxRun *runs, size_t n_runs, const char *what,
                      CxJob *job, GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxId next_before = project->next_segment;
    CxEdit *edit = paint_runs(project, rule, runs, n_runs, what, job, error);

    if (edit == NULL)
        project->next_segment = next_before;
    g_mutex_unlock(&project->edit_lock);
    return edit;
}

/* The brush. */

typedef struct {
    CxNm nm;
    CxPlane plane;
    double radius;
    CxBox bounds;
    GArray *runs;
} Brush;

static CxNm
place_of(const Brush *brush, CxVoxel v)
{
    return (CxNm){(double)v.x * brush->nm.x, (double)v.y * brush->nm.y,
                  (double)v.z * brush->nm.z};
}

/* Squared distance from a point to the line from a to b. */
static double
distance_to_line(CxNm p, CxNm a, CxNm b)
{
    CxNm d = {b.x - a.x, b.y - a.y, b.z - a.z};
    double length = d.x * d.x + d.y * d.y + d.z * d.z;
    double t =
        length > 0
            ? ((p.x - a.x) * d.x + (p.y - a.y) * d.y + (p.z - a.z) * d.z) /
                  length
            : 0;

    t = CLAMP(t, 0, 1);
    double x = p.x - a.x - t * d.x, y = p.y - a.y - t * d.y,
           z = p.z - a.z - t * d.z;

    return x * x + y * y + z * z;
}

static CxBox
box_around(const Brush *brush, CxVoxel a, CxVoxel b)
{
    double r = brush->radius;
    CxVoxel by = {(int64_t)(r / brush->nm.x) + 1,
                  (int64_t)(r / brush->nm.y) + 1,
                  (int64_t)(r / brush->nm.z) + 1};
    CxBox box = {{MIN(a.x, b.x), MIN(a.y, b.y), MIN(a.z, b.z)},
                 {MAX(a.x, b.x) + 1, MAX(a.y, b.y) + 1, MAX(a.z, b.z) + 1}};

    by.z = brush->plane == CX_PLANE_XY ? 0 : by.z;
    by.y = brush->plane == CX_PLANE_XZ ? 0 : by.y;
    by.x = brush->plane == CX_PLANE_YZ ? 0 : by.x;
    return cx_box_intersect(cx_box_grow(box, by), brush->bounds);
}

/* A little more than the radius: a brush of one voxel paints that voxel. */
static void
sweep(Brush *brush, CxVoxel a, CxVoxel b)
{
    CxBox box = box_around(brush, a, b);
    CxNm from = place_of(brush, a), to = place_of(brush, b);
    double limit = brush->radius * brush->radius * (1 + 1e-9);
    CxVoxel v;

    for (v.z = box.lo.z; v.z < box.hi.z; v.z++) {
        for (v.y = box.lo.y; v.y < box.hi.y; v.y++) {
            CxRun run = {{0, v.y, v.z}, 0};

            for (v.x = box.lo.x; v.x < box.hi.x; v.x++) {
                if (distance_to_line(place_of(brush, v), from, to) > limit)
                    continue;
                run.at.x = run.n == 0 ? v.x : run.at.x;
                run.n = v.x + 1 - run.at.x;
            }
            if (run.n > 0)
                g_array_append_val(brush->runs, run);
        }
    }
}

static int
compare_runs(const void *a, const void *b)
{
    const CxRun *left = a, *right = b;

    if (left->at.z != right->at.z)
        return left->at.z < right->at.z ? -1 : 1;
    if (left->at.y != right->at.y)
        return left->at.y < right->at.y ? -1 : 1;
    return left->at.x < right->at.x ? -1 : left->at.x > right->at.x;
}

void
cx_paint_join_runs(GArray *runs)
{
    guint n = 0;

    g_array_sort(runs, compare_runs);
    for (guint i = 0; i < runs->len; i++) {
        CxRun run = g_array_index(runs, CxRun, i);
        CxRun *last = n > 0 ? &g_array_index(runs, CxRun, n - 1) : NULL;

        if (last != NULL && last->at.z == run.at.z && last->at.y == run.at.y &&
            last->at.x + last->n >= run.at.x)
            last->n = MAX(last->n, run.at.x + run.n - last->at.x);
        else
            g_array_index(runs, CxRun, n++) = run;
    }
    g_array_set_size(runs, n);
}

static CxVoxel
into_plane(CxPlane plane, CxVoxel first, CxVoxel v)
{
    v.z = plane == CX_PLANE_XY ? first.z : v.z;
    v.y = plane == CX_PLANE_XZ ? first.y : v.y;
    v.x = plane == CX_PLANE_YZ ? first.x : v.x;
    return v;
}

GArray *
cx_stroke_runs(CxVoxel volume_size, CxNm voxel_nm, const CxVoxel *points,
               size_t n_points, double radius_nm, CxPlane plane)
{
    Brush brush = {
        .nm = voxel_nm,
        .plane = plane,
        .radius = MAX(radius_nm, 0),
        .bounds = cx_box_of_size(volume_size),
        .runs = g_array_new(FALSE, FALSE, sizeof(CxRun)),
    };

    for (size_t i = 0; i < n_points; i++) {
        CxVoxel a = into_plane(plane, points[0], points[i > 0 ? i - 1 : 0]);
        CxVoxel b = into_plane(plane, points[0], points[i]);

        if (i > 0 || n_points == 1)
            sweep(&brush, a, b);
    }
    cx_paint_join_runs(brush.runs);
    return brush.runs;
}

CxEdit *
cx_project_paint(CxProject *project, const CxPaintRule *rule,
                 const CxVoxel *points, size_t n_points, double radius_nm,
                 CxPlane plane, CxJob *job, GError **error)
{
    if (n_points == 0 || !(radius_nm >= 0) || radius_nm > 1e7) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a stroke of %" G_GSIZE_FORMAT " points and a radius of "
                    "%g nm cannot be painted: expected a point or more and 0 "
                    "to 10^7 nm",
                    n_points, radius_nm);
        return NULL;
    }
    g_autoptr(GArray) runs =
        cx_stroke_runs(project->note.size, project->note.voxel_nm, points,
                       n_points, radius_nm, plane);

    return cx_project_paint_runs(
        project, rule, (const CxRun *)(const void *)runs->data, runs->len,
        rule->erase ? "Eraser" : "Brush", job, error);
}
