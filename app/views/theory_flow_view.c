/* Pruning.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/theory_flow_view.h"

#include "app/session/theory_flow.h"
#include "app/views/plot_chart.h"
#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiTheoryFlowView {
    AdwBin parent;
    CxuiTheoryFlow *model;
    GtkWidget *net, *measure, *compression, *scorer, *figures;
    CxuiChart *collapse, *layers, *neurons;
    GtkWidget *collapse_view, *layers_view, *neurons_view;
};

G_DEFINE_FINAL_TYPE(CxuiTheoryFlowView, cxui_theory_flow_view, ADW_TYPE_BIN)

static const char *const scorer_titles[CX_N_SCORERS] = {
    [CX_SCORER_SYNFLOW] = "SynFlow", [CX_SCORER_MAGNITUDE] = "magnitude",
    [CX_SCORER_RANDOM] = "random",   [CX_SCORER_SNIP] = "SNIP",
    [CX_SCORER_GRASP] = "GraSP",
};

static double
compression_of(CxuiTheoryFlowView *self)
{
    return pow(10.0, gtk_range_get_value(GTK_RANGE(self->compression)));
}

static double
least_share(const CxCollapse *collapse, const CxCollapsePoint *point)
{
    double least = 1.0;

    for (unsigned l = 0; l < point->n_layers; l++)
        least = fmin(least,
                     (double)point->n_kept[l] / (double)collapse->n_weights[l]);
    return least;
}

/* The emptiest layer's share over compression; on the floor: a layer is
 * empty, and nothing passes through the network any more. */
static void
show_collapse(CxuiTheoryFlowView *self, const CxuiFlowResult *result)
{
    const CxCollapse *collapse = result->collapse;
    const double floor_share = 1e-6;

    cxui_chart_clear(self->collapse);
    for (unsigned s = 0; s < CX_N_SCORERS; s++) {
        g_autofree double *x = g_new0(double, collapse->n_points);
        g_autofree double *y = g_new0(double, collapse->n_points);
        size_t n = 0;
        for (unsigned i = 0; i < collapse->n_points; i++) {
            const CxCollapsePoint *point = &collapse->points[i];
            if ((unsigned)point->scorer != s)
                continue;
            x[n] = point->compression;
            y[n++] = fmax(least_share(collapse, point), floor_share);
        }
        CxuiSeries series = {.name = scorer_titles[s],
                             .mark = CXUI_MARK_LINE_POINTS,
                             .colour = (int)s,
                             .x = x,
                             .y = y,
                             .n = n,
                             .thick = s == CX_SCORER_SYNFLOW,
                             .dashed = s != CX_SCORER_SYNFLOW};
        cxui_chart_add(self->collapse, &series);
    }
    cxui_chart_mark_y(self->collapse, floor_share, "a layer is empty",
                      CXUI_COLOUR_WARNING);
    cxui_chart_mark_x(self->collapse, compression_of(self), "chosen",
                      CXUI_COLOUR_TEXT);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->collapse_view));
}

static const CxCollapsePoint *
find_point(const CxCollapse *collapse, CxScorer scorer, double compression)
{
    const CxCollapsePoint *found = NULL;
    double best = INFINITY;

    for (unsigned i = 0; i < collapse->n_points; i++) {
        const CxCollapsePoint *point = &collapse->points[i];
        double off = fabs(log(point->compression / compression));
        if (point->scorer == scorer && off < best) {
            best = off;
            found = point;
        }
    }
    return found;
}

static void
show_layers(CxuiTheoryFlowView *self, const CxuiFlowResult *result)
{
    const CxCollapse *collapse = result->collapse;
    CxScorer scorer =
        (CxScorer)gtk_drop_down_get_selected(GTK_DROP_DOWN(self->scorer));
    const CxCollapsePoint *point =
        find_point(collapse, scorer, compression_of(self));
    g_autofree double *shares = g_new0(double, collapse->n_layers);
    g_autofree int *colours = g_new0(int, collapse->n_layers);

    if (point == NULL)
        return;
    for (unsigned l = 0; l < collapse->n_layers; l++) {
        shares[l] =
            100.0 * (double)point->n_kept[l] / (double)collapse->n_weights[l];
        colours[l] = (int)scorer;
    }
    CxuiSeries series = {.mark = CXUI_MARK_BARS,
                         .colours = colours,
                         .step = 1.0,
                         .y = shares,
                         .n = collapse->n_layers};
    g_autofree char *title = g_strdup_printf(
        "Weights left at ρ = %.4g by %s%s", point->compression,
        scorer_titles[scorer], point->n_empty > 0 ? " — a layer is empty" : "");
    cxui_figure_set_title(cxui_chart_figure(self->layers), title);
    cxui_chart_clear(self->layers);
    cxui_chart_set_categories(
        self->layers, (const char *const *)collapse->names, collapse->n_layers);
    cxui_chart_add(self->layers, &series);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->layers_view));
}

static void
show_neurons(CxuiTheoryFlowView *self, const CxuiFlowResult *result)
{
    size_t n = result->n_neurons;
    g_autofree double *x = g_new0(double, n + 1);
    g_autofree double *y = g_new0(double, n + 1);
    double low = INFINITY;
    double high = 0.0;
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        if (!(result->neurons[i].in > 0.0) || !(result->neurons[i].out > 0.0))
            continue;
        x[m] = result->neurons[i].in;
        y[m] = result->neurons[i].out;
        low = fmin(low, x[m]);
        high = fmax(high, x[m]);
        m++;
    }
    double diagonal[] = {low, high};
    CxuiSeries line = {.mark = CXUI_MARK_LINE,
                       .colour = CXUI_COLOUR_DIM,
                       .x = diagonal,
                       .y = diagonal,
                       .n = m > 0 ? 2 : 0};
    CxuiSeries points = {
        .mark = CXUI_MARK_POINTS, .colour = 0, .x = x, .y = y, .n = m};
    g_autofree char *note =
        g_strdup_printf("largest difference %.1e", result->conservation_error);
    cxui_chart_clear(self->neurons);
    cxui_chart_add(self->neurons, &line);
    cxui_chart_add(self->neurons, &points);
    cxui_figure_set_note(cxui_chart_figure(self->neurons), note);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->neurons_view));
}

static void
show_figures(CxuiTheoryFlowView *self, const CxuiFlowResult *result)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (result != NULL) {
        g_string_append_printf(text, "Critical compression (largest: %.4g)",
                               result->collapse->largest);
        for (unsigned s = 0; s < CX_N_SCORERS; s++)
            g_string_append_printf(text, "\n%s: %.4g", scorer_titles[s],
                                   result->collapse->critical[s]);
    }
    cxui_part_say(self->figures, text->str);
    gtk_button_set_label(GTK_BUTTON(self->measure),
                         cxui_theory_flow_is_running(self->model) ? "Cancel"
                                                                  : "Prune");
}

static void
show(CxuiTheoryFlowView *self)
{
    const CxuiFlowResult *result = cxui_theory_flow_result(self->model);

    show_figures(self, result);
    if (result == NULL)
        return;
    show_collapse(self, result);
    show_layers(self, result);
    show_neurons(self, result);
}

static void
on_changed(CxuiTheoryFlow *model, CxuiTheoryFlowView *self)
{
    const CxuiFlowResult *result = cxui_theory_flow_result(model);

    if (result != NULL)
        gtk_range_set_range(GTK_RANGE(self->compression), 0.0,
                            fmax(log10(result->collapse->largest), 0.1));
    show(self);
}

static void
on_compression(GtkRange *range, CxuiTheoryFlowView *self)
{
    show(self);
}

static void
on_scorer(GtkDropDown *choice, GParamSpec *spec, CxuiTheoryFlowView *self)
{
    show(self);
}

static void
on_measure(GtkButton *button, CxuiTheoryFlowView *self)
{
    cxui_theory_flow_view_play(self);
}

void
cxui_theory_flow_view_play(CxuiTheoryFlowView *self)
{
    guint net = gtk_drop_down_get_selected(GTK_DROP_DOWN(self->net));

    if (cxui_theory_flow_is_running(self->model))
        cxui_theory_flow_cancel(self->model);
    else
        cxui_theory_flow_measure(self->model, (CxuiFlowNet)net);
}

void
cxui_theory_flow_view_stop(CxuiTheoryFlowView *self)
{
    cxui_theory_flow_stop(self->model);
}

static GtkWidget *
new_controls(CxuiTheoryFlowView *self)
{
    static const char *const scorers[] = {"SynFlow", "Magnitude", "Random",
                                          "SNIP",    "GraSP",     NULL};
    const char *const nets[] = {cxui_theory_flow_net_title(CXUI_FLOW_MLP),
                                cxui_theory_flow_net_title(CXUI_FLOW_LENET),
                                NULL};
    GtkWidget *box = cxui_part_column();

    cxui_part_heading(box, "Network");
    self->net = cxui_part_choice(box, "Network to prune", nets);
    self->measure = cxui_part_button(box, "Prune");
    gtk_widget_add_css_class(self->measure, "suggested-action");
    cxui_part_heading(box, "Look at");
    self->scorer = cxui_part_choice(box, "Scorer", scorers);
    self->compression =
        cxui_part_scale(box, "Compression log₁₀ ρ", "", 0.0, 5.0, 0.05, 2);
    gtk_range_set_value(GTK_RANGE(self->compression), 2.0);
    self->figures = cxui_part_text(box, "", false);
    cxui_part_text(box,
                   "After Tanaka et al. (2020), for teaching. The method is "
                   "described in US patent 12406185.",
                   true);
    g_signal_connect(self->measure, "clicked", G_CALLBACK(on_measure), self);
    g_signal_connect(self->compression, "value-changed",
                     G_CALLBACK(on_compression), self);
    g_signal_connect(self->scorer, "notify::selected", G_CALLBACK(on_scorer),
                     self);
    return cxui_part_scrolled(box, 250);
}

GtkWidget *
cxui_theory_flow_view_new(CxuiSession *session)
{
    CxuiTheoryFlowView *self = g_object_new(CXUI_TYPE_THEORY_FLOW_VIEW, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    GtkWidget *plots = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

    self->model = cxui_theory_flow_new(session);
    self->collapse =
        cxui_chart_new("Layer collapse", "Compression ρ = before / after",
                       "Share of weights left in the emptiest layer");
    cxui_chart_set_log(self->collapse, true, true);
    cxui_chart_set_y_range(self->collapse, 5e-7, 1.5);
    cxui_chart_set_empty(self->collapse, "Press Prune to compare five scorers");
    self->layers = cxui_chart_new("Weights left", NULL, "% of the layer");
    cxui_chart_set_empty(self->layers, "—");
    self->neurons = cxui_chart_new("Conservation at each hidden neuron",
                                   "Σ scores in", "Σ scores out");
    cxui_chart_set_log(self->neurons, true, true);
    cxui_chart_set_empty(self->neurons, "—");
    self->collapse_view =
        cxui_part_plot(plots, cxui_chart_figure(self->collapse),
                       "Emptiest layer over compression", 220);
    self->layers_view = cxui_part_plot(row, cxui_chart_figure(self->layers),
                                       "Weights left in each layer", 160);
    self->neurons_view = cxui_part_plot(row, cxui_chart_figure(self->neurons),
                                        "Scores in and out of neurons", 160);
    gtk_box_set_homogeneous(GTK_BOX(row), TRUE);
    gtk_box_append(GTK_BOX(plots), row);
    gtk_widget_set_margin_end(plots, 6);
    gtk_widget_set_margin_bottom(plots, 6);
    gtk_box_append(GTK_BOX(box), new_controls(self));
    gtk_box_append(GTK_BOX(box), plots);
    adw_bin_set_child(ADW_BIN(self), box);
    g_signal_connect_object(self->model, "changed", G_CALLBACK(on_changed),
                            self, 0);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_THEORY_FLOW_VIEW(object)->model);
    G_OBJECT_CLASS(cxui_theory_flow_view_parent_class)->dispose(object);
}

static void
cxui_theory_flow_view_class_init(CxuiTheoryFlowViewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_theory_flow_view_init(CxuiTheoryFlowView *self)
{
}
