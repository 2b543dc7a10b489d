/* How the axes of an array in a file map to x, y, z and channel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"

#define CX_MAX_RANK 8

enum { CX_AXIS_X, CX_AXIS_Y, CX_AXIS_Z, CX_AXIS_C, CX_N_AXES };

/* Axes of the array that are none of ours have one entry. */
typedef struct {
    int rank;
    uint64_t dims[CX_MAX_RANK];
    int axis[CX_N_AXES]; /* position in dims, or -1 */
} CxAxes;

/* Maps by names, one an axis ("x", "y", "z", "c"); false if x or y is missing
 * or an axis of several entries has another name. */
bool cx_axes_by_names(CxAxes *axes, const char *const *names);

/* Maps by number: (z,) y, x slowest first; with four axes the channel is
 * first, or last if only the last has 16 entries or fewer.  Axes of one entry
 * are dropped first where there are too many.  False if that does not do. */
bool cx_axes_by_rank(CxAxes *axes);

/* Entries along one of ours; 1 if there is no such axis. */
uint64_t cx_axes_length(const CxAxes *axes, int axis);

/* Checks what a file says: 1 to 4096 channels, and a size as
 * cx_reader_check_size(). */
bool cx_axes_check(const CxAxes *axes, const char *where, CxDtype dtype,
                   CxVoxel *size, unsigned *n_channels, GError **error);

/* "100 x 250 x 250", as the file has it; owned. */
char *cx_axes_describe(const CxAxes *axes);

/* A number for each spatial axis the array has, in its order → x, y, z;
 * n is 2 or 3 as the array has a z axis or not. */
CxNm cx_axes_order_nm(const CxAxes *axes, const double *values, double rest);

/* Do the axes of more than one entry stand in the order c, z, y, x? */
bool cx_axes_are_natural(const CxAxes *axes);

/* Copies a part of a dense block to a part of dst.
 *
 * step: distance between neighbours along our axes in the block, in samples;
 * src: the sample at box.lo, first channel of [c_lo, c_hi). */
void cx_axes_copy(CxChunk *dst, CxBox box, unsigned c_lo, unsigned c_hi,
                  const void *src, const size_t step[CX_N_AXES]);
