/* Projects: random edits, undo and redo against a naive model, over restarts;
 * ids; files that are not what they should be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project.h"
#include "core/volume/synthetic.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"

#include <string.h>

/* The model: the whole state after each edit, and a tree of states. */
typedef struct {
    CxId segment[CX_FIXTURE_CELLS];
    bool locked;
    char *note;
    int parent, newest_child;
} State;

typedef struct {
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    size_t n_cells;
    GArray *states; /* of State, by sequence */
    int head;
} Model;

static State *
state_at(Model *model, int sequence)
{
    return &g_array_index(model->states, State, sequence);
}

static void
model_init(Model *model)
{
    State first = {0};

    model->n_cells = cx_fixture_cells(model->cells);
    for (size_t i = 0; i < model->n_cells; i++)
        first.segment[i] = model->cells[i].id;
    model->states = g_array_new(FALSE, FALSE, sizeof(State));
    g_array_append_val(model->states, first);
    model->head = 0;
}

static void
model_clear(Model *model)
{
    for (guint i = 0; i < model->states->len; i++)
        g_free(state_at(model, (int)i)->note);
    g_array_unref(model->states);
}

/* A copy of the present state as the child of the head. */
static State *
model_grow(Model *model)
{
    State next = *state_at(model, model->head);

    next.note = g_strdup(next.note);
    next.parent = model->head;
    next.newest_child = 0;
    state_at(model, model->head)->newest_child = (int)model->states->len;
    model->head = (int)model->states->len;
    g_array_append_val(model->states, next);
    return state_at(model, model->head);
}

static void
check_state(Model *model, CxProject *project)
{
    const State *state = state_at(model, model->head);
    CxSupervoxelGraph *graph = cx_project_graph(project);
    g_autofree char *note = cx_project_dup_note(project, model->cells[0].id);

    for (size_t i = 0; i < model->n_cells; i++)
        g_assert_cmpuint(
            cx_supervoxel_graph_segment_of(graph, model->cells[i].id), ==,
            state->segment[i]);
    g_assert_cmpint(cx_project_head(project), ==, model->head);
    g_assert_cmpint(cx_project_n_edits(project), ==,
                    (int)model->states->len - 1);
    g_assert_cmpstr(note, ==, state->note);
    g_assert_true(cx_project_is_locked(project, UINT64_C(424242)) == false);
}

static void
apply_moves(Model *model, const CxEdit *edit)
{
    State *state = model_grow(model);

    for (guint m = 0; m < edit->moves->len; m++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, m);

        for (guint k = 0; k < move->supervoxels->len; k++) {
            CxId id = g_array_index(move->supervoxels, CxId, k);

            for (size_t i = 0; i < model->n_cells; i++) {
                if (model->cells[i].id != id)
                    continue;
                g_assert_cmpuint(state->segment[i], ==, move->from);
                state->segment[i] = move->to;
            }
        }
    }
}

static void
random_merge(Model *model, CxProject *project, CxRng *rng)
{
    const State *before = state_at(model, model->head);
    size_t a = cx_rng_below(rng, model->n_cells);
    size_t b = cx_rng_below(rng, model->n_cells);
    CxId keep = before->segment[a], other = before->segment[b];
    g_autoptr(GError) error = NULL;
    g_autoptr(CxEdit) edit =
        cx_project_merge(project, keep, other, model->cells[b].at, &error);

    if (keep == other) {
        cx_test_expect_error(&error, CX_ERROR_INVALID, "itself", NULL);
        return;
    }
    g_assert_no_error(error);
    State *state = model_grow(model);

    for (size_t i = 0; i < model->n_cells; i++) {
        if (state->segment[i] == other)
            state->segment[i] = keep;
    }
    g_assert_cmpint(edit->sequence, ==, model->head);
}

static void
check_split(Model *model, const CxEdit *edit, CxId segment, size_t a, size_t b)
{
    const State *state = state_at(model, model->head);
    CxId new_id = g_array_index(edit->moves, CxMove, 0).to;
    size_t n_kept = 0, n_new = 0;

    g_assert_cmpuint(state->segment[a], !=, state->segment[b]);
    for (size_t i = 0; i < model->n_cells; i++) {
        n_kept += state->segment[i] == segment;
        n_new += state->segment[i] == new_id;
        g_assert_cmpuint(model->cells[i].id, !=, new_id);
    }
    /* All cells have the same size: the larger part keeps the id. */
    g_assert_cmpuint(n_kept, >=, n_new);
    g_assert_cmpuint(n_new, >, 0);
    for (int s = 0; s < model->head; s++) {
        for (size_t i = 0; i < model->n_cells; i++)
            g_assert_cmpuint(state_at(model, s)->segment[i], !=, new_id);
    }
}

static void
random_split(Model *model, CxProject *project, CxRng *rng)
{
    const State *before = state_at(model, model->head);
    size_t a = cx_rng_below(rng, model->n_cells), b = a;
    CxId segment = before->segment[a];
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < model->n_cells; i++) {
        if (i != a && before->segment[i] == segment &&
            (b == a || cx_rng_below(rng, 3) == 0))
            b = i;
    }
    g_autoptr(CxEdit) edit =
        cx_project_split(project, segment, &model->cells[a].at, 1,
                         &model->cells[b].at, 1, NULL, &error);

    if (a == b) {
        cx_test_expect_error(&error, CX_ERROR_INVALID, "both sides", NULL);
        return;
    }
    g_assert_no_error(error);
    apply_moves(model, edit);
    check_split(model, edit, segment, a, b);
}

static void
random_note(Model *model, CxProject *project, CxRng *rng)
{
    CxId id = model->cells[0].id;
    g_autofree char *text =
        cx_rng_below(rng, 3) == 0
            ? NULL
            : g_strdup_printf("näte %u", (unsigned)cx_rng_below(rng, 1000));
    g_autoptr(GError) error = NULL;
    g_autoptr(CxEdit) edit = cx_project_set_note(project, id, text, &error);

    /* The segment may have been merged into another. */
    if (edit == NULL) {
        cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "there is no segment",
                             NULL);
        return;
    }
    State *state = model_grow(model);

    g_free(state->note);
    state->note = g_strdup(text);
}

static void
random_undo(Model *model, CxProject *project)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxEdit) edit = cx_project_undo(project, &error);

    if (model->head == 0) {
        cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "undo", NULL);
        return;
    }
    g_assert_no_error(error);
    g_assert_cmpint(edit->sequence, ==, model->head);
    model->head = state_at(model, model->head)->parent;
}

static void
random_redo(Model *model, CxProject *project)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxEdit) edit = cx_project_redo(project, &error);
    int next = state_at(model, model->head)->newest_child;

    if (next == 0) {
        cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "redo", NULL);
        return;
    }
    g_assert_no_error(error);
    g_assert_cmpint(edit->sequence, ==, next);
    model->head = next;
}

static void
random_step(Model *model, CxProject *project, CxRng *rng)
{
    switch (cx_rng_below(rng, 10)) {
    case 0:
    case 1:
    case 2:
        random_merge(model, project, rng);
        break;
    case 3:
    case 4:
    case 5:
        random_split(model, project, rng);
        break;
    case 6:
        random_note(model, project, rng);
        break;
    case 7:
        random_redo(model, project);
        break;
    default:
        random_undo(model, project);
    }
    check_state(model, project);
}

/* The marks of the list: done, undone, superseded. */
static void
check_marks(Model *model, CxProject *project)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) edits =
        cx_project_edits(project, 1, G_MAXINT64, false, &error);
    guint n = model->states->len;
    g_autofree uint8_t *marks = g_malloc0(n);

    g_assert_no_error(error);
    g_assert_cmpuint(edits->len, ==, n - 1);
    for (int s = model->head; s > 0; s = state_at(model, s)->parent)
        marks[s] = 1;
    for (int s = state_at(model, model->head)->newest_child; s > 0;
         s = state_at(model, s)->newest_child)
        marks[s] = 2;
    for (guint i = 0; i < edits->len; i++) {
        const CxEdit *edit = g_ptr_array_index(edits, i);

        g_assert_true(edit->undone == (marks[i + 1] != 1));
        g_assert_true(edit->superseded == (marks[i + 1] == 0));
        g_assert_nonnull(edit->sentence);
        g_assert_nonnull(edit->author);
    }
}

static void
check_clean(CxProject *project)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    bool ok = cx_project_check(project, problems, NULL, &error);

    for (guint i = 0; i < problems->len; i++)
        g_test_message("%s", (char *)g_ptr_array_index(problems, i));
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpuint(problems->len, ==, 0);
}

static void
test_random_edits_equal_the_model(void)
{
    g_autofree char *dir = cx_test_make_dir();
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 6; round++) {
        g_autofree char *name = g_strdup_printf("%d.connexon", round);
        g_autofree char *path = g_build_filename(dir, name, NULL);
        CxProject *project = cx_fixture_project(path);
        Model model;

        model_init(&model);
        for (int k = 0; k < 80; k++) {
            random_step(&model, project, &rng);
            if (cx_rng_below(&rng, 12) != 0)
                continue;
            g_autoptr(GError) error = NULL;

            cx_project_unref(project);
            project =
                cx_project_open(path, cx_rng_below(&rng, 4) == 0, NULL, &error);
            g_assert_no_error(error);
            check_state(&model, project);
            check_marks(&model, project);
            check_clean(project);
            if (cx_project_is_read_only(project)) {
                cx_project_unref(project);
                project = cx_project_open(path, false, NULL, &error);
                g_assert_no_error(error);
            }
        }
        check_clean(project);
        cx_project_unref(project);
        model_clear(&model);
    }
    cx_test_remove_dir(dir);
}

static void
test_ids_survive_exactly(void)
{
    static const CxId odd[] = {
        (UINT64_C(1) << 32) - 1, (UINT64_C(1) << 32) + 1,
        (UINT64_C(1) << 53) - 1, (UINT64_C(1) << 53) + 1,
        UINT64_C(1) << 63,       UINT64_MAX,
    };
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = cx_fixture_project(path);
    g_autoptr(GError) error = NULL;
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    for (int i = 0; i < 6; i++) {
        CxId supervoxel, segment;

        g_assert_cmpuint(cells[i].id, ==, odd[i]);
        g_assert_true(cx_project_pick(project, cells[i].at, &supervoxel,
                                      &segment, &error));
        g_assert_cmpuint(supervoxel, ==, odd[i]);
        g_assert_cmpuint(segment, ==, odd[i]);
    }
    for (int i = 0; i < 5; i++) {
        g_autoptr(CxEdit) edit =
            cx_project_merge(project, UINT64_MAX, odd[i], cells[i].at, &error);

        g_assert_no_error(error);
    }
    g_autoptr(CxEdit) split = cx_project_split(
        project, UINT64_MAX, &cells[0].at, 1, &cells[5].at, 1, NULL, &error);

    g_assert_no_error(error);
    g_test_message("%s", split->sentence);
    for (int round = 0; round < 2; round++) {
        g_autoptr(CxChunk) chunk = cx_volume_read_labels(
            cx_project_segments(project), 0,
            cx_volume_bounds(cx_project_segments(project), 0), NULL, &error);

        g_assert_no_error(error);
        for (int i = 0; i < 6; i++)
            g_assert_cmpuint(cx_chunk_label_at(chunk, cells[i].at), ==,
                             cx_supervoxel_graph_segment_of(
                                 cx_project_graph(project), odd[i]));
        cx_project_unref(project);
        project = cx_project_open(path, false, NULL, &error);
        g_assert_no_error(error);
    }
    g_autoptr(CxChunk) stored = cx_volume_read_labels(
        cx_project_supervoxels(project), 0,
        cx_volume_bounds(cx_project_supervoxels(project), 0), NULL, &error);
    g_autoptr(CxVolume) labels = cx_fixture_labels();
    g_autoptr(CxChunk) source = cx_volume_read_labels(
        labels, 0, cx_volume_bounds(labels, 0), NULL, &error);

    g_assert_cmpmem(cx_chunk_data(stored), cx_chunk_size_bytes(stored),
                    cx_chunk_data(source), cx_chunk_size_bytes(source));
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

static void
test_what_cannot_be_done_is_named(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autoptr(CxProject) project = cx_fixture_project(path);
    g_autoptr(GError) error = NULL;
    CxFixtureCell c[CX_FIXTURE_CELLS];
    CxVoxel outside = {-1, 0, 0};
    g_autoptr(CxVolume) labels = cx_fixture_labels();

    cx_fixture_cells(c);
    g_assert_null(cx_project_merge(project, c[7].id, 999, outside, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "no segment 999", NULL);
    g_assert_null(cx_project_merge(project, 0, c[7].id, outside, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "no segment 0", NULL);

    g_autoptr(CxEdit) merged =
        cx_project_merge(project, c[7].id, c[8].id, c[8].at, &error);

    g_assert_nonnull(merged);
    g_assert_null(cx_project_merge(project, c[7].id, c[8].id, c[8].at, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "supervoxel", NULL);
    g_assert_null(cx_project_split(project, c[7].id, &c[7].at, 1, &c[20].at, 1,
                                   NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "sink seed", "in segment",
                         NULL);
    g_assert_null(cx_project_split(project, c[7].id, &outside, 1, &c[8].at, 1,
                                   NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "source seed -1,0,0",
                         "background", NULL);
    g_assert_null(
        cx_project_split(project, c[7].id, NULL, 0, &c[8].at, 1, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "at least one seed", NULL);

    g_autoptr(CxEdit) lock =
        cx_project_set_locked(project, c[7].id, true, &error);

    g_assert_nonnull(lock);
    g_assert_null(cx_project_merge(project, c[9].id, c[7].id, c[8].at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "is locked", NULL);
    g_assert_null(cx_project_split(project, c[7].id, &c[7].at, 1, &c[8].at, 1,
                                   NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "is locked", NULL);
    g_assert_null(cx_project_set_locked(project, c[7].id, true, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "already", NULL);
    g_assert_false(cx_project_import_labels(project, labels, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "empty project", NULL);
    g_assert_cmpint(cx_project_n_edits(project), ==, 2);
    cx_test_remove_dir(dir);
}

static void
test_texts_and_image_note(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = cx_fixture_project(path);
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_project_set_text(project, "view", "{\"z\": 1}", &error));
    g_assert_true(cx_project_set_text(project, "author", "Ada", &error));
    cx_project_unref(project);
    project = cx_project_open(path, false, NULL, &error);
    g_autofree char *view = cx_project_dup_text(project, "view");

    g_assert_cmpstr(view, ==, "{\"z\": 1}");
    g_assert_true(cx_project_set_text(project, "view", NULL, &error));
    g_assert_null(cx_project_dup_text(project, "view"));

    g_autoptr(CxEdit) edit = cx_project_set_note(project, 7, "x", &error);

    g_assert_cmpstr(edit->author, ==, "Ada");
    g_assert_null(cx_project_image(project));
    g_assert_nonnull(strstr(cx_project_image_problem(project), "not there"));

    CxLevel level = cx_volume_level(cx_project_segments(project), 0);

    g_assert_cmpfloat(level.voxel_nm.z, ==, 40);
    g_assert_cmpfloat(cx_volume_offset_nm(cx_project_segments(project)).y, ==,
                      200);
    g_assert_true(cx_voxel_equal(level.size, (CxVoxel){40, 30, 20}));
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* Readers on other threads while edits are made and taken back. */

typedef struct {
    CxProject *project;
    gint stop; /* atomic */
    guint n_reads;
} Reader;

static gpointer
read_all_the_time(gpointer data)
{
    Reader *reader = data;
    CxVolume *segments = cx_project_segments(reader->project);
    CxBox box = {{5, 5, 5}, {35, 25, 15}};

    while (!g_atomic_int_get(&reader->stop)) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CxChunk) chunk =
            cx_volume_read_labels(segments, 0, box, NULL, &error);
        g_autoptr(GArray) all =
            cx_supervoxel_graph_segments(cx_project_graph(reader->project));
        uint64_t n_voxels = 0;
        CxId segment;

        g_assert_no_error(error);
        for (guint i = 0; i < all->len; i++)
            n_voxels += g_array_index(all, CxSegment, i).n_voxels;
        g_assert_cmpuint(n_voxels, ==, 232 * 100);
        g_assert_true(
            cx_project_pick(reader->project, box.lo, NULL, &segment, &error));
        reader->n_reads++;
    }
    return NULL;
}

static void
test_readers_run_during_edits(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autoptr(CxProject) project = cx_fixture_project(path);
    Reader readers[2] = {{project, 0, 0}, {project, 0, 0}};
    GThread *threads[2];
    CxRng rng = cx_test_rng();
    Model model;

    model_init(&model);
    g_assert_cmpuint(model.n_cells, ==, 232);
    for (int i = 0; i < 2; i++)
        threads[i] = g_thread_new("reader", read_all_the_time, &readers[i]);
    for (int k = 0; k < 150; k++)
        random_step(&model, project, &rng);
    for (int i = 0; i < 2; i++) {
        g_atomic_int_set(&readers[i].stop, 1);
        g_thread_join(threads[i]);
        g_test_message("%u reads", readers[i].n_reads);
    }
    check_clean(project);
    model_clear(&model);
    cx_test_remove_dir(dir);
}

/* 164 regions and 618 contacts, counted by others (../shared/data). */
static void
test_import_of_real_labels(void)
{
    g_autofree char *file =
        cx_test_data_path("golden/neuroproof/samp1_labels_processed.h5");

    if (file == NULL)
        return;
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autofree char *spec = g_strconcat(file, ":/stack", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) labels = cx_volume_open(spec, NULL, &error);

    g_assert_no_error(error);
    CxProject *project = cx_project_create(path, labels, &error);

    g_assert_no_error(error);
    g_assert_true(cx_project_import_labels(project, labels, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(GArray) edges =
        cx_supervoxel_graph_all_edges(cx_project_graph(project));

    g_assert_cmpuint(
        cx_supervoxel_graph_n_supervoxels(cx_project_graph(project)), ==, 164);
    g_assert_cmpuint(edges->len, ==, 618);
    check_clean(project);
    cx_project_unref(project);

    /* The image is found again where it was. */
    project = cx_project_open(path, false, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(cx_project_image(project));
    g_assert_null(cx_project_image_problem(project));
    check_clean(project);
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* Three bands of labels; between the second and the third lies a membrane. */
static void
test_import_weighs_contacts(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxBox box = cx_box_of_size((CxVoxel){30, 300, 9});
    CxNm nm = {8, 8, 8}, offset = {0, 0, 0};
    g_autoptr(CxChunk) light = cx_chunk_new(CX_DTYPE_U8, box, 1, NULL);
    g_autoptr(CxChunk) bands = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < cx_chunk_n_voxels(light); i++) {
        size_t x = i % 30;

        ((uint8_t *)cx_chunk_data_mut(light))[i] =
            x == 19 || x == 20 ? 40 : 200;
        ((CxId *)cx_chunk_data_mut(bands))[i] = 1 + x / 10;
    }
    g_autoptr(CxVolume) image = cx_volume_from_chunk(light, nm, offset, false);
    g_autoptr(CxVolume) labels = cx_volume_from_chunk(bands, nm, offset, true);
    CxProject *project = cx_project_create(path, image, &error);

    g_assert_no_error(error);
    g_assert_true(cx_project_import_labels(project, labels, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(GArray) edges =
        cx_supervoxel_graph_all_edges(cx_project_graph(project));

    g_assert_cmpuint(edges->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        CxEdge edge = g_array_index(edges, CxEdge, i);

        g_assert_cmpuint(edge.contacts, ==, 300 * 9);
        g_assert_cmpfloat(edge.affinity, ==, edge.a == 1 ? 1 : 0);
    }
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* A volume outlives its project: reading it is an error, not a crash. */
static void
test_volume_outlives_project(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = cx_fixture_project(path);
    g_autoptr(CxVolume) segments = cx_volume_ref(cx_project_segments(project));
    g_autoptr(GError) error = NULL;
    g_autoptr(CxProject) again = NULL;

    cx_project_unref(project);
    g_assert_null(cx_volume_read_labels(
        segments, 0, cx_volume_bounds(segments, 0), NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_IO, "closed", NULL);
    again = cx_project_open(path, false, NULL, &error);
    g_assert_no_error(error);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/project/random-edits-equal-the-model",
                    test_random_edits_equal_the_model);
    g_test_add_func("/project/ids-survive-exactly", test_ids_survive_exactly);
    g_test_add_func("/project/what-cannot-be-done-is-named",
                    test_what_cannot_be_done_is_named);
    g_test_add_func("/project/texts-and-image-note", test_texts_and_image_note);
    g_test_add_func("/project/readers-run-during-edits",
                    test_readers_run_during_edits);
    g_test_add_func("/project/import-of-real-labels",
                    test_import_of_real_labels);
    g_test_add_func("/project/import-weighs-contacts",
                    test_import_weighs_contacts);
    g_test_add_func("/project/volume-outlives-project",
                    test_volume_outlives_project);
    return g_test_run();
}
