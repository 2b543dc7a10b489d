/* Opening, closing, saving: what is open and what is said.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/session/session_fixture.h"

#include "core/volume/synthetic.h"
#include "core/volume/writer.h"

#include <string.h>

static unsigned
n_rows(SessionFixture *fixture)
{
    return g_list_model_get_n_items(
        G_LIST_MODEL(cxui_session_segment_model(fixture->session)));
}

static void
test_opens_an_image(SessionFixture *fixture, const void *data)
{
    CxuiSession *session = fixture->session;

    g_assert_false(cxui_session_is_open(session));
    g_assert_cmpstr(cxui_session_title(session), ==, "");
    session_fixture_open(fixture, fixture->image, NULL);
    g_assert_true(cxui_session_is_opening(session));
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(fixture->n_opened, ==, 1);
    g_assert_nonnull(cxui_session_image(session));
    g_assert_null(cxui_session_labels(session));
    g_assert_cmpuint(cxui_session_image_id(session), !=, 0);
    g_assert_cmpstr(cxui_session_title(session), ==, "image");
    g_assert_nonnull(strstr(cxui_session_subtitle(session), "40 × 30 × 20"));
    CxVoxel middle = cxui_view_state_voxel(cxui_session_view(session));
    g_assert_cmpint(middle.x, ==, 20);
    cxui_session_close(session);
    g_assert_cmpuint(fixture->n_closed, ==, 1);
    g_assert_false(cxui_session_is_open(session));
}

static void
test_image_and_labels_become_a_project(SessionFixture *fixture,
                                       const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    /* in whichever order they are named */
    session_fixture_open(fixture, fixture->labels, fixture->image);
    session_fixture_wait(fixture, session_has_project);
    g_assert_cmpuint(fixture->n_opened, ==, 1);
    g_assert_cmpuint(fixture->n_volumes, ==, 2);
    g_assert_true(cxui_session_is_untitled(fixture->session));
    g_assert_cmpuint(n_rows(fixture), ==, cx_fixture_cells(cells));
    g_assert_cmpuint(fixture->failures->len, ==, 0);
}

static void
test_an_unedited_copy_is_not_kept(SessionFixture *fixture, const void *data)
{
    session_fixture_open_both(fixture);
    g_autofree char *path = session_fixture_project_path(fixture);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    cxui_session_close(fixture->session);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_failures_are_sentences(SessionFixture *fixture, const void *data)
{
    session_fixture_open(fixture, "/nowhere/a.tif", NULL);
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(strstr(session_last(fixture->failures), "/nowhere/a.tif"));
    g_assert_false(cxui_session_is_open(fixture->session));

    session_fixture_open(fixture, fixture->image, NULL);
    session_fixture_wait(fixture, session_is_idle);
    session_fixture_open(fixture, fixture->image, fixture->image);
    g_ptr_array_set_size(fixture->failures, 0);
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(strstr(session_last(fixture->failures),
                            "expected an image and labels"));
    g_assert_nonnull(cxui_session_image(fixture->session));
}

static void
test_sizes_must_agree(SessionFixture *fixture, const void *data)
{
    CxBox box = cx_box_of_size((CxVoxel){8, 8, 8});
    CxNm nm = {1, 1, 1}, offset = {0, 0, 0};
    g_autoptr(CxChunk) chunk = cx_chunk_new(CX_DTYPE_U8, box, 1, NULL);
    g_autofree char *path = g_build_filename(fixture->dir, "small.h5", NULL);
    CxWriterOptions options = {.overwrite = true};

    memset(cx_chunk_data_mut(chunk), 0, cx_chunk_size_bytes(chunk));
    g_autoptr(CxVolume) small = cx_volume_from_chunk(chunk, nm, offset, false);
    g_assert_true(cx_writer_copy(small, box, path, &options, NULL, NULL, NULL));
    session_fixture_open(fixture, path, fixture->labels);
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(strstr(session_last(fixture->failures), "40 × 30 × 20"));
    g_assert_nonnull(strstr(session_last(fixture->failures), "8 × 8 × 8"));
}

static void
test_opening_can_be_cancelled(SessionFixture *fixture, const void *data)
{
    for (unsigned i = 0; i < 20; i++) {
        session_fixture_open(fixture, fixture->image, fixture->labels);
        for (unsigned j = 0; j < i; j++)
            g_main_context_iteration(NULL, FALSE);
        if (!cxui_session_is_opening(fixture->session))
            continue;
        cxui_session_cancel_open(fixture->session);
        g_assert_false(cxui_session_is_opening(fixture->session));
    }
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(fixture->failures->len, ==, 0);
}

static void
test_the_latest_opening_wins(SessionFixture *fixture, const void *data)
{
    session_fixture_open(fixture, fixture->labels, NULL);
    session_fixture_open(fixture, fixture->image, NULL);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_nonnull(cxui_session_image(fixture->session));
    g_assert_null(cxui_session_labels(fixture->session));
    g_assert_cmpuint(fixture->n_opened, ==, 1);
}

static void
test_a_project_reopens_where_it_was(SessionFixture *fixture, const void *data)
{
    g_autofree char *path = g_build_filename(fixture->dir, "p.connexon", NULL);

    session_fixture_open_both(fixture);
    cxui_session_save_as(fixture->session, path, false);
    session_fixture_wait(fixture, session_is_idle);
    cxui_view_state_set_voxel(cxui_session_view(fixture->session),
                              (CxVoxel){3, 4, 5});
    g_object_set(cxui_session_view(fixture->session), "opacity", 0.25, NULL);
    cxui_selection_select(cxui_session_selection(fixture->session), UINT64_MAX);
    session_fixture_restart(fixture);
    session_fixture_open(fixture, path, NULL);
    session_fixture_wait(fixture, session_has_project);
    CxVoxel at = cxui_view_state_voxel(cxui_session_view(fixture->session));
    g_assert_true(cx_voxel_equal(at, (CxVoxel){3, 4, 5}));
    g_assert_cmpfloat(
        cxui_view_state_layers(cxui_session_view(fixture->session))->opacity,
        ==, 0.25);
    g_assert_true(cxui_selection_contains(
        cxui_session_selection(fixture->session), UINT64_MAX));
    g_assert_nonnull(cxui_session_image(fixture->session));
    g_assert_cmpstr(cxui_session_title(fixture->session), ==, "p");
}

static void
test_save_as_moves_an_untitled_project(SessionFixture *fixture,
                                       const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    g_autofree char *path = g_build_filename(fixture->dir, "p.connexon", NULL);

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    g_autofree char *untitled = session_fixture_project_path(fixture);
    cxui_edit_controller_merge(cxui_session_edits(fixture->session),
                               cells[20].id, cells[21].id, cells[20].at);
    cxui_session_save_as(fixture->session, path, false);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpstr(session_last(fixture->failures), ==, "");
    g_assert_false(g_file_test(untitled, G_FILE_TEST_EXISTS));
    g_assert_false(cxui_session_is_untitled(fixture->session));
    g_assert_cmpint(cx_project_n_edits(cxui_session_project(fixture->session)),
                    ==, 1);
    cxui_edit_controller_merge(cxui_session_edits(fixture->session),
                               cells[22].id, cells[23].id, cells[22].at);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpint(cx_project_n_edits(cxui_session_project(fixture->session)),
                    ==, 2);

    /* there already: refused, and the work goes on */
    g_autofree char *other = g_build_filename(fixture->dir, "q.connexon", NULL);
    g_assert_true(g_file_set_contents(other, "x", 1, NULL));
    cxui_session_save_as(fixture->session, other, false);
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(strstr(session_last(fixture->failures), "already there"));
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpint(cx_project_n_edits(cxui_session_project(fixture->session)),
                    ==, 2);
}

static void
test_a_project_in_use_is_read_only(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    g_autofree char *path = g_build_filename(fixture->dir, "p.connexon", NULL);
    g_autoptr(CxProject) owner = cx_fixture_project(path);

    cx_fixture_cells(cells);
    session_fixture_open(fixture, path, NULL);
    session_fixture_wait(fixture, session_has_project);
    g_assert_true(
        cx_project_is_read_only(cxui_session_project(fixture->session)));
    g_assert_cmpstr(cxui_session_subtitle(fixture->session), ==, "read-only");
    g_assert_nonnull(strstr(session_last(fixture->toasts), "look at only"));
    cxui_edit_controller_merge(cxui_session_edits(fixture->session),
                               cells[20].id, cells[21].id, cells[20].at);
    session_fixture_wait(fixture, session_has_failed);
    g_assert_nonnull(strstr(session_last(fixture->failures), "look at only"));
    g_assert_true(cxui_session_is_stored(fixture->session));
}

static bool
has_chunks(SessionFixture *fixture)
{
    return fixture->n_chunks > 0;
}

static void
test_pick_never_blocks(SessionFixture *fixture, const void *data)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    CxId supervoxel = 0, segment = 0;

    cx_fixture_cells(cells);
    session_fixture_open_both(fixture);
    CxuiSession *session = fixture->session;
    g_assert_false(
        cxui_session_pick(session, cells[5].at, &supervoxel, &segment));
    CxVoxel chunk = cx_chunk_loader_chunk_size(
        cxui_session_loader(session), cxui_session_labels_id(session), 0);
    CxChunkKey key = {cxui_session_labels_id(session), 0,
                      cx_chunk_of_voxel(cells[5].at, chunk)};
    fixture->n_chunks = 0;
    cx_chunk_loader_want(cxui_session_loader(session), 0, &key, 1);
    session_fixture_wait(fixture, has_chunks);
    g_assert_true(
        cxui_session_pick(session, cells[5].at, &supervoxel, &segment));
    g_assert_cmpuint(segment, ==, cells[5].id);
    g_assert_false(
        cxui_session_pick(session, (CxVoxel){-1, 0, 0}, &supervoxel, &segment));
}

#define ADD(name)                                                              \
    g_test_add("/session/" #name, SessionFixture, NULL,                        \
               session_fixture_set_up, test_##name, session_fixture_tear_down)

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
    ADD(opens_an_image);
    ADD(image_and_labels_become_a_project);
    ADD(an_unedited_copy_is_not_kept);
    ADD(failures_are_sentences);
    ADD(sizes_must_agree);
    ADD(opening_can_be_cancelled);
    ADD(the_latest_opening_wins);
    ADD(a_project_reopens_where_it_was);
    ADD(save_as_moves_an_untitled_project);
    ADD(a_project_in_use_is_read_only);
    ADD(pick_never_blocks);
    return session_test_run();
}
