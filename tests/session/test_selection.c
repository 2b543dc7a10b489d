/* Picking, hiding, seeds, and the way back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/selection.h"
#include "tests/support/check.h"

static void
assert_ids(CxuiSelection *selection, size_t n_expected, const CxId *expected)
{
    size_t n;
    const CxId *ids = cxui_selection_ids(selection, &n);

    g_assert_cmpmem(ids, n * sizeof(CxId), expected, n_expected * sizeof(CxId));
}

static void
test_keeps_the_order_of_picking(void)
{
    g_autoptr(CxuiSelection) selection = cxui_selection_new();

    cxui_selection_add(selection, 7);
    cxui_selection_add(selection, UINT64_MAX);
    cxui_selection_add(selection, 3);
    cxui_selection_add(selection, 7);
    cxui_selection_add(selection, 0);
    assert_ids(selection, 3, (CxId[]){7, UINT64_MAX, 3});
    cxui_selection_toggle(selection, UINT64_MAX);
    assert_ids(selection, 2, (CxId[]){7, 3});
    g_assert_cmpuint(cxui_selection_current(selection), ==, 3);
}

static void
test_a_deselection_can_be_taken_back(void)
{
    g_autoptr(CxuiSelection) selection = cxui_selection_new();

    g_assert_false(cxui_selection_go_back(selection));
    cxui_selection_select(selection, 1);
    cxui_selection_add(selection, 2);
    cxui_selection_clear(selection);
    g_assert_true(cxui_selection_go_back(selection));
    assert_ids(selection, 2, (CxId[]){1, 2});
    g_assert_true(cxui_selection_go_forward(selection));
    assert_ids(selection, 0, NULL);
    g_assert_false(cxui_selection_go_forward(selection));
    cxui_selection_go_back(selection);
    cxui_selection_select(selection, 9);
    g_assert_false(cxui_selection_go_forward(selection));
}

static CxId
map_2_to_1_and_drop_3(CxId id, void *data)
{
    return id == 2 ? 1 : id == 3 ? 0 : id;
}

static void
test_an_edit_maps_ids(void)
{
    g_autoptr(CxuiSelection) selection = cxui_selection_new();

    cxui_selection_set(selection, (CxId[]){2, 3, 1, 4}, 4);
    cxui_selection_set_hidden(selection, 3, true);
    cxui_selection_remap(selection, map_2_to_1_and_drop_3, NULL);
    assert_ids(selection, 2, (CxId[]){1, 4});
    g_assert_false(cxui_selection_is_hidden(selection, 3));
}

static void
test_another_tool_drops_seeds(void)
{
    g_autoptr(CxuiSelection) selection = cxui_selection_new();
    CxuiSeed seed = {{1, 2, 3}, CXUI_SIDE_A, 0};
    CxId moved = 5;
    size_t n;

    cxui_selection_set_tool(selection, CXUI_TOOL_SPLIT);
    cxui_selection_set_split_segment(selection, 12);
    g_assert_true(cxui_selection_add_seed(selection, seed));
    g_assert_false(cxui_selection_add_seed(selection, seed));
    cxui_selection_set_preview(selection, CXUI_PREVIEW_READY, &moved, 1, NULL);
    cxui_selection_set_tool(selection, CXUI_TOOL_POINTER);
    cxui_selection_seeds(selection, &n);
    g_assert_cmpuint(n, ==, 0);
    g_assert_cmpuint(cxui_selection_split_segment(selection), ==, 0);
    g_assert_cmpint(cxui_selection_preview_state(selection), ==,
                    CXUI_PREVIEW_NONE);
    cxui_selection_preview(selection, &n);
    g_assert_cmpuint(n, ==, 0);
}

static void
test_old_preview_stays_while_computing(void)
{
    g_autoptr(CxuiSelection) selection = cxui_selection_new();
    CxId moved[2] = {5, 6};
    size_t n;

    cxui_selection_set_preview(selection, CXUI_PREVIEW_READY, moved, 2, NULL);
    cxui_selection_set_preview(selection, CXUI_PREVIEW_COMPUTING, NULL, 0,
                               NULL);
    cxui_selection_preview(selection, &n);
    g_assert_cmpuint(n, ==, 2);
    cxui_selection_set_preview(selection, CXUI_PREVIEW_FAILED, NULL, 0, "why");
    g_assert_cmpstr(cxui_selection_preview_reason(selection), ==, "why");
    cxui_selection_preview(selection, &n);
    g_assert_cmpuint(n, ==, 0);
}

static void
assert_same_colours(CxuiSelection *a, CxuiSelection *b)
{
    size_t n_a, n_b;
    const CxuiRecolour *of_a = cxui_selection_recoloured(a, &n_a);
    const CxuiRecolour *of_b = cxui_selection_recoloured(b, &n_b);

    g_assert_cmpuint(n_a, ==, 2);
    g_assert_cmpmem(of_a, n_a * sizeof *of_a, of_b, n_b * sizeof *of_b);
    for (size_t i = 0; i < n_a; i++)
        g_assert_cmpuint(of_a[i].key, !=, of_a[i].segment);
}

static void
test_ids_are_stored_exactly(void)
{
    g_autoptr(CxuiSelection) a = cxui_selection_new();
    g_autoptr(CxuiSelection) b = cxui_selection_new();
    const CxId ids[] = {(1ull << 53) + 1, UINT64_MAX, 1ull << 63,
                        (1ull << 32) - 1};

    cxui_selection_set(a, ids, 4);
    cxui_selection_set_hidden(a, UINT64_MAX - 1, true);
    cxui_selection_recolour(a, ids, 2);
    cxui_selection_recolour(a, ids, 1);
    g_autofree char *json = cxui_selection_to_json(a);
    g_assert_true(cxui_selection_from_json(b, json));
    assert_ids(b, 4, ids);
    assert_same_colours(a, b);
    g_assert_true(cxui_selection_is_hidden(b, UINT64_MAX - 1));
    g_assert_false(cxui_selection_from_json(b, "[1]"));
    g_assert_true(cxui_selection_from_json(
        b, "{\"selected\": [3, \"x\", \"18446744073709551616\", \"0\", {}, "
           "\"12\", \"12\"], \"colours\": {\"x\": \"1\", \"7\": 8, "
           "\"9\": \"10\"}}"));
    assert_ids(b, 1, (CxId[]){12});
    size_t n;
    const CxuiRecolour *colours = cxui_selection_recoloured(b, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(colours[0].segment, ==, 9);
    g_assert_cmpuint(colours[0].key, ==, 10);
    cxui_selection_reset(b);
    cxui_selection_recoloured(b, &n);
    g_assert_cmpuint(n, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/selection/keeps_the_order_of_picking",
                    test_keeps_the_order_of_picking);
    g_test_add_func("/selection/a_deselection_can_be_taken_back",
                    test_a_deselection_can_be_taken_back);
    g_test_add_func("/selection/an_edit_maps_ids", test_an_edit_maps_ids);
    g_test_add_func("/selection/another_tool_drops_seeds",
                    test_another_tool_drops_seeds);
    g_test_add_func("/selection/old_preview_stays_while_computing",
                    test_old_preview_stays_while_computing);
    g_test_add_func("/selection/ids_are_stored_exactly",
                    test_ids_are_stored_exactly);
    return g_test_run();
}
