/* The surfaces of a project as a folder of files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/export/export_file.h"
#include "core/export/export_volume.h"
#include "core/export/mesh_format.h"
#include "core/mesh/mesh_builder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *folder; /* temporary */
    const char *suffix;
    uint64_t size_bytes;
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
    size_t n = strspn(name, "0123456789");

    return n > 0 && name[n] == '.' && cx_mesh_format_of(name) != NULL &&
           strlen(name + n) == 4;
}

/* A folder whose files this export would also have made may be replaced; any
 * other thing of that name may not. */
static bool
check_replaceable(const char *path, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    if (dir == NULL)
        return cx_export_check_absent(path, error);
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!is_ours(name)) {
            g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                        "cannot replace the folder %s: it also holds %s", path,
                        name);
            return false;
        }
    }
    return true;
}

static void
remove_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        unlink(file);
    }
    rmdir(path);
}

static bool
write_mesh(CxId id, CxMesh *mesh, void *data, GError **error)
{
    Target *target = data;
    g_autoptr(CxMesh) owned = mesh;
    g_autofree char *path = g_strdup_printf("%s/%" G_GUINT64_FORMAT "%s",
                                            target->folder, id, target->suffix);
    g_autoptr(CxExportFile) file = cx_export_file_new(path, false, error);
    uint64_t size = 0;

    if (file == NULL || !cx_mesh_format_of(path)(owned, file, error) ||
        !cx_export_file_finish(file, &size, error))
        return false;
    target->size_bytes += size;
    return true;
}

static bool
fill_folder(CxProject *project, Target *target, CxJob *job, GError **error)
{
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxMeshBuilder) builder =
        cx_mesh_builder_new(cx_project_segments(project), &options);

    return cx_mesh_builder_all(builder, write_mesh, target, job, error);
}

bool
cx_export_meshes(CxProject *project, const char *path, bool overwrite,
                 CxJob *job, uint64_t *size_bytes, GError **error)
{
    g_autofree char *plain = g_strdup(path);

    while (strlen(plain) > 1 && g_str_has_suffix(plain, "/"))
        plain[strlen(plain) - 1] = '\0';
    if (overwrite ? !check_replaceable(plain, error)
                  : !cx_export_check_absent(plain, error))
        return false;
    g_autofree char *folder =
        g_strdup_printf("%s.partial-%08x", plain, (unsigned)g_random_int());
    Target target = {folder, suffix_of(plain), 0};

    if (mkdir(folder, 0755) != 0) {
        cx_error_set_errno(error, errno, "cannot write %s", plain);
        return false;
    }
    bool ok = fill_folder(project, &target, job, error) &&
              cx_export_install(folder, plain, overwrite, error);

    /* What is left under the temporary name: an unfinished folder, or the one
     * that was replaced. */
    remove_folder(folder);
    if (ok && size_bytes != NULL)
        *size_bytes = target.size_bytes;
    return ok;
}
