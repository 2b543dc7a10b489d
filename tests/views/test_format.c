/* Numbers as people read them, places as people type them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/format.h"
#include "tests/support/check.h"

#define THIN "\xe2\x80\x89"

static void
expect_text(char *text, const char *expected)
{
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

static void
test_ids_keep_all_digits(void)
{
    expect_text(cxui_format_id(7), "7");
    expect_text(cxui_format_id(1204), "1" THIN "204");
    expect_text(cxui_format_id(UINT64_MAX),
                "18" THIN "446" THIN "744" THIN "073" THIN "709" THIN "551" THIN
                "615");
    expect_text(cxui_format_plain_id((UINT64_C(1) << 53) + 1),
                "9007199254740993");
}

static void
test_units_follow_the_size(void)
{
    expect_text(cxui_format_volume(1.234), "1.23 µm³");
    expect_text(cxui_format_volume(41.26), "41.3 µm³");
    expect_text(cxui_format_volume(2e-7), "200 nm³");
    expect_text(cxui_format_length_nm(450), "450 nm");
    expect_text(cxui_format_length_nm(2500), "2.50 µm");
    expect_text(cxui_format_count(1, "piece", "pieces"), "1 piece");
    expect_text(cxui_format_count(0, "piece", "pieces"), "0 pieces");
    expect_text(cxui_format_left(3.2), "4 s left");
    expect_text(cxui_format_left(119), "2 min left");
    g_assert_null(cxui_format_left(-1));
}

static void
test_places_are_understood(void)
{
    CxVoxel voxel = {0, 0, 0};
    CxId id = 0;

    g_assert_cmpint(cxui_parse_place("12, 34,56", &voxel, &id), ==,
                    CXUI_PLACE_VOXEL);
    g_assert_true(cx_voxel_equal(voxel, (CxVoxel){12, 34, 56}));
    g_assert_cmpint(
        cxui_parse_place("x 1" THIN "204  y 877  z 122", &voxel, &id), ==,
        CXUI_PLACE_VOXEL);
    g_assert_true(cx_voxel_equal(voxel, (CxVoxel){1204, 877, 122}));
    g_assert_cmpint(cxui_parse_place("18" THIN "446" THIN "744" THIN "073" THIN
                                     "709" THIN "551" THIN "615",
                                     &voxel, &id),
                    ==, CXUI_PLACE_ID);
    g_assert_true(id == UINT64_MAX);
}

static void
test_nonsense_is_no_place(void)
{
    const char *const texts[] = {
        "",
        "hello",
        "1 2",
        "1 2 3 4",
        "-5",
        "1, 2, a",
        "18446744073709551616",
        "0",
        "1 2 1e30",
        "\xff\xfe",
    };
    CxVoxel voxel = {0, 0, 0};
    CxId id = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_cmpint(cxui_parse_place(texts[i], &voxel, &id), ==,
                        CXUI_PLACE_NONE);
}

static void
test_ids_survive_formatting_and_parsing(void)
{
    CxRng rng = cx_test_rng();
    CxVoxel voxel = {0, 0, 0};

    for (int i = 0; i < 1000; i++) {
        CxId id = cx_rng_next(&rng) >> (i % 64);
        CxId back = 0;
        if (id == 0)
            continue;
        g_autofree char *text = cxui_format_id(id);
        g_assert_cmpint(cxui_parse_place(text, &voxel, &back), ==,
                        CXUI_PLACE_ID);
        g_assert_true(back == id);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/format/ids", test_ids_keep_all_digits);
    g_test_add_func("/format/units", test_units_follow_the_size);
    g_test_add_func("/format/places", test_places_are_understood);
    g_test_add_func("/format/nonsense", test_nonsense_is_no_place);
    g_test_add_func("/format/round-trip",
                    test_ids_survive_formatting_and_parsing);
    return g_test_run();
}
