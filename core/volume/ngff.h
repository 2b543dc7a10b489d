/* OME-NGFF multiscales metadata, versions 0.1 to 0.5.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/axes.h"
#include "core/volume/reader.h"

typedef struct {
    int n_axes;
    char *names[CX_MAX_RANK + 1]; /* lower case; "" for axes of time */
    int n_levels;
    char *paths[CX_MAX_LEVELS];
    bool has_scale;
    double scale[CX_MAX_LEVELS][3]; /* nm, spatial axes in their order */
    double corner[3];               /* of level 0, nm */
    bool is_labels;                 /* image-label is there */
} CxNgff;

/* From <dir>/.zattrs or <dir>/zarr.json; NULL if there are none
 * (CX_ERROR_NOT_FOUND) or they are damaged (CX_ERROR_FORMAT). */
CxNgff *cx_ngff_read(const char *dir, GError **error);
void cx_ngff_free(CxNgff *ngff);

/* Is this folder, or one on the way to it, of a level? */
bool cx_ngff_has_level(const CxNgff *ngff, const char *name);

/* Is <dir>/zarr.json that of an array? */
bool cx_ngff_is_array(const char *dir);

/* Attributes of plain arrays: n numbers of resolution or voxel_size, and of
 * offset (0 if absent). */
bool cx_ngff_read_plain(const char *dir, int n, double *nm, double *offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxNgff, cx_ngff_free)
