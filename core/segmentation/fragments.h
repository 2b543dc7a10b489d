/* What segmenting a block yields: supervoxels and their region graph.
 *
 * Plain data, passed from the pipeline to whoever stores it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"

/* Two supervoxels that touch (6-neighbour contact faces).  a < b. */
typedef struct {
    CxId a, b;
    float affinity;    /* mean over the faces of the contact, in [0, 1] */
    uint32_t contacts; /* number of faces */
} CxEdge;

typedef struct {
    CxId id;
    uint64_t n_voxels;
    CxBox box;      /* bounds, voxels of level 0 */
    CxVoxel inside; /* one voxel of it, for "fly to" */
} CxSupervoxel;

typedef struct {
    CxChunk *labels;     /* u64 supervoxel ids over the block's box */
    GArray *supervoxels; /* of CxSupervoxel, sorted by id */
    GArray *edges;       /* of CxEdge, sorted by (a, b); both ends inside the
                           * block or one in an earlier, touching block */
} CxFragments;

void cx_fragments_free(CxFragments *fragments);

/* The region adjacency graph of any label chunk (0 left out): 6-neighbour
 * contacts, voxel counts and boxes; affinity of every edge = `affinity`. */
CxFragments *cx_fragments_of_labels(CxChunk *labels_u64, float affinity,
                                    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFragments, cx_fragments_free)
