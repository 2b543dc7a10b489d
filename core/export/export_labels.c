/* The corrected labels of a project as a volume.
 *
 * Supervoxel ids are read slab by slab and mapped through a table taken at the
 * start, so that edits made meanwhile do not leave half of a merge in the
 * file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/hash64.h"
#include "core/export/export_volume.h"
#include "core/volume/writer.h"

static CxHash64 *
take_table(CxSupervoxelGraph *graph)
{
    g_autoptr(GArray) supervoxels = cx_supervoxel_graph_supervoxels(graph);
    CxHash64 *table = cx_hash64_new(supervoxels->len);

    for (guint i = 0; i < supervoxels->len; i++) {
        CxId id = g_array_index(supervoxels, CxSupervoxel, i).id;

        cx_hash64_set(table, id, cx_supervoxel_graph_segment_of(graph, id));
    }
    return table;
}

static void
map_labels(const CxHash64 *table, CxId *labels, size_t n)
{
    CxId last = 0, last_segment = 0;

    for (size_t i = 0; i < n; i++) {
        if (labels[i] != last) {
            last = labels[i];
            last_segment = 0;
            cx_hash64_get(table, last, &last_segment);
        }
        labels[i] = last_segment;
    }
}

static bool
write_slab(CxVolume *supervoxels, const CxHash64 *table, CxBox box,
           CxWriter *writer, GError **error)
{
    g_autoptr(CxChunk) slab = cx_volume_read(supervoxels, 0, box, NULL, error);

    if (slab == NULL)
        return false;
    /* Nobody else has the chunk yet. */
    map_labels(table, cx_chunk_data_mut(slab), cx_chunk_n_voxels(slab));
    return cx_writer_write(writer, slab, error);
}

bool
cx_export_labels(CxProject *project, const char *path, bool overwrite,
                 CxJob *job, uint64_t *size_bytes, GError **error)
{
    CxVolume *supervoxels = cx_project_supervoxels(project);
    CxLevel level = cx_volume_level(supervoxels, 0);
    CxWriterOptions options = {
        .size = level.size,
        .dtype = CX_DTYPE_U64,
        .n_channels = 1,
        .voxel_nm = level.voxel_nm,
        .offset_nm = cx_volume_offset_nm(supervoxels),
        .is_labels = true,
        .overwrite = overwrite,
    };
    g_autoptr(CxWriter) writer = cx_writer_new(path, &options, error);

    if (writer == NULL)
        return false;
    g_autoptr(CxHash64) table = take_table(cx_project_graph(project));
    int64_t depth = cx_writer_slab(writer);
    CxBox slab = cx_box_of_size(level.size);

    for (int64_t z = 0; z < level.size.z; z += depth) {
        slab.lo.z = z;
        slab.hi.z = MIN(z + depth, level.size.z);
        if (!cx_job_step(job, (uint64_t)z, (uint64_t)level.size.z, error) ||
            !write_slab(supervoxels, table, slab, writer, error))
            return false;
    }
    return cx_writer_finish(writer, size_bytes, error);
}
