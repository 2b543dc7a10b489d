/* Segmentation on demand: columns with known truth, segmented in blocks in
 * one run, in pieces, killed and resumed, with edits between.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/proofread/join_segments.h"
#include "core/proofread/project_private.h"
#include "core/volume/synthetic.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"

#include <string.h>

static const CxVoxel size = {78, 66, 60};
static const CxVoxel block = {39, 33, 20};

/* Truth: 3 × 3 bent columns along z, 0 = the membrane between them. */
static CxId
truth_at(CxVoxel v)
{
    int64_t x = v.x + v.z / 7, y = v.y;

    if ((x < 78 && x % 26 < 3) || y % 22 < 3)
        return 0;
    return (CxId)(1 + MIN(x / 26, 2) + 10 * (y / 22));
}

/* Of two neighbouring voxels, of 255. */
static uint8_t
affinity(CxVoxel v, CxVoxel w)
{
    return truth_at(v) != 0 && truth_at(v) == truth_at(w) ? 250 : 5;
}

static CxChunk *
predict(void *self, CxBox box, CxJob *job, GError **error)
{
    static const CxVoxel steps[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    g_autoptr(CxChunk) chunk = cx_chunk_new(CX_DTYPE_U8, box, 3, error);
    uint8_t *out = cx_chunk_data_mut(chunk);
    CxVoxel v;

    if (!cx_job_check(job, error))
        return NULL;
    for (int c = 0; c < 3; c++) {
        for (v.z = box.lo.z; v.z < box.hi.z; v.z++) {
            for (v.y = box.lo.y; v.y < box.hi.y; v.y++) {
                for (v.x = box.lo.x; v.x < box.hi.x; v.x++) {
                    CxVoxel w = {v.x + steps[c].x, v.y + steps[c].y,
                                 v.z + steps[c].z};

                    *out++ = affinity(v, w);
                }
            }
        }
    }
    return g_steal_pointer(&chunk);
}

static double
parameter(void *self, const char *name, double otherwise)
{
    return otherwise;
}

static CxPipeline *
make_pipeline(CxVoxel block_size)
{
    static const CxOutput outputs[3] = {
        {CX_OUTPUT_AFFINITY, {1, 0, 0}},
        {CX_OUTPUT_AFFINITY, {0, 1, 0}},
        {CX_OUTPUT_AFFINITY, {0, 0, 1}},
    };
    CxPipelineSource source = {
        .bounds = cx_box_of_size(size),
        .voxel_nm = {10, 10, 10},
        .outputs = outputs,
        .n_outputs = 3,
        .method = "volume",
        .predict = predict,
        .parameter = parameter,
    };
    CxPipelineOptions options = cx_pipeline_defaults();

    options.block = block_size;
    options.n_threads = 1;
    return cx_pipeline_new_from_source(&source, &options);
}

static CxProject *
make_project(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk =
        cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(size), 1, NULL);

    memset(cx_chunk_data_mut(chunk), 0, cx_chunk_size_bytes(chunk));
    g_autoptr(CxVolume) image =
        cx_volume_from_chunk(chunk, (CxNm){10, 10, 10}, (CxNm){0, 0, 0}, false);
    CxProject *project = cx_project_create(path, image, &error);

    g_assert_no_error(error);
    return project;
}

static CxChunk *
read_all(CxVolume *volume)
{
    g_autoptr(GError) error = NULL;
    CxChunk *chunk = cx_volume_read_labels(
        volume, 0, cx_volume_bounds(volume, 0), NULL, &error);

    g_assert_no_error(error);
    return chunk;
}

/* Every column lies in one segment of its own. */
static void
check_truth(CxProject *project)
{
    g_autoptr(CxChunk) labels = read_all(cx_project_segments(project));
    CxId segments[100] = {0};
    size_t n_voxels[100] = {0}, n_other[100] = {0};
    CxVoxel v;

    for (v.z = 0; v.z < size.z; v.z++) {
        for (v.y = 0; v.y < size.y; v.y++) {
            for (v.x = 0; v.x < size.x; v.x++) {
                CxId truth = truth_at(v), label = cx_chunk_label_at(labels, v);

                if (truth == 0)
                    continue;
                if (n_voxels[truth]++ == 0)
                    segments[truth] = label;
                n_other[truth] += label != segments[truth] ? 1 : 0;
            }
        }
    }
    for (int i = 0; i < 100; i++) {
        g_assert_cmpuint(n_other[i], ==, 0);
        for (int k = 0; k < i; k++)
            g_assert_true(segments[i] == 0 || segments[i] != segments[k]);
    }
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

static CxProject *
reopen(CxProject *project, const char *path)
{
    g_autoptr(GError) error = NULL;

    cx_project_unref(project);
    project = cx_project_open(path, false, NULL, &error);
    g_assert_no_error(error);
    return project;
}

typedef struct {
    guint n_calls;
    CxJob *cancel_after;
    guint stop_at;
    CxVoxel first;
    CxBox seen;
} Calls;

static void
on_block(CxProject *project, CxBox box, void *data)
{
    Calls *calls = data;

    if (calls->n_calls++ == 0)
        calls->first = box.lo;
    calls->seen = cx_box_union(calls->seen, box);
    if (calls->cancel_after != NULL && calls->n_calls == calls->stop_at)
        cx_job_cancel(calls->cancel_after);
}

static void
test_whole_run(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = make_project(path);
    g_autoptr(CxPipeline) pipeline = make_pipeline(block);
    g_autoptr(GError) error = NULL;
    Calls calls = {0};
    size_t n_total;

    g_assert_true(cx_project_segment(project, pipeline, cx_box_of_size(size),
                                     (CxVoxel){40, 40, 25}, on_block, &calls,
                                     NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(cx_project_n_blocks(project, &n_total), ==, 12);
    g_assert_cmpuint(n_total, ==, 12);
    g_assert_cmpuint(calls.n_calls, ==, 13);
    g_assert_true(cx_voxel_equal(calls.first, (CxVoxel){39, 33, 20}));
    check_truth(project);
    check_clean(project);
    g_assert_cmpuint(cx_supervoxel_graph_n_segments(cx_project_graph(project)),
                     ==, 9);

    g_autoptr(CxChunk) before = read_all(cx_project_segments(project));

    project = reopen(project, path);
    g_autoptr(CxChunk) after = read_all(cx_project_segments(project));

    g_assert_cmpmem(cx_chunk_data(before), cx_chunk_size_bytes(before),
                    cx_chunk_data(after), cx_chunk_size_bytes(after));
    check_clean(project);
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* Cancelled, closed, resumed: the same as in one go. */
static void
test_resumed_run_equals_one_go(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autofree char *path2 = g_build_filename(dir, "b.connexon", NULL);
    CxProject *project = make_project(path);
    g_autoptr(CxProject) other = make_project(path2);
    g_autoptr(CxPipeline) pipeline = make_pipeline(block);
    g_autoptr(GError) error = NULL;
    CxBox all = cx_box_of_size(size);
    CxVoxel focus = {1, 2, 3};

    g_assert_true(cx_project_segment(other, pipeline, all, focus, NULL, NULL,
                                     NULL, &error));
    for (guint stop = 1; stop < 6; stop += 2) {
        g_autoptr(CxJob) job = cx_job_new("segment");
        Calls calls = {.cancel_after = job, .stop_at = stop};

        g_assert_false(cx_project_segment(project, pipeline, all, focus,
                                          on_block, &calls, job, &error));
        g_assert_true(cx_error_is_cancelled(error));
        g_clear_error(&error);
        project = reopen(project, path);
        check_clean(project);
    }
    g_assert_cmpuint(cx_project_n_blocks(project, NULL), ==, 1 + 3 + 5);
    g_assert_true(cx_project_segment(project, pipeline, all, focus, NULL, NULL,
                                     NULL, &error));
    check_clean(project);
    g_autoptr(CxChunk) a = read_all(cx_project_segments(project));
    g_autoptr(CxChunk) b = read_all(cx_project_segments(other));

    g_assert_cmpmem(cx_chunk_data(a), cx_chunk_size_bytes(a), cx_chunk_data(b),
                    cx_chunk_size_bytes(b));
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* Block by block in random order, with reopening: joins must end in the
 * truth, and what is stored must be what was shown. */
static void
test_pieces_join(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autoptr(CxPipeline) pipeline = make_pipeline(block);
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 3; round++) {
        g_autofree char *name = g_strdup_printf("%d.connexon", round);
        g_autofree char *path = g_build_filename(dir, name, NULL);
        CxProject *project = make_project(path);
        g_autoptr(GError) error = NULL;
        size_t n_total = 1;

        while (cx_project_n_blocks(project, &n_total) < 12) {
            CxVoxel at = {(int64_t)cx_rng_below(&rng, (uint64_t)size.x),
                          (int64_t)cx_rng_below(&rng, (uint64_t)size.y),
                          (int64_t)cx_rng_below(&rng, (uint64_t)size.z)};
            CxBox one = {at, {at.x + 1, at.y + 1, at.z + 1}};

            g_assert_true(cx_project_segment(project, pipeline, one, at, NULL,
                                             NULL, NULL, &error));
            g_assert_no_error(error);
            if (cx_rng_below(&rng, 4) != 0)
                continue;
            g_autoptr(CxChunk) shown = read_all(cx_project_segments(project));

            project = reopen(project, path);
            g_autoptr(CxChunk) stored = read_all(cx_project_segments(project));

            g_assert_cmpmem(cx_chunk_data(shown), cx_chunk_size_bytes(shown),
                            cx_chunk_data(stored), cx_chunk_size_bytes(stored));
            check_clean(project);
        }
        check_truth(project);
        check_clean(project);
        cx_project_unref(project);
    }
    cx_test_remove_dir(dir);
}

static CxId
segment_at(CxProject *project, CxVoxel at)
{
    CxId segment;

    g_assert_true(cx_project_pick(project, at, NULL, &segment, NULL));
    return segment;
}

/* A split made by hand between blocks is not undone by later blocks, even
 * though the network would join the two parts again. */
static void
test_edits_outlive_later_blocks(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = make_project(path);
    g_autoptr(CxPipeline) pipeline = make_pipeline(block);
    g_autoptr(GError) error = NULL;
    CxVoxel low = {10, 10, 5}, high = {10, 10, 30}, other = {40, 10, 5};
    CxBox lower = {{0, 0, 0}, {39, 33, 40}};

    g_assert_true(cx_project_segment(project, pipeline, lower, low, NULL, NULL,
                                     NULL, &error));
    CxId id = segment_at(project, low);

    g_assert_cmpuint(id, ==, segment_at(project, high));
    g_autoptr(CxEdit) split =
        cx_project_split(project, id, &low, 1, &high, 1, NULL, &error);

    g_assert_no_error(error);
    CxId a = segment_at(project, low), b = segment_at(project, high);

    g_assert_cmpuint(a, !=, b);
    g_assert_true(cx_project_segment(project, pipeline, cx_box_of_size(size),
                                     low, NULL, NULL, NULL, &error));
    g_assert_cmpuint(segment_at(project, low), ==, a);
    g_assert_cmpuint(segment_at(project, high), ==, b);
    g_assert_cmpuint(segment_at(project, other), !=, a);
    check_clean(project);
    project = reopen(project, path);
    g_assert_cmpuint(segment_at(project, low), ==, a);
    g_assert_cmpuint(segment_at(project, high), ==, b);

    g_autoptr(CxEdit) undone = cx_project_undo(project, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(segment_at(project, low), ==, segment_at(project, high));
    check_clean(project);
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

static void
edit_on_sixth_block(CxProject *project, CxBox box, void *data)
{
    guint *n = data;
    g_autoptr(GError) error = NULL;

    if (++*n != 6)
        return;
    CxId a = segment_at(project, (CxVoxel){5, 5, 2});
    CxId b = segment_at(project, (CxVoxel){40, 5, 2});

    g_assert_true(a != 0 && b != 0 && a != b);
    g_autoptr(CxEdit) edit = cx_project_merge(project, a, b, box.lo, &error);

    g_assert_no_error(error);
}

/* Merged by hand while the run goes on: stays merged at the end. */
static void
test_edit_during_whole_run(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = make_project(path);
    g_autoptr(CxPipeline) pipeline = make_pipeline(block);
    g_autoptr(GError) error = NULL;
    CxVoxel focus = {5, 5, 2};
    guint n = 0;

    g_assert_true(cx_project_segment(project, pipeline, cx_box_of_size(size),
                                     focus, edit_on_sixth_block, &n, NULL,
                                     &error));
    g_assert_no_error(error);
    g_assert_cmpint(cx_project_n_edits(project), ==, 1);
    g_assert_cmpuint(segment_at(project, (CxVoxel){5, 5, 2}), ==,
                     segment_at(project, (CxVoxel){40, 5, 2}));
    check_clean(project);
    project = reopen(project, path);
    check_clean(project);
    g_assert_cmpuint(segment_at(project, (CxVoxel){5, 5, 2}), ==,
                     segment_at(project, (CxVoxel){40, 5, 2}));
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

static void
test_other_grid_is_refused(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = make_project(path);
    g_autoptr(CxPipeline) pipeline = make_pipeline(block);
    g_autoptr(CxPipeline) other = make_pipeline((CxVoxel){26, 22, 20});
    g_autoptr(GError) error = NULL;
    CxBox one = {{0, 0, 0}, {1, 1, 1}};

    g_assert_true(cx_project_segment(project, pipeline, one, one.lo, NULL, NULL,
                                     NULL, &error));
    g_assert_false(cx_project_segment(project, other, one, one.lo, NULL, NULL,
                                      NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "39 × 33 × 20",
                         "26 × 22 × 20", NULL);
    cx_project_unref(project);
    project = cx_project_open(path, true, NULL, &error);
    g_assert_false(cx_project_segment(project, pipeline, one, one.lo, NULL,
                                      NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_READ_ONLY, "read-only", NULL);
    cx_project_unref(project);
    cx_test_remove_dir(dir);
}

/* A new supervoxel that touches segments 7 and 8 strongly, 10 faces each; they
 * touch each other with 25 faces of 0.5, so together it is
 * (10 · 0.97 + 25 · 0.5) / 35 = 0.634. */
static guint
count_joins(CxProject *project, double threshold)
{
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    CxSupervoxel fresh = {.id = 5000, .n_voxels = 10};
    CxEdge two[] = {{7, 5000, 0.98f, 10}, {8, 5000, 0.97f, 10}};
    CxFragments fragments = {.supervoxels = supervoxels, .edges = edges};
    CxAgglomerateOptions options = {.threshold = threshold};
    CxPlace place = {.box = {{0, 0, 0}, {0, 0, 0}}};
    g_autoptr(GError) error = NULL;

    g_array_append_val(supervoxels, fresh);
    g_array_append_vals(edges, two, 2);
    g_assert_true(cx_project_find_place(project, &fragments, &options, true,
                                        &place, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(place.segments->len, ==, 1);
    g_assert_cmpuint(g_array_index(place.segments, CxId, 0), ==, 7);
    guint n = place.joined->len / 2;

    cx_place_clear(&place);
    return n;
}

static void
test_old_contacts_count(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autoptr(CxProject) project = cx_fixture_project(path);

    g_assert_cmpuint(count_joins(project, 0.63), ==, 1);
    g_assert_cmpuint(count_joins(project, 0.64), ==, 0);
    cx_test_remove_dir(dir);
}

/* Two kept segments and a new supervoxel between them that likes both. */
static void
test_kept_segments_stay_apart(void)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(CxJoinNode));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    CxJoinNode some[] = {
        {.supervoxel = {.id = 1, .n_voxels = 10}},
        {.supervoxel = {.id = 20, .n_voxels = 50}, .segment = 77},
        {.supervoxel = {.id = 30, .n_voxels = 90}, .segment = 88},
        {.supervoxel = {.id = 4, .n_voxels = 10}},
    };
    CxEdge two[] = {{1, 20, 0.9f, 10}, {1, 30, 0.8f, 10}, {4, 30, 0.7f, 10}};
    CxAgglomerateOptions options = {.threshold = 0.5};
    g_autoptr(GError) error = NULL;

    g_array_append_vals(nodes, some, G_N_ELEMENTS(some));
    g_array_append_vals(edges, two, G_N_ELEMENTS(two));
    g_autoptr(GArray) free_ids =
        cx_join_segments(nodes, edges, &options, NULL, &error);

    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(g_array_index(free_ids, CxId, i), ==, 88);

    g_array_index(nodes, CxJoinNode, 1).is_kept = true;
    g_autoptr(GArray) one_kept =
        cx_join_segments(nodes, edges, &options, NULL, &error);

    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(g_array_index(one_kept, CxId, i), ==, 77);

    g_array_index(nodes, CxJoinNode, 2).is_kept = true;
    g_autoptr(GArray) two_kept =
        cx_join_segments(nodes, edges, &options, NULL, &error);

    g_assert_cmpuint(g_array_index(two_kept, CxId, 0), ==, 77);
    g_assert_cmpuint(g_array_index(two_kept, CxId, 1), ==, 77);
    g_assert_cmpuint(g_array_index(two_kept, CxId, 2), ==, 88);
    g_assert_cmpuint(g_array_index(two_kept, CxId, 3), ==, 88);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/project-segment/kept-segments-stay-apart",
                    test_kept_segments_stay_apart);
    g_test_add_func("/project-segment/whole-run", test_whole_run);
    g_test_add_func("/project-segment/resumed-run-equals-one-go",
                    test_resumed_run_equals_one_go);
    g_test_add_func("/project-segment/pieces-join", test_pieces_join);
    g_test_add_func("/project-segment/old-contacts-count",
                    test_old_contacts_count);
    g_test_add_func("/project-segment/edits-outlive-later-blocks",
                    test_edits_outlive_later_blocks);
    g_test_add_func("/project-segment/edit-during-whole-run",
                    test_edit_during_whole_run);
    g_test_add_func("/project-segment/other-grid-is-refused",
                    test_other_grid_is_refused);
    return g_test_run();
}
