/* Carries out the user's edits.
 *
 * Requests wait in a queue; the head of the queue is the one job that runs.
 * A request may stand for several edits (merging five segments); those that
 * were committed before one fails hold and are told like all others.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/edit_controller.h"

#include "app/session/session_private.h"
#include "core/base/error.h"
#include "core/proofread/gather.h"

#include <string.h>

typedef enum {
    REQUEST_MERGE,
    REQUEST_GATHER,
    REQUEST_SPLIT,
    REQUEST_UNDO,
    REQUEST_REDO,
    REQUEST_GO_TO,
    REQUEST_NOTE,
    REQUEST_LOCK,
} RequestKind;

/* Filled before the job starts, read by the worker, results read when it is
 * over. */
typedef struct {
    RequestKind kind;
    GArray *ids; /* merge: of CxId, the first one stays; gather: supervoxels */
    CxId segment;
    CxVoxel at;
    GArray *sources, *sinks; /* split: of CxVoxel */
    unsigned n;              /* undo, redo */
    int64_t sequence;        /* go to */
    char *text;
    bool locked;
    CxProject *project;
    uint64_t generation;
    /* results */
    GPtrArray *edits; /* of CxEdit, committed, in order */
    bool undone;
} Request;

typedef struct {
    CxProject *project;
    CxId segment;
    GArray *sources, *sinks;
    uint64_t number;
    GArray *moved; /* result: side B, sorted */
} Preview;

struct _CxuiEditController {
    GObject parent;
    CxuiSession *session; /* owns us */
    GQueue queue;         /* of Request; the head is being carried out */
    CxJob *job;           /* of the head, or NULL while a project is made */
    CxJob *preview_job;
    uint64_t preview_number; /* of the latest call */
};

enum {
    PROPERTY_BUSY = 1,
    PROPERTY_CAN_UNDO,
    PROPERTY_CAN_REDO,
    PROPERTY_CAN_MERGE,
    PROPERTY_CAN_SPLIT,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];
static guint committed_signal;

G_DEFINE_FINAL_TYPE(CxuiEditController, cxui_edit_controller, G_TYPE_OBJECT)

static void start_next(CxuiEditController *self);

static Request *
request_new(RequestKind kind)
{
    Request *request = g_new0(Request, 1);

    request->kind = kind;
    request->ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    request->edits =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_edit_free);
    return request;
}

static void
request_free(void *data)
{
    Request *request = data;

    g_array_unref(request->ids);
    g_clear_pointer(&request->sources, g_array_unref);
    g_clear_pointer(&request->sinks, g_array_unref);
    g_clear_pointer(&request->project, cx_project_unref);
    g_ptr_array_unref(request->edits);
    g_free(request->text);
    g_free(request);
}

static void
preview_free(void *data)
{
    Preview *preview = data;

    cx_project_unref(preview->project);
    g_array_unref(preview->sources);
    g_array_unref(preview->sinks);
    g_clear_pointer(&preview->moved, g_array_unref);
    g_free(preview);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiEditController *self = CXUI_EDIT_CONTROLLER(object);

    switch (id) {
    case PROPERTY_BUSY:
        g_value_set_boolean(value, cxui_edit_controller_is_busy(self));
        break;
    case PROPERTY_CAN_UNDO:
        g_value_set_boolean(value, cxui_edit_controller_can_undo(self));
        break;
    case PROPERTY_CAN_REDO:
        g_value_set_boolean(value, cxui_edit_controller_can_redo(self));
        break;
    case PROPERTY_CAN_MERGE:
        g_value_set_boolean(value, cxui_edit_controller_can_merge(self));
        break;
    case PROPERTY_CAN_SPLIT:
        g_value_set_boolean(value, cxui_edit_controller_can_split(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
dispose(GObject *object)
{
    CxuiEditController *self = CXUI_EDIT_CONTROLLER(object);

    g_clear_pointer(&self->job, cx_job_unref);
    g_clear_pointer(&self->preview_job, cx_job_unref);
    g_queue_clear_full(&self->queue, request_free);
    G_OBJECT_CLASS(cxui_edit_controller_parent_class)->dispose(object);
}

static void
cxui_edit_controller_class_init(CxuiEditControllerClass *class)
{
    static const char *const names[N_PROPERTIES] = {
        NULL, "busy", "can-undo", "can-redo", "can-merge", "can-split",
    };
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = get_property;
    object_class->dispose = dispose;
    for (guint i = 1; i < N_PROPERTIES; i++)
        specs[i] =
            g_param_spec_boolean(names[i], NULL, NULL, FALSE,
                                 G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
    committed_signal = g_signal_new(
        "committed", CXUI_TYPE_EDIT_CONTROLLER, G_SIGNAL_RUN_LAST, 0, NULL,
        NULL, NULL, G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_BOOLEAN);
}

static void
cxui_edit_controller_init(CxuiEditController *self)
{
    g_queue_init(&self->queue);
}

void
cxui_edit_controller_notify(CxuiEditController *self)
{
    g_object_freeze_notify(G_OBJECT(self));
    for (guint i = 1; i < N_PROPERTIES; i++)
        g_object_notify_by_pspec(G_OBJECT(self), specs[i]);
    g_object_thaw_notify(G_OBJECT(self));
}

/* True when both sides have a seed. */
static bool
has_both_sides(CxuiSelection *selection)
{
    bool found[2] = {false, false};
    size_t n;
    const CxuiSeed *seeds = cxui_selection_seeds(selection, &n);

    for (size_t i = 0; i < n; i++)
        found[seeds[i].side] = true;
    return found[CXUI_SIDE_A] && found[CXUI_SIDE_B];
}

static void
on_selection_changed(CxuiSelection *selection, guint what,
                     CxuiEditController *self)
{
    if (what & CXUI_SELECTION_SEEDS)
        cxui_edit_controller_preview_split(self);
    if (what & (CXUI_SELECTION_SEEDS | CXUI_SELECTION_IDS))
        cxui_edit_controller_notify(self);
}

CxuiEditController *
cxui_edit_controller_new(CxuiSession *session)
{
    CxuiEditController *self = g_object_new(CXUI_TYPE_EDIT_CONTROLLER, NULL);

    self->session = session;
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    return self;
}

/* Worker: one edit committed, or the error. */
static bool
keep(Request *request, CxEdit *edit)
{
    if (edit != NULL)
        g_ptr_array_add(request->edits, edit);
    return edit != NULL;
}

static bool
run_merge(Request *request, CxJob *job, GError **error)
{
    CxId first = g_array_index(request->ids, CxId, 0);

    for (guint i = 1; i < request->ids->len; i++) {
        CxId other = g_array_index(request->ids, CxId, i);

        if (!cx_job_step(job, i, request->ids->len, error) ||
            !keep(request, cx_project_merge(request->project, first, other,
                                            request->at, error)))
            return false;
    }
    return true;
}

static bool
run_split(Request *request, CxJob *job, GError **error)
{
    return keep(request,
                cx_project_split(request->project, request->segment,
                                 (const CxVoxel *)request->sources->data,
                                 request->sources->len,
                                 (const CxVoxel *)request->sinks->data,
                                 request->sinks->len, job, error));
}

static bool
run_steps(Request *request, bool undo, unsigned n, CxJob *job, GError **error)
{
    request->undone = undo;
    for (unsigned i = 0; i < n; i++) {
        if (!cx_job_step(job, i, n, error))
            return false;
        CxEdit *edit = undo ? cx_project_undo(request->project, error)
                            : cx_project_redo(request->project, error);
        if (!keep(request, edit))
            return false;
    }
    return true;
}

/* Steps until the head is where it should be; the edit before the last one
 * undone tells where it is now. */
static bool
run_go_to(Request *request, CxJob *job, GError **error)
{
    int64_t start = cx_project_head(request->project);
    bool undo = start > request->sequence;
    int64_t span = undo ? start - request->sequence : request->sequence - start;

    request->undone = undo;
    for (;;) {
        int64_t head = cx_project_head(request->project);
        if (undo ? head <= request->sequence : head >= request->sequence)
            return true;
        uint64_t done = (uint64_t)(undo ? start - head : head - start);
        if (!cx_job_step(job, done, (uint64_t)span, error))
            return false;
        CxEdit *edit = undo ? cx_project_undo(request->project, error)
                            : cx_project_redo(request->project, error);
        if (!keep(request, edit))
            return false;
    }
}

/* Worker thread. */
static bool
run_request(CxJob *job, void *data, GError **error)
{
    Request *request = data;

    switch (request->kind) {
    case REQUEST_MERGE:
        return run_merge(request, job, error);
    case REQUEST_GATHER:
        return keep(request,
                    cx_project_gather(request->project, request->segment,
                                      (const CxId *)request->ids->data,
                                      request->ids->len, request->at, error));
    case REQUEST_SPLIT:
        return run_split(request, job, error);
    case REQUEST_UNDO:
        return run_steps(request, true, request->n, job, error);
    case REQUEST_REDO:
        return run_steps(request, false, request->n, job, error);
    case REQUEST_GO_TO:
        return run_go_to(request, job, error);
    case REQUEST_NOTE:
        return keep(request,
                    cx_project_set_note(request->project, request->segment,
                                        request->text, error));
    case REQUEST_LOCK:
        return keep(request,
                    cx_project_set_locked(request->project, request->segment,
                                          request->locked, error));
    }
    g_return_val_if_reached(false);
}

static void
tell(CxuiEditController *self, const Request *request)
{
    unsigned n = request->edits->len;

    if (n == 0)
        return;
    const CxEdit *last = g_ptr_array_index(request->edits, n - 1);
    const char *sentence = last->sentence != NULL ? last->sentence : "";
    bool back = request->undone;
    bool steps = request->kind == REQUEST_UNDO ||
                 request->kind == REQUEST_REDO ||
                 request->kind == REQUEST_GO_TO;
    if (steps && n > 1)
        cxui_session_toast(self->session, 0, "%s %u edits",
                           back ? "Undid" : "Redid", n);
    else if (steps)
        cxui_session_toast(self->session, 0, "%s: %s", back ? "Undid" : "Redid",
                           sentence);
    else if (n > 1)
        cxui_session_toast(self->session, n,
                           "Merged %u segments into %" G_GUINT64_FORMAT, n + 1,
                           g_array_index(request->ids, CxId, 0));
    else
        cxui_session_toast(self->session, n, "%s", sentence);
}

/* Main loop: what was committed becomes visible. */
static GArray *
seeds_of(CxuiSelection *selection, CxuiSide side)
{
    GArray *voxels = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    size_t n;
    const CxuiSeed *seeds = cxui_selection_seeds(selection, &n);

    for (size_t i = 0; i < n; i++)
        if (seeds[i].side == side)
            g_array_append_val(voxels, seeds[i].at);
    return voxels;
}

static bool
are_equal(const GArray *a, const GArray *b)
{
    return a->len == b->len &&
           (a->len == 0 ||
            memcmp(a->data, b->data, a->len * sizeof(CxVoxel)) == 0);
}

/* False if seeds for another cut have been set since it was asked for. */
static bool
has_seeds_of(CxuiEditController *self, const Request *request)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    g_autoptr(GArray) sources = seeds_of(selection, CXUI_SIDE_A);
    g_autoptr(GArray) sinks = seeds_of(selection, CXUI_SIDE_B);

    return are_equal(sources, request->sources) &&
           are_equal(sinks, request->sinks);
}

static void
on_request_done(CxJob *job, const GError *error, void *data)
{
    CxuiEditController *self = data;
    Request *request = g_queue_pop_head(&self->queue);

    g_clear_pointer(&self->job, cx_job_unref);
    if (request->generation == cxui_session_generation(self->session)) {
        for (guint i = 0; i < request->edits->len; i++) {
            CxEdit *edit = g_ptr_array_index(request->edits, i);

            cxui_session_edited(self->session, edit, request->undone);
            g_signal_emit(self, committed_signal, 0, edit, request->undone);
        }
        if (request->kind == REQUEST_SPLIT && error == NULL &&
            has_seeds_of(self, request))
            cxui_selection_clear_seeds(cxui_session_selection(self->session));
        tell(self, request);
        if (error != NULL)
            cxui_session_fail(self->session, error);
    }
    request_free(request);
    start_next(self);
}

static const char *
title_of(RequestKind kind)
{
    switch (kind) {
    case REQUEST_MERGE:
    case REQUEST_GATHER:
        return "Merging";
    case REQUEST_SPLIT:
        return "Splitting";
    case REQUEST_UNDO:
        return "Undoing";
    case REQUEST_REDO:
        return "Redoing";
    case REQUEST_GO_TO:
        return "Going through the history";
    case REQUEST_NOTE:
    case REQUEST_LOCK:
        return "Storing";
    }
    g_return_val_if_reached("Storing");
}

static bool
is_long(const Request *request)
{
    return request->kind == REQUEST_SPLIT || request->kind == REQUEST_GO_TO ||
           request->ids->len > 16 || request->n > 16;
}

static void
on_project_ready(CxProject *project, void *data)
{
    g_autoptr(CxuiEditController) self = data;
    Request *request = g_queue_peek_head(&self->queue);

    if (request == NULL)
        return;
    if (project == NULL) {
        g_queue_pop_head(&self->queue);
        request_free(request);
        start_next(self);
        return;
    }
    request->project = cx_project_ref(project);
    request->generation = cxui_session_generation(self->session);
    CxuiJobRequest job = {
        .title = title_of(request->kind),
        .tier = CX_TIER_EDIT,
        .hidden = !is_long(request),
        .func = run_request,
        .data = request,
        .done = on_request_done,
        .user_data = self,
    };
    self->job = cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

static void
start_next(CxuiEditController *self)
{
    cxui_edit_controller_notify(self);
    cxui_session_state_changed(self->session);
    if (!g_queue_is_empty(&self->queue))
        cxui_session_need_project(self->session, on_project_ready,
                                  g_object_ref(self));
}

static void
push(CxuiEditController *self, Request *request)
{
    g_queue_push_tail(&self->queue, request);
    if (g_queue_get_length(&self->queue) == 1)
        start_next(self);
}

void
cxui_edit_controller_flush(CxuiEditController *self)
{
    while (self->job != NULL) {
        g_autoptr(CxJob) job = cx_job_ref(self->job);

        cxui_job_list_wait(cxui_session_jobs(self->session), job);
    }
    if (self->preview_job != NULL)
        cx_job_cancel(self->preview_job);
    g_queue_clear_full(&self->queue, request_free);
}

void
cxui_edit_controller_merge_selected(CxuiEditController *self)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    size_t n;
    const CxId *ids = cxui_selection_ids(selection, &n);

    if (n < 2) {
        g_autoptr(GError) error = g_error_new(
            CX_ERROR, CX_ERROR_INVALID,
            "To merge, select two or more segments: found %" G_GSIZE_FORMAT, n);
        cxui_session_fail(self->session, error);
        return;
    }
    Request *request = request_new(REQUEST_MERGE);
    g_array_append_vals(request->ids, ids, (guint)n);
    request->at = cxui_view_state_voxel(cxui_session_view(self->session));
    push(self, request);
}

void
cxui_edit_controller_merge(CxuiEditController *self, CxId keep_id, CxId other,
                           CxVoxel at)
{
    Request *request = request_new(REQUEST_MERGE);

    g_array_append_val(request->ids, keep_id);
    g_array_append_val(request->ids, other);
    request->at = at;
    push(self, request);
}

void
cxui_edit_controller_gather(CxuiEditController *self, CxId keep_id,
                            const CxId *supervoxels, size_t n, CxVoxel at)
{
    Request *request = request_new(REQUEST_GATHER);

    request->segment = keep_id;
    g_array_append_vals(request->ids, supervoxels, (guint)n);
    request->at = at;
    push(self, request);
}

/* The segment meant by the seeds: as set, else what lies under the first. */
static CxId
segment_to_split(CxuiEditController *self)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    CxId segment = cxui_selection_split_segment(selection), supervoxel;
    size_t n;
    const CxuiSeed *seeds = cxui_selection_seeds(selection, &n);

    if (segment == 0 && n > 0)
        cxui_session_pick(self->session, seeds[0].at, &supervoxel, &segment);
    return segment;
}

static bool
holds(const GArray *ids, CxId id)
{
    for (guint i = 0; i < ids->len; i++)
        if (g_array_index(ids, CxId, i) == id)
            return true;
    return false;
}

/* The supervoxels of a segment that are not in `ids` (sorted). */
static GArray *
others_of(CxProject *project, CxId segment, const GArray *ids)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(cx_project_graph(project), segment);
    GArray *others = g_array_new(FALSE, FALSE, sizeof(CxId));
    guint next = 0;

    for (guint i = 0; members != NULL && i < members->len; i++) {
        CxId id = g_array_index(members, CxSupervoxel, i).id;

        while (next < ids->len && g_array_index(ids, CxId, next) < id)
            next++;
        if (next == ids->len || g_array_index(ids, CxId, next) != id)
            g_array_append_val(others, id);
    }
    return others;
}

/* What leaves is the smaller side, whichever that is; shown is side B. */
static bool
turn_to_side_b(Preview *preview, GError **error)
{
    CxId supervoxel, segment;

    if (!cx_project_pick(preview->project,
                         g_array_index(preview->sinks, CxVoxel, 0), &supervoxel,
                         &segment, error))
        return false;
    if (holds(preview->moved, supervoxel))
        return true;
    GArray *others =
        others_of(preview->project, preview->segment, preview->moved);
    g_array_unref(preview->moved);
    preview->moved = others;
    return true;
}

/* Worker thread. */
static bool
run_preview(CxJob *job, void *data, GError **error)
{
    Preview *preview = data;

    preview->moved = cx_project_preview_split(
        preview->project, preview->segment,
        (const CxVoxel *)preview->sources->data, preview->sources->len,
        (const CxVoxel *)preview->sinks->data, preview->sinks->len, job, error);
    return preview->moved != NULL && turn_to_side_b(preview, error);
}

typedef struct {
    CxuiEditController *self;
    Preview *preview; /* the job's data, alive while done runs */
} PreviewDone;

static void
on_preview_done(CxJob *job, const GError *error, void *data)
{
    g_autofree PreviewDone *done = data;
    g_autoptr(CxuiEditController) self = done->self;
    const Preview *preview = done->preview;
    CxuiSelection *selection = cxui_session_selection(self->session);

    if (preview->number != self->preview_number)
        return;
    g_clear_pointer(&self->preview_job, cx_job_unref);
    if (error == NULL)
        cxui_selection_set_preview(selection, CXUI_PREVIEW_READY,
                                   (const CxId *)preview->moved->data,
                                   preview->moved->len, NULL);
    else if (!cx_error_is_cancelled(error))
        cxui_selection_set_preview(selection, CXUI_PREVIEW_FAILED, NULL, 0,
                                   error->message);
}

static void
start_preview(CxuiEditController *self, CxProject *project, CxId segment)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    Preview *preview = g_new0(Preview, 1);
    PreviewDone *done = g_new(PreviewDone, 1);

    preview->project = cx_project_ref(project);
    preview->segment = segment;
    preview->sources = seeds_of(selection, CXUI_SIDE_A);
    preview->sinks = seeds_of(selection, CXUI_SIDE_B);
    preview->number = self->preview_number;
    *done = (PreviewDone){g_object_ref(self), preview};
    CxuiJobRequest job = {
        .title = "Previewing the split",
        .tier = CX_TIER_EDIT,
        .hidden = true,
        .func = run_preview,
        .data = preview,
        .destroy = preview_free,
        .done = on_preview_done,
        .user_data = done,
    };
    cxui_selection_set_preview(selection, CXUI_PREVIEW_COMPUTING, NULL, 0,
                               NULL);
    self->preview_job =
        cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

void
cxui_edit_controller_preview_split(CxuiEditController *self)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    CxProject *project = cxui_session_project(self->session);

    self->preview_number++;
    if (self->preview_job != NULL)
        cx_job_cancel(self->preview_job);
    g_clear_pointer(&self->preview_job, cx_job_unref);
    CxId segment = segment_to_split(self);
    if (project == NULL || segment == 0 || !has_both_sides(selection)) {
        cxui_selection_set_preview(selection, CXUI_PREVIEW_NONE, NULL, 0, NULL);
        return;
    }
    start_preview(self, project, segment);
}

void
cxui_edit_controller_commit_split(CxuiEditController *self)
{
    CxuiSelection *selection = cxui_session_selection(self->session);

    if (!has_both_sides(selection)) {
        g_autoptr(GError) error = g_error_new_literal(
            CX_ERROR, CX_ERROR_INVALID,
            "To split, set a seed on each side: one side has none");
        cxui_session_fail(self->session, error);
        return;
    }
    Request *request = request_new(REQUEST_SPLIT);
    request->segment = segment_to_split(self);
    request->sources = seeds_of(selection, CXUI_SIDE_A);
    request->sinks = seeds_of(selection, CXUI_SIDE_B);
    push(self, request);
}

static void
push_steps(CxuiEditController *self, RequestKind kind, unsigned n)
{
    if (n == 0 || cxui_session_project(self->session) == NULL)
        return;
    Request *request = request_new(kind);
    request->n = n;
    push(self, request);
}

void
cxui_edit_controller_undo(CxuiEditController *self, unsigned n)
{
    push_steps(self, REQUEST_UNDO, n);
}

void
cxui_edit_controller_redo(CxuiEditController *self, unsigned n)
{
    push_steps(self, REQUEST_REDO, n);
}

void
cxui_edit_controller_go_to(CxuiEditController *self, int64_t sequence)
{
    if (cxui_session_project(self->session) == NULL)
        return;
    Request *request = request_new(REQUEST_GO_TO);
    request->sequence = sequence;
    push(self, request);
}

void
cxui_edit_controller_set_note(CxuiEditController *self, CxId segment,
                              const char *text)
{
    Request *request = request_new(REQUEST_NOTE);

    request->segment = segment;
    request->text = g_strdup(text);
    push(self, request);
}

void
cxui_edit_controller_set_locked(CxuiEditController *self, CxId segment,
                                bool locked)
{
    Request *request = request_new(REQUEST_LOCK);

    request->segment = segment;
    request->locked = locked;
    push(self, request);
}

bool
cxui_edit_controller_is_busy(CxuiEditController *self)
{
    return !g_queue_is_empty(&self->queue);
}

bool
cxui_edit_controller_can_undo(CxuiEditController *self)
{
    return cxui_history_model_can_undo(cxui_session_history(self->session));
}

bool
cxui_edit_controller_can_redo(CxuiEditController *self)
{
    return cxui_history_model_can_redo(cxui_session_history(self->session));
}

/* Edits are possible in a project that may be written, or on labels for which
 * one can be made. */
static bool
is_writable(CxuiEditController *self)
{
    CxProject *project = cxui_session_project(self->session);

    return project != NULL ? !cx_project_is_read_only(project)
                           : cxui_session_labels(self->session) != NULL;
}

bool
cxui_edit_controller_can_merge(CxuiEditController *self)
{
    size_t n;

    cxui_selection_ids(cxui_session_selection(self->session), &n);
    return n >= 2 && is_writable(self);
}

bool
cxui_edit_controller_can_split(CxuiEditController *self)
{
    return has_both_sides(cxui_session_selection(self->session)) &&
           is_writable(self);
}
