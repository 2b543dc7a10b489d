/* Prediction of boxes: against the naive twin, over tilings, threads and
 * instruction sets; cancellation, memory, refusals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/jobs/scheduler.h"
#include "core/nn/bench_unet.h"
#include "core/nn/choose.h"
#include "core/nn/infer.h"
#include "core/nn/tiled_infer.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"
#include "tests/support/model.h"

#include <math.h>
#include <string.h>

static const char *const all_isas[] = {"c", "avx2", "avx512"};

static bool
has_isa(const char *isa)
{
    unsigned features = cx_cpu_features();
    CxKernels kernels;

    cx_cpu_cap(&features, isa);
    cx_kernels_fill(&kernels, features);
    return g_str_equal(kernels.isa, isa);
}

static int64_t
size_in(CxRng *rng, int64_t least, int64_t most)
{
    return least + (int64_t)cx_rng_below(rng, (uint64_t)(most - least + 1));
}

static CxChunk *
random_image(CxRng *rng, CxVoxel size)
{
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(size), 1, NULL);
    uint8_t *data = cx_chunk_data_mut(chunk);

    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++)
        data[i] = cx_rng_below(rng, 5) == 0 ? 0 : (uint8_t)cx_rng_next(rng);
    return chunk;
}

static CxBox
random_box(CxRng *rng, CxVoxel size)
{
    CxVoxel lo = {size_in(rng, 0, size.x - 1), size_in(rng, 0, size.y - 1),
                  size_in(rng, 0, size.z - 1)};
    CxVoxel hi = {size_in(rng, lo.x + 1, size.x),
                  size_in(rng, lo.y + 1, size.y),
                  size_in(rng, lo.z + 1, size.z)};

    return cx_box(lo, hi);
}

static CxChunk *
predict(CxNetwork *network, CxChunk *image, CxBox box,
        const CxPredictorOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, network->voxel_nm, (CxNm){0.0, 0.0, 0.0}, false);
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, volume, options, &error);

    g_assert_no_error(error);
    CxChunk *result = cx_predictor_run(predictor, box, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(cx_box_equal(cx_chunk_box(result), box));
    g_assert_cmpuint(cx_chunk_n_channels(result), ==, network->n_outputs);
    return result;
}

static void
expect_naive(CxNetwork *network, CxRng *rng, CxVoxel size)
{
    g_autoptr(CxChunk) image = random_image(rng, size);
    CxBox box = random_box(rng, size);
    CxPredictorOptions options = {.n_threads = 2};
    g_autoptr(CxChunk) got = predict(network, image, box, &options);
    g_autofree double *want =
        cx_test_naive_predict(network, cx_chunk_data(image), size, box);
    const uint8_t *samples = cx_chunk_data(got);

    /* Half a step of rounding, and 1e-4 of the network. */
    for (size_t i = 0; i < cx_chunk_size_bytes(got); i++)
        g_assert_cmpfloat(fabs((double)samples[i] - 255.0 * want[i]), <=,
                          0.5 + 255.0 * 1e-4);
}

static void
test_naive_2d(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 25; i++) {
        g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);

        network->per_section = i % 3 == 2;
        expect_naive(network, &rng,
                     (CxVoxel){size_in(&rng, 1, 40), size_in(&rng, 1, 30),
                               size_in(&rng, 1, 4)});
    }
}

static void
test_naive_3d(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 12; i++) {
        g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 3);

        expect_naive(network, &rng,
                     (CxVoxel){size_in(&rng, 1, 14), size_in(&rng, 1, 10),
                               size_in(&rng, 1, 12)});
    }
}

static void
test_naive_three_views(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 6; i++) {
        g_autoptr(CxNetwork) network =
            cx_test_random_network(&rng, i < 4 ? 2 : 3);
        g_autoptr(GError) error = NULL;

        network->views = 3;
        g_assert_true(cx_network_finish(network, "views", &error));
        expect_naive(network, &rng,
                     (CxVoxel){size_in(&rng, 1, 9), size_in(&rng, 1, 8),
                               size_in(&rng, 1, 7)});
    }
}

/* Axes turned so that view axes are x, y, z; see core/nn/README.md. */
static CxVoxel
turn(CxVoxel v, unsigned axis)
{
    return axis == 1   ? (CxVoxel){v.z, v.x, v.y}
           : axis == 0 ? (CxVoxel){v.y, v.z, v.x}
                       : v;
}

static CxChunk *
turn_image(CxChunk *image, CxVoxel size, unsigned axis)
{
    CxVoxel turned = turn(size, axis);
    CxChunk *copy = cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(turned), 1, NULL);
    CxBox from = cx_box_of_size(size), to = cx_box_of_size(turned);

    for (int64_t z = 0; z < size.z; z++)
        for (int64_t y = 0; y < size.y; y++)
            for (int64_t x = 0; x < size.x; x++) {
                CxVoxel v = {x, y, z};

                ((uint8_t *)cx_chunk_data_mut(
                    copy))[cx_box_offset(to, turn(v, axis))] =
                    ((const uint8_t *)cx_chunk_data(
                        image))[cx_box_offset(from, v)];
            }
    return copy;
}

/* A cut across an axis is the plain run over turned axes. */
static void
expect_cut(CxNetwork *network, CxRng *rng, unsigned axis)
{
    CxVoxel size = {size_in(rng, 1, 14), size_in(rng, 1, 12),
                    size_in(rng, 1, 9)};
    CxBox box = random_box(rng, size);
    CxBox turned_box = {turn(box.lo, axis), turn(box.hi, axis)};
    g_autoptr(CxChunk) image = random_image(rng, size);
    g_autoptr(CxChunk) turned = turn_image(image, size, axis);
    CxPredictorOptions options = {.n_threads = 1};
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, network->voxel_nm, (CxNm){0.0, 0.0, 0.0}, false);
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, volume, &options, NULL);
    g_autoptr(CxChunk) got =
        cx_predictor_run_cut(predictor, box, axis, NULL, NULL);
    int32_t views = network->views;

    network->views = 1;
    g_autoptr(CxChunk) want = predict(network, turned, turned_box, &options);
    network->views = views;
    for (unsigned c = 0; c < network->n_outputs; c++) {
        const uint8_t *a = cx_chunk_channel(got, c);
        const uint8_t *b = cx_chunk_channel(
            want, (unsigned)cx_network_turned_channel(network, 2 - axis, c));

        for (int64_t z = box.lo.z; z < box.hi.z; z++)
            for (int64_t y = box.lo.y; y < box.hi.y; y++)
                for (int64_t x = box.lo.x; x < box.hi.x; x++) {
                    CxVoxel v = {x, y, z};

                    g_assert_cmpuint(
                        a[cx_box_offset(box, v)], ==,
                        b[cx_box_offset(turned_box, turn(v, axis))]);
                }
    }
}

static void
test_cuts(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 12; i++) {
        g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);

        network->voxel_nm = (CxNm){8, 8, 9};
        network->views = i % 2 == 0 ? 3 : 1;
        g_assert_true(cx_network_finish(network, "cuts", NULL));
        for (unsigned axis = 0; axis < 3; axis++)
            if (cx_network_can_cut(network, axis))
                expect_cut(network, &rng, axis);
            else
                g_assert_cmpint(network->views, ==, 1);
        network->voxel_nm = (CxNm){4, 4, 40};
        g_assert_false(cx_network_can_cut(network, 0));
        g_assert_true(cx_network_can_cut(network, 2));
    }
}

/* Sections wide enough that statistics skip pixels. */
static void
test_naive_sparse_statistics(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);
    CxVoxel size = {530, 515, 2};
    g_autoptr(CxChunk) image = random_image(&rng, size);
    CxBox box = {{100, 200, 1}, {109, 205, 2}};

    memset(cx_chunk_data_mut(image), 0, 530 * 515);
    network->per_section = true;
    g_autoptr(CxChunk) got = predict(network, image, box, NULL);
    g_autofree double *want =
        cx_test_naive_predict(network, cx_chunk_data(image), size, box);
    for (size_t i = 0; i < cx_chunk_size_bytes(got); i++)
        g_assert_cmpfloat(
            fabs((double)((const uint8_t *)cx_chunk_data(got))[i] -
                 255.0 * want[i]),
            <=, 0.5 + 255.0 * 1e-4);
}

/* Float rows are cut into groups where a tile begins: sums differ in their
 * last bits, samples where they fall on the other side of a rounding. */
static void
expect_almost_equal(const CxChunk *got, const CxChunk *want)
{
    const uint8_t *a = cx_chunk_data(got), *b = cx_chunk_data(want);
    size_t n = cx_chunk_size_bytes(want), n_other = 0;

    g_assert_cmpuint(cx_chunk_size_bytes(got), ==, n);
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(ABS(a[i] - b[i]), <=, 1);
        n_other += a[i] != b[i];
    }
    g_assert_cmpuint(n_other, <=, n / 100 + 1);
}

static void
expect_same_over_tilings(CxNetwork *network, CxRng *rng, CxVoxel size,
                         const char *isa)
{
    g_autoptr(CxChunk) image = random_image(rng, size);
    CxBox box = random_box(rng, size);
    CxPredictorOptions options = {.n_threads = 1, .isa = isa};
    g_autoptr(CxChunk) want = predict(network, image, box, &options);

    for (int i = 0; i < 4; i++) {
        options.n_threads = 1 + (unsigned)cx_rng_below(rng, 4);
        options.tile = (CxVoxel){size_in(rng, 1, 50), size_in(rng, 1, 50),
                                 size_in(rng, 1, 9)};
        g_autoptr(CxChunk) got = predict(network, image, box, &options);
        expect_almost_equal(got, want);
        options.n_threads = 1 + (unsigned)cx_rng_below(rng, 4);
        g_autoptr(CxChunk) again = predict(network, image, box, &options);
        g_assert_cmpmem(cx_chunk_data(got), cx_chunk_size_bytes(got),
                        cx_chunk_data(again), cx_chunk_size_bytes(again));
    }
    /* A part of the box predicted alone. */
    options.tile = (CxVoxel){0, 0, 0};
    CxBox part = {{(box.lo.x + box.hi.x) / 2, box.lo.y, box.lo.z}, box.hi};
    g_autoptr(CxChunk) got = predict(network, image, part, &options);
    g_autoptr(CxChunk) cut =
        cx_chunk_new(CX_DTYPE_U8, part, network->n_outputs, NULL);
    cx_chunk_copy_overlap(cut, want);
    expect_almost_equal(got, cut);
}

static void
test_tilings_agree(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 18; i++) {
        const char *isa = all_isas[i % 3];
        bool flat = i % 6 < 4;
        g_autoptr(CxNetwork) network =
            cx_test_random_network(&rng, flat ? 2 : 3);

        if (!has_isa(isa))
            continue;
        network->per_section = flat && i % 4 == 0;
        network->views = i % 5 == 4 && !network->per_section ? 3 : 1;
        g_assert_true(cx_network_finish(network, "tilings", NULL));
        expect_same_over_tilings(
            network, &rng,
            flat && network->views == 1
                ? (CxVoxel){size_in(&rng, 1, 120), size_in(&rng, 1, 90),
                            size_in(&rng, 1, 4)}
                : (CxVoxel){size_in(&rng, 1, 20), size_in(&rng, 1, 16),
                            size_in(&rng, 1, 12)},
            isa);
    }
}

/* One step of u8: the float bound of conv_f32.h is far below that. */
static void
test_isas_agree(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 8; i++) {
        g_autoptr(CxNetwork) network =
            cx_test_random_network(&rng, i % 2 == 0 ? 2 : 3);
        CxVoxel size = {size_in(&rng, 1, 30), size_in(&rng, 1, 20),
                        size_in(&rng, 1, 5)};
        g_autoptr(CxChunk) image = random_image(&rng, size);
        CxPredictorOptions options = {.n_threads = 1, .isa = "c"};
        g_autoptr(CxChunk) want =
            predict(network, image, cx_box_of_size(size), &options);

        for (size_t k = 1; k < G_N_ELEMENTS(all_isas); k++) {
            if (!has_isa(all_isas[k]))
                continue;
            options.isa = all_isas[k];
            g_autoptr(CxChunk) got =
                predict(network, image, cx_box_of_size(size), &options);
            const uint8_t *a = cx_chunk_data(want), *b = cx_chunk_data(got);
            for (size_t v = 0; v < cx_chunk_size_bytes(got); v++)
                g_assert_cmpint(ABS(a[v] - b[v]), <=, 1);
        }
    }
}

static bool
has_amx(void)
{
    unsigned features = cx_cpu_features();
    CxKernels kernels;

    cx_kernels_fill(&kernels, features);
    return g_str_equal(kernels.bf16.isa, "amx") && cx_cpu_permit_tiles();
}

/* A random network that bf16 and int8 can run. */
static CxNetwork *
random_narrow_network(CxRng *rng, int32_t dims)
{
    for (;;) {
        g_autoptr(CxNetwork) network = cx_test_random_network(rng, dims);
        g_autoptr(GError) error = NULL;
        g_autoptr(CxProgram) program =
            cx_program_new(network, CX_LAYER_BF16, &error);

        if (program != NULL)
            return g_steal_pointer(&network);
        cx_test_expect_error(&error, CX_ERROR_INVALID, "random", "bf16", "fp32",
                             NULL);
    }
}

/* What watches a calibration: the limits of a network over an image. */
static void
calibrate(CxNetwork *network, CxChunk *image)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, network->voxel_nm, (CxNm){0.0, 0.0, 0.0}, false);

    CxBox box = cx_chunk_box(image);
    g_assert_true(
        cx_predictor_calibrate(network, &volume, &box, 1, 1, NULL, &error));
    g_assert_no_error(error);
}

/* Eight bits of mantissa, or of everything, through up to 16 layers: a few
 * steps of 255 in the mean; single voxels of a random network, where sums
 * cancel, may be further off. */
static void
expect_near(CxNetwork *network, CxChunk *image, const char *type,
            const char *isa)
{
    CxVoxel size = cx_box_size(cx_chunk_box(image));
    CxBox box = cx_box_of_size(size);
    CxPredictorOptions options = {.n_threads = 1, .isa = isa, .type = type};
    g_autoptr(CxChunk) got = predict(network, image, box, &options);
    g_autofree double *want =
        cx_test_naive_predict(network, cx_chunk_data(image), size, box);
    const uint8_t *samples = cx_chunk_data(got);
    size_t n = cx_chunk_size_bytes(got);
    bool int8 = g_str_equal(type, "int8");
    double sum = 0.0;
    size_t n_far = 0;

    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)samples[i] - 255.0 * want[i]);

        n_far += difference > 64.0;
        sum += difference;
    }
    g_test_message("%s: mean difference %g of 255", type, sum / (double)n);
    g_assert_cmpfloat(sum / (double)n, <=, int8 ? 20.0 : 2.0);
    g_assert_cmpuint(n_far, <=, n / (int8 ? 10 : 50) + 1);
}

static void
test_narrow_is_near(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 12; i++) {
        g_autoptr(CxNetwork) network = random_narrow_network(&rng, 2 + i % 2);
        g_autoptr(CxChunk) image = random_image(
            &rng, i % 2 == 0
                      ? (CxVoxel){size_in(&rng, 1, 40), size_in(&rng, 1, 30), 2}
                      : (CxVoxel){12, 9, size_in(&rng, 1, 9)});

        expect_near(network, image, "bf16", "c");
        if (has_amx())
            expect_near(network, image, "bf16", NULL);
        network->per_section = i % 4 == 2;
        calibrate(network, image);
        expect_near(network, image, "int8", "c");
    }
}

static void
expect_narrow_tilings(CxNetwork *network, CxRng *rng, CxChunk *image,
                      const CxChunk *want, CxPredictorOptions options)
{
    options.n_threads = 3;
    for (int k = 0; k < 3; k++) {
        options.tile =
            (CxVoxel){size_in(rng, 1, 40), size_in(rng, 1, 40), 1 + k};
        g_autoptr(CxChunk) got =
            predict(network, image, cx_chunk_box(image), &options);
        g_assert_cmpmem(cx_chunk_data(got), cx_chunk_size_bytes(got),
                        cx_chunk_data(want), cx_chunk_size_bytes(want));
    }
}

static void
test_bf16_tilings_give_equal_bits(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 8; i++) {
        g_autoptr(CxNetwork) network = random_narrow_network(&rng, 2 + i % 2);
        CxVoxel size = {size_in(&rng, 1, 100), size_in(&rng, 1, 40),
                        size_in(&rng, 1, 3)};
        g_autoptr(CxChunk) image = random_image(&rng, size);
        CxPredictorOptions options = {
            .n_threads = 1, .type = "bf16", .isa = has_amx() ? NULL : "c"};
        g_autoptr(CxChunk) want =
            predict(network, image, cx_box_of_size(size), &options);

        expect_narrow_tilings(network, &rng, image, want, options);
    }
}

/* 8 bits: one result, whatever the instruction set, tiles and threads. */
static void
test_int8_gives_equal_bits(void)
{
    static const char *const isas[] = {"c", "avx2", "vnni", "amx"};
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 12; i++) {
        bool views = i % 6 == 4;
        g_autoptr(CxNetwork) network = random_narrow_network(&rng, 2 + i % 2);
        CxVoxel size = {size_in(&rng, 1, views ? 16 : 100),
                        size_in(&rng, 1, views ? 12 : 40),
                        size_in(&rng, 1, views ? 9 : 3)};
        g_autoptr(CxChunk) image = random_image(&rng, size);
        g_autoptr(CxChunk) want = NULL;

        network->per_section = i % 3 == 2 && !views;
        network->views = views ? 3 : 1;
        g_assert_true(cx_network_finish(network, "int8", NULL));
        calibrate(network, image);
        for (size_t k = 0; k < G_N_ELEMENTS(isas); k++) {
            CxPredictorOptions options = {
                .n_threads = 1, .type = "int8", .isa = isas[k]};
            CxLayerType type;
            CxKernels kernels;

            if (!cx_nn_choose("int8", isas[k], &type, &kernels, NULL))
                continue;
            g_autoptr(CxChunk) got =
                predict(network, image, cx_box_of_size(size), &options);
            if (want == NULL)
                want = cx_chunk_ref(got);
            g_assert_cmpmem(cx_chunk_data(got), cx_chunk_size_bytes(got),
                            cx_chunk_data(want), cx_chunk_size_bytes(want));
            expect_narrow_tilings(network, &rng, image, want, options);
        }
    }
}

/* Networks that 8 bits cannot run say so. */
static void
test_int8_refusals(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) network = random_narrow_network(&rng, 2);
    g_autoptr(CxChunk) image = random_image(&rng, (CxVoxel){20, 18, 3});
    g_autoptr(GError) error = NULL;

    network->per_section = true;
    g_assert_null(cx_program_new(network, CX_LAYER_INT8, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "random", "input_amax",
                         "int8", "fp32", NULL);
    calibrate(network, image);
    double kept = network->layers[0].amax;
    g_assert_cmpint(network->layers[0].op, ==, CX_OP_CONV);
    network->layers[0].amax = 0.0;
    g_assert_null(cx_program_new(network, CX_LAYER_INT8, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "random", "layer 000",
                         "amax", "int8", NULL);
    network->layers[0].amax = 1e-19;
    g_assert_null(cx_program_new(network, CX_LAYER_INT8, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "random", "layer 000",
                         "amax", "proportion", NULL);
    network->layers[0].amax = kept;
    g_autoptr(CxProgram) program =
        cx_program_new(network, CX_LAYER_INT8, &error);
    g_assert_no_error(error);
}

/* int8 where the network can and the processor is made for it. */
static void
test_auto(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) network = random_narrow_network(&rng, 2);
    g_autoptr(CxChunk) image = random_image(&rng, (CxVoxel){20, 18, 3});
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, network->voxel_nm, (CxNm){0.0, 0.0, 0.0}, false);
    CxPredictorOptions options = {.type = "auto"};

    network->per_section = true;
    g_autoptr(CxPredictor) plain =
        cx_predictor_new(network, volume, &options, NULL);
    g_assert_cmpstr(cx_predictor_type(plain), ==, "fp32");
    calibrate(network, image);
    g_autoptr(CxPredictor) best =
        cx_predictor_new(network, volume, &options, NULL);
    g_assert_cmpstr(cx_predictor_type(best), ==,
                    has_isa("avx2") || has_isa("avx512") ? "int8" : "fp32");
    options.isa = "c";
    g_autoptr(CxPredictor) slow =
        cx_predictor_new(network, volume, &options, NULL);
    g_assert_cmpstr(cx_predictor_type(slow), ==, "fp32");
}

typedef struct {
    CxPredictor *predictor;
    CxBox box;
} Work;

static bool
run_work(CxJob *job, void *data, GError **error)
{
    Work *work = data;
    g_autoptr(CxChunk) result =
        cx_predictor_run(work->predictor, work->box, job, error);

    return result != NULL;
}

static void
test_cancel_is_quick(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_bench_unet_network(8, 1, &error);
    g_assert_no_error(error);
    CxVoxel size = {2000, 2000, 6};
    g_autoptr(CxChunk) image = random_image(&rng, size);
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, (CxNm){4.0, 4.0, 40.0}, (CxNm){0.0, 0.0, 0.0}, false);
    CxPredictorOptions options = {.n_threads = 2};
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, volume, &options, &error);
    g_assert_no_error(error);
    g_autoptr(CxScheduler) scheduler = cx_scheduler_new(2);
    g_autoptr(CxJob) job = cx_job_new("predict");
    Work work = {predictor, cx_box_of_size(size)};

    g_assert_true(cx_scheduler_submit(scheduler, job, CX_TIER_EDIT, 0, run_work,
                                      &work, NULL));
    g_usleep(300000);
    g_assert_false(cx_job_is_over(job));
    int64_t start = g_get_monotonic_time();
    cx_job_cancel(job);
    g_assert_false(cx_job_wait(job, &error));
    g_assert_true(cx_error_is_cancelled(error));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 200000);
}

typedef struct {
    CxPredictor *predictor;
    const CxChunk *want;
    CxBox boxes[6];
} Several;

static bool
predict_one(size_t item, unsigned worker, void *data, GError **error)
{
    Several *several = data;
    g_autoptr(CxChunk) got =
        cx_predictor_run(several->predictor, several->boxes[item], NULL, error);

    if (got == NULL)
        return false;
    g_autoptr(CxChunk) cut = cx_chunk_new(CX_DTYPE_U8, several->boxes[item],
                                          cx_chunk_n_channels(got), error);
    cx_chunk_copy_overlap(cut, several->want);
    return memcmp(cx_chunk_data(got), cx_chunk_data(cut),
                  cx_chunk_size_bytes(got)) == 0;
}

static void
test_several_boxes_at_once(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);
    CxVoxel size = {60, 50, 6};
    g_autoptr(CxChunk) image = random_image(&rng, size);
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, (CxNm){4.0, 4.0, 40.0}, (CxNm){0.0, 0.0, 0.0}, false);

    network->per_section = true;
    g_autoptr(CxChunk) want =
        predict(network, image, cx_box_of_size(size), NULL);
    CxPredictorOptions options = {.n_threads = 2};
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, volume, &options, &error);
    g_assert_no_error(error);
    Several several = {.predictor = predictor, .want = want};
    for (size_t i = 0; i < G_N_ELEMENTS(several.boxes); i++)
        several.boxes[i] = random_box(&rng, size);
    g_assert_true(cx_parallel_for(3, G_N_ELEMENTS(several.boxes), predict_one,
                                  &several, NULL, &error));
    g_assert_no_error(error);
}

/* What a worker holds for the widest tile, whatever its height. */
static void
test_memory_is_bounded(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_bench_unet_network(16, 1, &error);
    g_autoptr(CxProgram) program =
        cx_program_new(network, CX_LAYER_F32, &error);
    CxKernels kernels;

    g_assert_no_error(error);
    cx_kernels_fill(&kernels, 0);
    g_autoptr(CxInfer) infer = cx_infer_new(program, &kernels);
    int64_t lo[CX_N_AXES] = {0, 0, 0}, hi[CX_N_AXES] = {4096, 1, 1024};
    size_t size = cx_infer_size_bytes(infer, lo, hi);
    g_test_message("%zu bytes for 1024 x 4096", size);
    g_assert_cmpuint(size, <=, (size_t)64 << 20);
    hi[CX_STREAM] = 100000;
    g_assert_cmpuint(cx_infer_size_bytes(infer, lo, hi), ==, size);
}

static void
test_refusals(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);
    g_autoptr(CxChunk) image = random_image(&rng, (CxVoxel){5, 4, 3});
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        image, (CxNm){4.0, 4.0, 40.0}, (CxNm){0.0, 0.0, 0.0}, false);
    g_autoptr(GError) error = NULL;
    CxPredictorOptions options = {.isa = "mmx"};

    g_assert_null(cx_predictor_new(network, volume, &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "mmx", "avx512", NULL);
    g_autoptr(CxNetwork) grower = cx_test_random_grower(&rng);
    g_assert_null(cx_predictor_new(grower, volume, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "grower", "one object",
                         NULL);
    g_setenv("CX_CPU", "quick", true);
    g_assert_null(cx_predictor_new(network, volume, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "CX_CPU", "quick", NULL);
    g_setenv("CX_CPU", "c", true);
    options.isa = "avx2";
    g_assert_null(cx_predictor_new(network, volume, &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "avx2", NULL);
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, volume, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cx_predictor_isa(predictor), ==, "c");
    g_assert_cmpstr(cx_predictor_type(predictor), ==, "fp32");
    options.isa = NULL;
    options.type = "bf16";
    g_assert_null(cx_predictor_new(network, volume, &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "bf16", "AMX", NULL);
    options.type = "int4";
    g_assert_null(cx_predictor_new(network, volume, &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "int4", "fp32", "int8",
                         NULL);
    g_assert_true(cx_predictor_network(predictor) == network);
    g_assert_true(cx_predictor_volume(predictor) == volume);
    g_unsetenv("CX_CPU");

    CxBox outside = {{0, 0, 0}, {6, 4, 3}}, empty = {{1, 1, 1}, {1, 2, 2}};
    g_assert_null(cx_predictor_run(predictor, outside, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "outside", NULL);
    g_assert_null(cx_predictor_run(predictor, empty, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "empty", NULL);
}

/* NaN counts as the least finite sample, infinities as the least and the
 * largest, and numbers near the limits of float and double overflow nowhere:
 * the same prediction as of the bytes that stand for them. */
static void
expect_as_bytes(CxNetwork *network, CxDtype dtype, double lo, double hi,
                CxRng *rng, const CxPredictorOptions *options)
{
    CxVoxel size = {21, 17, 3};
    g_autoptr(CxChunk) bytes = random_image(rng, size);
    g_autoptr(CxChunk) odd = cx_chunk_new(dtype, cx_box_of_size(size), 1, NULL);
    uint8_t *byte = cx_chunk_data_mut(bytes);
    void *data = cx_chunk_data_mut(odd);

    for (size_t i = 0; i < cx_chunk_n_voxels(bytes); i++) {
        double share = byte[i] / 255.0, v = lo * (1.0 - share) + hi * share;

        if (i < 2)
            v = i == 0 ? lo : hi, byte[i] = i == 0 ? 0 : 255;
        else if (i % 11 == 0)
            v = NAN, byte[i] = 0;
        else if (i % 13 == 0)
            v = i % 2 == 0 ? INFINITY : -INFINITY, byte[i] = i % 2 ? 0 : 255;
        if (dtype == CX_DTYPE_F32)
            ((float *)data)[i] = (float)v;
        else
            ((double *)data)[i] = v;
    }
    g_autoptr(CxChunk) got =
        predict(network, odd, cx_box_of_size(size), options);
    g_autoptr(CxChunk) want =
        predict(network, bytes, cx_box_of_size(size), options);
    g_assert_cmpmem(cx_chunk_data(got), cx_chunk_size_bytes(got),
                    cx_chunk_data(want), cx_chunk_size_bytes(want));
}

static void
test_odd_numbers(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 4; i++) {
        g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);
        CxPredictorOptions options = {.n_threads = 1};

        network->per_section = i % 2 == 1;
        expect_as_bytes(network, CX_DTYPE_F32, -1.0, 3.0, &rng, &options);
        expect_as_bytes(network, CX_DTYPE_F32, -3e38, 3e38, &rng, &options);
        expect_as_bytes(network, CX_DTYPE_F64, -1.7e308, 1.7e308, &rng,
                        &options);
        expect_as_bytes(network, CX_DTYPE_F64, -1e-300, 1e-300, &rng, &options);
    }
}

/* A volume of nothing but NaN or infinities is as good as black. */
static void
test_no_number(void)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    CxRng rng = cx_test_rng();
    CxVoxel size = {9, 8, 2};
    g_autoptr(CxNetwork) network = cx_test_random_network(&rng, 2);
    CxPredictorOptions options = {.n_threads = 1};
    g_autoptr(CxChunk) black =
        cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(size), 1, NULL);

    memset(cx_chunk_data_mut(black), 0, cx_chunk_size_bytes(black));
    g_autoptr(CxChunk) want =
        predict(network, black, cx_box_of_size(size), &options);
    for (size_t k = 0; k < G_N_ELEMENTS(bad); k++) {
        g_autoptr(CxChunk) odd =
            cx_chunk_new(CX_DTYPE_F32, cx_box_of_size(size), 1, NULL);

        for (size_t i = 0; i < cx_chunk_n_voxels(odd); i++)
            ((float *)cx_chunk_data_mut(odd))[i] = bad[k];
        g_autoptr(CxChunk) got =
            predict(network, odd, cx_box_of_size(size), &options);
        g_assert_cmpmem(cx_chunk_data(got), cx_chunk_size_bytes(got),
                        cx_chunk_data(want), cx_chunk_size_bytes(want));
    }
}

/* The layers of a small network: all of them, with sane figures. */
static void
check_layers(const char *type)
{
    CxBenchUnetOptions options = {
        .base = 8, .tile = 64, .seconds = 0.01, .type = type, .layers = true};
    g_auto(CxBenchUnetResult) result = {0};
    g_autoptr(GError) error = NULL;
    double gop = 0.0;

    g_assert_true(cx_bench_unet(&options, &result, NULL, &error));
    g_assert_cmpuint(result.layers->len, >, 20);
    for (guint i = 0; i < result.layers->len; i++) {
        const CxBenchLayer *layer =
            &g_array_index(result.layers, CxBenchLayer, i);

        g_assert_cmpstr(layer->name, !=, "");
        g_assert_cmpfloat(layer->seconds, >, 0.0);
        g_assert_true(result.peak_gop_per_s == 0.0 ? isnan(layer->share)
                                                   : layer->share >= 0.0);
        gop += layer->gop;
    }
    /* The layers together are the network. */
    g_assert_cmpfloat_with_epsilon(
        gop, result.gflop_per_s / result.mvox_per_s * 1e-3 * 64.0 * 64.0 * 1e-3,
        1e-6 * gop);
}

static void
test_bench_layers(void)
{
    check_layers("fp32");
    check_layers("int8");
    if (has_amx())
        check_layers("bf16");
}

static void
test_bench(void)
{
    CxBenchUnetOptions options = {.base = 8, .tile = 64, .seconds = 0.01};
    CxBenchUnetResult result;
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_bench_unet(&options, &result, NULL, &error));
    g_assert_cmpfloat(result.mvox_per_s, >, 0.0);
    g_assert_cmpfloat(result.gflop_per_s, >, result.mvox_per_s);
    g_assert_cmpuint(result.runs, >=, 3);
    if (has_amx()) {
        options.type = "bf16";
        g_assert_true(cx_bench_unet(&options, &result, NULL, &error));
        g_assert_cmpstr(result.isa, ==, "amx");
    }
    options.type = "int8";
    g_assert_true(cx_bench_unet(&options, &result, NULL, &error));
    g_assert_cmpfloat(result.mvox_per_cpu_s, >, 0.0);
    options.tile = 100;
    g_assert_false(cx_bench_unet(&options, &result, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "tile 100", NULL);
    options.tile = 64;
    options.type = "int3";
    g_assert_false(cx_bench_unet(&options, &result, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "int3", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nn/tiled-infer/naive-2d", test_naive_2d);
    g_test_add_func("/nn/tiled-infer/naive-3d", test_naive_3d);
    g_test_add_func("/nn/tiled-infer/naive-three-views",
                    test_naive_three_views);
    g_test_add_func("/nn/tiled-infer/cuts", test_cuts);
    g_test_add_func("/nn/tiled-infer/naive-sparse-statistics",
                    test_naive_sparse_statistics);
    g_test_add_func("/nn/tiled-infer/tilings", test_tilings_agree);
    g_test_add_func("/nn/tiled-infer/isas", test_isas_agree);
    g_test_add_func("/nn/tiled-infer/narrow-near", test_narrow_is_near);
    g_test_add_func("/nn/tiled-infer/int8-bits", test_int8_gives_equal_bits);
    g_test_add_func("/nn/tiled-infer/int8-refusals", test_int8_refusals);
    g_test_add_func("/nn/tiled-infer/auto", test_auto);
    g_test_add_func("/nn/tiled-infer/bf16-tilings",
                    test_bf16_tilings_give_equal_bits);
    g_test_add_func("/nn/tiled-infer/cancel", test_cancel_is_quick);
    g_test_add_func("/nn/tiled-infer/several", test_several_boxes_at_once);
    g_test_add_func("/nn/tiled-infer/memory", test_memory_is_bounded);
    g_test_add_func("/nn/tiled-infer/refusals", test_refusals);
    g_test_add_func("/nn/tiled-infer/bench", test_bench);
    g_test_add_func("/nn/tiled-infer/odd-numbers", test_odd_numbers);
    g_test_add_func("/nn/tiled-infer/no-number", test_no_number);
    g_test_add_func("/nn/tiled-infer/bench-layers", test_bench_layers);
    return g_test_run();
}
