/* Hierarchical agglomeration of a region graph by mean affinity.
 *
 * Merges the pair with the highest score until none reaches the threshold
 * (waterz's mean-affinity scheme: Funke et al., TPAMI 2019); edges between the
 * same two regions pool their faces.  Ties go to the smaller ids, so the
 * result does not depend on the order of edges.  The merge tree is kept.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/segmentation/fragments.h"

/* One merge: the regions that hold a and b became one at this score. */
typedef struct {
    CxId a, b;
    float score;
} CxMerge;

typedef struct {
    double threshold;      /* merge while score >= threshold */
    double tree_threshold; /* keep recording merges down to here */
    /* Conservative merging of large bodies: above this many voxels on both
     * sides the score must reach large_threshold.  0 = off. */
    uint64_t large_voxels;
    double large_threshold;
    /* Regions below this size join their best neighbour afterwards. */
    uint64_t dust_voxels;
    double dust_threshold;
} CxAgglomerateOptions;

/* supervoxels and edges as in CxFragments (any number of blocks together).
 * units (may be NULL): for each supervoxel a non-zero id of an already formed
 * segment, kept together and merged as a whole, or 0.
 * Returns for each supervoxel, in order, the smallest supervoxel id of its
 * segment (GArray of CxId).  tree (may be NULL) receives CxMerge in order. */
GArray *cx_agglomerate(const GArray *supervoxels, const GArray *edges,
                       const CxId *units, const CxAgglomerateOptions *options,
                       GArray **tree, CxJob *job, GError **error);
