/* A project: merge, note, lock, edits from elsewhere.
 *
 * Each edit is made ready, committed, and only then carried out in memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/proofread/project_private.h"

bool
cx_project_find_segment(CxProject *project, CxId id, CxSegment *segment,
                        GError **error)
{
    if (cx_supervoxel_graph_segment(project->graph, id, segment))
        return true;
    CxId holder = cx_supervoxel_graph_segment_of(project->graph, id);

    if (holder != 0)
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no segment %" G_GUINT64_FORMAT
                    "; supervoxel %" G_GUINT64_FORMAT
                    " is part of segment %" G_GUINT64_FORMAT,
                    id, id, holder);
    else
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no segment %" G_GUINT64_FORMAT, id);
    return false;
}

bool
cx_project_check_unlocked(CxProject *project, CxId segment, GError **error)
{
    if (!cx_project_is_locked(project, segment))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "segment %" G_GUINT64_FORMAT " is locked; unlock it first",
                segment);
    return false;
}

int
cx_project_compare_ids(const void *a, const void *b)
{
    CxId left = *(const CxId *)a, right = *(const CxId *)b;

    return left < right ? -1 : left > right;
}

GArray *
cx_project_ids_of(const GArray *supervoxels)
{
    GArray *ids =
        g_array_sized_new(FALSE, FALSE, sizeof(CxId), supervoxels->len);

    for (guint i = 0; i < supervoxels->len; i++)
        g_array_append_val(ids, g_array_index(supervoxels, CxSupervoxel, i).id);
    return ids;
}

/* Merge. */

/* Steps between two intervals; 0 if they touch. */
static int64_t
gap(int64_t a_lo, int64_t a_hi, int64_t b_lo, int64_t b_hi)
{
    return MAX(MAX(a_lo - b_hi, b_lo - a_hi), 0);
}

static double
box_distance(CxBox a, CxBox b, CxNm voxel_nm)
{
    double x = (double)gap(a.lo.x, a.hi.x, b.lo.x, b.hi.x) * voxel_nm.x;
    double y = (double)gap(a.lo.y, a.hi.y, b.lo.y, b.hi.y) * voxel_nm.y;
    double z = (double)gap(a.lo.z, a.hi.z, b.lo.z, b.hi.z) * voxel_nm.z;

    return x * x + y * y + z * z;
}

static const CxSupervoxel *
nearest_to(const GArray *supervoxels, CxBox box, CxNm voxel_nm)
{
    const CxSupervoxel *best = NULL;
    double best_distance = 0;

    for (guint i = 0; i < supervoxels->len; i++) {
        const CxSupervoxel *candidate =
            &g_array_index(supervoxels, CxSupervoxel, i);
        double distance = box_distance(candidate->box, box, voxel_nm);

        if (best == NULL || distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

/* Segments that do not touch get an edge between supervoxels close to each
 * other, near the place of the merge. */
static void
choose_link(CxProject *project, CxEdit *edit, const GArray *kept,
            const GArray *moved)
{
    CxNm nm = project->note.voxel_nm;
    CxBox at = {edit->at, {edit->at.x + 1, edit->at.y + 1, edit->at.z + 1}};
    const CxSupervoxel *b = nearest_to(moved, at, nm);
    const CxSupervoxel *a = nearest_to(kept, b->box, nm);

    edit->link_a = a->id;
    edit->link_b = nearest_to(moved, a->box, nm)->id;
}

static CxEdit *
merge(CxProject *project, CxId keep, CxId other, CxVoxel at, GError **error)
{
    if (!cx_project_find_segment(project, keep, NULL, error) ||
        !cx_project_find_segment(project, other, NULL, error) ||
        !cx_project_check_unlocked(project, keep, error) ||
        !cx_project_check_unlocked(project, other, error))
        return NULL;
    if (keep == other) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "segment %" G_GUINT64_FORMAT " cannot be merged with "
                    "itself",
                    keep);
        return NULL;
    }
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_MERGE);
    g_autoptr(GArray) moved =
        cx_supervoxel_graph_members(project->graph, other);

    edit->at = at;
    cx_edit_add_move(edit, other, keep, cx_project_ids_of(moved));
    if (!cx_supervoxel_graph_touch(project->graph, keep, other)) {
        g_autoptr(GArray) kept =
            cx_supervoxel_graph_members(project->graph, keep);

        choose_link(project, edit, kept, moved);
    }
    edit->sentence = g_strdup_printf(
        "Merged %" G_GUINT64_FORMAT " into %" G_GUINT64_FORMAT ", %u piece%s",
        other, keep, moved->len, moved->len == 1 ? "" : "s");
    if (!cx_project_commit_edit(project, edit, error))
        return NULL;
    return g_steal_pointer(&edit);
}

CxEdit *
cx_project_merge(CxProject *project, CxId keep, CxId other, CxVoxel at,
                 GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxEdit *edit = merge(project, keep, other, at, error);

    g_mutex_unlock(&project->edit_lock);
    return edit;
}

/* New ids. */

static bool
is_used(CxProject *project, CxId id)
{
    return id == 0 || cx_supervoxel_graph_segment_of(project->graph, id) != 0 ||
           cx_supervoxel_graph_segment(project->graph, id, NULL);
}

/* The counter only ever rises, so an id that was undone does not come back. */
CxId
cx_project_next_id(CxProject *project)
{
    while (is_used(project, project->next_segment))
        project->next_segment++;
    return project->next_segment++;
}

CxId
cx_project_take_new_id(CxProject *project)
{
    g_mutex_lock(&project->edit_lock);
    CxId id = cx_project_next_id(project);

    g_mutex_unlock(&project->edit_lock);
    return id;
}

/* Note and lock. */

static CxEdit *
note(CxProject *project, CxId segment, const char *text, GError **error)
{
    CxSegment found;

    if (!cx_project_find_segment(project, segment, &found, error))
        return NULL;
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_NOTE);

    edit->segment = segment;
    edit->at = found.inside;
    edit->text = text != NULL && *text != '\0' ? g_strdup(text) : NULL;
    edit->old_text = cx_project_dup_note(project, segment);
    edit->sentence =
        edit->text != NULL
            ? g_strdup_printf("Noted on %" G_GUINT64_FORMAT ": %s", segment,
                              edit->text)
            : g_strdup_printf("Removed the note on %" G_GUINT64_FORMAT,
                              segment);
    if (!cx_project_commit_edit(project, edit, error))
        return NULL;
    return g_steal_pointer(&edit);
}

CxEdit *
cx_project_set_note(CxProject *project, CxId segment, const char *text,
                    GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxEdit *edit = note(project, segment, text, error);

    g_mutex_unlock(&project->edit_lock);
    return edit;
}

static CxEdit *
set_locked(CxProject *project, CxId segment, bool locked, GError **error)
{
    CxSegment found;

    if (!cx_project_find_segment(project, segment, &found, error))
        return NULL;
    if (cx_project_is_locked(project, segment) == locked) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "segment %" G_GUINT64_FORMAT " is %s", segment,
                    locked ? "locked already" : "not locked");
        return NULL;
    }
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_LOCK);

    edit->segment = segment;
    edit->at = found.inside;
    edit->locked = locked;
    edit->sentence = g_strdup_printf("%s %" G_GUINT64_FORMAT,
                                     locked ? "Locked" : "Unlocked", segment);
    if (!cx_project_commit_edit(project, edit, error))
        return NULL;
    return g_steal_pointer(&edit);
}

CxEdit *
cx_project_set_locked(CxProject *project, CxId segment, bool locked,
                      GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxEdit *edit = set_locked(project, segment, locked, error);

    g_mutex_unlock(&project->edit_lock);
    return edit;
}

/* An edit from elsewhere. */

bool
cx_project_check_leaves(const CxMove *move, CxId id, CxId found, GError **error)
{
    if (found != 0 && found == move->from && move->to != 0)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "supervoxel %" G_GUINT64_FORMAT
                " is in segment %" G_GUINT64_FORMAT
                ", expected in %" G_GUINT64_FORMAT,
                id, found, move->from);
    return false;
}

static bool
check_move(CxProject *project, const CxMove *move, GError **error)
{
    if (!cx_project_check_unlocked(project, move->from, error) ||
        !cx_project_check_unlocked(project, move->to, error))
        return false;
    for (guint i = 0; i < move->supervoxels->len; i++) {
        CxId id = g_array_index(move->supervoxels, CxId, i);
        CxId found = cx_supervoxel_graph_segment_of(project->graph, id);

        if (!cx_project_check_leaves(move, id, found, error))
            return false;
    }
    return true;
}

static CxEdit *
apply_moves(CxProject *project, const CxEdit *foreign, GError **error)
{
    g_autoptr(CxEdit) edit = cx_edit_new(foreign->kind);
    CxId next_before = project->next_segment;

    edit->at = foreign->at;
    edit->link_a = foreign->link_a;
    edit->link_b = foreign->link_b;
    edit->sentence = g_strdup(foreign->sentence);
    for (guint m = 0; m < foreign->moves->len; m++) {
        const CxMove *move = &g_array_index(foreign->moves, CxMove, m);

        if (!check_move(project, move, error))
            return NULL;
        cx_edit_add_move(edit, move->from, move->to,
                         g_array_copy(move->supervoxels));
        if (move->to >= project->next_segment && move->to < UINT64_MAX)
            project->next_segment = move->to + 1;
    }
    if (cx_project_commit_edit(project, edit, error))
        return g_steal_pointer(&edit);
    project->next_segment = next_before;
    return NULL;
}

CxEdit *
cx_project_apply(CxProject *project, const CxEdit *edit, GError **error)
{
    CxEdit *applied = NULL;

    g_mutex_lock(&project->edit_lock);
    switch (edit->kind) {
    case CX_EDIT_MERGE:
    case CX_EDIT_SPLIT:
    case CX_EDIT_PAINT:
    case CX_EDIT_REVERT:
        applied = edit->patch != NULL
                      ? cx_project_apply_voxels(project, edit, error)
                      : apply_moves(project, edit, error);
        break;
    case CX_EDIT_ANNOTATE:
        applied = cx_project_apply_annotation(project, edit, error);
        break;
    case CX_EDIT_NOTE:
        applied = note(project, edit->segment, edit->text, error);
        break;
    case CX_EDIT_LOCK:
        applied = set_locked(project, edit->segment, edit->locked, error);
        break;
    default:
        g_warn_if_reached();
    }
    g_mutex_unlock(&project->edit_lock);
    return applied;
}
