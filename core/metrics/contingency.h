/* Sparse table of label overlaps between a truth and a segmentation.
 *
 * Streaming: add chunk pairs in any order.  Truth 0 is left out; a
 * segmentation's 0 counts as one label (and as singletons in CREMI's ARAND).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

typedef struct CxContingency CxContingency;

CxContingency *cx_contingency_new(void);
void cx_contingency_free(CxContingency *table);

/* Same box, both u64. */
void cx_contingency_add(CxContingency *table, const CxChunk *truth,
                        const CxChunk *segmentation);

/* Whole volumes, slab by slab.  Different sizes: CX_ERROR_INVALID naming
 * both.  border: leave out voxels within N 6-neighbour steps of a border
 * between truth labels (0 = none); components: split the truth into its
 * 26-connected pieces first. */
bool cx_contingency_add_volumes(CxContingency *table, CxVolume *truth,
                                CxVolume *segmentation, unsigned border,
                                bool components, CxJob *job, GError **error);

uint64_t cx_contingency_n_voxels(const CxContingency *table);

/* Iterates over overlaps; start with *cursor = 0. */
bool cx_contingency_next(const CxContingency *table, size_t *cursor,
                         CxId *truth, CxId *segment, uint64_t *n_voxels);

typedef struct {
    double voi_split;      /* H(segmentation | truth), bits */
    double voi_merge;      /* H(truth | segmentation), bits */
    double arand;          /* scikit-image's: self-pairs subtracted */
    double arand_cremi;    /* CREMI's: kept, background as singletons */
    double cremi_score;    /* sqrt(arand_cremi * VOI) */
    double v_rand, v_info; /* F-scores of Arganda-Carreras et al. 2015 */
    uint64_t n_voxels;
} CxScores;

CxScores cx_contingency_scores(const CxContingency *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxContingency, cx_contingency_free)
