/* Splits surfaces where they touch; see manifold.h.
 *
 * Half-edge h = 3 t + k runs from corner k of triangle t to the next corner.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/manifold.h"

#include "core/base/union_find.h"

#include <math.h>
#include <string.h>

#define UNPAIRED UINT32_MAX
#define MAX_ROUNDS 9

typedef struct {
    CxMesh *mesh;
    uint32_t *starts; /* of each vertex in order */
    uint32_t *order;  /* half-edges by the smaller of their vertices */
    uint32_t *pair;   /* opposite half-edge, or UNPAIRED */
    bool fold;        /* prefer the partner that continues least flatly */
} Edges;

static uint32_t
next_in_triangle(uint32_t h)
{
    return h % 3 == 2 ? h - 2 : h + 1;
}

static uint32_t
from_vertex(const Edges *edges, uint32_t h)
{
    return edges->mesh->indices[h];
}

static uint32_t
to_vertex(const Edges *edges, uint32_t h)
{
    return edges->mesh->indices[next_in_triangle(h)];
}

/* The vertex of the triangle that is not on the half-edge. */
static uint32_t
apex(const Edges *edges, uint32_t h)
{
    return edges->mesh->indices[next_in_triangle(next_in_triangle(h))];
}

static void
sort_half_edges(Edges *edges)
{
    const CxMesh *mesh = edges->mesh;
    uint32_t n = 3 * mesh->n_triangles;

    edges->starts = g_new0(uint32_t, (size_t)mesh->n_vertices + 2);
    edges->order = g_new(uint32_t, n);
    for (uint32_t h = 0; h < n; h++)
        edges->starts[MIN(from_vertex(edges, h), to_vertex(edges, h)) + 2]++;
    for (uint32_t v = 0; v < mesh->n_vertices; v++)
        edges->starts[v + 2] += edges->starts[v + 1];
    for (uint32_t h = 0; h < n; h++) {
        uint32_t v = MIN(from_vertex(edges, h), to_vertex(edges, h));

        edges->order[edges->starts[v + 1]++] = h;
    }
}

static void
clear(Edges *edges)
{
    g_free(edges->starts);
    g_free(edges->order);
    g_free(edges->pair);
}

/* Unit normal of the triangle of a half-edge, or zero. */
static void
normal_of(const Edges *edges, uint32_t h, double out[3])
{
    const uint32_t *v = edges->mesh->indices + h / 3 * 3;
    const float *a = edges->mesh->positions + 3 * (size_t)v[0];
    const float *b = edges->mesh->positions + 3 * (size_t)v[1];
    const float *c = edges->mesh->positions + 3 * (size_t)v[2];
    double u[3], w[3], length;

    for (int i = 0; i < 3; i++) {
        u[i] = (double)b[i] - a[i];
        w[i] = (double)c[i] - a[i];
    }
    out[0] = u[1] * w[2] - u[2] * w[1];
    out[1] = u[2] * w[0] - u[0] * w[2];
    out[2] = u[0] * w[1] - u[1] * w[0];
    length = sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2]);
    for (int i = 0; i < 3; i++)
        out[i] = length > 0 ? out[i] / length : 0;
}

static double
flatness(const Edges *edges, uint32_t h, uint32_t g)
{
    double a[3], b[3];

    normal_of(edges, h, a);
    normal_of(edges, g, b);
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Best partner of h among order[i … end): the opposite half-edge whose
 * triangle continues h's most flatly, the first of equals; with fold the other
 * way round in both. */
static uint32_t
find_partner(const Edges *edges, uint32_t h, uint32_t i, uint32_t end,
             unsigned *n_candidates)
{
    uint32_t best = UNPAIRED;

    *n_candidates = 0;
    for (; i < end; i++) {
        uint32_t g = edges->order[i];
        double gain = 0;

        if (edges->pair[g] != UNPAIRED ||
            from_vertex(edges, g) != to_vertex(edges, h) ||
            to_vertex(edges, g) != from_vertex(edges, h))
            continue;
        if (++*n_candidates > 1)
            gain = flatness(edges, h, g) - flatness(edges, h, best);
        if (*n_candidates == 1 || (edges->fold ? gain <= 0 : gain > 0))
            best = g;
    }
    return best;
}

/* Pairs all half-edges; returns the number of choices that were not forced. */
static size_t
pair_half_edges(Edges *edges)
{
    size_t n_choices = 0;

    edges->pair = g_new(uint32_t, 3 * (size_t)edges->mesh->n_triangles);
    memset(edges->pair, 0xff,
           3 * sizeof(uint32_t) * (size_t)edges->mesh->n_triangles);
    for (uint32_t v = 0; v < edges->mesh->n_vertices; v++) {
        uint32_t end = edges->starts[v + 1];

        for (uint32_t i = edges->starts[v]; i < end; i++) {
            uint32_t h = edges->order[i], g;
            unsigned n;

            if (edges->pair[h] != UNPAIRED)
                continue;
            g = find_partner(edges, h, i + 1, end, &n);
            n_choices += n > 1;
            if (g == UNPAIRED)
                continue;
            edges->pair[h] = g;
            edges->pair[g] = h;
        }
    }
    return n_choices;
}

/* Marks triangles that lie back to back with another one. */
static size_t
find_opposites(const Edges *edges, uint8_t *is_dropped)
{
    size_t n = 0;

    for (uint32_t v = 0; v < edges->mesh->n_vertices; v++) {
        uint32_t end = edges->starts[v + 1];

        for (uint32_t i = edges->starts[v]; i < end; i++) {
            uint32_t h = edges->order[i];

            for (uint32_t k = i + 1; k < end; k++) {
                uint32_t g = edges->order[k];

                if (from_vertex(edges, g) != to_vertex(edges, h) ||
                    to_vertex(edges, g) != from_vertex(edges, h) ||
                    apex(edges, g) != apex(edges, h) || is_dropped[g / 3] ||
                    is_dropped[h / 3])
                    continue;
                is_dropped[g / 3] = is_dropped[h / 3] = 1;
                n += 2;
            }
        }
    }
    return n;
}

static void
drop_opposites(Edges *edges)
{
    CxMesh *mesh = edges->mesh;
    g_autofree uint8_t *is_dropped = g_new0(uint8_t, mesh->n_triangles);
    uint32_t n = 0;

    if (find_opposites(edges, is_dropped) == 0)
        return;
    for (uint32_t t = 0; t < mesh->n_triangles; t++)
        if (!is_dropped[t])
            memmove(mesh->indices + 3 * (size_t)n++,
                    mesh->indices + 3 * (size_t)t, 3 * sizeof(uint32_t));
    mesh->n_triangles = n;
}

/* Corners that meet across a pair are one vertex; others become copies. */
static void
split_vertices(const Edges *edges)
{
    CxMesh *mesh = edges->mesh;
    uint32_t n = 3 * mesh->n_triangles;
    g_autoptr(CxUnionFind) corners = cx_union_find_new(n);
    g_autofree uint32_t *vertex_of = g_new(uint32_t, n);
    g_autofree uint8_t *is_taken = g_new0(uint8_t, mesh->n_vertices);
    g_autofree uint32_t *renamed = g_new(uint32_t, n);
    uint32_t room = mesh->n_vertices;

    for (uint32_t h = 0; h < n; h++) {
        uint32_t g = edges->pair[h];

        if (g == UNPAIRED || g < h)
            continue;
        cx_union_find_join(corners, h, next_in_triangle(g));
        cx_union_find_join(corners, next_in_triangle(h), g);
    }
    for (uint32_t c = 0; c < n; c++) {
        uint32_t root = cx_union_find_root(corners, c), v = mesh->indices[c];

        if (root == c && is_taken[v]) {
            if (mesh->n_vertices == room) {
                room += room / 8 + 16;
                mesh->positions =
                    g_renew(float, mesh->positions, 3 * (size_t)room);
                mesh->normals = g_renew(float, mesh->normals, 3 * (size_t)room);
            }
            vertex_of[c] = mesh->n_vertices++;
            memcpy(mesh->positions + 3 * (size_t)vertex_of[c],
                   mesh->positions + 3 * (size_t)v, 3 * sizeof(float));
            memcpy(mesh->normals + 3 * (size_t)vertex_of[c],
                   mesh->normals + 3 * (size_t)v, 3 * sizeof(float));
        } else if (root == c) {
            vertex_of[c] = v;
            is_taken[v] = 1;
        }
        renamed[c] = vertex_of[root];
    }
    memcpy(mesh->indices, renamed, n * sizeof *renamed);
}

size_t
cx_mesh_make_manifold(CxMesh *mesh)
{
    size_t n_first = 0;

    /* Where both ends of an edge keep one ring of triangles under one pairing
     * (a pinched neck), the other pairing separates them: so the preference
     * alternates.  Round 0 only looks. */
    for (int round = 0; round < MAX_ROUNDS; round++) {
        Edges edges = {.mesh = mesh, .fold = round % 2 == 0};
        size_t n_choices;

        sort_half_edges(&edges);
        n_choices = pair_half_edges(&edges);
        if (round == 0)
            n_first = n_choices;
        if (round == 0 && n_choices > 0)
            drop_opposites(&edges);
        else if (n_choices > 0)
            split_vertices(&edges);
        clear(&edges);
        if (n_choices == 0)
            break;
    }
    return n_first;
}
