/* The queue's ranking, and scores that follow edits, beside slow twins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/review/live_scores.h"
#include "core/review/sides.h"
#include "core/review/suspicions.h"
#include "tests/support/check.h"

#include <math.h>

#define SIDE 24

static CxChunk *
new_labels(void)
{
    g_autoptr(GError) error = NULL;
    CxChunk *chunk = cx_chunk_new(
        CX_DTYPE_U64, cx_box_of_size((CxVoxel){SIDE, SIDE, SIDE}), 1, &error);

    g_assert_no_error(error);
    return chunk;
}

/* Blocks of 4 x 4 x 4, ids from first on; some voxels are nobody's. */
static CxChunk *
random_blocks(CxRng *rng, CxId first)
{
    CxChunk *chunk = new_labels();
    CxId *out = cx_chunk_data_mut(chunk);

    for (int64_t z = 0; z < SIDE; z++)
        for (int64_t y = 0; y < SIDE; y++)
            for (int64_t x = 0; x < SIDE; x++)
                *out++ =
                    cx_rng_below(rng, 40) == 0
                        ? 0
                        : first + (CxId)(x / 4 + 6 * (y / 4 + 6 * (z / 4)));
    return chunk;
}

static CxChunk *
random_truth(CxRng *rng)
{
    CxChunk *chunk = new_labels();
    CxId *out = cx_chunk_data_mut(chunk);

    for (size_t i = 0; i < SIDE * SIDE * SIDE; i++)
        *out++ = i / 900 % 7 + cx_rng_below(rng, 2);
    return chunk;
}

static CxSupervoxelGraph *
graph_of(CxChunk *labels, CxRng *rng)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxFragments) fragments =
        cx_fragments_of_labels(labels, 0.5F, &error);
    CxSupervoxelGraph *graph = cx_supervoxel_graph_new();

    g_assert_no_error(error);
    g_autofree CxId *segments = g_new(CxId, fragments->supervoxels->len);
    for (guint i = 0; i < fragments->supervoxels->len; i++)
        segments[i] = g_array_index(fragments->supervoxels, CxSupervoxel, i).id;
    for (guint i = 0; i < fragments->edges->len; i++)
        g_array_index(fragments->edges, CxEdge, i).affinity =
            (float)cx_rng_uniform(rng);
    cx_supervoxel_graph_add(graph, fragments->supervoxels, fragments->edges,
                            segments);
    return graph;
}

/* Moves a random part of a random segment into another or a new one. */
static CxEdit *
random_edit(CxSupervoxelGraph *graph, CxRng *rng, CxId fresh)
{
    g_autoptr(GArray) segments = cx_supervoxel_graph_segments(graph);
    CxId from =
        g_array_index(segments, CxSegment, cx_rng_below(rng, segments->len)).id;
    CxId to =
        g_array_index(segments, CxSegment, cx_rng_below(rng, segments->len)).id;
    g_autoptr(GArray) members = cx_supervoxel_graph_members(graph, from);
    GArray *ids = g_array_new(false, false, sizeof(CxId));
    CxEdit *edit = cx_edit_new(CX_EDIT_MERGE);

    if (from == to || cx_rng_below(rng, 3) == 0)
        to = fresh;
    for (guint i = 0; i < members->len; i++) {
        if (i == 0 || cx_rng_below(rng, 2) == 0)
            g_array_append_val(ids, g_array_index(members, CxSupervoxel, i).id);
    }
    cx_edit_add_move(edit, from, to, ids);
    return edit;
}

static void
check_scores(CxSupervoxelGraph *graph, const CxLiveScores *live,
             const CxChunk *truth, const CxChunk *supervoxels)
{
    g_autoptr(CxContingency) table = cx_contingency_new();
    g_autoptr(CxChunk) mapped = new_labels();

    cx_supervoxel_graph_map(graph, cx_chunk_data(supervoxels),
                            cx_chunk_data_mut(mapped), SIDE * SIDE * SIDE);
    cx_contingency_add(table, truth, mapped);
    CxScores batch = cx_contingency_scores(table);
    CxScores now = cx_live_scores_get(live);
    g_assert_cmpuint(now.n_voxels, ==, batch.n_voxels);
    g_assert_cmpfloat_with_epsilon(now.voi_split, batch.voi_split, 1e-9);
    g_assert_cmpfloat_with_epsilon(now.voi_merge, batch.voi_merge, 1e-9);
    g_assert_cmpfloat_with_epsilon(now.arand, batch.arand, 1e-9);
}

static void
test_live_scores(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 6; round++) {
        /* ids up to the largest there is */
        CxId first = round % 2 == 0 ? G_MAXUINT64 - 215 : 1;
        g_autoptr(CxChunk) labels = random_blocks(&rng, first);
        g_autoptr(CxChunk) truth = random_truth(&rng);
        g_autoptr(CxSupervoxelGraph) graph = graph_of(labels, &rng);
        g_autoptr(CxContingency) table = cx_contingency_new();
        g_autoptr(GPtrArray) edits =
            g_ptr_array_new_with_free_func((GDestroyNotify)cx_edit_free);

        cx_contingency_add(table, truth, labels);
        g_autoptr(CxLiveScores) live = cx_live_scores_new(graph, table);
        check_scores(graph, live, truth, labels);
        for (unsigned i = 0; i < 25; i++) {
            CxEdit *edit = random_edit(graph, &rng, 100000 + i);

            cx_supervoxel_graph_apply(graph, edit, false);
            cx_live_scores_apply(live, edit, false);
            g_ptr_array_add(edits, edit);
            check_scores(graph, live, truth, labels);
        }
        while (edits->len > 0) {
            const CxEdit *edit = g_ptr_array_index(edits, edits->len - 1);

            cx_supervoxel_graph_apply(graph, edit, true);
            cx_live_scores_apply(live, edit, true);
            g_ptr_array_set_size(edits, (gint)edits->len - 1);
            check_scores(graph, live, truth, labels);
        }
    }
}

/* --- weak places */

static GArray *
some_members(CxRng *rng, guint n)
{
    GArray *members = g_array_new(false, false, sizeof(CxSupervoxel));

    for (guint i = 0; i < n; i++) {
        CxSupervoxel one = {.id = i + 1,
                            .n_voxels = 1 + cx_rng_below(rng, 1000)};

        g_array_append_val(members, one);
    }
    return members;
}

/* A chain keeps all together, some more edges make circles. */
static GArray *
some_edges(CxRng *rng, guint n)
{
    GArray *edges = g_array_new(false, false, sizeof(CxEdge));

    for (guint b = 1; b < n; b++)
        for (guint a = 0; a < b; a++) {
            CxEdge edge = {a + 1, b + 1, (float)cx_rng_uniform(rng),
                           1 + (uint32_t)cx_rng_below(rng, 50)};

            if (a + 1 == b || cx_rng_below(rng, 4) == 0)
                g_array_append_val(edges, edge);
        }
    return edges;
}

/* Sides of a threshold: what edges stronger than the tree's join on a's side. */
static void
check_sides(const GArray *members, const GArray *edges, const CxSides *sides)
{
    uint64_t n_all = 0;
    bool inside[64] = {false};
    bool changed = true;
    float least = -1;

    for (guint i = 0; i < members->len; i++)
        n_all += g_array_index(members, CxSupervoxel, i).n_voxels;
    g_assert_cmpuint(sides->n_a + sides->n_b, ==, n_all);
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);

        if ((edge->a == sides->a && edge->b == sides->b) ||
            (edge->a == sides->b && edge->b == sides->a))
            least = edge->affinity;
    }
    g_assert_cmpfloat(least, >=, 0);
    /* a and b do not hang together by stronger edges alone */
    inside[sides->a] = true;
    while (changed) {
        changed = false;
        for (guint i = 0; i < edges->len; i++) {
            const CxEdge *edge = &g_array_index(edges, CxEdge, i);

            if (edge->affinity <= least || inside[edge->a] == inside[edge->b])
                continue;
            inside[edge->a] = inside[edge->b] = true;
            changed = true;
        }
    }
    g_assert_false(inside[sides->b]);
}

static void
test_sides(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 200; round++) {
        guint n = 2 + (guint)cx_rng_below(&rng, 30);
        g_autoptr(GArray) members = some_members(&rng, n);
        g_autoptr(GArray) edges = some_edges(&rng, n);
        g_autoptr(GArray) all = cx_sides_find(members, edges, 0, G_MAXUINT);
        g_autoptr(GArray) large = cx_sides_find(members, edges, 500, 3);

        g_assert_cmpuint(all->len, ==, n - 1);
        for (guint i = 0; i < all->len; i++)
            check_sides(members, edges, &g_array_index(all, CxSides, i));
        g_assert_cmpuint(large->len, <=, 3);
        for (guint i = 0; i < large->len; i++) {
            const CxSides *sides = &g_array_index(large, CxSides, i);

            g_assert_cmpuint(MIN(sides->n_a, sides->n_b), >=, 500);
        }
    }
}

/* Four supervoxels in a row: 1 = 2 (strong) ~ 3 (weak) in a segment, 4 apart. */
static CxSupervoxelGraph *
row_graph(void)
{
    CxSupervoxelGraph *graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) members = g_array_new(false, false, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(false, false, sizeof(CxEdge));
    const CxEdge links[] = {
        {1, 2, 0.95F, 50}, {2, 3, 0.1F, 20}, {3, 4, 0.9F, 30}};
    const CxId segments[] = {1, 1, 1, 4};

    for (int64_t i = 0; i < 4; i++) {
        CxSupervoxel one = {(CxId)i + 1,
                            1000,
                            {{10 * i, 0, 0}, {10 * i + 10, 10, 10}},
                            {10 * i + 5, 5, 5}};

        g_array_append_val(members, one);
    }
    g_array_append_vals(edges, links, G_N_ELEMENTS(links));
    cx_supervoxel_graph_add(graph, members, edges, segments);
    return graph;
}

static void
test_suspicions(void)
{
    g_autoptr(CxSupervoxelGraph) graph = row_graph();
    CxSuspicionModel model = cx_suspicion_model_default();
    CxSuspicionOptions options = cx_suspicion_defaults();
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) found =
        cx_suspicions_find(graph, &model, &options, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(found->len, ==, 3);
    const CxSuspicion *first = &g_array_index(found, CxSuspicion, 0);
    g_assert_cmpint(first->kind, ==, CX_SUSPECT_SPLIT);
    g_assert_cmpuint(first->segment_a, ==, 1);
    g_assert_cmpuint(first->segment_b, ==, 4);
    g_assert_cmpint(ABS(first->at.x - 30), <=, 1);
    const CxSuspicion *second = &g_array_index(found, CxSuspicion, 1);
    g_assert_cmpint(second->kind, ==, CX_SUSPECT_MERGE);
    g_assert_cmpuint(MIN(second->a, second->b), ==, 2);
    g_assert_cmpuint(second->n_a + second->n_b, ==, 3000);
    g_assert_cmpfloat(second->probability, >, 0.9);
    for (guint i = 1; i < found->len; i++)
        g_assert_cmpfloat(g_array_index(found, CxSuspicion, i - 1).score, >=,
                          g_array_index(found, CxSuspicion, i).score);

    options.limit = 1;
    g_autoptr(GArray) one =
        cx_suspicions_find(graph, &model, &options, NULL, &error);
    g_assert_cmpuint(one->len, ==, 1);
    options.min_voxels = 2000;
    g_autoptr(GArray) none =
        cx_suspicions_find(graph, &model, &options, NULL, &error);
    g_assert_cmpuint(none->len, ==, 0);
}

/* Answers drawn from a curve bring the model near it. */
static void
test_learning(void)
{
    CxRng rng = cx_test_rng();
    CxSuspicionModel truth = {.offset = -1.2, .slope = 2.5};
    CxSuspicionModel model = cx_suspicion_model_default();

    for (unsigned i = 0; i < 20000; i++) {
        float affinity = (float)cx_rng_uniform(&rng);
        bool same =
            cx_rng_uniform(&rng) < cx_suspicion_model_same(&truth, affinity);

        cx_suspicion_model_learn(&model, affinity, same);
    }
    g_test_message("offset %.2f (%.2f), slope %.2f (%.2f)", model.offset,
                   truth.offset, model.slope, truth.slope);
    for (float affinity = 0.1F; affinity < 0.95F; affinity += 0.1F)
        g_assert_cmpfloat_with_epsilon(
            cx_suspicion_model_same(&model, affinity),
            cx_suspicion_model_same(&truth, affinity), 0.08);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/review/live-scores", test_live_scores);
    g_test_add_func("/review/sides", test_sides);
    g_test_add_func("/review/suspicions", test_suspicions);
    g_test_add_func("/review/learning", test_learning);
    return g_test_run();
}
