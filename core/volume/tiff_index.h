/* Where the pages of a TIFF file are: its chain of directories, walked
 * without libtiff so that a stack of a million pages opens quickly and page n
 * is reached without passing the n before it.
 *
 * Chains that loop end where they come back.  Reduced copies and masks
 * (NewSubfileType) are left out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct {
    GArray *offsets; /* uint64_t, of the directories of the pages */
    uint64_t file_bytes;
    /* XResolution and YResolution of the first page, exact (libtiff gives
     * floats); 0 if not there. */
    double x_per_unit, y_per_unit;
} CxTiffIndex;

/* Pages whose size differs from the first are an error that names them, as is
 * a chain that leaves the file (which then is cut short). */
bool cx_tiff_index_read(const char *path, CxTiffIndex *index, GError **error);
void cx_tiff_index_clear(CxTiffIndex *index);

/* Do the first bytes say TIFF? */
bool cx_tiff_probe(const char *path);
