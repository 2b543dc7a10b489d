/* What the journal*.c files share: connections and statements.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/journal.h"

#include <sqlite3.h>

typedef struct {
    sqlite3 *db;
    GRecMutex lock; /* guards db */
} CxConnection;

struct CxJournal {
    char *path;
    bool read_only;
    CxConnection main;
    CxConnection reader; /* chunk reads; db NULL: main serves for both */
};

static inline CxConnection *
cx_journal_reader(CxJournal *journal)
{
    return journal->reader.db != NULL ? &journal->reader : &journal->main;
}

/* A statement; finalised by its autoptr.  what completes "cannot … file". */
sqlite3_stmt *cx_sql_prepare(CxJournal *journal, CxConnection *connection,
                             const char *sql, GError **error);

/* *has_row tells whether there is a (further) row. */
bool cx_sql_step(CxJournal *journal, sqlite3_stmt *statement, bool *has_row,
                 GError **error);

/* Runs a statement that returns no rows. */
bool cx_sql_run(CxJournal *journal, sqlite3_stmt *statement, GError **error);
bool cx_sql_exec(CxJournal *journal, CxConnection *connection, const char *sql,
                 GError **error);

/* Sets the error that the connection reports. */
void cx_sql_set_error(CxJournal *journal, sqlite3 *db, GError **error);

/* Gives a finished file its name, durably; replace = false: CX_ERROR_EXISTS if
 * the name is taken. */
bool cx_journal_put_in_place(const char *partial, const char *path,
                             bool replace, GError **error);

static inline void
cx_sql_bind_id(sqlite3_stmt *statement, int at, CxId id)
{
    sqlite3_bind_int64(statement, at, (int64_t)id);
}

static inline void
cx_sql_bind_bytes(sqlite3_stmt *statement, int at, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    sqlite3_bind_blob64(statement, at, size > 0 ? data : "", size,
                        SQLITE_TRANSIENT);
}

static inline CxId
cx_sql_id(sqlite3_stmt *statement, int column)
{
    return (CxId)sqlite3_column_int64(statement, column);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)
