/* Centre lines as files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_skeleton.h"

#include "core/export/csv.h"
#include "core/export/export_folder.h"

#include <string.h>

/* Smaller pieces have no centre line worth a file. */
#define MIN_VOXELS 100

static void
append_um(GString *line, double nm)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_c(line, ' ');
    g_string_append(line,
                    g_ascii_formatd(text, sizeof text, "%.6f", nm * 1e-3));
}

bool
cx_skeleton_write_swc(const CxSkeleton *skeleton, CxExportFile *file,
                      GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);

    if (!cx_export_file_puts(
            file, "# number type x y z radius parent; micrometres\n", error))
        return false;
    for (size_t i = 0; i < cx_skeleton_n_nodes(skeleton); i++) {
        const CxSkeletonNode *node = cx_skeleton_node(skeleton, i);

        g_string_printf(line, "%zu 0", i + 1);
        append_um(line, node->at.x);
        append_um(line, node->at.y);
        append_um(line, node->at.z);
        append_um(line, node->radius_nm);
        g_string_append_printf(line, " %" G_GINT64_FORMAT "\n",
                               node->parent < 0 ? -1 : node->parent + 1);
        if (!cx_export_file_write(file, line->str, line->len, error))
            return false;
    }
    return true;
}

bool
cx_export_skeleton(const CxSkeleton *skeleton, const char *path, bool overwrite,
                   uint64_t *size_bytes, GError **error)
{
    g_autoptr(CxExportFile) file = cx_export_file_new(path, overwrite, error);

    return file != NULL && cx_skeleton_write_swc(skeleton, file, error) &&
           cx_export_file_finish(file, size_bytes, error);
}

typedef struct {
    CxExportFolder *folder;
    uint64_t n;
} Target;

static bool
is_ours(const char *name)
{
    return g_strcmp0(cx_export_suffix_of_number(name), ".swc") == 0;
}

static bool
write_one(CxId id, CxSkeleton *skeleton, void *data, GError **error)
{
    Target *target = data;
    g_autoptr(CxSkeleton) owned = skeleton;
    g_autoptr(CxExportFile) file =
        cx_export_folder_open(target->folder, id, ".swc", error);

    target->n++;
    return file != NULL && cx_skeleton_write_swc(owned, file, error) &&
           cx_export_folder_add(target->folder, file, error);
}

bool
cx_export_skeletons_of(CxVolume *labels, uint64_t min_voxels,
                       const CxSkeletonOptions *options, const char *path,
                       bool overwrite, CxJob *job, uint64_t *n_skeletons,
                       uint64_t *size_bytes, GError **error)
{
    g_autoptr(CxExportFolder) folder =
        cx_export_folder_new(path, overwrite, is_ours, error);
    Target target = {.folder = folder};

    if (folder == NULL ||
        !cx_skeletonise_all(labels, min_voxels, options, write_one, &target,
                            job, error) ||
        !cx_export_folder_finish(folder, size_bytes, error))
        return false;
    if (n_skeletons != NULL)
        *n_skeletons = target.n;
    return true;
}

bool
cx_export_skeletons(CxProject *project, const char *path, bool overwrite,
                    CxJob *job, uint64_t *size_bytes, GError **error)
{
    CxSkeletonOptions options = cx_skeleton_defaults();

    return cx_export_skeletons_of(cx_project_segments(project), MIN_VOXELS,
                                  &options, path, overwrite, job, NULL,
                                  size_bytes, error);
}
