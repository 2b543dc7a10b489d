/* OME-NGFF multiscales metadata.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/ngff.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/volume/reader_util.h"

#include <math.h>
#include <string.h>

/* The attributes of a folder, of version 2 or 3; *root keeps them. */
static JsonObject *
load_attributes(const char *dir, JsonNode **root, GError **error)
{
    g_autofree char *v2 = g_build_filename(dir, ".zattrs", NULL);
    g_autofree char *v3 = g_build_filename(dir, "zarr.json", NULL);
    bool is_v3 = g_file_test(v3, G_FILE_TEST_EXISTS);

    if (!is_v3 && !g_file_test(v2, G_FILE_TEST_EXISTS)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: no Zarr attributes in it", dir);
        return NULL;
    }
    *root = cx_json_load(is_v3 ? v3 : v2, error);
    if (*root == NULL)
        return NULL;

    JsonObject *object = cx_json_object(*root);
    if (is_v3)
        object = cx_json_get_object(object, "attributes");
    if (object == NULL)
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: no attributes in it", is_v3 ? v3 : v2);
    return object;
}

static JsonObject *
first_object(JsonArray *list)
{
    if (list == NULL || json_array_get_length(list) == 0)
        return NULL;
    return cx_json_object(json_array_get_element(list, 0));
}

/* What the spatial axes are measured in; NULL entries are no space. */
typedef struct {
    bool is_space[CX_MAX_RANK];
    double unit_nm[CX_MAX_RANK];
} Units;

static void
take_axis(CxNgff *ngff, Units *units, int i, JsonNode *node)
{
    JsonObject *axis = cx_json_object(node);
    const char *name = axis != NULL ? cx_json_get_string(axis, "name")
                                    : cx_json_node_string(node);
    const char *unit = cx_json_get_string(axis, "unit");
    double nm = unit != NULL ? cx_reader_unit_nm(unit) : 0;

    ngff->names[i] = g_ascii_strdown(name != NULL ? name : "", -1);
    units->is_space[i] =
        strlen(ngff->names[i]) == 1 && strchr("xyz", ngff->names[i][0]) != NULL;
    units->unit_nm[i] = nm;
}

static void
take_axes(CxNgff *ngff, Units *units, JsonObject *multiscale)
{
    JsonArray *axes = cx_json_get_array(multiscale, "axes");
    guint n = axes != NULL ? json_array_get_length(axes) : 0;

    if (n == 0 || n > CX_MAX_RANK)
        return;
    ngff->n_axes = (int)n;
    for (guint i = 0; i < n; i++)
        take_axis(ngff, units, (int)i, json_array_get_element(axes, i));
}

/* Multiplies and adds what a list of transformations says. */
static void
apply(JsonArray *list, int n_axes, double *scale, double *translation)
{
    guint n = list != NULL ? json_array_get_length(list) : 0;

    for (guint k = 0; k < n; k++) {
        JsonObject *one = cx_json_object(json_array_get_element(list, k));
        JsonArray *factors = cx_json_get_array(one, "scale");
        JsonArray *shift = cx_json_get_array(one, "translation");

        for (int i = 0; i < n_axes; i++) {
            double value;

            if (factors != NULL && (int)json_array_get_length(factors) > i &&
                cx_json_node_double(json_array_get_element(factors, (guint)i),
                                    &value)) {
                scale[i] *= value;
                translation[i] *= value;
            }
            if (shift != NULL && (int)json_array_get_length(shift) > i &&
                cx_json_node_double(json_array_get_element(shift, (guint)i),
                                    &value))
                translation[i] += value;
        }
    }
}

static void
take_level(CxNgff *ngff, const Units *units, JsonObject *multiscale,
           JsonObject *dataset, int level)
{
    double scale[CX_MAX_RANK], translation[CX_MAX_RANK] = {0};
    JsonArray *own = cx_json_get_array(dataset, "coordinateTransformations");
    int n = 0;

    for (int i = 0; i < CX_MAX_RANK; i++)
        scale[i] = 1;
    apply(own, ngff->n_axes, scale, translation);
    apply(cx_json_get_array(multiscale, "coordinateTransformations"),
          ngff->n_axes, scale, translation);
    if (level == 0)
        ngff->has_scale = own != NULL;
    for (int i = 0; i < ngff->n_axes && n < 3; i++) {
        double unit = units->unit_nm[i];

        if (!units->is_space[i])
            continue;
        if (unit == 0) /* a scale without a unit is no size */
            ngff->has_scale = false;
        unit = unit > 0 ? unit : 1;
        ngff->scale[level][n] = scale[i] * unit;
        if (level == 0)
            ngff->corner[n] = (translation[i] - scale[i] / 2) * unit;
        n++;
    }
}

static bool
take_levels(CxNgff *ngff, const Units *units, JsonObject *multiscale)
{
    JsonArray *list = cx_json_get_array(multiscale, "datasets");
    guint n = list != NULL ? json_array_get_length(list) : 0;

    for (guint i = 0; i < MIN(n, CX_MAX_LEVELS); i++) {
        JsonObject *dataset = cx_json_object(json_array_get_element(list, i));
        const char *path = cx_json_get_string(dataset, "path");

        if (path == NULL)
            return false;
        ngff->paths[i] = g_strdup(path);
        ngff->n_levels = (int)i + 1;
        take_level(ngff, units, multiscale, dataset, (int)i);
    }
    if (!ngff->has_scale)
        memset(ngff->corner, 0, sizeof ngff->corner);
    return ngff->n_levels > 0;
}

CxNgff *
cx_ngff_read(const char *dir, GError **error)
{
    g_autoptr(JsonNode) root = NULL;
    JsonObject *attributes = load_attributes(dir, &root, error);
    g_autoptr(CxNgff) ngff = g_new0(CxNgff, 1);
    Units units = {0};

    if (attributes == NULL)
        return NULL;
    if (cx_json_get_object(attributes, "ome") != NULL)
        attributes = cx_json_get_object(attributes, "ome");

    JsonArray *list = cx_json_get_array(attributes, "multiscales");
    JsonObject *multiscale = first_object(list);
    if (multiscale == NULL) {
        g_set_error(error, CX_ERROR,
                    list != NULL ? CX_ERROR_FORMAT : CX_ERROR_NOT_FOUND,
                    "%s: no multiscales in its attributes", dir);
        return NULL;
    }
    ngff->is_labels = cx_json_get_object(attributes, "image-label") != NULL;
    take_axes(ngff, &units, multiscale);
    if (take_levels(ngff, &units, multiscale))
        return g_steal_pointer(&ngff);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: multiscales without levels, expected datasets with paths",
                dir);
    return NULL;
}

void
cx_ngff_free(CxNgff *ngff)
{
    if (ngff == NULL)
        return;
    for (int i = 0; i < CX_MAX_RANK; i++)
        g_free(ngff->names[i]);
    for (int i = 0; i < CX_MAX_LEVELS; i++)
        g_free(ngff->paths[i]);
    g_free(ngff);
}

bool
cx_ngff_has_level(const CxNgff *ngff, const char *name)
{
    size_t n = strlen(name);

    for (int i = 0; i < ngff->n_levels; i++) {
        const char *path = ngff->paths[i];

        if (strncmp(path, name, n) == 0 && (path[n] == '\0' || path[n] == '/'))
            return true;
    }
    return false;
}

bool
cx_ngff_is_array(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "zarr.json", NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return false;
    g_autoptr(JsonNode) root = cx_json_load(path, NULL);
    const char *type = cx_json_get_string(cx_json_object(root), "node_type");
    return type != NULL && g_str_equal(type, "array");
}

static bool
read_numbers(JsonArray *list, int n, double *values)
{
    if (list == NULL || (int)json_array_get_length(list) != n)
        return false;
    for (int i = 0; i < n; i++) {
        if (!cx_json_node_double(json_array_get_element(list, (guint)i),
                                 &values[i]) ||
            !isfinite(values[i]))
            return false;
    }
    return true;
}

bool
cx_ngff_read_plain(const char *dir, int n, double *nm, double *offset)
{
    g_autoptr(JsonNode) root = NULL;
    JsonObject *attributes = load_attributes(dir, &root, NULL);

    if (attributes == NULL ||
        (!read_numbers(cx_json_get_array(attributes, "resolution"), n, nm) &&
         !read_numbers(cx_json_get_array(attributes, "voxel_size"), n, nm)))
        return false;
    if (!read_numbers(cx_json_get_array(attributes, "offset"), n, offset))
        memset(offset, 0, (size_t)n * sizeof offset[0]);
    return true;
}
