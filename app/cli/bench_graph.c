/* Stages over the graph, measured: agglomeration and edits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/bench.h"
#include "core/base/rng.h"
#include "core/proofread/bench_edits.h"
#include "core/segmentation/agglomerate.h"

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

/* The number of supervoxels is rounded to a cube; the project lies in the
 * current folder, whose disk is what is measured. */
bool
cxcli_bench_edits(CxcliContext *context, GError **error)
{
    CxEditBenchOptions options = {
        .side = (unsigned)side_of(CLAMP(
            cxcli_integer(context, "supervoxels", 1000000), 1000, 8000000)),
        .n_edits =
            (unsigned)CLAMP(cxcli_integer(context, "runs", 200), 1, 100000),
        .dir = ".",
    };
    CxEditBench bench;
    CxcliReport *report = context->report;

    if (!cx_bench_edits(&options, &bench, context->job, error))
        return false;
    cxcli_report_integer(report, "supervoxels", bench.n_supervoxels);
    cxcli_report_integer(report, "edges", bench.n_edges);
    cxcli_report_real(report, "p50_ms", bench.p50_ms);
    cxcli_report_real(report, "p99_ms", bench.p99_ms);
    cxcli_report_real(report, "merge_p50_ms", bench.merge_p50_ms);
    cxcli_report_real(report, "merge_p99_ms", bench.merge_p99_ms);
    cxcli_report_real(report, "split_p50_ms", bench.split_p50_ms);
    cxcli_report_real(report, "split_p99_ms", bench.split_p99_ms);
    cxcli_report_real(report, "undo_p50_ms", bench.undo_p50_ms);
    cxcli_report_real(report, "open_seconds", bench.open_seconds);
    cxcli_report_integer(report, "runs", bench.n_edits);
    return true;
}
