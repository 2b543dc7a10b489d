/* What a format provides.  Implemented by tiff_stack.c, hdf5.c, …, and outside
 * this folder by the project's label store.
 *
 * Contract: open() and list() return NULL or fill everything and set error on
 * failure with one sentence (file, place, found, expected).  read() may be
 * called from several threads at once; box lies inside the level's bounds and
 * dst covers exactly box with the volume's dtype and channels.  free() is
 * called once, when no read() runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

#define CX_MAX_LEVELS 16

/* What a reader tells about its data when it opens them. */
typedef struct {
    CxDtype dtype;
    unsigned n_channels;
    unsigned n_levels;
    CxLevel levels[CX_MAX_LEVELS];
    CxNm offset_nm;
    bool has_voxel_size;
    bool is_labels;
    bool has_display_range; /* e.g. ImageJ's min and max */
    double display_min, display_max;
} CxVolumeInfo;

typedef struct {
    const char *name; /* "tiff", "hdf5", … */

    /* Could this be ours?  Cheap: name and first bytes.  NULL for volumes
     * that are not opened by path. */
    bool (*probe)(const char *path);
    void *(*open)(const char *path, const char *dataset, CxVolumeInfo *info,
                  CxJob *job, GError **error);
    /* NULL where a file or folder is itself the only data set. */
    GPtrArray *(*list)(const char *path, GError **error);

    bool (*read)(void *self, unsigned level, CxBox box, CxChunk *dst,
                 CxJob *job, GError **error);
    void (*free)(void *self);
    /* NULL, or the most bytes of decoded blocks to keep. */
    void (*limit_cache)(void *self, size_t n_bytes);
} CxReader;

/* What a level that was not in the source reads from (cx_pyramid). */
typedef bool (*CxLevelRead)(void *data, CxBox box, CxChunk *dst, CxJob *job,
                            GError **error);

/* Appends a coarser level.  read() has the contract of CxReader.read;
 * destroy(data) is called with the volume.  False if there are CX_MAX_LEVELS
 * already (data is destroyed then too). */
bool cx_volume_add_level(CxVolume *volume, const CxLevel *level,
                         CxLevelRead read, void *data, GDestroyNotify destroy);

/* A volume over a reader made by other means (project labels, tests).  Takes
 * ownership of self. */
CxVolume *cx_volume_new(const CxReader *reader, void *self,
                        const CxVolumeInfo *info, const char *spec);
