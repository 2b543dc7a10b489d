/* What the simulated retina is shown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_stimulus.h"

#include "app/views/plot_map.h"
#include "app/views/plot_parts.h"

#include <math.h>

#define MIN_ROWS 24 /* of an x-t film drawn as frames */

struct _CxuiRetinaStimulus {
    AdwBin parent;
    CxuiRetinaSession *session;
    CxuiReplayClock *clock;
    bool filling; /* controls follow the wish */

    GtkWidget *network, *protocol, *preset, *condition, *amplitude, *speed,
        *width, *pixel;
    GtkWidget *preset_text, *condition_text;
    GtkWidget *frame_view, *strip_view;
    CxuiMap *frame, *strip;
    size_t preset_rows[CX_N_PRESETS];
    size_t n_presets;
};

G_DEFINE_FINAL_TYPE(CxuiRetinaStimulus, cxui_retina_stimulus, ADW_TYPE_BIN)

/* --- pictures */

static double
contrast_of(const CxMovie *movie)
{
    double most = 0.0;

    for (size_t i = 0; i < movie->n_frames * cx_movie_frame_size(movie); i++)
        most = fmax(most, fabs((double)movie->data[i]));
    return fmax(most, 1.0);
}

static void
show_frame(CxuiRetinaStimulus *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    size_t t = cxui_replay_clock_frame(self->clock);

    if (replay == NULL || t >= replay->condition->movie->n_frames)
        return;
    const CxMovie *movie = replay->condition->movie;
    size_t rows = movie->height > 1
                      ? movie->height
                      : MAX(cx_retina_cnn_shape(replay->net)->height, MIN_ROWS);
    g_autofree float *pixels = g_new(float, rows * movie->width);
    const float *frame = cx_movie_frame(movie, t);
    for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < movie->width; x++)
            pixels[y * movie->width + x] =
                frame[(movie->height > 1 ? y * movie->width : 0) + x];
    }
    double contrast = contrast_of(movie);
    cxui_map_set(self->frame, pixels, movie->width, rows, -contrast * 1.15,
                 contrast * 1.15);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->frame_view));
}

static void
place_field(CxuiRetinaStimulus *self, const CxRetinaReplay *replay)
{
    CxCellPosition centre =
        cx_retina_cnn_pick_centre(replay->net, replay->pick);
    int32_t y0 = 0, x0 = 0, n_y = 0, n_x = 0;
    const CxMovie *movie = replay->condition->movie;
    size_t rows = movie->height > 1
                      ? movie->height
                      : MAX(cx_retina_cnn_shape(replay->net)->height, MIN_ROWS);
    double um = replay->options.protocol.pixel_um > 0.0
                    ? replay->options.protocol.pixel_um
                    : movie->pixel_um;
    double bar = um * 10.0 >= 400.0 ? 500.0 : 200.0;
    g_autofree char *label = g_strdup_printf("%.0f µm", bar);

    cx_retina_cnn_pick_field(replay->net, replay->pick, &y0, &x0, &n_y, &n_x);
    cxui_map_set_ring(self->frame, centre.x + 0.5,
                      movie->height > 1 ? centre.y + 0.5 : (double)rows / 2.0,
                      n_x / 2.0);
    cxui_map_set_scale_bar(self->frame, bar / um, label);
    double half = (double)movie->width / 2.0;
    cxui_map_set_band(self->strip, (x0 - half) * um, (x0 + n_x - half) * um);
}

static void
show_strip(CxuiRetinaStimulus *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    const CxMovie *movie = replay->condition->movie;
    size_t n = movie->n_frames;
    g_autofree float *values = g_new(float, n * movie->width);
    double um = replay->options.protocol.pixel_um > 0.0
                    ? replay->options.protocol.pixel_um
                    : movie->pixel_um;
    double contrast = contrast_of(movie);
    double onset = (double)MAX(replay->condition->onset_frame, 0);
    size_t row = movie->height / 2;

    for (size_t t = 0; t < n; t++) {
        for (size_t x = 0; x < movie->width; x++)
            values[x * n + t] =
                cx_movie_frame(movie, t)[row * movie->width + x];
    }
    cxui_map_set(self->strip, values, n, movie->width, -contrast * 1.15,
                 contrast * 1.15);
    cxui_map_set_axes(self->strip, "Time (ms)", -onset * movie->frame_ms,
                      movie->frame_ms, "x (µm)",
                      (0.5 - (double)movie->width / 2.0) * um, um);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->strip_view));
}

/* --- controls */

static void list_networks(CxuiRetinaStimulus *self);

static void
on_network(GtkDropDown *choice, GParamSpec *spec, CxuiRetinaStimulus *self)
{
    cxui_retina_session_use_network(self->session,
                                    gtk_drop_down_get_selected(choice));
}

static void
list_networks(CxuiRetinaStimulus *self)
{
    unsigned n = cxui_retina_session_n_networks(self->session);
    g_autofree const char **rows = g_new0(const char *, n + 1);

    for (unsigned i = 0; i < n; i++)
        rows[i] = cxui_retina_session_network_title(self->session, i);
    cxui_part_set_rows(self->network, rows,
                       cxui_retina_session_network(self->session),
                       G_CALLBACK(on_network), self);
}

static void
on_protocol(GtkDropDown *choice, GParamSpec *spec, CxuiRetinaStimulus *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);

    if (self->filling)
        return;
    wish.kind = (CxProtocolKind)gtk_drop_down_get_selected(choice);
    wish.preset = CX_PRESET_SIMULATED;
    wish.condition = SIZE_MAX;
    wish.amplitude = 0.0;
    wish.speed_px = 0.0;
    wish.bar_px = 0;
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_preset(GtkDropDown *choice, GParamSpec *spec, CxuiRetinaStimulus *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);
    guint row = gtk_drop_down_get_selected(choice);

    if (self->filling || row >= self->n_presets)
        return;
    wish.preset = (CxProtocolPreset)self->preset_rows[row];
    wish.condition = SIZE_MAX;
    wish.amplitude = 0.0;
    wish.speed_px = 0.0;
    wish.bar_px = 0;
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_setting(GtkRange *range, CxuiRetinaStimulus *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);

    if (self->filling)
        return;
    GtkWidget *which = GTK_WIDGET(range);
    double value = gtk_range_get_value(range);
    if (which == self->condition)
        wish.condition = (size_t)value;
    else if (which == self->amplitude)
        wish.amplitude = value;
    else if (which == self->speed)
        wish.speed_px = value;
    else if (which == self->width)
        wish.bar_px = (unsigned)value;
    else
        wish.pixel_um = value;
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
list_presets(CxuiRetinaStimulus *self, const CxuiRetinaWish *wish)
{
    static const char *const titles[CX_N_PRESETS] = {
        [CX_PRESET_SIMULATED] = "Simulated retina",
        [CX_PRESET_REDUCTION] = "Reduction figures",
        [CX_PRESET_2023] = "2023 figures",
        [CX_PRESET_LIBRARY] = "Published library",
        [CX_PRESET_EBERT] = "Ebert et al.",
    };
    const char *rows[CX_N_PRESETS + 1] = {NULL};
    guint selected = 0;

    self->n_presets = 0;
    for (size_t i = 0; i < CX_N_PRESETS; i++) {
        if (i == CX_PRESET_EBERT && wish->kind != CX_PROTOCOL_OSR)
            continue;
        if (i == wish->preset)
            selected = (guint)self->n_presets;
        rows[self->n_presets] = titles[i];
        self->preset_rows[self->n_presets++] = i;
    }
    cxui_part_set_rows(self->preset, rows, selected, G_CALLBACK(on_preset),
                       self);
    cxui_part_say(self->preset_text,
                  cx_preset_describe(wish->kind, wish->preset));
}

/* A free setting stands at what the film has; without a bar it is of no use. */
static void
show_settings(CxuiRetinaStimulus *self, const CxRetinaReplay *replay)
{
    const CxProtocolOptions *options = &replay->protocol->options;
    bool has_bar = replay->condition->bar_px != NULL;
    g_autofree char *text = g_strdup_printf(
        "%s (%zu of %zu)", replay->condition->label,
        replay->options.condition + 1, replay->protocol->n_conditions);

    gtk_range_set_range(
        GTK_RANGE(self->condition), 0.0,
        fmax((double)replay->protocol->n_conditions - 1.0, 1.0));
    gtk_range_set_value(GTK_RANGE(self->condition),
                        (double)replay->options.condition);
    cxui_part_say(self->condition_text, text);
    gtk_range_set_value(GTK_RANGE(self->amplitude),
                        options->amplitude > 0.0 ? options->amplitude : 1.0);
    gtk_widget_set_sensitive(self->speed, has_bar);
    gtk_widget_set_sensitive(self->width, has_bar);
    if (options->speed_px > 0.0)
        gtk_range_set_value(GTK_RANGE(self->speed), options->speed_px);
    if (options->bar_px > 0)
        gtk_range_set_value(GTK_RANGE(self->width), options->bar_px);
    if (options->pixel_um > 0.0)
        gtk_range_set_value(GTK_RANGE(self->pixel), options->pixel_um);
}

static void
on_replay(CxuiRetinaSession *session, CxuiRetinaStimulus *self)
{
    const CxuiRetinaWish *wish = cxui_retina_session_wish(session);
    const CxRetinaReplay *replay = cxui_retina_session_replay(session);

    self->filling = true;
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->protocol), wish->kind);
    list_presets(self, wish);
    show_settings(self, replay);
    self->filling = false;
    place_field(self, replay);
    show_strip(self);
    show_frame(self);
}

static void
on_frame(CxuiRetinaStimulus *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);

    if (replay == NULL)
        return;
    double onset = (double)MAX(replay->condition->onset_frame, 0);
    show_frame(self);
    cxui_plot_view_set_cursor(CXUI_PLOT_VIEW(self->strip_view),
                              (cxui_replay_clock_frame(self->clock) - onset) *
                                  replay->frame_ms);
}

static void
on_seek(CxuiPlotView *view, double ms, CxuiRetinaStimulus *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);

    if (replay == NULL)
        return;
    double onset = (double)MAX(replay->condition->onset_frame, 0);
    cxui_replay_clock_seek(
        self->clock, (unsigned)fmax(ms / replay->frame_ms + onset + 0.5, 0.0));
}

/* --- making */

static GtkWidget *
add_setting(CxuiRetinaStimulus *self, GtkWidget *box, const char *name,
            const char *unit, double low, double high, double step, int digits)
{
    GtkWidget *scale =
        cxui_part_scale(box, name, unit, low, high, step, digits);

    g_signal_connect(scale, "value-changed", G_CALLBACK(on_setting), self);
    return scale;
}

static void
add_controls(CxuiRetinaStimulus *self, GtkWidget *box)
{
    static const char *const none[] = {NULL};
    const char *protocols[CX_N_PROTOCOLS + 1] = {NULL};

    for (int i = 0; i < CX_N_PROTOCOLS; i++)
        protocols[i] = cx_protocol_title((CxProtocolKind)i);
    self->network = cxui_part_choice(box, "Network", none);
    self->protocol = cxui_part_choice(box, "Protocol", protocols);
    self->preset = cxui_part_choice(box, "Preset", none);
    self->preset_text = cxui_part_text(box, "", true);
    self->frame = cxui_map_new("Stimulus", CXUI_SHADES_GREY);
    cxui_map_set_empty(self->frame, "The film appears here");
    self->frame_view = cxui_part_plot(box, cxui_map_figure(self->frame),
                                      "Stimulus at the cursor", 190);
    self->strip = cxui_map_new(NULL, CXUI_SHADES_GREY);
    self->strip_view = cxui_part_plot(box, cxui_map_figure(self->strip),
                                      "Stimulus over x and time", 110);
    gtk_widget_set_vexpand(self->strip_view, FALSE);
    self->condition = add_setting(self, box, "Condition", "", 0.0, 1.0, 1.0, 0);
    gtk_scale_set_draw_value(GTK_SCALE(self->condition), FALSE);
    self->condition_text = cxui_part_text(box, "", false);
    self->amplitude = add_setting(self, box, "Amplitude (times the preset's)",
                                  "×", 0.1, 3.0, 0.1, 1);
    self->speed =
        add_setting(self, box, "Speed", "px/frame", 0.02, 1.0, 0.01, 2);
    self->width = add_setting(self, box, "Width of the bar", "px", 1, 12, 1, 0);
    self->pixel = add_setting(self, box, "Pixel size", "µm", 20, 60, 1, 0);
    gtk_widget_set_tooltip_text(
        self->pixel, "25, 50 and 55 µm are in use; nothing else depends on it");
}

GtkWidget *
cxui_retina_stimulus_new(CxuiRetinaSession *session, CxuiReplayClock *clock)
{
    CxuiRetinaStimulus *self = g_object_new(CXUI_TYPE_RETINA_STIMULUS, NULL);
    GtkWidget *box = cxui_part_column();

    self->session = g_object_ref(session);
    self->clock = g_object_ref(clock);
    self->filling = true;
    add_controls(self, box);
    adw_bin_set_child(ADW_BIN(self), cxui_part_scrolled(box, 250));
    g_signal_connect(self->network, "notify::selected", G_CALLBACK(on_network),
                     self);
    g_signal_connect(self->protocol, "notify::selected",
                     G_CALLBACK(on_protocol), self);
    g_signal_connect(self->preset, "notify::selected", G_CALLBACK(on_preset),
                     self);
    g_signal_connect(self->strip_view, "seek", G_CALLBACK(on_seek), self);
    g_signal_connect_object(session, "replay-changed", G_CALLBACK(on_replay),
                            self, 0);
    g_signal_connect_object(session, "networks-changed",
                            G_CALLBACK(list_networks), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(clock, "notify::frame", G_CALLBACK(on_frame), self,
                            G_CONNECT_SWAPPED);
    list_networks(self);
    list_presets(self, cxui_retina_session_wish(session));
    self->filling = false;
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    CxuiRetinaStimulus *self = CXUI_RETINA_STIMULUS(object);

    g_clear_object(&self->session);
    g_clear_object(&self->clock);
    G_OBJECT_CLASS(cxui_retina_stimulus_parent_class)->dispose(object);
}

static void
cxui_retina_stimulus_class_init(CxuiRetinaStimulusClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_stimulus_init(CxuiRetinaStimulus *self)
{
}
