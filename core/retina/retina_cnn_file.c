/* Reads and writes the file of a CxRetinaCnn (HDF5; layout in README.md).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/retina_cnn_private.h"
#include "core/volume/hdf5_file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define FORMAT "connexon-retina"
#define MAX_TEXT 65536

#define REFUSE(...)                                                            \
    (g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, __VA_ARGS__), false)

static const char *const layer_names[CX_RETINA_N_LAYERS] = {"layer1", "layer2",
                                                            "cells"};

/* ---- reading ---------------------------------------------------------- */

/* A data set of this class and these dimensions (0: filled in, 1 … most). */
static hid_t
open_set(hid_t file, const char *path, const char *name, H5T_class_t class,
         unsigned n_dims, hsize_t *dims, hsize_t most, GError **error)
{
    g_autofree char *where = g_strdup_printf("%s:/%s", path, name);
    hid_t set = cx_hdf5_open_object(file, name);
    CX_HID space = set >= 0 && H5Iget_type(set) == H5I_DATASET
                       ? H5Dget_space(set)
                       : H5I_INVALID_HID;
    CX_HID type = space >= 0 ? H5Dget_type(set) : H5I_INVALID_HID;
    hsize_t found[H5S_MAX_RANK];
    bool ok = false;

    if (space < 0)
        (void)REFUSE("%s is missing or no data set", where);
    else if (type < 0 || H5Tget_class(type) != class)
        (void)REFUSE("%s does not hold %s", where,
                     class == H5T_FLOAT ? "floats" : "integers");
    else if (H5Sget_simple_extent_ndims(space) != (int)n_dims ||
             H5Sget_simple_extent_dims(space, found, NULL) != (int)n_dims)
        (void)REFUSE("%s has %d dimensions, expected %u", where,
                     H5Sget_simple_extent_ndims(space), n_dims);
    else
        ok = cx_hdf5_check_storage(set, where, error);
    for (unsigned d = 0; d < n_dims && ok; d++) {
        hsize_t least = dims[d] > 0 ? dims[d] : 1;
        hsize_t limit = dims[d] > 0 ? dims[d] : most;

        if (found[d] < least || found[d] > limit)
            ok = REFUSE("%s has size %" G_GUINT64_FORMAT
                        " in dimension %u, expected %s%" G_GUINT64_FORMAT,
                        where, (uint64_t)found[d], d,
                        least < limit ? "1 to " : "", (uint64_t)limit);
        dims[d] = found[d];
    }
    if (ok)
        return set;
    cx_hid_cleanup(&set);
    return H5I_INVALID_HID;
}

static bool
check_header(hid_t file, const char *path, GError **error)
{
    g_autofree char *format = cx_hdf5_attribute_string(file, "format");
    double version = 0.0;

    if (g_strcmp0(format, FORMAT) != 0)
        return REFUSE("%s is an HDF5 file but not a retina network: its "
                      "attribute format is \"%s\", expected \"%s\"",
                      path, format != NULL ? format : "", FORMAT);
    if (!cx_hdf5_attribute_doubles(file, "version", &version, 1) ||
        version != 1.0)
        return REFUSE("%s is a retina network of version %g, expected version "
                      "1: a newer Connexon may read it",
                      path, version);
    return true;
}

static bool
read_count(hid_t file, const char *path, const char *name, uint32_t *value,
           GError **error)
{
    double found = 0.0;

    if (!cx_hdf5_attribute_doubles(file, name, &found, 1) || !(found >= 1.0) ||
        found > 65536.0 || found != floor(found))
        return REFUSE("%s: attribute %s is missing or not a whole number of 1 "
                      "to 65536",
                      path, name);
    *value = (uint32_t)found;
    return true;
}

/* Sizes of the film from attributes, all else from the kernels. */
static bool
read_shape(hid_t file, const char *path, CxRetinaShape *shape, GError **error)
{
    hsize_t n_in = 0;

    if (!read_count(file, path, "height", &shape->height, error) ||
        !read_count(file, path, "width", &shape->width, error))
        return false;
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        g_autofree char *name = g_strconcat(layer_names[l], "/weight", NULL);
        hsize_t dims[4] = {0, n_in, 0, 0};
        CX_HID set = open_set(file, path, name, H5T_FLOAT, 4, dims,
                              CX_RETINA_MAX_MAPS, error);

        if (set < 0)
            return false;
        if (l == 0)
            shape->history = (uint32_t)dims[1];
        if (l < 2)
            shape->n_channels[l] = (uint32_t)dims[0];
        else
            shape->n_maps = (uint32_t)dims[0];
        shape->kernel_y[l] = (uint32_t)dims[2];
        shape->kernel_x[l] = (uint32_t)dims[3];
        n_in = dims[0];
    }
    return true;
}

static bool
check_values(const CxRetinaTensor *t, const char *path, bool variance,
             GError **error)
{
    for (size_t i = 0; i < t->n; i++)
        if (!isfinite(t->data[i]) || (variance && t->data[i] < 0.0f))
            return REFUSE("%s:/%s holds %g at index %zu, expected finite "
                          "numbers%s",
                          path, t->name, (double)t->data[i], i,
                          variance ? " not below 0" : "");
    return true;
}

static bool
read_tensor(hid_t file, const char *path, const CxRetinaTensor *t,
            bool variance, GError **error)
{
    hsize_t dims[4];

    for (unsigned d = 0; d < t->n_dims; d++)
        dims[d] = t->dims[d];
    CX_HID set =
        open_set(file, path, t->name, H5T_FLOAT, t->n_dims, dims, 0, error);
    if (set < 0)
        return false;
    if (H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data) <
        0)
        return REFUSE("%s:/%s cannot be read", path, t->name);
    return check_values(t, path, variance, error);
}

/* Normalisation may be left out of a layer as a whole, and so may the bias. */
static bool
read_tensors(hid_t file, const char *path, CxRetinaCnn *net, GError **error)
{
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        CX_HID group = cx_hdf5_open_object(file, layer_names[l]);
        bool has_norm = false;

        if (group < 0)
            return REFUSE("%s:/%s is missing", path, layer_names[l]);
        for (unsigned w = CX_RETINA_GAIN; w <= CX_RETINA_VARIANCE; w++)
            has_norm |=
                H5Lexists(
                    group,
                    strchr(net->tensors[l * CX_RETINA_TENSORS_A_LAYER + w].name,
                           '/') +
                        1,
                    H5P_DEFAULT) > 0;
        bool has_bias = H5Lexists(group, "bias", H5P_DEFAULT) > 0;
        for (unsigned w = 0; w < CX_RETINA_TENSORS_A_LAYER; w++)
            if ((w == CX_RETINA_WEIGHT || (w == CX_RETINA_BIAS && has_bias) ||
                 (w >= CX_RETINA_GAIN && has_norm)) &&
                !read_tensor(file, path,
                             &net->tensors[l * CX_RETINA_TENSORS_A_LAYER + w],
                             w == CX_RETINA_VARIANCE, error))
                return false;
    }
    return true;
}

static bool
read_picks(hid_t file, const char *path, CxRetinaCnn *net, GError **error)
{
    hsize_t dims[2] = {0, 3};
    g_autoptr(GError) inner = NULL;

    if (H5Lexists(file, "picks", H5P_DEFAULT) <= 0) {
        g_autofree CxRetinaPick *middles =
            g_new(CxRetinaPick, net->layers[2].n_out);

        for (size_t i = 0; i < net->layers[2].n_out; i++)
            middles[i] =
                (CxRetinaPick){(int32_t)i, (int32_t)(net->layers[2].out_y / 2),
                               (int32_t)(net->layers[2].out_x / 2)};
        return cx_retina_cnn_set_picks(net, middles, net->layers[2].n_out,
                                       error);
    }
    CX_HID set = open_set(file, path, "picks", H5T_INTEGER, 2, dims,
                          CX_RETINA_MAX_PICKS, error);
    if (set < 0)
        return false;
    g_autofree CxRetinaPick *picks = g_new(CxRetinaPick, dims[0]);
    if (H5Dread(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, picks) <
        0)
        return REFUSE("%s:/picks cannot be read", path);
    if (!cx_retina_cnn_set_picks(net, picks, dims[0], &inner))
        return REFUSE("%s:/picks: %s", path, inner->message);
    return true;
}

static bool
read_card(hid_t file, const char *path, CxRetinaCnn *net, GError **error)
{
    double norm[2] = {0.0, 1.0};

    for (unsigned i = 0; i < CX_RETINA_N_TEXTS; i++) {
        g_autofree char *text =
            cx_hdf5_attribute_string(file, cx_retina_text_names[i]);

        if (text == NULL)
            continue;
        if (strlen(text) > MAX_TEXT || !g_utf8_validate(text, -1, NULL))
            return REFUSE("%s: attribute %s is not UTF-8 text of at most %d "
                          "bytes",
                          path, cx_retina_text_names[i], MAX_TEXT);
        cx_retina_cnn_set_text(net, cx_retina_text_names[i], text);
    }
    (void)cx_hdf5_attribute_doubles(file, "normalisation", norm, 2);
    if (!isfinite(norm[0]) || !isfinite(norm[1]) || norm[1] <= 0.0)
        return REFUSE("%s: attribute normalisation is %g, %g, expected a mean "
                      "and a positive standard deviation",
                      path, norm[0], norm[1]);
    cx_retina_cnn_set_normalisation(net, norm[0], norm[1]);
    return true;
}

static CxRetinaCnn *
read_file(hid_t file, const char *path, GError **error)
{
    CxRetinaShape shape = {0};

    if (!check_header(file, path, error) ||
        !read_shape(file, path, &shape, error))
        return NULL;
    g_autoptr(CxRetinaCnn) net =
        cx_retina_cnn_alloc(&shape, path, CX_ERROR_FORMAT, error);
    if (net == NULL || !read_card(file, path, net, error) ||
        !read_tensors(file, path, net, error) ||
        !read_picks(file, path, net, error))
        return NULL;
    return g_steal_pointer(&net);
}

CxRetinaCnn *
cx_retina_cnn_load(const char *path, GError **error)
{
    CxRetinaCnn *net = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s is not there, expected the file of a retina network",
                    path);
        return NULL;
    }
    cx_hdf5_lock();
    hid_t file = cx_hdf5_open_file(path, error);
    if (file >= 0) {
        net = read_file(file, path, error);
        H5Fclose(file);
    }
    cx_hdf5_unlock();
    if (net != NULL)
        cx_retina_cnn_refresh(net);
    return net;
}

/* ---- writing ---------------------------------------------------------- */

static bool
put_attribute(hid_t file, const char *name, hid_t stored, hid_t memory,
              hsize_t n, const void *values)
{
    CX_HID space =
        n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
    CX_HID attribute =
        H5Acreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);

    return attribute >= 0 && H5Awrite(attribute, memory, values) >= 0;
}

static bool
put_text(hid_t file, const char *name, const char *text)
{
    CX_HID type = H5Tcopy(H5T_C_S1);

    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return put_attribute(file, name, type, type, 1, text);
}

static bool
put_set(hid_t file, const char *name, hid_t stored, hid_t memory,
        unsigned n_dims, const hsize_t *dims, const void *values)
{
    CX_HID space = H5Screate_simple((int)n_dims, dims, NULL);
    CX_HID set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT,
                            H5P_DEFAULT);

    return set >= 0 &&
           H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
}

static bool
put_layers(hid_t file, const CxRetinaCnn *net)
{
    bool ok = true;

    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        CX_HID group = H5Gcreate2(file, layer_names[l], H5P_DEFAULT,
                                  H5P_DEFAULT, H5P_DEFAULT);

        ok = ok && group >= 0;
    }
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS && ok; i++) {
        const CxRetinaTensor *t = &net->tensors[i];
        hsize_t dims[4];

        for (unsigned d = 0; d < t->n_dims; d++)
            dims[d] = t->dims[d];
        ok = put_set(file, t->name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, t->n_dims,
                     dims, t->data);
    }
    return ok;
}

static bool
put_all(hid_t file, const CxRetinaCnn *net)
{
    int32_t version = 1, height = (int32_t)net->shape.height;
    int32_t width = (int32_t)net->shape.width;
    double norm[2] = {net->mean, net->sd};
    hsize_t picks[2] = {net->n_picks, 3};
    bool ok = put_text(file, "format", FORMAT) &&
              put_attribute(file, "version", H5T_STD_I32LE, H5T_NATIVE_INT32, 1,
                            &version) &&
              put_attribute(file, "height", H5T_STD_I32LE, H5T_NATIVE_INT32, 1,
                            &height) &&
              put_attribute(file, "width", H5T_STD_I32LE, H5T_NATIVE_INT32, 1,
                            &width) &&
              put_attribute(file, "normalisation", H5T_IEEE_F64LE,
                            H5T_NATIVE_DOUBLE, 2, norm);

    for (unsigned i = 0; i < CX_RETINA_N_TEXTS && ok; i++)
        ok = put_text(file, cx_retina_text_names[i], net->texts[i]);
    return ok && put_layers(file, net) &&
           put_set(file, "picks", H5T_STD_I32LE, H5T_NATIVE_INT32, 2, picks,
                   net->picks);
}

/* *errnum: what the system said, or 0. */
static bool
write_file(const CxRetinaCnn *net, const char *path, int *errnum)
{
    bool ok = false;

    cx_hdf5_lock();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file >= 0) {
        ok = put_all(file, net);
        ok = H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 && ok;
        ok = H5Fclose(file) >= 0 && ok;
    }
    *errnum = ok ? 0 : cx_hdf5_errno();
    cx_hdf5_unlock();
    return ok;
}

bool
cx_retina_cnn_save(const CxRetinaCnn *net, const char *path, GError **error)
{
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    int errnum = 0;

    if (write_file(net, part, &errnum) && cx_hdf5_install(part, path))
        return true;
    cx_error_set_errno(error, errnum != 0 ? errnum : EIO, "cannot write %s",
                       path);
    g_unlink(part);
    return false;
}
