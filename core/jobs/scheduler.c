/* Runs jobs on a fixed set of worker threads, most urgent first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/jobs/scheduler.h"

#include "core/base/hash64.h"

typedef struct {
    CxJob *job;
    uint64_t key;
    CxJobFunc func;
    void *data;
    GDestroyNotify destroy;
} Entry;

struct CxScheduler {
    unsigned n_workers;
    GThread **threads;

    GMutex lock; /* guards all that follows */
    GCond work;
    GQueue queues[CX_N_TIERS];
    CxHash64 *keys; /* of waiting and running jobs */
    GPtrArray *running;
    bool stopping;
};

typedef struct {
    CxScheduler *scheduler;
    CxTier last_tier; /* the least urgent tier this worker takes */
} Worker;

static void
entry_free(Entry *entry)
{
    if (entry->destroy != NULL)
        entry->destroy(entry->data);
    cx_job_unref(entry->job);
    g_free(entry);
}

static Entry *
take_entry(CxScheduler *self, CxTier last_tier)
{
    for (int tier = 0; tier <= (int)last_tier; tier++) {
        Entry *entry = g_queue_pop_head(&self->queues[tier]);

        if (entry != NULL)
            return entry;
    }
    return NULL;
}

static void
run_entry(CxScheduler *self, Entry *entry)
{
    if (cx_job_is_cancelled(entry->job))
        cx_job_abandon(entry->job);
    else
        cx_job_run(entry->job, entry->func, entry->data, NULL);

    g_mutex_lock(&self->lock);
    if (entry->key != 0)
        cx_hash64_remove(self->keys, entry->key);
    g_ptr_array_remove_fast(self->running, entry->job);
    g_mutex_unlock(&self->lock);
    entry_free(entry);
}

static void *
work(void *data)
{
    g_autofree Worker *worker = data;
    CxScheduler *self = worker->scheduler;

    g_mutex_lock(&self->lock);
    for (;;) {
        Entry *entry = NULL;

        while (!self->stopping &&
               (entry = take_entry(self, worker->last_tier)) == NULL)
            g_cond_wait(&self->work, &self->lock);
        if (self->stopping)
            break;
        g_ptr_array_add(self->running, entry->job);
        g_mutex_unlock(&self->lock);
        run_entry(self, entry);
        g_mutex_lock(&self->lock);
    }
    g_mutex_unlock(&self->lock);
    return NULL;
}

CxScheduler *
cx_scheduler_new(unsigned n_workers)
{
    CxScheduler *self = g_new0(CxScheduler, 1);

    if (n_workers == 0)
        n_workers = g_get_num_processors();
    self->n_workers = MAX(n_workers, 2);
    g_mutex_init(&self->lock);
    g_cond_init(&self->work);
    self->keys = cx_hash64_new(64);
    self->running = g_ptr_array_new();
    self->threads = g_new0(GThread *, self->n_workers);
    for (unsigned i = 0; i < self->n_workers; i++) {
        Worker *worker = g_new(Worker, 1);

        *worker = (Worker){self, i == 0 ? CX_TIER_PREFETCH : CX_TIER_BATCH};
        self->threads[i] = g_thread_new("cx-worker", work, worker);
    }
    return self;
}

/* Under the lock: empties the queues into a list of abandoned entries. */
static GSList *
drain(CxScheduler *self)
{
    GSList *entries = NULL;
    Entry *entry;

    while ((entry = take_entry(self, CX_N_TIERS - 1)) != NULL)
        entries = g_slist_prepend(entries, entry);
    return entries;
}

void
cx_scheduler_free(CxScheduler *self)
{
    if (self == NULL)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = true;
    GSList *entries = drain(self);
    for (guint i = 0; i < self->running->len; i++)
        cx_job_cancel(g_ptr_array_index(self->running, i));
    g_cond_broadcast(&self->work);
    g_mutex_unlock(&self->lock);

    for (GSList *l = entries; l != NULL; l = l->next) {
        cx_job_abandon(((Entry *)l->data)->job);
        entry_free(l->data);
    }
    g_slist_free(entries);
    for (unsigned i = 0; i < self->n_workers; i++)
        g_thread_join(self->threads[i]);
    cx_hash64_free(self->keys);
    g_ptr_array_unref(self->running);
    g_free(self->threads);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->work);
    g_free(self);
}

bool
cx_scheduler_submit(CxScheduler *self, CxJob *job, CxTier tier, uint64_t key,
                    CxJobFunc func, void *data, GDestroyNotify destroy)
{
    Entry *entry = g_new(Entry, 1);
    bool taken = false;

    *entry = (Entry){cx_job_ref(job), key, func, data, destroy};
    g_mutex_lock(&self->lock);
    if (key != 0)
        taken = cx_hash64_get(self->keys, key, NULL);
    if (!taken && !self->stopping) {
        if (key != 0)
            cx_hash64_set(self->keys, key, 1);
        if (tier == CX_TIER_VISIBLE)
            g_queue_push_head(&self->queues[tier], entry);
        else
            g_queue_push_tail(&self->queues[tier], entry);
        g_cond_broadcast(&self->work);
        entry = NULL;
    }
    g_mutex_unlock(&self->lock);
    if (entry == NULL)
        return true;
    cx_job_abandon(job);
    entry_free(entry);
    return false;
}

unsigned
cx_scheduler_n_workers(const CxScheduler *self)
{
    return self->n_workers;
}

unsigned
cx_scheduler_n_pending(CxScheduler *self)
{
    unsigned n;

    g_mutex_lock(&self->lock);
    n = self->running->len;
    for (int tier = 0; tier < CX_N_TIERS; tier++)
        n += g_queue_get_length(&self->queues[tier]);
    g_mutex_unlock(&self->lock);
    return n;
}
