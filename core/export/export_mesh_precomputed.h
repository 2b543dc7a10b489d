/* Surfaces as a folder that neuroglancer shows: "precomputed" legacy meshes
 * (its single-resolution format: little-endian floats in nm, one fragment).
 *
 * The folder may hold any number of surfaces; each appears whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"

/* Makes the folder if it is not there, and its description.  CX_ERROR_EXISTS if
 * the folder describes something else. */
bool cx_export_precomputed_meshes(const char *folder, GError **error);

/* Adds the surface of an id.  CX_ERROR_EXISTS if it has one and overwrite is
 * false. */
bool cx_export_precomputed_mesh(const CxMesh *mesh, const char *folder, CxId id,
                                bool overwrite, GError **error);
