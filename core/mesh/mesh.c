/* Triangle surfaces; see mesh.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/mesh.h"

#include "core/base/hash64.h"

#include <float.h>
#include <math.h>
#include <string.h>

CxMesh *
cx_mesh_new(uint32_t n_vertices, uint32_t n_triangles)
{
    CxMesh *mesh = g_new0(CxMesh, 1);

    mesh->positions = g_new0(float, 3 * (size_t)n_vertices);
    mesh->normals = g_new0(float, 3 * (size_t)n_vertices);
    mesh->indices = g_new0(uint32_t, 3 * (size_t)n_triangles);
    mesh->n_vertices = n_vertices;
    mesh->n_triangles = n_triangles;
    return mesh;
}

void
cx_mesh_free(CxMesh *mesh)
{
    if (mesh == NULL)
        return;
    g_free(mesh->positions);
    g_free(mesh->normals);
    g_free(mesh->indices);
    g_free(mesh);
}

/* Twice the area of a triangle, as a vector along its normal. */
static void
face_vector(const CxMesh *mesh, uint32_t triangle, double out[3])
{
    const uint32_t *v = mesh->indices + 3 * (size_t)triangle;
    const float *a = mesh->positions + 3 * (size_t)v[0];
    const float *b = mesh->positions + 3 * (size_t)v[1];
    const float *c = mesh->positions + 3 * (size_t)v[2];
    double u[3], w[3];

    for (int i = 0; i < 3; i++) {
        u[i] = (double)b[i] - a[i];
        w[i] = (double)c[i] - a[i];
    }
    out[0] = u[1] * w[2] - u[2] * w[1];
    out[1] = u[2] * w[0] - u[0] * w[2];
    out[2] = u[0] * w[1] - u[1] * w[0];
}

/* Sum of the face vectors around each vertex. */
static void
sum_faces(const CxMesh *mesh, float *sums)
{
    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        double face[3];

        face_vector(mesh, t, face);
        for (int k = 0; k < 3; k++) {
            uint32_t v = mesh->indices[3 * (size_t)t + (size_t)k];

            for (int i = 0; i < 3; i++)
                sums[3 * (size_t)v + (size_t)i] += (float)face[i];
        }
    }
}

static void
normalise(float *n)
{
    float length = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);

    if (length < FLT_MIN) {
        n[0] = n[1] = 0;
        n[2] = length = 1;
    }
    for (int i = 0; i < 3; i++)
        n[i] /= length;
}

void
cx_mesh_compute_normals(CxMesh *mesh)
{
    memset(mesh->normals, 0, 3 * sizeof(float) * mesh->n_vertices);
    sum_faces(mesh, mesh->normals);
    for (size_t v = 0; v < mesh->n_vertices; v++)
        normalise(mesh->normals + 3 * v);
}

void
cx_mesh_mix_normals(CxMesh *mesh)
{
    g_autofree float *faces = g_new0(float, 3 * (size_t)mesh->n_vertices);

    sum_faces(mesh, faces);
    for (size_t v = 0; v < mesh->n_vertices; v++) {
        normalise(faces + 3 * v);
        for (size_t i = 0; i < 3; i++)
            mesh->normals[3 * v + i] += faces[3 * v + i];
        normalise(mesh->normals + 3 * v);
    }
}

/* Finds vertices that lie at one position: a hash of cells of a grid whose
 * cells are larger than the tolerance, each with a chain of vertices. */
typedef struct {
    CxMesh *mesh;
    CxHash64 *cells;
    uint32_t *next;
    double tolerance, cell;
} Welder;

static uint64_t
cell_key(const Welder *welder, const double at[3])
{
    uint64_t key = 0;

    for (int i = 0; i < 3; i++) {
        int64_t k = (int64_t)floor(at[i] / welder->cell);

        key = cx_hash64_mix(key ^ (uint64_t)k) + (uint64_t)i;
    }
    return key | 1;
}

static uint32_t
find_in_cell(const Welder *welder, uint64_t key, const float at[3])
{
    uint64_t found;

    if (!cx_hash64_get(welder->cells, key, &found))
        return UINT32_MAX;
    for (uint32_t v = (uint32_t)found; v != UINT32_MAX; v = welder->next[v]) {
        const float *p = welder->mesh->positions + 3 * (size_t)v;

        if (fabs((double)p[0] - at[0]) <= welder->tolerance &&
            fabs((double)p[1] - at[1]) <= welder->tolerance &&
            fabs((double)p[2] - at[2]) <= welder->tolerance)
            return v;
    }
    return UINT32_MAX;
}

/* Number of the vertex at a position, made when there is none. */
static uint32_t
weld(Welder *welder, const float at[3])
{
    CxMesh *mesh = welder->mesh;
    double middle[3] = {at[0], at[1], at[2]};
    uint64_t own = cell_key(welder, middle), *first;
    uint32_t found = find_in_cell(welder, own, at);
    bool was_new;

    for (int corner = 0; corner < 8 && found == UINT32_MAX; corner++) {
        double moved[3];
        uint64_t key;

        for (int i = 0; i < 3; i++)
            moved[i] = middle[i] + ((corner >> i & 1) ? welder->tolerance
                                                      : -welder->tolerance);
        key = cell_key(welder, moved);
        if (key != own)
            found = find_in_cell(welder, key, at);
    }
    if (found != UINT32_MAX)
        return found;
    found = mesh->n_vertices++;
    memcpy(mesh->positions + 3 * (size_t)found, at, 3 * sizeof *at);
    first = cx_hash64_at(welder->cells, own, UINT32_MAX, &was_new);
    welder->next[found] = (uint32_t)*first;
    *first = found;
    return found;
}

static void
append_mesh(Welder *welder, const CxMesh *mesh)
{
    CxMesh *joined = welder->mesh;
    double shift[3] = {mesh->origin_nm.x - joined->origin_nm.x,
                       mesh->origin_nm.y - joined->origin_nm.y,
                       mesh->origin_nm.z - joined->origin_nm.z};
    g_autofree uint32_t *renamed = g_new(uint32_t, mesh->n_vertices);

    for (size_t v = 0; v < mesh->n_vertices; v++) {
        float at[3];

        for (size_t i = 0; i < 3; i++)
            at[i] = (float)(mesh->positions[3 * v + i] + shift[i]);
        renamed[v] = weld(welder, at);
    }
    for (size_t t = 0; t < mesh->n_triangles; t++) {
        uint32_t *out = joined->indices + 3 * (size_t)joined->n_triangles;

        for (size_t k = 0; k < 3; k++)
            out[k] = renamed[mesh->indices[3 * t + k]];
        if (out[0] != out[1] && out[1] != out[2] && out[0] != out[2])
            joined->n_triangles++;
    }
}

/* A millionth of the extent: what floats of that size can tell apart. */
static double
choose_tolerance(CxMesh *const *meshes, size_t n)
{
    CxNm lo = {INFINITY, INFINITY, INFINITY};
    CxNm hi = {-INFINITY, -INFINITY, -INFINITY};

    for (size_t i = 0; i < n; i++) {
        CxNm a, b;

        if (!cx_mesh_bounds(meshes[i], &a, &b))
            continue;
        lo = (CxNm){fmin(lo.x, a.x), fmin(lo.y, a.y), fmin(lo.z, a.z)};
        hi = (CxNm){fmax(hi.x, b.x), fmax(hi.y, b.y), fmax(hi.z, b.z)};
    }
    return fmax(fmax(hi.x - lo.x, hi.y - lo.y), fmax(hi.z - lo.z, 1e-3)) *
           0x1p-20;
}

CxMesh *
cx_mesh_join(CxMesh *const *meshes, size_t n_meshes)
{
    size_t n_vertices = 0, n_triangles = 0;
    CxMesh *joined;

    for (size_t i = 0; i < n_meshes; i++) {
        n_vertices += meshes[i]->n_vertices;
        n_triangles += meshes[i]->n_triangles;
    }
    g_assert(n_vertices < UINT32_MAX && n_triangles < UINT32_MAX);
    joined = cx_mesh_new((uint32_t)n_vertices, (uint32_t)n_triangles);
    if (n_meshes > 0)
        joined->origin_nm = meshes[0]->origin_nm;
    joined->n_vertices = joined->n_triangles = 0;

    double tolerance = choose_tolerance(meshes, n_meshes);
    g_autoptr(CxHash64) cells = cx_hash64_new(n_vertices);
    g_autofree uint32_t *next = g_new(uint32_t, n_vertices);
    Welder welder = {joined, cells, next, tolerance, 8 * tolerance};

    for (size_t i = 0; i < n_meshes; i++)
        append_mesh(&welder, meshes[i]);
    cx_mesh_compute_normals(joined);
    return joined;
}

bool
cx_mesh_bounds(const CxMesh *mesh, CxNm *lo, CxNm *hi)
{
    float from[3] = {FLT_MAX, FLT_MAX, FLT_MAX};
    float to[3] = {-FLT_MAX, -FLT_MAX, -FLT_MAX};

    if (mesh->n_vertices == 0)
        return false;
    for (size_t v = 0; v < mesh->n_vertices; v++) {
        for (size_t i = 0; i < 3; i++) {
            from[i] = fminf(from[i], mesh->positions[3 * v + i]);
            to[i] = fmaxf(to[i], mesh->positions[3 * v + i]);
        }
    }
    *lo = (CxNm){mesh->origin_nm.x + from[0], mesh->origin_nm.y + from[1],
                 mesh->origin_nm.z + from[2]};
    *hi = (CxNm){mesh->origin_nm.x + to[0], mesh->origin_nm.y + to[1],
                 mesh->origin_nm.z + to[2]};
    return true;
}

size_t
cx_mesh_n_open_edges(const CxMesh *mesh)
{
    g_autoptr(CxHash64) edges =
        cx_hash64_new((size_t)mesh->n_triangles * 3 / 2 + 1);
    size_t n_open = 0, cursor = 0;
    uint64_t key, count;

    for (size_t t = 0; t < mesh->n_triangles; t++) {
        const uint32_t *v = mesh->indices + 3 * t;

        for (int k = 0; k < 3; k++) {
            uint64_t a = MIN(v[k], v[(k + 1) % 3]);
            uint64_t b = MAX(v[k], v[(k + 1) % 3]);

            ++*cx_hash64_at(edges, a << 32 | (b + 1), 0, NULL);
        }
    }
    while (cx_hash64_next(edges, &cursor, &key, &count))
        n_open += count != 2;
    return n_open;
}

double
cx_mesh_volume_nm3(const CxMesh *mesh)
{
    double volume = 0;

    for (size_t t = 0; t < mesh->n_triangles; t++) {
        const float *a = mesh->positions + 3 * (size_t)mesh->indices[3 * t];
        double face[3];

        face_vector(mesh, (uint32_t)t, face);
        volume += (a[0] * face[0] + a[1] * face[1] + a[2] * face[2]) / 6;
    }
    return volume;
}

double
cx_mesh_area_nm2(const CxMesh *mesh)
{
    double area = 0;

    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        double face[3];

        face_vector(mesh, t, face);
        area +=
            sqrt(face[0] * face[0] + face[1] * face[1] + face[2] * face[2]) / 2;
    }
    return area;
}
