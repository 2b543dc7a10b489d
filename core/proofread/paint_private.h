/* What project_paint.c, project_fill.c and project_reshape.c share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/paint.h"
#include "core/proofread/project_private.h"

typedef struct {
    uint64_t n_voxels;
    CxVoxel at;   /* somewhere in the middle */
    CxId segment; /* who got them */
} CxPainted;

/* Puts runs into a draft as the rule says; the edit gets a link if the painted
 * voxels touch nothing of their segment.  With edit_lock held. */
bool cx_paint_into(CxProject *project, CxVoxelDraft *draft, CxEdit *edit,
                   const CxPaintRule *rule, const CxRun *runs, size_t n_runs,
                   CxPainted *painted, CxJob *job, GError **error);

/* The segment exists and is not locked. */
bool cx_paint_check_rule(CxProject *project, const CxPaintRule *rule,
                         GError **error);

/* Sorts runs and joins those that touch or overlap. */
void cx_paint_join_runs(GArray *runs);

/* The segment's voxels in a box as 1, u8 (owned), of the project as it is. */
uint8_t *cx_paint_read_mask(CxProject *project, CxId segment, CxBox box,
                            GError **error);

/* Appends the voxels of a box where mask is not 0. */
void cx_paint_append_mask(const uint8_t *mask, CxBox box, GArray *runs);
