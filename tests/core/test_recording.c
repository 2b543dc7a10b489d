/* Films and rates, there and back; files that are damaged or foreign.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/recording.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <hdf5.h>
#include <math.h>

typedef struct {
    char *dir, *path;
} Fixture;

static void
set_up(Fixture *f, const void *data)
{
    f->dir = cx_test_make_dir();
    f->path = g_build_filename(f->dir, "naturalscene.h5", NULL);
}

static void
tear_down(Fixture *f, const void *data)
{
    cx_test_remove_dir(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

static CxMovie *
random_movie(CxRng *rng, size_t n_frames)
{
    CxMovie *movie = cx_movie_new(n_frames, 3, 4, NULL);

    for (size_t i = 0; i < n_frames * 12; i++)
        movie->data[i] = (float)cx_rng_normal(rng);
    return movie;
}

static void
test_there_and_back(Fixture *f, const void *data)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) train = random_movie(&rng, 5000);
    g_autoptr(CxMovie) test = random_movie(&rng, 7);
    g_autofree float *rates = g_new(float, 5000 * 2);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < 10000; i++)
        rates[i] = (float)cx_rng_uniform(&rng);
    CxRecordingContent a = {train, rates, 2}, b = {test, rates, 1};
    g_assert_true(
        cx_recording_write(f->path, "simulated retina", &a, &b, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(CxRecording) r = cx_recording_open(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cx_recording_source(r), ==, "simulated retina");
    g_assert_cmpuint(cx_recording_n_frames(r, CX_RECORDING_TRAIN), ==, 5000);
    g_assert_cmpuint(cx_recording_n_frames(r, CX_RECORDING_TEST), ==, 7);
    g_assert_cmpuint(cx_recording_height(r, CX_RECORDING_TEST), ==, 3);
    g_assert_cmpuint(cx_recording_width(r, CX_RECORDING_TEST), ==, 4);
    g_assert_cmpuint(cx_recording_n_cells(r, CX_RECORDING_TRAIN, CX_RATE_10MS),
                     ==, 2);
    g_assert_cmpuint(
        cx_recording_n_cells(r, CX_RECORDING_TRAIN, CX_RATE_BINNED), ==, 0);
    g_autoptr(CxMovie) part =
        cx_recording_read_movie(r, CX_RECORDING_TRAIN, 4090, 20, &error);
    CX_AUTOFREE float *found = cx_recording_read_rates(
        r, CX_RECORDING_TRAIN, CX_RATE_10MS, 4090, 20, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(part->data, 20 * 48, cx_movie_frame(train, 4090), 20 * 48);
    g_assert_cmpmem(found, 160, rates + 2 * 4090, 160);
    g_assert_null(cx_recording_read_movie(r, CX_RECORDING_TEST, 5, 3, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "/test", NULL);
    g_assert_null(cx_recording_read_rates(r, CX_RECORDING_TRAIN, CX_RATE_5MS, 0,
                                          1, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "firing_rate_5ms", NULL);
}

/* As the published files have it: bytes, doubles, all four kinds. */
static void
write_foreign(const char *path, hsize_t n_rates)
{
    static const char *const names[] = {"firing_rate_5ms", "firing_rate_10ms",
                                        "firing_rate_20ms", "binned"};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t dims[3] = {6, 2, 2}, rate_dims[2] = {3, n_rates};
    hid_t group =
        H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t response =
        H5Gcreate2(group, "response", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    uint8_t pixels[24];
    double rates[30];

    for (unsigned i = 0; i < 24; i++)
        pixels[i] = (uint8_t)(10 * i);
    for (unsigned i = 0; i < 30; i++)
        rates[i] = 0.5 * i;
    hid_t space = H5Screate_simple(3, dims, NULL);
    hid_t set = H5Dcreate2(group, "stimulus", H5T_STD_U8LE, space, H5P_DEFAULT,
                           H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, pixels);
    H5Dclose(set);
    H5Sclose(space);
    space = H5Screate_simple(2, rate_dims, NULL);
    for (unsigned k = 0; k < 4; k++) {
        set = H5Dcreate2(response, names[k], H5T_IEEE_F64LE, space, H5P_DEFAULT,
                         H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, rates);
        H5Dclose(set);
    }
    H5Sclose(space);
    H5Gclose(response);
    H5Gclose(group);
    H5Fclose(file);
}

static void
test_foreign(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    double mean, sd;

    write_foreign(f->path, 6);
    g_autoptr(CxRecording) r = cx_recording_open(f->path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cx_recording_source(r), ==, "");
    g_assert_cmpuint(cx_recording_n_frames(r, CX_RECORDING_TEST), ==, 0);
    for (unsigned k = 0; k < CX_N_RATES; k++)
        g_assert_cmpuint(cx_recording_n_cells(r, CX_RECORDING_TRAIN, k), ==, 3);
    g_autoptr(CxMovie) movie =
        cx_recording_read_movie(r, CX_RECORDING_TRAIN, 1, 5, &error);
    g_assert_cmpfloat(movie->data[0], ==, 40.0f);
    CX_AUTOFREE float *rates = cx_recording_read_rates(
        r, CX_RECORDING_TRAIN, CX_RATE_BINNED, 2, 2, &error);
    g_assert_cmpfloat(rates[0], ==, 1.0f);
    g_assert_cmpfloat(rates[1], ==, 4.0f);
    g_assert_cmpfloat(rates[3], ==, 1.5f);
    cx_movie_statistics(movie, &mean, &sd);
    g_assert_cmpfloat_with_epsilon(mean, 135.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(sd, 10.0 * sqrt(33.25), 1e-9);
    cx_movie_normalise(movie, mean, sd);
    cx_movie_statistics(movie, &mean, &sd);
    g_assert_cmpfloat_with_epsilon(mean, 0.0, 1e-6);
    g_assert_cmpfloat_with_epsilon(sd, 1.0, 1e-5);
}

static void
test_refused(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize n;

    g_assert_null(cx_recording_open(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, f->path, NULL);
    write_foreign(f->path, 5);
    g_assert_null(cx_recording_open(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "3 x 5", "6 frames", NULL);
    write_foreign(f->path, 6);
    g_assert_true(g_file_get_contents(f->path, &bytes, &n, NULL));
    g_assert_true(g_file_set_contents(f->path, bytes, (gssize)n / 2, NULL));
    g_assert_null(cx_recording_open(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, f->path, NULL);
    g_assert_true(g_file_set_contents(f->path, "no", 2, NULL));
    g_assert_null(cx_recording_open(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, f->path, NULL);
    hid_t file = H5Fcreate(f->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    g_assert_null(cx_recording_open(f->path, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "/train/stimulus", NULL);
}

/* Nothing is left of a file that was not finished. */
static void
test_cancelled(Fixture *f, const void *data)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = random_movie(&rng, 50);
    g_autofree float *rates = g_new0(float, 50);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("test");
    CxRecordingContent content = {movie, rates, 1};
    g_autofree char *part = g_strconcat(f->path, ".part", NULL);
    g_autofree char *nowhere = g_build_filename(f->dir, "no", "a.h5", NULL);

    cx_job_cancel(job);
    g_assert_false(
        cx_recording_write(f->path, "", &content, NULL, job, &error));
    cx_test_expect_error(&error, CX_ERROR_CANCELLED, NULL);
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(part, G_FILE_TEST_EXISTS));
    g_assert_false(
        cx_recording_write(nowhere, "", &content, NULL, NULL, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, nowhere));
}

#define ADD(name, func)                                                        \
    g_test_add("/recording/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("there-and-back", test_there_and_back);
    ADD("foreign", test_foreign);
    ADD("refused", test_refused);
    ADD("cancelled", test_cancelled);
    return g_test_run();
}
