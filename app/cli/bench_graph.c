/* Stages over the graph, measured: agglomeration and edits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/bench.h"
#include "core/base/rng.h"
#include "core/segmentation/agglomerate.h"
#include "core/volume/synthetic.h"

#include <math.h>

/* Smallest cube of cells that holds n. */
static int64_t
side_of(uint64_t n)
{
    int64_t side = (int64_t)cbrt((double)n);

    while ((uint64_t)(side * side * side) < n)
        side++;
    return MAX(side, 2);
}

static CxId
id_at(int64_t side, int64_t x, int64_t y, int64_t z)
{
    return (CxId)(x + side * (y + side * z)) + 1;
}

/* The three edges from a cell of a grid to its later neighbours. */
static void
add_edges(GArray *edges, int64_t side, int64_t x, int64_t y, int64_t z,
          CxRng *rng)
{
    CxId a = id_at(side, x, y, z);
    CxId others[3] = {
        x + 1 < side ? id_at(side, x + 1, y, z) : 0,
        y + 1 < side ? id_at(side, x, y + 1, z) : 0,
        z + 1 < side ? id_at(side, x, y, z + 1) : 0,
    };

    for (unsigned i = 0; i < 3; i++) {
        CxEdge edge = {a, others[i], (float)cx_rng_uniform(rng),
                       1 + (uint32_t)cx_rng_below(rng, 100)};

        if (others[i] != 0)
            g_array_append_val(edges, edge);
    }
}

bool
cxcli_bench_agglomerate(CxcliContext *context, GError **error)
{
    int64_t side = side_of(
        CLAMP(cxcli_integer(context, "supervoxels", 200000), 8, 50000000));
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, FALSE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    GArray *tree = NULL;
    CxAgglomerateOptions options = {.threshold = 0.5, .tree_threshold = 0.5};
    CxRng rng;

    cx_rng_init(&rng, 1);
    for (int64_t z = 0; z < side; z++)
        for (int64_t y = 0; y < side; y++)
            for (int64_t x = 0; x < side; x++) {
                CxSupervoxel cell = {.id = id_at(side, x, y, z),
                                     .n_voxels = 1000};

                g_array_append_val(supervoxels, cell);
                add_edges(edges, side, x, y, z, &rng);
            }
    double start = cxcli_seconds();
    g_autoptr(GArray) segments = cx_agglomerate(
        supervoxels, edges, NULL, &options, &tree, context->job, error);
    double seconds = cxcli_seconds() - start;
    if (segments == NULL)
        return false;
    cxcli_report_real(context->report, "merges_per_s", tree->len / seconds);
    cxcli_report_integer(context->report, "merges", tree->len);
    cxcli_report_integer(context->report, "edges", edges->len);
    cxcli_report_real(context->report, "seconds", seconds);
    g_array_unref(tree);
    return true;
}

/* Cells of 2³ voxels, each a label. */
static CxVolume *
make_labels(int64_t side, GError **error)
{
    CxBox box = cx_box_of_size((CxVoxel){2 * side, 2 * side, 2 * side});
    CxNm voxel_nm = {10.0, 10.0, 10.0}, origin = {0.0, 0.0, 0.0};
    g_autoptr(CxChunk) chunk = cx_chunk_new(CX_DTYPE_U64, box, 1, error);

    if (chunk == NULL)
        return NULL;
    CxId *to = cx_chunk_data_mut(chunk);
    for (int64_t z = 0; z < box.hi.z; z++)
        for (int64_t y = 0; y < box.hi.y; y++)
            for (int64_t x = 0; x < box.hi.x; x++)
                *to++ = id_at(side, x / 2, y / 2, z / 2);
    return cx_volume_from_chunk(chunk, voxel_nm, origin, true);
}

/* A random pair of neighbours that are not one segment yet. */
static void
choose_pair(CxSupervoxelGraph *graph, int64_t side, CxRng *rng, CxId *a,
            CxId *b)
{
    do {
        int64_t x = (int64_t)cx_rng_below(rng, (uint64_t)side - 1);
        int64_t y = (int64_t)cx_rng_below(rng, (uint64_t)side);
        int64_t z = (int64_t)cx_rng_below(rng, (uint64_t)side);

        *a = cx_supervoxel_graph_segment_of(graph, id_at(side, x, y, z));
        *b = cx_supervoxel_graph_segment_of(graph, id_at(side, x + 1, y, z));
    } while (*a == *b);
}

static bool
measure_edits(CxcliContext *context, CxProject *project, int64_t side,
              unsigned n, GError **error)
{
    g_autoptr(GArray) merges = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) undos = g_array_new(FALSE, FALSE, sizeof(double));
    CxSupervoxelGraph *graph = cx_project_graph(project);
    CxVoxel at = {0, 0, 0};
    CxRng rng;

    cx_rng_init(&rng, 1);
    for (unsigned i = 0; i < n; i++) {
        CxId a, b;

        choose_pair(graph, side, &rng, &a, &b);
        double start = cxcli_seconds();
        g_autoptr(CxEdit) edit = cx_project_merge(project, a, b, at, error);
        double spent = cxcli_seconds() - start;
        if (edit == NULL || !cx_job_step(context->job, i, 2 * n, error))
            return false;
        g_array_append_val(merges, spent);
    }
    for (unsigned i = 0; i < n; i++) {
        double start = cxcli_seconds();
        g_autoptr(CxEdit) edit = cx_project_undo(project, error);
        double spent = cxcli_seconds() - start;

        if (edit == NULL || !cx_job_step(context->job, n + i, 2 * n, error))
            return false;
        g_array_append_val(undos, spent);
    }
    CxcliReport *report = context->report;
    cxcli_report_real(report, "p50_ms", cxcli_quantile(merges, 0.50) * 1e3);
    cxcli_report_real(report, "p99_ms", cxcli_quantile(merges, 0.99) * 1e3);
    cxcli_report_real(report, "undo_p50_ms", cxcli_quantile(undos, 0.5) * 1e3);
    cxcli_report_real(report, "undo_p99_ms", cxcli_quantile(undos, 0.99) * 1e3);
    cxcli_report_integer(report, "runs", n);
    return true;
}

bool
cxcli_bench_edits(CxcliContext *context, GError **error)
{
    int64_t side = side_of(
        CLAMP(cxcli_integer(context, "supervoxels", 1000000), 8, 8000000));
    unsigned n = (unsigned)CLAMP(cxcli_integer(context, "runs", 500), 1,
                                 (uint64_t)(side * side));
    g_autoptr(CxVolume) labels = make_labels(side, error);
    g_autofree char *name = g_strdup_printf("connexon-bench-%08x.connexon",
                                            (unsigned)g_random_int());

    if (labels == NULL)
        return false;
    cx_job_stage(context->job, "making the project", 0.0, 0.5);
    g_autoptr(CxProject) project = cx_project_create(name, labels, error);
    bool done = project != NULL &&
                cx_project_import_labels(project, labels, context->job, error);
    if (done) {
        cxcli_report_integer(context->report, "supervoxels",
                             side * side * side);
        cx_job_stage(context->job, "editing", 0.5, 1.0);
        done = measure_edits(context, project, side, n, error);
    }
    g_clear_pointer(&project, cx_project_unref);
    cx_project_delete_files(name);
    return done;
}
