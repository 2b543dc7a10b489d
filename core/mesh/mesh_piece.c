/* Surfaces of labels in one chunk; see mesh_piece.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/mesh_piece.h"

#include "core/base/hash64.h"
#include "core/mesh/marching_cubes.h"
#include "core/mesh/simplify.h"
#include "core/mesh/smooth.h"

#include <math.h>
#include <string.h>

/* Averages of normals; the margin for smoothing has room for as many. */
#define NORMAL_ROUNDS 2

CxMeshPiece *
cx_mesh_piece_ref(CxMeshPiece *piece)
{
    g_atomic_int_inc(&piece->n_refs);
    return piece;
}

void
cx_mesh_piece_unref(CxMeshPiece *piece)
{
    if (piece == NULL || !g_atomic_int_dec_and_test(&piece->n_refs))
        return;
    g_free(piece->vertices);
    g_free(piece->indices);
    g_free(piece);
}

size_t
cx_mesh_piece_size_bytes(const CxMeshPiece *piece)
{
    return sizeof *piece + piece->n_vertices * sizeof *piece->vertices +
           piece->n_triangles * 3 * sizeof *piece->indices;
}

/* Labels as dense numbers in a block with a rim of background wherever the
 * labels end before the block does. */
typedef struct {
    CxBox box;
    uint32_t *numbers;
    GArray *ids; /* CxId of number i; [0] = 0 */
} Block;

/* Number of a label; with is_closed only of those known already. */
static uint32_t
number_of(Block *block, CxHash64 *known, bool is_closed, CxId label)
{
    uint64_t number = 0;
    bool was_new;

    if (label == 0)
        return 0;
    if (is_closed) {
        cx_hash64_get(known, label, &number);
        return (uint32_t)number;
    }
    number = *cx_hash64_at(known, label, block->ids->len, &was_new);
    if (was_new)
        g_array_append_val(block->ids, label);
    return (uint32_t)number;
}

static void
number_labels(Block *block, const CxChunk *labels, CxBox part, CxHash64 *known,
              bool is_closed)
{
    const CxId *data = cx_chunk_data(labels);
    CxId last = 0;
    uint32_t number = 0;

    for (int64_t z = part.lo.z; z < part.hi.z; z++) {
        for (int64_t y = part.lo.y; y < part.hi.y; y++) {
            CxVoxel start = {part.lo.x, y, z};
            const CxId *in = data + cx_box_offset(cx_chunk_box(labels), start);
            uint32_t *out = block->numbers + cx_box_offset(block->box, start);

            for (int64_t x = 0; x < part.hi.x - part.lo.x; x++) {
                if (in[x] != last) {
                    last = in[x];
                    number = number_of(block, known, is_closed, last);
                }
                out[x] = number;
            }
        }
    }
}

static void
make_block(const CxChunk *labels, CxBox box, const CxId *only, size_t n_only,
           Block *block)
{
    CxVoxel size = cx_box_size(box);
    CxBox part = cx_box_intersect(cx_chunk_box(labels), box);
    g_autoptr(CxHash64) known = cx_hash64_new(MAX(n_only, 64));
    CxId background = 0;

    block->box = box;
    block->numbers = g_new0(uint32_t, (size_t)(size.x * size.y * size.z));
    block->ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_array_append_val(block->ids, background);
    for (size_t i = 0; i < n_only; i++)
        number_of(block, known, false, only[i]);
    if (!cx_box_is_empty(part))
        number_labels(block, labels, part, known, n_only > 0);
}

static void
clear_block(Block *block)
{
    g_free(block->numbers);
    g_array_unref(block->ids);
}

/* Name of the grid edge on which a vertex lies, never 0. */
static uint64_t
make_key(const Block *block, const CxCubesVertex *vertex)
{
    /* Half voxels from the centre of voxel -1. */
    uint64_t x = (uint64_t)(2 * (block->box.lo.x + 1)) + vertex->at[0];
    uint64_t y = (uint64_t)(2 * (block->box.lo.y + 1)) + vertex->at[1];
    uint64_t z = (uint64_t)(2 * (block->box.lo.z + 1)) + vertex->at[2];

    return UINT64_C(1) << 63 | z << 42 | y << 21 | x;
}

/* On the border of the chunk of cells (given in voxels of the block). */
static bool
is_on_border(const CxCubesVertex *vertex, CxBox inner)
{
    const int64_t lo[3] = {inner.lo.x, inner.lo.y, inner.lo.z};
    const int64_t hi[3] = {inner.hi.x, inner.hi.y, inner.hi.z};

    for (int i = 0; i < 3; i++)
        if (vertex->at[i] == 2 * lo[i] || vertex->at[i] == 2 * hi[i])
            return true;
    return false;
}

/* All that the pieces of one block are cut from. */
typedef struct {
    const Block *block;
    const CxCubes *cubes;
    const int32_t *positions;
    const float *normals;
    CxBox inner;
    uint32_t *renamed; /* vertex → vertex of its piece + 1 */
    uint32_t *used;    /* vertices of the piece */
} Cutter;

static uint32_t
pack_normal(const float normal[3])
{
    uint32_t packed = 0;

    for (int i = 0; i < 3; i++)
        packed |= ((uint32_t)(int32_t)lrintf(normal[i] * 511) & 1023) << 10 * i;
    return packed;
}

static void
unpack_normal(uint32_t packed, float normal[3])
{
    for (int i = 0; i < 3; i++) {
        int32_t bits = (int32_t)(packed >> 10 * i & 1023);

        normal[i] = (float)(bits - (bits >= 512 ? 1024 : 0));
    }
    float length = hypotf(hypotf(normal[0], normal[1]), normal[2]);
    for (int i = 0; i < 3; i++)
        normal[i] /= length;
}

static void
fill_vertex(const Cutter *cutter, uint32_t v, CxPieceVertex *out)
{
    const CxCubesVertex *vertex =
        &g_array_index(cutter->cubes->vertices, CxCubesVertex, v);
    const CxVoxel lo = cutter->block->box.lo;
    const int64_t start[3] = {lo.x, lo.y, lo.z};

    for (int i = 0; i < 3; i++)
        out->at[i] =
            (int32_t)(start[i] * CX_SMOOTH_UNITS + CX_SMOOTH_UNITS / 2) +
            cutter->positions[3 * (size_t)v + (size_t)i];
    out->normal = pack_normal(cutter->normals + 3 * (size_t)v);
    out->key = is_on_border(vertex, cutter->inner)
                   ? make_key(cutter->block, vertex)
                   : 0;
}

static uint32_t
use_vertex(const Cutter *cutter, uint32_t v, uint32_t *n_used)
{
    if (cutter->renamed[v] == 0) {
        cutter->used[*n_used] = v;
        cutter->renamed[v] = ++*n_used;
    }
    return cutter->renamed[v] - 1;
}

/* Positions in nm from the corner of the block, as simplification needs. */
static float *
make_positions(const Cutter *cutter, uint32_t n_used, CxNm voxel_nm)
{
    float *out = g_new(float, 3 * (size_t)n_used);
    const double scale[3] = {voxel_nm.x / CX_SMOOTH_UNITS,
                             voxel_nm.y / CX_SMOOTH_UNITS,
                             voxel_nm.z / CX_SMOOTH_UNITS};

    for (size_t v = 0; v < n_used; v++)
        for (size_t i = 0; i < 3; i++)
            out[3 * v + i] =
                (float)(cutter->positions[3 * (size_t)cutter->used[v] + i] *
                        scale[i]);
    return out;
}

/* One label: the triangles at order[0 … n). */
static CxMeshPiece *
cut_piece(const Cutter *cutter, CxId id, const uint32_t *order, uint32_t n,
          const CxPieceOptions *options)
{
    CxMeshPiece *piece = g_new0(CxMeshPiece, 1);
    g_autofree uint32_t *indices = g_new(uint32_t, 3 * (size_t)n);
    g_autofree uint32_t *kept = NULL;
    uint32_t n_used = 0;
    size_t left;

    piece->n_refs = 1;
    piece->id = id;
    piece->n_full = n;
    for (uint32_t t = 0; t < n; t++) {
        const CxCubesTriangle *triangle =
            &g_array_index(cutter->cubes->triangles, CxCubesTriangle, order[t]);

        for (int k = 0; k < 3; k++)
            indices[3 * (size_t)t + (size_t)k] =
                use_vertex(cutter, triangle->v[k], &n_used);
    }
    left = 3 * (size_t)n;
    if (options->simplify < 1) {
        g_autofree float *positions =
            make_positions(cutter, n_used, options->voxel_nm);

        left = cx_simplify_indices(indices, left, positions, n_used,
                                   (size_t)(options->simplify * (double)left),
                                   options->max_error_nm, true);
    }
    piece->n_triangles = (uint32_t)(left / 3);
    piece->indices = g_new(uint32_t, left);
    piece->vertices = g_new(CxPieceVertex, n_used);
    kept = g_new0(uint32_t, n_used);
    for (size_t i = 0; i < left; i++) {
        uint32_t v = indices[i];

        if (kept[v] == 0) {
            fill_vertex(cutter, cutter->used[v],
                        &piece->vertices[piece->n_vertices]);
            kept[v] = ++piece->n_vertices;
        }
        piece->indices[i] = kept[v] - 1;
    }
    piece->vertices =
        g_renew(CxPieceVertex, piece->vertices, piece->n_vertices);
    return piece;
}

/* Inner triangles sorted by label: starts[l] … starts[l + 1] in order. */
static uint32_t *
sort_by_label(const CxCubes *cubes, uint32_t n_labels, uint32_t *starts)
{
    uint32_t *order = g_new(uint32_t, cubes->triangles->len);
    g_autofree uint32_t *at = g_new(uint32_t, n_labels);

    memset(starts, 0, sizeof *starts * (n_labels + 1));
    for (int pass = 0; pass < 2; pass++) {
        for (guint t = 0; t < cubes->triangles->len; t++) {
            uint32_t v =
                g_array_index(cubes->triangles, CxCubesTriangle, t).v[0];
            uint32_t label =
                g_array_index(cubes->vertices, CxCubesVertex, v).label;

            if (!g_array_index(cubes->inner, uint8_t, t))
                continue;
            if (pass == 0)
                starts[label + 1]++;
            else
                order[at[label]++] = t;
        }
        for (uint32_t l = 0; pass == 0 && l < n_labels; l++) {
            starts[l + 1] += starts[l];
            at[l] = starts[l];
        }
    }
    return order;
}

static int
compare_pieces(const void *a, const void *b)
{
    CxId x = (*(CxMeshPiece *const *)a)->id, y = (*(CxMeshPiece *const *)b)->id;

    return (x > y) - (x < y);
}

static void
cut_pieces(Cutter *cutter, const CxPieceOptions *options, GPtrArray *pieces)
{
    uint32_t n_labels = cutter->block->ids->len;
    g_autofree uint32_t *starts = g_new(uint32_t, n_labels + 1);
    g_autofree uint32_t *order = sort_by_label(cutter->cubes, n_labels, starts);

    for (uint32_t l = 1; l < n_labels; l++) {
        uint32_t n = starts[l + 1] - starts[l];
        CxId id = g_array_index(cutter->block->ids, CxId, l);

        if (n > 0)
            g_ptr_array_add(
                pieces, cut_piece(cutter, id, order + starts[l], n, options));
    }
    g_ptr_array_sort(pieces, compare_pieces);
}

GPtrArray *
cx_mesh_pieces_new(const CxChunk *labels, CxBox cells, const CxId *only,
                   size_t n_only, const CxPieceOptions *options)
{
    int64_t margin = cx_smooth_margin(options->smooth);
    CxBox box = cx_box_grow(cells, (CxVoxel){margin, margin, margin});
    GPtrArray *pieces =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_mesh_piece_unref);
    g_autoptr(CxCubes) cubes = cx_cubes_new();
    g_autofree int32_t *positions = NULL;
    g_autofree float *normals = NULL;
    g_autofree uint32_t *renamed = NULL, *used = NULL;
    Block block;

    box.hi.x++, box.hi.y++, box.hi.z++;
    make_block(labels, box, only, n_only, &block);

    Cutter cutter = {.block = &block, .cubes = cubes};
    cutter.inner.lo = (CxVoxel){margin, margin, margin};
    cutter.inner.hi = (CxVoxel){cells.hi.x - box.lo.x, cells.hi.y - box.lo.y,
                                cells.hi.z - box.lo.z};
    cx_marching_cubes(block.numbers, cx_box_size(box), cutter.inner, cubes);
    positions = g_new(int32_t, 3 * (size_t)cubes->vertices->len);
    cx_mesh_smooth(cubes, options->smooth, positions);
    normals = g_new(float, 3 * (size_t)cubes->vertices->len);
    cx_mesh_smooth_normals(cubes, positions, options->voxel_nm,
                           options->smooth > 0 ? NORMAL_ROUNDS : 0, normals);
    cutter.normals = normals;
    renamed = g_new0(uint32_t, cubes->vertices->len);
    used = g_new(uint32_t, cubes->vertices->len);
    cutter.positions = positions;
    cutter.renamed = renamed;
    cutter.used = used;
    cut_pieces(&cutter, options, pieces);
    clear_block(&block);
    return pieces;
}

/* Joining */

/* Number of the vertex in the joined mesh. */
static uint32_t
join_vertex(CxMesh *mesh, CxHash64 *by_key, const CxPieceVertex *vertex,
            const CxPieceVertex *origin, CxNm voxel_nm)
{
    bool was_new = true;
    uint32_t v = mesh->n_vertices;
    float *at = mesh->positions + 3 * (size_t)v;

    if (vertex->key != 0)
        v = (uint32_t)*cx_hash64_at(by_key, vertex->key, v, &was_new);
    if (!was_new)
        return v;
    at[0] =
        (float)((vertex->at[0] - origin->at[0]) * voxel_nm.x / CX_SMOOTH_UNITS);
    at[1] =
        (float)((vertex->at[1] - origin->at[1]) * voxel_nm.y / CX_SMOOTH_UNITS);
    at[2] =
        (float)((vertex->at[2] - origin->at[2]) * voxel_nm.z / CX_SMOOTH_UNITS);
    unpack_normal(vertex->normal, mesh->normals + 3 * (size_t)v);
    mesh->n_vertices++;
    return v;
}

CxMesh *
cx_mesh_pieces_join(CxMeshPiece *const *pieces, size_t n, CxNm voxel_nm,
                    CxNm offset_nm)
{
    size_t n_vertices = 0, n_triangles = 0;
    g_autoptr(CxHash64) by_key = cx_hash64_new(1024);
    CxPieceVertex origin = {0};
    CxMesh *mesh;

    for (size_t i = 0; i < n; i++) {
        n_vertices += pieces[i]->n_vertices;
        n_triangles += pieces[i]->n_triangles;
    }
    g_assert(n_vertices < UINT32_MAX && n_triangles < UINT32_MAX);
    mesh = cx_mesh_new((uint32_t)n_vertices, (uint32_t)n_triangles);
    mesh->n_vertices = 0;
    if (n_vertices > 0)
        origin = pieces[0]->vertices[0];
    mesh->origin_nm =
        (CxNm){offset_nm.x + origin.at[0] * voxel_nm.x / CX_SMOOTH_UNITS,
               offset_nm.y + origin.at[1] * voxel_nm.y / CX_SMOOTH_UNITS,
               offset_nm.z + origin.at[2] * voxel_nm.z / CX_SMOOTH_UNITS};
    uint32_t *out = mesh->indices;
    for (size_t i = 0; i < n; i++) {
        const CxMeshPiece *piece = pieces[i];
        g_autofree uint32_t *renamed = g_new(uint32_t, piece->n_vertices);

        for (uint32_t v = 0; v < piece->n_vertices; v++)
            renamed[v] = join_vertex(mesh, by_key, &piece->vertices[v], &origin,
                                     voxel_nm);
        for (size_t k = 0; k < 3 * (size_t)piece->n_triangles; k++)
            *out++ = renamed[piece->indices[k]];
    }
    return mesh;
}
