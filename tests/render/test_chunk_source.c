/* Levels, wanted chunks, samples under the pointer: no GL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/render/fake.h"
#include "tests/support/check.h"

#include <math.h>

static uint64_t
label_at(CxVoxel voxel, unsigned level)
{
    return ((uint64_t)level << 60) +
           (uint64_t)(voxel.x + 1000 * voxel.y + 1000000 * voxel.z);
}

static Fake *
new_pyramid(void)
{
    Fake *fake = fake_new(true, (CxVoxel){500, 300, 90}, (CxVoxel){64, 64, 16},
                          (CxNm){8, 8, 40}, (CxNm){100, 200, 300}, label_at);

    fake_add_level(fake, (CxVoxel){2, 2, 1}, (CxVoxel){64, 64, 32});
    fake_add_level(fake, (CxVoxel){4, 4, 1}, (CxVoxel){64, 64, 32});
    fake_add_level(fake, (CxVoxel){8, 8, 2}, (CxVoxel){64, 64, 32});
    return fake;
}

static CxglSliceCamera
camera_at(CxglAxis axis, double nm_per_px)
{
    return (CxglSliceCamera){
        axis, {100 + 2000, 200 + 1200, 300 + 1800}, nm_per_px, 400, 300};
}

static void
test_level_loses_nothing(void)
{
    g_autoptr(Fake) fake = new_pyramid();
    CxglSliceCamera camera = camera_at(CXGL_AXIS_XY, 2);

    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 0);
    camera.nm_per_px = 8;
    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 0);
    camera.nm_per_px = 16;
    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 1);
    camera.nm_per_px = 31.9;
    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 1);
    camera.nm_per_px = 1000;
    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 3);
    /* Across sections: z stays at 40 nm up to level 2. */
    camera.axis = CXGL_AXIS_XZ;
    camera.nm_per_px = 20;
    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 1);
    camera.nm_per_px = 70;
    g_assert_cmpuint(cxgl_chunk_grid_level(&fake->grid, &camera), ==, 2);
}

static void
test_visible_box(void)
{
    g_autoptr(Fake) fake = new_pyramid();
    CxglSliceCamera camera = camera_at(CXGL_AXIS_XY, 8);
    CxBox box = cxgl_chunk_grid_visible(&fake->grid, 0, &camera);

    g_assert_true(cx_box_equal(
        box, cx_box((CxVoxel){50, 0, 45}, (CxVoxel){450, 300, 46})));
    camera.centre.z = 300 - 1;
    g_assert_true(
        cx_box_is_empty(cxgl_chunk_grid_visible(&fake->grid, 0, &camera)));
    camera.centre.z = 300 + 90 * 40;
    g_assert_true(
        cx_box_is_empty(cxgl_chunk_grid_visible(&fake->grid, 0, &camera)));
}

/* Every chunk that the pane needs is wanted once, near ones first. */
static void
test_wanted_covers_the_pane(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(Fake) fake = new_pyramid();

    for (int round = 0; round < 100; round++) {
        CxglSliceCamera camera = camera_at((CxglAxis)cx_rng_below(&rng, 3),
                                           exp(cx_rng_uniform(&rng) * 6));
        g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(CxChunkKey));
        unsigned level, n_seen = 0;
        double last = -1;
        CxBox chunks;
        size_t n;

        camera.centre.x += cx_rng_normal(&rng) * 500;
        cxgl_chunk_grid_wanted(&fake->grid, &camera, 0, keys);
        level = cxgl_chunk_grid_level(&fake->grid, &camera);
        chunks =
            cx_box_chunks(cxgl_chunk_grid_visible(&fake->grid, level, &camera),
                          fake->grid.levels[level].chunk_size);
        g_assert_true(cx_box_n_voxels(chunks, &n));
        for (guint i = 0; i < keys->len; i++) {
            CxChunkKey *key = &g_array_index(keys, CxChunkKey, i);
            CxVoxel at = {key->idx.x, key->idx.y, key->idx.z};

            g_assert_cmpuint(key->volume_id, ==, 2);
            if (key->level != level) {
                g_assert_cmpuint(key->level, >, level);
                g_assert_cmpuint(n_seen, ==, 0);
                continue;
            }
            g_assert_true(cx_box_contains(chunks, at));
            n_seen++;
            CxVoxel size = fake->grid.levels[level].chunk_size;
            CxNm middle = cxgl_nm_of_voxel_centre(
                (CxVoxel){at.x * size.x + size.x / 2,
                          at.y * size.y + size.y / 2,
                          at.z * size.z + size.z / 2},
                fake->grid.levels[level].voxel_nm, fake->grid.offset_nm);
            double px, py, away;
            cxgl_slice_camera_px_of(&camera, middle, &px, &py);
            away = hypot(px - camera.width / 2.0, py - camera.height / 2.0);
            g_assert_cmpfloat(away, >=, last - 1e-6);
            last = away;
        }
        g_assert_cmpuint(n_seen, ==, n);
    }
}

static void
test_ahead_stays_inside(void)
{
    g_autoptr(Fake) fake = new_pyramid();
    CxglSliceCamera camera = camera_at(CXGL_AXIS_XY, 8);
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(CxChunkKey));
    g_autoptr(GArray) more = g_array_new(FALSE, FALSE, sizeof(CxChunkKey));

    camera.centre.z = 300 + 20; /* first chunk in depth */
    cxgl_chunk_grid_wanted(&fake->grid, &camera, 0, keys);
    cxgl_chunk_grid_wanted(&fake->grid, &camera, 1, more);
    g_assert_cmpuint(more->len, >, keys->len);
    for (guint i = 0; i < more->len; i++)
        g_assert_cmpint(g_array_index(more, CxChunkKey, i).idx.z, >=, 0);
    cxgl_chunk_grid_wanted(NULL, &camera, 1, more);
}

static void
test_sample_falls_back_to_coarser(void)
{
    g_autoptr(Fake) fake = new_pyramid();
    CxglChunkSource source = fake_source(fake);
    CxNm at = {100 + 8 * 70.5, 200 + 8 * 10.2, 300 + 40 * 20.9};
    uint64_t value = 0;
    unsigned level = 99;

    g_assert_true(
        cxgl_chunk_source_sample(&source, &fake->grid, 0, at, &value, &level));
    g_assert_cmpuint(level, ==, 0);
    g_assert_cmpuint(value, ==, label_at((CxVoxel){70, 10, 20}, 0));
    fake_set_level_missing(fake, 0, true);
    fake_set_level_missing(fake, 1, true);
    g_assert_true(
        cxgl_chunk_source_sample(&source, &fake->grid, 0, at, &value, &level));
    g_assert_cmpuint(level, ==, 2);
    g_assert_cmpuint(value, ==, label_at((CxVoxel){17, 2, 20}, 2));
    fake_set_level_missing(fake, 2, true);
    fake_set_level_missing(fake, 3, true);
    g_assert_false(
        cxgl_chunk_source_sample(&source, &fake->grid, 0, at, &value, NULL));
    at.x = 99;
    g_assert_false(
        cxgl_chunk_source_sample(&source, &fake->grid, 0, at, &value, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chunk-source/level", test_level_loses_nothing);
    g_test_add_func("/chunk-source/visible", test_visible_box);
    g_test_add_func("/chunk-source/wanted", test_wanted_covers_the_pane);
    g_test_add_func("/chunk-source/ahead", test_ahead_stays_inside);
    g_test_add_func("/chunk-source/sample", test_sample_falls_back_to_coarser);
    return g_test_run();
}
