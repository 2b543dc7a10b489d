/* Random networks, model files, and the slowest obvious way to run them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/support/model.h"

#include "core/base/alloc.h"

#include <hdf5.h>
#include <math.h>
#include <string.h>

#define MAX_LAYERS 64

/* ---- random networks ---- */

typedef struct {
    CxNetwork *network;
    CxRng *rng;
    unsigned n;
} Builder;

static unsigned
below(Builder *builder, unsigned n)
{
    return (unsigned)cx_rng_below(builder->rng, n);
}

static float *
draw(Builder *builder, size_t n, double scale)
{
    float *values = cx_try_alloc(n, sizeof *values, NULL);

    for (size_t i = 0; i < n; i++)
        values[i] = (float)(scale * cx_rng_normal(builder->rng));
    return values;
}

static int32_t
add(Builder *builder, CxLayer layer)
{
    CxNetwork *network = builder->network;
    CxLayer *to = &network->layers[builder->n];
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(builder->n, <, MAX_LAYERS);
    *to = layer;
    g_assert_true(cx_layer_check(network, builder->n, "random", &error));
    if (to->op == CX_OP_CONV || to->op == CX_OP_UPCONV) {
        size_t taps = (size_t)(to->extent[0] * to->extent[1] * to->extent[2]);
        double fan_in = to->op == CX_OP_CONV ? (double)taps : 1.0;

        to->weight = draw(builder, (size_t)to->n_in * to->n_out * taps,
                          sqrt(2.0 / (to->n_in * fan_in)));
        to->bias = draw(builder, to->n_out, 0.3);
    }
    return (int32_t)builder->n++;
}

static int32_t
add_conv(Builder *builder, int32_t from, unsigned n_out)
{
    bool flat = builder->network->dims == 2;
    CxLayer layer = {.op = CX_OP_CONV,
                     .n_inputs = 1,
                     .inputs = {from},
                     .n_out = n_out,
                     .relu = below(builder, 3) > 0};

    for (unsigned a = 0; a < 3; a++)
        layer.extent[a] = (a == 0 && flat) || below(builder, 4) == 0 ? 1 : 3;
    return add(builder, layer);
}

static int32_t
add_join(Builder *builder, CxLayerOp op, int32_t a, int32_t b)
{
    return add(builder, (CxLayer){.op = op,
                                  .n_inputs = op == CX_OP_SIGMOID ? 1 : 2,
                                  .inputs = {a, b},
                                  .extent = {1, 1, 1}});
}

static unsigned
some_channels(Builder *builder)
{
    bool flat = builder->network->dims == 2;

    return below(builder, 6) == 0 && flat ? 33
                                          : 1 + below(builder, flat ? 20 : 10);
}

static int32_t
add_up(Builder *builder, int32_t from, const int32_t factor[3])
{
    bool learned = below(builder, 2) == 0;
    CxLayer layer = {.op = learned ? CX_OP_UPCONV : CX_OP_UPSAMPLE,
                     .n_inputs = 1,
                     .inputs = {from},
                     .n_out = learned ? some_channels(builder) : 1};

    memcpy(layer.extent, factor, sizeof layer.extent);
    return add(builder, layer);
}

/* Conv, maybe down and up again around a smaller copy of itself, conv. */
static int32_t
add_level(Builder *builder, int32_t at, unsigned depth)
{
    at = add_conv(builder, at, some_channels(builder));
    if (depth > 0) {
        int32_t skip = at;
        CxLayer pool = {.op = CX_OP_MAXPOOL, .n_inputs = 1, .inputs = {at}};

        for (unsigned a = 0; a < 3; a++)
            pool.extent[a] = a == 0 && builder->network->dims == 2
                                 ? 1
                                 : (int32_t)(below(builder, 8) + 4) / 4;
        pool.extent[2] = below(builder, 4) == 0 ? pool.extent[2] : 2;
        at = add_level(builder, add(builder, pool), depth - 1);
        at = add_up(builder, at, pool.extent);
        if (below(builder, 5) == 0)
            at = add_join(builder, CX_OP_SIGMOID, at, 0);
        unsigned n = builder->network->layers[at].n_out;
        if (below(builder, 4) == 0)
            at = add_join(builder, CX_OP_ADD, at, add_conv(builder, skip, n));
        else if (below(builder, 2) == 0)
            at = add_join(builder, CX_OP_CONCAT, at, skip);
        else
            at = add_join(builder, CX_OP_CONCAT, skip, at);
    }
    return add_conv(builder, at, some_channels(builder));
}

/* A cycle of affinities, so that the outputs survive turned axes, and a
 * boundary. */
static void
set_outputs(CxNetwork *network)
{
    network->n_outputs = 4;
    network->outputs[0] = (CxOutput){CX_OUTPUT_AFFINITY, {1, 0, 0}};
    network->outputs[1] = (CxOutput){CX_OUTPUT_AFFINITY, {0, 0, 1}};
    network->outputs[2] = (CxOutput){CX_OUTPUT_BOUNDARY, {0, 0, 0}};
    network->outputs[3] = (CxOutput){CX_OUTPUT_AFFINITY, {0, 1, 0}};
}

CxNetwork *
cx_test_random_network(CxRng *rng, int32_t dims)
{
    CxNetwork *network = cx_network_new(MAX_LAYERS);
    Builder builder = {network, rng, 0};
    g_autoptr(GError) error = NULL;

    network->name = g_strdup("random");
    network->description = g_strdup("a random network");
    network->data = g_strdup("none");
    network->licence = g_strdup("Apache-2.0");
    network->scores = g_strdup("");
    network->voxel_nm = (CxNm){4.0, 4.0, 40.0};
    network->dims = dims;
    network->input_sections =
        dims == 2 ? (int32_t)(1 + 2 * cx_rng_below(rng, 3)) : 1;
    network->norm_mean = 120.0;
    network->norm_std = 40.0;
    set_outputs(network);

    int32_t at = add_level(&builder, -1, below(&builder, dims == 2 ? 4 : 2));
    at = add_conv(&builder, at, network->n_outputs);
    add_join(&builder, CX_OP_SIGMOID, at, 0);
    network->n_layers = builder.n;
    g_assert_true(cx_network_finish(network, "random", &error));
    return network;
}

static void
set_parameter(CxNetwork *network, const char *name, double number)
{
    CxNetworkParameter *parameter = g_new0(CxNetworkParameter, 1);

    parameter->name = g_strdup(name);
    parameter->number = number;
    g_ptr_array_add(network->parameters, parameter);
}

static int32_t
add_rectified(Builder *builder, int32_t from)
{
    return add(builder, (CxLayer){.op = CX_OP_ADD,
                                  .n_inputs = 1,
                                  .inputs = {from},
                                  .extent = {1, 1, 1},
                                  .relu = true});
}

CxNetwork *
cx_test_random_grower(CxRng *rng)
{
    CxNetwork *network = cx_network_new(MAX_LAYERS);
    Builder builder = {network, rng, 0};
    unsigned n = 1 + below(&builder, 40);
    g_autoptr(GError) error = NULL;

    network->name = g_strdup("grower");
    network->description = g_strdup("grows at random");
    network->data = g_strdup("none");
    network->licence = g_strdup("Apache-2.0");
    network->scores = g_strdup("");
    network->dims = 3;
    network->grows = true;
    network->norm_mean = 128.0;
    network->norm_std = 33.0;
    network->n_outputs = 1;
    network->outputs[0] = (CxOutput){CX_OUTPUT_OBJECT, {0, 0, 0}};
    set_parameter(network, "fov_x", 9.0);
    set_parameter(network, "fov_y", 9.0);
    set_parameter(network, "fov_z", 7.0);
    set_parameter(network, "delta_x", 2.0);
    set_parameter(network, "delta_y", 2.0);
    set_parameter(network, "delta_z", 1.0);

    int32_t at = add_conv(&builder, add_conv(&builder, -1, n), n);
    int32_t inner = add_conv(&builder, add_rectified(&builder, at), n);
    at = add_join(&builder, CX_OP_ADD, at, add_conv(&builder, inner, n));
    add_conv(&builder, add_rectified(&builder, at), 1);
    network->layers[builder.n - 1].relu = false;
    network->n_layers = builder.n;
    g_assert_true(cx_network_finish(network, "grower", &error));
    return network;
}

CxNetwork *
cx_test_bright_grower(void)
{
    static const char *const names[] = {"fov_x",   "fov_y",   "fov_z",
                                        "delta_x", "delta_y", "delta_z"};
    CxNetwork *network = cx_network_new(1);
    CxLayer *layer = &network->layers[0];
    g_autoptr(GError) error = NULL;

    network->name = g_strdup("bright");
    network->description = g_strdup("grows over what is bright");
    network->data = g_strdup("none");
    network->licence = g_strdup("CC0");
    network->scores = g_strdup("");
    network->voxel_nm = (CxNm){8.0, 8.0, 8.0};
    network->dims = 3;
    network->grows = true;
    network->norm_mean = 128.0;
    network->norm_std = 33.0;
    network->n_outputs = 1;
    network->outputs[0] = (CxOutput){CX_OUTPUT_OBJECT, {0, 0, 0}};
    *layer = (CxLayer){.op = CX_OP_CONV,
                       .n_inputs = 1,
                       .inputs = {-1},
                       .extent = {1, 1, 1},
                       .n_out = 1};
    g_assert_true(cx_layer_check(network, 0, "bright", &error));
    layer->weight = cx_try_alloc0(2, sizeof *layer->weight, NULL);
    layer->bias = cx_try_alloc0(1, sizeof *layer->bias, NULL);
    layer->weight[0] = 4.0f;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        set_parameter(network, names[i], i < 3 ? 9.0 : 3.0);
    g_assert_true(cx_network_finish(network, "bright", &error));
    return network;
}

/* ---- model files ---- */

static void
put_text(hid_t object, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    hid_t space = H5Screate(H5S_SCALAR);

    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    hid_t attribute =
        H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    g_assert_cmpint(H5Awrite(attribute, type, &text), >=, 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static void
put_numbers(hid_t object, const char *name, hid_t type, const void *values,
            int n_dims, const hsize_t *dims)
{
    hid_t space = n_dims == 0 ? H5Screate(H5S_SCALAR)
                              : H5Screate_simple(n_dims, dims, NULL);
    hid_t attribute =
        H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);

    g_assert_cmpint(H5Awrite(attribute, type, values), >=, 0);
    H5Aclose(attribute);
    H5Sclose(space);
}

static void
put_int(hid_t object, const char *name, int32_t value)
{
    put_numbers(object, name, H5T_NATIVE_INT32, &value, 0, NULL);
}

static void
put_double(hid_t object, const char *name, double value)
{
    put_numbers(object, name, H5T_NATIVE_DOUBLE, &value, 0, NULL);
}

static void
put_floats(hid_t group, const char *name, const float *values, int n_dims,
           const hsize_t *dims)
{
    hid_t space = H5Screate_simple(n_dims, dims, NULL);
    hid_t dataset = H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT);

    g_assert_cmpint(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                             H5P_DEFAULT, values),
                    >=, 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

static void
put_layer(hid_t layers, unsigned index, const CxLayer *layer)
{
    static const char *const ops[] = {"conv",   "maxpool", "upsample", "upconv",
                                      "concat", "add",     "sigmoid"};
    g_autofree char *name = g_strdup_printf("%03u", index);
    hid_t group =
        H5Gcreate2(layers, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t n_inputs = layer->n_inputs, three = 3, n_bias = layer->n_out;
    hsize_t dims[5] = {layer->n_out, layer->n_in};

    put_text(group, "op", ops[layer->op]);
    put_numbers(group, "inputs", H5T_NATIVE_INT32, layer->inputs, 1, &n_inputs);
    if (layer->op == CX_OP_CONV || (layer->op == CX_OP_ADD && layer->relu))
        put_int(group, "relu", layer->relu);
    if (layer->op <= CX_OP_UPCONV)
        put_numbers(group, layer->op == CX_OP_CONV ? "kernel" : "factor",
                    H5T_NATIVE_INT32, layer->extent, 1, &three);
    if (layer->op == CX_OP_UPCONV)
        dims[0] = layer->n_in, dims[1] = layer->n_out;
    for (unsigned a = 0; a < 3; a++)
        dims[2 + a] = (hsize_t)layer->extent[a];
    if (layer->weight != NULL) {
        put_floats(group, "weight", layer->weight, 5, dims);
        put_floats(group, "bias", layer->bias, 1, &n_bias);
    }
    H5Gclose(group);
}

static void
put_card(hid_t file, const CxNetwork *network)
{
    double nm[3] = {network->voxel_nm.x, network->voxel_nm.y,
                    network->voxel_nm.z};
    int32_t outputs[CX_NN_MAX_OUTPUTS][4];
    hsize_t three = 3, rows[2] = {network->n_outputs, 4};

    put_text(file, "format", "connexon-model");
    put_int(file, "version", 1);
    put_text(file, "name", network->name);
    put_text(file, "description", network->description);
    put_text(file, "data", network->data);
    put_text(file, "licence", network->licence);
    put_text(file, "scores", network->scores);
    put_numbers(file, "voxel_nm", H5T_NATIVE_DOUBLE, nm, 1, &three);
    put_int(file, "dims", network->dims);
    put_int(file, "input_sections", network->input_sections);
    put_text(file, "normalise", network->per_section ? "section" : "fixed");
    put_double(file, "norm_mean", network->norm_mean);
    put_double(file, "norm_std", network->norm_std);
    put_int(file, "views", network->views);
    for (unsigned i = 0; i < network->n_outputs; i++) {
        CxOutput output = network->outputs[i];

        outputs[i][0] = (int32_t)output.kind;
        outputs[i][1] = (int32_t)output.offset.x;
        outputs[i][2] = (int32_t)output.offset.y;
        outputs[i][3] = (int32_t)output.offset.z;
    }
    put_numbers(file, "outputs", H5T_NATIVE_INT32, outputs, 2, rows);
}

void
cx_test_save_network(const CxNetwork *network, const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

    g_assert_cmpint(file, >=, 0);
    put_card(file, network);
    hid_t segmentation =
        H5Gcreate2(file, "segmentation", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_text(segmentation, "method", network->grows ? "flood" : "sections");
    put_double(segmentation, "threshold", 0.25);
    for (unsigned i = 0; i < network->parameters->len; i++) {
        const CxNetworkParameter *parameter =
            g_ptr_array_index(network->parameters, i);

        put_double(segmentation, parameter->name, parameter->number);
    }
    H5Gclose(segmentation);
    hid_t layers =
        H5Gcreate2(file, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (unsigned i = 0; i < network->n_layers; i++)
        put_layer(layers, i, &network->layers[i]);
    H5Gclose(layers);
    H5Fclose(file);
}

/* ---- naive inference ---- */

/* Axes z, y, x throughout. */
typedef struct {
    size_t n_channels, size[3];
    double *data; /* [channel][z][y][x] */
} Tensor;

static Tensor
tensor_new(size_t n_channels, const size_t size[3])
{
    Tensor tensor = {.n_channels = n_channels};

    memcpy(tensor.size, size, sizeof tensor.size);
    tensor.data = g_new0(double, n_channels *size[0] * size[1] * size[2]);
    return tensor;
}

/* Zero outside. */
static double
at(const Tensor *tensor, size_t c, int64_t z, int64_t y, int64_t x)
{
    if (z < 0 || y < 0 || x < 0 || z >= (int64_t)tensor->size[0] ||
        y >= (int64_t)tensor->size[1] || x >= (int64_t)tensor->size[2])
        return 0.0;
    return tensor->data[((c * tensor->size[0] + (size_t)z) * tensor->size[1] +
                         (size_t)y) *
                            tensor->size[2] +
                        (size_t)x];
}

static double
conv_at(const CxLayer *layer, const Tensor *in, size_t o, int64_t z, int64_t y,
        int64_t x)
{
    const float *w = layer->weight;
    const int32_t *k = layer->extent;
    double sum = (double)layer->bias[o];

    w += o * layer->n_in * (size_t)(k[0] * k[1] * k[2]);
    for (size_t c = 0; c < layer->n_in; c++)
        for (int32_t dz = 0; dz < k[0]; dz++)
            for (int32_t dy = 0; dy < k[1]; dy++)
                for (int32_t dx = 0; dx < k[2]; dx++)
                    sum +=
                        (double)*w++ * at(in, c, z + dz - k[0] / 2,
                                          y + dy - k[1] / 2, x + dx - k[2] / 2);
    return layer->relu ? fmax(sum, 0.0) : sum;
}

static double
upconv_at(const CxLayer *layer, const Tensor *in, size_t o, int64_t z,
          int64_t y, int64_t x)
{
    const int32_t *f = layer->extent;
    double sum = (double)layer->bias[o];

    for (size_t c = 0; c < layer->n_in; c++)
        sum += at(in, c, z / f[0], y / f[1], x / f[2]) *
               (double)layer->weight[(((c * layer->n_out + o) * (size_t)f[0] +
                                       (size_t)(z % f[0])) *
                                          (size_t)f[1] +
                                      (size_t)(y % f[1])) *
                                         (size_t)f[2] +
                                     (size_t)(x % f[2])];
    return sum;
}

static double
pool_at(const CxLayer *layer, const Tensor *in, size_t o, int64_t z, int64_t y,
        int64_t x)
{
    const int32_t *f = layer->extent;
    double best = -INFINITY;

    for (int32_t dz = 0; dz < f[0]; dz++)
        for (int32_t dy = 0; dy < f[1]; dy++)
            for (int32_t dx = 0; dx < f[2]; dx++)
                best = fmax(best, at(in, o, z * f[0] + dz, y * f[1] + dy,
                                     x * f[2] + dx));
    return best;
}

static double
joined_at(const CxLayer *layer, const Tensor *const *in, size_t o, int64_t z,
          int64_t y, int64_t x)
{
    double sum = 0.0;

    for (unsigned i = 0; i < layer->n_inputs; i++) {
        if (layer->op == CX_OP_ADD)
            sum += at(in[i], o, z, y, x);
        else if (o < in[i]->n_channels)
            return at(in[i], o, z, y, x);
        else
            o -= in[i]->n_channels;
    }
    return layer->relu ? fmax(sum, 0.0) : sum;
}

static double
value_at(const CxLayer *layer, const Tensor *const *in, size_t o, int64_t z,
         int64_t y, int64_t x)
{
    const int32_t *f = layer->extent;

    switch (layer->op) {
    case CX_OP_CONV:
        return conv_at(layer, in[0], o, z, y, x);
    case CX_OP_UPCONV:
        return upconv_at(layer, in[0], o, z, y, x);
    case CX_OP_MAXPOOL:
        return pool_at(layer, in[0], o, z, y, x);
    case CX_OP_UPSAMPLE:
        return at(in[0], o, z / f[0], y / f[1], x / f[2]);
    case CX_OP_SIGMOID:
        return 1.0 / (1.0 + exp(-at(in[0], o, z, y, x)));
    case CX_OP_CONCAT:
    case CX_OP_ADD:
        break;
    }
    return joined_at(layer, in, o, z, y, x);
}

static Tensor
run_layer(const CxLayer *layer, const Tensor *input, const Tensor *outputs)
{
    const Tensor *in[CX_NN_MAX_INPUTS];
    size_t size[3];

    for (unsigned i = 0; i < layer->n_inputs; i++)
        in[i] = layer->inputs[i] < 0 ? input : &outputs[layer->inputs[i]];
    for (unsigned a = 0; a < 3; a++)
        size[a] = input->size[a] / layer->scale[a];
    Tensor out = tensor_new(layer->n_out, size);
    double *to = out.data;
    for (size_t o = 0; o < layer->n_out; o++)
        for (size_t z = 0; z < size[0]; z++)
            for (size_t y = 0; y < size[1]; y++)
                for (size_t x = 0; x < size[2]; x++)
                    *to++ = value_at(layer, in, o, (int64_t)z, (int64_t)y,
                                     (int64_t)x);
    return out;
}

static Tensor
run_layers(const CxNetwork *network, const Tensor *input)
{
    g_autofree Tensor *outputs = g_new0(Tensor, network->n_layers);

    for (unsigned i = 0; i < network->n_layers; i++)
        outputs[i] = run_layer(&network->layers[i], input, outputs);
    for (unsigned i = 0; i + 1 < network->n_layers; i++)
        g_free(outputs[i].data);
    return outputs[network->n_layers - 1];
}

static int64_t
mirror(int64_t i, int64_t n)
{
    while (n > 1 && (i < 0 || i >= n))
        i = i < 0 ? -i : 2 * (n - 1) - i;
    return n > 1 ? i : 0;
}

/* The volume on turned axes, normalised: [z'][y'][x']. */
typedef struct {
    int64_t size[3];
    double *data;
} Field;

static void
normalise_section(double *section, const uint8_t *from, size_t n, double mean,
                  double std)
{
    for (size_t i = 0; i < n; i++)
        section[i] = ((double)from[i] - mean) / std;
}

static void
section_statistics(const uint8_t *section, CxVoxel size, double *mean,
                   double *std)
{
    int64_t step = MAX(1, MIN(size.x, size.y) / 256);
    double n = 0.0, sum = 0.0, squares = 0.0;

    for (int64_t y = 0; y < size.y; y += step)
        for (int64_t x = 0; x < size.x; x += step) {
            double v = section[y * size.x + x];

            n += v != 0.0, sum += v, squares += v * v;
        }
    *mean = n > 0.0 ? sum / n : 0.0;
    *std = n > 0.0 ? sqrt(fmax(squares / n - *mean * *mean, 0.0)) : 0.0;
    *std = fmax(*std, 1.0);
}

static double *
normalise(const CxNetwork *network, const uint8_t *volume, CxVoxel size)
{
    size_t n = (size_t)(size.x * size.y);
    double *data = g_new(double, n *(size_t)size.z);

    for (size_t z = 0; z < (size_t)size.z; z++) {
        double mean = network->norm_mean, std = network->norm_std;

        if (network->per_section)
            section_statistics(volume + z * n, size, &mean, &std);
        normalise_section(data + z * n, volume + z * n, n, mean, std);
    }
    return data;
}

/* Real axis (0 = z) of each turned axis: numpy's transpose arguments. */
static const unsigned turns[3][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}};

/* A tile [lo, hi) of the turned volume for output section z (2-D) or all. */
static Tensor
cut_input(const CxNetwork *network, const double *data, const int64_t size[3],
          unsigned view, const int64_t lo[3], const size_t extent[3])
{
    const unsigned *turn = turns[view];
    bool flat = network->dims == 2;
    size_t n_channels = (size_t)network->input_sections;
    size_t shape[3] = {flat ? 1 : extent[0], extent[1], extent[2]};
    Tensor input = tensor_new(n_channels, shape);
    double *to = input.data;

    for (size_t c = 0; c < n_channels; c++)
        for (size_t z = 0; z < shape[0]; z++)
            for (size_t y = 0; y < shape[1]; y++)
                for (size_t x = 0; x < shape[2]; x++) {
                    int64_t turned[3] = {
                        lo[0] + (int64_t)z +
                            (flat ? (int64_t)c - (int64_t)n_channels / 2 : 0),
                        lo[1] + (int64_t)y, lo[2] + (int64_t)x};
                    int64_t real[3];

                    for (unsigned a = 0; a < 3; a++)
                        real[turn[a]] = mirror(turned[a], size[turn[a]]);
                    *to++ =
                        data[(real[0] * size[1] + real[1]) * size[2] + real[2]];
                }
    return input;
}

static int64_t
round_down(int64_t value, int64_t step)
{
    int64_t rest = value % step;

    return value - (rest < 0 ? rest + step : rest);
}

static int64_t
grain_of(const CxNetwork *network, unsigned axis)
{
    int64_t grain = 1;

    for (unsigned i = 0; i < network->n_layers; i++) {
        int64_t scale = network->layers[i].scale[axis];

        while (grain % scale != 0)
            grain += grain < scale ? 1 : grain;
        g_assert_cmpint(grain, <, 1000);
    }
    return grain;
}

/* Adds one view's share for turned box [lo, hi) to the result. */
static void
add_view(const CxNetwork *network, const double *data, const int64_t size[3],
         unsigned view, const int64_t box_lo[3], const int64_t box_hi[3],
         double *result)
{
    const unsigned *turn = turns[view];
    CxVoxel halo = cx_network_halo(network);
    int64_t reach[3] = {halo.z, halo.y, halo.x};
    int64_t n[3], tile_lo[3];
    size_t extent[3];

    for (unsigned a = 0; a < 3; a++)
        n[a] = box_hi[a] - box_lo[a];
    bool flat = network->dims == 2;
    for (int64_t z = box_lo[turn[0]]; z < box_hi[turn[0]]; z++) {
        if (!flat && z > box_lo[turn[0]])
            break;
        for (unsigned a = 0; a < 3; a++) {
            int64_t lo = box_lo[turn[a]] - reach[a];
            int64_t hi = box_hi[turn[a]] + reach[a];
            int64_t grain = grain_of(network, a);

            tile_lo[a] = flat && a == 0 ? z : round_down(lo, grain);
            extent[a] =
                (size_t)(round_down(hi + grain - 1, grain) - tile_lo[a]);
        }
        Tensor input = cut_input(network, data, size, view, tile_lo, extent);
        Tensor out = run_layers(network, &input);
        for (unsigned c = 0; c < network->n_outputs; c++)
            for (int64_t i = 0; i < n[0] * n[1] * n[2]; i++) {
                int64_t real[3] = {i / (n[1] * n[2]) + box_lo[0],
                                   i / n[2] % n[1] + box_lo[1],
                                   i % n[2] + box_lo[2]};
                int from = cx_network_turned_channel(network, view, c);

                if (flat && real[turn[0]] != z)
                    continue;
                result[c * (size_t)(n[0] * n[1] * n[2]) + (size_t)i] +=
                    at(&out, (size_t)from, real[turn[0]] - tile_lo[0],
                       real[turn[1]] - tile_lo[1], real[turn[2]] - tile_lo[2]) /
                    network->views;
            }
        g_free(input.data);
        g_free(out.data);
    }
}

double *
cx_test_naive_predict(const CxNetwork *network, const uint8_t *volume,
                      CxVoxel size, CxBox box)
{
    g_autofree double *data = normalise(network, volume, size);
    int64_t whole[3] = {size.z, size.y, size.x};
    int64_t lo[3] = {box.lo.z, box.lo.y, box.lo.x};
    int64_t hi[3] = {box.hi.z, box.hi.y, box.hi.x};
    size_t n_voxels = 0;

    g_assert_true(cx_box_n_voxels(box, &n_voxels));
    double *result = g_new0(double, n_voxels * network->n_outputs);
    for (unsigned view = 0; view < (unsigned)network->views; view++)
        add_view(network, data, whole, view, lo, hi, result);
    return result;
}

double *
cx_test_naive_patch(const CxNetwork *network, const float *input, CxVoxel size)
{
    Tensor tensor =
        tensor_new(cx_network_n_inputs(network),
                   (size_t[3]){(size_t)size.z, (size_t)size.y, (size_t)size.x});
    size_t n = tensor.n_channels * (size_t)(size.x * size.y * size.z);

    for (size_t i = 0; i < n; i++)
        tensor.data[i] = (double)input[i];
    double *result = run_layers(network, &tensor).data;
    g_free(tensor.data);
    return result;
}
