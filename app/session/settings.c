/* What the user prefers.
 *
 * Every key is one row of a table; values live in an array of GValue, and
 * either GSettings is bound to the properties or each change is written to the
 * key file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/settings.h"

#define SCHEMA_ID "org.connexon.Connexon"
#define GROUP "Connexon"

typedef struct {
    const char *name;
    GType type;
    const char *text;      /* default of a string */
    double low, high, set; /* range and default of the others */
} Key;

static const Key keys[] = {
    {"color-scheme", G_TYPE_STRING, "auto", 0, 0, 0},
    {"palette", G_TYPE_STRING, "vivid", 0, 0, 0},
    {"author", G_TYPE_STRING, "", 0, 0, 0},
    {"model", G_TYPE_STRING, "", 0, 0, 0},
    {"last-folder", G_TYPE_STRING, "", 0, 0, 0},
    {"label-opacity", G_TYPE_DOUBLE, NULL, 0, 1, 0.4},
    {"dim-others", G_TYPE_DOUBLE, NULL, 0, 1, 0.6},
    {"show-borders", G_TYPE_BOOLEAN, NULL, 0, 1, 1},
    {"smooth-image", G_TYPE_BOOLEAN, NULL, 0, 1, 1},
    {"show-cross-hair", G_TYPE_BOOLEAN, NULL, 0, 1, 1},
    {"show-sidebar", G_TYPE_BOOLEAN, NULL, 0, 1, 1},
    {"window-maximized", G_TYPE_BOOLEAN, NULL, 0, 1, 0},
    {"image-cache-mib", G_TYPE_UINT, NULL, 64, 65536, 1024},
    {"mesh-cache-mib", G_TYPE_UINT, NULL, 64, 65536, 512},
    {"window-width", G_TYPE_INT, NULL, 0, 32767, 1360},
    {"window-height", G_TYPE_INT, NULL, 0, 32767, 840},
    {"model-type", G_TYPE_STRING, "auto", 0, 0, 0},
    {"model-files", G_TYPE_STRING, "", 0, 0, 0},
    {"live-prediction", G_TYPE_BOOLEAN, NULL, 0, 1, 0},
    {"prediction-channel", G_TYPE_INT, NULL, -1, 63, -1},
    {"prediction-opacity", G_TYPE_DOUBLE, NULL, 0, 1, 0.7},
    {"prediction-gamma", G_TYPE_DOUBLE, NULL, 0.2, 5, 1},
    {"grow-model", G_TYPE_STRING, "", 0, 0, 0},
};

#define N_KEYS G_N_ELEMENTS(keys)

/* Indices into keys, in the order above; property ids are these + 1. */
enum {
    KEY_COLOR_SCHEME,
    KEY_PALETTE,
    KEY_AUTHOR,
    KEY_MODEL,
    KEY_LAST_FOLDER,
    KEY_IMAGE_CACHE = 12,
    KEY_MESH_CACHE,
    KEY_GROW_MODEL = 22,
};

struct _CxuiSettings {
    GObject parent;
    GValue values[N_KEYS];
    GSettings *settings; /* or NULL */
    GKeyFile *file;      /* or NULL */
    char *path;          /* of the key file */
};

G_DEFINE_FINAL_TYPE(CxuiSettings, cxui_settings, G_TYPE_OBJECT)

static GParamSpec *
spec_of(const Key *key)
{
    const char *name = key->name;
    GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

    switch (key->type) {
    case G_TYPE_STRING:
        return g_param_spec_string(name, NULL, NULL, key->text, flags);
    case G_TYPE_DOUBLE:
        return g_param_spec_double(name, NULL, NULL, key->low, key->high,
                                   key->set, flags);
    case G_TYPE_BOOLEAN:
        return g_param_spec_boolean(name, NULL, NULL, key->set != 0, flags);
    case G_TYPE_UINT:
        return g_param_spec_uint(name, NULL, NULL, (guint)key->low,
                                 (guint)key->high, (guint)key->set, flags);
    default:
        return g_param_spec_int(name, NULL, NULL, (gint)key->low,
                                (gint)key->high, (gint)key->set, flags);
    }
}

static void
store(CxuiSettings *self, const Key *key, const GValue *value)
{
    g_autoptr(GError) error = NULL;

    if (self->file == NULL)
        return;
    switch (key->type) {
    case G_TYPE_STRING:
        g_key_file_set_string(self->file, GROUP, key->name,
                              g_value_get_string(value));
        break;
    case G_TYPE_DOUBLE:
        g_key_file_set_double(self->file, GROUP, key->name,
                              g_value_get_double(value));
        break;
    case G_TYPE_BOOLEAN:
        g_key_file_set_boolean(self->file, GROUP, key->name,
                               g_value_get_boolean(value));
        break;
    case G_TYPE_UINT:
        g_key_file_set_uint64(self->file, GROUP, key->name,
                              g_value_get_uint(value));
        break;
    default:
        g_key_file_set_integer(self->file, GROUP, key->name,
                               g_value_get_int(value));
        break;
    }
    if (!g_key_file_save_to_file(self->file, self->path, &error))
        g_info("%s: preferences were not stored: %s", self->path,
               error->message);
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    CxuiSettings *self = CXUI_SETTINGS(object);

    if (g_param_values_cmp(spec, value, &self->values[id - 1]) == 0)
        return;
    g_value_copy(value, &self->values[id - 1]);
    if (spec->value_type == G_TYPE_STRING && g_value_get_string(value) == NULL)
        g_value_set_static_string(&self->values[id - 1], "");
    store(self, &keys[id - 1], &self->values[id - 1]);
    g_object_notify_by_pspec(object, spec);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiSettings *self = CXUI_SETTINGS(object);

    g_value_copy(&self->values[id - 1], value);
}

static void
finalize(GObject *object)
{
    CxuiSettings *self = CXUI_SETTINGS(object);

    for (size_t i = 0; i < N_KEYS; i++)
        g_value_unset(&self->values[i]);
    g_clear_object(&self->settings);
    g_clear_pointer(&self->file, g_key_file_unref);
    g_free(self->path);
    G_OBJECT_CLASS(cxui_settings_parent_class)->finalize(object);
}

static void
cxui_settings_class_init(CxuiSettingsClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    for (guint i = 0; i < N_KEYS; i++)
        g_object_class_install_property(object_class, i + 1, spec_of(&keys[i]));
}

static void
cxui_settings_init(CxuiSettings *self)
{
    for (guint i = 0; i < N_KEYS; i++) {
        g_value_init(&self->values[i], keys[i].type);
        g_param_value_set_default(g_object_class_find_property(
                                      G_OBJECT_GET_CLASS(self), keys[i].name),
                                  &self->values[i]);
    }
}

/* A value of the wrong form counts as not there. */
static bool
read_key(GKeyFile *file, const Key *key, GValue *value)
{
    g_autoptr(GError) error = NULL;

    switch (key->type) {
    case G_TYPE_STRING:
        g_value_take_string(
            value, g_key_file_get_string(file, GROUP, key->name, &error));
        break;
    case G_TYPE_DOUBLE:
        g_value_set_double(
            value, g_key_file_get_double(file, GROUP, key->name, &error));
        break;
    case G_TYPE_BOOLEAN:
        g_value_set_boolean(
            value, g_key_file_get_boolean(file, GROUP, key->name, &error));
        break;
    case G_TYPE_UINT:
        g_value_set_uint(value, (guint)g_key_file_get_uint64(
                                    file, GROUP, key->name, &error));
        break;
    default:
        g_value_set_int(value,
                        g_key_file_get_integer(file, GROUP, key->name, &error));
        break;
    }
    return error == NULL;
}

static void
read_file(CxuiSettings *self)
{
    for (guint i = 0; i < N_KEYS; i++) {
        g_auto(GValue) value = G_VALUE_INIT;
        GParamSpec *spec = g_object_class_find_property(
            G_OBJECT_GET_CLASS(self), keys[i].name);

        g_value_init(&value, keys[i].type);
        if (!read_key(self->file, &keys[i], &value))
            continue;
        g_param_value_validate(spec, &value);
        g_value_copy(&value, &self->values[i]);
    }
}

static void
bind_schema(CxuiSettings *self, GSettingsSchema *schema)
{
    self->settings = g_settings_new_full(schema, NULL, NULL);
    for (guint i = 0; i < N_KEYS; i++)
        if (g_settings_schema_has_key(schema, keys[i].name))
            g_settings_bind(self->settings, keys[i].name, self, keys[i].name,
                            G_SETTINGS_BIND_DEFAULT);
}

CxuiSettings *
cxui_settings_new(void)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default();
    g_autoptr(GSettingsSchema) schema = NULL;

    if (source != NULL)
        schema = g_settings_schema_source_lookup(source, SCHEMA_ID, TRUE);
    if (schema == NULL) {
        g_autofree char *path = g_build_filename(
            g_get_user_config_dir(), "connexon", "settings.ini", NULL);
        return cxui_settings_new_for_file(path);
    }
    CxuiSettings *self = cxui_settings_new_in_memory();
    bind_schema(self, schema);
    return self;
}

CxuiSettings *
cxui_settings_new_in_memory(void)
{
    return g_object_new(CXUI_TYPE_SETTINGS, NULL);
}

CxuiSettings *
cxui_settings_new_for_file(const char *path)
{
    CxuiSettings *self = cxui_settings_new_in_memory();
    g_autofree char *folder = g_path_get_dirname(path);

    g_mkdir_with_parents(folder, 0700);
    self->path = g_strdup(path);
    self->file = g_key_file_new();
    g_key_file_load_from_file(self->file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
    read_file(self);
    return self;
}

static const char *
text(CxuiSettings *self, unsigned key)
{
    const char *value = g_value_get_string(&self->values[key]);

    return value != NULL ? value : "";
}

const char *
cxui_settings_color_scheme(CxuiSettings *self)
{
    return text(self, KEY_COLOR_SCHEME);
}

const char *
cxui_settings_palette(CxuiSettings *self)
{
    return text(self, KEY_PALETTE);
}

const char *
cxui_settings_model(CxuiSettings *self)
{
    return text(self, KEY_MODEL);
}

const char *
cxui_settings_grow_model(CxuiSettings *self)
{
    return text(self, KEY_GROW_MODEL);
}

const char *
cxui_settings_last_folder(CxuiSettings *self)
{
    return text(self, KEY_LAST_FOLDER);
}

const char *
cxui_settings_author(CxuiSettings *self)
{
    const char *author = text(self, KEY_AUTHOR);

    return author[0] != '\0' ? author : g_get_user_name();
}

size_t
cxui_settings_image_budget_bytes(CxuiSettings *self)
{
    return (size_t)g_value_get_uint(&self->values[KEY_IMAGE_CACHE]) << 20;
}

size_t
cxui_settings_mesh_budget_bytes(CxuiSettings *self)
{
    return (size_t)g_value_get_uint(&self->values[KEY_MESH_CACHE]) << 20;
}
