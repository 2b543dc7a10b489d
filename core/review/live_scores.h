/* Scores against a truth that follow the edits.
 *
 * How many voxels of each truth label lie in each supervoxel is counted once;
 * an edit moves a few of these counts, and the sums behind the scores change
 * by what these contribute.  Equal to a count of the whole volume after every
 * edit (CxContingency), up to rounding.
 *
 * Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/metrics/contingency.h"
#include "core/proofread/supervoxel_graph.h"

typedef struct CxLiveScores CxLiveScores;

/* overlaps: of truth labels and supervoxels. */
CxLiveScores *cx_live_scores_new(CxSupervoxelGraph *graph,
                                 const CxContingency *overlaps);
void cx_live_scores_free(CxLiveScores *scores);

/* Follows the moves of an edit, or takes them back. */
void cx_live_scores_apply(CxLiveScores *scores, const CxEdit *edit,
                          bool inverse);

/* voi_split, voi_merge, arand and n_voxels; the others are NAN. */
CxScores cx_live_scores_get(const CxLiveScores *scores);

/* The truth label most of these supervoxels' voxels have; 0 if none has. */
CxId cx_live_scores_majority(const CxLiveScores *scores,
                             const CxId *supervoxels, size_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxLiveScores, cx_live_scores_free)
