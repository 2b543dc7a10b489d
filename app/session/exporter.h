/* Exports as jobs: corrected labels, surfaces, tables, graph, log.
 *
 * A finished export is the session's toast ("Exported 12.4 MB to a.zarr"), a
 * failed one its failed signal.  Main thread only.
 *
 * Signals: finished(const char *path).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/export/export_project.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_EXPORTER (cxui_exporter_get_type())
G_DECLARE_FINAL_TYPE(CxuiExporter, cxui_exporter, CXUI, EXPORTER, GObject)

/* Made by the session, which owns it. */
CxuiExporter *cxui_exporter_new(CxuiSession *session);

/* The whole project; format by suffix.  overwrite: the user has agreed to
 * replace what is there. */
void cxui_exporter_run(CxuiExporter *self, CxExportKind kind, const char *path,
                       bool overwrite);

/* Surfaces of some segments: path is one file (one id), or a folder that gets
 * one .ply an id. */
void cxui_exporter_run_meshes(CxuiExporter *self, const CxId *ids, size_t n,
                              const char *path, bool overwrite);

/* Suffixes for a kind, best first; NULL-terminated, static. */
const char *const *cxui_exporter_suffixes(CxExportKind kind);
