/* How faithful a smaller network is to the whole one, over a protocol.
 *
 * For each k (channels kept) or bit width: Pearson's r and 1 - SSE/SST between
 * the rates of the whole and the smaller network over all conditions and cells
 * of the protocol, and the protocol's own scalar.  The points are what was
 * measured: such a curve may fall before it rises (an inhibitory partner went
 * first), so it is never smoothed or interpolated.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/reduction.h"

typedef struct {
    unsigned k; /* channels kept, or bits of a weight */
    double r;   /* Pearson's, to the whole network */
    double explained;
    double r_simulator; /* Pearson's, to the simulated retina */
    double scalar;      /* of the protocol; NaN if not to be measured */
    bool reproduced;
} CxFaithfulnessPoint;

typedef struct {
    CxProtocolKind kind;
    CxFaithfulnessPoint *points; /* by falling k */
    size_t n_points;
    const char *scalar_key, *scalar_unit, *scalar_definition; /* static */
    double whole_scalar, simulator_scalar;
    unsigned k_for_099; /* the smallest k from which on every larger one has
                           r >= 0.99 */
} CxFaithfulness;

typedef struct {
    CxProtocolKind kind;
    CxProtocolOptions options; /* sizes are set from the network */
    CxRetinaFate fate;         /* CX_RETINA_KEEP counts as ZERO */
    unsigned map;
    unsigned n_threads;
} CxFaithfulnessOptions;

/* The scalar that stands for a protocol: a key of cx_protocol_scalar(). */
const char *cx_faithfulness_scalar_key(CxProtocolKind kind);

/* k = n ... 1 of the order. */
CxFaithfulness *cx_faithfulness_channels(const CxRetinaCnn *net,
                                         const CxFaithfulnessOptions *options,
                                         const unsigned *order, CxJob *job,
                                         GError **error);

/* Bit widths 8 ... 2. */
CxFaithfulness *cx_faithfulness_bits(const CxRetinaCnn *net,
                                     const CxFaithfulnessOptions *options,
                                     CxJob *job, GError **error);

/* Pearson's r of all rates of two runs of the same protocol, and how much of
 * the first's variance the second explains (may be NULL). */
void cx_faithfulness_compare(const CxProtocolRun *whole,
                             const CxProtocolRun *part, double *r,
                             double *explained);

void cx_faithfulness_free(CxFaithfulness *faithfulness);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFaithfulness, cx_faithfulness_free)
