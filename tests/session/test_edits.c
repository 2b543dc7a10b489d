/* Edits through the session: stored before they are shown, in order, undone
 * after a restart; models and surfaces follow.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/synthetic.h"
#include "tests/session/session_fixture.h"

#include <stdlib.h>
#include <string.h>

static CxuiEditController *
edits(SessionFixture *fixture)
{
    return cxui_session_edits(fixture->session);
}

static CxId
segment_at(SessionFixture *fixture, CxFixtureCell cell)
{
    return cx_supervoxel_graph_segment_of(cxui_session_graph(fixture->session),
                                          cell.id);
}

static unsigned
n_rows(SessionFixture *fixture)
{
    return g_list_model_get_n_items(
        G_LIST_MODEL(cxui_session_segment_model(fixture->session)));
}

static unsigned
n_history(SessionFixture *fixture)
{
    return g_list_model_get_n_items(
        G_LIST_MODEL(cxui_session_history(fixture->session)));
}

static void
test_merge_selected(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    size_t n_cells = cx_fixture_cells(cells), n;

    session_fixture_open_both(fixture);
    CxuiSelection *selection = cxui_session_selection(fixture->session);
    CxId picked[] = {cells[41].id, cells[40].id, cells[42].id};
    cxui_selection_set(selection, picked, 3);
    g_assert_true(cxui_edit_controller_can_merge(edits(fixture)));
    cxui_edit_controller_merge_selected(edits(fixture));
    g_assert_cmpstr(cxui_session_subtitle(fixture->session), ==, "storing…");
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpstr(session_last(fixture->failures), ==, "");
    g_assert_cmpstr(cxui_session_subtitle(fixture->session), ==,
                    "all edits stored");
    for (unsigned i = 40; i < 43; i++)
        g_assert_cmpuint(segment_at(fixture, cells[i]), ==, cells[41].id);
    g_assert_cmpuint(fixture->n_undo, ==, 2);
    g_assert_cmpuint(fixture->n_segments, ==, 2);
    g_assert_false(cx_box_is_empty(fixture->last_box));
    g_assert_cmpuint(n_rows(fixture), ==, n_cells - 2);
    g_assert_cmpuint(n_history(fixture), ==, 2);
    const CxId *ids = cxui_selection_ids(selection, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(ids[0], ==, cells[41].id);
    g_assert_false(cxui_edit_controller_can_merge(edits(fixture)));

    /* the toast's Undo */
    cxui_edit_controller_undo(edits(fixture), fixture->n_undo);
    session_fixture_wait(fixture, session_is_idle);
    for (unsigned i = 40; i < 43; i++)
        g_assert_cmpuint(segment_at(fixture, cells[i]), ==, cells[i].id);
    g_assert_cmpuint(n_rows(fixture), ==, n_cells);
    g_assert_cmpuint(n_history(fixture), ==, 2);
    g_assert_false(cxui_edit_controller_can_undo(edits(fixture)));
    g_assert_true(cxui_edit_controller_can_redo(edits(fixture)));
}

static void
test_undo_after_a_restart(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    cxui_edit_controller_merge(edits(fixture), cells[0].id, cells[1].id,
                               cells[0].at);
    cxui_edit_controller_set_note(edits(fixture), cells[0].id, "axon");
    cxui_edit_controller_set_locked(edits(fixture), cells[9].id, true);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpstr(session_last(fixture->failures), ==, "");
    g_autofree char *path = session_fixture_project_path(fixture);
    session_fixture_restart(fixture);
    session_fixture_open(fixture, path, NULL);
    session_fixture_wait(fixture, session_has_project);
    CxuiSegmentModel *model = cxui_session_segment_model(fixture->session);
    g_assert_cmpstr(cxui_segment_model_note(model, cells[0].id), ==, "axon");
    g_assert_true(cxui_segment_model_is_locked(model, cells[9].id));
    g_assert_cmpuint(n_history(fixture), ==, 3);
    g_autoptr(CxuiHistoryItem) newest = g_list_model_get_item(
        G_LIST_MODEL(cxui_session_history(fixture->session)), 0);
    g_assert_true(cxui_history_item_is_head(newest));
    g_assert_cmpint(cxui_history_item_sequence(newest), ==, 3);
    g_assert_cmpstr(cxui_history_item_author(newest), ==, "Ada");

    cxui_edit_controller_go_to(edits(fixture), 0);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(segment_at(fixture, cells[1]), ==, cells[1].id);
    g_assert_cmpstr(cxui_segment_model_note(model, cells[0].id), ==, "");
    g_assert_false(cxui_segment_model_is_locked(model, cells[9].id));
    g_assert_true(cxui_history_item_is_undone(newest));
    cxui_edit_controller_go_to(edits(fixture), 3);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(segment_at(fixture, cells[1]), ==, cells[0].id);
    g_assert_false(cxui_history_item_is_undone(newest));
}

static void
test_what_was_asked_is_stored_at_closing(SessionFixture *fixture,
                                         const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    g_autofree char *path = session_fixture_project_path(fixture);
    for (unsigned i = 0; i < 50; i++)
        cxui_edit_controller_set_note(edits(fixture), cells[i].id, "seen");
    session_fixture_restart(fixture);
    session_fixture_open(fixture, path, NULL);
    session_fixture_wait(fixture, session_has_project);
    g_assert_cmpint(cx_project_n_edits(cxui_session_project(fixture->session)),
                    ==, 50);
}

static void
test_a_refusal_is_one_sentence(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    cxui_edit_controller_merge(edits(fixture), 1, 2, cells[0].at);
    g_assert_nonnull(
        strstr(session_last(fixture->failures), "Nothing is open"));
    session_fixture_open_both(fixture);
    cxui_edit_controller_merge_selected(edits(fixture));
    g_assert_nonnull(strstr(session_last(fixture->failures), "two or more"));
    cxui_edit_controller_commit_split(edits(fixture));
    g_assert_nonnull(strstr(session_last(fixture->failures), "each side"));
    g_ptr_array_set_size(fixture->failures, 0);
    cxui_edit_controller_merge(edits(fixture), cells[0].id, 12345678,
                               cells[0].at);
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(strstr(session_last(fixture->failures), "12345678"));
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpint(cx_project_n_edits(cxui_session_project(fixture->session)),
                    ==, 0);
}

static bool
has_preview(SessionFixture *fixture)
{
    CxuiPreviewState state =
        cxui_selection_preview_state(cxui_session_selection(fixture->session));

    return state == CXUI_PREVIEW_READY || state == CXUI_PREVIEW_FAILED;
}

static void
test_split_with_preview(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    size_t n;

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    CxuiSelection *selection = cxui_session_selection(fixture->session);
    for (unsigned i = 51; i < 54; i++)
        cxui_edit_controller_merge(edits(fixture), cells[50].id, cells[i].id,
                                   cells[50].at);
    session_fixture_wait(fixture, session_is_idle);
    cxui_selection_set_tool(selection, CXUI_TOOL_SPLIT);
    cxui_selection_set_split_segment(selection, cells[50].id);
    cxui_selection_add_seed(selection,
                            (CxuiSeed){cells[50].at, CXUI_SIDE_A, 0});
    g_assert_false(cxui_edit_controller_can_split(edits(fixture)));
    g_assert_cmpint(cxui_selection_preview_state(selection), ==,
                    CXUI_PREVIEW_NONE);
    cxui_selection_add_seed(selection,
                            (CxuiSeed){cells[53].at, CXUI_SIDE_B, 0});
    g_assert_cmpint(cxui_selection_preview_state(selection), ==,
                    CXUI_PREVIEW_COMPUTING);
    g_assert_true(cxui_edit_controller_can_split(edits(fixture)));
    session_fixture_wait(fixture, has_preview);
    g_assert_null(cxui_selection_preview_reason(selection));
    const CxId *moved = cxui_selection_preview(selection, &n);
    g_assert_cmpuint(n, >=, 1);
    g_assert_cmpuint(moved[n - 1], ==, cells[53].id);

    cxui_edit_controller_commit_split(edits(fixture));
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpstr(session_last(fixture->failures), ==, "");
    g_assert_cmpuint(segment_at(fixture, cells[50]), !=,
                     segment_at(fixture, cells[53]));
    cxui_selection_seeds(selection, &n);
    g_assert_cmpuint(n, ==, 0);
    g_assert_cmpint(cxui_selection_preview_state(selection), ==,
                    CXUI_PREVIEW_NONE);
}

static void
test_a_failed_preview_says_why(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    CxuiSelection *selection = cxui_session_selection(fixture->session);
    cxui_selection_set_tool(selection, CXUI_TOOL_SPLIT);
    cxui_selection_set_split_segment(selection, cells[50].id);
    cxui_selection_add_seed(selection,
                            (CxuiSeed){cells[50].at, CXUI_SIDE_A, 0});
    cxui_selection_add_seed(selection,
                            (CxuiSeed){cells[70].at, CXUI_SIDE_B, 0});
    session_fixture_wait(fixture, has_preview);
    g_assert_cmpint(cxui_selection_preview_state(selection), ==,
                    CXUI_PREVIEW_FAILED);
    g_assert_nonnull(cxui_selection_preview_reason(selection));
    g_assert_cmpuint(fixture->failures->len, ==, 0);
}

static bool
meshes_are_ready(SessionFixture *fixture)
{
    return cxui_mesh_controller_n_pending(
               cxui_session_meshes(fixture->session)) == 0;
}

static void
test_surfaces_follow_edits(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    bool stale;
    uint64_t first, second;

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    CxuiMeshController *meshes = cxui_session_meshes(fixture->session);
    CxuiSelection *selection = cxui_session_selection(fixture->session);
    CxId a = cells[60].id, b = cells[61].id;
    cxui_selection_set(selection, (CxId[]){a, b}, 2);
    g_assert_true(cxui_mesh_controller_is_pending(meshes, a));
    session_fixture_wait(fixture, meshes_are_ready);
    g_assert_cmpstr(cxui_mesh_controller_reason(meshes, a), ==, NULL);
    const CxMesh *mesh = cxui_mesh_controller_mesh(meshes, a, &stale, &first);
    g_assert_nonnull(mesh);
    g_assert_false(stale);
    uint32_t n_a = mesh->n_triangles;
    uint32_t n_b =
        cxui_mesh_controller_mesh(meshes, b, NULL, NULL)->n_triangles;

    /* the union at once, then the true surface */
    cxui_edit_controller_merge_selected(edits(fixture));
    session_fixture_wait(fixture, session_is_idle);
    mesh = cxui_mesh_controller_mesh(meshes, a, &stale, &second);
    g_assert_cmpuint(second, >, first);
    if (stale)
        g_assert_cmpuint(mesh->n_triangles, ==, n_a + n_b);
    g_assert_null(cxui_mesh_controller_mesh(meshes, b, NULL, NULL));
    session_fixture_wait(fixture, meshes_are_ready);
    mesh = cxui_mesh_controller_mesh(meshes, a, &stale, NULL);
    g_assert_false(stale);
    g_assert_cmpuint(cx_mesh_n_open_edges(mesh), ==, 0);
    cxui_selection_set_hidden(selection, a, true);
    size_t n;
    cxui_mesh_controller_wanted(meshes, &n);
    g_assert_cmpuint(n, ==, 0);
}

/* Cells against a list of labels: the slowest obvious model. */
static void
test_random_edits_against_a_list(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    CxId now[CX_FIXTURE_CELLS];
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_free);
    size_t n = cx_fixture_cells(cells);
    CxRng rng = cx_test_rng();

    session_fixture_open_both(fixture);
    for (size_t i = 0; i < n; i++)
        now[i] = cells[i].id;
    for (unsigned step = 0; step < 120; step++) {
        size_t a = cx_rng_below(&rng, n), b = cx_rng_below(&rng, n);

        if (cx_rng_below(&rng, 3) == 0 && before->len > 0) {
            g_autofree CxId *old =
                g_ptr_array_steal_index(before, before->len - 1);

            memcpy(now, old, sizeof now);
            cxui_edit_controller_undo(edits(fixture), 1);
        } else if (now[a] != now[b]) {
            CxId keep = now[a], gone = now[b];

            g_ptr_array_add(before, g_memdup2(now, sizeof now));
            for (size_t i = 0; i < n; i++)
                now[i] = now[i] == gone ? keep : now[i];
            cxui_edit_controller_merge(edits(fixture), keep, gone, cells[a].at);
        }
        if (cx_rng_below(&rng, 4) == 0)
            session_fixture_wait(fixture, session_is_idle);
    }
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpstr(session_last(fixture->failures), ==, "");
    for (size_t i = 0; i < n; i++)
        g_assert_cmpuint(segment_at(fixture, cells[i]), ==, now[i]);
    g_autoptr(GArray) all =
        cx_supervoxel_graph_segments(cxui_session_graph(fixture->session));
    g_assert_cmpuint(n_rows(fixture), ==, all->len);
    CxuiSegmentModel *model = cxui_session_segment_model(fixture->session);
    for (guint i = 0; i < all->len; i++) {
        const CxSegment *segment = &g_array_index(all, CxSegment, i);
        unsigned row;

        g_assert_true(cxui_segment_model_find(model, segment->id, &row));
        g_autoptr(CxuiSegmentItem) item =
            g_list_model_get_item(G_LIST_MODEL(model), row);
        g_assert_cmpuint(cxui_segment_item_id(item), ==, segment->id);
        g_assert_cmpuint(cxui_segment_item_n_voxels(item), ==,
                         segment->n_voxels);
    }
}

static void
test_list_filters_and_notes(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    CxuiSegmentModel *model = cxui_session_segment_model(fixture->session);
    unsigned row;
    g_assert_true(cxui_segment_model_find(model, cells[8].id, &row));
    g_autoptr(CxuiSegmentItem) item =
        g_list_model_get_item(G_LIST_MODEL(model), row);
    cxui_edit_controller_set_note(edits(fixture), cells[8].id, "Dendrite");
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpstr(cxui_segment_item_note(item), ==, "Dendrite");
    cxui_segment_model_set_filter(model, "dendr");
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(n_rows(fixture), ==, 1);
    cxui_segment_model_set_filter(model, "");
    cxui_segment_model_set_order(model, CXUI_ORDER_NOTE);
    session_fixture_wait(fixture, session_is_idle);
    g_autoptr(CxuiSegmentItem) top =
        g_list_model_get_item(G_LIST_MODEL(model), 0);
    g_assert_cmpuint(cxui_segment_item_id(top), ==, cells[8].id);
}

static void
test_history_of_one_segment(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    cxui_edit_controller_merge(edits(fixture), cells[10].id, cells[11].id,
                               cells[10].at);
    cxui_edit_controller_merge(edits(fixture), cells[12].id, cells[13].id,
                               cells[12].at);
    session_fixture_wait(fixture, session_is_idle);
    cxui_history_model_set_segment(cxui_session_history(fixture->session),
                                   cells[12].id);
    cxui_edit_controller_merge(edits(fixture), cells[12].id, cells[14].id,
                               cells[12].at);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(n_history(fixture), ==, 2);
}

/* Cells of 2³ voxels, each a label. */
static CxVolume *
make_cells(int64_t side)
{
    CxBox box = cx_box_of_size((CxVoxel){2 * side, 2 * side, 2 * side});
    CxNm nm = {10, 10, 10}, offset = {0, 0, 0};
    g_autoptr(CxChunk) chunk = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    CxId *to = cx_chunk_data_mut(chunk);

    for (int64_t z = 0; z < box.hi.z; z++)
        for (int64_t y = 0; y < box.hi.y; y++)
            for (int64_t x = 0; x < box.hi.x; x++)
                *to++ = (CxId)(x / 2 + side * (y / 2 + side * (z / 2))) + 1;
    return cx_volume_from_chunk(chunk, nm, offset, true);
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* With -m perf: from the call to the news that the screen may follow. */
static void
test_speed_at_a_million(SessionFixture *fixture, const void *data)
{
    int64_t side = 100, times[200];
    g_autofree char *path = g_build_filename(fixture->dir, "m.connexon", NULL);

    if (!g_test_perf()) {
        g_test_skip("run with -m perf");
        return;
    }
    g_autoptr(CxVolume) labels = make_cells(side);
    CxProject *project = cx_project_create(path, labels, NULL);
    g_assert_true(cx_project_import_labels(project, labels, NULL, NULL));
    cx_project_unref(project);
    session_fixture_open(fixture, path, NULL);
    int64_t start_us = g_get_monotonic_time();
    session_fixture_wait(fixture, session_has_project);
    g_test_message("open and list 10^6 segments: %.2f s",
                   (double)(g_get_monotonic_time() - start_us) * 1e-6);
    for (CxId i = 0; i < 200; i++) {
        unsigned n = fixture->n_segments;

        start_us = g_get_monotonic_time();
        cxui_edit_controller_merge(edits(fixture), 5000 * i + 1, 5000 * i + 2,
                                   (CxVoxel){0, 0, 0});
        while (fixture->n_segments == n)
            g_main_context_iteration(NULL, TRUE);
        times[i] = g_get_monotonic_time() - start_us;
    }
    qsort(times, 200, sizeof *times, compare_times);
    g_test_message("merge: p50 %.2f ms, p99 %.2f ms", (double)times[100] * 1e-3,
                   (double)times[198] * 1e-3);
}

#define ADD(name)                                                              \
    g_test_add("/edits/" #name, SessionFixture, NULL, session_fixture_set_up,  \
               test_##name, session_fixture_tear_down)

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
    ADD(merge_selected);
    ADD(undo_after_a_restart);
    ADD(what_was_asked_is_stored_at_closing);
    ADD(a_refusal_is_one_sentence);
    ADD(split_with_preview);
    ADD(a_failed_preview_says_why);
    ADD(surfaces_follow_edits);
    ADD(random_edits_against_a_list);
    ADD(list_filters_and_notes);
    ADD(history_of_one_segment);
    ADD(speed_at_a_million);
    return session_test_run();
}
