/* Runs jobs on a fixed set of worker threads, most urgent first.
 *
 * Within a tier jobs run in order of submission, newest first for
 * CX_TIER_VISIBLE (what the user looks at now).  A key (non-zero) names the
 * result: while a job with that key waits or runs, a second submission is
 * refused.  Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"

typedef enum {
    CX_TIER_EDIT,     /* somebody waits for the result of an edit */
    CX_TIER_VISIBLE,  /* needed for the picture on the screen */
    CX_TIER_PREFETCH, /* probably needed soon */
    CX_TIER_BATCH,    /* segmentation, export, building levels */
    CX_N_TIERS,
} CxTier;

typedef struct CxScheduler CxScheduler;

/* n_workers = 0: one per core, at least 2, so that a batch job never keeps
 * the screen waiting (one worker never takes CX_TIER_BATCH). */
CxScheduler *cx_scheduler_new(unsigned n_workers);

/* Cancels everything, waits for the workers, frees. */
void cx_scheduler_free(CxScheduler *scheduler);

/* Takes a reference to the job; calls destroy(data) after it is over, on
 * whichever thread ended it.  False (and destroy called, job abandoned) if
 * the key is taken. */
bool cx_scheduler_submit(CxScheduler *scheduler, CxJob *job, CxTier tier,
                         uint64_t key, CxJobFunc func, void *data,
                         GDestroyNotify destroy);

unsigned cx_scheduler_n_workers(const CxScheduler *scheduler);

/* Jobs waiting and running, for the debug overlay. */
unsigned cx_scheduler_n_pending(CxScheduler *scheduler);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxScheduler, cx_scheduler_free)
