/* Tables of a project as CSV: its segments, its graph.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/export/export_file.h"
#include "core/proofread/project.h"

/* segment,supervoxels,voxels,volume_um3,x0,y0,z0,x1,y1,z1,x,y,z,locked,note:
 * bounds half-open, x,y,z a voxel inside. */
bool cx_export_table(CxProject *project, CxExportFile *file, CxJob *job,
                     GError **error);

/* a,b,affinity,contacts,segment_a,segment_b; an edge made by hand has no
 * contacts. */
bool cx_export_graph(CxProject *project, CxExportFile *file, CxJob *job,
                     GError **error);
