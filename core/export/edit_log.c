/* The log of edits as a CSV file, and back onto another project.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/edit_log.h"

#include "core/base/error.h"
#include "core/export/csv.h"

#include <string.h>

/* Edits read at once. */
#define PAGE 512

/* A log longer than this is not one. */
#define MAX_BYTES ((gsize)4 << 30)

enum {
    COLUMN_SEQUENCE,
    COLUMN_PARENT,
    COLUMN_STATE,
    COLUMN_KIND,
    COLUMN_TIME,
    COLUMN_AUTHOR,
    COLUMN_X,
    COLUMN_Y,
    COLUMN_Z,
    COLUMN_SEGMENT,
    COLUMN_LOCKED,
    COLUMN_TEXT,
    COLUMN_OLD_TEXT,
    COLUMN_LINK_A,
    COLUMN_LINK_B,
    COLUMN_MOVES,
    COLUMN_SENTENCE,
    N_OLD_COLUMNS, /* before there were edits of voxels */
    COLUMN_PATCH = N_OLD_COLUMNS,
    COLUMN_VOXELS,
    N_COLUMNS,
};

static const char old_header[] =
    "sequence,parent,state,kind,time,author,x,y,z,segment,locked,text,"
    "old_text,link_a,link_b,moves,sentence";

/* patch: supervoxels and edges before and after; voxels: runs of changed
 * voxels; both zstd in base64 (proofread/patch.h, project.h). */
static const char header[] =
    "sequence,parent,state,kind,time,author,x,y,z,segment,locked,text,"
    "old_text,link_a,link_b,moves,sentence,patch,voxels";

/* Writing. */

static char *
format_time(int64_t time_us)
{
    g_autoptr(GDateTime) seconds =
        g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *text =
        seconds != NULL ? g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S")
                        : g_strdup("");

    return g_strdup_printf("%s.%06dZ", text, (int)(time_us % G_USEC_PER_SEC));
}

static char *
format_moves(const CxEdit *edit)
{
    GString *out = g_string_new(NULL);

    for (guint m = 0; m < edit->moves->len; m++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, m);

        g_string_append_printf(out,
                               "%s%" G_GUINT64_FORMAT ">%" G_GUINT64_FORMAT,
                               m > 0 ? ";" : "", move->from, move->to);
        for (guint i = 0; i < move->supervoxels->len; i++)
            g_string_append_printf(out, "%c%" G_GUINT64_FORMAT,
                                   i > 0 ? ' ' : ':',
                                   g_array_index(move->supervoxels, CxId, i));
    }
    return g_string_free(out, FALSE);
}

static void
append_bytes(GString *line, GBytes *bytes)
{
    gsize size = 0;
    const void *data = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;
    g_autofree char *text = size > 0 ? g_base64_encode(data, size) : NULL;

    cx_csv_append(line, text);
}

static char *
format_edit(const CxEdit *edit, GBytes *patch, GBytes *voxels)
{
    GString *line = g_string_new(NULL);
    g_autofree char *time = format_time(edit->time_us);
    g_autofree char *moves = format_moves(edit);

    cx_csv_append_i64(line, edit->sequence);
    cx_csv_append_i64(line, edit->parent);
    cx_csv_append(line, edit->superseded ? "superseded"
                        : edit->undone   ? "undone"
                                         : "done");
    cx_csv_append(line, cx_edit_kind_name(edit->kind));
    cx_csv_append(line, time);
    cx_csv_append(line, edit->author);
    cx_csv_append_i64(line, edit->at.x);
    cx_csv_append_i64(line, edit->at.y);
    cx_csv_append_i64(line, edit->at.z);
    cx_csv_append_u64(line, edit->segment);
    cx_csv_append_i64(line, edit->locked);
    cx_csv_append(line, edit->text);
    cx_csv_append(line, edit->old_text);
    cx_csv_append_u64(line, edit->link_a);
    cx_csv_append_u64(line, edit->link_b);
    cx_csv_append(line, moves);
    cx_csv_append(line, edit->sentence);
    append_bytes(line, patch);
    append_bytes(line, voxels);
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

static bool
write_edit(CxProject *project, const CxEdit *edit, CxExportFile *file,
           GError **error)
{
    g_autoptr(GBytes) patch = NULL;
    g_autoptr(GBytes) voxels = NULL;

    if (edit->patch != NULL) {
        patch = cx_patch_encode(edit->patch, error);
        voxels =
            patch != NULL ? cx_project_dup_changes(project, edit, error) : NULL;
        if (voxels == NULL)
            return false;
    }
    g_autofree char *line = format_edit(edit, patch, voxels);

    return cx_export_file_puts(file, line, error);
}

static bool
write_edits(CxProject *project, const GPtrArray *edits, CxExportFile *file,
            GError **error)
{
    for (guint i = 0; i < edits->len; i++) {
        if (!write_edit(project, g_ptr_array_index(edits, i), file, error))
            return false;
    }
    return true;
}

bool
cx_edit_log_write(CxProject *project, CxExportFile *file, CxJob *job,
                  GError **error)
{
    int64_t n = cx_project_n_edits(project);

    if (!cx_export_file_printf(file, error, "%s\n", header))
        return false;
    for (int64_t first = 1; first <= n; first += PAGE) {
        g_autoptr(GPtrArray) edits = cx_project_edits(
            project, first, MIN(first + PAGE - 1, n), true, error);

        if (edits == NULL || !write_edits(project, edits, file, error) ||
            !cx_job_step(job, (uint64_t)first, (uint64_t)n, error))
            return false;
    }
    return true;
}

/* Reading. */

static bool
parse_u64(const char **text, uint64_t *value)
{
    char *end;

    if (!g_ascii_isdigit(**text))
        return false;
    *value = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    return true;
}

static bool
take_char(const char **text, char expected)
{
    bool found = **text == expected;

    *text += found;
    return found;
}

static bool
parse_move(const char **text, CxEdit *edit)
{
    CxId from, to, id;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(CxId));

    if (!parse_u64(text, &from) || !take_char(text, '>') ||
        !parse_u64(text, &to))
        return false;
    if (take_char(text, ':')) {
        do {
            if (!parse_u64(text, &id))
                return false;
            g_array_append_val(ids, id);
        } while (take_char(text, ' '));
    }
    cx_edit_add_move(edit, from, to, g_steal_pointer(&ids));
    return true;
}

static bool
parse_moves(const char *text, CxEdit *edit)
{
    if (*text == '\0')
        return true;
    do {
        if (!parse_move(&text, edit))
            return false;
    } while (take_char(&text, ';'));
    return *text == '\0';
}

static char *
dup_field(const GPtrArray *fields, int column)
{
    const char *text = g_ptr_array_index(fields, column);

    return *text != '\0' ? g_strdup(text) : NULL;
}

static uint64_t
number(const GPtrArray *fields, int column)
{
    return g_ascii_strtoull(g_ptr_array_index(fields, column), NULL, 10);
}

static int64_t
signed_number(const GPtrArray *fields, int column)
{
    return g_ascii_strtoll(g_ptr_array_index(fields, column), NULL, 10);
}

static GBytes *
dup_bytes(const GPtrArray *fields, int column)
{
    const char *text = g_ptr_array_index(fields, column);
    gsize size;
    guchar *data = *text != '\0' ? g_base64_decode(text, &size) : NULL;

    return data != NULL ? g_bytes_new_take(data, size) : NULL;
}

/* The changed voxels of an edit, if it has any. */
static bool
parse_voxels(const GPtrArray *fields, CxEdit *edit)
{
    g_autoptr(GBytes) packed = dup_bytes(fields, COLUMN_PATCH);
    gsize size;

    if (packed == NULL)
        return true;
    const void *data = g_bytes_get_data(packed, &size);
    CxPatch *patch = cx_patch_decode(data, size, NULL);

    edit->changes = dup_bytes(fields, COLUMN_VOXELS);
    if (patch != NULL)
        cx_edit_take_patch(edit, patch);
    return patch != NULL && edit->changes != NULL;
}

static CxEdit *
parse_edit(const GPtrArray *fields)
{
    CxEditKind kind;

    if ((fields->len != N_COLUMNS && fields->len != N_OLD_COLUMNS) ||
        !cx_edit_kind_from_name(g_ptr_array_index(fields, COLUMN_KIND), &kind))
        return NULL;
    g_autoptr(CxEdit) edit = cx_edit_new(kind);

    if (!parse_moves(g_ptr_array_index(fields, COLUMN_MOVES), edit) ||
        (fields->len == N_COLUMNS && !parse_voxels(fields, edit)))
        return NULL;
    edit->at = (CxVoxel){signed_number(fields, COLUMN_X),
                         signed_number(fields, COLUMN_Y),
                         signed_number(fields, COLUMN_Z)};
    edit->segment = number(fields, COLUMN_SEGMENT);
    edit->locked = number(fields, COLUMN_LOCKED) != 0;
    edit->link_a = number(fields, COLUMN_LINK_A);
    edit->link_b = number(fields, COLUMN_LINK_B);
    edit->text = dup_field(fields, COLUMN_TEXT);
    edit->sentence = g_strdup(g_ptr_array_index(fields, COLUMN_SENTENCE));
    return g_steal_pointer(&edit);
}

static bool
replay_record(CxProject *project, const GPtrArray *fields, int64_t *n_done,
              GError **error)
{
    g_autoptr(CxEdit) edit = parse_edit(fields);

    if (edit == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "not an edit (%u fields, expected %d)", fields->len,
                    (int)N_COLUMNS);
        return false;
    }
    if (strcmp(g_ptr_array_index(fields, COLUMN_STATE), "done") != 0)
        return true;
    g_autoptr(CxEdit) applied = cx_project_apply(project, edit, error);

    *n_done += applied != NULL;
    return applied != NULL;
}

static bool
check_header(const char **text, const char *path, GError **error)
{
    size_t n = strcspn(*text, "\r\n");

    if ((n != strlen(header) || memcmp(*text, header, n) != 0) &&
        (n != strlen(old_header) || memcmp(*text, old_header, n) != 0)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s is not a log of edits: its first line is not "
                    "\"sequence,parent,…\"",
                    path);
        return false;
    }
    *text += n;
    take_char(text, '\r');
    take_char(text, '\n');
    return true;
}

static bool
replay_text(CxProject *project, const char *text, gsize length,
            const char *path, int64_t *n_done, CxJob *job, GError **error)
{
    const char *at = text;

    if (!check_header(&at, path, error))
        return false;
    for (guint line = 2; *at != '\0'; line++) {
        g_autoptr(GPtrArray) fields = cx_csv_next_record(&at, error);

        if (fields == NULL || !replay_record(project, fields, n_done, error)) {
            g_prefix_error(error, "%s, record %u: ", path, line);
            return false;
        }
        if (!cx_job_step(job, (uint64_t)(at - text), length, error))
            return false;
    }
    return true;
}

bool
cx_edit_log_replay(CxProject *project, const char *path, int64_t *n_done,
                   CxJob *job, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &reason);
    int64_t ignored = 0;

    if (n_done == NULL)
        n_done = &ignored;
    *n_done = 0;
    if (file == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_IO, "cannot read %s: %s", path,
                    reason->message);
        return false;
    }
    gsize length = g_mapped_file_get_length(file);

    if (length > MAX_BYTES) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s is too large for a log of edits", path);
        return false;
    }
    g_autofree char *text =
        g_strndup(length > 0 ? g_mapped_file_get_contents(file) : "", length);

    return replay_text(project, text, length, path, n_done, job, error);
}
