/* Surfaces on their way from the session to the renderer.
 *
 * The mesh controller lends a surface for the moment only, so it is copied,
 * prepared on a worker (packed normals, vertex order, coarse twin) and handed
 * over at the next frame, when the GL context is current.  When segments are
 * merged, surfaces of those that are gone stay as ghosts in the colour of the
 * one they joined until its new surface is there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/scene_view_private.h"

#include <string.h>

/* What is known of one id. */
typedef struct {
    uint64_t version; /* of the mesh that data was made from */
    uint64_t asked;   /* version being prepared, 0 = none */
    CxglMeshData *data;
    bool sent; /* data is with the renderer */
} Surface;

typedef struct {
    CxId into;
    uint64_t version; /* of into's mesh when the merge was stored */
} Ghost;

/* A preparation on its way. */
typedef struct {
    CxuiSceneView *view; /* owned reference; main loop only */
    CxId id;
    uint64_t version;
    CxMesh *mesh;       /* owned copy */
    CxglMeshData *data; /* result */
} Preparation;

static void
free_surface(gpointer pointer)
{
    Surface *surface = pointer;

    g_clear_pointer(&surface->data, cxgl_mesh_data_unref);
    g_free(surface);
}

static void
free_preparation(gpointer pointer)
{
    Preparation *preparation = pointer;

    g_clear_pointer(&preparation->mesh, cx_mesh_free);
    g_clear_pointer(&preparation->data, cxgl_mesh_data_unref);
    g_object_unref(preparation->view);
    g_free(preparation);
}

static bool
prepare(CxJob *job, void *data, GError **error)
{
    Preparation *preparation = data;

    preparation->data = cxgl_mesh_data_new(preparation->mesh);
    return true;
}

static void
on_prepared(CxJob *job, const GError *error, void *user_data)
{
    Preparation *preparation = user_data;
    CxuiSceneView *self = preparation->view;

    if (self->surfaces == NULL || preparation->data == NULL)
        return;
    Surface *surface = g_hash_table_lookup(self->surfaces, &preparation->id);
    if (surface == NULL || surface->asked != preparation->version)
        return;
    g_clear_pointer(&surface->data, cxgl_mesh_data_unref);
    surface->data = g_steal_pointer(&preparation->data);
    surface->version = preparation->version;
    surface->asked = 0;
    surface->sent = false;
    cxui_scene_view_redraw(self);
}

CxMesh *
cxui_scene_view_copy_mesh(const CxMesh *mesh)
{
    CxMesh *copy = cx_mesh_new(mesh->n_vertices, mesh->n_triangles);

    if (copy == NULL)
        return NULL;
    size_t n = (size_t)mesh->n_vertices * 3 * sizeof(float);
    memcpy(copy->positions, mesh->positions, n);
    memcpy(copy->normals, mesh->normals, n);
    memcpy(copy->indices, mesh->indices,
           (size_t)mesh->n_triangles * 3 * sizeof(uint32_t));
    copy->origin_nm = mesh->origin_nm;
    return copy;
}

static void
start_preparation(CxuiSceneView *self, CxId id, const CxMesh *mesh,
                  uint64_t version)
{
    CxMesh *copy = cxui_scene_view_copy_mesh(mesh);
    if (copy == NULL)
        return;

    Preparation *preparation = g_new0(Preparation, 1);
    preparation->view = g_object_ref(self);
    preparation->id = id;
    preparation->version = version;
    preparation->mesh = copy;
    CxuiJobRequest request = {
        .title = "Preparing a surface",
        .tier = CX_TIER_VISIBLE,
        .hidden = true,
        .func = prepare,
        .data = preparation,
        .destroy = free_preparation,
        .done = on_prepared,
        .user_data = preparation,
    };
    g_autoptr(CxJob) job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

static Surface *
ensure_surface(CxuiSceneView *self, CxId id)
{
    Surface *surface = g_hash_table_lookup(self->surfaces, &id);

    if (surface == NULL) {
        surface = g_new0(Surface, 1);
        g_hash_table_insert(self->surfaces, g_memdup2(&id, sizeof id), surface);
    }
    return surface;
}

static void
set_look(CxuiSceneView *self, CxId id, CxId as, bool stale)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    CxglMeshLook look = {
        .colour = cxui_segment_look_colour(self->look, as),
        .hidden = cxui_selection_is_hidden(selection, as),
        .stale = stale,
        .selected = cxui_selection_current(selection) == as,
    };

    cxgl_scene_renderer_set_look(self->scene, id, &look);
}

static void
sync_one(CxuiSceneView *self, CxId id)
{
    CxuiMeshController *meshes = cxui_session_meshes(self->session);
    bool stale = false;
    uint64_t version = 0;
    const CxMesh *mesh =
        cxui_mesh_controller_mesh(meshes, id, &stale, &version);

    if (mesh == NULL)
        return;
    Surface *surface = ensure_surface(self, id);
    if (surface->version != version && surface->asked != version) {
        surface->asked = version;
        start_preparation(self, id, mesh, version);
    }
    if (surface->data == NULL)
        return;
    if (!surface->sent) {
        cxgl_scene_renderer_set_mesh(self->scene, id, surface->data);
        surface->sent = true;
    }
    set_look(self, id, id, stale || surface->version != version);
}

/* True while the ghost is still needed. */
static bool
sync_ghost(CxuiSceneView *self, CxId id, const Ghost *ghost)
{
    Surface *into = g_hash_table_lookup(self->surfaces, &ghost->into);

    if (!cxgl_scene_renderer_has_mesh(self->scene, id) ||
        (into != NULL && into->sent && into->version > ghost->version))
        return false;
    set_look(self, id, ghost->into, true);
    return true;
}

static bool
is_wanted(const CxId *ids, size_t n, CxId id)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

static void
drop_unwanted(CxuiSceneView *self, const CxId *ids, size_t n)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->surfaces);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        CxId id = *(const CxId *)key;
        if (is_wanted(ids, n, id) || g_hash_table_contains(self->ghosts, &id))
            continue;
        cxgl_scene_renderer_remove_mesh(self->scene, id);
        g_hash_table_iter_remove(&iter);
    }
}

void
cxui_scene_view_sync_meshes(CxuiSceneView *self)
{
    size_t n = 0;
    const CxId *ids =
        cxui_mesh_controller_wanted(cxui_session_meshes(self->session), &n);
    GHashTableIter iter;
    gpointer key;
    gpointer value;

    for (size_t i = 0; i < n; i++)
        sync_one(self, ids[i]);
    g_hash_table_iter_init(&iter, self->ghosts);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        CxId id = *(const CxId *)key;
        if (is_wanted(ids, n, id) || !sync_ghost(self, id, value))
            g_hash_table_iter_remove(&iter);
    }
    drop_unwanted(self, ids, n);
}

/* A stored merge: keep what is seen of the segments that are gone. */
static void
on_committed(CxuiEditController *edits, CxEdit *edit, gboolean undone,
             CxuiSceneView *self)
{
    if (edit->kind != CX_EDIT_MERGE || undone)
        return;
    for (guint i = 0; i < edit->moves->len; i++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, i);
        if (!g_hash_table_contains(self->surfaces, &move->from))
            continue;
        Surface *into = g_hash_table_lookup(self->surfaces, &move->to);
        Ghost *ghost = g_new0(Ghost, 1);
        ghost->into = move->to;
        ghost->version = into != NULL ? into->version : 0;
        g_hash_table_replace(self->ghosts,
                             g_memdup2(&move->from, sizeof move->from), ghost);
    }
    cxui_scene_view_redraw(self);
}

static void
on_mesh_changed(CxuiMeshController *meshes, guint64 id, CxuiSceneView *self)
{
    if (self->split.segment == id || self->split.segment == 0)
        cxui_scene_view_update_split(self);
    cxui_scene_view_redraw(self);
}

void
cxui_scene_view_init_meshes(CxuiSceneView *self)
{
    self->surfaces = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                           free_surface);
    self->ghosts =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

void
cxui_scene_view_follow_meshes(CxuiSceneView *self)
{
    g_signal_connect_object(cxui_session_meshes(self->session), "mesh-changed",
                            G_CALLBACK(on_mesh_changed), self, 0);
    g_signal_connect_object(cxui_session_edits(self->session), "committed",
                            G_CALLBACK(on_committed), self, 0);
}

void
cxui_scene_view_forget_meshes(CxuiSceneView *self)
{
    g_hash_table_remove_all(self->surfaces);
    g_hash_table_remove_all(self->ghosts);
    cxui_scene_view_clear_split(self);
}

void
cxui_scene_view_clear_meshes(CxuiSceneView *self)
{
    cxui_scene_view_clear_split(self);
    g_clear_pointer(&self->surfaces, g_hash_table_unref);
    g_clear_pointer(&self->ghosts, g_hash_table_unref);
}
