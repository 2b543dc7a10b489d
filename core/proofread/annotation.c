/* What a person marks in a volume.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/annotation.h"

#include "core/base/error.h"

#include <string.h>

static const struct {
    const char *name;
    guint min_points, max_points;
} kinds[] = {
    [CX_ANNOTATION_POINT] = {"point", 1, 1},
    [CX_ANNOTATION_LINE] = {"line", 2, 0},
    [CX_ANNOTATION_SYNAPSE] = {"synapse", 2, 2},
    [CX_ANNOTATION_TEXT] = {"text", 1, 1},
    [CX_ANNOTATION_BOOKMARK] = {"bookmark", 1, 1},
};

CxAnnotation *
cx_annotation_new(CxAnnotationKind kind)
{
    CxAnnotation *annotation = g_new0(CxAnnotation, 1);

    annotation->kind = kind;
    annotation->points = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    annotation->segments = g_array_new(FALSE, FALSE, sizeof(CxId));
    return annotation;
}

CxAnnotation *
cx_annotation_copy(const CxAnnotation *annotation)
{
    CxAnnotation *copy = g_new0(CxAnnotation, 1);

    *copy = *annotation;
    copy->points = g_array_copy(annotation->points);
    copy->segments = g_array_copy(annotation->segments);
    copy->text = g_strdup(annotation->text);
    return copy;
}

void
cx_annotation_free(CxAnnotation *annotation)
{
    if (annotation == NULL)
        return;
    g_array_unref(annotation->points);
    g_array_unref(annotation->segments);
    g_free(annotation->text);
    g_free(annotation);
}

const char *
cx_annotation_kind_name(CxAnnotationKind kind)
{
    return kinds[kind].name;
}

bool
cx_annotation_kind_from_name(const char *name, CxAnnotationKind *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(name, kinds[i].name) == 0) {
            *kind = (CxAnnotationKind)i;
            return true;
        }
    }
    return false;
}

guint
cx_annotation_min_points(CxAnnotationKind kind)
{
    return kinds[kind].min_points;
}

guint
cx_annotation_max_points(CxAnnotationKind kind)
{
    return kinds[kind].max_points;
}

char *
cx_annotation_format(const CxAnnotation *annotation)
{
    GString *out = g_string_new(kinds[annotation->kind].name);

    for (guint i = 0; i < annotation->points->len; i++) {
        CxVoxel p = g_array_index(annotation->points, CxVoxel, i);

        g_string_append_printf(
            out, " %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
            p.x, p.y, p.z);
    }
    for (guint i = 0; i < annotation->segments->len; i++)
        g_string_append_printf(out, " %" G_GUINT64_FORMAT,
                               g_array_index(annotation->segments, CxId, i));
    if (annotation->text != NULL) {
        g_autofree char *quoted = g_strescape(annotation->text, NULL);

        g_string_append_printf(out, " \"%s\"", quoted);
    }
    return g_string_free(out, FALSE);
}

static bool
parse_word(const char *word, CxAnnotation *annotation)
{
    CxVoxel point;
    CxId id;

    if (strchr(word, ',') != NULL) {
        if (!cx_voxel_parse(word, &point) || annotation->segments->len > 0)
            return false;
        g_array_append_val(annotation->points, point);
        return true;
    }
    if (!g_ascii_string_to_unsigned(word, 10, 1, UINT64_MAX, &id, NULL))
        return false;
    g_array_append_val(annotation->segments, id);
    return true;
}

static bool
parse_words(const char *text, CxAnnotation *annotation)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    if (words[0] == NULL ||
        !cx_annotation_kind_from_name(words[0], &annotation->kind))
        return false;
    for (guint i = 1; words[i] != NULL; i++) {
        if (!parse_word(words[i], annotation))
            return false;
    }
    guint n = annotation->points->len;
    guint most = kinds[annotation->kind].max_points;

    return n >= kinds[annotation->kind].min_points && (most == 0 || n <= most);
}

CxAnnotation *
cx_annotation_parse(const char *text, GError **error)
{
    g_autoptr(CxAnnotation) annotation = cx_annotation_new(CX_ANNOTATION_POINT);
    const char *quote = strchr(text, '"');
    gsize n = strlen(text);
    g_autofree char *head =
        quote != NULL ? g_strndup(text, (gsize)(quote - text)) : g_strdup(text);
    bool ok = true;

    if (quote != NULL) {
        ok = quote > text && text + n - 1 > quote && text[n - 1] == '"';
        g_autofree char *inner =
            ok ? g_strndup(quote + 1, (gsize)(text + n - quote) - 2) : NULL;

        annotation->text = ok ? g_strcompress(inner) : NULL;
    }
    g_strchomp(head);
    if (ok && parse_words(head, annotation))
        return g_steal_pointer(&annotation);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "\"%.80s\" is not an annotation: expected a kind and points "
                "x,y,z, as in: synapse 10,20,30 14,22,30",
                text);
    return NULL;
}
