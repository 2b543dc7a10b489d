/* A project: create, open, close, the image, texts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/project.h"

#include "core/base/error.h"
#include "core/proofread/project_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_BYTES ((size_t)96 << 20)

CxBox
cx_project_bounds(const CxProject *project)
{
    return cx_box_of_size(project->note.size);
}

/* Life. */

static CxProject *
project_new(const char *path)
{
    CxProject *project = g_new0(CxProject, 1);
    CxHistoryNode root = {0};

    g_atomic_ref_count_init(&project->refs);
    g_atomic_ref_count_init(&project->holds);
    project->path = g_strdup(path);
    g_rw_lock_init(&project->journal_lock);
    g_mutex_init(&project->segment_lock);
    g_mutex_init(&project->edit_lock);
    g_mutex_init(&project->history_lock);
    project->graph = cx_supervoxel_graph_new();
    project->edited = cx_hash64_new(0);
    project->locked = cx_hash64_new(0);
    project->notes =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    project->annotations =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                              (GDestroyNotify)cx_annotation_free);
    project->next_annotation = 1;
    project->blocks =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    project->history = g_array_new(FALSE, FALSE, sizeof(CxHistoryNode));
    g_array_append_val(project->history, root);
    project->cache = cx_chunk_cache_new(CACHE_BYTES);
    return project;
}

void
cx_project_release(CxProject *project)
{
    if (!g_atomic_ref_count_dec(&project->holds))
        return;
    cx_supervoxel_graph_free(project->graph);
    cx_hash64_free(project->edited);
    cx_hash64_free(project->locked);
    g_hash_table_unref(project->notes);
    g_hash_table_unref(project->annotations);
    g_hash_table_unref(project->blocks);
    g_array_unref(project->history);
    cx_chunk_cache_free(project->cache);
    cx_image_note_clear(&project->note);
    g_rw_lock_clear(&project->journal_lock);
    g_mutex_clear(&project->segment_lock);
    g_mutex_clear(&project->edit_lock);
    g_mutex_clear(&project->history_lock);
    g_free(project->image_problem);
    g_free(project->real_path);
    g_free(project->path);
    g_free(project);
}

CxProject *
cx_project_ref(CxProject *project)
{
    g_atomic_ref_count_inc(&project->refs);
    return project;
}

/* The file is closed with the last user, even if somebody still holds one of
 * the label volumes: reading from it then is an error. */
static void
close_journal(CxProject *project)
{
    g_rw_lock_writer_lock(&project->journal_lock);
    g_clear_pointer(&project->journal, cx_journal_free);
    g_rw_lock_writer_unlock(&project->journal_lock);
    g_clear_pointer(&project->lock, cx_project_lock_free);
}

void
cx_project_unref(CxProject *project)
{
    if (project == NULL || !g_atomic_ref_count_dec(&project->refs))
        return;
    g_clear_pointer(&project->image, cx_volume_unref);
    g_clear_pointer(&project->boundary, cx_volume_unref);
    g_clear_pointer(&project->segments, cx_volume_unref);
    g_clear_pointer(&project->supervoxels, cx_volume_unref);
    close_journal(project);
    cx_project_release(project);
}

/* The image. */

/* Splits "path:/dataset"; dataset points into spec or is NULL.  A file whose
 * own name holds ":/" wins. */
static char *
split_spec(const char *spec, const char **dataset)
{
    const char *colon = g_strrstr(spec, ":/");

    *dataset = NULL;
    while (colon != NULL && !g_file_test(spec, G_FILE_TEST_EXISTS)) {
        g_autofree char *path = g_strndup(spec, (gsize)(colon - spec));

        *dataset = colon;
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&path);
        colon = g_strrstr_len(spec, colon - spec, ":/");
    }
    *dataset = colon != NULL || *dataset == NULL ? NULL : *dataset;
    return g_strdup(spec);
}

/* path as seen from folder, both absolute. */
static char *
relative_to(const char *path, const char *folder)
{
    g_auto(GStrv) to = g_strsplit(path, "/", -1);
    g_auto(GStrv) from = g_strsplit(folder, "/", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    guint common = 0;

    while (to[common] != NULL && from[common] != NULL &&
           strcmp(to[common], from[common]) == 0)
        common++;
    for (guint i = common; from[i] != NULL; i++) {
        if (from[i][0] != '\0')
            g_string_append(out, "../");
    }
    for (guint i = common; to[i] != NULL; i++)
        g_string_append_printf(out, "%s%s", i > common ? "/" : "", to[i]);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
note_file(CxImageNote *note, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return;
    note->size_bytes = status.st_size;
    note->mtime_us = (int64_t)status.st_mtim.tv_sec * G_USEC_PER_SEC +
                     status.st_mtim.tv_nsec / 1000;
}

static void
note_image(CxImageNote *note, CxVolume *image, const char *project_path)
{
    const char *dataset;
    CxLevel level = cx_volume_level(image, 0);
    g_autofree char *path = split_spec(cx_volume_spec(image), &dataset);

    note->dtype = cx_volume_dtype(image);
    note->size = level.size;
    note->voxel_nm = level.voxel_nm;
    note->offset_nm = cx_volume_offset_nm(image);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        note->spec = g_strdup(cx_volume_spec(image));
        return;
    }
    g_autofree char *absolute = realpath(path, NULL);
    g_autofree char *folder = g_path_get_dirname(project_path);
    g_autofree char *relative =
        relative_to(absolute != NULL ? absolute : path, folder);
    const char *tail = dataset != NULL ? dataset : "";

    note_file(note, path);
    note->spec = g_strconcat(absolute != NULL ? absolute : path, tail, NULL);
    note->relative = g_strconcat(relative, tail, NULL);
}

char *
cx_project_relative_image(const CxProject *project, const char *project_path)
{
    const char *dataset;
    g_autofree char *path = split_spec(project->note.spec, &dataset);
    g_autofree char *parent = g_path_get_dirname(project_path);
    g_autofree char *folder = realpath(parent, NULL);

    if (folder == NULL || !g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    g_autofree char *relative = relative_to(path, folder);
    return g_strconcat(relative, dataset, NULL);
}

static bool
looks_the_same(const CxImageNote *note, CxVolume *image)
{
    CxVoxel size = cx_volume_level(image, 0).size;

    return cx_voxel_equal(size, note->size) &&
           cx_volume_dtype(image) == note->dtype;
}

static CxVolume *
try_image(CxProject *project, const char *spec, CxJob *job)
{
    const char *dataset;
    g_autofree char *path = split_spec(spec, &dataset);
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&project->image_problem, g_free);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        project->image_problem =
            g_strdup_printf("the image %s is not there", project->note.spec);
        return NULL;
    }
    g_autoptr(CxVolume) image = cx_volume_open(spec, job, &error);

    if (image == NULL) {
        project->image_problem = g_strdup(error->message);
        return NULL;
    }
    if (!looks_the_same(&project->note, image)) {
        project->image_problem = g_strdup_printf(
            "%s has another shape or type than the image of this project",
            spec);
        return NULL;
    }
    cx_volume_set_voxel_nm(image, project->note.voxel_nm);
    return g_steal_pointer(&image);
}

/* Beside the project first: a folder that was moved or copied as a whole must
 * find its own image. */
static void
find_image(CxProject *project, CxJob *job)
{
    if (project->note.relative != NULL) {
        g_autofree char *folder = g_path_get_dirname(project->real_path);
        g_autofree char *near =
            g_build_filename(folder, project->note.relative, NULL);

        project->image = try_image(project, near, job);
    }
    if (project->image == NULL)
        project->image = try_image(project, project->note.spec, job);
}

/* Opening. */

static bool
take_lock(CxProject *project, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (project->read_only)
        return true;
    if (access(project->real_path, W_OK) != 0) {
        project->read_only = true;
        return true;
    }
    project->lock = cx_project_lock_take(project->real_path, &reason);
    if (project->lock != NULL)
        return true;
    if (g_error_matches(reason, CX_ERROR, CX_ERROR_READ_ONLY)) {
        project->read_only = true;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

static bool
find_file(CxProject *project, GError **error)
{
    struct stat status;

    project->real_path = realpath(project->path, NULL);
    if (project->real_path == NULL || stat(project->real_path, &status) != 0) {
        cx_error_set_errno(error, errno, "cannot open %s", project->path);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s is not a file, expected a Connexon project",
                    project->path);
        return false;
    }
    return true;
}

static bool
load(CxProject *project, CxJob *job, GError **error)
{
    int64_t next = 0;

    if (!cx_journal_get_image(project->journal, &project->note, error) ||
        !cx_journal_get_meta(project->journal, "next_segment", &next, error) ||
        !cx_project_load_blocks(project, error) ||
        !cx_project_replay_parts(project, project->graph, job, error) ||
        !cx_project_load_history(project, job, error))
        return false;
    cx_project_make_volumes(project);
    project->next_segment = (CxId)next;
    return project->read_only || cx_project_finish_import(project, error);
}

CxProject *
cx_project_open(const char *path, bool read_only, CxJob *job, GError **error)
{
    g_autoptr(CxProject) project = project_new(path);

    project->read_only = read_only;
    if (!find_file(project, error) || !take_lock(project, error))
        return NULL;
    project->journal =
        cx_journal_open(project->real_path, project->read_only, error);
    if (project->journal == NULL || !load(project, job, error))
        return NULL;
    find_image(project, job);
    return g_steal_pointer(&project);
}

static bool
write_note(CxProject *project, GError **error)
{
    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_journal_set_image(project->journal, &project->note, error))
        return cx_journal_commit(project->journal, error);
    cx_journal_rollback(project->journal);
    return false;
}

static bool
create(CxProject *project, CxVolume *image, GError **error)
{
    project->real_path = realpath(project->path, NULL);
    if (project->real_path == NULL) {
        cx_error_set_errno(error, errno, "cannot open %s", project->path);
        return false;
    }
    project->lock = cx_project_lock_take(project->real_path, error);
    if (project->lock == NULL)
        return false;
    project->journal = cx_journal_open(project->real_path, false, error);
    if (project->journal == NULL)
        return false;
    note_image(&project->note, image, project->real_path);
    if (!write_note(project, error))
        return false;
    cx_project_make_volumes(project);
    return true;
}

CxProject *
cx_project_create(const char *path, CxVolume *image, GError **error)
{
    if (!cx_journal_create(path, error))
        return NULL;
    g_autoptr(CxProject) project = project_new(path);

    if (!create(project, image, error)) {
        g_clear_pointer(&project, cx_project_unref);
        unlink(path);
        return NULL;
    }
    project->image = cx_volume_ref(image);
    return g_steal_pointer(&project);
}

/* What a project knows. */

const char *
cx_project_path(const CxProject *project)
{
    return project->path;
}

bool
cx_project_is_read_only(const CxProject *project)
{
    return project->read_only;
}

CxVolume *
cx_project_image(CxProject *project)
{
    return project->image;
}

char *
cx_project_dup_image_path(CxProject *project)
{
    const char *dataset;

    return split_spec(project->image != NULL ? cx_volume_spec(project->image)
                                             : project->note.spec,
                      &dataset);
}

const char *
cx_project_image_problem(CxProject *project)
{
    return project->image == NULL ? project->image_problem : NULL;
}

const char *
cx_project_image_spec(CxProject *project)
{
    return project->note.spec;
}

CxSupervoxelGraph *
cx_project_graph(CxProject *project)
{
    return project->graph;
}

CxVolume *
cx_project_supervoxels(CxProject *project)
{
    return project->supervoxels;
}

CxVolume *
cx_project_segments(CxProject *project)
{
    return project->segments;
}

bool
cx_project_set_text(CxProject *project, const char *key, const char *text,
                    GError **error)
{
    g_mutex_lock(&project->edit_lock);
    bool ok = cx_journal_begin(project->journal, error);

    if (ok && !cx_journal_set_text(project->journal, key, text, error)) {
        cx_journal_rollback(project->journal);
        ok = false;
    } else if (ok) {
        ok = cx_journal_commit(project->journal, error);
    }
    g_mutex_unlock(&project->edit_lock);
    return ok;
}

char *
cx_project_dup_text(CxProject *project, const char *key)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!cx_journal_get_text(project->journal, key, &text, &error))
        g_debug("%s", error->message);
    return text;
}
