/* Positions and boxes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/geometry.h"

#include <glib.h>

CxBox
cx_box(CxVoxel lo, CxVoxel hi)
{
    return (CxBox){lo, hi};
}

CxBox
cx_box_of_size(CxVoxel size)
{
    return (CxBox){{0, 0, 0}, size};
}

CxVoxel
cx_box_size(CxBox box)
{
    return (CxVoxel){box.hi.x - box.lo.x, box.hi.y - box.lo.y,
                     box.hi.z - box.lo.z};
}

bool
cx_box_is_empty(CxBox box)
{
    return box.hi.x <= box.lo.x || box.hi.y <= box.lo.y || box.hi.z <= box.lo.z;
}

bool
cx_voxel_equal(CxVoxel a, CxVoxel b)
{
    return a.x == b.x && a.y == b.y && a.z == b.z;
}

bool
cx_box_equal(CxBox a, CxBox b)
{
    return cx_voxel_equal(a.lo, b.lo) && cx_voxel_equal(a.hi, b.hi);
}

bool
cx_box_contains(CxBox box, CxVoxel v)
{
    return v.x >= box.lo.x && v.x < box.hi.x && v.y >= box.lo.y &&
           v.y < box.hi.y && v.z >= box.lo.z && v.z < box.hi.z;
}

bool
cx_box_contains_box(CxBox outer, CxBox inner)
{
    return inner.lo.x >= outer.lo.x && inner.hi.x <= outer.hi.x &&
           inner.lo.y >= outer.lo.y && inner.hi.y <= outer.hi.y &&
           inner.lo.z >= outer.lo.z && inner.hi.z <= outer.hi.z;
}

CxBox
cx_box_intersect(CxBox a, CxBox b)
{
    return (CxBox){
        {MAX(a.lo.x, b.lo.x), MAX(a.lo.y, b.lo.y), MAX(a.lo.z, b.lo.z)},
        {MIN(a.hi.x, b.hi.x), MIN(a.hi.y, b.hi.y), MIN(a.hi.z, b.hi.z)},
    };
}

CxBox
cx_box_union(CxBox a, CxBox b)
{
    if (cx_box_is_empty(a))
        return b;
    if (cx_box_is_empty(b))
        return a;
    return (CxBox){
        {MIN(a.lo.x, b.lo.x), MIN(a.lo.y, b.lo.y), MIN(a.lo.z, b.lo.z)},
        {MAX(a.hi.x, b.hi.x), MAX(a.hi.y, b.hi.y), MAX(a.hi.z, b.hi.z)},
    };
}

CxBox
cx_box_grow(CxBox box, CxVoxel by)
{
    return (CxBox){
        {box.lo.x - by.x, box.lo.y - by.y, box.lo.z - by.z},
        {box.hi.x + by.x, box.hi.y + by.y, box.hi.z + by.z},
    };
}

bool
cx_box_n_voxels(CxBox box, size_t *n)
{
    CxVoxel size = cx_box_size(box);
    size_t area;

    if (size.x < 0 || size.y < 0 || size.z < 0)
        return false;
    return !__builtin_mul_overflow((size_t)size.x, (size_t)size.y, &area) &&
           !__builtin_mul_overflow(area, (size_t)size.z, n);
}

size_t
cx_box_offset(CxBox box, CxVoxel v)
{
    CxVoxel size = cx_box_size(box);

    return (size_t)(((v.z - box.lo.z) * size.y + (v.y - box.lo.y)) * size.x +
                    (v.x - box.lo.x));
}

/* Reads n integers parted by commas; the whole text must be used up. */
static bool
parse_integers(const char *text, int64_t *out, int n)
{
    for (int i = 0; i < n; i++) {
        char *end;

        out[i] = g_ascii_strtoll(text, &end, 10);
        if (end == text || *end != (i + 1 < n ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

bool
cx_box_parse(const char *text, CxBox *box)
{
    int64_t v[6];

    if (!parse_integers(text, v, 6))
        return false;
    *box = (CxBox){{v[0], v[1], v[2]}, {v[3], v[4], v[5]}};
    return true;
}

bool
cx_voxel_parse(const char *text, CxVoxel *voxel)
{
    int64_t v[3];

    if (!parse_integers(text, v, 3))
        return false;
    *voxel = (CxVoxel){v[0], v[1], v[2]};
    return true;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

CxChunkIdx
cx_chunk_of_voxel(CxVoxel v, CxVoxel size)
{
    return (CxChunkIdx){floor_div(v.x, size.x), floor_div(v.y, size.y),
                        floor_div(v.z, size.z)};
}

CxBox
cx_chunk_box_clipped(CxChunkIdx idx, CxVoxel size, CxBox bounds)
{
    CxVoxel lo = {idx.x * size.x, idx.y * size.y, idx.z * size.z};
    CxVoxel hi = {lo.x + size.x, lo.y + size.y, lo.z + size.z};

    return cx_box_intersect(cx_box(lo, hi), bounds);
}

CxBox
cx_box_chunks(CxBox box, CxVoxel size)
{
    CxVoxel last = {box.hi.x - 1, box.hi.y - 1, box.hi.z - 1};

    if (cx_box_is_empty(box))
        return (CxBox){{0, 0, 0}, {0, 0, 0}};

    CxChunkIdx lo = cx_chunk_of_voxel(box.lo, size);
    CxChunkIdx hi = cx_chunk_of_voxel(last, size);
    return (CxBox){{lo.x, lo.y, lo.z}, {hi.x + 1, hi.y + 1, hi.z + 1}};
}

CxNm
cx_voxel_to_nm(CxVoxel v, CxNm voxel_nm, CxNm offset_nm)
{
    return (CxNm){offset_nm.x + (double)v.x * voxel_nm.x,
                  offset_nm.y + (double)v.y * voxel_nm.y,
                  offset_nm.z + (double)v.z * voxel_nm.z};
}
