/* Matrices and quaternions; see matrix.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/matrix.h"

#include <math.h>
#include <string.h>

CxglMat4
cxgl_mat4_identity(void)
{
    return cxgl_mat4_scaling(1, 1, 1);
}

CxglMat4
cxgl_mat4_multiply(const CxglMat4 *a, const CxglMat4 *b)
{
    CxglMat4 out;

    for (int column = 0; column < 4; column++) {
        for (int row = 0; row < 4; row++) {
            double sum = 0;

            for (int k = 0; k < 4; k++)
                sum += (double)a->m[4 * k + row] * b->m[4 * column + k];
            out.m[4 * column + row] = (float)sum;
        }
    }
    return out;
}

CxglMat4
cxgl_mat4_translation(double x, double y, double z)
{
    CxglMat4 out = cxgl_mat4_identity();

    out.m[12] = (float)x;
    out.m[13] = (float)y;
    out.m[14] = (float)z;
    return out;
}

CxglMat4
cxgl_mat4_scaling(double x, double y, double z)
{
    CxglMat4 out = {{0}};

    out.m[0] = (float)x;
    out.m[5] = (float)y;
    out.m[10] = (float)z;
    out.m[15] = 1;
    return out;
}

CxglMat4
cxgl_mat4_perspective(double fov_y, double aspect, double near_plane,
                      double far_plane)
{
    double f = 1 / tan(fov_y / 2);
    CxglMat4 out = {{0}};

    out.m[0] = (float)(f / aspect);
    out.m[5] = (float)f;
    out.m[10] = (float)((far_plane + near_plane) / (near_plane - far_plane));
    out.m[11] = -1;
    out.m[14] = (float)(2 * far_plane * near_plane / (near_plane - far_plane));
    return out;
}

CxglMat4
cxgl_mat4_orthographic(double half_width, double half_height, double near_plane,
                       double far_plane)
{
    CxglMat4 out = cxgl_mat4_scaling(1 / half_width, 1 / half_height,
                                     -2 / (far_plane - near_plane));

    out.m[14] = (float)(-(far_plane + near_plane) / (far_plane - near_plane));
    return out;
}

/* Gauss-Jordan with pivoting, in double. */
bool
cxgl_mat4_invert(const CxglMat4 *a, CxglMat4 *out)
{
    double rows[4][8] = {{0}};

    for (int row = 0; row < 4; row++) {
        for (int column = 0; column < 4; column++)
            rows[row][column] = a->m[4 * column + row];
        rows[row][4 + row] = 1;
    }
    for (int column = 0; column < 4; column++) {
        int best = column;
        double swapped[8];

        for (int row = column + 1; row < 4; row++)
            if (fabs(rows[row][column]) > fabs(rows[best][column]))
                best = row;
        if (fabs(rows[best][column]) < 1e-300)
            return false;
        memcpy(swapped, rows[best], sizeof swapped);
        memcpy(rows[best], rows[column], sizeof swapped);
        for (int k = 0; k < 8; k++)
            rows[column][k] = swapped[k] / swapped[column];
        for (int row = 0; row < 4; row++) {
            double factor = rows[row][column];

            for (int k = 0; row != column && k < 8; k++)
                rows[row][k] -= factor * rows[column][k];
        }
    }
    for (int row = 0; row < 4; row++)
        for (int column = 0; column < 4; column++)
            out->m[4 * column + row] = (float)rows[row][4 + column];
    return true;
}

void
cxgl_mat4_apply(const CxglMat4 *a, const double in[4], double out[4])
{
    double result[4];

    for (int row = 0; row < 4; row++)
        result[row] = a->m[row] * in[0] + a->m[4 + row] * in[1] +
                      a->m[8 + row] * in[2] + a->m[12 + row] * in[3];
    memcpy(out, result, sizeof result);
}

CxglQuat
cxgl_quat_identity(void)
{
    return (CxglQuat){0, 0, 0, 1};
}

CxglQuat
cxgl_quat_from_axis(double x, double y, double z, double radians)
{
    double length = sqrt(x * x + y * y + z * z);
    double s = length > 0 ? sin(radians / 2) / length : 0;

    return (CxglQuat){x * s, y * s, z * s, cos(radians / 2)};
}

CxglQuat
cxgl_quat_multiply(CxglQuat a, CxglQuat b)
{
    return (CxglQuat){
        a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
        a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
        a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
        a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
    };
}

CxglQuat
cxgl_quat_normalise(CxglQuat q)
{
    double length = sqrt(q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w);

    if (length < 1e-300)
        return cxgl_quat_identity();
    return (CxglQuat){q.x / length, q.y / length, q.z / length, q.w / length};
}

CxglQuat
cxgl_quat_conjugate(CxglQuat q)
{
    return (CxglQuat){-q.x, -q.y, -q.z, q.w};
}

CxglQuat
cxgl_quat_slerp(CxglQuat a, CxglQuat b, double t)
{
    double dot = a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
    double sign = dot < 0 ? -1 : 1, wa = 1 - t, wb = t;

    dot = fabs(dot);
    if (dot < 0.9995) {
        double angle = acos(dot);

        wa = sin((1 - t) * angle) / sin(angle);
        wb = sin(t * angle) / sin(angle);
    }
    wb *= sign;
    return cxgl_quat_normalise(
        (CxglQuat){wa * a.x + wb * b.x, wa * a.y + wb * b.y,
                   wa * a.z + wb * b.z, wa * a.w + wb * b.w});
}

void
cxgl_quat_rotate(CxglQuat q, const double in[3], double out[3])
{
    /* v + 2 w (q × v) + 2 q × (q × v) */
    double cx = q.y * in[2] - q.z * in[1];
    double cy = q.z * in[0] - q.x * in[2];
    double cz = q.x * in[1] - q.y * in[0];
    double dx = q.y * cz - q.z * cy, dy = q.z * cx - q.x * cz;
    double dz = q.x * cy - q.y * cx;

    out[0] = in[0] + 2 * (q.w * cx + dx);
    out[1] = in[1] + 2 * (q.w * cy + dy);
    out[2] = in[2] + 2 * (q.w * cz + dz);
}

CxglMat4
cxgl_quat_to_mat4(CxglQuat q)
{
    CxglMat4 out = cxgl_mat4_identity();

    for (int column = 0; column < 3; column++) {
        double in[3] = {column == 0, column == 1, column == 2}, rotated[3];

        cxgl_quat_rotate(q, in, rotated);
        for (int row = 0; row < 3; row++)
            out.m[4 * column + row] = (float)rotated[row];
    }
    return out;
}
