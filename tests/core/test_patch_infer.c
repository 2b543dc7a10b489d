/* Networks on single patches: against the naive twin, over threads, types and
 * instruction sets, and against the published reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/nn/patch_infer.h"
#include "tests/support/check.h"
#include "tests/support/model.h"

#include <math.h>
#include <string.h>

static const char *const all_isas[] = {"c", "avx2", "avx512"};

static float *
random_input(CxRng *rng, size_t n)
{
    float *values = g_new(float, n);

    for (size_t i = 0; i < n; i++)
        values[i] = (float)cx_rng_normal(rng);
    return values;
}

/* Runs a patch whose two channels lie one after the other; NULL if the
 * instruction set is not to be had. */
static float *
run(CxNetwork *network, const float *input, CxVoxel size,
    const CxPatchOptions *options)
{
    size_t n = (size_t)(size.x * size.y * size.z);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxPatchInfer) infer =
        cx_patch_infer_new(network, size, options, &error);

    if (infer == NULL) {
        g_assert_cmpint(error->code, ==, CX_ERROR_INVALID);
        g_test_message("left out: %s", error->message);
        return NULL;
    }
    float *output = g_new(float, n);
    for (unsigned repeat = 0; repeat < 2; repeat++)
        g_assert_true(cx_patch_infer_run(
            infer, (const float *[]){input, input + n}, output, NULL, &error));
    return output;
}

static double
largest_difference(const double *expected, const float *found, size_t n)
{
    double most = 0.0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(expected[i] - (double)found[i]));
    return most;
}

static double
largest(const double *values, size_t n)
{
    double most = 0.0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

static CxVoxel
random_size(CxRng *rng)
{
    return (CxVoxel){1 + (int64_t)cx_rng_below(rng, 20),
                     1 + (int64_t)cx_rng_below(rng, 9),
                     1 + (int64_t)cx_rng_below(rng, 9)};
}

static void
test_naive(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 12; round++) {
        g_autoptr(CxNetwork) network = cx_test_random_grower(&rng);
        CxVoxel size = random_size(&rng);
        size_t n = (size_t)(size.x * size.y * size.z);
        g_autofree float *input = random_input(&rng, 2 * n);
        g_autofree double *expected = cx_test_naive_patch(network, input, size);

        for (size_t i = 0; i < G_N_ELEMENTS(all_isas); i++) {
            CxPatchOptions options = {.n_threads = 1 + round % 3,
                                      .isa = all_isas[i]};
            g_autofree float *found = run(network, input, size, &options);

            if (found != NULL)
                g_assert_cmpfloat(largest_difference(expected, found, n), <=,
                                  1e-5 * (1.0 + largest(expected, n)));
        }
    }
}

/* Weights and samples of 8 bits: errors of some 2^-8 of the values add up
 * like noise. */
static void
test_bf16(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 12; round++) {
        g_autoptr(CxNetwork) network = cx_test_random_grower(&rng);
        CxVoxel size = random_size(&rng);
        size_t n = (size_t)(size.x * size.y * size.z);
        g_autofree float *input = random_input(&rng, 2 * n);
        g_autofree double *expected = cx_test_naive_patch(network, input, size);
        CxPatchOptions plain = {.isa = "c", .type = "bf16"};
        CxPatchOptions fast = {.n_threads = 2, .type = "bf16"};
        g_autofree float *found = run(network, input, size, &plain);
        g_autofree float *tiles = run(network, input, size, &fast);

        g_assert_nonnull(found);
        g_assert_cmpfloat(largest_difference(expected, found, n), <=,
                          0.05 * (1.0 + largest(expected, n)));
        if (tiles != NULL)
            g_assert_cmpfloat(largest_difference(expected, tiles, n), <=,
                              0.05 * (1.0 + largest(expected, n)));
    }
}

static void
test_threads_agree(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) network = cx_test_random_grower(&rng);
    CxVoxel size = {17, 11, 9};
    g_autofree float *input = random_input(&rng, 2 * 17 * 11 * 9);
    g_autofree float *one =
        run(network, input, size, &(CxPatchOptions){.n_threads = 1});
    g_autofree float *three =
        run(network, input, size, &(CxPatchOptions){.n_threads = 3});

    g_assert_cmpmem(one, 17 * 11 * 9 * sizeof *one, three,
                    17 * 11 * 9 * sizeof *three);
}

static void
test_refusals(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) unet = cx_test_random_network(&rng, 3);
    g_autoptr(CxNetwork) grower = cx_test_random_grower(&rng);
    g_autoptr(GError) error = NULL;

    g_assert_null(cx_patch_infer_new(unet, (CxVoxel){9, 9, 9}, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "random", "conv and add",
                         NULL);
    g_assert_null(cx_patch_infer_new(grower, (CxVoxel){9, 0, 9}, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "9,0,9", "1 to 512", NULL);
}

static void
test_cancelled(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) network = cx_test_random_grower(&rng);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxPatchInfer) infer =
        cx_patch_infer_new(network, (CxVoxel){5, 5, 5}, NULL, &error);
    g_autoptr(CxJob) job = cx_job_new("test");
    float input[125] = {0}, output[125];

    cx_job_cancel(job);
    g_assert_false(cx_patch_infer_run(infer, (const float *[]){input, input},
                                      output, job, &error));
    g_assert_cmpint(error->code, ==, CX_ERROR_CANCELLED);
}

/* ---- the published network ---- */

static const char unpack_reference[] =
    "import sys, numpy as np\n"
    "r = np.load(sys.argv[1])\n"
    "np.concatenate([r[k].astype('<f4').ravel() for k in"
    " ('image', 'seed', 'out_logit')]).tofile(sys.argv[2])\n";

static bool
python(const char *const *arguments)
{
    int status = -1;
    g_autofree char *text = NULL;

    return g_spawn_sync(NULL, (char **)arguments, NULL,
                        G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &text,
                        &status, NULL) &&
           status == 0;
}

static void
expect_reference(CxNetwork *network, const float *data, const char *type,
                 double most)
{
    enum { N = 33 * 33 * 33 };
    g_autoptr(GError) error = NULL;
    CxPatchOptions options = {.n_threads = 1, .type = type};
    g_autoptr(CxPatchInfer) infer =
        cx_patch_infer_new(network, (CxVoxel){33, 33, 33}, &options, &error);
    g_autofree float *output = g_new(float, N);
    double worst = 0.0;

    if (infer == NULL) {
        g_test_message("left out: %s", error->message);
        return;
    }
    gint64 start = g_get_monotonic_time();
    g_assert_true(cx_patch_infer_run(infer, (const float *[]){data, data + N},
                                     output, NULL, &error));
    for (size_t i = 0; i < N; i++)
        worst = fmax(worst, fabs((double)output[i] + (double)data[N + i] -
                                 (double)data[2 * N + i]));
    g_test_message("%s, %s: largest difference %.2g, %.3f s", type,
                   cx_patch_infer_isa(infer), worst,
                   (double)(g_get_monotonic_time() - start) * 1e-6);
    g_assert_cmpfloat(worst, <=, most);
}

static void
test_reference(void)
{
    g_autofree char *weights =
        cx_test_data_path("ffn-fib25/ffn_fib25_weights_DHWIO_f32.npz");
    if (weights == NULL)
        return;
    g_autofree char *reference =
        cx_test_data_path("ffn-fib25/ffn_one_fov_reference_numpy.npz");
    if (reference == NULL)
        return;
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *model = g_build_filename(dir, "ffn.h5", NULL);
    g_autofree char *raw = g_build_filename(dir, "reference.f32", NULL);
    const char *const convert[] = {
        "/usr/bin/python3", CX_SOURCE_DATA_DIR "/models/train/ffn_from_npz.py",
        weights, model, NULL};
    const char *const unpack[] = {"/usr/bin/python3", "-c", unpack_reference,
                                  reference,          raw,  NULL};
    g_autofree char *data = NULL;
    gsize n_bytes = 0;

    if (!python(convert) || !python(unpack)) {
        g_test_skip("python3 with numpy and h5py is needed to convert the "
                    "published network");
        cx_test_remove_dir(dir);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_network_load(model, &error);
    g_assert_no_error(error);
    g_assert_true(cx_network_grows(network));
    g_assert_true(g_file_get_contents(raw, &data, &n_bytes, &error));
    g_assert_cmpuint(n_bytes, ==, 3 * 33 * 33 * 33 * sizeof(float));
    expect_reference(network, (const float *)(const void *)data, "fp32", 1e-3);
    expect_reference(network, (const float *)(const void *)data, "bf16", 0.3);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/patch-infer/naive", test_naive);
    g_test_add_func("/patch-infer/bf16", test_bf16);
    g_test_add_func("/patch-infer/threads-agree", test_threads_agree);
    g_test_add_func("/patch-infer/refusals", test_refusals);
    g_test_add_func("/patch-infer/cancelled", test_cancelled);
    g_test_add_func("/patch-infer/reference", test_reference);
    return g_test_run();
}
