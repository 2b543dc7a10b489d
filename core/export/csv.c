/* Comma-separated values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/csv.h"

#include "core/base/error.h"

#include <string.h>

void
cx_csv_append(GString *line, const char *text)
{
    if (line->len > 0)
        g_string_append_c(line, ',');
    if (text == NULL)
        return;
    if (strpbrk(text, ",\"\r\n") == NULL) {
        g_string_append(line, text);
        return;
    }
    g_string_append_c(line, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            g_string_append_c(line, '"');
        g_string_append_c(line, *text);
    }
    g_string_append_c(line, '"');
}

void
cx_csv_append_u64(GString *line, uint64_t value)
{
    char text[24];

    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, value);
    cx_csv_append(line, text);
}

void
cx_csv_append_i64(GString *line, int64_t value)
{
    char text[24];

    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value);
    cx_csv_append(line, text);
}

void
cx_csv_append_double(GString *line, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    cx_csv_append(line, g_ascii_formatd(text, sizeof text, "%.9g", value));
}

/* The field at *at, up to its comma or line end. */
static char *
next_field(const char **at, GError **error)
{
    const char *p = *at;

    if (*p != '"') {
        size_t n = strcspn(p, ",\r\n");

        *at = p + n;
        return g_strndup(p, n);
    }
    g_autoptr(GString) field = g_string_new(NULL);

    for (p++; *p != '"' || p[1] == '"'; p++) {
        if (*p == '\0') {
            g_set_error_literal(error, CX_ERROR, CX_ERROR_FORMAT,
                                "a quoted field has no end");
            return NULL;
        }
        p += *p == '"';
        g_string_append_c(field, *p);
    }
    *at = p + 1;
    return g_string_free(g_steal_pointer(&field), FALSE);
}

GPtrArray *
cx_csv_next_record(const char **text, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    const char *p = *text;

    if (*p == '\0')
        return NULL;
    for (;;) {
        char *field = next_field(&p, error);

        if (field == NULL)
            return NULL;
        g_ptr_array_add(fields, field);
        if (*p != ',')
            break;
        p++;
    }
    if (*p != '\0' && *p != '\r' && *p != '\n') {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_FORMAT,
                            "a quoted field goes on behind its end");
        return NULL;
    }
    p += *p == '\r';
    p += *p == '\n';
    *text = p;
    return g_steal_pointer(&fields);
}
