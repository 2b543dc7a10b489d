/* A triangle surface in nanometres (global frame: offset + voxel corner).
 *
 * Plain data; the arrays belong to the mesh.  Counter-clockwise seen from
 * outside; normals point outwards.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

typedef struct {
    float *positions;  /* 3 per vertex, nm relative to `origin_nm` */
    float *normals;    /* 3 per vertex, unit length */
    uint32_t *indices; /* 3 per triangle */
    uint32_t n_vertices, n_triangles;
    CxNm origin_nm; /* keeps floats small and exact far from 0 */
} CxMesh;

CxMesh *cx_mesh_new(uint32_t n_vertices, uint32_t n_triangles);
void cx_mesh_free(CxMesh *mesh);

/* Joins meshes into one; vertices at equal positions (to a millionth of the
 * extent) become one, normals are recomputed. */
CxMesh *cx_mesh_join(CxMesh *const *meshes, size_t n_meshes);

/* Sets unit normals from the area-weighted faces around each vertex. */
void cx_mesh_compute_normals(CxMesh *mesh);

/* Moves normals half-way towards those of the faces: for normals of a finer
 * surface after simplification, so that they hide its facets but do not bend
 * what is flat. */
void cx_mesh_mix_normals(CxMesh *mesh);

/* Global nm; false if there are no vertices. */
bool cx_mesh_bounds(const CxMesh *mesh, CxNm *lo, CxNm *hi);

/* Number of edges that do not belong to exactly two triangles: 0 = closed. */
size_t cx_mesh_n_open_edges(const CxMesh *mesh);
double cx_mesh_volume_nm3(const CxMesh *mesh);
double cx_mesh_area_nm2(const CxMesh *mesh);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxMesh, cx_mesh_free)
