/* The protocol's curve over all its conditions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_sweep_panel.h"

#include "app/views/plot_chart.h"
#include "app/views/plot_map.h"
#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiRetinaSweepPanel {
    AdwBin parent;
    CxuiRetinaSession *session;
    GtkWidget *curve_view, *peak_view, *raster_view, *words;
    CxuiChart *curve, *peak;
    CxuiMap *raster;
};

G_DEFINE_FINAL_TYPE(CxuiRetinaSweepPanel, cxui_retina_sweep_panel, ADW_TYPE_BIN)

static const struct {
    const char *title, *x, *y;
} axes[CX_N_PROTOCOLS] = {
    [CX_PROTOCOL_OSR] = {"Latency of the omitted response",
                         "Period of the flashes (ms)",
                         "From the last flash (ms)"},
    [CX_PROTOCOL_LATENCY] = {"Latency of the step", "Step size (s.d.)",
                             "Latency (ms)"},
    [CX_PROTOCOL_REVERSAL] = {"Burst after the flip", "Place of the flip (px)",
                              "Time after the flip (ms)"},
    [CX_PROTOCOL_ANTICIPATION] = {"Population profile",
                                  "Bar centre from the field's centre (µm)",
                                  "Response"},
};

static void
add_run(CxuiRetinaSweepPanel *self, const CxProtocolRun *run, const char *name,
        int colour)
{
    if (run == NULL || run->result->n_points == 0)
        return;
    const CxProtocolResult *result = run->result;
    size_t n = result->n_points;
    g_autofree double *x = g_new0(double, n);
    g_autofree double *y = g_new0(double, n);
    g_autofree double *sd = g_new0(double, n);
    g_autofree double *peak = g_new0(double, n);
    for (size_t i = 0; i < n; i++) {
        x[i] = result->points[i].x;
        y[i] = isfinite(result->points[i].y_sub_bin)
                   ? result->points[i].y_sub_bin
                   : result->points[i].y;
        sd[i] = result->points[i].sd;
        peak[i] = result->points[i].peak;
    }
    bool profile = result->kind == CX_PROTOCOL_ANTICIPATION;
    CxuiSeries curve = {.name = name,
                        .mark = CXUI_MARK_LINE_POINTS,
                        .colour = colour,
                        .x = x,
                        .y = y,
                        .error = profile ? NULL : sd,
                        .n = n};
    CxuiSeries peaks = {.name = name,
                        .mark = CXUI_MARK_LINE_POINTS,
                        .colour = colour,
                        .x = x,
                        .y = peak,
                        .n = n};
    cxui_chart_add(self->curve, &curve);
    cxui_chart_add(self->peak, &peaks);
}

/* Slope 1: a constant delay after the omitted flash. */
static void
add_slope(CxuiRetinaSweepPanel *self, const CxProtocolRun *run)
{
    const CxProtocolResult *result = run->result;
    double slope = cx_protocol_scalar(result, "slope");
    double mean_x = 0.0;
    double mean_y = 0.0;
    size_t n = 0;
    double x[2] = {INFINITY, -INFINITY};
    double y[2];

    for (size_t i = 0; i < result->n_points; i++) {
        double latency = isfinite(result->points[i].y_sub_bin)
                             ? result->points[i].y_sub_bin
                             : result->points[i].y;
        if (!isfinite(latency))
            continue;
        mean_x += result->points[i].x;
        mean_y += latency;
        x[0] = fmin(x[0], result->points[i].x);
        x[1] = fmax(x[1], result->points[i].x);
        n++;
    }
    if (n < 2 || !isfinite(slope))
        return;
    for (int i = 0; i < 2; i++)
        y[i] = mean_y / (double)n + slope * (x[i] - mean_x / (double)n);
    g_autofree char *name = g_strdup_printf("slope %.2f", slope);
    CxuiSeries line = {.name = name,
                       .mark = CXUI_MARK_LINE,
                       .colour = CXUI_COLOUR_DIM,
                       .x = x,
                       .y = y,
                       .n = 2,
                       .dashed = true};
    cxui_chart_add(self->curve, &line);
}

/* Cells over time, the network's rates in the film that is shown. */
static void
show_raster(CxuiRetinaSweepPanel *self, const CxProtocolRun *run)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    const CxProtocol *protocol = run->protocol;
    size_t i = replay != NULL ? replay->options.condition : 0;

    gtk_widget_set_visible(self->raster_view, protocol->n_cells > 1);
    if (protocol->n_cells < 2 || i >= protocol->n_conditions)
        return;
    const CxProtocolCondition *condition = &protocol->conditions[i];
    size_t n_frames = condition->movie->n_frames;
    size_t n_cells = protocol->n_cells;
    g_autofree float *values = g_new(float, n_frames *n_cells);
    for (size_t t = 0; t < n_frames; t++) {
        for (size_t c = 0; c < n_cells; c++)
            values[c * n_frames + t] = run->rates[i][t * n_cells + c];
    }
    double onset =
        (double)MAX(condition->flip_frame >= 0 ? condition->flip_frame
                                               : condition->onset_frame,
                    0);
    double middle = (double)condition->movie->width / 2.0;
    cxui_map_set(self->raster, values, n_frames, n_cells, 0.0, NAN);
    cxui_map_set_axes(
        self->raster,
        condition->flip_frame >= 0 ? "Time from the flip (ms)" : "Time (ms)",
        -onset * condition->movie->frame_ms, condition->movie->frame_ms,
        "cell (px)", protocol->cells[0].x + 0.5 - middle,
        n_cells > 1
            ? (double)(protocol->cells[n_cells - 1].x - protocol->cells[0].x) /
                  (double)(n_cells - 1)
            : 1.0);
    cxui_map_clear_marks(self->raster);
    if (condition->flip_frame >= 0)
        cxui_map_mark_x(self->raster, 0.0, CXUI_COLOUR_WARNING);
    cxui_map_set_key(self->raster, "Hz");
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->raster_view));
}

static void
show_words(CxuiRetinaSweepPanel *self, const CxuiRetinaSweep *sweep)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const CxProtocolResult *net = sweep->network->result;
    const CxProtocolResult *simulated = sweep->simulator->result;

    g_string_append_printf(text, "Network: %s", net->verdict);
    for (size_t i = 0; i < net->n_scalars; i++) {
        const CxScalar *s = &net->scalars[i];
        g_autofree char *own = cxui_part_dup_number(s->value);
        g_autofree char *other =
            cxui_part_dup_number(cx_protocol_scalar(simulated, s->key));
        g_string_append_printf(text, "\n%s: %s %s (simulated retina %s) — %s",
                               s->key, own, s->unit, other, s->definition);
    }
    cxui_part_say(self->words, text->str);
}

static void
show(CxuiRetinaSweepPanel *self)
{
    const CxuiRetinaSweep *sweep = cxui_retina_session_sweep(self->session);
    CxProtocolKind kind = cxui_retina_session_wish(self->session)->kind;

    cxui_chart_clear(self->curve);
    cxui_chart_clear(self->peak);
    cxui_figure_set_title(cxui_chart_figure(self->curve), axes[kind].title);
    cxui_chart_set_labels(self->curve, axes[kind].x, axes[kind].y);
    cxui_chart_set_labels(self->peak, axes[kind].x, "Hz");
    if (sweep != NULL && sweep->network->protocol->kind == kind) {
        add_run(self, sweep->network, "network", 0);
        add_run(self, sweep->simulator, "simulated retina", 1);
        add_run(self, sweep->baseline, "linear-nonlinear", 2);
        if (kind == CX_PROTOCOL_OSR)
            add_slope(self, sweep->network);
        if (kind == CX_PROTOCOL_ANTICIPATION)
            cxui_chart_mark_x(self->curve, 0.0, NULL, CXUI_COLOUR_DIM);
        show_raster(self, sweep->network);
        show_words(self, sweep);
    } else {
        cxui_part_say(self->words, "Measuring all conditions…");
    }
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->curve_view));
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->peak_view));
}

GtkWidget *
cxui_retina_sweep_panel_new(CxuiRetinaSession *session, CxuiReplayClock *clock)
{
    CxuiRetinaSweepPanel *self =
        g_object_new(CXUI_TYPE_RETINA_SWEEP_PANEL, NULL);
    GtkWidget *box = cxui_part_column();

    self->session = g_object_ref(session);
    self->curve = cxui_chart_new("", NULL, NULL);
    self->peak = cxui_chart_new("Size of the response", NULL, "Hz");
    self->raster = cxui_map_new("Cells over time", CXUI_SHADES_SEQUENTIAL);
    cxui_chart_set_empty(self->curve, "Measuring…");
    cxui_chart_set_empty(self->peak, "Measuring…");
    self->curve_view = cxui_part_plot(box, cxui_chart_figure(self->curve),
                                      "Curve of the protocol", 190);
    self->peak_view = cxui_part_plot(box, cxui_chart_figure(self->peak),
                                     "Size of the response", 130);
    self->raster_view = cxui_part_plot(box, cxui_map_figure(self->raster),
                                       "Rates of the cells over time", 140);
    gtk_widget_set_visible(self->raster_view, FALSE);
    self->words = cxui_part_text(box, "Measuring all conditions…", true);
    adw_bin_set_child(ADW_BIN(self), cxui_part_scrolled(box, 300));
    g_signal_connect_object(session, "sweep-changed", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "replay-changed", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_RETINA_SWEEP_PANEL(object)->session);
    G_OBJECT_CLASS(cxui_retina_sweep_panel_parent_class)->dispose(object);
}

static void
cxui_retina_sweep_panel_class_init(CxuiRetinaSweepPanelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_sweep_panel_init(CxuiRetinaSweepPanel *self)
{
}
