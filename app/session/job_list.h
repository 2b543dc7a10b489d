/* The jobs that run for the user, as a list model; brings worker news to the
 * main loop.
 *
 * The one place where a worker's hook becomes a main-loop callback: however
 * many steps the jobs make, at most one idle is pending.  A job leaves the
 * list when it is done or cancelled; a failed one stays, with its cause, until
 * it is dismissed.  Main thread only.
 *
 * Properties: n-running (uint): shown jobs that wait or run.
 * Signals: changed(): state or progress of any shown job (at most one an idle;
 *          items also notify).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/scheduler.h"

#include <gio/gio.h>

#define CXUI_TYPE_JOB_ITEM (cxui_job_item_get_type())
G_DECLARE_FINAL_TYPE(CxuiJobItem, cxui_job_item, CXUI, JOB_ITEM, GObject)

/* Properties of an item, all read-only and notified: title, stage (strings),
 * fraction (double, 0 … 1), state (uint, CxJobState), cause (string or NULL:
 * one sentence), seconds-left (double, negative while unknown). */
const char *cxui_job_item_title(CxuiJobItem *self);
const char *cxui_job_item_stage(CxuiJobItem *self);
double cxui_job_item_fraction(CxuiJobItem *self);
CxJobState cxui_job_item_state(CxuiJobItem *self);
const char *cxui_job_item_cause(CxuiJobItem *self);

/* Estimated from the time since the start; < 0 while unknown. */
double cxui_job_item_seconds_left(CxuiJobItem *self);

/* Asks the job to stop. */
void cxui_job_item_cancel(CxuiJobItem *self);

#define CXUI_TYPE_JOB_LIST (cxui_job_list_get_type())
G_DECLARE_FINAL_TYPE(CxuiJobList, cxui_job_list, CXUI, JOB_LIST, GObject)

/* Called on the main loop when the job is over, exactly once; error is NULL
 * when it is DONE, has CX_ERROR_CANCELLED when it was stopped. */
typedef void (*CxuiJobDone)(CxJob *job, const GError *error, void *user_data);

typedef struct {
    const char *title;
    CxTier tier;
    bool hidden;            /* not in the list (short or frequent work) */
    CxJobFunc func;         /* runs on a worker */
    void *data;             /* for func; alive until done has returned */
    GDestroyNotify destroy; /* of data, on the main loop; may be NULL */
    CxuiJobDone done;       /* may be NULL */
    void *user_data;        /* for done */
} CxuiJobRequest;

/* scheduler is borrowed and must outlive the list. */
CxuiJobList *cxui_job_list_new(CxScheduler *scheduler);

/* Starts a job; returns a reference (to cancel it), owned by the caller. */
CxJob *cxui_job_list_start(CxuiJobList *self, const CxuiJobRequest *request);

/* Takes a failed item off the list. */
void cxui_job_list_dismiss(CxuiJobList *self, CxuiJobItem *item);

/* Asks all jobs, hidden ones too, to stop. */
void cxui_job_list_cancel_all(CxuiJobList *self);

/* Blocks until this job is over and runs its done callback (and others'). */
void cxui_job_list_wait(CxuiJobList *self, CxJob *job);

/* Cancels all jobs and runs their done callbacks, now: blocks until the
 * workers let go (before what the jobs use is taken away). */
void cxui_job_list_drain(CxuiJobList *self);
unsigned cxui_job_list_n_running(CxuiJobList *self);

/* Progress over all shown running jobs, 0 … 1. */
double cxui_job_list_fraction(CxuiJobList *self);
