/* Reads a model file into a network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/weights.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/layer.h"
#include "core/volume/hdf5_file.h"

#include <math.h>
#include <string.h>

#define MAX_TEXT 65536 /* bytes of a text attribute */
#define MAX_PARAMETERS 256
#define MAX_AMAX 1e20 /* far inside of float */

#define REFUSE(...)                                                            \
    (g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, __VA_ARGS__), false)

/* Number of values of an attribute, or -1 if it is no scalar or small array
 * of one or two dimensions. */
static int64_t
count_values(hid_t attribute)
{
    CX_HID space = H5Aget_space(attribute);

    if (space < 0 || H5Sget_simple_extent_ndims(space) < 0 ||
        H5Sget_simple_extent_ndims(space) > 2)
        return -1;
    return H5Sget_simple_extent_npoints(space);
}

static hid_t
open_attribute(hid_t object, const char *name)
{
    return H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT)
                                       : H5I_INVALID_HID;
}

static bool
has_class(hid_t attribute, H5T_class_t wanted)
{
    CX_HID type = H5Aget_type(attribute);

    return type >= 0 && H5Tget_class(type) == wanted;
}

/* Reads up to max numbers; *n_read of them, or refuses unless n values (0 =
 * any number) are there. */
static bool
read_numbers(hid_t object, const char *what, const char *name,
             H5T_class_t wanted, void *values, int64_t n, int64_t max,
             int64_t *n_read, GError **error)
{
    bool is_int = wanted == H5T_INTEGER;
    CX_HID attribute = open_attribute(object, name);

    if (attribute < 0)
        return REFUSE("%s has no attribute %s", what, name);
    int64_t count = count_values(attribute);
    if (!has_class(attribute, wanted))
        return REFUSE("%s: attribute %s is not %s", what, name,
                      is_int ? "an integer" : "a floating-point number");
    if (count < 1 || count > max || (n > 0 && count != n))
        return REFUSE("%s: attribute %s has %" G_GINT64_FORMAT
                      " values, expected %s%" G_GINT64_FORMAT,
                      what, name, count, n > 0 ? "" : "at most ",
                      n > 0 ? n : max);
    if (H5Aread(attribute, is_int ? H5T_NATIVE_INT32 : H5T_NATIVE_DOUBLE,
                values) < 0)
        return REFUSE("%s: attribute %s cannot be read", what, name);
    for (int64_t i = 0; i < count && !is_int; i++)
        if (!isfinite(((double *)values)[i]))
            return REFUSE("%s: attribute %s is not finite", what, name);
    *n_read = count;
    return true;
}

static bool
read_ints(hid_t object, const char *what, const char *name, int32_t *values,
          int64_t n, GError **error)
{
    int64_t n_read;

    return read_numbers(object, what, name, H5T_INTEGER, values, n, n, &n_read,
                        error);
}

static bool
read_doubles(hid_t object, const char *what, const char *name, double *values,
             int64_t n, GError **error)
{
    int64_t n_read;

    return read_numbers(object, what, name, H5T_FLOAT, values, n, n, &n_read,
                        error);
}

/* The text of a scalar attribute whose type is already known to be text. */
static char *
read_text(hid_t attribute)
{
    CX_HID type = H5Aget_type(attribute);
    CX_HID memory = H5Tcopy(H5T_C_S1);
    char *text = NULL;

    H5Tset_cset(memory, H5Tget_cset(type));
    if (H5Tis_variable_str(type) > 0) {
        char *owned = NULL;

        H5Tset_size(memory, H5T_VARIABLE);
        if (H5Aread(attribute, memory, &owned) >= 0 && owned != NULL &&
            strlen(owned) <= MAX_TEXT)
            text = g_strdup(owned);
        H5free_memory(owned);
        return text;
    }
    size_t size = H5Tget_size(type);
    if (size == 0 || size > MAX_TEXT)
        return NULL;
    text = g_malloc0(size + 1);
    H5Tset_size(memory, size + 1);
    if (H5Aread(attribute, memory, text) < 0)
        g_clear_pointer(&text, g_free);
    return text;
}

static char *
dup_text(hid_t object, const char *what, const char *name, GError **error)
{
    CX_HID attribute = open_attribute(object, name);

    if (attribute < 0 || count_values(attribute) != 1 ||
        !has_class(attribute, H5T_STRING)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s has no %s %s", what,
                    attribute < 0 ? "attribute" : "single text in attribute",
                    name);
        return NULL;
    }
    char *text = read_text(attribute);
    if (text != NULL && g_utf8_validate(text, -1, NULL))
        return text;
    g_free(text);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: attribute %s is not UTF-8 text of at most %d bytes", what,
                name, MAX_TEXT);
    return NULL;
}

/* Float dataset of this many dimensions; dims[d] > 0 says what is expected,
 * 0 is filled in (up to limit). */
static hid_t
open_floats(hid_t group, const char *what, const char *name, int n_dims,
            hsize_t *dims, GError **error)
{
    g_autofree char *where = g_strdup_printf("%s: data set %s", what, name);
    hid_t dataset = H5Lexists(group, name, H5P_DEFAULT) > 0
                        ? cx_hdf5_open_object(group, name)
                        : H5I_INVALID_HID;
    CX_HID space = dataset >= 0 ? H5Dget_space(dataset) : H5I_INVALID_HID;
    CX_HID type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    hsize_t found[H5S_MAX_RANK];
    bool ok = false;

    if (dataset < 0 || H5Iget_type(dataset) != H5I_DATASET)
        (void)REFUSE("%s has no data set %s", what, name);
    else if (type < 0 || H5Tget_class(type) != H5T_FLOAT)
        (void)REFUSE("%s does not hold floats", where);
    else if (space < 0 || H5Sget_simple_extent_ndims(space) != n_dims ||
             H5Sget_simple_extent_dims(space, found, NULL) != n_dims)
        (void)REFUSE("%s has not %d dimensions", where, n_dims);
    else
        ok = cx_hdf5_check_storage(dataset, where, error);
    for (int d = 0; d < n_dims && ok; d++) {
        hsize_t least = dims[d] > 0 ? dims[d] : 1;
        hsize_t most = dims[d] > 0 ? dims[d] : CX_NN_MAX_CHANNELS;

        if (found[d] < least || found[d] > most)
            ok = REFUSE("%s: data set %s has size %" G_GUINT64_FORMAT
                        " in dimension %d, expected %s%" G_GUINT64_FORMAT,
                        what, name, (uint64_t)found[d], d,
                        least == most ? "" : "1 to ", (uint64_t)most);
        dims[d] = found[d];
    }
    if (ok)
        return dataset;
    cx_hid_cleanup(&dataset);
    return H5I_INVALID_HID;
}

static float *
read_floats(hid_t group, const char *what, const char *name, int n_dims,
            hsize_t *dims, GError **error)
{
    CX_HID dataset = open_floats(group, what, name, n_dims, dims, error);
    size_t n = 1;

    if (dataset < 0)
        return NULL;
    for (int d = 0; d < n_dims; d++)
        n *= (size_t)dims[d];
    CX_AUTOFREE float *values = cx_try_alloc(n, sizeof *values, error);
    if (values == NULL)
        return NULL;
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                values) < 0)
        return (void)REFUSE("%s: data set %s cannot be read", what, name), NULL;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return (void)REFUSE("%s: data set %s holds %s at index %zu, "
                                "expected finite numbers",
                                what, name, isnan(values[i]) ? "NaN" : "Inf",
                                i),
                   NULL;
    return g_steal_pointer(&values);
}

static bool
read_op(hid_t group, const char *what, CxLayerOp *op, GError **error)
{
    static const char *const names[] = {
        "conv", "maxpool", "upsample", "upconv", "concat", "add", "sigmoid"};
    g_autofree char *text = dup_text(group, what, "op", error);

    if (text == NULL)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(text, names[i])) {
            *op = (CxLayerOp)i;
            return true;
        }
    return REFUSE("%s: op is \"%s\", expected conv, maxpool, upsample, "
                  "upconv, concat, add or sigmoid",
                  what, text);
}

static bool
read_amax(hid_t object, const char *what, const char *name, double *amax,
          GError **error)
{
    if (!read_doubles(object, what, name, amax, 1, error))
        return false;
    if (*amax < 0.0 || *amax > MAX_AMAX)
        return REFUSE("%s: %s is %g, expected 0 to %g", what, name, *amax,
                      MAX_AMAX);
    return true;
}

/* Optional: how the layer is to be computed, and its calibration. */
static bool
read_type(hid_t group, const char *what, CxLayer *layer, GError **error)
{
    if (H5Aexists(group, "type") > 0) {
        g_autofree char *type = dup_text(group, what, "type", error);

        if (type == NULL)
            return false;
        if (!g_str_equal(type, "f32"))
            return REFUSE("%s: type is \"%s\", expected \"f32\"", what, type);
    }
    return H5Aexists(group, "amax") <= 0 ||
           read_amax(group, what, "amax", &layer->amax, error);
}

static bool
read_weights(hid_t group, const char *what, CxNetwork *network, CxLayer *layer,
             GError **error)
{
    bool up = layer->op == CX_OP_UPCONV;
    hsize_t n_bias[1] = {0};

    layer->bias = read_floats(group, what, "bias", 1, n_bias, error);
    if (layer->bias == NULL)
        return false;
    layer->n_out = (unsigned)n_bias[0];

    hsize_t dims[5] = {layer->n_out, layer->n_in};
    size_t padded = (layer->n_out + 15u) / 16u * 16u;
    if (up)
        dims[0] = layer->n_in, dims[1] = layer->n_out;
    padded *= layer->n_in;
    for (unsigned a = 0; a < 3; a++) {
        dims[2 + a] = (hsize_t)layer->extent[a];
        padded *= (size_t)layer->extent[a];
    }
    network->n_weights += padded;
    if (network->n_weights > CX_NN_MAX_WEIGHTS)
        return REFUSE("%s: the layers so far have %zu weights, expected at "
                      "most %u",
                      what, network->n_weights, CX_NN_MAX_WEIGHTS);
    layer->weight = read_floats(group, what, "weight", 5, dims, error);
    return layer->weight != NULL;
}

/* Optional, as calibration leaves it. */
static bool
read_mean(hid_t group, const char *what, CxLayer *layer, GError **error)
{
    hsize_t n[1] = {layer->n_out};

    if (H5Lexists(group, "mean", H5P_DEFAULT) <= 0)
        return true;
    layer->mean = read_floats(group, what, "mean", 1, n, error);
    return layer->mean != NULL;
}

static unsigned
channels_in(const CxNetwork *network, const CxLayer *layer)
{
    return layer->inputs[0] < 0 ? cx_network_n_inputs(network)
                                : network->layers[layer->inputs[0]].n_out;
}

static bool
read_layer(hid_t group, CxNetwork *network, unsigned index, const char *what,
           GError **error)
{
    CxLayer *layer = &network->layers[index];
    bool has_kernel, has_factor;
    int64_t n_inputs;

    if (!read_op(group, what, &layer->op, error) ||
        !read_numbers(group, what, "inputs", H5T_INTEGER, layer->inputs, 0,
                      CX_NN_MAX_INPUTS, &n_inputs, error) ||
        !read_type(group, what, layer, error))
        return false;
    layer->n_inputs = (unsigned)n_inputs;
    has_kernel = layer->op == CX_OP_CONV;
    has_factor = layer->op == CX_OP_MAXPOOL || layer->op == CX_OP_UPSAMPLE ||
                 layer->op == CX_OP_UPCONV;
    layer->extent[0] = layer->extent[1] = layer->extent[2] = 1;
    if ((has_kernel || has_factor) &&
        !read_ints(group, what, has_kernel ? "kernel" : "factor", layer->extent,
                   3, error))
        return false;
    if (has_kernel ||
        (layer->op == CX_OP_ADD && H5Aexists(group, "relu") > 0)) {
        int32_t relu;

        if (!read_ints(group, what, "relu", &relu, 1, error))
            return false;
        if (relu != 0 && relu != 1)
            return REFUSE("%s: relu is %d, expected 0 or 1", what, relu);
        layer->relu = relu == 1;
    }
    layer->n_out = 1; /* until the weights are read */
    if (!cx_layer_check(network, index, what, error))
        return false;
    layer->n_in =
        layer->n_inputs == 1 ? channels_in(network, layer) : layer->n_in;
    if ((layer->op == CX_OP_CONV || layer->op == CX_OP_UPCONV) &&
        !read_weights(group, what, network, layer, error))
        return false;
    return read_mean(group, what, layer, error);
}

static bool
read_layers(hid_t layers, CxNetwork *network, const char *path, GError **error)
{
    for (unsigned i = 0; i < network->n_layers; i++) {
        g_autofree char *name = g_strdup_printf("%03u", i);
        g_autofree char *what = g_strdup_printf("%s: layer %s", path, name);
        CX_HID group = H5Lexists(layers, name, H5P_DEFAULT) > 0
                           ? cx_hdf5_open_object(layers, name)
                           : H5I_INVALID_HID;

        if (group < 0)
            return REFUSE("%s is missing, expected %u groups from 000 on in "
                          "/layers",
                          what, network->n_layers);
        if (!read_layer(group, network, i, what, error))
            return false;
    }
    return true;
}

static bool
check_version(hid_t file, const char *path, GError **error)
{
    g_autofree char *format = NULL;
    int32_t version;

    if (H5Aexists(file, "format") > 0)
        format = dup_text(file, path, "format", NULL);
    if (format == NULL || !g_str_equal(format, "connexon-model"))
        return REFUSE("%s is an HDF5 file but not a model: its attribute "
                      "format is \"%s\", expected \"connexon-model\"",
                      path, format != NULL ? format : "");
    if (!read_ints(file, path, "version", &version, 1, error))
        return false;
    if (version != 1)
        return REFUSE("%s is a model of version %d, expected version 1: a "
                      "newer Connexon may read it",
                      path, version);
    return true;
}

static bool
read_card(hid_t file, CxNetwork *network, const char *path, GError **error)
{
    double nm[3];

    if ((network->name = dup_text(file, path, "name", error)) == NULL ||
        (network->description = dup_text(file, path, "description", error)) ==
            NULL ||
        (network->data = dup_text(file, path, "data", error)) == NULL ||
        (network->licence = dup_text(file, path, "licence", error)) == NULL ||
        (network->scores = dup_text(file, path, "scores", error)) == NULL ||
        !read_doubles(file, path, "voxel_nm", nm, 3, error))
        return false;
    network->voxel_nm = (CxNm){nm[0], nm[1], nm[2]};
    for (unsigned a = 0; a < 3; a++)
        if (nm[a] <= 0.0 || nm[a] > 1e6)
            return REFUSE("%s: voxel_nm is %g,%g,%g, expected positive sizes",
                          path, nm[0], nm[1], nm[2]);
    return true;
}

static bool
read_normalise(hid_t file, CxNetwork *network, const char *path, GError **error)
{
    g_autofree char *how = dup_text(file, path, "normalise", error);

    if (how == NULL ||
        !read_doubles(file, path, "norm_mean", &network->norm_mean, 1, error) ||
        !read_doubles(file, path, "norm_std", &network->norm_std, 1, error))
        return false;
    network->per_section = g_str_equal(how, "section");
    if (!network->per_section && !g_str_equal(how, "fixed"))
        return REFUSE("%s: normalise is \"%s\", expected \"fixed\" or "
                      "\"section\"",
                      path, how);
    if (H5Aexists(file, "input_amax") > 0 &&
        !read_amax(file, path, "input_amax", &network->input_amax, error))
        return false;
    if (network->norm_std < 1e-6)
        return REFUSE("%s: norm_std is %g, expected a positive number", path,
                      network->norm_std);
    return true;
}

static bool
read_shape(hid_t file, CxNetwork *network, const char *path, GError **error)
{
    if (!read_ints(file, path, "dims", &network->dims, 1, error) ||
        !read_ints(file, path, "input_sections", &network->input_sections, 1,
                   error) ||
        !read_ints(file, path, "views", &network->views, 1, error))
        return false;
    if (network->dims != 2 && network->dims != 3)
        return REFUSE("%s: dims is %d, expected 2 or 3", path, network->dims);
    int32_t n = network->input_sections;
    if (n < 1 || n > CX_NN_MAX_SECTIONS || n % 2 == 0 ||
        (network->dims == 3 && n != 1))
        return REFUSE("%s: input_sections is %d, expected %s", path, n,
                      network->dims == 3 ? "1 in a network of 3 dimensions"
                                         : "an odd number up to 63");
    if (network->views != 1 && network->views != 3)
        return REFUSE("%s: views is %d, expected 1 or 3", path, network->views);
    return true;
}

static bool
read_outputs(hid_t file, CxNetwork *network, const char *path, GError **error)
{
    int32_t rows[CX_NN_MAX_OUTPUTS][4];
    int64_t n;

    if (!read_numbers(file, path, "outputs", H5T_INTEGER, rows, 0,
                      (int64_t)CX_NN_MAX_OUTPUTS * 4, &n, error))
        return false;
    if (n % 4 != 0)
        return REFUSE("%s: outputs has %" G_GINT64_FORMAT
                      " values, expected rows of 4",
                      path, n);
    network->n_outputs = (unsigned)(n / 4);
    for (unsigned i = 0; i < network->n_outputs; i++) {
        if (rows[i][0] < CX_OUTPUT_BOUNDARY || rows[i][0] > CX_OUTPUT_OBJECT)
            return REFUSE("%s: output %u is of kind %d, expected 0, 1 or 2",
                          path, i, rows[i][0]);
        network->outputs[i] = (CxOutput){(CxOutputKind)rows[i][0],
                                         {rows[i][1], rows[i][2], rows[i][3]}};
    }
    return true;
}

typedef struct {
    CxNetwork *network;
    const char *what;
    GError **error;
} ReadParameters;

static herr_t
read_parameter(hid_t group, const char *name, const H5A_info_t *info,
               void *data)
{
    ReadParameters *read = data;
    CX_HID attribute = open_attribute(group, name);
    CxNetworkParameter *parameter = g_new0(CxNetworkParameter, 1);
    bool ok;

    g_ptr_array_add(read->network->parameters, parameter);
    parameter->name = g_strdup(name);
    if (attribute >= 0 && has_class(attribute, H5T_STRING)) {
        parameter->text = dup_text(group, read->what, name, read->error);
        ok = parameter->text != NULL;
    } else {
        ok = read_doubles(group, read->what, name, &parameter->number, 1,
                          read->error);
    }
    return ok && read->network->parameters->len <= MAX_PARAMETERS ? 0 : -1;
}

static bool
read_segmentation(hid_t file, CxNetwork *network, const char *path,
                  GError **error)
{
    g_autofree char *what = g_strdup_printf("%s: /segmentation", path);
    g_autoptr(GError) local = NULL;
    ReadParameters read = {network, what, &local};
    CX_HID group = H5Lexists(file, "segmentation", H5P_DEFAULT) > 0
                       ? cx_hdf5_open_object(file, "segmentation")
                       : H5I_INVALID_HID;
    hsize_t at = 0;

    if (group < 0)
        return REFUSE("%s has no group /segmentation", path);
    if (H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_INC, &at, read_parameter,
                    &read) < 0) {
        if (local == NULL)
            return REFUSE("%s has unreadable attributes, or more than %d", what,
                          MAX_PARAMETERS);
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    network->grows = g_str_equal(cx_network_method(network), "flood");
    if (!network->grows && !g_str_equal(cx_network_method(network), "volume") &&
        !g_str_equal(cx_network_method(network), "sections"))
        return REFUSE("%s: method is \"%s\", expected \"volume\", "
                      "\"sections\" or \"flood\"",
                      what, cx_network_method(network));
    return true;
}

static CxNetwork *
read_file(hid_t file, const char *path, GError **error)
{
    H5G_info_t info;
    CX_HID layers = H5I_INVALID_HID;

    if (!check_version(file, path, error))
        return NULL;
    if (H5Lexists(file, "layers", H5P_DEFAULT) > 0)
        layers = cx_hdf5_open_object(file, "layers");
    if (layers < 0 || H5Gget_info(layers, &info) < 0)
        return (void)REFUSE("%s has no group /layers", path), NULL;
    if (info.nlinks < 1 || info.nlinks > CX_NN_MAX_LAYERS)
        return (void)REFUSE("%s has %" G_GUINT64_FORMAT
                            " layers, expected 1 to %d",
                            path, (uint64_t)info.nlinks, CX_NN_MAX_LAYERS),
               NULL;
    g_autoptr(CxNetwork) network = cx_network_new((unsigned)info.nlinks);
    if (!read_card(file, network, path, error) ||
        !read_normalise(file, network, path, error) ||
        !read_shape(file, network, path, error) ||
        !read_outputs(file, network, path, error) ||
        !read_segmentation(file, network, path, error) ||
        !read_layers(layers, network, path, error) ||
        !cx_network_finish(network, path, error))
        return NULL;
    return g_steal_pointer(&network);
}

CxNetwork *
cx_weights_read(const char *path, GError **error)
{
    CxNetwork *network = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s is not there, expected a model file", path);
        return NULL;
    }
    cx_hdf5_lock();
    hid_t file = cx_hdf5_open_file(path, error);
    if (file >= 0) {
        network = read_file(file, path, error);
        H5Fclose(file);
    }
    cx_hdf5_unlock();
    return network;
}
