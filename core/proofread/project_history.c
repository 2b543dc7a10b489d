/* A project: the log, undo, redo, replay.
 *
 * The history is a tree: every edit knows the one on top of which it was made.
 * The head is a place in the tree; what is done is the way from the root to
 * it.  Undo steps to the parent, redo to the newest child, a new edit grows a
 * new branch.  Nothing is removed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

#include <string.h>

/* Edits read at once while replaying. */
#define PAGE 1024

static CxHistoryNode *
node_at(CxProject *project, int64_t sequence)
{
    return &g_array_index(project->history, CxHistoryNode, sequence);
}

static int64_t
n_edits(CxProject *project)
{
    return (int64_t)project->history->len - 1;
}

bool
cx_project_is_done(CxProject *project, int64_t sequence)
{
    g_mutex_lock(&project->history_lock);
    bool is_done = sequence > 0 && sequence <= n_edits(project) &&
                   node_at(project, sequence)->is_done;

    g_mutex_unlock(&project->history_lock);
    return is_done;
}

bool
cx_project_is_below(CxProject *project, int64_t sequence, int64_t tip)
{
    g_mutex_lock(&project->history_lock);
    while (tip > sequence)
        tip = node_at(project, tip)->parent;
    g_mutex_unlock(&project->history_lock);
    return tip == sequence;
}

/* What an edit changes besides the graph. */
static void
carry_out_marks(CxProject *project, const CxEdit *edit, bool inverse)
{
    const char *text = inverse ? edit->old_text : edit->text;

    g_mutex_lock(&project->history_lock);
    if (edit->kind == CX_EDIT_NOTE && text != NULL)
        g_hash_table_replace(project->notes,
                             g_memdup2(&edit->segment, sizeof(CxId)),
                             g_strdup(text));
    else if (edit->kind == CX_EDIT_NOTE)
        g_hash_table_remove(project->notes, &edit->segment);
    else if (edit->kind == CX_EDIT_LOCK && edit->locked != inverse)
        cx_hash64_set(project->locked, edit->segment, 1);
    else if (edit->kind == CX_EDIT_LOCK)
        cx_hash64_remove(project->locked, edit->segment);
    g_mutex_unlock(&project->history_lock);
}

static void
carry_out(CxProject *project, const CxEdit *edit, bool inverse)
{
    cx_supervoxel_graph_apply(project->graph, edit, inverse);
    carry_out_marks(project, edit, inverse);
    cx_project_carry_out_annotation(project, edit, inverse);
    if (edit->patch != NULL)
        cx_project_drop_chunks(project, edit->box);
    cx_project_note_change(project);
}

static void
note_edited(CxProject *project, const CxEdit *edit)
{
    g_autoptr(GArray) segments = cx_edit_segments(edit);

    cx_project_note_annotation(project, edit);
    g_mutex_lock(&project->history_lock);
    for (guint i = 0; i < segments->len; i++)
        cx_hash64_set(project->edited, g_array_index(segments, CxId, i), 1);
    g_mutex_unlock(&project->history_lock);
}

bool
cx_project_is_edited(CxProject *project, CxId segment)
{
    g_mutex_lock(&project->history_lock);
    bool is = cx_hash64_get(project->edited, segment, NULL);

    g_mutex_unlock(&project->history_lock);
    return is;
}

void
cx_project_note_change(CxProject *project)
{
    g_mutex_lock(&project->history_lock);
    project->n_changes++;
    g_mutex_unlock(&project->history_lock);
}

uint64_t
cx_project_n_changes(CxProject *project)
{
    g_mutex_lock(&project->history_lock);
    uint64_t n = project->n_changes;

    g_mutex_unlock(&project->history_lock);
    return n;
}

/* With history_lock held. */
static void
append_node(CxProject *project, int64_t parent)
{
    CxHistoryNode node = {.parent = parent};

    node_at(project, parent)->newest_child = (int64_t)project->history->len;
    g_array_append_val(project->history, node);
}

/* Loading. */

static bool
load_nodes(CxProject *project, GError **error)
{
    g_autoptr(GPtrArray) edits =
        cx_journal_list_edits(project->journal, 1, G_MAXINT64, false, error);

    if (edits == NULL)
        return false;
    for (guint i = 0; i < edits->len; i++) {
        const CxEdit *edit = g_ptr_array_index(edits, i);

        if (edit->sequence != (int64_t)i + 1 || edit->parent < 0 ||
            edit->parent > (int64_t)i) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: the log is damaged: edit %u is number "
                        "%" G_GINT64_FORMAT " on top of %" G_GINT64_FORMAT,
                        project->path, i + 1, edit->sequence, edit->parent);
            return false;
        }
        append_node(project, edit->parent);
    }
    if (!cx_journal_get_head(project->journal, &project->head, error))
        return false;
    if (project->head >= 0 && project->head <= n_edits(project)) {
        for (int64_t at = project->head; at > 0;
             at = node_at(project, at)->parent)
            node_at(project, at)->is_done = true;
        return true;
    }
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the log is damaged: its head is edit %" G_GINT64_FORMAT
                " of %" G_GINT64_FORMAT,
                project->path, project->head, n_edits(project));
    return false;
}

/* For each edit by sequence: 0 superseded, 1 done, 2 can be redone. */
static GByteArray *
mark_edits(CxProject *project)
{
    GByteArray *marks = g_byte_array_new();

    g_mutex_lock(&project->history_lock);
    g_byte_array_set_size(marks, project->history->len);
    memset(marks->data, 0, marks->len);
    for (int64_t at = project->head; at > 0; at = node_at(project, at)->parent)
        marks->data[at] = 1;
    for (int64_t at = node_at(project, project->head)->newest_child; at > 0;
         at = node_at(project, at)->newest_child)
        marks->data[at] = 2;
    g_mutex_unlock(&project->history_lock);
    return marks;
}

bool
cx_project_each_edit(CxProject *project, CxEditFunc func, void *user_data,
                     CxJob *job, GError **error)
{
    g_autoptr(GByteArray) marks = mark_edits(project);
    int64_t n = (int64_t)marks->len - 1;

    for (int64_t first = 1; first <= n; first += PAGE) {
        g_autoptr(GPtrArray) edits = cx_journal_list_edits(
            project->journal, first, MIN(first + PAGE - 1, n), true, error);

        if (edits == NULL ||
            !cx_job_step(job, (uint64_t)first, (uint64_t)n, error))
            return false;
        for (guint i = 0; i < edits->len; i++) {
            const CxEdit *edit = g_ptr_array_index(edits, i);

            func(edit, marks->data[edit->sequence] == 1, user_data);
        }
    }
    return true;
}

static void
load_edit(const CxEdit *edit, bool is_done, void *user_data)
{
    CxProject *project = user_data;

    note_edited(project, edit);
    if (is_done)
        carry_out(project, edit, false);
}

bool
cx_project_load_history(CxProject *project, CxJob *job, GError **error)
{
    return load_nodes(project, error) &&
           cx_project_each_edit(project, load_edit, project, job, error);
}

/* Committing. */

static char *
dup_author(CxProject *project)
{
    char *author = cx_project_dup_text(project, "author");

    return author != NULL ? author : g_strdup(g_get_user_name());
}

static bool
write_overlays(CxProject *project, int64_t sequence, const GArray *overlays,
               GError **error)
{
    for (guint i = 0; overlays != NULL && i < overlays->len; i++) {
        const CxEncodedChunk *chunk =
            &g_array_index(overlays, CxEncodedChunk, i);

        if (!cx_journal_put_overlay(project->journal, chunk->index, sequence,
                                    chunk->data, error))
            return false;
    }
    return true;
}

static bool
write_edit(CxProject *project, const CxEdit *edit, const GArray *overlays,
           GError **error)
{
    CxJournal *journal = project->journal;

    return cx_journal_add_edit(journal, edit, error) &&
           write_overlays(project, edit->sequence, overlays, error) &&
           cx_journal_add_step(journal, edit->sequence, edit->author,
                               edit->time_us, error) &&
           cx_journal_set_meta(journal, "next_segment",
                               (int64_t)project->next_segment, error);
}

bool
cx_project_commit_edit(CxProject *project, CxEdit *edit, GError **error)
{
    return cx_project_commit_voxels(project, edit, NULL, error);
}

bool
cx_project_commit_voxels(CxProject *project, CxEdit *edit,
                         const GArray *overlays, GError **error)
{
    g_mutex_lock(&project->history_lock);
    edit->sequence = n_edits(project) + 1;
    edit->parent = project->head;
    g_mutex_unlock(&project->history_lock);
    edit->time_us = g_get_real_time();
    edit->author = dup_author(project);

    if (!cx_journal_begin(project->journal, error))
        return false;
    if (!write_edit(project, edit, overlays, error)) {
        cx_journal_rollback(project->journal);
        return false;
    }
    if (!cx_journal_commit(project->journal, error))
        return false;

    g_mutex_lock(&project->history_lock);
    append_node(project, edit->parent);
    project->head = edit->sequence;
    node_at(project, project->head)->is_done = true;
    g_mutex_unlock(&project->history_lock);
    note_edited(project, edit);
    carry_out(project, edit, false);
    return true;
}

/* Undo and redo. */

static bool
commit_step(CxProject *project, int64_t head, GError **error)
{
    g_autofree char *author = dup_author(project);

    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_journal_add_step(project->journal, head, author, g_get_real_time(),
                            error))
        return cx_journal_commit(project->journal, error);
    cx_journal_rollback(project->journal);
    return false;
}

static CxEdit *
load_one(CxProject *project, int64_t sequence, GError **error)
{
    g_autoptr(GPtrArray) edits = cx_journal_list_edits(
        project->journal, sequence, sequence, true, error);

    if (edits == NULL)
        return NULL;
    if (edits->len == 1)
        return g_ptr_array_steal_index(edits, 0);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: edit %" G_GINT64_FORMAT " is missing from the log",
                project->path, sequence);
    return NULL;
}

/* Carries out or takes back one edit and moves the head. */
static CxEdit *
move_head(CxProject *project, int64_t sequence, int64_t new_head, bool inverse,
          GError **error)
{
    g_autoptr(CxEdit) edit = load_one(project, sequence, error);

    if (edit == NULL || !commit_step(project, new_head, error))
        return NULL;
    g_mutex_lock(&project->history_lock);
    project->head = new_head;
    node_at(project, sequence)->is_done = !inverse;
    g_mutex_unlock(&project->history_lock);
    carry_out(project, edit, inverse);
    edit->undone = inverse;
    return g_steal_pointer(&edit);
}

CxEdit *
cx_project_undo(CxProject *project, GError **error)
{
    CxEdit *edit = NULL;

    g_mutex_lock(&project->edit_lock);
    int64_t head = cx_project_head(project);

    if (head == 0)
        g_set_error_literal(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                            "there is nothing to undo");
    else
        edit = move_head(project, head, node_at(project, head)->parent, true,
                         error);
    g_mutex_unlock(&project->edit_lock);
    return edit;
}

CxEdit *
cx_project_redo(CxProject *project, GError **error)
{
    CxEdit *edit = NULL;

    g_mutex_lock(&project->edit_lock);
    int64_t next = node_at(project, cx_project_head(project))->newest_child;

    if (next == 0)
        g_set_error_literal(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                            "there is nothing to redo");
    else
        edit = move_head(project, next, next, false, error);
    g_mutex_unlock(&project->edit_lock);
    return edit;
}

int64_t
cx_project_head(CxProject *project)
{
    g_mutex_lock(&project->history_lock);
    int64_t head = project->head;

    g_mutex_unlock(&project->history_lock);
    return head;
}

int64_t
cx_project_n_edits(CxProject *project)
{
    g_mutex_lock(&project->history_lock);
    int64_t n = n_edits(project);

    g_mutex_unlock(&project->history_lock);
    return n;
}

GPtrArray *
cx_project_edits(CxProject *project, int64_t first, int64_t last,
                 bool with_moves, GError **error)
{
    GPtrArray *edits =
        cx_journal_list_edits(project->journal, first, last, with_moves, error);
    g_autoptr(GByteArray) marks = mark_edits(project);

    for (guint i = 0; edits != NULL && i < edits->len; i++) {
        CxEdit *edit = g_ptr_array_index(edits, i);
        uint8_t mark = edit->sequence < (int64_t)marks->len
                           ? marks->data[edit->sequence]
                           : 1;

        edit->undone = mark != 1;
        edit->superseded = mark == 0;
    }
    return edits;
}

char *
cx_project_dup_note(CxProject *project, CxId segment)
{
    g_mutex_lock(&project->history_lock);
    char *note = g_strdup(g_hash_table_lookup(project->notes, &segment));

    g_mutex_unlock(&project->history_lock);
    return note;
}

bool
cx_project_is_locked(CxProject *project, CxId segment)
{
    g_mutex_lock(&project->history_lock);
    bool locked = segment != 0 && cx_hash64_get(project->locked, segment, NULL);

    g_mutex_unlock(&project->history_lock);
    return locked;
}
