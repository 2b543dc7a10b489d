/* A folder of files, one a segment, that appears under its name only when it
 * is whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/export/export_file.h"

typedef struct CxExportFolder CxExportFolder;

/* True for the name of a file that this export may have made. */
typedef bool (*CxOwnNameFunc)(const char *name);

/* "123.ply" → ".ply"; NULL unless the name is a number and a suffix. */
const char *cx_export_suffix_of_number(const char *name);

/* CX_ERROR_EXISTS if something has that name, unless overwrite is given and it
 * is a folder with none but own names in it. */
CxExportFolder *cx_export_folder_new(const char *path, bool overwrite,
                                     CxOwnNameFunc is_own, GError **error);

/* Its path, without slashes at the end. */
const char *cx_export_folder_path(const CxExportFolder *folder);

/* A new file in it, "ID" and the suffix; cx_export_folder_add() ends it. */
CxExportFile *cx_export_folder_open(CxExportFolder *folder, CxId id,
                                    const char *suffix, GError **error);
bool cx_export_folder_add(CxExportFolder *folder, CxExportFile *file,
                          GError **error);

/* size_bytes (of all files) may be NULL. */
bool cx_export_folder_finish(CxExportFolder *folder, uint64_t *size_bytes,
                             GError **error);

/* Removes what is unfinished. */
void cx_export_folder_free(CxExportFolder *folder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxExportFolder, cx_export_folder_free)
