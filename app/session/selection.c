/* What the user has picked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/selection.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define HISTORY_LENGTH 64

struct _CxuiSelection {
    GObject parent;
    GArray *ids;        /* of CxId, in order of picking */
    GArray *hidden;     /* of CxId, in order of hiding */
    GArray *recoloured; /* of CxuiRecolour */
    GPtrArray *history; /* of GArray: the selections there were */
    guint present;      /* index in history of the present one */
    CxId hover;
    CxuiTool tool;
    GArray *seeds; /* of CxuiSeed */
    CxId split_segment;
    CxuiPreviewState preview_state;
    GArray *preview; /* of CxId, sorted */
    char *preview_reason;
};

enum {
    PROPERTY_TOOL = 1,
    PROPERTY_HOVER,
    PROPERTY_CAN_GO_BACK,
    PROPERTY_CAN_GO_FORWARD,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];
static guint changed_signal;

G_DEFINE_FINAL_TYPE(CxuiSelection, cxui_selection, G_TYPE_OBJECT)

static void
emit_changed(CxuiSelection *self, unsigned what)
{
    g_signal_emit(self, changed_signal, 0, what);
}

static bool
can_go_back(CxuiSelection *self)
{
    return self->present > 0;
}

static bool
can_go_forward(CxuiSelection *self)
{
    return self->present + 1 < self->history->len;
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiSelection *self = CXUI_SELECTION(object);

    switch (id) {
    case PROPERTY_TOOL:
        g_value_set_uint(value, self->tool);
        break;
    case PROPERTY_HOVER:
        g_value_set_uint64(value, self->hover);
        break;
    case PROPERTY_CAN_GO_BACK:
        g_value_set_boolean(value, can_go_back(self));
        break;
    case PROPERTY_CAN_GO_FORWARD:
        g_value_set_boolean(value, can_go_forward(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    CxuiSelection *self = CXUI_SELECTION(object);

    if (id == PROPERTY_TOOL)
        cxui_selection_set_tool(self, g_value_get_uint(value));
    else if (id == PROPERTY_HOVER)
        cxui_selection_set_hover(self, g_value_get_uint64(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void
finalize(GObject *object)
{
    CxuiSelection *self = CXUI_SELECTION(object);

    g_array_unref(self->ids);
    g_array_unref(self->hidden);
    g_array_unref(self->recoloured);
    g_ptr_array_unref(self->history);
    g_array_unref(self->seeds);
    g_array_unref(self->preview);
    g_free(self->preview_reason);
    G_OBJECT_CLASS(cxui_selection_parent_class)->finalize(object);
}

static void
cxui_selection_class_init(CxuiSelectionClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
    GParamFlags both = readable | G_PARAM_WRITABLE | G_PARAM_EXPLICIT_NOTIFY;

    object_class->get_property = get_property;
    object_class->set_property = set_property;
    object_class->finalize = finalize;
    specs[PROPERTY_TOOL] =
        g_param_spec_uint("tool", NULL, NULL, 0, CXUI_TOOL_SPLIT, 0, both);
    specs[PROPERTY_HOVER] =
        g_param_spec_uint64("hover", NULL, NULL, 0, G_MAXUINT64, 0, both);
    specs[PROPERTY_CAN_GO_BACK] =
        g_param_spec_boolean("can-go-back", NULL, NULL, FALSE, readable);
    specs[PROPERTY_CAN_GO_FORWARD] =
        g_param_spec_boolean("can-go-forward", NULL, NULL, FALSE, readable);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
    changed_signal =
        g_signal_new("changed", CXUI_TYPE_SELECTION, G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static GArray *
ids_copy(const CxId *ids, size_t n)
{
    GArray *copy = g_array_sized_new(FALSE, FALSE, sizeof(CxId), (guint)n);

    if (n > 0)
        g_array_append_vals(copy, ids, (guint)n);
    return copy;
}

static void
start_history(CxuiSelection *self)
{
    g_ptr_array_set_size(self->history, 0);
    g_ptr_array_add(self->history, ids_copy(NULL, 0));
    self->present = 0;
}

static void
cxui_selection_init(CxuiSelection *self)
{
    self->ids = ids_copy(NULL, 0);
    self->hidden = ids_copy(NULL, 0);
    self->recoloured = g_array_new(FALSE, FALSE, sizeof(CxuiRecolour));
    self->history =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    self->seeds = g_array_new(FALSE, FALSE, sizeof(CxuiSeed));
    self->preview = ids_copy(NULL, 0);
    start_history(self);
}

CxuiSelection *
cxui_selection_new(void)
{
    return g_object_new(CXUI_TYPE_SELECTION, NULL);
}

static bool
find_id(const GArray *ids, CxId id, guint *index)
{
    for (guint i = 0; i < ids->len; i++) {
        if (g_array_index(ids, CxId, i) != id)
            continue;
        if (index != NULL)
            *index = i;
        return true;
    }
    return false;
}

static bool
ids_equal(const GArray *a, const GArray *b)
{
    return a->len == b->len &&
           (a->len == 0 ||
            memcmp(a->data, b->data, a->len * sizeof(CxId)) == 0);
}

static void
notify_history(CxuiSelection *self)
{
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_CAN_GO_BACK]);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_CAN_GO_FORWARD]);
}

/* Remembers the present ids as the newest selection. */
static void
remember(CxuiSelection *self)
{
    const GArray *last = g_ptr_array_index(self->history, self->present);

    if (ids_equal(last, self->ids))
        return;
    g_ptr_array_set_size(self->history, (gint)self->present + 1);
    g_ptr_array_add(self->history,
                    ids_copy((const CxId *)self->ids->data, self->ids->len));
    if (self->history->len > HISTORY_LENGTH)
        g_ptr_array_remove_index(self->history, 0);
    self->present = self->history->len - 1;
    notify_history(self);
}

static void
ids_changed(CxuiSelection *self)
{
    remember(self);
    emit_changed(self, CXUI_SELECTION_IDS);
}

const CxId *
cxui_selection_ids(CxuiSelection *self, size_t *n)
{
    *n = self->ids->len;
    return (const CxId *)self->ids->data;
}

bool
cxui_selection_contains(CxuiSelection *self, CxId id)
{
    return find_id(self->ids, id, NULL);
}

CxId
cxui_selection_current(CxuiSelection *self)
{
    guint n = self->ids->len;

    return n > 0 ? g_array_index(self->ids, CxId, n - 1) : 0;
}

void
cxui_selection_select(CxuiSelection *self, CxId id)
{
    cxui_selection_set(self, &id, id != 0 ? 1 : 0);
}

void
cxui_selection_add(CxuiSelection *self, CxId id)
{
    if (id == 0 || cxui_selection_contains(self, id))
        return;
    g_array_append_val(self->ids, id);
    ids_changed(self);
}

void
cxui_selection_remove(CxuiSelection *self, CxId id)
{
    guint index = 0;

    if (!find_id(self->ids, id, &index))
        return;
    g_array_remove_index(self->ids, index);
    ids_changed(self);
}

void
cxui_selection_toggle(CxuiSelection *self, CxId id)
{
    if (cxui_selection_contains(self, id))
        cxui_selection_remove(self, id);
    else
        cxui_selection_add(self, id);
}

void
cxui_selection_set(CxuiSelection *self, const CxId *ids, size_t n)
{
    g_autoptr(GArray) next = ids_copy(NULL, 0);

    for (size_t i = 0; i < n; i++)
        if (ids[i] != 0 && !find_id(next, ids[i], NULL))
            g_array_append_val(next, ids[i]);
    if (ids_equal(next, self->ids))
        return;
    g_array_unref(self->ids);
    self->ids = g_steal_pointer(&next);
    ids_changed(self);
}

void
cxui_selection_clear(CxuiSelection *self)
{
    cxui_selection_set(self, NULL, 0);
}

static void
show_history(CxuiSelection *self, guint index)
{
    const GArray *ids = g_ptr_array_index(self->history, index);

    self->present = index;
    g_array_unref(self->ids);
    self->ids = ids_copy((const CxId *)ids->data, ids->len);
    notify_history(self);
    emit_changed(self, CXUI_SELECTION_IDS);
}

bool
cxui_selection_go_back(CxuiSelection *self)
{
    if (!can_go_back(self))
        return false;
    show_history(self, self->present - 1);
    return true;
}

bool
cxui_selection_go_forward(CxuiSelection *self)
{
    if (!can_go_forward(self))
        return false;
    show_history(self, self->present + 1);
    return true;
}

bool
cxui_selection_is_hidden(CxuiSelection *self, CxId id)
{
    return find_id(self->hidden, id, NULL);
}

void
cxui_selection_set_hidden(CxuiSelection *self, CxId id, bool hidden)
{
    guint index = 0;
    bool was = find_id(self->hidden, id, &index);

    if (id == 0 || was == hidden)
        return;
    if (hidden)
        g_array_append_val(self->hidden, id);
    else
        g_array_remove_index(self->hidden, index);
    emit_changed(self, CXUI_SELECTION_HIDDEN);
}

void
cxui_selection_show_all(CxuiSelection *self)
{
    if (self->hidden->len == 0)
        return;
    g_array_set_size(self->hidden, 0);
    emit_changed(self, CXUI_SELECTION_HIDDEN);
}

const CxId *
cxui_selection_hidden(CxuiSelection *self, size_t *n)
{
    *n = self->hidden->len;
    return (const CxId *)self->hidden->data;
}

static CxuiRecolour *
find_recolour(CxuiSelection *self, CxId segment)
{
    for (guint i = 0; i < self->recoloured->len; i++) {
        CxuiRecolour *colour =
            &g_array_index(self->recoloured, CxuiRecolour, i);

        if (colour->segment == segment)
            return colour;
    }
    return NULL;
}

/* Steps of the golden section visit keys far from one another. */
void
cxui_selection_recolour(CxuiSelection *self, const CxId *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CxuiRecolour *colour = find_recolour(self, ids[i]);

        if (colour == NULL) {
            CxuiRecolour first = {ids[i], ids[i]};

            g_array_append_val(self->recoloured, first);
            colour = find_recolour(self, ids[i]);
        }
        colour->key += 0x9e3779b97f4a7c15u;
    }
    if (n > 0)
        emit_changed(self, CXUI_SELECTION_COLOURS);
}

const CxuiRecolour *
cxui_selection_recoloured(CxuiSelection *self, size_t *n)
{
    *n = self->recoloured->len;
    return (const CxuiRecolour *)(const void *)self->recoloured->data;
}

CxId
cxui_selection_hover(CxuiSelection *self)
{
    return self->hover;
}

void
cxui_selection_set_hover(CxuiSelection *self, CxId id)
{
    if (id == self->hover)
        return;
    self->hover = id;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_HOVER]);
    emit_changed(self, CXUI_SELECTION_HOVER);
}

CxuiTool
cxui_selection_tool(CxuiSelection *self)
{
    return self->tool;
}

void
cxui_selection_set_tool(CxuiSelection *self, CxuiTool tool)
{
    if (tool == self->tool)
        return;
    self->tool = tool;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_TOOL]);
    emit_changed(self, CXUI_SELECTION_TOOL);
    cxui_selection_clear_seeds(self);
}

const CxuiSeed *
cxui_selection_seeds(CxuiSelection *self, size_t *n)
{
    *n = self->seeds->len;
    return (const CxuiSeed *)self->seeds->data;
}

bool
cxui_selection_add_seed(CxuiSelection *self, CxuiSeed seed)
{
    for (guint i = 0; i < self->seeds->len; i++)
        if (cx_voxel_equal(g_array_index(self->seeds, CxuiSeed, i).at, seed.at))
            return false;
    g_array_append_val(self->seeds, seed);
    emit_changed(self, CXUI_SELECTION_SEEDS);
    return true;
}

bool
cxui_selection_remove_last_seed(CxuiSelection *self)
{
    if (self->seeds->len == 0)
        return false;
    if (self->seeds->len == 1) {
        cxui_selection_clear_seeds(self);
        return true;
    }
    g_array_set_size(self->seeds, self->seeds->len - 1);
    emit_changed(self, CXUI_SELECTION_SEEDS);
    return true;
}

void
cxui_selection_clear_seeds(CxuiSelection *self)
{
    bool had = self->seeds->len > 0 || self->split_segment != 0;

    g_array_set_size(self->seeds, 0);
    self->split_segment = 0;
    if (had)
        emit_changed(self, CXUI_SELECTION_SEEDS);
    cxui_selection_set_preview(self, CXUI_PREVIEW_NONE, NULL, 0, NULL);
}

CxId
cxui_selection_split_segment(CxuiSelection *self)
{
    return self->split_segment;
}

void
cxui_selection_set_split_segment(CxuiSelection *self, CxId segment)
{
    if (segment == self->split_segment)
        return;
    self->split_segment = segment;
    emit_changed(self, CXUI_SELECTION_SEEDS);
}

CxuiPreviewState
cxui_selection_preview_state(CxuiSelection *self)
{
    return self->preview_state;
}

const CxId *
cxui_selection_preview(CxuiSelection *self, size_t *n)
{
    *n = self->preview->len;
    return (const CxId *)self->preview->data;
}

const char *
cxui_selection_preview_reason(CxuiSelection *self)
{
    return self->preview_reason;
}

void
cxui_selection_set_preview(CxuiSelection *self, CxuiPreviewState state,
                           const CxId *supervoxels, size_t n,
                           const char *reason)
{
    if (state == CXUI_PREVIEW_NONE && self->preview_state == state)
        return;
    /* While the next one is computed the old one stays. */
    if (state != CXUI_PREVIEW_COMPUTING) {
        g_array_set_size(self->preview, 0);
        if (n > 0)
            g_array_append_vals(self->preview, supervoxels, (guint)n);
    }
    self->preview_state = state;
    g_free(self->preview_reason);
    self->preview_reason = g_strdup(reason);
    emit_changed(self, CXUI_SELECTION_PREVIEW);
}

/* Maps ids in place; what is gone or twice is dropped.  True if changed. */
static bool
remap_ids(GArray *ids, CxuiIdMap map, void *data)
{
    g_autoptr(GArray) next = ids_copy(NULL, 0);

    for (guint i = 0; i < ids->len; i++) {
        CxId id = map(g_array_index(ids, CxId, i), data);

        if (id != 0 && !find_id(next, id, NULL))
            g_array_append_val(next, id);
    }
    if (ids_equal(ids, next))
        return false;
    g_array_set_size(ids, 0);
    if (next->len > 0)
        g_array_append_vals(ids, next->data, next->len);
    return true;
}

void
cxui_selection_remap(CxuiSelection *self, CxuiIdMap map, void *data)
{
    unsigned what = 0;

    for (guint i = 0; i < self->history->len; i++)
        remap_ids(g_ptr_array_index(self->history, i), map, data);
    if (remap_ids(self->ids, map, data))
        what |= CXUI_SELECTION_IDS;
    if (remap_ids(self->hidden, map, data))
        what |= CXUI_SELECTION_HIDDEN;
    if (what != 0)
        emit_changed(self, what);
}

typedef struct {
    char text[24];
} IdText;

static IdText
id_text(CxId id)
{
    IdText out;

    g_snprintf(out.text, sizeof out.text, "%" G_GUINT64_FORMAT, id);
    return out;
}

static void
add_ids(JsonBuilder *builder, const char *name, const GArray *ids)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (guint i = 0; i < ids->len; i++)
        json_builder_add_string_value(
            builder, id_text(g_array_index(ids, CxId, i)).text);
    json_builder_end_array(builder);
}

/* {"segment": "key", …} */
static void
add_colours(JsonBuilder *builder, const GArray *recoloured)
{
    json_builder_set_member_name(builder, "colours");
    json_builder_begin_object(builder);
    for (guint i = 0; i < recoloured->len; i++) {
        CxuiRecolour colour = g_array_index(recoloured, CxuiRecolour, i);

        json_builder_set_member_name(builder, id_text(colour.segment).text);
        json_builder_add_string_value(builder, id_text(colour.key).text);
    }
    json_builder_end_object(builder);
}

char *
cxui_selection_to_json(CxuiSelection *self)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add_ids(builder, "selected", self->ids);
    add_ids(builder, "hidden", self->hidden);
    add_colours(builder, self->recoloured);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, false);
}

static bool
read_id(JsonNode *node, CxId least, CxId *id)
{
    const char *text =
        JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

    return text != NULL &&
           g_ascii_string_to_unsigned(text, 10, least, G_MAXUINT64, id, NULL);
}

static GArray *
read_ids(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    GArray *ids = ids_copy(NULL, 0);

    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return ids;
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        CxId id;

        if (read_id(json_array_get_element(array, i), 1, &id) &&
            !find_id(ids, id, NULL))
            g_array_append_val(ids, id);
    }
    return ids;
}

static void
read_colours(CxuiSelection *self, JsonObject *object)
{
    JsonNode *node = json_object_get_member(object, "colours");

    g_array_set_size(self->recoloured, 0);
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
        return;
    JsonObjectIter iter;
    const char *name;
    JsonNode *key;

    json_object_iter_init_ordered(&iter, json_node_get_object(node));
    while (json_object_iter_next_ordered(&iter, &name, &key)) {
        CxuiRecolour colour;

        if (g_ascii_string_to_unsigned(name, 10, 1, G_MAXUINT64,
                                       &colour.segment, NULL) &&
            read_id(key, 0, &colour.key) &&
            find_recolour(self, colour.segment) == NULL)
            g_array_append_val(self->recoloured, colour);
    }
}

bool
cxui_selection_from_json(CxuiSelection *self, const char *json)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();

    if (strlen(json) > ((size_t)4 << 20) ||
        !json_parser_load_from_data(parser, json, -1, NULL))
        return false;
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return false;
    JsonObject *object = json_node_get_object(root);
    g_autoptr(GArray) ids = read_ids(object, "selected");
    g_array_unref(self->hidden);
    self->hidden = read_ids(object, "hidden");
    read_colours(self, object);
    emit_changed(self, CXUI_SELECTION_HIDDEN | CXUI_SELECTION_COLOURS);
    cxui_selection_set(self, (const CxId *)ids->data, ids->len);
    return true;
}

void
cxui_selection_reset(CxuiSelection *self)
{
    g_array_set_size(self->ids, 0);
    g_array_set_size(self->hidden, 0);
    g_array_set_size(self->recoloured, 0);
    start_history(self);
    self->hover = 0;
    cxui_selection_set_tool(self, CXUI_TOOL_POINTER);
    cxui_selection_clear_seeds(self);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_HOVER]);
    notify_history(self);
    emit_changed(self, CXUI_SELECTION_IDS | CXUI_SELECTION_HIDDEN |
                           CXUI_SELECTION_HOVER | CXUI_SELECTION_COLOURS);
}
