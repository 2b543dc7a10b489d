/* The Retina page's state: a network, a protocol, what is taken out of either,
 * and everything that was computed from them.
 *
 * What the user wants is one struct; setting it starts the jobs that bring the
 * results in line, one after the other, cancelling those nobody wants any more.
 * Results are replaced whole.  Main thread only; nothing blocks.
 *
 *   wish ─► replay ─► reduced, knock-outs, attribution ─► "replay-changed"
 *      └──► sweep (when shown) ─► "sweep-changed"
 *      └──► faithfulness (when shown) ─► "faithfulness-changed"
 *   train, report: when asked for
 *
 * The traces of a replay may be read in a handler of "replay-changed" only: a
 * job may change some of them afterwards.
 *
 * Signals:
 *   replay-changed(), sweep-changed(), faithfulness-changed(),
 *   report-changed(), training-changed(), moment-changed()
 *   networks-changed()   list of networks, or the one in use
 *   busy-changed()       a replay job began or ended
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "core/retina/faithfulness.h"
#include "core/retina/replay.h"
#include "core/retina/report.h"
#include "core/retina/retina_train.h"

#define CXUI_TYPE_RETINA_SESSION (cxui_retina_session_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaSession, cxui_retina_session, CXUI,
                     RETINA_SESSION, GObject)

/* session is borrowed and must outlive the jobs (it drains them). */
CxuiRetinaSession *cxui_retina_session_new(CxuiSession *session);
void cxui_retina_session_stop(CxuiRetinaSession *self);

/* Tells the user what went wrong on the page. */
void cxui_retina_session_fail(CxuiRetinaSession *self, const GError *error);

/* ---- networks */

unsigned cxui_retina_session_n_networks(CxuiRetinaSession *self);
const char *cxui_retina_session_network_title(CxuiRetinaSession *self,
                                              unsigned i);
unsigned cxui_retina_session_network(CxuiRetinaSession *self);
void cxui_retina_session_use_network(CxuiRetinaSession *self, unsigned i);

/* Loads a file as a job, adds it and uses it. */
void cxui_retina_session_open_network(CxuiRetinaSession *self,
                                      const char *path);

/* NULL until the first one is loaded; borrowed. */
const CxRetinaCnn *cxui_retina_session_net(CxuiRetinaSession *self);

/* ---- what is wanted */

typedef struct {
    CxProtocolKind kind;
    CxProtocolPreset preset;
    double amplitude; /* 0 and below: the preset's */
    double speed_px, pixel_um;
    unsigned bar_px;
    size_t condition; /* SIZE_MAX: a telling one */
    CxAttributionRule rule;
    uint32_t n_steps;
    CxChannelOrder order;
    unsigned k;     /* channels kept; 0: all */
    uint64_t muted; /* bit c: channel c is taken out by hand */
    unsigned bits;  /* 2 … 8; 0: float */
    CxRetinaFate fate;
    unsigned knock_outs; /* CxKnockOut */
} CxuiRetinaWish;

CxuiRetinaWish cxui_retina_wish_default(void);
const CxuiRetinaWish *cxui_retina_session_wish(CxuiRetinaSession *self);
void cxui_retina_session_set_wish(CxuiRetinaSession *self,
                                  const CxuiRetinaWish *wish);

/* The wish as a JSON preset, and back (what is missing keeps its default). */
char *cxui_retina_wish_to_json(const CxuiRetinaWish *wish);
bool cxui_retina_wish_from_json(const char *text, CxuiRetinaWish *wish,
                                GError **error);

/* ---- replay */

/* Borrowed; NULL before the first. */
const CxRetinaReplay *cxui_retina_session_replay(CxuiRetinaSession *self);

/* The linear-nonlinear model's rates over the film, or NULL. */
const float *cxui_retina_session_baseline(CxuiRetinaSession *self);

/* A replay job waits or runs. */
bool cxui_retina_session_is_busy(CxuiRetinaSession *self);

/* Where the attribution of this frame comes from; the newest wish wins. */
void cxui_retina_session_want_moment(CxuiRetinaSession *self, size_t frame);

#define CXUI_MOMENT_POINTS 48
typedef struct {
    size_t frame;
    double rate[CXUI_MOMENT_POINTS]; /* r(alpha s), alpha = (i + 1/2) / n */
    double *density;                 /* [channel][n]: dA_c / dalpha */
    size_t n_channels;
} CxuiRetinaMoment;
const CxuiRetinaMoment *cxui_retina_session_moment(CxuiRetinaSession *self);

/* Writes all traces and A_c(t) as a job; a toast says where. */
void cxui_retina_session_export_csv(CxuiRetinaSession *self, const char *path);

/* ---- measurements */

/* Which of them are on the screen and should follow the wish. */
void cxui_retina_session_show(CxuiRetinaSession *self, bool sweep,
                              bool faithfulness);

/* Rates of all conditions; baseline may be NULL.  NULL while unknown. */
typedef struct {
    CxProtocolRun *simulator, *network, *baseline;
} CxuiRetinaSweep;
const CxuiRetinaSweep *cxui_retina_session_sweep(CxuiRetinaSession *self);
const CxFaithfulness *cxui_retina_session_faithfulness(CxuiRetinaSession *self,
                                                       bool of_bits);

void cxui_retina_session_measure_report(CxuiRetinaSession *self);
void cxui_retina_session_cancel_report(CxuiRetinaSession *self);
bool cxui_retina_session_is_reporting(CxuiRetinaSession *self);
const CxRetinaReport *cxui_retina_session_report(CxuiRetinaSession *self);

/* ---- training */

typedef struct {
    bool natural;     /* natural films alone; else the mixture */
    unsigned seconds; /* of film */
    unsigned epochs;
    uint64_t seed;
} CxuiRetinaTraining;

void cxui_retina_session_train(CxuiRetinaSession *self,
                               const CxuiRetinaTraining *training);
void cxui_retina_session_cancel_training(CxuiRetinaSession *self);
bool cxui_retina_session_is_training(CxuiRetinaSession *self);

/* Epochs so far; borrowed until the next "training-changed". */
const CxRetinaEpoch *cxui_retina_session_epochs(CxuiRetinaSession *self,
                                                size_t *n);
