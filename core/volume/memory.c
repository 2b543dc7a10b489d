/* A volume in memory over one chunk.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/reader.h"
#include "core/volume/synthetic.h"

static bool
read_box(void *self, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    cx_chunk_copy_overlap(dst, self);
    return true;
}

static void
free_chunk(void *self)
{
    cx_chunk_unref(self);
}

static const CxReader memory_reader = {
    .name = "memory",
    .read = read_box,
    .free = free_chunk,
};

CxVolume *
cx_volume_from_chunk(CxChunk *chunk, CxNm voxel_nm, CxNm offset_nm,
                     bool is_labels)
{
    CxBox box = cx_chunk_box(chunk);
    CxVoxel size = cx_box_size(box);
    CxVolumeInfo info = {
        .dtype = cx_chunk_dtype(chunk),
        .n_channels = cx_chunk_n_channels(chunk),
        .n_levels = 1,
        .levels = {{size, size, voxel_nm}},
        .offset_nm = offset_nm,
        .has_voxel_size = true,
        .is_labels = is_labels,
    };

    g_return_val_if_fail(!cx_box_is_empty(box), NULL);
    g_return_val_if_fail(box.lo.x == 0 && box.lo.y == 0 && box.lo.z == 0, NULL);
    return cx_volume_new(&memory_reader, cx_chunk_ref(chunk), &info, "memory");
}
