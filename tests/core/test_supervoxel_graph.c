/* The supervoxel graph against a list of (supervoxel, segment) pairs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/supervoxel_graph.h"
#include "tests/support/check.h"

#include <math.h>

#include <string.h>

#define N 60

static const CxId odd_ids[] = {
    (UINT64_C(1) << 32) - 1, (UINT64_C(1) << 32) + 1, (UINT64_C(1) << 53) - 1,
    (UINT64_C(1) << 53) + 1, UINT64_C(1) << 63,       UINT64_MAX,
};

/* The naive twin. */
typedef struct {
    CxSupervoxel supervoxels[N];
    CxId segment[N];
    bool has_edge[N][N];
} List;

static void
make_list(List *list, CxRng *rng)
{
    for (int i = 0; i < N; i++) {
        int64_t x = (int64_t)cx_rng_below(rng, 100);
        int64_t y = (int64_t)cx_rng_below(rng, 100);
        CxId id =
            i < (int)G_N_ELEMENTS(odd_ids) ? odd_ids[i] : (CxId)(1000 - 7 * i);

        list->supervoxels[i] = (CxSupervoxel){
            .id = id,
            .n_voxels = 1 + cx_rng_below(rng, 50),
            .box = {{x, y, i}, {x + 5, y + 6, i + 7}},
            .inside = {x, y, i},
        };
        list->segment[i] = id;
    }
}

static CxSupervoxelGraph *
make_graph(List *list, CxRng *rng)
{
    CxSupervoxelGraph *graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, FALSE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));

    g_array_append_vals(supervoxels, list->supervoxels, N);
    for (int k = 0; k < 4 * N; k++) {
        int a = (int)cx_rng_below(rng, N), b = (int)cx_rng_below(rng, N);

        if (a == b || list->has_edge[a][b])
            continue;
        list->has_edge[a][b] = list->has_edge[b][a] = true;
        CxEdge edge = {list->supervoxels[a].id, list->supervoxels[b].id, 0.5f,
                       4};

        g_array_append_val(edges, edge);
    }
    cx_supervoxel_graph_add(graph, supervoxels, edges, list->segment);
    return graph;
}

static void
check_segment(const List *list, CxSupervoxelGraph *graph, CxId id)
{
    CxSegment found;
    CxBox box = {{0, 0, 0}, {0, 0, 0}};
    uint64_t n_voxels = 0, largest = 0;
    uint32_t n = 0;

    for (int i = 0; i < N; i++) {
        if (list->segment[i] != id)
            continue;
        box = cx_box_union(box, list->supervoxels[i].box);
        n_voxels += list->supervoxels[i].n_voxels;
        largest = MAX(largest, list->supervoxels[i].n_voxels);
        n++;
    }
    g_assert_true(cx_supervoxel_graph_segment(graph, id, &found) == (n > 0));
    if (n == 0)
        return;
    g_assert_cmpuint(found.id, ==, id);
    g_assert_cmpuint(found.n_voxels, ==, n_voxels);
    g_assert_cmpuint(found.n_supervoxels, ==, n);
    g_assert_true(cx_box_equal(found.box, box));

    g_autoptr(GArray) members = cx_supervoxel_graph_members(graph, id);
    CxId last = 0;
    bool inside_is_largest = false;

    g_assert_cmpuint(members->len, ==, n);
    for (guint i = 0; i < members->len; i++) {
        CxSupervoxel *m = &g_array_index(members, CxSupervoxel, i);

        g_assert_cmpuint(m->id, >, last);
        last = m->id;
        g_assert_cmpuint(cx_supervoxel_graph_segment_of(graph, m->id), ==, id);
        inside_is_largest |=
            m->n_voxels == largest && cx_voxel_equal(m->inside, found.inside);
    }
    g_assert_true(inside_is_largest);
}

static bool
touch(const List *list, CxId a, CxId b)
{
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < N; k++) {
            if (a != b && list->segment[i] == a && list->segment[k] == b &&
                list->has_edge[i][k])
                return true;
        }
    }
    return false;
}

static void
check_edges(const List *list, CxSupervoxelGraph *graph, CxId id)
{
    g_autoptr(GArray) inner = cx_supervoxel_graph_edges(graph, id, false);
    g_autoptr(GArray) outer = cx_supervoxel_graph_edges(graph, id, true);
    guint n_inner = 0, n_outer = 0;

    for (int i = 0; i < N; i++) {
        for (int k = 0; k < i; k++) {
            int ends = (list->segment[i] == id) + (list->segment[k] == id);

            n_inner += list->has_edge[i][k] && ends == 2;
            n_outer += list->has_edge[i][k] && ends == 1;
        }
    }
    g_assert_cmpuint(inner->len, ==, n_inner);
    g_assert_cmpuint(outer->len, ==, n_outer);
}

static void
check_all(const List *list, CxSupervoxelGraph *graph)
{
    g_autoptr(GArray) segments = cx_supervoxel_graph_segments(graph);
    CxId table[N + 3];
    size_t n = 0;

    for (int i = 0; i < N; i++) {
        check_segment(list, graph, list->segment[i]);
        bool first = true;

        for (int k = 0; k < i; k++)
            first = first && list->segment[k] != list->segment[i];
        n += first;
    }
    g_assert_cmpuint(cx_supervoxel_graph_n_segments(graph), ==, n);
    g_assert_cmpuint(segments->len, ==, n);

    cx_supervoxel_graph_copy_table(graph, 0, N + 3, table);
    for (int i = 0; i < N; i++) {
        uint32_t index;
        CxId id = list->supervoxels[i].id, mapped = id;

        cx_supervoxel_graph_map_indices(graph, &id, &index, 1);
        g_assert_cmpuint(index, ==, (uint32_t)i + 1);
        g_assert_cmpuint(table[index], ==, list->segment[i]);
        cx_supervoxel_graph_map(graph, &mapped, &mapped, 1);
        g_assert_cmpuint(mapped, ==, list->segment[i]);
    }
    g_assert_cmpuint(table[0], ==, 0);
    g_assert_cmpuint(table[N + 1], ==, 0);
}

/* Moves some or all supervoxels of one segment to another or a new one. */
static CxEdit *
random_edit(const List *list, CxRng *rng)
{
    CxEdit *edit = cx_edit_new(CX_EDIT_MERGE);
    CxId from = list->segment[cx_rng_below(rng, N)];
    CxId to = cx_rng_below(rng, 2) == 0
                  ? list->segment[cx_rng_below(rng, N)]
                  : (UINT64_C(1) << 62) + cx_rng_below(rng, 1000);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    uint64_t share = 1 + cx_rng_below(rng, 3);

    for (int i = 0; i < N; i++) {
        if (list->segment[i] == from && cx_rng_below(rng, share) == 0)
            g_array_append_val(ids, list->supervoxels[i].id);
    }
    if (from == to)
        g_array_set_size(ids, 0);
    cx_edit_add_move(edit, from, to, ids);
    return edit;
}

static void
apply_to_list(List *list, const CxEdit *edit)
{
    const CxMove *move = &g_array_index(edit->moves, CxMove, 0);

    for (guint k = 0; k < move->supervoxels->len; k++) {
        for (int i = 0; i < N; i++) {
            if (list->supervoxels[i].id ==
                g_array_index(move->supervoxels, CxId, k))
                list->segment[i] = move->to;
        }
    }
}

static void
test_moves_equal_the_list(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 20; round++) {
        List list = {0}, before;

        make_list(&list, &rng);
        g_autoptr(CxSupervoxelGraph) graph = make_graph(&list, &rng);

        for (int k = 0; k < 60; k++) {
            g_autoptr(CxEdit) edit = random_edit(&list, &rng);

            before = list;
            apply_to_list(&list, edit);
            cx_supervoxel_graph_apply(graph, edit, false);
            check_all(&list, graph);
            check_edges(&list, graph, list.segment[cx_rng_below(&rng, N)]);

            CxId a = list.segment[cx_rng_below(&rng, N)];
            CxId b = list.segment[cx_rng_below(&rng, N)];

            g_assert_true(cx_supervoxel_graph_touch(graph, a, b) ==
                          touch(&list, a, b));
            if (cx_rng_below(&rng, 3) == 0) {
                cx_supervoxel_graph_apply(graph, edit, true);
                list = before;
                check_all(&list, graph);
            }
        }
    }
}

static void
test_odd_input_is_passed_over(void)
{
    g_autoptr(CxSupervoxelGraph) graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    CxSupervoxel some[] = {{.id = 5, .n_voxels = 1},
                           {.id = 0, .n_voxels = 1},
                           {.id = 5, .n_voxels = 9}};
    CxEdge odd[] = {{5, 5, 1, 1}, {5, 77, 1, 1}, {0, 5, 1, 1}};
    CxId segments[] = {9, 9, 9};
    CxSegment found;

    g_array_append_vals(supervoxels, some, 3);
    g_array_append_vals(edges, odd, 3);
    cx_supervoxel_graph_add(graph, supervoxels, edges, segments);
    g_assert_cmpuint(cx_supervoxel_graph_n_supervoxels(graph), ==, 1);
    g_assert_true(cx_supervoxel_graph_segment(graph, 9, &found));
    g_assert_cmpuint(found.n_voxels, ==, 1);
    g_assert_false(cx_supervoxel_graph_segment(graph, 0, NULL));
    g_assert_null(cx_supervoxel_graph_members(graph, 1));
    g_assert_cmpuint(cx_supervoxel_graph_segment_of(graph, 0), ==, 0);

    g_autoptr(GArray) none = cx_supervoxel_graph_all_edges(graph);

    g_assert_cmpuint(none->len, ==, 0);
}

/* Two blocks whose contact was found in parts. */
static void
test_edges_of_later_blocks_pool(void)
{
    g_autoptr(CxSupervoxelGraph) graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    CxSupervoxel two[] = {{.id = 1}, {.id = 2}};
    CxEdge first = {1, 2, 0.2f, 10}, second = {1, 2, 0.8f, 30};
    CxId segments[] = {1, 2};

    g_array_append_vals(supervoxels, two, 2);
    g_array_append_val(edges, first);
    cx_supervoxel_graph_add(graph, supervoxels, edges, segments);
    g_array_set_size(supervoxels, 0);
    g_array_index(edges, CxEdge, 0) = second;
    cx_supervoxel_graph_add(graph, supervoxels, edges, NULL);

    g_autoptr(GArray) all = cx_supervoxel_graph_all_edges(graph);

    g_assert_cmpuint(all->len, ==, 1);
    g_assert_cmpuint(g_array_index(all, CxEdge, 0).contacts, ==, 40);
    g_assert_cmpfloat_with_epsilon(g_array_index(all, CxEdge, 0).affinity, 0.65,
                                   1e-6);
}

static void
test_link_and_unlink(void)
{
    g_autoptr(CxSupervoxelGraph) graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    CxSupervoxel three[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    CxEdge real = {1, 2, 0.2f, 10};
    CxId segments[] = {1, 2, 3};

    g_array_append_vals(supervoxels, three, 3);
    g_array_append_val(edges, real);
    cx_supervoxel_graph_add(graph, supervoxels, edges, segments);
    for (int round = 0; round < 2; round++) {
        cx_supervoxel_graph_link(graph, 2, 3);
        g_assert_true(cx_supervoxel_graph_touch(graph, 3, 2));
        cx_supervoxel_graph_unlink(graph, 3, 2);
        g_assert_false(cx_supervoxel_graph_touch(graph, 3, 2));
    }
    cx_supervoxel_graph_unlink(graph, 1, 2);
    g_assert_true(cx_supervoxel_graph_touch(graph, 1, 2));
}

static void
test_cut_of_a_segment(void)
{
    g_autoptr(CxSupervoxelGraph) graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    CxSupervoxel four[] = {
        {.id = 10}, {.id = UINT64_MAX}, {.id = 30}, {.id = 40}};
    CxEdge chain[] = {
        {10, 30, 0.9f, 10}, {30, 40, 0.1f, 10}, {40, UINT64_MAX, 0.9f, 10}};
    CxId segments[] = {7, 7, 7, 7};
    CxId source = 10, sink = UINT64_MAX, elsewhere = 99;
    double value;
    g_autoptr(GError) error = NULL;

    g_array_append_vals(supervoxels, four, 4);
    g_array_append_vals(edges, chain, 3);
    cx_supervoxel_graph_add(graph, supervoxels, edges, segments);

    g_autoptr(GArray) side = cx_supervoxel_graph_cut(
        graph, 7, &source, 1, &sink, 1, &value, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(side->len, ==, 2);
    g_assert_cmpuint(g_array_index(side, CxId, 0), ==, 40);
    g_assert_cmpuint(g_array_index(side, CxId, 1), ==, UINT64_MAX);
    g_assert_cmpfloat_with_epsilon(value, 10 / pow(9, 4), 1e-6);

    g_assert_null(cx_supervoxel_graph_cut(graph, 7, &source, 1, &source, 1,
                                          NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "supervoxel 10", NULL);
    g_assert_null(cx_supervoxel_graph_cut(graph, 7, &source, 1, &elsewhere, 1,
                                          NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "99", "segment 7", NULL);
    g_assert_null(cx_supervoxel_graph_cut(graph, 8, &source, 1, &sink, 1, NULL,
                                          NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "segment 8", NULL);
}

static void
test_moves_survive_encoding(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 200; round++) {
        g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_SPLIT);
        g_autoptr(CxEdit) back = cx_edit_new(CX_EDIT_SPLIT);
        g_autoptr(GError) error = NULL;
        GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));
        uint64_t n = cx_rng_below(&rng, 50);

        for (uint64_t i = 0; i < n; i++) {
            CxId id = (cx_rng_next(&rng) >> cx_rng_below(&rng, 63)) | 1;

            id = (id & ~UINT64_C(0xff)) + i + 1;
            g_array_append_val(ids, id);
        }
        cx_edit_add_move(edit, UINT64_MAX, UINT64_C(1) << 63, ids);
        g_autoptr(GByteArray) bytes = cx_edit_encode_moves(edit);

        /* The random ids may repeat; then there is nothing to compare. */
        if (!cx_edit_decode_moves(back, bytes->data, bytes->len, &error))
            continue;
        const CxMove *a = &g_array_index(edit->moves, CxMove, 0);
        const CxMove *b = &g_array_index(back->moves, CxMove, 0);

        g_assert_true(a->from == b->from && a->to == b->to);
        g_assert_cmpmem(a->supervoxels->data, a->supervoxels->len * 8,
                        b->supervoxels->data, b->supervoxels->len * 8);
        for (guint cut = 0; cut < bytes->len; cut++) {
            g_assert_false(
                cx_edit_decode_moves(back, bytes->data, cut, &error));
            cx_test_expect_error(&error, CX_ERROR_FORMAT, "damaged", NULL);
            g_assert_cmpuint(back->moves->len, ==, 1);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/supervoxel-graph/moves-equal-the-list",
                    test_moves_equal_the_list);
    g_test_add_func("/supervoxel-graph/odd-input-is-passed-over",
                    test_odd_input_is_passed_over);
    g_test_add_func("/supervoxel-graph/edges-of-later-blocks-pool",
                    test_edges_of_later_blocks_pool);
    g_test_add_func("/supervoxel-graph/link-and-unlink", test_link_and_unlink);
    g_test_add_func("/supervoxel-graph/cut-of-a-segment",
                    test_cut_of_a_segment);
    g_test_add_func("/supervoxel-graph/moves-survive-encoding",
                    test_moves_survive_encoding);
    return g_test_run();
}
