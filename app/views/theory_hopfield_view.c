/* An associative memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/theory_hopfield_view.h"

#include "app/session/theory_hopfield.h"
#include "app/views/plot_chart.h"
#include "app/views/plot_map.h"
#include "app/views/plot_parts.h"

#include <math.h>

#define N_BARS 12
#define CAPACITY_UNITS 500

struct _CxuiTheoryHopfieldView {
    AdwBin parent;
    CxuiTheoryHopfield *model;

    GtkWidget *rule, *load, *noise, *start, *run, *sweep, *mixture, *together;
    GtkWidget *measure, *load_note, *memory;
    GtkWidget *picture_view, *stored_view, *energy_view, *overlap_view,
        *capacity_view;
    CxuiMap *picture, *stored;
    CxuiChart *energy, *overlap, *capacity;
    size_t started; /* pattern that recall began from */
};

G_DEFINE_FINAL_TYPE(CxuiTheoryHopfieldView, cxui_theory_hopfield_view,
                    ADW_TYPE_BIN)

/* --- showing */

static void
show_picture(CxuiTheoryHopfieldView *self)
{
    const int8_t *state = cxui_theory_hopfield_state(self->model);
    size_t n = cxui_theory_hopfield_n_units(self->model);
    g_autofree float *pixels = g_new0(float, n);

    if (state == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        pixels[i] = state[i];
    cxui_map_set(self->picture, pixels, CXUI_HOPFIELD_SIDE, CXUI_HOPFIELD_SIDE,
                 -1.0, 1.0);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->picture_view));
}

/* The pictures it stores, four a row. */
static void
show_stored(CxuiTheoryHopfieldView *self)
{
    const size_t side = CXUI_HOPFIELD_SIDE;
    size_t n = MIN(cxui_theory_hopfield_n_patterns(self->model), N_BARS);
    size_t columns = 6;
    size_t rows = (n + columns - 1) / columns;
    g_autofree float *pixels = g_new(float, columns *rows *side *side);

    for (size_t i = 0; i < columns * rows * side * side; i++)
        pixels[i] = -1.0F;
    for (size_t p = 0; p < n; p++) {
        const int8_t *pattern = cxui_theory_hopfield_pattern(self->model, p);
        for (size_t i = 0; i < side * side; i++)
            pixels[(p / columns * side + i / side) * columns * side +
                   p % columns * side + i % side] = pattern[i];
    }
    if (rows > 0)
        cxui_map_set(self->stored, pixels, columns * side, rows * side, -1.0,
                     1.0);
    cxui_map_set_blocks(self->stored, CXUI_HOPFIELD_SIDE);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->stored_view));
}

static void
show_energy(CxuiTheoryHopfieldView *self)
{
    const double *sweeps = NULL;
    size_t n = 0;
    const double *energies =
        cxui_theory_hopfield_energies(self->model, &sweeps, &n);
    CxuiSeries series = {.mark = CXUI_MARK_LINE,
                         .colour = 0,
                         .x = sweeps,
                         .y = energies,
                         .n = n,
                         .thick = true};

    cxui_chart_clear(self->energy);
    cxui_chart_add(self->energy, &series);
    cxui_chart_set_x_range(self->energy, 0.0,
                           n > 0 ? fmax(sweeps[n - 1], 2.0) : 2.0);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->energy_view));
}

static void
show_overlaps(CxuiTheoryHopfieldView *self)
{
    size_t n = MIN(cxui_theory_hopfield_n_patterns(self->model), N_BARS);
    g_autofree double *values = g_new0(double, n + 1);
    g_autofree int *colours = g_new0(int, n + 1);
    g_auto(GStrv) names = g_new0(char *, n + 1);

    for (size_t i = 0; i < n; i++) {
        values[i] = cxui_theory_hopfield_overlap(self->model, i);
        colours[i] =
            values[i] >= 0.0 ? CXUI_COLOUR_EXCITE : CXUI_COLOUR_INHIBIT;
        names[i] = cxui_theory_hopfield_dup_name(self->model, i);
    }
    CxuiSeries series = {.mark = CXUI_MARK_BARS,
                         .colours = colours,
                         .step = 1.0,
                         .y = values,
                         .n = n};
    cxui_chart_clear(self->overlap);
    cxui_chart_set_categories(self->overlap, (const char *const *)names, n);
    cxui_chart_add(self->overlap, &series);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->overlap_view));
}

static void
show_capacity(CxuiTheoryHopfieldView *self)
{
    const CxCapacity *capacity = cxui_theory_hopfield_capacity(self->model);
    double load = (double)cxui_theory_hopfield_n_patterns(self->model) /
                  (double)cxui_theory_hopfield_n_units(self->model);

    cxui_chart_clear(self->capacity);
    if (capacity != NULL) {
        unsigned n = capacity->n_points;
        g_autofree double *x = g_new0(double, n);
        g_autofree double *y = g_new0(double, n);
        g_autofree double *sd = g_new0(double, n);
        g_autofree double *found = g_new0(double, n);
        for (unsigned i = 0; i < n; i++) {
            x[i] = capacity->points[i].load;
            y[i] = capacity->points[i].mean_overlap;
            sd[i] = capacity->points[i].sd_overlap;
            found[i] = capacity->points[i].found;
        }
        CxuiSeries overlap = {.name = "overlap at the end (±s.d.)",
                              .mark = CXUI_MARK_LINE_POINTS,
                              .colour = 0,
                              .x = x,
                              .y = y,
                              .error = sd,
                              .n = n};
        CxuiSeries share = {.name = "share of trials found",
                            .mark = CXUI_MARK_LINE_POINTS,
                            .colour = 1,
                            .x = x,
                            .y = found,
                            .n = n};
        cxui_chart_add(self->capacity, &overlap);
        cxui_chart_add(self->capacity, &share);
    }
    cxui_chart_mark_x(self->capacity, CX_HOPFIELD_CRITICAL_LOAD,
                      "0.138 (theory)", CXUI_COLOUR_WARNING);
    cxui_chart_mark_x(self->capacity, load, "now", CXUI_COLOUR_TEXT);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->capacity_view));
}

static void
show_words(CxuiTheoryHopfieldView *self)
{
    g_autofree char *memory = cxui_theory_hopfield_dup_memory(self->model);
    bool running = cxui_theory_hopfield_is_running(self->model);
    bool measuring = cxui_theory_hopfield_is_measuring(self->model);
    size_t n = cxui_theory_hopfield_n_patterns(self->model);
    g_autofree char *note =
        g_strdup_printf("%zu patterns in %zu units", n,
                        cxui_theory_hopfield_n_units(self->model));

    cxui_part_say(self->memory, memory[0] != '\0' ? memory
                                : running         ? "Falling…"
                                                  : "Not settled");
    cxui_part_say(self->load_note, note);
    gtk_button_set_label(GTK_BUTTON(self->run), running ? "Pause" : "Recall");
    gtk_button_set_label(GTK_BUTTON(self->measure),
                         measuring ? "Cancel" : "Measure the Capacity");
}

static void
on_state(CxuiTheoryHopfield *model, CxuiTheoryHopfieldView *self)
{
    show_picture(self);
    show_energy(self);
    show_overlaps(self);
    show_words(self);
}

static void
on_changed(CxuiTheoryHopfield *model, CxuiTheoryHopfieldView *self)
{
    show_stored(self);
    show_capacity(self);
    show_overlaps(self);
    show_words(self);
}

/* --- controls */

static void
on_rule(GtkDropDown *rule, GParamSpec *spec, CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_set_rule(
        self->model, (CxHopfieldRule)gtk_drop_down_get_selected(rule));
}

static void
on_load(GtkRange *range, CxuiTheoryHopfieldView *self)
{
    double load = gtk_range_get_value(range);

    cxui_theory_hopfield_set_n_patterns(
        self->model, (size_t)lround(load * (double)cxui_theory_hopfield_n_units(
                                               self->model)));
}

static void
on_start(GtkButton *button, CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_start(self->model, self->started,
                               gtk_range_get_value(GTK_RANGE(self->noise)) /
                                   100.0);
    cxui_theory_hopfield_set_running(self->model, true);
}

/* A picture of the row below begins from there. */
static void
on_stored_part(CxuiPlotView *view, int part, guint button, int clicks,
               CxuiTheoryHopfieldView *self)
{
    size_t side = CXUI_HOPFIELD_SIDE;
    size_t x = (size_t)part % (6 * side) / side;
    size_t y = (size_t)part / (6 * side) / side;
    size_t pattern = y * 6 + x;

    if (pattern >= cxui_theory_hopfield_n_patterns(self->model))
        return;
    self->started = pattern;
    on_start(NULL, self);
}

static void
on_run(GtkButton *button, CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_view_play(self);
}

static void
on_sweep(GtkButton *button, CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_sweep(self->model);
}

static void
on_mixture(GtkButton *button, CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_start_mixture(self->model);
    cxui_theory_hopfield_set_running(self->model, true);
}

static void
on_together(GtkCheckButton *check, CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_set_together(self->model,
                                      gtk_check_button_get_active(check));
}

static void
on_measure(GtkButton *button, CxuiTheoryHopfieldView *self)
{
    if (cxui_theory_hopfield_is_measuring(self->model))
        cxui_theory_hopfield_cancel_measure(self->model);
    else
        cxui_theory_hopfield_measure(self->model, CAPACITY_UNITS);
}

/* A brush of 3 x 3: left button ink, right button paper. */
static void
on_brush(CxuiPlotView *view, int part, guint button,
         CxuiTheoryHopfieldView *self)
{
    int side = CXUI_HOPFIELD_SIDE;

    for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
            int x = part % side + dx;
            int y = part / side + dy;
            if (x >= 0 && y >= 0 && x < side && y < side)
                cxui_theory_hopfield_paint(self->model, (size_t)(y * side + x),
                                           button == 1 ? 1 : -1);
        }
    }
}

void
cxui_theory_hopfield_view_play(CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_set_running(
        self->model, !cxui_theory_hopfield_is_running(self->model));
}

void
cxui_theory_hopfield_view_stop(CxuiTheoryHopfieldView *self)
{
    cxui_theory_hopfield_stop(self->model);
}

/* --- making */

static GtkWidget *
new_controls(CxuiTheoryHopfieldView *self)
{
    static const char *const rules[] = {"Hebb", "Pseudo-inverse", "Storkey",
                                        NULL};
    GtkWidget *box = cxui_part_column();

    cxui_part_heading(box, "Patterns");
    self->rule = cxui_part_choice(box, "Learning rule", rules);
    self->load =
        cxui_part_scale(box, "Load α = P / N", "", 0.005, 0.25, 0.005, 3);
    gtk_range_set_value(GTK_RANGE(self->load), 0.012);
    self->load_note = cxui_part_text(box, "", true);
    cxui_part_heading(box, "Recall");
    self->noise =
        cxui_part_scale(box, "Units flipped at the start", "%", 0, 50, 1, 0);
    gtk_range_set_value(GTK_RANGE(self->noise), 30);
    self->start = cxui_part_button(box, "Start from the Picture");
    self->run = cxui_part_button(box, "Recall");
    gtk_widget_add_css_class(self->run, "suggested-action");
    self->sweep = cxui_part_button(box, "One Sweep");
    self->mixture = cxui_part_button(box, "Start from a Mixture of Three");
    self->together = cxui_part_check(box, "All units at once");
    gtk_widget_set_tooltip_text(self->together,
                                "May end in a cycle of two states");
    self->memory = cxui_part_text(box, "", false);
    gtk_widget_add_css_class(self->memory, "heading");
    cxui_part_text(box,
                   "Paint into the state: left button ink, right button "
                   "paper. Click a stored picture to begin from it.",
                   true);
    cxui_part_heading(box, "Capacity");
    self->measure = cxui_part_button(box, "Measure the Capacity");
    cxui_part_text(box, "500 units, 10 trials a point, in the background",
                   true);
    return cxui_part_scrolled(box, 250);
}

static GtkWidget *
new_plots(CxuiTheoryHopfieldView *self)
{
    GtkWidget *columns = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *left = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *right = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    self->picture = cxui_map_new("State", CXUI_SHADES_INK);
    self->stored = cxui_map_new("Stored pictures", CXUI_SHADES_INK);
    self->energy = cxui_chart_new("Energy", "Sweeps (updates / N)", "E / N");
    self->overlap = cxui_chart_new("Overlap with what is stored", NULL, NULL);
    cxui_chart_set_y_range(self->overlap, -1.0, 1.0);
    self->capacity = cxui_chart_new("Capacity", "Load α = P / N", NULL);
    cxui_chart_set_x_range(self->capacity, 0.0, 0.26);
    cxui_chart_set_y_range(self->capacity, 0.0, 1.08);
    cxui_chart_set_empty(self->capacity, "Not measured yet");

    self->picture_view = cxui_part_plot(left, cxui_map_figure(self->picture),
                                        "State of the network", 220);
    self->stored_view = cxui_part_plot(left, cxui_map_figure(self->stored),
                                       "Stored pictures", 120);
    self->energy_view = cxui_part_plot(right, cxui_chart_figure(self->energy),
                                       "Energy while it falls", 120);
    self->overlap_view =
        cxui_part_plot(right, cxui_chart_figure(self->overlap),
                       "Overlap with each stored pattern", 120);
    self->capacity_view = cxui_part_plot(
        right, cxui_chart_figure(self->capacity), "Capacity over load", 130);
    gtk_box_append(GTK_BOX(columns), left);
    gtk_box_append(GTK_BOX(columns), right);
    gtk_box_set_homogeneous(GTK_BOX(columns), TRUE);
    gtk_widget_set_hexpand(columns, TRUE);
    gtk_widget_set_margin_end(columns, 6);
    gtk_widget_set_margin_bottom(columns, 6);
    return columns;
}

static void
connect(CxuiTheoryHopfieldView *self)
{
    g_signal_connect(self->rule, "notify::selected", G_CALLBACK(on_rule), self);
    g_signal_connect(self->load, "value-changed", G_CALLBACK(on_load), self);
    g_signal_connect(self->start, "clicked", G_CALLBACK(on_start), self);
    g_signal_connect(self->run, "clicked", G_CALLBACK(on_run), self);
    g_signal_connect(self->sweep, "clicked", G_CALLBACK(on_sweep), self);
    g_signal_connect(self->mixture, "clicked", G_CALLBACK(on_mixture), self);
    g_signal_connect(self->together, "toggled", G_CALLBACK(on_together), self);
    g_signal_connect(self->measure, "clicked", G_CALLBACK(on_measure), self);
    g_signal_connect(self->picture_view, "brush", G_CALLBACK(on_brush), self);
    g_signal_connect(self->stored_view, "part", G_CALLBACK(on_stored_part),
                     self);
    g_signal_connect_object(self->model, "changed", G_CALLBACK(on_changed),
                            self, 0);
    g_signal_connect_object(self->model, "state-changed", G_CALLBACK(on_state),
                            self, 0);
}

GtkWidget *
cxui_theory_hopfield_view_new(CxuiSession *session)
{
    CxuiTheoryHopfieldView *self =
        g_object_new(CXUI_TYPE_THEORY_HOPFIELD_VIEW, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);

    self->model = cxui_theory_hopfield_new(session);
    gtk_box_append(GTK_BOX(box), new_controls(self));
    gtk_box_append(GTK_BOX(box), new_plots(self));
    adw_bin_set_child(ADW_BIN(self), box);
    connect(self);
    on_changed(self->model, self);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_THEORY_HOPFIELD_VIEW(object)->model);
    G_OBJECT_CLASS(cxui_theory_hopfield_view_parent_class)->dispose(object);
}

static void
cxui_theory_hopfield_view_class_init(CxuiTheoryHopfieldViewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_theory_hopfield_view_init(CxuiTheoryHopfieldView *self)
{
}
