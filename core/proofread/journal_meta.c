/* The project file: single values, texts, the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/dtype.h"
#include "core/base/error.h"
#include "core/proofread/journal_private.h"

static bool
run_locked(CxJournal *journal, sqlite3_stmt *statement, GError **error)
{
    bool ok = statement != NULL && cx_sql_run(journal, statement, error);

    sqlite3_finalize(statement);
    return ok;
}

bool
cx_journal_set_meta(CxJournal *journal, const char *key, int64_t value,
                    GError **error)
{
    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main,
                       "INSERT OR REPLACE INTO meta VALUES (?, ?)", error);

    if (statement != NULL) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, value);
    }
    bool ok = run_locked(journal, statement, error);

    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

bool
cx_journal_get_meta(CxJournal *journal, const char *key, int64_t *value,
                    GError **error)
{
    bool ok = false, has_row = false;

    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main, "SELECT value FROM meta WHERE key = ?", error);

    if (statement != NULL) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        ok = cx_sql_step(journal, statement, &has_row, error);
        if (has_row)
            *value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

bool
cx_journal_set_text(CxJournal *journal, const char *key, const char *text,
                    GError **error)
{
    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main,
        text != NULL ? "INSERT OR REPLACE INTO text VALUES (?1, ?2)"
                     : "DELETE FROM text WHERE key = ?1",
        error);

    if (statement != NULL) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        if (text != NULL)
            sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
    }
    bool ok = run_locked(journal, statement, error);

    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

bool
cx_journal_get_text(CxJournal *journal, const char *key, char **text,
                    GError **error)
{
    bool ok = false, has_row = false;

    *text = NULL;
    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main, "SELECT value FROM text WHERE key = ?", error);

    if (statement != NULL) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        ok = cx_sql_step(journal, statement, &has_row, error);
        if (has_row)
            *text = g_strdup((const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

void
cx_image_note_clear(CxImageNote *note)
{
    g_clear_pointer(&note->spec, g_free);
    g_clear_pointer(&note->relative, g_free);
}

static void
bind_voxel(sqlite3_stmt *statement, int at, CxVoxel voxel)
{
    sqlite3_bind_int64(statement, at, voxel.x);
    sqlite3_bind_int64(statement, at + 1, voxel.y);
    sqlite3_bind_int64(statement, at + 2, voxel.z);
}

static void
bind_nm(sqlite3_stmt *statement, int at, CxNm nm)
{
    sqlite3_bind_double(statement, at, nm.x);
    sqlite3_bind_double(statement, at + 1, nm.y);
    sqlite3_bind_double(statement, at + 2, nm.z);
}

static CxNm
column_nm(sqlite3_stmt *statement, int at)
{
    return (CxNm){sqlite3_column_double(statement, at),
                  sqlite3_column_double(statement, at + 1),
                  sqlite3_column_double(statement, at + 2)};
}

bool
cx_journal_set_image(CxJournal *journal, const CxImageNote *note,
                     GError **error)
{
    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main,
                       "INSERT OR REPLACE INTO image VALUES "
                       "(1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       error);

    if (statement != NULL) {
        sqlite3_bind_text(statement, 1, note->spec, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, note->relative, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, note->size_bytes);
        sqlite3_bind_int64(statement, 4, note->mtime_us);
        sqlite3_bind_text(statement, 5, cx_dtype_name(note->dtype), -1,
                          SQLITE_STATIC);
        bind_voxel(statement, 6, note->size);
        bind_nm(statement, 9, note->voxel_nm);
        bind_nm(statement, 12, note->offset_nm);
    }
    bool ok = run_locked(journal, statement, error);

    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

/* Whatever the file says, the numbers used for arithmetic make sense. */
static bool
check_note(CxJournal *journal, const CxImageNote *note, GError **error)
{
    const int64_t limit = (int64_t)1 << 26;
    CxVoxel size = note->size;
    size_t n;

    if (note->spec != NULL && size.x > 0 && size.y > 0 && size.z > 0 &&
        size.x < limit && size.y < limit && size.z < limit &&
        cx_box_n_voxels(cx_box_of_size(size), &n) && note->voxel_nm.x > 0 &&
        note->voxel_nm.y > 0 && note->voxel_nm.z > 0)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the note of its image makes no sense (%" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " voxels of %g × %g × %g nm)",
                journal->path, size.x, size.y, size.z, note->voxel_nm.x,
                note->voxel_nm.y, note->voxel_nm.z);
    return false;
}

static void
read_note(sqlite3_stmt *statement, CxImageNote *note)
{
    const char *dtype = (const char *)sqlite3_column_text(statement, 4);

    note->spec = g_strdup((const char *)sqlite3_column_text(statement, 0));
    note->relative = g_strdup((const char *)sqlite3_column_text(statement, 1));
    note->size_bytes = sqlite3_column_int64(statement, 2);
    note->mtime_us = sqlite3_column_int64(statement, 3);
    if (dtype == NULL || !cx_dtype_from_name(dtype, &note->dtype))
        note->dtype = CX_DTYPE_U8;
    note->size = (CxVoxel){sqlite3_column_int64(statement, 5),
                           sqlite3_column_int64(statement, 6),
                           sqlite3_column_int64(statement, 7)};
    note->voxel_nm = column_nm(statement, 8);
    note->offset_nm = column_nm(statement, 11);
}

bool
cx_journal_get_image(CxJournal *journal, CxImageNote *note, GError **error)
{
    bool ok = false, has_row = false;

    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main,
        "SELECT spec, relative, size_bytes, mtime_us, dtype, size_x, size_y, "
        "size_z, voxel_x, voxel_y, voxel_z, offset_x, offset_y, offset_z "
        "FROM image",
        error);

    if (statement != NULL)
        ok = cx_sql_step(journal, statement, &has_row, error);
    if (has_row)
        read_note(statement, note);
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok && check_note(journal, note, error);
}
