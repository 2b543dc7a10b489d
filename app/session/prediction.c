/* The network over what is shown.
 *
 * What is drawn is made from the queue's tiles when a frame asks for it (some
 * 30 µs a tile) and kept in a cache of its own, whose volume ids change with
 * everything that changes the look.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction.h"

#include "app/session/bell.h"
#include "app/session/prediction_engine.h"
#include "app/session/prediction_input.h"
#include "app/session/prediction_map.h"
#include "app/session/session_private.h"

#include <math.h>
#include <stdlib.h>

/* Tiles with all channels: fields of 9 million voxels of nine channels in all
 * panes, twice. */
#define TILE_BUDGET ((size_t)512 << 20)
#define MAP_BUDGET ((size_t)64 << 20)

/* Sections predicted ahead when nothing is missing. */
#define N_AHEAD 2

/* So far a neighbouring section shows nearly the same, and at most so many of
 * them. */
#define STAND_IN_NM 40.0
#define MAX_STAND_IN 4
#define STAND_IN_WEIGHT 0.45

/* Chunks of a level of maps. */
#define EXACT 0
#define STANDING_IN 1

#define STATUS_PAUSE_MS 200

/* Between pictures of a field that is not complete yet: each costs what the
 * network needs. */
#define PICTURE_PAUSE_MS 40

struct _CxuiPrediction {
    GObject parent;
    CxuiSession *session; /* owns us */
    CxuiBell *bell;
    CxuiPredictionQueue *queue; /* NULL once stopped */
    CxChunkCache *maps;
    uint32_t look_id; /* of maps */
    CxuiPredictionLook look;

    CxJob *making; /* the engine, or NULL */
    CxNetwork *network;
    const char *type;
    char *why_not[CXUI_N_FIELDS];
    bool wanted; /* the setting */

    CxuiPredictionField fields[CXUI_N_FIELDS];
    bool fits[CXUI_N_FIELDS];
    bool was_complete[CXUI_N_FIELDS]; /* when it was looked at last */
    char *status;
    guint status_timeout, picture_timeout;
    int64_t picture_us; /* of the last changed signal */
};

enum { PROPERTY_STATUS = 1, N_PROPERTIES };
static GParamSpec *specs[N_PROPERTIES];

enum { CHANGED, LOOK_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(CxuiPrediction, cxui_prediction, G_TYPE_OBJECT)

static int64_t
along(CxVoxel voxel, unsigned axis)
{
    return axis == 0 ? voxel.x : axis == 1 ? voxel.y : voxel.z;
}

static double
nm_along(CxNm nm, unsigned axis)
{
    return axis == 0 ? nm.x : axis == 1 ? nm.y : nm.z;
}

/* --- what is said */

static gboolean
tell_status(void *data)
{
    CxuiPrediction *self = data;
    g_autofree char *status = cxui_prediction_dup_status(self);

    self->status_timeout = 0;
    if (g_strcmp0(status, self->status) != 0) {
        g_free(self->status);
        self->status = g_steal_pointer(&status);
        g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_STATUS]);
    }
    return G_SOURCE_REMOVE;
}

static void
tell_status_soon(CxuiPrediction *self)
{
    if (self->status_timeout == 0 && self->queue != NULL)
        self->status_timeout =
            g_timeout_add(STATUS_PAUSE_MS, tell_status, self);
}

/* The look is another one: no map drawn so far is valid. */
static void
change_look(CxuiPrediction *self)
{
    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++)
        cx_chunk_cache_remove_volume(self->maps,
                                     self->look_id * CXUI_N_FIELDS + axis);
    self->look_id++;
    g_signal_emit(self, signals[LOOK_CHANGED], 0);
    tell_status_soon(self);
}

/* --- the engine */

typedef struct {
    CxuiPrediction *prediction; /* a reference */
    CxVolume *input;
    char *model, *wish;
    uint64_t generation;
    CxuiPredictionEngine engine;
    CxNetwork *network;
    const char *type;
} Making;

static void
making_free(void *data)
{
    Making *making = data;

    g_object_unref(making->prediction);
    cx_volume_unref(making->input);
    g_free(making->model);
    g_free(making->wish);
    if (making->engine.destroy != NULL)
        making->engine.destroy(making->engine.data);
    cx_network_unref(making->network);
    g_free(making);
}

static bool
run_making(CxJob *job, void *data, GError **error)
{
    Making *making = data;
    CxuiPredictionRecipe recipe = {making->model, making->wish, making->input};

    return cxui_prediction_engine_make(&recipe, &making->engine,
                                       &making->network, &making->type, error);
}

/* Which panes cannot show it. */
static void
find_why_not(CxuiPrediction *self)
{
    CxNm nm = cx_volume_level(cxui_session_image(self->session), 0).voxel_nm;
    const CxuiModelInfo *info =
        cxui_segmenter_info(cxui_session_segmenter(self->session));
    const char *name = info != NULL ? info->title : "";

    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++) {
        g_clear_pointer(&self->why_not[axis], g_free);
        if (!cx_network_can_cut(self->network, axis))
            self->why_not[axis] = g_strdup_printf(
                "The model %s predicts sections along z: see xy", name);
        else if (axis != 2 && cx_network_dims(self->network) == 2 &&
                 cxui_voxel_ratio((CxNm){nm.x, nm.x, nm.x}, nm) > 1.5)
            self->why_not[axis] =
                g_strdup("Voxels are too unequal to predict across: see xy");
    }
}

static void
use_engine(CxuiPrediction *self, Making *making)
{
    cxui_prediction_queue_set_engine(self->queue, &making->engine);
    making->engine = (CxuiPredictionEngine){0};
    cx_network_unref(self->network);
    self->network = g_steal_pointer(&making->network);
    self->type = making->type;
    find_why_not(self);
    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++)
        self->fields[axis] = (CxuiPredictionField){0};
    change_look(self);
}

static void
on_made(CxJob *job, const GError *error, void *data)
{
    Making *making = data;
    CxuiPrediction *self = making->prediction;

    if (self->queue == NULL || self->making != job)
        return;
    g_clear_pointer(&self->making, cx_job_unref);
    if (making->generation != cxui_session_generation(self->session))
        return;
    if (error == NULL)
        use_engine(self, making);
    else
        cxui_session_fail(self->session, error);
    tell_status_soon(self);
}

static void
drop_engine(CxuiPrediction *self)
{
    if (self->making != NULL) {
        cx_job_cancel(self->making);
        g_clear_pointer(&self->making, cx_job_unref);
    }
    if (self->network == NULL)
        return;
    cxui_prediction_queue_set_engine(self->queue, NULL);
    g_clear_pointer(&self->network, cx_network_unref);
    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++)
        g_clear_pointer(&self->why_not[axis], g_free);
    change_look(self);
}

static char *
chosen_type(CxuiPrediction *self, const CxuiModelInfo *info)
{
    g_autofree char *choice = NULL;

    g_object_get(cxui_session_settings(self->session), "model-type", &choice,
                 NULL);
    return g_strdup(cxui_model_info_type(info, choice));
}

static CxVolume *
new_input(CxuiPrediction *self)
{
    uint32_t id = cxui_session_image_id(self->session);

    return cxui_prediction_input_new(
        cxui_session_image(self->session), cxui_session_cache(self->session),
        id,
        cx_chunk_loader_chunk_size(cxui_session_loader(self->session), id, 0));
}

/* Model, type or image are others, or it was switched. */
static void
make_engine(CxuiPrediction *self)
{
    const CxuiModelInfo *info =
        cxui_segmenter_info(cxui_session_segmenter(self->session));

    if (self->queue == NULL)
        return;
    drop_engine(self);
    if (!self->wanted || cxui_session_image(self->session) == NULL ||
        cxui_session_image_id(self->session) == 0 || info == NULL ||
        !info->usable) {
        tell_status_soon(self);
        return;
    }
    Making *making = g_new0(Making, 1);
    making->prediction = g_object_ref(self);
    making->input = new_input(self);
    making->model = g_strdup(info->name);
    making->wish = chosen_type(self, info);
    making->generation = cxui_session_generation(self->session);
    CxuiJobRequest job = {
        .title = "Reading the network",
        .tier = CX_TIER_VISIBLE,
        .hidden = true,
        .func = run_making,
        .data = making,
        .destroy = making_free,
        .done = on_made,
        .user_data = making,
    };
    self->making = cxui_job_list_start(cxui_session_jobs(self->session), &job);
    tell_status_soon(self);
}

/* --- following the settings */

static void
read_look(CxuiPrediction *self)
{
    g_object_get(cxui_session_settings(self->session), "prediction-channel",
                 &self->look.channel, "prediction-gamma", &self->look.gamma,
                 NULL);
}

static void
on_look(CxuiPrediction *self)
{
    read_look(self);
    change_look(self);
}

static void
on_switched(CxuiPrediction *self)
{
    gboolean on;

    g_object_get(cxui_session_settings(self->session), "live-prediction", &on,
                 NULL);
    if (self->wanted == on)
        return;
    self->wanted = on;
    make_engine(self);
}

static gboolean
tell_changed(void *data)
{
    CxuiPrediction *self = data;

    self->picture_timeout = 0;
    self->picture_us = g_get_monotonic_time();
    g_signal_emit(self, signals[CHANGED], 0);
    return G_SOURCE_REMOVE;
}

/* At once when a field is complete, else now and then. */
static void
tell_changed_in_time(CxuiPrediction *self)
{
    int64_t since_ms = (g_get_monotonic_time() - self->picture_us) / 1000;
    bool whole = false;

    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++) {
        bool complete = cxui_prediction_is_complete(self, axis);

        whole = whole || (complete && !self->was_complete[axis]);
        self->was_complete[axis] = complete;
    }
    if (!whole && since_ms < PICTURE_PAUSE_MS) {
        if (self->picture_timeout == 0)
            self->picture_timeout = g_timeout_add(
                (guint)(PICTURE_PAUSE_MS - since_ms), tell_changed, self);
        return;
    }
    g_clear_handle_id(&self->picture_timeout, g_source_remove);
    tell_changed(self);
}

/* Main loop: tiles have arrived, or the engine failed. */
static void
answer(GObject *object)
{
    CxuiPrediction *self = CXUI_PREDICTION(object);

    if (self->queue == NULL)
        return;
    g_autoptr(GError) error = cxui_prediction_queue_take_error(self->queue);
    if (error != NULL) {
        cxui_session_fail(self->session, error);
        g_object_set(cxui_session_settings(self->session), "live-prediction",
                     FALSE, NULL);
    }
    tell_changed_in_time(self);
    tell_status_soon(self);
}

/* Threads of the queue. */
static void
on_arrival(void *data)
{
    cxui_bell_ring(data);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    g_value_take_string(value,
                        cxui_prediction_dup_status(CXUI_PREDICTION(object)));
}

static void
finalize(GObject *object)
{
    CxuiPrediction *self = CXUI_PREDICTION(object);

    cxui_prediction_stop(self);
    cx_chunk_cache_free(self->maps);
    g_free(self->status);
    cxui_bell_unref(self->bell);
    G_OBJECT_CLASS(cxui_prediction_parent_class)->finalize(object);
}

static void
cxui_prediction_class_init(CxuiPredictionClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = get_property;
    object_class->finalize = finalize;
    specs[PROPERTY_STATUS] = g_param_spec_string(
        "status", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
    signals[CHANGED] =
        g_signal_new("changed", CXUI_TYPE_PREDICTION, G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[LOOK_CHANGED] =
        g_signal_new("look-changed", CXUI_TYPE_PREDICTION, G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_prediction_init(CxuiPrediction *self)
{
    self->bell = cxui_bell_new(G_OBJECT(self), answer);
    self->maps = cx_chunk_cache_new(MAP_BUDGET);
    self->look_id = 1;
    self->look = (CxuiPredictionLook){CXUI_SHOW_BOUNDARY, 1.0, 1.0};
}

CxuiPrediction *
cxui_prediction_new(CxuiSession *session)
{
    CxuiPrediction *self = g_object_new(CXUI_TYPE_PREDICTION, NULL);
    CxuiSettings *settings = cxui_session_settings(session);

    self->session = session;
    self->queue = cxui_prediction_queue_new(g_get_num_processors(), TILE_BUDGET,
                                            on_arrival, self->bell);
    read_look(self);
    on_switched(self);
    g_signal_connect_object(settings, "notify::live-prediction",
                            G_CALLBACK(on_switched), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(settings, "notify::prediction-channel",
                            G_CALLBACK(on_look), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(settings, "notify::prediction-gamma",
                            G_CALLBACK(on_look), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(settings, "notify::model-type",
                            G_CALLBACK(make_engine), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_segmenter(session), "notify::model",
                            G_CALLBACK(make_engine), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "volumes-changed", G_CALLBACK(make_engine),
                            self, G_CONNECT_SWAPPED);
    return self;
}

void
cxui_prediction_stop(CxuiPrediction *self)
{
    if (self->queue == NULL)
        return;
    if (self->making != NULL)
        cx_job_cancel(self->making);
    g_clear_pointer(&self->making, cx_job_unref);
    g_clear_handle_id(&self->status_timeout, g_source_remove);
    g_clear_handle_id(&self->picture_timeout, g_source_remove);
    g_clear_pointer(&self->queue, cxui_prediction_queue_free);
    g_clear_pointer(&self->network, cx_network_unref);
    for (unsigned axis = 0; axis < CXUI_N_FIELDS; axis++)
        g_clear_pointer(&self->why_not[axis], g_free);
}

/* --- panes */

bool
cxui_prediction_is_on(CxuiPrediction *self)
{
    return self->queue != NULL && self->network != NULL && self->wanted;
}

const char *
cxui_prediction_why_not(CxuiPrediction *self, unsigned axis)
{
    if (!cxui_prediction_is_on(self))
        return NULL;
    if (self->why_not[axis] == NULL && !self->fits[axis] &&
        !cx_box_is_empty(self->fields[axis].box))
        return "Predicted around the pointer alone: zoom in for the rest";
    return self->why_not[axis];
}

void
cxui_prediction_want(CxuiPrediction *self, unsigned axis, CxBox box,
                     CxVoxel focus, bool first)
{
    CxuiPredictionField *field = &self->fields[axis];
    CxuiPredictionField wish = {box, focus, field->n_ahead, first};

    if (!cxui_prediction_is_on(self) || self->why_not[axis] != NULL)
        return;
    int64_t by = along(box.lo, axis) - along(field->box.lo, axis);
    if (cx_box_is_empty(field->box))
        wish.n_ahead = N_AHEAD;
    else if (by != 0)
        wish.n_ahead = by > 0 ? N_AHEAD : -N_AHEAD;
    if (cx_box_equal(box, field->box) && first == field->first)
        return;
    *field = wish;
    self->was_complete[axis] = false;
    self->fits[axis] = cxui_prediction_queue_want(self->queue, axis, field);
    tell_status_soon(self);
}

CxuiPredictionGrid
cxui_prediction_grid(CxuiPrediction *self, unsigned axis)
{
    CxVolume *image = cxui_session_image(self->session);

    if (!cxui_prediction_is_on(self) || self->why_not[axis] != NULL ||
        image == NULL)
        return (CxuiPredictionGrid){0};
    CxLevel level = cx_volume_level(image, 0);
    return (CxuiPredictionGrid){
        .volume_id = self->look_id * CXUI_N_FIELDS + axis,
        .size = level.size,
        .tile = cxui_prediction_queue_tile(self->queue, axis),
        .voxel_nm = level.voxel_nm,
        .offset_nm = cx_volume_offset_nm(image),
    };
}

static CxChunk *
keep_map(CxuiPrediction *self, const CxChunkKey *key, CxChunk *map)
{
    if (map != NULL)
        cx_chunk_cache_insert(self->maps, key, map);
    return map;
}

/* The tile of the nearest section that is there, faded. */
static CxChunk *
stand_in(CxuiPrediction *self, const CxChunkKey *key, unsigned axis)
{
    CxuiPredictionGrid grid = cxui_prediction_grid(self, axis);
    CxuiPredictionLook look = self->look;
    bool stated = cx_volume_has_voxel_size(cxui_session_image(self->session));
    CxNm voxel_nm = stated ? grid.voxel_nm : cx_network_voxel_nm(self->network);
    int64_t reach =
        (int64_t)MIN(STAND_IN_NM / nm_along(voxel_nm, axis), MAX_STAND_IN);

    if (along(grid.tile, axis) != 1)
        return NULL;
    look.weight = STAND_IN_WEIGHT;
    for (int64_t i = 0; i < 2 * reach; i++) {
        int64_t by = i % 2 == 0 ? -(i / 2 + 1) : i / 2 + 1;
        CxVoxel move = {axis == 0 ? by : 0, axis == 1 ? by : 0,
                        axis == 2 ? by : 0};
        CxChunkIdx idx = {key->idx.x + move.x, key->idx.y + move.y,
                          key->idx.z + move.z};
        g_autoptr(CxChunk) outputs =
            cxui_prediction_queue_lookup(self->queue, axis, idx);

        if (outputs == NULL)
            continue;
        g_autoptr(CxChunk) map =
            cxui_prediction_map(self->network, outputs, &look);
        return map != NULL
                   ? cx_chunk_move(map, (CxVoxel){-move.x, -move.y, -move.z},
                                   NULL)
                   : NULL;
    }
    return NULL;
}

CxChunk *
cxui_prediction_lookup(CxuiPrediction *self, const CxChunkKey *key)
{
    CxChunkKey exact = *key, standing = *key;
    unsigned axis = key->volume_id % CXUI_N_FIELDS;
    CxChunk *map;

    if (!cxui_prediction_is_on(self) ||
        key->volume_id / CXUI_N_FIELDS != self->look_id || key->level != 0)
        return NULL;
    exact.level = EXACT;
    standing.level = STANDING_IN;
    map = cx_chunk_cache_lookup(self->maps, &exact);
    if (map != NULL)
        return map;
    g_autoptr(CxChunk) outputs =
        cxui_prediction_queue_lookup(self->queue, axis, key->idx);
    if (outputs != NULL)
        return keep_map(
            self, &exact,
            cxui_prediction_map(self->network, outputs, &self->look));
    map = cx_chunk_cache_lookup(self->maps, &standing);
    return map != NULL ? map
                       : keep_map(self, &standing, stand_in(self, key, axis));
}

bool
cxui_prediction_is_complete(CxuiPrediction *self, unsigned axis)
{
    return !cxui_prediction_is_on(self) ||
           (!cx_box_is_empty(self->fields[axis].box) &&
            cxui_prediction_queue_n_missing(self->queue, axis) == 0);
}

/* --- figures */

CxuiPredictionStats
cxui_prediction_stats(CxuiPrediction *self)
{
    return self->queue != NULL ? cxui_prediction_queue_stats(self->queue)
                               : (CxuiPredictionStats){0};
}

bool
cxui_prediction_is_busy(CxuiPrediction *self)
{
    return self->making != NULL || cxui_prediction_stats(self).n_missing > 0;
}

char *
cxui_prediction_dup_status(CxuiPrediction *self)
{
    const CxuiModelInfo *info =
        self->session != NULL
            ? cxui_segmenter_info(cxui_session_segmenter(self->session))
            : NULL;

    if (self->queue == NULL || !self->wanted)
        return g_strdup("");
    if (self->making != NULL)
        return g_strdup("Reading the network…");
    if (info != NULL && !info->usable)
        return g_strdup(info->text);
    if (self->network == NULL)
        return g_strdup(cxui_session_image(self->session) == NULL
                            ? "Open an image to predict"
                            : "No network was found: choose a model");

    CxuiPredictionStats stats = cxui_prediction_stats(self);
    GString *text = g_string_new(NULL);
    if (stats.n_missing > 0)
        g_string_printf(text, "Predicting, %.0f %%",
                        100.0 * (double)(stats.n_wanted - stats.n_missing) /
                            (double)stats.n_wanted);
    else
        g_string_assign(text, "Up to date");
    if (stats.mvox_per_s > 0)
        g_string_append_printf(text, " · %.2g Mvox/s", stats.mvox_per_s);
    g_string_append_printf(text, " · %s", self->type);
    return g_string_free(text, FALSE);
}

CxNetwork *
cxui_prediction_network(CxuiPrediction *self)
{
    return self->network;
}
