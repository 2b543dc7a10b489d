/* The centre line of a label of a volume.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/skeleton/skeleton.h"
#include "core/volume/volume.h"

typedef struct {
    double pitch_nm;    /* side of the cells worked on; 0: see object_mask.h */
    double scale;       /* a path covers scale * its depth + constant_nm */
    double constant_nm; /* side branches shorter than that are left out */
    unsigned smooth;    /* rounds that take the stairs out */
    size_t max_cells;   /* coarser where the object's box has more */
    unsigned n_threads; /* 0 = one per core */
} CxSkeletonOptions;

CxSkeletonOptions cx_skeleton_defaults(void);

/* One label within box (its bounds if known, else the volume's; level 0).  An
 * id that is nowhere in the box: CX_ERROR_NOT_FOUND.  Takes about 20 bytes a
 * cell of the box and 40 a cell of the object. */
CxSkeleton *cx_skeletonise(CxVolume *labels, CxId id, CxBox box,
                           const CxSkeletonOptions *options, CxJob *job,
                           GError **error);

/* Takes the centre line of one label (owned by the callee); false with error
 * set stops. */
typedef bool (*CxSkeletonFunc)(CxId id, CxSkeleton *skeleton, void *data,
                               GError **error);

/* Every label but 0 with at least min_voxels voxels, in order of id; several
 * at once on n_threads threads, called back on the calling one.  A volume of up
 * to 2^29 voxels is read once and kept, four bytes a voxel; in a larger one
 * each label's box is read by itself. */
bool cx_skeletonise_all(CxVolume *labels, uint64_t min_voxels,
                        const CxSkeletonOptions *options, CxSkeletonFunc func,
                        void *data, CxJob *job, GError **error);
