/* Edits of voxels: random painting, erasing, filling, growing, splitting,
 * merging, undo and redo against a naive model and a full rebuild of the graph
 * from the labels, over restarts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/export/edit_log.h"
#include "core/export/export_file.h"
#include "core/proofread/divide.h"
#include "core/proofread/paint.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

static const CxVoxel size = {40, 30, 20};
#define N_VOXELS (40 * 30 * 20)

static CxChunk *
read_all(CxVolume *volume)
{
    g_autoptr(GError) error = NULL;
    CxChunk *chunk =
        cx_volume_read_labels(volume, 0, cx_box_of_size(size), NULL, &error);

    g_assert_no_error(error);
    return chunk;
}

/* The graph must be what a rebuild from the labels gives; links made by hand
 * have no contacts. */

static void
check_supervoxels(CxProject *project, const CxFragments *built,
                  const CxChunk *labels)
{
    g_autoptr(GArray) found =
        cx_supervoxel_graph_supervoxels(cx_project_graph(project));

    g_assert_cmpuint(found->len, ==, built->supervoxels->len);
    g_assert_cmpuint(
        found->len, ==,
        cx_supervoxel_graph_n_supervoxels(cx_project_graph(project)));
    for (guint i = 0; i < found->len; i++) {
        const CxSupervoxel *a = &g_array_index(found, CxSupervoxel, i);
        const CxSupervoxel *b =
            &g_array_index(built->supervoxels, CxSupervoxel, i);

        g_assert_cmpuint(a->id, ==, b->id);
        g_assert_cmpuint(a->n_voxels, ==, b->n_voxels);
        g_assert_true(cx_box_equal(a->box, b->box));
        g_assert_cmpuint(cx_chunk_label_at(labels, a->inside), ==, a->id);
    }
}

static void
check_edges(CxProject *project, const CxFragments *built)
{
    g_autoptr(GArray) found =
        cx_supervoxel_graph_all_edges(cx_project_graph(project));
    guint n = 0;

    for (guint i = 0; i < found->len; i++) {
        const CxEdge *a = &g_array_index(found, CxEdge, i);

        g_assert_true(a->affinity >= 0 && a->affinity <= 1);
        if (a->contacts == 0)
            continue;
        g_assert_cmpuint(n, <, built->edges->len);
        const CxEdge *b = &g_array_index(built->edges, CxEdge, n++);

        g_assert_cmpuint(a->a, ==, b->a);
        g_assert_cmpuint(a->b, ==, b->b);
        g_assert_cmpuint(a->contacts, ==, b->contacts);
    }
    g_assert_cmpuint(n, ==, built->edges->len);
}

static void
check_graph(CxProject *project)
{
    g_autoptr(CxChunk) labels = read_all(cx_project_supervoxels(project));
    g_autoptr(GError) error = NULL;
    g_autoptr(CxFragments) built = cx_fragments_of_labels(labels, 0.5f, &error);

    g_assert_no_error(error);
    check_supervoxels(project, built, labels);
    check_edges(project, built);
}

static void
check_clean(CxProject *project)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_project_check(project, problems, NULL, &error));
    g_assert_no_error(error);
    for (guint i = 0; i < problems->len; i++)
        g_test_message("%s", (char *)g_ptr_array_index(problems, i));
    g_assert_cmpuint(problems->len, ==, 0);
}

/* Everything that undo must bring back exactly. */
typedef struct {
    uint64_t labels, graph;
    int parent, newest_child;
} State;

static uint64_t
mix(uint64_t sum, uint64_t value)
{
    return cx_hash64_mix(sum * 31 + value + 1);
}

static uint64_t
hash_graph(CxProject *project)
{
    CxSupervoxelGraph *graph = cx_project_graph(project);
    g_autoptr(GArray) nodes = cx_supervoxel_graph_supervoxels(graph);
    g_autoptr(GArray) edges = cx_supervoxel_graph_all_edges(graph);
    g_autoptr(GArray) segments = cx_supervoxel_graph_segments(graph);
    uint64_t sum = nodes->len;

    for (guint i = 0; i < nodes->len; i++) {
        const CxSupervoxel *s = &g_array_index(nodes, CxSupervoxel, i);

        sum = mix(mix(mix(sum, s->id), s->n_voxels), (uint64_t)s->inside.x);
        sum = mix(mix(sum, (uint64_t)s->box.lo.x), (uint64_t)s->box.hi.z);
        sum = mix(sum, cx_supervoxel_graph_segment_of(graph, s->id));
    }
    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *e = &g_array_index(edges, CxEdge, i);
        uint32_t bits;

        memcpy(&bits, &e->affinity, sizeof bits);
        sum = mix(mix(mix(mix(sum, e->a), e->b), e->contacts), bits);
    }
    for (guint i = 0; i < segments->len; i++) {
        const CxSegment *s = &g_array_index(segments, CxSegment, i);

        sum = mix(mix(mix(sum, s->id), s->n_voxels), (uint64_t)s->box.lo.y);
        sum = mix(sum, s->n_supervoxels);
    }
    return sum;
}

static State
take_state(CxProject *project)
{
    g_autoptr(CxChunk) labels = read_all(cx_project_supervoxels(project));
    const CxId *ids = cx_chunk_data(labels);
    State state = {.graph = hash_graph(project)};

    for (size_t i = 0; i < N_VOXELS; i++)
        state.labels = mix(state.labels, ids[i]);
    return state;
}

static void
expect_state(CxProject *project, const State *expected)
{
    State now = take_state(project);

    g_assert_cmpuint(now.labels, ==, expected->labels);
    g_assert_cmpuint(now.graph, ==, expected->graph);
}

/* The naive stroke: every voxel asked by itself. */

static double
distance_to(CxVoxel v, CxVoxel a, CxVoxel b)
{
    double nm[3] = {8, 8, 40};
    double p[3] = {(double)(v.x - a.x) * nm[0], (double)(v.y - a.y) * nm[1],
                   (double)(v.z - a.z) * nm[2]};
    double d[3] = {(double)(b.x - a.x) * nm[0], (double)(b.y - a.y) * nm[1],
                   (double)(b.z - a.z) * nm[2]};
    double length = d[0] * d[0] + d[1] * d[1] + d[2] * d[2], best = 1e30;

    /* A fine search along the line stands in for the formula. */
    for (int i = 0; i <= 400; i++) {
        double t = length > 0 ? i / 400.0 : 0, sum = 0;

        for (int k = 0; k < 3; k++)
            sum += (p[k] - t * d[k]) * (p[k] - t * d[k]);
        best = MIN(best, sum);
        if (length == 0)
            break;
    }
    return sqrt(best);
}

static bool
naive_allows(const CxPaintRule *rule, CxId segment)
{
    if (rule->erase)
        return segment != 0 &&
               (rule->segment == 0 || segment == rule->segment) &&
               (rule->over != CX_PAINT_OVER_SEGMENT ||
                segment == rule->over_segment);
    if (segment == rule->segment)
        return rule->segment == 0 && rule->over != CX_PAINT_OVER_SEGMENT;
    return rule->over == CX_PAINT_OVER_ANYTHING ||
           (rule->over == CX_PAINT_OVER_BACKGROUND && segment == 0) ||
           (rule->over == CX_PAINT_OVER_SEGMENT &&
            segment == rule->over_segment);
}

typedef struct {
    CxProject *project;
    CxRng rng;
    GArray *states; /* of State, by sequence */
    int head;
    guint n_edits, n_by_kind[8];
} Model;

static CxVoxel
random_voxel(Model *model)
{
    return (CxVoxel){(int64_t)cx_rng_below(&model->rng, 40),
                     (int64_t)cx_rng_below(&model->rng, 30),
                     (int64_t)cx_rng_below(&model->rng, 20)};
}

static CxId
random_segment(Model *model)
{
    CxId segment = 0;

    for (int i = 0; i < 30 && segment == 0; i++)
        g_assert_true(cx_project_pick(model->project, random_voxel(model), NULL,
                                      &segment, NULL));
    return segment;
}

static CxPaintRule
random_rule(Model *model)
{
    CxPaintRule rule = {
        .segment =
            cx_rng_below(&model->rng, 5) == 0 ? 0 : random_segment(model),
        .erase = cx_rng_below(&model->rng, 3) == 0,
        .over = (CxPaintOver)cx_rng_below(&model->rng, 3),
    };

    if (rule.over == CX_PAINT_OVER_SEGMENT)
        rule.over_segment = random_segment(model);
    return rule;
}

/* Voxels right at the rim may fall either way. */
static void
check_stroke(const CxChunk *before, const CxChunk *after,
             const CxPaintRule *rule, const CxVoxel *points, size_t n,
             double radius, CxPlane plane, CxId target)
{
    CxVoxel v;

    for (v.z = 0; v.z < size.z; v.z++) {
        for (v.y = 0; v.y < size.y; v.y++) {
            for (v.x = 0; v.x < size.x; v.x++) {
                CxId was = cx_chunk_label_at(before, v);
                CxId is = cx_chunk_label_at(after, v);
                double nearest = 1e30;
                bool in_plane = (plane != CX_PLANE_XY || v.z == points[0].z) &&
                                (plane != CX_PLANE_XZ || v.y == points[0].y) &&
                                (plane != CX_PLANE_YZ || v.x == points[0].x);

                for (size_t i = n > 1; in_plane && i < n; i++) {
                    CxVoxel a = points[i - (n > 1)], b = points[i];

                    if (plane == CX_PLANE_XY)
                        a.z = b.z = points[0].z;
                    if (plane == CX_PLANE_XZ)
                        a.y = b.y = points[0].y;
                    if (plane == CX_PLANE_YZ)
                        a.x = b.x = points[0].x;
                    nearest = MIN(nearest, distance_to(v, a, b));
                }
                if (fabs(nearest - radius) < 0.3)
                    continue;
                bool hit =
                    in_plane && nearest < radius && naive_allows(rule, was);

                g_assert_cmpuint(is, ==, !hit ? was : rule->erase ? 0 : target);
            }
        }
    }
}

static CxEdit *
random_paint(Model *model)
{
    CxVoxel points[3];
    size_t n = 1 + cx_rng_below(&model->rng, 3);
    double radius = 4 + 40 * cx_rng_uniform(&model->rng);
    CxPlane plane = (CxPlane)cx_rng_below(&model->rng, 4);
    CxPaintRule rule = random_rule(model);
    g_autoptr(CxChunk) before = read_all(cx_project_segments(model->project));
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < n; i++)
        points[i] = random_voxel(model);
    CxEdit *edit = cx_project_paint(model->project, &rule, points, n, radius,
                                    plane, NULL, &error);

    if (edit == NULL) {
        cx_test_expect_error(&error, CX_ERROR_INVALID, "nothing would change",
                             NULL);
        return NULL;
    }
    g_autoptr(CxChunk) after = read_all(cx_project_segments(model->project));
    CxId target = rule.segment;

    /* A new segment is the one nobody had before. */
    for (size_t i = 0; target == 0 && i < N_VOXELS; i++) {
        CxId was = ((const CxId *)cx_chunk_data(before))[i];
        CxId is = ((const CxId *)cx_chunk_data(after))[i];

        target = was != is ? is : 0;
    }
    check_stroke(before, after, &rule, points, n, radius, plane, target);
    return edit;
}

/* Outside the box of an edit nothing changes. */
static void
check_box(const CxChunk *before, const CxChunk *after, CxBox box)
{
    CxBox found = {{0, 0, 0}, {0, 0, 0}};
    CxVoxel v;

    for (v.z = 0; v.z < size.z; v.z++) {
        for (v.y = 0; v.y < size.y; v.y++) {
            for (v.x = 0; v.x < size.x; v.x++) {
                CxBox one = {v, {v.x + 1, v.y + 1, v.z + 1}};

                if (cx_chunk_label_at(before, v) != cx_chunk_label_at(after, v))
                    found = cx_box_union(found, one);
            }
        }
    }
    g_assert_true(cx_box_equal(found, box) ||
                  (cx_box_is_empty(found) && cx_box_is_empty(box)));
}

static CxEdit *
random_split(Model *model)
{
    CxId segment = random_segment(model), found;
    CxVoxel seeds[2] = {{0, 0, 0}, {0, 0, 0}};
    g_autoptr(GError) error = NULL;
    int n = 0;

    for (int i = 0; i < 4000 && n < 2; i++) {
        CxVoxel v = random_voxel(model);

        g_assert_true(cx_project_pick(model->project, v, NULL, &found, NULL));
        if (found == segment && (n == 0 || !cx_voxel_equal(v, seeds[0])))
            seeds[n++] = v;
    }
    if (n < 2)
        return NULL;
    g_autoptr(CxSplitPreview) preview = cx_project_preview_cut(
        model->project, segment, seeds, 1, seeds + 1, 1, NULL, &error);

    g_assert_no_error(error);
    CxEdit *edit = cx_project_split(model->project, segment, seeds, 1,
                                    seeds + 1, 1, NULL, &error);
    CxId a, b;

    g_assert_no_error(error);
    g_assert_true(cx_project_pick(model->project, seeds[0], NULL, &a, NULL));
    g_assert_true(cx_project_pick(model->project, seeds[1], NULL, &b, NULL));
    g_assert_cmpuint(a, !=, b);
    g_assert_true(a == segment || b == segment);
    g_assert_cmpuint(preview->movers->len, ==,
                     g_array_index(edit->moves, CxMove, 0).supervoxels->len);
    g_assert_true((b != segment) == preview->sinks_leave);
    g_assert_true((preview->sides != NULL) == (edit->patch != NULL));
    g_assert_true(preview->weak == edit->weak);
    return edit;
}

/* The segment has its first voxels again, and no others. */
static CxEdit *
random_revert(Model *model, CxId segment)
{
    CxEdit *edit =
        cx_project_revert_segment(model->project, segment, NULL, NULL);

    if (edit == NULL)
        return NULL;
    g_autoptr(CxVolume) first = cx_fixture_labels();
    g_autoptr(CxChunk) born = read_all(first);
    g_autoptr(CxChunk) now = read_all(cx_project_segments(model->project));
    const CxId *labels = cx_chunk_data(now), *former = cx_chunk_data(born);

    for (size_t i = 0; i < N_VOXELS; i++)
        g_assert_true((labels[i] == segment) == (former[i] == segment));
    return edit;
}

static CxEdit *
random_other(Model *model, uint64_t what)
{
    CxPaintRule rule = random_rule(model);
    CxBox none = {{0, 0, 0}, {0, 0, 0}}, all = cx_box_of_size(size);
    CxVoxel v = random_voxel(model);
    CxId a = random_segment(model), b = random_segment(model);

    rule.segment = rule.segment != 0 ? rule.segment : a;
    switch (what) {
    case 0:
        return cx_project_merge(model->project, a, b, v, NULL);
    case 1:
        return cx_project_fill(model->project, &rule, v, all,
                               (CxPlane)cx_rng_below(&model->rng, 4), NULL,
                               NULL);
    case 2:
        return cx_project_reshape(
            model->project, &rule, (CxReshape)cx_rng_below(&model->rng, 3),
            8 + 40 * cx_rng_uniform(&model->rng), none, NULL, NULL);
    case 3:
        return cx_project_interpolate(
            model->project, &rule, (CxPlane)cx_rng_below(&model->rng, 3),
            (int64_t)cx_rng_below(&model->rng, 20),
            (int64_t)cx_rng_below(&model->rng, 20), NULL, NULL);
    case 4:
        return random_split(model);
    case 5: {
        CxVoxel curve[3] = {v, random_voxel(model), random_voxel(model)};

        return cx_project_cut_by_curve(
            model->project, a, curve, 2 + cx_rng_below(&model->rng, 2),
            (CxPlane)cx_rng_below(&model->rng, 3), NULL, NULL);
    }
    case 6:
        g_assert_true(cx_project_pick(model->project, v, &b, NULL, NULL));
        return cx_rng_below(&model->rng, 2) == 0
                   ? cx_project_detach(model->project, b, NULL)
                   : cx_project_split_neighbours(model->project, b, NULL);
    default:
        return random_revert(model, a);
    }
}

static State *
state_at(Model *model, int sequence)
{
    return &g_array_index(model->states, State, sequence);
}

static void
add_state(Model *model, const CxEdit *edit)
{
    State state = take_state(model->project);

    state.parent = model->head;
    state_at(model, model->head)->newest_child = (int)model->states->len;
    model->head = (int)model->states->len;
    g_array_append_val(model->states, state);
    g_assert_cmpint(edit->sequence, ==, model->head);
}

static void
random_step(Model *model)
{
    uint64_t what = cx_rng_below(&model->rng, 16);
    g_autoptr(CxChunk) before =
        read_all(cx_project_supervoxels(model->project));
    g_autoptr(CxEdit) edit = NULL;

    if (what < 4)
        edit = random_paint(model);
    else if (what < 12)
        edit = random_other(model, what - 4);
    if (edit != NULL) {
        g_autoptr(CxChunk) after =
            read_all(cx_project_supervoxels(model->project));

        check_box(before, after, edit->box);
        add_state(model, edit);
        check_graph(model->project);
        model->n_by_kind[edit->kind]++;
    } else if (what == 12 && state_at(model, model->head)->newest_child != 0) {
        edit = cx_project_redo(model->project, NULL);
        model->head = state_at(model, model->head)->newest_child;
    } else if (what > 12 && model->head != 0) {
        edit = cx_project_undo(model->project, NULL);
        model->head = state_at(model, model->head)->parent;
    }
    expect_state(model->project, state_at(model, model->head));
}

static void
reopen(Model *model, const char *path)
{
    g_autoptr(GError) error = NULL;

    cx_project_unref(model->project);
    model->project = cx_project_open(path, false, NULL, &error);
    g_assert_no_error(error);
    expect_state(model->project, state_at(model, model->head));
    check_graph(model->project);
    check_clean(model->project);
}

/* The log on a fresh project gives the same labels, supervoxels and all. */
static void
check_replay(Model *model, const char *dir, int round)
{
    g_autofree char *name = g_strdup_printf("%s/log-%d.csv", dir, round);
    g_autofree char *path = g_strdup_printf("%s/again-%d.connexon", dir, round);
    g_autoptr(CxProject) again = cx_fixture_project(path);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxExportFile) file = cx_export_file_new(name, true, &error);
    int64_t n;

    g_assert_no_error(error);
    g_assert_true(cx_edit_log_write(model->project, file, NULL, &error));
    g_assert_true(cx_export_file_finish(file, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(cx_edit_log_replay(again, name, &n, NULL, &error));
    g_assert_no_error(error);
    expect_state(again, state_at(model, model->head));
    check_clean(again);
}

static void
test_random_edits(void)
{
    g_autofree char *dir = cx_test_make_dir();
    Model model = {.rng = cx_test_rng()};

    for (int round = 0; round < 3; round++) {
        g_autofree char *path = g_strdup_printf("%s/%d.connexon", dir, round);

        model.project = cx_fixture_project(path);
        model.states = g_array_new(FALSE, FALSE, sizeof(State));
        State first = take_state(model.project);

        g_array_append_val(model.states, first);
        model.head = 0;
        for (int i = 0; i < 50; i++) {
            random_step(&model);
            if (cx_rng_below(&model.rng, 12) == 0)
                reopen(&model, path);
        }
        reopen(&model, path);
        check_replay(&model, dir, round);
        cx_project_unref(model.project);
        g_array_unref(model.states);
    }
    g_test_message("%u merges, %u splits, %u paintings", model.n_by_kind[0],
                   model.n_by_kind[1], model.n_by_kind[4]);
    cx_test_remove_dir(dir);
}

/* A file of format 1 is read as it is, stays so through merges, and becomes
 * format 2 with the first edit of voxels. */

static int
format_of(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *statement;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(
        sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL), ==,
        SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    int format = sqlite3_column_int(statement, 0);

    sqlite3_finalize(statement);
    sqlite3_close(db);
    return format;
}

static void
make_old(const char *path)
{
    sqlite3 *db;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "ALTER TABLE edit DROP COLUMN patch; "
                                 "PRAGMA user_version = 1",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    sqlite3_close(db);
}

static CxEdit *
paint_one(CxProject *project, CxId segment, CxVoxel at, GError **error)
{
    CxPaintRule rule = {.segment = segment};

    return cx_project_paint(project, &rule, &at, 1, 20, CX_PLANE_XY, NULL,
                            error);
}

static void
test_format_1(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "old.connexon", NULL);
    CxProject *project = cx_fixture_project(path);
    CxFixtureCell c[CX_FIXTURE_CELLS];
    g_autoptr(GError) error = NULL;

    cx_fixture_cells(c);
    cx_edit_free(cx_project_merge(project, c[7].id, c[8].id, c[7].at, &error));
    g_assert_no_error(error);
    State merged = take_state(project);

    cx_project_unref(project);
    make_old(path);
    project = cx_project_open(path, true, NULL, &error);
    g_assert_no_error(error);
    expect_state(project, &merged);
    check_clean(project);
    cx_project_unref(project);
    project = cx_project_open(path, false, NULL, &error);
    g_assert_no_error(error);
    cx_edit_free(cx_project_merge(project, c[9].id, c[7].id, c[7].at, &error));
    g_assert_no_error(error);
    g_assert_cmpint(format_of(path), ==, 1);
    cx_edit_free(paint_one(project, c[9].id, c[20].at, &error));
    g_assert_no_error(error);
    g_assert_cmpint(format_of(path), ==, 2);
    State painted = take_state(project);

    for (int i = 0; i < 2; i++)
        cx_edit_free(cx_project_undo(project, &error));
    g_assert_no_error(error);
    expect_state(project, &merged);
    for (int i = 0; i < 2; i++)
        cx_edit_free(cx_project_redo(project, &error));
    cx_project_unref(project);
    project = cx_project_open(path, false, NULL, &error);
    g_assert_no_error(error);
    expect_state(project, &painted);
    check_clean(project);
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* What must not change is named. */
static void
test_refusals(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autoptr(CxProject) project = cx_fixture_project(path);
    CxFixtureCell c[CX_FIXTURE_CELLS];
    g_autoptr(GError) error = NULL;
    CxPaintRule nobody = {.segment = UINT64_C(987654321)};

    cx_fixture_cells(c);
    cx_edit_free(cx_project_set_locked(project, c[20].id, true, &error));
    State before = take_state(project);

    g_assert_null(paint_one(project, c[20].id, c[9].at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "is locked", NULL);
    g_assert_null(paint_one(project, c[9].id, c[20].at, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "is locked", NULL);
    g_assert_null(cx_project_paint(project, &nobody, &c[9].at, 1, 20,
                                   CX_PLANE_XY, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "987654321", NULL);
    nobody.segment = c[9].id;
    g_assert_null(cx_project_paint(project, &nobody, &c[9].at, 1, -1,
                                   CX_PLANE_XY, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "radius", NULL);
    g_assert_null(cx_project_fill(project, &nobody, c[9].at,
                                  (CxBox){{0, 0, 0}, {0, 0, 0}}, CX_PLANE_3D,
                                  NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "box", NULL);
    expect_state(project, &before);
    cx_test_remove_dir(dir);
}

/* Annotations live on the same stack, over restarts and replays. */
static void
test_annotations(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = cx_fixture_project(path);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxAnnotation) synapse =
        cx_annotation_parse("synapse 1,2,3 4,5,6 18446744073709551615 2 \"a "
                            "\\\"b\\\", n\xc3\xa4h\"",
                            &error);

    g_assert_no_error(error);
    g_assert_cmpstr(synapse->text, ==, "a \"b\", n\xc3\xa4h");
    g_autofree char *form = cx_annotation_format(synapse);

    cx_edit_free(cx_project_annotate(project, synapse, &error));
    g_assert_no_error(error);
    cx_edit_free(cx_project_annotate(project, synapse, &error));
    cx_edit_free(cx_project_remove_annotation(project, 1, &error));
    g_assert_no_error(error);
    g_assert_null(cx_project_remove_annotation(project, 1, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "annotation 1", NULL);
    cx_edit_free(cx_project_undo(project, &error));
    for (int round = 0; round < 2; round++) {
        g_autoptr(GPtrArray) all = cx_project_annotations(project);

        g_assert_cmpuint(all->len, ==, 2);
        const CxAnnotation *last = g_ptr_array_index(all, 1);
        g_autofree char *text = cx_annotation_format(last);

        g_assert_cmpint(last->number, ==, 2);
        g_assert_cmpstr(text, ==, form);
        cx_project_unref(project);
        project = cx_project_open(path, false, NULL, &error);
        g_assert_no_error(error);
    }
    g_autoptr(CxAnnotation) outside =
        cx_annotation_parse("point 400,2,3", &error);

    g_assert_null(cx_project_annotate(project, outside, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "outside", NULL);
    g_assert_null(cx_annotation_parse("synapse 1,2,3", &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "synapse", NULL);
    check_clean(project);
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/voxel-edits/random", test_random_edits);
    g_test_add_func("/voxel-edits/format-1", test_format_1);
    g_test_add_func("/voxel-edits/refusals", test_refusals);
    g_test_add_func("/voxel-edits/annotations", test_annotations);
    return g_test_run();
}
