/* What the user is working on: the object, its parts and its news.
 *
 * Opening, closing and saving are in session_files.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/session.h"

#include "app/session/session_struct.h"
#include "core/base/error.h"

enum {
    SEGMENTS_CHANGED = CXUI_SESSION_STATE_CHANGED + 1,
    BLOCK_SEGMENTED,
    CHUNKS_CHANGED,
    TOAST,
    FAILED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(CxuiSession, cxui_session, G_TYPE_OBJECT)

/* Jobs are drained while all parts are still there. */
static void
dispose(GObject *object)
{
    CxuiSession *self = CXUI_SESSION(object);

    if (self->scheduler != NULL) {
        cxui_session_close(self);
        cxui_prediction_stop(self->prediction);
        cxui_job_list_drain(self->jobs);
        g_clear_pointer(&self->loader, cx_chunk_loader_free);
        g_clear_object(&self->review);
        g_clear_object(&self->exporter);
        g_clear_object(&self->grower);
        g_clear_object(&self->prediction);
        g_clear_object(&self->segmenter);
        g_clear_object(&self->segment_model);
        g_clear_object(&self->meshes);
        g_clear_object(&self->edits);
        g_clear_object(&self->history);
        g_clear_object(&self->selection);
        g_clear_object(&self->view);
        g_clear_object(&self->jobs);
        g_clear_pointer(&self->scheduler, cx_scheduler_free);
        g_clear_pointer(&self->cache, cx_chunk_cache_free);
    }
    G_OBJECT_CLASS(cxui_session_parent_class)->dispose(object);
}

static void
finalize(GObject *object)
{
    CxuiSession *self = CXUI_SESSION(object);

    g_clear_object(&self->settings);
    cxui_bell_unref(self->chunk_bell);
    g_array_unref(self->waiters);
    g_free(self->subtitle);
    G_OBJECT_CLASS(cxui_session_parent_class)->finalize(object);
}

static guint
add_signal(const char *name, guint n_parameters, GType first, GType second)
{
    return g_signal_new(name, CXUI_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL,
                        NULL, NULL, G_TYPE_NONE, n_parameters, first, second);
}

static void
cxui_session_class_init(CxuiSessionClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->dispose = dispose;
    object_class->finalize = finalize;
    signals[CXUI_SESSION_OPENED] = add_signal("opened", 0, 0, 0);
    signals[CXUI_SESSION_CLOSED] = add_signal("closed", 0, 0, 0);
    signals[CXUI_SESSION_VOLUMES_CHANGED] =
        add_signal("volumes-changed", 0, 0, 0);
    signals[CXUI_SESSION_STATE_CHANGED] = add_signal("state-changed", 0, 0, 0);
    signals[SEGMENTS_CHANGED] =
        add_signal("segments-changed", 2, G_TYPE_ARRAY, G_TYPE_POINTER);
    signals[BLOCK_SEGMENTED] =
        add_signal("block-segmented", 1, G_TYPE_POINTER, 0);
    signals[CHUNKS_CHANGED] = add_signal("chunks-changed", 0, 0, 0);
    signals[TOAST] = add_signal("toast", 2, G_TYPE_STRING, G_TYPE_UINT);
    signals[FAILED] = add_signal("failed", 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void
on_chunks(GObject *object)
{
    g_signal_emit(object, signals[CHUNKS_CHANGED], 0);
}

static void
cxui_session_init(CxuiSession *self)
{
    self->waiters = g_array_new(FALSE, FALSE, sizeof(CxuiWaiter));
    self->chunk_bell = cxui_bell_new(G_OBJECT(self), on_chunks);
    self->subtitle = g_strdup("");
}

/* Worker thread. */
static void
on_chunk(const CxChunkKey *key, void *data)
{
    cxui_bell_ring(data);
}

static void
on_budget_changed(CxuiSession *self)
{
    cx_chunk_cache_set_capacity(
        self->cache, cxui_settings_image_budget_bytes(self->settings));
}

static void
make_parts(CxuiSession *self)
{
    self->scheduler = cx_scheduler_new(0);
    self->cache =
        cx_chunk_cache_new(cxui_settings_image_budget_bytes(self->settings));
    self->loader = cx_chunk_loader_new(self->scheduler, self->cache, on_chunk,
                                       self->chunk_bell);
    self->jobs = cxui_job_list_new(self->scheduler);
    self->view = cxui_view_state_new();
    self->selection = cxui_selection_new();
    self->history = cxui_history_model_new(self);
    self->edits = cxui_edit_controller_new(self);
    self->meshes = cxui_mesh_controller_new(self);
    self->segment_model = cxui_segment_model_new(self);
    self->segmenter = cxui_segmenter_new(self);
    self->prediction = cxui_prediction_new(self);
    self->grower = cxui_grower_new(self);
    self->exporter = cxui_exporter_new(self);
    self->review = cxui_review_queue_new(self);
}

CxuiSession *
cxui_session_new(CxuiSettings *settings)
{
    CxuiSession *self = g_object_new(CXUI_TYPE_SESSION, NULL);

    self->settings =
        settings != NULL ? g_object_ref(settings) : cxui_settings_new();
    make_parts(self);
    g_signal_connect_object(self->settings, "notify::image-cache-mib",
                            G_CALLBACK(on_budget_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->view, "changed",
                            G_CALLBACK(cxui_session_view_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->selection, "changed",
                            G_CALLBACK(cxui_session_view_changed), self,
                            G_CONNECT_SWAPPED);
    return self;
}

void
cxui_session_emit(CxuiSession *self, CxuiSessionEvent event)
{
    g_signal_emit(self, signals[event], 0);
}

void
cxui_session_state_changed(CxuiSession *self)
{
    cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
}

void
cxui_session_toast(CxuiSession *self, unsigned n_undo, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *sentence = g_strdup_vprintf(format, args);
    va_end(args);
    g_signal_emit(self, signals[TOAST], 0, sentence, n_undo);
}

void
cxui_session_fail(CxuiSession *self, const GError *error)
{
    if (!cx_error_is_cancelled(error))
        g_signal_emit(self, signals[FAILED], 0, error->message, NULL);
}

/* Bounds of the supervoxels that moved; the voxels beside them belong to the
 * surfaces too. */
static CxBox
box_of_edit(CxuiSession *self, const CxEdit *edit, bool undone)
{
    CxSupervoxelGraph *graph = cxui_session_graph(self);
    CxBox box = {{0, 0, 0}, {0, 0, 0}};

    for (guint i = 0; edit->moves != NULL && i < edit->moves->len; i++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, i);
        g_autoptr(GArray) members =
            cx_supervoxel_graph_members(graph, undone ? move->from : move->to);
        guint next = 0;

        for (guint j = 0; members != NULL && j < members->len; j++) {
            const CxSupervoxel *member =
                &g_array_index(members, CxSupervoxel, j);
            while (next < move->supervoxels->len &&
                   g_array_index(move->supervoxels, CxId, next) < member->id)
                next++;
            if (next < move->supervoxels->len &&
                g_array_index(move->supervoxels, CxId, next) == member->id)
                box = cx_box_union(box, member->box);
        }
    }
    return cx_box_is_empty(box) ? box : cx_box_grow(box, (CxVoxel){1, 1, 1});
}

typedef struct {
    CxSupervoxelGraph *graph;
    const CxEdit *edit;
    bool undone;
} Remap;

/* Where a segment went that is no more. */
static CxId
map_id(CxId id, void *data)
{
    const Remap *remap = data;
    CxSegment segment;

    if (cx_supervoxel_graph_segment(remap->graph, id, &segment))
        return id;
    for (guint i = 0; i < remap->edit->moves->len; i++) {
        const CxMove *move = &g_array_index(remap->edit->moves, CxMove, i);

        if (id == (remap->undone ? move->to : move->from))
            return remap->undone ? move->from : move->to;
    }
    return 0;
}

void
cxui_session_edited(CxuiSession *self, const CxEdit *edit, bool undone)
{
    g_autoptr(GArray) ids = cx_edit_segments(edit);
    CxBox box = box_of_edit(self, edit, undone);

    if (edit->moves != NULL && edit->moves->len > 0) {
        Remap remap = {cxui_session_graph(self), edit, undone};

        cxui_selection_remap(self->selection, map_id, &remap);
    }
    self->open.copied = false;
    cxui_history_model_edited(self->history, edit, undone);
    cxui_segment_model_edited(self->segment_model, edit, undone);
    cxui_mesh_controller_edited(self->meshes, edit, undone, box);
    g_signal_emit(self, signals[SEGMENTS_CHANGED], 0, ids, &box);
    cxui_edit_controller_notify(self->edits);
}

void
cxui_session_block_segmented(CxuiSession *self, CxBox box)
{
    if (self->labels_id != 0)
        cx_chunk_loader_invalidate(self->loader, self->labels_id, box);
    cxui_mesh_controller_labels_changed(self->meshes, box);
    cxui_segment_model_reload(self->segment_model);
    g_signal_emit(self, signals[BLOCK_SEGMENTED], 0, &box);
}

void
cxui_session_resegmented(CxuiSession *self)
{
    g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(CxId));
    CxBox box = {{0, 0, 0}, {0, 0, 0}};

    cxui_mesh_controller_labels_changed(self->meshes,
                                        cxui_view_state_bounds(self->view));
    cxui_segment_model_reload(self->segment_model);
    g_signal_emit(self, signals[SEGMENTS_CHANGED], 0, none, &box);
}

bool
cxui_session_is_open(CxuiSession *self)
{
    return cxui_open_data_space(&self->open) != NULL;
}

bool
cxui_session_is_opening(CxuiSession *self)
{
    return self->open_job != NULL;
}

bool
cxui_session_is_stored(CxuiSession *self)
{
    return !cxui_edit_controller_is_busy(self->edits);
}

const char *
cxui_session_title(CxuiSession *self)
{
    return self->open.title != NULL ? self->open.title : "";
}

static char *
describe_space(CxuiSession *self)
{
    CxVoxel size = cx_box_size(cxui_view_state_bounds(self->view));
    CxNm voxel = cxui_view_state_voxel_nm(self->view);

    return g_strdup_printf("%" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                           " × %" G_GINT64_FORMAT " voxels of %g × %g × %g nm",
                           size.x, size.y, size.z, voxel.x, voxel.y, voxel.z);
}

const char *
cxui_session_subtitle(CxuiSession *self)
{
    CxProject *project = self->open.project;
    const char *text = NULL;

    if (!cxui_session_is_open(self))
        text = "";
    else if (cxui_edit_controller_is_busy(self->edits))
        text = "storing…";
    else if (project != NULL && cx_project_is_read_only(project))
        text = "read-only";
    else if (project != NULL &&
             g_list_model_get_n_items(G_LIST_MODEL(self->history)) > 0)
        text = "all edits stored";
    else if (project != NULL && !self->open.copied)
        text = "no edits yet";
    g_free(self->subtitle);
    self->subtitle = text != NULL ? g_strdup(text) : describe_space(self);
    return self->subtitle;
}

CxVolume *
cxui_session_image(CxuiSession *self)
{
    return self->open.image;
}

CxVolume *
cxui_session_labels(CxuiSession *self)
{
    return self->open.project != NULL
               ? cx_project_supervoxels(self->open.project)
               : self->open.labels;
}

CxVolume *
cxui_session_segments(CxuiSession *self)
{
    return self->open.project != NULL ? cx_project_segments(self->open.project)
                                      : self->open.labels;
}

CxSupervoxelGraph *
cxui_session_graph(CxuiSession *self)
{
    return self->open.project != NULL ? cx_project_graph(self->open.project)
                                      : NULL;
}

CxProject *
cxui_session_project(CxuiSession *self)
{
    return self->open.project;
}

bool
cxui_session_is_untitled(CxuiSession *self)
{
    return self->open.project == NULL || self->open.untitled;
}

CxScheduler *
cxui_session_scheduler(CxuiSession *self)
{
    return self->scheduler;
}

CxChunkCache *
cxui_session_cache(CxuiSession *self)
{
    return self->cache;
}

CxChunkLoader *
cxui_session_loader(CxuiSession *self)
{
    return self->loader;
}

uint32_t
cxui_session_image_id(CxuiSession *self)
{
    return self->image_id;
}

uint32_t
cxui_session_labels_id(CxuiSession *self)
{
    return self->labels_id;
}

bool
cxui_session_pick(CxuiSession *self, CxVoxel at, CxId *supervoxel,
                  CxId *segment)
{
    if (self->labels_id == 0 ||
        !cx_box_contains(cxui_view_state_bounds(self->view), at))
        return false;
    CxVoxel size = cx_chunk_loader_chunk_size(self->loader, self->labels_id, 0);
    CxChunkKey key = {self->labels_id, 0, cx_chunk_of_voxel(at, size)};
    g_autoptr(CxChunk) chunk = cx_chunk_cache_lookup(self->cache, &key);
    if (chunk == NULL || !cx_box_contains(cx_chunk_box(chunk), at))
        return false;
    *supervoxel = cx_chunk_label_at(chunk, at);
    *segment = cxui_session_segment_of(self, *supervoxel);
    return true;
}

CxId
cxui_session_segment_of(CxuiSession *self, CxId label)
{
    CxSupervoxelGraph *graph = cxui_session_graph(self);

    if (graph == NULL || label == 0)
        return label;
    return cx_supervoxel_graph_segment_of(graph, label);
}

uint64_t
cxui_session_generation(CxuiSession *self)
{
    return self->generation;
}

CxuiSettings *
cxui_session_settings(CxuiSession *self)
{
    return self->settings;
}

CxuiViewState *
cxui_session_view(CxuiSession *self)
{
    return self->view;
}

CxuiSelection *
cxui_session_selection(CxuiSession *self)
{
    return self->selection;
}

CxuiEditController *
cxui_session_edits(CxuiSession *self)
{
    return self->edits;
}

CxuiMeshController *
cxui_session_meshes(CxuiSession *self)
{
    return self->meshes;
}

CxuiSegmentModel *
cxui_session_segment_model(CxuiSession *self)
{
    return self->segment_model;
}

CxuiHistoryModel *
cxui_session_history(CxuiSession *self)
{
    return self->history;
}

CxuiJobList *
cxui_session_jobs(CxuiSession *self)
{
    return self->jobs;
}

CxuiSegmenter *
cxui_session_segmenter(CxuiSession *self)
{
    return self->segmenter;
}

CxuiPrediction *
cxui_session_prediction(CxuiSession *self)
{
    return self->prediction;
}

CxuiGrower *
cxui_session_grower(CxuiSession *self)
{
    return self->grower;
}

CxuiReviewQueue *
cxui_session_review(CxuiSession *self)
{
    return self->review;
}

CxuiExporter *
cxui_session_exporter(CxuiSession *self)
{
    return self->exporter;
}
