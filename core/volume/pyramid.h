/* Builds the coarser levels that a volume lacks.
 *
 * Each level halves x and y, and z too once voxels are about as wide as high,
 * until a level fits into a few chunks.  Images are averaged, labels take the
 * commonest id.  Small pyramids stay in memory; large ones go to a file under
 * $XDG_CACHE_HOME/connexon/levels, which is found again as long as the source
 * does not change, and whose oldest neighbours are removed beyond a cap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/scheduler.h"
#include "core/volume/volume.h"

typedef struct {
    const char *cache_dir; /* NULL: the one above */
    uint64_t memory_bytes; /* largest pyramid kept in memory; 0: 256 MiB */
    uint64_t cache_bytes;  /* cap of all cache files; 0: 8 GiB */
} CxPyramidOptions;

/* Are coarser levels than the volume has of use? */
bool cx_pyramid_is_needed(CxVolume *volume);

/* Reads the volume once and adds the levels when all are built (true without
 * doing anything if none is needed).  options may be NULL.  Long: call it in
 * a job. */
bool cx_pyramid_build(CxVolume *volume, const CxPyramidOptions *options,
                      CxJob *job, GError **error);

/* The same behind, as a job of CX_TIER_BATCH; NULL if nothing is to be done.
 * hook (or NULL) is the job's hook.  A reference the caller owns. */
CxJob *cx_pyramid_submit(CxScheduler *scheduler, CxVolume *volume,
                         CxJobHook hook, void *hook_data);
