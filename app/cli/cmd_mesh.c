/* mesh: the surface of one label, or of all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/base/error.h"
#include "core/export/export_mesh.h"
#include "core/export/export_mesh_precomputed.h"
#include "core/mesh/mesh_builder.h"

#include <errno.h>

typedef struct {
    CxcliContext *context;
    uint64_t n_triangles, n_meshes;
} All;

/* "surfaces/": a folder for neuroglancer. */
static bool
is_precomputed(const CxcliContext *context)
{
    return g_str_has_suffix(context->args[1], "/");
}

static bool
write_mesh(CxcliContext *context, const CxMesh *mesh, CxId id, const char *path,
           uint64_t *n_triangles, GError **error)
{
    bool done = is_precomputed(context)
                    ? cx_export_precomputed_mesh(mesh, context->args[1], id,
                                                 context->force, error)
                    : cx_export_mesh(mesh, path, context->force, NULL, error);

    *n_triangles += done ? mesh->n_triangles : 0;
    return done;
}

static bool
write_one_of_all(CxId id, CxMesh *mesh, void *data, GError **error)
{
    All *all = data;
    g_autoptr(CxMesh) owned = mesh;
    g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT ".ply", id);
    g_autofree char *path = g_build_filename(all->context->args[1], name, NULL);

    all->n_meshes++;
    return write_mesh(all->context, owned, id, path, &all->n_triangles, error);
}

static bool
mesh_all(CxcliContext *context, CxMeshBuilder *builder, uint64_t *n_triangles,
         GError **error)
{
    All all = {context, 0, 0};

    if (g_mkdir_with_parents(context->args[1], 0777) != 0) {
        cx_error_set_errno(error, errno, "cannot make the folder %s",
                           context->args[1]);
        return false;
    }
    if (!cx_mesh_builder_all(builder, write_one_of_all, &all, context->job,
                             error))
        return false;
    *n_triangles = all.n_triangles;
    cxcli_report_integer(context->report, "meshes", (int64_t)all.n_meshes);
    return true;
}

static bool
mesh_one(CxcliContext *context, CxProject *project, CxVolume *labels,
         CxMeshBuilder *builder, uint64_t *n_triangles, GError **error)
{
    CxId id = cxcli_integer(context, "id", 0);
    CxBox box = cx_volume_bounds(labels, 0);
    CxSegment segment;

    if (project != NULL &&
        cx_supervoxel_graph_segment(cx_project_graph(project), id, &segment))
        box = segment.box;
    g_autoptr(CxMesh) mesh =
        cx_mesh_builder_run(builder, id, box, context->job, error);
    return mesh != NULL &&
           write_mesh(context, mesh, id, context->args[1], n_triangles, error);
}

static bool
check_options(CxcliContext *context, double simplify, GError **error)
{
    if (cxcli_has(context, "all") == cxcli_has(context, "id")) {
        cxcli_set_usage_error(error, "mesh: expected either --id N or --all");
        return false;
    }
    if (simplify > 0.0 && simplify <= 1.0)
        return true;
    cxcli_set_usage_error(error,
                          "--simplify: found %g, expected the share of "
                          "triangles to keep, above 0 to 1",
                          simplify);
    return false;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxProject) project = NULL;
    uint64_t n_triangles = 0;

    options.simplify = cxcli_real(context, "simplify", options.simplify);
    options.n_threads = context->n_threads;
    if (!check_options(context, options.simplify, error) ||
        (!is_precomputed(context) &&
         !cxcli_check_output(context, context->args[1], inputs, error)))
        return false;
    g_autoptr(CxVolume) labels =
        cxcli_open_labels(context, context->args[0], &project, error);
    if (labels == NULL ||
        (is_precomputed(context) &&
         !cx_export_precomputed_meshes(context->args[1], error)))
        return false;
    double start = cxcli_seconds();
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(labels, &options);
    if (!(cxcli_has(context, "all")
              ? mesh_all(context, builder, &n_triangles, error)
              : mesh_one(context, project, labels, builder, &n_triangles,
                         error)))
        return false;
    cxcli_report_integer(context->report, "triangles", (int64_t)n_triangles);
    cxcli_report_real(context->report, "seconds", cxcli_seconds() - start);
    return true;
}

static const CxcliOption options_table[] = {
    {"id", CXCLI_ID, "N", "the label or segment"},
    {"all", CXCLI_FLAG, NULL, "every label; OUT becomes a folder"},
    {"simplify", CXCLI_REAL, "R", "share of triangles to keep, above 0 to 1"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_mesh = {
    .name = "mesh",
    .usage = "LABELS|PROJECT OUT",
    .summary = "The surface of a label, or of all",
    .text = "OUT: .ply, .obj or .stl in nm, .glb; a folder ending in / for "
            "neuroglancer\n(precomputed); with --all a folder of N.ply, or "
            "one ending in /.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
