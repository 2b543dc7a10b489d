/* Centre lines as files.
 *
 * SWC (Cannon et al. 1998): a line a node, "number type x y z radius parent",
 * numbered from 1, parents before children; micrometres in the volume's frame;
 * type 0, undefined.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/export/export_file.h"
#include "core/proofread/project.h"
#include "core/skeleton/skeletonise.h"

bool cx_skeleton_write_swc(const CxSkeleton *skeleton, CxExportFile *file,
                           GError **error);

bool cx_export_skeleton(const CxSkeleton *skeleton, const char *path,
                        bool overwrite, uint64_t *size_bytes, GError **error);

/* A folder with ID.swc for each segment of at least min_voxels voxels. */
bool cx_export_skeletons_of(CxVolume *labels, uint64_t min_voxels,
                            const CxSkeletonOptions *options, const char *path,
                            bool overwrite, CxJob *job, uint64_t *n_skeletons,
                            uint64_t *size_bytes, GError **error);

/* The same for the segments of a project, those of a few voxels left out. */
bool cx_export_skeletons(CxProject *project, const char *path, bool overwrite,
                         CxJob *job, uint64_t *size_bytes, GError **error);
