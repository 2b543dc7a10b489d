/* Zarr arrays of other programs, levels of OME-NGFF, damaged metadata.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/synthetic.h"
#include "core/volume/writer.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <string.h>

/* Each array counts up in steps of one, in C order. */
static void
check_counting(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) chunk =
        cx_volume_read(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cx_chunk_dtype(chunk), ==, CX_DTYPE_I16);
    const int16_t *samples = cx_chunk_data(chunk);
    for (size_t i = 1; i < cx_chunk_n_voxels(chunk); i++)
        g_assert_cmpint(samples[i], ==, samples[i - 1] + 1);
}

static void
check_all(const char *relative, unsigned n_expected)
{
    g_autofree char *root = cx_test_data_path(relative);
    unsigned n = 0;
    const char *name;

    if (root == NULL)
        return;
    g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(root, name, NULL);

        if ((name[0] == '2' || name[0] == '3') && strstr(name, ".i2") != NULL) {
            check_counting(path);
            n++;
        }
    }
    g_assert_cmpuint(n, ==, n_expected);
}

static void
test_version_2(void)
{
    check_all("formats/datasource/zarr/zarr_v2/from_zarr-python/data.zarr", 7);
}

static void
test_version_3(void)
{
    check_all("formats/datasource/zarr/zarr_v3/from_zarrita/data.zarr", 14);
}

static void
test_levels(void)
{
    static const char *const names[] = {"simple_0.4", "simple_0.5"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *relative = g_build_filename(
            "formats/datasource/zarr/ome_zarr", names[i], NULL);
        g_autofree char *path = cx_test_data_path(relative);
        g_autoptr(GError) error = NULL;

        if (path == NULL)
            return;
        g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(cx_volume_n_levels(volume), ==, 3);
        CxLevel fine = cx_volume_level(volume, 0);
        CxLevel coarse = cx_volume_level(volume, 2);
        g_assert_cmpint(fine.size.x, ==, 10);
        g_assert_cmpint(coarse.size.x, ==, 2);
        g_assert_cmpfloat(fine.voxel_nm.x, ==, 30);
        g_assert_cmpfloat(fine.voxel_nm.y, ==, 4);
        g_assert_cmpfloat(coarse.voxel_nm.x, ==, 120);
        g_assert_cmpfloat(cx_volume_offset_nm(volume).x, ==, -15);
        g_autoptr(CxChunk) chunk = cx_volume_read(
            volume, 2, cx_volume_bounds(volume, 2), NULL, &error);
        g_assert_no_error(error);
    }
}

static char *
write_sample(const char *dir)
{
    CxBox box = cx_box_of_size((CxVoxel){70, 66, 5});
    g_autoptr(CxChunk) chunk = cx_chunk_new(CX_DTYPE_U16, box, 1, NULL);
    uint16_t *samples = cx_chunk_data_mut(chunk);
    char *path = g_build_filename(dir, "a.zarr", NULL);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++)
        samples[i] = (uint16_t)i;
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 40}, (CxNm){0, 0, 0}, false);
    g_assert_true(cx_writer_copy(volume, box, path, NULL, NULL, NULL, &error));
    g_assert_no_error(error);
    return path;
}

/* Opens and reads all of it; true, or false with a proper error. */
static bool
try_read(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = cx_volume_list(path, NULL);
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_autoptr(CxChunk) chunk = NULL;

    if (volume != NULL) {
        CxVoxel size = cx_volume_level(volume, 0).size;
        CxVoxel part = {MIN(size.x, 80), MIN(size.y, 80), MIN(size.z, 8)};

        chunk = cx_volume_read(volume, 0, cx_box_of_size(part), NULL, &error);
    }
    g_assert_true((chunk == NULL) == (error != NULL));
    if (error != NULL) {
        g_assert_true(error->domain == CX_ERROR);
        g_assert_null(strchr(error->message, '\n'));
    }
    return chunk != NULL;
}

/* Random bytes of one file changed, or its end cut off; then mended. */
static void
test_damaged_files(void)
{
    static const char *const files[] = {".zattrs", "0/.zarray", "0/0/0/0"};
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = write_sample(dir);
    CxRng rng = cx_test_rng();
    unsigned n_read = 0;

    g_assert_true(try_read(path));
    for (size_t i = 0; i < 600; i++) {
        g_autofree char *file = g_build_filename(path, files[i % 3], NULL);
        g_autofree char *content = NULL;
        size_t length;

        g_assert_true(g_file_get_contents(file, &content, &length, NULL));
        g_autofree char *changed = g_memdup2(content, length);
        size_t cut = i % 5 == 0 ? cx_rng_below(&rng, length) : length;
        for (size_t k = 0; k < 1 + i % 4; k++)
            changed[cx_rng_below(&rng, length)] =
                i % 2 == 0 ? (char)(' ' + cx_rng_below(&rng, 95))
                           : (char)cx_rng_next(&rng);
        g_assert_true(g_file_set_contents(file, changed, (gssize)cut, NULL));
        n_read += try_read(path);
        g_assert_true(g_file_set_contents(file, content, (gssize)length, NULL));
    }
    g_test_message("%u of 600 still readable", n_read);
    g_assert_true(try_read(path));
    cx_test_remove_dir(dir);
}

static void
check_metadata(const char *path, const char *array, const char *found)
{
    g_autofree char *file = g_build_filename(path, "0", ".zarray", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(file, array, -1, NULL));
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_assert_null(volume);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, found));
}

static void
test_hostile_metadata(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = write_sample(dir);
    g_autofree char *attributes = g_build_filename(path, ".zattrs", NULL);
    GString *deep = g_string_new(NULL);

    check_metadata(path,
                   "{\"shape\":[4,4,4],\"chunks\":[1000000,1000000,1000000],"
                   "\"dtype\":\"<u8\"}",
                   "1 GiB");
    check_metadata(path,
                   "{\"shape\":[4,4,4],\"chunks\":[0,1,1],\"dtype\":\"<u8\"}",
                   "chunks");
    check_metadata(path,
                   "{\"shape\":[1099511627776,1099511627776,1099511627776],"
                   "\"chunks\":[4,4,4],\"dtype\":\"<u8\"}",
                   "beyond any file");
    check_metadata(path,
                   "{\"shape\":[-1,4,4],\"chunks\":[1,1,1],\"dtype\":\"<u8\"}",
                   "shape");
    check_metadata(path,
                   "{\"shape\":[4,4,4],\"chunks\":[1,1,1],\"dtype\":\"<c8\"}",
                   "numbers");
    check_metadata(path,
                   "{\"shape\":[4,4,4],\"chunks\":[1,1,1],\"dtype\":\"<u8\","
                   "\"compressor\":{\"id\":\"lzma\"}}",
                   "lzma");
    for (int i = 0; i < 100000; i++)
        g_string_append_c(deep, '[');
    check_metadata(path, deep->str, "nested");
    g_string_free(deep, TRUE);

    g_assert_true(g_file_set_contents(
        attributes,
        "{\"multiscales\":[{\"datasets\":[{\"path\":\"../../x\"}]}]}", -1,
        NULL));
    check_metadata(path, "{}", "outside");
    cx_test_remove_dir(dir);
}

static void
test_missing_dataset(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = write_sample(dir);
    g_autofree char *good = g_strconcat(path, ":/0", NULL);
    g_autofree char *bad = g_strconcat(path, ":/nothing", NULL);
    g_autofree char *out = g_strconcat(path, ":/../a.zarr", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(good, NULL, &error);

    g_assert_no_error(error);
    g_assert_null(cx_volume_open(bad, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/nothing", NULL);
    g_assert_null(cx_volume_open(out, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "..", NULL);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/zarr/version-2", test_version_2);
    g_test_add_func("/zarr/version-3", test_version_3);
    g_test_add_func("/zarr/levels", test_levels);
    g_test_add_func("/zarr/damaged", test_damaged_files);
    g_test_add_func("/zarr/hostile", test_hostile_metadata);
    g_test_add_func("/zarr/data-set", test_missing_dataset);
    return g_test_run();
}
