/* Divides the voxels of one body between two groups of seeds.
 *
 * The body is broken into small basins: the peaks of the distance to its
 * surface, and to the membranes seen in it, grow until they meet.  Between
 * basins that touch lies an edge, as wide as the area of the contact and as
 * strong as the contact is free of membrane; the cheapest cut of this graph
 * (split_mincut.h, as between supervoxels) divides the basins.  Seeds of both
 * sides in one basin divide it by a watershed from these seeds.  Without any
 * membrane the narrowest place is cut.
 *
 * Voxel sizes count everywhere: distances and areas are in nanometres.
 *
 * Pure; any thread.  About 20 bytes of working memory a voxel of the box.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

typedef struct {
    CxVoxel size;
    CxNm voxel_nm;
    const uint8_t *inside;          /* not 0: a voxel of the body */
    const uint8_t *membrane;        /* 255 = membrane; NULL: nothing is known */
    const CxVoxel *sources, *sinks; /* inside the block and the body */
    size_t n_sources, n_sinks;
} CxVoxelCutProblem;

typedef struct {
    double cut_affinity;  /* mean over the area cut: 1 = no membrane there */
    double mean_affinity; /* mean over all contacts of basins */
    uint32_t n_basins;
} CxVoxelCut;

/* side: 1 (source) or 2 (sink) for the voxels of the body, 0 for the others
 * and for what is connected to no seed.  CX_ERROR_INVALID if a voxel is a seed
 * of both sides. */
bool cx_voxel_cut(const CxVoxelCutProblem *problem, uint8_t *side,
                  CxVoxelCut *cut, CxJob *job, GError **error);

/* A membrane map from the brightness of an image: how dark a voxel is, smoothed
 * over its neighbours, between the mean (0) and the darkest twentieth
 * (255).  membrane may not be light. */
bool cx_membrane_of_light(const uint8_t *light, CxVoxel size, CxNm voxel_nm,
                          uint8_t *membrane, CxJob *job, GError **error);
