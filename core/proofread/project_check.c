/* A project: the full check.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

#include <string.h>

/* More sentences than this help nobody. */
#define MAX_PROBLEMS 100

static void add(GPtrArray *problems, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static void
add(GPtrArray *problems, const char *format, ...)
{
    va_list args;

    if (problems->len >= MAX_PROBLEMS)
        return;
    va_start(args, format);
    g_ptr_array_add(problems, g_strdup_vprintf(format, args));
    va_end(args);
}

/* Damage found on the way is a problem to report, not an error of the check;
 * anything else (no memory, cancelled) ends it. */
static bool
absorb(GPtrArray *problems, GError *reason, GError **error)
{
    if (reason->domain == CX_ERROR && reason->code == CX_ERROR_FORMAT) {
        add(problems, "%s", reason->message);
        g_error_free(reason);
        return true;
    }
    g_propagate_error(error, reason);
    return false;
}

/* Counts the voxels of each supervoxel in one chunk. */
static void
count_voxels(const CxChunk *chunk, CxHash64 *counts)
{
    const CxId *labels = cx_chunk_data(chunk);
    size_t n = cx_chunk_n_voxels(chunk), start = 0;

    for (size_t i = 1; i <= n; i++) {
        if (i < n && labels[i] == labels[start])
            continue;
        if (labels[start] != 0)
            *cx_hash64_at(counts, labels[start], 0, NULL) += i - start;
        start = i;
    }
}

static bool
check_chunks(CxProject *project, CxHash64 *counts, bool *whole,
             GPtrArray *problems, CxJob *job, GError **error)
{
    g_autoptr(GArray) chunks = cx_journal_list_chunks(project->journal, error);

    for (guint i = 0; chunks != NULL && i < chunks->len; i++) {
        CxChunkIdx index = g_array_index(chunks, CxChunkIdx, i);
        GError *reason = NULL;
        g_autoptr(CxChunk) chunk =
            cx_project_load_chunk(project, index, &reason);

        if (reason != NULL) {
            *whole = false;
            if (!absorb(problems, reason, error))
                return false;
        } else if (chunk != NULL) {
            count_voxels(chunk, counts);
        }
        if (!cx_job_step(job, i, chunks->len, error))
            return false;
    }
    return chunks != NULL;
}

/* Chunks of edits that are undone now are not met above: their bytes. */
static bool
check_overlays(CxProject *project, GPtrArray *problems, CxJob *job,
               GError **error)
{
    g_autoptr(GArray) chunks =
        cx_journal_list_overlays(project->journal, 0, error);
    bool has_stray;

    for (guint i = 0; chunks != NULL && i < chunks->len; i++) {
        CxChunkIdx index = g_array_index(chunks, CxChunkIdx, i);
        g_autoptr(GArray) edits =
            cx_journal_list_overlay_edits(project->journal, index, error);

        if (edits == NULL || !cx_job_check(job, error))
            return false;
        for (guint k = 0; k < edits->len; k++) {
            GError *reason = NULL;
            g_autoptr(CxChunk) chunk = cx_project_load_chunk_at(
                project, index, g_array_index(edits, int64_t, k), &reason);

            if (reason != NULL && !absorb(problems, reason, error))
                return false;
        }
    }
    if (chunks == NULL ||
        !cx_journal_has_stray_overlay(project->journal, &has_stray, error))
        return false;
    if (has_stray)
        add(problems, "there are changed voxels that belong to no edit");
    return true;
}

/* What the graph says of sizes must be what the labels hold. */
static void
compare_counts(const GArray *supervoxels, const CxHash64 *counts,
               GPtrArray *problems)
{
    for (guint i = 0; i < supervoxels->len; i++) {
        const CxSupervoxel *supervoxel =
            &g_array_index(supervoxels, CxSupervoxel, i);
        uint64_t found = 0;

        cx_hash64_get(counts, supervoxel->id, &found);
        if (found != supervoxel->n_voxels)
            add(problems,
                "supervoxel %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT
                " voxels in the labels, expected %" G_GUINT64_FORMAT,
                supervoxel->id, found, supervoxel->n_voxels);
    }
    if (cx_hash64_size(counts) > supervoxels->len)
        add(problems,
            "the labels hold %" G_GSIZE_FORMAT
            " supervoxels, the graph knows %u",
            cx_hash64_size(counts), supervoxels->len);
}

/* The log, replayed on a fresh graph, must give the present one. */
static void
compare_graphs(CxProject *project, CxSupervoxelGraph *replayed,
               const GArray *supervoxels, GPtrArray *problems)
{
    size_t n = cx_supervoxel_graph_n_supervoxels(replayed);

    if (n != supervoxels->len)
        add(problems,
            "the file holds %" G_GSIZE_FORMAT
            " supervoxels, the program shows %u",
            n, supervoxels->len);
    for (guint i = 0; i < supervoxels->len; i++) {
        CxId id = g_array_index(supervoxels, CxSupervoxel, i).id;
        CxId live = cx_supervoxel_graph_segment_of(project->graph, id);
        CxId stored = cx_supervoxel_graph_segment_of(replayed, id);

        if (live != stored)
            add(problems,
                "supervoxel %" G_GUINT64_FORMAT
                " is in segment %" G_GUINT64_FORMAT
                ", but the log puts it into %" G_GUINT64_FORMAT,
                id, live, stored);
    }
}

/* Edges too, exactly: both come from the same numbers in the same order. */
static void
compare_edges(CxProject *project, CxSupervoxelGraph *replayed,
              GPtrArray *problems)
{
    g_autoptr(GArray) live = cx_supervoxel_graph_all_edges(project->graph);
    g_autoptr(GArray) stored = cx_supervoxel_graph_all_edges(replayed);

    if (live->len != stored->len ||
        (live->len > 0 &&
         memcmp(live->data, stored->data, live->len * sizeof(CxEdge)) != 0))
        add(problems,
            "the file gives a graph of %u edges that differs from the %u the "
            "program shows",
            stored->len, live->len);
}

/* The supervoxels that a voxel edit changes must be as it found them. */
static void
check_patch(const CxEdit *edit, CxSupervoxelGraph *graph, GPtrArray *problems)
{
    const GArray *nodes =
        edit->patch != NULL ? edit->patch->nodes[CX_BEFORE] : NULL;

    for (guint i = 0; nodes != NULL && i < nodes->len; i++) {
        const CxPatchNode *node = &g_array_index(nodes, CxPatchNode, i);
        CxSupervoxel found = {0};
        CxId segment = 0;

        cx_supervoxel_graph_supervoxel(graph, node->supervoxel.id, &found,
                                       &segment);
        if (segment == node->segment &&
            found.n_voxels == node->supervoxel.n_voxels)
            continue;
        add(problems,
            "edit %" G_GINT64_FORMAT " changes supervoxel %" G_GUINT64_FORMAT
            ", which was not as it says",
            edit->sequence, node->supervoxel.id);
        return;
    }
}

/* Edits name supervoxels and segments as they were when the edit was made. */
static void
check_moves(const CxEdit *edit, CxSupervoxelGraph *graph, GPtrArray *problems)
{
    for (guint m = 0; m < edit->moves->len; m++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, m);

        for (guint i = 0; i < move->supervoxels->len; i++) {
            CxId id = g_array_index(move->supervoxels, CxId, i);
            const CxPatchNode *node =
                edit->patch != NULL ? cx_patch_find(edit->patch, CX_AFTER, id)
                                    : NULL;
            CxId found = node != NULL
                             ? node->segment
                             : cx_supervoxel_graph_segment_of(graph, id);

            if (found != move->from) {
                add(problems,
                    "edit %" G_GINT64_FORMAT " moves supervoxel "
                    "%" G_GUINT64_FORMAT " out of segment %" G_GUINT64_FORMAT
                    ", where it is not",
                    edit->sequence, id, move->from);
                return;
            }
        }
    }
}

typedef struct {
    CxSupervoxelGraph *graph;
    GPtrArray *problems;
} Replay;

static void
replay_edit(const CxEdit *edit, bool is_done, void *user_data)
{
    Replay *replay = user_data;

    if (!is_done)
        return;
    check_patch(edit, replay->graph, replay->problems);
    check_moves(edit, replay->graph, replay->problems);
    cx_supervoxel_graph_apply(replay->graph, edit, false);
}

static bool
check_replay(CxProject *project, const GArray *supervoxels, GPtrArray *problems,
             CxJob *job, GError **error)
{
    g_autoptr(CxSupervoxelGraph) graph = cx_supervoxel_graph_new();
    Replay replay = {graph, problems};
    GError *reason = NULL;

    if (!cx_project_replay_parts(project, graph, job, &reason) ||
        !cx_project_each_edit(project, replay_edit, &replay, job, &reason))
        return absorb(problems, reason, error);
    compare_graphs(project, graph, supervoxels, problems);
    compare_edges(project, graph, problems);
    return true;
}

static bool
check(CxProject *project, GPtrArray *problems, CxJob *job, GError **error)
{
    g_autoptr(CxHash64) counts = cx_hash64_new(1024);
    g_autoptr(GArray) supervoxels =
        cx_supervoxel_graph_supervoxels(project->graph);
    bool whole = true;

    /* What lies in the cache was checked when it was read, long ago. */
    cx_project_drop_cache(project);
    cx_job_stage(job, "Checking the database", 0, 0.3);
    if (!cx_journal_check(project->journal, problems, error))
        return false;
    cx_job_stage(job, "Checking the labels", 0.3, 0.8);
    if (!check_chunks(project, counts, &whole, problems, job, error))
        return false;
    if (!check_overlays(project, problems, job, error))
        return false;
    if (whole)
        compare_counts(supervoxels, counts, problems);
    cx_job_stage(job, "Replaying the log", 0.8, 1);
    return check_replay(project, supervoxels, problems, job, error);
}

bool
cx_project_check(CxProject *project, GPtrArray *problems, CxJob *job,
                 GError **error)
{
    g_mutex_lock(&project->edit_lock);
    bool ok = check(project, problems, job, error);

    g_mutex_unlock(&project->edit_lock);
    return ok;
}
