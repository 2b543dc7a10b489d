/* Writes pruned networks: weights set to 0, or channels taken away.
 *
 * Both begin with the bytes or the groups of the file the network came from.
 * What 8 bits need to know was measured on another network and is left out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/flow_network_file.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/hdf5_file.h"

#include <glib/gstdio.h>

static bool
remove_attribute(hid_t object, const char *name)
{
    return H5Aexists(object, name) <= 0 || H5Adelete(object, name) >= 0;
}

static bool
remove_link(hid_t group, const char *name)
{
    return H5Lexists(group, name, H5P_DEFAULT) <= 0 ||
           H5Ldelete(group, name, H5P_DEFAULT) >= 0;
}

static bool
put_floats(hid_t group, const char *name, int rank, const hsize_t *sizes,
           const float *values)
{
    CX_HID space = H5Screate_simple(rank, sizes, NULL);
    CX_HID dataset = H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT,
                                H5P_DEFAULT, H5P_DEFAULT);

    return dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                                    H5P_DEFAULT, values) >= 0;
}

static bool
put_layer(hid_t group, const CxLayer *layer)
{
    bool up = layer->op == CX_OP_UPCONV;
    const hsize_t sizes[5] = {
        up ? layer->n_in : layer->n_out, up ? layer->n_out : layer->n_in,
        (hsize_t)layer->extent[0], (hsize_t)layer->extent[1],
        (hsize_t)layer->extent[2]};
    const hsize_t n_out = layer->n_out;

    if (!remove_attribute(group, "amax") || !remove_link(group, "mean"))
        return false;
    if (layer->weight == NULL)
        return true;
    return remove_link(group, "weight") && remove_link(group, "bias") &&
           put_floats(group, "weight", 5, sizes, layer->weight) &&
           put_floats(group, "bias", 1, &n_out, layer->bias);
}

static herr_t
copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *data)
{
    hid_t to = *(hid_t *)data;
    CX_HID attribute = H5Aopen(from, name, H5P_DEFAULT);
    CX_HID type = H5Aget_type(attribute);
    CX_HID space = H5Aget_space(attribute);
    CX_HID copy = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    bool variable = H5Tis_variable_str(type) > 0;
    CX_AUTOFREE void *value =
        cx_try_alloc0((size_t)MAX(n, 1), H5Tget_size(type), NULL);
    bool ok = value != NULL && copy >= 0 &&
              H5Aread(attribute, type, value) >= 0 &&
              H5Awrite(copy, type, value) >= 0;

    if (ok && variable)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
    return ok ? 0 : -1;
}

static bool
copy_file(hid_t from, hid_t to, const CxNetwork *network)
{
    hsize_t at = 0;
    CX_HID root = H5Gopen2(from, "/", H5P_DEFAULT);
    CX_HID new_root = H5Gopen2(to, "/", H5P_DEFAULT);
    bool ok = H5Aiterate2(root, H5_INDEX_NAME, H5_ITER_INC, &at, copy_attribute,
                          &new_root) >= 0 &&
              remove_attribute(new_root, "input_amax") &&
              H5Ocopy(from, "segmentation", to, "segmentation", H5P_DEFAULT,
                      H5P_DEFAULT) >= 0;
    CX_HID layers =
        H5Gcreate2(to, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    for (unsigned i = 0; ok && i < network->n_layers; i++) {
        g_autofree char *name = g_strdup_printf("layers/%03u", i);
        CX_HID old = cx_hdf5_open_object(from, name);
        CX_HID group =
            H5Gcreate2(to, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

        at = 0;
        ok = old >= 0 && group >= 0 &&
             H5Aiterate2(old, H5_INDEX_NAME, H5_ITER_INC, &at, copy_attribute,
                         &group) >= 0 &&
             put_layer(group, &network->layers[i]);
    }
    return ok && layers >= 0;
}

static bool
write_part(const CxNetwork *network, const char *from, const char *part)
{
    bool ok = false;

    cx_hdf5_lock();
    hid_t source = cx_hdf5_open_file(from, NULL);
    hid_t target =
        source >= 0 ? H5Fcreate(part, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)
                    : H5I_INVALID_HID;
    if (target >= 0) {
        ok = copy_file(source, target, network);
        ok = H5Fflush(target, H5F_SCOPE_GLOBAL) >= 0 && ok;
        ok = H5Fclose(target) >= 0 && ok;
    }
    if (source >= 0)
        H5Fclose(source);
    cx_hdf5_unlock();
    return ok;
}

bool
cx_flow_write_network(const CxNetwork *network, const char *from,
                      const char *to, GError **error)
{
    g_autofree char *part = g_strconcat(to, ".part", NULL);

    if (write_part(network, from, part) && cx_hdf5_install(part, to))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_IO,
                "%s cannot be written from %s: the pruned network is lost", to,
                from);
    g_unlink(part);
    return false;
}

/* Index of the layer that a node with weights was made from. */
static unsigned
next_layer(const CxNetwork *network, unsigned index)
{
    while (network->layers[index].weight == NULL)
        index++;
    return index;
}

bool
cx_flow_write_masked(const CxFlowNet *net, const char *from, const char *to,
                     GError **error)
{
    g_autoptr(CxNetwork) network = cx_network_load(from, error);
    unsigned layer = 0;

    if (network == NULL)
        return false;
    for (unsigned i = 0; i < net->n_nodes; i++) {
        const CxFlowNode *node = &net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        layer = next_layer(network, layer);
        for (size_t k = 0; k < node->n_weights; k++)
            if (!node->mask[k])
                network->layers[layer].weight[k] = 0.0f;
        layer++;
    }
    return cx_flow_write_network(network, from, to, error);
}
