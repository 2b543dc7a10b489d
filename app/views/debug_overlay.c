/* F12: figures of loader, caches, jobs and frames.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/debug_overlay.h"

struct _CxuiDebugOverlay {
    GtkWidget parent;
    GtkWidget *label;
    CxuiSession *session; /* owned reference */
    CxuiSliceView *slices[3];
    CxuiSceneView *scene;
    guint timer; /* while shown */
};

G_DEFINE_FINAL_TYPE(CxuiDebugOverlay, cxui_debug_overlay, GTK_TYPE_WIDGET)

#define MIB (1024.0 * 1024.0)

static void
add_slices(CxuiDebugOverlay *self, GString *text)
{
    static const char *const names[] = {"xy", "xz", "yz"};

    for (int i = 0; i < 3 && self->slices[i] != NULL; i++) {
        const CxglSliceStats *stats = cxui_slice_view_stats(self->slices[i]);
        g_string_append_printf(
            text, "%s  %5.1f ms  level %u  %3u tiles  %5.1f MiB  %s\n",
            names[i], cxui_slice_view_frame_ms(self->slices[i]), stats->level,
            stats->n_tiles_uploaded,
            (double)cxui_slice_view_gpu_bytes(self->slices[i]) / MIB,
            stats->complete ? "complete" : "waiting");
    }
}

static void
add_prediction(CxuiDebugOverlay *self, GString *text)
{
    CxuiPrediction *prediction = cxui_session_prediction(self->session);
    CxuiPredictionStats stats = cxui_prediction_stats(prediction);

    if (!cxui_prediction_is_on(prediction))
        return;
    g_string_append_printf(
        text,
        "\nprediction %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
        " tiles missing  %.1f Mvox/s  %.0f MiB  %" G_GUINT64_FORMAT " left",
        stats.n_missing, stats.n_wanted, stats.mvox_per_s,
        (double)stats.used_bytes / MIB, stats.n_cancelled);
}

static gboolean
update(gpointer data)
{
    CxuiDebugOverlay *self = data;
    CxuiSession *session = self->session;
    CxChunkCache *cache = cxui_session_cache(session);
    g_autoptr(GString) text = g_string_new(NULL);

    add_slices(self, text);
    if (self->scene != NULL)
        g_string_append_printf(text, "3-D %5.1f ms  %u triangles  %5.1f MiB\n",
                               cxui_scene_view_frame_ms(self->scene),
                               cxui_scene_view_n_triangles(self->scene),
                               (double)cxui_scene_view_gpu_bytes(self->scene) /
                                   MIB);
    g_string_append_printf(
        text, "chunks %.0f of %.0f MiB  surfaces %.0f MiB\njobs %u pending",
        (double)cx_chunk_cache_used_bytes(cache) / MIB,
        (double)cx_chunk_cache_capacity_bytes(cache) / MIB,
        (double)cxui_mesh_controller_used_bytes(cxui_session_meshes(session)) /
            MIB,
        cx_scheduler_n_pending(cxui_session_scheduler(session)));
    add_prediction(self, text);
    gtk_label_set_text(GTK_LABEL(self->label), text->str);
    return G_SOURCE_CONTINUE;
}

static void
cxui_debug_overlay_map(GtkWidget *widget)
{
    CxuiDebugOverlay *self = CXUI_DEBUG_OVERLAY(widget);

    GTK_WIDGET_CLASS(cxui_debug_overlay_parent_class)->map(widget);
    update(self);
    self->timer = g_timeout_add(250, update, self);
}

static void
cxui_debug_overlay_unmap(GtkWidget *widget)
{
    CxuiDebugOverlay *self = CXUI_DEBUG_OVERLAY(widget);

    g_clear_handle_id(&self->timer, g_source_remove);
    GTK_WIDGET_CLASS(cxui_debug_overlay_parent_class)->unmap(widget);
}

GtkWidget *
cxui_debug_overlay_new(CxuiSession *session)
{
    CxuiDebugOverlay *self = g_object_new(CXUI_TYPE_DEBUG_OVERLAY, NULL);

    self->session = g_object_ref(session);
    return GTK_WIDGET(self);
}

void
cxui_debug_overlay_set_panes(CxuiDebugOverlay *self,
                             CxuiSliceView *const *slices, CxuiSceneView *scene)
{
    for (int i = 0; i < 3; i++)
        self->slices[i] = slices[i];
    self->scene = scene;
}

static void
cxui_debug_overlay_dispose(GObject *object)
{
    CxuiDebugOverlay *self = CXUI_DEBUG_OVERLAY(object);

    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_pointer(&self->label, gtk_widget_unparent);
    g_clear_object(&self->session);
    G_OBJECT_CLASS(cxui_debug_overlay_parent_class)->dispose(object);
}

static void
cxui_debug_overlay_init(CxuiDebugOverlay *self)
{
    GtkWidget *widget = GTK_WIDGET(self);

    self->label = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(self->label), 0);
    gtk_widget_set_parent(self->label, widget);
    gtk_widget_add_css_class(widget, "pane-note");
    gtk_widget_add_css_class(widget, "debug-overlay");
    gtk_widget_set_halign(widget, GTK_ALIGN_START);
    gtk_widget_set_valign(widget, GTK_ALIGN_END);
    gtk_widget_set_can_target(widget, FALSE);
}

static void
cxui_debug_overlay_class_init(CxuiDebugOverlayClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_debug_overlay_dispose;
    widget_class->map = cxui_debug_overlay_map;
    widget_class->unmap = cxui_debug_overlay_unmap;
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
}
