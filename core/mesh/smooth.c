/* Taubin smoothing in integers; see smooth.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/smooth.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* λ = 0.5 and μ = -0.53, in 1 / 256: a pass band of 0.11. */
#define STEP_IN 128
#define STEP_OUT (-136)
#define ONE 256

/* How far a vertex may move along each axis. */
#define REACH (CX_SMOOTH_UNITS / 2)

int64_t
cx_smooth_margin(unsigned n_rounds)
{
    return 2 * (int64_t)n_rounds;
}

/* Sums of differences to the neighbours; in a closed surface each neighbour
 * is met twice, in two triangles. */
typedef struct {
    int32_t sum[3];
    int32_t n;
} Neighbours;

static void
gather(const GArray *triangles, const int32_t *positions, Neighbours *around)
{
    const CxCubesTriangle *all =
        (const CxCubesTriangle *)(void *)triangles->data;

    for (guint t = 0; t < triangles->len; t++) {
        const uint32_t *v = all[t].v;
        const int32_t *p[3] = {positions + 3 * (size_t)v[0],
                               positions + 3 * (size_t)v[1],
                               positions + 3 * (size_t)v[2]};

        for (int i = 0; i < 3; i++) {
            int32_t sum = p[0][i] + p[1][i] + p[2][i];

            for (int k = 0; k < 3; k++)
                around[v[k]].sum[i] += sum - 3 * p[k][i];
        }
        for (int k = 0; k < 3; k++)
            around[v[k]].n += 2;
    }
}

/* a / b rounded to the nearest, ties up; the same for every shift of a by a
 * multiple of b. */
static int32_t
divide(int32_t a, int32_t b)
{
    int32_t twice = 2 * a + b, by = 2 * b;

    return twice / by - (twice % by < 0);
}

static void
move(const CxCubes *cubes, const Neighbours *around, int32_t step,
     int32_t *positions)
{
    const CxCubesVertex *vertices =
        (const CxCubesVertex *)(void *)cubes->vertices->data;

    for (guint v = 0; v < cubes->vertices->len; v++) {
        if (around[v].n == 0)
            continue;
        for (int i = 0; i < 3; i++) {
            int32_t *p = &positions[3 * (size_t)v + (size_t)i];
            int32_t home = vertices[v].at[i] * (CX_SMOOTH_UNITS / 2);
            int32_t to =
                *p + divide(around[v].sum[i] * step, around[v].n * ONE);

            *p = CLAMP(to, home - REACH, home + REACH);
        }
    }
}

void
cx_mesh_smooth(const CxCubes *cubes, unsigned n_rounds, int32_t *positions)
{
    guint n = cubes->vertices->len;
    const CxCubesVertex *vertices =
        (const CxCubesVertex *)(void *)cubes->vertices->data;
    g_autofree Neighbours *around = NULL;

    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < 3; i++)
            positions[3 * v + i] = vertices[v].at[i] * (CX_SMOOTH_UNITS / 2);
    if (n_rounds == 0)
        return;
    around = g_new(Neighbours, n);
    for (unsigned round = 0; round < 2 * n_rounds; round++) {
        memset(around, 0, n * sizeof *around);
        gather(cubes->triangles, positions, around);
        move(cubes, around, round % 2 == 0 ? STEP_IN : STEP_OUT, positions);
    }
}

static void
add_face(const int32_t *positions, const uint32_t *v, const float scale[3],
         float *normals)
{
    const int32_t *a = positions + 3 * (size_t)v[0];
    const int32_t *b = positions + 3 * (size_t)v[1];
    const int32_t *c = positions + 3 * (size_t)v[2];
    float u[3], w[3], face[3];

    for (int i = 0; i < 3; i++) {
        u[i] = (float)(b[i] - a[i]) * scale[i];
        w[i] = (float)(c[i] - a[i]) * scale[i];
    }
    face[0] = u[1] * w[2] - u[2] * w[1];
    face[1] = u[2] * w[0] - u[0] * w[2];
    face[2] = u[0] * w[1] - u[1] * w[0];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 3; i++)
            normals[3 * (size_t)v[k] + (size_t)i] += face[i];
}

static void
normalise(float *normals, size_t n)
{
    for (size_t v = 0; v < n; v++) {
        float *p = normals + 3 * v;
        float length = sqrtf(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);

        if (length < FLT_MIN) {
            p[0] = p[1] = 0;
            p[2] = length = 1;
        }
        for (int i = 0; i < 3; i++)
            p[i] /= length;
    }
}

/* Each vertex takes the sum over its triangles of all their corners. */
static void
average(const GArray *triangles, float *normals, float *sums, size_t n)
{
    const CxCubesTriangle *all =
        (const CxCubesTriangle *)(void *)triangles->data;

    memset(sums, 0, 3 * sizeof *sums * n);
    for (guint t = 0; t < triangles->len; t++) {
        const uint32_t *v = all[t].v;

        for (size_t i = 0; i < 3; i++) {
            float sum = normals[3 * (size_t)v[0] + i] +
                        normals[3 * (size_t)v[1] + i] +
                        normals[3 * (size_t)v[2] + i];

            for (int k = 0; k < 3; k++)
                sums[3 * (size_t)v[k] + i] += sum;
        }
    }
    memcpy(normals, sums, 3 * sizeof *sums * n);
    normalise(normals, n);
}

void
cx_mesh_smooth_normals(const CxCubes *cubes, const int32_t *positions,
                       CxNm voxel_nm, unsigned n_rounds, float *normals)
{
    const CxCubesTriangle *all =
        (const CxCubesTriangle *)(void *)cubes->triangles->data;
    size_t n = cubes->vertices->len;
    /* About one, whatever the unit, for the sake of floats. */
    double unit = cbrt(voxel_nm.x * voxel_nm.y * voxel_nm.z);
    const float scale[3] = {(float)(voxel_nm.x / unit / CX_SMOOTH_UNITS),
                            (float)(voxel_nm.y / unit / CX_SMOOTH_UNITS),
                            (float)(voxel_nm.z / unit / CX_SMOOTH_UNITS)};
    g_autofree float *sums = n_rounds > 0 ? g_new(float, 3 * n) : NULL;

    memset(normals, 0, 3 * sizeof *normals * n);
    for (guint t = 0; t < cubes->triangles->len; t++)
        add_face(positions, all[t].v, scale, normals);
    normalise(normals, n);
    for (unsigned round = 0; round < n_rounds; round++)
        average(cubes->triangles, normals, sums, n);
}
