/* The sample: a drawn volume with a segmentation that has known errors, so
 * that everything can be tried at once.
 *
 * Neurons are cut into supervoxels; some neurons are left in two segments
 * (false splits), some pairs of neighbours share one (false mergers).  The same
 * on every machine.  Runs in a job.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

/* Makes folder/sample.h5 and folder/sample.connexon where they are missing. */
bool cxui_sample_project_make(const char *folder, CxJob *job, GError **error);

/* Segments of a label chunk (u64, truth) with errors.  Replaces the truth by
 * supervoxels and returns for each (by id - CXUI_SAMPLE_FIRST_ID) its segment
 * (GArray of CxId). */
#define CXUI_SAMPLE_FIRST_ID ((UINT64_C(1) << 32) + 1)
GArray *cxui_sample_cut(CxChunk **labels, CxJob *job, GError **error);
