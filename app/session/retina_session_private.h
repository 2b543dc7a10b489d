/* Inside of the retina session, shared by its files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/bell.h"
#include "app/session/retina_session.h"

/* A network that jobs may hold on to. */
typedef struct {
    gatomicrefcount refs;
    char *title, *path; /* path NULL: made here */
    CxRetinaCnn *net;   /* NULL until it is loaded */
} CxuiRetinaNet;

CxuiRetinaNet *cxui_retina_net_ref(CxuiRetinaNet *net);
void cxui_retina_net_unref(void *net);

/* A baseline that jobs may hold on to. */
typedef struct {
    gatomicrefcount refs;
    CxLnModel *model;
    size_t width;
} CxuiRetinaBaseline;

CxuiRetinaBaseline *cxui_retina_baseline_ref(CxuiRetinaBaseline *baseline);
void cxui_retina_baseline_unref(void *baseline);

/* A replay, the network it borrows, and who may touch it: a job that changes
 * or reads it holds the lock; the main loop reads what stays the same. */
typedef struct {
    gatomicrefcount refs;
    GMutex lock;
    CxRetinaReplay *replay;
    CxuiRetinaNet *net;
    float *baseline; /* or NULL */
    /* what its parts were made for */
    CxuiRetinaWish wish;
    bool has_baseline;
} CxuiRetinaFilm;

CxuiRetinaFilm *cxui_retina_film_ref(CxuiRetinaFilm *film);
void cxui_retina_film_unref(void *film);

/* One kind of job: at most one of it runs; a newer wish waits for its end. */
typedef struct {
    CxJob *job;
    bool again;
} CxuiRetinaSlot;

enum {
    CXUI_RETINA_REPLAY_CHANGED,
    CXUI_RETINA_SWEEP_CHANGED,
    CXUI_RETINA_FAITHFULNESS_CHANGED,
    CXUI_RETINA_REPORT_CHANGED,
    CXUI_RETINA_TRAINING_CHANGED,
    CXUI_RETINA_MOMENT_CHANGED,
    CXUI_RETINA_NETWORKS_CHANGED,
    CXUI_RETINA_BUSY_CHANGED,
    CXUI_RETINA_N_SIGNALS,
};

typedef struct CxuiRetinaCourse CxuiRetinaCourse;

struct _CxuiRetinaSession {
    GObject parent;
    CxuiSession *session; /* borrowed */
    CxuiBell *bell;       /* training has news */
    bool stopped;

    GPtrArray *networks; /* of CxuiRetinaNet */
    unsigned used;
    CxuiRetinaSlot load;

    CxuiRetinaWish wish;
    CxuiRetinaFilm *film; /* what is shown, or NULL */
    CxuiRetinaSlot replay;
    CxuiRetinaWish running;     /* what the replay's job works for */
    CxuiRetinaNet *running_net; /* for comparison alone */
    CxuiRetinaBaseline *baseline;
    CxuiRetinaSlot fit; /* of the baseline */
    bool fit_refused;   /* cancelled or failed */
    CxuiRetinaSlot moment_slot;
    size_t moment_frame;
    CxuiRetinaMoment *moment;
    /* scores of the chosen order, and what they were made for */
    double *scores;
    size_t n_scores;
    CxuiRetinaNet *scores_net;
    CxuiRetinaWish scores_wish;

    bool shows_sweep, shows_faithfulness;
    CxuiRetinaSlot sweep_slot, faithfulness_slot, report_slot;
    CxuiRetinaSweep *sweep;
    CxuiRetinaWish sweep_wish;
    CxuiRetinaNet *sweep_net;
    bool sweep_had_baseline;
    CxFaithfulness *faithfulness[2];
    CxuiRetinaWish faithfulness_wish;
    CxuiRetinaNet *faithfulness_net;
    CxRetinaReport *report;

    CxuiRetinaSlot train_slot;
    CxuiRetinaCourse *course; /* training that runs or ran last */
    GArray *epochs;           /* of CxRetinaEpoch */
};

void cxui_retina_emit(CxuiRetinaSession *self, int signal);
CxuiRetinaNet *cxui_retina_net_in_use(CxuiRetinaSession *self);
void cxui_retina_add_network(CxuiRetinaSession *self, CxuiRetinaNet *net,
                             bool use);

/* Starts what the wish still lacks. */
void cxui_retina_pump(CxuiRetinaSession *self);

CxProtocolOptions cxui_retina_wish_protocol(const CxuiRetinaWish *wish);
bool cxui_retina_wish_same_film(const CxuiRetinaWish *a,
                                const CxuiRetinaWish *b);
bool cxui_retina_wish_same_protocol(const CxuiRetinaWish *a,
                                    const CxuiRetinaWish *b);

/* Ends the slot's job; false if the session has stopped (owner is released).
 * Failures that are no cancellation are told to the user. */
bool cxui_retina_slot_end(CxuiRetinaSession *self, CxuiRetinaSlot *slot,
                          const GError *error);

/* Whether a job of the slot may start now; if one runs, it is cancelled and
 * the pump comes by again. */
bool cxui_retina_slot_free(CxuiRetinaSession *self, CxuiRetinaSlot *slot);

/* retina_session_measure.c */
void cxui_retina_pump_measures(CxuiRetinaSession *self);
void cxui_retina_sweep_free(CxuiRetinaSweep *sweep);

/* retina_session_train.c */
void cxui_retina_course_unref(void *course);
void cxui_retina_course_collect(CxuiRetinaSession *self);

/* retina_session_replay.c */
void cxui_retina_pump_replay(CxuiRetinaSession *self);
void cxui_retina_moment_free(CxuiRetinaMoment *moment);
