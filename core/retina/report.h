/* The report card of a network: does it show what retinas show, does it do so
 * for the right reasons, and how small may it become.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/circuit.h"
#include "core/retina/faithfulness.h"

/* What the network attributes against what the simulated retina is driven by,
 * where the response of the protocol is largest. */
typedef struct {
    size_t condition, frame;             /* where */
    double true_off, true_on, true_slow; /* drives of the simulated retina */
    double off, on;      /* sums of A_c over OFF and ON channels, Hz */
    bool leading_agrees; /* the larger one of OFF and ON, and its sign */
    double r_off, r_on;  /* Pearson's over time, A of the channels against the
                            true drive; 0 if one is constant */
    /* Taking out all channels of one polarity against knocking out that
     * bipolar cell: is the protocol still reproduced? */
    bool net_without_on, net_without_off;
    bool true_without_on, true_without_off;
} CxAnswerKey;

typedef struct {
    CxProtocolRun *simulator, *network, *baseline; /* baseline may be NULL */
    CxProtocolRun *knock_outs[CX_N_KNOCK_OUTS];    /* NULL if not asked for */
    double completeness_error, worst_error;        /* of layer 1 */
    double completeness_error2;                    /* of layer 2 */
    double r_simulator; /* network to simulated retina, all conditions */
    double *scores;     /* [channels]: mean |A_c|, Hz */
    unsigned *order;
    CxCircuit *circuit; /* of the condition with the largest response */
    CxFaithfulness *channels, *bits; /* NULL if not asked for */
    CxAnswerKey key;
} CxRetinaReportPart;

typedef struct {
    CxProtocolPreset preset;
    CxAttributionRule rule; /* of the completeness error */
    uint32_t n_steps;       /* 0 = 100 */
    bool knock_outs, faithfulness;
    bool no_baseline;
    unsigned map;
    unsigned n_threads;
} CxRetinaReportOptions;

typedef struct {
    CxRetinaReportPart parts[CX_N_PROTOCOLS];
    CxChannelLabel *labels;
    size_t n_channels;
    bool baseline_fails; /* shows no omitted stimulus response */
    unsigned n_reproduced, n_simulator_reproduced;
    double completeness_error; /* median over all frames of all protocols */
    double worst_error;
} CxRetinaReport;

CxRetinaReport *cx_retina_report_new(const CxRetinaCnn *net,
                                     const CxRetinaReportOptions *options,
                                     CxJob *job, GError **error);
void cx_retina_report_free(CxRetinaReport *report);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaReport, cx_retina_report_free)
