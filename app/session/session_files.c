/* Opening, closing and saving what the user works on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/session_struct.h"
#include "core/base/error.h"

#include <string.h>

/* How soon a changed view is stored. */
#define VIEW_DELAY_S 5

/* Label files up to this size become a project as soon as they are open, so
 * that the list of segments is there; larger ones at the first edit. */
#define MAX_VOXELS_AT_ONCE ((size_t)1 << 28)

static void
remove_volumes(CxuiSession *self)
{
    if (self->image_id != 0)
        cx_chunk_loader_remove(self->loader, self->image_id);
    if (self->labels_id != 0)
        cx_chunk_loader_remove(self->loader, self->labels_id);
    self->image_id = self->labels_id = 0;
}

void
cxui_session_use_data(CxuiSession *self)
{
    CxVolume *space = cxui_open_data_space(&self->open);
    CxVolume *labels = cxui_session_labels(self);

    remove_volumes(self);
    if (self->open.image != NULL)
        self->image_id =
            cx_chunk_loader_add(self->loader, self->open.image, false);
    if (labels != NULL)
        self->labels_id = cx_chunk_loader_add(self->loader, labels, true);
    if (space != NULL)
        cxui_view_state_set_space(self->view, cx_volume_bounds(space, 0),
                                  cx_volume_level(space, 0).voxel_nm,
                                  cx_volume_offset_nm(space));
    cxui_mesh_controller_reset(self->meshes, cxui_session_segments(self),
                               self->open.project);
    cxui_segment_model_reload(self->segment_model);
    cxui_history_model_reload(self->history);
    cxui_session_emit(self, CXUI_SESSION_VOLUMES_CHANGED);
    cxui_edit_controller_notify(self->edits);
}

static bool
can_store(CxuiSession *self)
{
    return self->open.project != NULL &&
           !cx_project_is_read_only(self->open.project);
}

typedef struct {
    CxProject *project;
    char *view, *selection;
} ViewTexts;

static ViewTexts *
view_texts(CxuiSession *self)
{
    ViewTexts *texts = g_new(ViewTexts, 1);

    *texts = (ViewTexts){cx_project_ref(self->open.project),
                         cxui_view_state_to_json(self->view),
                         cxui_selection_to_json(self->selection)};
    return texts;
}

static void
view_texts_free(void *data)
{
    ViewTexts *texts = data;

    cx_project_unref(texts->project);
    g_free(texts->view);
    g_free(texts->selection);
    g_free(texts);
}

/* Any thread. */
static bool
run_store_view(CxJob *job, void *data, GError **error)
{
    ViewTexts *texts = data;

    return cx_project_set_text(texts->project, "view", texts->view, error) &&
           cx_project_set_text(texts->project, "selection", texts->selection,
                               error);
}

static void
on_view_stored(CxJob *job, const GError *error, void *data)
{
    /* Where somebody looked is not worth a message. */
    if (error != NULL)
        g_info("the view was not stored: %s", error->message);
}

static gboolean
store_view(void *data)
{
    CxuiSession *self = data;

    self->view_timeout = 0;
    if (!can_store(self) || self->store_job != NULL)
        return G_SOURCE_REMOVE;
    CxuiJobRequest request = {
        .title = "Storing the view",
        .tier = CX_TIER_PREFETCH,
        .hidden = true,
        .func = run_store_view,
        .data = view_texts(self),
        .destroy = view_texts_free,
        .done = on_view_stored,
    };
    g_autoptr(CxJob) job = cxui_job_list_start(self->jobs, &request);
    return G_SOURCE_REMOVE;
}

void
cxui_session_view_changed(CxuiSession *self)
{
    if (self->view_timeout == 0 && can_store(self))
        self->view_timeout =
            g_timeout_add_seconds(VIEW_DELAY_S, store_view, self);
}

/* At closing: at once. */
static void
store_view_now(CxuiSession *self)
{
    if (self->view_timeout != 0)
        g_source_remove(self->view_timeout);
    self->view_timeout = 0;
    if (!can_store(self))
        return;
    g_autoptr(GError) error = NULL;
    ViewTexts *texts = view_texts(self);
    run_store_view(NULL, texts, &error);
    on_view_stored(NULL, error, NULL);
    view_texts_free(texts);
}

/* A copy of a label file in which nothing was edited is not worth keeping. */
static void
discard_import(CxuiSession *self)
{
    if (self->open.project == NULL || !self->open.copied ||
        !self->open.untitled)
        return;
    g_autofree char *path = g_strdup(cx_project_path(self->open.project));
    g_clear_pointer(&self->open.project, cx_project_unref);
    cx_project_delete_files(path);
}

/* Lets go of what is open; edits under way are stored first. */
static void
let_go(CxuiSession *self)
{
    cxui_segmenter_cancel(self->segmenter);
    cxui_grower_reset(self->grower);
    if (self->store_job != NULL) {
        g_autoptr(CxJob) job = cx_job_ref(self->store_job);

        cxui_job_list_wait(self->jobs, job);
    }
    cxui_edit_controller_flush(self->edits);
    store_view_now(self);
    remove_volumes(self);
    discard_import(self);
    cxui_open_data_clear(&self->open);
    self->generation++;
    cxui_selection_reset(self->selection);
}

typedef struct {
    CxuiSession *session;
    char **specs; /* NULL = the sample */
    char *author;
    CxuiOpenData data;
    char *view, *selection; /* texts of the project, or NULL */
} Opening;

static void
opening_free(void *data)
{
    Opening *opening = data;

    g_strfreev(opening->specs);
    g_free(opening->author);
    cxui_open_data_clear(&opening->data);
    g_free(opening->view);
    g_free(opening->selection);
    g_free(opening);
}

/* Worker thread. */
static bool
run_opening(CxJob *job, void *data, GError **error)
{
    Opening *opening = data;

    if (opening->specs == NULL) {
        if (!cxui_open_data_sample(&opening->data, job, error))
            return false;
    } else if (!cxui_open_data_open(&opening->data,
                                    (const char *const *)opening->specs, job,
                                    error)) {
        return false;
    }
    if (!cxui_open_data_sign(&opening->data, opening->author, error))
        return false;
    CxProject *project = opening->data.project;
    if (project != NULL) {
        opening->view = cx_project_dup_text(project, "view");
        opening->selection = cx_project_dup_text(project, "selection");
    }
    return cx_job_step(job, 1, 1, error);
}

static void
ignore_project(CxProject *project, void *data)
{
}

/* Small label files get their list of segments now. */
static void
import_soon(CxuiSession *self)
{
    size_t n;

    if (self->open.project != NULL || self->open.labels == NULL ||
        !cx_box_n_voxels(cx_volume_bounds(self->open.labels, 0), &n) ||
        n > MAX_VOXELS_AT_ONCE)
        return;
    cxui_session_need_project(self, ignore_project, NULL);
}

static void
restore_view(CxuiSession *self, const Opening *opening)
{
    if (opening->view != NULL)
        cxui_view_state_from_json(self->view, opening->view);
    if (opening->selection != NULL)
        cxui_selection_from_json(self->selection, opening->selection);
}

static void
on_opened(CxJob *job, const GError *error, void *data)
{
    Opening *opening = data;
    CxuiSession *self = opening->session;

    if (job != self->open_job)
        return;
    g_clear_pointer(&self->open_job, cx_job_unref);
    if (error != NULL) {
        cxui_session_fail(self, error);
        cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
        return;
    }
    let_go(self);
    self->open = opening->data;
    opening->data = (CxuiOpenData){NULL};
    cxui_session_use_data(self);
    restore_view(self, opening);
    cxui_session_emit(self, CXUI_SESSION_OPENED);
    cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
    if (self->open.remark != NULL)
        cxui_session_toast(self, 0, "%s", self->open.remark);
    import_soon(self);
}

static void
start_opening(CxuiSession *self, Opening *opening, const char *title)
{
    cxui_session_cancel_open(self);
    opening->session = self;
    opening->author = g_strdup(cxui_settings_author(self->settings));
    CxuiJobRequest request = {
        .title = title,
        .tier = CX_TIER_EDIT,
        .func = run_opening,
        .data = opening,
        .destroy = opening_free,
        .done = on_opened,
        .user_data = opening,
    };
    self->open_job = cxui_job_list_start(self->jobs, &request);
    cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
}

void
cxui_session_open(CxuiSession *self, const char *const *specs, size_t n_specs)
{
    g_return_if_fail(n_specs > 0);
    Opening *opening = g_new0(Opening, 1);
    g_autofree char *name = g_path_get_basename(specs[0]);
    g_autofree char *title = g_strdup_printf("Opening %s", name);

    opening->specs = g_new0(char *, n_specs + 1);
    for (size_t i = 0; i < n_specs; i++)
        opening->specs[i] = g_strdup(specs[i]);
    start_opening(self, opening, title);
}

void
cxui_session_open_sample(CxuiSession *self)
{
    start_opening(self, g_new0(Opening, 1), "Opening the sample");
}

void
cxui_session_cancel_open(CxuiSession *self)
{
    if (self->open_job == NULL)
        return;
    cx_job_cancel(self->open_job);
    g_clear_pointer(&self->open_job, cx_job_unref);
    cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
}

void
cxui_session_close(CxuiSession *self)
{
    cxui_session_cancel_open(self);
    if (!cxui_session_is_open(self))
        return;
    let_go(self);
    cxui_session_use_data(self);
    cxui_session_emit(self, CXUI_SESSION_CLOSED);
    cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
}

/* Making a project for what is open, or putting it elsewhere. */
typedef struct {
    CxuiSession *session;
    CxuiOpenData data; /* before: what is open; after: with the new project */
    CxProject *old;    /* save as: the project that is left */
    char *path;        /* NULL = untitled */
    char *author;
    bool overwrite;
    uint64_t generation;
} Storing;

static void
storing_free(void *data)
{
    Storing *storing = data;

    cxui_open_data_clear(&storing->data);
    g_clear_pointer(&storing->old, cx_project_unref);
    g_free(storing->path);
    g_free(storing->author);
    g_free(storing);
}

/* Worker thread: copies the project and opens the copy. */
static bool
copy_project(Storing *storing, CxJob *job, GError **error)
{
    CxProject *old = storing->data.project;

    cx_job_stage(job, "copying", 0.0, 0.8);
    if (!cx_project_copy(old, storing->path, storing->overwrite, job, error))
        return false;
    cx_job_stage(job, "opening the copy", 0.8, 1.0);
    CxProject *copy = cx_project_open(storing->path, false, job, error);
    if (copy == NULL)
        return false;
    storing->old = old;
    storing->data.project = copy;
    return true;
}

/* Worker thread. */
static bool
run_storing(CxJob *job, void *data, GError **error)
{
    Storing *storing = data;

    if (storing->data.project != NULL)
        return copy_project(storing, job, error);
    if (storing->path != NULL && storing->overwrite)
        cx_project_delete_files(storing->path);
    return cxui_open_data_make_project(&storing->data, storing->path, job,
                                       error) &&
           cxui_open_data_sign(&storing->data, storing->author, error);
}

static void
call_waiters(CxuiSession *self, CxProject *project)
{
    g_autoptr(GArray) waiters = self->waiters;

    self->waiters = g_array_new(FALSE, FALSE, sizeof(CxuiWaiter));
    for (guint i = 0; i < waiters->len; i++) {
        CxuiWaiter waiter = g_array_index(waiters, CxuiWaiter, i);

        waiter.ready(project, waiter.user_data);
    }
}

/* An untitled project moves: what is left behind goes. */
static void
leave_old(CxuiSession *self, const Storing *storing, bool was_untitled)
{
    if (storing->old != NULL && was_untitled)
        cx_project_delete_files(cx_project_path(storing->old));
}

static void
take_storing(CxuiSession *self, Storing *storing)
{
    bool was_untitled = self->open.untitled;

    remove_volumes(self);
    cxui_open_data_clear(&self->open);
    self->open = storing->data;
    storing->data = (CxuiOpenData){NULL};
    self->open.untitled = storing->path == NULL;
    if (storing->path != NULL) {
        g_autofree char *name = g_path_get_basename(storing->path);

        g_free(self->open.title);
        self->open.title = g_str_has_suffix(name, ".connexon")
                               ? g_strndup(name, strlen(name) - 9)
                               : g_strdup(name);
        cxui_session_toast(self, 0, "Saved as %s", name);
    }
    leave_old(self, storing, was_untitled);
    cxui_session_use_data(self);
}

static void
on_stored(CxJob *job, const GError *error, void *data)
{
    Storing *storing = data;
    CxuiSession *self = storing->session;
    bool ours = storing->generation == self->generation;

    g_clear_pointer(&self->store_job, cx_job_unref);
    if (error != NULL)
        cxui_session_fail(self, error);
    else if (ours)
        take_storing(self, storing);
    call_waiters(self, ours && can_store(self) ? self->open.project : NULL);
    cxui_session_emit(self, CXUI_SESSION_STATE_CHANGED);
}

static void
start_storing(CxuiSession *self, const char *path, bool overwrite,
              const char *title)
{
    Storing *storing = g_new0(Storing, 1);

    storing->session = self;
    storing->data = cxui_open_data_copy(&self->open);
    storing->path = g_strdup(path);
    storing->author = g_strdup(cxui_settings_author(self->settings));
    storing->overwrite = overwrite;
    storing->generation = self->generation;
    CxuiJobRequest request = {
        .title = title,
        .tier = CX_TIER_EDIT,
        .hidden = path == NULL && self->open.labels == NULL,
        .func = run_storing,
        .data = storing,
        .destroy = storing_free,
        .done = on_stored,
        .user_data = storing,
    };
    self->store_job = cxui_job_list_start(self->jobs, &request);
}

void
cxui_session_save_as(CxuiSession *self, const char *path, bool overwrite)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *title = g_strdup_printf("Saving as %s", name);

    if (!cxui_session_is_open(self))
        return;
    cxui_segmenter_cancel(self->segmenter);
    if (self->store_job != NULL) {
        g_autoptr(CxJob) job = cx_job_ref(self->store_job);

        cxui_job_list_wait(self->jobs, job);
    }
    cxui_edit_controller_flush(self->edits);
    store_view_now(self);
    start_storing(self, path, overwrite, title);
}

void
cxui_session_need_project(CxuiSession *self, CxuiProjectReady ready,
                          void *user_data)
{
    CxuiWaiter waiter = {ready, user_data};

    if (self->store_job == NULL && can_store(self)) {
        ready(self->open.project, user_data);
        return;
    }
    g_autoptr(GError) error = NULL;
    if (!cxui_session_is_open(self))
        error = g_error_new_literal(CX_ERROR, CX_ERROR_INVALID,
                                    "Nothing is open: open an image, labels or "
                                    "a project first");
    else if (self->store_job == NULL && self->open.project != NULL)
        error = g_error_new(CX_ERROR, CX_ERROR_READ_ONLY,
                            "%s is opened to look at only: save it under "
                            "another name to change it",
                            cx_project_path(self->open.project));
    if (error != NULL) {
        cxui_session_fail(self, error);
        ready(NULL, user_data);
        return;
    }
    g_array_append_val(self->waiters, waiter);
    if (self->store_job == NULL)
        start_storing(self, NULL, false,
                      self->open.labels != NULL ? "Reading the labels"
                                                : "Making a project");
}
