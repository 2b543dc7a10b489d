/* The edits that change voxels, for the command `edit`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/edit_voxels.h"

#include "core/export/annotation_table.h"
#include "core/proofread/divide.h"
#include "core/proofread/paint.h"

#include <string.h>

static bool
find_plane(CxcliContext *context, const char *otherwise, CxPlane *plane,
           GError **error)
{
    const char *name = cxcli_text(context, "plane", otherwise);

    if (cx_plane_from_name(name, plane))
        return true;
    cxcli_set_usage_error(error, "found --plane %s, expected xy, xz, yz or 3d",
                          name);
    return false;
}

static bool
find_id(CxcliContext *context, CxId *id, GError **error)
{
    const char *text = cxcli_text(context, "id", NULL);

    *id = 0;
    return text == NULL || cxcli_parse_id(text, id, error);
}

static bool
find_rule(CxcliContext *context, CxPaintRule *rule, GError **error)
{
    const char *over = cxcli_text(context, "over", "any");

    *rule = (CxPaintRule){.erase = cxcli_has(context, "erase")};
    if (!find_id(context, &rule->segment, error))
        return false;
    if (strcmp(over, "any") == 0)
        return true;
    if (strcmp(over, "background") == 0) {
        rule->over = CX_PAINT_OVER_BACKGROUND;
        return true;
    }
    rule->over = CX_PAINT_OVER_SEGMENT;
    if (cxcli_parse_id(over, &rule->over_segment, NULL))
        return true;
    cxcli_set_usage_error(error,
                          "found --over %s, expected any, background or the "
                          "id of a segment",
                          over);
    return false;
}

/* --radius-nm, or --radius in voxels along x (along y in the plane yz). */
static bool
find_radius(CxcliContext *context, CxProject *project, CxPlane plane,
            double *nm, GError **error)
{
    CxNm voxel = cx_volume_level(cx_project_segments(project), 0).voxel_nm;
    double side = plane == CX_PLANE_YZ ? voxel.y : voxel.x;

    if (!cxcli_has(context, "radius") && !cxcli_has(context, "radius-nm")) {
        cxcli_set_usage_error(error, "expected --radius or --radius-nm");
        return false;
    }
    *nm = cxcli_has(context, "radius-nm")
              ? cxcli_real(context, "radius-nm", 0)
              : cxcli_real(context, "radius", 0) * side;
    return true;
}

bool
cxcli_edit_paint(CxcliContext *context, CxProject *project, GError **error)
{
    CxPaintRule rule;
    CxPlane plane;
    double radius;

    if (!find_rule(context, &rule, error) ||
        !find_plane(context, "xy", &plane, error) ||
        !find_radius(context, project, plane, &radius, error))
        return false;
    g_autoptr(GArray) points = cxcli_find_voxels(
        context, "points", cx_project_segments(project), error);

    if (points == NULL)
        return false;
    if (points->len == 0) {
        cxcli_set_usage_error(error, "edit paint: expected --points x,y,z …");
        return false;
    }
    double start = cxcli_seconds();

    return cxcli_report_edit(
        context,
        cx_project_paint(project, &rule,
                         (const CxVoxel *)(const void *)points->data,
                         points->len, radius, plane, context->job, error),
        start);
}

bool
cxcli_edit_fill(CxcliContext *context, CxProject *project, GError **error)
{
    CxPaintRule rule;
    CxPlane plane;
    CxBox box;

    if (!find_rule(context, &rule, error) ||
        !find_plane(context, "xy", &plane, error) ||
        !cxcli_find_box(context, cx_project_segments(project), &box, error))
        return false;
    g_autoptr(GArray) at =
        cxcli_find_voxels(context, "at", cx_project_segments(project), error);

    if (at == NULL)
        return false;
    if (at->len != 1) {
        cxcli_set_usage_error(error, "edit fill: expected --at x,y,z");
        return false;
    }
    double start = cxcli_seconds();

    return cxcli_report_edit(context,
                             cx_project_fill(project, &rule,
                                             g_array_index(at, CxVoxel, 0), box,
                                             plane, context->job, error),
                             start);
}

bool
cxcli_edit_interpolate(CxcliContext *context, CxProject *project,
                       GError **error)
{
    CxPaintRule rule;
    CxPlane plane;

    if (!find_rule(context, &rule, error) ||
        !find_plane(context, "xy", &plane, error))
        return false;
    if (rule.segment == 0 || !cxcli_has(context, "first") ||
        !cxcli_has(context, "last")) {
        cxcli_set_usage_error(error, "edit interpolate: expected --id, --first "
                                     "and --last");
        return false;
    }
    double start = cxcli_seconds();
    int64_t first =
        (int64_t)MIN(cxcli_integer(context, "first", 0), (uint64_t)1 << 40);
    int64_t last =
        (int64_t)MIN(cxcli_integer(context, "last", 0), (uint64_t)1 << 40);

    return cxcli_report_edit(context,
                             cx_project_interpolate(project, &rule, plane,
                                                    first, last, context->job,
                                                    error),
                             start);
}

static bool
reshape(CxcliContext *context, CxProject *project, CxReshape how,
        GError **error)
{
    CxBox box = {{0, 0, 0}, {0, 0, 0}};
    CxPaintRule rule;
    double nm;

    if (!find_rule(context, &rule, error) ||
        !find_radius(context, project, CX_PLANE_XY, &nm, error))
        return false;
    if (rule.segment == 0) {
        cxcli_set_usage_error(error, "expected --id");
        return false;
    }
    if (cxcli_has(context, "box") &&
        !cxcli_find_box(context, cx_project_segments(project), &box, error))
        return false;
    double start = cxcli_seconds();

    return cxcli_report_edit(
        context,
        cx_project_reshape(project, &rule, how, nm, box, context->job, error),
        start);
}

bool
cxcli_edit_grow(CxcliContext *context, CxProject *project, GError **error)
{
    return reshape(context, project, CX_RESHAPE_GROW, error);
}

bool
cxcli_edit_shrink(CxcliContext *context, CxProject *project, GError **error)
{
    return reshape(context, project, CX_RESHAPE_SHRINK, error);
}

bool
cxcli_edit_smooth(CxcliContext *context, CxProject *project, GError **error)
{
    return reshape(context, project, CX_RESHAPE_SMOOTH, error);
}

bool
cxcli_edit_detach(CxcliContext *context, CxProject *project, GError **error)
{
    CxId id;
    double start = cxcli_seconds();

    return cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error) &&
           cxcli_report_edit(context, cx_project_detach(project, id, error),
                             start);
}

bool
cxcli_edit_neighbours(CxcliContext *context, CxProject *project, GError **error)
{
    CxId id;
    double start = cxcli_seconds();

    return cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error) &&
           cxcli_report_edit(
               context, cx_project_split_neighbours(project, id, error), start);
}

bool
cxcli_edit_cut(CxcliContext *context, CxProject *project, GError **error)
{
    CxId id;
    CxPlane plane;

    if (!cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error) ||
        !find_plane(context, "xy", &plane, error))
        return false;
    g_autoptr(GArray) points = cxcli_find_voxels(
        context, "points", cx_project_segments(project), error);
    double start = cxcli_seconds();

    return points != NULL &&
           cxcli_report_edit(context,
                             cx_project_cut_by_curve(
                                 project, id,
                                 (const CxVoxel *)(const void *)points->data,
                                 points->len, plane, context->job, error),
                             start);
}

bool
cxcli_edit_revert(CxcliContext *context, CxProject *project, GError **error)
{
    CxId id;
    double start = cxcli_seconds();

    return cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error) &&
           cxcli_report_edit(
               context,
               cx_project_revert_segment(project, id, context->job, error),
               start);
}

/* Annotations. */

static bool
add_annotation(CxcliContext *context, CxProject *project, GError **error)
{
    const char *text = cxcli_edit_argument(context, 1);
    double start = cxcli_seconds();

    if (text == NULL) {
        cxcli_set_usage_error(error, "edit annotate add: expected the "
                                     "annotation, as in \"point 10,20,30\"");
        return false;
    }
    g_autoptr(CxAnnotation) annotation = cx_annotation_parse(text, error);

    return annotation != NULL &&
           cxcli_report_edit(
               context, cx_project_annotate(project, annotation, error), start);
}

static bool
remove_annotation(CxcliContext *context, CxProject *project, GError **error)
{
    CxId number;
    double start = cxcli_seconds();

    return cxcli_parse_id(cxcli_edit_argument(context, 1), &number, error) &&
           cxcli_report_edit(
               context,
               cx_project_remove_annotation(
                   project, (int64_t)MIN(number, G_MAXINT64), error),
               start);
}

static bool
list_annotations(CxcliContext *context, CxProject *project)
{
    g_autoptr(GPtrArray) all = cx_project_annotations(project);
    CxcliReport *report = context->report;

    cxcli_report_begin_array(report, "annotations");
    for (guint i = 0; i < all->len; i++) {
        const CxAnnotation *annotation = g_ptr_array_index(all, i);
        g_autofree char *form = cx_annotation_format(annotation);

        cxcli_report_begin_object(report, NULL);
        cxcli_report_integer(report, "number", annotation->number);
        cxcli_report_text(report, "annotation", form);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
    return true;
}

/* CSV in and out. */
static bool
annotations_file(CxcliContext *context, CxProject *project, bool import,
                 GError **error)
{
    const char *path = cxcli_edit_argument(context, 1);
    int64_t n = 0;

    if (path == NULL) {
        cxcli_set_usage_error(error, "expected the name of a CSV file");
        return false;
    }
    bool ok =
        import ? cx_annotations_read(project, path, &n, context->job, error)
               : cx_annotations_write(project, path, context->force, &n, error);

    cxcli_report_integer(context->report, "annotations", n);
    return ok;
}

bool
cxcli_edit_annotate(CxcliContext *context, CxProject *project, GError **error)
{
    const char *what = cxcli_edit_argument(context, 0);

    if (strcmp(what, "add") == 0)
        return add_annotation(context, project, error);
    if (strcmp(what, "remove") == 0)
        return remove_annotation(context, project, error);
    if (strcmp(what, "list") == 0)
        return list_annotations(context, project);
    if (strcmp(what, "import") == 0)
        return annotations_file(context, project, true, error);
    if (strcmp(what, "export") == 0)
        return annotations_file(context, project, false, error);
    cxcli_set_usage_error(error,
                          "found annotate %s, expected add, remove, list, "
                          "import or export",
                          what);
    return false;
}
