/* Surfaces as the bytes of a file format.
 *
 * PLY: binary, little-endian, positions as doubles in nm, normals.  OBJ: text,
 * nm to 1/1000, normals.  STL: binary, nm as floats (it has no other type).
 * GLB: glTF 2.0 in one file, metres under a node that scales and places, so
 * that the floats stay small and exact.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/export/export_file.h"
#include "core/mesh/mesh.h"

typedef bool (*CxMeshFormat)(const CxMesh *mesh, CxExportFile *file,
                             GError **error);

/* By suffix, or NULL. */
CxMeshFormat cx_mesh_format_of(const char *path);

bool cx_mesh_write_ply(const CxMesh *mesh, CxExportFile *file, GError **error);
bool cx_mesh_write_obj(const CxMesh *mesh, CxExportFile *file, GError **error);
bool cx_mesh_write_stl(const CxMesh *mesh, CxExportFile *file, GError **error);
bool cx_mesh_write_glb(const CxMesh *mesh, CxExportFile *file, GError **error);
