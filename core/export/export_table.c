/* Tables of a project as CSV.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_table.h"

#include "core/export/csv.h"

static void
append_voxel(GString *line, CxVoxel voxel)
{
    cx_csv_append_i64(line, voxel.x);
    cx_csv_append_i64(line, voxel.y);
    cx_csv_append_i64(line, voxel.z);
}

static bool
write_segment(CxProject *project, const CxSegment *segment, double voxel_um3,
              CxExportFile *file, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *note = cx_project_dup_note(project, segment->id);

    cx_csv_append_u64(line, segment->id);
    cx_csv_append_u64(line, segment->n_supervoxels);
    cx_csv_append_u64(line, segment->n_voxels);
    cx_csv_append_double(line, (double)segment->n_voxels * voxel_um3);
    append_voxel(line, segment->box.lo);
    append_voxel(line, segment->box.hi);
    append_voxel(line, segment->inside);
    cx_csv_append_u64(line, cx_project_is_locked(project, segment->id));
    cx_csv_append(line, note);
    g_string_append_c(line, '\n');
    return cx_export_file_write(file, line->str, line->len, error);
}

bool
cx_export_table(CxProject *project, CxExportFile *file, CxJob *job,
                GError **error)
{
    g_autoptr(GArray) segments =
        cx_supervoxel_graph_segments(cx_project_graph(project));
    CxNm nm = cx_volume_level(cx_project_segments(project), 0).voxel_nm;
    double voxel_um3 = nm.x * nm.y * nm.z * 1e-9;

    if (!cx_export_file_puts(file,
                             "segment,supervoxels,voxels,volume_um3,x0,y0,z0,"
                             "x1,y1,z1,x,y,z,locked,note\n",
                             error))
        return false;
    for (guint i = 0; i < segments->len; i++) {
        if (!write_segment(project, &g_array_index(segments, CxSegment, i),
                           voxel_um3, file, error) ||
            !cx_job_step(job, i, segments->len, error))
            return false;
    }
    return true;
}

bool
cx_export_graph(CxProject *project, CxExportFile *file, CxJob *job,
                GError **error)
{
    CxSupervoxelGraph *graph = cx_project_graph(project);
    g_autoptr(GArray) edges = cx_supervoxel_graph_all_edges(graph);

    if (!cx_export_file_puts(
            file, "a,b,affinity,contacts,segment_a,segment_b\n", error))
        return false;
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);
        g_autoptr(GString) line = g_string_new(NULL);

        cx_csv_append_u64(line, edge->a);
        cx_csv_append_u64(line, edge->b);
        cx_csv_append_double(line, (double)edge->affinity);
        cx_csv_append_u64(line, edge->contacts);
        cx_csv_append_u64(line, cx_supervoxel_graph_segment_of(graph, edge->a));
        cx_csv_append_u64(line, cx_supervoxel_graph_segment_of(graph, edge->b));
        g_string_append_c(line, '\n');
        if (!cx_export_file_write(file, line->str, line->len, error) ||
            !cx_job_step(job, i, edges->len, error))
            return false;
    }
    return true;
}
