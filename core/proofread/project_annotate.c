/* A project: annotations, kept by the log of edits alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

void
cx_project_carry_out_annotation(CxProject *project, const CxEdit *edit,
                                bool inverse)
{
    const char *text = inverse ? edit->old_text : edit->text;
    int64_t number = (int64_t)edit->segment;

    if (edit->kind != CX_EDIT_ANNOTATE)
        return;
    g_autoptr(GError) ignored = NULL;
    CxAnnotation *annotation =
        text != NULL ? cx_annotation_parse(text, &ignored) : NULL;

    g_mutex_lock(&project->history_lock);
    if (annotation != NULL) {
        annotation->number = number;
        g_hash_table_replace(project->annotations,
                             g_memdup2(&number, sizeof number), annotation);
    } else {
        g_hash_table_remove(project->annotations, &number);
    }
    g_mutex_unlock(&project->history_lock);
}

/* Numbers of undone annotations are not used again either. */
void
cx_project_note_annotation(CxProject *project, const CxEdit *edit)
{
    g_mutex_lock(&project->history_lock);
    if (edit->kind == CX_EDIT_ANNOTATE &&
        (int64_t)edit->segment >= project->next_annotation)
        project->next_annotation = (int64_t)edit->segment + 1;
    g_mutex_unlock(&project->history_lock);
}

static bool
check_points(CxProject *project, const CxAnnotation *annotation, GError **error)
{
    guint n = annotation->points->len;
    guint most = cx_annotation_max_points(annotation->kind);
    CxBox bounds = cx_project_bounds(project);

    if (n < cx_annotation_min_points(annotation->kind) ||
        (most > 0 && n > most)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a %s needs %u point%s, found %u",
                    cx_annotation_kind_name(annotation->kind),
                    cx_annotation_min_points(annotation->kind),
                    cx_annotation_min_points(annotation->kind) == 1 ? "" : "s",
                    n);
        return false;
    }
    for (guint i = 0; i < n; i++) {
        CxVoxel p = g_array_index(annotation->points, CxVoxel, i);

        if (cx_box_contains(bounds, p))
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the point %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " lies outside the volume",
                    p.x, p.y, p.z);
        return false;
    }
    return true;
}

static char *
dup_form(CxProject *project, int64_t number, CxVoxel *at)
{
    char *form = NULL;

    g_mutex_lock(&project->history_lock);
    const CxAnnotation *found =
        g_hash_table_lookup(project->annotations, &number);

    if (found != NULL) {
        form = cx_annotation_format(found);
        *at = g_array_index(found->points, CxVoxel, 0);
    }
    g_mutex_unlock(&project->history_lock);
    return form;
}

/* annotation NULL: removes. */
static CxEdit *
annotate(CxProject *project, int64_t number, const CxAnnotation *annotation,
         GError **error)
{
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_ANNOTATE);

    if (annotation != NULL && !check_points(project, annotation, error))
        return NULL;
    if (number > 0)
        edit->old_text = dup_form(project, number, &edit->at);
    if (number > 0 && edit->old_text == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no annotation %" G_GINT64_FORMAT, number);
        return NULL;
    }
    if (number == 0)
        number = project->next_annotation;
    if (annotation != NULL) {
        edit->text = cx_annotation_format(annotation);
        edit->at = g_array_index(annotation->points, CxVoxel, 0);
    }
    edit->segment = (CxId)number;
    edit->sentence = g_strdup_printf(
        "%s %s %" G_GINT64_FORMAT,
        edit->text == NULL       ? "Removed"
        : edit->old_text == NULL ? "Added"
                                 : "Changed",
        annotation != NULL ? cx_annotation_kind_name(annotation->kind)
                           : "annotation",
        number);
    if (!cx_project_commit_edit(project, edit, error))
        return NULL;
    return g_steal_pointer(&edit);
}

CxEdit *
cx_project_annotate(CxProject *project, const CxAnnotation *annotation,
                    GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxEdit *edit = annotate(project, annotation->number, annotation, error);

    g_mutex_unlock(&project->edit_lock);
    return edit;
}

CxEdit *
cx_project_remove_annotation(CxProject *project, int64_t number, GError **error)
{
    g_mutex_lock(&project->edit_lock);
    CxEdit *edit = number > 0 ? annotate(project, number, NULL, error) : NULL;

    if (number <= 0)
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no annotation %" G_GINT64_FORMAT, number);
    g_mutex_unlock(&project->edit_lock);
    return edit;
}

CxEdit *
cx_project_apply_annotation(CxProject *project, const CxEdit *foreign,
                            GError **error)
{
    g_autoptr(CxAnnotation) annotation =
        foreign->text != NULL ? cx_annotation_parse(foreign->text, error)
                              : NULL;

    if (foreign->text != NULL && annotation == NULL)
        return NULL;
    int64_t number = (int64_t)foreign->segment;
    bool is_there = g_hash_table_contains(project->annotations, &number);

    /* One that is new keeps its number, so that later edits find it. */
    if (!is_there && annotation != NULL && number >= project->next_annotation) {
        project->next_annotation = number;
        number = 0;
    }
    return annotate(project, number, annotation, error);
}

static int
compare_numbers(const void *a, const void *b)
{
    const CxAnnotation *left = *(CxAnnotation *const *)a;
    const CxAnnotation *right = *(CxAnnotation *const *)b;

    return left->number < right->number ? -1 : left->number > right->number;
}

GPtrArray *
cx_project_annotations(CxProject *project)
{
    GPtrArray *all =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_annotation_free);
    GHashTableIter iter;
    gpointer value;

    g_mutex_lock(&project->history_lock);
    g_hash_table_iter_init(&iter, project->annotations);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(all, cx_annotation_copy(value));
    g_mutex_unlock(&project->history_lock);
    g_ptr_array_sort(all, compare_numbers);
    return all;
}
