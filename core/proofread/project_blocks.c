/* A project: which blocks are stored, and the graph they make.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

/* Blocks of the grid. */

static int64_t
block_key(CxVoxel index)
{
    return index.z << 42 | index.y << 21 | index.x;
}

static int64_t
n_steps(int64_t size, int64_t step)
{
    return step > 0 ? (size + step - 1) / step : 0;
}

static void
set_grid(CxProject *project, CxVoxel block)
{
    CxVoxel size = project->note.size;

    g_mutex_lock(&project->history_lock);
    project->block_size = block;
    project->n_blocks =
        (CxVoxel){n_steps(size.x, block.x), n_steps(size.y, block.y),
                  n_steps(size.z, block.z)};
    g_mutex_unlock(&project->history_lock);
}

void
cx_project_reset_grid(CxProject *project)
{
    set_grid(project, (CxVoxel){0, 0, 0});
}

/* With a supervoxel at the very top there is no room above: the counter then
 * starts below, and taking an id passes over those in use. */
bool
cx_project_init_grid(CxProject *project, CxVoxel block, CxId largest,
                     GError **error)
{
    CxJournal *journal = project->journal;

    project->next_segment = largest < UINT64_MAX ? largest + 1 : 1;
    set_grid(project, block);
    return cx_journal_set_meta(journal, "block_x", block.x, error) &&
           cx_journal_set_meta(journal, "block_y", block.y, error) &&
           cx_journal_set_meta(journal, "block_z", block.z, error) &&
           cx_journal_set_meta(journal, "next_segment",
                               (int64_t)project->next_segment, error);
}

void
cx_project_note_block(CxProject *project, CxVoxel index)
{
    int64_t key = block_key(index);

    g_mutex_lock(&project->history_lock);
    g_hash_table_add(project->blocks, g_memdup2(&key, sizeof key));
    g_mutex_unlock(&project->history_lock);
}

bool
cx_project_load_blocks(CxProject *project, GError **error)
{
    CxVoxel block = {0, 0, 0};

    if (!cx_journal_get_meta(project->journal, "block_x", &block.x, error) ||
        !cx_journal_get_meta(project->journal, "block_y", &block.y, error) ||
        !cx_journal_get_meta(project->journal, "block_z", &block.z, error))
        return false;
    if (block.x < 0 || block.y < 0 || block.z < 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: its block size %" G_GINT64_FORMAT
                    " × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                    " makes no sense",
                    project->path, block.x, block.y, block.z);
        return false;
    }
    set_grid(project, block);

    g_autoptr(GArray) blocks = cx_journal_list_blocks(project->journal, error);

    for (guint i = 0; blocks != NULL && i < blocks->len; i++)
        cx_project_note_block(project, g_array_index(blocks, CxVoxel, i));
    return blocks != NULL;
}

CxVoxel
cx_project_block_size(CxProject *project)
{
    g_mutex_lock(&project->history_lock);
    CxVoxel size = project->block_size;

    g_mutex_unlock(&project->history_lock);
    return size;
}

bool
cx_project_has_block(CxProject *project, CxVoxel index)
{
    int64_t key = block_key(index);

    g_mutex_lock(&project->history_lock);
    bool has = g_hash_table_contains(project->blocks, &key);

    g_mutex_unlock(&project->history_lock);
    return has;
}

size_t
cx_project_n_blocks(CxProject *project, size_t *n_total)
{
    g_mutex_lock(&project->history_lock);
    size_t n = g_hash_table_size(project->blocks);
    CxVoxel grid = project->n_blocks;

    g_mutex_unlock(&project->history_lock);
    if (n_total != NULL)
        *n_total = (size_t)(grid.x * grid.y * grid.z);
    return n;
}

/* The graph. */

/* A chain is never longer than there are joins. */
static CxId
resolve(const CxHash64 *into, CxId segment)
{
    uint64_t next;

    for (size_t i = 0;
         i <= cx_hash64_size(into) && cx_hash64_get(into, segment, &next); i++)
        segment = next;
    return segment;
}

typedef struct {
    CxHash64 *into; /* joined segment → segment it joined */
    CxPartFunc func;
    void *user_data;
} Births;

static bool
pass_on(const CxGraphPart *part, void *user_data, GError **error)
{
    Births *births = user_data;

    for (guint i = 0; i < part->segments->len; i++) {
        CxId *segment = &g_array_index(part->segments, CxId, i);

        *segment = resolve(births->into, *segment);
    }
    return births->func(part, births->user_data, error);
}

bool
cx_project_each_born_part(CxProject *project, CxPartFunc func, void *user_data,
                          GError **error)
{
    g_autoptr(GArray) pairs = cx_journal_list_joined(project->journal, error);

    if (pairs == NULL)
        return false;
    g_autoptr(CxHash64) into = cx_hash64_new(pairs->len / 2);

    for (guint i = 0; i + 1 < pairs->len; i += 2) {
        CxId segment = g_array_index(pairs, CxId, i);

        if (segment != 0)
            cx_hash64_set(into, segment, g_array_index(pairs, CxId, i + 1));
    }
    Births births = {into, func, user_data};

    return cx_journal_each_part(project->journal, pass_on, &births, error);
}

typedef struct {
    CxSupervoxelGraph *graph;
    CxJob *job;
} Replay;

static bool
replay_part(const CxGraphPart *part, void *user_data, GError **error)
{
    Replay *replay = user_data;

    cx_supervoxel_graph_add(replay->graph, part->supervoxels, part->edges,
                            (const CxId *)(void *)part->segments->data);
    return cx_job_check(replay->job, error);
}

bool
cx_project_replay_parts(CxProject *project, CxSupervoxelGraph *graph,
                        CxJob *job, GError **error)
{
    Replay replay = {graph, job};

    return cx_project_each_born_part(project, replay_part, &replay, error);
}
