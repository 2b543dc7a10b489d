/* The project file: what is not one, what is damaged, who else has it open,
 * no rights, no room.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/journal.h"

#include "core/base/error.h"
#include "core/proofread/checksum.h"
#include "core/proofread/project.h"
#include "core/proofread/store_codec.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"
#include "tests/support/child.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *dir, *path;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->dir = cx_test_make_dir();
    f->path = g_build_filename(f->dir, "a.connexon", NULL);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    g_chmod(f->dir, 0755);
    cx_test_remove_dir(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

static void
merge_some(CxProject *project, int n)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    g_autoptr(GError) error = NULL;

    cx_fixture_cells(cells);
    for (int i = 0; i < n; i++) {
        g_autoptr(CxEdit) edit = cx_project_merge(
            project, cells[10].id, cells[20 + i].id, cells[0].at, &error);

        g_assert_no_error(error);
    }
}

static void
make_project(Fixture *f)
{
    CxProject *project = cx_fixture_project(f->path);

    merge_some(project, 5);
    cx_project_unref(project);
}

/* Without the sync of g_file_set_contents(), which takes longer than a test. */
static void
put(Fixture *f, const char *bytes, gssize n)
{
    g_unlink(f->path);
    g_assert_true(g_file_set_contents_full(
        f->path, bytes, n, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static char *
checksum_file(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize n;

    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)bytes, n);
}

/* Opening fails with this code and words, and leaves the file and the folder
 * as they were. */
static void
expect_refusal(Fixture *f, int code, const char *word)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *before = checksum_file(f->path);

    for (int read_only = 0; read_only < 2; read_only++) {
        g_assert_null(cx_project_open(f->path, read_only, NULL, &error));
        cx_test_expect_error(&error, code, f->path, word, NULL);
    }
    g_autofree char *after = checksum_file(f->path);
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);

    g_assert_cmpstr(before, ==, after);
    g_assert_nonnull(g_dir_read_name(dir));
    g_assert_null(g_dir_read_name(dir));
}

static void
test_foreign_files_are_named(Fixture *f, gconstpointer data)
{
    g_autofree char *long_text = g_strnfill(5000, 'x');
    sqlite3 *db;
    g_autoptr(GError) error = NULL;

    put(f, "", 0);
    expect_refusal(f, CX_ERROR_FORMAT, "only 0 bytes");
    put(f, "hello", 5);
    expect_refusal(f, CX_ERROR_FORMAT, "only 5 bytes");
    put(f, long_text, 5000);
    expect_refusal(f, CX_ERROR_FORMAT, "not a Connexon project");

    g_unlink(f->path);
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE t (x); PRAGMA application_id = 7", NULL,
                 NULL, NULL);
    sqlite3_close(db);
    expect_refusal(f, CX_ERROR_FORMAT, "another program");

    g_unlink(f->path);
    make_project(f);
    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL);
    sqlite3_close(db);
    expect_refusal(f, CX_ERROR_FORMAT, "newer Connexon");
}

static void
test_odd_paths_are_named(Fixture *f, gconstpointer data)
{
    g_autofree char *loop = g_build_filename(f->dir, "loop", NULL);
    g_autofree char *pipe = g_build_filename(f->dir, "pipe", NULL);
    g_autofree char *nowhere = g_build_filename(f->dir, "no", "a", NULL);
    g_autofree char *link = g_build_filename(f->dir, "link", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) image = cx_fixture_image();

    g_assert_null(cx_project_open(f->path, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, f->path, NULL);
    g_assert_null(cx_project_open(f->dir, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "not a file", NULL);
    g_assert_cmpint(symlink(loop, loop), ==, 0);
    g_assert_null(cx_project_open(loop, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_IO, "loop", NULL);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_assert_null(cx_project_open(pipe, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "not a file", NULL);

    g_assert_null(cx_project_create(nowhere, image, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, nowhere, NULL);
    g_assert_null(cx_project_create(loop, image, &error));
    cx_test_expect_error(&error, CX_ERROR_EXISTS, "already there", NULL);

    /* Through a link it is the same project, with the same lock. */
    make_project(f);
    g_assert_cmpint(symlink(f->path, link), ==, 0);
    g_autoptr(CxProject) project = cx_project_open(link, false, NULL, &error);

    g_assert_no_error(error);
    g_assert_null(cx_project_open(f->path, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_BUSY, "open for editing", NULL);
}

static void
test_truncated_files_are_refused(Fixture *f, gconstpointer data)
{
    g_autofree char *bytes = NULL;
    gsize n;

    make_project(f);
    g_assert_true(g_file_get_contents(f->path, &bytes, &n, NULL));
    for (gsize i = 0; i < 256; i++) {
        g_autoptr(GError) error = NULL;

        put(f, bytes, (gssize)(n * i / 256));
        g_assert_null(cx_project_open(f->path, false, NULL, &error));
        g_assert_error(error, CX_ERROR, CX_ERROR_FORMAT);
        g_assert_null(strchr(error->message, '\n'));
    }
    put(f, bytes, (gssize)n - 1);
    expect_refusal(f, CX_ERROR_FORMAT, "cut short");
}

/* Flipped bits: an error, a problem in the check, or no effect; never a
 * crash, and the file is not made worse. */
static void
test_flipped_bits_are_survived(Fixture *f, gconstpointer data)
{
    g_autofree char *bytes = NULL;
    CxRng rng = cx_test_rng();
    gsize n;
    guint n_refused = 0, n_reported = 0;

    make_project(f);
    g_assert_true(g_file_get_contents(f->path, &bytes, &n, NULL));
    for (int i = 0; i < 400; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
        gsize at = cx_rng_below(&rng, n);
        char flip = (char)(1u << cx_rng_below(&rng, 8));

        bytes[at] ^= flip;
        put(f, bytes, (gssize)n);
        bytes[at] ^= flip;
        g_autoptr(CxProject) project =
            cx_project_open(f->path, true, NULL, &error);

        if (project == NULL) {
            g_assert_nonnull(error);
            n_refused++;
        } else if (!cx_project_check(project, problems, NULL, &error) ||
                   problems->len > 0) {
            n_reported++;
        }
    }
    g_test_message("of 400 flips %u were refused, %u reported", n_refused,
                   n_reported);
    g_assert_cmpuint(n_refused + n_reported, >, 10);
}

/* Damage that SQLite cannot see is found by our own checksums. */
static void
test_checksums_find_damage(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *sql, *word;
        bool opens;
    } damages[] = {
        {"UPDATE chunk SET data = zeroblob(20)", "labels of chunk", true},
        {"UPDATE chunk SET checksum = checksum + 1", "labels of chunk", true},
        {"DELETE FROM chunk", "voxels in the labels", true},
        {"UPDATE edit SET moves = x'01020304' WHERE sequence = 3", "edit 3",
         false},
        {"UPDATE edit SET segment = 5 WHERE sequence = 2", "edit 2", false},
        {"UPDATE edit SET kind = 'x' WHERE sequence = 2", "edit 2", false},
        {"DELETE FROM edit WHERE sequence = 2", "log is damaged", false},
        {"INSERT INTO step VALUES (NULL, 99, '', 0)", "its head is edit 99",
         false},
        {"UPDATE part SET segments = supervoxels", "part 1", false},
        {"UPDATE part SET n_supervoxels = 5", "part 1", false},
        {"UPDATE part SET n_supervoxels = -1", "part 1", false},
        {"UPDATE image SET size_x = 1e15", "makes no sense", false},
        {"UPDATE image SET voxel_z = 0", "makes no sense", false},
        {"DELETE FROM image", "makes no sense", false},
        {"DROP TABLE edit", "no such table", false},
        {"UPDATE meta SET value = -5 WHERE key = 'block_x'", "makes no sense",
         false},
    };

    for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
        sqlite3 *db;

        g_unlink(f->path);
        make_project(f);
        g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
        g_assert_cmpint(sqlite3_exec(db, damages[i].sql, NULL, NULL, NULL), ==,
                        SQLITE_OK);
        sqlite3_close(db);
        g_test_message("%s", damages[i].sql);
        g_autoptr(CxProject) project =
            cx_project_open(f->path, false, NULL, &error);

        if (!damages[i].opens) {
            g_assert_null(project);
            cx_test_expect_error(&error, CX_ERROR_FORMAT, f->path,
                                 damages[i].word, NULL);
            continue;
        }
        g_assert_no_error(error);
        g_assert_true(cx_project_check(project, problems, NULL, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(problems->len, >, 0);
        g_test_message("%s", (char *)g_ptr_array_index(problems, 0));
        g_assert_nonnull(
            strstr(g_ptr_array_index(problems, 0), damages[i].word));
    }
}

/* A chunk laid over another by an edit shows while the edit is done. */
static void
test_overlays_follow_the_head(Fixture *f, gconstpointer data)
{
    g_autofree CxId *labels = g_new(CxId, 40 * 30 * 20);
    g_autoptr(GError) error = NULL;
    CxVoxel at = {3, 3, 3};
    CxId found;
    sqlite3 *db;
    sqlite3_stmt *statement;

    make_project(f);
    for (int i = 0; i < 40 * 30 * 20; i++)
        labels[i] = 123;
    g_autoptr(GBytes) bytes =
        cx_store_encode_labels(labels, 40 * 30 * 20, &error);

    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    sqlite3_prepare_v2(db, "INSERT INTO overlay VALUES (0, 5, ?, ?)", -1,
                       &statement, NULL);
    sqlite3_bind_blob(statement, 1, g_bytes_get_data(bytes, NULL),
                      (int)g_bytes_get_size(bytes), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2,
                       (int64_t)cx_checksum(g_bytes_get_data(bytes, NULL),
                                            g_bytes_get_size(bytes), 0));
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);

    CxProject *project = cx_project_open(f->path, false, NULL, &error);

    g_assert_no_error(error);
    g_assert_true(cx_project_pick(project, at, &found, NULL, &error));
    g_assert_cmpuint(found, ==, 123);
    g_autoptr(CxEdit) undone = cx_project_undo(project, &error);

    g_assert_no_error(error);
    cx_project_unref(project);
    project = cx_project_open(f->path, false, NULL, &error);
    g_assert_true(cx_project_pick(project, at, &found, NULL, &error));
    g_assert_cmpuint(found, !=, 123);
    cx_project_unref(project);
}

static void
test_checksum_is_xxh64(void)
{
    char bytes[101];

    for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    /* By XXH64() of libxxhash 0.8.1. */
    g_assert_cmpuint(cx_checksum("", 0, 0), ==, UINT64_C(0xef46db3751d8e999));
    g_assert_cmpuint(cx_checksum("a", 1, 0), ==, UINT64_C(0xd24ec4f1a98c6e5b));
    g_assert_cmpuint(cx_checksum("abc", 3, 0), ==,
                     UINT64_C(0x44bc2cf5ad770999));
    g_assert_cmpuint(cx_checksum(bytes, sizeof bytes, 0), ==,
                     UINT64_C(0xe99038495f85381e));
    g_assert_cmpuint(cx_checksum(bytes, sizeof bytes, 7), ==,
                     UINT64_C(0xe878e9791dbc64fa));
}

static void
test_labels_survive_encoding(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 60; round++) {
        size_t n = 1 + cx_rng_below(&rng, 70000);
        uint64_t n_ids = 1 + cx_rng_below(&rng, 1u << cx_rng_below(&rng, 18));
        uint64_t step = cx_rng_next(&rng) | 1;
        g_autofree CxId *labels = g_new(CxId, n);
        g_autofree CxId *back = g_new(CxId, n);
        g_autoptr(GError) error = NULL;

        for (size_t i = 0; i < n; i++)
            labels[i] = i > 0 && cx_rng_below(&rng, 3) > 0
                            ? labels[i - 1]
                            : cx_rng_below(&rng, n_ids) * step;
        g_autoptr(GBytes) bytes = cx_store_encode_labels(labels, n, &error);
        gsize size;
        const uint8_t *packed = g_bytes_get_data(bytes, &size);

        g_assert_true(cx_store_decode_labels(packed, size, back, n, &error));
        g_assert_cmpmem(labels, n * 8, back, n * 8);
        g_assert_false(
            cx_store_decode_labels(packed, size / 2, back, n, &error));
        g_clear_error(&error);
        /* A chunk of one label says nothing about its size. */
        if (memcmp(labels, labels + 1, (n - 1) * 8) != 0) {
            g_assert_false(
                cx_store_decode_labels(packed, size, back, n / 2, &error));
            g_clear_error(&error);
        }
    }
}

/* Another process. */

static int
child_hold(const char *path, int pipe)
{
    g_autoptr(GError) error = NULL;
    CxProject *project = cx_project_open(path, false, NULL, &error);
    char ready = project != NULL;

    cx_child_report(pipe, &ready, 1);
    sleep(60);
    return 1;
}

static void
test_second_process_is_told_who(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    char ready = 0;

    make_project(f);
    CxChild child = cx_child_start("hold", f->path);
    g_autofree char *pid = g_strdup_printf("process %d on ", (int)child.pid);

    g_assert_true(cx_child_read(&child, &ready, 1));
    g_assert_true(ready);
    g_assert_null(cx_project_open(f->path, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_BUSY, pid, g_get_host_name(), NULL);

    CxProject *viewer = cx_project_open(f->path, true, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(cx_project_head(viewer), ==, 5);
    cx_project_unref(viewer);
    cx_child_kill(&child);

    CxProject *project = cx_project_open(f->path, false, NULL, &error);

    g_assert_no_error(error);
    g_assert_false(cx_project_is_read_only(project));
    merge_some(project, 0);
    cx_project_unref(project);

    g_autofree char *lock = g_strconcat(f->path, ".lock", NULL);

    g_assert_false(g_file_test(lock, G_FILE_TEST_EXISTS));
}

/* Edits and dies without closing, so that the WAL holds them. */
static int
child_crash(const char *path, int pipe)
{
    CxProject *project = cx_project_open(path, false, NULL, NULL);

    if (project == NULL)
        return 1;
    cx_child_report(pipe, "x", 1);
    merge_some(project, 3);
    kill(getpid(), SIGKILL);
    return 1;
}

/* As a user without rights, in a folder that may not be written. */
static int
child_look(const char *path, int pipe)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return 77;
    if (access(path, W_OK) == 0)
        return 77;
    CxProject *project = cx_project_open(path, false, NULL, &error);

    if (project == NULL) {
        g_printerr("%s\n", error->message);
        return 2;
    }
    if (!cx_project_is_read_only(project))
        return 3;
    if (cx_project_head(project) != 3)
        return 4;
    if (!cx_project_check(project, problems, NULL, &error) || problems->len > 0)
        return 5;
    if (cx_project_undo(project, &error) != NULL ||
        !g_error_matches(error, CX_ERROR, CX_ERROR_READ_ONLY))
        return 6;
    cx_project_unref(project);
    return 0;
}

static void
test_read_only_folder(Fixture *f, gconstpointer data)
{
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    g_autofree char *shm = g_strconcat(f->path, "-shm", NULL);
    g_autofree char *lock = g_strconcat(f->path, ".lock", NULL);
    g_autoptr(GError) error = NULL;

    cx_project_unref(cx_fixture_project(f->path));
    CxChild child = cx_child_start("crash", f->path);

    g_assert_cmpint(cx_child_wait(&child), ==, -1);
    g_assert_true(g_file_test(wal, G_FILE_TEST_EXISTS));
    g_unlink(shm);
    g_unlink(lock);
    g_chmod(f->path, 0444);
    g_chmod(wal, 0444);
    g_chmod(f->dir, 0555);

    g_autofree char *before = checksum_file(f->path);
    g_autofree char *wal_before = checksum_file(wal);

    child = cx_child_start("look", f->path);
    int result = cx_child_wait(&child);

    if (result == 77) {
        g_test_skip("this user may write everywhere and cannot drop that");
        return;
    }
    g_assert_cmpint(result, ==, 0);
    g_autofree char *after = checksum_file(f->path);
    g_autofree char *wal_after = checksum_file(wal);

    g_assert_cmpstr(before, ==, after);
    g_assert_cmpstr(wal_before, ==, wal_after);
}

/* No room. */

static void
check_clean(CxProject *project)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_project_check(project, problems, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(problems->len, ==, 0);
}

/* Edits until there is no room; returns how many were committed. */
static int
edit_until_full(CxProject *project, GError **error)
{
    CxFixtureCell cells[CX_FIXTURE_CELLS];

    cx_fixture_cells(cells);
    for (int i = 0; i < 100000; i++) {
        g_autofree char *text = g_strnfill(3000, 'a' + i % 26);
        CxEdit *edit = cx_project_set_note(project, cells[9].id, text, error);

        if (edit == NULL)
            return i;
        cx_edit_free(edit);
    }
    return -1;
}

static void
test_file_size_limit_is_no_space(Fixture *f, gconstpointer data)
{
    g_autoptr(CxProject) project = cx_fixture_project(f->path);
    struct sigaction old_action, ignore = {.sa_handler = SIG_IGN};
    struct rlimit old_limit, limit;
    g_autoptr(GError) error = NULL;

    sigaction(SIGXFSZ, &ignore, &old_action);
    getrlimit(RLIMIT_FSIZE, &old_limit);
    limit = old_limit;
    limit.rlim_cur = 400000;
    setrlimit(RLIMIT_FSIZE, &limit);
    int n = edit_until_full(project, &error);

    g_assert_cmpint(n, >, 0);
    cx_test_expect_error(&error, CX_ERROR_NO_SPACE, "make room and try again",
                         "nothing was changed", NULL);
    g_assert_cmpint(cx_project_n_edits(project), ==, n);
    g_assert_cmpint(cx_project_head(project), ==, n);
    setrlimit(RLIMIT_FSIZE, &old_limit);
    sigaction(SIGXFSZ, &old_action, NULL);
    check_clean(project);
    merge_some(project, 3);
    check_clean(project);
    g_assert_cmpint(cx_project_n_edits(project), ==, n + 3);
}

/* A real full disk: 8 MiB in memory, in a mount space of its own. */
static int
child_full(const char *dir, int pipe)
{
    g_autofree char *path = g_build_filename(dir, "full.connexon", NULL);
    g_autofree char *filler = g_build_filename(dir, "filler", NULL);
    g_autofree char *big = g_malloc0(16 << 20);
    g_autoptr(GError) error = NULL;

    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", dir, "tmpfs", 0, "size=8m") != 0)
        return 77;
    CxProject *project = cx_fixture_project(path);
    FILE *file = fopen(filler, "w");

    setbuf(file, NULL);
    while (fwrite(big, 1, 65536, file) == 65536)
        continue;
    /* Room for some edits. */
    if (ftruncate(fileno(file), ftello(file) - 300000) != 0)
        return 5;
    fclose(file);
    int n = edit_until_full(project, &error);

    g_printerr("# %d edits, then: %s\n", n, error->message);
    if (!g_error_matches(error, CX_ERROR, CX_ERROR_NO_SPACE) ||
        cx_project_n_edits(project) != n)
        return 2;
    g_clear_error(&error);
    check_clean(project);
    cx_project_unref(project);
    project = cx_project_open(path, false, NULL, &error);
    if (project == NULL || cx_project_n_edits(project) != n)
        return 3;
    g_unlink(filler);
    merge_some(project, 3);
    check_clean(project);
    if (cx_project_n_edits(project) != n + 3)
        return 4;
    cx_project_unref(project);
    return 0;
}

static void
test_full_disk(Fixture *f, gconstpointer data)
{
    CxChild child = cx_child_start("full", f->dir);
    int result = cx_child_wait(&child);

    if (result == 77)
        g_test_skip("this user may not mount a small disk");
    else
        g_assert_cmpint(result, ==, 0);
}

static int
child_main(const char *mode, const char *argument, int pipe)
{
    return strcmp(mode, "hold") == 0    ? child_hold(argument, pipe)
           : strcmp(mode, "crash") == 0 ? child_crash(argument, pipe)
           : strcmp(mode, "look") == 0  ? child_look(argument, pipe)
                                        : child_full(argument, pipe);
}

int
main(int argc, char **argv)
{
    cx_child_main(argc, argv, child_main);
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func)                                                        \
    g_test_add("/journal/" name, Fixture, NULL, setup, func, teardown)
    g_test_add_func("/journal/checksum-is-xxh64", test_checksum_is_xxh64);
    g_test_add_func("/journal/labels-survive-encoding",
                    test_labels_survive_encoding);
    ADD("foreign-files-are-named", test_foreign_files_are_named);
    ADD("odd-paths-are-named", test_odd_paths_are_named);
    ADD("truncated-files-are-refused", test_truncated_files_are_refused);
    ADD("flipped-bits-are-survived", test_flipped_bits_are_survived);
    ADD("checksums-find-damage", test_checksums_find_damage);
    ADD("overlays-follow-the-head", test_overlays_follow_the_head);
    ADD("second-process-is-told-who", test_second_process_is_told_who);
    ADD("read-only-folder", test_read_only_folder);
    ADD("file-size-limit-is-no-space", test_file_size_limit_is_no_space);
    ADD("full-disk", test_full_disk);
    return g_test_run();
}
