/* One label as a grid of cells, each a block of voxels, of bounded size.
 *
 * A cell is inside where any of its voxels has the label, so that thin parts
 * do not break; cells are as cubic as whole voxels allow.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"

typedef struct {
    uint8_t *inside; /* 1 or 0, x fastest */
    CxVoxel size;    /* cells */
    CxVoxel factor;  /* voxels a cell */
    CxBox box;       /* voxels; lo is the corner of cell 0 */
    CxNm pitch_nm;   /* of a cell */
    CxId id;
} CxObjectMask;

/* An empty mask for an object within box, one voxel of surroundings kept where
 * bounds allow.  pitch_nm: the wished side of a cell (0: twice the cube root of
 * a voxel, or its largest side); coarser if there were more than max_cells. */
CxObjectMask *cx_object_mask_new(CxId id, CxBox box, CxBox bounds,
                                 CxNm voxel_nm, double pitch_nm,
                                 size_t max_cells, GError **error);
void cx_object_mask_free(CxObjectMask *mask);

/* Takes over the label's voxels of a u64 chunk; may be called for many. */
void cx_object_mask_add(CxObjectMask *mask, const CxChunk *labels_u64);

/* The same from a block of short numbers that stand for labels. */
void cx_object_mask_add_block(CxObjectMask *mask, const uint32_t *numbers,
                              CxBox block, uint32_t number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxObjectMask, cx_object_mask_free)
