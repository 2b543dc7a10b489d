/* The 3-D pane: drawing, camera, and what follows the session.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/scene_view.h"
#include "app/views/scene_view_private.h"

#include "app/render/picking.h"

G_DEFINE_FINAL_TYPE(CxuiSceneView, cxui_scene_view, GTK_TYPE_WIDGET)

enum { GL_FAILED, LAYOUT_ASKED, MENU_ASKED, POINTED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* A fine frame that takes longer is drawn only when nothing has changed for
 * a while. */
#define SLOW_MS 30
#define REST_MS 180

/* Client number of the pane with the loader. */
#define CLIENT 3

CxglOrbitCamera
cxui_scene_view_camera(CxuiSceneView *self, int scale)
{
    CxuiViewState *view = cxui_session_view(self->session);
    const CxuiCamera *state = cxui_view_state_camera(view);
    CxglOrbitCamera camera = cxgl_orbit_camera_defaults();

    camera.focus =
        state->follows ? cxui_view_state_position_nm(view) : state->target_nm;
    camera.rotation =
        cxgl_quat_normalise((CxglQuat){state->rotation[0], state->rotation[1],
                                       state->rotation[2], state->rotation[3]});
    if (state->nm_per_pixel > 0)
        camera.nm_per_px = state->nm_per_pixel / scale;
    camera.width = MAX(1, gtk_widget_get_width(self->area) * scale);
    camera.height = MAX(1, gtk_widget_get_height(self->area) * scale);
    return camera;
}

void
cxui_scene_view_set_camera(CxuiSceneView *self, const CxglOrbitCamera *camera,
                           bool follows)
{
    CxuiCamera state = {
        .rotation = {camera->rotation.x, camera->rotation.y, camera->rotation.z,
                     camera->rotation.w},
        .target_nm = camera->focus,
        .nm_per_pixel = camera->nm_per_px,
        .follows = follows,
    };

    cxui_view_state_set_camera(cxui_session_view(self->session), &state);
}

CxglSceneContent
cxui_scene_view_content(CxuiSceneView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxBox bounds = cxui_view_state_bounds(view);
    CxNm nm = cxui_view_state_voxel_nm(view);
    CxNm offset = cxui_view_state_offset_nm(view);

    self->feed = (CxglChunkFeed){cxui_session_loader(self->session),
                                 cxui_session_cache(self->session)};
    self->layers = (CxglSliceLayers){
        .image = {&self->image_grid, cxgl_chunk_source(&self->feed)},
        .labels = {&self->label_grid, cxgl_chunk_source(&self->feed)},
    };
    return (CxglSceneContent){
        .lo = cx_voxel_to_nm(bounds.lo, nm, offset),
        .hi = cx_voxel_to_nm(bounds.hi, nm, offset),
        .cross_hair = cxui_view_state_position_nm(view),
        .layers = &self->layers,
        .slice_style = &self->slice_style,
        .table = cxui_segment_look_table(self->look),
    };
}

CxglSceneStyle
cxui_scene_view_style(CxuiSceneView *self)
{
    const CxuiLayers *layers =
        cxui_view_state_layers(cxui_session_view(self->session));
    CxglSceneStyle style = cxgl_scene_style_defaults();

    for (int i = 0; i < 3; i++)
        style.planes[i] = layers->slices_in_scene;
    style.plane_labels = layers->labels_visible;
    style.cross_hair = true;
    style.box = true;
    style.axes = true;
    style.scale = (float)gtk_widget_get_scale_factor(self->area);
    style.moving = self->turning || self->panning || self->coarse;
    self->slice_style = cxgl_slice_style_defaults();
    self->slice_style.image_lo = (float)layers->contrast_low;
    self->slice_style.image_hi = (float)layers->contrast_high;
    self->slice_style.gamma = (float)layers->gamma;
    self->slice_style.invert = layers->invert;
    self->slice_style.label_opacity = (float)layers->opacity;
    self->slice_style.dim = (float)(1 - layers->dim);
    return style;
}

static void
ask_for_chunks(CxuiSceneView *self, const CxglSceneContent *content,
               const CxglSceneStyle *style)
{
    g_array_set_size(self->wanted, 0);
    if (self->image_grid.volume_id != 0)
        cxgl_scene_renderer_wanted(self->scene, content, style,
                                   &self->image_grid, self->wanted);
    if (self->label_grid.volume_id != 0)
        cxgl_scene_renderer_wanted(self->scene, content, style,
                                   &self->label_grid, self->wanted);
    cx_chunk_loader_want(cxui_session_loader(self->session), CLIENT,
                         (const CxChunkKey *)(void *)self->wanted->data,
                         self->wanted->len);
}

static void
send_seeds(CxuiSceneView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    size_t n = 0;
    const CxuiSeed *seeds =
        cxui_selection_seeds(cxui_session_selection(self->session), &n);
    g_autofree CxNm *points = g_new(CxNm, n + 1);
    g_autofree CxglColour *colours = g_new(CxglColour, n + 1);

    for (size_t i = 0; i < n; i++) {
        points[i] = cxui_view_state_voxel_centre_nm(view, seeds[i].at);
        colours[i] = cxgl_segment_table_side_colour(
            seeds[i].side == CXUI_SIDE_A ? CXGL_SIDE_A : CXGL_SIDE_B);
    }
    cxgl_scene_renderer_set_points(self->scene, points, colours, n,
                                   5.0 *
                                       gtk_widget_get_scale_factor(self->area));
}

/* Says why there is nothing to see, or that it is on its way. */
static void
update_note(CxuiSceneView *self)
{
    CxuiMeshController *meshes = cxui_session_meshes(self->session);
    size_t n = 0;
    const CxId *ids = cxui_mesh_controller_wanted(meshes, &n);
    const char *text = NULL;

    if (cxui_session_segments(self->session) == NULL)
        text = "Segment the image to see surfaces";
    else if (n == 0)
        text = "Select a segment to see its surface";
    else if (g_hash_table_size(self->surfaces) == 0)
        text = cxui_mesh_controller_n_pending(meshes) > 0
                   ? "Building the surface…"
                   : cxui_mesh_controller_reason(meshes, ids[0]);
    gtk_widget_set_visible(self->note, text != NULL);
    if (text != NULL)
        gtk_label_set_text(GTK_LABEL(self->note), text);
}

static void
draw_scale(CxuiSceneView *self, const CxglOrbitCamera *camera, int scale)
{
    CxglScaleBar bar = cxgl_scale_bar(camera->nm_per_px, camera->width / 4.0);

    cxgl_overlay_clear(self->shapes);
    cxgl_overlay_scale_bar(self->shapes, &bar, camera->width - 12.0 * scale,
                           camera->height - 12.0 * scale, scale, false,
                           (CxglColour){0xff, 0xff, 0xff, 0xff});
    g_strlcpy(self->scale_text, bar.text, sizeof self->scale_text);
    cxgl_overlay_renderer_draw(self->overlay_renderer, self->shapes,
                               camera->width, camera->height);
}

/* What a frame found out and may not change while it is drawn. */
static gboolean
after_frame(GtkWidget *area, GdkFrameClock *clock, gpointer data)
{
    CxuiSceneView *self = data;

    self->after_frame = 0;
    gtk_label_set_text(GTK_LABEL(self->scale_label), self->scale_text);
    update_note(self);
    if (self->stats.has_more)
        gtk_gl_area_queue_render(GTK_GL_AREA(area));
    return G_SOURCE_REMOVE;
}

static gboolean
on_render(GtkGLArea *area, GdkGLContext *context, CxuiSceneView *self)
{
    if (self->scene == NULL || !cxui_session_is_open(self->session))
        return FALSE;
    if (!self->framed)
        cxui_scene_view_reset(self);

    int64_t start = g_get_monotonic_time();
    int scale = gtk_widget_get_scale_factor(self->area);
    CxglOrbitCamera camera = cxui_scene_view_camera(self, scale);
    CxglSceneContent content = cxui_scene_view_content(self);
    CxglSceneStyle style = cxui_scene_view_style(self);

    cxui_scene_view_sync_meshes(self);
    cxui_scene_view_sync_split(self);
    send_seeds(self);
    ask_for_chunks(self, &content, &style);
    cxgl_scene_renderer_draw(self->scene, &camera, &content, &style,
                             &self->stats);
    draw_scale(self, &camera, scale);
    if (self->after_frame == 0)
        self->after_frame = gtk_widget_add_tick_callback(
            GTK_WIDGET(area), after_frame, self, NULL);
    self->frame_ms = (double)(g_get_monotonic_time() - start) / 1000.0;
    if (!style.moving)
        self->fine_ms = self->frame_ms;
    return TRUE;
}

static void
on_realize(GtkGLArea *area, CxuiSceneView *self)
{
    g_autoptr(GError) error = NULL;

    gtk_gl_area_make_current(area);
    if (gtk_gl_area_get_error(area) != NULL) {
        g_signal_emit(self, signals[GL_FAILED], 0,
                      gtk_gl_area_get_error(area)->message);
        return;
    }
    self->overlay_renderer = cxgl_overlay_renderer_new(&error);
    if (self->overlay_renderer != NULL)
        self->scene = cxgl_scene_renderer_new(&error);
    if (self->scene == NULL)
        g_signal_emit(self, signals[GL_FAILED], 0, error->message);
}

static void
on_unrealize(GtkGLArea *area, CxuiSceneView *self)
{
    gtk_gl_area_make_current(area);
    if (gtk_gl_area_get_error(area) != NULL)
        return;
    g_clear_pointer(&self->scene, cxgl_scene_renderer_free);
    g_clear_pointer(&self->overlay_renderer, cxgl_overlay_renderer_free);
    cxui_scene_view_forget_meshes(self);
}

static gboolean
refine(gpointer data)
{
    CxuiSceneView *self = data;

    self->refine = 0;
    self->coarse = false;
    gtk_gl_area_queue_render(GTK_GL_AREA(self->area));
    return G_SOURCE_REMOVE;
}

/* Where fine frames are slow (GL in software), what changes is drawn coarsely
 * at once and finely when it has come to rest. */
void
cxui_scene_view_redraw(CxuiSceneView *self)
{
    if (self->area == NULL)
        return;
    if (self->fine_ms > SLOW_MS) {
        self->coarse = true;
        g_clear_handle_id(&self->refine, g_source_remove);
        self->refine = g_timeout_add(REST_MS, refine, self);
    }
    gtk_gl_area_queue_render(GTK_GL_AREA(self->area));
}

static void
on_look_changed(CxuiSegmentLook *look, gboolean only_hover, CxuiSceneView *self)
{
    if (!only_hover)
        cxui_scene_view_redraw(self);
}

static void
read_grids(CxuiSceneView *self)
{
    CxChunkLoader *loader = cxui_session_loader(self->session);
    CxVolume *image = cxui_session_image(self->session);
    CxVolume *labels = cxui_session_labels(self->session);

    self->image_grid = (CxglChunkGrid){0};
    self->label_grid = (CxglChunkGrid){0};
    if (image != NULL)
        self->image_grid = cxgl_chunk_grid_of(
            image, loader, cxui_session_image_id(self->session));
    if (labels != NULL)
        self->label_grid = cxgl_chunk_grid_of(
            labels, loader, cxui_session_labels_id(self->session));
}

static void
on_volumes_changed(CxuiSession *session, CxuiSceneView *self)
{
    read_grids(self);
    cxui_scene_view_redraw(self);
}

/* Other data: nothing of the old may stay. */
static void
on_closed(CxuiSession *session, CxuiSceneView *self)
{
    self->framed = false;
    if (self->scene != NULL) {
        gtk_gl_area_make_current(GTK_GL_AREA(self->area));
        cxgl_scene_renderer_remove_all(self->scene);
    }
    cxui_scene_view_forget_meshes(self);
    cxui_scene_view_redraw(self);
}

static void
on_block_segmented(CxuiSession *session, CxBox *box, CxuiSceneView *self)
{
    read_grids(self);
    cxui_scene_view_redraw(self);
}

static void
on_chunks_changed(CxuiSession *session, CxuiSceneView *self)
{
    if (!self->stats.planes_complete)
        cxui_scene_view_redraw(self);
}

static void
on_selection_changed(CxuiSelection *selection, guint flags, CxuiSceneView *self)
{
    GtkWidget *widget = GTK_WIDGET(self);

    if (flags & CXUI_SELECTION_TOOL) {
        CxuiTool tool = cxui_selection_tool(selection);
        gtk_widget_remove_css_class(widget, "merge");
        gtk_widget_remove_css_class(widget, "split");
        if (tool == CXUI_TOOL_MERGE)
            gtk_widget_add_css_class(widget, "merge");
        if (tool == CXUI_TOOL_SPLIT)
            gtk_widget_add_css_class(widget, "split");
    }
    if (flags &
        (CXUI_SELECTION_PREVIEW | CXUI_SELECTION_SEEDS | CXUI_SELECTION_TOOL))
        cxui_scene_view_update_split(self);
    if (flags & ~(guint)CXUI_SELECTION_HOVER)
        cxui_scene_view_redraw(self);
}

void
cxui_scene_view_reset(CxuiSceneView *self)
{
    CxglOrbitCamera camera = cxui_scene_view_camera(self, 1);
    CxglSceneContent content = cxui_scene_view_content(self);
    CxNm lo = content.lo;
    CxNm hi = content.hi;

    if (camera.width < 2 || camera.height < 2)
        return;
    if (self->scene != NULL)
        cxgl_scene_renderer_bounds(self->scene, &lo, &hi);
    cxgl_orbit_camera_look_along(&camera, CXGL_AXIS_XY);
    /* a quarter view says more of depth than a straight one */
    cxgl_orbit_camera_orbit(&camera, camera.height * 0.18,
                            camera.height * 0.12);
    cxgl_orbit_camera_fit(&camera, lo, hi, 0.05);
    self->framed = true;
    cxui_scene_view_set_camera(self, &camera, false);
}

void
cxui_scene_view_zoom(CxuiSceneView *self, double factor)
{
    const CxuiCamera *state =
        cxui_view_state_camera(cxui_session_view(self->session));
    CxglOrbitCamera camera = cxui_scene_view_camera(self, 1);

    cxgl_orbit_camera_zoom_at(&camera, factor, camera.width / 2.0,
                              camera.height / 2.0);
    cxui_scene_view_set_camera(self, &camera, state->follows);
}

void
cxui_scene_view_set_active(CxuiSceneView *self, bool active)
{
    if (active)
        gtk_widget_add_css_class(GTK_WIDGET(self), "active");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self), "active");
}

unsigned
cxui_scene_view_n_triangles(CxuiSceneView *self)
{
    return self->stats.n_triangles;
}

size_t
cxui_scene_view_gpu_bytes(CxuiSceneView *self)
{
    return self->scene != NULL ? cxgl_scene_renderer_gpu_bytes(self->scene) : 0;
}

double
cxui_scene_view_frame_ms(CxuiSceneView *self)
{
    return self->frame_ms;
}

static void
follow_session(CxuiSceneView *self)
{
    CxuiSession *session = self->session;

    g_signal_connect_object(session, "volumes-changed",
                            G_CALLBACK(on_volumes_changed), self, 0);
    g_signal_connect_object(session, "closed", G_CALLBACK(on_closed), self, 0);
    g_signal_connect_object(session, "block-segmented",
                            G_CALLBACK(on_block_segmented), self, 0);
    g_signal_connect_object(session, "chunks-changed",
                            G_CALLBACK(on_chunks_changed), self, 0);
    g_signal_connect_object(cxui_session_view(session), "changed",
                            G_CALLBACK(cxui_scene_view_redraw), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    g_signal_connect_object(self->look, "changed", G_CALLBACK(on_look_changed),
                            self, 0);
    cxui_scene_view_follow_meshes(self);
}

GtkWidget *
cxui_scene_view_new(CxuiSession *session, CxuiSegmentLook *look, CxuiHand *hand)
{
    CxuiSceneView *self = g_object_new(CXUI_TYPE_SCENE_VIEW, NULL);

    self->session = g_object_ref(session);
    self->look = g_object_ref(look);
    self->hand = g_object_ref(hand);
    follow_session(self);
    cxui_scene_view_add_gestures(self);
    read_grids(self);
    return GTK_WIDGET(self);
}

static void
cxui_scene_view_dispose(GObject *object)
{
    CxuiSceneView *self = CXUI_SCENE_VIEW(object);

    g_clear_handle_id(&self->refine, g_source_remove);
    g_clear_pointer(&self->overlay, gtk_widget_unparent);
    self->area = NULL;
    cxui_scene_view_clear_meshes(self);
    g_clear_object(&self->session);
    g_clear_object(&self->look);
    g_clear_object(&self->hand);
    G_OBJECT_CLASS(cxui_scene_view_parent_class)->dispose(object);
}

static void
cxui_scene_view_finalize(GObject *object)
{
    CxuiSceneView *self = CXUI_SCENE_VIEW(object);

    cxgl_overlay_free(self->shapes);
    g_array_unref(self->wanted);
    G_OBJECT_CLASS(cxui_scene_view_parent_class)->finalize(object);
}

static void
cxui_scene_view_init(CxuiSceneView *self)
{
    self->shapes = cxgl_overlay_new();
    self->wanted = g_array_new(FALSE, FALSE, sizeof(CxChunkKey));
    cxui_scene_view_init_meshes(self);
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_gl_area_set_required_version(GTK_GL_AREA(self->area), 3, 3);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->area),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "3-D view of the selected segments", -1);
    g_signal_connect(self->area, "realize", G_CALLBACK(on_realize), self);
    g_signal_connect(self->area, "unrealize", G_CALLBACK(on_unrealize), self);
    g_signal_connect(self->area, "render", G_CALLBACK(on_render), self);
}

static void
cxui_scene_view_class_init(CxuiSceneViewClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);
    GType type = G_TYPE_FROM_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_scene_view_dispose;
    G_OBJECT_CLASS(klass)->finalize = cxui_scene_view_finalize;
    signals[GL_FAILED] =
        g_signal_new("gl-failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[LAYOUT_ASKED] =
        g_signal_new("layout-asked", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     NULL, G_TYPE_NONE, 0);
    signals[MENU_ASKED] =
        g_signal_new("menu-asked", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_DOUBLE, G_TYPE_DOUBLE);
    signals[POINTED] = g_signal_new("pointed", type, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 3, G_TYPE_BOOLEAN,
                                    G_TYPE_POINTER, G_TYPE_UINT64);

    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/scene_view.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_bind_template_child(widget_class, CxuiSceneView, overlay);
    gtk_widget_class_bind_template_child(widget_class, CxuiSceneView, area);
    gtk_widget_class_bind_template_child(widget_class, CxuiSceneView, title);
    gtk_widget_class_bind_template_child(widget_class, CxuiSceneView,
                                         scale_label);
    gtk_widget_class_bind_template_child(widget_class, CxuiSceneView, note);
}
