/* A project: supervoxels taken out of their segment, a segment cut along a
 * drawn curve.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/union_find.h"
#include "core/proofread/divide.h"
#include "core/proofread/paint_private.h"

#include <math.h>
#include <string.h>

static bool
find_supervoxel(CxProject *project, CxId id, CxSupervoxel *found, CxId *segment,
                CxSegment *whole, GError **error)
{
    if (!cx_supervoxel_graph_supervoxel(project->graph, id, found, segment)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no supervoxel %" G_GUINT64_FORMAT, id);
        return false;
    }
    if (!cx_project_find_segment(project, *segment, whole, error) ||
        !cx_project_check_unlocked(project, *segment, error))
        return false;
    if (whole->n_supervoxels > 1)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "segment %" G_GUINT64_FORMAT " is this one supervoxel; there "
                "is nothing to take it out of",
                *segment);
    return false;
}

static GArray *
one_id(CxId id)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));

    g_array_append_val(ids, id);
    return ids;
}

static CxEdit *
detach(CxProject *project, CxId supervoxel, GError **error)
{
    CxSupervoxel found;
    CxSegment whole;
    CxId segment;

    if (!find_supervoxel(project, supervoxel, &found, &segment, &whole, error))
        return NULL;
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_SPLIT);
    CxId new_id = cx_project_next_id(project);

    edit->at = found.inside;
    cx_edit_add_move(edit, segment, new_id, one_id(supervoxel));
    edit->sentence =
        g_strdup_printf("Detached %" G_GUINT64_FORMAT " from %" G_GUINT64_FORMAT
                        " as %" G_GUINT64_FORMAT,
                        supervoxel, segment, new_id);
    return cx_project_commit_edit(project, edit, error) ? g_steal_pointer(&edit)
                                                        : NULL;
}

/* Groups of the other members that hang together without the supervoxel. */

typedef struct {
    uint32_t root;
    uint64_t n_voxels;
    GArray *ids; /* of CxId */
} Group;

static void
clear_group(void *data)
{
    g_array_unref(((Group *)data)->ids);
}

static int
compare_groups(const void *a, const void *b)
{
    const Group *left = a, *right = b;

    if (left->n_voxels != right->n_voxels)
        return left->n_voxels > right->n_voxels ? -1 : 1;
    CxId first = g_array_index(left->ids, CxId, 0);
    CxId second = g_array_index(right->ids, CxId, 0);

    return first < second ? -1 : first > second;
}

static void
join_members(const GArray *members, const GArray *edges, CxId without,
             CxUnionFind *sets)
{
    g_autoptr(CxHash64) numbers = cx_hash64_new(members->len);

    for (guint i = 0; i < members->len; i++)
        cx_hash64_set(numbers, g_array_index(members, CxSupervoxel, i).id, i);
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);
        uint64_t a, b;

        if (edge->a != without && edge->b != without &&
            cx_hash64_get(numbers, edge->a, &a) &&
            cx_hash64_get(numbers, edge->b, &b))
            cx_union_find_join(sets, (uint32_t)a, (uint32_t)b);
    }
}

static GArray *
find_groups(const GArray *members, CxId without, CxUnionFind *sets)
{
    GArray *groups = g_array_new(FALSE, FALSE, sizeof(Group));
    g_autoptr(CxHash64) place_of = cx_hash64_new(64);

    g_array_set_clear_func(groups, clear_group);
    for (guint i = 0; i < members->len; i++) {
        const CxSupervoxel *m = &g_array_index(members, CxSupervoxel, i);
        uint32_t root = cx_union_find_root(sets, i);
        bool was_new;

        if (m->id == without)
            continue;
        uint64_t place =
            *cx_hash64_at(place_of, root + UINT64_C(1), groups->len, &was_new);

        if (was_new) {
            Group fresh = {root, 0, g_array_new(FALSE, FALSE, sizeof(CxId))};

            g_array_append_val(groups, fresh);
        }
        Group *group = &g_array_index(groups, Group, place);

        group->n_voxels += m->n_voxels;
        g_array_append_val(group->ids, m->id);
    }
    g_array_sort(groups, compare_groups);
    return groups;
}

/* The largest group keeps the segment's id. */
static CxEdit *
split_neighbours(CxProject *project, CxId supervoxel, GError **error)
{
    CxSupervoxel found;
    CxSegment whole;
    CxId segment;

    if (!find_supervoxel(project, supervoxel, &found, &segment, &whole, error))
        return NULL;
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(project->graph, segment);
    g_autoptr(GArray) edges =
        cx_supervoxel_graph_edges(project->graph, segment, false);
    CxUnionFind *sets = cx_union_find_new(members->len);

    join_members(members, edges, supervoxel, sets);
    g_autoptr(GArray) groups = find_groups(members, supervoxel, sets);

    cx_union_find_free(sets);
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_SPLIT);

    edit->at = found.inside;
    cx_edit_add_move(edit, segment, cx_project_next_id(project),
                     one_id(supervoxel));
    for (guint i = 1; i < groups->len; i++)
        cx_edit_add_move(edit, segment, cx_project_next_id(project),
                         g_array_copy(g_array_index(groups, Group, i).ids));
    edit->sentence =
        g_strdup_printf("Split %" G_GUINT64_FORMAT " around %" G_GUINT64_FORMAT
                        ": %u segments now",
                        segment, supervoxel, groups->len + 1);
    return cx_project_commit_edit(project, edit, error) ? g_steal_pointer(&edit)
                                                        : NULL;
}

typedef CxEdit *(*EditFunc)(CxProject *project, CxId supervoxel,
                            GError **error);

static CxEdit *
edit_locked(CxProject *project, CxId supervoxel, EditFunc func, GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxId next_before = project->next_segment;
    CxEdit *edit = func(project, supervoxel, error);

    if (edit == NULL)
        project->next_segment = next_before;
    g_mutex_unlock(&project->edit_lock);
    return edit;
}

CxEdit *
cx_project_detach(CxProject *project, CxId supervoxel, GError **error)
{
    return edit_locked(project, supervoxel, detach, error);
}

CxEdit *
cx_project_split_neighbours(CxProject *project, CxId supervoxel, GError **error)
{
    return edit_locked(project, supervoxel, split_neighbours, error);
}

/* A curve drawn in a plane, extruded along its normal. */

typedef struct {
    CxProject *project;
    CxVoxelDraft *draft;
    CxPlane plane;
    CxBox box;
    int64_t n_u;
    uint8_t *left; /* by place in the plane: 1 left of the curve */
    CxHash64 *counts[2];
    CxHash64 *fresh;         /* supervoxel → id of its smaller part */
    CxHash64 *fresh_is_left; /* and on which side that lies */
    CxJob *job;
} Curve;

static void
place_in_plane(CxPlane plane, CxVoxel v, int64_t *u, int64_t *w)
{
    *u = plane == CX_PLANE_YZ ? v.y : v.x;
    *w = plane == CX_PLANE_XY ? v.y : v.z;
}

/* Which side of the nearest piece of the curve a place lies on; the first and
 * the last piece go on for ever.  In nanometres. */
static bool
is_left(const double (*points)[2], size_t n, double u, double w)
{
    double best = INFINITY;
    bool left = false;

    for (size_t i = 0; i + 1 < n; i++) {
        double du = points[i + 1][0] - points[i][0];
        double dw = points[i + 1][1] - points[i][1];
        double pu = u - points[i][0], pw = w - points[i][1];
        double length = du * du + dw * dw;

        if (!(length > 0))
            continue;
        double t = (pu * du + pw * dw) / length;

        t = i > 0 ? MAX(t, 0) : t;
        t = i + 2 < n ? MIN(t, 1) : t;
        double eu = pu - t * du, ew = pw - t * dw;
        double distance = eu * eu + ew * ew;

        /* At a bend the pieces are equally near: the one that is met more
         * squarely decides. */
        double cross = du * pw - dw * pu;
        distance -= 1e-9 * cross * cross / length;
        if (distance < best) {
            best = distance;
            left = cross > 0;
        }
    }
    return left;
}

static void
mark_sides(Curve *curve, const CxVoxel *points, size_t n)
{
    CxNm nm = curve->project->note.voxel_nm;
    double step_u = curve->plane == CX_PLANE_YZ ? nm.y : nm.x;
    double step_w = curve->plane == CX_PLANE_XY ? nm.y : nm.z;
    g_autofree double(*at)[2] = g_malloc0_n(n, sizeof *at);
    int64_t lo_u, lo_w, hi_u, hi_w, u, w;

    for (size_t i = 0; i < n; i++) {
        place_in_plane(curve->plane, points[i], &u, &w);
        at[i][0] = (double)u * step_u;
        at[i][1] = (double)w * step_w;
    }
    place_in_plane(curve->plane, curve->box.lo, &lo_u, &lo_w);
    place_in_plane(curve->plane, curve->box.hi, &hi_u, &hi_w);
    for (w = lo_w; w < hi_w; w++) {
        for (u = lo_u; u < hi_u; u++)
            curve->left[(w - lo_w) * curve->n_u + u - lo_u] =
                is_left((const double(*)[2])at, n, (double)u * step_u,
                        (double)w * step_w);
    }
}

static bool
side_of(const Curve *curve, CxVoxel v)
{
    int64_t u, w, lo_u, lo_w;

    place_in_plane(curve->plane, v, &u, &w);
    place_in_plane(curve->plane, curve->box.lo, &lo_u, &lo_w);
    return curve->left[(w - lo_w) * curve->n_u + u - lo_u] != 0;
}

/* Counts the voxels of the members on each side in one block of the box, or
 * gives those of the smaller part of a divided one their new id. */
static bool
visit_block(Curve *curve, CxBox block, bool write, GError **error)
{
    g_autoptr(CxChunk) labels = cx_voxel_draft_read(curve->draft, block, error);
    CxId *ids = labels != NULL ? cx_chunk_data_mut(labels) : NULL;
    CxVoxel v;
    size_t i = 0;

    for (v.z = block.lo.z; ids != NULL && v.z < block.hi.z; v.z++) {
        for (v.y = block.lo.y; v.y < block.hi.y; v.y++) {
            for (v.x = block.lo.x; v.x < block.hi.x; v.x++, i++) {
                bool left = side_of(curve, v);
                uint64_t fresh, is_left_part = 0;

                if (ids[i] == 0)
                    continue;
                if (!write) {
                    uint64_t none;

                    if (cx_hash64_get(curve->counts[0], ids[i], &none))
                        *cx_hash64_at(curve->counts[left], ids[i], 0, NULL) +=
                            1;
                    continue;
                }
                cx_hash64_get(curve->fresh_is_left, ids[i], &is_left_part);
                if (cx_hash64_get(curve->fresh, ids[i], &fresh) &&
                    left == (is_left_part != 0))
                    ids[i] = fresh;
            }
        }
    }
    return labels != NULL &&
           (!write || cx_voxel_draft_write(curve->draft, labels, error));
}

static bool
visit(Curve *curve, bool write, GError **error)
{
    const CxVoxel side = {CX_STORE_SIDE, CX_STORE_SIDE, CX_STORE_SIDE};
    CxBox chunks = cx_box_chunks(curve->box, side);
    CxChunkIdx i;

    for (i.z = chunks.lo.z; i.z < chunks.hi.z; i.z++) {
        for (i.y = chunks.lo.y; i.y < chunks.hi.y; i.y++) {
            for (i.x = chunks.lo.x; i.x < chunks.hi.x; i.x++) {
                CxBox block = cx_chunk_box_clipped(i, side, curve->box);

                block = cx_box_intersect(block, curve->box);
                if (!cx_job_check(curve->job, error) ||
                    !visit_block(curve, block, write, error))
                    return false;
            }
        }
    }
    return true;
}

/* Decides for each member; the ids of each side, and its voxels. */
static void
assign_members(Curve *curve, CxId segment, const GArray *members,
               GArray *sides[2], uint64_t n_voxels[2])
{
    for (guint i = 0; i < members->len; i++) {
        CxId id = g_array_index(members, CxSupervoxel, i).id;
        uint64_t n[2] = {0, 0};

        for (int k = 0; k < 2; k++) {
            cx_hash64_get(curve->counts[k], id, &n[k]);
            n_voxels[k] += n[k];
        }
        bool keeps = n[1] > n[0];

        g_array_append_val(sides[keeps], id);
        if (n[0] == 0 || n[1] == 0)
            continue;
        CxId fresh = cx_project_next_id(curve->project);

        g_array_append_val(sides[!keeps], fresh);
        cx_hash64_set(curve->fresh, id, fresh);
        cx_hash64_set(curve->fresh_is_left, id, !keeps);
        cx_voxel_draft_add_new(curve->draft, fresh, segment, id);
    }
}

static CxEdit *
commit_curve(Curve *curve, CxId segment, CxVoxel at, GArray *leavers,
             GError **error)
{
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_SPLIT);
    CxId new_id = cx_project_next_id(curve->project);
    bool divides = cx_hash64_size(curve->fresh) > 0;

    edit->at = at;
    edit->sentence = g_strdup_printf(
        "Cut %" G_GUINT64_FORMAT " along a curve: %u piece%s became "
        "%" G_GUINT64_FORMAT,
        segment, leavers->len, leavers->len == 1 ? "" : "s", new_id);
    cx_edit_add_move(edit, segment, new_id, g_array_ref(leavers));
    bool ok = divides
                  ? visit(curve, true, error) &&
                        cx_project_commit_draft(curve->project, edit,
                                                curve->draft, curve->job, error)
                  : cx_project_commit_edit(curve->project, edit, error);

    return ok ? g_steal_pointer(&edit) : NULL;
}

static CxEdit *
cut_curve(Curve *curve, CxId segment, const CxVoxel *points, size_t n,
          GError **error)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(curve->project->graph, segment);
    g_autoptr(GArray) right = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(CxId));
    GArray *sides[2] = {right, left};
    uint64_t n_voxels[2] = {0, 0};

    mark_sides(curve, points, n);
    for (guint i = 0; i < members->len; i++)
        cx_hash64_set(curve->counts[0],
                      g_array_index(members, CxSupervoxel, i).id, 0);
    if (!visit(curve, false, error))
        return NULL;
    assign_members(curve, segment, members, sides, n_voxels);
    if (n_voxels[0] == 0 || n_voxels[1] == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the curve does not cross segment %" G_GUINT64_FORMAT,
                    segment);
        return NULL;
    }
    return commit_curve(curve, segment, points[n / 2],
                        sides[n_voxels[1] <= n_voxels[0]], error);
}

static CxEdit *
cut_by_curve(CxProject *project, CxId segment, const CxVoxel *points, size_t n,
             CxPlane plane, CxJob *job, GError **error)
{
    CxSegment whole;
    int64_t lo_u, lo_w, hi_u, hi_w;

    if (!cx_project_find_segment(project, segment, &whole, error) ||
        !cx_project_check_unlocked(project, segment, error))
        return NULL;
    place_in_plane(plane, whole.box.lo, &lo_u, &lo_w);
    place_in_plane(plane, whole.box.hi, &hi_u, &hi_w);
    CX_AUTOFREE uint8_t *sides =
        cx_try_alloc((size_t)(hi_u - lo_u), (size_t)(hi_w - lo_w), error);
    g_autoptr(CxVoxelDraft) draft = cx_voxel_draft_new(project);
    g_autoptr(CxHash64) n_right = cx_hash64_new(64);
    g_autoptr(CxHash64) n_left = cx_hash64_new(64);
    g_autoptr(CxHash64) fresh = cx_hash64_new(64);
    g_autoptr(CxHash64) fresh_is_left = cx_hash64_new(64);
    Curve curve = {
        .project = project,
        .draft = draft,
        .plane = plane,
        .box = whole.box,
        .n_u = hi_u - lo_u,
        .left = sides,
        .counts = {n_right, n_left},
        .fresh = fresh,
        .fresh_is_left = fresh_is_left,
        .job = job,
    };

    return sides != NULL ? cut_curve(&curve, segment, points, n, error) : NULL;
}

/* Two different places in the plane, or there is no line. */
static bool
is_curve(const CxVoxel *points, size_t n, CxPlane plane)
{
    for (size_t i = 1; i < n && plane != CX_PLANE_3D; i++) {
        int64_t u, w, u0, w0;

        place_in_plane(plane, points[0], &u0, &w0);
        place_in_plane(plane, points[i], &u, &w);
        if (u != u0 || w != w0)
            return true;
    }
    return false;
}

CxEdit *
cx_project_cut_by_curve(CxProject *project, CxId segment, const CxVoxel *points,
                        size_t n_points, CxPlane plane, CxJob *job,
                        GError **error)
{
    if (!is_curve(points, n_points, plane)) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "a cut needs a curve of two points or more in one "
                            "of the planes xy, xz, yz");
        return NULL;
    }
    g_mutex_lock(&project->edit_lock);
    CxId next_before = project->next_segment;
    CxEdit *edit =
        cut_by_curve(project, segment, points, n_points, plane, job, error);

    if (edit == NULL)
        project->next_segment = next_before;
    g_mutex_unlock(&project->edit_lock);
    return edit;
}
