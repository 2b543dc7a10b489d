/* Writes a surface as .ply, .obj, .stl or .glb (by suffix), atomically.
 * Units: nm; .glb: metres under a node scale, as its standard asks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh.h"

bool cx_export_mesh(const CxMesh *mesh, const char *path, bool overwrite,
                    uint64_t *size_bytes, GError **error);
