/* Stages over voxels, measured: watershed, components, meshes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/bench.h"
#include "core/base/alloc.h"
#include "core/base/hash64.h"
#include "core/mesh/mesh_builder.h"
#include "core/segmentation/components.h"
#include "core/segmentation/relabel.h"
#include "core/segmentation/watershed.h"
#include "core/skeleton/skeletonise.h"
#include "core/volume/synthetic.h"

#include <string.h>

/* Voxels this far from the lowest are seeds of the flood. */
#define SEED_HEIGHT 64

static unsigned
n_runs(const CxcliContext *context)
{
    return (unsigned)CLAMP(cxcli_integer(context, "runs", 3), 1, 1000);
}

static void
report_speed(CxcliContext *context, const CxChunk *chunk, GArray *seconds)
{
    double median = cxcli_median(seconds);

    cxcli_report_real(context->report, "mvox_per_s",
                      (double)cx_chunk_n_voxels(chunk) * 1e-6 / median);
    cxcli_report_real(context->report, "median_seconds", median);
    cxcli_report_integer(context->report, "runs", seconds->len);
}

/* Pieces of what is low, as seeds (u32) in labels. */
static bool
find_seeds(CxChunk *relief, uint32_t *labels, GError **error)
{
    CxBox box = cx_box_of_size(cx_box_size(cx_chunk_box(relief)));
    g_autoptr(CxChunk) low = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    size_t n = cx_chunk_n_voxels(relief);

    if (low == NULL)
        return false;
    const uint8_t *height = cx_chunk_data(relief);
    CxId *is_low = cx_chunk_data_mut(low);
    for (size_t i = 0; i < n; i++)
        is_low[i] = height[i] < SEED_HEIGHT;
    g_autoptr(CxChunk) pieces =
        cx_components_of_chunk(low, 6, NULL, NULL, error);
    if (pieces == NULL)
        return false;
    const CxId *ids = cx_chunk_data(pieces);
    for (size_t i = 0; i < n; i++)
        labels[i] = (uint32_t)ids[i];
    return true;
}

bool
cxcli_bench_watershed(CxcliContext *context, GError **error)
{
    g_autoptr(CxChunk) relief = cxcli_bench_input(context, false, error);
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));

    if (relief == NULL)
        return false;
    size_t n = cx_chunk_n_voxels(relief);
    CX_AUTOFREE uint32_t *seeds = cx_try_alloc(n, sizeof(uint32_t), error);
    CX_AUTOFREE uint32_t *labels = cx_try_alloc(n, sizeof(uint32_t), error);
    if (seeds == NULL || labels == NULL || !find_seeds(relief, seeds, error))
        return false;
    for (unsigned i = 0; i < n_runs(context); i++) {
        memcpy(labels, seeds, n * sizeof(uint32_t));
        double start = cxcli_seconds();
        if (!cx_watershed_flood(cx_chunk_data(relief),
                                cx_box_size(cx_chunk_box(relief)), labels,
                                context->job, error))
            return false;
        double spent = cxcli_seconds() - start;
        g_array_append_val(seconds, spent);
    }
    report_speed(context, relief, seconds);
    return true;
}

bool
cxcli_bench_components(CxcliContext *context, GError **error)
{
    unsigned connectivity =
        (unsigned)cxcli_integer(context, "connectivity", 26);
    g_autoptr(CxChunk) labels = cxcli_bench_input(context, true, error);
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
    uint64_t count = 0;

    if (labels == NULL)
        return false;
    if (connectivity != 6 && connectivity != 18 && connectivity != 26) {
        cxcli_set_usage_error(error, "--connectivity: expected 6, 18 or 26");
        return false;
    }
    for (unsigned i = 0; i < n_runs(context); i++) {
        double start = cxcli_seconds();
        g_autoptr(CxChunk) pieces = cx_components_of_chunk(
            labels, connectivity, &count, context->job, error);
        double spent = cxcli_seconds() - start;

        if (pieces == NULL)
            return false;
        g_array_append_val(seconds, spent);
    }
    report_speed(context, labels, seconds);
    cxcli_report_integer(context->report, "count", (int64_t)count);
    return true;
}

/* Every label becomes its own hash, as a table of segments would have it. */
static CxRelabel *
make_table(const CxChunk *labels)
{
    g_autoptr(CxHash64) seen = cx_hash64_new(1024);
    g_autoptr(GArray) from = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_autoptr(GArray) to = g_array_new(FALSE, FALSE, sizeof(CxId));
    const CxId *ids = cx_chunk_data(labels);
    bool was_new;

    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++) {
        CxId other = cx_hash64_mix(ids[i]);

        if (ids[i] == 0 || (i > 0 && ids[i] == ids[i - 1]))
            continue;
        cx_hash64_at(seen, ids[i], 1, &was_new);
        if (!was_new)
            continue;
        g_array_append_val(from, ids[i]);
        g_array_append_val(to, other);
    }
    return cx_relabel_new((const CxId *)from->data, (const CxId *)to->data,
                          from->len);
}

bool
cxcli_bench_relabel(CxcliContext *context, GError **error)
{
    g_autoptr(CxChunk) labels = cxcli_bench_input(context, true, error);
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));

    if (labels == NULL)
        return false;
    size_t n = cx_chunk_n_voxels(labels);
    g_autoptr(CxRelabel) table = make_table(labels);
    CX_AUTOFREE CxId *out = cx_try_alloc(n, sizeof(CxId), error);
    if (out == NULL)
        return false;
    for (unsigned i = 0; i < n_runs(context); i++) {
        double start = cxcli_seconds();
        cx_relabel_apply(table, cx_chunk_data(labels), out, n);
        double spent = cxcli_seconds() - start;

        g_array_append_val(seconds, spent);
    }
    report_speed(context, labels, seconds);
    return true;
}

static bool
count_triangles(CxId id, CxMesh *mesh, void *data, GError **error)
{
    *(uint64_t *)data += mesh->n_triangles;
    cx_mesh_free(mesh);
    return true;
}

bool
cxcli_bench_mesh(CxcliContext *context, GError **error)
{
    CxNm voxel_nm = {10.0, 10.0, 10.0}, origin = {0.0, 0.0, 0.0};
    g_autoptr(CxChunk) labels = cxcli_bench_input(context, true, error);
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
    CxMeshOptions options = cx_mesh_defaults();
    uint64_t n_triangles = 0;

    if (labels == NULL)
        return false;
    options.n_threads = context->n_threads;
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(labels, voxel_nm, origin, true);
    for (unsigned i = 0; i < n_runs(context); i++) {
        g_autoptr(CxMeshBuilder) builder =
            cx_mesh_builder_new(volume, &options);
        double start = cxcli_seconds();

        n_triangles = 0;
        if (!cx_mesh_builder_all(builder, count_triangles, &n_triangles,
                                 context->job, error))
            return false;
        double spent = cxcli_seconds() - start;
        g_array_append_val(seconds, spent);
    }
    report_speed(context, labels, seconds);
    cxcli_report_integer(context->report, "triangles", (int64_t)n_triangles);
    return true;
}

static bool
count_nodes(CxId id, CxSkeleton *skeleton, void *data, GError **error)
{
    *(uint64_t *)data += cx_skeleton_n_nodes(skeleton);
    cx_skeleton_free(skeleton);
    return true;
}

bool
cxcli_bench_skeleton(CxcliContext *context, GError **error)
{
    CxNm voxel_nm = {10.0, 10.0, 10.0}, origin = {0.0, 0.0, 0.0};
    g_autoptr(CxChunk) labels = cxcli_bench_input(context, true, error);
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
    CxSkeletonOptions options = cx_skeleton_defaults();
    uint64_t n_nodes = 0;

    if (labels == NULL)
        return false;
    options.n_threads = context->n_threads;
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(labels, voxel_nm, origin, true);
    for (unsigned i = 0; i < n_runs(context); i++) {
        double start = cxcli_seconds();

        n_nodes = 0;
        if (!cx_skeletonise_all(volume, 1000, &options, count_nodes, &n_nodes,
                                context->job, error))
            return false;
        double spent = cxcli_seconds() - start;
        g_array_append_val(seconds, spent);
    }
    report_speed(context, labels, seconds);
    cxcli_report_integer(context->report, "nodes", (int64_t)n_nodes);
    return true;
}
