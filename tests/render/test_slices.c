/* Slice panes, pixel by pixel, against what the voxels say.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/offscreen.h"
#include "app/render/overlay_renderer.h"
#include "app/render/slice_renderer.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "tests/render/fake.h"
#include "tests/support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define W 150
#define H 110
#define BIG (UINT64_C(1) << 55)

/* Labels in blocks of 5 × 4 × 3 voxels, some of them background. */
static uint64_t
block_label(CxVoxel voxel, unsigned level)
{
    uint64_t hash = cx_hash64_mix((uint64_t)(voxel.x / 5) * 73856093u ^
                                  (uint64_t)(voxel.y / 4) * 19349663u ^
                                  (uint64_t)(voxel.z / 3) * 83492791u) +
                    level * 77;

    return hash % 7 == 0 ? 0 : BIG + hash % 50;
}

static uint64_t
grey_value(CxVoxel voxel, unsigned level)
{
    return (uint64_t)(voxel.x * 37 + voxel.y * 11 + voxel.z * 5 + level * 90) &
           255;
}

/* Four levels of grey that a coarse level keeps. */
static uint64_t
level_value(CxVoxel voxel, unsigned level)
{
    return 40 + 60 * level;
}

typedef struct {
    CxglOffscreen *offscreen;
    CxglSegmentTable *table;
    CxglSliceRenderer *renderer;
    uint8_t *pixels;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    fixture->offscreen = cxgl_offscreen_new(W, H, &error);
    if (fixture->offscreen == NULL) {
        g_test_skip(error->message);
        return;
    }
    g_test_message("%s", cxgl_offscreen_renderer(fixture->offscreen));
    fixture->table = cxgl_segment_table_new(NULL, NULL);
    fixture->renderer = cxgl_slice_renderer_new(fixture->table, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    if (fixture->offscreen == NULL)
        return;
    g_assert_cmpuint(cxgl_offscreen_n_errors(fixture->offscreen), ==, 0);
    cxgl_slice_renderer_free(fixture->renderer);
    cxgl_segment_table_free(fixture->table);
    cxgl_offscreen_free(fixture->offscreen);
    g_free(fixture->pixels);
}

/* No image under the labels, plain colours. */
static CxglSliceStyle
label_style(void)
{
    CxglSliceStyle style = cxgl_slice_style_defaults();

    style.label_opacity = 1;
    style.border_opacity = 0;
    style.smooth = false;
    style.background = (CxglColour){0, 0, 0, 255};
    return style;
}

static void
draw(Fixture *fixture, const CxglSliceCamera *camera, Fake *image, Fake *labels,
     const CxglSliceStyle *style, CxglSliceStats *stats)
{
    CxglSliceLayers layers = {0};

    if (image != NULL)
        layers.image = (CxglSliceLayer){&image->grid, fake_source(image)};
    if (labels != NULL)
        layers.labels = (CxglSliceLayer){&labels->grid, fake_source(labels)};
    cxgl_offscreen_bind(fixture->offscreen);
    cxgl_slice_renderer_draw(fixture->renderer, camera, &layers, style, stats);
    g_free(fixture->pixels);
    fixture->pixels = cxgl_offscreen_read(fixture->offscreen);
}

static const uint8_t *
pixel(const Fixture *fixture, int x, int y)
{
    return fixture->pixels + 4 * (y * W + x);
}

/* How a label looks on black, with opacity 1. */
static CxglColour
on_black(CxglColour colour)
{
    return cxgl_colour_mix((CxglColour){0, 0, 0, 255}, colour, 0.45 + 0.25);
}

static void
assert_pixel(const Fixture *fixture, int x, int y, CxglColour expected,
             int tolerance)
{
    const uint8_t *found = pixel(fixture, x, y);

    if (abs(found[0] - expected.r) > tolerance ||
        abs(found[1] - expected.g) > tolerance ||
        abs(found[2] - expected.b) > tolerance)
        g_error("pixel %d, %d is %d %d %d, expected %d %d %d", x, y, found[0],
                found[1], found[2], expected.r, expected.g, expected.b);
}

/* Voxel under the middle of a pixel; false where rounding may decide. */
static bool
voxel_under(const CxglSliceCamera *camera, const CxglChunkGrid *grid, int x,
            int y, CxVoxel *voxel)
{
    CxNm nm = cxgl_slice_camera_nm_at(camera, x + 0.5, y + 0.5);
    CxNm size = grid->levels[0].voxel_nm;
    double u = (nm.x - grid->offset_nm.x) / size.x;
    double v = (nm.y - grid->offset_nm.y) / size.y;
    double w = (nm.z - grid->offset_nm.z) / size.z;

    *voxel = cxgl_voxel_of_nm(nm, size, grid->offset_nm);
    return fabs(u - round(u)) > 2e-3 && fabs(v - round(v)) > 2e-3 &&
           fabs(w - round(w)) > 2e-3;
}

static void
check_labels(const Fixture *fixture, const CxglSliceCamera *camera,
             const Fake *labels)
{
    CxBox bounds = cx_box_of_size(labels->grid.levels[0].size);

    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            CxglColour expected = {0, 0, 0, 255};
            CxVoxel voxel;
            CxId label;

            if (!voxel_under(camera, &labels->grid, x, y, &voxel))
                continue;
            label = cx_box_contains(bounds, voxel) ? block_label(voxel, 0) : 0;
            if (label != 0)
                expected =
                    on_black(cxgl_segment_table_colour(fixture->table, label));
            assert_pixel(fixture, x, y, expected, 2);
        }
    }
}

static void
check_greys(const Fixture *fixture, const CxglSliceCamera *camera,
            const Fake *image)
{
    CxBox bounds = cx_box_of_size(image->grid.levels[0].size);

    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            uint8_t grey = 0;
            CxVoxel voxel;

            if (!voxel_under(camera, &image->grid, x, y, &voxel))
                continue;
            if (cx_box_contains(bounds, voxel))
                grey = (uint8_t)grey_value(voxel, 0);
            assert_pixel(fixture, x, y, (CxglColour){grey, grey, grey, 255}, 1);
        }
    }
}

static CxglSliceCamera
random_camera(CxRng *rng, const CxglChunkGrid *grid)
{
    CxVoxel size = grid->levels[0].size;
    CxNm voxel = grid->levels[0].voxel_nm;

    /* At most one voxel per pixel: each pixel then has its one voxel. */
    return (CxglSliceCamera){
        .axis = (CxglAxis)cx_rng_below(rng, 3),
        .centre = {grid->offset_nm.x +
                       cx_rng_uniform(rng) * (double)size.x * voxel.x,
                   grid->offset_nm.y +
                       cx_rng_uniform(rng) * (double)size.y * voxel.y,
                   grid->offset_nm.z +
                       cx_rng_uniform(rng) * (double)size.z * voxel.z},
        .nm_per_px = 4 * exp(-3 * cx_rng_uniform(rng)),
        .width = W,
        .height = H,
    };
}

/* Random walks over anisotropic volumes: every pixel shows its voxel, however
 * the torus has been used before. */
static void
test_every_pixel_shows_its_voxel(Fixture *fixture, const void *data)
{
    CxRng rng = cx_test_rng();
    CxVoxel size = {170 + (int64_t)cx_rng_below(&rng, 99), 143, 75};
    CxVoxel chunk = {32, 16 + (int64_t)cx_rng_below(&rng, 40), 8};
    g_autoptr(Fake) labels = fake_new(true, size, chunk, (CxNm){4, 5, 30},
                                      (CxNm){-70, 1e6, 3}, block_label);
    g_autoptr(Fake) image = fake_new(false, size, chunk, (CxNm){4, 5, 30},
                                     (CxNm){-70, 1e6, 3}, grey_value);
    CxglSliceStyle style = label_style();

    if (fixture->offscreen == NULL)
        return;
    for (int jump = 0; jump < 6; jump++) {
        CxglSliceCamera camera = random_camera(&rng, &labels->grid);

        for (int step = 0; step < 4; step++) {
            CxglSliceStats stats;

            draw(fixture, &camera, NULL, labels, &style, &stats);
            g_assert_true(stats.complete);
            check_labels(fixture, &camera, labels);
            draw(fixture, &camera, image, NULL, &style, &stats);
            g_assert_true(stats.complete);
            check_greys(fixture, &camera, image);
            cxgl_slice_camera_pan(&camera, cx_rng_normal(&rng) * 60,
                                  cx_rng_normal(&rng) * 60);
            if (step == 2)
                cxgl_slice_camera_zoom_at(&camera, 1.3, 20, 30);
        }
    }
}

/* A second frame of the same view uploads nothing. */
static void
test_still_view_uploads_nothing(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) labels =
        fake_new(true, (CxVoxel){100, 100, 50}, (CxVoxel){32, 32, 32},
                 (CxNm){10, 10, 10}, (CxNm){0}, block_label);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {500, 500, 255}, 5, W, H};
    CxglSliceStyle style = label_style();
    CxglSliceStats stats;

    if (fixture->offscreen == NULL)
        return;
    draw(fixture, &camera, NULL, labels, &style, &stats);
    g_assert_cmpuint(stats.n_tiles_uploaded, >, 0);
    draw(fixture, &camera, NULL, labels, &style, &stats);
    g_assert_cmpuint(stats.n_tiles_uploaded, ==, 0);
    g_assert_cmpuint(stats.uploaded_bytes, ==, 0);
    /* One selected segment: a row of the table, no tile. */
    cxgl_segment_table_set_flag(fixture->table, CXGL_SEGMENT_SELECTED, BIG + 3,
                                true);
    draw(fixture, &camera, NULL, labels, &style, &stats);
    g_assert_cmpuint(stats.n_tiles_uploaded, ==, 0);
    g_assert_cmpuint(stats.uploaded_bytes, ==, 8 * CXGL_TABLE_WIDTH);
}

/* The budget splits the work over frames; all is there in the end. */
static void
test_upload_budget_is_kept(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) labels =
        fake_new(true, (CxVoxel){150, 110, 10}, (CxVoxel){16, 16, 16},
                 (CxNm){4, 4, 4}, (CxNm){0}, block_label);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {300, 220, 21}, 4, W, H};
    CxglSliceStyle style = label_style();
    CxglSliceStats stats;
    int n_frames = 0;

    if (fixture->offscreen == NULL)
        return;
    cxgl_slice_renderer_set_upload_budget(fixture->renderer, 8000);
    do {
        draw(fixture, &camera, NULL, labels, &style, &stats);
        g_assert_cmpuint(stats.uploaded_bytes, <=,
                         8000 + 1024 + 8 * CXGL_TABLE_WIDTH);
        g_assert_true(stats.complete == !stats.has_more);
        n_frames++;
    } while (!stats.complete);
    g_assert_cmpint(n_frames, >, 5);
    check_labels(fixture, &camera, labels);
}

static void
assert_grey(const Fixture *fixture, int x, int y, int grey)
{
    assert_pixel(fixture, x, y,
                 (CxglColour){(uint8_t)grey, (uint8_t)grey, (uint8_t)grey, 255},
                 1);
}

/* Holes show the next coarser level, then the finer one, then a plain tone;
 * what arrives is shown without a call. */
static void
test_holes_show_other_levels(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){128, 128, 32}, (CxVoxel){32, 32, 32},
                 (CxNm){4, 4, 4}, (CxNm){0}, level_value);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {256, 256, 50}, 8, W, H};
    CxglSliceStyle style = label_style();
    CxglSliceStats stats;

    fake_add_level(image, (CxVoxel){2, 2, 2}, (CxVoxel){32, 32, 16});
    fake_add_level(image, (CxVoxel){4, 4, 4}, (CxVoxel){32, 32, 8});
    if (fixture->offscreen == NULL)
        return;
    for (unsigned level = 0; level < 3; level++)
        fake_set_level_missing(image, level, true);
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_cmpuint(stats.level, ==, 1);
    g_assert_false(stats.complete);
    g_assert_false(stats.has_more);
    assert_grey(fixture, W / 2, H / 2, 10); /* the tone of what is to come */
    fake_set_level_missing(image, 0, false);
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_false(stats.complete);
    assert_grey(fixture, W / 2, H / 2, 40);
    fake_set_level_missing(image, 2, false);
    draw(fixture, &camera, image, NULL, &style, &stats);
    assert_grey(fixture, W / 2, H / 2, 160);
    fake_set_level_missing(image, 1, false);
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_true(stats.complete);
    assert_grey(fixture, W / 2, H / 2, 100);
    assert_grey(fixture, 2, 2, 0); /* outside of the volume */
}

/* A chunk that went away keeps its samples until another comes. */
static void
test_changed_chunks_are_cut_again(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, level_value);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {128, 128, 6}, 2, W, H};
    CxglSliceStyle style = label_style();
    CxglSliceStats stats;

    if (fixture->offscreen == NULL)
        return;
    draw(fixture, &camera, image, NULL, &style, &stats);
    assert_grey(fixture, W / 2, H / 2, 40);
    fake_set_level_missing(image, 0, true);
    fake_renew(image);
    image->value = grey_value;
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_false(stats.complete);
    assert_grey(fixture, W / 2, H / 2, 40);
    fake_set_level_missing(image, 0, false);
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_true(stats.complete);
    check_greys(fixture, &camera, image);
    /* In place, under the same chunk: only after being told. */
    cxgl_slice_renderer_invalidate(fixture->renderer);
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_cmpuint(stats.n_tiles_uploaded, >, 0);
}

static void
test_failed_chunks_are_hatched(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, level_value);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {128, 128, 6}, 4, W, H};
    CxglSliceStyle style = label_style();
    int least = 255, most = 0;

    if (fixture->offscreen == NULL)
        return;
    fake_set_failed(image, (CxChunkKey){0, 0, {0, 0, 0}});
    draw(fixture, &camera, image, NULL, &style, NULL);
    for (int x = W / 2 - 30; x < W / 2 - 2; x++) {
        int red = pixel(fixture, x, H / 2 - 10)[0];

        least = MIN(least, red);
        most = MAX(most, red);
    }
    g_assert_cmpint(most - least, >, 60);
    assert_grey(fixture, W / 2 + 10, H / 2 + 10, 40);
}

/* Without coarser levels many voxels fall on a pixel: images are averaged. */
static uint64_t
checkerboard(CxVoxel voxel, unsigned level)
{
    return ((voxel.x + voxel.y) & 1) * 200;
}

static void
test_small_scale_averages(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){1024, 768, 8}, (CxVoxel){128, 128, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, checkerboard);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {2048, 1536, 6}, 32, W, H};
    CxglSliceStyle style = label_style();
    CxglSliceStats stats;

    if (fixture->offscreen == NULL)
        return;
    draw(fixture, &camera, image, NULL, &style, &stats);
    g_assert_true(stats.complete);
    assert_grey(fixture, W / 2, H / 2, 100);
    assert_grey(fixture, W / 2 - 50, H / 2 + 40, 100);
    g_assert_cmpuint(cxgl_slice_renderer_gpu_bytes(fixture->renderer), <,
                     1 << 20);
}

static void
test_window_level_and_inversion(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, level_value);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {128, 128, 6}, 1, W, H};
    CxglSliceStyle style = label_style();

    if (fixture->offscreen == NULL)
        return;
    style.image_lo = 20 / 255.0f;
    style.image_hi = 60 / 255.0f;
    draw(fixture, &camera, image, NULL, &style, NULL);
    assert_grey(fixture, W / 2, H / 2, 127);
    style.image_hi = 100 / 255.0f;
    style.invert = true;
    draw(fixture, &camera, image, NULL, &style, NULL);
    assert_grey(fixture, W / 2, H / 2, 191);
    style.invert = false;
    style.gamma = 0.5f;
    draw(fixture, &camera, image, NULL, &style, NULL);
    assert_grey(fixture, W / 2, H / 2, 127);
}

/* Two halves: 5 left of x = 32, 6 right of it. */
static uint64_t
two_labels(CxVoxel voxel, unsigned level)
{
    return voxel.x < 32 ? 5 : 6;
}

static int
sum_of(const uint8_t *found)
{
    return found[0] + found[1] + found[2];
}

static void
test_selection_dims_hides_and_outlines(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) labels =
        fake_new(true, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, two_labels);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {128, 128, 6}, 2, W, H};
    CxglSliceStyle style = label_style();
    int left = W / 2 - 20, right = W / 2 + 20, y = H / 2, before;

    if (fixture->offscreen == NULL)
        return;
    style.label_opacity = 0.5f;
    style.border_opacity = 1;
    draw(fixture, &camera, NULL, labels, &style, NULL);
    before = sum_of(pixel(fixture, right, y));
    g_assert_cmpint(before, >, 60);
    /* The line has the colour of its own side. */
    assert_pixel(fixture, W / 2 - 1, y,
                 cxgl_segment_table_colour(fixture->table, 5), 2);
    cxgl_segment_table_set_flag(fixture->table, CXGL_SEGMENT_SELECTED, 5, true);
    draw(fixture, &camera, NULL, labels, &style, NULL);
    g_assert_cmpint(sum_of(pixel(fixture, left, y)), >, before);
    g_assert_cmpint(sum_of(pixel(fixture, right, y)), <, before / 2);
    g_assert_cmpint(sum_of(pixel(fixture, W / 2 - 1, y)), >, 600);
    style.only_selected = true;
    draw(fixture, &camera, NULL, labels, &style, NULL);
    assert_grey(fixture, right, y, 0);
    style.only_selected = false;
    cxgl_segment_table_set_flag(fixture->table, CXGL_SEGMENT_HIDDEN, 5, true);
    draw(fixture, &camera, NULL, labels, &style, NULL);
    assert_grey(fixture, left, y, 0);
    g_assert_cmpint(sum_of(pixel(fixture, right, y)), >, 20);
}

static void
test_sides_show_their_colours(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) labels =
        fake_new(true, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, two_labels);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {128, 128, 6}, 2, W, H};
    CxglSliceStyle style = label_style();
    const CxId a = 5, b = 6;

    if (fixture->offscreen == NULL)
        return;
    cxgl_segment_table_set_side(fixture->table, &a, 1, CXGL_SIDE_A);
    cxgl_segment_table_set_side(fixture->table, &b, 1, CXGL_SIDE_B);
    draw(fixture, &camera, NULL, labels, &style, NULL);
    assert_pixel(fixture, W / 2 - 20, H / 2,
                 on_black(cxgl_segment_table_side_colour(CXGL_SIDE_A)), 2);
    assert_pixel(fixture, W / 2 + 20, H / 2,
                 on_black(cxgl_segment_table_side_colour(CXGL_SIDE_B)), 2);
}

static uint64_t
half_overlay(CxVoxel voxel, unsigned level)
{
    return voxel.y < 32 ? 255 : 0;
}

static void
test_third_layer(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, level_value);
    g_autoptr(Fake) overlay =
        fake_new(false, (CxVoxel){64, 64, 8}, (CxVoxel){32, 32, 8},
                 (CxNm){4, 4, 4}, (CxNm){0}, half_overlay);
    CxglSliceCamera camera = {CXGL_AXIS_XY, {128, 128, 6}, 2, W, H};
    CxglSliceStyle style = label_style();
    CxglSliceLayers layers = {
        .image = {&image->grid, fake_source(image)},
        .overlay = {&overlay->grid, fake_source(overlay)},
    };

    if (fixture->offscreen == NULL)
        return;
    style.overlay_opacity = 0.5f;
    style.overlay_colour = (CxglColour){200, 100, 0, 255};
    cxgl_offscreen_bind(fixture->offscreen);
    cxgl_slice_renderer_draw(fixture->renderer, &camera, &layers, &style, NULL);
    fixture->pixels = cxgl_offscreen_read(fixture->offscreen);
    assert_pixel(fixture, W / 2, H / 2 - 20, (CxglColour){120, 70, 20, 255}, 2);
    assert_grey(fixture, W / 2, H / 2 + 20, 40);
}

/* Lines and discs where they were asked for. */
static void
test_overlay_shapes(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxglOverlay) overlay = cxgl_overlay_new();
    CxglSliceStyle style = label_style();
    CxglSliceCamera camera = {CXGL_AXIS_XY, {0, 0, 0}, 1, W, H};
    CxglColour red = {255, 0, 0, 255}, green = {0, 255, 0, 255};
    CxglOverlayRenderer *renderer;

    if (fixture->offscreen == NULL)
        return;
    renderer = cxgl_overlay_renderer_new(&error);
    g_assert_no_error(error);
    draw(fixture, &camera, NULL, NULL, &style, NULL);
    cxgl_overlay_line(overlay, 10, 20.5, 60, 20.5, 1, red);
    cxgl_overlay_disc(overlay, 100, 50, 10, green, 0, green);
    cxgl_overlay_fill(overlay, 20, 60, 30, 70, red);
    cxgl_overlay_dashed(overlay, 0, 90.5, 150, 90.5, 1, 10, 10, green);
    cxgl_overlay_renderer_draw(renderer, overlay, W, H);
    g_free(fixture->pixels);
    fixture->pixels = cxgl_offscreen_read(fixture->offscreen);
    assert_pixel(fixture, 30, 20, red, 1);
    assert_grey(fixture, 30, 19, 0);
    assert_grey(fixture, 30, 21, 0);
    assert_grey(fixture, 8, 20, 0);
    assert_pixel(fixture, 100, 50, green, 1);
    assert_pixel(fixture, 107, 50, green, 1);
    assert_grey(fixture, 112, 50, 0);
    assert_pixel(fixture, 20, 60, red, 1);
    assert_grey(fixture, 19, 60, 0);
    assert_grey(fixture, 30, 65, 0);
    assert_pixel(fixture, 25, 90, green, 1);
    assert_grey(fixture, 15, 90, 0);
    cxgl_overlay_renderer_free(renderer);
}

/* What a program says without GL: no vendor library at all. */
static void
test_no_gl_is_one_sentence(void)
{
    g_autoptr(GError) error = NULL;

    if (g_test_subprocess()) {
        g_autoptr(CxglOffscreen) offscreen = cxgl_offscreen_new(10, 10, &error);

        g_assert_null(offscreen);
        cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "EGL", NULL);
        return;
    }
    g_setenv("__EGL_VENDOR_LIBRARY_DIRS", "/nowhere", TRUE);
    g_test_trap_subprocess(NULL, 0, 0);
    g_unsetenv("__EGL_VENDOR_LIBRARY_DIRS");
    g_test_trap_assert_passed();
}

static void
test_sizes_are_checked(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    if (fixture->offscreen == NULL)
        return;
    g_assert_false(cxgl_offscreen_resize(fixture->offscreen, 0, 10, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "0 × 10", NULL);
    g_assert_false(
        cxgl_offscreen_resize(fixture->offscreen, 10, 1 << 20, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "1048576", NULL);
}

#define ADD(path, func)                                                        \
    g_test_add("/slices/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("voxels", test_every_pixel_shows_its_voxel);
    ADD("still", test_still_view_uploads_nothing);
    ADD("budget", test_upload_budget_is_kept);
    ADD("holes", test_holes_show_other_levels);
    ADD("changed", test_changed_chunks_are_cut_again);
    ADD("failed", test_failed_chunks_are_hatched);
    ADD("small-scale", test_small_scale_averages);
    ADD("window", test_window_level_and_inversion);
    ADD("selection", test_selection_dims_hides_and_outlines);
    ADD("sides", test_sides_show_their_colours);
    ADD("third-layer", test_third_layer);
    ADD("overlay", test_overlay_shapes);
    ADD("sizes", test_sizes_are_checked);
    g_test_add_func("/slices/no-gl", test_no_gl_is_one_sentence);
    return g_test_run();
}
