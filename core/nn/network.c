/* A network as data.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/layer.h"
#include "core/nn/program.h"
#include "core/nn/weights.h"

#include <string.h>

/* Up to here the sides of a voxel count as equal. */
#define SAME_VOXEL_RATIO 1.25

static void
free_parameter(void *data)
{
    CxNetworkParameter *parameter = data;

    g_free(parameter->name);
    g_free(parameter->text);
    g_free(parameter);
}

CxNetwork *
cx_network_new(unsigned n_layers)
{
    CxNetwork *network = g_new0(CxNetwork, 1);

    g_atomic_ref_count_init(&network->refs);
    network->n_layers = n_layers;
    network->layers = g_new0(CxLayer, n_layers);
    network->parameters = g_ptr_array_new_with_free_func(free_parameter);
    network->voxel_nm = (CxNm){1.0, 1.0, 1.0};
    network->dims = 2;
    network->input_sections = 1;
    network->norm_std = 1.0;
    network->views = 1;
    return network;
}

static char **
search_dirs(void)
{
    g_autoptr(GPtrArray) dirs = g_ptr_array_new();
    const char *own = g_getenv("CONNEXON_MODELS");

    if (own != NULL && own[0] != '\0')
        g_ptr_array_add(dirs, g_strdup(own));
    g_ptr_array_add(dirs, g_strdup(CX_SOURCE_DATA_DIR "/models"));
    g_ptr_array_add(dirs, g_strdup(CX_DATA_DIR "/models"));
    g_ptr_array_add(dirs, NULL);
    return (char **)g_ptr_array_steal(dirs, NULL);
}

static char *
find_shipped(const char *name, GError **error)
{
    g_auto(GStrv) dirs = search_dirs();
    g_autofree char *file = g_strconcat(name, ".h5", NULL);

    for (unsigned i = 0; dirs[i] != NULL && strchr(name, '/') == NULL; i++) {
        g_autofree char *path = g_build_filename(dirs[i], file, NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&path);
    }
    g_autofree char *joined = g_strjoinv(", ", dirs);
    g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                "no model named \"%s\": expected a file ending in .h5, or "
                "%s in one of %s",
                name, file, joined);
    return NULL;
}

char *
cx_network_find(const char *spec, GError **error)
{
    return g_str_has_suffix(spec, ".h5") ? g_strdup(spec)
                                         : find_shipped(spec, error);
}

CxNetwork *
cx_network_load(const char *spec, GError **error)
{
    g_autofree char *path = cx_network_find(spec, error);

    return path != NULL ? cx_weights_read(path, error) : NULL;
}

CxNetwork *
cx_network_ref(CxNetwork *network)
{
    g_atomic_ref_count_inc(&network->refs);
    return network;
}

void
cx_network_unref(CxNetwork *network)
{
    if (network == NULL || !g_atomic_ref_count_dec(&network->refs))
        return;
    for (unsigned i = 0; i < network->n_layers; i++) {
        cx_free(network->layers[i].weight);
        cx_free(network->layers[i].bias);
        cx_free(network->layers[i].mean);
    }
    g_free(network->layers);
    g_free(network->name);
    g_free(network->description);
    g_free(network->data);
    g_free(network->licence);
    g_free(network->scores);
    g_ptr_array_unref(network->parameters);
    g_free(network);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
cx_network_shipped(void)
{
    g_auto(GStrv) dirs = search_dirs();
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (unsigned i = 0; dirs[i] != NULL; i++) {
        g_autoptr(GDir) dir = g_dir_open(dirs[i], 0, NULL);
        const char *file;

        while (dir != NULL && (file = g_dir_read_name(dir)) != NULL)
            if (g_str_has_suffix(file, ".h5") &&
                !g_str_has_prefix(file, "retina-"))
                g_hash_table_add(seen, g_strndup(file, strlen(file) - 3));
    }
    unsigned n;
    char **names = (char **)g_hash_table_get_keys_as_array(seen, &n);
    g_hash_table_steal_all(seen);
    qsort(names, n, sizeof *names, compare_names);
    return names;
}

const char *
cx_network_name(const CxNetwork *network)
{
    return network->name != NULL ? network->name : "";
}

const char *
cx_network_card(const CxNetwork *network, const char *field)
{
    const struct {
        const char *name, *text;
    } card[] = {
        {"description", network->description},
        {"data", network->data},
        {"licence", network->licence},
        {"scores", network->scores},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(card); i++)
        if (g_str_equal(card[i].name, field) && card[i].text != NULL)
            return card[i].text;
    return "";
}

CxNm
cx_network_voxel_nm(const CxNetwork *network)
{
    return network->voxel_nm;
}

unsigned
cx_network_n_outputs(const CxNetwork *network)
{
    return network->n_outputs;
}

CxOutput
cx_network_output(const CxNetwork *network, unsigned channel)
{
    g_assert(channel < network->n_outputs);
    return network->outputs[channel];
}

unsigned
cx_network_n_inputs(const CxNetwork *network)
{
    return (unsigned)network->input_sections + (network->grows ? 1 : 0);
}

bool
cx_network_grows(const CxNetwork *network)
{
    return network->grows;
}

CxVoxel
cx_network_halo(const CxNetwork *network)
{
    return network->halo;
}

unsigned
cx_network_dims(const CxNetwork *network)
{
    return (unsigned)network->dims;
}

bool
cx_network_can_cut(const CxNetwork *network, unsigned axis)
{
    CxNm nm = network->voxel_nm;
    double least = MIN(nm.x, MIN(nm.y, nm.z));

    if (network->dims == 3 || axis == 2)
        return true;
    if (network->per_section ||
        MAX(nm.x, MAX(nm.y, nm.z)) > SAME_VOXEL_RATIO * least)
        return false;
    for (unsigned c = 0; c < network->n_outputs; c++)
        if (cx_network_turned_channel(network, 2 - axis, c) < 0)
            return false;
    return true;
}

double
cx_layer_flop(const CxLayer *layer)
{
    double per_voxel = 2.0 * layer->n_in * layer->n_out;

    if (layer->op == CX_OP_CONV)
        per_voxel *=
            (double)layer->extent[0] * layer->extent[1] * layer->extent[2];
    else if (layer->op != CX_OP_UPCONV)
        return 0.0;
    return per_voxel /
           ((double)layer->scale[0] * layer->scale[1] * layer->scale[2]);
}

double
cx_network_flop_per_voxel(const CxNetwork *network)
{
    double flop = 0.0;

    for (unsigned i = 0; i < network->n_layers; i++)
        flop += cx_layer_flop(&network->layers[i]);
    return flop * network->views;
}

static const CxNetworkParameter *
find_parameter(const CxNetwork *network, const char *name)
{
    for (unsigned i = 0; i < network->parameters->len; i++) {
        const CxNetworkParameter *parameter =
            g_ptr_array_index(network->parameters, i);

        if (g_str_equal(parameter->name, name))
            return parameter;
    }
    return NULL;
}

const char *
cx_network_method(const CxNetwork *network)
{
    const CxNetworkParameter *method = find_parameter(network, "method");

    return method != NULL && method->text != NULL ? method->text : "volume";
}

double
cx_network_parameter(const CxNetwork *network, const char *name,
                     double otherwise)
{
    const CxNetworkParameter *parameter = find_parameter(network, name);

    return parameter != NULL && parameter->text == NULL ? parameter->number
                                                        : otherwise;
}
