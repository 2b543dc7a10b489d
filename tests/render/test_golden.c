/* Whole pictures against those in tests/golden, with a tolerance; --update
 * writes new ones.  A picture that differs is written beside the test with
 * what differs, four times as strong.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/picture.h"
#include "app/render/png_file.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Renderers differ in rounding and at edges, not in areas. */
#define MAX_CHANNEL 24     /* of a pixel that counts as equal */
#define MAX_DIFFERENT 0.01 /* share of pixels that do not */
#define MAX_MEAN 1.0       /* difference over all pixels */

#define SIZE_X 96
#define SIZE_Y 80
#define SIZE_Z 40
#define FIRST (UINT64_C(1) << 54)

static bool update;

/* Three tubes twisted about each other, and a ball. */
static CxId
label_at(double x, double y, double z)
{
    double turn = y / 80 * 5;

    if (hypot(hypot(x - 70, y - 20), (z - 20) * 2) < 14)
        return FIRST + 9;
    for (int tube = 0; tube < 3; tube++) {
        double angle = turn + tube * 2 * G_PI / 3;
        double dx = x - (40 + 18 * cos(angle));
        double dz = (z - 20) * 2 - 18 * sin(angle);

        if (hypot(dx, dz) < 9 + 2 * sin(y / 7 + tube))
            return FIRST + (CxId)tube;
    }
    return 0;
}

static void
make_volumes(CxVolume **image, CxVolume **labels)
{
    CxBox box = cx_box_of_size((CxVoxel){SIZE_X, SIZE_Y, SIZE_Z});
    g_autoptr(CxChunk) grey = cx_chunk_new(CX_DTYPE_U8, box, 1, NULL);
    g_autoptr(CxChunk) ids = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    uint8_t *g = cx_chunk_data_mut(grey);
    CxId *id = cx_chunk_data_mut(ids);
    CxNm voxel_nm = {8, 8, 16};

    for (int z = 0; z < SIZE_Z; z++) {
        for (int y = 0; y < SIZE_Y; y++) {
            for (int x = 0; x < SIZE_X; x++, g++, id++) {
                uint64_t noise =
                    cx_hash64_mix((uint64_t)((z * SIZE_Y + y) * SIZE_X + x));
                double wave = sin(x / 5.0) * cos(y / 6.0) * cos(z / 4.0);

                *id = label_at(x + 0.5, y + 0.5, z + 0.5);
                *g = (uint8_t)(110 + 50 * wave + (double)(noise % 40) +
                               (*id != 0 ? 30 : 0));
            }
        }
    }
    *image = cx_volume_from_chunk(grey, voxel_nm, (CxNm){0}, false);
    *labels = cx_volume_from_chunk(ids, voxel_nm, (CxNm){0}, true);
}

static char *
golden_path(const char *name)
{
    const char *source = g_getenv("CONNEXON_SOURCE");
    g_autofree char *file = g_strconcat(name, ".png", NULL);

    return g_build_filename(source != NULL ? source : ".", "tests", "golden",
                            file, NULL);
}

static void
write_failure(const char *name, const char *what, const uint8_t *pixels,
              int width, int height)
{
    g_autofree char *file = g_strdup_printf("golden-%s-%s.png", name, what);
    g_autoptr(GError) error = NULL;

    if (cxgl_png_write(file, pixels, width, height, &error))
        g_test_message("see %s", file);
    else
        g_test_message("%s", error->message);
}

/* Share of pixels that differ; *mean over all channels; fills diff. */
static double
compare(const uint8_t *a, const uint8_t *b, size_t n_pixels, double *mean,
        uint8_t *diff)
{
    size_t n_different = 0;
    double sum = 0;

    for (size_t i = 0; i < n_pixels; i++) {
        int most = 0;

        for (size_t c = 0; c < 3; c++) {
            int d = abs(a[4 * i + c] - b[4 * i + c]);

            most = MAX(most, d);
            sum += d;
            diff[4 * i + c] = (uint8_t)MIN(4 * d, 255);
        }
        diff[4 * i + 3] = 255;
        n_different += most > MAX_CHANNEL;
    }
    *mean = sum / (3 * (double)n_pixels);
    return (double)n_different / (double)n_pixels;
}

static void
check_golden(const char *name, const uint8_t *pixels, int width, int height)
{
    g_autofree char *path = golden_path(name);
    g_autofree uint8_t *golden = NULL, *diff = NULL;
    g_autoptr(GError) error = NULL;
    int golden_width, golden_height;
    double share, mean;

    if (update) {
        cxgl_png_write(path, pixels, width, height, &error);
        g_assert_no_error(error);
        return;
    }
    golden = cxgl_png_read(path, &golden_width, &golden_height, &error);
    g_assert_no_error(error);
    g_assert_cmpint(golden_width, ==, width);
    g_assert_cmpint(golden_height, ==, height);
    diff = g_malloc(4 * (size_t)width * (size_t)height);
    share =
        compare(pixels, golden, (size_t)width * (size_t)height, &mean, diff);
    g_test_message("%s: %.3f %% of pixels differ, mean %.3f", name, 100 * share,
                   mean);
    if (share > MAX_DIFFERENT || mean > MAX_MEAN) {
        write_failure(name, "got", pixels, width, height);
        write_failure(name, "diff", diff, width, height);
        g_test_fail();
    }
}

static void
check_picture(const char *name, CxglPictureOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) image = NULL, labels = NULL;
    g_autofree uint8_t *pixels = NULL;
    g_autofree char *renderer = NULL;

    make_volumes(&image, &labels);
    options->image = image;
    options->labels = labels;
    pixels = cxgl_picture_draw(options, NULL, &renderer, &error);
    if (g_error_matches(error, CX_ERROR, CX_ERROR_NOT_FOUND)) {
        g_test_skip(error->message);
        return;
    }
    g_assert_no_error(error);
    g_test_message("%s", renderer);
    check_golden(name, pixels, options->width, options->height);
}

static void
test_four_panes(void)
{
    CxglPictureOptions options = cxgl_picture_defaults();

    options.width = 480;
    options.height = 360;
    check_picture("four-panes", &options);
}

static void
test_slice_with_selection(void)
{
    CxglPictureOptions options = cxgl_picture_defaults();
    const CxId selected[] = {FIRST + 1, FIRST + 9};

    options.view = CXGL_PICTURE_XY;
    options.width = 320;
    options.height = 240;
    options.selected = selected;
    options.n_selected = 2;
    options.zoom = 4;
    check_picture("slice-selection", &options);
}

static void
test_slice_across_sections(void)
{
    CxglPictureOptions options = cxgl_picture_defaults();

    options.view = CXGL_PICTURE_XZ;
    options.width = 320;
    options.height = 240;
    options.palette = CXGL_PALETTE_COLOUR_BLIND;
    options.slice_style.smooth = false;
    options.has_at = true;
    options.at = (CxVoxel){40, 33, 12};
    check_picture("slice-xz", &options);
}

static void
test_scene(void)
{
    CxglPictureOptions options = cxgl_picture_defaults();
    const CxId selected[] = {FIRST, FIRST + 1, FIRST + 2};

    options.view = CXGL_PICTURE_3D;
    options.width = 400;
    options.height = 300;
    options.selected = selected;
    options.n_selected = 3;
    options.scene_style.planes[CXGL_AXIS_YZ] = true;
    options.scene_style.plane_labels = true;
    check_picture("scene", &options);
}

static void
test_errors_name_what_is_wrong(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) image = NULL, labels = NULL;
    CxglPictureOptions options = cxgl_picture_defaults();
    const CxId nobody = 12345;
    CxglPictureView view;

    g_assert_null(cxgl_picture_draw(&options, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "image or labels", NULL);
    make_volumes(&image, &labels);
    options.image = image;
    options.labels = labels;
    options.width = 3;
    g_assert_null(cxgl_picture_draw(&options, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "3 × 800", NULL);
    options.width = 64;
    options.height = 64;
    options.view = CXGL_PICTURE_3D;
    options.selected = &nobody;
    options.n_selected = 1;
    g_assert_null(cxgl_picture_draw(&options, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "1 of the 1", NULL);
    g_assert_true(cxgl_picture_view_parse("3d", &view));
    g_assert_cmpint(view, ==, CXGL_PICTURE_3D);
    g_assert_false(cxgl_picture_view_parse("zx", &view));
}

static void
test_png_round_trip(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.png", NULL);
    g_autofree char *no_path = g_build_filename(dir, "no", "a.png", NULL);
    g_autofree uint8_t *pixels = g_malloc(4 * 7 * 5), *back = NULL;
    g_autoptr(GError) error = NULL;
    int width = 0, height = 0;

    for (int i = 0; i < 4 * 7 * 5; i++)
        pixels[i] = (uint8_t)(i * 37);
    g_assert_true(cxgl_png_write(path, pixels, 7, 5, &error));
    g_assert_no_error(error);
    back = cxgl_png_read(path, &width, &height, &error);
    g_assert_no_error(error);
    g_assert_cmpint(width, ==, 7);
    g_assert_cmpint(height, ==, 5);
    g_assert_cmpmem(back, 4 * 7 * 5, pixels, 4 * 7 * 5);
    g_assert_false(cxgl_png_write(no_path, pixels, 7, 5, &error));
    cx_test_expect_error(&error, CX_ERROR_IO, no_path, NULL);
    g_assert_null(cxgl_png_read(no_path, &width, &height, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, no_path, NULL);
    g_assert_true(
        g_file_set_contents(path, "\x89PNG\r\n\x1a\nrubbish", -1, NULL));
    g_assert_null(cxgl_png_read(path, &width, &height, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, path, NULL);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 1; i < argc; i++)
        update |= strcmp(argv[i], "--update") == 0;
    g_test_add_func("/golden/four-panes", test_four_panes);
    g_test_add_func("/golden/slice-selection", test_slice_with_selection);
    g_test_add_func("/golden/slice-xz", test_slice_across_sections);
    g_test_add_func("/golden/scene", test_scene);
    g_test_add_func("/picture/errors", test_errors_name_what_is_wrong);
    g_test_add_func("/png/round-trip", test_png_round_trip);
    return g_test_run();
}
