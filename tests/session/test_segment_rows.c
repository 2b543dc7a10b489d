/* The rows of the segment list against a naive sort and filter.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/segment_rows.h"
#include "tests/support/check.h"

#include <string.h>

static CxSupervoxelGraph *
make_graph(CxRng *rng, unsigned n)
{
    CxSupervoxelGraph *graph = cx_supervoxel_graph_new();
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, FALSE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (unsigned i = 0; i < n; i++) {
        CxSupervoxel supervoxel = {
            .id = (CxId)i * 1000003 + 1 + (i % 7 == 0 ? 1ull << 60 : 0),
            .n_voxels = 1 + cx_rng_below(rng, 50),
            .box = {{0, 0, 0}, {1, 1, 1}},
        };
        g_array_append_val(supervoxels, supervoxel);
    }
    /* sorted by id, as the contract asks */
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = i + 1; j < n; j++) {
            CxSupervoxel *a = &g_array_index(supervoxels, CxSupervoxel, i);
            CxSupervoxel *b = &g_array_index(supervoxels, CxSupervoxel, j);

            if (a->id > b->id) {
                CxSupervoxel swap = *a;
                *a = *b;
                *b = swap;
            }
        }
    for (unsigned i = 0; i < n; i++)
        g_array_append_val(segments,
                           g_array_index(supervoxels, CxSupervoxel, i).id);
    cx_supervoxel_graph_add(graph, supervoxels, edges,
                            (const CxId *)segments->data);
    return graph;
}

static CxuiSegmentQuery
make_query(CxuiSegmentOrder order, const char *filter)
{
    return (CxuiSegmentQuery){
        .order = order,
        .filter = g_strdup(filter),
        .notes =
            g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free),
    };
}

static void
clear_query(CxuiSegmentQuery *query)
{
    g_free(query->filter);
    g_hash_table_unref(query->notes);
}

static void
assert_sorted(const CxuiSegmentRows *rows, CxuiSegmentOrder order, unsigned n)
{
    g_assert_cmpuint(cxui_segment_rows_n(rows), ==, n);
    for (unsigned i = 0; i < n; i++) {
        CxuiSegmentRow row = cxui_segment_rows_get(rows, i);
        unsigned found;

        g_assert_true(cxui_segment_rows_find(rows, row.id, &found));
        g_assert_cmpuint(found, ==, i);
        if (i == 0)
            continue;
        CxuiSegmentRow last = cxui_segment_rows_get(rows, i - 1);
        g_assert_cmpint(cxui_segment_row_compare(&last, &row, order), <, 0);
    }
}

/* Rows that come and go against a plain set of ids. */
static void
test_random_changes(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxuiSegmentRows) rows = cxui_segment_rows_new(CXUI_ORDER_SIZE);
    static bool is_there[6000];
    unsigned n = 0, index;

    memset(is_there, 0, sizeof is_there);
    for (unsigned step = 0; step < 40000; step++) {
        CxId id = 1 + cx_rng_below(&rng, 5999);
        bool remove = cx_rng_below(&rng, step < 20000 ? 4 : 2) == 0;
        CxuiSegmentRow row = {
            .id = id,
            .n_voxels = cx_rng_below(&rng, 40),
            .has_note = false,
        };

        if (remove) {
            g_assert_true(cxui_segment_rows_remove(rows, id, &index) ==
                          is_there[id]);
            n -= is_there[id];
        } else {
            g_assert_true(cxui_segment_rows_insert(rows, row, &index) ==
                          !is_there[id]);
            n += !is_there[id];
            g_assert_true(is_there[id] ||
                          cxui_segment_rows_get(rows, index).id == id);
        }
        is_there[id] = !remove;
        if (step % 10000 == 9999)
            assert_sorted(rows, CXUI_ORDER_SIZE, n);
    }
    for (CxId id = 1; id < 6000; id++)
        g_assert_true(cxui_segment_rows_find(rows, id, &index) == is_there[id]);
}

static void
test_order_is_total_and_right(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxSupervoxelGraph) graph = make_graph(&rng, 300);

    for (unsigned order = CXUI_ORDER_SIZE; order <= CXUI_ORDER_NOTE; order++) {
        CxuiSegmentQuery query = make_query(order, "");
        CxId noted = 1000004;

        g_hash_table_insert(query.notes, g_memdup2(&noted, sizeof noted),
                            g_strdup("axon"));
        g_autoptr(CxuiSegmentRows) rows =
            cxui_segment_query_run(&query, graph, NULL, NULL);
        assert_sorted(rows, order, 300);
        if (order == CXUI_ORDER_NOTE)
            g_assert_cmpuint(cxui_segment_rows_get(rows, 0).id, ==, noted);
        clear_query(&query);
    }
}

static void
test_filter_by_beginning_of_id(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxSupervoxelGraph) graph = make_graph(&rng, 300);
    CxuiSegmentQuery query = make_query(CXUI_ORDER_ID, "115");
    g_autoptr(CxuiSegmentRows) rows =
        cxui_segment_query_run(&query, graph, NULL, NULL);
    g_autoptr(GArray) all = cx_supervoxel_graph_segments(graph);
    unsigned n = 0;

    for (guint i = 0; i < all->len; i++) {
        g_autofree char *text = g_strdup_printf(
            "%" G_GUINT64_FORMAT, g_array_index(all, CxSegment, i).id);
        n += strncmp(text, "115", 3) == 0;
    }
    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(cxui_segment_rows_n(rows), ==, n);
    clear_query(&query);
}

static void
test_filter_by_note(void)
{
    CxuiSegmentQuery query = make_query(CXUI_ORDER_SIZE, "ÄXON");
    CxId id = UINT64_MAX;

    g_hash_table_insert(query.notes, g_memdup2(&id, sizeof id),
                        g_strdup("long äxon, check"));
    g_assert_true(cxui_segment_query_matches(&query, UINT64_MAX));
    g_assert_false(cxui_segment_query_matches(&query, 5));
    clear_query(&query);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment_rows/order_is_total_and_right",
                    test_order_is_total_and_right);
    g_test_add_func("/segment_rows/filter_by_beginning_of_id",
                    test_filter_by_beginning_of_id);
    g_test_add_func("/segment_rows/filter_by_note", test_filter_by_note);
    g_test_add_func("/segment_rows/random_changes", test_random_changes);
    return g_test_run();
}
