/* Annotations as a CSV file, out and in.
 *
 * Columns: number,kind,points,segments,text.  points "x,y,z;x,y,z" in voxels;
 * segments "17;18".  Reading adds every row as a new annotation, each an edit
 * of its own; the number is passed over.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

bool cx_annotations_write(CxProject *project, const char *path, bool overwrite,
                          int64_t *n, GError **error);

/* Stops at the first row that is none (CX_ERROR_FORMAT, which); the rows before
 * it are stored.  *n: how many. */
bool cx_annotations_read(CxProject *project, const char *path, int64_t *n,
                         CxJob *job, GError **error);
