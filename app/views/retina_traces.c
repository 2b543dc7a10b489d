/* What comes out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_traces.h"

#include "app/views/plot_chart.h"
#include "app/views/plot_map.h"
#include "app/views/plot_parts.h"

#include <math.h>
#include <string.h>

#define MAX_TILES 8
#define FLAT_ROWS 14 /* a layer of one row is drawn this high */

typedef struct {
    GtkWidget *box, *mute, *solo, *map_view, *filter_view, *label;
    CxuiMap *map;
    CxuiChart *filter;
    double largest; /* |z1| over the film */
} Tile;

struct _CxuiRetinaTraces {
    AdwBin parent;
    CxuiRetinaSession *session;
    CxuiReplayClock *clock;
    bool filling;

    GtkWidget *origin, *measured;
    GtkWidget *trace_view, *attribution_view, *moment_view, *path_view;
    CxuiChart *traces, *attribution, *moment, *path;
    GtkWidget *tile_box;
    Tile tiles[MAX_TILES];
    size_t n_tiles;
    const CxRetinaReplay *shown; /* for comparison alone */
    float *z1;
    size_t n_z1;
};

G_DEFINE_FINAL_TYPE(CxuiRetinaTraces, cxui_retina_traces, ADW_TYPE_BIN)

static double
onset_of(const CxRetinaReplay *replay)
{
    return (double)MAX(replay->condition->onset_frame, 0);
}

static double
ms_of(const CxRetinaReplay *replay, double frame)
{
    return (frame - onset_of(replay)) * replay->frame_ms;
}

/* --- words */

/* A share as people read it; what is rounding is no more than that. */
static char *
dup_percent(double share)
{
    return share < 1e-6 ? g_strdup("< 0.0001 %")
                        : g_strdup_printf("%.2g %%", share * 100.0);
}

static void
show_origin(CxuiRetinaTraces *self, const CxRetinaReplay *replay)
{
    const CxAttribution *a = replay->attribution;
    double um = replay->options.protocol.pixel_um > 0.0
                    ? replay->options.protocol.pixel_um
                    : CX_RETINA_PIXEL_UM;
    const char *name = cxui_retina_session_network_title(
        self->session, cxui_retina_session_network(self->session));
    g_autofree char *median = dup_percent(a->median_error[0]);
    g_autofree char *worst = dup_percent(a->worst_error[0]);
    g_autofree char *error =
        isfinite(a->median_error[0])
            ? g_strdup_printf("%s (worst %s)", median, worst)
            : g_strdup("not defined");
    g_autofree char *text = g_strdup_printf(
        "Simulated retina, no recording · %s · pixel %.0f µm · r(0) = %.2f Hz "
        "· completeness error %s",
        name, um, replay->rate0, error);

    cxui_part_say(self->origin, text);
}

/* The frame of the largest value in [first, end), to a fraction of a bin. */
static double
peak_after(const float *rate, size_t first, size_t end)
{
    return cx_latency_parabola(rate, 1, first, end);
}

static char *
dup_delay(const CxRetinaReplay *replay, const char *what, int64_t from,
          size_t skip, size_t length)
{
    size_t first = (size_t)from + skip;
    size_t end = MIN((size_t)from + length, replay->n_frames);

    if (first + 2 >= end)
        return g_strdup("");
    double net = peak_after(replay->full, first, end);
    double simulated = peak_after(replay->simulated, first, end);
    double add = (double)skip;
    return g_strdup_printf("%s: network %.0f ms, simulated retina %.0f ms",
                           what, (net + add) * replay->frame_ms,
                           (simulated + add) * replay->frame_ms);
}

static double
bar_at_response(const CxRetinaReplay *replay, const float *rate, double base)
{
    double sum = 0.0;
    double weight = 0.0;
    double most = 0.0;

    for (size_t t = 0; t < replay->n_frames; t++)
        most = fmax(most, rate[t] - base);
    for (size_t t = 0; t < replay->n_frames; t++) {
        double x = (double)replay->condition->bar_px[t];
        double r = rate[t] - base;
        if (isfinite(x) && r > 0.3 * most) {
            sum += r * x;
            weight += r;
        }
    }
    return weight > 0.0 ? sum / weight : NAN;
}

/* One number of this film, with its definition; the protocol's own over all
 * conditions stands on the Sweep page. */
static char *
dup_measured(const CxRetinaReplay *replay)
{
    const CxProtocolCondition *c = replay->condition;
    double um = replay->options.protocol.pixel_um > 0.0
                    ? replay->options.protocol.pixel_um
                    : CX_RETINA_PIXEL_UM;

    if (c->flip_frame >= 0)
        return dup_delay(replay, "Peak after the flip", c->flip_frame, 5, 45);
    if (c->omitted_frame >= 0)
        return dup_delay(replay, "Peak after the omitted flash",
                         c->omitted_frame, 2, 40);
    if (replay->options.kind == CX_PROTOCOL_LATENCY)
        return dup_delay(replay, "Peak after the step", c->onset_frame, 1, 30);
    if (c->bar_px == NULL || c->direction == 0)
        return g_strdup("");
    double cell = replay->protocol->cells[replay->cell].x + 0.5 -
                  (double)c->movie->width / 2.0;
    double net = (bar_at_response(replay, replay->full, replay->rate0) - cell) *
                 um * c->direction;
    double simulated =
        (bar_at_response(replay, replay->simulated, 0.0) - cell) * um *
        c->direction;
    return g_strdup_printf(
        "Bar centre at the response, from the field's centre (negative: "
        "before it): network %.0f µm, simulated retina %.0f µm",
        net, simulated);
}

/* --- traces */

static void
add_trace(CxuiRetinaTraces *self, const CxRetinaReplay *replay,
          const float *rate, CxuiSeries series)
{
    g_autofree double *y = g_new(double, replay->n_frames);

    if (rate == NULL)
        return;
    for (size_t t = 0; t < replay->n_frames; t++)
        y[t] = t < replay->history && rate != replay->simulated ? NAN : rate[t];
    series.mark = CXUI_MARK_LINE;
    series.x0 = ms_of(replay, 0.0);
    series.step = replay->frame_ms;
    series.y = y;
    series.n = replay->n_frames;
    cxui_chart_add(self->traces, &series);
}

/* Where the whole field is not grey. */
static void
shade_flashes(CxuiChart *chart, const CxRetinaReplay *replay)
{
    const CxMovie *movie = replay->condition->movie;
    size_t from = SIZE_MAX;

    if (replay->condition->bar_px != NULL)
        return;
    for (size_t t = 0; t <= movie->n_frames; t++) {
        bool on = t < movie->n_frames && cx_movie_frame(movie, t)[0] != 0.0F;
        if (on && from == SIZE_MAX)
            from = t;
        if (!on && from != SIZE_MAX) {
            cxui_chart_shade_x(chart, ms_of(replay, (double)from),
                               ms_of(replay, (double)t));
            from = SIZE_MAX;
        }
    }
}

static void
mark_events(CxuiChart *chart, const CxRetinaReplay *replay, bool labels)
{
    const CxProtocolCondition *c = replay->condition;
    double cell = replay->protocol->cells[replay->cell].x + 0.5 -
                  (double)c->movie->width / 2.0;

    shade_flashes(chart, replay);
    if (c->omitted_frame >= 0)
        cxui_chart_mark_x(chart, ms_of(replay, (double)c->omitted_frame),
                          labels ? "omitted flash" : NULL, CXUI_COLOUR_WARNING);
    if (c->flip_frame >= 0)
        cxui_chart_mark_x(chart, ms_of(replay, (double)c->flip_frame),
                          labels ? "flip" : NULL, CXUI_COLOUR_WARNING);
    for (size_t t = 1; c->bar_px != NULL && t < c->movie->n_frames; t++) {
        double a = (double)c->bar_px[t - 1] - cell;
        double b = (double)c->bar_px[t] - cell;
        if (isfinite(a) && isfinite(b) && a != b && (a <= 0.0) != (b <= 0.0))
            cxui_chart_mark_x(chart, ms_of(replay, (double)t),
                              labels ? "bar at the field's centre" : NULL,
                              CXUI_COLOUR_DIM);
    }
}

static void
show_traces(CxuiRetinaTraces *self, const CxRetinaReplay *replay)
{
    const CxuiRetinaWish *wish = cxui_retina_session_wish(self->session);
    bool whole = wish->k == 0 && wish->muted == 0 && wish->bits == 0;
    g_autofree char *reduced =
        g_strdup_printf("reduced (r = %.3f)", replay->reduced_r);
    g_autofree char *measured = dup_measured(replay);

    double from = ms_of(replay, (double)replay->history - 1.0);
    double to = ms_of(replay, (double)replay->n_frames);
    cxui_chart_clear(self->traces);
    cxui_chart_set_x_range(self->traces, from, to);
    cxui_chart_set_x_range(self->attribution, from, to);
    mark_events(self->traces, replay, true);
    add_trace(self, replay, cxui_retina_session_baseline(self->session),
              (CxuiSeries){.name = "linear-nonlinear", .colour = 2});
    add_trace(self, replay, replay->simulated,
              (CxuiSeries){.name = wish->knock_outs != 0
                                       ? "simulated retina, parts out"
                                       : "simulated retina",
                           .colour = 1});
    add_trace(self, replay, replay->full,
              (CxuiSeries){.name = "network", .colour = 0, .thick = true});
    if (!whole)
        add_trace(
            self, replay, replay->reduced,
            (CxuiSeries){
                .name = reduced, .colour = 6, .thick = true, .dashed = true});
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->trace_view));
    cxui_part_say(self->measured, measured);
}

/* --- attribution */

static char *
dup_channel_name(const CxRetinaReplay *replay, size_t c)
{
    return g_strdup_printf("%zu %s", c + 1,
                           cx_channel_label_text(&replay->labels[c]));
}

static void
show_attribution(CxuiRetinaTraces *self, const CxRetinaReplay *replay)
{
    const CxAttribution *a = replay->attribution;
    size_t n = replay->n_frames;
    g_autofree double *y = g_new0(double, n);

    cxui_chart_clear(self->attribution);
    mark_events(self->attribution, replay, false);
    for (size_t c = 0; c < replay->n_channels; c++) {
        g_autofree char *name = dup_channel_name(replay, c);
        for (size_t t = 0; t < n; t++)
            y[t] = a->sum[0][t * a->n_channels[0] + c];
        CxuiSeries series = {.name = name,
                             .mark = CXUI_MARK_STACK,
                             .colour = (int)c,
                             .x0 = ms_of(replay, 0.0),
                             .step = replay->frame_ms,
                             .y = y,
                             .n = n};
        cxui_chart_add(self->attribution, &series);
    }
    for (size_t t = 0; t < n; t++)
        y[t] = a->done[t] ? a->rate[t] - a->rate0 : 0.0;
    CxuiSeries line = {.name = "r − r(0)",
                       .mark = CXUI_MARK_LINE,
                       .colour = CXUI_COLOUR_TEXT,
                       .x0 = ms_of(replay, 0.0),
                       .step = replay->frame_ms,
                       .y = y,
                       .n = n};
    cxui_chart_add(self->attribution, &line);
    g_autofree char *gap = dup_percent(a->median_error[0]);
    g_autofree char *note =
        g_strdup_printf("gap to r − r(0): %s (median)", gap);
    cxui_figure_set_note(cxui_chart_figure(self->attribution),
                         isfinite(a->median_error[0]) ? note : NULL);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->attribution_view));
}

static void
show_moment(CxuiRetinaTraces *self, const CxRetinaReplay *replay, size_t t)
{
    const CxAttribution *a = replay->attribution;
    size_t n = replay->n_channels;
    g_autofree double *y = g_new0(double, n);
    g_autofree int *colours = g_new0(int, n);
    g_auto(GStrv) names = g_new0(char *, n + 1);

    for (size_t c = 0; c < n; c++) {
        y[c] = t < a->n_frames ? a->sum[0][t * a->n_channels[0] + c] : 0.0;
        colours[c] = (int)c;
        names[c] = g_strdup_printf("%zu", c + 1);
    }
    CxuiSeries series = {.mark = CXUI_MARK_BARS,
                         .colours = colours,
                         .step = 1.0,
                         .y = y,
                         .n = n};
    cxui_chart_clear(self->moment);
    cxui_chart_set_categories(self->moment, (const char *const *)names, n);
    cxui_chart_add(self->moment, &series);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->moment_view));
}

/* Range over the film, so that bars do not jump while it plays. */
static void
set_moment_range(CxuiRetinaTraces *self, const CxRetinaReplay *replay)
{
    const CxAttribution *a = replay->attribution;
    double low = 0.0;
    double high = 0.0;

    for (size_t i = 0; i < a->n_frames * a->n_channels[0]; i++) {
        low = fmin(low, a->sum[0][i]);
        high = fmax(high, a->sum[0][i]);
    }
    double room = fmax((high - low) * 0.05, 1e-3);
    cxui_chart_set_y_range(self->moment, low - room, high + room);
}

/* What each channel has given up to alpha: the areas end at A_c. */
static void
show_path(CxuiRetinaTraces *self)
{
    const CxuiRetinaMoment *moment = cxui_retina_session_moment(self->session);
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    const double step = 1.0 / CXUI_MOMENT_POINTS;
    double y[CXUI_MOMENT_POINTS];

    cxui_chart_clear(self->path);
    if (moment != NULL && replay != NULL) {
        for (size_t c = 0; c < moment->n_channels; c++) {
            double sum = 0.0;
            for (size_t i = 0; i < CXUI_MOMENT_POINTS; i++) {
                double part =
                    moment->density[c * CXUI_MOMENT_POINTS + i] * step;
                y[i] = sum + part / 2.0;
                sum += part;
            }
            CxuiSeries series = {.mark = CXUI_MARK_STACK,
                                 .colour = (int)c,
                                 .x0 = step / 2.0,
                                 .step = step,
                                 .y = y,
                                 .n = CXUI_MOMENT_POINTS};
            cxui_chart_add(self->path, &series);
        }
        for (size_t i = 0; i < CXUI_MOMENT_POINTS; i++)
            y[i] = moment->rate[i] - replay->rate0;
        CxuiSeries line = {.mark = CXUI_MARK_LINE,
                           .colour = CXUI_COLOUR_TEXT,
                           .x0 = step / 2.0,
                           .step = step,
                           .y = y,
                           .n = CXUI_MOMENT_POINTS};
        cxui_chart_add(self->path, &line);
    }
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->path_view));
}

/* --- tiles */

static void
on_mute(GtkToggleButton *button, CxuiRetinaTraces *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);

    if (self->filling)
        return;
    for (size_t c = 0; c < self->n_tiles; c++) {
        if (self->tiles[c].mute != GTK_WIDGET(button))
            continue;
        if (gtk_toggle_button_get_active(button))
            wish.muted |= (uint64_t)1 << c;
        else
            wish.muted &= ~((uint64_t)1 << c);
    }
    cxui_retina_session_set_wish(self->session, &wish);
}

/* All others out; or all in again. */
static void
on_solo(GtkButton *button, CxuiRetinaTraces *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);
    uint64_t all = ((uint64_t)1 << self->n_tiles) - 1;

    for (size_t c = 0; c < self->n_tiles; c++) {
        if (self->tiles[c].solo != GTK_WIDGET(button))
            continue;
        uint64_t others = all & ~((uint64_t)1 << c);
        wish.muted = wish.muted == others ? 0 : others;
    }
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_tile_part(CxuiPlotView *view, int part, guint button, int clicks,
             CxuiRetinaTraces *self)
{
    for (size_t c = 0; c < self->n_tiles; c++) {
        if (self->tiles[c].map_view != GTK_WIDGET(view))
            continue;
        GtkToggleButton *mute = GTK_TOGGLE_BUTTON(self->tiles[c].mute);
        gtk_toggle_button_set_active(mute, !gtk_toggle_button_get_active(mute));
    }
}

static GtkWidget *
small_button(GtkWidget *button, const char *text, const char *name)
{
    gtk_button_set_label(GTK_BUTTON(button), text);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_add_css_class(button, "tiny");
    gtk_widget_set_hexpand(button, TRUE);
    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_widget_set_tooltip_text(button, name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    return button;
}

static void
add_tile(CxuiRetinaTraces *self, size_t c)
{
    Tile *tile = &self->tiles[c];
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    g_autofree char *map_name = g_strdup_printf("Map of channel %zu", c + 1);
    g_autofree char *filter_name =
        g_strdup_printf("Temporal filter of channel %zu", c + 1);
    g_autofree char *mute_name = g_strdup_printf("Mute channel %zu", c + 1);
    g_autofree char *solo_name = g_strdup_printf("Solo channel %zu", c + 1);

    tile->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    tile->label = cxui_part_text(tile->box, "", false);
    gtk_widget_add_css_class(tile->label, "tile-label");
    gtk_label_set_width_chars(GTK_LABEL(tile->label), 3);
    gtk_label_set_xalign(GTK_LABEL(tile->label), 0.5F);
    gtk_label_set_justify(GTK_LABEL(tile->label), GTK_JUSTIFY_CENTER);
    tile->map = cxui_map_new(NULL, CXUI_SHADES_DIVERGING);
    tile->map_view =
        cxui_part_plot(tile->box, cxui_map_figure(tile->map), map_name, 44);
    tile->filter = cxui_chart_new(NULL, NULL, NULL);
    cxui_chart_set_bare(tile->filter, true);
    tile->filter_view = cxui_part_plot(
        tile->box, cxui_chart_figure(tile->filter), filter_name, 26);
    gtk_widget_set_vexpand(tile->filter_view, FALSE);
    tile->mute = small_button(gtk_toggle_button_new(), "M", mute_name);
    tile->solo = small_button(gtk_button_new(), "S", solo_name);
    gtk_box_append(GTK_BOX(row), tile->mute);
    gtk_box_append(GTK_BOX(row), tile->solo);
    gtk_box_append(GTK_BOX(tile->box), row);
    gtk_box_append(GTK_BOX(self->tile_box), tile->box);
    g_signal_connect(tile->mute, "toggled", G_CALLBACK(on_mute), self);
    g_signal_connect(tile->solo, "clicked", G_CALLBACK(on_solo), self);
    g_signal_connect(tile->map_view, "part", G_CALLBACK(on_tile_part), self);
}

/* k_c(lag) with time from left to right. */
static void
show_filter(Tile *tile, const CxChannelLabel *label, size_t c)
{
    g_autofree double *y = g_new0(double, label->history);

    for (size_t i = 0; i < label->history; i++)
        y[i] = label->filter[i];
    CxuiSeries series = {.mark = CXUI_MARK_LINE,
                         .colour = (int)c,
                         .step = 1.0,
                         .y = y,
                         .n = label->history};
    cxui_chart_clear(tile->filter);
    cxui_chart_add(tile->filter, &series);
    cxui_plot_view_update(CXUI_PLOT_VIEW(tile->filter_view));
}

static void
set_n_tiles(CxuiRetinaTraces *self, size_t n)
{
    n = MIN(n, MAX_TILES);
    while (self->n_tiles > n)
        gtk_box_remove(GTK_BOX(self->tile_box),
                       self->tiles[--self->n_tiles].box);
    while (self->n_tiles < n)
        add_tile(self, self->n_tiles++);
}

/* The maps' ranges: of every eighth frame. */
static void
find_ranges(CxuiRetinaTraces *self, const CxRetinaReplay *replay)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(replay->net, 0);
    size_t n = layer->out_y * layer->out_x;

    self->n_z1 = layer->n_units;
    self->z1 = g_renew(float, self->z1, self->n_z1);
    for (size_t c = 0; c < self->n_tiles; c++)
        self->tiles[c].largest = 1e-6;
    for (size_t t = replay->history; t < replay->n_frames; t += 8) {
        cx_retina_replay_maps(replay, t, self->z1, NULL);
        for (size_t i = 0; i < self->n_tiles * n; i++) {
            Tile *tile = &self->tiles[i / n];
            tile->largest = fmax(tile->largest, fabs((double)self->z1[i]));
        }
    }
}

static void
show_tiles(CxuiRetinaTraces *self, const CxRetinaReplay *replay)
{
    uint64_t muted = cxui_retina_session_wish(self->session)->muted;

    self->filling = true;
    for (size_t c = 0; c < self->n_tiles; c++) {
        Tile *tile = &self->tiles[c];
        const CxChannelLabel *label = &replay->labels[c];
        g_autofree char *text = g_strdup_printf(
            "%zu %s\n%s %.0f ms", c + 1, label->on ? "ON" : "OFF",
            label->fast ? "fast" : "slow", label->lag_ms);
        cxui_part_say(tile->label, text);
        show_filter(tile, label, c);
        gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(tile->mute),
                                     muted >> c & 1);
        if (replay->mask.layer1[c] != CX_RETINA_KEEP)
            gtk_widget_add_css_class(tile->box, "muted");
        else
            gtk_widget_remove_css_class(tile->box, "muted");
    }
    self->filling = false;
}

static void
show_maps(CxuiRetinaTraces *self, const CxRetinaReplay *replay, size_t t)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(replay->net, 0);
    size_t rows = layer->out_y > 1 ? layer->out_y : FLAT_ROWS;
    g_autofree float *cells = g_new(float, rows * layer->out_x);

    if (self->n_z1 != layer->n_units || t >= replay->n_frames)
        return;
    cx_retina_replay_maps(replay, t, self->z1, NULL);
    for (size_t c = 0; c < self->n_tiles; c++) {
        const float *own = self->z1 + c * layer->out_y * layer->out_x;
        for (size_t y = 0; y < rows; y++)
            memcpy(cells + y * layer->out_x,
                   own + (layer->out_y > 1 ? y * layer->out_x : 0),
                   layer->out_x * sizeof *cells);
        cxui_map_set(self->tiles[c].map, cells, layer->out_x, rows,
                     -self->tiles[c].largest, self->tiles[c].largest);
        cxui_plot_view_update(CXUI_PLOT_VIEW(self->tiles[c].map_view));
    }
}

/* --- following */

static void
on_frame(CxuiRetinaTraces *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    size_t t = cxui_replay_clock_frame(self->clock);

    if (replay == NULL)
        return;
    double ms = ms_of(replay, (double)t);
    cxui_plot_view_set_cursor(CXUI_PLOT_VIEW(self->trace_view), ms);
    cxui_plot_view_set_cursor(CXUI_PLOT_VIEW(self->attribution_view), ms);
    show_maps(self, replay, t);
    show_moment(self, replay, t);
    cxui_retina_session_want_moment(self->session, t);
}

static void
on_replay(CxuiRetinaSession *session, CxuiRetinaTraces *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(session);

    set_n_tiles(self, replay->n_channels);
    if (replay != self->shown) {
        self->shown = replay;
        find_ranges(self, replay);
    }
    show_origin(self, replay);
    show_traces(self, replay);
    show_attribution(self, replay);
    set_moment_range(self, replay);
    show_tiles(self, replay);
    on_frame(self);
}

static void
on_seek(CxuiPlotView *view, double ms, CxuiRetinaTraces *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);

    if (replay != NULL)
        cxui_replay_clock_seek(
            self->clock,
            (unsigned)fmax(ms / replay->frame_ms + onset_of(replay) + 0.5,
                           0.0));
}

/* --- making */

static void
make_charts(CxuiRetinaTraces *self)
{
    self->traces = cxui_chart_new("Firing rate", "Time (ms)", "Hz");
    cxui_chart_set_empty(self->traces, "Computing the first replay…");
    self->attribution =
        cxui_chart_new("Attribution to channels", "Time (ms)", "Hz");
    self->moment = cxui_chart_new("A at the cursor", NULL, "Hz");
    self->path = cxui_chart_new("Along the path", "α", "Hz from α = 0");
    cxui_chart_set_x_range(self->path, 0.0, 1.0);
}

static void
add_plots(CxuiRetinaTraces *self, GtkWidget *box)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *side = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    make_charts(self);
    self->trace_view = cxui_part_plot(box, cxui_chart_figure(self->traces),
                                      "Firing rates over time", 150);
    self->measured = cxui_part_text(box, "", false);
    gtk_label_set_ellipsize(GTK_LABEL(self->measured), PANGO_ELLIPSIZE_END);
    gtk_label_set_wrap(GTK_LABEL(self->measured), FALSE);
    self->tile_box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
    gtk_box_set_homogeneous(GTK_BOX(self->tile_box), TRUE);
    gtk_box_append(GTK_BOX(box), self->tile_box);
    self->attribution_view =
        cxui_part_plot(row, cxui_chart_figure(self->attribution),
                       "Attribution to channels over time", 170);
    self->moment_view = cxui_part_plot(side, cxui_chart_figure(self->moment),
                                       "Attribution at the cursor", 80);
    self->path_view = cxui_part_plot(side, cxui_chart_figure(self->path),
                                     "Rate along the path of the integral", 90);
    gtk_widget_set_hexpand(side, FALSE);
    gtk_widget_set_hexpand(self->moment_view, FALSE);
    gtk_widget_set_hexpand(self->path_view, FALSE);
    gtk_widget_set_size_request(side, 150, -1);
    gtk_box_append(GTK_BOX(row), side);
    gtk_box_append(GTK_BOX(box), row);
}

GtkWidget *
cxui_retina_traces_new(CxuiRetinaSession *session, CxuiReplayClock *clock)
{
    CxuiRetinaTraces *self = g_object_new(CXUI_TYPE_RETINA_TRACES, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    self->session = g_object_ref(session);
    self->clock = g_object_ref(clock);
    self->origin = cxui_part_text(box, "Simulated retina, no recording", true);
    add_plots(self, box);
    gtk_widget_set_margin_top(box, 6);
    gtk_widget_set_margin_bottom(box, 6);
    gtk_widget_set_hexpand(box, TRUE);
    adw_bin_set_child(ADW_BIN(self), box);
    g_signal_connect(self->trace_view, "seek", G_CALLBACK(on_seek), self);
    g_signal_connect(self->attribution_view, "seek", G_CALLBACK(on_seek), self);
    g_signal_connect_object(session, "replay-changed", G_CALLBACK(on_replay),
                            self, 0);
    g_signal_connect_object(session, "moment-changed", G_CALLBACK(show_path),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(clock, "notify::frame", G_CALLBACK(on_frame), self,
                            G_CONNECT_SWAPPED);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    CxuiRetinaTraces *self = CXUI_RETINA_TRACES(object);

    g_clear_object(&self->session);
    g_clear_object(&self->clock);
    g_clear_pointer(&self->z1, g_free);
    G_OBJECT_CLASS(cxui_retina_traces_parent_class)->dispose(object);
}

static void
cxui_retina_traces_class_init(CxuiRetinaTracesClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_traces_init(CxuiRetinaTraces *self)
{
}
