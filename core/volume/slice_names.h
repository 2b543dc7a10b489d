/* The numbered slices of a folder, in order of their number.
 *
 * All names must be alike but for their numbers ("s001.tif", "s2.tif").  The
 * run of digits that differs from file to file is the section number; a gap,
 * a number that comes twice or a name of another kind is an error that names
 * it.  Steps of a constant size above one (every tenth section) are no gap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct {
    GPtrArray *paths; /* whole paths; owned strings */
    uint64_t first;   /* number of the first slice */
    uint64_t step;    /* between neighbours; 1 where numbers do not matter */
    bool has_numbers;
} CxSliceNames;

/* suffixes: ".tif", …, NULL.  False with CX_ERROR_NOT_FOUND if the folder
 * holds none. */
bool cx_slice_names_list(const char *dir, const char *const *suffixes,
                         CxSliceNames *names, GError **error);
void cx_slice_names_clear(CxSliceNames *names);

/* "slice 12 (a/s012.tif)", for messages. */
char *cx_slice_names_describe(const CxSliceNames *names, size_t i);
