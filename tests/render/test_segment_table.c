/* The table from labels to segments and colours, against a slow twin.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/segment_table.h"
#include "core/base/hash64.h"
#include "tests/support/check.h"

#include <string.h>

#define BIG (UINT64_C(1) << 60)
#define N_LABELS 3000
#define N_SEGMENTS 200

/* Segment of each label, by position; changed by the "edits" of a test. */
typedef struct {
    CxId segment_of[N_LABELS + 1];
    unsigned n_calls;
} Project;

static void
resolve(void *data, const CxId *labels, CxId *segments, size_t n)
{
    Project *project = data;

    project->n_calls++;
    for (size_t i = 0; i < n; i++)
        segments[i] = project->segment_of[labels[i] - BIG];
}

static void
fill(Project *project, CxRng *rng)
{
    for (int i = 1; i <= N_LABELS; i++) {
        uint64_t k = cx_rng_below(rng, N_SEGMENTS + 1);

        project->segment_of[i] = k == 0 ? 0 : BIG * 2 + k;
    }
}

/* What the row should say about an entry. */
static void
check_entry(CxglSegmentTable *table, uint32_t index, CxId segment,
            CxglColour colour, unsigned bits)
{
    uint64_t version;
    const uint32_t *words =
        cxgl_segment_table_row(table, index / CXGL_TABLE_WIDTH, &version) +
        2 * (index % CXGL_TABLE_WIDTH);

    if (segment == 0) {
        g_assert_cmpuint(words[0], ==, 0);
        g_assert_cmpuint(words[1], ==, 0);
        return;
    }
    g_assert_cmpuint(words[0], !=, 0);
    g_assert_cmpuint(words[1] & 255, ==, colour.r);
    g_assert_cmpuint(words[1] >> 8 & 255, ==, colour.g);
    g_assert_cmpuint(words[1] >> 16 & 255, ==, colour.b);
    g_assert_cmphex(words[1] >> 24, ==, bits);
}

static void
check_all(CxglSegmentTable *table, const Project *project,
          const unsigned *flags, const uint8_t *sides)
{
    for (uint32_t i = 1; i < cxgl_segment_table_n_entries(table); i++) {
        CxId label = cxgl_segment_table_label(table, i);
        CxId segment = project->segment_of[label - BIG];
        unsigned bits = segment != 0 ? flags[segment - 2 * BIG] : 0;
        CxglSide side = (CxglSide)sides[label - BIG];
        CxglColour colour = side != CXGL_SIDE_NONE
                                ? cxgl_segment_table_side_colour(side)
                                : cxgl_segment_table_colour(table, segment);

        g_assert_cmpuint(cxgl_segment_table_segment(table, i), ==, segment);
        bits |= side != CXGL_SIDE_NONE ? CXGL_ENTRY_SIDE : 0;
        check_entry(table, i, segment, colour, bits);
    }
}

/* Random labels, edits, flags and sides. */
static void
test_random_changes_against_twin(void)
{
    static const CxglSegmentFlags all[3] = {
        CXGL_SEGMENT_SELECTED, CXGL_SEGMENT_HIDDEN, CXGL_SEGMENT_HOVER};
    CxRng rng = cx_test_rng();
    g_autofree Project *project = g_new0(Project, 1);
    g_autoptr(CxglSegmentTable) table =
        cxgl_segment_table_new(resolve, project);
    unsigned flags[N_SEGMENTS + 1] = {0};
    uint8_t sides[N_LABELS + 1] = {0};

    fill(project, &rng);
    for (int round = 0; round < 2000; round++) {
        CxId label = BIG + 1 + cx_rng_below(&rng, N_LABELS);
        CxId segment = 2 * BIG + 1 + cx_rng_below(&rng, N_SEGMENTS);
        CxglSegmentFlags flag = all[cx_rng_below(&rng, 3)];

        switch (cx_rng_below(&rng, 6)) {
        case 0:
            cxgl_segment_table_index(table, label);
            break;
        case 1: /* a merge */
            project->segment_of[label - BIG] = segment;
            cxgl_segment_table_refresh(table, &label, 1);
            break;
        case 2: {
            bool on = cx_rng_below(&rng, 2) == 1;

            cxgl_segment_table_set_flag(table, flag, segment, on);
            flags[segment - 2 * BIG] &= ~(unsigned)flag;
            flags[segment - 2 * BIG] |= on ? flag : 0;
            break;
        }
        case 3: {
            CxId two[2] = {segment, 2 * BIG + 5};

            cxgl_segment_table_set_flagged(table, flag, two, 2);
            for (int i = 0; i <= N_SEGMENTS; i++)
                flags[i] &= ~(unsigned)flag;
            flags[segment - 2 * BIG] |= flag;
            flags[5] |= flag;
            break;
        }
        case 4: {
            CxglSide side = (CxglSide)cx_rng_below(&rng, 3);

            cxgl_segment_table_set_side(table, &label, 1, side);
            sides[label - BIG] = (uint8_t)side;
            break;
        }
        default:
            if (cx_rng_below(&rng, 20) == 0) {
                cxgl_segment_table_clear_sides(table);
                memset(sides, 0, sizeof sides);
            }
        }
        if (round % 100 == 99)
            check_all(table, project, flags, sides);
    }
    fill(project, &rng);
    cxgl_segment_table_refresh_all(table);
    check_all(table, project, flags, sides);
    cxgl_segment_table_set_palette(table, CXGL_PALETTE_COLOUR_BLIND);
    check_all(table, project, flags, sides);
}

static void
test_map_follows_runs_and_steps(void)
{
    g_autoptr(CxglSegmentTable) table = cxgl_segment_table_new(NULL, NULL);
    const CxId labels[] = {7, 0, 7, 0, BIG, 0, 0, 9, BIG, 9};
    uint32_t found[5];

    cxgl_segment_table_map(table, labels, 2, 5, found);
    g_assert_cmpuint(found[0], !=, 0);
    g_assert_cmpuint(found[1], ==, found[0]);
    g_assert_cmpuint(found[3], ==, 0);
    g_assert_cmpuint(found[4], ==, found[2]);
    g_assert_cmpuint(cxgl_segment_table_label(table, found[2]), ==, BIG);
    g_assert_cmpuint(cxgl_segment_table_segment(table, found[2]), ==, BIG);
    g_assert_cmpuint(cxgl_segment_table_n_entries(table), ==, 3);
}

/* An edit touches the rows of its labels and no others. */
static void
test_edit_changes_few_rows(void)
{
    CxRng rng = cx_test_rng();
    g_autofree Project *project = g_new0(Project, 1);
    g_autoptr(CxglSegmentTable) table =
        cxgl_segment_table_new(resolve, project);
    g_autofree uint64_t *before = NULL;
    uint64_t version = 0;
    CxId label = 0;
    unsigned n_changed = 0, n_rows;

    fill(project, &rng);
    for (CxId i = 1; i <= N_LABELS; i++)
        cxgl_segment_table_index(table, BIG + i);
    n_rows = cxgl_segment_table_n_rows(table);
    g_assert_cmpuint(n_rows, ==, 3);
    before = g_new(uint64_t, n_rows);
    for (uint32_t r = 0; r < n_rows; r++)
        cxgl_segment_table_row(table, r, &before[r]);
    label = BIG + 1500;
    project->segment_of[1500] = 2 * BIG + N_SEGMENTS + 1;
    version = cxgl_segment_table_version(table);
    cxgl_segment_table_refresh(table, &label, 1);
    g_assert_cmpuint(cxgl_segment_table_version(table), >, version);
    for (uint32_t r = 0; r < n_rows; r++) {
        uint64_t now;

        cxgl_segment_table_row(table, r, &now);
        n_changed += now != before[r];
    }
    g_assert_cmpuint(n_changed, ==, 1);
    version = cxgl_segment_table_version(table);
    cxgl_segment_table_refresh(table, &label, 1);
    g_assert_cmpuint(cxgl_segment_table_version(table), ==, version);
}

static void
test_colours_can_be_kept(void)
{
    g_autoptr(CxglSegmentTable) table = cxgl_segment_table_new(NULL, NULL);
    CxglColour of_3 = cxgl_segment_table_colour(table, 3);
    CxglColour of_4 = cxgl_segment_table_colour(table, 4), found;
    uint32_t index = cxgl_segment_table_index(table, 4);

    cxgl_segment_table_set_colour_key(table, 4, 3);
    found = cxgl_segment_table_colour(table, 4);
    g_assert_cmpmem(&found, sizeof found, &of_3, sizeof of_3);
    check_entry(table, index, 4, of_3, 0);
    cxgl_segment_table_set_colour_key(table, 4, 4);
    check_entry(table, index, 4, of_4, 0);
    cxgl_segment_table_set_colour(table, 4, (CxglColour){1, 2, 3, 255});
    check_entry(table, index, 4, (CxglColour){1, 2, 3, 255}, 0);
    cxgl_segment_table_set_colour(table, 4, (CxglColour){0});
    check_entry(table, index, 4, of_4, 0);
}

/* A flag set before the first label of the segment is seen. */
static void
test_flags_and_sides_wait_for_labels(void)
{
    g_autoptr(CxglSegmentTable) table = cxgl_segment_table_new(NULL, NULL);
    const CxId label = 11;

    cxgl_segment_table_set_flag(table, CXGL_SEGMENT_SELECTED, 11, true);
    cxgl_segment_table_set_side(table, &label, 1, CXGL_SIDE_B);
    g_assert_cmpuint(cxgl_segment_table_n_flagged(table, CXGL_SEGMENT_SELECTED),
                     ==, 1);
    g_assert_cmpuint(cxgl_segment_table_flags(table, 11), ==,
                     CXGL_SEGMENT_SELECTED);
    check_entry(table, cxgl_segment_table_index(table, 11), 11,
                cxgl_segment_table_side_colour(CXGL_SIDE_B),
                CXGL_ENTRY_SELECTED | CXGL_ENTRY_SIDE);
    cxgl_segment_table_clear_sides(table);
    g_assert_cmpint(cxgl_segment_table_side(table, 11), ==, CXGL_SIDE_NONE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment-table/twin", test_random_changes_against_twin);
    g_test_add_func("/segment-table/map", test_map_follows_runs_and_steps);
    g_test_add_func("/segment-table/rows", test_edit_changes_few_rows);
    g_test_add_func("/segment-table/colours", test_colours_can_be_kept);
    g_test_add_func("/segment-table/wait",
                    test_flags_and_sides_wait_for_labels);
    return g_test_run();
}
