/* 4×4 matrices and unit quaternions for the 3-D view.
 *
 * Column-major as GL wants them; vectors are columns.  No GL calls.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

typedef struct {
    float m[16]; /* m[4 * column + row] */
} CxglMat4;

typedef struct {
    double x, y, z, w;
} CxglQuat;

CxglMat4 cxgl_mat4_identity(void);
CxglMat4 cxgl_mat4_multiply(const CxglMat4 *a, const CxglMat4 *b);
CxglMat4 cxgl_mat4_translation(double x, double y, double z);
CxglMat4 cxgl_mat4_scaling(double x, double y, double z);

/* fov_y in radians; looks along -z. */
CxglMat4 cxgl_mat4_perspective(double fov_y, double aspect, double near_plane,
                               double far_plane);
CxglMat4 cxgl_mat4_orthographic(double half_width, double half_height,
                                double near_plane, double far_plane);

/* False (out untouched) if the matrix is singular. */
bool cxgl_mat4_invert(const CxglMat4 *a, CxglMat4 *out);

/* out = a * in, all four components. */
void cxgl_mat4_apply(const CxglMat4 *a, const double in[4], double out[4]);

CxglQuat cxgl_quat_identity(void);
CxglQuat cxgl_quat_from_axis(double x, double y, double z, double radians);
CxglQuat cxgl_quat_multiply(CxglQuat a, CxglQuat b); /* b first, then a */
CxglQuat cxgl_quat_normalise(CxglQuat q);
CxglQuat cxgl_quat_conjugate(CxglQuat q);
CxglQuat cxgl_quat_slerp(CxglQuat a, CxglQuat b, double t);
void cxgl_quat_rotate(CxglQuat q, const double in[3], double out[3]);
CxglMat4 cxgl_quat_to_mat4(CxglQuat q);
