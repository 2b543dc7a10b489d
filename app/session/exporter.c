/* Exports as jobs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/exporter.h"

#include "app/session/session_private.h"
#include "core/base/error.h"
#include "core/export/export_mesh.h"

#include <glib/gstdio.h>
#include <string.h>

struct _CxuiExporter {
    GObject parent;
    CxuiSession *session; /* owns us */
};

typedef struct {
    CxuiExporter *exporter; /* a reference, for the main loop */
    CxProject *project;
    CxVolume *segments; /* a reference */
    CxExportKind kind;
    GArray *ids; /* of CxId: only these surfaces; or NULL */
    char *path;
    bool overwrite;
    uint64_t size_bytes; /* result */
} Export;

static guint finished_signal;

G_DEFINE_FINAL_TYPE(CxuiExporter, cxui_exporter, G_TYPE_OBJECT)

static void
cxui_exporter_class_init(CxuiExporterClass *class)
{
    finished_signal =
        g_signal_new("finished", CXUI_TYPE_EXPORTER, G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cxui_exporter_init(CxuiExporter *self)
{
}

CxuiExporter *
cxui_exporter_new(CxuiSession *session)
{
    CxuiExporter *self = g_object_new(CXUI_TYPE_EXPORTER, NULL);

    self->session = session;
    return self;
}

static void
export_free(void *data)
{
    Export *export = data;

    g_object_unref(export->exporter);
    g_clear_pointer(&export->segments, cx_volume_unref);
    g_clear_pointer(&export->project, cx_project_unref);
    g_clear_pointer(&export->ids, g_array_unref);
    g_free(export->path);
    g_free(export);
}

/* Worker thread: one file for one id, else a folder with one file an id. */
static char *
path_of_mesh(const Export *export, CxId id)
{
    g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT ".ply", id);

    if (export->ids->len == 1 && strchr(export->path, '.') != NULL)
        return g_strdup(export->path);
    return g_build_filename(export->path, name, NULL);
}

static CxBox
box_of(const Export *export, CxId id)
{
    CxSegment segment;

    if (export->project != NULL &&
        cx_supervoxel_graph_segment(cx_project_graph(export->project), id,
                                    &segment))
        return segment.box;
    return cx_volume_bounds(export->segments, 0);
}

static bool
export_meshes(Export *export, CxJob *job, GError **error)
{
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxMeshBuilder) builder =
        cx_mesh_builder_new(export->segments, &options);

    for (guint i = 0; i < export->ids->len; i++) {
        CxId id = g_array_index(export->ids, CxId, i);
        g_autofree char *path = path_of_mesh(export, id);
        g_autofree char *folder = g_path_get_dirname(path);
        uint64_t size_bytes;

        cx_job_stage(job, "surfaces", (double)i / export->ids->len,
                     (double)(i + 1) / export->ids->len);
        g_autoptr(CxMesh) mesh =
            cx_mesh_builder_run(builder, id, box_of(export, id), job, error);
        if (mesh == NULL)
            return false;
        g_mkdir_with_parents(folder, 0777);
        if (!cx_export_mesh(mesh, path, export->overwrite, &size_bytes, error))
            return false;
        export->size_bytes += size_bytes;
    }
    return true;
}

/* Worker thread. */
static bool
run_export(CxJob *job, void *data, GError **error)
{
    Export *export = data;

    if (export->ids != NULL)
        return export_meshes(export, job, error);
    return cx_export_project(export->project, export->kind, export->path,
                             export->overwrite, job, &export->size_bytes,
                             error);
}

static void
on_exported(CxJob *job, const GError *error, void *data)
{
    Export *export = data;
    CxuiExporter *self = export->exporter;

    if (error != NULL) {
        cxui_session_fail(self->session, error);
        return;
    }
    g_autofree char *size = g_format_size(export->size_bytes);
    g_autofree char *name = g_path_get_basename(export->path);
    cxui_session_toast(self->session, 0, "Exported %s to %s", size, name);
    g_signal_emit(self, finished_signal, 0, export->path);
}

static void
start(CxuiExporter *self, Export *export)
{
    g_autofree char *name = g_path_get_basename(export->path);
    g_autofree char *title = g_strdup_printf("Exporting %s", name);
    CxuiJobRequest job = {
        .title = title,
        .tier = CX_TIER_BATCH,
        .func = run_export,
        .data = export,
        .destroy = export_free,
        .done = on_exported,
        .user_data = export,
    };
    g_autoptr(CxJob) started =
        cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

static Export *
export_new(CxuiExporter *self, const char *path, bool overwrite)
{
    Export *export = g_new0(Export, 1);
    CxProject *project = cxui_session_project(self->session);
    CxVolume *segments = cxui_session_segments(self->session);

    export->exporter = g_object_ref(self);
    export->project = project != NULL ? cx_project_ref(project) : NULL;
    export->segments = segments != NULL ? cx_volume_ref(segments) : NULL;
    export->path = g_strdup(path);
    export->overwrite = overwrite;
    return export;
}

static void
refuse(CxuiExporter *self)
{
    g_autoptr(GError) error = g_error_new_literal(
        CX_ERROR, CX_ERROR_INVALID, "Nothing to export: nothing is segmented");

    cxui_session_fail(self->session, error);
}

static void
on_project_ready(CxProject *project, void *data)
{
    Export *export = data;

    if (project == NULL) {
        export_free(export);
        return;
    }
    if (export->project == NULL)
        export->project = cx_project_ref(project);
    start(export->exporter, export);
}

void
cxui_exporter_run(CxuiExporter *self, CxExportKind kind, const char *path,
                  bool overwrite)
{
    CxProject *project = cxui_session_project(self->session);

    if (project == NULL && cxui_session_labels(self->session) == NULL) {
        refuse(self);
        return;
    }
    Export *export = export_new(self, path, overwrite);
    export->kind = kind;
    if (project != NULL)
        start(self, export);
    else
        cxui_session_need_project(self->session, on_project_ready, export);
}

void
cxui_exporter_run_meshes(CxuiExporter *self, const CxId *ids, size_t n,
                         const char *path, bool overwrite)
{
    if (n == 0 || cxui_session_segments(self->session) == NULL) {
        refuse(self);
        return;
    }
    Export *export = export_new(self, path, overwrite);
    export->kind = CX_EXPORT_MESHES;
    export->ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_array_append_vals(export->ids, ids, (guint)n);
    start(self, export);
}

const char *const *
cxui_exporter_suffixes(CxExportKind kind)
{
    static const char *const volumes[] = {".zarr", ".h5", ".tif", NULL};
    static const char *const meshes[] = {".ply", ".obj", ".stl", ".glb", NULL};
    static const char *const folders[] = {"/", NULL};
    static const char *const tables[] = {".csv", NULL};

    switch (kind) {
    case CX_EXPORT_LABELS:
        return volumes;
    case CX_EXPORT_MESHES:
        return meshes;
    case CX_EXPORT_SKELETONS:
        return folders;
    case CX_EXPORT_TABLE:
    case CX_EXPORT_GRAPH:
    case CX_EXPORT_LOG:
        return tables;
    }
    return tables;
}
