/* Jobs, the scheduler and parallel loops.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/jobs/scheduler.h"
#include "tests/support/check.h"

#include <stdatomic.h>

static bool
count_up(CxJob *job, void *data, GError **error)
{
    atomic_fetch_add((atomic_int *)data, 1);
    return true;
}

static bool
spin_until_stopped(CxJob *job, void *data, GError **error)
{
    atomic_fetch_add((atomic_int *)data, 1);
    for (uint64_t i = 0;; i++) {
        if (!cx_job_step(job, i, 0, error))
            return false;
        g_usleep(1000);
    }
}

static bool
refuse(CxJob *job, void *data, GError **error)
{
    g_set_error_literal(error, CX_ERROR, CX_ERROR_IO, "no");
    return false;
}

static void
test_states(void)
{
    g_autoptr(CxScheduler) scheduler = cx_scheduler_new(2);
    g_autoptr(CxJob) good = cx_job_new("good");
    g_autoptr(CxJob) bad = cx_job_new("bad");
    g_autoptr(GError) error = NULL;
    atomic_int n = 0;

    g_assert_cmpint(cx_job_state(good), ==, CX_JOB_QUEUED);
    g_assert_true(cx_scheduler_submit(scheduler, good, CX_TIER_EDIT, 0,
                                      count_up, &n, NULL));
    g_assert_true(cx_job_wait(good, NULL));
    g_assert_cmpfloat(cx_job_fraction(good), ==, 1.0);
    g_assert_cmpint(n, ==, 1);
    g_assert_true(cx_scheduler_submit(scheduler, bad, CX_TIER_EDIT, 0, refuse,
                                      NULL, NULL));
    g_assert_false(cx_job_wait(bad, &error));
    g_assert_error(error, CX_ERROR, CX_ERROR_IO);
    g_assert_cmpint(cx_job_state(bad), ==, CX_JOB_FAILED);
}

static void
test_key_refuses_twice_and_cancel_is_quick(void)
{
    g_autoptr(CxScheduler) scheduler = cx_scheduler_new(2);
    g_autoptr(CxJob) first = cx_job_new("first");
    g_autoptr(CxJob) second = cx_job_new("second");
    g_autoptr(GError) error = NULL;
    atomic_int n = 0;

    g_assert_true(cx_scheduler_submit(scheduler, first, CX_TIER_BATCH, 7,
                                      spin_until_stopped, &n, NULL));
    g_assert_false(cx_scheduler_submit(scheduler, second, CX_TIER_BATCH, 7,
                                       spin_until_stopped, &n, NULL));
    g_assert_cmpint(cx_job_state(second), ==, CX_JOB_CANCELLED);
    while (atomic_load(&n) == 0)
        g_usleep(1000);
    cx_job_cancel(first);
    g_assert_false(cx_job_wait(first, &error));
    g_assert_true(cx_error_is_cancelled(error));
    g_assert_cmpint(n, ==, 1);
}

static void
test_free_ends_everything(void)
{
    CxScheduler *scheduler = cx_scheduler_new(3);
    CxJob *jobs[50];
    atomic_int n = 0;

    for (int i = 0; i < 50; i++) {
        jobs[i] = cx_job_new("spin");
        cx_scheduler_submit(scheduler, jobs[i], (CxTier)(i % CX_N_TIERS), 0,
                            spin_until_stopped, &n, NULL);
    }
    cx_scheduler_free(scheduler);
    for (int i = 0; i < 50; i++) {
        g_assert_cmpint(cx_job_state(jobs[i]), ==, CX_JOB_CANCELLED);
        cx_job_unref(jobs[i]);
    }
}

static bool
mark(size_t item, unsigned worker, void *data, GError **error)
{
    atomic_fetch_add(&((atomic_int *)data)[item], 1);
    return true;
}

static bool
fail_at_ten(size_t item, unsigned worker, void *data, GError **error)
{
    if (item == 10)
        g_set_error_literal(error, CX_ERROR, CX_ERROR_FORMAT, "ten");
    return item != 10;
}

static void
test_parallel_visits_each_once(void)
{
    static atomic_int marks[1000];
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_parallel_for(4, 1000, mark, marks, NULL, &error));
    for (int i = 0; i < 1000; i++)
        g_assert_cmpint(marks[i], ==, 1);
    g_assert_true(cx_parallel_for(4, 0, mark, marks, NULL, &error));
    g_assert_false(cx_parallel_for(4, 1000, fail_at_ten, NULL, NULL, &error));
    g_assert_error(error, CX_ERROR, CX_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jobs/states", test_states);
    g_test_add_func("/jobs/key-refuses-twice-and-cancel-is-quick",
                    test_key_refuses_twice_and_cancel_is_quick);
    g_test_add_func("/jobs/free-ends-everything", test_free_ends_everything);
    g_test_add_func("/jobs/parallel-visits-each-once",
                    test_parallel_visits_each_once);
    return g_test_run();
}
