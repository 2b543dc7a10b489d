/* How long a merge and a split take.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/bench_edits.h"

#include "core/base/alloc.h"
#include "core/base/rng.h"
#include "core/proofread/project_private.h"
#include "core/volume/synthetic.h"

#include <string.h>

/* Side of a segment at the start. */
#define GROUP 5

typedef struct {
    int64_t side;
    CxProject *project;
    CxRng rng;
    GArray *merges, *splits, *undos; /* of double, milliseconds */
} Bench;

static CxId
id_at(const Bench *bench, CxVoxel v)
{
    return (CxId)(1 + v.x + bench->side * (v.y + bench->side * v.z));
}

static CxVoxel
voxel_of(const Bench *bench, int64_t i)
{
    int64_t side = bench->side;

    return (CxVoxel){i % side, i / side % side, i / side / side};
}

static void
add_edges(Bench *bench, CxVoxel v, GArray *edges)
{
    static const CxVoxel steps[] = {
        {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {0, 1, 1}};

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        CxVoxel w = {v.x + steps[i].x, v.y + steps[i].y, v.z + steps[i].z};
        CxEdge edge = {id_at(bench, v), id_at(bench, w),
                       (float)cx_rng_uniform(&bench->rng),
                       1 + (uint32_t)cx_rng_below(&bench->rng, 200)};

        if (w.x < bench->side && w.y < bench->side && w.z < bench->side)
            g_array_append_val(edges, edge);
    }
}

static void
fill_part(Bench *bench, CxGraphPart *part)
{
    int64_t n = bench->side * bench->side * bench->side;

    for (int64_t i = 0; i < n; i++) {
        CxVoxel v = voxel_of(bench, i);
        CxVoxel first = {v.x / GROUP * GROUP, v.y / GROUP * GROUP,
                         v.z / GROUP * GROUP};
        CxSupervoxel supervoxel = {
            id_at(bench, v), 1, {v, {v.x + 1, v.y + 1, v.z + 1}}, v};
        CxId segment = id_at(bench, first);

        g_array_append_val(part->supervoxels, supervoxel);
        g_array_append_val(part->segments, segment);
        add_edges(bench, v, part->edges);
    }
}

static GArray *
encode_labels(Bench *bench, CxJob *job, GError **error)
{
    CxVoxel size = {bench->side, bench->side, bench->side};
    g_autoptr(CxChunk) labels =
        cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(size), 1, error);

    if (labels == NULL)
        return NULL;
    CxId *ids = cx_chunk_data_mut(labels);

    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        ids[i] = i + 1;
    return cx_project_encode_labels(bench->project, labels, job, error);
}

static bool
store(Bench *bench, CxGraphPart *part, const GArray *encoded, GError **error)
{
    CxProject *project = bench->project;
    CxVoxel first = {0, 0, 0};

    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_project_put_chunks(project, encoded, error) &&
        cx_journal_add_part(project->journal, part, error) &&
        cx_journal_add_block(project->journal, first, part->part, error) &&
        cx_project_init_grid(project, project->note.size,
                             part->supervoxels->len, error))
        return cx_journal_commit(project->journal, error);
    cx_journal_rollback(project->journal);
    return false;
}

static bool
fill_project(Bench *bench, CxEditBench *out, CxJob *job, GError **error)
{
    g_auto(CxGraphPart) part = {0};
    g_autoptr(GArray) encoded = encode_labels(bench, job, error);

    if (encoded == NULL)
        return false;
    cx_graph_part_init(&part);
    fill_part(bench, &part);
    out->n_supervoxels = part.supervoxels->len;
    out->n_edges = part.edges->len;
    if (!store(bench, &part, encoded, error))
        return false;
    cx_supervoxel_graph_add(bench->project->graph, part.supervoxels, part.edges,
                            (const CxId *)(void *)part.segments->data);
    return true;
}

static void
note_time(GArray *times, int64_t start_us)
{
    double ms = (double)(g_get_monotonic_time() - start_us) / 1e3;

    g_array_append_val(times, ms);
}

/* Two segments that touch along x are merged and split again, or the merge is
 * undone. */
static bool
edit_once(Bench *bench, bool undo, GError **error)
{
    uint64_t groups = (uint64_t)bench->side / GROUP;
    CxVoxel a = {GROUP * (int64_t)cx_rng_below(&bench->rng, groups - 1) + 2,
                 GROUP * (int64_t)cx_rng_below(&bench->rng, groups) + 2,
                 GROUP * (int64_t)cx_rng_below(&bench->rng, groups) + 2};
    CxVoxel b = {a.x + GROUP, a.y, a.z};
    CxSupervoxelGraph *graph = bench->project->graph;
    CxId keep = cx_supervoxel_graph_segment_of(graph, id_at(bench, a));
    CxId other = cx_supervoxel_graph_segment_of(graph, id_at(bench, b));
    int64_t start = g_get_monotonic_time();

    if (keep == other)
        return true;
    g_autoptr(CxEdit) merge =
        cx_project_merge(bench->project, keep, other, b, error);

    if (merge == NULL)
        return false;
    note_time(bench->merges, start);
    start = g_get_monotonic_time();
    g_autoptr(CxEdit) back = undo ? cx_project_undo(bench->project, error)
                                  : cx_project_split(bench->project, keep, &a,
                                                     1, &b, 1, NULL, error);

    if (back == NULL)
        return false;
    note_time(undo ? bench->undos : bench->splits, start);
    return true;
}

static int
compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double
quantile(GArray *times, double q)
{
    if (times->len == 0)
        return 0;
    g_array_sort(times, compare_doubles);
    guint at = (guint)(q * times->len);

    return g_array_index(times, double, MIN(at, times->len - 1));
}

static void
sum_up(Bench *bench, CxEditBench *out)
{
    g_autoptr(GArray) all = g_array_copy(bench->merges);

    g_array_append_vals(all, bench->splits->data, bench->splits->len);
    out->n_edits = all->len;
    out->p50_ms = quantile(all, 0.5);
    out->p99_ms = quantile(all, 0.99);
    out->merge_p50_ms = quantile(bench->merges, 0.5);
    out->merge_p99_ms = quantile(bench->merges, 0.99);
    out->split_p50_ms = quantile(bench->splits, 0.5);
    out->split_p99_ms = quantile(bench->splits, 0.99);
    out->undo_p50_ms = quantile(bench->undos, 0.5);
}

static bool
run(Bench *bench, unsigned n_edits, CxEditBench *out, CxJob *job,
    GError **error)
{
    for (unsigned i = 0; bench->splits->len < n_edits; i++) {
        if (!edit_once(bench, i % 4 == 3, error) ||
            !cx_job_step(job, bench->splits->len, n_edits, error))
            return false;
    }
    sum_up(bench, out);
    return true;
}

static CxProject *
create(const char *path, int64_t side, GError **error)
{
    g_autoptr(CxChunk) pixels = cx_chunk_new(
        CX_DTYPE_U8, cx_box_of_size((CxVoxel){side, side, side}), 1, error);

    if (pixels == NULL)
        return NULL;
    memset(cx_chunk_data_mut(pixels), 0, cx_chunk_size_bytes(pixels));
    g_autoptr(CxVolume) image = cx_volume_from_chunk(pixels, (CxNm){10, 10, 10},
                                                     (CxNm){0, 0, 0}, false);

    return cx_project_create(path, image, error);
}

static bool
bench_at(const char *path, const CxEditBenchOptions *options, CxEditBench *out,
         CxJob *job, GError **error)
{
    g_autoptr(GArray) merges = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) splits = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) undos = g_array_new(FALSE, FALSE, sizeof(double));
    Bench bench = {.side = options->side > 0 ? options->side : 100,
                   .merges = merges,
                   .splits = splits,
                   .undos = undos};
    unsigned n_edits = options->n_edits > 0 ? options->n_edits : 200;

    cx_rng_init(&bench.rng, 1);
    bench.project = create(path, bench.side, error);
    if (bench.project == NULL)
        return false;
    bool ok = fill_project(&bench, out, job, error) &&
              run(&bench, n_edits, out, job, error);

    cx_project_unref(bench.project);
    if (!ok)
        return false;
    int64_t start = g_get_monotonic_time();
    g_autoptr(CxProject) again = cx_project_open(path, false, NULL, error);

    out->open_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    return again != NULL;
}

bool
cx_bench_edits(const CxEditBenchOptions *options, CxEditBench *bench,
               CxJob *job, GError **error)
{
    g_autofree char *name = g_strdup_printf("connexon-bench-%08x.connexon",
                                            (unsigned)g_random_int());
    g_autofree char *path = g_build_filename(
        options->dir != NULL ? options->dir : g_get_tmp_dir(), name, NULL);

    memset(bench, 0, sizeof *bench);
    bool ok = bench_at(path, options, bench, job, error);

    cx_project_delete_files(path);
    return ok;
}
