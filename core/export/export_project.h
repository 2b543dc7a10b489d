/* Writes what a project holds: the corrected labels, surfaces, tables, graph.
 *
 * The target appears only when it is whole, and is never the project, its
 * image or something inside it.  What is written is the state at the call;
 * edits made meanwhile do not show.
 *
 * Labels: any format of core/volume/writer.h, ids are current segment ids
 * (uint64).  Meshes: a folder with one file a segment, <id>.ply; a path with
 * another suffix, "m.obj", makes a folder of that name with files of that
 * kind.  Skeletons: a folder with <id>.swc for each segment of 100 voxels or
 * more.  An existing folder is replaced only if nothing else lies in it.
 * Table: CSV of segments, ids as decimal digits.  Graph: CSV
 * a,b,affinity,contacts,segment_a,segment_b.  Log: see edit_log.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

typedef enum {
    CX_EXPORT_LABELS,
    CX_EXPORT_MESHES,
    CX_EXPORT_SKELETONS,
    CX_EXPORT_TABLE,
    CX_EXPORT_GRAPH,
    CX_EXPORT_LOG, /* CSV of the edits */
} CxExportKind;

bool cx_export_kind_from_name(const char *name, CxExportKind *kind);

bool cx_export_project(CxProject *project, CxExportKind kind, const char *path,
                       bool overwrite, CxJob *job, uint64_t *size_bytes,
                       GError **error);
