/* A project: all of it in another file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

#include <sys/stat.h>

static bool
check_target(CxProject *project, const char *path, bool overwrite,
             GError **error)
{
    struct stat here, there;

    if (lstat(path, &there) != 0)
        return true;
    if (!overwrite) {
        g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                    "cannot copy the project to %s: it is already there", path);
        return false;
    }
    if (stat(project->real_path, &here) == 0 && stat(path, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "cannot copy the project to %s: that is the project "
                    "itself",
                    path);
        return false;
    }
    return true;
}

/* The image lies elsewhere as seen from the copy. */
static bool
place_image(CxProject *project, const char *partial, const char *path,
            GError **error)
{
    g_autoptr(CxJournal) journal = cx_journal_open(partial, false, error);
    g_autofree char *relative = cx_project_relative_image(project, path);

    if (journal == NULL || !cx_journal_begin(journal, error))
        return false;
    CxImageNote note = project->note;
    note.relative = relative;
    if (cx_journal_set_image(journal, &note, error))
        return cx_journal_commit(journal, error);
    cx_journal_rollback(journal);
    return false;
}

/* Over something that is in use nothing is copied. */
static bool
install(const char *partial, const char *path, bool overwrite, GError **error)
{
    struct stat status;

    if (!overwrite || lstat(path, &status) != 0)
        return cx_journal_install(partial, path, false, error);
    g_autoptr(CxProjectLock) lock = cx_project_lock_take(path, error);
    return lock != NULL && cx_journal_install(partial, path, true, error);
}

bool
cx_project_copy(CxProject *project, const char *path, bool overwrite,
                CxJob *job, GError **error)
{
    g_autofree char *partial =
        g_strdup_printf("%s.partial-%08x", path, (unsigned)g_random_int());

    if (!check_target(project, path, overwrite, error))
        return false;
    bool ok = cx_journal_copy(project->journal, partial, job, error) &&
              place_image(project, partial, path, error) &&
              install(partial, path, overwrite, error);
    if (!ok)
        cx_journal_delete(partial);
    return ok;
}

void
cx_project_delete_files(const char *path)
{
    cx_journal_delete(path);
}
