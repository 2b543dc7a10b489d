/* An image or label volume, maybe larger than memory; the only type that
 * callers see, whatever the format behind it.
 *
 * Voxel coordinates of every level start at 0; the physical position of voxel
 * corner i of level l is offset_nm + i * voxel_nm(l).  Level 0 is the finest.
 * Sources are opened read-only and never changed.  Thread-safe; reference
 * counted.
 *
 * A volume argument is a path with an optional ":/dataset":
 * "a.h5:/volumes/raw", "stack.tif", "slices/" (numbered TIFF or PNG),
 * "a.zarr".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/volume/chunk.h"

typedef struct CxVolume CxVolume;

typedef struct {
    CxVoxel size;       /* voxels */
    CxVoxel chunk_size; /* the grid in which reading is cheap */
    CxNm voxel_nm;
} CxLevel;

/* What a data set looks like without being opened (for choosers, `info`). */
typedef struct {
    char *path;   /* "/volumes/raw"; "" where the file is the data set */
    CxVoxel size; /* x, y, z */
    CxDtype dtype;
    bool is_labels; /* best guess from name and type */
} CxDatasetInfo;

/* Opens what spec names.  Without ":/dataset" the first image-like data set
 * of a file is taken.  job may be NULL. */
CxVolume *cx_volume_open(const char *spec, CxJob *job, GError **error);

/* Can a file or folder of this format hold several data sets? */
bool cx_volume_may_hold_several(const char *path);

/* The data sets of a file or folder; GPtrArray of CxDatasetInfo, owned. */
GPtrArray *cx_volume_list(const char *path, GError **error);

CxVolume *cx_volume_ref(CxVolume *volume);
void cx_volume_unref(CxVolume *volume);

const char *cx_volume_spec(const CxVolume *volume);   /* as it was opened */
const char *cx_volume_format(const CxVolume *volume); /* "tiff", "hdf5", … */
CxDtype cx_volume_dtype(const CxVolume *volume);
unsigned cx_volume_n_channels(const CxVolume *volume);
CxNm cx_volume_offset_nm(const CxVolume *volume);

/* Best guess whether samples are labels rather than intensities. */
bool cx_volume_is_labels(const CxVolume *volume);

/* False when the file states no voxel size and 1 nm is assumed. */
bool cx_volume_has_voxel_size(const CxVolume *volume);

/* Overrides the voxel size of level 0 (all levels scale with it). */
void cx_volume_set_voxel_nm(CxVolume *volume, CxNm voxel_nm);

/* May grow while coarser levels are built behind (cx_pyramid). */
unsigned cx_volume_n_levels(CxVolume *volume);
CxLevel cx_volume_level(CxVolume *volume, unsigned level);
CxBox cx_volume_bounds(CxVolume *volume, unsigned level);

/* The most bytes of decoded blocks a reader may keep; some keep none, others
 * 64 MiB where nothing is said. */
void cx_volume_limit_cache(CxVolume *volume, size_t n_bytes);

/* Reads a box inside the bounds of a level into a new chunk of the volume's
 * dtype.  Blocks; call it in a job. */
CxChunk *cx_volume_read(CxVolume *volume, unsigned level, CxBox box, CxJob *job,
                        GError **error);

/* The same, integer samples widened to u64. */
CxChunk *cx_volume_read_labels(CxVolume *volume, unsigned level, CxBox box,
                               CxJob *job, GError **error);

/* The same, samples brought to u8: u8 as it is; others scaled from the
 * display range of the volume (its type's full range for integers of up to
 * 16 bits if the file says nothing, else min … max of a sample of finite
 * numbers).  NaN counts as the least value, infinities as the least and the
 * largest. */
CxChunk *cx_volume_read_u8(CxVolume *volume, unsigned level, CxBox box,
                           CxJob *job, GError **error);

/* Smallest and largest sample of a regular sample of the data (exact for
 * volumes of up to 2^26 voxels). */
bool cx_volume_range(CxVolume *volume, CxJob *job, double *min, double *max,
                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxVolume, cx_volume_unref)
