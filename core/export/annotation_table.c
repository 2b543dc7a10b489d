/* Annotations as a CSV file, out and in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/annotation_table.h"

#include "core/base/error.h"
#include "core/export/csv.h"
#include "core/export/export_file.h"

#include <string.h>

static const char header[] = "number,kind,points,segments,text";

enum {
    COLUMN_NUMBER,
    COLUMN_KIND,
    COLUMN_POINTS,
    COLUMN_SEGMENTS,
    COLUMN_TEXT,
    N_COLUMNS,
};

static char *
format_row(const CxAnnotation *annotation)
{
    GString *line = g_string_new(NULL);
    g_autoptr(GString) points = g_string_new(NULL);
    g_autoptr(GString) segments = g_string_new(NULL);

    for (guint i = 0; i < annotation->points->len; i++) {
        CxVoxel p = g_array_index(annotation->points, CxVoxel, i);

        g_string_append_printf(points,
                               "%s%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                               ",%" G_GINT64_FORMAT,
                               i > 0 ? ";" : "", p.x, p.y, p.z);
    }
    for (guint i = 0; i < annotation->segments->len; i++)
        g_string_append_printf(segments, "%s%" G_GUINT64_FORMAT,
                               i > 0 ? ";" : "",
                               g_array_index(annotation->segments, CxId, i));
    cx_csv_append_i64(line, annotation->number);
    cx_csv_append(line, cx_annotation_kind_name(annotation->kind));
    cx_csv_append(line, points->str);
    cx_csv_append(line, segments->str);
    cx_csv_append(line, annotation->text);
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

bool
cx_annotations_write(CxProject *project, const char *path, bool overwrite,
                     int64_t *n, GError **error)
{
    g_autoptr(GPtrArray) all = cx_project_annotations(project);
    g_autoptr(CxExportFile) file = cx_export_file_new(path, overwrite, error);

    *n = 0;
    if (file == NULL || !cx_export_file_printf(file, error, "%s\n", header))
        return false;
    for (guint i = 0; i < all->len; i++) {
        g_autofree char *row = format_row(g_ptr_array_index(all, i));

        if (!cx_export_file_puts(file, row, error))
            return false;
    }
    *n = all->len;
    return cx_export_file_finish(file, NULL, error);
}

/* The one-line form, which knows what is right. */
static CxAnnotation *
parse_row(const GPtrArray *fields, GError **error)
{
    if (fields->len != N_COLUMNS) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%u fields, expected %d: %s", fields->len, (int)N_COLUMNS,
                    header);
        return NULL;
    }
    g_autoptr(GString) form =
        g_string_new(g_ptr_array_index(fields, COLUMN_KIND));
    g_auto(GStrv) points =
        g_strsplit(g_ptr_array_index(fields, COLUMN_POINTS), ";", -1);
    g_auto(GStrv) segments =
        g_strsplit(g_ptr_array_index(fields, COLUMN_SEGMENTS), ";", -1);
    const char *text = g_ptr_array_index(fields, COLUMN_TEXT);

    for (guint i = 0; points[i] != NULL; i++)
        g_string_append_printf(form, " %s", points[i]);
    for (guint i = 0; segments[i] != NULL; i++)
        g_string_append_printf(form, " %s", segments[i]);
    if (*text != '\0') {
        g_autofree char *quoted = g_strescape(text, NULL);

        g_string_append_printf(form, " \"%s\"", quoted);
    }
    return cx_annotation_parse(form->str, error);
}

static bool
read_rows(CxProject *project, const char *at, int64_t *n, CxJob *job,
          GError **error)
{
    for (guint line = 2; *at != '\0'; line++) {
        g_autoptr(GPtrArray) fields = cx_csv_next_record(&at, error);
        g_autoptr(CxAnnotation) annotation =
            fields != NULL ? parse_row(fields, error) : NULL;
        g_autoptr(CxEdit) edit =
            annotation != NULL && cx_job_check(job, error)
                ? cx_project_annotate(project, annotation, error)
                : NULL;

        if (edit == NULL) {
            g_prefix_error(error, "row %u: ", line);
            return false;
        }
        ++*n;
    }
    return true;
}

bool
cx_annotations_read(CxProject *project, const char *path, int64_t *n,
                    CxJob *job, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *text = NULL;

    *n = 0;
    if (!g_file_get_contents(path, &text, NULL, &reason)) {
        g_set_error(error, CX_ERROR, CX_ERROR_IO, "cannot read %s: %s", path,
                    reason->message);
        return false;
    }
    size_t length = strcspn(text, "\r\n");

    if (length != strlen(header) || memcmp(text, header, length) != 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s is no table of annotations: its first line is not %s",
                    path, header);
        return false;
    }
    const char *at = text + length;

    at += *at == '\r';
    at += *at == '\n';
    if (read_rows(project, at, n, job, error))
        return true;
    g_prefix_error(error, "%s, ", path);
    return false;
}
