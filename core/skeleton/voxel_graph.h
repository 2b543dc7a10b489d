/* The cells of an object as a graph: 26 neighbours, and shortest paths on it.
 *
 * Cells inside are numbered 0 … n - 1 in the order of the grid.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/skeleton/object_mask.h"

#define CX_NO_CELL UINT32_MAX
#define CX_N_NEIGHBOURS 26

typedef struct {
    uint32_t n;
    uint32_t *place; /* of each cell in the padded grid */
    uint32_t *cell;  /* of each place, or CX_NO_CELL */
    float *depth_nm; /* distance of each cell to the border */
    CxVoxel padded;  /* size with one empty cell around */
    int64_t step[CX_N_NEIGHBOURS];
    float length_nm[CX_N_NEIGHBOURS];
} CxVoxelGraph;

CxVoxelGraph *cx_voxel_graph_new(const CxObjectMask *mask, unsigned n_threads,
                                 CxJob *job, GError **error);
void cx_voxel_graph_free(CxVoxelGraph *graph);

/* Position of a cell in the mask. */
CxVoxel cx_voxel_graph_at(const CxVoxelGraph *graph, uint32_t cell);

/* A cell as many steps away from another as any that it reaches.  queue: n
 * places; seen: n flags, 0 for the cells of this piece before, 1 after. */
uint32_t cx_voxel_graph_farthest(const CxVoxelGraph *graph, uint32_t from,
                                 uint32_t *queue, uint8_t *seen);

/* Shortest ways from a cell to all that it reaches (Dijkstra).  A step costs
 * its length times weight[cell stepped into]; weight NULL: its length.
 * distance and parent have n values; those of the cells reached are set, all
 * must be INFINITY before.  order (may be NULL): n places, filled with the
 * reached cells, nearest first.  *n_reached may be NULL. */
bool cx_voxel_graph_paths(const CxVoxelGraph *graph, uint32_t from,
                          const float *weight, float *distance,
                          uint32_t *parent, uint32_t *order,
                          uint32_t *n_reached, CxJob *job, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxVoxelGraph, cx_voxel_graph_free)
