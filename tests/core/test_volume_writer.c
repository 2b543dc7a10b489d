/* What writers write, readers give back, bit by bit; targets are whole or
 * absent.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/synthetic.h"
#include "core/volume/writer.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static CxChunk *
make_noise(CxRng *rng, CxDtype dtype, CxVoxel size, unsigned n_channels)
{
    CxChunk *chunk =
        cx_chunk_new(dtype, cx_box_of_size(size), n_channels, NULL);
    uint8_t *bytes = cx_chunk_data_mut(chunk);
    size_t sample = cx_dtype_size_bytes(dtype);
    size_t n = cx_chunk_size_bytes(chunk) / sample;

    for (size_t i = 0; i < n; i++) {
        /* runs, as labels have; no NaN, which never equals itself */
        if (i > 0 && cx_rng_below(rng, 3) > 0) {
            memcpy(bytes + i * sample, bytes + (i - 1) * sample, sample);
        } else if (dtype == CX_DTYPE_F32) {
            ((float *)(void *)bytes)[i] = (float)cx_rng_normal(rng);
        } else if (dtype == CX_DTYPE_F64) {
            ((double *)(void *)bytes)[i] = cx_rng_normal(rng);
        } else {
            uint64_t value = cx_rng_next(rng);

            memcpy(bytes + i * sample, &value, sample);
        }
    }
    return chunk;
}

static CxVoxel
random_size(CxRng *rng)
{
    return (CxVoxel){1 + (int64_t)cx_rng_below(rng, 150),
                     1 + (int64_t)cx_rng_below(rng, 150),
                     1 + (int64_t)cx_rng_below(rng, 70)};
}

static double
random_nm(CxRng *rng)
{
    static const double usual[] = {4, 4.6, 8, 11.24, 10, 30, 40, 45.5, 0.1};

    return cx_rng_below(rng, 2) == 0
               ? usual[cx_rng_below(rng, G_N_ELEMENTS(usual))]
               : exp(cx_rng_uniform(rng) * 10 - 2);
}

static void
assert_close(double a, double b)
{
    g_assert_cmpfloat(fabs(a - b), <=, 1e-9 * MAX(1, MAX(fabs(a), fabs(b))));
}

static void
assert_same_nm(CxNm a, CxNm b)
{
    assert_close(a.x, b.x);
    assert_close(a.y, b.y);
    assert_close(a.z, b.z);
}

/* Copies chunk to path and compares what a reader finds there. */
static void
check_round_trip(CxRng *rng, const char *path, CxChunk *chunk, bool is_labels)
{
    g_autoptr(GError) error = NULL;
    CxNm nm = {random_nm(rng), random_nm(rng), random_nm(rng)};
    CxNm offset = {0, 0, 0};
    uint64_t size_bytes = 0;

    if (cx_rng_below(rng, 2) == 0)
        offset = (CxNm){random_nm(rng) * 100, random_nm(rng), -nm.z};
    g_autoptr(CxVolume) src =
        cx_volume_from_chunk(chunk, nm, offset, is_labels);
    g_assert_true(cx_writer_copy(src, cx_chunk_box(chunk), path, NULL, NULL,
                                 &size_bytes, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(size_bytes, >, 0);

    g_autoptr(CxVolume) back = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(cx_box_equal(cx_volume_bounds(back, 0), cx_chunk_box(chunk)));
    g_assert_cmpuint(cx_volume_n_channels(back), ==,
                     cx_chunk_n_channels(chunk));
    assert_same_nm(cx_volume_level(back, 0).voxel_nm, nm);
    assert_same_nm(cx_volume_offset_nm(back), offset);
    g_autoptr(CxChunk) read =
        cx_volume_read(back, 0, cx_chunk_box(chunk), NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) same =
        cx_chunk_convert(read, cx_chunk_dtype(chunk), &error);
    g_assert_no_error(error);
    g_assert_cmpmem(cx_chunk_data(same), cx_chunk_size_bytes(same),
                    cx_chunk_data(chunk), cx_chunk_size_bytes(chunk));
}

static void
check_format(const char *name, bool all_types, unsigned max_channels)
{
    static const CxDtype narrow[] = {CX_DTYPE_U8, CX_DTYPE_U16, CX_DTYPE_F32};
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, name, NULL);
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 24; round++) {
        CxDtype dtype = all_types ? (CxDtype)(round % 10) : narrow[round % 3];
        unsigned n_channels = 1 + (unsigned)cx_rng_below(&rng, max_channels);
        g_autoptr(CxChunk) chunk =
            make_noise(&rng, dtype, random_size(&rng), n_channels);

        check_round_trip(&rng, path, chunk, dtype == CX_DTYPE_U64);
        cx_test_remove_dir(path);
    }
    cx_test_remove_dir(dir);
}

static void
test_hdf5(void)
{
    check_format("a.h5", true, 3);
}

static void
test_tiff(void)
{
    check_format("a.tif", false, 1);
}

static void
test_slices(void)
{
    check_format("slices/", false, 1);
}

static void
test_zarr(void)
{
    check_format("a.zarr", true, 3);
}

/* Corners at whole voxels; no f64 and i64. */
static void
test_precomputed(void)
{
    static const CxDtype dtypes[] = {CX_DTYPE_U8, CX_DTYPE_U64, CX_DTYPE_F32,
                                     CX_DTYPE_U32};
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.precomputed", NULL);
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < 12; i++) {
        CxDtype dtype = dtypes[i % 4];
        CxVoxel size = random_size(&rng);
        bool labels = i % 2 == 1;
        CxNm nm = {4.6, random_nm(&rng), 40}, offset = {-46, 0, 120};
        g_autoptr(CxChunk) chunk = make_noise(&rng, dtype, size, 1);
        g_autoptr(CxVolume) src =
            cx_volume_from_chunk(chunk, nm, offset, labels);

        g_assert_true(cx_writer_copy(src, cx_chunk_box(chunk), path, NULL, NULL,
                                     NULL, &error));
        g_assert_no_error(error);
        g_autoptr(CxVolume) back = cx_volume_open(path, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(cx_volume_is_labels(back), ==, labels);
        assert_same_nm(cx_volume_level(back, 0).voxel_nm, nm);
        assert_same_nm(cx_volume_offset_nm(back), offset);
        g_autoptr(CxChunk) read =
            cx_volume_read(back, 0, cx_chunk_box(chunk), NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(cx_chunk_data(read), cx_chunk_size_bytes(read),
                        cx_chunk_data(chunk), cx_chunk_size_bytes(chunk));
        cx_test_remove_dir(path);
        offset.x = -45;
        g_autoptr(CxVolume) aslant =
            cx_volume_from_chunk(chunk, nm, offset, labels);
        g_assert_false(cx_writer_copy(aslant, cx_chunk_box(chunk), path, NULL,
                                      NULL, NULL, &error));
        cx_test_expect_error(&error, CX_ERROR_INVALID, "-45 nm", ".zarr", NULL);
    }
    cx_test_remove_dir(dir);
}

/* Labels go to TIFF with as many bits as the largest needs. */
static void
test_tiff_labels_narrow(void)
{
    static const struct {
        uint64_t largest;
        CxDtype dtype;
    } cases[] = {
        {200, CX_DTYPE_U8},
        {60000, CX_DTYPE_U16},
        {4000000000, CX_DTYPE_U32},
    };
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "labels.tif", NULL);
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(CxChunk) chunk = cx_chunk_new(
            CX_DTYPE_U64, cx_box_of_size((CxVoxel){30, 20, 40}), 1, NULL);
        uint64_t *labels = cx_chunk_data_mut(chunk);

        for (size_t k = 0; k < cx_chunk_n_voxels(chunk); k++)
            labels[k] = cx_rng_below(&rng, cases[i].largest + 1);
        labels[7] = cases[i].largest;
        check_round_trip(&rng, path, chunk, true);
        g_autoptr(CxVolume) back = cx_volume_open(path, NULL, NULL);
        g_assert_cmpint(cx_volume_dtype(back), ==, cases[i].dtype);
        cx_test_remove_dir(path);
    }

    g_autoptr(CxChunk) large =
        make_noise(&rng, CX_DTYPE_U64, (CxVoxel){5, 5, 5}, 1);
    g_autoptr(CxVolume) src =
        cx_volume_from_chunk(large, (CxNm){1, 1, 1}, (CxNm){0, 0, 0}, true);
    g_assert_false(cx_writer_copy(src, cx_chunk_box(large), path, NULL, NULL,
                                  NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, ".h5", ".zarr", NULL);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    cx_test_remove_dir(dir);
}

static size_t
count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    size_t n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void
test_targets_are_whole_or_absent(void)
{
    static const char *const names[] = {"a.h5", "a.tif", "a.zarr", "slices/"};
    g_autofree char *dir = cx_test_make_dir();
    CxWriterOptions options = {.size = {70, 70, 70}, .dtype = CX_DTYPE_U8};
    g_autoptr(GError) error = NULL;
    CxRng rng = cx_test_rng();

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);
        g_autoptr(CxWriter) writer = cx_writer_new(path, &options, &error);
        g_assert_no_error(error);
        CxBox box = cx_box_of_size(options.size);
        box.hi.z = cx_writer_slab(writer);
        g_autoptr(CxChunk) slab = make_noise(&rng, CX_DTYPE_U8, box.hi, 1);

        g_assert_true(cx_writer_write(writer, slab, &error));
        g_assert_false(cx_writer_write(writer, slab, &error));
        cx_test_expect_error(&error, CX_ERROR_INVALID, "out of turn", NULL);
        g_assert_false(cx_writer_finish(writer, NULL, &error));
        cx_test_expect_error(&error, CX_ERROR_INVALID, "70", NULL);
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
        g_assert_cmpuint(count_entries(dir), ==, 1);
        cx_writer_free(g_steal_pointer(&writer));
        g_assert_cmpuint(count_entries(dir), ==, 0);
    }
    cx_test_remove_dir(dir);
}

static void
test_existing_target(void)
{
    static const char *const names[] = {"a.h5", "a.tif", "a.zarr", "slices/"};
    g_autofree char *dir = cx_test_make_dir();
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) first =
        make_noise(&rng, CX_DTYPE_U8, (CxVoxel){9, 8, 7}, 1);
    g_autoptr(CxChunk) second =
        make_noise(&rng, CX_DTYPE_U8, (CxVoxel){5, 6, 3}, 1);
    g_autoptr(CxVolume) a =
        cx_volume_from_chunk(first, (CxNm){1, 1, 1}, (CxNm){0, 0, 0}, false);
    g_autoptr(CxVolume) b =
        cx_volume_from_chunk(second, (CxNm){1, 1, 1}, (CxNm){0, 0, 0}, false);
    CxWriterOptions force = {.overwrite = true};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);
        CxBox box = cx_chunk_box(second);

        g_assert_true(cx_writer_copy(a, cx_chunk_box(first), path, NULL, NULL,
                                     NULL, &error));
        g_assert_false(cx_writer_copy(b, box, path, NULL, NULL, NULL, &error));
        cx_test_expect_error(&error, CX_ERROR_EXISTS, "already", NULL);
        g_assert_true(cx_writer_copy(b, box, path, &force, NULL, NULL, &error));
        g_assert_no_error(error);
        g_autoptr(CxVolume) back = cx_volume_open(path, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(cx_box_equal(cx_volume_bounds(back, 0), box));
    }
    g_assert_cmpuint(count_entries(dir), ==, G_N_ELEMENTS(names));
    cx_test_remove_dir(dir);
}

static void
test_box_keeps_its_place(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.h5", NULL);
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk =
        make_noise(&rng, CX_DTYPE_U16, (CxVoxel){40, 30, 20}, 1);
    g_autoptr(CxVolume) src =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 40}, (CxNm){100, 0, 0}, false);
    CxBox box = {{3, 5, 7}, {31, 25, 15}};

    g_assert_true(cx_writer_copy(src, box, path, NULL, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(CxVolume) back = cx_volume_open(path, NULL, &error);
    assert_same_nm(cx_volume_offset_nm(back), (CxNm){112, 20, 280});
    g_autoptr(CxChunk) read =
        cx_volume_read(back, 0, cx_volume_bounds(back, 0), NULL, &error);
    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++)
            for (int64_t x = box.lo.x; x < box.hi.x; x++)
                g_assert_cmpuint(
                    cx_chunk_label_at(read, (CxVoxel){x - 3, y - 5, z - 7}), ==,
                    cx_chunk_label_at(chunk, (CxVoxel){x, y, z}));
    cx_test_remove_dir(dir);
}

static void
test_values_that_do_not_fit(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.h5", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk =
        cx_chunk_new(CX_DTYPE_U64, cx_box_of_size((CxVoxel){2, 1, 1}), 1, NULL);
    uint64_t *labels = cx_chunk_data_mut(chunk);
    CxWriterOptions options = {.dtype = CX_DTYPE_U16, .is_labels = true};

    labels[0] = 65535, labels[1] = 65536;
    g_autoptr(CxVolume) src =
        cx_volume_from_chunk(chunk, (CxNm){1, 1, 1}, (CxNm){0, 0, 0}, true);
    g_assert_false(cx_writer_copy(src, cx_chunk_box(chunk), path, &options,
                                  NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "uint16", NULL);
    labels[1] = 3;
    g_assert_true(cx_writer_copy(src, cx_chunk_box(chunk), path, &options, NULL,
                                 NULL, &error));
    cx_test_remove_dir(dir);
}

static void
test_names_without_a_format(void)
{
    CxWriterOptions options = {.size = {1, 1, 1}};
    g_autoptr(GError) error = NULL;

    g_assert_null(cx_writer_new("/tmp/a.xyz", &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "a.xyz", ".h5", NULL);
    g_assert_null(cx_writer_new("/nonexistent/a.tif", &options, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/nonexistent", NULL);
    g_assert_null(cx_writer_new("/nonexistent/a.h5", &options, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/nonexistent", NULL);
    g_assert_null(cx_writer_new("/dev/null/a.zarr", &options, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/dev/null", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/writer/hdf5", test_hdf5);
    g_test_add_func("/writer/tiff", test_tiff);
    g_test_add_func("/writer/slices", test_slices);
    g_test_add_func("/writer/zarr", test_zarr);
    g_test_add_func("/writer/precomputed", test_precomputed);
    g_test_add_func("/writer/tiff-labels", test_tiff_labels_narrow);
    g_test_add_func("/writer/whole-or-absent",
                    test_targets_are_whole_or_absent);
    g_test_add_func("/writer/existing", test_existing_target);
    g_test_add_func("/writer/box", test_box_keeps_its_place);
    g_test_add_func("/writer/fit", test_values_that_do_not_fit);
    g_test_add_func("/writer/names", test_names_without_a_format);
    return g_test_run();
}
