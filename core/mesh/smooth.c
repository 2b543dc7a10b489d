/* Taubin smoothing in integers; see smooth.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/smooth.h"

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
