/* A project: changed voxels, committed, and as bytes for other projects.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"
#include "core/proofread/store_codec.h"
#include "core/proofread/voxel_draft.h"

#include <string.h>

/* Committing. */

static bool
check_locks(CxProject *project, const CxPatch *patch, GError **error)
{
    for (int side = 0; side < 2; side++) {
        const GArray *nodes = patch->nodes[side];

        for (guint i = 0; i < nodes->len; i++) {
            if (!cx_project_check_unlocked(
                    project, g_array_index(nodes, CxPatchNode, i).segment,
                    error))
                return false;
        }
    }
    return true;
}

bool
cx_project_commit_patch(CxProject *project, CxEdit *edit, CxVoxelDraft *draft,
                        CxPatch *patch, GError **error)
{
    cx_edit_take_patch(edit, patch);
    if (!check_locks(project, patch, error))
        return false;
    g_autoptr(GArray) overlays = cx_voxel_draft_encode(draft, error);

    return overlays != NULL &&
           cx_project_commit_voxels(project, edit, overlays, error);
}

static void
set_nothing_changes(const CxVoxelDraft *draft, GError **error)
{
    if (cx_voxel_draft_n_refused(draft) > 0)
        g_set_error_literal(
            error, CX_ERROR, CX_ERROR_INVALID,
            "nothing would change: the voxels lie where the volume is not "
            "segmented yet, or right beside");
    else
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "nothing would change");
}

bool
cx_project_commit_draft(CxProject *project, CxEdit *edit, CxVoxelDraft *draft,
                        CxJob *job, GError **error)
{
    GError *reason = NULL;
    CxPatch *patch = cx_voxel_draft_make_patch(draft, job, &reason);

    if (patch != NULL)
        return cx_project_commit_patch(project, edit, draft, patch, error);
    if (reason != NULL)
        g_propagate_error(error, reason);
    else
        set_nothing_changes(draft, error);
    return false;
}

/* Portable changes: runs along x of voxels that changed, and what they
 * became. */

typedef struct {
    CxVoxel at;
    int64_t n;
    CxId id;
} Run;

G_STATIC_ASSERT(sizeof(Run) == 40);

static void
append_row(CxVoxel at, int64_t n, const CxId *before, const CxId *after,
           GByteArray *out)
{
    for (int64_t i = 0; i < n;) {
        CxId former = before != NULL ? before[i] : 0;
        int64_t end = i + 1;

        if (former == after[i]) {
            i++;
            continue;
        }
        while (end < n && after[end] == after[i] &&
               (before != NULL ? before[end] : 0) != after[end])
            end++;
        Run run = {{at.x + i, at.y, at.z}, end - i, after[i]};

        g_byte_array_append(out, (const uint8_t *)&run, sizeof run);
        i = end;
    }
}

static void
append_runs(const CxChunk *before, const CxChunk *after, GByteArray *out)
{
    CxBox box = cx_chunk_box(after);
    const CxId *labels = cx_chunk_data(after);
    const CxId *former = before != NULL ? cx_chunk_data(before) : NULL;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            CxVoxel at = {box.lo.x, y, z};
            size_t offset = cx_box_offset(box, at);

            append_row(at, box.hi.x - box.lo.x,
                       former != NULL ? former + offset : NULL, labels + offset,
                       out);
        }
    }
}

GBytes *
cx_project_dup_changes(CxProject *project, const CxEdit *edit, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GArray) chunks =
        cx_journal_list_overlays(project->journal, edit->sequence, error);

    for (guint i = 0; chunks != NULL && i < chunks->len; i++) {
        CxChunkIdx index = g_array_index(chunks, CxChunkIdx, i);
        GError *reason = NULL;
        g_autoptr(CxChunk) before =
            cx_project_load_chunk_at(project, index, edit->parent, &reason);
        g_autoptr(CxChunk) after =
            reason == NULL ? cx_project_load_chunk_at(project, index,
                                                      edit->sequence, &reason)
                           : NULL;

        if (reason != NULL) {
            g_propagate_error(error, reason);
            return NULL;
        }
        if (after != NULL)
            append_runs(before, after, out);
    }
    return chunks != NULL ? cx_store_pack(out->data, out->len, error) : NULL;
}

static bool
put_changes(CxProject *project, CxVoxelDraft *draft, GBytes *packed,
            GError **error)
{
    gsize size;
    const void *data = g_bytes_get_data(packed, &size);
    g_autoptr(GBytes) raw = cx_store_unpack(data, size, error);

    if (raw == NULL)
        return false;
    const uint8_t *bytes = g_bytes_get_data(raw, &size);
    CxBox bounds = cx_project_bounds(project);

    for (gsize at = 0; at + sizeof(Run) <= size; at += sizeof(Run)) {
        Run run;

        memcpy(&run, bytes + at, sizeof run);
        if (!cx_box_contains(bounds, run.at) || run.n < 1 ||
            run.n > bounds.hi.x - run.at.x) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "a changed voxel %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                        ",%" G_GINT64_FORMAT " lies outside the volume",
                        run.at.x, run.at.y, run.at.z);
            return false;
        }
        if (!cx_voxel_draft_set(draft, run.at, run.n, run.id, error))
            return false;
    }
    return true;
}

/* The supervoxels must be as they were where the edit was made. */
static bool
check_former(CxProject *project, const CxPatch *patch, GError **error)
{
    const GArray *nodes = patch->nodes[CX_BEFORE];

    for (guint i = 0; i < nodes->len; i++) {
        const CxPatchNode *node = &g_array_index(nodes, CxPatchNode, i);
        CxSupervoxel found = {0};
        CxId segment = 0;

        if (cx_supervoxel_graph_supervoxel(project->graph, node->supervoxel.id,
                                           &found, &segment) &&
            segment == node->segment &&
            found.n_voxels == node->supervoxel.n_voxels)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "supervoxel %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT
                    " voxels in segment %" G_GUINT64_FORMAT
                    ", expected %" G_GUINT64_FORMAT " in %" G_GUINT64_FORMAT,
                    node->supervoxel.id, found.n_voxels, segment,
                    node->supervoxel.n_voxels, node->segment);
        return false;
    }
    return true;
}

static void
raise_next(CxProject *project, CxId id)
{
    if (id >= project->next_segment && id < UINT64_MAX)
        project->next_segment = id + 1;
}

/* Ids that appear must be free here. */
static bool
add_new_ids(CxProject *project, const CxPatch *patch, CxVoxelDraft *draft,
            GError **error)
{
    const GArray *nodes = patch->nodes[CX_AFTER];

    for (guint i = 0; i < nodes->len; i++) {
        const CxPatchNode *node = &g_array_index(nodes, CxPatchNode, i);
        CxId id = node->supervoxel.id;

        if (cx_patch_find(patch, CX_BEFORE, id) != NULL)
            continue;
        if (cx_supervoxel_graph_supervoxel(project->graph, id, NULL, NULL)) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "supervoxel %" G_GUINT64_FORMAT
                        " is there already, expected to be new",
                        id);
            return false;
        }
        raise_next(project, id);
        raise_next(project, node->segment);
        cx_voxel_draft_add_new(draft, id, node->segment, 0);
    }
    return true;
}

static bool
check_moves(CxProject *project, const CxEdit *foreign, GError **error)
{
    for (guint m = 0; m < foreign->moves->len; m++) {
        const CxMove *move = &g_array_index(foreign->moves, CxMove, m);

        raise_next(project, move->to);
        for (guint i = 0; i < move->supervoxels->len; i++) {
            CxId id = g_array_index(move->supervoxels, CxId, i);
            const CxPatchNode *node =
                cx_patch_find(foreign->patch, CX_AFTER, id);
            CxId found =
                node != NULL
                    ? node->segment
                    : cx_supervoxel_graph_segment_of(project->graph, id);

            if (!cx_project_check_leaves(move, id, found, error))
                return false;
        }
    }
    return true;
}

static bool
same_nodes(const CxPatch *a, const CxPatch *b)
{
    for (int side = 0; side < 2; side++) {
        const GArray *left = a->nodes[side], *right = b->nodes[side];

        if (left->len != right->len ||
            (left->len > 0 && memcmp(left->data, right->data,
                                     left->len * sizeof(CxPatchNode)) != 0))
            return false;
    }
    return true;
}

static bool
check_voxels(CxProject *project, const CxEdit *foreign, CxVoxelDraft *draft,
             GError **error)
{
    if (foreign->changes == NULL) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "the edit changed voxels, but they are not with "
                            "it");
        return false;
    }
    if (!check_former(project, foreign->patch, error) ||
        !add_new_ids(project, foreign->patch, draft, error) ||
        !check_moves(project, foreign, error) ||
        !put_changes(project, draft, foreign->changes, error))
        return false;
    GError *reason = NULL;
    g_autoptr(CxPatch) mine = cx_voxel_draft_make_patch(draft, NULL, &reason);

    if (reason != NULL) {
        g_propagate_error(error, reason);
        return false;
    }
    if (mine != NULL && same_nodes(mine, foreign->patch))
        return true;
    g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                        "the changed voxels do not give the supervoxels that "
                        "the edit names; the project has other labels");
    return false;
}

/* The patch is taken as it came, affinities and all: the image may be another
 * here, or missing. */
static CxPatch *
copy_patch(const CxPatch *patch)
{
    CxPatch *copy = cx_patch_new(patch->box);

    for (int side = 0; side < 2; side++) {
        g_array_append_vals(copy->nodes[side], patch->nodes[side]->data,
                            patch->nodes[side]->len);
        g_array_append_vals(copy->edges[side], patch->edges[side]->data,
                            patch->edges[side]->len);
    }
    return copy;
}

CxEdit *
cx_project_apply_voxels(CxProject *project, const CxEdit *foreign,
                        GError **error)
{
    g_autoptr(CxVoxelDraft) draft = cx_voxel_draft_new(project);
    g_autoptr(CxEdit) edit = cx_edit_new(foreign->kind);
    CxId next_before = project->next_segment;

    edit->at = foreign->at;
    edit->link_a = foreign->link_a;
    edit->link_b = foreign->link_b;
    edit->sentence = g_strdup(foreign->sentence);
    for (guint m = 0; m < foreign->moves->len; m++) {
        const CxMove *move = &g_array_index(foreign->moves, CxMove, m);

        cx_edit_add_move(edit, move->from, move->to,
                         g_array_copy(move->supervoxels));
    }
    if (check_voxels(project, foreign, draft, error) &&
        cx_project_commit_patch(project, edit, draft,
                                copy_patch(foreign->patch), error))
        return g_steal_pointer(&edit);
    project->next_segment = next_before;
    return NULL;
}
