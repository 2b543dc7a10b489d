/* Exports: exact ids, formats byte by byte, nothing half written, sources
 * never overwritten, and the log carried over to another project.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/export/csv.h"
#include "core/export/edit_log.h"
#include "core/export/export_mesh.h"
#include "core/export/export_project.h"
#include "core/volume/writer.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct {
    char *dir, *path;
    CxProject *project;
    CxFixtureCell cells[CX_FIXTURE_CELLS];
    size_t n_cells;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->dir = cx_test_make_dir();
    f->path = g_build_filename(f->dir, "a.connexon", NULL);
    f->project = cx_fixture_project(f->path);
    f->n_cells = cx_fixture_cells(f->cells);
    for (int i = 0; i < 4; i++) {
        g_autoptr(CxEdit) edit = cx_project_merge(
            f->project, UINT64_MAX, f->cells[i].id, f->cells[i].at, &error);

        g_assert_no_error(error);
    }
    g_autoptr(CxEdit) split =
        cx_project_split(f->project, UINT64_MAX, &f->cells[0].at, 1,
                         &f->cells[5].at, 1, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxEdit) note = cx_project_set_note(
        f->project, 77, "soma, \"big\"\nsecond line", &error);
    g_assert_no_error(error);
    g_autoptr(CxEdit) lock =
        cx_project_set_locked(f->project, 78, true, &error);
    g_assert_no_error(error);
    g_autoptr(CxEdit) undone = cx_project_set_note(f->project, 79, "x", &error);
    g_autoptr(CxEdit) undo = cx_project_undo(f->project, &error);
    g_assert_no_error(error);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    cx_project_unref(f->project);
    cx_test_remove_dir(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

static char *
in_dir(Fixture *f, const char *name)
{
    return g_build_filename(f->dir, name, NULL);
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

static void
test_labels_are_exact(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"out.h5", "out.zarr"};
    g_autoptr(CxChunk) live = read_all(cx_project_segments(f->project));

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = in_dir(f, names[i]);
        g_autoptr(GError) error = NULL;
        uint64_t size = 0;

        g_assert_true(cx_export_project(f->project, CX_EXPORT_LABELS, path,
                                        false, NULL, &size, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(size, >, 0);
        g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);

        g_assert_no_error(error);
        g_assert_cmpint(cx_volume_dtype(volume), ==, CX_DTYPE_U64);
        g_assert_cmpfloat_with_epsilon(cx_volume_level(volume, 0).voxel_nm.z,
                                       40, 1e-9);
        g_assert_cmpfloat_with_epsilon(cx_volume_offset_nm(volume).y, 200,
                                       1e-9);
        g_autoptr(CxChunk) stored = read_all(volume);

        g_assert_cmpmem(cx_chunk_data(live), cx_chunk_size_bytes(live),
                        cx_chunk_data(stored), cx_chunk_size_bytes(stored));
        g_assert_false(cx_export_project(f->project, CX_EXPORT_LABELS, path,
                                         false, NULL, NULL, &error));
        cx_test_expect_error(&error, CX_ERROR_EXISTS, names[i], NULL);
    }
    g_autofree char *tif = in_dir(f, "out.tif");
    g_autoptr(GError) error = NULL;

    g_assert_false(cx_export_project(f->project, CX_EXPORT_LABELS, tif, false,
                                     NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "32 bits", ".h5", NULL);
    g_assert_false(g_file_test(tif, G_FILE_TEST_EXISTS));
}

static char *
export_text(Fixture *f, CxExportKind kind, const char *name)
{
    g_autofree char *path = in_dir(f, name);
    g_autoptr(GError) error = NULL;
    uint64_t size;
    char *text;
    gsize length;

    g_assert_true(
        cx_export_project(f->project, kind, path, false, NULL, &size, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_cmpuint(size, ==, length);
    return text;
}

static void
test_table_and_graph(Fixture *f, gconstpointer data)
{
    g_autofree char *table = export_text(f, CX_EXPORT_TABLE, "t.csv");
    g_autofree char *graph = export_text(f, CX_EXPORT_GRAPH, "g.csv");
    CxSupervoxelGraph *live = cx_project_graph(f->project);
    const char *at = table;
    size_t n = 0, n_voxels = 0;
    bool noted = false, locked = false;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) head = cx_csv_next_record(&at, &error);

    g_assert_cmpuint(head->len, ==, 15);
    while (*at != '\0') {
        g_autoptr(GPtrArray) row = cx_csv_next_record(&at, &error);
        uint64_t id = g_ascii_strtoull(g_ptr_array_index(row, 0), NULL, 10);
        CxSegment segment;

        g_assert_no_error(error);
        g_assert_cmpuint(row->len, ==, 15);
        g_assert_true(cx_supervoxel_graph_segment(live, id, &segment));
        g_assert_cmpuint(g_ascii_strtoull(g_ptr_array_index(row, 2), NULL, 10),
                         ==, segment.n_voxels);
        g_assert_cmpfloat_with_epsilon(
            g_ascii_strtod(g_ptr_array_index(row, 3), NULL),
            (double)segment.n_voxels * 8 * 8 * 40 * 1e-9, 1e-12);
        n_voxels += segment.n_voxels;
        noted |= id == 77 && strcmp(g_ptr_array_index(row, 14),
                                    "soma, \"big\"\nsecond line") == 0;
        locked |= id == 78 && strcmp(g_ptr_array_index(row, 13), "1") == 0;
        n++;
    }
    g_assert_cmpuint(n, ==, cx_supervoxel_graph_n_segments(live));
    g_assert_cmpuint(n_voxels, ==, 100 * f->n_cells);
    g_assert_true(noted && locked);
    g_assert_true(g_str_has_prefix(
        graph, "a,b,affinity,contacts,segment_a,segment_b\n6,7,0.5,25,6,7\n"));
    g_assert_nonnull(strstr(graph, ",18446744073709551615,"));
}

/* The log, carried out on a fresh project, gives the same segments. */
static void
test_log_replays_elsewhere(Fixture *f, gconstpointer data)
{
    g_autofree char *log = export_text(f, CX_EXPORT_LOG, "log.csv");
    g_autofree char *log_path = in_dir(f, "log.csv");
    g_autofree char *path = in_dir(f, "b.connexon");
    g_autoptr(CxProject) other = cx_fixture_project(path);
    g_autoptr(GError) error = NULL;
    int64_t n = 0;

    g_test_message("%s", log);
    g_assert_true(cx_edit_log_replay(other, log_path, &n, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpint(n, ==, 7);
    g_autoptr(CxChunk) a = read_all(cx_project_segments(f->project));
    g_autoptr(CxChunk) b = read_all(cx_project_segments(other));

    g_assert_cmpmem(cx_chunk_data(a), cx_chunk_size_bytes(a), cx_chunk_data(b),
                    cx_chunk_size_bytes(b));
    g_autofree char *note = cx_project_dup_note(other, 77);

    g_assert_cmpstr(note, ==, "soma, \"big\"\nsecond line");
    g_assert_true(cx_project_is_locked(other, 78));
    g_assert_null(cx_project_dup_note(other, 79));

    g_assert_false(cx_edit_log_replay(other, log_path, &n, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "log.csv, record 2",
                         "is in segment", NULL);
    g_assert_true(g_file_set_contents(log_path, "a,b\n", -1, NULL));
    g_assert_false(cx_edit_log_replay(other, log_path, &n, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "not a log", NULL);
    *strchr(log, '\n') = '\0';
    g_autofree char *broken = g_strconcat(log, "\n1,0,done,merge\n", NULL);

    g_assert_true(g_file_set_contents(log_path, broken, -1, NULL));
    g_assert_false(cx_edit_log_replay(other, log_path, &n, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "record 2", "4 fields", NULL);
}

static void
test_sources_are_not_overwritten(Fixture *f, gconstpointer data)
{
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    g_autofree char *link = in_dir(f, "link");
    g_autofree char *below = g_strconcat(f->path, "/x.csv", NULL);
    g_autofree char *image = in_dir(f, "raw.h5");
    g_autofree char *other_path = in_dir(f, "c.connexon");
    g_autofree char *spec = g_strconcat(image, ":/volumes/raw", NULL);
    const char *const targets[] = {f->path, wal, link, below, f->dir};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink(f->path, link), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        for (int k = 0; k <= CX_EXPORT_LOG; k++) {
            g_assert_false(cx_export_project(f->project, (CxExportKind)k,
                                             targets[i], true, NULL, NULL,
                                             &error));
            cx_test_expect_error(&error, CX_ERROR_INVALID, "overwrite", NULL);
        }
    }
    g_autoptr(CxVolume) memory = cx_fixture_image();

    g_assert_true(cx_writer_copy(memory, cx_volume_bounds(memory, 0), image,
                                 NULL, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(CxVolume) raw = cx_volume_open(spec, NULL, &error);

    g_assert_no_error(error);
    g_autoptr(CxProject) other = cx_project_create(other_path, raw, &error);

    g_assert_no_error(error);
    g_assert_false(cx_export_project(other, CX_EXPORT_LABELS, image, true, NULL,
                                     NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "raw.h5", NULL);
}

/* Names in the folder of the fixture that were not there before. */
static guint
count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void
test_nothing_is_left_half_written(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"x.h5",  "x",     "lines",
                                        "x.csv", "y.csv", "z.csv"};
    guint before = count_entries(f->dir);
    struct rlimit old_limit, limit;
    struct sigaction old_action, ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGXFSZ, &ignore, &old_action);
    getrlimit(RLIMIT_FSIZE, &old_limit);
    for (int k = 0; k <= CX_EXPORT_LOG; k++) {
        g_autofree char *path = in_dir(f, names[k]);
        g_autoptr(CxJob) job = cx_job_new("export");
        g_autoptr(GError) error = NULL;

        cx_job_cancel(job);
        g_assert_false(cx_export_project(f->project, (CxExportKind)k, path,
                                         false, job, NULL, &error));
        g_assert_true(cx_error_is_cancelled(error));
        g_clear_error(&error);
        g_assert_cmpuint(count_entries(f->dir), ==, before);

        limit = old_limit;
        limit.rlim_cur = 100;
        setrlimit(RLIMIT_FSIZE, &limit);
        bool ok = cx_export_project(f->project, (CxExportKind)k, path, false,
                                    NULL, NULL, &error);

        setrlimit(RLIMIT_FSIZE, &old_limit);
        g_assert_false(ok);
        g_test_message("%s", error->message);
        g_clear_error(&error);
        g_assert_cmpuint(count_entries(f->dir), ==, before);
    }
    sigaction(SIGXFSZ, &old_action, NULL);
}

static void
test_meshes_fill_a_folder(Fixture *f, gconstpointer data)
{
    g_autofree char *folder = in_dir(f, "m");
    g_autofree char *objs = in_dir(f, "m.obj/");
    g_autofree char *one = in_dir(f, "m/18446744073709551615.ply");
    g_autofree char *obj = in_dir(f, "m.obj/77.obj");
    g_autofree char *alien = in_dir(f, "m/readme.txt");
    g_autoptr(GError) error = NULL;
    uint64_t size = 0;
    size_t n = cx_supervoxel_graph_n_segments(cx_project_graph(f->project));

    g_assert_true(cx_export_project(f->project, CX_EXPORT_MESHES, folder, false,
                                    NULL, &size, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(size, >, 1000);
    g_assert_cmpuint(count_entries(folder), ==, n);
    g_assert_true(g_file_test(one, G_FILE_TEST_IS_REGULAR));
    g_assert_false(cx_export_project(f->project, CX_EXPORT_MESHES, folder,
                                     false, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_EXISTS, "already there", NULL);
    g_assert_true(cx_export_project(f->project, CX_EXPORT_MESHES, folder, true,
                                    NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(count_entries(folder), ==, n);
    g_assert_true(g_file_set_contents(alien, "mine", -1, NULL));
    g_assert_false(cx_export_project(f->project, CX_EXPORT_MESHES, folder, true,
                                     NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_EXISTS, "readme.txt", NULL);
    g_assert_true(g_file_test(alien, G_FILE_TEST_EXISTS));
    g_assert_true(cx_export_project(f->project, CX_EXPORT_MESHES, objs, false,
                                    NULL, NULL, &error));
    g_assert_true(g_file_test(obj, G_FILE_TEST_EXISTS));
}

/* A tetrahedron far from the origin. */
static CxMesh *
make_tetrahedron(void)
{
    static const float positions[] = {0, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0, 10};
    static const uint32_t indices[] = {0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3};
    CxMesh *mesh = cx_mesh_new(4, 4);

    memcpy(mesh->positions, positions, sizeof positions);
    memcpy(mesh->indices, indices, sizeof indices);
    for (int i = 0; i < 12; i++)
        mesh->normals[i] = i % 3 == 0 ? 1 : 0;
    mesh->origin_nm = (CxNm){1e9 + 0.5, 2, 3};
    return mesh;
}

static char *
write_mesh(Fixture *f, const char *name, gsize *length)
{
    g_autofree char *path = in_dir(f, name);
    g_autoptr(CxMesh) mesh = make_tetrahedron();
    g_autoptr(GError) error = NULL;
    uint64_t size;
    char *bytes;

    g_assert_true(cx_export_mesh(mesh, path, false, &size, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &bytes, length, NULL));
    g_assert_cmpuint(size, ==, *length);
    return bytes;
}

static void
test_mesh_formats(Fixture *f, gconstpointer data)
{
    gsize n;
    g_autofree char *ply = write_mesh(f, "t.ply", &n);
    const char *body = strstr(ply, "end_header\n") + 11;
    double x;
    uint32_t number;

    g_assert_cmpuint(n, ==, (gsize)(body - ply) + 4 * 36 + 4 * 13);
    memcpy(&x, body + 36, sizeof x);
    g_assert_cmpfloat(x, ==, 1e9 + 10.5);
    memcpy(&number, body + 4 * 36 + 1 + 4, sizeof number);
    g_assert_cmpuint(number, ==, 2);

    g_autofree char *obj = write_mesh(f, "t.obj", &n);

    g_assert_nonnull(strstr(obj, "\nv 1000000010.500 2.000 3.000\n"));
    g_assert_nonnull(strstr(obj, "\nf 1//1 3//3 2//2\n"));

    g_autofree char *stl = write_mesh(f, "t.stl", &n);

    g_assert_cmpuint(n, ==, 84 + 4 * 50);
    memcpy(&number, stl + 80, sizeof number);
    g_assert_cmpuint(number, ==, 4);

    g_autofree char *glb = write_mesh(f, "t.glb", &n);

    memcpy(&number, glb + 8, sizeof number);
    g_assert_cmpuint(number, ==, n);
    memcpy(&number, glb + 12, sizeof number);
    g_assert_cmpuint(number % 4, ==, 0);
    g_assert_cmpmem(glb, 4, "glTF", 4);
    g_assert_cmpmem(glb + 20 + number + 4, 4, "BIN\0", 4);
    glb[20 + number] = '\0';
    g_test_message("%s", glb + 20);
    g_assert_nonnull(strstr(glb + 20, "\"translation\":[1.0000000005"));
    g_assert_nonnull(strstr(glb + 20, "\"min\":[0,0,0],\"max\":[10,10,10]"));

    g_autoptr(CxMesh) empty = cx_mesh_new(0, 0);
    g_autofree char *path = in_dir(f, "t.xyz");
    g_autofree char *path2 = in_dir(f, "u.ply");
    g_autoptr(GError) error = NULL;

    g_assert_false(cx_export_mesh(empty, path, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "t.xyz", ".glb", NULL);
    g_assert_false(cx_export_mesh(empty, path2, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "no triangles", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func)                                                        \
    g_test_add("/export/" name, Fixture, NULL, setup, func, teardown)
    ADD("labels-are-exact", test_labels_are_exact);
    ADD("table-and-graph", test_table_and_graph);
    ADD("log-replays-elsewhere", test_log_replays_elsewhere);
    ADD("sources-are-not-overwritten", test_sources_are_not_overwritten);
    ADD("nothing-is-left-half-written", test_nothing_is_left_half_written);
    ADD("meshes-fill-a-folder", test_meshes_fill_a_folder);
    ADD("mesh-formats", test_mesh_formats);
    return g_test_run();
}
