/* Surfaces on their way to the GPU; see mesh_buffers.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/mesh_buffers.h"

#include "core/mesh/simplify.h"

#include <math.h>
#include <meshoptimizer.h>
#include <string.h>

#define CLUSTER 1024     /* triangles */
#define COARSE_FROM 6000 /* smaller surfaces have no coarse twin */
#define COARSE_SHARE 0.25
#define COARSE_ERROR 0.01 /* of the extent */

typedef struct {
    float at[3];
    uint32_t normal; /* 2:10:10:10 signed */
} Vertex;

/* Triangles first … first + n with the box around them. */
typedef struct {
    uint32_t first, n;
    float middle[3], half[3];
} Cluster;

/* Full and coarse triangles lie one after the other in indices. */
struct CxglMeshData {
    int n_refs; /* atomic */
    CxNm origin;
    float lo[3], hi[3];
    uint32_t n_vertices, n_full, n_coarse; /* triangles */
    Vertex *vertices;
    uint32_t *indices;
    GArray *full, *coarse; /* Cluster */
};

static uint32_t
pack_component(float value)
{
    return (uint32_t)(int32_t)lrintf(CLAMP(value, -1, 1) * 511) & 1023;
}

static Vertex *
pack_vertices(const CxMesh *mesh)
{
    Vertex *vertices = g_new(Vertex, mesh->n_vertices);

    for (size_t v = 0; v < mesh->n_vertices; v++) {
        const float *n = mesh->normals + 3 * v;

        memcpy(vertices[v].at, mesh->positions + 3 * v, sizeof vertices[v].at);
        vertices[v].normal = pack_component(n[0]) | pack_component(n[1]) << 10 |
                             pack_component(n[2]) << 20;
    }
    return vertices;
}

static void
add_cluster(CxglMeshData *data, uint32_t first, uint32_t n, GArray *clusters)
{
    float lo[3] = {INFINITY, INFINITY, INFINITY};
    float hi[3] = {-INFINITY, -INFINITY, -INFINITY};
    Cluster cluster = {.first = first, .n = n};

    for (size_t i = 3 * (size_t)first; i < 3 * ((size_t)first + n); i++) {
        const float *at = data->vertices[data->indices[i]].at;

        for (int k = 0; k < 3; k++) {
            lo[k] = fminf(lo[k], at[k]);
            hi[k] = fmaxf(hi[k], at[k]);
        }
    }
    for (int k = 0; k < 3; k++) {
        cluster.middle[k] = (lo[k] + hi[k]) / 2;
        cluster.half[k] = (hi[k] - lo[k]) / 2;
        data->lo[k] = fminf(data->lo[k], lo[k]);
        data->hi[k] = fmaxf(data->hi[k], hi[k]);
    }
    g_array_append_val(clusters, cluster);
}

/* Vertices of one cluster as 0, 1, 2, …: what is done to a cluster then costs
 * by its size, not by that of the surface. */
typedef struct {
    uint32_t *stamp; /* cluster that last used a vertex, + 1 */
    uint32_t *local; /* its number there */
    uint32_t back[3 * CLUSTER];
    uint32_t indices[3 * CLUSTER], ordered[3 * CLUSTER];
} Local;

/* Orders the triangles of one cluster for the vertex cache. */
static void
order_cluster(Local *local, uint32_t cluster, uint32_t *run, uint32_t n)
{
    uint32_t n_local = 0;

    for (size_t i = 0; i < 3 * (size_t)n; i++) {
        uint32_t v = run[i];

        if (local->stamp[v] != cluster + 1) {
            local->stamp[v] = cluster + 1;
            local->local[v] = n_local;
            local->back[n_local++] = v;
        }
        local->indices[i] = local->local[v];
    }
    meshopt_optimizeVertexCache(local->ordered, local->indices, 3 * (size_t)n,
                                n_local);
    for (size_t i = 0; i < 3 * (size_t)n; i++)
        run[i] = local->back[local->ordered[i]];
}

/* Orders n triangles from `first` on by place and cuts them into clusters. */
static GArray *
make_clusters(CxglMeshData *data, const float *positions, uint32_t first,
              uint32_t n)
{
    GArray *clusters = g_array_new(FALSE, FALSE, sizeof(Cluster));
    uint32_t *part = data->indices + 3 * (size_t)first;
    g_autofree Local *local = g_new0(Local, 1);
    g_autofree uint32_t *stamp = g_new0(uint32_t, data->n_vertices);
    g_autofree uint32_t *numbers = g_new(uint32_t, data->n_vertices);

    local->stamp = stamp;
    local->local = numbers;
    if (n > CLUSTER) {
        g_autofree uint32_t *sorted = g_new(uint32_t, 3 * (size_t)n);

        meshopt_spatialSortTriangles(sorted, part, 3 * (size_t)n, positions,
                                     data->n_vertices, 3 * sizeof(float));
        memcpy(part, sorted, 3 * sizeof *part * (size_t)n);
    }
    for (uint32_t t = 0; t < n; t += CLUSTER) {
        uint32_t count = MIN(CLUSTER, n - t);

        order_cluster(local, t / CLUSTER, part + 3 * (size_t)t, count);
        add_cluster(data, first + t, count, clusters);
    }
    return clusters;
}

/* A coarse copy of the triangles behind the full ones. */
static void
add_coarse(CxglMeshData *data, const float *positions)
{
    size_t n = 3 * (size_t)data->n_full;
    uint32_t *coarse = data->indices + n;
    float extent =
        meshopt_simplifyScale(positions, data->n_vertices, 3 * sizeof(float));

    memcpy(coarse, data->indices, n * sizeof *coarse);
    n = cx_simplify_indices(coarse, n, positions, data->n_vertices,
                            (size_t)((double)n * COARSE_SHARE),
                            COARSE_ERROR * (double)extent, false);
    data->n_coarse = (uint32_t)(n / 3);
}

CxglMeshData *
cxgl_mesh_data_new(const CxMesh *mesh)
{
    CxglMeshData *data = g_new0(CxglMeshData, 1);
    size_t n = 3 * (size_t)mesh->n_triangles;
    bool has_coarse = mesh->n_triangles >= COARSE_FROM;

    data->n_refs = 1;
    data->origin = mesh->origin_nm;
    data->n_vertices = mesh->n_vertices;
    data->n_full = mesh->n_triangles;
    data->vertices = pack_vertices(mesh);
    data->indices = g_new(uint32_t, has_coarse ? 2 * n : n);
    memcpy(data->indices, mesh->indices, n * sizeof *data->indices);
    for (int k = 0; k < 3; k++) {
        data->lo[k] = INFINITY;
        data->hi[k] = -INFINITY;
    }
    if (has_coarse) {
        add_coarse(data, mesh->positions);
        data->indices =
            g_renew(uint32_t, data->indices, n + 3 * (size_t)data->n_coarse);
    }
    data->full = make_clusters(data, mesh->positions, 0, data->n_full);
    data->coarse =
        make_clusters(data, mesh->positions, data->n_full, data->n_coarse);
    return data;
}

CxglMeshData *
cxgl_mesh_data_ref(CxglMeshData *data)
{
    g_atomic_int_inc(&data->n_refs);
    return data;
}

void
cxgl_mesh_data_unref(CxglMeshData *data)
{
    if (data == NULL || !g_atomic_int_dec_and_test(&data->n_refs))
        return;
    g_free(data->vertices);
    g_free(data->indices);
    g_array_unref(data->full);
    g_array_unref(data->coarse);
    g_free(data);
}

uint32_t
cxgl_mesh_data_n_triangles(const CxglMeshData *data)
{
    return data->n_full;
}

uint32_t
cxgl_mesh_data_n_coarse_triangles(const CxglMeshData *data)
{
    return data->n_coarse > 0 ? data->n_coarse : data->n_full;
}

size_t
cxgl_mesh_data_size_bytes(const CxglMeshData *data)
{
    return sizeof *data + data->n_vertices * sizeof(Vertex) +
           3 * sizeof(uint32_t) * ((size_t)data->n_full + data->n_coarse) +
           sizeof(Cluster) * (data->full->len + data->coarse->len);
}

bool
cxgl_mesh_data_bounds(const CxglMeshData *data, CxNm *lo, CxNm *hi)
{
    if (data->n_full == 0)
        return false;
    *lo = (CxNm){data->origin.x + data->lo[0], data->origin.y + data->lo[1],
                 data->origin.z + data->lo[2]};
    *hi = (CxNm){data->origin.x + data->hi[0], data->origin.y + data->hi[1],
                 data->origin.z + data->hi[2]};
    return true;
}

CxNm
cxgl_mesh_data_origin(const CxglMeshData *data)
{
    return data->origin;
}

/* Buffers */

void
cxgl_mesh_buffers_fill(CxglMeshBuffers *buffers, const CxglMeshData *data)
{
    size_t n_indices = 3 * ((size_t)data->n_full + data->n_coarse);

    cxgl_mesh_buffers_clear(buffers);
    glGenVertexArrays(1, &buffers->array);
    glGenBuffers(1, &buffers->vertices);
    glGenBuffers(1, &buffers->indices);
    glBindVertexArray(buffers->array);
    glBindBuffer(GL_ARRAY_BUFFER, buffers->vertices);
    glBufferData(GL_ARRAY_BUFFER,
                 (GLsizeiptr)(data->n_vertices * sizeof(Vertex)),
                 data->vertices, GL_STATIC_DRAW);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers->indices);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER,
                 (GLsizeiptr)(n_indices * sizeof(uint32_t)), data->indices,
                 GL_STATIC_DRAW);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 3, GL_FLOAT, GL_FALSE, sizeof(Vertex), NULL);
    glEnableVertexAttribArray(1);
    glVertexAttribPointer(1, 4, GL_INT_2_10_10_10_REV, GL_TRUE, sizeof(Vertex),
                          (const void *)offsetof(Vertex, normal));
    glBindVertexArray(0);
}

void
cxgl_mesh_buffers_clear(CxglMeshBuffers *buffers)
{
    if (buffers->array != 0) {
        glDeleteVertexArrays(1, &buffers->array);
        glDeleteBuffers(1, &buffers->vertices);
        glDeleteBuffers(1, &buffers->indices);
    }
    *buffers = (CxglMeshBuffers){0};
}

/* False if the box lies wholly beyond one side of the view volume. */
static bool
is_in_view(const Cluster *cluster, const CxglMat4 *clip)
{
    const float *m = clip->m;

    for (int side = 0; side < 6; side++) {
        float sign = side & 1 ? -1 : 1, reach = m[15], spread = 0;
        int row = side >> 1;

        reach += sign * m[12 + row];
        for (int k = 0; k < 3; k++) {
            float plane = m[4 * k + 3] + sign * m[4 * k + row];

            reach += plane * cluster->middle[k];
            spread += fabsf(plane) * cluster->half[k];
        }
        if (reach + spread < 0)
            return false;
    }
    return true;
}

static void
draw_run(uint32_t first, uint32_t n)
{
    if (n > 0)
        glDrawElements(GL_TRIANGLES, (GLsizei)(3 * n), GL_UNSIGNED_INT,
                       (const void *)(3 * sizeof(uint32_t) * (size_t)first));
}

uint32_t
cxgl_mesh_buffers_draw(const CxglMeshBuffers *buffers, const CxglMeshData *data,
                       bool coarse, const CxglMat4 *clip_from_mesh)
{
    const GArray *clusters =
        coarse && data->n_coarse > 0 ? data->coarse : data->full;
    uint32_t first = 0, n = 0, n_drawn = 0;

    glBindVertexArray(buffers->array);
    for (guint i = 0; i < clusters->len; i++) {
        const Cluster *cluster = &g_array_index(clusters, Cluster, i);

        if (!is_in_view(cluster, clip_from_mesh))
            continue;
        if (n > 0 && first + n != cluster->first) {
            draw_run(first, n);
            n = 0;
        }
        if (n == 0)
            first = cluster->first;
        n += cluster->n;
        n_drawn += cluster->n;
    }
    draw_run(first, n);
    glBindVertexArray(0);
    return n_drawn;
}
