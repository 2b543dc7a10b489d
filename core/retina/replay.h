/* Everything the replay screen shows of one condition of a protocol, computed
 * once, then read frame by frame.
 *
 * All traces are float [frame] over the whole film (frame 0 is its first; the
 * first `history` frames have no window and hold r(0)), in Hz as the network
 * and the simulated retina give them.  Pieces that depend on a moving slider
 * are recomputed by their own function from what is kept.
 *
 * Making and changing a replay takes a job and belongs on a worker; a replay
 * that nobody changes may be read from any thread.  The network is borrowed
 * and must outlive the replay.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/circuit.h"
#include "core/retina/ln_model.h"
#include "core/retina/reduction.h"

typedef struct {
    CxProtocolKind kind;
    CxProtocolOptions protocol; /* preset, amplitude and free settings; sizes
                                   are set from the network */
    size_t condition;           /* which film of the protocol */
    size_t cell;                /* which of its cells; SIZE_MAX: the middle */
    unsigned map;               /* which map of the network */
    CxAttributionRule rule;
    uint32_t n_steps;          /* 0 = 100 */
    unsigned knock_outs;       /* CxKnockOut of the simulated retina */
    const CxLnModel *baseline; /* borrowed while it is made; NULL: none */
    unsigned n_threads;
} CxRetinaReplayOptions;

typedef struct CxRetinaReplayKept CxRetinaReplayKept;

typedef struct {
    CxRetinaReplayOptions options;
    const CxRetinaCnn *net;
    CxProtocol *protocol;
    const CxProtocolCondition *condition; /* film and ticks; borrowed */
    size_t cell;
    CxRetinaPick pick;
    size_t n_frames, history, n_channels;
    double frame_ms, rate0;

    float *full;      /* the network */
    float *reduced;   /* with the mask below */
    float *simulated; /* the simulated retina */
    float *baseline;  /* linear-nonlinear; NULL without */
    float *drive_off, *drive_on, *drive_slow; /* inside the simulated retina,
                                                 at this cell */
    CxAttribution *attribution;               /* A_c(t), gap, completeness */
    float *channel_mean;    /* [frame][channel]: z1 - z1 of grey, mean over
                                   the patch the cell sees */
    CxChannelLabel *labels; /* [n_channels] */
    CxCircuit *circuit;
    unsigned *order;   /* [n_channels]: by this condition's mean |A_c| */
    CxRetinaMask mask; /* of reduced */
    double reduced_r, reduced_explained; /* reduced against full */

    CxRetinaReplayKept *kept; /* private */
} CxRetinaReplay;

CxRetinaReplay *cx_retina_replay_new(const CxRetinaCnn *net,
                                     const CxRetinaReplayOptions *options,
                                     CxJob *job, GError **error);
void cx_retina_replay_free(CxRetinaReplay *replay);

/* Recomputes `reduced` with this mask (solo, mute, k channels of an order).
 * bits: 2 ... 8 for a rounded network, 0 for float.  Without bits it takes a
 * fraction of a second. */
bool cx_retina_replay_reduce(CxRetinaReplay *replay, const CxRetinaMask *mask,
                             unsigned bits, CxJob *job, GError **error);

/* Recomputes drive_* and `simulated` with parts of the retina taken out. */
bool cx_retina_replay_knock_out(CxRetinaReplay *replay, unsigned knock_outs,
                                CxJob *job, GError **error);

/* Recomputes the attribution by another rule. */
bool cx_retina_replay_attribute(CxRetinaReplay *replay, CxAttributionRule rule,
                                uint32_t n_steps, CxJob *job, GError **error);

/* Layer 1 at a frame, [channel][y][x] of the layer's size (shape of layer 0 of
 * cx_retina_cnn_layer()): z1 less that of grey, and a1 after the relu; either
 * may be NULL.  Fast: z1 is kept.  Frames without a window give 0 and the
 * grey a1. */
void cx_retina_replay_maps(const CxRetinaReplay *replay, size_t frame,
                           float *z1, float *a1);

/* A_cxy at a frame in the layer's size, and the path of the integral
 * (cx_attribution_path()).  Some 10 ms; frames without a window give 0. */
bool cx_retina_replay_parts(const CxRetinaReplay *replay, size_t frame,
                            float *layer1, GError **error);
bool cx_retina_replay_path(const CxRetinaReplay *replay, size_t frame,
                           uint32_t n_points, double *rate, double *density,
                           GError **error);

/* A table of all traces and A_c(t): one line a frame, header first, decimal
 * points in every locale.  Owned text. */
char *cx_retina_replay_csv(const CxRetinaReplay *replay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaReplay, cx_retina_replay_free)
