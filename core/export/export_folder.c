/* A folder of files that appears only when it is whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_folder.h"

#include "core/base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct CxExportFolder {
    char *path, *temporary;
    bool overwrite;
    uint64_t size_bytes;
};

const char *
cx_export_suffix_of_number(const char *name)
{
    size_t n = strspn(name, "0123456789");

    return n > 0 && name[n] == '.' ? name + n : NULL;
}

/* A folder whose files this export would also have made may be replaced; any
 * other thing of that name may not. */
static bool
check_replaceable(const char *path, CxOwnNameFunc is_own, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    if (dir == NULL)
        return cx_export_check_absent(path, error);
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!is_own(name)) {
            g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                        "cannot replace the folder %s: it also holds %s", path,
                        name);
            return false;
        }
    }
    return true;
}

CxExportFolder *
cx_export_folder_new(const char *path, bool overwrite, CxOwnNameFunc is_own,
                     GError **error)
{
    g_autofree char *plain = g_strdup(path);

    while (strlen(plain) > 1 && g_str_has_suffix(plain, "/"))
        plain[strlen(plain) - 1] = '\0';
    if (overwrite ? !check_replaceable(plain, is_own, error)
                  : !cx_export_check_absent(plain, error))
        return NULL;
    g_autofree char *temporary =
        g_strdup_printf("%s.partial-%08x", plain, (unsigned)g_random_int());
    if (mkdir(temporary, 0755) != 0) {
        cx_error_set_errno(error, errno, "cannot write %s", plain);
        return NULL;
    }
    CxExportFolder *folder = g_new0(CxExportFolder, 1);
    folder->path = g_steal_pointer(&plain);
    folder->temporary = g_steal_pointer(&temporary);
    folder->overwrite = overwrite;
    return folder;
}

const char *
cx_export_folder_path(const CxExportFolder *folder)
{
    return folder->path;
}

CxExportFile *
cx_export_folder_open(CxExportFolder *folder, CxId id, const char *suffix,
                      GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%" G_GUINT64_FORMAT "%s",
                                            folder->temporary, id, suffix);

    return cx_export_file_new(path, false, error);
}

bool
cx_export_folder_add(CxExportFolder *folder, CxExportFile *file, GError **error)
{
    uint64_t size = 0;

    if (!cx_export_file_finish(file, &size, error))
        return false;
    folder->size_bytes += size;
    return true;
}

bool
cx_export_folder_finish(CxExportFolder *folder, uint64_t *size_bytes,
                        GError **error)
{
    if (!cx_export_install(folder->temporary, folder->path, folder->overwrite,
                           error))
        return false;
    if (size_bytes != NULL)
        *size_bytes = folder->size_bytes;
    return true;
}

/* What is left under the temporary name: an unfinished folder, or the one that
 * was replaced. */
static void
remove_temporary(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        unlink(file);
    }
    rmdir(path);
}

void
cx_export_folder_free(CxExportFolder *folder)
{
    if (folder == NULL)
        return;
    remove_temporary(folder->temporary);
    g_free(folder->path);
    g_free(folder->temporary);
    g_free(folder);
}
