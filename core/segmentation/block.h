/* One block: what the network says → supervoxels and their region graph.
 *
 * A pure function; the pipeline decides which blocks and keeps the ids apart.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/boundary.h"
#include "core/segmentation/fragments.h"

/* Distances and sigmas in voxels of the section plane (x); the other axes are
 * scaled by the voxel size. */
typedef struct {
    bool by_sections;      /* 2-D watershed per section, then links */
    double inside_sigma;   /* smoothing of the boundary map for the next */
    double seed_level;     /* membrane above this bounds the distance map */
    double seed_sigma;     /* smoothing of the distance map */
    double seed_distance;  /* seeds are at least this far apart */
    double climb_distance; /* this deep: joins the peak it climbs to; 0 = off */
    double border_sigma;   /* smoothing of the flooded map */
    double long_weight;    /* weight of a far affinity against a near one */
    double threshold;      /* sections: joins fragments to profiles */
    double max_shift;      /* sections: largest step between two, in voxels */
} CxBlockOptions;

typedef struct {
    CxChunk *prediction; /* over the block and a margin around it */
    CxOutputRoles roles;
    CxBox box; /* the block */
    CxNm voxel_nm;
    CxId first_id; /* id of local label 1 */

    /* Labels beyond the six faces (x-, x+, y-, y+, z-, z+), or NULL. */
    CxChunk *const *faces;
} CxBlockInput;

typedef struct {
    double watershed, graph, fuse; /* seconds */
} CxBlockSeconds;

CxFragments *cx_block_segment(const CxBlockInput *input,
                              const CxBlockOptions *options, unsigned n_threads,
                              CxBlockSeconds *seconds, CxJob *job,
                              GError **error);
