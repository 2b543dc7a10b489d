/* The project file: a copy of it in another file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/journal_private.h"

#include <glib/gstdio.h>

/* Copied at once; between two portions the job may be cancelled. */
#define PAGES_PER_STEP 1024

static const char *const companions[] = {"", "-wal", "-shm", "-journal",
                                         ".lock"};

/* sqlite.org/backup.html: a commit in between starts the copy anew. */
static bool
copy_pages(CxJournal *journal, sqlite3 *to, CxConnection *from, CxJob *job,
           GError **error)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from->db, "main");
    bool ok = backup != NULL;
    int rc = SQLITE_OK;

    while (ok && rc != SQLITE_DONE) {
        rc = sqlite3_backup_step(backup, PAGES_PER_STEP);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
            sqlite3_sleep(5);
        else if (rc != SQLITE_OK && rc != SQLITE_DONE)
            break;
        uint64_t total = (uint64_t)sqlite3_backup_pagecount(backup);
        uint64_t left = (uint64_t)sqlite3_backup_remaining(backup);
        ok = cx_job_step(job, total - MIN(left, total), total, error);
    }
    sqlite3_backup_finish(backup);
    if (ok && rc != SQLITE_DONE)
        cx_sql_set_error(journal, to, error);
    return ok && rc == SQLITE_DONE;
}

bool
cx_journal_copy(CxJournal *journal, const char *path, CxJob *job,
                GError **error)
{
    CxConnection *from = cx_journal_reader(journal);
    CxJournal copy = {.path = (char *)(uintptr_t)path};
    sqlite3 *to = NULL;

    g_rec_mutex_lock(&from->lock);
    int rc = sqlite3_open_v2(
        path, &to,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    bool ok = rc == SQLITE_OK;
    if (!ok && to != NULL)
        cx_sql_set_error(&copy, to, error);
    else if (!ok)
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "cannot write %s: out of memory", path);
    ok = ok &&
         sqlite3_exec(to, "PRAGMA synchronous = FULL", NULL, NULL, NULL) ==
             SQLITE_OK &&
         copy_pages(&copy, to, from, job, error);
    sqlite3_close(to);
    g_rec_mutex_unlock(&from->lock);
    return ok;
}

bool
cx_journal_install(const char *partial, const char *path, bool replace,
                   GError **error)
{
    /* A log of the former file must not be taken for one of the new. */
    for (size_t i = 1; replace && i < G_N_ELEMENTS(companions) - 1; i++) {
        g_autofree char *name = g_strconcat(path, companions[i], NULL);

        g_unlink(name);
    }
    return cx_journal_put_in_place(partial, path, replace, error);
}

void
cx_journal_delete(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(companions); i++) {
        g_autofree char *name = g_strconcat(path, companions[i], NULL);

        g_unlink(name);
    }
}
