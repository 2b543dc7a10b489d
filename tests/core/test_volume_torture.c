/* Odd, broken and hostile files: each gives an image or one clear sentence,
 * within two seconds of processor time and without harm.
 *
 * Every file is tried in a child process, so that one that crashes or hangs
 * is named and the rest still run.  With a path as argument the program tries
 * that file only and says what came of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/volume.h"
#include "tests/support/check.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 2.0
#define HARD_LIMIT_S 60

/* Under sanitizers everything takes several times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 8.0
#else
#define SLOWER 1.0
#endif

typedef enum { IMAGE, SENTENCE, HARM } Outcome;

static bool
is_clear(const GError *error)
{
    return error != NULL && error->domain == CX_ERROR &&
           strlen(error->message) > 10 && strlen(error->message) < 2000 &&
           strchr(error->message, '\n') == NULL &&
           g_utf8_validate(error->message, -1, NULL);
}

/* A box of at most 2^24 voxels from the first corner, and one at the last. */
static bool
read_ends(CxVolume *volume, unsigned level, GError **error)
{
    CxVoxel size = cx_volume_level(volume, level).size;
    CxVoxel part = {MIN(size.x, 2048), MIN(size.y, 2048), MIN(size.z, 4)};
    CxBox first = cx_box_of_size(part);
    CxBox last = {{size.x - part.x, size.y - part.y, size.z - part.z}, size};
    g_autoptr(CxChunk) a = cx_volume_read(volume, level, first, NULL, error);

    if (a == NULL)
        return false;
    g_autoptr(CxChunk) b = cx_volume_read(volume, level, last, NULL, error);
    return b != NULL;
}

static Outcome
try_all(const char *path, GError **error)
{
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, error);
    g_autoptr(GPtrArray) list = cx_volume_list(path, NULL);
    bool ok = volume != NULL;

    for (unsigned i = 0; ok && i < cx_volume_n_levels(volume); i++)
        ok = read_ends(volume, i, error);
    for (guint i = 0; list != NULL && i < MIN(list->len, 12); i++) {
        const CxDatasetInfo *info = g_ptr_array_index(list, i);
        g_autofree char *spec = g_strconcat(path, ":", info->path, NULL);
        g_autoptr(GError) local = NULL;
        g_autoptr(CxVolume) other =
            info->path[0] != '\0' ? cx_volume_open(spec, NULL, &local) : NULL;

        if (other != NULL)
            read_ends(other, 0, &local);
        if (local != NULL && !is_clear(local))
            return HARM;
    }
    return ok ? IMAGE : is_clear(*error) ? SENTENCE : HARM;
}

static Outcome
try_in_child(const char *path, double *seconds)
{
    struct rusage usage;
    int status = 0;
    pid_t child = fork();

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        g_autoptr(GError) error = NULL;

        alarm(HARD_LIMIT_S);
        Outcome outcome = try_all(path, &error);
        g_clear_error(&error);
        exit((int)outcome);
    }
    g_assert_cmpint(wait4(child, &status, 0, &usage), ==, child);
    /* processor time: other work on the machine must not count */
    *seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > SENTENCE)
        return HARM;
    return (Outcome)WEXITSTATUS(status);
}

typedef struct {
    unsigned n_images, n_sentences, n_harm;
    double slowest, limit_s;
} Tally;

static void
try_one(const char *path, Tally *tally)
{
    double seconds;
    Outcome outcome = try_in_child(path, &seconds);

    tally->n_images += outcome == IMAGE;
    tally->n_sentences += outcome == SENTENCE;
    tally->slowest = MAX(tally->slowest, seconds);
    if (outcome == HARM || seconds > tally->limit_s * SLOWER) {
        tally->n_harm++;
        g_test_message("%s: %s after %.2f s", path,
                       outcome == HARM ? "harm" : "too slow", seconds);
    }
}

static void
try_tree(const char *path, Tally *tally)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    if (dir == NULL) {
        try_one(path, tally);
        return;
    }
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        try_tree(child, tally);
    }
}

static void
finish(const Tally *tally)
{
    g_test_message("%u images, %u sentences, %u harm, slowest %.2f s",
                   tally->n_images, tally->n_sentences, tally->n_harm,
                   tally->slowest);
    g_assert_cmpuint(tally->n_harm, ==, 0);
    g_assert_cmpuint(tally->n_images + tally->n_sentences, >, 0);
}

static void
test_tree(const void *relative)
{
    g_autofree char *path = cx_test_data_path(relative);
    Tally tally = {.limit_s = LIMIT_S};

    if (path == NULL)
        return;
    try_tree(path, &tally);
    finish(&tally);
}

/* A whole file cut at each 1/64 of its length. */
static void
test_truncated(const void *relative)
{
    g_autofree char *path = cx_test_data_path(relative);
    g_autofree char *content = NULL;
    Tally tally = {.limit_s = LIMIT_S};
    size_t length;

    if (path == NULL)
        return;
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *cut = g_build_filename(dir, base, NULL);
    for (size_t i = 0; i < 64; i++) {
        g_assert_true(
            g_file_set_contents(cut, content, (gssize)(length * i / 64), NULL));
        try_one(cut, &tally);
    }
    cx_test_remove_dir(dir);
    finish(&tally);
}

/* Random bytes changed, 200 times. */
static void
test_flipped(const void *relative)
{
    g_autofree char *path = cx_test_data_path(relative);
    g_autofree char *content = NULL;
    CxRng rng = cx_test_rng();
    Tally tally = {.limit_s = LIMIT_S};
    size_t length;

    if (path == NULL)
        return;
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *copy = g_build_filename(dir, base, NULL);
    for (size_t i = 0; i < 200; i++) {
        g_autofree char *changed = g_memdup2(content, length);
        size_t span = i % 2 == 0 ? length : MIN(length, 2048);

        for (size_t k = 0; k < 1 + i % 8; k++)
            changed[cx_rng_below(&rng, span)] = (char)cx_rng_next(&rng);
        g_assert_true(g_file_set_contents(copy, changed, (gssize)length, NULL));
        try_one(copy, &tally);
    }
    cx_test_remove_dir(dir);
    finish(&tally);
}

static uint64_t
read_u64(const char *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return GUINT64_FROM_LE(value);
}

/* A chunk that claims 3.5 GB in a file of 88 kB. */
static void
test_boastful_chunk(void)
{
    g_autofree char *path = cx_test_data_path("golden/gala/test-seg1.h5");
    g_autofree char *content = NULL;
    Tally tally = {.limit_s = 0.5};
    size_t length, at = 0;

    if (path == NULL)
        return;
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    while (at + 32 < length && memcmp(content + at, "TREE\1", 5) != 0)
        at++;
    g_assert_cmpuint(at + 32, <, length);
    memcpy(content + at + 24, "\0\0\0\xd2", 4);

    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *boast = g_build_filename(dir, "boast.h5", NULL);
    g_assert_true(g_file_set_contents(boast, content, (gssize)length, NULL));
    try_one(boast, &tally);
    cx_test_remove_dir(dir);
    finish(&tally);
    g_assert_cmpuint(tally.n_sentences, ==, 1);
}

/* The free blocks in the heap of the root group's names, made a circle: libhdf5
 * follows it for ever. */
static void
test_endless_free_list(void)
{
    g_autofree char *path = cx_test_data_path("golden/gala/test-seg1.h5");
    g_autofree char *content = NULL;
    Tally tally = {.limit_s = LIMIT_S};
    size_t length;

    if (path == NULL)
        return;
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    const char *heap = NULL;
    for (size_t i = 0; heap == NULL && i + 32 < MIN(length, 2048); i++)
        heap = memcmp(content + i, "HEAP", 4) == 0 ? content + i : NULL;
    g_assert_nonnull(heap);
    uint64_t block = read_u64(heap + 16), data = read_u64(heap + 24);
    g_assert_cmpuint(data + block + 8, <=, length);
    memcpy(content + data + block, heap + 16, 8);

    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *circle = g_build_filename(dir, "circle.h5", NULL);
    g_assert_true(g_file_set_contents(circle, content, (gssize)length, NULL));
    try_one(circle, &tally);
    cx_test_remove_dir(dir);
    finish(&tally);
    g_assert_cmpuint(tally.n_sentences, ==, 1);
}

static void
test_no_regular_files(void)
{
    g_autofree char *dir = cx_test_make_dir();
    static const char *const names[] = {"a.tif", "a.h5", "a.png", "a.zarr",
                                        "a.xyz"};
    Tally tally = {.limit_s = LIMIT_S};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);

        try_one(path, &tally); /* not there */
        g_assert_true(g_file_set_contents(path, "", 0, NULL));
        try_one(path, &tally); /* empty */
        g_assert_true(g_file_set_contents(path, "II*", 4, NULL));
        try_one(path, &tally);
        g_assert_cmpint(chmod(path, 0), ==, 0);
        try_one(path, &tally);
        g_remove(path);
        g_assert_cmpint(mkfifo(path, 0600), ==, 0);
        try_one(path, &tally);
        g_remove(path);
        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
        try_one(path, &tally); /* an empty folder */
        g_autofree char *inner = g_build_filename(path, "s1.tif", NULL);
        g_assert_cmpint(mkfifo(inner, 0600), ==, 0);
        try_one(path, &tally); /* a pipe for a slice */
        g_remove(inner);
        g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
        try_one(path, &tally); /* a folder for a slice */
        cx_test_remove_dir(path);
        g_assert_cmpint(symlink(path, path), ==, 0);
        try_one(path, &tally); /* a link to itself */
        g_remove(path);
    }
    cx_test_remove_dir(dir);
    finish(&tally);
    g_assert_cmpuint(tally.n_images, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc > 1) {
        g_autoptr(GError) error = NULL;
        Outcome outcome = try_all(argv[1], &error);

        g_print("%s: %s\n", argv[1],
                outcome == IMAGE ? "image"
                : error != NULL  ? error->message
                                 : "harm");
        return outcome == HARM;
    }
    g_test_add_func("/torture/no-files", test_no_regular_files);
    g_test_add_data_func("/torture/tiff", "torture/tiff", test_tree);
    g_test_add_data_func("/torture/hdf5", "torture/hdf5", test_tree);
    g_test_add_data_func("/torture/cut/tiff", "sstem-isbi/test_raw.tif",
                         test_truncated);
    g_test_add_data_func("/torture/cut/hdf5", "fib-medulla/test.h5",
                         test_truncated);
    g_test_add_data_func("/torture/cut/hdf5-small", "golden/gala/test-seg1.h5",
                         test_truncated);
    g_test_add_data_func(
        "/torture/flip/tiff",
        "torture/tiff/images/seq/seq-1c-8b-multipage-adeefdcc.tiff",
        test_flipped);
    g_test_add_data_func("/torture/flip/hdf5", "golden/gala/test-seg1.h5",
                         test_flipped);
    g_test_add_func("/torture/boastful-chunk", test_boastful_chunk);
    g_test_add_func("/torture/endless-free-list", test_endless_free_list);
    return g_test_run();
}
