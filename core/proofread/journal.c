/* The project file: opening, transactions, errors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/journal.h"

#include "core/base/error.h"
#include "core/proofread/journal_private.h"
#include "core/proofread/journal_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x43786e31
/* Format 1 knew no edits of voxels; it is read as it is, and becomes format 2
 * with the first such edit. */
#define OLDEST_VERSION 1
#define FORMAT_VERSION 2
#define HEADER_BYTES 100

/* Errors. */

static CxErrorCode
code_of(int rc, int errnum)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return CX_ERROR_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return CX_ERROR_BUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return CX_ERROR_READ_ONLY;
    case SQLITE_NOMEM:
        return CX_ERROR_NO_MEMORY;
    case SQLITE_IOERR:
        return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG
                   ? CX_ERROR_NO_SPACE
                   : CX_ERROR_IO;
    case SQLITE_CANTOPEN:
        return errnum == ENOENT ? CX_ERROR_NOT_FOUND : CX_ERROR_IO;
    default:
        return CX_ERROR_FORMAT;
    }
}

/* The system's reason.  For a failed write to the WAL only the file itself
 * remembers it. */
static int
find_errno(sqlite3 *db)
{
    int errnum = sqlite3_system_errno(db);
    sqlite3_file *wal = NULL;

    if (errnum == 0 &&
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) ==
            SQLITE_OK &&
        wal != NULL && wal->pMethods != NULL)
        wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &errnum);
    return errnum;
}

void
cx_sql_set_error(CxJournal *journal, sqlite3 *db, GError **error)
{
    int rc = sqlite3_extended_errcode(db);
    int errnum = find_errno(db);
    CxErrorCode code = code_of(rc, errnum);

    if (code == CX_ERROR_NO_SPACE)
        g_set_error(error, CX_ERROR, code,
                    "cannot write %s: the disk is full; make room and try "
                    "again, nothing was changed",
                    journal->path);
    else if ((rc & 0xff) == SQLITE_IOERR && errnum != 0)
        g_set_error(error, CX_ERROR, code, "cannot read or write %s: %s",
                    journal->path, g_strerror(errnum));
    else
        g_set_error(error, CX_ERROR, code, "%s: %s", journal->path,
                    sqlite3_errmsg(db));
}

/* Statements. */

sqlite3_stmt *
cx_sql_prepare(CxJournal *journal, CxConnection *connection, const char *sql,
               GError **error)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL) ==
        SQLITE_OK)
        return statement;
    cx_sql_set_error(journal, connection->db, error);
    return NULL;
}

bool
cx_sql_step(CxJournal *journal, sqlite3_stmt *statement, bool *has_row,
            GError **error)
{
    int rc = sqlite3_step(statement);

    *has_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return true;
    cx_sql_set_error(journal, sqlite3_db_handle(statement), error);
    return false;
}

bool
cx_sql_run(CxJournal *journal, sqlite3_stmt *statement, GError **error)
{
    bool has_row;

    return cx_sql_step(journal, statement, &has_row, error);
}

bool
cx_sql_exec(CxJournal *journal, CxConnection *connection, const char *sql,
            GError **error)
{
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    cx_sql_set_error(journal, connection->db, error);
    return false;
}

/* The look before opening. */

static uint32_t
read_big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
refuse(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, CX_ERROR, CX_ERROR_FORMAT, text);
    return false;
}

static int64_t
size_of_wal(const char *path)
{
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    struct stat status;

    return stat(wal, &status) == 0 ? (int64_t)status.st_size : 0;
}

/* Fields of the SQLite header: sqlite.org/fileformat2.html, section 1.3.  The
 * number of pages may be larger than the file while a WAL holds the rest. */
static bool
check_header(const char *path, const uint8_t *header, int64_t size,
             GError **error)
{
    uint32_t page = (uint32_t)header[16] << 8 | header[17];
    uint32_t id = read_big_endian(header + 68);
    uint32_t version = read_big_endian(header + 60);
    int64_t expected =
        (int64_t)read_big_endian(header + 28) * (page == 1 ? 65536 : page);

    if (memcmp(header, "SQLite format 3", 16) != 0)
        return refuse(error,
                      "%s is not a Connexon project: it does not begin like "
                      "one",
                      path);
    if (id != APPLICATION_ID)
        return refuse(error,
                      "%s is a database of another program (application id "
                      "0x%08x, expected 0x%08x)",
                      path, id, APPLICATION_ID);
    if (version < OLDEST_VERSION || version > FORMAT_VERSION)
        return refuse(error,
                      "%s was made by a newer Connexon (project format %u, "
                      "this program knows %d)",
                      path, version, FORMAT_VERSION);
    if (size < expected && size_of_wal(path) == 0)
        return refuse(error,
                      "%s is cut short: it has %" G_GINT64_FORMAT
                      " bytes, expected %" G_GINT64_FORMAT,
                      path, size, expected);
    return true;
}

static bool
check_descriptor(const char *path, int fd, GError **error)
{
    struct stat status;
    uint8_t header[HEADER_BYTES];

    if (fstat(fd, &status) != 0) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        return false;
    }
    if (!S_ISREG(status.st_mode))
        return refuse(error, "%s is not a file, expected a Connexon project",
                      path);
    gssize n = pread(fd, header, sizeof header, 0);

    if (n < 0) {
        cx_error_set_errno(error, errno, "cannot read %s", path);
        return false;
    }
    if (n < (gssize)sizeof header)
        return refuse(error,
                      "%s is not a Connexon project: it has only %d bytes",
                      path, (int)n);
    return check_header(path, header, status.st_size, error);
}

/* Closing any descriptor of a database drops this process's locks on it, so
 * this runs before SQLite opens the file; the project lock keeps others of
 * the same process out. */
static bool
check_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        return false;
    }
    bool ok = check_descriptor(path, fd, error);

    close(fd);
    return ok;
}

/* Opening. */

/* journal->path names the file in errors. */
static bool
open_connection(CxJournal *journal, CxConnection *connection, const char *path,
                int flags, const char *vfs, GError **error)
{
    int rc = sqlite3_open_v2(path, &connection->db, flags | SQLITE_OPEN_NOMUTEX,
                             vfs);

    if (rc != SQLITE_OK) {
        if (connection->db == NULL)
            g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                        "cannot open %s: out of memory", journal->path);
        else
            cx_sql_set_error(journal, connection->db, error);
        return false;
    }
    sqlite3_extended_result_codes(connection->db, 1);
    sqlite3_busy_timeout(connection->db, 5000);
    sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return true;
}

static void
close_connection(CxConnection *connection)
{
    sqlite3_close(connection->db);
    connection->db = NULL;
}

/* Reads the schema and the newest commit; this is where recovery happens. */
static bool
look_inside(CxJournal *journal, CxConnection *connection, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = cx_sql_prepare(
        journal, connection, "SELECT max(step) FROM step", error);

    return statement != NULL && cx_sql_run(journal, statement, error);
}

/* In a folder that may not be written SQLite cannot make its shared memory.
 * Without locks and with the index of the WAL on the heap it needs none, and
 * still sees commits that only the WAL holds (which immutable=1 would not). */
static bool
open_read_only(CxJournal *journal, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (open_connection(journal, &journal->main, journal->path,
                        SQLITE_OPEN_READONLY, NULL, &reason) &&
        look_inside(journal, &journal->main, &reason))
        return true;
    if (journal->main.db != NULL &&
        (sqlite3_errcode(journal->main.db) & 0xff) == SQLITE_CANTOPEN) {
        close_connection(&journal->main);
        return open_connection(journal, &journal->main, journal->path,
                               SQLITE_OPEN_READONLY, "unix-none", error) &&
               cx_sql_exec(journal, &journal->main,
                           "PRAGMA locking_mode = EXCLUSIVE", error) &&
               look_inside(journal, &journal->main, error);
    }
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

static bool
open_for_writing(CxJournal *journal, GError **error)
{
    return open_connection(journal, &journal->main, journal->path,
                           SQLITE_OPEN_READWRITE, NULL, error) &&
           cx_sql_exec(journal, &journal->main,
                       "PRAGMA synchronous = FULL; "
                       "PRAGMA cell_size_check = ON",
                       error) &&
           look_inside(journal, &journal->main, error) &&
           open_connection(journal, &journal->reader, journal->path,
                           SQLITE_OPEN_READONLY, NULL, error);
}

CxJournal *
cx_journal_open(const char *path, bool read_only, GError **error)
{
    if (!check_file(path, error))
        return NULL;
    g_autoptr(CxJournal) journal = g_new0(CxJournal, 1);

    journal->path = g_strdup(path);
    journal->read_only = read_only;
    g_rec_mutex_init(&journal->main.lock);
    g_rec_mutex_init(&journal->reader.lock);
    if (read_only ? !open_read_only(journal, error)
                  : !open_for_writing(journal, error))
        return NULL;
    return g_steal_pointer(&journal);
}

void
cx_journal_free(CxJournal *journal)
{
    if (journal == NULL)
        return;
    close_connection(&journal->reader);
    close_connection(&journal->main);
    g_rec_mutex_clear(&journal->reader.lock);
    g_rec_mutex_clear(&journal->main.lock);
    g_free(journal->path);
    g_free(journal);
}

bool
cx_journal_is_read_only(const CxJournal *journal)
{
    return journal->read_only;
}

/* Creation: a finished file under another name is linked to its own, which
 * fails if that is taken. */

static bool
write_schema(const char *partial, const char *path, GError **error)
{
    CxJournal journal = {.path = (char *)(uintptr_t)path};
    bool ok = open_connection(&journal, &journal.main, partial,
                              SQLITE_OPEN_READWRITE, NULL, error) &&
              cx_sql_exec(&journal, &journal.main,
                          "PRAGMA page_size = 4096; "
                          "PRAGMA synchronous = FULL; "
                          "BEGIN; " CX_JOURNAL_SCHEMA "COMMIT; "
                          "PRAGMA journal_mode = WAL;",
                          error);

    close_connection(&journal.main);
    return ok;
}

/* Made by hand first: the system's reason is clearer than SQLite's. */
static bool
make_empty(const char *partial, const char *path, GError **error)
{
    int fd = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0) {
        cx_error_set_errno(error, errno, "cannot create %s", path);
        return false;
    }
    close(fd);
    return true;
}

static bool
sync_folder_of(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        cx_error_set_errno(error, errno, "cannot write the folder %s", dir);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool
cx_journal_put_in_place(const char *partial, const char *path, bool replace,
                        GError **error)
{
    if (renameat2(AT_FDCWD, partial, AT_FDCWD, path,
                  replace ? 0 : RENAME_NOREPLACE) == 0)
        return sync_folder_of(path, error);
    if (!replace && errno == EINVAL && link(partial, path) == 0) {
        unlink(partial);
        return sync_folder_of(path, error);
    }
    cx_error_set_errno(error, errno, "cannot create %s", path);
    return false;
}

bool
cx_journal_create(const char *path, GError **error)
{
    g_autofree char *partial =
        g_strdup_printf("%s.partial-%08x", path, (unsigned)g_random_int());
    struct stat status;

    if (lstat(path, &status) == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                    "cannot create %s: it is already there", path);
        return false;
    }
    if (!make_empty(partial, path, error))
        return false;
    if (write_schema(partial, path, error) &&
        cx_journal_put_in_place(partial, path, false, error))
        return true;
    cx_journal_delete(partial);
    return false;
}

/* Transactions. */

bool
cx_journal_begin(CxJournal *journal, GError **error)
{
    if (journal->read_only) {
        g_set_error(error, CX_ERROR, CX_ERROR_READ_ONLY, "%s is open read-only",
                    journal->path);
        return false;
    }
    g_rec_mutex_lock(&journal->main.lock);
    if (cx_sql_exec(journal, &journal->main, "BEGIN IMMEDIATE", error))
        return true;
    g_rec_mutex_unlock(&journal->main.lock);
    return false;
}

bool
cx_journal_commit(CxJournal *journal, GError **error)
{
    if (!cx_sql_exec(journal, &journal->main, "COMMIT", error)) {
        cx_journal_rollback(journal);
        return false;
    }
    g_rec_mutex_unlock(&journal->main.lock);
    return true;
}

/* A failed statement may have rolled back already: nothing to say then. */
void
cx_journal_rollback(CxJournal *journal)
{
    if (!sqlite3_get_autocommit(journal->main.db))
        sqlite3_exec(journal->main.db, "ROLLBACK", NULL, NULL, NULL);
    g_rec_mutex_unlock(&journal->main.lock);
}

bool
cx_journal_check(CxJournal *journal, GPtrArray *problems, GError **error)
{
    CxConnection *connection = cx_journal_reader(journal);
    bool ok = false, has_row = true;

    g_rec_mutex_lock(&connection->lock);
    g_autoptr(sqlite3_stmt) statement = cx_sql_prepare(
        journal, connection, "PRAGMA integrity_check(20)", error);

    if (statement != NULL)
        ok = cx_sql_step(journal, statement, &has_row, error);
    while (ok && has_row) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);

        if (g_strcmp0(text, "ok") != 0)
            g_ptr_array_add(problems,
                            g_strdup_printf("the database is damaged: %s",
                                            text != NULL ? text : "?"));
        ok = cx_sql_step(journal, statement, &has_row, error);
    }
    g_clear_pointer(&statement, sqlite3_finalize);
    g_rec_mutex_unlock(&connection->lock);
    return ok;
}
