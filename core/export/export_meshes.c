/* The surfaces of a project as a folder of files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_folder.h"
#include "core/export/export_volume.h"
#include "core/export/mesh_format.h"
#include "core/mesh/mesh_builder.h"

#include <string.h>

typedef struct {
    CxExportFolder *folder;
    const char *suffix;
} Target;

static const char *
suffix_of(const char *path)
{
    static const char *const suffixes[] = {".obj", ".stl", ".glb"};

    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        if (g_str_has_suffix(path, suffixes[i]))
            return suffixes[i];
    }
    return ".ply";
}

/* "123.ply" and the like, whatever the suffix. */
static bool
is_ours(const char *name)
{
    const char *suffix = cx_export_suffix_of_number(name);

    return suffix != NULL && cx_mesh_format_of(name) != NULL &&
           strlen(suffix) == 4;
}

static bool
write_mesh(CxId id, CxMesh *mesh, void *data, GError **error)
{
    Target *target = data;
    g_autoptr(CxMesh) owned = mesh;
    g_autoptr(CxExportFile) file =
        cx_export_folder_open(target->folder, id, target->suffix, error);

    return file != NULL &&
           cx_mesh_format_of(target->suffix)(owned, file, error) &&
           cx_export_folder_add(target->folder, file, error);
}

bool
cx_export_meshes(CxProject *project, const char *path, bool overwrite,
                 CxJob *job, uint64_t *size_bytes, GError **error)
{
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxExportFolder) folder =
        cx_export_folder_new(path, overwrite, is_ours, error);

    if (folder == NULL)
        return false;
    Target target = {folder, suffix_of(cx_export_folder_path(folder))};
    g_autoptr(CxMeshBuilder) builder =
        cx_mesh_builder_new(cx_project_segments(project), &options);
    return cx_mesh_builder_all(builder, write_mesh, &target, job, error) &&
           cx_export_folder_finish(folder, size_bytes, error);
}
