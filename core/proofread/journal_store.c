/* The project file: label chunks, parts of the graph, blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/checksum.h"
#include "core/proofread/journal_private.h"
#include "core/proofread/store_codec.h"

static uint64_t
checksum_of(GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    return cx_checksum(data, size, 0);
}

/* Volumes are at most 2^26 voxels an axis, so 20 bits would do. */
static int64_t
chunk_key(CxChunkIdx index)
{
    return index.z << 42 | index.y << 21 | index.x;
}

static CxChunkIdx
chunk_of_key(int64_t key)
{
    const int64_t mask = (1 << 21) - 1;

    return (CxChunkIdx){key & mask, key >> 21 & mask, key >> 42};
}

static bool
finish(CxJournal *journal, sqlite3_stmt *statement, GError **error)
{
    bool ok = cx_sql_run(journal, statement, error);

    sqlite3_finalize(statement);
    return ok;
}

bool
cx_journal_put_chunk(CxJournal *journal, CxChunkIdx index, GBytes *data,
                     GError **error)
{
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main,
                       "INSERT OR REPLACE INTO chunk VALUES (?, ?, ?)", error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, chunk_key(index));
    cx_sql_bind_bytes(statement, 2, data);
    cx_sql_bind_id(statement, 3, checksum_of(data));
    return finish(journal, statement, error);
}

/* Column 0 data, column 1 checksum. */
static GBytes *
take_chunk(CxJournal *journal, sqlite3_stmt *statement, CxChunkIdx index,
           GError **error)
{
    const void *data = sqlite3_column_blob(statement, 0);
    gsize size = (gsize)sqlite3_column_bytes(statement, 0);

    if (cx_checksum(data != NULL ? data : "", size, 0) ==
        cx_sql_id(statement, 1))
        return g_bytes_new(data, size);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the labels of chunk %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                ",%" G_GINT64_FORMAT " are damaged (checksum does not match)",
                journal->path, index.x, index.y, index.z);
    return NULL;
}

/* Newest first; the first active one is taken, if any. */
static bool
find_overlay(CxJournal *journal, CxConnection *connection, CxChunkIdx index,
             CxIsActiveFunc is_active, void *user_data, GBytes **data,
             GError **error)
{
    g_autoptr(sqlite3_stmt) statement =
        cx_sql_prepare(journal, connection,
                       "SELECT data, checksum, sequence FROM overlay "
                       "WHERE key = ? ORDER BY sequence DESC",
                       error);
    bool has_row;

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, chunk_key(index));
    do {
        if (!cx_sql_step(journal, statement, &has_row, error))
            return false;
        if (has_row &&
            is_active(sqlite3_column_int64(statement, 2), user_data)) {
            *data = take_chunk(journal, statement, index, error);
            return *data != NULL;
        }
    } while (has_row);
    return true;
}

bool
cx_journal_put_overlay(CxJournal *journal, CxChunkIdx index, int64_t sequence,
                       GBytes *data, GError **error)
{
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main,
        "INSERT OR REPLACE INTO overlay VALUES (?, ?, ?, ?)", error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, chunk_key(index));
    sqlite3_bind_int64(statement, 2, sequence);
    cx_sql_bind_bytes(statement, 3, data);
    cx_sql_bind_id(statement, 4, checksum_of(data));
    return finish(journal, statement, error);
}

bool
cx_journal_get_overlay(CxJournal *journal, CxChunkIdx index, int64_t sequence,
                       GBytes **data, GError **error)
{
    bool ok = false, has_row = false;

    *data = NULL;
    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main,
                       "SELECT data, checksum FROM overlay "
                       "WHERE key = ? AND sequence = ?",
                       error);

    if (statement != NULL) {
        sqlite3_bind_int64(statement, 1, chunk_key(index));
        sqlite3_bind_int64(statement, 2, sequence);
        ok = cx_sql_step(journal, statement, &has_row, error);
    }
    if (has_row) {
        *data = take_chunk(journal, statement, index, error);
        ok = *data != NULL;
    }
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

static bool
find_chunk(CxJournal *journal, CxConnection *connection, CxChunkIdx index,
           GBytes **data, GError **error)
{
    g_autoptr(sqlite3_stmt) statement =
        cx_sql_prepare(journal, connection,
                       "SELECT data, checksum FROM chunk WHERE key = ?", error);
    bool has_row;

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, chunk_key(index));
    if (!cx_sql_step(journal, statement, &has_row, error))
        return false;
    if (has_row)
        *data = take_chunk(journal, statement, index, error);
    return !has_row || *data != NULL;
}

bool
cx_journal_get_chunk(CxJournal *journal, CxChunkIdx index,
                     CxIsActiveFunc is_active, void *user_data, GBytes **data,
                     GError **error)
{
    CxConnection *connection = cx_journal_reader(journal);

    *data = NULL;
    g_rec_mutex_lock(&connection->lock);
    bool ok = find_overlay(journal, connection, index, is_active, user_data,
                           data, error);

    if (ok && *data == NULL)
        ok = find_chunk(journal, connection, index, data, error);
    g_rec_mutex_unlock(&connection->lock);
    return ok;
}

/* Reads all rows of a query of integers, n_columns a row, into an array of
 * int64_t. */
static GArray *
list_integers(CxJournal *journal, const char *sql, int n_columns,
              GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(int64_t));
    bool ok = false, has_row = true;

    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main, sql, error);

    if (statement != NULL)
        ok = cx_sql_step(journal, statement, &has_row, error);
    while (ok && has_row) {
        for (int i = 0; i < n_columns; i++) {
            int64_t value = sqlite3_column_int64(statement, i);

            g_array_append_val(values, value);
        }
        ok = cx_sql_step(journal, statement, &has_row, error);
    }
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok ? g_steal_pointer(&values) : NULL;
}

bool
cx_journal_clear_chunks(CxJournal *journal, GError **error)
{
    return cx_sql_exec(journal, &journal->main, "DELETE FROM chunk", error);
}

static GArray *
list_keys(CxJournal *journal, const char *sql, GError **error)
{
    g_autoptr(GArray) keys = list_integers(journal, sql, 1, error);

    if (keys == NULL)
        return NULL;
    GArray *chunks =
        g_array_sized_new(FALSE, FALSE, sizeof(CxChunkIdx), keys->len);

    for (guint i = 0; i < keys->len; i++) {
        CxChunkIdx index = chunk_of_key(g_array_index(keys, int64_t, i));

        g_array_append_val(chunks, index);
    }
    return chunks;
}

GArray *
cx_journal_list_chunks(CxJournal *journal, GError **error)
{
    return list_keys(journal,
                     "SELECT key FROM chunk UNION SELECT key FROM overlay "
                     "ORDER BY key",
                     error);
}

GArray *
cx_journal_list_overlays(CxJournal *journal, int64_t sequence, GError **error)
{
    g_autofree char *sql =
        sequence == 0
            ? g_strdup("SELECT DISTINCT key FROM overlay ORDER BY key")
            : g_strdup_printf("SELECT key FROM overlay WHERE sequence = "
                              "%" G_GINT64_FORMAT " ORDER BY key",
                              sequence);

    return list_keys(journal, sql, error);
}

GArray *
cx_journal_list_overlay_edits(CxJournal *journal, CxChunkIdx index,
                              GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT sequence FROM overlay WHERE key = %" G_GINT64_FORMAT
        " ORDER BY sequence",
        chunk_key(index));

    return list_integers(journal, sql, 1, error);
}

bool
cx_journal_has_stray_overlay(CxJournal *journal, bool *has, GError **error)
{
    g_autoptr(GArray) found =
        list_integers(journal,
                      "SELECT 1 FROM overlay WHERE sequence NOT IN "
                      "(SELECT sequence FROM edit) LIMIT 1",
                      1, error);

    *has = found != NULL && found->len > 0;
    return found != NULL;
}

/* Parts. */

void
cx_graph_part_init(CxGraphPart *part)
{
    *part = (CxGraphPart){
        .supervoxels = g_array_new(FALSE, FALSE, sizeof(CxSupervoxel)),
        .edges = g_array_new(FALSE, FALSE, sizeof(CxEdge)),
        .segments = g_array_new(FALSE, FALSE, sizeof(CxId)),
    };
}

void
cx_graph_part_clear(CxGraphPart *part)
{
    g_clear_pointer(&part->supervoxels, g_array_unref);
    g_clear_pointer(&part->edges, g_array_unref);
    g_clear_pointer(&part->segments, g_array_unref);
}

static void
bind_checked(sqlite3_stmt *statement, int at, GBytes *bytes)
{
    cx_sql_bind_bytes(statement, at, bytes);
    cx_sql_bind_id(statement, at + 1, checksum_of(bytes));
}

bool
cx_journal_add_part(CxJournal *journal, CxGraphPart *part, GError **error)
{
    g_autoptr(GBytes) supervoxels =
        cx_store_encode_supervoxels(part->supervoxels, error);
    g_autoptr(GBytes) edges =
        supervoxels != NULL ? cx_store_encode_edges(part->edges, error) : NULL;
    g_autoptr(GBytes) segments =
        edges != NULL
            ? cx_store_encode_ids((const CxId *)(void *)part->segments->data,
                                  part->segments->len, error)
            : NULL;
    sqlite3_stmt *statement =
        segments != NULL ? cx_sql_prepare(journal, &journal->main,
                                          "INSERT INTO part VALUES "
                                          "(NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
                                          error)
                         : NULL;

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, part->supervoxels->len);
    bind_checked(statement, 2, supervoxels);
    bind_checked(statement, 4, segments);
    sqlite3_bind_int64(statement, 6, part->edges->len);
    bind_checked(statement, 7, edges);
    if (!finish(journal, statement, error))
        return false;
    part->part = sqlite3_last_insert_rowid(journal->main.db);
    return true;
}

bool
cx_journal_set_part_segments(CxJournal *journal, int64_t part,
                             const GArray *segments, GError **error)
{
    g_autoptr(GBytes) bytes = cx_store_encode_ids(
        (const CxId *)(void *)segments->data, segments->len, error);
    sqlite3_stmt *statement =
        bytes != NULL ? cx_sql_prepare(journal, &journal->main,
                                       "UPDATE part SET segments = ?1, "
                                       "segments_checksum = ?2 "
                                       "WHERE part = ?3",
                                       error)
                      : NULL;

    if (statement == NULL)
        return false;
    bind_checked(statement, 1, bytes);
    sqlite3_bind_int64(statement, 3, part);
    return finish(journal, statement, error);
}

typedef bool (*DecodeFunc)(const void *data, size_t n_bytes, size_t n,
                           GArray *out, GError **error);

/* Blob in `column`, its checksum in the next. */
static bool
read_column(CxJournal *journal, sqlite3_stmt *statement, int column, int64_t n,
            DecodeFunc decode, GArray *out, GError **error)
{
    const void *data = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    int64_t part = sqlite3_column_int64(statement, 0);

    if (cx_checksum(data != NULL ? data : "", size, 0) !=
        cx_sql_id(statement, column + 1)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: part %" G_GINT64_FORMAT
                    " of the graph is damaged (checksum does not match)",
                    journal->path, part);
        return false;
    }
    if (n >= 0 && n <= G_MAXINT32 && decode(data, size, (size_t)n, out, error))
        return true;
    if (error != NULL && *error == NULL)
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "it claims %" G_GINT64_FORMAT " records", n);
    g_prefix_error(error, "%s: part %" G_GINT64_FORMAT " of the graph: ",
                   journal->path, part);
    return false;
}

static bool
read_part(CxJournal *journal, sqlite3_stmt *statement, CxGraphPart *part,
          GError **error)
{
    int64_t n_supervoxels = sqlite3_column_int64(statement, 1);

    part->part = sqlite3_column_int64(statement, 0);
    return read_column(journal, statement, 2, n_supervoxels,
                       cx_store_decode_supervoxels, part->supervoxels, error) &&
           read_column(journal, statement, 4, n_supervoxels,
                       cx_store_decode_ids, part->segments, error) &&
           read_column(journal, statement, 7,
                       sqlite3_column_int64(statement, 6),
                       cx_store_decode_edges, part->edges, error);
}

static bool
each_part(CxJournal *journal, sqlite3_stmt *statement, CxPartFunc func,
          void *user_data, GError **error)
{
    bool has_row;

    for (;;) {
        if (!cx_sql_step(journal, statement, &has_row, error))
            return false;
        if (!has_row)
            return true;
        g_auto(CxGraphPart) part = {0};

        cx_graph_part_init(&part);
        if (!read_part(journal, statement, &part, error) ||
            !func(&part, user_data, error))
            return false;
    }
}

bool
cx_journal_each_part(CxJournal *journal, CxPartFunc func, void *user_data,
                     GError **error)
{
    bool ok = false;

    g_rec_mutex_lock(&journal->main.lock);
    sqlite3_stmt *statement = cx_sql_prepare(
        journal, &journal->main,
        "SELECT part, n_supervoxels, supervoxels, supervoxels_checksum, "
        "segments, segments_checksum, n_edges, edges, edges_checksum "
        "FROM part ORDER BY part",
        error);

    if (statement != NULL)
        ok = each_part(journal, statement, func, user_data, error);
    sqlite3_finalize(statement);
    g_rec_mutex_unlock(&journal->main.lock);
    return ok;
}

bool
cx_journal_add_block(CxJournal *journal, CxVoxel index, int64_t part,
                     GError **error)
{
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main,
                       "INSERT INTO block VALUES (?, ?, ?, ?)", error);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, index.z);
    sqlite3_bind_int64(statement, 2, index.y);
    sqlite3_bind_int64(statement, 3, index.x);
    sqlite3_bind_int64(statement, 4, part);
    return finish(journal, statement, error);
}

/* CxVoxel is three int64_t in the order of the columns. */
GArray *
cx_journal_list_blocks(CxJournal *journal, GError **error)
{
    g_autoptr(GArray) values = list_integers(
        journal, "SELECT x, y, z FROM block ORDER BY z, y, x", 3, error);

    if (values == NULL)
        return NULL;
    GArray *blocks =
        g_array_sized_new(FALSE, FALSE, sizeof(CxVoxel), values->len / 3);

    for (guint i = 0; i < values->len; i += 3) {
        CxVoxel index = {g_array_index(values, int64_t, i),
                         g_array_index(values, int64_t, i + 1),
                         g_array_index(values, int64_t, i + 2)};

        g_array_append_val(blocks, index);
    }
    return blocks;
}

bool
cx_journal_add_joined(CxJournal *journal, CxId segment, CxId into,
                      GError **error)
{
    sqlite3_stmt *statement =
        cx_sql_prepare(journal, &journal->main,
                       "INSERT INTO joined VALUES (NULL, ?, ?)", error);

    if (statement == NULL)
        return false;
    cx_sql_bind_id(statement, 1, segment);
    cx_sql_bind_id(statement, 2, into);
    return finish(journal, statement, error);
}

bool
cx_journal_clear_joined(CxJournal *journal, GError **error)
{
    return cx_sql_exec(journal, &journal->main, "DELETE FROM joined", error);
}

GArray *
cx_journal_list_joined(CxJournal *journal, GError **error)
{
    return list_integers(
        journal, "SELECT segment, into_segment FROM joined ORDER BY number", 2,
        error);
}
