/* The corrected labels and surfaces of a project.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

/* A label volume in the format of the path's suffix. */
bool cx_export_labels(CxProject *project, const char *path, bool overwrite,
                      CxJob *job, uint64_t *size_bytes, GError **error);

/* A folder of surfaces, one file a segment. */
bool cx_export_meshes(CxProject *project, const char *path, bool overwrite,
                      CxJob *job, uint64_t *size_bytes, GError **error);
