/* Writes a network's calibration into a copy of its model file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/nn/layer.h"
#include "core/nn/weights.h"
#include "core/volume/hdf5_file.h"

#include <glib/gstdio.h>

/* In place of one that is there. */
static bool
put_double(hid_t object, const char *name, double value)
{
    CX_HID space = H5Screate(H5S_SCALAR);

    if (H5Aexists(object, name) > 0)
        H5Adelete(object, name);
    CX_HID attribute = H5Acreate2(object, name, H5T_IEEE_F64LE, space,
                                  H5P_DEFAULT, H5P_DEFAULT);
    return attribute >= 0 &&
           H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value) >= 0;
}

/* In place of one that is there. */
static bool
put_mean(hid_t group, const CxLayer *layer)
{
    hsize_t n = layer->n_out;
    CX_HID space = H5Screate_simple(1, &n, NULL);

    if (layer->mean == NULL)
        return true;
    if (H5Lexists(group, "mean", H5P_DEFAULT) > 0)
        H5Ldelete(group, "mean", H5P_DEFAULT);
    CX_HID dataset = H5Dcreate2(group, "mean", H5T_IEEE_F32LE, space,
                                H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    return dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                                    H5P_DEFAULT, layer->mean) >= 0;
}

static bool
put_calibration(hid_t file, const CxNetwork *network)
{
    bool ok = put_double(file, "input_amax", network->input_amax);

    for (unsigned i = 0; i < network->n_layers && ok; i++) {
        g_autofree char *name = g_strdup_printf("layers/%03u", i);
        CX_HID group = cx_hdf5_open_object(file, name);

        ok = group >= 0 &&
             (network->layers[i].amax == 0.0 ||
              put_double(group, "amax", network->layers[i].amax)) &&
             put_mean(group, &network->layers[i]);
    }
    return ok;
}

static bool
edit(const char *path, const CxNetwork *network)
{
    bool ok = false;

    cx_hdf5_lock();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (file >= 0) {
        ok = put_calibration(file, network);
        ok = H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 && ok;
        ok = H5Fclose(file) >= 0 && ok;
    }
    cx_hdf5_unlock();
    return ok;
}

bool
cx_weights_copy_calibrated(const CxNetwork *network, const char *from,
                           const char *to, GError **error)
{
    g_autofree char *part = g_strconcat(to, ".part", NULL);
    g_autofree char *bytes = NULL;
    gsize n;

    if (!g_file_get_contents(from, &bytes, &n, error))
        return false;
    if (!g_file_set_contents(part, bytes, (gssize)n, error))
        return false;
    if (edit(part, network) && cx_hdf5_install(part, to))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_IO,
                "%s cannot be written: the calibration of %s is lost", to,
                from);
    g_unlink(part);
    return false;
}
