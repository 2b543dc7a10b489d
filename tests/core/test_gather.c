/* Bringing supervoxels together: what is proposed for random objects, the one
 * edit it becomes, and its undo.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/gather.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"

typedef struct {
    char *dir;
    CxProject *project;
    CxSupervoxelGraph *graph;
    size_t n_cells;
    CxFixtureCell cells[CX_FIXTURE_CELLS];
} Fixture;

static void
set_up(Fixture *f, const void *data)
{
    f->dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(f->dir, "a.connexon", NULL);
    f->project = cx_fixture_project(path);
    f->graph = cx_project_graph(f->project);
    f->n_cells = cx_fixture_cells(f->cells);
}

static void
tear_down(Fixture *f, const void *data)
{
    cx_project_unref(f->project);
    cx_test_remove_dir(f->dir);
    g_free(f->dir);
}

/* Index of the cell at a place of the grid of 10 x 6 x 4, or -1. */
static int
cell_at(const Fixture *f, int64_t x, int64_t y, int64_t z)
{
    for (size_t i = 0; i < f->n_cells; i++) {
        CxVoxel at = f->cells[i].at;

        if (at.x / 4 == x && at.y / 5 == y && at.z / 5 == z)
            return (int)i;
    }
    return -1;
}

static uint64_t
size_of(const Fixture *f, CxId supervoxel)
{
    CxId segment = cx_supervoxel_graph_segment_of(f->graph, supervoxel);
    g_autoptr(GArray) members = cx_supervoxel_graph_members(f->graph, segment);

    for (guint i = 0; i < members->len; i++)
        if (g_array_index(members, CxSupervoxel, i).id == supervoxel)
            return g_array_index(members, CxSupervoxel, i).n_voxels;
    g_assert_not_reached();
}

static int
compare_overlaps(const void *a, const void *b)
{
    const CxFloodOverlap *p = a, *q = b;

    return p->id < q->id ? -1 : p->id > q->id;
}

static void
add_overlap(GArray *overlaps, CxId id, uint64_t n)
{
    CxFloodOverlap overlap = {id, n};

    g_array_append_val(overlaps, overlap);
    g_array_sort(overlaps, compare_overlaps);
}

static bool
has(const GArray *ids, CxId id)
{
    for (guint i = 0; i < ids->len; i++)
        if (g_array_index(ids, CxId, i) == id)
            return true;
    return false;
}

/* Cells whose mark grows over faces from those of the kept segment. */
static void
mark_reached(const Fixture *f, CxId keep, const bool *inside, bool *reached)
{
    bool more = true;

    for (size_t i = 0; i < f->n_cells; i++)
        reached[i] =
            cx_supervoxel_graph_segment_of(f->graph, f->cells[i].id) == keep;
    while (more) {
        more = false;
        for (size_t i = 0; i < f->n_cells; i++) {
            CxVoxel p = f->cells[i].at;
            int64_t x = p.x / 4, y = p.y / 5, z = p.z / 5;
            int beside[] = {cell_at(f, x - 1, y, z), cell_at(f, x + 1, y, z),
                            cell_at(f, x, y - 1, z), cell_at(f, x, y + 1, z),
                            cell_at(f, x, y, z - 1), cell_at(f, x, y, z + 1)};

            for (size_t k = 0; k < 6 && !reached[i] && inside[i]; k++)
                if (beside[k] >= 0 && reached[beside[k]])
                    more = reached[i] = true;
        }
    }
}

static void
merge_some(Fixture *f, CxRng *rng)
{
    for (unsigned i = 0; i < 40; i++) {
        CxId a = cx_supervoxel_graph_segment_of(
            f->graph, f->cells[cx_rng_below(rng, f->n_cells)].id);
        CxId b = cx_supervoxel_graph_segment_of(
            f->graph, f->cells[cx_rng_below(rng, f->n_cells)].id);

        if (a == b || !cx_supervoxel_graph_touch(f->graph, a, b))
            continue;
        CxEdit *edit = cx_project_merge(f->project, a, b, f->cells[0].at, NULL);
        g_assert_nonnull(edit);
        cx_edit_free(edit);
    }
}

static void
expect_plan(const Fixture *f, const CxGather *plan, const bool *inside)
{
    bool reached[CX_FIXTURE_CELLS];

    mark_reached(f, plan->keep, inside, reached);
    for (size_t i = 0; i < f->n_cells; i++) {
        CxId id = f->cells[i].id;
        bool kept = cx_supervoxel_graph_segment_of(f->graph, id) == plan->keep;

        g_assert_cmpint(has(plan->inside, id), ==, inside[i] && reached[i]);
        g_assert_cmpint(has(plan->movers, id), ==,
                        inside[i] && reached[i] && !kept);
    }
}

static void
test_random(Fixture *f, const void *data)
{
    CxRng rng = cx_test_rng();
    unsigned n_edits = 0;

    merge_some(f, &rng);
    for (unsigned round = 0; round < 20; round++) {
        g_autoptr(GArray) overlaps =
            g_array_new(FALSE, FALSE, sizeof(CxFloodOverlap));
        bool inside[CX_FIXTURE_CELLS] = {false};
        CxId before[CX_FIXTURE_CELLS];
        CxGather plan;
        g_autoptr(GError) error = NULL;

        for (size_t i = 0; i < f->n_cells; i++) {
            uint64_t size = size_of(f, f->cells[i].id);
            uint64_t n = cx_rng_below(&rng, size + 1);

            before[i] =
                cx_supervoxel_graph_segment_of(f->graph, f->cells[i].id);
            if (cx_rng_below(&rng, 4) == 0 || n == 0)
                continue;
            add_overlap(overlaps, f->cells[i].id, n);
            inside[i] = 2 * n >= size;
        }
        add_overlap(overlaps, 123456789, 7);
        cx_gather_plan(f->graph, overlaps, &plan);
        expect_plan(f, &plan, inside);
        if (plan.movers->len > 0) {
            g_autoptr(CxEdit) edit = cx_project_gather(
                f->project, plan.keep, (const CxId *)plan.movers->data,
                plan.movers->len, f->cells[0].at, &error);
            g_assert_no_error(error);
            g_assert_cmpuint(edit->moves->len, ==, plan.n_cut + plan.n_joined);
            for (size_t i = 0; i < f->n_cells; i++)
                g_assert_cmpuint(
                    cx_supervoxel_graph_segment_of(f->graph, f->cells[i].id), ==
                    , has(plan.movers, f->cells[i].id) ? plan.keep : before[i]);
            n_edits++;
        }
        if (round % 2 == 0 && plan.movers->len > 0) {
            CxEdit *undone = cx_project_undo(f->project, &error);
            g_assert_no_error(error);
            cx_edit_free(undone);
            for (size_t i = 0; i < f->n_cells; i++)
                g_assert_cmpuint(
                    cx_supervoxel_graph_segment_of(f->graph, f->cells[i].id),
                    ==, before[i]);
        }
        cx_gather_clear(&plan);
    }
    g_assert_cmpuint(n_edits, >, 5);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(cx_project_check(f->project, problems, NULL, NULL));
    g_assert_cmpuint(problems->len, ==, 0);
}

/* One cell in a body of at least eight times its size. */
static void
test_cut_out(Fixture *f, const void *data)
{
    g_autoptr(GArray) overlaps =
        g_array_new(FALSE, FALSE, sizeof(CxFloodOverlap));
    CxId body = f->cells[8].id;
    g_autoptr(GError) error = NULL;
    CxGather plan;

    for (size_t i = 9; i < 20; i++) {
        CxEdit *edit = cx_project_merge(f->project, body, f->cells[i].id,
                                        f->cells[0].at, &error);
        g_assert_no_error(error);
        cx_edit_free(edit);
    }
    add_overlap(overlaps, f->cells[12].id, size_of(f, f->cells[12].id));
    cx_gather_plan(f->graph, overlaps, &plan);
    g_assert_cmpuint(plan.keep, ==, 0);
    g_assert_cmpuint(plan.movers->len, ==, 1);
    g_assert_cmpuint(plan.n_cut, ==, 1);
    g_autoptr(CxEdit) edit =
        cx_project_gather(f->project, 0, (const CxId *)plan.movers->data, 1,
                          f->cells[12].at, &error);
    g_assert_no_error(error);
    g_assert_cmpint(edit->kind, ==, CX_EDIT_SPLIT);
    CxId own = cx_supervoxel_graph_segment_of(f->graph, f->cells[12].id);
    g_assert_cmpuint(own, !=, body);
    g_assert_cmpuint(cx_supervoxel_graph_segment_of(f->graph, f->cells[11].id),
                     ==, body);
    CxEdit *undone = cx_project_undo(f->project, &error);
    g_assert_no_error(error);
    cx_edit_free(undone);
    g_assert_cmpuint(cx_supervoxel_graph_segment_of(f->graph, f->cells[12].id),
                     ==, body);
    cx_gather_clear(&plan);

    /* Two of twelve: the body is kept, though it lies mostly outside. */
    add_overlap(overlaps, f->cells[13].id, size_of(f, f->cells[13].id));
    cx_gather_plan(f->graph, overlaps, &plan);
    g_assert_cmpuint(plan.keep, ==, body);
    g_assert_cmpuint(plan.movers->len, ==, 0);
    cx_gather_clear(&plan);
}

static void
test_nothing_there(Fixture *f, const void *data)
{
    g_autoptr(GArray) overlaps =
        g_array_new(FALSE, FALSE, sizeof(CxFloodOverlap));
    CxGather plan;

    add_overlap(overlaps, f->cells[9].id, 1);
    cx_gather_plan(f->graph, overlaps, &plan);
    g_assert_cmpuint(plan.keep, ==, 0);
    g_assert_cmpuint(plan.inside->len, ==, 0);
    cx_gather_clear(&plan);
}

static void
test_refusals(Fixture *f, const void *data)
{
    CxId a = f->cells[9].id, b = f->cells[10].id, unknown = 123456789;
    g_autoptr(GError) error = NULL;
    CxVoxel at = {0, 0, 0};

    g_assert_null(cx_project_gather(f->project, a, NULL, 0, at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "nothing", NULL);
    g_assert_null(cx_project_gather(f->project, unknown, &a, 1, at, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "123456789", NULL);
    g_assert_null(cx_project_gather(f->project, a, &unknown, 1, at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "123456789", NULL);
    g_assert_null(cx_project_gather(f->project, a, &a, 1, at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "other than", NULL);
    CxEdit *lock = cx_project_set_locked(f->project, b, true, &error);
    cx_edit_free(lock);
    g_assert_null(cx_project_gather(f->project, a, &b, 1, at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "locked", NULL);
}

static void
add_test(const char *name, void (*test)(Fixture *, const void *))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_test("/gather/random", test_random);
    add_test("/gather/cut-out", test_cut_out);
    add_test("/gather/nothing-there", test_nothing_there);
    add_test("/gather/refusals", test_refusals);
    return g_test_run();
}
