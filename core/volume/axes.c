/* How the axes of an array in a file map to x, y, z and channel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/axes.h"

#include "core/base/error.h"
#include "core/volume/reader_util.h"

#include <string.h>

#define MAX_CHANNELS 4096

static void
forget(CxAxes *axes)
{
    for (int a = 0; a < CX_N_AXES; a++)
        axes->axis[a] = -1;
}

bool
cx_axes_by_names(CxAxes *axes, const char *const *names)
{
    forget(axes);
    for (int i = 0; i < axes->rank; i++) {
        const char *name = names[i];
        const char *at = name != NULL && name[0] != '\0' && name[1] == '\0'
                             ? strchr("xyzc", name[0])
                             : NULL;

        if (at != NULL && axes->axis[at - "xyzc"] < 0)
            axes->axis[at - "xyzc"] = i;
        else if (axes->dims[i] != 1)
            return false;
    }
    return axes->axis[CX_AXIS_X] >= 0 && axes->axis[CX_AXIS_Y] >= 0;
}

bool
cx_axes_by_rank(CxAxes *axes)
{
    int used[CX_MAX_RANK], n = 0, n_drop = axes->rank - 3;

    forget(axes);
    for (int i = 0; i < axes->rank; i++) {
        if (n_drop > 0 && axes->dims[i] == 1)
            n_drop--;
        else
            used[n++] = i;
    }
    if (n == 4) {
        bool last = axes->dims[used[0]] > 16 && axes->dims[used[3]] <= 16;

        axes->axis[CX_AXIS_C] = used[last ? 3 : 0];
        memmove(used, used + !last, 3 * sizeof used[0]);
        n = 3;
    }
    if (n > 3 || n < 2)
        return false;
    axes->axis[CX_AXIS_X] = used[n - 1];
    axes->axis[CX_AXIS_Y] = used[n - 2];
    axes->axis[CX_AXIS_Z] = n == 3 ? used[0] : -1;
    return true;
}

uint64_t
cx_axes_length(const CxAxes *axes, int axis)
{
    return axes->axis[axis] < 0 ? 1 : axes->dims[axes->axis[axis]];
}

bool
cx_axes_check(const CxAxes *axes, const char *where, CxDtype dtype,
              CxVoxel *size, unsigned *n_channels, GError **error)
{
    uint64_t channels = cx_axes_length(axes, CX_AXIS_C);

    if (channels < 1 || channels > MAX_CHANNELS) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %" G_GUINT64_FORMAT " channels, expected 1 to %d",
                    where, channels, MAX_CHANNELS);
        return false;
    }
    *n_channels = (unsigned)channels;
    *size = (CxVoxel){(int64_t)cx_axes_length(axes, CX_AXIS_X),
                      (int64_t)cx_axes_length(axes, CX_AXIS_Y),
                      (int64_t)cx_axes_length(axes, CX_AXIS_Z)};
    return cx_reader_check_size(where, *size, dtype, *n_channels, error);
}

char *
cx_axes_describe(const CxAxes *axes)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < axes->rank; i++)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i > 0 ? " x " : "",
                               axes->dims[i]);
    return g_string_free(text, FALSE);
}

CxNm
cx_axes_order_nm(const CxAxes *axes, const double *values, double rest)
{
    double by_axis[3] = {rest, rest, rest};

    for (int i = 0; i < axes->rank; i++) {
        for (int a = 0; a < 3; a++) {
            if (axes->axis[a] == i)
                by_axis[a] = *values++;
        }
    }
    return (CxNm){by_axis[0], by_axis[1], by_axis[2]};
}

bool
cx_axes_are_natural(const CxAxes *axes)
{
    static const int order[] = {CX_AXIS_C, CX_AXIS_Z, CX_AXIS_Y, CX_AXIS_X};
    int last = -1;

    for (int i = 0; i < CX_N_AXES; i++) {
        int at = axes->axis[order[i]];

        if (at < 0 || axes->dims[at] == 1)
            continue;
        if (at < last)
            return false;
        last = at;
    }
    return true;
}

static void
copy_row(uint8_t *to, const uint8_t *from, size_t n, size_t step, size_t sample)
{
    if (step == 1) {
        memcpy(to, from, n * sample);
        return;
    }
    for (size_t x = 0; x < n; x++)
        memcpy(to + x * sample, from + x * step * sample, sample);
}

void
cx_axes_copy(CxChunk *dst, CxBox box, unsigned c_lo, unsigned c_hi,
             const void *src, const size_t step[CX_N_AXES])
{
    size_t sample = cx_dtype_size_bytes(cx_chunk_dtype(dst));
    size_t width = (size_t)(box.hi.x - box.lo.x);
    uint8_t *to = cx_chunk_data_mut(dst);
    const uint8_t *from = src;

    for (unsigned c = c_lo; c < c_hi; c++) {
        for (int64_t z = box.lo.z; z < box.hi.z; z++) {
            for (int64_t y = box.lo.y; y < box.hi.y; y++) {
                CxVoxel at = {box.lo.x, y, z};
                size_t offset = (size_t)c * cx_chunk_n_voxels(dst) +
                                cx_box_offset(cx_chunk_box(dst), at);
                size_t stored = (c - c_lo) * step[CX_AXIS_C] +
                                (size_t)(z - box.lo.z) * step[CX_AXIS_Z] +
                                (size_t)(y - box.lo.y) * step[CX_AXIS_Y];

                copy_row(to + offset * sample, from + stored * sample, width,
                         step[CX_AXIS_X], sample);
            }
        }
    }
}
