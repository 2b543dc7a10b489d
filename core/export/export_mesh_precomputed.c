/* Surfaces as neuroglancer's legacy meshes: a manifest ID:0 that names the
 * fragment ID:0:0, which holds the number of vertices, their positions, and
 * three indices a triangle.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_mesh_precomputed.h"

#include "core/base/error.h"
#include "core/export/export_file.h"

#include <errno.h>
#include <string.h>

/* Numbers are written as they lie in memory. */
G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

static const char info[] = "{\"@type\": \"neuroglancer_legacy_mesh\"}\n";

/* A folder of labels must not become one of surfaces. */
static bool
check_info(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize n_bytes = 0;

    if (g_file_get_contents(path, &text, &n_bytes, NULL) &&
        strstr(text, "neuroglancer_legacy_mesh") != NULL)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                "%s: describes something else, expected surfaces "
                "(neuroglancer_legacy_mesh) or no such file",
                path);
    return false;
}

bool
cx_export_precomputed_meshes(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "info", NULL);

    if (g_mkdir_with_parents(folder, 0777) != 0) {
        cx_error_set_errno(error, errno, "cannot make the folder %s", folder);
        return false;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return check_info(path, error);
    g_autoptr(CxExportFile) file = cx_export_file_new(path, false, error);

    return file != NULL && cx_export_file_puts(file, info, error) &&
           cx_export_file_finish(file, NULL, error);
}

static bool
write_fragment(const CxMesh *mesh, CxExportFile *file, GError **error)
{
    const float origin[3] = {(float)mesh->origin_nm.x, (float)mesh->origin_nm.y,
                             (float)mesh->origin_nm.z};

    if (!cx_export_file_write(file, &mesh->n_vertices, sizeof mesh->n_vertices,
                              error))
        return false;
    for (uint32_t v = 0; v < mesh->n_vertices; v++) {
        const float *p = mesh->positions + 3 * (size_t)v;
        float at[3] = {origin[0] + p[0], origin[1] + p[1], origin[2] + p[2]};

        if (!cx_export_file_write(file, at, sizeof at, error))
            return false;
    }
    return cx_export_file_write(
        file, mesh->indices,
        3 * (size_t)mesh->n_triangles * sizeof *mesh->indices, error);
}

bool
cx_export_precomputed_mesh(const CxMesh *mesh, const char *folder, CxId id,
                           bool overwrite, GError **error)
{
    g_autofree char *manifest = g_strdup_printf("%" G_GUINT64_FORMAT ":0", id);
    g_autofree char *fragment = g_strconcat(manifest, ":0", NULL);
    g_autofree char *manifest_path = g_build_filename(folder, manifest, NULL);
    g_autofree char *fragment_path = g_build_filename(folder, fragment, NULL);

    /* the manifest last: it makes the surface known */
    if (!overwrite && !cx_export_check_absent(manifest_path, error))
        return false;
    g_autoptr(CxExportFile) data =
        cx_export_file_new(fragment_path, true, error);
    if (data == NULL || !write_fragment(mesh, data, error) ||
        !cx_export_file_finish(data, NULL, error))
        return false;
    g_autoptr(CxExportFile) file =
        cx_export_file_new(manifest_path, overwrite, error);

    return file != NULL &&
           cx_export_file_printf(file, error, "{\"fragments\": [\"%s\"]}\n",
                                 fragment) &&
           cx_export_file_finish(file, NULL, error);
}
