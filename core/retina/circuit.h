/* The small circuits a network reduces to.
 *
 * CxCircuit is a drawing: stimulus, the channels of layer 1 that matter, the
 * cell; an edge is as wide as its channel's mean |A_c| and has the sign of its
 * mean A_c.
 *
 * CxRectifiedCircuit is a model: out(t) = max(0, offset + sum over channels of
 * weight_c max(m_c(t) - threshold_c, 0)), m_c the mean over channel c of z1 less
 * its bias.
 * Three channels in this form sum up the network's omitted stimulus response
 * in the published notebooks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/attribution.h"
#include "core/retina/protocol.h"

typedef struct {
    unsigned channel;
    bool on, fast;
    double lag_ms;
    double strength; /* mean |A_c(t)|, Hz */
    double effect;   /* mean A_c(t), Hz: below 0 it inhibits */
    double share;    /* of the strengths of all channels */
    double at_peak;  /* A_c where the rate is largest, Hz */
} CxCircuitNode;

typedef struct {
    CxCircuitNode *nodes; /* strongest first, all channels */
    size_t n_nodes;
    double rate0;     /* r(0), Hz */
    double peak_rate; /* the largest rate, Hz */
    size_t peak_frame;
} CxCircuit;

/* Over the frames [first, end) of an attribution (end 0 = all). */
CxCircuit *cx_circuit_new(const CxAttribution *attribution,
                          const CxChannelLabel *labels, size_t first,
                          size_t end);
CxCircuit *cx_circuit_copy(const CxCircuit *circuit);
void cx_circuit_free(CxCircuit *circuit);

/* How many of the strongest channels hold this share (0 ... 1) of the
 * strengths. */
size_t cx_circuit_n_for_share(const CxCircuit *circuit, double share);

#define CX_CIRCUIT_MAX_CHANNELS 8

typedef struct {
    size_t n_channels;
    unsigned channel[CX_CIRCUIT_MAX_CHANNELS];
    double weight[CX_CIRCUIT_MAX_CHANNELS];
    double threshold[CX_CIRCUIT_MAX_CHANNELS];
    double offset;
    double r; /* Pearson's, on what it was fitted to */
} CxRectifiedCircuit;

/* Fits the form to target[n] with m[n][n_channels] (row by row): thresholds by
 * coordinate descent over quantiles of m, weights and offset by least squares.
 * A weight below 0 is a channel that inhibits (those of the published form are
 * all positive).  Deterministic.
 * n_channels <= CX_CIRCUIT_MAX_CHANNELS; fills all but .channel. */
void cx_rectified_circuit_fit(const double *m, const double *target, size_t n,
                              size_t n_channels, CxRectifiedCircuit *circuit);

double cx_rectified_circuit_rate(const CxRectifiedCircuit *circuit,
                                 const double *m);

/* Fits to the rates of the network's middle cell in all conditions of a
 * protocol; takes the best set of n_channels (1 ... 3) among the 10 channels
 * whose m varies most. */
bool cx_rectified_circuit_new(const CxRetinaCnn *net,
                              const CxProtocolOptions *options,
                              CxProtocolKind kind, size_t n_channels,
                              unsigned n_threads, CxRectifiedCircuit *circuit,
                              CxJob *job, GError **error);

/* Answers films in the place of the network; the same rate at every cell. */
typedef struct {
    const CxRetinaCnn *net;
    CxRectifiedCircuit circuit;
} CxCircuitResponder;
CxResponder cx_responder_circuit(const CxCircuitResponder *circuit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxCircuit, cx_circuit_free)
