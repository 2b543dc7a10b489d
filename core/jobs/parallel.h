/* Splits work inside one job over threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"

/* Handles item i; worker < n_threads names the thread, for scratch memory.
 * Returns false with error set to stop everything. */
typedef bool (*CxParallelFunc)(size_t item, unsigned worker, void *data,
                               GError **error);

/* Calls func for items 0 … n_items - 1, each once, on n_threads threads
 * (0 = one per core), the caller's among them; idle threads sleep.  Steps the
 * job between items.  Returns false with the first error, after every thread
 * has stopped.  func must not depend on the order of items. */
bool cx_parallel_for(unsigned n_threads, size_t n_items, CxParallelFunc func,
                     void *data, CxJob *job, GError **error);

/* n_threads with 0 replaced by the number of cores. */
unsigned cx_parallel_n_threads(unsigned n_threads);
