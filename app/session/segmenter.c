/* Runs the network and the pipeline over what the user points at.
 *
 * The worker puts the boxes of finished blocks into a shared list and rings;
 * the main loop takes them out and tells the session.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/segmenter.h"

#include "app/session/bell.h"
#include "app/session/session_private.h"
#include "core/base/error.h"

#include <math.h>

/* Beyond this ratio of voxel sizes a model sees other shapes than it learned. */
#define FAR_RATIO 1.5

/* Model files remembered. */
#define MAX_FILES 8

/* Sections at least this much thicker than a pixel is wide: flat blocks. */
#define FLAT_RATIO 3.0

/* What a run shares between worker and main loop. */
typedef struct {
    CxProject *project;
    char *model, *type;
    CxBox box;
    CxVoxel focus;
    unsigned n_threads;
    uint64_t generation;
    CxuiBell *bell;
    CxuiSegmenter *segmenter; /* a reference, for the main loop */

    GMutex lock;   /* guards the two that follow */
    GArray *boxes; /* of CxBox: finished, not told yet */
    uint64_t n_voxels;
} Run;

struct _CxuiSegmenter {
    GObject parent;
    CxuiSession *session; /* owns us */
    CxuiBell *bell;
    GPtrArray *models; /* of CxuiModelInfo; empty until they are read */
    char *model;       /* chosen by the user, or NULL */
    Run *run;          /* the present one, or NULL; owned by its job */
    CxJob *job;
    int64_t start_us, end_us;
    uint64_t n_voxels;
    bool has_next; /* a wish that waits for the present run to end */
    CxBox next_box;
    CxVoxel next_focus;
};

enum {
    PROPERTY_MODEL = 1,
    PROPERTY_RUNNING,
    PROPERTY_MVOX_PER_S,
    PROPERTY_MODELS_READ,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];
static guint finished_signal;

G_DEFINE_FINAL_TYPE(CxuiSegmenter, cxui_segmenter, G_TYPE_OBJECT)

static void
run_free(void *data)
{
    Run *run = data;

    cx_project_unref(run->project);
    g_free(run->model);
    g_free(run->type);
    cxui_bell_unref(run->bell);
    g_object_unref(run->segmenter);
    g_mutex_clear(&run->lock);
    g_array_unref(run->boxes);
    g_free(run);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiSegmenter *self = CXUI_SEGMENTER(object);

    switch (id) {
    case PROPERTY_MODEL:
        g_value_set_string(value, cxui_segmenter_model(self));
        break;
    case PROPERTY_RUNNING:
        g_value_set_boolean(value, cxui_segmenter_is_running(self));
        break;
    case PROPERTY_MVOX_PER_S:
        g_value_set_double(value, cxui_segmenter_mvox_per_s(self));
        break;
    case PROPERTY_MODELS_READ:
        g_value_set_boolean(value, self->models->len > 0);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    cxui_segmenter_set_model(CXUI_SEGMENTER(object), g_value_get_string(value));
}

static void
finalize(GObject *object)
{
    CxuiSegmenter *self = CXUI_SEGMENTER(object);

    g_clear_pointer(&self->job, cx_job_unref);
    g_ptr_array_unref(self->models);
    g_free(self->model);
    cxui_bell_unref(self->bell);
    G_OBJECT_CLASS(cxui_segmenter_parent_class)->finalize(object);
}

static void
cxui_segmenter_class_init(CxuiSegmenterClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    object_class->get_property = get_property;
    object_class->set_property = set_property;
    object_class->finalize = finalize;
    specs[PROPERTY_MODEL] = g_param_spec_string("model", NULL, NULL, "",
                                                readable | G_PARAM_WRITABLE |
                                                    G_PARAM_EXPLICIT_NOTIFY);
    specs[PROPERTY_RUNNING] =
        g_param_spec_boolean("running", NULL, NULL, FALSE, readable);
    specs[PROPERTY_MVOX_PER_S] = g_param_spec_double(
        "mvox-per-s", NULL, NULL, 0, G_MAXDOUBLE, 0, readable);
    specs[PROPERTY_MODELS_READ] =
        g_param_spec_boolean("models-read", NULL, NULL, FALSE, readable);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
    finished_signal =
        g_signal_new("finished", CXUI_TYPE_SEGMENTER, G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

/* Main loop: blocks that were finished since the last time. */
static void
take_boxes(GObject *object)
{
    CxuiSegmenter *self = CXUI_SEGMENTER(object);
    Run *run = self->run;

    if (run == NULL)
        return;
    g_mutex_lock(&run->lock);
    g_autoptr(GArray) boxes = run->boxes;
    run->boxes = g_array_new(FALSE, FALSE, sizeof(CxBox));
    self->n_voxels = run->n_voxels;
    g_mutex_unlock(&run->lock);
    self->end_us = g_get_monotonic_time();
    if (run->generation != cxui_session_generation(self->session))
        return;
    for (guint i = 0; i < boxes->len; i++)
        cxui_session_block_segmented(self->session,
                                     g_array_index(boxes, CxBox, i));
    g_object_notify_by_pspec(object, specs[PROPERTY_MVOX_PER_S]);
}

static void
cxui_segmenter_init(CxuiSegmenter *self)
{
    self->models =
        g_ptr_array_new_with_free_func((GDestroyNotify)cxui_model_info_free);
    self->bell = cxui_bell_new(G_OBJECT(self), take_boxes);
}

/* The networks' cards are read once, in a job. */
typedef struct {
    CxuiSegmenter *segmenter; /* a reference */
    char *files;              /* named by the user */
    GPtrArray *models;
} Reading;

static void
reading_free(void *data)
{
    Reading *reading = data;

    g_object_unref(reading->segmenter);
    g_free(reading->files);
    g_clear_pointer(&reading->models, g_ptr_array_unref);
    g_free(reading);
}

static bool
run_reading(CxJob *job, void *data, GError **error)
{
    Reading *reading = data;

    reading->models = cxui_model_list_read(reading->files);
    return true;
}

static void
on_models_read(CxJob *job, const GError *error, void *data)
{
    Reading *reading = data;
    CxuiSegmenter *self = reading->segmenter;

    if (reading->models == NULL)
        return;
    g_ptr_array_unref(self->models);
    self->models = g_steal_pointer(&reading->models);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_MODELS_READ]);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_MODEL]);
}

CxuiSegmenter *
cxui_segmenter_new(CxuiSession *session)
{
    CxuiSegmenter *self = g_object_new(CXUI_TYPE_SEGMENTER, NULL);
    Reading *reading = g_new0(Reading, 1);

    self->session = session;
    const char *chosen = cxui_settings_model(cxui_session_settings(session));
    if (chosen[0] != '\0')
        self->model = g_strdup(chosen);
    reading->segmenter = g_object_ref(self);
    g_autofree char *files = NULL;
    g_object_get(cxui_session_settings(session), "model-files", &files, NULL);
    reading->files = self->model != NULL && g_str_has_suffix(self->model, ".h5")
                         ? g_strjoin("\n", self->model, files, NULL)
                         : g_steal_pointer(&files);
    CxuiJobRequest job = {
        .title = "Reading the networks",
        .tier = CX_TIER_PREFETCH,
        .hidden = true,
        .func = run_reading,
        .data = reading,
        .destroy = reading_free,
        .done = on_models_read,
        .user_data = reading,
    };
    g_autoptr(CxJob) started =
        cxui_job_list_start(cxui_session_jobs(session), &job);
    return self;
}

const GPtrArray *
cxui_segmenter_infos(CxuiSegmenter *self)
{
    return self->models;
}

static const CxuiModelInfo *
find_model(CxuiSegmenter *self, const char *name)
{
    for (guint i = 0; i < self->models->len; i++) {
        const CxuiModelInfo *info = g_ptr_array_index(self->models, i);

        if (g_strcmp0(info->name, name) == 0)
            return info;
    }
    return NULL;
}

const CxuiModelInfo *
cxui_segmenter_info(CxuiSegmenter *self)
{
    return find_model(self, cxui_segmenter_model(self));
}

const char *
cxui_segmenter_type(CxuiSegmenter *self)
{
    g_autofree char *choice = NULL;
    const CxuiModelInfo *info = cxui_segmenter_info(self);

    g_object_get(cxui_session_settings(self->session), "model-type", &choice,
                 NULL);
    if (info == NULL || g_str_equal(choice, "auto"))
        return NULL;
    return cxui_model_info_type(info, choice);
}

const char *
cxui_segmenter_model(CxuiSegmenter *self)
{
    CxVolume *image = cxui_session_image(self->session);

    if (self->model != NULL)
        return self->model;
    CxNm voxel_nm = image != NULL ? cx_volume_level(image, 0).voxel_nm
                                  : (CxNm){10.0, 10.0, 10.0};
    const CxuiModelInfo *info = cxui_model_list_nearest(self->models, voxel_nm);
    return info != NULL ? info->name : "";
}

/* A file that is named once stays in the list, newest first. */
static void
add_file(CxuiSegmenter *self, const char *path)
{
    CxuiSettings *settings = cxui_session_settings(self->session);
    g_autofree char *files = NULL;

    g_ptr_array_add(self->models, cxui_model_info_read(path));
    if (!g_str_has_suffix(path, ".h5"))
        return;
    g_object_get(settings, "model-files", &files, NULL);
    g_auto(GStrv) old = g_strsplit(files, "\n", -1);
    g_autoptr(GString) text = g_string_new(path);
    for (unsigned i = 0; old[i] != NULL && i + 1 < MAX_FILES; i++)
        if (old[i][0] != '\0' && !g_str_equal(old[i], path))
            g_string_append_printf(text, "\n%s", old[i]);
    g_object_set(settings, "model-files", text->str, NULL);
}

void
cxui_segmenter_set_model(CxuiSegmenter *self, const char *model)
{
    if (model != NULL && model[0] == '\0')
        model = NULL;
    if (g_strcmp0(model, self->model) == 0)
        return;
    g_free(self->model);
    self->model = g_strdup(model);
    if (model != NULL && find_model(self, model) == NULL)
        add_file(self, model);
    g_object_set(cxui_session_settings(self->session), "model",
                 model != NULL ? model : "", NULL);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_MODEL]);
}

char *
cxui_segmenter_dup_warning(CxuiSegmenter *self)
{
    CxVolume *image = cxui_session_image(self->session);
    const CxuiModelInfo *info = cxui_segmenter_info(self);

    if (image == NULL || info == NULL || !info->usable)
        return NULL;
    CxNm model = info->voxel_nm, data = cx_volume_level(image, 0).voxel_nm;
    if (!cx_volume_has_voxel_size(image))
        return g_strdup_printf(
            "The image states no voxel size; the model %s was trained at "
            "%g × %g × %g nm",
            info->title, model.x, model.y, model.z);
    if (cxui_voxel_ratio(model, data) <= FAR_RATIO)
        return NULL;
    return g_strdup_printf("The image has voxels of %g × %g × %g nm, the model "
                           "%s was trained at %g × %g × %g nm",
                           data.x, data.y, data.z, info->title, model.x,
                           model.y, model.z);
}

/* Segmenting thread: a block is stored. */
static void
on_block(CxProject *project, CxBox box, void *data)
{
    Run *run = data;
    size_t n = 0;

    cx_box_n_voxels(box, &n);
    g_mutex_lock(&run->lock);
    g_array_append_val(run->boxes, box);
    run->n_voxels += n;
    g_mutex_unlock(&run->lock);
    cxui_bell_ring(run->bell);
}

/* Blocks small enough to appear one by one; what is there already decides. */
static CxVoxel
block_size(CxProject *project, CxVolume *image)
{
    CxNm voxel_nm = cx_volume_level(image, 0).voxel_nm;
    size_t n_total;

    if (cx_project_n_blocks(project, &n_total) > 0)
        return cx_project_block_size(project);
    if (voxel_nm.z >= FLAT_RATIO * voxel_nm.x)
        return (CxVoxel){256, 256, 16};
    return (CxVoxel){128, 128, 128};
}

/* Worker thread. */
static bool
run_run(CxJob *job, void *data, GError **error)
{
    Run *run = data;
    CxVolume *image = cx_project_image(run->project);

    cx_job_stage(job, "reading the network", 0.0, 0.01);
    g_autoptr(CxNetwork) network = cx_network_load(run->model, error);
    if (network == NULL)
        return false;
    CxPredictorOptions numbers = {.type = run->type};
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, image, &numbers, error);
    if (predictor == NULL)
        return false;
    CxPipelineOptions options = cx_pipeline_defaults();
    options.block = block_size(run->project, image);
    g_autoptr(CxPipeline) pipeline = cx_pipeline_new(predictor, &options);
    CxBox bounds = cx_volume_bounds(image, 0);
    CxBox box =
        cx_box_is_empty(run->box) ? bounds : cx_box_intersect(run->box, bounds);
    cx_job_stage(job, "segmenting", 0.01, 1.0);
    return cx_project_segment(run->project, pipeline, box, run->focus, on_block,
                              run, job, error);
}

static void
tell(CxuiSegmenter *self, const GError *error)
{
    double seconds = (double)(self->end_us - self->start_us) * 1e-6;
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);

    if (error != NULL) {
        cxui_session_fail(self->session, error);
        return;
    }
    if (self->n_voxels == 0)
        cxui_session_toast(self->session, 0,
                           "Everything here is segmented already");
    else if (graph != NULL)
        cxui_session_toast(self->session, 0,
                           "Segmented %.1f million voxels in %.1f s: "
                           "%" G_GSIZE_FORMAT " segments",
                           (double)self->n_voxels * 1e-6, seconds,
                           cx_supervoxel_graph_n_segments(graph));
}

static void
on_run_done(CxJob *job, const GError *error, void *data)
{
    Run *run = data;
    CxuiSegmenter *self = run->segmenter;
    bool ours = run->generation == cxui_session_generation(self->session);

    take_boxes(G_OBJECT(self));
    self->run = NULL;
    g_clear_pointer(&self->job, cx_job_unref);
    self->end_us = g_get_monotonic_time();
    if (ours) {
        cxui_session_resegmented(self->session);
        tell(self, error);
    }
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_RUNNING]);
    g_signal_emit(self, finished_signal, 0, error == NULL);
    if (self->has_next && ours)
        cxui_segmenter_run(self, self->next_box, self->next_focus);
    self->has_next = false;
}

typedef struct {
    CxuiSegmenter *segmenter; /* a reference */
    CxBox box;
    CxVoxel focus;
} Wish;

static void
start_run(CxuiSegmenter *self, CxProject *project, const Wish *wish)
{
    Run *run = g_new0(Run, 1);

    run->project = cx_project_ref(project);
    run->model = g_strdup(cxui_segmenter_model(self));
    run->type = g_strdup(cxui_segmenter_type(self));
    run->box = wish->box;
    run->focus = wish->focus;
    run->generation = cxui_session_generation(self->session);
    run->bell = cxui_bell_ref(self->bell);
    run->segmenter = g_object_ref(self);
    run->boxes = g_array_new(FALSE, FALSE, sizeof(CxBox));
    g_mutex_init(&run->lock);
    CxuiJobRequest job = {
        .title = cx_box_is_empty(run->box) ? "Segmenting the volume"
                                           : "Segmenting the field",
        .tier = CX_TIER_BATCH,
        .func = run_run,
        .data = run,
        .destroy = run_free,
        .done = on_run_done,
        .user_data = run,
    };
    g_autofree char *warning = cxui_segmenter_dup_warning(self);
    if (warning != NULL)
        cxui_session_toast(self->session, 0, "%s", warning);
    self->run = run;
    self->n_voxels = 0;
    self->start_us = self->end_us = g_get_monotonic_time();
    self->job = cxui_job_list_start(cxui_session_jobs(self->session), &job);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_RUNNING]);
}

static void
on_project_ready(CxProject *project, void *data)
{
    g_autofree Wish *wish = data;
    g_autoptr(CxuiSegmenter) self = wish->segmenter;

    if (project == NULL || self->run != NULL)
        return;
    start_run(self, project, wish);
}

/* Why nothing can be segmented, or NULL. */
static GError *
check(CxuiSegmenter *self)
{
    if (cxui_session_image(self->session) == NULL)
        return g_error_new_literal(CX_ERROR, CX_ERROR_INVALID,
                                   "To segment, open an image first");
    if (cxui_segmenter_model(self)[0] == '\0')
        return g_error_new_literal(
            CX_ERROR, CX_ERROR_NOT_FOUND,
            "No network was found: choose a model file (.h5)");
    return NULL;
}

void
cxui_segmenter_run(CxuiSegmenter *self, CxBox box, CxVoxel focus)
{
    g_autoptr(GError) error = check(self);

    if (error != NULL) {
        cxui_session_fail(self->session, error);
        return;
    }
    if (self->job != NULL) {
        cx_job_cancel(self->job);
        self->has_next = true;
        self->next_box = box;
        self->next_focus = focus;
        return;
    }
    Wish *wish = g_new(Wish, 1);
    *wish = (Wish){g_object_ref(self), box, focus};
    cxui_session_need_project(self->session, on_project_ready, wish);
}

void
cxui_segmenter_cancel(CxuiSegmenter *self)
{
    self->has_next = false;
    if (self->job != NULL)
        cx_job_cancel(self->job);
}

bool
cxui_segmenter_is_running(CxuiSegmenter *self)
{
    return self->job != NULL;
}

double
cxui_segmenter_mvox_per_s(CxuiSegmenter *self)
{
    int64_t spent_us = self->end_us - self->start_us;

    return spent_us > 0 ? (double)self->n_voxels / (double)spent_us : 0.0;
}
