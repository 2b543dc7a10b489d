/* kill -9 at random moments while a child edits, imports or exports: no edit
 * that was reported may be lost, and the project must open and be clean.
 *
 * The child reports every commit through a pipe.  100 kills while editing in a
 * normal run; $CX_CRASH_KILLS sets another number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/export/export_project.h"
#include "core/proofread/paint.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"
#include "tests/support/child.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* After each commit. */
typedef struct {
    int64_t n_edits, head;
    uint64_t state; /* of all segments */
} Report;

/* Sum over all cells and voxels. */
static uint64_t
hash_state(CxProject *project)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    size_t n = cx_fixture_cells(cells);
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        CxId segment = cx_supervoxel_graph_segment_of(cx_project_graph(project),
                                                      cells[i].id);

        sum += cx_hash64_mix(cells[i].id ^ cx_hash64_mix(segment));
    }
    g_autoptr(CxChunk) labels = cx_volume_read_labels(
        cx_project_supervoxels(project), 0,
        cx_volume_bounds(cx_project_supervoxels(project), 0), NULL, NULL);
    const CxId *ids = cx_chunk_data(labels);

    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        sum += cx_hash64_mix(ids[i] + cx_hash64_mix(i));
    return sum;
}

static Report
make_report(CxProject *project)
{
    return (Report){cx_project_n_edits(project), cx_project_head(project),
                    hash_state(project)};
}

/* The child that edits. */

static CxEdit *
random_merge(CxProject *project, const CxFixtureCell *cells, size_t n,
             CxRng *rng)
{
    CxSupervoxelGraph *graph = cx_project_graph(project);
    size_t a = cx_rng_below(rng, n), b = cx_rng_below(rng, n);

    return cx_project_merge(
        project, cx_supervoxel_graph_segment_of(graph, cells[a].id),
        cx_supervoxel_graph_segment_of(graph, cells[b].id), cells[b].at, NULL);
}

static CxEdit *
random_split(CxProject *project, const CxFixtureCell *cells, size_t n,
             CxRng *rng)
{
    CxSupervoxelGraph *graph = cx_project_graph(project);
    size_t a = cx_rng_below(rng, n), b = cx_rng_below(rng, n);
    CxId segment = cx_supervoxel_graph_segment_of(graph, cells[a].id);

    for (size_t i = 0; i < n; i++, b = (b + 1) % n) {
        if (b != a &&
            cx_supervoxel_graph_segment_of(graph, cells[b].id) == segment)
            return cx_project_split(project, segment, &cells[a].at, 1,
                                    &cells[b].at, 1, NULL, NULL);
    }
    return NULL;
}

/* A stroke of a brush or an eraser: voxels, chunks and a patch. */
static CxEdit *
random_paint(CxProject *project, const CxFixtureCell *cells, size_t n,
             CxRng *rng)
{
    CxVoxel points[2] = {cells[cx_rng_below(rng, n)].at,
                         cells[cx_rng_below(rng, n)].at};
    CxPaintRule rule = {.erase = cx_rng_below(rng, 4) == 0};

    if (!cx_project_pick(project, points[0], NULL, &rule.segment, NULL))
        return NULL;
    return cx_project_paint(project, &rule, points, 2, 20,
                            (CxPlane)cx_rng_below(rng, 4), NULL, NULL);
}

static int
child_edit(const char *path, int pipe)
{
    g_autoptr(GError) error = NULL;
    CxProject *project = cx_project_open(path, false, NULL, &error);
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    size_t n = cx_fixture_cells(cells);
    CxRng rng;

    if (project == NULL) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    cx_rng_init(&rng, (uint64_t)cx_project_n_edits(project) * 31 +
                          (uint64_t)cx_project_head(project));
    for (;;) {
        uint64_t what = cx_rng_below(&rng, 14);
        g_autoptr(CxEdit) edit =
            what > 9   ? random_paint(project, cells, n, &rng)
            : what < 4 ? random_merge(project, cells, n, &rng)
            : what < 7 ? random_split(project, cells, n, &rng)
            : what < 9 ? cx_project_undo(project, NULL)
                       : cx_project_redo(project, NULL);
        Report report = make_report(project);

        if (edit != NULL && !cx_child_report(pipe, &report, sizeof report))
            return 0;
    }
}

/* The parent. */

static void
check_clean(CxProject *project)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_project_check(project, problems, NULL, &error));
    g_assert_no_error(error);
    for (guint i = 0; i < problems->len; i++)
        g_printerr("%s\n", (char *)g_ptr_array_index(problems, i));
    g_assert_cmpuint(problems->len, ==, 0);
}

/* Either right after a report or at any moment, then what is still in the
 * pipe is read: it was reported before the end. */
static Report
kill_at_random(CxChild *child, Report last, CxRng *rng, guint *n_reports)
{
    uint64_t n = cx_rng_below(rng, 12);
    Report report;

    for (uint64_t i = 0; i < n && cx_child_read(child, &report, sizeof report);
         i++) {
        last = report;
        (*n_reports)++;
    }
    if (cx_rng_below(rng, 2) == 0)
        g_usleep(cx_rng_below(rng, 20000));
    kill(child->pid, SIGKILL);
    while (cx_child_read(child, &report, sizeof report)) {
        last = report;
        (*n_reports)++;
    }
    g_assert_cmpint(cx_child_wait(child), ==, -1);
    return last;
}

/* What was reported last, or one step further that nobody heard of. */
static void
check_nothing_lost(CxProject *project, const Report *last)
{
    Report now = make_report(project);
    bool same = now.n_edits == last->n_edits && now.head == last->head;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(now.n_edits, >=, last->n_edits);
    g_assert_cmpint(now.n_edits, <=, last->n_edits + 1);
    if (same) {
        g_assert_cmpuint(now.state, ==, last->state);
        return;
    }
    /* The unheard step was an edit on top, an undo or a redo. */
    g_autoptr(GPtrArray) edits =
        cx_project_edits(project, 1, G_MAXINT64, false, &error);
    const CxEdit *head =
        now.head > 0 ? g_ptr_array_index(edits, now.head - 1) : NULL;
    const CxEdit *former =
        last->head > 0 ? g_ptr_array_index(edits, last->head - 1) : NULL;

    g_assert_true((head != NULL && head->parent == last->head) ||
                  (former != NULL && former->parent == now.head));
}

static uint64_t
n_kills(uint64_t otherwise)
{
    const char *text = g_getenv("CX_CRASH_KILLS");

    return text != NULL ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void
test_no_reported_edit_is_lost(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    CxProject *project = cx_fixture_project(path);
    Report last = make_report(project);
    CxRng rng = cx_test_rng();
    uint64_t total = n_kills(100);
    guint n_reports = 0;

    cx_project_unref(project);
    for (uint64_t i = 0; i < total; i++) {
        CxChild child = cx_child_start("edit", path);
        g_autoptr(GError) error = NULL;

        last = kill_at_random(&child, last, &rng, &n_reports);
        project = cx_project_open(path, false, NULL, &error);
        g_assert_no_error(error);
        check_nothing_lost(project, &last);
        check_clean(project);
        last = make_report(project);
        cx_project_unref(project);
    }
    g_test_message("%u edits reported in %" G_GUINT64_FORMAT " kills, 0 lost",
                   n_reports, total);
    cx_test_remove_dir(dir);
}

/* A WAL that was cut or damaged at any place, as after a loss of power: the
 * project opens with a prefix of what was done, the longer the WAL the more,
 * and is clean. */

static void
copy_file(const char *from, const char *to, gsize keep, gsize damage)
{
    g_autofree char *bytes = NULL;
    gsize n;

    g_unlink(to);
    if (!g_file_get_contents(from, &bytes, &n, NULL))
        return;
    if (damage < n)
        bytes[damage] = (char)~bytes[damage];
    g_assert_true(g_file_set_contents_full(
        to, bytes, (gssize)MIN(keep, n), G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static int64_t
open_and_count(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxProject) project = cx_project_open(path, false, NULL, &error);

    g_assert_no_error(error);
    check_clean(project);
    return cx_project_n_edits(project);
}

static void
test_torn_log_gives_a_prefix(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *torn = g_build_filename(dir, "b.connexon", NULL);
    g_autofree char *torn_wal = g_strconcat(torn, "-wal", NULL);
    CxRng rng = cx_test_rng();
    Report report;
    GStatBuf status;
    int64_t longest = 0;

    cx_project_unref(cx_fixture_project(path));
    CxChild child = cx_child_start("edit", path);

    for (int i = 0; i < 40; i++)
        g_assert_true(cx_child_read(&child, &report, sizeof report));
    cx_child_kill(&child);
    g_assert_cmpint(g_stat(wal, &status), ==, 0);
    gsize size = (gsize)status.st_size;

    for (gsize i = 0; i <= 24; i++) {
        copy_file(path, torn, G_MAXSIZE, G_MAXSIZE);
        copy_file(wal, torn_wal, size * i / 24, G_MAXSIZE);
        int64_t n = open_and_count(torn);

        g_assert_cmpint(n, >=, longest);
        longest = n;
    }
    g_assert_cmpint(longest, >=, report.n_edits);
    for (int i = 0; i < 16; i++) {
        copy_file(path, torn, G_MAXSIZE, G_MAXSIZE);
        copy_file(wal, torn_wal, G_MAXSIZE, cx_rng_below(&rng, size));
        g_assert_cmpint(open_and_count(torn), <=, longest);
    }
    cx_test_remove_dir(dir);
}

/* An import that is killed leaves an empty project that can be filled. */

static int
child_import(const char *path, int pipe)
{
    CxProject *project = cx_project_open(path, false, NULL, NULL);
    g_autoptr(CxVolume) labels = cx_fixture_labels();

    cx_child_report(pipe, "x", 1);
    return project == NULL ||
           !cx_project_import_labels(project, labels, NULL, NULL);
}

static void
test_killed_import_can_be_repeated(void)
{
    g_autofree char *dir = cx_test_make_dir();
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 12; i++) {
        g_autofree char *name = g_strdup_printf("%d.connexon", i);
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_autoptr(CxVolume) image = cx_fixture_image();
        g_autoptr(CxVolume) labels = cx_fixture_labels();
        g_autoptr(GError) error = NULL;
        char ready;

        cx_project_unref(cx_project_create(path, image, &error));
        g_assert_no_error(error);
        CxChild child = cx_child_start("import", path);

        g_assert_true(cx_child_read(&child, &ready, 1));
        g_usleep(cx_rng_below(&rng, 6000));
        cx_child_kill(&child);
        g_autoptr(CxProject) project =
            cx_project_open(path, false, NULL, &error);

        g_assert_no_error(error);
        check_clean(project);
        if (cx_project_n_blocks(project, NULL) > 0)
            continue;
        g_assert_true(cx_project_import_labels(project, labels, NULL, &error));
        g_assert_no_error(error);
        check_clean(project);
    }
    cx_test_remove_dir(dir);
}

/* An export that is killed: the target is absent or whole. */

static int
child_export(const char *path, int pipe)
{
    CxProject *project = cx_project_open(path, true, NULL, NULL);

    for (int i = 0; project != NULL; i++) {
        g_autofree char *target = g_strdup_printf("%s.%d.h5", path, i);

        cx_child_report(pipe, &i, sizeof i);
        if (!cx_export_project(project, CX_EXPORT_LABELS, target, false, NULL,
                               NULL, NULL))
            return 1;
    }
    return 1;
}

static void
check_exports(const char *path, CxProject *project, int last)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) live = cx_volume_read_labels(
        cx_project_segments(project), 0,
        cx_volume_bounds(cx_project_segments(project), 0), NULL, &error);

    for (int i = MAX(0, last - 2); i <= last; i++) {
        g_autofree char *target = g_strdup_printf("%s.%d.h5", path, i);

        if (!g_file_test(target, G_FILE_TEST_EXISTS)) {
            g_assert_cmpint(i, ==, last);
            continue;
        }
        g_autoptr(CxVolume) volume = cx_volume_open(target, NULL, &error);

        g_assert_no_error(error);
        g_autoptr(CxChunk) stored = cx_volume_read_labels(
            volume, 0, cx_volume_bounds(volume, 0), NULL, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(cx_chunk_data(live), cx_chunk_size_bytes(live),
                        cx_chunk_data(stored), cx_chunk_size_bytes(stored));
    }
}

static void
test_killed_export_is_absent_or_whole(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 10; round++) {
        g_autofree char *dir = cx_test_make_dir();
        g_autofree char *path = g_build_filename(dir, "a.connexon", NULL);
        g_autoptr(CxProject) project = cx_fixture_project(path);
        CxChild child = cx_child_start("export", path);
        int last = 0, n = 1 + (int)cx_rng_below(&rng, 3);

        for (int i = 0; i < n; i++)
            g_assert_true(cx_child_read(&child, &last, sizeof last));
        g_usleep(cx_rng_below(&rng, 15000));
        kill(child.pid, SIGKILL);
        while (cx_child_read(&child, &last, sizeof last))
            continue;
        g_assert_cmpint(cx_child_wait(&child), ==, -1);
        check_exports(path, project, last);
        check_clean(project);
        cx_test_remove_dir(dir);
    }
}

static int
child_main(const char *mode, const char *argument, int pipe)
{
    return strcmp(mode, "edit") == 0     ? child_edit(argument, pipe)
           : strcmp(mode, "import") == 0 ? child_import(argument, pipe)
                                         : child_export(argument, pipe);
}

int
main(int argc, char **argv)
{
    cx_child_main(argc, argv, child_main);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crash/no-reported-edit-is-lost",
                    test_no_reported_edit_is_lost);
    g_test_add_func("/crash/torn-log-gives-a-prefix",
                    test_torn_log_gives_a_prefix);
    g_test_add_func("/crash/killed-import-can-be-repeated",
                    test_killed_import_can_be_repeated);
    g_test_add_func("/crash/killed-export-is-absent-or-whole",
                    test_killed_export_is_absent_or_whole);
    return g_test_run();
}
