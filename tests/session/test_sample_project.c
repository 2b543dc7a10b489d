/* The sample: its errors are where they were put, and it opens as a project.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/sample_project.h"

#include "core/volume/synthetic.h"
#include "tests/session/session_fixture.h"

#include <string.h>

#define MAX_NEURONS 1024

typedef struct {
    CxChunk *truth, *labels;
    GArray *segments;
} Cut;

static void
cut_sample(Cut *cut, const void *data)
{
    CxSyntheticOptions options = cx_synthetic_defaults();

    options.size = (CxVoxel){96, 96, 64};
    g_assert_true(
        cx_synthetic_draw(&options, NULL, &cut->truth, NULL, NULL, NULL));
    cut->labels = cx_chunk_ref(cut->truth);
    cut->segments = cxui_sample_cut(&cut->labels, NULL, NULL);
    g_assert_nonnull(cut->segments);
}

static void
clear_cut(Cut *cut, const void *data)
{
    cx_chunk_unref(cut->truth);
    cx_chunk_unref(cut->labels);
    g_array_unref(cut->segments);
}

static void
test_supervoxels_lie_in_one_neuron(Cut *cut, const void *data)
{
    const CxId *truth = cx_chunk_data(cut->truth);
    const CxId *labels = cx_chunk_data(cut->labels);
    g_autofree CxId *neuron_of = g_new0(CxId, cut->segments->len);

    for (size_t i = 0; i < cx_chunk_n_voxels(cut->labels); i++) {
        g_assert_true((truth[i] == 0) == (labels[i] == 0));
        if (labels[i] == 0)
            continue;
        CxId *neuron = &neuron_of[labels[i] - CXUI_SAMPLE_FIRST_ID];
        g_assert_cmpuint(labels[i] - CXUI_SAMPLE_FIRST_ID, <,
                         cut->segments->len);
        g_assert_true(*neuron == 0 || *neuron == truth[i]);
        *neuron = truth[i];
    }
}

static void
test_segments_are_named_after_a_member(Cut *cut, const void *data)
{
    for (guint i = 0; i < cut->segments->len; i++) {
        CxId segment = g_array_index(cut->segments, CxId, i);
        guint member = (guint)(segment - CXUI_SAMPLE_FIRST_ID);

        g_assert_cmpuint(member, <=, i);
        g_assert_cmpuint(g_array_index(cut->segments, CxId, member), ==,
                         segment);
    }
}

/* Neurons in two segments, and segments with two neurons. */
static void
test_there_are_errors_to_find(Cut *cut, const void *data)
{
    const CxId *truth = cx_chunk_data(cut->truth);
    const CxId *labels = cx_chunk_data(cut->labels);
    CxId first_segment[MAX_NEURONS] = {0};
    g_autofree CxId *first_neuron = g_new0(CxId, cut->segments->len);
    g_autofree bool *is_merger = g_new0(bool, cut->segments->len);
    bool is_split[MAX_NEURONS] = {false};
    unsigned n_split = 0, n_merged = 0;

    for (size_t i = 0; i < cx_chunk_n_voxels(cut->labels); i++) {
        CxId neuron = truth[i];

        if (neuron == 0)
            continue;
        g_assert_cmpuint(neuron, <, MAX_NEURONS);
        CxId segment = g_array_index(cut->segments, CxId,
                                     labels[i] - CXUI_SAMPLE_FIRST_ID);
        guint s = (guint)(segment - CXUI_SAMPLE_FIRST_ID);
        if (first_segment[neuron] == 0)
            first_segment[neuron] = segment;
        if (first_neuron[s] == 0)
            first_neuron[s] = neuron;
        is_split[neuron] |= first_segment[neuron] != segment;
        is_merger[s] |= first_neuron[s] != neuron;
    }
    for (guint i = 0; i < MAX_NEURONS; i++)
        n_split += is_split[i];
    for (guint i = 0; i < cut->segments->len; i++)
        n_merged += is_merger[i];
    g_test_message("%u split, %u merged", n_split, n_merged);
    g_assert_cmpuint(n_split, >=, 3);
    g_assert_cmpuint(n_merged, >=, 3);
}

static void
test_it_opens_as_a_project(SessionFixture *fixture, const void *data)
{
    cxui_session_open_sample(fixture->session);
    session_fixture_wait(fixture, session_has_project);
    g_assert_cmpuint(fixture->failures->len, ==, 0);
    g_assert_cmpstr(cxui_session_title(fixture->session), ==, "sample");
    g_assert_nonnull(cxui_session_image(fixture->session));
    g_assert_true(cxui_session_is_untitled(fixture->session));
    g_autofree char *first = session_fixture_project_path(fixture);
    cxui_session_close(fixture->session);
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));

    /* drawn once: now it is there at once, and an edit is kept */
    int64_t start_us = g_get_monotonic_time();
    cxui_session_open_sample(fixture->session);
    session_fixture_wait(fixture, session_has_project);
    g_test_message("opened again in %" G_GINT64_FORMAT " ms",
                   (g_get_monotonic_time() - start_us) / 1000);
    g_autoptr(CxuiSegmentItem) largest = g_list_model_get_item(
        G_LIST_MODEL(cxui_session_segment_model(fixture->session)), 0);
    cxui_edit_controller_set_note(cxui_session_edits(fixture->session),
                                  cxui_segment_item_id(largest), "largest");
    g_autofree char *second = session_fixture_project_path(fixture);
    session_fixture_restart(fixture);
    g_assert_true(g_file_test(second, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
    g_test_add("/sample/supervoxels_lie_in_one_neuron", Cut, NULL, cut_sample,
               test_supervoxels_lie_in_one_neuron, clear_cut);
    g_test_add("/sample/segments_are_named_after_a_member", Cut, NULL,
               cut_sample, test_segments_are_named_after_a_member, clear_cut);
    g_test_add("/sample/there_are_errors_to_find", Cut, NULL, cut_sample,
               test_there_are_errors_to_find, clear_cut);
    g_test_add("/sample/it_opens_as_a_project", SessionFixture, NULL,
               session_fixture_set_up, test_it_opens_as_a_project,
               session_fixture_tear_down);
    return session_test_run();
}
