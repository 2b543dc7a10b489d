/* Where the user looks and how.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/view_state.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

struct _CxuiViewState {
    GObject parent;
    CxBox bounds;
    CxNm voxel_nm, offset_nm;
    CxNm position_nm;
    double zoom; /* nm per pixel; 0 until there is a space */
    CxuiLayers layers;
    CxuiLayout layout;
    CxuiCamera camera;
    bool framed; /* somebody has set a zoom for this space */
};

/* The layer properties are one table: name, place in CxuiLayers, range. */
typedef struct {
    const char *name;
    size_t offset;
    bool is_bool;
    double low, high;
} LayerKey;

#define BOOL_KEY(name, field)                                                  \
    {                                                                          \
        name, offsetof(CxuiLayers, field), true, 0.0, 1.0                      \
    }
#define REAL_KEY(name, field, low, high)                                       \
    {                                                                          \
        name, offsetof(CxuiLayers, field), false, low, high                    \
    }

static const LayerKey layer_keys[] = {
    BOOL_KEY("image-visible", image_visible),
    REAL_KEY("contrast-low", contrast_low, 0.0, 1.0),
    REAL_KEY("contrast-high", contrast_high, 0.0, 1.0),
    REAL_KEY("gamma", gamma, 0.1, 10.0),
    BOOL_KEY("invert", invert),
    BOOL_KEY("smooth", smooth),
    BOOL_KEY("labels-visible", labels_visible),
    REAL_KEY("opacity", opacity, 0.0, 1.0),
    BOOL_KEY("borders", borders),
    REAL_KEY("dim", dim, 0.0, 1.0),
    BOOL_KEY("only-selected", only_selected),
    BOOL_KEY("slices-in-scene", slices_in_scene),
};

#define N_LAYER_KEYS G_N_ELEMENTS(layer_keys)

/* Property ids: the layers' are 1 … N_LAYER_KEYS. */
enum {
    PROPERTY_ZOOM = N_LAYER_KEYS + 1,
    PROPERTY_LAYOUT,
    N_PROPERTIES,
};

static const CxuiLayers default_layers = {
    .image_visible = true,
    .contrast_low = 0.0,
    .contrast_high = 1.0,
    .gamma = 1.0,
    .smooth = true,
    .labels_visible = true,
    .opacity = 0.4,
    .borders = true,
    .dim = 0.6,
    .slices_in_scene = true,
};

/* Seen a little from above and from the left. */
static const CxuiCamera default_camera = {
    .rotation = {0.3396, 0.4247, 0.1759, 0.8205},
    .follows = true,
};

static GParamSpec *specs[N_PROPERTIES];
static guint changed_signal;

G_DEFINE_FINAL_TYPE(CxuiViewState, cxui_view_state, G_TYPE_OBJECT)

static void
emit_changed(CxuiViewState *self, unsigned what)
{
    g_signal_emit(self, changed_signal, 0, what);
}

static double
layer_value(const CxuiLayers *layers, const LayerKey *key)
{
    const char *field = (const char *)layers + key->offset;

    return key->is_bool ? *(const bool *)field : *(const double *)field;
}

static void
set_layer_value(CxuiLayers *layers, const LayerKey *key, double value)
{
    char *field = (char *)layers + key->offset;

    if (key->is_bool)
        *(bool *)field = value != 0.0;
    else if (isfinite(value))
        *(double *)field = CLAMP(value, key->low, key->high);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiViewState *self = CXUI_VIEW_STATE(object);

    if (id == PROPERTY_ZOOM)
        g_value_set_double(value, self->zoom);
    else if (id == PROPERTY_LAYOUT)
        g_value_set_uint(value, self->layout);
    else if (layer_keys[id - 1].is_bool)
        g_value_set_boolean(
            value, layer_value(&self->layers, &layer_keys[id - 1]) != 0.0);
    else
        g_value_set_double(value,
                           layer_value(&self->layers, &layer_keys[id - 1]));
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    CxuiViewState *self = CXUI_VIEW_STATE(object);

    if (id == PROPERTY_ZOOM) {
        cxui_view_state_set_zoom(self, g_value_get_double(value));
        return;
    }
    if (id == PROPERTY_LAYOUT) {
        cxui_view_state_set_layout(self, g_value_get_uint(value));
        return;
    }
    CxuiLayers layers = self->layers;
    const LayerKey *key = &layer_keys[id - 1];
    set_layer_value(&layers, key,
                    key->is_bool ? g_value_get_boolean(value)
                                 : g_value_get_double(value));
    cxui_view_state_set_layers(self, &layers);
}

static void
cxui_view_state_class_init(CxuiViewStateClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

    object_class->get_property = get_property;
    object_class->set_property = set_property;
    for (guint i = 0; i < N_LAYER_KEYS; i++) {
        const LayerKey *key = &layer_keys[i];
        double set = layer_value(&default_layers, key);

        specs[i + 1] =
            key->is_bool
                ? g_param_spec_boolean(key->name, NULL, NULL, set != 0.0, flags)
                : g_param_spec_double(key->name, NULL, NULL, key->low,
                                      key->high, set, flags);
    }
    specs[PROPERTY_ZOOM] =
        g_param_spec_double("zoom", NULL, NULL, 0.0, G_MAXDOUBLE, 0.0, flags);
    specs[PROPERTY_LAYOUT] = g_param_spec_uint("layout", NULL, NULL, 0,
                                               CXUI_N_LAYOUTS - 1, 0, flags);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
    changed_signal =
        g_signal_new("changed", CXUI_TYPE_VIEW_STATE, G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
cxui_view_state_init(CxuiViewState *self)
{
    self->voxel_nm = (CxNm){1.0, 1.0, 1.0};
    self->layers = default_layers;
    self->camera = default_camera;
}

CxuiViewState *
cxui_view_state_new(void)
{
    return g_object_new(CXUI_TYPE_VIEW_STATE, NULL);
}

static CxNm
centre_of(CxuiViewState *self)
{
    CxVoxel lo = self->bounds.lo, hi = self->bounds.hi;

    return cxui_view_state_voxel_centre_nm(
        self, (CxVoxel){lo.x + (hi.x - lo.x) / 2, lo.y + (hi.y - lo.y) / 2,
                        lo.z + (hi.z - lo.z) / 2});
}

/* Longest edge of the space, nm. */
static double
extent_nm(CxuiViewState *self)
{
    CxVoxel size = cx_box_size(self->bounds);
    double x = (double)size.x * self->voxel_nm.x;
    double y = (double)size.y * self->voxel_nm.y;

    return MAX(MAX(x, y), (double)size.z * self->voxel_nm.z);
}

static bool
nm_equal(CxNm a, CxNm b)
{
    return a.x == b.x && a.y == b.y && a.z == b.z;
}

void
cxui_view_state_set_space(CxuiViewState *self, CxBox bounds, CxNm voxel_nm,
                          CxNm offset_nm)
{
    if (cx_box_equal(bounds, self->bounds) &&
        nm_equal(voxel_nm, self->voxel_nm) &&
        nm_equal(offset_nm, self->offset_nm))
        return;
    bool is_first = cx_box_is_empty(self->bounds);
    self->bounds = bounds;
    self->voxel_nm = voxel_nm;
    self->offset_nm = offset_nm;
    CxVoxel at = cxui_view_state_nm_to_voxel(self, self->position_nm);
    if (is_first || !cx_box_contains(bounds, at)) {
        self->position_nm = centre_of(self);
        self->camera = default_camera;
        self->zoom = 0.0;
        self->framed = false;
    }
    if (self->zoom == 0.0)
        self->zoom = extent_nm(self) / 512.0;
    if (self->camera.nm_per_pixel == 0.0) {
        self->camera.nm_per_pixel = extent_nm(self) / 384.0;
        self->camera.target_nm = self->position_nm;
    }
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_ZOOM]);
    emit_changed(self, CXUI_VIEW_SPACE | CXUI_VIEW_POSITION | CXUI_VIEW_ZOOM |
                           CXUI_VIEW_CAMERA);
}

CxBox
cxui_view_state_bounds(CxuiViewState *self)
{
    return self->bounds;
}

CxNm
cxui_view_state_voxel_nm(CxuiViewState *self)
{
    return self->voxel_nm;
}

CxNm
cxui_view_state_offset_nm(CxuiViewState *self)
{
    return self->offset_nm;
}

CxNm
cxui_view_state_position_nm(CxuiViewState *self)
{
    return self->position_nm;
}

CxVoxel
cxui_view_state_voxel(CxuiViewState *self)
{
    CxVoxel at = cxui_view_state_nm_to_voxel(self, self->position_nm);
    CxBox box = self->bounds;

    if (cx_box_is_empty(box))
        return at;
    return (CxVoxel){CLAMP(at.x, box.lo.x, box.hi.x - 1),
                     CLAMP(at.y, box.lo.y, box.hi.y - 1),
                     CLAMP(at.z, box.lo.z, box.hi.z - 1)};
}

static double
clamp_axis(double nm, int64_t lo, int64_t hi, double voxel_nm, double offset_nm)
{
    double low = offset_nm + (double)lo * voxel_nm;
    double high = offset_nm + (double)hi * voxel_nm;

    /* The upper border itself belongs to no voxel. */
    return CLAMP(nm, low, high - voxel_nm * 1e-6);
}

void
cxui_view_state_set_position_nm(CxuiViewState *self, CxNm position_nm)
{
    CxBox box = self->bounds;
    CxNm size = self->voxel_nm, offset = self->offset_nm;

    if (!isfinite(position_nm.x + position_nm.y + position_nm.z))
        return;
    if (!cx_box_is_empty(box))
        position_nm = (CxNm){
            clamp_axis(position_nm.x, box.lo.x, box.hi.x, size.x, offset.x),
            clamp_axis(position_nm.y, box.lo.y, box.hi.y, size.y, offset.y),
            clamp_axis(position_nm.z, box.lo.z, box.hi.z, size.z, offset.z),
        };
    if (nm_equal(position_nm, self->position_nm))
        return;
    self->position_nm = position_nm;
    if (self->camera.follows)
        self->camera.target_nm = position_nm;
    emit_changed(self, CXUI_VIEW_POSITION |
                           (self->camera.follows ? CXUI_VIEW_CAMERA : 0u));
}

void
cxui_view_state_set_voxel(CxuiViewState *self, CxVoxel voxel)
{
    cxui_view_state_set_position_nm(
        self, cxui_view_state_voxel_centre_nm(self, voxel));
}

void
cxui_view_state_step(CxuiViewState *self, unsigned axis, int64_t voxels)
{
    CxNm at = self->position_nm;

    if (axis == 0)
        at.x += (double)voxels * self->voxel_nm.x;
    else if (axis == 1)
        at.y += (double)voxels * self->voxel_nm.y;
    else
        at.z += (double)voxels * self->voxel_nm.z;
    cxui_view_state_set_position_nm(self, at);
}

CxVoxel
cxui_view_state_nm_to_voxel(CxuiViewState *self, CxNm nm)
{
    return (CxVoxel){
        (int64_t)floor((nm.x - self->offset_nm.x) / self->voxel_nm.x),
        (int64_t)floor((nm.y - self->offset_nm.y) / self->voxel_nm.y),
        (int64_t)floor((nm.z - self->offset_nm.z) / self->voxel_nm.z),
    };
}

CxNm
cxui_view_state_voxel_centre_nm(CxuiViewState *self, CxVoxel voxel)
{
    return (CxNm){
        self->offset_nm.x + ((double)voxel.x + 0.5) * self->voxel_nm.x,
        self->offset_nm.y + ((double)voxel.y + 0.5) * self->voxel_nm.y,
        self->offset_nm.z + ((double)voxel.z + 0.5) * self->voxel_nm.z,
    };
}

double
cxui_view_state_zoom(CxuiViewState *self)
{
    return self->zoom;
}

void
cxui_view_state_set_zoom(CxuiViewState *self, double nm_per_pixel)
{
    CxNm size = self->voxel_nm;
    double finest = MIN(MIN(size.x, size.y), size.z) / 64.0;
    double coarsest = MAX(extent_nm(self) / 64.0, finest);

    if (!isfinite(nm_per_pixel) || cx_box_is_empty(self->bounds))
        return;
    self->framed = true;
    nm_per_pixel = CLAMP(nm_per_pixel, finest, coarsest);
    if (nm_per_pixel == self->zoom)
        return;
    self->zoom = nm_per_pixel;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_ZOOM]);
    emit_changed(self, CXUI_VIEW_ZOOM);
}

bool
cxui_view_state_is_framed(CxuiViewState *self)
{
    return self->framed;
}

const CxuiLayers *
cxui_view_state_layers(CxuiViewState *self)
{
    return &self->layers;
}

void
cxui_view_state_set_layers(CxuiViewState *self, const CxuiLayers *layers)
{
    CxuiLayers old = self->layers;
    bool changed = false;

    for (guint i = 0; i < N_LAYER_KEYS; i++)
        set_layer_value(&self->layers, &layer_keys[i],
                        layer_value(layers, &layer_keys[i]));
    g_object_freeze_notify(G_OBJECT(self));
    for (guint i = 0; i < N_LAYER_KEYS; i++) {
        if (layer_value(&old, &layer_keys[i]) ==
            layer_value(&self->layers, &layer_keys[i]))
            continue;
        changed = true;
        g_object_notify_by_pspec(G_OBJECT(self), specs[i + 1]);
    }
    g_object_thaw_notify(G_OBJECT(self));
    if (changed)
        emit_changed(self, CXUI_VIEW_LAYERS);
}

CxuiLayout
cxui_view_state_layout(CxuiViewState *self)
{
    return self->layout;
}

void
cxui_view_state_set_layout(CxuiViewState *self, CxuiLayout layout)
{
    if (layout == self->layout || layout >= CXUI_N_LAYOUTS)
        return;
    self->layout = layout;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_LAYOUT]);
    emit_changed(self, CXUI_VIEW_LAYOUT);
}

const CxuiCamera *
cxui_view_state_camera(CxuiViewState *self)
{
    return &self->camera;
}

/* False unless every number is finite, the scale positive and the rotation
 * something that can be brought to length one. */
static bool
camera_is_sound(const CxuiCamera *camera)
{
    const double *q = camera->rotation;
    double norm = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
    CxNm at = camera->target_nm;

    return isfinite(norm) && norm > 1e-6 && isfinite(at.x + at.y + at.z) &&
           isfinite(camera->nm_per_pixel) && camera->nm_per_pixel > 0.0;
}

void
cxui_view_state_set_camera(CxuiViewState *self, const CxuiCamera *camera)
{
    if (!camera_is_sound(camera))
        return;
    CxuiCamera next = *camera;
    double *q = next.rotation;
    double length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    for (unsigned i = 0; i < 4; i++)
        q[i] /= length;
    self->camera = next;
    emit_changed(self, CXUI_VIEW_CAMERA);
}

static void
add_numbers(JsonBuilder *builder, const char *name, const double *values,
            unsigned n)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < n; i++)
        json_builder_add_double_value(builder, values[i]);
    json_builder_end_array(builder);
}

static void
add_layers(JsonBuilder *builder, const CxuiLayers *layers)
{
    json_builder_set_member_name(builder, "layers");
    json_builder_begin_object(builder);
    for (guint i = 0; i < N_LAYER_KEYS; i++) {
        double value = layer_value(layers, &layer_keys[i]);

        json_builder_set_member_name(builder, layer_keys[i].name);
        if (layer_keys[i].is_bool)
            json_builder_add_boolean_value(builder, value != 0.0);
        else
            json_builder_add_double_value(builder, value);
    }
    json_builder_end_object(builder);
}

static void
add_camera(JsonBuilder *builder, const CxuiCamera *camera)
{
    double target[3] = {camera->target_nm.x, camera->target_nm.y,
                        camera->target_nm.z};

    json_builder_set_member_name(builder, "camera");
    json_builder_begin_object(builder);
    add_numbers(builder, "rotation", camera->rotation, 4);
    add_numbers(builder, "target_nm", target, 3);
    json_builder_set_member_name(builder, "nm_per_pixel");
    json_builder_add_double_value(builder, camera->nm_per_pixel);
    json_builder_set_member_name(builder, "follows");
    json_builder_add_boolean_value(builder, camera->follows);
    json_builder_end_object(builder);
}

char *
cxui_view_state_to_json(CxuiViewState *self)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    double at[3] = {self->position_nm.x, self->position_nm.y,
                    self->position_nm.z};

    json_builder_begin_object(builder);
    add_numbers(builder, "position_nm", at, 3);
    json_builder_set_member_name(builder, "nm_per_pixel");
    json_builder_add_double_value(builder, self->zoom);
    json_builder_set_member_name(builder, "layout");
    json_builder_add_int_value(builder, self->layout);
    add_layers(builder, &self->layers);
    add_camera(builder, &self->camera);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, false);
}

/* A number of an object; false if it is missing or something else. */
static bool
read_number(JsonObject *object, const char *name, double *value)
{
    JsonNode *node = json_object_get_member(object, name);

    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node))
        return false;
    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_BOOLEAN)
        *value = json_node_get_boolean(node);
    else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
        *value = json_node_get_double(node);
    else
        return false;
    return isfinite(*value);
}

static bool
read_numbers(JsonObject *object, const char *name, double *values, unsigned n)
{
    JsonNode *node = json_object_get_member(object, name);

    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return false;
    JsonArray *array = json_node_get_array(node);
    if (json_array_get_length(array) != n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        JsonNode *item = json_array_get_element(array, i);

        if (!JSON_NODE_HOLDS_VALUE(item))
            return false;
        values[i] = json_node_get_double(item);
    }
    return true;
}

static JsonObject *
read_object(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
        return NULL;
    return json_node_get_object(node);
}

static void
read_layers(CxuiViewState *self, JsonObject *object)
{
    CxuiLayers layers = self->layers;
    double value;

    for (guint i = 0; i < N_LAYER_KEYS; i++)
        if (read_number(object, layer_keys[i].name, &value))
            set_layer_value(&layers, &layer_keys[i], value);
    cxui_view_state_set_layers(self, &layers);
}

static void
read_camera(CxuiViewState *self, JsonObject *object)
{
    CxuiCamera camera = self->camera;
    double target[3], value;

    read_numbers(object, "rotation", camera.rotation, 4);
    if (read_numbers(object, "target_nm", target, 3))
        camera.target_nm = (CxNm){target[0], target[1], target[2]};
    if (read_number(object, "nm_per_pixel", &value))
        camera.nm_per_pixel = value;
    if (read_number(object, "follows", &value))
        camera.follows = value != 0.0;
    cxui_view_state_set_camera(self, &camera);
}

bool
cxui_view_state_from_json(CxuiViewState *self, const char *json)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    double at[3], value;

    if (strlen(json) > 65536 ||
        !json_parser_load_from_data(parser, json, -1, NULL))
        return false;
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return false;
    JsonObject *object = json_node_get_object(root);
    JsonObject *part;
    if (read_numbers(object, "position_nm", at, 3))
        cxui_view_state_set_position_nm(self, (CxNm){at[0], at[1], at[2]});
    if (read_number(object, "nm_per_pixel", &value))
        cxui_view_state_set_zoom(self, value);
    if (read_number(object, "layout", &value) && value >= 0.0 &&
        value < CXUI_N_LAYOUTS)
        cxui_view_state_set_layout(self, (CxuiLayout)value);
    if ((part = read_object(object, "layers")) != NULL)
        read_layers(self, part);
    if ((part = read_object(object, "camera")) != NULL)
        read_camera(self, part);
    return true;
}

void
cxui_view_state_reset(CxuiViewState *self)
{
    CxuiCamera camera = default_camera;

    cxui_view_state_set_layers(self, &default_layers);
    cxui_view_state_set_layout(self, CXUI_LAYOUT_FOUR);
    camera.target_nm = self->position_nm;
    camera.nm_per_pixel = extent_nm(self) / 384.0;
    if (camera.nm_per_pixel > 0.0)
        cxui_view_state_set_camera(self, &camera);
}
