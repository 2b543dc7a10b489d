/* The log of edits as a CSV file, and back onto another project.
 *
 * One line an edit: sequence, parent, state (done, undone, superseded), kind,
 * time (UTC), author, x, y, z, segment, locked, text, old_text, link_a,
 * link_b, moves, sentence.  moves is "from>to:id id …;from>to:…", so that a
 * log carries all that is needed to carry it out on the same supervoxels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/export/export_file.h"
#include "core/proofread/project.h"

bool cx_edit_log_write(CxProject *project, CxExportFile *file, CxJob *job,
                       GError **error);

/* Carries out the edits of a log that are done, in order, each committed as
 * ever; *n_done (may be NULL) tells how many.  Stops at the first that does not
 * fit the project (CX_ERROR_INVALID names the line); those before it stay. */
bool cx_edit_log_replay(CxProject *project, const char *path, int64_t *n_done,
                        CxJob *job, GError **error);
