/* Slice camera and orbit camera; see camera.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/camera.h"

#include <glib.h>
#include <math.h>

#define FOV_FULL (G_PI / 4) /* at perspective = 1 */
#define PARALLEL 0.02       /* below this perspective is drawn parallel */

unsigned
cxgl_axis_right(CxglAxis axis)
{
    return axis == CXGL_AXIS_YZ ? 1 : 0;
}

unsigned
cxgl_axis_down(CxglAxis axis)
{
    return axis == CXGL_AXIS_XY ? 1 : 2;
}

unsigned
cxgl_axis_depth(CxglAxis axis)
{
    return axis == CXGL_AXIS_XY ? 2 : axis == CXGL_AXIS_XZ ? 1 : 0;
}

double
cxgl_nm_get(CxNm nm, unsigned component)
{
    return component == 0 ? nm.x : component == 1 ? nm.y : nm.z;
}

void
cxgl_nm_set(CxNm *nm, unsigned component, double value)
{
    double *place = component == 0 ? &nm->x : component == 1 ? &nm->y : &nm->z;

    *place = value;
}

CxVoxel
cxgl_voxel_of_nm(CxNm nm, CxNm voxel_nm, CxNm offset_nm)
{
    return (CxVoxel){(int64_t)floor((nm.x - offset_nm.x) / voxel_nm.x),
                     (int64_t)floor((nm.y - offset_nm.y) / voxel_nm.y),
                     (int64_t)floor((nm.z - offset_nm.z) / voxel_nm.z)};
}

CxNm
cxgl_nm_of_voxel_centre(CxVoxel voxel, CxNm voxel_nm, CxNm offset_nm)
{
    return (CxNm){offset_nm.x + ((double)voxel.x + 0.5) * voxel_nm.x,
                  offset_nm.y + ((double)voxel.y + 0.5) * voxel_nm.y,
                  offset_nm.z + ((double)voxel.z + 0.5) * voxel_nm.z};
}

/* Slice camera */

CxNm
cxgl_slice_camera_nm_at(const CxglSliceCamera *camera, double px, double py)
{
    unsigned u = cxgl_axis_right(camera->axis),
             v = cxgl_axis_down(camera->axis);
    CxNm nm = camera->centre;

    cxgl_nm_set(&nm, u,
                cxgl_nm_get(nm, u) +
                    (px - camera->width / 2.0) * camera->nm_per_px);
    cxgl_nm_set(&nm, v,
                cxgl_nm_get(nm, v) +
                    (py - camera->height / 2.0) * camera->nm_per_px);
    return nm;
}

void
cxgl_slice_camera_px_of(const CxglSliceCamera *camera, CxNm nm, double *px,
                        double *py)
{
    unsigned u = cxgl_axis_right(camera->axis),
             v = cxgl_axis_down(camera->axis);

    *px = (cxgl_nm_get(nm, u) - cxgl_nm_get(camera->centre, u)) /
              camera->nm_per_px +
          camera->width / 2.0;
    *py = (cxgl_nm_get(nm, v) - cxgl_nm_get(camera->centre, v)) /
              camera->nm_per_px +
          camera->height / 2.0;
}

void
cxgl_slice_camera_pan(CxglSliceCamera *camera, double dx, double dy)
{
    camera->centre = cxgl_slice_camera_nm_at(camera, camera->width / 2.0 - dx,
                                             camera->height / 2.0 - dy);
}

void
cxgl_slice_camera_zoom_at(CxglSliceCamera *camera, double factor, double px,
                          double py)
{
    unsigned u = cxgl_axis_right(camera->axis),
             v = cxgl_axis_down(camera->axis);
    CxNm held = cxgl_slice_camera_nm_at(camera, px, py);

    camera->nm_per_px /= factor;
    cxgl_nm_set(&camera->centre, u,
                cxgl_nm_get(held, u) -
                    (px - camera->width / 2.0) * camera->nm_per_px);
    cxgl_nm_set(&camera->centre, v,
                cxgl_nm_get(held, v) -
                    (py - camera->height / 2.0) * camera->nm_per_px);
}

void
cxgl_slice_camera_fit(CxglSliceCamera *camera, CxNm lo, CxNm hi, double margin)
{
    unsigned u = cxgl_axis_right(camera->axis),
             v = cxgl_axis_down(camera->axis);
    unsigned w = cxgl_axis_depth(camera->axis);
    double depth = cxgl_nm_get(camera->centre, w);
    double share = fmax(1 - 2 * margin, 0.01);
    double across = (cxgl_nm_get(hi, u) - cxgl_nm_get(lo, u)) /
                    (fmax(camera->width, 1) * share);
    double along = (cxgl_nm_get(hi, v) - cxgl_nm_get(lo, v)) /
                   (fmax(camera->height, 1) * share);

    camera->centre =
        (CxNm){(lo.x + hi.x) / 2, (lo.y + hi.y) / 2, (lo.z + hi.z) / 2};
    if (depth >= cxgl_nm_get(lo, w) && depth < cxgl_nm_get(hi, w))
        cxgl_nm_set(&camera->centre, w, depth);
    if (fmax(across, along) > 0)
        camera->nm_per_px = fmax(across, along);
}

void
cxgl_slice_camera_bounds(const CxglSliceCamera *camera, CxNm *lo, CxNm *hi)
{
    *lo = cxgl_slice_camera_nm_at(camera, 0, 0);
    *hi = cxgl_slice_camera_nm_at(camera, camera->width, camera->height);
}

static double
mix(double a, double b, double t)
{
    return a + (b - a) * t;
}

static CxNm
mix_nm(CxNm a, CxNm b, double t)
{
    return (CxNm){mix(a.x, b.x, t), mix(a.y, b.y, t), mix(a.z, b.z, t)};
}

/* Scales move evenly when their logarithm does. */
static double
mix_scale(double a, double b, double t)
{
    return a * pow(b / a, t);
}

CxglSliceCamera
cxgl_slice_camera_mix(const CxglSliceCamera *a, const CxglSliceCamera *b,
                      double t)
{
    CxglSliceCamera out = *b;

    out.centre = mix_nm(a->centre, b->centre, t);
    out.nm_per_px = mix_scale(a->nm_per_px, b->nm_per_px, t);
    return out;
}

/* Orbit camera */

CxglOrbitCamera
cxgl_orbit_camera_defaults(void)
{
    return (CxglOrbitCamera){
        .rotation = cxgl_quat_identity(),
        .nm_per_px = 10,
        .perspective = 0.7,
        .width = 1,
        .height = 1,
    };
}

static double
half_fov_tangent(const CxglOrbitCamera *camera)
{
    double share = camera->perspective < PARALLEL ? 1 : camera->perspective;

    return tan(share * FOV_FULL / 2);
}

double
cxgl_orbit_camera_distance_nm(const CxglOrbitCamera *camera)
{
    return camera->nm_per_px * camera->height / 2 / half_fov_tangent(camera);
}

/* Position relative to the focus, in eye directions. */
static void
to_eye(const CxglOrbitCamera *camera, CxNm nm, double out[3])
{
    double in[3] = {nm.x - camera->focus.x, -(nm.y - camera->focus.y),
                    -(nm.z - camera->focus.z)};

    cxgl_quat_rotate(camera->rotation, in, out);
}

static CxNm
from_eye(const CxglOrbitCamera *camera, const double eye[3])
{
    double out[3];

    cxgl_quat_rotate(cxgl_quat_conjugate(camera->rotation), eye, out);
    return (CxNm){camera->focus.x + out[0], camera->focus.y - out[1],
                  camera->focus.z - out[2]};
}

/* Turns the volume about the pivot, which stays where it is drawn. */
static void
turn(CxglOrbitCamera *camera, CxglQuat by)
{
    double pivot[3];

    to_eye(camera, camera->pivot, pivot);
    camera->rotation =
        cxgl_quat_normalise(cxgl_quat_multiply(by, camera->rotation));
    for (int i = 0; i < 3; i++)
        pivot[i] = -pivot[i];
    camera->focus = camera->pivot;
    camera->focus = from_eye(camera, pivot);
}

void
cxgl_orbit_camera_orbit(CxglOrbitCamera *camera, double dx, double dy)
{
    double length = hypot(dx, dy);
    double pane = fmax(fmin(camera->width, camera->height), 1);

    if (length > 0)
        turn(camera, cxgl_quat_from_axis(dy, dx, 0, length / pane * G_PI));
}

void
cxgl_orbit_camera_roll(CxglOrbitCamera *camera, double radians)
{
    turn(camera, cxgl_quat_from_axis(0, 0, -1, radians));
}

void
cxgl_orbit_camera_set_focus(CxglOrbitCamera *camera, CxNm focus)
{
    camera->focus = focus;
    camera->pivot = focus;
}

void
cxgl_orbit_camera_pan(CxglOrbitCamera *camera, double dx, double dy)
{
    double eye[3] = {-dx * camera->nm_per_px, dy * camera->nm_per_px, 0};

    camera->focus = from_eye(camera, eye);
}

CxNm
cxgl_orbit_camera_nm_at(const CxglOrbitCamera *camera, double px, double py)
{
    double eye[3] = {(px - camera->width / 2.0) * camera->nm_per_px,
                     (camera->height / 2.0 - py) * camera->nm_per_px, 0};

    return from_eye(camera, eye);
}

void
cxgl_orbit_camera_zoom_at(CxglOrbitCamera *camera, double factor, double px,
                          double py)
{
    double ex = (px - camera->width / 2.0) * camera->nm_per_px;
    double ey = (camera->height / 2.0 - py) * camera->nm_per_px;
    double eye[3] = {ex - ex / factor, ey - ey / factor, 0};

    camera->focus = from_eye(camera, eye);
    camera->nm_per_px /= factor;
}

void
cxgl_orbit_camera_fit(CxglOrbitCamera *camera, CxNm lo, CxNm hi, double margin)
{
    double tangent = half_fov_tangent(camera), distance = 0;
    double aspect = fmax(camera->width, 1) / fmax(camera->height, 1);
    double share = fmax(1 - 2 * margin, 0.01);
    bool parallel = camera->perspective < PARALLEL;

    cxgl_orbit_camera_set_focus(camera, mix_nm(lo, hi, 0.5));
    for (int corner = 0; corner < 8; corner++) {
        CxNm nm = {corner & 1 ? hi.x : lo.x, corner & 2 ? hi.y : lo.y,
                   corner & 4 ? hi.z : lo.z};
        double eye[3], needed;

        to_eye(camera, nm, eye);
        needed = fmax(fabs(eye[0]) / aspect, fabs(eye[1])) / (tangent * share);
        distance = fmax(distance, needed + (parallel ? 0 : eye[2]));
    }
    if (distance > 0)
        camera->nm_per_px = 2 * distance * tangent / fmax(camera->height, 1);
}

void
cxgl_orbit_camera_look_along(CxglOrbitCamera *camera, CxglAxis axis)
{
    CxglQuat x = cxgl_quat_from_axis(1, 0, 0, -G_PI / 2);
    CxglQuat y = cxgl_quat_from_axis(0, 1, 0, G_PI / 2);

    switch (axis) {
    case CXGL_AXIS_XY:
        camera->rotation = cxgl_quat_identity();
        break;
    case CXGL_AXIS_XZ:
        camera->rotation = x;
        break;
    case CXGL_AXIS_YZ:
        camera->rotation = cxgl_quat_multiply(y, x);
        break;
    }
}

CxglMat4
cxgl_orbit_camera_view(const CxglOrbitCamera *camera)
{
    CxglMat4 flip = cxgl_mat4_scaling(1, -1, -1);
    CxglMat4 turned = cxgl_quat_to_mat4(camera->rotation);
    CxglMat4 away =
        cxgl_mat4_translation(0, 0, -cxgl_orbit_camera_distance_nm(camera));

    turned = cxgl_mat4_multiply(&turned, &flip);
    return cxgl_mat4_multiply(&away, &turned);
}

CxglMat4
cxgl_orbit_camera_projection(const CxglOrbitCamera *camera, double radius_nm)
{
    double distance = cxgl_orbit_camera_distance_nm(camera);
    double half = camera->nm_per_px / 2;

    if (camera->perspective < PARALLEL)
        return cxgl_mat4_orthographic(
            half * camera->width, half * camera->height, distance - radius_nm,
            distance + radius_nm);
    return cxgl_mat4_perspective(
        camera->perspective * FOV_FULL,
        fmax(camera->width, 1) / fmax(camera->height, 1),
        fmax(distance - radius_nm, distance * 0.01), distance + radius_nm);
}

bool
cxgl_orbit_camera_px_of(const CxglOrbitCamera *camera, CxNm nm, double *px,
                        double *py)
{
    double distance = cxgl_orbit_camera_distance_nm(camera), eye[3], scale = 1;

    to_eye(camera, nm, eye);
    if (camera->perspective >= PARALLEL) {
        if (eye[2] >= distance)
            return false;
        scale = distance / (distance - eye[2]);
    }
    *px = camera->width / 2.0 + eye[0] * scale / camera->nm_per_px;
    *py = camera->height / 2.0 - eye[1] * scale / camera->nm_per_px;
    return true;
}

CxglOrbitCamera
cxgl_orbit_camera_mix(const CxglOrbitCamera *a, const CxglOrbitCamera *b,
                      double t)
{
    CxglOrbitCamera out = *b;

    out.focus = mix_nm(a->focus, b->focus, t);
    out.pivot = mix_nm(a->pivot, b->pivot, t);
    out.rotation = cxgl_quat_slerp(a->rotation, b->rotation, t);
    out.nm_per_px = mix_scale(a->nm_per_px, b->nm_per_px, t);
    out.perspective = mix(a->perspective, b->perspective, t);
    return out;
}
