/* Charts: data, frame and axes.  Marks are drawn in plot_marks.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_chart.h"

#include "app/views/plot_marks.h"

#include <math.h>
#include <string.h>

typedef struct {
    double at, to;
    char *label;
    int colour;
    enum { LEVEL, UPRIGHT, STRIP } kind;
} Guide;

struct CxuiChart {
    CxuiFigure figure;
    GPtrArray *series; /* of CxuiMarks */
    GArray *guides;    /* of Guide */
    char *x_label, *y_label, *empty;
    double x_from, x_to, y_from, y_to; /* NaN: as the data want it */
    bool log_x, log_y, bare;
    char **categories;
    size_t n_categories;
};

/* Where things are, for one size of the frame. */
typedef struct {
    CxuiAxis x, y;
    double left, top, right, bottom; /* of the data's rectangle */
    double legend_top;
} Layout;

static CxuiChart *
chart_of(CxuiFigure *figure)
{
    return (CxuiChart *)figure;
}

/* --- extent */

static void
widen(double *low, double *high, double value)
{
    if (!isfinite(value))
        return;
    *low = isnan(*low) ? value : fmin(*low, value);
    *high = isnan(*high) ? value : fmax(*high, value);
}

static void
cover_axis(CxuiAxis *axis, double low, double high, bool tight, bool log)
{
    axis->logarithmic = log;
    if (log) {
        if (!(high > 0.0)) {
            low = 1.0;
            high = 10.0;
        }
        axis->from = fmax(low, high * 1e-12);
        axis->to = high > axis->from ? high : axis->from * 10.0;
    } else if (tight && high > low) {
        axis->from = low;
        axis->to = high;
    } else {
        cxui_axis_cover(axis, low, high);
    }
}

static bool
has_bars(const CxuiChart *chart)
{
    for (guint i = 0; i < chart->series->len; i++) {
        const CxuiMarks *marks = g_ptr_array_index(chart->series, i);
        if (marks->mark == CXUI_MARK_BARS)
            return true;
    }
    return false;
}

static bool
has_only_lines(const CxuiChart *chart)
{
    for (guint i = 0; i < chart->series->len; i++) {
        const CxuiMarks *marks = g_ptr_array_index(chart->series, i);
        if (marks->mark != CXUI_MARK_LINE && marks->mark != CXUI_MARK_STACK)
            return false;
    }
    return true;
}

static void
find_axes(const CxuiChart *chart, Layout *layout)
{
    double x0 = NAN, x1 = NAN, y0 = NAN, y1 = NAN;

    for (guint i = 0; i < chart->series->len; i++) {
        const CxuiMarks *marks = g_ptr_array_index(chart->series, i);
        for (size_t k = 0; k < marks->n; k++) {
            double e = marks->error != NULL && isfinite(marks->error[k])
                           ? marks->error[k]
                           : 0.0;
            if (!isfinite(marks->y[k]))
                continue;
            widen(&x0, &x1, marks->x[k]);
            widen(&y0, &y1,
                  marks->low != NULL ? marks->low[k] : marks->y[k] - e);
            widen(&y0, &y1, marks->y[k] + e);
        }
        if (marks->mark == CXUI_MARK_BARS || marks->mark == CXUI_MARK_STACK)
            widen(&y0, &y1, 0.0);
    }
    if (has_bars(chart)) {
        x0 = -0.6;
        x1 = (double)MAX(chart->n_categories, 1) - 0.4;
    }
    cover_axis(&layout->x, x0, x1, has_bars(chart) || has_only_lines(chart),
               chart->log_x);
    cover_axis(&layout->y, y0, y1, false, chart->log_y);
    if (!isnan(chart->x_from))
        layout->x.from = chart->x_from;
    if (!isnan(chart->x_to))
        layout->x.to = chart->x_to;
    if (!isnan(chart->y_from))
        layout->y.from = chart->y_from;
    if (!isnan(chart->y_to))
        layout->y.to = chart->y_to;
    if (!(layout->x.to > layout->x.from))
        layout->x.to = layout->x.from + 1.0;
    if (!(layout->y.to > layout->y.from))
        layout->y.to = layout->y.from + 1.0;
}

/* --- legend */

#define SWATCH 14.0

/* Draws (cr not measuring) or only measures; returns the height used below
 * the title's line. */
static double
lay_legend(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
           bool draws)
{
    double s = frame->theme->scale;
    CxuiPlotLetters letters = {.size = 0.95, .colour = frame->theme->dim};
    double line = 0.0;
    double title = 0.0;
    CxuiPlotLetters bold = {.size = 1.0, .bold = true};
    double x = 6.0 * s;
    double y = 3.0 * s;

    cxui_plot_text_size(cr, frame->theme, &letters, "X", NULL, &line);
    if (chart->figure.title != NULL && chart->figure.title[0] != '\0') {
        cxui_plot_text_size(cr, frame->theme, &bold, chart->figure.title,
                            &title, NULL);
        x += title + 14.0 * s;
    }
    for (guint i = 0; i < chart->series->len; i++) {
        const CxuiMarks *marks = g_ptr_array_index(chart->series, i);
        double width = 0.0;
        if (marks->name == NULL)
            continue;
        cxui_plot_text_size(cr, frame->theme, &letters, marks->name, &width,
                            NULL);
        if (x + (SWATCH + 4.0) * s + width > frame->width - 6.0 * s &&
            x > 10.0 * s) {
            x = 6.0 * s;
            y += line + 1.0 * s;
        }
        if (draws) {
            cxui_marks_swatch(marks, cr, frame->theme, x, y + line / 2.0,
                              SWATCH * s);
            cxui_plot_text_fit(
                cr, frame->theme, &letters, x + (SWATCH + 4.0) * s, y,
                frame->width - x - (SWATCH + 8.0) * s, marks->name);
        }
        x += (SWATCH + 14.0) * s + width;
    }
    return y + line + 3.0 * s;
}

static Layout
lay_out_bare(Layout layout, const CxuiFigureFrame *frame)
{
    layout.left = 2.0;
    layout.right = frame->width - 2.0;
    layout.top = 3.0;
    layout.bottom = frame->height - 3.0;
    layout.x.p0 = layout.left;
    layout.x.p1 = layout.right;
    layout.y.p0 = layout.bottom;
    layout.y.p1 = layout.top;
    return layout;
}

static Layout
lay_out(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame)
{
    double s = frame->theme->scale;
    Layout layout = {0};
    double widest = 0.0;

    find_axes(chart, &layout);
    if (chart->bare)
        return lay_out_bare(layout, frame);
    layout.top = lay_legend(chart, cr, frame, false) +
                 (chart->y_label != NULL ? 16.0 : 6.0) * s;
    layout.bottom = frame->height - (chart->x_label != NULL ? 34.0 : 20.0) * s;
    layout.right = frame->width - 10.0 * s;
    if (layout.bottom < layout.top + 10.0)
        layout.bottom = layout.top + 10.0;
    layout.y.p0 = layout.bottom;
    layout.y.p1 = layout.top;

    double ticks[CXUI_AXIS_MAX_TICKS];
    unsigned most =
        (unsigned)fmax(2.0, (layout.bottom - layout.top) / 30.0 / s);
    unsigned n = cxui_axis_ticks(&layout.y, most, ticks);
    CxuiPlotLetters letters = {.size = 0.9};
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *label = cxui_axis_dup_label(
            &layout.y, ticks[i], cxui_axis_step(&layout.y, most));
        double width = 0.0;
        cxui_plot_text_size(cr, frame->theme, &letters, label, &width, NULL);
        widest = fmax(widest, width);
    }
    layout.left = fmin(widest + 14.0 * s, frame->width / 2.0);
    if (layout.right < layout.left + 10.0)
        layout.right = layout.left + 10.0;
    layout.x.p0 = layout.left;
    layout.x.p1 = layout.right;
    return layout;
}

/* --- axes */

static void
draw_y_axis(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
            const Layout *layout)
{
    double s = frame->theme->scale;
    double ticks[CXUI_AXIS_MAX_TICKS];
    unsigned most =
        (unsigned)fmax(2.0, (layout->bottom - layout->top) / 30.0 / s);
    unsigned n = cxui_axis_ticks(&layout->y, most, ticks);
    double step = cxui_axis_step(&layout->y, most);
    CxuiPlotLetters letters = {
        .size = 0.9, .ax = 1.0, .ay = 0.5, .colour = frame->theme->dim};

    cairo_set_line_width(cr, 1.0);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *label =
            cxui_axis_dup_label(&layout->y, ticks[i], step);
        double y = round(cxui_axis_pixel(&layout->y, ticks[i])) + 0.5;
        bool zero = ticks[i] == 0.0 && !layout->y.logarithmic;
        cxui_plot_source(cr, zero ? frame->theme->dim : frame->theme->grid);
        cairo_move_to(cr, layout->left, y);
        cairo_line_to(cr, layout->right, y);
        cairo_stroke(cr);
        cxui_plot_text(cr, frame->theme, &letters, layout->left - 5.0 * s, y,
                       label);
    }
    if (chart->y_label == NULL)
        return;
    letters.ax = 0.0;
    letters.ay = 1.0;
    cxui_plot_text_fit(cr, frame->theme, &letters, 6.0 * s,
                       layout->top - 2.0 * s, frame->width - 12.0 * s,
                       chart->y_label);
}

static void
draw_zero(cairo_t *cr, const CxuiFigureFrame *frame, const Layout *layout)
{
    double y = round(cxui_axis_pixel(&layout->y, 0.0)) + 0.5;

    cxui_plot_source(cr, frame->theme->grid);
    cairo_set_line_width(cr, 1.0);
    cairo_move_to(cr, layout->left, y);
    cairo_line_to(cr, layout->right, y);
    cairo_stroke(cr);
}

static void
draw_categories(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
                const Layout *layout)
{
    double each = (layout->right - layout->left) / MAX(chart->n_categories, 1);
    CxuiPlotLetters letters = {
        .size = 0.9, .ax = 0.5, .colour = frame->theme->dim};

    for (size_t i = 0; i < chart->n_categories; i++)
        cxui_plot_text_fit(cr, frame->theme, &letters,
                           cxui_axis_pixel(&layout->x, (double)i),
                           layout->bottom + 3.0 * frame->theme->scale, each,
                           chart->categories[i]);
}

static void
draw_x_axis(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
            const Layout *layout)
{
    double s = frame->theme->scale;
    double ticks[CXUI_AXIS_MAX_TICKS];
    unsigned most =
        (unsigned)fmax(2.0, (layout->right - layout->left) / 56.0 / s);
    unsigned n = cxui_axis_ticks(&layout->x, most, ticks);
    double step = cxui_axis_step(&layout->x, most);
    CxuiPlotLetters letters = {
        .size = 0.9, .ax = 0.5, .colour = frame->theme->dim};

    if (chart->n_categories > 0) {
        draw_categories(chart, cr, frame, layout);
    } else {
        cxui_plot_source(cr, frame->theme->dim);
        cairo_set_line_width(cr, 1.0);
        for (unsigned i = 0; i < n; i++) {
            g_autofree char *label =
                cxui_axis_dup_label(&layout->x, ticks[i], step);
            double x = round(cxui_axis_pixel(&layout->x, ticks[i])) + 0.5;
            cairo_move_to(cr, x, layout->bottom);
            cairo_line_to(cr, x, layout->bottom + 3.0 * s);
            cairo_stroke(cr);
            letters.ax = x > layout->right - 14.0 * s ? 1.0 : 0.5;
            cxui_plot_text(cr, frame->theme, &letters, x,
                           layout->bottom + 3.0 * s, label);
            cxui_plot_source(cr, frame->theme->dim);
        }
    }
    letters.ax = 1.0;
    letters.ay = 1.0;
    if (chart->x_label != NULL)
        cxui_plot_text(cr, frame->theme, &letters, layout->right,
                       frame->height - 2.0 * s, chart->x_label);
}

/* --- guides */

static void
draw_strips(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
            const Layout *layout)
{
    for (guint i = 0; i < chart->guides->len; i++) {
        const Guide *guide = &g_array_index(chart->guides, Guide, i);
        if (guide->kind != STRIP)
            continue;
        double a = fmax(cxui_axis_pixel(&layout->x, guide->at), layout->left);
        double b = fmin(cxui_axis_pixel(&layout->x, guide->to), layout->right);
        if (b <= a)
            continue;
        cxui_plot_source(cr, cxui_colour_fade(frame->theme->dim, 0.22));
        cairo_rectangle(cr, a, layout->top, b - a,
                        layout->bottom - layout->top);
        cairo_fill(cr);
    }
}

/* Keeps a label readable over what is behind it. */
static void
draw_plate(cairo_t *cr, const CxuiFigureFrame *frame,
           const CxuiPlotLetters *letters, double x, double y, const char *text)
{
    double width = 0.0;
    double height = 0.0;

    cxui_plot_text_size(cr, frame->theme, letters, text, &width, &height);
    cxui_plot_source(cr, cxui_colour_fade(frame->theme->ground, 0.85));
    cairo_rectangle(cr, x - letters->ax * width - 2.0, y - letters->ay * height,
                    width + 4.0, height);
    cairo_fill(cr);
}

/* Labels of upright guides take turns on three lines, so that neighbours do
 * not cover each other. */
static void
draw_guides(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
            const Layout *layout)
{
    double s = frame->theme->scale;
    const double dashes[] = {4.0 * s, 3.0 * s};
    unsigned n_labels = 0;

    for (guint i = 0; i < chart->guides->len; i++) {
        const Guide *guide = &g_array_index(chart->guides, Guide, i);
        CxuiPlotLetters letters = {
            .size = 0.9,
            .colour = cxui_plot_colour(frame->theme, guide->colour)};
        bool upright = guide->kind == UPRIGHT;
        double at = upright ? cxui_axis_pixel(&layout->x, guide->at)
                            : cxui_axis_pixel(&layout->y, guide->at);
        bool out = upright ? at < layout->left - 1 || at > layout->right + 1
                           : at < layout->top - 1 || at > layout->bottom + 1;
        if (guide->kind == STRIP || out)
            continue;
        cxui_plot_source(cr, letters.colour);
        cairo_set_line_width(cr, 1.2 * s);
        cairo_set_dash(cr, dashes, 2, 0.0);
        cairo_move_to(cr, upright ? at : layout->left,
                      upright ? layout->top : at);
        cairo_line_to(cr, upright ? at : layout->right,
                      upright ? layout->bottom : at);
        cairo_stroke(cr);
        cairo_set_dash(cr, NULL, 0, 0.0);
        if (guide->label == NULL)
            continue;
        letters.ax = upright && at < layout->right * 0.6 ? 0.0 : 1.0;
        letters.ay = upright ? 0.0 : 1.0;
        double x =
            upright ? at + (letters.ax > 0.5 ? -4.0 : 4.0) * s : layout->right;
        double y = upright ? layout->top + (n_labels++ % 3) * 14.0 * s : at;
        draw_plate(cr, frame, &letters, x, y, guide->label);
        cxui_plot_text(cr, frame->theme, &letters, x, y, guide->label);
    }
}

/* --- the figure */

static void
draw_nothing(CxuiChart *chart, cairo_t *cr, const CxuiFigureFrame *frame,
             const Layout *layout)
{
    CxuiPlotLetters letters = {
        .size = 1.0, .ax = 0.5, .ay = 0.5, .colour = frame->theme->dim};

    if (chart->series->len == 0 && chart->empty != NULL)
        cxui_plot_text_fit(cr, frame->theme, &letters,
                           (layout->left + layout->right) / 2.0,
                           (layout->top + layout->bottom) / 2.0,
                           layout->right - layout->left, chart->empty);
}

static void
draw(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame)
{
    CxuiChart *chart = chart_of(figure);
    Layout layout = lay_out(chart, cr, frame);

    cxui_figure_draw_title(figure, cr, frame,
                           frame->width - 12.0 * frame->theme->scale);
    lay_legend(chart, cr, frame, true);
    draw_strips(chart, cr, frame, &layout);
    if (chart->bare) {
        draw_zero(cr, frame, &layout);
    } else if (chart->series->len > 0 || chart->guides->len > 0) {
        draw_y_axis(chart, cr, frame, &layout);
        draw_x_axis(chart, cr, frame, &layout);
    }
    cairo_save(cr);
    cairo_rectangle(cr, layout.left, layout.top - 3.0,
                    layout.right - layout.left,
                    layout.bottom - layout.top + 6.0);
    cairo_clip(cr);
    for (guint i = 0; i < chart->series->len; i++)
        cxui_marks_draw(g_ptr_array_index(chart->series, i), cr, frame->theme,
                        &layout.x, &layout.y);
    cairo_restore(cr);
    draw_guides(chart, cr, frame, &layout);
    draw_nothing(chart, cr, frame, &layout);
    if (figure->note != NULL) {
        CxuiPlotLetters letters = {
            .size = 0.9, .ax = 0.0, .ay = 1.0, .colour = frame->theme->text};
        cxui_plot_text_fit(cr, frame->theme, &letters,
                           6.0 * frame->theme->scale,
                           frame->height - 2.0 * frame->theme->scale,
                           frame->width * 0.72, figure->note);
    }
}

/* Measures on a surface of its own: the pointer has no context. */
static Layout
lay_out_alone(CxuiChart *chart, const CxuiFigureFrame *frame)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(surface);
    Layout layout = lay_out(chart, cr, frame);

    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return layout;
}

static void
draw_cursor(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame)
{
    if (isnan(figure->cursor))
        return;
    Layout layout = lay_out(chart_of(figure), cr, frame);
    double x = cxui_axis_pixel(&layout.x, figure->cursor);
    if (x < layout.left - 1.0 || x > layout.right + 1.0)
        return;
    double s = frame->theme->scale;
    cxui_plot_source(cr, cxui_colour_fade(frame->theme->cursor, 0.9));
    cairo_set_line_width(cr, 1.5 * s);
    cairo_move_to(cr, x, layout.top);
    cairo_line_to(cr, x, layout.bottom);
    cairo_stroke(cr);
    cairo_move_to(cr, x - 4.0 * s, layout.top - 4.0 * s);
    cairo_line_to(cr, x + 4.0 * s, layout.top - 4.0 * s);
    cairo_line_to(cr, x, layout.top + 2.0 * s);
    cairo_fill(cr);
}

static double
value_at(CxuiFigure *figure, const CxuiFigureFrame *frame, double x, double y)
{
    Layout layout = lay_out_alone(chart_of(figure), frame);
    double value = cxui_axis_value(&layout.x, x);

    return fmin(fmax(value, layout.x.from), layout.x.to);
}

static int
part_at(CxuiFigure *figure, const CxuiFigureFrame *frame, double x, double y)
{
    CxuiChart *chart = chart_of(figure);
    Layout layout = lay_out_alone(chart, frame);
    int part = (int)floor(cxui_axis_value(&layout.x, x) + 0.5);

    return has_bars(chart) && part >= 0 && (size_t)part < chart->n_categories
               ? part
               : -1;
}

static void
to_csv(CxuiFigure *figure, GString *text)
{
    CxuiChart *chart = chart_of(figure);

    g_string_append(text, "series,x,y,error\n");
    for (guint i = 0; i < chart->series->len; i++)
        cxui_marks_to_csv(g_ptr_array_index(chart->series, i), text);
}

static void
clear_guide(void *data)
{
    g_free(((Guide *)data)->label);
}

static void
free_categories(CxuiChart *chart)
{
    for (size_t i = 0; i < chart->n_categories; i++)
        g_free(chart->categories[i]);
    g_clear_pointer(&chart->categories, g_free);
    chart->n_categories = 0;
}

static void
chart_free(CxuiFigure *figure)
{
    CxuiChart *chart = chart_of(figure);

    g_ptr_array_unref(chart->series);
    g_array_unref(chart->guides);
    free_categories(chart);
    g_free(chart->x_label);
    g_free(chart->y_label);
    g_free(chart->empty);
    g_free(chart);
}

static const CxuiFigureClass chart_class = {
    .draw = draw,
    .draw_cursor = draw_cursor,
    .value_at = value_at,
    .part_at = part_at,
    .to_csv = to_csv,
    .free = chart_free,
};

CxuiChart *
cxui_chart_new(const char *title, const char *x_label, const char *y_label)
{
    CxuiChart *chart = g_new0(CxuiChart, 1);

    chart->figure.class = &chart_class;
    chart->figure.title = g_strdup(title);
    chart->figure.cursor = NAN;
    chart->series = g_ptr_array_new_with_free_func(cxui_marks_free);
    chart->guides = g_array_new(FALSE, FALSE, sizeof(Guide));
    g_array_set_clear_func(chart->guides, clear_guide);
    chart->x_label = g_strdup(x_label);
    chart->y_label = g_strdup(y_label);
    chart->x_from = chart->x_to = chart->y_from = chart->y_to = NAN;
    return chart;
}

void
cxui_chart_clear(CxuiChart *chart)
{
    g_ptr_array_set_size(chart->series, 0);
    g_array_set_size(chart->guides, 0);
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_add(CxuiChart *chart, const CxuiSeries *series)
{
    CxuiMarks *below = NULL;

    for (guint i = 0; i < chart->series->len; i++) {
        CxuiMarks *other = g_ptr_array_index(chart->series, i);
        if (other->mark == CXUI_MARK_STACK)
            below = other;
    }
    g_ptr_array_add(chart->series, cxui_marks_new(series, below));
    cxui_figure_touch(&chart->figure);
}

static void
add_guide(CxuiChart *chart, Guide guide)
{
    g_array_append_val(chart->guides, guide);
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_mark_x(CxuiChart *chart, double x, const char *label, int colour)
{
    add_guide(chart, (Guide){x, x, g_strdup(label), colour, UPRIGHT});
}

void
cxui_chart_mark_y(CxuiChart *chart, double y, const char *label, int colour)
{
    add_guide(chart, (Guide){y, y, g_strdup(label), colour, LEVEL});
}

void
cxui_chart_shade_x(CxuiChart *chart, double from, double to)
{
    add_guide(chart, (Guide){from, to, NULL, CXUI_COLOUR_DIM, STRIP});
}

void
cxui_chart_set_x_range(CxuiChart *chart, double from, double to)
{
    chart->x_from = from;
    chart->x_to = to;
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_set_y_range(CxuiChart *chart, double from, double to)
{
    chart->y_from = from;
    chart->y_to = to;
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_set_log(CxuiChart *chart, bool x, bool y)
{
    chart->log_x = x;
    chart->log_y = y;
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_set_bare(CxuiChart *chart, bool bare)
{
    chart->bare = bare;
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_set_labels(CxuiChart *chart, const char *x_label,
                      const char *y_label)
{
    g_free(chart->x_label);
    g_free(chart->y_label);
    chart->x_label = g_strdup(x_label);
    chart->y_label = g_strdup(y_label);
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_set_categories(CxuiChart *chart, const char *const *names, size_t n)
{
    free_categories(chart);
    chart->categories = g_new0(char *, n);
    chart->n_categories = n;
    for (size_t i = 0; i < n; i++)
        chart->categories[i] = g_strdup(names[i]);
    cxui_figure_touch(&chart->figure);
}

void
cxui_chart_set_empty(CxuiChart *chart, const char *text)
{
    g_free(chart->empty);
    chart->empty = g_strdup(text);
    cxui_figure_touch(&chart->figure);
}
