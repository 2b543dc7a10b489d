/* One label as a grid of cells.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/skeleton/object_mask.h"

#include "core/base/alloc.h"

#include <math.h>
#include <string.h>

static int64_t
floor_to(int64_t value, int64_t step)
{
    int64_t rest = value % step;

    return value - (rest < 0 ? rest + step : rest);
}

static int64_t
n_cells(int64_t lo, int64_t hi, int64_t step)
{
    return (hi - lo + step - 1) / step;
}

/* Cells start at multiples of the factor, counted from voxel 0. */
static void
place(CxObjectMask *mask, CxBox box, CxBox bounds, CxVoxel factor)
{
    box = cx_box_intersect(cx_box_grow(box, factor), bounds);
    box.lo =
        (CxVoxel){floor_to(box.lo.x, factor.x), floor_to(box.lo.y, factor.y),
                  floor_to(box.lo.z, factor.z)};
    mask->box = box;
    mask->factor = factor;
    mask->size = (CxVoxel){n_cells(box.lo.x, box.hi.x, factor.x),
                           n_cells(box.lo.y, box.hi.y, factor.y),
                           n_cells(box.lo.z, box.hi.z, factor.z)};
}

static int64_t
factor_for(double pitch_nm, double voxel_nm)
{
    return MAX(1, (int64_t)(pitch_nm / voxel_nm + 0.5));
}

static double
count(CxVoxel size)
{
    return (double)size.x * (double)size.y * (double)size.z;
}

CxObjectMask *
cx_object_mask_new(CxId id, CxBox box, CxBox bounds, CxNm voxel_nm,
                   double pitch_nm, size_t max_cells, GError **error)
{
    g_autoptr(CxObjectMask) mask = g_new0(CxObjectMask, 1);
    double largest = fmax(voxel_nm.x, fmax(voxel_nm.y, voxel_nm.z));
    CxVoxel factor;

    if (pitch_nm <= 0)
        pitch_nm =
            fmax(largest, 2 * cbrt(voxel_nm.x * voxel_nm.y * voxel_nm.z));
    mask->id = id;
    for (;; pitch_nm *= 1.25) {
        factor = (CxVoxel){factor_for(pitch_nm, voxel_nm.x),
                           factor_for(pitch_nm, voxel_nm.y),
                           factor_for(pitch_nm, voxel_nm.z)};
        place(mask, box, bounds, factor);
        if (count(mask->size) <= (double)max_cells)
            break;
    }
    mask->pitch_nm =
        (CxNm){voxel_nm.x * (double)factor.x, voxel_nm.y * (double)factor.y,
               voxel_nm.z * (double)factor.z};
    mask->inside = cx_try_alloc0((size_t)count(mask->size), 1, error);
    return mask->inside != NULL ? g_steal_pointer(&mask) : NULL;
}

void
cx_object_mask_free(CxObjectMask *mask)
{
    if (mask == NULL)
        return;
    cx_free(mask->inside);
    g_free(mask);
}

/* The cells of a row of voxels. */
static uint8_t *
row_of(const CxObjectMask *mask, int64_t y, int64_t z)
{
    int64_t row = (z - mask->box.lo.z) / mask->factor.z * mask->size.y +
                  (y - mask->box.lo.y) / mask->factor.y;

    return mask->inside + row * mask->size.x;
}

void
cx_object_mask_add(CxObjectMask *mask, const CxChunk *labels_u64)
{
    CxBox box = cx_chunk_box(labels_u64);
    CxBox part = cx_box_intersect(box, mask->box);
    int64_t factor = mask->factor.x, base = mask->box.lo.x;

    if (cx_box_is_empty(part))
        return;
    for (int64_t z = part.lo.z; z < part.hi.z; z++)
        for (int64_t y = part.lo.y; y < part.hi.y; y++) {
            CxVoxel first = {part.lo.x, y, z};
            const CxId *labels = (const CxId *)cx_chunk_data(labels_u64) +
                                 cx_box_offset(box, first);
            uint8_t *cells = row_of(mask, y, z);

            for (int64_t x = part.lo.x; x < part.hi.x; x++) {
                if (labels[x - part.lo.x] == mask->id)
                    cells[(x - base) / factor] = 1;
            }
        }
}

void
cx_object_mask_add_block(CxObjectMask *mask, const uint32_t *numbers,
                         CxBox block, uint32_t number)
{
    CxBox part = cx_box_intersect(block, mask->box);
    int64_t factor = mask->factor.x, base = mask->box.lo.x;

    if (cx_box_is_empty(part))
        return;
    for (int64_t z = part.lo.z; z < part.hi.z; z++)
        for (int64_t y = part.lo.y; y < part.hi.y; y++) {
            CxVoxel first = {part.lo.x, y, z};
            const uint32_t *row = numbers + cx_box_offset(block, first);
            uint8_t *cells = row_of(mask, y, z);

            for (int64_t x = part.lo.x; x < part.hi.x; x++) {
                if (row[x - part.lo.x] == number)
                    cells[(x - base) / factor] = 1;
            }
        }
}
