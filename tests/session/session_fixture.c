/* A session on small files, and what it said.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/session/session_fixture.h"

#include "core/volume/writer.h"

/* GLib reads the folders once, so this comes before all else. */
void
session_test_init(int *argc, char ***argv)
{
    static const char *const names[] = {"XDG_CACHE_HOME", "XDG_CONFIG_HOME",
                                        "XDG_DATA_HOME"};
    g_autofree char *dir = cx_test_make_dir();

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *folder = g_build_filename(dir, names[i], NULL);

        g_setenv(names[i], folder, TRUE);
    }
    g_setenv("CX_TEST_HOME", dir, TRUE);
    g_test_init(argc, argv, NULL);
}

int
session_test_run(void)
{
    int code = g_test_run();

    cx_test_remove_dir(g_getenv("CX_TEST_HOME"));
    return code;
}

static void
on_toast(CxuiSession *session, const char *sentence, guint n_undo,
         SessionFixture *fixture)
{
    g_ptr_array_add(fixture->toasts, g_strdup(sentence));
    fixture->n_undo = n_undo;
}

static void
on_failed(CxuiSession *session, const char *sentence, const char *details,
          SessionFixture *fixture)
{
    g_test_message("failed: %s", sentence);
    g_ptr_array_add(fixture->failures, g_strdup(sentence));
}

static void
on_segments(CxuiSession *session, GArray *ids, CxBox *box,
            SessionFixture *fixture)
{
    g_clear_pointer(&fixture->last_ids, g_array_unref);
    fixture->last_ids = g_array_copy(ids);
    fixture->last_box = *box;
    fixture->n_segments++;
}

static void
count(CxuiSession *session, unsigned *n)
{
    (*n)++;
}

static void
on_block(CxuiSession *session, CxBox *box, SessionFixture *fixture)
{
    fixture->n_blocks++;
}

static void
make_session(SessionFixture *fixture)
{
    g_autoptr(CxuiSettings) settings = cxui_settings_new_in_memory();

    g_object_set(settings, "author", "Ada", NULL);
    fixture->session = cxui_session_new(settings);
    g_signal_connect(fixture->session, "toast", G_CALLBACK(on_toast), fixture);
    g_signal_connect(fixture->session, "failed", G_CALLBACK(on_failed),
                     fixture);
    g_signal_connect(fixture->session, "segments-changed",
                     G_CALLBACK(on_segments), fixture);
    g_signal_connect(fixture->session, "block-segmented", G_CALLBACK(on_block),
                     fixture);
    g_signal_connect(fixture->session, "opened", G_CALLBACK(count),
                     &fixture->n_opened);
    g_signal_connect(fixture->session, "closed", G_CALLBACK(count),
                     &fixture->n_closed);
    g_signal_connect(fixture->session, "volumes-changed", G_CALLBACK(count),
                     &fixture->n_volumes);
    g_signal_connect(fixture->session, "chunks-changed", G_CALLBACK(count),
                     &fixture->n_chunks);
}

static char *
write_volume(const char *dir, const char *name, CxVolume *volume)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(dir, name, NULL);
    CxWriterOptions options = {
        .dtype = cx_volume_dtype(volume),
        .is_labels = cx_volume_is_labels(volume),
    };

    cx_writer_copy(volume, cx_volume_bounds(volume, 0), path, &options, NULL,
                   NULL, &error);
    g_assert_no_error(error);
    return path;
}

void
session_fixture_set_up(SessionFixture *fixture, const void *data)
{
    g_autoptr(CxVolume) image = cx_fixture_image();
    g_autoptr(CxVolume) labels = cx_fixture_labels();

    fixture->dir = cx_test_make_dir();
    fixture->image = write_volume(fixture->dir, "image.h5", image);
    fixture->labels = write_volume(fixture->dir, "labels.h5", labels);
    fixture->toasts = g_ptr_array_new_with_free_func(g_free);
    fixture->failures = g_ptr_array_new_with_free_func(g_free);
    make_session(fixture);
}

void
session_fixture_restart(SessionFixture *fixture)
{
    g_clear_object(&fixture->session);
    make_session(fixture);
}

void
session_fixture_tear_down(SessionFixture *fixture, const void *data)
{
    g_clear_object(&fixture->session);
    cx_test_remove_dir(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->image);
    g_free(fixture->labels);
    g_ptr_array_unref(fixture->toasts);
    g_ptr_array_unref(fixture->failures);
    g_clear_pointer(&fixture->last_ids, g_array_unref);
}

static gboolean
tick(void *data)
{
    return G_SOURCE_CONTINUE;
}

void
session_fixture_wait(SessionFixture *fixture, SessionCondition condition)
{
    int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    guint timer = g_timeout_add(20, tick, NULL);

    while (!condition(fixture)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(timer);
}

bool
session_is_idle(SessionFixture *fixture)
{
    return !cxui_session_is_opening(fixture->session) &&
           cxui_session_is_stored(fixture->session) &&
           !cxui_history_model_is_loading(
               cxui_session_history(fixture->session)) &&
           !cxui_segment_model_is_loading(
               cxui_session_segment_model(fixture->session)) &&
           cxui_job_list_n_running(cxui_session_jobs(fixture->session)) == 0;
}

bool
session_has_failed(SessionFixture *fixture)
{
    return fixture->failures->len > 0;
}

bool
session_has_project(SessionFixture *fixture)
{
    return session_is_idle(fixture) &&
           cxui_session_project(fixture->session) != NULL;
}

void
session_fixture_open(SessionFixture *fixture, const char *first,
                     const char *second)
{
    const char *specs[] = {first, second};

    cxui_session_open(fixture->session, specs, second != NULL ? 2 : 1);
}

void
session_fixture_open_both(SessionFixture *fixture)
{
    session_fixture_open(fixture, fixture->image, fixture->labels);
    session_fixture_wait(fixture, session_has_project);
}

char *
session_fixture_project_path(SessionFixture *fixture)
{
    return g_strdup(cx_project_path(cxui_session_project(fixture->session)));
}

const char *
session_last(GPtrArray *sentences)
{
    return sentences->len > 0 ? g_ptr_array_index(sentences, sentences->len - 1)
                              : "";
}
