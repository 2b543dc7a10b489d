/* Switch, channel, opacity and state of the live prediction.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/prediction_group.h"

#include "app/session/prediction_map.h"
#include "app/views/bindings.h"

struct _CxuiPredictionGroup {
    GtkWidget parent;

    /* template */
    GtkWidget *box;
    GtkWidget *active;
    GtkWidget *spinner;
    GtkWidget *status;
    GtkWidget *details;
    GtkWidget *channel;
    GtkWidget *opacity;
    GtkWidget *gamma;
    GtkWidget *model;
    GtkWidget *warning;

    CxuiSession *session; /* owned reference */
    CxNetwork *listed;    /* whose channels are listed, or NULL */
    bool filling;         /* the list of channels changes by itself */
};

G_DEFINE_FINAL_TYPE(CxuiPredictionGroup, cxui_prediction_group, GTK_TYPE_WIDGET)

static CxuiSettings *
settings_of(CxuiPredictionGroup *self)
{
    return cxui_session_settings(self->session);
}

static void
show_status(CxuiPredictionGroup *self)
{
    CxuiPrediction *prediction = cxui_session_prediction(self->session);
    g_autofree char *text = cxui_prediction_dup_status(prediction);
    bool busy = cxui_prediction_is_busy(prediction);

    gtk_label_set_text(GTK_LABEL(self->status), text);
    gtk_widget_set_visible(self->status, text[0] != '\0');
    gtk_spinner_set_spinning(GTK_SPINNER(self->spinner), busy);
    gtk_widget_set_visible(self->spinner, busy);
}

/* What the user should know of the model before trusting it. */
static char *
dup_warning(CxuiPredictionGroup *self)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(self->session);
    const CxuiModelInfo *info = cxui_segmenter_info(segmenter);
    g_autofree char *voxels = cxui_segmenter_dup_warning(segmenter);
    bool own = info != NULL && info->non_commercial;

    if (voxels == NULL && !own)
        return NULL;
    return g_strdup_printf("%s%s%s", voxels != NULL ? voxels : "",
                           voxels != NULL && own ? ".\n" : "",
                           own ? "This model is not for commercial use" : "");
}

static void
show_model(CxuiPredictionGroup *self)
{
    const CxuiModelInfo *info =
        cxui_segmenter_info(cxui_session_segmenter(self->session));
    g_autofree char *warning = dup_warning(self);
    g_autofree char *label =
        g_strdup_printf("Model: %s…", info != NULL ? info->title : "none");

    gtk_button_set_label(GTK_BUTTON(self->model), label);
    gtk_widget_set_visible(self->warning, warning != NULL);
    gtk_label_set_text(GTK_LABEL(self->warning),
                       warning != NULL ? warning : "");
}

/* Row 0 is the boundary; the network's own channels follow, if it has more
 * than one. */
static void
list_channels(CxuiPredictionGroup *self, CxNetwork *network)
{
    g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);
    unsigned n = network != NULL ? cx_network_n_outputs(network) : 0;

    gtk_string_list_append(names, "Boundary");
    for (unsigned c = 0; n > 1 && c < n; c++)
        gtk_string_list_take(names,
                             cxui_prediction_dup_channel_name(network, (int)c));
    gtk_drop_down_set_model(GTK_DROP_DOWN(self->channel), G_LIST_MODEL(names));
    gtk_widget_set_sensitive(self->channel, n > 1);
}

/* The list stays while the network does: it may be what changes. */
static void
show_channels(CxuiPredictionGroup *self)
{
    CxNetwork *network =
        cxui_prediction_network(cxui_session_prediction(self->session));
    GListModel *names;
    int channel;

    self->filling = true;
    if (network != self->listed || network == NULL) {
        g_clear_pointer(&self->listed, cx_network_unref);
        self->listed = network != NULL ? cx_network_ref(network) : NULL;
        list_channels(self, network);
    }
    g_object_get(settings_of(self), "prediction-channel", &channel, NULL);
    names = gtk_drop_down_get_model(GTK_DROP_DOWN(self->channel));
    if (channel + 1 >= (int)g_list_model_get_n_items(names))
        channel = CXUI_SHOW_BOUNDARY;
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->channel),
                               (guint)(channel + 1));
    self->filling = false;
}

static void
on_channel(GtkDropDown *drop, GParamSpec *spec, CxuiPredictionGroup *self)
{
    guint row = gtk_drop_down_get_selected(drop);

    if (!self->filling && row != GTK_INVALID_LIST_POSITION)
        g_object_set(settings_of(self), "prediction-channel", (int)row - 1,
                     NULL);
}

static void
show_all(CxuiPredictionGroup *self)
{
    show_status(self);
    show_model(self);
}

static void
on_look_changed(CxuiPredictionGroup *self)
{
    show_channels(self);
    show_all(self);
}

void
cxui_prediction_group_set_session(CxuiPredictionGroup *self,
                                  CxuiSession *session)
{
    GBindingFlags both = G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL;
    CxuiSegmenter *segmenter = cxui_session_segmenter(session);
    g_autofree char *tooltip = cxui_bindings_dup_tooltip("win.live-prediction");

    self->session = g_object_ref(session);
    gtk_widget_set_tooltip_text(self->active, tooltip);
    g_object_bind_property(settings_of(self), "live-prediction", self->active,
                           "active", both);
    g_object_bind_property(settings_of(self), "live-prediction", self->details,
                           "visible", G_BINDING_SYNC_CREATE);
    g_object_bind_property(settings_of(self), "prediction-opacity",
                           gtk_range_get_adjustment(GTK_RANGE(self->opacity)),
                           "value", both);
    g_object_bind_property(settings_of(self), "prediction-gamma",
                           gtk_range_get_adjustment(GTK_RANGE(self->gamma)),
                           "value", both);
    g_signal_connect_object(cxui_session_prediction(session), "notify::status",
                            G_CALLBACK(show_status), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_prediction(session), "look-changed",
                            G_CALLBACK(on_look_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(segmenter, "notify::model", G_CALLBACK(show_all),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(segmenter, "notify::models-read",
                            G_CALLBACK(show_all), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "volumes-changed", G_CALLBACK(show_all),
                            self, G_CONNECT_SWAPPED);
    on_look_changed(self);
}

static void
cxui_prediction_group_dispose(GObject *object)
{
    CxuiPredictionGroup *self = CXUI_PREDICTION_GROUP(object);

    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_object(&self->session);
    g_clear_pointer(&self->listed, cx_network_unref);
    G_OBJECT_CLASS(cxui_prediction_group_parent_class)->dispose(object);
}

static void
cxui_prediction_group_init(CxuiPredictionGroup *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->channel, "notify::selected", G_CALLBACK(on_channel),
                     self);
}

static void
cxui_prediction_group_class_init(CxuiPredictionGroupClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_prediction_group_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/prediction_group.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiPredictionGroup,    \
                                         name)
    BIND(box);
    BIND(active);
    BIND(spinner);
    BIND(status);
    BIND(details);
    BIND(channel);
    BIND(opacity);
    BIND(gamma);
    BIND(model);
    BIND(warning);
#undef BIND
}
