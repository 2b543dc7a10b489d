/* Shows how far a job is, and turns Ctrl+C into a cancellation.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define BAR_INTERVAL_US 100000
#define LINE_INTERVAL_US 5000000

struct CxcliProgress {
    CxJob *job;
    bool quiet, is_terminal;
    pthread_t watcher;

    GMutex lock; /* guards all that follows, and stderr */
    bool drawn;
    bool over;
    int64_t start_us, last_us;
};

static void
watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    /* Sent by ourselves at the end. */
    sigaddset(set, SIGUSR2);
}

/* Its own thread: waits for signals. */
static void *
watch(void *data)
{
    CxcliProgress *self = data;
    sigset_t set;
    int signal_number;

    watched_signals(&set);
    for (;;) {
        if (sigwait(&set, &signal_number) != 0)
            continue;
        if (signal_number == SIGUSR2)
            return NULL;
        if (cx_job_is_cancelled(self->job))
            _exit(130);
        cx_job_cancel(self->job);
    }
}

static void
draw_bar(CxcliProgress *self, double fraction, const char *stage, double left)
{
    char bar[BAR_WIDTH + 1];
    int n_full = (int)(fraction * BAR_WIDTH + 0.5);

    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < n_full ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3.0f %% %s", bar, fraction * 100.0, stage);
    if (left >= 0.0)
        fprintf(stderr, " · %.0f s left", left);
    fflush(stderr);
    self->drawn = true;
}

/* Any thread. */
static void
on_job_changed(CxJob *job, void *data)
{
    CxcliProgress *self = data;
    int64_t now = g_get_monotonic_time();

    g_mutex_lock(&self->lock);
    int64_t interval = self->is_terminal ? BAR_INTERVAL_US : LINE_INTERVAL_US;
    if (self->over || now - self->last_us < interval || cx_job_is_over(job)) {
        g_mutex_unlock(&self->lock);
        return;
    }
    self->last_us = now;
    double fraction = cx_job_fraction(job);
    double spent = (double)(now - self->start_us) * 1e-6;
    double left = spent > 2.0 && fraction > 0.01
                      ? spent / fraction * (1.0 - fraction)
                      : -1.0;
    if (self->is_terminal)
        draw_bar(self, fraction, cx_job_stage_name(job), left);
    else
        fprintf(stderr, "%3.0f %% %s\n", fraction * 100.0,
                cx_job_stage_name(job));
    g_mutex_unlock(&self->lock);
}

CxcliProgress *
cxcli_progress_new(CxJob *job, bool quiet)
{
    CxcliProgress *self = g_new0(CxcliProgress, 1);
    sigset_t set;

    self->job = cx_job_ref(job);
    self->quiet = quiet;
    self->is_terminal = isatty(STDERR_FILENO) != 0;
    g_mutex_init(&self->lock);
    self->start_us = self->last_us = g_get_monotonic_time();
    watched_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    g_assert(pthread_create(&self->watcher, NULL, watch, self) == 0);
    if (!quiet)
        cx_job_set_hook(job, on_job_changed, self);
    return self;
}

void
cxcli_progress_end(CxcliProgress *self)
{
    g_mutex_lock(&self->lock);
    self->over = true;
    if (self->drawn)
        fputs("\r\033[K", stderr);
    g_mutex_unlock(&self->lock);
    pthread_kill(self->watcher, SIGUSR2);
    pthread_join(self->watcher, NULL);
    g_mutex_clear(&self->lock);
    cx_job_unref(self->job);
    g_free(self);
}
