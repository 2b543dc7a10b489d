/* Brings together in one segment what an object found by other means (a
 * flood-filling network) holds together.
 *
 * A supervoxel belongs to the object if at least half of its voxels lie
 * inside.  The segment with the most voxels in such supervoxels is kept; the
 * others that hang together with it, through edges among them, move there, as
 * one edit.  A segment of which only a part belongs to the object loses that
 * part alone: this is how two false mergers and a split come right at once.
 *
 * An object may end early, so a segment is kept even if most of it lies
 * outside.  But where less than an eighth lies inside, it is taken for a body
 * with which the object was merged falsely; if there is no other segment, the
 * object becomes a new one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"
#include "core/segmentation/flood.h"

typedef struct {
    CxId keep;         /* 0: none: a new segment if there are movers */
    GArray *inside;    /* of CxId, sorted: those of `keep` and the movers */
    GArray *movers;    /* of CxId, sorted: not in `keep` yet */
    unsigned n_cut;    /* segments that lose a part */
    unsigned n_joined; /* segments that move as a whole */
} CxGather;

void cx_gather_clear(CxGather *gather);

/* What would be done with an object that overlaps these supervoxels (GArray
 * of CxFloodOverlap).  Fast: reads the graph alone. */
void cx_gather_plan(CxSupervoxelGraph *graph, const GArray *overlaps,
                    CxGather *gather);

/* Moves supervoxels into `keep`, or into a new segment if that is 0, as one
 * committed edit (owned).
 * CX_ERROR_INVALID if one of them is unknown or in `keep` already, if a
 * segment is locked, or if there is none. */
CxEdit *cx_project_gather(CxProject *project, CxId keep,
                          const CxId *supervoxels, size_t n, CxVoxel at,
                          GError **error);
