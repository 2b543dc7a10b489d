/* A project: one segment as it was born.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/divide.h"
#include "core/proofread/project_private.h"

typedef struct {
    CxProject *project;
    CxId segment;
    CxSupervoxelGraph *born; /* the graph without any edit */
    CxVoxelDraft *draft;
    CxHash64 *revived; /* supervoxels that come back, registered */
    uint64_t n_voxels;
    CxVoxel at;
    CxJob *job;
} Revert;

static bool
was_born_into(const Revert *revert, CxId supervoxel)
{
    return supervoxel != 0 && cx_supervoxel_graph_segment_of(
                                  revert->born, supervoxel) == revert->segment;
}

/* True if a voxel that changed since belongs to the segment, then or now. */
static bool
is_concerned(const Revert *revert, CxId former, CxId now)
{
    return was_born_into(revert, former) ||
           (now != 0 && cx_supervoxel_graph_segment_of(revert->project->graph,
                                                       now) == revert->segment);
}

/* A supervoxel that is gone comes back into the segment it was born into. */
static void
revive(Revert *revert, CxId id)
{
    bool was_new;

    if (id == 0 ||
        cx_supervoxel_graph_supervoxel(revert->project->graph, id, NULL, NULL))
        return;
    cx_hash64_at(revert->revived, id, 1, &was_new);
    if (was_new)
        cx_voxel_draft_add_new(revert->draft, id,
                               cx_supervoxel_graph_segment_of(revert->born, id),
                               0);
}

static bool
revert_voxel(Revert *revert, CxVoxel v, CxId former, GError **error)
{
    revive(revert, former);
    if (revert->n_voxels++ == 0)
        revert->at = v;
    return cx_voxel_draft_set(revert->draft, v, 1, former, error);
}

static bool
revert_chunk(Revert *revert, CxChunkIdx index, GError **error)
{
    GError *reason = NULL;
    g_autoptr(CxChunk) base =
        cx_project_load_chunk_at(revert->project, index, 0, &reason);
    g_autoptr(CxChunk) now =
        reason == NULL ? cx_project_load_chunk(revert->project, index, &reason)
                       : NULL;

    if (reason != NULL) {
        g_propagate_error(error, reason);
        return false;
    }
    if (now == NULL)
        return true;
    CxBox box = cx_chunk_box(now);
    const CxId *labels = cx_chunk_data(now);
    const CxId *former = base != NULL ? cx_chunk_data(base) : NULL;
    CxVoxel v;
    size_t i = 0;

    for (v.z = box.lo.z; v.z < box.hi.z; v.z++) {
        for (v.y = box.lo.y; v.y < box.hi.y; v.y++) {
            for (v.x = box.lo.x; v.x < box.hi.x; v.x++, i++) {
                CxId was = former != NULL ? former[i] : 0;

                if (was != labels[i] && is_concerned(revert, was, labels[i]) &&
                    !revert_voxel(revert, v, was, error))
                    return false;
            }
        }
    }
    return true;
}

static bool
revert_voxels(Revert *revert, GError **error)
{
    g_autoptr(GArray) chunks =
        cx_journal_list_overlays(revert->project->journal, 0, error);

    for (guint i = 0; chunks != NULL && i < chunks->len; i++) {
        if (!cx_job_check(revert->job, error) ||
            !revert_chunk(revert, g_array_index(chunks, CxChunkIdx, i), error))
            return false;
    }
    return chunks != NULL;
}

/* Moves, gathered by where they come from and go to. */

static void
add_to_move(CxEdit *edit, CxId from, CxId to, CxId supervoxel)
{
    for (guint i = 0; i < edit->moves->len; i++) {
        CxMove *move = &g_array_index(edit->moves, CxMove, i);

        if (move->from == from && move->to == to) {
            g_array_append_val(move->supervoxels, supervoxel);
            return;
        }
    }
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));

    g_array_append_val(ids, supervoxel);
    cx_edit_add_move(edit, from, to, ids);
}

/* Those that were born into it come home; those that were not leave. */
static bool
add_moves(Revert *revert, const CxPatch *patch, CxEdit *edit, GError **error)
{
    CxSupervoxelGraph *graph = revert->project->graph;
    g_autoptr(GArray) home =
        cx_supervoxel_graph_members(revert->born, revert->segment);
    g_autoptr(GArray) now = cx_supervoxel_graph_members(graph, revert->segment);

    for (guint i = 0; i < home->len; i++) {
        CxId id = g_array_index(home, CxSupervoxel, i).id;
        CxId from = cx_supervoxel_graph_segment_of(graph, id);

        if (from == 0 || from == revert->segment)
            continue;
        if (!cx_project_check_unlocked(revert->project, from, error))
            return false;
        add_to_move(edit, from, revert->segment, id);
    }
    for (guint i = 0; now != NULL && i < now->len; i++) {
        CxId id = g_array_index(now, CxSupervoxel, i).id;
        CxId to = cx_supervoxel_graph_segment_of(revert->born, id);
        bool is_gone = patch != NULL &&
                       cx_patch_find(patch, CX_BEFORE, id) != NULL &&
                       cx_patch_find(patch, CX_AFTER, id) == NULL;

        if (to == revert->segment || to == 0 || is_gone)
            continue;
        if (!cx_project_check_unlocked(revert->project, to, error))
            return false;
        add_to_move(edit, revert->segment, to, id);
    }
    for (guint i = 0; i < edit->moves->len; i++)
        g_array_sort(g_array_index(edit->moves, CxMove, i).supervoxels,
                     cx_project_compare_ids);
    return true;
}

static CxEdit *
commit(Revert *revert, const CxSegment *born, GError **error)
{
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_REVERT);
    GError *reason = NULL;
    g_autoptr(CxPatch) patch =
        cx_voxel_draft_make_patch(revert->draft, revert->job, &reason);

    if (reason != NULL) {
        g_propagate_error(error, reason);
        return NULL;
    }
    if (!add_moves(revert, patch, edit, error))
        return NULL;
    if (patch == NULL && edit->moves->len == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "segment %" G_GUINT64_FORMAT " is as it was born",
                    revert->segment);
        return NULL;
    }
    edit->at = revert->n_voxels > 0 ? revert->at : born->inside;
    edit->sentence =
        g_strdup_printf("Reverted %" G_GUINT64_FORMAT ": %" G_GUINT64_FORMAT
                        " voxels, %u moves",
                        revert->segment, revert->n_voxels, edit->moves->len);
    bool ok =
        patch != NULL
            ? cx_project_commit_patch(revert->project, edit, revert->draft,
                                      g_steal_pointer(&patch), error)
            : cx_project_commit_edit(revert->project, edit, error);

    return ok ? g_steal_pointer(&edit) : NULL;
}

static CxEdit *
revert_segment(CxProject *project, CxId segment, CxJob *job, GError **error)
{
    g_autoptr(CxSupervoxelGraph) born = cx_supervoxel_graph_new();
    g_autoptr(CxVoxelDraft) draft = cx_voxel_draft_new(project);
    g_autoptr(CxHash64) revived = cx_hash64_new(16);
    Revert revert = {
        .project = project,
        .segment = segment,
        .born = born,
        .draft = draft,
        .revived = revived,
        .job = job,
    };
    CxSegment whole;

    if (!cx_project_check_unlocked(project, segment, error) ||
        !cx_project_replay_parts(project, born, job, error))
        return NULL;
    if (!cx_supervoxel_graph_segment(born, segment, &whole)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "nothing was born into segment %" G_GUINT64_FORMAT
                    "; only segments of the segmentation can be reverted",
                    segment);
        return NULL;
    }
    return revert_voxels(&revert, error) ? commit(&revert, &whole, error)
                                         : NULL;
}

CxEdit *
cx_project_revert_segment(CxProject *project, CxId segment, CxJob *job,
                          GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxEdit *edit = revert_segment(project, segment, job, error);

    g_mutex_unlock(&project->edit_lock);
    return edit;
}
