/* The queue: one suspicion after the other, asked as "the same neuron?".
 *
 * A yes about two segments merges them; a no about one cuts it where the
 * preview shows, through the edit controller, so that an answer is an edit like
 * any other.  What was answered is kept with the project and not asked again;
 * each answer moves the model that ranks the rest.  The list is made anew in
 * the background when many answers have changed the ground under it.
 *
 * With a truth loaded the scores follow every edit (review/live_scores.h).
 * Main thread only.
 *
 * Signals: changed(): the question, the counts or the scores.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/metrics/contingency.h"
#include "core/review/suspicions.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

typedef enum {
    CXUI_ANSWER_SAME,
    CXUI_ANSWER_DIFFERENT,
    CXUI_ANSWER_UNSURE,
} CxuiAnswer;

#define CXUI_TYPE_REVIEW_QUEUE (cxui_review_queue_get_type())
G_DECLARE_FINAL_TYPE(CxuiReviewQueue, cxui_review_queue, CXUI, REVIEW_QUEUE,
                     GObject)

/* Made by the session, which owns it. */
CxuiReviewQueue *cxui_review_queue_new(CxuiSession *session);

/* Looks for suspicions and asks the first; stop leaves the question. */
void cxui_review_queue_start(CxuiReviewQueue *self);
void cxui_review_queue_stop(CxuiReviewQueue *self);
bool cxui_review_queue_is_on(CxuiReviewQueue *self);
bool cxui_review_queue_is_searching(CxuiReviewQueue *self);

/* What is asked now, or NULL. */
const CxSuspicion *cxui_review_queue_current(CxuiReviewQueue *self);

/* Answers what is asked and goes on; step leaves it for later (by = 1) or goes
 * back to what was left or answered (by = -1). */
void cxui_review_queue_answer(CxuiReviewQueue *self, CxuiAnswer answer);
void cxui_review_queue_step(CxuiReviewQueue *self, int by);

unsigned cxui_review_queue_n_answered(CxuiReviewQueue *self); /* this time */
unsigned cxui_review_queue_n_left(CxuiReviewQueue *self);
double cxui_review_queue_per_hour(CxuiReviewQueue *self); /* 0: too early */

/* Compares with labels from now on; NULL: no more. */
void cxui_review_queue_set_truth(CxuiReviewQueue *self, const char *spec);

/* False without a truth.  first: when it was loaded. */
bool cxui_review_queue_scores(CxuiReviewQueue *self, CxScores *now,
                              CxScores *first);
