/* Blocks of fixed size, cut out of a slab.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/block.h"

#include <glib.h>
#include <string.h>

static bool
has_content(const uint8_t *bytes, size_t n)
{
    return n > 0 && (bytes[0] != 0 || memcmp(bytes, bytes + 1, n - 1) != 0);
}

bool
cx_block_pack(const CxChunk *slab, unsigned channel, CxVoxel lo, CxVoxel size,
              void *dst)
{
    CxBox box = cx_chunk_box(slab);
    CxBox block = {lo, {lo.x + size.x, lo.y + size.y, lo.z + size.z}};
    CxBox common = cx_box_intersect(box, block);
    size_t sample = cx_dtype_size_bytes(cx_chunk_dtype(slab));
    size_t n_bytes = (size_t)(size.x * size.y * size.z) * sample;
    const uint8_t *from = cx_chunk_channel(slab, channel);

    if (!cx_box_equal(common, block))
        memset(dst, 0, n_bytes);
    if (cx_box_is_empty(common))
        return false;
    for (int64_t z = common.lo.z; z < common.hi.z; z++) {
        for (int64_t y = common.lo.y; y < common.hi.y; y++) {
            CxVoxel at = {common.lo.x, y, z};

            memcpy((uint8_t *)dst + cx_box_offset(block, at) * sample,
                   from + cx_box_offset(box, at) * sample,
                   (size_t)(common.hi.x - common.lo.x) * sample);
        }
    }
    return has_content(dst, n_bytes);
}

void
cx_block_swap(void *bytes, size_t n_bytes, size_t sample)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i + sample <= n_bytes; i += sample, at += sample) {
        for (size_t a = 0, b = sample - 1; a < b; a++, b--) {
            uint8_t byte = at[a];

            at[a] = at[b];
            at[b] = byte;
        }
    }
}

void
cx_block_to_little_endian(void *bytes, size_t n_bytes, size_t sample)
{
    if (G_BYTE_ORDER != G_LITTLE_ENDIAN)
        cx_block_swap(bytes, n_bytes, sample);
}
