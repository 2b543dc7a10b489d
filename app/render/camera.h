/* Where the panes look: the slice camera (a plane, a centre, a scale) and the
 * orbit camera (a rotation about a focus).
 *
 * Plain data, copied freely; no GL calls; any thread.  Pixels are device
 * pixels, the origin is the top left corner of the pane, pixel i covers
 * [i, i + 1).  Positions are nanometres in the global frame, so anisotropic
 * voxels appear true to scale.
 *
 *   pane   right   down   depth
 *   XY     +x      +y     z
 *   XZ     +x      +z     y
 *   YZ     +y      +z     x
 *
 * (YZ stands to the right of XZ and shares its vertical axis.)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/matrix.h"
#include "core/base/geometry.h"

typedef enum {
    CXGL_AXIS_XY,
    CXGL_AXIS_XZ,
    CXGL_AXIS_YZ,
} CxglAxis;

/* Components (0 = x, 1 = y, 2 = z) that run right, down and into the pane. */
unsigned cxgl_axis_right(CxglAxis axis);
unsigned cxgl_axis_down(CxglAxis axis);
unsigned cxgl_axis_depth(CxglAxis axis);

/* Component access by number. */
double cxgl_nm_get(CxNm nm, unsigned component);
void cxgl_nm_set(CxNm *nm, unsigned component, double value);

/* Voxel of a position and position of a voxel's centre. */
CxVoxel cxgl_voxel_of_nm(CxNm nm, CxNm voxel_nm, CxNm offset_nm);
CxNm cxgl_nm_of_voxel_centre(CxVoxel voxel, CxNm voxel_nm, CxNm offset_nm);

typedef struct {
    CxglAxis axis;
    CxNm centre;      /* position at the middle of the pane; its depth
                         component is the plane that is shown */
    double nm_per_px; /* > 0 */
    int width, height;
} CxglSliceCamera;

CxNm cxgl_slice_camera_nm_at(const CxglSliceCamera *camera, double px,
                             double py);

/* Where a position is drawn (its depth does not matter). */
void cxgl_slice_camera_px_of(const CxglSliceCamera *camera, CxNm nm, double *px,
                             double *py);

/* The content follows the pointer by dx, dy pixels. */
void cxgl_slice_camera_pan(CxglSliceCamera *camera, double dx, double dy);

/* factor > 1 magnifies; the position under px, py stays there. */
void cxgl_slice_camera_zoom_at(CxglSliceCamera *camera, double factor,
                               double px, double py);

/* Centres the box and shows all of it, with a margin as a share of the pane
 * (0.02); the depth stays if it lies inside the box, else goes to the
 * middle. */
void cxgl_slice_camera_fit(CxglSliceCamera *camera, CxNm lo, CxNm hi,
                           double margin);

/* Part of the pane's plane that is visible; depth lo = hi = the plane. */
void cxgl_slice_camera_bounds(const CxglSliceCamera *camera, CxNm *lo,
                              CxNm *hi);

/* Eye space is x right, y up, z towards the eye, as in GL.  The identity
 * rotation looks along +z of the volume with y down: what the XY pane shows. */
typedef struct {
    CxNm focus;         /* position at the middle of the pane */
    CxNm pivot;         /* the point it turns about */
    CxglQuat rotation;  /* from volume to eye, after the flip of y and z */
    double nm_per_px;   /* scale at the focus */
    double perspective; /* 0 = parallel, 1 = 45° vertical field of view */
    int width, height;
} CxglOrbitCamera;

CxglOrbitCamera cxgl_orbit_camera_defaults(void);

/* Turns by a drag of dx, dy pixels, as a trackball about the pivot. */
void cxgl_orbit_camera_orbit(CxglOrbitCamera *camera, double dx, double dy);

/* Turns about the line of sight (radians, clockwise on the screen). */
void cxgl_orbit_camera_roll(CxglOrbitCamera *camera, double radians);
void cxgl_orbit_camera_pan(CxglOrbitCamera *camera, double dx, double dy);
void cxgl_orbit_camera_zoom_at(CxglOrbitCamera *camera, double factor,
                               double px, double py);

/* Moves focus and pivot to a position.  To turn about the surface under the
 * pointer, set pivot alone when a drag begins (cxgl_pick_scene()). */
void cxgl_orbit_camera_set_focus(CxglOrbitCamera *camera, CxNm focus);

/* Shows all of the box from the present direction. */
void cxgl_orbit_camera_fit(CxglOrbitCamera *camera, CxNm lo, CxNm hi,
                           double margin);

/* Looks straight onto a plane, as the slice panes do. */
void cxgl_orbit_camera_look_along(CxglOrbitCamera *camera, CxglAxis axis);

/* Matrices for positions relative to the focus (nm); radius_nm: distance from
 * the focus of the farthest thing that must not be clipped. */
CxglMat4 cxgl_orbit_camera_view(const CxglOrbitCamera *camera);
CxglMat4 cxgl_orbit_camera_projection(const CxglOrbitCamera *camera,
                                      double radius_nm);

/* Distance from the eye to the focus (nm); for a parallel view the distance
 * that the depth cue pretends. */
double cxgl_orbit_camera_distance_nm(const CxglOrbitCamera *camera);

/* Pixel of a position; false if it lies behind the eye. */
bool cxgl_orbit_camera_px_of(const CxglOrbitCamera *camera, CxNm nm, double *px,
                             double *py);

/* Position under a pixel, on the plane through the focus that faces the
 * eye. */
CxNm cxgl_orbit_camera_nm_at(const CxglOrbitCamera *camera, double px,
                             double py);

/* In between two cameras, for glides; t in [0, 1]. */
CxglOrbitCamera cxgl_orbit_camera_mix(const CxglOrbitCamera *a,
                                      const CxglOrbitCamera *b, double t);
CxglSliceCamera cxgl_slice_camera_mix(const CxglSliceCamera *a,
                                      const CxglSliceCamera *b, double t);
