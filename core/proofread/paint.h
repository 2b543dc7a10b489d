/* Painting voxels of a project: brush and eraser, fills, interpolation between
 * sections, growing, shrinking and smoothing of a segment.
 *
 * Each call is one edit with a patch (edit.h): one stroke is one undo.  Only
 * the chunks that are touched are read and written.  Painted voxels join the
 * supervoxel of the segment that they touch most; where they touch none they
 * are a new supervoxel, linked by hand to the nearest one.  A locked segment
 * that would win or lose a voxel refuses (CX_ERROR_INVALID); so does an edit
 * that would change nothing.  Voxels right beside what is not segmented yet
 * stay as they are (voxel_draft.h).
 *
 * Points and boxes are voxels; radii and distances nm, so that a brush is
 * round in tissue.  Thread-safe; blocks as other edits do.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

typedef enum {
    CX_PAINT_OVER_ANYTHING,
    CX_PAINT_OVER_BACKGROUND,
    CX_PAINT_OVER_SEGMENT, /* over_segment alone */
} CxPaintOver;

typedef struct {
    CxId segment; /* who gets the voxels; 0 = a new segment */
    bool erase;   /* voxels become background instead: those of `segment`, or
                     anybody's if that is 0 */
    CxPaintOver over;
    CxId over_segment;
} CxPaintRule;

/* The plane in which a tool works; the normal's coordinate is that of the
 * first point. */
typedef enum {
    CX_PLANE_XY,
    CX_PLANE_XZ,
    CX_PLANE_YZ,
    CX_PLANE_3D,
} CxPlane;

/* "xy", "xz", "yz", "3d". */
bool cx_plane_from_name(const char *name, CxPlane *plane);

/* Discs (balls with CX_PLANE_3D) of a radius around the points and along the
 * lines between them. */
CxEdit *cx_project_paint(CxProject *project, const CxPaintRule *rule,
                         const CxVoxel *points, size_t n_points,
                         double radius_nm, CxPlane plane, CxJob *job,
                         GError **error);

/* The same voxels as runs, for a tool that shows the stroke before it is
 * stored: GArray of CxRun, sorted, disjoint, inside the volume. */
typedef struct {
    CxVoxel at;
    int64_t n; /* along x */
} CxRun;
GArray *cx_stroke_runs(CxVoxel volume_size, CxNm voxel_nm,
                       const CxVoxel *points, size_t n_points, double radius_nm,
                       CxPlane plane);

/* Any voxels: what the other calls come to.  sentence: for the history. */
CxEdit *cx_project_paint_runs(CxProject *project, const CxPaintRule *rule,
                              const CxRun *runs, size_t n_runs,
                              const char *what, CxJob *job, GError **error);

/* What is connected to a voxel through voxels of its own segment (or
 * background), within a box and plane.  Empty box: all of the plane; a fill in
 * 3-D needs one.  At most 2^27 voxels of box. */
CxEdit *cx_project_fill(CxProject *project, const CxPaintRule *rule,
                        CxVoxel seed, CxBox box, CxPlane plane, CxJob *job,
                        GError **error);

/* Fills the sections between two in which the segment is drawn: the signed
 * distance to its outline changes evenly from one to the other, after the
 * centres are laid over each other (Raya and Udupa 1990; Herman, Zheng and
 * Bucholtz 1992).  plane: of the sections; first, last: their coordinates
 * along its normal. */
CxEdit *cx_project_interpolate(CxProject *project, const CxPaintRule *rule,
                               CxPlane plane, int64_t first, int64_t last,
                               CxJob *job, GError **error);

typedef enum {
    CX_RESHAPE_GROW,   /* by a distance */
    CX_RESHAPE_SHRINK, /* by a distance */
    CX_RESHAPE_SMOOTH, /* by a Gaussian of this sigma */
} CxReshape;

/* Changes a segment within a box (empty: its own bounds, grown).  What it wins
 * follows rule->over; rule->segment is the segment. */
CxEdit *cx_project_reshape(CxProject *project, const CxPaintRule *rule,
                           CxReshape reshape, double nm, CxBox box, CxJob *job,
                           GError **error);
