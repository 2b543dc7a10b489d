/* One orthogonal pane: drawing, and what follows the session.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/slice_view.h"
#include "app/views/slice_view_private.h"

#include "app/views/about.h"
#include "app/views/format.h"

#include <epoxy/gl.h>

G_DEFINE_FINAL_TYPE(CxuiSliceView, cxui_slice_view, GTK_TYPE_WIDGET)

enum { GL_FAILED, LAYOUT_ASKED, MENU_ASKED, POINTED, N_SIGNALS };
static guint signals[N_SIGNALS];

static const char *const axis_names[] = {
    [CXGL_AXIS_XY] = "xy",
    [CXGL_AXIS_XZ] = "xz",
    [CXGL_AXIS_YZ] = "yz",
};

static int64_t
voxel_component(CxVoxel voxel, unsigned component)
{
    return component == 0 ? voxel.x : component == 1 ? voxel.y : voxel.z;
}

CxglSliceCamera
cxui_slice_view_camera(CxuiSliceView *self, int scale)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxglSliceCamera camera = {
        .axis = self->axis,
        .centre = cxui_view_state_position_nm(view),
        .nm_per_px = cxui_view_state_zoom(view) / scale,
        .width = MAX(1, gtk_widget_get_width(self->area) * scale),
        .height = MAX(1, gtk_widget_get_height(self->area) * scale),
    };
    return camera;
}

static void
read_grids(CxuiSliceView *self)
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
ask_for_chunks(CxuiSliceView *self, const CxglSliceCamera *camera)
{
    g_array_set_size(self->wanted, 0);
    if (self->label_grid.volume_id != 0 && !self->raw)
        cxgl_chunk_grid_wanted(&self->label_grid, camera, 1, self->wanted);
    if (self->image_grid.volume_id != 0)
        cxgl_chunk_grid_wanted(&self->image_grid, camera, 1, self->wanted);
    cx_chunk_loader_want(
        cxui_session_loader(self->session), (unsigned)self->axis,
        (const CxChunkKey *)(void *)self->wanted->data, self->wanted->len);
}

static CxglSliceStyle
style_of(CxuiSliceView *self)
{
    const CxuiLayers *layers =
        cxui_view_state_layers(cxui_session_view(self->session));
    CxglSliceStyle style = cxgl_slice_style_defaults();
    bool labels = layers->labels_visible && !self->raw;

    style.image_lo = (float)layers->contrast_low;
    style.image_hi = (float)layers->contrast_high;
    style.gamma = (float)layers->gamma;
    style.invert = layers->invert;
    style.smooth = layers->smooth;
    style.label_opacity = labels ? (float)layers->opacity : 0;
    style.border_opacity = labels && layers->borders ? style.border_opacity : 0;
    style.dim = (float)(1 - layers->dim);
    style.only_selected = layers->only_selected;
    style.background = (CxglColour){0x16, 0x18, 0x1d, 0xff};
    return style;
}

static CxNm
seed_nm(CxuiSliceView *self, CxVoxel at)
{
    return cxui_view_state_voxel_centre_nm(cxui_session_view(self->session),
                                           at);
}

static void
add_seeds(CxuiSliceView *self, const CxglSliceCamera *camera, int scale)
{
    CxNm voxel_nm = cxui_view_state_voxel_nm(cxui_session_view(self->session));
    double depth = cxgl_nm_get(voxel_nm, cxgl_axis_depth(self->axis));
    size_t n = 0;
    const CxuiSeed *seeds =
        cxui_selection_seeds(cxui_session_selection(self->session), &n);

    for (size_t i = 0; i < n; i++) {
        CxglSide side =
            seeds[i].side == CXUI_SIDE_A ? CXGL_SIDE_A : CXGL_SIDE_B;
        cxgl_overlay_seed(self->shapes, camera, seed_nm(self, seeds[i].at),
                          5.0 * scale, 12 * depth,
                          cxgl_segment_table_side_colour(side));
    }
}

static void
add_box(CxuiSliceView *self, const CxglSliceCamera *camera, int scale)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxNm nm = cxui_view_state_voxel_nm(view);
    CxNm offset = cxui_view_state_offset_nm(view);
    CxNm lo = cx_voxel_to_nm(self->box.lo, nm, offset);
    CxNm hi = cx_voxel_to_nm(self->box.hi, nm, offset);

    cxgl_overlay_box(self->shapes, camera, lo, hi, 1.5 * scale, 0,
                     (CxglColour){0xf5, 0xd0, 0x42, 0xff});
}

static void
draw_shapes(CxuiSliceView *self, const CxglSliceCamera *camera, int scale)
{
    gboolean cross_hair = TRUE;
    g_object_get(cxui_session_settings(self->session), "show-cross-hair",
                 &cross_hair, NULL);

    cxgl_overlay_clear(self->shapes);
    if (cross_hair)
        cxgl_overlay_cross_hair(self->shapes, camera, camera->centre, 0.7,
                                scale);
    add_seeds(self, camera, scale);
    if (self->has_box)
        add_box(self, camera, scale);
    CxglScaleBar bar = cxgl_scale_bar(camera->nm_per_px, camera->width / 4.0);
    g_strlcpy(self->scale_text, bar.text, sizeof self->scale_text);
    cxgl_overlay_scale_bar(self->shapes, &bar, camera->width - 12.0 * scale,
                           camera->height - 12.0 * scale, scale, false,
                           (CxglColour){0xff, 0xff, 0xff, 0xff});
    cxgl_overlay_renderer_draw(self->overlay_renderer, self->shapes,
                               camera->width, camera->height);
}

/* What a frame found out and may not change while it is drawn. */
static gboolean
after_frame(GtkWidget *area, GdkFrameClock *clock, gpointer data)
{
    CxuiSliceView *self = data;

    self->after_frame = 0;
    gtk_label_set_text(GTK_LABEL(self->scale_label), self->scale_text);
    if (self->stats.has_more)
        gtk_gl_area_queue_render(GTK_GL_AREA(area));
    return G_SOURCE_REMOVE;
}

static gboolean
on_render(GtkGLArea *area, GdkGLContext *context, CxuiSliceView *self)
{
    if (self->renderer == NULL || !cxui_session_is_open(self->session))
        return FALSE;

    int64_t start = g_get_monotonic_time();
    int scale = gtk_widget_get_scale_factor(self->area);
    CxglSliceCamera camera = cxui_slice_view_camera(self, scale);
    CxglChunkFeed feed = {cxui_session_loader(self->session),
                          cxui_session_cache(self->session)};
    CxglSliceLayers layers = {
        .image = {&self->image_grid, cxgl_chunk_source(&feed)},
        .labels = {&self->label_grid, cxgl_chunk_source(&feed)},
    };
    CxglSliceStyle style = style_of(self);

    ask_for_chunks(self, &camera);
    cxui_slice_view_ask_prediction(self);
    cxui_slice_view_add_prediction(self, &layers, &style);
    cxui_slice_view_add_grower(self, &layers, &style);
    cxgl_slice_renderer_draw(self->renderer, &camera, &layers, &style,
                             &self->stats);
    draw_shapes(self, &camera, scale);
    bool news = !g_str_equal(self->scale_text,
                             gtk_label_get_text(GTK_LABEL(self->scale_label)));
    if (self->after_frame == 0 && (self->stats.has_more || news))
        self->after_frame = gtk_widget_add_tick_callback(
            GTK_WIDGET(area), after_frame, self, NULL);
    self->frame_ms = (double)(g_get_monotonic_time() - start) / 1000.0;
    return TRUE;
}

static void
fail_gl(CxuiSliceView *self, const char *reason)
{
    g_signal_emit(self, signals[GL_FAILED], 0, reason);
}

static void
on_realize(GtkGLArea *area, CxuiSliceView *self)
{
    g_autoptr(GError) error = NULL;

    gtk_gl_area_make_current(area);
    if (gtk_gl_area_get_error(area) != NULL) {
        fail_gl(self, gtk_gl_area_get_error(area)->message);
        return;
    }
    cxui_about_note_renderer(GTK_WIDGET(self),
                             (const char *)glGetString(GL_RENDERER));
    self->overlay_renderer = cxgl_overlay_renderer_new(&error);
    if (self->overlay_renderer != NULL)
        self->renderer = cxgl_slice_renderer_new(
            cxui_segment_look_table(self->look), &error);
    if (self->renderer == NULL)
        fail_gl(self, error->message);
}

static void
on_unrealize(GtkGLArea *area, CxuiSliceView *self)
{
    gtk_gl_area_make_current(area);
    if (gtk_gl_area_get_error(area) != NULL)
        return;
    g_clear_pointer(&self->renderer, cxgl_slice_renderer_free);
    g_clear_pointer(&self->overlay_renderer, cxgl_overlay_renderer_free);
}

static void
redraw(CxuiSliceView *self)
{
    gtk_gl_area_queue_render(GTK_GL_AREA(self->area));
}

/* "xy   z 122 / 250   ×1.5", and the same for those who do not see it. */
static void
update_title(CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxBox bounds = cxui_view_state_bounds(view);
    if (cx_box_is_empty(bounds))
        return;

    unsigned depth = cxgl_axis_depth(self->axis);
    unsigned right = cxgl_axis_right(self->axis);
    CxVoxel at = cxui_view_state_voxel(view);
    double magnification = cxgl_nm_get(cxui_view_state_voxel_nm(view), right) /
                           cxui_view_state_zoom(view);
    g_autofree char *text = g_strdup_printf(
        "%s   %c %" G_GINT64_FORMAT " / %" G_GINT64_FORMAT "   ×%.3g",
        axis_names[self->axis], "xyz"[depth], voxel_component(at, depth),
        voxel_component(bounds.hi, depth), magnification);
    gtk_label_set_text(GTK_LABEL(self->title), text);

    g_autofree char *where = cxui_format_voxel(at);
    CxId current =
        cxui_selection_current(cxui_session_selection(self->session));
    g_autofree char *id = cxui_format_plain_id(current);
    g_autofree char *said =
        g_strdup_printf("%s slice at %s, %s%s", axis_names[self->axis], where,
                        current != 0 ? "selected segment " : "nothing selected",
                        current != 0 ? id : "");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->area),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, said, -1);
}

static void
on_view_changed(CxuiViewState *view, guint flags, CxuiSliceView *self)
{
    update_title(self);
    if (flags & (CXUI_VIEW_POSITION | CXUI_VIEW_ZOOM))
        cxui_slice_view_point(self);
    cxui_slice_view_follow_field(self);
    redraw(self);
}

static void
on_volumes_changed(CxuiSession *session, CxuiSliceView *self)
{
    read_grids(self);
    update_title(self);
    redraw(self);
}

static void
on_chunks_changed(CxuiSession *session, CxuiSliceView *self)
{
    if (self->stats.complete)
        return;
    redraw(self);
}

/* Levels of a volume may have grown, labels may be new. */
static void
on_block_segmented(CxuiSession *session, CxBox *box, CxuiSliceView *self)
{
    read_grids(self);
    if (self->renderer != NULL)
        cxgl_slice_renderer_invalidate(self->renderer);
    redraw(self);
}

static void
show_mode(CxuiSliceView *self, CxuiTool tool)
{
    GtkWidget *widget = GTK_WIDGET(self);

    gtk_widget_remove_css_class(widget, "merge");
    gtk_widget_remove_css_class(widget, "split");
    if (tool == CXUI_TOOL_MERGE)
        gtk_widget_add_css_class(widget, "merge");
    if (tool == CXUI_TOOL_SPLIT)
        gtk_widget_add_css_class(widget, "split");
    gtk_widget_set_cursor_from_name(
        self->area, tool == CXUI_TOOL_POINTER ? "default" : "crosshair");
}

static void
on_selection_changed(CxuiSelection *selection, guint flags, CxuiSliceView *self)
{
    if (flags & CXUI_SELECTION_TOOL)
        show_mode(self, cxui_selection_tool(selection));
    if (flags & CXUI_SELECTION_IDS)
        update_title(self);
    redraw(self);
}

void
cxui_slice_view_point(CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxuiSelection *selection = cxui_session_selection(self->session);
    CxId supervoxel = 0;
    CxId segment = 0;

    if (!self->pointer_inside || !cxui_session_is_open(self->session))
        return;
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);
    CxVoxel at = cxui_view_state_nm_to_voxel(
        view,
        cxgl_slice_camera_nm_at(&camera, self->pointer_x, self->pointer_y));
    gboolean inside = cx_box_contains(cxui_view_state_bounds(view), at);
    if (inside && !cxui_session_pick(self->session, at, &supervoxel, &segment))
        segment = 0;
    cxui_selection_set_hover(selection, segment);
    g_signal_emit(self, signals[POINTED], 0, inside, &at, segment);
}

CxglAxis
cxui_slice_view_axis(CxuiSliceView *self)
{
    return self->axis;
}

void
cxui_slice_view_set_raw(CxuiSliceView *self, bool raw)
{
    if (self->raw == raw)
        return;
    self->raw = raw;
    redraw(self);
}

void
cxui_slice_view_step(CxuiSliceView *self, int64_t slices)
{
    cxui_view_state_step(cxui_session_view(self->session),
                         cxgl_axis_depth(self->axis), slices);
}

void
cxui_slice_view_zoom(CxuiSliceView *self, double factor)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);
    double x = self->pointer_inside ? self->pointer_x : camera.width / 2.0;
    double y = self->pointer_inside ? self->pointer_y : camera.height / 2.0;

    CxNm before = cxgl_slice_camera_nm_at(&camera, x, y);
    cxui_view_state_set_zoom(view, camera.nm_per_px / factor);
    camera.nm_per_px = cxui_view_state_zoom(view);
    CxNm after = cxgl_slice_camera_nm_at(&camera, x, y);
    CxNm centre = camera.centre;
    centre.x += before.x - after.x;
    centre.y += before.y - after.y;
    centre.z += before.z - after.z;
    cxui_view_state_set_position_nm(view, centre);
}

void
cxui_slice_view_fit(CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);
    CxBox bounds = cxui_view_state_bounds(view);
    CxNm nm = cxui_view_state_voxel_nm(view);
    CxNm offset = cxui_view_state_offset_nm(view);

    if (cx_box_is_empty(bounds) || camera.width < 2 || camera.height < 2)
        return;
    cxgl_slice_camera_fit(&camera, cx_voxel_to_nm(bounds.lo, nm, offset),
                          cx_voxel_to_nm(bounds.hi, nm, offset), 0.02);
    cxui_view_state_set_zoom(view, camera.nm_per_px);
    cxui_view_state_set_position_nm(view, camera.centre);
}

CxBox
cxui_slice_view_field(CxuiSliceView *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    CxglSliceCamera camera = cxui_slice_view_camera(self, 1);
    CxNm lo;
    CxNm hi;

    cxgl_slice_camera_bounds(&camera, &lo, &hi);
    CxBox box = {cxui_view_state_nm_to_voxel(view, lo),
                 cxui_view_state_nm_to_voxel(view, hi)};
    box.hi.x++;
    box.hi.y++;
    box.hi.z++;
    return cx_box_intersect(box, cxui_view_state_bounds(view));
}

void
cxui_slice_view_set_active(CxuiSliceView *self, bool active)
{
    if (active)
        gtk_widget_add_css_class(GTK_WIDGET(self), "active");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self), "active");
}

void
cxui_slice_view_set_box(CxuiSliceView *self, const CxBox *box)
{
    self->has_box = box != NULL;
    if (box != NULL)
        self->box = *box;
    redraw(self);
}

const CxglSliceStats *
cxui_slice_view_stats(CxuiSliceView *self)
{
    return &self->stats;
}

size_t
cxui_slice_view_gpu_bytes(CxuiSliceView *self)
{
    return self->renderer != NULL
               ? cxgl_slice_renderer_gpu_bytes(self->renderer)
               : 0;
}

double
cxui_slice_view_frame_ms(CxuiSliceView *self)
{
    return self->frame_ms;
}

static void
follow_session(CxuiSliceView *self)
{
    CxuiSession *session = self->session;

    g_signal_connect_object(session, "volumes-changed",
                            G_CALLBACK(on_volumes_changed), self, 0);
    g_signal_connect_object(session, "chunks-changed",
                            G_CALLBACK(on_chunks_changed), self, 0);
    g_signal_connect_object(session, "block-segmented",
                            G_CALLBACK(on_block_segmented), self, 0);
    g_signal_connect_object(cxui_session_view(session), "changed",
                            G_CALLBACK(on_view_changed), self, 0);
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    g_signal_connect_object(self->look, "changed", G_CALLBACK(redraw), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_settings(session),
                            "notify::show-cross-hair", G_CALLBACK(redraw), self,
                            G_CONNECT_SWAPPED);
    cxui_slice_view_follow_prediction(self);
    cxui_slice_view_follow_grower(self);
}

GtkWidget *
cxui_slice_view_new(CxuiSession *session, CxuiSegmentLook *look, CxuiHand *hand,
                    CxglAxis axis)
{
    CxuiSliceView *self = g_object_new(CXUI_TYPE_SLICE_VIEW, NULL);

    self->session = g_object_ref(session);
    self->look = g_object_ref(look);
    self->hand = g_object_ref(hand);
    self->axis = axis;
    follow_session(self);
    cxui_slice_view_add_gestures(self);
    read_grids(self);
    update_title(self);
    return GTK_WIDGET(self);
}

static void
cxui_slice_view_dispose(GObject *object)
{
    CxuiSliceView *self = CXUI_SLICE_VIEW(object);

    g_clear_pointer(&self->overlay, gtk_widget_unparent);
    g_clear_object(&self->session);
    g_clear_object(&self->look);
    g_clear_object(&self->hand);
    G_OBJECT_CLASS(cxui_slice_view_parent_class)->dispose(object);
}

static void
cxui_slice_view_finalize(GObject *object)
{
    CxuiSliceView *self = CXUI_SLICE_VIEW(object);

    cxgl_overlay_free(self->shapes);
    g_array_unref(self->wanted);
    G_OBJECT_CLASS(cxui_slice_view_parent_class)->finalize(object);
}

static void
cxui_slice_view_init(CxuiSliceView *self)
{
    self->shapes = cxgl_overlay_new();
    self->wanted = g_array_new(FALSE, FALSE, sizeof(CxChunkKey));
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_gl_area_set_required_version(GTK_GL_AREA(self->area), 3, 3);
    g_signal_connect(self->area, "realize", G_CALLBACK(on_realize), self);
    g_signal_connect(self->area, "unrealize", G_CALLBACK(on_unrealize), self);
    g_signal_connect(self->area, "render", G_CALLBACK(on_render), self);
}

static void
cxui_slice_view_class_init(CxuiSliceViewClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);
    GType type = G_TYPE_FROM_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_slice_view_dispose;
    G_OBJECT_CLASS(klass)->finalize = cxui_slice_view_finalize;
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
        widget_class, "/org/connexon/Connexon/slice_view.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_bind_template_child(widget_class, CxuiSliceView, overlay);
    gtk_widget_class_bind_template_child(widget_class, CxuiSliceView, area);
    gtk_widget_class_bind_template_child(widget_class, CxuiSliceView, title);
    gtk_widget_class_bind_template_child(widget_class, CxuiSliceView,
                                         scale_label);
    gtk_widget_class_bind_template_child(widget_class, CxuiSliceView, note);
}
