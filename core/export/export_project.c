/* Writes what a project holds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_project.h"

#include "core/base/error.h"
#include "core/export/edit_log.h"
#include "core/export/export_skeleton.h"
#include "core/export/export_table.h"
#include "core/export/export_volume.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [CX_EXPORT_LABELS] = "labels",       [CX_EXPORT_MESHES] = "meshes",
    [CX_EXPORT_SKELETONS] = "skeletons", [CX_EXPORT_TABLE] = "table",
    [CX_EXPORT_GRAPH] = "graph",         [CX_EXPORT_LOG] = "log",
};

bool
cx_export_kind_from_name(const char *name, CxExportKind *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kind_names); i++) {
        if (g_strcmp0(name, kind_names[i]) == 0) {
            *kind = (CxExportKind)i;
            return true;
        }
    }
    return false;
}

/* Where a path leads, itself need not exist; NULL if its folder does not. */
static char *
resolve(const char *path)
{
    g_autofree char *plain = g_strdup(path);

    while (strlen(plain) > 1 && g_str_has_suffix(plain, "/"))
        plain[strlen(plain) - 1] = '\0';
    char *there = realpath(plain, NULL);

    if (there != NULL)
        return there;
    g_autofree char *parent = g_path_get_dirname(plain);
    g_autofree char *name = g_path_get_basename(plain);
    g_autofree char *folder = realpath(parent, NULL);

    return folder != NULL ? g_build_filename(folder, name, NULL) : NULL;
}

/* Equal, or one a folder above the other. */
static bool
collide(const char *a, const char *b)
{
    size_t n = MIN(strlen(a), strlen(b));

    return strncmp(a, b, n) == 0 && (a[n] == '\0' || a[n] == '/') &&
           (b[n] == '\0' || b[n] == '/');
}

/* Never over the project, what SQLite keeps beside it, or its image. */
static bool
check_not_source(CxProject *project, const char *path, GError **error)
{
    const char *own = cx_project_path(project);
    g_autofree char *image = cx_project_dup_image_path(project);
    g_autofree char *wal = g_strconcat(own, "-wal", NULL);
    g_autofree char *shm = g_strconcat(own, "-shm", NULL);
    g_autofree char *lock = g_strconcat(own, ".lock", NULL);
    const char *const sources[] = {own, image, wal, shm, lock};
    g_autofree char *target = resolve(path);

    for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autofree char *source =
            sources[i] != NULL ? resolve(sources[i]) : NULL;

        if (target != NULL && source != NULL && collide(target, source)) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "cannot write %s: this would overwrite %s, from which "
                        "it is made",
                        path, sources[i]);
            return false;
        }
    }
    return true;
}

typedef bool (*WriteFunc)(CxProject *project, CxExportFile *file, CxJob *job,
                          GError **error);

static bool
export_file(CxProject *project, WriteFunc func, const char *path,
            bool overwrite, CxJob *job, uint64_t *size_bytes, GError **error)
{
    g_autoptr(CxExportFile) file = cx_export_file_new(path, overwrite, error);

    return file != NULL && func(project, file, job, error) &&
           cx_export_file_finish(file, size_bytes, error);
}

bool
cx_export_project(CxProject *project, CxExportKind kind, const char *path,
                  bool overwrite, CxJob *job, uint64_t *size_bytes,
                  GError **error)
{
    if (!check_not_source(project, path, error))
        return false;
    switch (kind) {
    case CX_EXPORT_LABELS:
        return cx_export_labels(project, path, overwrite, job, size_bytes,
                                error);
    case CX_EXPORT_MESHES:
        return cx_export_meshes(project, path, overwrite, job, size_bytes,
                                error);
    case CX_EXPORT_SKELETONS:
        return cx_export_skeletons(project, path, overwrite, job, size_bytes,
                                   error);
    case CX_EXPORT_TABLE:
        return export_file(project, cx_export_table, path, overwrite, job,
                           size_bytes, error);
    case CX_EXPORT_GRAPH:
        return export_file(project, cx_export_graph, path, overwrite, job,
                           size_bytes, error);
    case CX_EXPORT_LOG:
        return export_file(project, cx_edit_log_write, path, overwrite, job,
                           size_bytes, error);
    default:
        g_return_val_if_reached(false);
    }
}
