/* edit: one durable change of a project; undo and redo.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/edit_voxels.h"
#include "core/base/error.h"

#include <string.h>

typedef bool (*Action)(CxcliContext *context, CxProject *project,
                       GError **error);

const char *
cxcli_edit_argument(const CxcliContext *context, int i)
{
    return context->n_args > i + 2 ? context->args[i + 2] : NULL;
}

static void
report_box(CxcliReport *report, CxBox box)
{
    const int64_t corners[6] = {box.lo.x, box.lo.y, box.lo.z,
                                box.hi.x, box.hi.y, box.hi.z};

    cxcli_report_begin_array(report, "box");
    for (int i = 0; i < 6; i++)
        cxcli_report_integer(report, NULL, corners[i]);
    cxcli_report_end_array(report);
}

bool
cxcli_report_edit(CxcliContext *context, CxEdit *edit, double start)
{
    CxcliReport *report = context->report;

    if (edit == NULL)
        return false;
    g_autoptr(GArray) segments = cx_edit_segments(edit);

    cxcli_report_integer(report, "sequence", edit->sequence);
    cxcli_report_begin_array(report, "segments");
    for (guint i = 0; i < segments->len; i++)
        cxcli_report_id(report, NULL, g_array_index(segments, CxId, i));
    cxcli_report_end_array(report);
    cxcli_report_text(report, "sentence",
                      edit->sentence != NULL ? edit->sentence : "");
    if (edit->kind == CX_EDIT_SPLIT)
        cxcli_report_bool(report, "weak", edit->weak);
    if (edit->patch != NULL)
        report_box(report, edit->box);
    cxcli_report_real(report, "milliseconds", (cxcli_seconds() - start) * 1e3);
    cx_edit_free(edit);
    return true;
}

/* Where an edit of a segment happened: --at, or a voxel of the segment. */
static bool
find_place(CxcliContext *context, CxProject *project, CxId id, CxVoxel *at,
           GError **error)
{
    const GArray *given = cxcli_positions(context, "at");
    CxSegment segment;

    if (given != NULL)
        return cxcli_find_voxel(context, "at", cx_project_segments(project),
                                g_array_index(given, CxNm, given->len - 1), at,
                                error);
    if (!cx_supervoxel_graph_segment(cx_project_graph(project), id, &segment)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: there is no segment %" G_GUINT64_FORMAT,
                    cx_project_path(project), id);
        return false;
    }
    *at = segment.inside;
    return true;
}

static bool
run_merge(CxcliContext *context, CxProject *project, GError **error)
{
    CxId a, b;
    CxVoxel at;

    if (!cxcli_parse_id(cxcli_edit_argument(context, 0), &a, error) ||
        !cxcli_parse_id(cxcli_edit_argument(context, 1), &b, error) ||
        !find_place(context, project, a, &at, error))
        return false;
    double start = cxcli_seconds();
    CxEdit *edit = cx_project_merge(project, a, b, at, error);
    return cxcli_report_edit(context, edit, start);
}

static bool
report_preview(CxcliContext *context, CxSplitPreview *preview, double start)
{
    CxcliReport *report = context->report;

    cxcli_report_null(report, "sequence");
    cxcli_report_begin_array(report, "supervoxels");
    for (guint i = 0; i < preview->movers->len; i++)
        cxcli_report_id(report, NULL, g_array_index(preview->movers, CxId, i));
    cxcli_report_end_array(report);
    cxcli_report_bool(report, "weak", preview->weak);
    cxcli_report_text(report, "sentence", preview->sentence);
    cxcli_report_integer(report, "faces", (int64_t)preview->n_faces);
    cxcli_report_real(report, "cut_affinity", preview->cut_affinity);
    cxcli_report_real(report, "mean_affinity", preview->mean_affinity);
    cxcli_report_real(report, "milliseconds", (cxcli_seconds() - start) * 1e3);
    cx_split_preview_free(preview);
    return true;
}

/* A membrane map to cut along. */
static bool
set_boundary(CxcliContext *context, CxProject *project, GError **error)
{
    const char *spec = cxcli_text(context, "boundary", NULL);

    if (spec == NULL)
        return true;
    g_autoptr(CxVolume) map = cx_volume_open(spec, context->job, error);

    if (map == NULL)
        return false;
    if (!cx_voxel_equal(
            cx_volume_level(map, 0).size,
            cx_volume_level(cx_project_segments(project), 0).size)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s has not the size of the project's image", spec);
        return false;
    }
    cx_project_set_boundary(project, map);
    return true;
}

static bool
run_split(CxcliContext *context, CxProject *project, GError **error)
{
    CxVolume *volume = cx_project_segments(project);
    CxId id;

    if (!cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error))
        return false;
    g_autoptr(GArray) sources =
        cxcli_find_voxels(context, "source", volume, error);
    g_autoptr(GArray) sinks =
        sources != NULL ? cxcli_find_voxels(context, "sink", volume, error)
                        : NULL;
    if (sinks == NULL)
        return false;
    if (sources->len == 0 || sinks->len == 0) {
        cxcli_set_usage_error(error,
                              "edit split: expected --source x,y,z and --sink "
                              "x,y,z");
        return false;
    }
    const CxVoxel *from = (const CxVoxel *)sources->data;
    const CxVoxel *to = (const CxVoxel *)sinks->data;
    if (!set_boundary(context, project, error))
        return false;
    double start = cxcli_seconds();
    if (cxcli_has(context, "preview")) {
        CxSplitPreview *preview =
            cx_project_preview_cut(project, id, from, sources->len, to,
                                   sinks->len, context->job, error);
        return preview != NULL && report_preview(context, preview, start);
    }
    CxEdit *edit = cx_project_split(project, id, from, sources->len, to,
                                    sinks->len, context->job, error);
    return cxcli_report_edit(context, edit, start);
}

static bool
run_note(CxcliContext *context, CxProject *project, GError **error)
{
    CxId id;

    if (!cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error))
        return false;
    double start = cxcli_seconds();
    CxEdit *edit = cx_project_set_note(project, id,
                                       cxcli_edit_argument(context, 1), error);
    return cxcli_report_edit(context, edit, start);
}

static bool
set_locked(CxcliContext *context, CxProject *project, bool locked,
           GError **error)
{
    CxId id;

    if (!cxcli_parse_id(cxcli_edit_argument(context, 0), &id, error))
        return false;
    double start = cxcli_seconds();
    CxEdit *edit = cx_project_set_locked(project, id, locked, error);
    return cxcli_report_edit(context, edit, start);
}

static bool
run_lock(CxcliContext *context, CxProject *project, GError **error)
{
    return set_locked(context, project, true, error);
}

static bool
run_unlock(CxcliContext *context, CxProject *project, GError **error)
{
    return set_locked(context, project, false, error);
}

/* N of "undo N", by default 1. */
static bool
find_n_steps(const CxcliContext *context, uint64_t *n, GError **error)
{
    const char *text = cxcli_edit_argument(context, 0);

    *n = 1;
    if (text == NULL ||
        g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, n, NULL))
        return true;
    cxcli_set_usage_error(error, "found \"%s\", expected a number of edits",
                          text);
    return false;
}

static bool
take_steps(CxcliContext *context, CxProject *project, bool undo, GError **error)
{
    uint64_t n;

    if (!find_n_steps(context, &n, error))
        return false;
    double start = cxcli_seconds();
    for (uint64_t i = 0; i < n; i++) {
        g_autoptr(CxEdit) edit = undo ? cx_project_undo(project, error)
                                      : cx_project_redo(project, error);

        if (edit == NULL || !cx_job_step(context->job, i, n, error))
            return false;
    }
    cxcli_report_integer(context->report, "head", cx_project_head(project));
    cxcli_report_integer(context->report, "edits", cx_project_n_edits(project));
    cxcli_report_real(context->report, "milliseconds",
                      (cxcli_seconds() - start) * 1e3);
    return true;
}

static bool
run_undo(CxcliContext *context, CxProject *project, GError **error)
{
    return take_steps(context, project, true, error);
}

static bool
run_redo(CxcliContext *context, CxProject *project, GError **error)
{
    return take_steps(context, project, false, error);
}

static const struct {
    const char *name, *usage;
    int min_args, max_args;
    Action run;
} actions[] = {
    {"merge", "A B", 2, 2, run_merge},
    {"split", "ID --source x,y,z … --sink x,y,z … [--preview]", 1, 1,
     run_split},
    {"note", "ID TEXT", 2, 2, run_note},
    {"lock", "ID", 1, 1, run_lock},
    {"unlock", "ID", 1, 1, run_unlock},
    {"paint", "[--id ID] --points x,y,z … --radius R", 0, 0, cxcli_edit_paint},
    {"fill", "[--id ID] --at x,y,z", 0, 0, cxcli_edit_fill},
    {"interpolate", "--id ID --first N --last N", 0, 0, cxcli_edit_interpolate},
    {"grow", "--id ID --radius R", 0, 0, cxcli_edit_grow},
    {"shrink", "--id ID --radius R", 0, 0, cxcli_edit_shrink},
    {"smooth", "--id ID --radius R", 0, 0, cxcli_edit_smooth},
    {"detach", "SUPERVOXEL", 1, 1, cxcli_edit_detach},
    {"neighbours", "SUPERVOXEL", 1, 1, cxcli_edit_neighbours},
    {"cut", "ID --points x,y,z x,y,z … [--plane xy|xz|yz]", 1, 1,
     cxcli_edit_cut},
    {"revert", "ID", 1, 1, cxcli_edit_revert},
    {"annotate",
     "add \"point x,y,z …\" | remove N | list | import CSV | export CSV", 1, 2,
     cxcli_edit_annotate},
    {"undo", "[N]", 0, 1, run_undo},
    {"redo", "[N]", 0, 1, run_redo},
};

static bool
run(CxcliContext *context, GError **error)
{
    const char *name = context->args[1];
    int n_args = context->n_args - 2;
    bool preview = cxcli_has(context, "preview");

    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(actions[i].name, name) != 0)
            continue;
        if (n_args < actions[i].min_args || n_args > actions[i].max_args) {
            cxcli_set_usage_error(error,
                                  "usage: connexon-cli edit PROJECT %s %s",
                                  name, actions[i].usage);
            return false;
        }
        g_autoptr(CxProject) project =
            cx_project_open(context->args[0], preview, context->job, error);
        return project != NULL && actions[i].run(context, project, error);
    }
    cxcli_set_usage_error(error,
                          "there is no edit \"%s\": expected merge, split, "
                          "note, lock, unlock, paint, fill, interpolate, grow, "
                          "shrink, smooth, detach, neighbours, cut, revert, "
                          "annotate, undo or redo",
                          name);
    return false;
}

static const CxcliOption options_table[] = {
    {"source", CXCLI_VOXELS, "X,Y,Z …", "split: seeds of the side that stays"},
    {"sink", CXCLI_VOXELS, "X,Y,Z …", "split: seeds of the side cut off"},
    {"preview", CXCLI_FLAG, NULL, "split: say what would move, store nothing"},
    {"boundary", CXCLI_TEXT, "VOLUME",
     "split: a membrane map (255 = membrane) to cut along in a supervoxel"},
    {"at", CXCLI_VOXELS, "X,Y,Z",
     "where it happened, for the history; fill: where to begin"},
    {"id", CXCLI_TEXT, "ID",
     "paint, …: the segment that gets the voxels (none: a new one)"},
    {"points", CXCLI_VOXELS, "X,Y,Z …", "paint: the stroke; cut: the curve"},
    {"radius", CXCLI_REAL, "VOXELS",
     "of the brush; by how much to grow, shrink or smooth"},
    {"radius-nm", CXCLI_REAL, "NM", "the same in nanometres"},
    {"plane", CXCLI_TEXT, "PLANE", "xy (default), xz, yz or 3d"},
    {"erase", CXCLI_FLAG, NULL, "paint, fill: voxels become background"},
    {"over", CXCLI_TEXT, "WHAT", "any (default), background or an id"},
    {"first", CXCLI_INTEGER, "N", "interpolate: first section"},
    {"last", CXCLI_INTEGER, "N", "interpolate: last section"},
    {"box", CXCLI_BOX, "X0,Y0,Z0,X1,Y1,Z1", "fill, grow, …: nowhere else"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_edit = {
    .name = "edit",
    .usage = "PROJECT merge A B | split ID … | note ID TEXT | lock ID | "
             "unlock ID | paint … | fill … | interpolate … | grow … | "
             "shrink … | smooth … | detach SUPERVOXEL | neighbours SUPERVOXEL "
             "| cut ID … | revert ID | annotate … | undo [N] | redo [N]",
    .summary = "Change a project by one durable edit",
    .text = "Prints after the commit: what is printed is stored.",
    .min_args = 2,
    .max_args = -1,
    .options = options_table,
    .run = run,
};
