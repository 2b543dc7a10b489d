/* How image and segments are drawn.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/layer_panel.h"

#include "app/views/prediction_group.h"

/* Controls in the order of the table below. */
enum {
    IMAGE_VISIBLE,
    INVERT,
    SMOOTH,
    LABELS_VISIBLE,
    BORDERS,
    ONLY_SELECTED,
    SLICES_IN_SCENE,
    CONTRAST_LOW,
    CONTRAST_HIGH,
    GAMMA,
    OPACITY,
    DIM,
    N_CONTROLS,
};

static const struct {
    const char *child;    /* name in the template */
    const char *property; /* of the view state */
    bool is_scale;
} controls[N_CONTROLS] = {
    [IMAGE_VISIBLE] = {"image_visible", "image-visible", false},
    [INVERT] = {"invert", "invert", false},
    [SMOOTH] = {"smooth", "smooth", false},
    [LABELS_VISIBLE] = {"labels_visible", "labels-visible", false},
    [BORDERS] = {"borders", "borders", false},
    [ONLY_SELECTED] = {"only_selected", "only-selected", false},
    [SLICES_IN_SCENE] = {"slices_in_scene", "slices-in-scene", false},
    [CONTRAST_LOW] = {"contrast_low", "contrast-low", true},
    [CONTRAST_HIGH] = {"contrast_high", "contrast-high", true},
    [GAMMA] = {"gamma", "gamma", true},
    [OPACITY] = {"opacity", "opacity", true},
    [DIM] = {"dim", "dim", true},
};

struct _CxuiLayerPanel {
    GtkWidget parent;
    GtkWidget *scrolled;
    GtkWidget *prediction;
    GtkWidget *reset;
    CxuiSession *session; /* owned reference */
};

G_DEFINE_FINAL_TYPE(CxuiLayerPanel, cxui_layer_panel, GTK_TYPE_WIDGET)

static void
on_reset(GtkButton *button, CxuiLayerPanel *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    g_autoptr(CxuiViewState) fresh = cxui_view_state_new();

    cxui_view_state_set_layers(view, cxui_view_state_layers(fresh));
}

GtkWidget *
cxui_layer_panel_new(CxuiSession *session)
{
    CxuiLayerPanel *self = g_object_new(CXUI_TYPE_LAYER_PANEL, NULL);
    CxuiViewState *view = cxui_session_view(session);

    self->session = g_object_ref(session);
    for (int i = 0; i < N_CONTROLS; i++) {
        GObject *child = gtk_widget_get_template_child(
            GTK_WIDGET(self), CXUI_TYPE_LAYER_PANEL, controls[i].child);
        GObject *target =
            controls[i].is_scale
                ? G_OBJECT(gtk_range_get_adjustment(GTK_RANGE(child)))
                : child;
        g_object_bind_property(view, controls[i].property, target,
                               controls[i].is_scale ? "value" : "active",
                               G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL);
    }
    cxui_prediction_group_set_session(CXUI_PREDICTION_GROUP(self->prediction),
                                      session);
    return GTK_WIDGET(self);
}

static void
cxui_layer_panel_dispose(GObject *object)
{
    CxuiLayerPanel *self = CXUI_LAYER_PANEL(object);

    g_clear_pointer(&self->scrolled, gtk_widget_unparent);
    g_clear_object(&self->session);
    G_OBJECT_CLASS(cxui_layer_panel_parent_class)->dispose(object);
}

static void
cxui_layer_panel_init(CxuiLayerPanel *self)
{
    g_type_ensure(CXUI_TYPE_PREDICTION_GROUP);
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->reset, "clicked", G_CALLBACK(on_reset), self);
}

static void
cxui_layer_panel_class_init(CxuiLayerPanelClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_layer_panel_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/layer_panel.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    for (int i = 0; i < N_CONTROLS; i++)
        gtk_widget_class_bind_template_child_full(widget_class,
                                                  controls[i].child, FALSE, 0);
    gtk_widget_class_bind_template_child(widget_class, CxuiLayerPanel,
                                         scrolled);
    gtk_widget_class_bind_template_child(widget_class, CxuiLayerPanel,
                                         prediction);
    gtk_widget_class_bind_template_child(widget_class, CxuiLayerPanel, reset);
}
