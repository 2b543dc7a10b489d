/* Where the user looks: space, position, zoom, storing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/view_state.h"
#include "tests/support/check.h"

static CxuiViewState *
make_state(void)
{
    CxuiViewState *state = cxui_view_state_new();
    CxBox bounds = cx_box_of_size((CxVoxel){100, 200, 50});

    cxui_view_state_set_space(state, bounds, (CxNm){4, 4, 40},
                              (CxNm){1000, 0, -80});
    return state;
}

static void
assert_voxel(CxVoxel found, int64_t x, int64_t y, int64_t z)
{
    g_assert_cmpint(found.x, ==, x);
    g_assert_cmpint(found.y, ==, y);
    g_assert_cmpint(found.z, ==, z);
}

static void
test_starts_in_the_centre(void)
{
    g_autoptr(CxuiViewState) state = make_state();

    assert_voxel(cxui_view_state_voxel(state), 50, 100, 25);
    g_assert_cmpfloat(cxui_view_state_zoom(state), >, 0.0);
}

static void
test_position_stays_inside(void)
{
    g_autoptr(CxuiViewState) state = make_state();

    cxui_view_state_set_position_nm(state, (CxNm){1e9, -1e9, 1e9});
    assert_voxel(cxui_view_state_voxel(state), 99, 0, 49);
    cxui_view_state_set_position_nm(state, (CxNm){0.0 / 0.0, 0, 0});
    assert_voxel(cxui_view_state_voxel(state), 99, 0, 49);
}

static void
test_voxel_and_nm_agree(void)
{
    g_autoptr(CxuiViewState) state = make_state();
    CxRng rng = cx_test_rng();

    for (unsigned i = 0; i < 1000; i++) {
        CxVoxel v = {(int64_t)cx_rng_below(&rng, 100),
                     (int64_t)cx_rng_below(&rng, 200),
                     (int64_t)cx_rng_below(&rng, 50)};

        cxui_view_state_set_voxel(state, v);
        assert_voxel(cxui_view_state_voxel(state), v.x, v.y, v.z);
    }
}

static void
test_steps_are_whole_voxels(void)
{
    g_autoptr(CxuiViewState) state = make_state();

    cxui_view_state_set_voxel(state, (CxVoxel){10, 10, 10});
    cxui_view_state_step(state, 2, 3);
    cxui_view_state_step(state, 0, -4);
    assert_voxel(cxui_view_state_voxel(state), 6, 10, 13);
    cxui_view_state_step(state, 2, -1000);
    assert_voxel(cxui_view_state_voxel(state), 6, 10, 0);
}

static void
test_json_round_trip(void)
{
    g_autoptr(CxuiViewState) a = make_state();
    g_autoptr(CxuiViewState) b = make_state();
    CxuiLayers layers = *cxui_view_state_layers(a);
    CxuiCamera camera = *cxui_view_state_camera(a);

    layers.opacity = 0.125;
    layers.invert = true;
    layers.gamma = 2.2;
    camera.nm_per_pixel = 12.5;
    camera.follows = false;
    cxui_view_state_set_voxel(a, (CxVoxel){3, 4, 5});
    cxui_view_state_set_zoom(a, 7.25);
    cxui_view_state_set_layers(a, &layers);
    cxui_view_state_set_layout(a, CXUI_LAYOUT_XZ_SCENE);
    cxui_view_state_set_camera(a, &camera);
    g_autofree char *first = cxui_view_state_to_json(a);
    g_assert_true(cxui_view_state_from_json(b, first));
    g_autofree char *second = cxui_view_state_to_json(b);
    g_assert_cmpstr(first, ==, second);
    assert_voxel(cxui_view_state_voxel(b), 3, 4, 5);
    g_assert_cmpfloat(cxui_view_state_layers(b)->opacity, ==, 0.125);
}

static void
test_damaged_json_is_survived(void)
{
    static const char *const texts[] = {
        "", "[]", "3", "{", "null",
    };
    static const char *const odd[] = {
        "{\"position_nm\": [1, \"x\", null], \"layers\": 3}",
        "{\"layers\": {\"opacity\": \"much\", \"gamma\": -5, \"invert\": 7}}",
        "{\"camera\": {\"rotation\": [0, 0, 0, 0], \"nm_per_pixel\": -1}}",
        "{\"layout\": 1e300, \"nm_per_pixel\": [], \"camera\": []}",
    };
    g_autoptr(CxuiViewState) state = make_state();

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_false(cxui_view_state_from_json(state, texts[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(odd); i++)
        g_assert_true(cxui_view_state_from_json(state, odd[i]));
    g_assert_cmpfloat(cxui_view_state_layers(state)->gamma, ==, 0.1);
    g_assert_cmpfloat(cxui_view_state_camera(state)->nm_per_pixel, >, 0.0);
    g_assert_cmpint(cxui_view_state_layout(state), ==, CXUI_LAYOUT_FOUR);
}

static void
count_changes(CxuiViewState *state, guint what, unsigned *seen)
{
    *seen |= what;
}

static void
test_says_what_changed(void)
{
    g_autoptr(CxuiViewState) state = make_state();
    unsigned seen = 0;

    g_signal_connect(state, "changed", G_CALLBACK(count_changes), &seen);
    g_object_set(state, "opacity", 0.9, NULL);
    g_assert_cmpuint(seen, ==, CXUI_VIEW_LAYERS);
    seen = 0;
    g_object_set(state, "opacity", 0.9, NULL);
    g_assert_cmpuint(seen, ==, 0);
    cxui_view_state_set_layout(state, CXUI_LAYOUT_XY);
    g_assert_cmpuint(seen, ==, CXUI_VIEW_LAYOUT);
}

static void
test_position_is_kept_in_the_same_space(void)
{
    g_autoptr(CxuiViewState) state = make_state();

    cxui_view_state_set_voxel(state, (CxVoxel){1, 2, 3});
    cxui_view_state_set_space(state, cx_box_of_size((CxVoxel){90, 90, 90}),
                              (CxNm){4, 4, 40}, (CxNm){1000, 0, -80});
    assert_voxel(cxui_view_state_voxel(state), 1, 2, 3);
    cxui_view_state_set_space(state, cx_box_of_size((CxVoxel){10, 10, 10}),
                              (CxNm){1, 1, 1}, (CxNm){0, 0, 0});
    assert_voxel(cxui_view_state_voxel(state), 5, 5, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view_state/starts_in_the_centre",
                    test_starts_in_the_centre);
    g_test_add_func("/view_state/position_stays_inside",
                    test_position_stays_inside);
    g_test_add_func("/view_state/voxel_and_nm_agree", test_voxel_and_nm_agree);
    g_test_add_func("/view_state/steps_are_whole_voxels",
                    test_steps_are_whole_voxels);
    g_test_add_func("/view_state/json_round_trip", test_json_round_trip);
    g_test_add_func("/view_state/damaged_json_is_survived",
                    test_damaged_json_is_survived);
    g_test_add_func("/view_state/says_what_changed", test_says_what_changed);
    g_test_add_func("/view_state/position_is_kept_in_the_same_space",
                    test_position_is_kept_in_the_same_space);
    return g_test_run();
}
