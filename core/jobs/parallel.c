/* Splits work inside one job over threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/jobs/parallel.h"

#include <stdatomic.h>

typedef struct {
    CxParallelFunc func;
    void *data;
    CxJob *job;
    size_t n_items;
    atomic_size_t next;
    atomic_size_t n_done;
    atomic_bool failed;
    GMutex lock; /* guards error */
    GError *error;
} Shared;

typedef struct {
    Shared *shared;
    unsigned worker;
} Share;

unsigned
cx_parallel_n_threads(unsigned n_threads)
{
    return n_threads > 0 ? n_threads : g_get_num_processors();
}

static void
fail(Shared *shared, GError *error)
{
    g_mutex_lock(&shared->lock);
    if (shared->error == NULL)
        shared->error = g_steal_pointer(&error);
    g_mutex_unlock(&shared->lock);
    g_clear_error(&error);
    atomic_store(&shared->failed, true);
}

static void *
take_items(void *data)
{
    Share *share = data;
    Shared *shared = share->shared;

    while (!atomic_load(&shared->failed)) {
        size_t item = atomic_fetch_add(&shared->next, 1);
        GError *error = NULL;

        if (item >= shared->n_items)
            break;
        if (!cx_job_step(shared->job, atomic_load(&shared->n_done),
                         shared->n_items, &error) ||
            !shared->func(item, share->worker, shared->data, &error)) {
            fail(shared, error);
            break;
        }
        atomic_fetch_add(&shared->n_done, 1);
    }
    return NULL;
}

bool
cx_parallel_for(unsigned n_threads, size_t n_items, CxParallelFunc func,
                void *data, CxJob *job, GError **error)
{
    Shared shared = {
        .func = func, .data = data, .job = job, .n_items = n_items};

    n_threads = cx_parallel_n_threads(n_threads);
    if (n_threads > n_items)
        n_threads = n_items > 0 ? (unsigned)n_items : 1;
    g_mutex_init(&shared.lock);

    g_autofree Share *shares = g_new(Share, n_threads);
    g_autofree GThread **threads = g_new(GThread *, n_threads);
    for (unsigned i = 0; i < n_threads; i++)
        shares[i] = (Share){&shared, i};
    for (unsigned i = 1; i < n_threads; i++)
        threads[i] = g_thread_new("cx-parallel", take_items, &shares[i]);
    take_items(&shares[0]);
    for (unsigned i = 1; i < n_threads; i++)
        g_thread_join(threads[i]);
    g_mutex_clear(&shared.lock);

    if (shared.error == NULL)
        return cx_job_step(job, n_items, n_items, error);
    g_propagate_error(error, shared.error);
    return false;
}
