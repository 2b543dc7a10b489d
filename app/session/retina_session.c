/* The Retina page's state: networks, the wish, and whose turn it is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/retina_session_private.h"

#include "app/session/session_private.h"
#include "core/base/error.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static guint signals[CXUI_RETINA_N_SIGNALS];

G_DEFINE_FINAL_TYPE(CxuiRetinaSession, cxui_retina_session, G_TYPE_OBJECT)

void
cxui_retina_emit(CxuiRetinaSession *self, int signal)
{
    g_signal_emit(self, signals[signal], 0);
}

/* --- things that jobs hold on to */

CxuiRetinaNet *
cxui_retina_net_ref(CxuiRetinaNet *net)
{
    g_atomic_ref_count_inc(&net->refs);
    return net;
}

void
cxui_retina_net_unref(void *data)
{
    CxuiRetinaNet *net = data;

    if (net == NULL || !g_atomic_ref_count_dec(&net->refs))
        return;
    g_clear_pointer(&net->net, cx_retina_cnn_free);
    g_free(net->title);
    g_free(net->path);
    g_free(net);
}

CxuiRetinaBaseline *
cxui_retina_baseline_ref(CxuiRetinaBaseline *baseline)
{
    if (baseline != NULL)
        g_atomic_ref_count_inc(&baseline->refs);
    return baseline;
}

void
cxui_retina_baseline_unref(void *data)
{
    CxuiRetinaBaseline *baseline = data;

    if (baseline == NULL || !g_atomic_ref_count_dec(&baseline->refs))
        return;
    g_clear_pointer(&baseline->model, cx_ln_model_free);
    g_free(baseline);
}

CxuiRetinaFilm *
cxui_retina_film_ref(CxuiRetinaFilm *film)
{
    g_atomic_ref_count_inc(&film->refs);
    return film;
}

void
cxui_retina_film_unref(void *data)
{
    CxuiRetinaFilm *film = data;

    if (film == NULL || !g_atomic_ref_count_dec(&film->refs))
        return;
    g_clear_pointer(&film->replay, cx_retina_replay_free);
    cxui_retina_net_unref(film->net);
    g_free(film->baseline);
    g_mutex_clear(&film->lock);
    g_free(film);
}

/* --- slots */

bool
cxui_retina_slot_end(CxuiRetinaSession *self, CxuiRetinaSlot *slot,
                     const GError *error)
{
    g_clear_pointer(&slot->job, cx_job_unref);
    if (self->stopped)
        return false;
    if (error != NULL && !cx_error_is_cancelled(error))
        cxui_session_fail(self->session, error);
    return true;
}

bool
cxui_retina_slot_free(CxuiRetinaSession *self, CxuiRetinaSlot *slot)
{
    if (self->stopped)
        return false;
    if (slot->job == NULL)
        return true;
    cx_job_cancel(slot->job);
    return false;
}

void
cxui_retina_session_fail(CxuiRetinaSession *self, const GError *error)
{
    if (!self->stopped)
        cxui_session_fail(self->session, error);
}

/* --- networks */

CxuiRetinaNet *
cxui_retina_net_in_use(CxuiRetinaSession *self)
{
    return self->used < self->networks->len
               ? g_ptr_array_index(self->networks, self->used)
               : NULL;
}

unsigned
cxui_retina_session_n_networks(CxuiRetinaSession *self)
{
    return self->networks->len;
}

const char *
cxui_retina_session_network_title(CxuiRetinaSession *self, unsigned i)
{
    const CxuiRetinaNet *net = g_ptr_array_index(self->networks, i);

    return net->title;
}

unsigned
cxui_retina_session_network(CxuiRetinaSession *self)
{
    return self->used;
}

const CxRetinaCnn *
cxui_retina_session_net(CxuiRetinaSession *self)
{
    CxuiRetinaNet *net = cxui_retina_net_in_use(self);

    return net != NULL ? net->net : NULL;
}

void
cxui_retina_add_network(CxuiRetinaSession *self, CxuiRetinaNet *net, bool use)
{
    g_ptr_array_add(self->networks, net);
    if (use)
        self->used = self->networks->len - 1;
    cxui_retina_emit(self, CXUI_RETINA_NETWORKS_CHANGED);
    if (use)
        cxui_retina_pump(self);
}

void
cxui_retina_session_use_network(CxuiRetinaSession *self, unsigned i)
{
    if (i >= self->networks->len || i == self->used)
        return;
    self->used = i;
    self->wish.muted = 0;
    self->wish.k = 0;
    cxui_retina_emit(self, CXUI_RETINA_NETWORKS_CHANGED);
    cxui_retina_pump(self);
}

static CxuiRetinaNet *
new_net(const char *title, const char *path)
{
    CxuiRetinaNet *net = g_new0(CxuiRetinaNet, 1);

    g_atomic_ref_count_init(&net->refs);
    net->title = g_strdup(title);
    net->path = g_strdup(path);
    return net;
}

void
cxui_retina_session_open_network(CxuiRetinaSession *self, const char *path)
{
    g_autofree char *title = g_path_get_basename(path);

    cxui_retina_add_network(self, new_net(title, path), true);
}

/* --- loading */

typedef struct {
    CxuiRetinaSession *owner; /* a reference */
    CxuiRetinaNet *net;       /* a reference */
    CxRetinaCnn *loaded;
} Load;

static void
load_free(void *data)
{
    Load *load = data;

    cxui_retina_net_unref(load->net);
    g_clear_pointer(&load->loaded, cx_retina_cnn_free);
    g_free(load);
}

/* Without a file: random weights, so that the page can be tried. */
static bool
run_load(CxJob *job, void *data, GError **error)
{
    Load *load = data;
    CxRetinaShape shape = cx_retina_shape_default();

    load->loaded = load->net->path != NULL
                       ? cx_retina_cnn_load(load->net->path, error)
                       : cx_retina_cnn_new(&shape, 1, error);
    return load->loaded != NULL;
}

static void
on_loaded(CxJob *job, const GError *error, void *data)
{
    Load *load = data;
    CxuiRetinaSession *self = load->owner;

    if (cxui_retina_slot_end(self, &self->load, error)) {
        if (error == NULL) {
            load->net->net = g_steal_pointer(&load->loaded);
        } else if (!cx_error_is_cancelled(error) && self->networks->len > 1) {
            g_ptr_array_remove(self->networks, load->net);
            self->used = 0;
        }
        cxui_retina_emit(self, CXUI_RETINA_NETWORKS_CHANGED);
        if (error == NULL || self->networks->len > 1)
            cxui_retina_pump(self);
    }
    g_object_unref(self);
}

static void
start_load(CxuiRetinaSession *self, CxuiRetinaNet *net)
{
    if (self->load.job != NULL)
        return;
    Load *load = g_new0(Load, 1);
    load->owner = g_object_ref(self);
    load->net = cxui_retina_net_ref(net);
    CxuiJobRequest request = {
        .title = "Loading a retina network",
        .tier = CX_TIER_VISIBLE,
        .func = run_load,
        .data = load,
        .destroy = load_free,
        .done = on_loaded,
        .user_data = load,
    };
    self->load.job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

static void
list_folder(CxuiRetinaSession *self, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_prefix(name, "retina") || !g_str_has_suffix(name, ".h5"))
            continue;
        g_autofree char *title = g_strndup(name, strlen(name) - 3);
        bool known = false;
        for (guint i = 0; i < self->networks->len; i++)
            known =
                known ||
                g_str_equal(cxui_retina_session_network_title(self, i), title);
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (!known)
            g_ptr_array_add(self->networks, new_net(title, path));
    }
}

static int
compare_titles(const void *a, const void *b)
{
    return strcmp((*(CxuiRetinaNet *const *)a)->title,
                  (*(CxuiRetinaNet *const *)b)->title);
}

static void
list_networks(CxuiRetinaSession *self)
{
    const char *given = g_getenv("CONNEXON_MODELS");
    g_autofree char *own =
        g_build_filename(g_get_user_data_dir(), "connexon", "models", NULL);

    if (given != NULL)
        list_folder(self, given);
    list_folder(self, CX_SOURCE_DATA_DIR "/models");
    list_folder(self, CX_DATA_DIR "/models");
    list_folder(self, own);
    g_ptr_array_sort(self->networks, compare_titles);
    if (self->networks->len == 0)
        g_ptr_array_add(self->networks,
                        new_net("untrained (random weights)", NULL));
}

/* --- the wish */

CxuiRetinaWish
cxui_retina_wish_default(void)
{
    return (CxuiRetinaWish){
        .kind = CX_PROTOCOL_OSR,
        .preset = CX_PRESET_SIMULATED,
        .pixel_um = CX_RETINA_PIXEL_UM,
        .condition = SIZE_MAX,
        .rule = CX_ATTRIBUTION_EXACT,
        .n_steps = 100,
        .order = CX_ORDER_STIMULUS,
        .fate = CX_RETINA_ZERO,
    };
}

const CxuiRetinaWish *
cxui_retina_session_wish(CxuiRetinaSession *self)
{
    return &self->wish;
}

void
cxui_retina_session_set_wish(CxuiRetinaSession *self,
                             const CxuiRetinaWish *wish)
{
    self->wish = *wish;
    cxui_retina_pump(self);
}

CxProtocolOptions
cxui_retina_wish_protocol(const CxuiRetinaWish *wish)
{
    return (CxProtocolOptions){
        .preset = wish->preset,
        .amplitude = wish->amplitude,
        .speed_px = wish->speed_px,
        .bar_px = wish->bar_px,
        .pixel_um = wish->pixel_um,
    };
}

bool
cxui_retina_wish_same_protocol(const CxuiRetinaWish *a, const CxuiRetinaWish *b)
{
    return a->kind == b->kind && a->preset == b->preset &&
           a->amplitude == b->amplitude && a->speed_px == b->speed_px &&
           a->pixel_um == b->pixel_um && a->bar_px == b->bar_px;
}

bool
cxui_retina_wish_same_film(const CxuiRetinaWish *a, const CxuiRetinaWish *b)
{
    return cxui_retina_wish_same_protocol(a, b) && a->condition == b->condition;
}

static void
add_number(JsonBuilder *builder, const char *key, double value)
{
    json_builder_set_member_name(builder, key);
    json_builder_add_double_value(builder, value);
}

static void
add_text(JsonBuilder *builder, const char *key, const char *value)
{
    json_builder_set_member_name(builder, key);
    json_builder_add_string_value(builder, value);
}

char *
cxui_retina_wish_to_json(const CxuiRetinaWish *wish)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonGenerator) generator = json_generator_new();

    json_builder_begin_object(builder);
    add_text(builder, "connexon", "retina preset");
    add_text(builder, "protocol", cx_protocol_name(wish->kind));
    add_text(builder, "preset", cx_preset_name(wish->preset));
    add_number(builder, "amplitude", wish->amplitude);
    add_number(builder, "speed_px", wish->speed_px);
    add_number(builder, "bar_px", wish->bar_px);
    add_number(builder, "pixel_um", wish->pixel_um);
    add_number(builder, "condition",
               wish->condition == SIZE_MAX ? -1.0 : (double)wish->condition);
    add_text(builder, "rule", cx_attribution_rule_name(wish->rule));
    add_number(builder, "steps", wish->n_steps);
    add_text(builder, "order", cx_channel_order_name(wish->order));
    add_number(builder, "channels_kept", wish->k);
    add_number(builder, "bits", wish->bits);
    json_builder_set_member_name(builder, "muted");
    json_builder_begin_array(builder);
    for (unsigned c = 0; c < 64; c++) {
        if (wish->muted >> c & 1)
            json_builder_add_int_value(builder, c);
    }
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "knock_outs");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++) {
        if (wish->knock_outs >> i & 1)
            json_builder_add_string_value(builder, cx_knock_out_name(i));
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    JsonNode *root = json_builder_get_root(builder);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    json_node_unref(root);
    return json_generator_to_data(generator, NULL);
}

static double
get_number(JsonObject *object, const char *key, double low, double high,
           double missing)
{
    double value =
        json_object_get_double_member_with_default(object, key, missing);

    return isfinite(value) ? CLAMP(value, low, high) : missing;
}

static void
read_lists(JsonObject *object, CxuiRetinaWish *wish)
{
    JsonNode *muted = json_object_get_member(object, "muted");
    JsonNode *parts = json_object_get_member(object, "knock_outs");

    if (muted != NULL && JSON_NODE_HOLDS_ARRAY(muted)) {
        JsonArray *list = json_node_get_array(muted);
        for (guint i = 0; i < json_array_get_length(list); i++) {
            JsonNode *one = json_array_get_element(list, i);
            gint64 c = JSON_NODE_HOLDS_VALUE(one) &&
                               json_node_get_value_type(one) == G_TYPE_INT64
                           ? json_node_get_int(one)
                           : -1;
            if (c >= 0 && c < 64)
                wish->muted |= (uint64_t)1 << c;
        }
    }
    if (parts != NULL && JSON_NODE_HOLDS_ARRAY(parts)) {
        JsonArray *list = json_node_get_array(parts);
        for (guint i = 0; i < json_array_get_length(list); i++) {
            JsonNode *one = json_array_get_element(list, i);
            if (JSON_NODE_HOLDS_VALUE(one) &&
                json_node_get_value_type(one) == G_TYPE_STRING)
                wish->knock_outs |=
                    cx_knock_out_from_name(json_node_get_string(one));
        }
    }
}

static bool
read_names(JsonObject *object, CxuiRetinaWish *wish, GError **error)
{
    const char *kind =
        json_object_get_string_member_with_default(object, "protocol", "osr");
    const char *preset = json_object_get_string_member_with_default(
        object, "preset", "simulated");
    const char *rule =
        json_object_get_string_member_with_default(object, "rule", "exact");
    const char *order =
        json_object_get_string_member_with_default(object, "order", "stimulus");

    if (cx_protocol_from_name(kind, &wish->kind) &&
        cx_preset_from_name(preset, &wish->preset) &&
        cx_attribution_rule_from_name(rule, &wish->rule) &&
        cx_channel_order_from_name(order, &wish->order))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "preset: unknown protocol \"%s\", preset \"%s\", rule \"%s\" "
                "or order \"%s\"",
                kind, preset, rule, order);
    return false;
}

bool
cxui_retina_wish_from_json(const char *text, CxuiRetinaWish *wish,
                           GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;

    *wish = cxui_retina_wish_default();
    if (!json_parser_load_from_data(parser, text, -1, &cause) ||
        json_parser_get_root(parser) == NULL ||
        !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "preset: %s, expected a JSON object",
                    cause != NULL ? cause->message : "found something else");
        return false;
    }
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    if (!read_names(object, wish, error))
        return false;
    wish->amplitude = get_number(object, "amplitude", 0.0, 10.0, 0.0);
    wish->speed_px = get_number(object, "speed_px", 0.0, 4.0, 0.0);
    wish->bar_px = (unsigned)get_number(object, "bar_px", 0.0, 20.0, 0.0);
    wish->pixel_um =
        get_number(object, "pixel_um", 1.0, 1000.0, CX_RETINA_PIXEL_UM);
    double condition = get_number(object, "condition", -1.0, 1e6, -1.0);
    wish->condition = condition < 0.0 ? SIZE_MAX : (size_t)condition;
    wish->n_steps = (uint32_t)get_number(object, "steps", 1.0, 10000.0, 100.0);
    wish->k = (unsigned)get_number(object, "channels_kept", 0.0, 64.0, 0.0);
    unsigned bits = (unsigned)get_number(object, "bits", 0.0, 8.0, 0.0);
    wish->bits = bits >= 2 ? bits : 0;
    read_lists(object, wish);
    return true;
}

/* --- whose turn it is */

void
cxui_retina_pump(CxuiRetinaSession *self)
{
    CxuiRetinaNet *net = cxui_retina_net_in_use(self);

    if (self->stopped || net == NULL)
        return;
    if (net->net == NULL) {
        start_load(self, net);
        return;
    }
    cxui_retina_pump_replay(self);
    cxui_retina_pump_measures(self);
}

bool
cxui_retina_session_is_busy(CxuiRetinaSession *self)
{
    return self->replay.job != NULL || self->load.job != NULL;
}

static void
on_bell(GObject *owner)
{
    cxui_retina_course_collect(CXUI_RETINA_SESSION(owner));
}

void
cxui_retina_session_stop(CxuiRetinaSession *self)
{
    CxuiRetinaSlot *slots[] = {
        &self->load,
        &self->replay,
        &self->fit,
        &self->sweep_slot,
        &self->faithfulness_slot,
        &self->report_slot,
        &self->train_slot,
        &self->moment_slot,
    };

    self->stopped = true;
    for (size_t i = 0; i < G_N_ELEMENTS(slots); i++) {
        if (slots[i]->job != NULL)
            cx_job_cancel(slots[i]->job);
    }
}

CxuiRetinaSession *
cxui_retina_session_new(CxuiSession *session)
{
    CxuiRetinaSession *self = g_object_new(CXUI_TYPE_RETINA_SESSION, NULL);

    self->session = session;
    list_networks(self);
    cxui_retina_pump(self);
    return self;
}

static void
cxui_retina_session_finalize(GObject *object)
{
    CxuiRetinaSession *self = CXUI_RETINA_SESSION(object);

    g_ptr_array_unref(self->networks);
    cxui_retina_film_unref(self->film);
    cxui_retina_baseline_unref(self->baseline);
    g_clear_pointer(&self->moment, cxui_retina_moment_free);
    g_clear_pointer(&self->sweep, cxui_retina_sweep_free);
    g_clear_pointer(&self->faithfulness[0], cx_faithfulness_free);
    g_clear_pointer(&self->faithfulness[1], cx_faithfulness_free);
    g_clear_pointer(&self->report, cx_retina_report_free);
    cxui_retina_net_unref(self->scores_net);
    cxui_retina_net_unref(self->sweep_net);
    cxui_retina_net_unref(self->faithfulness_net);
    g_free(self->scores);
    cxui_retina_course_unref(self->course);
    g_array_unref(self->epochs);
    cxui_bell_unref(self->bell);
    G_OBJECT_CLASS(cxui_retina_session_parent_class)->finalize(object);
}

static void
cxui_retina_session_class_init(CxuiRetinaSessionClass *class)
{
    static const char *const names[CXUI_RETINA_N_SIGNALS] = {
        "replay-changed",   "sweep-changed",    "faithfulness-changed",
        "report-changed",   "training-changed", "moment-changed",
        "networks-changed", "busy-changed",
    };

    G_OBJECT_CLASS(class)->finalize = cxui_retina_session_finalize;
    for (int i = 0; i < CXUI_RETINA_N_SIGNALS; i++)
        signals[i] =
            g_signal_new(names[i], G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST,
                         0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_retina_session_init(CxuiRetinaSession *self)
{
    self->bell = cxui_bell_new(G_OBJECT(self), on_bell);
    self->networks = g_ptr_array_new_with_free_func(cxui_retina_net_unref);
    self->wish = cxui_retina_wish_default();
    self->epochs = g_array_new(FALSE, FALSE, sizeof(CxRetinaEpoch));
}
