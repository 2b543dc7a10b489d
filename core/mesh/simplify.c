/* Fewer triangles; see simplify.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/simplify.h"

#include <meshoptimizer.h>
#include <string.h>

size_t
cx_simplify_indices(uint32_t *indices, size_t n_indices, const float *positions,
                    size_t n_vertices, size_t n_target, double max_error,
                    bool lock_border)
{
    float scale;

    if (n_indices <= n_target || n_indices < 12 || max_error <= 0)
        return n_indices;
    scale = meshopt_simplifyScale(positions, n_vertices, 3 * sizeof(float));
    if (scale <= 0)
        return n_indices;
    return meshopt_simplify(indices, indices, n_indices, positions, n_vertices,
                            3 * sizeof(float), n_target / 3 * 3,
                            (float)(max_error / scale),
                            lock_border ? meshopt_SimplifyLockBorder : 0, NULL);
}

/* Numbers the used vertices anew in order of use. */
static void
drop_unused(CxMesh *mesh)
{
    g_autofree uint32_t *renamed = g_new(uint32_t, mesh->n_vertices);
    g_autofree float *positions = mesh->positions, *normals = mesh->normals;
    uint32_t n = 0;

    mesh->positions = g_new(float, 3 * (size_t)mesh->n_vertices);
    mesh->normals = g_new(float, 3 * (size_t)mesh->n_vertices);
    memset(renamed, 0xff, sizeof *renamed * mesh->n_vertices);
    for (size_t i = 0; i < 3 * (size_t)mesh->n_triangles; i++) {
        size_t v = mesh->indices[i];

        if (renamed[v] == UINT32_MAX) {
            memcpy(mesh->positions + 3 * (size_t)n, positions + 3 * v,
                   3 * sizeof(float));
            memcpy(mesh->normals + 3 * (size_t)n, normals + 3 * v,
                   3 * sizeof(float));
            renamed[v] = n++;
        }
        mesh->indices[i] = renamed[v];
    }
    mesh->n_vertices = n;
    mesh->positions = g_renew(float, mesh->positions, 3 * (size_t)n);
    mesh->normals = g_renew(float, mesh->normals, 3 * (size_t)n);
    mesh->indices =
        g_renew(uint32_t, mesh->indices, 3 * (size_t)mesh->n_triangles);
}

void
cx_mesh_simplify(CxMesh *mesh, double keep, double max_error_nm)
{
    size_t n = 3 * (size_t)mesh->n_triangles;
    size_t target = (size_t)((double)n * CLAMP(keep, 0, 1));

    n = cx_simplify_indices(mesh->indices, n, mesh->positions, mesh->n_vertices,
                            target, max_error_nm, false);
    mesh->n_triangles = (uint32_t)(n / 3);
    drop_unused(mesh);
}
