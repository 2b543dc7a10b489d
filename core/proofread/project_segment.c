/* A project: segmentation on demand.
 *
 * A block is segmented, its labels packed and its place among the segments
 * found without holding anybody up; then one transaction stores it.  If an
 * edit came between, the place is looked for again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

/* Times the place of a block is looked for anew before edits have to wait. */
#define MAX_TRIES 3

typedef struct {
    CxProject *project;
    CxPipeline *pipeline;
    bool whole; /* all blocks are agglomerated together at the end */
    CxBlockHook hook;
    void *data;
} Run;

/* The neighbours of a block. */

static bool
read_face(Run *run, CxVoxel index, CxVoxel step, CxBox face, CxChunk **out,
          GError **error)
{
    CxVoxel neighbour = {index.x + step.x, index.y + step.y, index.z + step.z};

    if (neighbour.x < 0 || neighbour.y < 0 || neighbour.z < 0 ||
        !cx_project_has_block(run->project, neighbour))
        return true;
    *out = cx_volume_read_labels(cx_project_supervoxels(run->project), 0, face,
                                 NULL, error);
    return *out != NULL;
}

static bool
read_faces(Run *run, CxVoxel index, CxBox box, CxNeighbourFaces *faces,
           GError **error)
{
    CxBox face[6] = {box, box, box, box, box, box};
    static const CxVoxel steps[6] = {{-1, 0, 0}, {1, 0, 0},  {0, -1, 0},
                                     {0, 1, 0},  {0, 0, -1}, {0, 0, 1}};

    face[0].hi.x = box.lo.x, face[0].lo.x = box.lo.x - 1;
    face[1].lo.x = box.hi.x, face[1].hi.x = box.hi.x + 1;
    face[2].hi.y = box.lo.y, face[2].lo.y = box.lo.y - 1;
    face[3].lo.y = box.hi.y, face[3].hi.y = box.hi.y + 1;
    face[4].hi.z = box.lo.z, face[4].lo.z = box.lo.z - 1;
    face[5].lo.z = box.hi.z, face[5].hi.z = box.hi.z + 1;
    for (int i = 0; i < 6; i++) {
        if (!read_face(run, index, steps[i], face[i], &faces->faces[i], error))
            return false;
    }
    return true;
}

static void
clear_faces(CxNeighbourFaces *faces)
{
    for (int i = 0; i < 6; i++)
        g_clear_pointer(&faces->faces[i], cx_chunk_unref);
}

/* Storing. */

/* Ids of the pipeline: (1 + index of the block) << 32 | local id. */
static CxId
largest_possible_id(CxVoxel grid)
{
    uint64_t n_blocks = (uint64_t)(grid.x * grid.y * grid.z);

    return n_blocks << 32 | UINT32_MAX;
}

static bool
write_first(Run *run, GError **error)
{
    CxProject *project = run->project;
    CxBox grid = cx_pipeline_blocks(run->pipeline, cx_project_bounds(project));

    return cx_project_init_grid(project, cx_pipeline_block_size(run->pipeline),
                                largest_possible_id(cx_box_size(grid)),
                                error) &&
           cx_journal_set_meta(project->journal, "global_pending", run->whole,
                               error);
}

static bool
write_block(Run *run, CxVoxel index, CxGraphPart *part, const CxChunk *labels,
            const GArray *encoded, const GArray *joined, bool is_first,
            GError **error)
{
    CxJournal *journal = run->project->journal;

    if ((is_first && !write_first(run, error)) ||
        !cx_project_put_chunks(run->project, encoded, error) ||
        !cx_project_underlay(run->project, labels, error) ||
        !cx_journal_add_part(journal, part, error) ||
        !cx_journal_add_block(journal, index, part->part, error))
        return false;
    for (guint i = 0; i < joined->len; i += 2) {
        if (!cx_journal_add_joined(journal, g_array_index(joined, CxId, i),
                                   g_array_index(joined, CxId, i + 1), error))
            return false;
    }
    return true;
}

static bool
commit_block(Run *run, CxVoxel index, CxGraphPart *part, const CxChunk *labels,
             const GArray *encoded, const GArray *joined, GError **error)
{
    CxProject *project = run->project;
    bool is_first = cx_project_n_blocks(project, NULL) == 0;

    if (!cx_journal_begin(project->journal, error))
        return false;
    if (!write_block(run, index, part, labels, encoded, joined, is_first,
                     error))
        cx_journal_rollback(project->journal);
    else if (cx_journal_commit(project->journal, error))
        return true;
    if (is_first)
        cx_project_reset_grid(project);
    return false;
}

static void
assign(CxProject *project, const GArray *ids, const GArray *segments)
{
    cx_supervoxel_graph_assign(
        project->graph, (const CxId *)(const void *)ids->data,
        (const CxId *)(const void *)segments->data, ids->len);
}

static void
assign_members(CxProject *project, CxId segment, CxId into)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(project->graph, segment);

    if (members == NULL)
        return;
    g_autoptr(GArray) ids = cx_project_ids_of(members);
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (guint i = 0; i < ids->len; i++)
        g_array_append_val(segments, into);
    assign(project, ids, segments);
}

/* With edit_lock held. */
static bool
store_placed(Run *run, CxVoxel index, const CxFragments *fragments,
             const GArray *encoded, const CxPlace *place, GError **error)
{
    CxProject *project = run->project;
    CxGraphPart part = {0, fragments->supervoxels, fragments->edges,
                        place->segments};

    if (!commit_block(run, index, &part, fragments->labels, encoded,
                      place->joined, error))
        return false;
    cx_supervoxel_graph_add(project->graph, fragments->supervoxels,
                            fragments->edges,
                            (const CxId *)(void *)place->segments->data);
    for (guint i = 0; i < place->joined->len; i += 2)
        assign_members(project, g_array_index(place->joined, CxId, i),
                       g_array_index(place->joined, CxId, i + 1));
    cx_project_note_block(project, index);
    cx_project_note_change(project);
    cx_project_drop_cache(project);
    return true;
}

/* Finds a place and stores; again if the graph changed meanwhile. */
static bool
place_and_store(Run *run, CxVoxel index, const CxFragments *fragments,
                const GArray *encoded, CxBox *changed, CxJob *job,
                GError **error)
{
    CxProject *project = run->project;
    CxAgglomerateOptions options =
        cx_pipeline_agglomerate_options(run->pipeline);

    for (int i = 1;; i++) {
        bool last = i == MAX_TRIES;
        CxPlace place = {.box = {{0, 0, 0}, {0, 0, 0}}};

        if (last)
            g_mutex_lock(&project->edit_lock);
        uint64_t before = cx_project_n_changes(project);
        bool ok = cx_project_find_place(project, fragments, &options,
                                        !run->whole, &place, job, error);

        if (!last)
            g_mutex_lock(&project->edit_lock);
        bool again = ok && before != cx_project_n_changes(project);

        if (ok && !again)
            ok = store_placed(run, index, fragments, encoded, &place, error);
        g_mutex_unlock(&project->edit_lock);
        *changed = cx_box_union(*changed, place.box);
        cx_place_clear(&place);
        if (!again)
            return ok;
    }
}

static double
seconds_since(int64_t start_us)
{
    return (double)(g_get_monotonic_time() - start_us) / 1e6;
}

static bool
run_block(Run *run, CxVoxel index, CxJob *job, GError **error)
{
    CxBox box = cx_pipeline_block_box(run->pipeline, index);
    CxNeighbourFaces faces = {{NULL}};

    if (!read_faces(run, index, box, &faces, error)) {
        clear_faces(&faces);
        return false;
    }
    g_autoptr(CxFragments) fragments =
        cx_pipeline_run_block(run->pipeline, index, &faces, job, error);

    clear_faces(&faces);
    if (fragments == NULL)
        return false;
    int64_t start = g_get_monotonic_time();
    g_autoptr(GArray) encoded =
        cx_project_encode_labels(run->project, fragments->labels, job, error);

    if (encoded == NULL ||
        !place_and_store(run, index, fragments, encoded, &box, job, error))
        return false;
    cx_pipeline_add_seconds(run->pipeline,
                            (CxStageSeconds){.write = seconds_since(start)});
    if (run->hook != NULL)
        run->hook(run->project, box, run->data);
    return true;
}

/* Which blocks, in which order. */

typedef struct {
    CxVoxel index;
    double distance;
} Wanted;

static int
compare_wanted(const void *a, const void *b)
{
    const Wanted *left = a, *right = b;

    if (left->distance != right->distance)
        return left->distance < right->distance ? -1 : 1;
    if (left->index.z != right->index.z)
        return left->index.z < right->index.z ? -1 : 1;
    if (left->index.y != right->index.y)
        return left->index.y < right->index.y ? -1 : 1;
    return left->index.x < right->index.x ? -1 : left->index.x > right->index.x;
}

static double
axis_distance(int64_t at, int64_t lo, int64_t hi, double nm)
{
    double steps = (double)MAX(MAX(lo - at, at - (hi - 1)), 0);

    return steps * nm;
}

/* From the focus to the nearest voxel of a block, squared nm. */
static double
distance_to(CxBox box, CxVoxel focus, CxNm nm)
{
    double x = axis_distance(focus.x, box.lo.x, box.hi.x, nm.x);
    double y = axis_distance(focus.y, box.lo.y, box.hi.y, nm.y);
    double z = axis_distance(focus.z, box.lo.z, box.hi.z, nm.z);

    return x * x + y * y + z * z;
}

static GArray *
list_wanted(Run *run, CxBox box, CxVoxel focus)
{
    CxBox grid = cx_pipeline_blocks(run->pipeline, box);
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(Wanted));
    CxVoxel i;

    for (i.z = grid.lo.z; i.z < grid.hi.z; i.z++) {
        for (i.y = grid.lo.y; i.y < grid.hi.y; i.y++) {
            for (i.x = grid.lo.x; i.x < grid.hi.x; i.x++) {
                CxBox block = cx_pipeline_block_box(run->pipeline, i);
                Wanted entry = {
                    i, distance_to(block, focus, run->project->note.voxel_nm)};

                if (!cx_project_has_block(run->project, i))
                    g_array_append_val(wanted, entry);
            }
        }
    }
    g_array_sort(wanted, compare_wanted);
    return wanted;
}

/* The end of a run over everything: all segments anew but for those that
 * people have edited. */

/* New birth segments of one part: those of edited segments stay as they are
 * (the log moves them from there), joins worked in. */
typedef struct {
    CxProject *project;
    CxHash64 *new_segment; /* supervoxel → segment */
    GArray *parts;         /* of GArray of CxId, in order of parts */
    GArray *numbers;       /* of int64_t */
} Rebirth;

static bool
rewrite_part(const CxGraphPart *part, void *user_data, GError **error)
{
    Rebirth *rebirth = user_data;
    GArray *segments = g_array_ref(part->segments);

    for (guint i = 0; i < segments->len; i++) {
        CxId id = g_array_index(part->supervoxels, CxSupervoxel, i).id;
        CxId now = cx_supervoxel_graph_segment_of(rebirth->project->graph, id);
        uint64_t segment = 0;

        if (!cx_project_is_edited(rebirth->project, now) &&
            cx_hash64_get(rebirth->new_segment, id, &segment))
            g_array_index(segments, CxId, i) = segment;
    }
    g_array_append_val(rebirth->parts, segments);
    g_array_append_val(rebirth->numbers, part->part);
    return true;
}

static bool
write_parts(Rebirth *rebirth, GError **error)
{
    CxJournal *journal = rebirth->project->journal;

    for (guint i = 0; i < rebirth->parts->len; i++) {
        if (!cx_journal_set_part_segments(
                journal, g_array_index(rebirth->numbers, int64_t, i),
                g_array_index(rebirth->parts, GArray *, i), error))
            return false;
    }
    return cx_journal_clear_joined(journal, error) &&
           cx_journal_set_meta(journal, "global_pending", 0, error);
}

static void
unref_array(void *data)
{
    g_array_unref(*(GArray **)data);
}

/* With edit_lock held. */
static bool
store_all(CxProject *project, const GArray *supervoxels, const GArray *segments,
          GError **error)
{
    g_autoptr(GArray) ids = cx_project_ids_of(supervoxels);
    g_autoptr(CxHash64) new_segment = cx_hash64_new(segments->len);
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(GArray *));
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(int64_t));
    Rebirth rebirth = {project, new_segment, parts, numbers};

    g_array_set_clear_func(parts, unref_array);
    for (guint i = 0; i < segments->len; i++)
        cx_hash64_set(new_segment, g_array_index(ids, CxId, i),
                      g_array_index(segments, CxId, i));
    if (!cx_project_each_born_part(project, rewrite_part, &rebirth, error) ||
        !cx_journal_begin(project->journal, error))
        return false;
    if (!write_parts(&rebirth, error)) {
        cx_journal_rollback(project->journal);
        return false;
    }
    if (!cx_journal_commit(project->journal, error))
        return false;
    assign(project, ids, segments);
    cx_project_note_change(project);
    return true;
}

/* One try; *again if an edit came between.  wait: edits have to wait. */
static bool
try_finish(Run *run, bool wait, bool *again, CxJob *job, GError **error)
{
    CxProject *project = run->project;
    CxAgglomerateOptions options =
        cx_pipeline_agglomerate_options(run->pipeline);

    if (wait)
        g_mutex_lock(&project->edit_lock);
    uint64_t before = cx_project_n_changes(project);
    g_autoptr(GArray) supervoxels =
        cx_supervoxel_graph_supervoxels(project->graph);
    g_autoptr(GArray) segments =
        cx_project_agglomerate_all(project, supervoxels, &options, job, error);
    bool ok = segments != NULL;

    if (!wait)
        g_mutex_lock(&project->edit_lock);
    *again = ok && before != cx_project_n_changes(project);
    if (ok && !*again)
        ok = store_all(project, supervoxels, segments, error);
    g_mutex_unlock(&project->edit_lock);
    return ok;
}

static bool
finish_whole(Run *run, CxJob *job, GError **error)
{
    int64_t start = g_get_monotonic_time();
    bool ok = true, again = true;

    cx_job_stage(job, "agglomerating", 0, 1);
    for (int i = 1; ok && again; i++)
        ok = try_finish(run, i == MAX_TRIES, &again, job, error);
    cx_pipeline_add_seconds(
        run->pipeline, (CxStageSeconds){.agglomerate = seconds_since(start)});
    if (ok && run->hook != NULL)
        run->hook(run->project, cx_project_bounds(run->project), run->data);
    return ok;
}

/* The whole. */

static bool
check_grid(Run *run, GError **error)
{
    CxVoxel stored = cx_project_block_size(run->project);
    CxVoxel wanted = cx_pipeline_block_size(run->pipeline);
    CxBox bounds = cx_project_bounds(run->project);
    CxBox grid = cx_pipeline_blocks(run->pipeline, bounds);
    CxVoxel last = {grid.hi.x - 1, grid.hi.y - 1, grid.hi.z - 1};

    if (run->project->read_only) {
        g_set_error(error, CX_ERROR, CX_ERROR_READ_ONLY, "%s is open read-only",
                    run->project->path);
        return false;
    }
    if (stored.x > 0 && !cx_voxel_equal(stored, wanted)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s was segmented in blocks of %" G_GINT64_FORMAT
                    " × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                    " voxels, not %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                    " × %" G_GINT64_FORMAT,
                    run->project->path, stored.x, stored.y, stored.z, wanted.x,
                    wanted.y, wanted.z);
        return false;
    }
    if (!cx_box_is_empty(grid) &&
        cx_voxel_equal(cx_pipeline_block_box(run->pipeline, last).hi,
                       bounds.hi))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "the image that is segmented has not the size of the image "
                "of %s, %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " voxels",
                run->project->path, bounds.hi.x, bounds.hi.y, bounds.hi.z);
    return false;
}

/* A run over everything that found nothing stored, now or when it began. */
static bool
find_whole(Run *run, CxBox box, GError **error)
{
    int64_t pending = 0;

    if (!cx_journal_get_meta(run->project->journal, "global_pending", &pending,
                             error))
        return false;
    run->whole = cx_box_contains_box(box, cx_project_bounds(run->project)) &&
                 (pending != 0 || cx_project_n_blocks(run->project, NULL) == 0);
    return true;
}

static bool
segment(Run *run, CxBox box, CxVoxel focus, CxJob *job, GError **error)
{
    if (!check_grid(run, error) || !find_whole(run, box, error))
        return false;
    g_autoptr(GArray) wanted = list_wanted(run, box, focus);
    double share = run->whole ? 0.95 : 1;

    for (guint i = 0; i < wanted->len; i++) {
        g_autoptr(CxJob) part = cx_job_new_part(job, share * i / wanted->len,
                                                share * (i + 1) / wanted->len);

        if (!cx_job_check(job, error) ||
            !run_block(run, g_array_index(wanted, Wanted, i).index, part,
                       error))
            return false;
    }
    g_autoptr(CxJob) rest = cx_job_new_part(job, share, 1);

    return !run->whole || finish_whole(run, rest, error);
}

bool
cx_project_segment(CxProject *project, CxPipeline *pipeline, CxBox box,
                   CxVoxel focus, CxBlockHook hook, void *data, CxJob *job,
                   GError **error)
{
    Run run = {project, pipeline, false, hook, data};

    g_mutex_lock(&project->segment_lock);
    bool ok = segment(&run, box, focus, job, error);

    g_mutex_unlock(&project->segment_lock);
    return ok;
}
