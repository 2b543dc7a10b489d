/* Shows how far a job is, and turns Ctrl+C into a cancellation.
 *
 * On a terminal a bar that is drawn over itself, elsewhere one line every five
 * seconds; on stderr.  A first SIGINT or SIGTERM cancels the job, a second one
 * ends the program at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"

typedef struct CxcliProgress CxcliProgress;

/* Must be called before any other thread exists: signals are blocked in all
 * threads and taken by one of our own.  Sets the job's hook. */
CxcliProgress *cxcli_progress_new(CxJob *job, bool quiet);

/* Takes the bar away. */
void cxcli_progress_end(CxcliProgress *progress);
