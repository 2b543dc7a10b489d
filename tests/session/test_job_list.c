/* Jobs as a list model: news from workers, cancellation, failures.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/job_list.h"

#include "core/base/error.h"
#include "tests/support/check.h"

#include <stdatomic.h>

typedef struct {
    CxScheduler *scheduler;
    CxuiJobList *list;
    atomic_bool hold; /* the work waits while this is true */
    atomic_int n_destroyed;
    unsigned n_done, n_cancelled, n_failed, n_changed;
    GThread *main_thread;
} Fixture;

static void
on_changed(CxuiJobList *list, Fixture *fixture)
{
    fixture->n_changed++;
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->scheduler = cx_scheduler_new(2);
    fixture->list = cxui_job_list_new(fixture->scheduler);
    fixture->main_thread = g_thread_self();
    g_signal_connect(fixture->list, "changed", G_CALLBACK(on_changed), fixture);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    g_clear_object(&fixture->list);
    cx_scheduler_free(fixture->scheduler);
}

static bool
work(CxJob *job, void *data, GError **error)
{
    Fixture *fixture = data;

    for (unsigned i = 0;; i++) {
        if (!cx_job_step(job, i % 100, 100, error))
            return false;
        if (!atomic_load(&fixture->hold))
            return true;
        g_usleep(200);
    }
}

static bool
fail(CxJob *job, void *data, GError **error)
{
    g_set_error_literal(error, CX_ERROR, CX_ERROR_FORMAT, "a.tif: odd");
    return false;
}

static void
on_done(CxJob *job, const GError *error, void *data)
{
    Fixture *fixture = data;

    g_assert_true(g_thread_self() == fixture->main_thread);
    g_assert_cmpint(
        atomic_load(&fixture->n_destroyed), <=,
        (int)(fixture->n_done + fixture->n_cancelled + fixture->n_failed));
    if (error == NULL)
        fixture->n_done++;
    else if (cx_error_is_cancelled(error))
        fixture->n_cancelled++;
    else
        fixture->n_failed++;
}

static void
destroy(void *data)
{
    Fixture *fixture = data;

    g_assert_true(g_thread_self() == fixture->main_thread);
    atomic_fetch_add(&fixture->n_destroyed, 1);
}

static CxJob *
start(Fixture *fixture, CxJobFunc func, bool hidden)
{
    CxuiJobRequest request = {
        .title = "Working",
        .tier = CX_TIER_EDIT,
        .hidden = hidden,
        .func = func,
        .data = fixture,
        .destroy = destroy,
        .done = on_done,
        .user_data = fixture,
    };

    return cxui_job_list_start(fixture->list, &request);
}

static unsigned
n_over(const Fixture *fixture)
{
    return fixture->n_done + fixture->n_cancelled + fixture->n_failed;
}

static void
iterate_until(Fixture *fixture, unsigned n)
{
    int64_t end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (n_over(fixture) < n && g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(n_over(fixture), ==, n);
}

static void
test_done_jobs_leave_the_list(Fixture *fixture, const void *data)
{
    g_autoptr(CxJob) job = start(fixture, work, false);

    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->list)), ==,
                     1);
    iterate_until(fixture, 1);
    g_assert_cmpuint(fixture->n_done, ==, 1);
    g_assert_cmpint(atomic_load(&fixture->n_destroyed), ==, 1);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->list)), ==,
                     0);
}

static void
test_a_job_stops_within_200_ms(Fixture *fixture, const void *data)
{
    atomic_store(&fixture->hold, true);
    g_autoptr(CxJob) job = start(fixture, work, false);
    g_autoptr(CxuiJobItem) item =
        g_list_model_get_item(G_LIST_MODEL(fixture->list), 0);

    while (cxui_job_item_state(item) != CX_JOB_RUNNING)
        g_main_context_iteration(NULL, TRUE);
    int64_t start_us = g_get_monotonic_time();
    cxui_job_item_cancel(item);
    iterate_until(fixture, 1);
    g_assert_cmpuint(fixture->n_cancelled, ==, 1);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 200000);
    g_assert_cmpuint(cxui_job_list_n_running(fixture->list), ==, 0);
}

static void
test_a_failed_job_stays_with_its_cause(Fixture *fixture, const void *data)
{
    g_autoptr(CxJob) job = start(fixture, fail, false);

    iterate_until(fixture, 1);
    g_autoptr(CxuiJobItem) item =
        g_list_model_get_item(G_LIST_MODEL(fixture->list), 0);
    g_assert_nonnull(item);
    g_assert_cmpstr(cxui_job_item_cause(item), ==, "a.tif: odd");
    g_assert_cmpuint(cxui_job_list_n_running(fixture->list), ==, 0);
    cxui_job_list_dismiss(fixture->list, item);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->list)), ==,
                     0);
}

static void
test_hidden_jobs_are_not_listed(Fixture *fixture, const void *data)
{
    g_autoptr(CxJob) job = start(fixture, work, true);

    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->list)), ==,
                     0);
    iterate_until(fixture, 1);
}

static void
test_drain_ends_everything_now(Fixture *fixture, const void *data)
{
    atomic_store(&fixture->hold, true);
    for (unsigned i = 0; i < 20; i++)
        cx_job_unref(start(fixture, work, i % 2 == 0));
    cxui_job_list_drain(fixture->list);
    g_assert_cmpuint(fixture->n_cancelled, ==, 20);
    g_assert_cmpint(atomic_load(&fixture->n_destroyed), ==, 20);
}

static void
test_news_are_few(Fixture *fixture, const void *data)
{
    atomic_store(&fixture->hold, true);
    g_autoptr(CxJob) job = start(fixture, work, false);
    int64_t end = g_get_monotonic_time() + 300000;

    while (g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, FALSE);
    /* Hooks come every 20 ms at most. */
    g_assert_cmpuint(fixture->n_changed, >=, 2);
    g_assert_cmpuint(fixture->n_changed, <=, 20);
    atomic_store(&fixture->hold, false);
    iterate_until(fixture, 1);
}

static void
test_random_starts_and_cancels(Fixture *fixture, const void *data)
{
    CxRng rng = cx_test_rng();
    unsigned n = 300;

    for (unsigned i = 0; i < n; i++) {
        g_autoptr(CxJob) job =
            start(fixture, cx_rng_below(&rng, 4) == 0 ? fail : work, true);

        if (cx_rng_below(&rng, 3) == 0)
            cx_job_cancel(job);
        if (cx_rng_below(&rng, 5) == 0)
            g_main_context_iteration(NULL, FALSE);
    }
    iterate_until(fixture, n);
    g_assert_cmpint(atomic_load(&fixture->n_destroyed), ==, (int)n);
}

#define ADD(name)                                                              \
    g_test_add("/job_list/" #name, Fixture, NULL, set_up, test_##name,         \
               tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(done_jobs_leave_the_list);
    ADD(a_job_stops_within_200_ms);
    ADD(a_failed_job_stays_with_its_cause);
    ADD(hidden_jobs_are_not_listed);
    ADD(drain_ends_everything_now);
    ADD(news_are_few);
    ADD(random_starts_and_cancels);
    return g_test_run();
}
