/* One piece of work that takes time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/jobs/job.h"

#include "core/base/error.h"

#include <stdatomic.h>

#define HOOK_INTERVAL_US 20000
#define PART_UNIT 1000000 /* steps a part reports to its parent in */

struct CxJob {
    atomic_int n_refs;
    char *title;
    CxJobHook hook;
    void *hook_data;
    atomic_bool cancelled;
    atomic_int_fast64_t last_hook_us;
    CxJob *parent; /* of a part, else NULL */
    double parent_from, parent_to;

    GMutex lock; /* guards all that follows */
    GCond over;
    CxJobState state;
    const char *stage;
    double from, to, fraction;
    GError *error;
};

CxJob *
cx_job_new(const char *title)
{
    CxJob *job = g_new0(CxJob, 1);

    atomic_init(&job->n_refs, 1);
    job->title = g_strdup(title);
    job->stage = "";
    job->to = 1.0;
    g_mutex_init(&job->lock);
    g_cond_init(&job->over);
    return job;
}

CxJob *
cx_job_ref(CxJob *job)
{
    atomic_fetch_add(&job->n_refs, 1);
    return job;
}

void
cx_job_unref(CxJob *job)
{
    if (job == NULL || atomic_fetch_sub(&job->n_refs, 1) != 1)
        return;
    cx_job_unref(job->parent);
    g_mutex_clear(&job->lock);
    g_cond_clear(&job->over);
    g_clear_error(&job->error);
    g_free(job->title);
    g_free(job);
}

void
cx_job_set_hook(CxJob *job, CxJobHook hook, void *data)
{
    job->hook = hook;
    job->hook_data = data;
}

const char *
cx_job_title(const CxJob *job)
{
    return job->title;
}

CxJobState
cx_job_state(CxJob *job)
{
    g_mutex_lock(&job->lock);
    CxJobState state = job->state;
    g_mutex_unlock(&job->lock);
    return state;
}

bool
cx_job_is_over(CxJob *job)
{
    return cx_job_state(job) >= CX_JOB_DONE;
}

double
cx_job_fraction(CxJob *job)
{
    g_mutex_lock(&job->lock);
    double fraction = job->fraction;
    g_mutex_unlock(&job->lock);
    return fraction;
}

const char *
cx_job_stage_name(CxJob *job)
{
    g_mutex_lock(&job->lock);
    const char *stage = job->stage;
    g_mutex_unlock(&job->lock);
    return stage;
}

GError *
cx_job_dup_error(CxJob *job)
{
    g_mutex_lock(&job->lock);
    GError *error = job->error != NULL ? g_error_copy(job->error) : NULL;
    g_mutex_unlock(&job->lock);
    return error;
}

void
cx_job_cancel(CxJob *job)
{
    atomic_store(&job->cancelled, true);
}

bool
cx_job_is_cancelled(CxJob *job)
{
    for (; job != NULL; job = job->parent) {
        if (atomic_load(&job->cancelled))
            return true;
    }
    return false;
}

static void
call_hook(CxJob *job)
{
    if (job->hook != NULL)
        job->hook(job, job->hook_data);
}

/* Lets one caller through every HOOK_INTERVAL_US. */
static bool
hook_is_due(CxJob *job)
{
    int_fast64_t now = g_get_monotonic_time();
    int_fast64_t last = atomic_load(&job->last_hook_us);

    return now - last >= HOOK_INTERVAL_US &&
           atomic_compare_exchange_strong(&job->last_hook_us, &last, now);
}

bool
cx_job_check(CxJob *job, GError **error)
{
    if (job == NULL || !cx_job_is_cancelled(job))
        return true;
    g_set_error_literal(error, CX_ERROR, CX_ERROR_CANCELLED, "cancelled");
    return false;
}

bool
cx_job_step(CxJob *job, uint64_t done, uint64_t total, GError **error)
{
    if (!cx_job_check(job, error))
        return false;
    if (job == NULL)
        return true;
    g_mutex_lock(&job->lock);
    double part = total > 0 ? (double)done / (double)total : 0.0;
    job->fraction = job->from + (job->to - job->from) * CLAMP(part, 0.0, 1.0);
    double fraction = job->fraction;
    g_mutex_unlock(&job->lock);
    if (job->parent != NULL) {
        fraction =
            job->parent_from + (job->parent_to - job->parent_from) * fraction;
        return cx_job_step(job->parent, (uint64_t)(fraction * PART_UNIT),
                           PART_UNIT, error);
    }
    if (hook_is_due(job))
        call_hook(job);
    return true;
}

/* A new name for the stage, at the same range. */
static void
name_stage(CxJob *job, const char *name)
{
    g_mutex_lock(&job->lock);
    bool is_new = g_strcmp0(job->stage, name) != 0;
    job->stage = g_intern_string(name);
    g_mutex_unlock(&job->lock);
    if (job->parent != NULL)
        name_stage(job->parent, name);
    else if (is_new)
        call_hook(job);
}

void
cx_job_stage(CxJob *job, const char *name, double from, double to)
{
    if (job == NULL)
        return;
    g_mutex_lock(&job->lock);
    job->stage = g_intern_string(name);
    job->from = from;
    job->to = to;
    job->fraction = from;
    g_mutex_unlock(&job->lock);
    if (job->parent != NULL)
        name_stage(job->parent, name);
    else
        call_hook(job);
}

CxJob *
cx_job_new_part(CxJob *parent, double from, double to)
{
    if (parent == NULL)
        return NULL;

    CxJob *part = cx_job_new(parent->title);
    part->parent = cx_job_ref(parent);
    part->parent_from = from;
    part->parent_to = to;
    return part;
}

static void
enter(CxJob *job, CxJobState state, const GError *error)
{
    g_mutex_lock(&job->lock);
    g_assert(job->state < CX_JOB_DONE);
    job->state = state;
    if (state == CX_JOB_DONE)
        job->fraction = 1.0;
    if (error != NULL)
        job->error = g_error_copy(error);
    if (state >= CX_JOB_DONE)
        g_cond_broadcast(&job->over);
    g_mutex_unlock(&job->lock);
    call_hook(job);
}

bool
cx_job_run(CxJob *job, CxJobFunc func, void *data, GError **error)
{
    g_autoptr(GError) local = NULL;

    enter(job, CX_JOB_RUNNING, NULL);
    if (func(job, data, &local)) {
        enter(job, CX_JOB_DONE, NULL);
        return true;
    }
    g_assert(local != NULL);
    enter(job, cx_error_is_cancelled(local) ? CX_JOB_CANCELLED : CX_JOB_FAILED,
          local);
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

void
cx_job_abandon(CxJob *job)
{
    g_autoptr(GError) error =
        g_error_new_literal(CX_ERROR, CX_ERROR_CANCELLED, "cancelled");

    atomic_store(&job->cancelled, true);
    enter(job, CX_JOB_CANCELLED, error);
}

bool
cx_job_wait(CxJob *job, GError **error)
{
    g_mutex_lock(&job->lock);
    while (job->state < CX_JOB_DONE)
        g_cond_wait(&job->over, &job->lock);
    bool ok = job->state == CX_JOB_DONE;
    if (!ok && error != NULL)
        *error = g_error_copy(job->error);
    g_mutex_unlock(&job->lock);
    return ok;
}
