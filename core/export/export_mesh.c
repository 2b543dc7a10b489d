/* Writes a surface to a file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_mesh.h"

#include "core/base/error.h"
#include "core/export/mesh_format.h"

bool
cx_export_mesh(const CxMesh *mesh, const char *path, bool overwrite,
               uint64_t *size_bytes, GError **error)
{
    CxMeshFormat format = cx_mesh_format_of(path);

    if (format == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: the suffix names no mesh format, expected .ply, "
                    ".obj, .stl or .glb",
                    path);
        return false;
    }
    if (mesh->n_triangles == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: the surface has no triangles", path);
        return false;
    }
    g_autoptr(CxExportFile) file = cx_export_file_new(path, overwrite, error);

    return file != NULL && format(mesh, file, error) &&
           cx_export_file_finish(file, size_bytes, error);
}
