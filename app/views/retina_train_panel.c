/* Training in the background.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_train_panel.h"

#include "app/views/plot_chart.h"
#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiRetinaTrainPanel {
    AdwBin parent;
    CxuiRetinaSession *session;
    GtkWidget *films, *seconds, *epochs, *train, *words, *loss_view, *r_view;
    CxuiChart *loss, *r;
};

G_DEFINE_FINAL_TYPE(CxuiRetinaTrainPanel, cxui_retina_train_panel, ADW_TYPE_BIN)

static void
show_curves(CxuiRetinaTrainPanel *self, const CxRetinaEpoch *epochs, size_t n)
{
    g_autofree double *train = g_new0(double, n + 1);
    g_autofree double *valid = g_new0(double, n + 1);
    g_autofree double *r = g_new0(double, n + 1);

    for (size_t i = 0; i < n; i++) {
        train[i] = epochs[i].train_loss;
        valid[i] = epochs[i].valid_loss;
        r[i] = epochs[i].valid_r;
    }
    CxuiSeries series[] = {
        {.name = "training", .colour = 0, .y = train},
        {.name = "held out", .colour = 1, .y = valid},
        {.name = NULL, .colour = 2, .y = r},
    };
    cxui_chart_clear(self->loss);
    cxui_chart_clear(self->r);
    for (int i = 0; i < 3 && n > 0; i++) {
        series[i].mark = CXUI_MARK_LINE_POINTS;
        series[i].x0 = 1.0;
        series[i].step = 1.0;
        series[i].n = n;
        cxui_chart_add(i < 2 ? self->loss : self->r, &series[i]);
    }
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->loss_view));
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->r_view));
}

static void
show(CxuiRetinaTrainPanel *self)
{
    size_t n = 0;
    const CxRetinaEpoch *epochs = cxui_retina_session_epochs(self->session, &n);
    bool running = cxui_retina_session_is_training(self->session);

    show_curves(self, epochs, n);
    gtk_button_set_label(GTK_BUTTON(self->train),
                         running ? "Stop and Keep" : "Train");
    if (n == 0) {
        cxui_part_say(self->words, running ? "Drawing films…" : "");
        return;
    }
    const CxRetinaEpoch *last = &epochs[n - 1];
    g_autofree char *text = g_strdup_printf(
        "Epoch %u of %u · r on held-out films %.3f · %.0f windows/s · %.0f s",
        last->epoch + 1, last->n_epochs, last->valid_r, last->windows_per_s,
        last->seconds);
    cxui_part_say(self->words, text);
}

static void
on_train(GtkButton *button, CxuiRetinaTrainPanel *self)
{
    CxuiRetinaTraining training = {
        .natural = gtk_drop_down_get_selected(GTK_DROP_DOWN(self->films)) == 1,
        .seconds = (unsigned)gtk_range_get_value(GTK_RANGE(self->seconds)),
        .epochs = (unsigned)gtk_range_get_value(GTK_RANGE(self->epochs)),
        .seed = 1,
    };

    if (cxui_retina_session_is_training(self->session))
        cxui_retina_session_cancel_training(self->session);
    else
        cxui_retina_session_train(self->session, &training);
}

GtkWidget *
cxui_retina_train_panel_new(CxuiRetinaSession *session, CxuiReplayClock *clock)
{
    static const char *const films[] = {"Mixture: natural, bars, steps",
                                        "Natural films alone", NULL};
    CxuiRetinaTrainPanel *self =
        g_object_new(CXUI_TYPE_RETINA_TRAIN_PANEL, NULL);
    GtkWidget *box = cxui_part_column();

    self->session = g_object_ref(session);
    self->films = cxui_part_choice(box, "Films", films);
    self->seconds =
        cxui_part_scale(box, "Length of the films", "s", 60, 1920, 60, 0);
    gtk_range_set_value(GTK_RANGE(self->seconds), 480);
    self->epochs = cxui_part_scale(box, "Epochs", "", 2, 40, 1, 0);
    gtk_range_set_value(GTK_RANGE(self->epochs), 12);
    self->train = cxui_part_button(box, "Train");
    gtk_widget_add_css_class(self->train, "suggested-action");
    self->words = cxui_part_text(box, "", false);
    self->loss = cxui_chart_new("Poisson loss", "Epoch", "r − y log r");
    cxui_chart_set_empty(self->loss, "Not trained yet");
    self->r = cxui_chart_new("Pearson's r on held-out films", "Epoch", NULL);
    cxui_chart_set_y_range(self->r, 0.0, 1.0);
    cxui_chart_set_empty(self->r, "Not trained yet");
    self->loss_view = cxui_part_plot(box, cxui_chart_figure(self->loss),
                                     "Loss over epochs", 160);
    self->r_view = cxui_part_plot(box, cxui_chart_figure(self->r),
                                  "Correlation over epochs", 130);
    cxui_part_text(box,
                   "A network of x and time alone, 8 and 8 channels, learns "
                   "the rates of the simulated retina. What a model has never "
                   "seen it may not predict: compare the two kinds of film.",
                   true);
    adw_bin_set_child(ADW_BIN(self), cxui_part_scrolled(box, 300));
    g_signal_connect(self->train, "clicked", G_CALLBACK(on_train), self);
    g_signal_connect_object(session, "training-changed", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_RETINA_TRAIN_PANEL(object)->session);
    G_OBJECT_CLASS(cxui_retina_train_panel_parent_class)->dispose(object);
}

static void
cxui_retina_train_panel_class_init(CxuiRetinaTrainPanelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_train_panel_init(CxuiRetinaTrainPanel *self)
{
}
