/* The report card of a network: does it show what retinas show, does it do so
 * for the right reasons, and how small may it become.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/circuit.h"
#include "core/retina/faithfulness.h"
#include "core/retina/ln_model.h"

/* What the network attributes against what the simulated retina is driven by,
 * where the response of the protocol is largest: at the middle cell, in the
 * condition whose response to the event (omitted flash, step, flip, bar) is
 * largest. */
typedef struct {
    size_t condition;
    size_t frame, true_frame; /* of the largest rate: network, simulator */
    double true_off, true_on, true_slow; /* drives of the simulated retina */
    /* Hz: A_c above 0 summed over OFF channels and over ON channels, A_c below 0
     * over all: what excites by polarity, and what inhibits. */
    double off, on, inhibition;
    bool leading_agrees; /* the larger one of OFF and ON excitation */
    /* Pearson's over time: these against true_off, true_on and the part of
     * true_slow below 0; 0 if one is constant. */
    double r_off, r_on, r_inhibition;
    /* Taking out all channels of one polarity against knocking out that
     * bipolar cell: is the protocol still reproduced? */
    bool net_without_on, net_without_off;
    bool true_without_on, true_without_off;
} CxAnswerKey;

/* Errors of the sum of the parts of each layer, |sum A - (r - r0)| / |r - r0|,
 * over the frames of a protocol (attribution.h). */
typedef struct {
    double median[2], worst[2];
    size_t n_frames;
} CxCompleteness;

typedef struct {
    CxProtocolRun *simulator, *network, *baseline; /* baseline may be NULL */
    CxProtocolRun *knock_outs[CX_N_KNOCK_OUTS];    /* NULL if not asked for */
    bool reproduced; /* by the network; the omitted stimulus response also
                        needs a baseline that fails, if there is one */
    CxCompleteness exact, steps; /* by pieces; mid-point with n_steps */
    double r_simulator;          /* network to simulated retina, all rates */
    double *scores;              /* [channels]: mean |A_c|, Hz */
    unsigned *order;             /* [channels]: by falling score */
    CxCircuit *circuit; /* where the answer key is read; all frames of it */
    CxAnswerKey key;
    CxFaithfulness *channels, *bits; /* NULL if not asked for */
} CxRetinaReportPart;

typedef struct {
    CxProtocolPreset preset;
    uint32_t n_steps; /* 0 = 100 */
    size_t n_frames;  /* attributed a protocol, evenly; 0 = 300 */
    bool knock_outs;
    bool faithfulness;         /* curves, and the three-channel circuit */
    const CxLnModel *baseline; /* borrowed; NULL: none */
    unsigned map;
    unsigned n_threads;
} CxRetinaReportOptions;

typedef struct {
    CxRetinaReportOptions options; /* without the baseline */
    CxRetinaReportPart parts[CX_N_PROTOCOLS];
    CxChannelLabel *labels;
    size_t n_channels;
    bool baseline_fails; /* shows no omitted stimulus response */
    unsigned n_reproduced, n_simulator_reproduced;
    CxCompleteness exact, steps; /* over all protocols */
    /* Three channels above their thresholds, on the omitted stimulus; NULL
     * run without faithfulness. */
    CxRectifiedCircuit circuit;
    CxProtocolRun *circuit_run;
} CxRetinaReport;

CxRetinaReport *cx_retina_report_new(const CxRetinaCnn *net,
                                     const CxRetinaReportOptions *options,
                                     CxJob *job, GError **error);
void cx_retina_report_free(CxRetinaReport *report);

/* The answer key of one protocol alone.  network, simulator: runs of it;
 * attribution: of the middle cell in the key's condition, set by
 * cx_answer_key_find(). */
void cx_answer_key_find(const CxProtocolRun *network,
                        const CxProtocolRun *simulator, CxAnswerKey *key);
bool cx_answer_key_fill(const CxProtocolRun *simulator,
                        const CxAttribution *attribution,
                        const CxChannelLabel *labels, CxAnswerKey *key,
                        CxJob *job, GError **error);

/* Channels of one polarity taken out. */
CxRetinaMask cx_polarity_mask(const CxChannelLabel *labels, size_t n, bool on);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaReport, cx_retina_report_free)
