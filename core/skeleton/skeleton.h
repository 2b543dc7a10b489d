/* The centre line of an object: a forest of nodes in nanometres.
 *
 * Plain data.  A node's parent comes before it, so that one pass in order
 * walks each tree from its root; a root has the parent -1.  Positions are in
 * the global frame (the middle of voxel 0 lies at offset + half a voxel).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

typedef struct {
    CxNm at;
    double radius_nm; /* distance to the object's border */
    int64_t parent;   /* index of an earlier node, or -1 */
} CxSkeletonNode;

typedef struct {
    GArray *nodes; /* of CxSkeletonNode */
} CxSkeleton;

CxSkeleton *cx_skeleton_new(void);
void cx_skeleton_free(CxSkeleton *skeleton);

size_t cx_skeleton_n_nodes(const CxSkeleton *skeleton);
const CxSkeletonNode *cx_skeleton_node(const CxSkeleton *skeleton, size_t i);

/* Returns the index of the new node. */
int64_t cx_skeleton_add(CxSkeleton *skeleton, CxNm at, double radius_nm,
                        int64_t parent);

/* Sum of the distances from each node to its parent. */
double cx_skeleton_length_nm(const CxSkeleton *skeleton);

/* Neighbours of each node, parent included (GArray of uint32_t, owned): 1 =
 * an end, 3 and more = a branching. */
GArray *cx_skeleton_degrees(const CxSkeleton *skeleton);

/* Moves nodes with two neighbours to the mean of themselves and these, so that
 * the stairs of the voxels go; ends and branchings stay. */
void cx_skeleton_smooth(CxSkeleton *skeleton, unsigned n_rounds);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSkeleton, cx_skeleton_free)
