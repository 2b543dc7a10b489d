/* One piece of work that takes time: state, progress, cancellation, result.
 *
 * Life: QUEUED → RUNNING → DONE | FAILED | CANCELLED; the last state is
 * reached exactly once.  Functions that take a `CxJob *` call cx_job_step()
 * at least every 50 ms and return at once when it says no; NULL stands for
 * "nobody watches" (tests, small calls) and is accepted by all of
 * cx_job_step(), cx_job_check(), cx_job_stage() and cx_job_is_cancelled().
 *
 * Thread-safe; reference counted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxJob CxJob;

typedef enum {
    CX_JOB_QUEUED,
    CX_JOB_RUNNING,
    CX_JOB_DONE,
    CX_JOB_FAILED,
    CX_JOB_CANCELLED,
} CxJobState;

/* The work itself; runs on a worker thread.  Returns false with error set. */
typedef bool (*CxJobFunc)(CxJob *job, void *data, GError **error);

/* Called on the worker at progress (at most every 20 ms) and state changes. */
typedef void (*CxJobHook)(CxJob *job, void *data);

/* title is shown to people: "Segmenting the field". */
CxJob *cx_job_new(const char *title);
CxJob *cx_job_ref(CxJob *job);
void cx_job_unref(CxJob *job);

/* Set before the job is submitted; at most one. */
void cx_job_set_hook(CxJob *job, CxJobHook hook, void *data);

const char *cx_job_title(const CxJob *job);
CxJobState cx_job_state(CxJob *job);
bool cx_job_is_over(CxJob *job);

/* Progress over all stages in [0, 1]. */
double cx_job_fraction(CxJob *job);

/* Name of the stage that runs ("watershed"), or ""; static or interned. */
const char *cx_job_stage_name(CxJob *job);

/* Copy of the error of a failed job, or NULL. */
GError *cx_job_dup_error(CxJob *job);

/* Asks the job to stop; returns at once. */
void cx_job_cancel(CxJob *job);
bool cx_job_is_cancelled(CxJob *job);

/* Called by the work: reports done of total within the current stage.
 * False with CX_ERROR_CANCELLED when the work must stop. */
bool cx_job_step(CxJob *job, uint64_t done, uint64_t total, GError **error);

/* The same without a word about progress, for loops inside a step. */
bool cx_job_check(CxJob *job, GError **error);

/* Called by the work: what follows is this stage, and covers [from, to] of
 * the whole.  The name is interned. */
void cx_job_stage(CxJob *job, const char *name, double from, double to);

/* A job for a piece of the work: its progress is the part [from, to] of the
 * parent's current stage, its stages lend the parent their names, and it is
 * cancelled with the parent.  NULL for a parent of NULL. */
CxJob *cx_job_new_part(CxJob *parent, double from, double to);

/* Runs func in this thread through the whole life of the job. */
bool cx_job_run(CxJob *job, CxJobFunc func, void *data, GError **error);

/* Waits until the job is over; true if DONE, else its error is copied. */
bool cx_job_wait(CxJob *job, GError **error);

/* For the scheduler: a queued job that will never run ends CANCELLED. */
void cx_job_abandon(CxJob *job);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxJob, cx_job_unref)
