/* Model files: what is written is read, and what is damaged, foreign, from
 * the future or hostile is refused with one sentence.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/weights.h"
#include "tests/support/check.h"
#include "tests/support/model.h"

#include <hdf5.h>
#include <math.h>
#include <string.h>

typedef struct {
    char *dir, *path;
    CxNetwork *network; /* what the file holds */
} Fixture;

/* 000 conv, 001 maxpool, 002 conv, 003 upsample, 004 concat, 005 conv,
 * 006 sigmoid. */
static void
fill_network(CxNetwork *network)
{
    static const CxLayer layers[] = {
        {.op = CX_OP_CONV,
         .n_inputs = 1,
         .inputs = {-1},
         .extent = {1, 3, 3},
         .n_out = 5,
         .relu = true},
        {.op = CX_OP_MAXPOOL,
         .n_inputs = 1,
         .inputs = {0},
         .extent = {1, 2, 2}},
        {.op = CX_OP_CONV,
         .n_inputs = 1,
         .inputs = {1},
         .extent = {1, 3, 3},
         .n_out = 7,
         .relu = true},
        {.op = CX_OP_UPSAMPLE,
         .n_inputs = 1,
         .inputs = {2},
         .extent = {1, 2, 2}},
        {.op = CX_OP_CONCAT,
         .n_inputs = 2,
         .inputs = {0, 3},
         .extent = {1, 1, 1}},
        {.op = CX_OP_CONV,
         .n_inputs = 1,
         .inputs = {4},
         .extent = {1, 1, 1},
         .n_out = 3},
        {.op = CX_OP_SIGMOID,
         .n_inputs = 1,
         .inputs = {5},
         .extent = {1, 1, 1}},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(layers); i++) {
        CxLayer *layer = &network->layers[i];

        *layer = layers[i];
        g_assert_true(cx_layer_check(network, i, "test", NULL));
        if (layer->op != CX_OP_CONV)
            continue;
        size_t n = (size_t)layer->n_in * layer->n_out *
                   (size_t)(layer->extent[1] * layer->extent[2]);
        layer->weight = cx_try_alloc0(n, sizeof *layer->weight, NULL);
        layer->bias = cx_try_alloc0(layer->n_out, sizeof *layer->bias, NULL);
        for (size_t k = 0; k < n; k++)
            layer->weight[k] = (float)k / 16.0f;
    }
}

static void
set_up(Fixture *f, const void *data)
{
    f->dir = cx_test_make_dir();
    f->path = g_build_filename(f->dir, "net.h5", NULL);
    f->network = cx_network_new(7);
    f->network->name = g_strdup("tiny µ");
    f->network->description = g_strdup("for tests");
    f->network->data = g_strdup("none");
    f->network->licence = g_strdup("CC0");
    f->network->scores = g_strdup("");
    f->network->voxel_nm = (CxNm){4.0, 5.0, 40.0};
    f->network->input_sections = 3;
    f->network->norm_mean = 128.0;
    f->network->norm_std = 35.0;
    f->network->n_outputs = 3;
    f->network->outputs[0] = (CxOutput){CX_OUTPUT_AFFINITY, {1, 0, 0}};
    f->network->outputs[1] = (CxOutput){CX_OUTPUT_AFFINITY, {0, 0, 1}};
    f->network->outputs[2] = (CxOutput){CX_OUTPUT_AFFINITY, {0, 1, 0}};
    fill_network(f->network);
    cx_test_save_network(f->network, f->path);
}

static void
tear_down(Fixture *f, const void *data)
{
    cx_network_unref(f->network);
    cx_test_remove_dir(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

static void
expect_equal(const CxNetwork *a, const CxNetwork *b)
{
    g_assert_cmpuint(a->n_layers, ==, b->n_layers);
    g_assert_cmpuint(a->n_outputs, ==, b->n_outputs);
    g_assert_true(cx_voxel_equal(a->halo, b->halo));
    for (unsigned i = 0; i < a->n_layers; i++) {
        const CxLayer *x = &a->layers[i], *y = &b->layers[i];
        size_t n = (size_t)x->n_in * x->n_out *
                   (size_t)(x->extent[0] * x->extent[1] * x->extent[2]);

        g_assert_cmpint(x->op, ==, y->op);
        g_assert_cmpint(x->relu, ==, y->relu);
        g_assert_cmpuint(x->n_in, ==, y->n_in);
        g_assert_cmpuint(x->n_out, ==, y->n_out);
        g_assert_cmpmem(x->scale, sizeof x->scale, y->scale, sizeof y->scale);
        g_assert_cmpmem(x->extent, sizeof x->extent, y->extent,
                        sizeof y->extent);
        g_assert_cmpuint(x->n_inputs, ==, y->n_inputs);
        g_assert_cmpmem(x->inputs, x->n_inputs * sizeof *x->inputs, y->inputs,
                        y->n_inputs * sizeof *y->inputs);
        g_assert_cmpint(x->weight != NULL, ==, y->weight != NULL);
        if (x->weight == NULL)
            continue;
        g_assert_cmpmem(x->weight, n * 4, y->weight, n * 4);
        g_assert_cmpmem(x->bias, x->n_out * 4, y->bias, y->n_out * 4);
    }
}

static void
test_round_trip(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_network_load(f->path, &error);

    g_assert_no_error(error);
    g_assert_true(cx_network_finish(f->network, "test", NULL));
    expect_equal(network, f->network);
    g_assert_cmpstr(cx_network_name(network), ==, "tiny µ");
    g_assert_cmpstr(cx_network_card(network, "licence"), ==, "CC0");
    g_assert_cmpstr(cx_network_card(network, "colour"), ==, "");
    g_assert_cmpfloat(cx_network_voxel_nm(network).z, ==, 40.0);
    g_assert_cmpuint(cx_network_n_outputs(network), ==, 3);
    g_assert_cmpint(cx_network_output(network, 1).offset.z, ==, 1);
    g_assert_cmpstr(cx_network_method(network), ==, "sections");
    g_assert_cmpfloat(cx_network_parameter(network, "threshold", 9.0), ==,
                      0.25);
    g_assert_cmpfloat(cx_network_parameter(network, "other", 9.0), ==, 9.0);
    g_assert_cmpfloat(cx_network_parameter(network, "method", 9.0), ==, 9.0);
    /* 1 of the first conv, 2 + 1 of the pooled one and its phase. */
    g_assert_cmpint(cx_network_halo(network).x, ==, 4);
    g_assert_cmpint(cx_network_halo(network).z, ==, 1);
    g_assert_cmpfloat(cx_network_flop_per_voxel(network), ==,
                      2.0 * 3 * 5 * 9 + 2.0 * 5 * 7 * 9 / 4 + 2.0 * 12 * 3);
}

static void
test_random_round_trips(void)
{
    CxRng rng = cx_test_rng();
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.h5", NULL);

    for (int i = 0; i < 20; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CxNetwork) want = cx_test_random_network(&rng, 2 + i % 2);

        cx_test_save_network(want, path);
        g_autoptr(CxNetwork) got = cx_network_load(path, &error);
        g_assert_no_error(error);
        expect_equal(got, want);
    }
    cx_test_remove_dir(dir);
}

/* ---- one change to a good file, and what the refusal must name ---- */

typedef struct {
    const char *name;
    const char *object; /* "/" or "/layers/003" */
    const char *attribute;
    /* one of: */
    const char *text;
    int n_ints;
    int32_t ints[24];
    double number;
    /* words of the sentence */
    const char *words[4];
} Change;

static const Change changes[] = {
    {"foreign", "/", "format", .text = "other-model",
     .words = {"net.h5", "other-model", "connexon-model"}},
    {"future", "/", "version", .n_ints = 1, .ints = {2},
     .words = {"net.h5", "version 2", "expected version 1"}},
    {"version-not-a-number", "/", "version", .text = "one",
     .words = {"version", "integer"}},
    {"dims", "/", "dims", .n_ints = 1, .ints = {4}, .words = {"dims is 4"}},
    {"even-sections", "/", "input_sections", .n_ints = 1, .ints = {4},
     .words = {"input_sections is 4", "odd"}},
    {"negative-sections", "/", "input_sections", .n_ints = 1, .ints = {-3},
     .words = {"input_sections is -3"}},
    {"many-sections", "/", "input_sections", .n_ints = 1, .ints = {1000001},
     .words = {"input_sections is 1000001"}},
    {"sections-of-3d", "/", "dims", .n_ints = 1, .ints = {3},
     .words = {"input_sections is 3", "3 dimensions"}},
    {"views", "/", "views", .n_ints = 1, .ints = {2}, .words = {"views is 2"}},
    {"normalise", "/", "normalise", .text = "clahe",
     .words = {"clahe", "fixed", "section"}},
    {"std", "/", "norm_std", .number = 0.0, .words = {"norm_std"}},
    {"mean-nan", "/", "norm_mean", .number = NAN,
     .words = {"norm_mean", "finite"}},
    {"voxel-count", "/", "voxel_nm", .number = 4.0,
     .words = {"voxel_nm", "1 values", "expected 3"}},
    {"outputs-rows", "/", "outputs", .n_ints = 6, .ints = {1, 1, 0, 0, 1, 0},
     .words = {"outputs", "6 values", "rows of 4"}},
    {"outputs-kind", "/", "outputs", .n_ints = 4, .ints = {7, 1, 0, 0},
     .words = {"output 0", "kind 7"}},
    {"outputs-count", "/", "outputs", .n_ints = 4, .ints = {1, 1, 0, 0},
     .words = {"006", "3 channels", "expected 1"}},
    {"method", "/segmentation", "method", .text = "magic",
     .words = {"/segmentation", "magic", "volume"}},
    {"op", "/layers/001", "op", .text = "minpool",
     .words = {"net.h5: layer 001", "minpool", "maxpool"}},
    {"op-is-number", "/layers/001", "op", .n_ints = 1, .ints = {3},
     .words = {"layer 001", "op"}},
    {"cycle", "/layers/002", "inputs", .n_ints = 1, .ints = {4},
     .words = {"layer 002", "layer 4", "earlier"}},
    {"self", "/layers/002", "inputs", .n_ints = 1, .ints = {2},
     .words = {"layer 002", "layer 2", "earlier"}},
    {"before-the-input", "/layers/002", "inputs", .n_ints = 1, .ints = {-2},
     .words = {"layer 002", "-2"}},
    {"too-many-inputs", "/layers/004", "inputs", .n_ints = 17, .ints = {0},
     .words = {"layer 004", "17 values", "at most 16"}},
    {"two-inputs-of-conv", "/layers/002", "inputs", .n_ints = 2, .ints = {1, 1},
     .words = {"layer 002", "2 inputs", "one"}},
    {"wrong-channels", "/layers/002", "inputs", .n_ints = 1, .ints = {-1},
     .words = {"layer 002", "weight", "5", "3"}},
    {"scales-differ", "/layers/004", "inputs", .n_ints = 2, .ints = {0, 2},
     .words = {"layer 004", "1,1,1", "1,2,2"}},
    {"kernel-5", "/layers/000", "kernel", .n_ints = 3, .ints = {1, 5, 3},
     .words = {"layer 000", "1,5,3", "1 or 3"}},
    {"kernel-negative", "/layers/000", "kernel", .n_ints = 3,
     .ints = {1, -3, 3}, .words = {"layer 000", "-3"}},
    {"kernel-short", "/layers/000", "kernel", .n_ints = 2, .ints = {3, 3},
     .words = {"layer 000", "kernel", "2 values", "expected 3"}},
    {"kernel-z", "/layers/000", "kernel", .n_ints = 3, .ints = {3, 3, 3},
     .words = {"layer 000", "along z"}},
    {"kernel-unlike-weight", "/layers/000", "kernel", .n_ints = 3,
     .ints = {1, 1, 3}, .words = {"layer 000", "weight", "dimension 3"}},
    {"relu", "/layers/000", "relu", .n_ints = 1, .ints = {2},
     .words = {"layer 000", "relu is 2"}},
    {"factor-huge", "/layers/001", "factor", .n_ints = 3,
     .ints = {1, 2147483647, 2}, .words = {"layer 001", "2147483647"}},
    {"factor-zero", "/layers/001", "factor", .n_ints = 3, .ints = {1, 0, 2},
     .words = {"layer 001", "1,0,2"}},
    {"factor-up", "/layers/003", "factor", .n_ints = 3, .ints = {1, 3, 2},
     .words = {"layer 003", "divisor"}},
    {"type", "/layers/000", "type", .text = "int8",
     .words = {"layer 000", "int8", "f32"}},
    {"amax", "/layers/000", "amax", .number = -1.0,
     .words = {"layer 000", "amax"}},
    {"amax-huge", "/layers/000", "amax", .number = 1e30,
     .words = {"layer 000", "amax is 1e+30"}},
    {"amax-nan", "/layers/002", "amax", .number = NAN,
     .words = {"layer 002", "amax", "finite"}},
    {"amax-text", "/layers/002", "amax", .text = "much",
     .words = {"layer 002", "amax", "floating-point"}},
    {"input-amax", "/", "input_amax", .number = -2.0,
     .words = {"net.h5", "input_amax is -2"}},
    {"no-sigmoid", "/layers/006", "op", .text = "add",
     .words = {"006", "sigmoid"}},
};

static void
apply(const char *path, const Change *change)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t object = H5Oopen(file, change->object, H5P_DEFAULT);
    hsize_t n = (hsize_t)change->n_ints;
    hid_t space = change->n_ints > 1 ? H5Screate_simple(1, &n, NULL)
                                     : H5Screate(H5S_SCALAR);
    hid_t type = H5T_NATIVE_DOUBLE;
    const void *value = &change->number;

    if (change->text != NULL) {
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, strlen(change->text));
        value = change->text;
    } else if (change->n_ints > 0) {
        type = H5T_NATIVE_INT32;
        value = change->ints;
    }
    if (H5Aexists(object, change->attribute) > 0)
        H5Adelete(object, change->attribute);
    hid_t attribute = H5Acreate2(object, change->attribute, type, space,
                                 H5P_DEFAULT, H5P_DEFAULT);
    g_assert_cmpint(H5Awrite(attribute, type, value), >=, 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Oclose(object);
    H5Fclose(file);
}

static void
test_change(Fixture *f, const void *data)
{
    const Change *change = data;
    const char *const *w = change->words;
    g_autoptr(GError) error = NULL;

    apply(f->path, change);
    g_assert_null(cx_network_load(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "net.h5", w[0],
                         w[1] != NULL ? w[1] : "", w[2] != NULL ? w[2] : "",
                         w[3] != NULL ? w[3] : "", NULL);
}

static void
test_grower(Fixture *f, const void *data)
{
    static const Change affinity = {.object = "/",
                                    .attribute = "outputs",
                                    .n_ints = 4,
                                    .ints = {1, 1, 0, 0}};
    static const Change volume = {
        .object = "/segmentation", .attribute = "method", .text = "volume"};
    static const Change section = {
        .object = "/", .attribute = "normalise", .text = "section"};
    static const Change *const wrong[] = {&affinity, &volume, &section};
    static const char *const words[] = {"kind 1", "layer 000", "\"section\""};
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) want = cx_test_random_grower(&rng);
    g_autoptr(GError) error = NULL;

    cx_test_save_network(want, f->path);
    g_autoptr(CxNetwork) got = cx_network_load(f->path, &error);
    g_assert_no_error(error);
    expect_equal(got, want);
    g_assert_true(cx_network_grows(got));
    g_assert_cmpuint(cx_network_n_inputs(got), ==, 2);
    g_assert_cmpfloat(cx_network_parameter(got, "fov_z", 0.0), ==, 7.0);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        cx_test_save_network(want, f->path);
        apply(f->path, wrong[i]);
        g_assert_null(cx_network_load(f->path, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, "net.h5", words[i], NULL);
    }
}

/* Text of fixed length (as `apply` writes it) is as good as the other. */
static void
test_fixed_text(Fixture *f, const void *data)
{
    static const Change same = {
        .object = "/", .attribute = "format", .text = "connexon-model"};
    g_autoptr(GError) error = NULL;

    apply(f->path, &same);
    g_autoptr(CxNetwork) network = cx_network_load(f->path, &error);
    g_assert_no_error(error);
}

/* Room for later: what calibration leaves in a layer is kept. */
static void
test_calibration_is_kept(Fixture *f, const void *data)
{
    static const Change type = {
        .object = "/layers/000", .attribute = "type", .text = "f32"};
    static const Change amax = {
        .object = "/layers/000", .attribute = "amax", .number = 6.5};
    g_autoptr(GError) error = NULL;

    apply(f->path, &type);
    apply(f->path, &amax);
    g_autoptr(CxNetwork) network = cx_network_load(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(network->layers[0].amax, ==, 6.5);
    g_assert_cmpint(network->layers[0].type, ==, CX_LAYER_F32);
}

/* A copy with another calibration, twice over. */
static void
test_calibrated_copy(Fixture *f, const void *data)
{
    g_autofree char *copy = g_build_filename(f->dir, "copy.h5", NULL);
    g_autofree char *second = g_build_filename(f->dir, "second.h5", NULL);
    CxLayer *layer = &f->network->layers[2];
    g_autoptr(GError) error = NULL;

    f->network->input_amax = 4.25;
    layer->amax = 1.5;
    layer->mean = cx_try_alloc0(layer->n_out, sizeof *layer->mean, NULL);
    layer->mean[3] = 0.75f;
    g_assert_true(
        cx_weights_copy_calibrated(f->network, f->path, copy, &error));
    layer->mean[3] = 0.5f;
    g_assert_true(cx_weights_copy_calibrated(f->network, copy, second, &error));
    g_autoptr(CxNetwork) got = cx_network_load(second, &error);
    g_assert_no_error(error);
    g_assert_true(cx_network_finish(f->network, "test", NULL));
    expect_equal(got, f->network);
    g_assert_cmpfloat(got->input_amax, ==, 4.25);
    g_assert_cmpfloat(got->layers[2].amax, ==, 1.5);
    g_assert_cmpfloat(got->layers[2].mean[3], ==, 0.5);
    g_assert_null(got->layers[0].mean);
    g_assert_false(cx_weights_copy_calibrated(f->network, f->path,
                                              "/nowhere/at/all.h5", &error));
    g_assert_nonnull(error);
}

/* ---- missing and hostile parts ---- */

static void
test_missing(Fixture *f, const void *data)
{
    static const struct {
        const char *object, *attribute, *link, *words[2];
    } missing[] = {
        {"/", "name", NULL, {"net.h5", "name"}},
        {"/", "version", NULL, {"net.h5", "version"}},
        {"/", "outputs", NULL, {"net.h5", "outputs"}},
        {"/", "format", NULL, {"net.h5", "connexon-model"}},
        {"/layers/000", "op", NULL, {"layer 000", "op"}},
        {"/layers/000", "kernel", NULL, {"layer 000", "kernel"}},
        {"/layers/000", "inputs", NULL, {"layer 000", "inputs"}},
        {"/layers/001", "factor", NULL, {"layer 001", "factor"}},
        {"/", NULL, "layers", {"net.h5", "/layers"}},
        {"/", NULL, "segmentation", {"net.h5", "/segmentation"}},
        {"/", NULL, "layers/003", {"layer 003", "missing"}},
        {"/", NULL, "layers/000/weight", {"layer 000", "weight"}},
        {"/", NULL, "layers/002/bias", {"layer 002", "bias"}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(missing); i++) {
        g_autoptr(GError) error = NULL;

        cx_test_save_network(f->network, f->path);
        hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
        if (missing[i].link != NULL)
            H5Ldelete(file, missing[i].link, H5P_DEFAULT);
        else
            H5Adelete_by_name(file, missing[i].object, missing[i].attribute,
                              H5P_DEFAULT);
        H5Fclose(file);
        g_assert_null(cx_network_load(f->path, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, missing[i].words[0],
                             missing[i].words[1], NULL);
    }
}

/* Replaces a data set by one of another shape or type, without samples. */
static void
replace_dataset(const char *path, const char *name, hid_t type, int n_dims,
                const hsize_t *dims, const float *values)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(n_dims, dims, NULL);

    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        H5Ldelete(file, name, H5P_DEFAULT);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT);
    g_assert_cmpint(dataset, >=, 0);
    if (values != NULL)
        H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                 values);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
}

static void
test_hostile_shapes(Fixture *f, const void *data)
{
    static const struct {
        const char *name;
        int n_dims;
        hsize_t dims[5];
        bool ints;
        const char *words[3];
    } shapes[] = {
        {"layers/000/weight",
         5,
         {5, 3, 1, 3, (hsize_t)1 << 40},
         false,
         {"layer 000", "weight", "1099511627776"}},
        {"layers/000/weight",
         5,
         {5, 1 << 20, 1, 3, 3},
         false,
         {"layer 000", "1048576", "expected 3"}},
        {"layers/000/weight",
         4,
         {5, 3, 3, 3},
         false,
         {"layer 000", "weight", "5 dimensions"}},
        {"layers/000/weight",
         5,
         {5, 3, 1, 3, 3},
         true,
         {"layer 000", "weight", "floats"}},
        {"layers/000/bias",
         1,
         {(hsize_t)1 << 33},
         false,
         {"layer 000", "bias", "8589934592"}},
        {"layers/000/bias", 1, {4}, false, {"layer 000", "weight", "5"}},
        {"layers/000/bias", 2, {5, 1}, false, {"layer 000", "bias", "1 dim"}},
        {"layers/000/mean",
         1,
         {(hsize_t)1 << 33},
         false,
         {"layer 000", "mean", "expected 5"}},
        {"layers/001/mean", 1, {5}, true, {"layer 001", "mean", "floats"}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GError) error = NULL;

        cx_test_save_network(f->network, f->path);
        replace_dataset(f->path, shapes[i].name,
                        shapes[i].ints ? H5T_NATIVE_INT32 : H5T_NATIVE_FLOAT,
                        shapes[i].n_dims, shapes[i].dims, NULL);
        g_assert_null(cx_network_load(f->path, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, shapes[i].words[0],
                             shapes[i].words[1], shapes[i].words[2], NULL);
    }
}

static void
test_weights_must_be_finite(Fixture *f, const void *data)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    hsize_t dims[5] = {3, 12, 1, 1, 1}, n_bias = 3;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        float weights[36] = {0};
        g_autoptr(GError) error = NULL;

        weights[35] = weights[2] = bad[i];
        cx_test_save_network(f->network, f->path);
        replace_dataset(f->path, "layers/005/weight", H5T_NATIVE_FLOAT, 5, dims,
                        weights);
        g_assert_null(cx_network_load(f->path, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, "layer 005", "weight",
                             i == 0 ? "NaN" : "Inf", "index 2", NULL);
        cx_test_save_network(f->network, f->path);
        replace_dataset(f->path, "layers/005/bias", H5T_NATIVE_FLOAT, 1,
                        &n_bias, weights);
        g_assert_null(cx_network_load(f->path, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, "layer 005", "bias",
                             i == 0 ? "NaN" : "Inf", NULL);
    }
}

/* An unwritten data set costs the file nothing, whatever its size: the sum
 * over layers is bounded too. */
static void
test_many_weights(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    hsize_t bias = 4096, weight[5] = {4096, 4096, 1, 3, 3};
    hsize_t first[5] = {4096, 3, 1, 3, 3};

    replace_dataset(f->path, "layers/000/bias", H5T_NATIVE_FLOAT, 1, &bias,
                    NULL);
    replace_dataset(f->path, "layers/000/weight", H5T_NATIVE_FLOAT, 5, first,
                    NULL);
    replace_dataset(f->path, "layers/002/bias", H5T_NATIVE_FLOAT, 1, &bias,
                    NULL);
    replace_dataset(f->path, "layers/002/weight", H5T_NATIVE_FLOAT, 5, weight,
                    NULL);
    g_assert_null(cx_network_load(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "layer 002", "at most",
                         "33554432", NULL);
}

static void
test_truncated(Fixture *f, const void *data)
{
    g_autofree char *whole = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(f->path, &whole, &size, NULL));
    for (gsize n = 0; n < size; n += 1 + n / 8) {
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_set_contents(f->path, whole, (gssize)n, NULL));
        g_assert_null(cx_network_load(f->path, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, "net.h5", NULL);
    }
}

static void
test_not_hdf5_and_not_there(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *gone = g_build_filename(f->dir, "gone.h5", NULL);

    g_assert_true(g_file_set_contents(f->path, "GIF89a", 6, NULL));
    g_assert_null(cx_network_load(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "net.h5", "HDF5", NULL);
    g_assert_null(cx_network_load(gone, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "gone.h5", NULL);
    g_assert_null(cx_network_load(f->dir, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_null(cx_network_load("no-such-model", &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "no-such-model", ".h5",
                         NULL);
    g_assert_null(cx_network_load("../net", &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "../net", NULL);
}

static void
test_shipped_names(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;

    g_autofree char *retina = g_build_filename(f->dir, "retina-a.h5", NULL);

    g_assert_true(g_file_set_contents(retina, "", 0, NULL));
    g_setenv("CONNEXON_MODELS", f->dir, true);
    g_auto(GStrv) names = cx_network_shipped();
    g_assert_false(g_strv_contains((const char *const *)names, "retina-a"));
    g_assert_true(g_strv_contains((const char *const *)names, "net"));
    g_autoptr(CxNetwork) network = cx_network_load("net", &error);
    g_assert_no_error(error);
    g_unsetenv("CONNEXON_MODELS");
}

static void
test_shipped_models_load(void)
{
    g_auto(GStrv) names = cx_network_shipped();

    for (unsigned i = 0; names[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CxNetwork) network = cx_network_load(names[i], &error);

        g_assert_no_error(error);
        g_assert_cmpint(cx_network_halo(network).x, >, 0);
        g_assert_cmpfloat(cx_network_flop_per_voxel(network), >, 1000.0);
        g_assert_cmpstr(cx_network_card(network, "licence"), !=, "");
    }
}

static void
test_views(Fixture *f, const void *data)
{
    static const Change views = {
        .object = "/", .attribute = "views", .n_ints = 1, .ints = {3}};
    static const Change section = {
        .object = "/", .attribute = "normalise", .text = "section"};
    static const Change open = {.object = "/",
                                .attribute = "outputs",
                                .n_ints = 12,
                                .ints = {1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 3, 0}};
    g_autoptr(GError) error = NULL;

    apply(f->path, &views);
    g_autoptr(CxNetwork) network = cx_network_load(f->path, &error);
    g_assert_no_error(error);
    /* numpy: transpose(1, 2, 0) makes x of the real axes y of the turned. */
    g_assert_cmpint(cx_network_turned_channel(network, 1, 0), ==, 2);
    g_assert_cmpint(cx_network_turned_channel(network, 1, 2), ==, 1);
    g_assert_cmpint(cx_network_turned_channel(network, 2, 0), ==, 1);
    g_assert_cmpint(cx_network_turned_channel(network, 0, 1), ==, 1);
    g_assert_cmpint(cx_network_halo(network).z, ==, 4);
    apply(f->path, &section);
    g_assert_null(cx_network_load(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "views", "section", NULL);
    cx_test_save_network(f->network, f->path);
    apply(f->path, &views);
    apply(f->path, &open);
    g_assert_null(cx_network_load(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "views", "output", NULL);
}

static void
add_test(const char *name, const void *data,
         void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/nn/network/", name, NULL);

    g_test_add(path, Fixture, data, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    add_test("round-trip", NULL, test_round_trip);
    g_test_add_func("/nn/network/random-round-trips", test_random_round_trips);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        add_test(changes[i].name, &changes[i], test_change);
    add_test("fixed-text", NULL, test_fixed_text);
    add_test("grower", NULL, test_grower);
    add_test("calibration", NULL, test_calibration_is_kept);
    add_test("calibrated-copy", NULL, test_calibrated_copy);
    add_test("missing", NULL, test_missing);
    add_test("hostile-shapes", NULL, test_hostile_shapes);
    add_test("finite", NULL, test_weights_must_be_finite);
    add_test("many-weights", NULL, test_many_weights);
    add_test("truncated", NULL, test_truncated);
    add_test("not-hdf5", NULL, test_not_hdf5_and_not_there);
    add_test("shipped-names", NULL, test_shipped_names);
    g_test_add_func("/nn/network/shipped-models", test_shipped_models_load);
    add_test("turned-axes", NULL, test_views);
    return g_test_run();
}
