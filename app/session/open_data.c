/* Getting data open.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/open_data.h"

#include "app/session/sample_project.h"
#include "core/base/error.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define PROJECT_SUFFIX ".connexon"

void
cxui_open_data_clear(CxuiOpenData *data)
{
    g_clear_pointer(&data->image, cx_volume_unref);
    g_clear_pointer(&data->labels, cx_volume_unref);
    g_clear_pointer(&data->project, cx_project_unref);
    g_clear_pointer(&data->title, g_free);
    g_clear_pointer(&data->remark, g_free);
    data->untitled = data->copied = false;
}

CxuiOpenData
cxui_open_data_copy(const CxuiOpenData *data)
{
    return (CxuiOpenData){
        .image = data->image != NULL ? cx_volume_ref(data->image) : NULL,
        .labels = data->labels != NULL ? cx_volume_ref(data->labels) : NULL,
        .project = data->project != NULL ? cx_project_ref(data->project) : NULL,
        .untitled = data->untitled,
        .copied = data->copied,
        .title = g_strdup(data->title),
        .remark = g_strdup(data->remark),
    };
}

CxVolume *
cxui_open_data_space(const CxuiOpenData *data)
{
    if (data->image != NULL)
        return data->image;
    if (data->project != NULL)
        return cx_project_supervoxels(data->project);
    return data->labels;
}

/* "/a/test.h5:/volumes/raw" → "test". */
static char *
title_of(const char *spec)
{
    g_autofree char *path = g_strdup(spec);
    char *dataset = strstr(path, ":/");

    if (dataset != NULL && dataset != path)
        *dataset = '\0';
    char *title = g_path_get_basename(path);
    char *dot = strrchr(title, '.');
    if (dot != NULL && dot != title)
        *dot = '\0';
    return title;
}

/* Beside a missing image a project goes on without it. */
static void
remark_on_project(CxuiOpenData *data, const GError *busy)
{
    if (busy != NULL)
        data->remark =
            g_strdup_printf("Opened to look at only: %s", busy->message);
    else if (data->image == NULL)
        data->remark =
            g_strdup_printf("The image %s was not found: showing segments only",
                            cx_project_image_spec(data->project));
}

static bool
open_project(CxuiOpenData *data, const char *path, CxJob *job, GError **error)
{
    g_autoptr(GError) busy = NULL;

    if (data->project != NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: a project is opened alone, found other files with it",
                    path);
        return false;
    }
    data->project = cx_project_open(path, false, job, &busy);
    if (data->project == NULL &&
        (g_error_matches(busy, CX_ERROR, CX_ERROR_BUSY) ||
         g_error_matches(busy, CX_ERROR, CX_ERROR_READ_ONLY)))
        data->project = cx_project_open(path, true, job, error);
    else if (data->project == NULL)
        g_propagate_error(error, g_steal_pointer(&busy));
    if (data->project == NULL)
        return false;
    CxVolume *image = cx_project_image(data->project);
    if (image != NULL && !cx_volume_is_labels(image))
        data->image = cx_volume_ref(image);
    if (image == NULL || busy != NULL)
        remark_on_project(data, busy);
    g_autofree char *folder = cxui_open_data_projects_folder();
    g_autofree char *parent = g_path_get_dirname(path);
    data->untitled = strcmp(folder, parent) == 0;
    return true;
}

static bool
take_volume(CxuiOpenData *data, const char *spec, CxJob *job, GError **error)
{
    g_autoptr(CxVolume) volume = cx_volume_open(spec, job, error);

    if (volume == NULL)
        return false;
    bool is_labels = cx_volume_is_labels(volume);
    CxVolume **place = is_labels ? &data->labels : &data->image;
    if (*place != NULL || data->project != NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: found a second %s beside %s, expected an image and "
                    "labels",
                    spec, is_labels ? "label volume" : "image",
                    *place != NULL ? cx_volume_spec(*place) : "a project");
        return false;
    }
    *place = g_steal_pointer(&volume);
    return true;
}

static bool
check_sizes(const CxuiOpenData *data, GError **error)
{
    if (data->image == NULL || data->labels == NULL)
        return true;
    CxVoxel a = cx_volume_level(data->image, 0).size;
    CxVoxel b = cx_volume_level(data->labels, 0).size;
    if (cx_voxel_equal(a, b))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: found %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " labels, expected the image's "
                "%" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT,
                cx_volume_spec(data->labels), b.x, b.y, b.z, a.x, a.y, a.z);
    return false;
}

bool
cxui_open_data_open(CxuiOpenData *data, const char *const *specs, CxJob *job,
                    GError **error)
{
    *data = (CxuiOpenData){NULL};
    for (unsigned i = 0; specs[i] != NULL; i++) {
        bool fine = g_str_has_suffix(specs[i], PROJECT_SUFFIX)
                        ? open_project(data, specs[i], job, error)
                        : take_volume(data, specs[i], job, error);

        if (!fine || !cx_job_step(job, i + 1, i + 2, error)) {
            cxui_open_data_clear(data);
            return false;
        }
    }
    if (!check_sizes(data, error)) {
        cxui_open_data_clear(data);
        return false;
    }
    data->title = title_of(specs[0]);
    return true;
}

char *
cxui_open_data_projects_folder(void)
{
    char *folder =
        g_build_filename(g_get_user_data_dir(), "connexon", "projects", NULL);

    g_mkdir_with_parents(folder, 0700);
    return folder;
}

/* A name nobody has: title, date, and a number if that is taken. */
static char *
untitled_path(const char *title)
{
    g_autofree char *folder = cxui_open_data_projects_folder();
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%d %H.%M.%S");
    g_autofree char *stem = g_strdup_printf("%s %s", title, stamp);

    for (unsigned i = 1;; i++) {
        g_autofree char *name =
            i == 1 ? g_strconcat(stem, PROJECT_SUFFIX, NULL)
                   : g_strdup_printf("%s (%u)" PROJECT_SUFFIX, stem, i);
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&path);
    }
}

/* Takes an unfinished project file away again. */
static void
discard_project(CxuiOpenData *data, const char *path)
{
    g_clear_pointer(&data->project, cx_project_unref);
    g_unlink(path);
}

bool
cxui_open_data_make_project(CxuiOpenData *data, const char *path, CxJob *job,
                            GError **error)
{
    g_autofree char *untitled =
        path == NULL ? untitled_path(data->title) : NULL;
    const char *place = path != NULL ? path : untitled;
    CxVolume *image = data->image != NULL ? data->image : data->labels;
    bool had_labels = data->labels != NULL;

    data->project = cx_project_create(place, image, error);
    if (data->project == NULL)
        return false;
    if (data->labels != NULL &&
        !cx_project_import_labels(data->project, data->labels, job, error)) {
        discard_project(data, place);
        return false;
    }
    g_clear_pointer(&data->labels, cx_volume_unref);
    data->untitled = path == NULL;
    data->copied = path == NULL && had_labels;
    return true;
}

bool
cxui_open_data_sign(const CxuiOpenData *data, const char *author,
                    GError **error)
{
    if (data->project == NULL || cx_project_is_read_only(data->project))
        return true;
    g_autofree char *present = cx_project_dup_text(data->project, "author");
    return g_strcmp0(present, author) == 0 ||
           cx_project_set_text(data->project, "author", author, error);
}

bool
cxui_open_data_sample(CxuiOpenData *data, CxJob *job, GError **error)
{
    g_autofree char *folder =
        g_build_filename(g_get_user_data_dir(), "connexon", "sample", NULL);
    g_autofree char *pristine =
        g_build_filename(folder, "sample.connexon", NULL);
    g_autofree char *path = untitled_path("sample");

    if (!cxui_sample_project_make(folder, job, error))
        return false;
    cx_job_stage(job, "opening the sample", 0.95, 1.0);
    g_autoptr(CxProject) original = cx_project_open(pristine, true, job, error);
    if (original == NULL || !cx_project_copy(original, path, false, job, error))
        return false;
    const char *specs[] = {path, NULL};
    if (!cxui_open_data_open(data, specs, job, error))
        return false;
    data->untitled = data->copied = true;
    g_free(data->title);
    data->title = g_strdup("sample");
    return true;
}
