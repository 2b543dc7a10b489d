/* Segmenting on demand: blocks appear, the run can be stopped, a model is
 * chosen by voxel size.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/session/session_fixture.h"

#include <string.h>

static bool
models_are_read(SessionFixture *fixture)
{
    gboolean read;

    g_object_get(cxui_session_segmenter(fixture->session), "models-read", &read,
                 NULL);
    return read;
}

static bool
has_ended(SessionFixture *fixture)
{
    return !cxui_segmenter_is_running(
               cxui_session_segmenter(fixture->session)) &&
           cxui_session_project(fixture->session) != NULL &&
           session_is_idle(fixture);
}

static bool
is_running(SessionFixture *fixture)
{
    return cxui_segmenter_is_running(cxui_session_segmenter(fixture->session));
}

static void
open_image(SessionFixture *fixture)
{
    session_fixture_open(fixture, fixture->image, NULL);
    session_fixture_wait(fixture, models_are_read);
    session_fixture_wait(fixture, session_is_idle);
}

static void
test_a_model_is_chosen_by_voxel_size(SessionFixture *fixture, const void *data)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(fixture->session);

    open_image(fixture); /* voxels of 8 × 8 × 40 nm */
    g_assert_cmpstr(cxui_segmenter_model(segmenter), ==, "sstem");
    g_autofree char *warning = cxui_segmenter_dup_warning(segmenter);
    g_assert_nonnull(strstr(warning, "8 × 8 × 40 nm"));
    g_assert_true(cxui_segmenter_info(segmenter)->non_commercial);
    cxui_segmenter_set_model(segmenter, "fib");
    g_assert_cmpstr(cxui_segmenter_info(segmenter)->text, !=, "");
    g_assert_false(cxui_segmenter_info(segmenter)->non_commercial);
    g_assert_cmpstr(cxui_segmenter_info(segmenter)->types[0], ==, "fp32");
    g_assert_cmpstr(
        cxui_settings_model(cxui_session_settings(fixture->session)), ==,
        "fib");
}

/* The furthest that a job was seen while it ran. */
static void
note_fraction(CxuiJobList *jobs, double *furthest)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(jobs));

    for (guint i = 0; i < n; i++) {
        g_autoptr(CxuiJobItem) item =
            g_list_model_get_item(G_LIST_MODEL(jobs), i);

        if (cxui_job_item_state(item) == CX_JOB_RUNNING)
            *furthest = MAX(*furthest, cxui_job_item_fraction(item));
    }
}

static void
test_progress_is_of_the_whole_run(SessionFixture *fixture, const void *data)
{
    CxuiJobList *jobs = cxui_session_jobs(fixture->session);
    CxBox everything = {{0, 0, 0}, {0, 0, 0}};
    double furthest = 0;

    open_image(fixture);
    gulong handler =
        g_signal_connect(jobs, "changed", G_CALLBACK(note_fraction), &furthest);
    cxui_segmenter_set_model(cxui_session_segmenter(fixture->session), "fib");
    cxui_segmenter_run(cxui_session_segmenter(fixture->session), everything,
                       (CxVoxel){0, 0, 0});
    session_fixture_wait(fixture, has_ended);
    g_signal_handler_disconnect(jobs, handler);
    g_test_message("seen running at %g", furthest);
    g_assert_cmpfloat(furthest, >, 0.2);
}

static void
test_a_run_makes_a_project(SessionFixture *fixture, const void *data)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(fixture->session);
    CxBox everything = {{0, 0, 0}, {0, 0, 0}};

    open_image(fixture);
    cxui_segmenter_set_model(segmenter, "fib");
    cxui_segmenter_run(segmenter, everything, (CxVoxel){0, 0, 0});
    session_fixture_wait(fixture, has_ended);
    g_assert_cmpstr(session_last(fixture->failures), ==, "");
    g_assert_cmpuint(fixture->n_blocks, >=, 1);
    g_assert_cmpuint(fixture->n_segments, ==, 1);
    g_assert_nonnull(strstr(session_last(fixture->toasts), "Segmented"));
    g_assert_cmpfloat(cxui_segmenter_mvox_per_s(segmenter), >, 0.0);
    g_assert_cmpuint(cxui_session_labels_id(fixture->session), !=, 0);

    /* all there: nothing to do */
    cxui_segmenter_run(segmenter, everything, (CxVoxel){0, 0, 0});
    session_fixture_wait(fixture, has_ended);
    g_assert_nonnull(strstr(session_last(fixture->toasts), "already"));

    /* what was segmented is kept without any edit */
    g_autofree char *path = session_fixture_project_path(fixture);
    cxui_session_close(fixture->session);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_a_run_can_be_stopped(SessionFixture *fixture, const void *data)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(fixture->session);
    CxBox everything = {{0, 0, 0}, {0, 0, 0}};

    open_image(fixture);
    cxui_segmenter_run(segmenter, everything, (CxVoxel){0, 0, 0});
    session_fixture_wait(fixture, is_running);
    int64_t start_us = g_get_monotonic_time();
    cxui_segmenter_cancel(segmenter);
    session_fixture_wait(fixture, has_ended);
    g_test_message("stopped after %" G_GINT64_FORMAT " ms",
                   (g_get_monotonic_time() - start_us) / 1000);
    g_assert_cmpuint(fixture->failures->len, ==, 0);
}

static void
test_closing_while_it_runs(SessionFixture *fixture, const void *data)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(fixture->session);
    CxBox everything = {{0, 0, 0}, {0, 0, 0}};

    open_image(fixture);
    cxui_segmenter_run(segmenter, everything, (CxVoxel){0, 0, 0});
    session_fixture_wait(fixture, is_running);
    cxui_session_close(fixture->session);
    session_fixture_open(fixture, fixture->image, NULL);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_null(cxui_session_project(fixture->session));
    g_assert_cmpuint(fixture->failures->len, ==, 0);
}

static void
test_refusals_are_sentences(SessionFixture *fixture, const void *data)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(fixture->session);
    CxBox everything = {{0, 0, 0}, {0, 0, 0}};

    cxui_segmenter_run(segmenter, everything, (CxVoxel){0, 0, 0});
    g_assert_nonnull(
        strstr(session_last(fixture->failures), "open an image first"));
    open_image(fixture);
    g_ptr_array_set_size(fixture->failures, 0);
    cxui_segmenter_set_model(segmenter, "/nowhere/net.h5");
    cxui_segmenter_run(segmenter, everything, (CxVoxel){0, 0, 0});
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(
        strstr(session_last(fixture->failures), "/nowhere/net.h5"));
}

#define ADD(name)                                                              \
    g_test_add("/segmenter/" #name, SessionFixture, NULL,                      \
               session_fixture_set_up, test_##name, session_fixture_tear_down)

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
    ADD(a_model_is_chosen_by_voxel_size);
    ADD(a_run_makes_a_project);
    ADD(progress_is_of_the_whole_run);
    ADD(a_run_can_be_stopped);
    ADD(closing_while_it_runs);
    ADD(refusals_are_sentences);
    return session_test_run();
}
