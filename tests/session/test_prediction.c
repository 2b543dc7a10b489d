/* Live prediction in a session: what is drawn, what stands in, which panes
 * can, what switches it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction_engine.h"
#include "app/session/prediction_map.h"
#include "core/volume/synthetic.h"
#include "tests/session/session_fixture.h"

#include <string.h>

static CxuiPrediction *
prediction_of(SessionFixture *fixture)
{
    return cxui_session_prediction(fixture->session);
}

static bool
models_are_read(SessionFixture *fixture)
{
    gboolean read;

    g_object_get(cxui_session_segmenter(fixture->session), "models-read", &read,
                 NULL);
    return read;
}

static bool
is_on(SessionFixture *fixture)
{
    return cxui_prediction_is_on(prediction_of(fixture)) &&
           session_is_idle(fixture);
}

static bool
xy_is_complete(SessionFixture *fixture)
{
    return cxui_prediction_is_complete(prediction_of(fixture), 2);
}

static void
switch_on(SessionFixture *fixture, const char *model)
{
    session_fixture_open(fixture, fixture->image, NULL);
    session_fixture_wait(fixture, models_are_read);
    cxui_segmenter_set_model(cxui_session_segmenter(fixture->session), model);
    g_object_set(cxui_session_settings(fixture->session), "live-prediction",
                 TRUE, "model-type", "fp32", NULL);
    session_fixture_wait(fixture, is_on);
    g_assert_cmpuint(fixture->failures->len, ==, 0);
}

static CxBox
section(SessionFixture *fixture, int64_t z)
{
    CxBox box = cxui_view_state_bounds(cxui_session_view(fixture->session));

    box.lo.z = z;
    box.hi.z = z + 1;
    return box;
}

static CxChunk *
look_up(SessionFixture *fixture, int64_t z)
{
    CxuiPredictionGrid grid = cxui_prediction_grid(prediction_of(fixture), 2);
    CxChunkKey key = {grid.volume_id, 0, {0, 0, z}};

    g_assert_cmpuint(grid.volume_id, !=, 0);
    return cxui_prediction_lookup(prediction_of(fixture), &key);
}

/* What is drawn is what the engine says, whole. */
static void
test_shows_the_boundary(SessionFixture *fixture, const void *data)
{
    CxBox box;

    switch_on(fixture, "sstem");
    box = section(fixture, 3);
    cxui_prediction_want(prediction_of(fixture), 2, box, box.lo, true);
    session_fixture_wait(fixture, xy_is_complete);
    g_autoptr(CxChunk) shown = look_up(fixture, 3);
    g_assert_nonnull(shown);

    g_autoptr(CxNetwork) network = cx_network_load("sstem", NULL);
    CxPredictorOptions options = {.type = "fp32"};
    g_autoptr(CxPredictor) predictor = cx_predictor_new(
        network, cxui_session_image(fixture->session), &options, NULL);
    g_autoptr(CxChunk) whole = cx_predictor_run(predictor, box, NULL, NULL);
    CxuiPredictionLook look = {CXUI_SHOW_BOUNDARY, 1.0, 1.0};
    g_autoptr(CxChunk) map = cxui_prediction_map(network, whole, &look);
    g_autoptr(CxChunk) wanted =
        cx_chunk_new(CX_DTYPE_U8, cx_chunk_box(shown), 1, NULL);
    cx_chunk_copy_overlap(wanted, map);
    g_assert_cmpmem(cx_chunk_data(shown), cx_chunk_size_bytes(shown),
                    cx_chunk_data(wanted), cx_chunk_size_bytes(wanted));
    g_autofree char *status =
        cxui_prediction_dup_status(prediction_of(fixture));
    g_assert_nonnull(strstr(status, "Up to date"));
    g_assert_nonnull(strstr(status, "fp32"));
}

/* The fixture's sections are 40 nm apart: one stands in for the next. */
static void
test_a_neighbour_stands_in(SessionFixture *fixture, const void *data)
{
    CxBox box;

    switch_on(fixture, "sstem");
    box = section(fixture, 3);
    cxui_prediction_want(prediction_of(fixture), 2, box, box.lo, true);
    session_fixture_wait(fixture, xy_is_complete);
    g_autoptr(CxChunk) exact = look_up(fixture, 3);
    g_autoptr(CxChunk) other = look_up(fixture, 2);
    g_assert_nonnull(other);
    g_assert_cmpint(cx_chunk_box(other).lo.z, ==, 2);
    const uint8_t *a = cx_chunk_data(exact), *b = cx_chunk_data(other);
    for (size_t i = 0; i < cx_chunk_n_voxels(exact); i++)
        g_assert_cmpint(ABS(b[i] - a[i] * 0.45), <=, 1);
    g_assert_null(look_up(fixture, 0));
    g_assert_false(cxui_prediction_is_complete(prediction_of(fixture), 1));
}

static void
test_sections_predict_along_z_alone(SessionFixture *fixture, const void *data)
{
    switch_on(fixture, "sstem");
    g_assert_null(cxui_prediction_why_not(prediction_of(fixture), 2));
    g_assert_nonnull(
        strstr(cxui_prediction_why_not(prediction_of(fixture), 0), "see xy"));
    g_assert_cmpuint(cxui_prediction_grid(prediction_of(fixture), 1).volume_id,
                     ==, 0);
    cxui_prediction_want(prediction_of(fixture), 1, section(fixture, 0),
                         (CxVoxel){0, 0, 0}, true);
    g_assert_cmpuint(cxui_prediction_stats(prediction_of(fixture)).n_wanted, ==,
                     0);
}

static void
test_switches(SessionFixture *fixture, const void *data)
{
    CxuiSettings *settings = cxui_session_settings(fixture->session);
    CxuiPredictionGrid grid;
    uint32_t id;

    switch_on(fixture, "fib");
    id = cxui_prediction_grid(prediction_of(fixture), 2).volume_id;
    g_object_set(settings, "prediction-channel", 2, NULL);
    grid = cxui_prediction_grid(prediction_of(fixture), 2);
    g_assert_cmpuint(grid.volume_id, !=, id);
    g_assert_cmpint(grid.tile.z, ==, 1);
    g_autofree char *name = cxui_prediction_dup_channel_name(
        cxui_prediction_network(prediction_of(fixture)), 3);
    g_assert_cmpstr(name, ==, "Apart along x, 3 voxels");
    g_object_set(settings, "live-prediction", FALSE, NULL);
    g_assert_false(cxui_prediction_is_on(prediction_of(fixture)));
    g_assert_cmpuint(cxui_prediction_grid(prediction_of(fixture), 2).volume_id,
                     ==, 0);
    g_object_set(settings, "live-prediction", TRUE, NULL);
    session_fixture_wait(fixture, is_on);
    cxui_session_close(fixture->session);
    g_assert_false(cxui_prediction_is_on(prediction_of(fixture)));
}

/* Closing and opening while it works. */
static void
test_closing_while_it_works(SessionFixture *fixture, const void *data)
{
    switch_on(fixture, "fib");
    for (int64_t z = 0; z < 4; z++) {
        CxBox box = section(fixture, z);

        cxui_prediction_want(prediction_of(fixture), 2, box, box.lo, true);
    }
    session_fixture_restart(fixture);
    switch_on(fixture, "fib");
}

static void
ignore_arrival(void *data)
{
}

static void
wait_for_threads(CxuiPredictionQueue *queue, unsigned n_running)
{
    int64_t end_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    while (cxui_prediction_queue_stats(queue).n_running != n_running) {
        g_assert_cmpint(g_get_monotonic_time(), <, end_us);
        g_usleep(200);
    }
}

/* The engine stops within a row: what is left is over at once.  The bound is
 * for a machine with ten other things to do; alone it takes 1 ms. */
static void
test_the_network_stops_at_once(void)
{
    CxVoxel size = {512, 256, 9};
    g_autoptr(CxChunk) image =
        cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(size), 1, NULL);
    memset(cx_chunk_data_mut(image), 100, cx_chunk_size_bytes(image));
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(image, (CxNm){10, 10, 10}, (CxNm){0, 0, 0}, false);
    CxuiPredictionRecipe recipe = {"fib", "fp32", volume};
    CxuiPredictionEngine engine;
    g_autoptr(CxNetwork) network = NULL;
    const char *type;
    bool made =
        cxui_prediction_engine_make(&recipe, &engine, &network, &type, NULL);
    g_assert_true(made);
    g_autoptr(CxuiPredictionQueue) queue =
        cxui_prediction_queue_new(1, (size_t)1 << 28, ignore_arrival, NULL);
    CxuiPredictionField here = {{{0, 0, 4}, {512, 256, 5}}, {0, 0, 4}, 0, true};
    CxuiPredictionField nothing = {0};

    cxui_prediction_queue_set_engine(queue, &engine);
    cxui_prediction_queue_want(queue, 2, &here);
    wait_for_threads(queue, 1);
    g_usleep(10000);
    int64_t start_us = g_get_monotonic_time();
    cxui_prediction_queue_want(queue, 2, &nothing);
    wait_for_threads(queue, 0);
    int64_t spent_us = g_get_monotonic_time() - start_us;
    g_test_message("left after %.1f ms", (double)spent_us / 1000.0);
    g_assert_cmpint(spent_us, <, 200000);
    g_assert_cmpuint(cxui_prediction_queue_stats(queue).n_cancelled, ==, 1);
}

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
#define ADD(name)                                                              \
    g_test_add("/prediction/" #name, SessionFixture, NULL,                     \
               session_fixture_set_up, test_##name, session_fixture_tear_down)
    ADD(shows_the_boundary);
    ADD(a_neighbour_stands_in);
    ADD(sections_predict_along_z_alone);
    ADD(switches);
    ADD(closing_while_it_works);
#undef ADD
    g_test_add_func("/prediction/the_network_stops_at_once",
                    test_the_network_stops_at_once);
    return session_test_run();
}
