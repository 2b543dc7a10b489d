/* The surface of a segment, divided between the two sides of a split that is
 * not made yet: for the preview in 3-D.
 *
 * No new surface is built: each triangle goes to the side of the supervoxel
 * just below it.  Runs on a worker.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/mesh/mesh.h"
#include "core/volume/volume.h"

typedef struct {
    const CxMesh *mesh;    /* of the whole segment */
    CxVolume *supervoxels; /* labels of level 0 */
    const CxId *moved;     /* supervoxels of one side, sorted */
    size_t n_moved;
    CxBox moved_box; /* holds all of them; outside nothing is looked up */
} CxuiSurfaceSides;

/* rest and moved: new surfaces, empty ones possible; owned by the caller. */
bool cxui_surface_sides(const CxuiSurfaceSides *sides, CxMesh **rest,
                        CxMesh **moved, CxJob *job, GError **error);
