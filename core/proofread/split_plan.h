/* What a split will do, worked out and not yet committed.
 *
 * With the project's edit lock held; shared by project_split.c (which commits)
 * and project_cut_inside.c (which divides supervoxels).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project_private.h"
#include "core/proofread/voxel_cut.h"
#include "core/proofread/voxel_draft.h"

typedef struct {
    const CxVoxel *sources, *sinks;
    size_t n_sources, n_sinks;
} CxSplitSeeds;

/* A supervoxel that was divided. */
typedef struct {
    CxId id;    /* keeps the larger piece */
    CxId fresh; /* the other piece */
    CxBox box;  /* where voxels were divided */
} CxDivided;

typedef struct {
    CxVoxelDraft *draft; /* NULL: no supervoxel is divided */
    CxPatch *patch;
    GArray *divided;   /* of CxDivided */
    GArray *sink_side; /* of CxId, sorted; as after the patch */
    CxCutEvidence evidence;
    CxVoxelCut inside; /* of the supervoxel divided last */
} CxSplitPlan;

void cx_split_plan_clear(CxSplitPlan *plan);

/* Divides a supervoxel between the seeds of both sides that lie in it, in the
 * plan's draft. */
bool cx_project_cut_inside(CxProject *project, CxSplitPlan *plan, CxId segment,
                           CxId supervoxel, const CxSplitSeeds *seeds,
                           CxJob *job, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CxSplitPlan, cx_split_plan_clear)
