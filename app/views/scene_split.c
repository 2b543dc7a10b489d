/* The two sides of a split that is not made yet, on the surface in 3-D.
 *
 * While the session's preview is ready, the segment's surface gives way to two
 * parts in the colours of the sides.  They are made in a hidden job; the
 * latest preview wins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/scene_view_private.h"

#include "app/views/surface_sides.h"

#include <string.h>

typedef struct {
    CxuiSceneView *view; /* owned reference; main loop only */
    uint64_t number;
    CxMesh *mesh; /* owned copy of the segment's surface */
    CxVolume *supervoxels;
    CxSupervoxelGraph *graph; /* as old as the project, which is held */
    CxProject *project;
    CxId segment;
    GArray *moved;          /* of CxId, sorted */
    CxuiSide side;          /* of moved */
    CxglMeshData *parts[2]; /* result, by side */
} Division;

static void
free_division(gpointer data)
{
    Division *division = data;

    g_clear_pointer(&division->mesh, cx_mesh_free);
    g_clear_pointer(&division->supervoxels, cx_volume_unref);
    g_clear_pointer(&division->project, cx_project_unref);
    g_clear_pointer(&division->moved, g_array_unref);
    for (int i = 0; i < 2; i++)
        g_clear_pointer(&division->parts[i], cxgl_mesh_data_unref);
    g_object_unref(division->view);
    g_free(division);
}

/* Union of the boxes of the moved supervoxels (both lists are sorted). */
static CxBox
box_of_moved(const Division *division)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(division->graph, division->segment);
    CxBox box = {{0, 0, 0}, {0, 0, 0}};
    guint k = 0;

    for (guint i = 0; members != NULL && i < members->len; i++) {
        const CxSupervoxel *member = &g_array_index(members, CxSupervoxel, i);
        if (k < division->moved->len &&
            member->id == g_array_index(division->moved, CxId, k)) {
            box = cx_box_union(box, member->box);
            k++;
        }
    }
    /* a surface lies up to a voxel outside */
    return cx_box_is_empty(box) ? box : cx_box_grow(box, (CxVoxel){1, 1, 1});
}

static bool
divide(CxJob *job, void *data, GError **error)
{
    Division *division = data;
    CxMesh *rest = NULL;
    CxMesh *moved = NULL;
    CxuiSurfaceSides sides = {
        .mesh = division->mesh,
        .supervoxels = division->supervoxels,
        .moved = (const CxId *)(void *)division->moved->data,
        .n_moved = division->moved->len,
        .moved_box = box_of_moved(division),
    };

    if (!cxui_surface_sides(&sides, &rest, &moved, job, error))
        return false;
    division->parts[division->side] = cxgl_mesh_data_new(moved);
    division->parts[!division->side] = cxgl_mesh_data_new(rest);
    cx_mesh_free(rest);
    cx_mesh_free(moved);
    return true;
}

static void
on_divided(CxJob *job, const GError *error, void *user_data)
{
    Division *division = user_data;
    CxuiSceneView *self = division->view;

    if (self->split.number != division->number || error != NULL ||
        self->surfaces == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        g_clear_pointer(&self->split.parts[i], cxgl_mesh_data_unref);
        self->split.parts[i] = g_steal_pointer(&division->parts[i]);
    }
    self->split.segment = division->segment;
    self->split.sent = false;
    cxui_scene_view_redraw(self);
}

static void
start_division(CxuiSceneView *self, CxId segment, const CxMesh *mesh,
               const CxId *moved, size_t n)
{
    CxProject *project = cxui_session_project(self->session);
    CxVolume *labels = cxui_session_labels(self->session);
    CxMesh *copy = cxui_scene_view_copy_mesh(mesh);
    if (copy == NULL || project == NULL || labels == NULL)
        return;

    Division *division = g_new0(Division, 1);
    division->view = g_object_ref(self);
    division->number = self->split.number;
    division->mesh = copy;
    division->supervoxels = cx_volume_ref(labels);
    division->project = cx_project_ref(project);
    division->graph = cx_project_graph(project);
    division->segment = segment;
    division->side = cxui_preview_side(self->session);
    division->moved = g_array_sized_new(FALSE, FALSE, sizeof(CxId), (guint)n);
    g_array_append_vals(division->moved, moved, (guint)n);
    CxuiJobRequest request = {
        .title = "Dividing the surface",
        .tier = CX_TIER_EDIT,
        .hidden = true,
        .func = divide,
        .data = division,
        .destroy = free_division,
        .done = on_divided,
        .user_data = division,
    };
    self->split.job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

/* Stops what runs and forgets what is shown. */
static void
reset_split(CxuiSceneView *self)
{
    self->split.number++;
    if (self->split.job != NULL)
        cx_job_cancel(self->split.job);
    g_clear_pointer(&self->split.job, cx_job_unref);
    for (int i = 0; i < 2; i++)
        g_clear_pointer(&self->split.parts[i], cxgl_mesh_data_unref);
    self->split.segment = 0;
    self->split.sent = false;
}

void
cxui_scene_view_update_split(CxuiSceneView *self)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    CxId segment = cxui_selection_split_segment(selection);
    size_t n = 0;
    const CxId *moved = cxui_selection_preview(selection, &n);

    reset_split(self);
    if (cxui_selection_tool(selection) != CXUI_TOOL_SPLIT ||
        cxui_selection_preview_state(selection) != CXUI_PREVIEW_READY || n == 0)
        return;
    const CxMesh *mesh = cxui_mesh_controller_mesh(
        cxui_session_meshes(self->session), segment, NULL, NULL);
    if (mesh != NULL)
        start_division(self, segment, mesh, moved, n);
}

/* Ids that no real surface of the scene has. */
static CxId
part_id(CxuiSceneView *self, int side)
{
    CxId id = UINT64_MAX - (CxId)side;

    while (g_hash_table_contains(self->surfaces, &id))
        id -= 2;
    return id;
}

void
cxui_scene_view_sync_split(CxuiSceneView *self)
{
    bool shown = self->split.segment != 0;

    if (self->split.sent == shown && !shown && self->split.ids[0] == 0)
        return;
    for (int i = 0; i < 2; i++) {
        if (self->split.ids[i] != 0 && (!shown || !self->split.sent)) {
            cxgl_scene_renderer_remove_mesh(self->scene, self->split.ids[i]);
            self->split.ids[i] = 0;
        }
        if (!shown)
            continue;
        if (!self->split.sent) {
            self->split.ids[i] = part_id(self, i);
            cxgl_scene_renderer_set_mesh(self->scene, self->split.ids[i],
                                         self->split.parts[i]);
        }
        CxglMeshLook look = {
            .colour = cxgl_segment_table_side_colour(
                i == CXUI_SIDE_A ? CXGL_SIDE_A : CXGL_SIDE_B),
        };
        cxgl_scene_renderer_set_look(self->scene, self->split.ids[i], &look);
    }
    self->split.sent = shown;
    if (!shown)
        return;
    CxglMeshLook look;
    if (cxgl_scene_renderer_get_look(self->scene, self->split.segment, &look)) {
        look.hidden = true;
        cxgl_scene_renderer_set_look(self->scene, self->split.segment, &look);
    }
}

CxId
cxui_scene_view_real_id(CxuiSceneView *self, CxId id)
{
    bool is_part = id != 0 && self->split.segment != 0 &&
                   (id == self->split.ids[0] || id == self->split.ids[1]);

    return is_part ? self->split.segment : id;
}

void
cxui_scene_view_clear_split(CxuiSceneView *self)
{
    reset_split(self);
    self->split.ids[0] = self->split.ids[1] = 0;
}
