/* The pipeline over predictions drawn from known truth.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/metrics/contingency.h"
#include "core/metrics/truth.h"
#include "core/segmentation/pipeline.h"
#include "core/segmentation/relabel.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* Cells around random centres, and the affinities that follow, with noise. */
typedef struct {
    CxVoxel size;
    CxChunk *truth;      /* u64 */
    CxChunk *prediction; /* over everything */
    CxOutput outputs[3];
    unsigned n_outputs;
    bool sections;
    unsigned delay_ms;
} World;

static void
draw_truth(World *world, CxRng *rng, unsigned n_cells, double z_scale)
{
    g_autofree double *at = g_new(double, 3 * n_cells);
    CxBox box = cx_box_of_size(world->size);
    size_t i = 0;

    world->truth = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    CxId *truth = cx_chunk_data_mut(world->truth);
    for (unsigned c = 0; c < n_cells; c++) {
        at[3 * c] = cx_rng_uniform(rng) * (double)box.hi.x;
        at[3 * c + 1] = cx_rng_uniform(rng) * (double)box.hi.y;
        at[3 * c + 2] = cx_rng_uniform(rng) * (double)box.hi.z;
    }
    for (int64_t z = 0; z < box.hi.z; z++)
        for (int64_t y = 0; y < box.hi.y; y++)
            for (int64_t x = 0; x < box.hi.x; x++, i++) {
                double best = INFINITY;
                for (unsigned c = 0; c < n_cells; c++) {
                    double dx = at[3 * c] - (double)x;
                    double dy = at[3 * c + 1] - (double)y;
                    double dz = (at[3 * c + 2] - (double)z) * z_scale;
                    double d = dx * dx + dy * dy + dz * dz;
                    if (d < best) {
                        best = d;
                        truth[i] = c + 1;
                    }
                }
            }
}

static uint8_t
noisy(CxRng *rng, bool high)
{
    uint8_t noise = (uint8_t)cx_rng_below(rng, 60);

    return high ? (uint8_t)(255 - noise) : noise;
}

static bool
is_border(const World *world, int64_t i, bool in_section)
{
    CxVoxel n = world->size;
    const CxId *truth = cx_chunk_data(world->truth);
    int64_t at[3] = {i % n.x, i / n.x % n.y, i / (n.x * n.y)};
    int64_t size[3] = {n.x, n.y, n.z};
    int64_t steps[3] = {1, n.x, n.x * n.y};

    for (int a = 0; a < (in_section ? 2 : 3); a++) {
        if ((at[a] > 0 && truth[i - steps[a]] != truth[i]) ||
            (at[a] + 1 < size[a] && truth[i + steps[a]] != truth[i]))
            return true;
    }
    return false;
}

/* Low where either voxel of the pair is at a border. */
static void
predict_affinities(World *world, CxRng *rng)
{
    CxVoxel n = world->size;
    int64_t total = n.x * n.y * n.z, steps[3] = {1, n.x, n.x * n.y};

    world->n_outputs = 3;
    world->prediction = cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(n), 3, NULL);
    uint8_t *to = cx_chunk_data_mut(world->prediction);
    for (unsigned a = 0; a < 3; a++) {
        world->outputs[a] =
            (CxOutput){CX_OUTPUT_AFFINITY, {a == 0, a == 1, a == 2}};
        for (int64_t i = 0; i < total; i++) {
            int64_t next = MIN(i + steps[a], total - 1);
            *to++ = noisy(rng, !is_border(world, i, false) &&
                                   !is_border(world, next, false));
        }
    }
}

/* Membrane where a neighbour within the section is another cell. */
static void
predict_boundary(World *world, CxRng *rng)
{
    CxVoxel n = world->size;

    world->n_outputs = 1;
    world->sections = true;
    world->outputs[0] = (CxOutput){CX_OUTPUT_BOUNDARY, {0, 0, 0}};
    world->prediction = cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(n), 1, NULL);
    uint8_t *to = cx_chunk_data_mut(world->prediction);
    for (int64_t i = 0; i < n.x * n.y * n.z; i++)
        to[i] = noisy(rng, is_border(world, i, true));
}

static void
world_clear(World *world)
{
    cx_chunk_unref(world->truth);
    cx_chunk_unref(world->prediction);
}

static CxChunk *
predict(void *self, CxBox box, CxJob *job, GError **error)
{
    World *world = self;
    CxChunk *out = cx_chunk_new(CX_DTYPE_U8, box, world->n_outputs, error);

    cx_chunk_copy_overlap(out, world->prediction);
    for (unsigned ms = 0; ms < world->delay_ms; ms += 10) {
        g_usleep(10000);
        if (!cx_job_step(job, ms, world->delay_ms, error)) {
            cx_chunk_unref(out);
            return NULL;
        }
    }
    return out;
}

static double
parameter(void *self, const char *name, double otherwise)
{
    return otherwise;
}

static CxPipeline *
pipeline_of(World *world, CxVoxel block, unsigned n_threads)
{
    CxPipelineSource source = {
        .bounds = cx_box_of_size(world->size),
        .voxel_nm = world->sections ? (CxNm){4, 4, 40} : (CxNm){8, 8, 8},
        .outputs = world->outputs,
        .n_outputs = world->n_outputs,
        .method = world->sections ? "sections" : "volume",
        .predict = predict,
        .parameter = parameter,
        .self = world,
    };
    CxPipelineOptions options = cx_pipeline_defaults();

    options.block = block;
    options.n_threads = n_threads;
    return cx_pipeline_new_from_source(&source, &options);
}

/* Collects the labels of all blocks. */
static bool
collect(CxVoxel index, CxChunk *labels, void *data, GError **error)
{
    cx_chunk_copy_overlap(data, labels);
    return true;
}

typedef struct {
    CxChunk *labels;
    CxSegmentation *segmentation;
    CxScores scores;
} Result;

static void
result_clear(Result *result)
{
    cx_chunk_unref(result->labels);
    cx_segmentation_free(result->segmentation);
}

static Result
run_all(World *world, CxVoxel block, unsigned n_threads)
{
    g_autoptr(CxPipeline) pipeline = pipeline_of(world, block, n_threads);
    CxBox box = cx_box_of_size(world->size);
    g_autoptr(GError) error = NULL;
    Result r = {.labels = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL)};

    r.segmentation =
        cx_pipeline_run_box(pipeline, box, collect, r.labels, NULL, &error);
    g_assert_no_error(error);
    GArray *nodes = r.segmentation->supervoxels;
    g_autofree CxId *ids = g_new(CxId, nodes->len);
    for (guint i = 0; i < nodes->len; i++)
        ids[i] = g_array_index(nodes, CxSupervoxel, i).id;
    g_autoptr(CxRelabel) relabel = cx_relabel_new(
        ids, (const CxId *)(void *)r.segmentation->segments->data, nodes->len);
    g_autoptr(CxChunk) segments = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    cx_relabel_apply(relabel, cx_chunk_data(r.labels),
                     cx_chunk_data_mut(segments), cx_chunk_n_voxels(segments));
    g_autoptr(CxContingency) table = cx_contingency_new();
    g_autoptr(CxChunk) truth = cx_truth_without_border(
        world->truth, box, world->sections ? 0 : 2, NULL);
    cx_contingency_add(table, truth, segments);
    r.scores = cx_contingency_scores(table);
    g_test_message("%u supervoxels, VOI %.3f + %.3f", nodes->len,
                   r.scores.voi_split, r.scores.voi_merge);
    return r;
}

static World
volume_world(CxVoxel size, unsigned n_cells)
{
    CxRng rng = cx_test_rng();
    World world = {.size = size};

    draw_truth(&world, &rng, n_cells, 1);
    predict_affinities(&world, &rng);
    return world;
}

static void
assert_same(const Result *a, const Result *b)
{
    g_assert_cmpmem(cx_chunk_data(a->labels), cx_chunk_size_bytes(a->labels),
                    cx_chunk_data(b->labels), cx_chunk_size_bytes(b->labels));
    GArray *x = a->segmentation->edges, *y = b->segmentation->edges;
    g_assert_cmpuint(x->len, ==, y->len);
    for (guint i = 0; i < x->len; i++) {
        CxEdge e = g_array_index(x, CxEdge, i), f = g_array_index(y, CxEdge, i);
        g_assert_true(e.a == f.a && e.b == f.b && e.affinity == f.affinity &&
                      e.contacts == f.contacts);
    }
}

/* Nearly perfect predictions give back the truth, in one block and in many,
 * and the threads do not matter. */
static void
test_volume(void)
{
    World world = volume_world((CxVoxel){72, 66, 60}, 50);
    Result one = run_all(&world, (CxVoxel){0, 0, 0}, 1);
    Result two = run_all(&world, (CxVoxel){0, 0, 0}, 2);
    Result many = run_all(&world, (CxVoxel){32, 24, 25}, 1);
    Result again = run_all(&world, (CxVoxel){32, 24, 25}, 2);

    assert_same(&one, &two);
    assert_same(&many, &again);
    g_assert_cmpfloat(one.scores.voi_split + one.scores.voi_merge, <, 0.25);
    g_assert_cmpfloat(many.scores.voi_split + many.scores.voi_merge, <, 0.35);
    result_clear(&one);
    result_clear(&two);
    result_clear(&many);
    result_clear(&again);
    world_clear(&world);
}

static void
test_sections(void)
{
    CxRng rng = cx_test_rng();
    World world = {.size = {120, 110, 14}};

    draw_truth(&world, &rng, 30, 2);
    predict_boundary(&world, &rng);
    Result one = run_all(&world, (CxVoxel){0, 0, 0}, 1);
    Result two = run_all(&world, (CxVoxel){0, 0, 0}, 2);
    Result slabs = run_all(&world, (CxVoxel){120, 110, 5}, 2);
    Result many = run_all(&world, (CxVoxel){64, 64, 5}, 1);

    assert_same(&one, &two);
    g_assert_cmpfloat(one.scores.voi_split + one.scores.voi_merge, <, 0.7);
    /* The last section of a block is linked as any other. */
    g_assert_cmpfloat(ABS(slabs.scores.voi_split - one.scores.voi_split), <,
                      0.02);
    g_assert_cmpfloat(ABS(slabs.scores.voi_merge - one.scores.voi_merge), <,
                      0.02);
    g_assert_cmpfloat(many.scores.voi_split + many.scores.voi_merge, <, 1.0);
    result_clear(&one);
    result_clear(&two);
    result_clear(&slabs);
    result_clear(&many);
    world_clear(&world);
}

static CxChunk *
layer_of(CxChunk *labels, int axis, int64_t at)
{
    CxBox box = cx_chunk_box(labels);
    int64_t *lo = axis == 0 ? &box.lo.x : axis == 1 ? &box.lo.y : &box.lo.z;
    int64_t *hi = axis == 0 ? &box.hi.x : axis == 1 ? &box.hi.y : &box.hi.z;

    *lo = at;
    *hi = at + 1;
    CxChunk *layer = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    cx_chunk_copy_overlap(layer, labels);
    return layer;
}

static GArray *
edges_between(const CxFragments *block, CxId other_block)
{
    GArray *out = g_array_new(FALSE, TRUE, sizeof(CxEdge));

    for (guint i = 0; i < block->edges->len; i++) {
        CxEdge edge = g_array_index(block->edges, CxEdge, i);
        if (edge.a >> 32 == other_block || edge.b >> 32 == other_block)
            g_array_append_val(out, edge);
    }
    return out;
}

/* Whichever of two neighbours comes second finds the same edges between
 * them: how many. */
static guint
check_faces(World *world, CxVoxel block, int axis)
{
    g_autoptr(CxPipeline) pipeline = pipeline_of(world, block, 1);
    CxVoxel index[2] = {{0, 0, 0}, {axis == 0, axis == 1, axis == 2}};
    g_autoptr(CxFragments) low =
        cx_pipeline_run_block(pipeline, index[0], NULL, NULL, NULL);
    g_autoptr(CxFragments) high =
        cx_pipeline_run_block(pipeline, index[1], NULL, NULL, NULL);
    CxNeighbourFaces to_low = {{NULL}}, to_high = {{NULL}};
    CxBox box = cx_chunk_box(high->labels);
    int64_t plane = axis == 0 ? box.lo.x : axis == 1 ? box.lo.y : box.lo.z;
    CxId high_block =
        g_array_index(high->supervoxels, CxSupervoxel, 0).id >> 32;

    to_low.faces[2 * axis + 1] = layer_of(high->labels, axis, plane);
    to_high.faces[2 * axis] = layer_of(low->labels, axis, plane - 1);
    g_autoptr(CxFragments) low_second =
        cx_pipeline_run_block(pipeline, index[0], &to_low, NULL, NULL);
    g_autoptr(CxFragments) high_second =
        cx_pipeline_run_block(pipeline, index[1], &to_high, NULL, NULL);
    g_autoptr(GArray) x = edges_between(low_second, high_block);
    g_autoptr(GArray) y = edges_between(high_second, 1);

    g_assert_cmpuint(x->len, >, 0);
    g_assert_cmpuint(x->len, ==, y->len);
    for (guint i = 0; i < x->len; i++) {
        CxEdge e = g_array_index(x, CxEdge, i), f = g_array_index(y, CxEdge, i);
        g_assert_true(e.a == f.a && e.b == f.b && e.contacts == f.contacts);
        g_assert_cmpfloat(e.affinity, ==, f.affinity);
        g_assert_cmpuint(e.a, <, e.b);
    }
    cx_chunk_unref(to_low.faces[2 * axis + 1]);
    cx_chunk_unref(to_high.faces[2 * axis]);
    return x->len;
}

static void
test_faces(void)
{
    World world = volume_world((CxVoxel){50, 50, 50}, 60);
    guint n = 0;

    for (int axis = 0; axis < 3; axis++)
        n += check_faces(&world, (CxVoxel){25, 25, 25}, axis);
    g_assert_cmpuint(n, >, 15);
    world_clear(&world);
}

static void
test_section_faces(void)
{
    CxRng rng = cx_test_rng();
    World world = {.size = {90, 80, 8}};

    draw_truth(&world, &rng, 40, 2);
    guint n = 0;

    predict_boundary(&world, &rng);
    for (int axis = 0; axis < 3; axis++)
        n += check_faces(&world, (CxVoxel){45, 40, 4}, axis);
    g_assert_cmpuint(n, >, 15);
    world_clear(&world);
}

static void
test_blocks(void)
{
    World world = volume_world((CxVoxel){50, 40, 30}, 5);
    g_autoptr(CxPipeline) pipeline =
        pipeline_of(&world, (CxVoxel){20, 20, 20}, 1);
    g_autoptr(GError) error = NULL;
    CxBox all = cx_pipeline_blocks(pipeline, cx_box_of_size(world.size));
    CxBox last = cx_pipeline_block_box(pipeline, (CxVoxel){2, 1, 1});

    g_assert_true(cx_box_equal(all, cx_box_of_size((CxVoxel){3, 2, 2})));
    g_assert_true(cx_voxel_equal(cx_box_size(last), (CxVoxel){10, 20, 10}));
    g_autoptr(CxFragments) block =
        cx_pipeline_run_block(pipeline, (CxVoxel){2, 1, 1}, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(cx_box_equal(cx_chunk_box(block->labels), last));
    for (guint i = 0; i < block->supervoxels->len; i++) {
        const CxSupervoxel *one =
            &g_array_index(block->supervoxels, CxSupervoxel, i);
        g_assert_cmpuint(one->id, ==, UINT64_C(12) << 32 | (i + 1));
        g_assert_true(cx_box_contains_box(last, one->box));
        g_assert_cmpuint(cx_chunk_label_at(block->labels, one->inside), ==,
                         one->id);
    }
    g_assert_null(cx_pipeline_run_block(pipeline, (CxVoxel){3, 0, 0}, NULL,
                                        NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "3,0,0", NULL);
    world_clear(&world);
}

/* The ceiling makes blocks smaller; odd volumes are one block. */
static void
test_memory(void)
{
    World world = {.size = {2000, 1500, 1000}, .n_outputs = 3};
    CxPipelineSource source = {.bounds = cx_box_of_size(world.size),
                               .voxel_nm = {8, 8, 8},
                               .outputs = world.outputs,
                               .n_outputs = 3,
                               .method = "volume",
                               .predict = predict,
                               .parameter = parameter};
    CxPipelineOptions options = cx_pipeline_defaults();
    g_autoptr(CxPipeline) wide = cx_pipeline_new_from_source(&source, &options);
    options.memory_bytes = 64 << 20;
    g_autoptr(CxPipeline) tight = cx_pipeline_new_from_source(&source, NULL);
    g_autoptr(CxPipeline) small =
        cx_pipeline_new_from_source(&source, &options);
    CxVoxel n = cx_pipeline_block_size(small);

    g_assert_true(
        cx_voxel_equal(cx_pipeline_block_size(wide), (CxVoxel){256, 256, 256}));
    g_assert_true(cx_voxel_equal(cx_pipeline_block_size(tight),
                                 (CxVoxel){256, 256, 256}));
    g_assert_cmpint(n.x * n.y * n.z * 31, <=, 32 << 20);
    g_assert_cmpint(n.x * n.y * n.z, >, 32 * 32 * 32);
}

/* One voxel thick, one voxel in all, one cell, no membrane, all membrane. */
static void
test_odd(void)
{
    static const CxVoxel sizes[] = {
        {40, 30, 1}, {1, 1, 1}, {1, 50, 2}, {129, 3, 5}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        World world = volume_world(sizes[i], 4);
        Result r = run_all(&world, (CxVoxel){0, 0, 0}, 2);
        result_clear(&r);
        for (int value = 0; value < 256; value += 255) {
            memset(cx_chunk_data_mut(world.prediction), value,
                   cx_chunk_size_bytes(world.prediction));
            r = run_all(&world, (CxVoxel){16, 16, 16}, 1);
            result_clear(&r);
        }
        world_clear(&world);
    }
}

typedef struct {
    CxPipeline *pipeline;
    CxJob *job;
    int64_t seconds_us;
    GError *error;
} Run;

static void *
run_to_cancel(void *data)
{
    Run *run = data;
    CxSegmentation *out = cx_pipeline_run_box(
        run->pipeline, cx_box_of_size((CxVoxel){96, 96, 96}), NULL, NULL,
        run->job, &run->error);

    g_assert_null(out);
    return NULL;
}

static void
test_cancel(void)
{
    World world = volume_world((CxVoxel){96, 96, 96}, 20);
    world.delay_ms = 200;
    g_autoptr(CxPipeline) pipeline =
        pipeline_of(&world, (CxVoxel){48, 48, 48}, 2);
    g_autoptr(CxJob) job = cx_job_new("test");
    Run run = {pipeline, job, 0, NULL};
    GThread *thread = g_thread_new("run", run_to_cancel, &run);

    g_usleep(350000);
    g_assert_cmpfloat(cx_job_fraction(job), >, 0);
    g_assert_cmpfloat(cx_job_fraction(job), <, 0.6);
    int64_t start = g_get_monotonic_time();
    cx_job_cancel(job);
    g_thread_join(thread);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 200000);
    g_assert_true(cx_error_is_cancelled(run.error));
    g_clear_error(&run.error);
    world_clear(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/volume", test_volume);
    g_test_add_func("/pipeline/sections", test_sections);
    g_test_add_func("/pipeline/faces", test_faces);
    g_test_add_func("/pipeline/section-faces", test_section_faces);
    g_test_add_func("/pipeline/blocks", test_blocks);
    g_test_add_func("/pipeline/memory", test_memory);
    g_test_add_func("/pipeline/odd", test_odd);
    g_test_add_func("/pipeline/cancel", test_cancel);
    return g_test_run();
}
