/* Growing an object: live, stopped, reviewed, carried out as one edit.
 *
 * A bright bar along x lies in the dark, cut into 12 supervoxels, 1 to 12; the
 * dark around it is cut into 101 to 112.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/synthetic.h"
#include "core/volume/writer.h"
#include "tests/session/session_fixture.h"
#include "tests/support/model.h"

#include <string.h>

static const CxVoxel size = {120, 40, 30};

typedef struct {
    SessionFixture base;
    char *image, *labels, *model;
    CxuiGrower *grower;
    unsigned n_masks;
} Fixture;

static bool
is_bar(int64_t y, int64_t z)
{
    return ABS(y - 20) < 4 && ABS(z - 15) < 4;
}

static void
write_volume(const char *path, CxDtype dtype)
{
    bool is_labels = dtype == CX_DTYPE_U64;
    CxBox box = cx_box_of_size(size);
    g_autoptr(CxChunk) chunk = cx_chunk_new(dtype, box, 1, NULL);
    g_autoptr(GError) error = NULL;
    CxVoxel v;

    for (v.z = 0; v.z < size.z; v.z++)
        for (v.y = 0; v.y < size.y; v.y++)
            for (v.x = 0; v.x < size.x; v.x++) {
                size_t at = cx_box_offset(box, v);
                bool in = is_bar(v.y, v.z);

                if (is_labels)
                    ((CxId *)cx_chunk_data_mut(chunk))[at] =
                        (CxId)(v.x / 10 + (in ? 1 : 101));
                else
                    ((uint8_t *)cx_chunk_data_mut(chunk))[at] = in ? 200 : 20;
            }
    g_autoptr(CxVolume) volume = cx_volume_from_chunk(
        chunk, (CxNm){8, 8, 8}, (CxNm){0, 0, 0}, is_labels);
    g_assert_true(cx_writer_copy(volume, box, path, NULL, NULL, NULL, &error));
    g_assert_no_error(error);
}

static void
on_mask_changed(CxuiGrower *grower, Fixture *f)
{
    f->n_masks++;
}

static void
set_up(Fixture *f, const void *data)
{
    g_autoptr(CxNetwork) network = cx_test_bright_grower();

    session_fixture_set_up(&f->base, NULL);
    f->image = g_build_filename(f->base.dir, "bar.h5", NULL);
    f->labels = g_build_filename(f->base.dir, "cut.h5", NULL);
    f->model = g_build_filename(f->base.dir, "bright.h5", NULL);
    write_volume(f->image, CX_DTYPE_U8);
    write_volume(f->labels, CX_DTYPE_U64);
    cx_test_save_network(network, f->model);
    f->grower = cxui_session_grower(f->base.session);
    g_signal_connect(f->grower, "mask-changed", G_CALLBACK(on_mask_changed), f);
}

static void
tear_down(Fixture *f, const void *data)
{
    session_fixture_tear_down(&f->base, NULL);
    g_free(f->image);
    g_free(f->labels);
    g_free(f->model);
}

static CxuiGrowerState
state_of(SessionFixture *base)
{
    return cxui_grower_state(cxui_session_grower(base->session));
}

static bool
is_reviewed(SessionFixture *base)
{
    return state_of(base) == CXUI_GROWER_REVIEW &&
           !cxui_grower_is_planning(cxui_session_grower(base->session));
}

static bool
is_idle(SessionFixture *base)
{
    return state_of(base) == CXUI_GROWER_IDLE && session_is_idle(base);
}

static bool
has_grown(SessionFixture *base)
{
    return cxui_grower_flood_state(cxui_session_grower(base->session)).steps >
           2;
}

static void
open_bar(Fixture *f, bool with_labels)
{
    session_fixture_open(&f->base, f->image, with_labels ? f->labels : NULL);
    if (with_labels)
        session_fixture_wait(&f->base, session_has_project);
    session_fixture_wait(&f->base, session_is_idle);
    cxui_grower_set_model(f->grower, f->model);
}

static CxId
segment_of(Fixture *f, CxId supervoxel)
{
    return cxui_session_segment_of(f->base.session, supervoxel);
}

/* Largest sample of what is drawn of a voxel's chunk, at the voxel. */
static unsigned
drawn_at(Fixture *f, CxVoxel at)
{
    CxuiGrowerGrid grid = cxui_grower_grid(f->grower);
    CxChunkKey key = {grid.volume_id, 0, cx_chunk_of_voxel(at, grid.chunk)};
    g_autoptr(CxChunk) chunk = cxui_grower_lookup(f->grower, &key);

    g_assert_nonnull(chunk);
    return (unsigned)cx_chunk_label_at(chunk, at);
}

static void
test_one_edit(Fixture *f, const void *data)
{
    open_bar(f, true);
    g_assert_true(cxui_grower_can_start(f->grower));
    cxui_grower_start(f->grower, (CxVoxel){60, 20, 15});
    g_assert_cmpint(cxui_grower_state(f->grower), ==, CXUI_GROWER_GROWING);
    g_assert_false(cxui_grower_can_start(f->grower));
    session_fixture_wait(&f->base, is_reviewed);
    const CxGather *plan = cxui_grower_plan(f->grower);
    g_assert_cmpuint(plan->keep, ==, 1);
    g_assert_cmpuint(plan->inside->len, ==, 12);
    g_assert_cmpuint(plan->movers->len, ==, 11);
    g_assert_cmpuint(plan->n_joined, ==, 11);
    g_assert_cmpuint(f->n_masks, >, 2);
    g_assert_cmpuint(drawn_at(f, (CxVoxel){3, 20, 15}), ==, 150);
    g_assert_cmpuint(drawn_at(f, (CxVoxel){100, 20, 15}), ==, 240);
    g_assert_cmpuint(drawn_at(f, (CxVoxel){100, 5, 15}), ==, 0);

    g_assert_true(cxui_grower_commit(f->grower));
    session_fixture_wait(&f->base, is_idle);
    for (CxId id = 1; id <= 12; id++)
        g_assert_cmpuint(segment_of(f, id), ==, 1);
    g_assert_cmpuint(segment_of(f, 105), ==, 105);
    CxProject *project = cxui_session_project(f->base.session);
    g_assert_cmpint(cx_project_n_edits(project), ==, 1);
    g_assert_cmpuint(f->base.n_undo, ==, 1);
    g_assert_nonnull(strstr(session_last(f->base.toasts), "11 pieces"));
    g_assert_cmpuint(cxui_grower_grid(f->grower).volume_id, ==, 0);

    cxui_edit_controller_undo(cxui_session_edits(f->base.session), 1);
    session_fixture_wait(&f->base, session_is_idle);
    for (CxId id = 1; id <= 12; id++)
        g_assert_cmpuint(segment_of(f, id), ==, id);
    g_assert_cmpuint(f->base.failures->len, ==, 0);
}

static void
test_discarded(Fixture *f, const void *data)
{
    open_bar(f, true);
    g_assert_false(cxui_grower_cancel(f->grower));
    cxui_grower_start(f->grower, (CxVoxel){60, 20, 15});
    session_fixture_wait(&f->base, is_reviewed);
    g_assert_true(cxui_grower_is_ready(f->grower));
    g_assert_true(cxui_grower_cancel(f->grower));
    g_assert_cmpint(cxui_grower_state(f->grower), ==, CXUI_GROWER_IDLE);
    g_assert_false(cxui_grower_commit(f->grower));
    CxProject *project = cxui_session_project(f->base.session);
    g_assert_cmpint(cx_project_n_edits(project), ==, 0);
}

static void
test_stopped_half_way(Fixture *f, const void *data)
{
    open_bar(f, true);
    cxui_grower_start(f->grower, (CxVoxel){2, 20, 15});
    session_fixture_wait(&f->base, has_grown);
    if (cxui_grower_state(f->grower) == CXUI_GROWER_GROWING)
        cxui_grower_cancel(f->grower);
    session_fixture_wait(&f->base, is_reviewed);
    g_assert_cmpuint(cxui_grower_flood_state(f->grower).n_voxels, >, 100);
    g_assert_cmpuint(f->base.failures->len, ==, 0);
}

static void
test_without_supervoxels(Fixture *f, const void *data)
{
    open_bar(f, false);
    cxui_grower_start(f->grower, (CxVoxel){60, 20, 15});
    session_fixture_wait(&f->base, is_reviewed);
    g_assert_null(cxui_grower_plan(f->grower));
    g_assert_false(cxui_grower_is_ready(f->grower));
    g_assert_cmpuint(drawn_at(f, (CxVoxel){100, 20, 15}), ==, 200);
    g_assert_cmpuint(drawn_at(f, (CxVoxel){100, 5, 15}), ==, 0);
}

static void
test_nothing_grows(Fixture *f, const void *data)
{
    open_bar(f, true);
    cxui_grower_start(f->grower, (CxVoxel){60, 3, 3});
    session_fixture_wait(&f->base, is_idle);
    g_assert_cmpuint(f->base.failures->len, ==, 1);
    g_assert_nonnull(strstr(session_last(f->base.failures), "60, 3, 3"));
}

static void
test_wrong_model(Fixture *f, const void *data)
{
    open_bar(f, true);
    cxui_grower_set_model(f->grower, f->image);
    cxui_grower_start(f->grower, (CxVoxel){60, 20, 15});
    session_fixture_wait(&f->base, is_idle);
    g_assert_cmpuint(f->base.failures->len, ==, 1);
    g_assert_nonnull(strstr(session_last(f->base.failures), "not a model"));
}

static void
test_other_data(Fixture *f, const void *data)
{
    open_bar(f, true);
    cxui_grower_start(f->grower, (CxVoxel){60, 20, 15});
    session_fixture_open(&f->base, f->base.image, NULL);
    session_fixture_wait(&f->base, is_idle);
    g_assert_cmpuint(cxui_grower_grid(f->grower).volume_id, ==, 0);
}

static void
add_test(const char *name, void (*test)(Fixture *, const void *))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
    add_test("/grower/one-edit", test_one_edit);
    add_test("/grower/discarded", test_discarded);
    add_test("/grower/stopped-half-way", test_stopped_half_way);
    add_test("/grower/without-supervoxels", test_without_supervoxels);
    add_test("/grower/nothing-grows", test_nothing_grows);
    add_test("/grower/wrong-model", test_wrong_model);
    add_test("/grower/other-data", test_other_data);
    return session_test_run();
}
