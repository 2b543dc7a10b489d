/* Comma-separated values as RFC 4180 has them: a field with a comma, a quote
 * or a line break stands in quotes, quotes doubled.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

/* Appends a field, with a comma before it unless it begins the line. */
void cx_csv_append(GString *line, const char *text);
void cx_csv_append_u64(GString *line, uint64_t value);
void cx_csv_append_i64(GString *line, int64_t value);
void cx_csv_append_double(GString *line, double value);

/* Reads the record that begins at *text, which moves behind it; quoted line
 * breaks belong to a field.  NULL at the end of the text, or with
 * CX_ERROR_FORMAT if a quote is not closed. */
GPtrArray *cx_csv_next_record(const char **text, GError **error);
