/* The voxels of the supervoxels a plan brings together, to be drawn.
 *
 * Immutable once made; holds cubes of 64 voxels a side, 1 byte a voxel, where
 * those supervoxels lie.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/gather.h"

typedef struct CxuiGrowerPaint CxuiGrowerPaint;

/* Reads the labels of the boxes of the supervoxels: on a worker. */
CxuiGrowerPaint *cxui_grower_paint_new(CxSupervoxelGraph *graph,
                                       CxVolume *labels, const CxGather *gather,
                                       CxJob *job, GError **error);
void cxui_grower_paint_free(CxuiGrowerPaint *paint);

/* u8 over a box inside one cube: 240 where a supervoxel moves, 150 where it
 * stays; NULL without memory. */
CxChunk *cxui_grower_paint_read(CxuiGrowerPaint *paint, CxBox box);
