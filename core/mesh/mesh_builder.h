/* Surfaces of labels, chunk by chunk, simplified with the chunk's border
 * locked, so that neighbouring chunks meet without cracks; joined and
 * simplified once more over the seams.  What was made of a chunk is kept, and
 * which labels a chunk holds, so that a surface that changed in a corner, or
 * a second one of the neighbourhood, comes quickly.
 *
 * The source is any u64-readable label volume (for a project: the volume of
 * current segments).  Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"
#include "core/volume/volume.h"

typedef struct CxMeshBuilder CxMeshBuilder;

typedef struct {
    double simplify;     /* share of triangles kept, (0, 1]; 1 = all */
    double max_error_nm; /* 0 = one voxel (cube root of its volume) */
    unsigned smooth;     /* rounds that take the stairs out; 0 = none */
    unsigned level;      /* level of the label volume that is meshed */
    CxVoxel chunk;       /* 0,0,0 = 64, 64, 64; each 8 … 512 */
    size_t cache_bytes;  /* half for surfaces, half for labels as read */
    unsigned n_threads;  /* 0 = one per core */
} CxMeshOptions;

CxMeshOptions cx_mesh_defaults(void);

/* Takes a reference to labels.  Sides of the level may have up to 2^20
 * voxels: more is CX_ERROR_INVALID when it runs. */
CxMeshBuilder *cx_mesh_builder_new(CxVolume *labels,
                                   const CxMeshOptions *options);
void cx_mesh_builder_free(CxMeshBuilder *builder);

/* The whole surface of one label within box (its bounds if known, else the
 * volume's; level-0 voxels).  Closed at the border of the volume.  An id that
 * is nowhere in the box: CX_ERROR_NOT_FOUND. */
CxMesh *cx_mesh_builder_run(CxMeshBuilder *builder, CxId id, CxBox box,
                            CxJob *job, GError **error);

/* Takes the surface of one label (owned by the callee); false with error set
 * stops. */
typedef bool (*CxMeshFunc)(CxId id, CxMesh *mesh, void *data, GError **error);

/* Several labels, each chunk read once: calls back in order of id, on the
 * calling thread, for those that are in the box. */
bool cx_mesh_builder_many(CxMeshBuilder *builder, const CxId *ids, size_t n,
                          CxBox box, CxMeshFunc func, void *data, CxJob *job,
                          GError **error);

/* All labels of the volume, in order of id.  Reads every chunk once, holds the
 * simplified surfaces of all labels, leaves the cache alone. */
bool cx_mesh_builder_all(CxMeshBuilder *builder, CxMeshFunc func, void *data,
                         CxJob *job, GError **error);

/* Labels inside this box (level-0 voxels) changed: drop the chunks that touch
 * it. */
void cx_mesh_builder_invalidate(CxMeshBuilder *builder, CxBox box);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxMeshBuilder, cx_mesh_builder_free)
