/* HDF5 data sets of other programs, read through cx_volume.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/volume.h"
#include "tests/support/check.h"

static CxVolume *
open_real(const char *relative, const char *dataset)
{
    g_autofree char *path = cx_test_data_path(relative);
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return NULL;
    g_autofree char *spec = g_strconcat(path, dataset, NULL);
    CxVolume *volume = cx_volume_open(spec, NULL, &error);
    g_assert_no_error(error);
    return volume;
}

static void
test_cremi_geometry(void)
{
    g_autoptr(CxVolume) volume = open_real("fib-medulla/test.h5", "");

    if (volume == NULL)
        return;
    CxLevel level = cx_volume_level(volume, 0);
    g_assert_cmpstr(cx_volume_format(volume), ==, "hdf5");
    g_assert_cmpint(level.size.x, ==, 250);
    g_assert_cmpint(level.size.y, ==, 250);
    g_assert_cmpint(level.size.z, ==, 50);
    g_assert_cmpint(cx_volume_dtype(volume), ==, CX_DTYPE_U8);
    g_assert_true(cx_volume_has_voxel_size(volume));
    g_assert_cmpfloat(level.voxel_nm.z, ==, 10);
    g_assert_false(cx_volume_is_labels(volume));
}

static void
test_cremi_labels_are_exact(void)
{
    g_autoptr(CxVolume) volume =
        open_real("fib-medulla/test.h5", ":/volumes/labels/neuron_ids");
    g_autoptr(GError) error = NULL;

    if (volume == NULL)
        return;
    g_assert_true(cx_volume_is_labels(volume));
    g_assert_cmpint(cx_volume_dtype(volume), ==, CX_DTYPE_U64);

    CxBox box = {{17, 30, 4}, {63, 47, 11}};
    g_autoptr(CxChunk) all = cx_volume_read_labels(
        volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) part =
        cx_volume_read_labels(volume, 0, box, NULL, &error);
    g_assert_no_error(error);
    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++)
            for (int64_t x = box.lo.x; x < box.hi.x; x++)
                g_assert_cmpuint(cx_chunk_label_at(all, (CxVoxel){x, y, z}), ==,
                                 cx_chunk_label_at(part, (CxVoxel){x, y, z}));
}

static void
test_list_names_every_dataset(void)
{
    g_autofree char *path = cx_test_data_path("fib-medulla/train.h5");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    g_autoptr(GPtrArray) list = cx_volume_list(path, &error);
    g_assert_true(cx_volume_may_hold_several(path));
    g_assert_no_error(error);
    g_assert_cmpuint(list->len, ==, 3);
    const CxDatasetInfo *first = g_ptr_array_index(list, 0);
    g_assert_cmpstr(first->path, ==, "/volumes/labels/neuron_ids");
    g_assert_true(first->is_labels);
}

static void
test_missing_filter_is_named(void)
{
    g_autofree char *path = cx_test_data_path("golden/gala/train-ws.lzf.h5");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    g_assert_null(cx_volume_open(path, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "LZF", path, NULL);
}

static void
test_missing_dataset_lists_what_is_there(void)
{
    g_autofree char *path = cx_test_data_path("fib-medulla/train.h5");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    g_autofree char *spec = g_strconcat(path, ":/volumes/nothing", NULL);
    g_assert_null(cx_volume_open(spec, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/volumes/nothing",
                         "/volumes/raw", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hdf5/cremi", test_cremi_geometry);
    g_test_add_func("/hdf5/labels", test_cremi_labels_are_exact);
    g_test_add_func("/hdf5/list", test_list_names_every_dataset);
    g_test_add_func("/hdf5/filter", test_missing_filter_is_named);
    g_test_add_func("/hdf5/no-dataset",
                    test_missing_dataset_lists_what_is_there);
    return g_test_run();
}
