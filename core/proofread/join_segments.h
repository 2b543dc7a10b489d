/* Decides which segment new supervoxels belong to when some segments exist.
 *
 * Agglomerates the new supervoxels together with the existing segments, each
 * of which is one node as large as it is, so that it stays whole.  A segment
 * that people have edited is kept: it may grow, but two of them never become
 * one, so that nothing a person has decided is undone behind their back.
 *
 * Pure function; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/agglomerate.h"

typedef struct {
    CxSupervoxel supervoxel; /* id unique among the nodes; for a segment any of
                                its supervoxels', with the segment's size */
    CxId segment;            /* 0: a new supervoxel */
    bool is_kept;
} CxJoinNode;

/* edges: between ids of nodes, any number and order; those between unknown
 * ids, or without a contact, are passed over.
 *
 * Returns for each node, in order, its segment (GArray of CxId).  In a group
 * with a kept segment all get its id, else that of its largest segment, else
 * the smallest supervoxel id. */
GArray *cx_join_segments(const GArray *nodes, const GArray *edges,
                         const CxAgglomerateOptions *options, CxJob *job,
                         GError **error);
