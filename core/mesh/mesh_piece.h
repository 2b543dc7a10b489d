/* The part of a label's surface that lies in one chunk of cells.
 *
 * Pieces of neighbouring chunks end on the same vertices, which carry a key,
 * and are joined by it; simplification leaves those vertices alone.
 * Reference counted, immutable once made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"
#include "core/volume/chunk.h"

/* at: global, in 1 / 256 voxel from the corner of voxel 0.  normal: of the
 * surface before it was simplified, three times 10 bits signed.  key: 0 inside
 * the chunk; on its border names the vertex in all of the volume. */
typedef struct {
    uint64_t key;
    int32_t at[3];
    uint32_t normal;
} CxPieceVertex;

typedef struct {
    int n_refs; /* atomic */
    CxId id;
    uint32_t n_vertices, n_triangles;
    uint32_t n_full; /* triangles before simplification */
    CxPieceVertex *vertices;
    uint32_t *indices; /* 3 per triangle */
} CxMeshPiece;

CxMeshPiece *cx_mesh_piece_ref(CxMeshPiece *piece);
void cx_mesh_piece_unref(CxMeshPiece *piece);
size_t cx_mesh_piece_size_bytes(const CxMeshPiece *piece);

typedef struct {
    CxNm voxel_nm;
    double simplify;     /* share of triangles kept */
    double max_error_nm; /* of simplification */
    unsigned smooth;     /* rounds */
} CxPieceOptions;

/* Pieces of all labels (GPtrArray of CxMeshPiece, sorted by id), or of some
 * (n_only > 0).  labels: u64; covers cells, their upper corners, and the
 * margin of cx_smooth_margin() around, except beyond the volume, where its
 * box ends: there is background. */
GPtrArray *cx_mesh_pieces_new(const CxChunk *labels, CxBox cells,
                              const CxId *only, size_t n_only,
                              const CxPieceOptions *options);

/* One surface of all pieces of an id. */
CxMesh *cx_mesh_pieces_join(CxMeshPiece *const *pieces, size_t n, CxNm voxel_nm,
                            CxNm offset_nm);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxMeshPiece, cx_mesh_piece_unref)
