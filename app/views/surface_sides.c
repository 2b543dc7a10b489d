/* A surface divided between the two sides of a split.
 *
 * Triangles are sorted by the block of voxels they lie in, so that each block
 * of labels is read once; those outside the box of the moved supervoxels,
 * mostly nearly all, are not looked up at all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/surface_sides.h"

#include <math.h>
#include <string.h>

/* Edge of the blocks labels are read in. */
#define BLOCK 64

/* How far below the surface the voxel is looked for, in voxels: surfaces run
 * half a voxel around the voxel centres, smoothing moves them by as much. */
#define DEPTH 0.75

typedef struct {
    CxVoxel voxel;
    CxChunkIdx block;
    uint32_t triangle;
} Probe;

static double
component(CxNm nm, int i)
{
    return i == 0 ? nm.x : i == 1 ? nm.y : nm.z;
}

/* Voxel just below the middle of a triangle. */
static CxVoxel
voxel_below(const CxMesh *mesh, uint32_t triangle, CxNm voxel_nm, CxNm offset)
{
    const uint32_t *corner = mesh->indices + (size_t)triangle * 3;
    int64_t voxel[3];

    for (int i = 0; i < 3; i++) {
        double at = component(mesh->origin_nm, i) - component(offset, i);
        double size = component(voxel_nm, i);
        for (int k = 0; k < 3; k++) {
            size_t v = (size_t)corner[k] * 3 + (size_t)i;
            at += (mesh->positions[v] - DEPTH * size * mesh->normals[v]) / 3.0;
        }
        voxel[i] = (int64_t)floor(at / size);
    }
    return (CxVoxel){voxel[0], voxel[1], voxel[2]};
}

static int
compare_probes(const void *a, const void *b)
{
    const Probe *p = a;
    const Probe *q = b;

    if (p->block.z != q->block.z)
        return p->block.z < q->block.z ? -1 : 1;
    if (p->block.y != q->block.y)
        return p->block.y < q->block.y ? -1 : 1;
    if (p->block.x != q->block.x)
        return p->block.x < q->block.x ? -1 : 1;
    return p->triangle < q->triangle ? -1 : p->triangle > q->triangle;
}

static GArray *
collect_probes(const CxuiSurfaceSides *sides)
{
    const CxVoxel size = {BLOCK, BLOCK, BLOCK};
    CxNm voxel_nm = cx_volume_level(sides->supervoxels, 0).voxel_nm;
    CxNm offset = cx_volume_offset_nm(sides->supervoxels);
    CxBox box = cx_box_intersect(sides->moved_box,
                                 cx_volume_bounds(sides->supervoxels, 0));
    GArray *probes = g_array_new(FALSE, FALSE, sizeof(Probe));

    for (uint32_t t = 0; t < sides->mesh->n_triangles; t++) {
        Probe probe = {
            voxel_below(sides->mesh, t, voxel_nm, offset), {0, 0, 0}, t};
        if (!cx_box_contains(box, probe.voxel))
            continue;
        probe.block = cx_chunk_of_voxel(probe.voxel, size);
        g_array_append_val(probes, probe);
    }
    g_array_sort(probes, compare_probes);
    return probes;
}

static bool
is_moved(const CxuiSurfaceSides *sides, CxId id)
{
    size_t lo = 0;
    size_t hi = sides->n_moved;

    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (sides->moved[middle] < id)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo < sides->n_moved && sides->moved[lo] == id;
}

static bool
same_block(const Probe *a, const Probe *b)
{
    return a->block.x == b->block.x && a->block.y == b->block.y &&
           a->block.z == b->block.z;
}

/* Sets on_moved[triangle] for probes from *first on that share a block, and
 * moves *first behind them. */
static bool
look_up_block(const CxuiSurfaceSides *sides, const GArray *probes, guint *first,
              uint8_t *on_moved, CxJob *job, GError **error)
{
    const CxVoxel size = {BLOCK, BLOCK, BLOCK};
    const Probe *probe = &g_array_index(probes, Probe, *first);
    CxBox box = cx_chunk_box_clipped(probe->block, size,
                                     cx_volume_bounds(sides->supervoxels, 0));
    g_autoptr(CxChunk) labels =
        cx_volume_read_labels(sides->supervoxels, 0, box, job, error);

    if (labels == NULL)
        return false;
    guint i = *first;
    for (; i < probes->len; i++) {
        const Probe *next = &g_array_index(probes, Probe, i);
        if (!same_block(probe, next))
            break;
        on_moved[next->triangle] =
            is_moved(sides, cx_chunk_label_at(labels, next->voxel));
    }
    *first = i;
    return true;
}

/* The triangles whose mark is this side, with the vertices they use. */
static CxMesh *
extract(const CxMesh *mesh, const uint8_t *on_moved, uint8_t side)
{
    g_autofree uint32_t *place = g_new(uint32_t, mesh->n_vertices + 1);
    uint32_t n_vertices = 0;
    uint32_t n_triangles = 0;

    memset(place, 0xff, mesh->n_vertices * sizeof *place);
    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        if (on_moved[t] != side)
            continue;
        n_triangles++;
        for (int k = 0; k < 3; k++) {
            uint32_t v = mesh->indices[(size_t)t * 3 + (size_t)k];
            if (place[v] == UINT32_MAX)
                place[v] = n_vertices++;
        }
    }
    CxMesh *part = cx_mesh_new(n_vertices, n_triangles);
    part->origin_nm = mesh->origin_nm;
    for (uint32_t v = 0; v < mesh->n_vertices; v++) {
        if (place[v] == UINT32_MAX)
            continue;
        memcpy(part->positions + (size_t)place[v] * 3,
               mesh->positions + (size_t)v * 3, 3 * sizeof(float));
        memcpy(part->normals + (size_t)place[v] * 3,
               mesh->normals + (size_t)v * 3, 3 * sizeof(float));
    }
    uint32_t *index = part->indices;
    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        for (size_t k = 0; on_moved[t] == side && k < 3; k++)
            *index++ = place[mesh->indices[(size_t)t * 3 + k]];
    }
    return part;
}

bool
cxui_surface_sides(const CxuiSurfaceSides *sides, CxMesh **rest, CxMesh **moved,
                   CxJob *job, GError **error)
{
    g_autoptr(GArray) probes = collect_probes(sides);
    g_autofree uint8_t *on_moved =
        g_new0(uint8_t, sides->mesh->n_triangles + 1);

    for (guint i = 0; i < probes->len;) {
        if (!look_up_block(sides, probes, &i, on_moved, job, error) ||
            !cx_job_step(job, i, probes->len, error))
            return false;
    }
    *rest = extract(sides->mesh, on_moved, 0);
    *moved = extract(sides->mesh, on_moved, 1);
    return true;
}
