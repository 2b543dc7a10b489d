/* Where the segmentation is probably wrong, the worst first.
 *
 * A false split is two segments that touch with a high affinity; a false merge
 * is a segment whose two sides hang together by a low one.  Both are asked of a
 * person as "the same neuron?", so both are ranked by one measure: how much
 * the answer is expected to lower the variation of information,
 *
 *     score = p(wrong) * (h(s + t) - h(s) - h(t)) / N,   h(n) = n log2 n,
 *
 * for sides of s and t voxels among N (bits a voxel; the entropy that joining
 * or parting them takes away if they were wrong).  Ranking by what an answer
 * is worth rather than by doubt alone follows Haehn et al., CVPR 2018.
 *
 * p comes from the affinity of the contact by a logistic curve, whose two
 * numbers a person's answers correct (cx_suspicion_model_learn()).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/supervoxel_graph.h"

typedef enum {
    CX_SUSPECT_SPLIT, /* two segments that may be one neuron */
    CX_SUSPECT_MERGE, /* one segment that may be two */
} CxSuspicionKind;

typedef struct {
    CxSuspicionKind kind;
    CxId a, b;                 /* supervoxels on either side of the contact */
    CxId segment_a, segment_b; /* equal for a false merge */
    uint64_t n_a, n_b;         /* voxels of the sides */
    float affinity;            /* mean over the faces between the sides */
    uint32_t contacts;         /* number of these faces */
    CxVoxel at;                /* near the contact */
    CxVoxel seed_a, seed_b;    /* a voxel of either supervoxel */
    double probability;        /* that the segmentation is wrong here */
    double score;              /* bits a voxel, see above */
} CxSuspicion;

/* p(same neuron) = 1 / (1 + exp(-(offset + slope * x))), x the logit of the
 * affinity held to [0.02, 0.98].  n_answers: how much it has learnt. */
typedef struct {
    double offset, slope;
    uint64_t n_answers;
} CxSuspicionModel;

CxSuspicionModel cx_suspicion_model_default(void);

/* p(same neuron) of a contact. */
double cx_suspicion_model_same(const CxSuspicionModel *model, float affinity);

/* One step of a stochastic descent on the answer's likelihood, smaller with
 * every answer; never turns the slope round. */
void cx_suspicion_model_learn(CxSuspicionModel *model, float affinity,
                              bool is_same);

const char *cx_suspicion_kind_name(CxSuspicionKind kind); /* "split", "merge" */

typedef struct {
    size_t limit;        /* the best only; 0 = all */
    uint64_t min_voxels; /* of the smaller side */
} CxSuspicionOptions;

CxSuspicionOptions cx_suspicion_defaults(void);

/* All suspicions about the present segments, best first (GArray of
 * CxSuspicion, owned); equal scores in order of ids. */
GArray *cx_suspicions_find(CxSupervoxelGraph *graph,
                           const CxSuspicionModel *model,
                           const CxSuspicionOptions *options, CxJob *job,
                           GError **error);
