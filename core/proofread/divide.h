/* Taking a segment apart without seeds, and back to what it was.
 *
 * Each call is one edit.  Thread-safe; locked segments refuse.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/paint.h"

/* One supervoxel out of its segment, as a new segment.  CX_ERROR_INVALID if
 * it is all of it. */
CxEdit *cx_project_detach(CxProject *project, CxId supervoxel, GError **error);

/* The same, and what hangs together only through it parts as well: the largest
 * group keeps the segment's id, every other becomes a segment. */
CxEdit *cx_project_split_neighbours(CxProject *project, CxId supervoxel,
                                    GError **error);

/* Cuts a segment along a curve drawn in a plane (not 3D) and extruded along
 * its normal; the ends go on straight.  Supervoxels that the curve crosses are
 * divided.  The part with fewer voxels becomes a new segment. */
CxEdit *cx_project_cut_by_curve(CxProject *project, CxId segment,
                                const CxVoxel *points, size_t n_points,
                                CxPlane plane, CxJob *job, GError **error);

/* A segment as it was when it was born: its supervoxels come back to it with
 * the voxels they had; what was merged into it goes where it was born; what
 * was painted for it becomes what lies below.  The edits between stay in the
 * history.  CX_ERROR_NOT_FOUND if no supervoxel was born into it. */
CxEdit *cx_project_revert_segment(CxProject *project, CxId segment, CxJob *job,
                                  GError **error);
