/* The project file: the log of edits and where its head stood.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/checksum.h"
#include "core/proofread/journal_private.h"

#include <string.h>

static uint64_t
checksum_text(const char *text, uint64_t seed)
{
    return cx_checksum(text != NULL ? text : "",
                       text != NULL ? strlen(text) + 1 : 0, seed);
}

/* Over everything that replay depends on, so that a changed number is found
 * as surely as a changed blob. */
static uint64_t
checksum_of(const CxEdit *edit, const void *moves, size_t n_bytes,
            const void *patch, size_t patch_bytes)
{
    uint64_t numbers[] = {
        (uint64_t)edit->sequence,
        (uint64_t)edit->parent,
        (uint64_t)edit->kind,
        edit->segment,
        edit->locked,
        edit->link_a,
        edit->link_b,
    };
    uint64_t sum = cx_checksum(numbers, sizeof numbers, 0);

    sum = checksum_text(edit->text, sum);
    sum = checksum_text(edit->old_text, sum);
    sum = cx_checksum(n_bytes > 0 ? moves : "", n_bytes, sum);
    return patch_bytes > 0 ? cx_checksum(patch, patch_bytes, sum) : sum;
}

/* Format of the file, 1 or 2; within a transaction as it will be. */
static bool
get_format(CxJournal *journal, int *format, GError **error)
{
    g_autoptr(sqlite3_stmt) statement =
        cx_sql_prepare(journal, &journal->main, "PRAGMA user_version", error);
    bool has_row;

    if (statement == NULL || !cx_sql_step(journal, statement, &has_row, error))
        return false;
    *format = has_row ? sqlite3_column_int(statement, 0) : 0;
    return true;
}

static bool
raise_format(CxJournal *journal, GError **error)
{
    return cx_sql_exec(journal, &journal->main,
                       "ALTER TABLE edit ADD COLUMN patch BLOB; "
                       "PRAGMA user_version = 2",
                       error);
}

static void
bind_edit(sqlite3_stmt *statement, const CxEdit *edit, const GByteArray *moves,
          GBytes *patch)
{
    gsize patch_bytes = 0;
    const void *patch_data =
        patch != NULL ? g_bytes_get_data(patch, &patch_bytes) : NULL;

    sqlite3_bind_int64(statement, 1, edit->sequence);
    sqlite3_bind_int64(statement, 2, edit->parent);
    sqlite3_bind_text(statement, 3, cx_edit_kind_name(edit->kind), -1,
                      SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, edit->author, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, edit->time_us);
    sqlite3_bind_int64(statement, 6, edit->at.x);
    sqlite3_bind_int64(statement, 7, edit->at.y);
    sqlite3_bind_int64(statement, 8, edit->at.z);
    cx_sql_bind_id(statement, 9, edit->segment);
    sqlite3_bind_text(statement, 10, edit->text, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 11, edit->old_text, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 12, edit->locked);
    cx_sql_bind_id(statement, 13, edit->link_a);
    cx_sql_bind_id(statement, 14, edit->link_b);
    sqlite3_bind_text(statement, 15, edit->sentence, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 16, moves->data, moves->len, SQLITE_STATIC);
    cx_sql_bind_id(
        statement, 17,
        checksum_of(edit, moves->data, moves->len, patch_data, patch_bytes));
    if (patch != NULL)
        cx_sql_bind_bytes(statement, 18, patch);
}

/* Columns as format 1 has them, and the one of format 2 where it is. */
#define COLUMNS                                                                \
    "sequence, parent, kind, author, time_us, x, y, z, segment, "              \
    "text, old_text, locked, link_a, link_b, sentence, moves, checksum"
#define INSERT_1                                                               \
    "INSERT INTO edit (" COLUMNS ") "                                          \
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define INSERT_2                                                               \
    "INSERT INTO edit (" COLUMNS ", patch) "                                   \
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define SELECT_TAIL                                                            \
    " FROM edit WHERE sequence BETWEEN ? AND ? ORDER BY sequence"
#define SELECT_1 "SELECT " COLUMNS ", NULL" SELECT_TAIL
#define SELECT_2 "SELECT " COLUMNS ", patch" SELECT_TAIL

bool
cx_journal_add_edit(CxJournal *journal, const CxEdit *edit, GError **error)
{
    g_autoptr(GByteArray) moves = cx_edit_encode_moves(edit);
    g_autoptr(GBytes) patch =
        edit->patch != NULL ? cx_patch_encode(edit->patch, error) : NULL;
    int format;

    if ((edit->patch != NULL && patch == NULL) ||
        !get_format(journal, &format, error))
        return false;
    if (format == 1 && (patch != NULL || edit->kind > CX_EDIT_LOCK)) {
        if (!raise_format(journal, error))
            return false;
        format = 2;
    }
    g_autoptr(sqlite3_stmt) statement = cx_sql_prepare(
        journal, &journal->main, format == 1 ? INSERT_1 : INSERT_2, error);

    if (statement == NULL)
        return false;
    bind_edit(statement, edit, moves, patch);
    return cx_sql_run(journal, statement, error);
}

bool
cx_journal_add_step(CxJournal *journal, int64_t head, const char *author,
                    int64_t time_us, GError **error)
{
    g_autoptr(sqlite3_stmt) statement =
        cx_sql_prepare(journal, &journal->main,
                       "INSERT INTO step VALUES (NULL, ?, ?, ?)", error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, head);
    sqlite3_bind_text(statement, 2, author, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, time_us);
    return cx_sql_run(journal, statement, error);
}

bool
cx_journal_get_head(CxJournal *journal, int64_t *head, GError **error)
{
    bool ok = false, has_row = false;

    *head = 0;
    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main,
        "SELECT head FROM step ORDER BY step DESC LIMIT 1", error);

    if (statement != NULL)
        ok = cx_sql_step(journal, statement, &has_row, error);
    if (has_row)
        *head = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

static bool
damaged(CxJournal *journal, int64_t sequence, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: edit %" G_GINT64_FORMAT
                " is damaged (checksum does not match)",
                journal->path, sequence);
    return false;
}

static char *
dup_column(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

/* Moves and patch. */
static bool
read_blobs(CxJournal *journal, sqlite3_stmt *statement, CxEdit *edit,
           GError **error)
{
    const void *moves = sqlite3_column_blob(statement, 15);
    size_t n_bytes = (size_t)sqlite3_column_bytes(statement, 15);
    const void *patch = sqlite3_column_blob(statement, 17);
    size_t patch_bytes = (size_t)sqlite3_column_bytes(statement, 17);

    if (checksum_of(edit, moves, n_bytes, patch, patch_bytes) !=
        cx_sql_id(statement, 16))
        return damaged(journal, edit->sequence, error);
    bool ok = cx_edit_decode_moves(edit, moves, n_bytes, error);

    if (ok && patch_bytes > 0) {
        CxPatch *decoded = cx_patch_decode(patch, patch_bytes, error);

        ok = decoded != NULL;
        if (ok)
            cx_edit_take_patch(edit, decoded);
    }
    if (!ok)
        g_prefix_error(error, "%s: edit %" G_GINT64_FORMAT ": ", journal->path,
                       edit->sequence);
    return ok;
}

static bool
read_edit(CxJournal *journal, sqlite3_stmt *statement, bool with_moves,
          CxEdit *edit, GError **error)
{
    edit->sequence = sqlite3_column_int64(statement, 0);
    edit->parent = sqlite3_column_int64(statement, 1);
    if (!cx_edit_kind_from_name((const char *)sqlite3_column_text(statement, 2),
                                &edit->kind))
        return damaged(journal, edit->sequence, error);
    edit->author = dup_column(statement, 3);
    edit->time_us = sqlite3_column_int64(statement, 4);
    edit->at = (CxVoxel){sqlite3_column_int64(statement, 5),
                         sqlite3_column_int64(statement, 6),
                         sqlite3_column_int64(statement, 7)};
    edit->segment = cx_sql_id(statement, 8);
    edit->text = dup_column(statement, 9);
    edit->old_text = dup_column(statement, 10);
    edit->locked = sqlite3_column_int64(statement, 11) != 0;
    edit->link_a = cx_sql_id(statement, 12);
    edit->link_b = cx_sql_id(statement, 13);
    edit->sentence = dup_column(statement, 14);
    if (!with_moves)
        return true;

    return read_blobs(journal, statement, edit, error);
}

static bool
read_edits(CxJournal *journal, sqlite3_stmt *statement, bool with_moves,
           GPtrArray *edits, GError **error)
{
    bool has_row;

    for (;;) {
        if (!cx_sql_step(journal, statement, &has_row, error))
            return false;
        if (!has_row)
            return true;
        CxEdit *edit = cx_edit_new(CX_EDIT_MERGE);

        g_ptr_array_add(edits, edit);
        if (!read_edit(journal, statement, with_moves, edit, error))
            return false;
    }
}

GPtrArray *
cx_journal_list_edits(CxJournal *journal, int64_t first, int64_t last,
                      bool with_moves, GError **error)
{
    g_autoptr(GPtrArray) edits =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_edit_free);
    bool ok = false;

    sqlite3_stmt *statement = NULL;
    int format;

    g_rec_mutex_lock(&journal->main.lock);
    if (get_format(journal, &format, error))
        statement = cx_sql_prepare(journal, &journal->main,
                                   format == 1 ? SELECT_1 : SELECT_2, error);
    if (statement != NULL) {
        sqlite3_bind_int64(statement, 1, first);
        sqlite3_bind_int64(statement, 2, last);
        ok = read_edits(journal, statement, with_moves, edits, error);
    }
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok ? g_steal_pointer(&edits) : NULL;
}
