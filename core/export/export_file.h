/* A file that appears under its name only when it is whole.
 *
 * Written under a temporary name beside the target, synced, renamed, folder
 * synced.  Freeing an unfinished file removes it.  Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxExportFile CxExportFile;

/* CX_ERROR_EXISTS if the target is there and overwrite is false. */
CxExportFile *cx_export_file_new(const char *path, bool overwrite,
                                 GError **error);
bool cx_export_file_write(CxExportFile *file, const void *data, size_t n_bytes,
                          GError **error);
bool cx_export_file_puts(CxExportFile *file, const char *text, GError **error);
bool cx_export_file_printf(CxExportFile *file, GError **error,
                           const char *format, ...) G_GNUC_PRINTF(3, 4);

/* size_bytes may be NULL. */
bool cx_export_file_finish(CxExportFile *file, uint64_t *size_bytes,
                           GError **error);
void cx_export_file_free(CxExportFile *file);

/* Gives a finished file or folder its name, durably.  With overwrite an older
 * target ends up under the temporary name. */
bool cx_export_install(const char *temporary, const char *path, bool overwrite,
                       GError **error);

/* CX_ERROR_EXISTS if something has that name. */
bool cx_export_check_absent(const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxExportFile, cx_export_file_free)
