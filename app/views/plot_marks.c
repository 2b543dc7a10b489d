/* Lines, points, areas, bars and strokes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_marks.h"

#include <math.h>

static double *
copy(const double *values, size_t n)
{
    return values != NULL ? g_memdup2(values, n * sizeof *values) : NULL;
}

/* Positive values stand on the positive ones below, negative ones hang. */
static void
stack(CxuiMarks *marks, const CxuiMarks *below)
{
    marks->own = copy(marks->y, marks->n);
    marks->low = g_new0(double, marks->n);
    marks->above = g_new0(double, marks->n);
    marks->below = g_new0(double, marks->n);
    for (size_t i = 0; i < marks->n; i++) {
        double up = below != NULL && i < below->n ? below->above[i] : 0.0;
        double down = below != NULL && i < below->n ? below->below[i] : 0.0;
        double own = isfinite(marks->own[i]) ? marks->own[i] : 0.0;
        marks->low[i] = own >= 0.0 ? up : down + own;
        marks->y[i] = own >= 0.0 ? up + own : down;
        marks->above[i] = own >= 0.0 ? up + own : up;
        marks->below[i] = own >= 0.0 ? down : down + own;
    }
}

CxuiMarks *
cxui_marks_new(const CxuiSeries *series, const CxuiMarks *below)
{
    CxuiMarks *marks = g_new0(CxuiMarks, 1);

    marks->mark = series->mark;
    marks->name = g_strdup(series->name);
    marks->colour = series->colour;
    marks->n = series->n;
    marks->dashed = series->dashed;
    marks->thick = series->thick;
    marks->faint = series->faint;
    marks->y = copy(series->y, series->n);
    marks->error = copy(series->error, series->n);
    marks->x = copy(series->x, series->n);
    if (series->colours != NULL)
        marks->colours =
            g_memdup2(series->colours, series->n * sizeof *series->colours);
    if (marks->x == NULL) {
        marks->x = g_new(double, MAX(series->n, 1));
        for (size_t i = 0; i < series->n; i++)
            marks->x[i] = series->x0 + (double)i * series->step;
    }
    if (marks->mark == CXUI_MARK_STACK)
        stack(marks, below);
    return marks;
}

void
cxui_marks_free(void *data)
{
    CxuiMarks *marks = data;

    g_free(marks->name);
    g_free(marks->colours);
    g_free(marks->x);
    g_free(marks->y);
    g_free(marks->error);
    g_free(marks->low);
    g_free(marks->own);
    g_free(marks->above);
    g_free(marks->below);
    g_free(marks);
}

static CxuiColour
colour_of(const CxuiMarks *marks, const CxuiPlotTheme *theme)
{
    CxuiColour colour = cxui_plot_colour(theme, marks->colour);

    return marks->faint ? cxui_colour_fade(colour, 0.45) : colour;
}

static void
set_stroke(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme)
{
    const double dashes[] = {5.0 * theme->scale, 3.5 * theme->scale};

    cxui_plot_source(cr, colour_of(marks, theme));
    cairo_set_line_width(cr, (marks->thick ? 2.8 : 1.7) * theme->scale);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cr, dashes, marks->dashed ? 2 : 0, 0.0);
}

static void
draw_line(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme,
          const CxuiAxis *x, const CxuiAxis *y)
{
    bool pen_down = false;

    set_stroke(marks, cr, theme);
    for (size_t i = 0; i < marks->n; i++) {
        if (!isfinite(marks->y[i])) {
            pen_down = false;
            continue;
        }
        double px = cxui_axis_pixel(x, marks->x[i]);
        double py = cxui_axis_pixel(y, marks->y[i]);
        if (pen_down)
            cairo_line_to(cr, px, py);
        else
            cairo_move_to(cr, px, py);
        pen_down = true;
    }
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0.0);
}

/* Shapes differ too, so that points are told apart without colour. */
static void
add_point(cairo_t *cr, int shape, double x, double y, double r)
{
    switch (shape % 4) {
    case 1:
        cairo_rectangle(cr, x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
        break;
    case 2:
        cairo_move_to(cr, x, y - r * 1.2);
        cairo_line_to(cr, x + r * 1.1, y + r * 0.9);
        cairo_line_to(cr, x - r * 1.1, y + r * 0.9);
        cairo_close_path(cr);
        break;
    case 3:
        cairo_move_to(cr, x, y - r * 1.3);
        cairo_line_to(cr, x + r * 1.3, y);
        cairo_line_to(cr, x, y + r * 1.3);
        cairo_line_to(cr, x - r * 1.3, y);
        cairo_close_path(cr);
        break;
    default:
        cairo_new_sub_path(cr);
        cairo_arc(cr, x, y, r, 0.0, 2.0 * G_PI);
    }
}

static void
draw_points(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme,
            const CxuiAxis *x, const CxuiAxis *y)
{
    double s = theme->scale;

    cxui_plot_source(cr, colour_of(marks, theme));
    cairo_set_line_width(cr, 1.2 * s);
    for (size_t i = 0; i < marks->n; i++) {
        if (!isfinite(marks->y[i]))
            continue;
        double px = cxui_axis_pixel(x, marks->x[i]);
        double py = cxui_axis_pixel(y, marks->y[i]);
        if (marks->error != NULL && marks->error[i] > 0.0) {
            cairo_move_to(cr, px,
                          cxui_axis_pixel(y, marks->y[i] - marks->error[i]));
            cairo_line_to(cr, px,
                          cxui_axis_pixel(y, marks->y[i] + marks->error[i]));
            cairo_stroke(cr);
        }
        add_point(cr, MAX(marks->colour, 0), px, py, 3.4 * s);
        cairo_fill(cr);
    }
}

static void
draw_stack(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme,
           const CxuiAxis *x, const CxuiAxis *y)
{
    CxuiColour colour = colour_of(marks, theme);

    if (marks->n == 0)
        return;
    for (size_t i = 0; i < marks->n; i++)
        cairo_line_to(cr, cxui_axis_pixel(x, marks->x[i]),
                      cxui_axis_pixel(y, marks->y[i]));
    for (size_t i = marks->n; i-- > 0;)
        cairo_line_to(cr, cxui_axis_pixel(x, marks->x[i]),
                      cxui_axis_pixel(y, marks->low[i]));
    cairo_close_path(cr);
    cxui_plot_source(cr, cxui_colour_fade(colour, 0.82));
    cairo_fill(cr);
}

static void
draw_bars(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme,
          const CxuiAxis *x, const CxuiAxis *y)
{
    double zero = cxui_axis_pixel(y, fmin(fmax(0.0, y->from), y->to));

    for (size_t i = 0; i < marks->n; i++) {
        if (!isfinite(marks->y[i]))
            continue;
        double a = cxui_axis_pixel(x, marks->x[i] - 0.36);
        double b = cxui_axis_pixel(x, marks->x[i] + 0.36);
        double top = cxui_axis_pixel(y, marks->y[i]);
        int colour = marks->colours != NULL ? marks->colours[i] : marks->colour;
        cxui_plot_source(cr, cxui_plot_colour(theme, colour));
        cairo_rectangle(cr, a, fmin(top, zero), b - a, fabs(top - zero));
        cairo_fill(cr);
    }
}

static void
draw_ticks(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme,
           const CxuiAxis *x, const CxuiAxis *y)
{
    double half = fabs(cxui_axis_pixel(y, 0.4) - cxui_axis_pixel(y, 0.0));

    set_stroke(marks, cr, theme);
    for (size_t i = 0; i < marks->n; i++) {
        double px = cxui_axis_pixel(x, marks->x[i]);
        double py = cxui_axis_pixel(y, marks->y[i]);
        cairo_move_to(cr, px, py - half);
        cairo_line_to(cr, px, py + half);
    }
    cairo_stroke(cr);
}

void
cxui_marks_draw(const CxuiMarks *marks, cairo_t *cr, const CxuiPlotTheme *theme,
                const CxuiAxis *x, const CxuiAxis *y)
{
    switch (marks->mark) {
    case CXUI_MARK_LINE:
        draw_line(marks, cr, theme, x, y);
        break;
    case CXUI_MARK_POINTS:
        draw_points(marks, cr, theme, x, y);
        break;
    case CXUI_MARK_LINE_POINTS:
        draw_line(marks, cr, theme, x, y);
        draw_points(marks, cr, theme, x, y);
        break;
    case CXUI_MARK_STACK:
        draw_stack(marks, cr, theme, x, y);
        break;
    case CXUI_MARK_BARS:
        draw_bars(marks, cr, theme, x, y);
        break;
    case CXUI_MARK_TICKS:
        draw_ticks(marks, cr, theme, x, y);
        break;
    }
}

void
cxui_marks_swatch(const CxuiMarks *marks, cairo_t *cr,
                  const CxuiPlotTheme *theme, double x, double y, double width)
{
    bool filled =
        marks->mark == CXUI_MARK_STACK || marks->mark == CXUI_MARK_BARS;

    set_stroke(marks, cr, theme);
    if (filled) {
        cairo_rectangle(cr, x + width * 0.2, y - width * 0.3, width * 0.6,
                        width * 0.6);
        cairo_fill(cr);
    } else if (marks->mark != CXUI_MARK_POINTS) {
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x + width, y);
        cairo_stroke(cr);
    }
    cairo_set_dash(cr, NULL, 0, 0.0);
    if (marks->mark == CXUI_MARK_POINTS ||
        marks->mark == CXUI_MARK_LINE_POINTS) {
        add_point(cr, MAX(marks->colour, 0), x + width / 2.0, y,
                  3.2 * theme->scale);
        cairo_fill(cr);
    }
}

static void
append_number(GString *text, double value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_c(text, ',');
    if (isfinite(value))
        g_string_append(text,
                        g_ascii_formatd(digits, sizeof digits, "%.9g", value));
}

void
cxui_marks_to_csv(const CxuiMarks *marks, GString *text)
{
    const double *values = marks->own != NULL ? marks->own : marks->y;
    g_autofree char *name =
        g_strdup(marks->name != NULL ? marks->name : "series");

    g_strdelimit(name, "\",\n", ' ');
    for (size_t i = 0; i < marks->n; i++) {
        g_string_append(text, name);
        append_number(text, marks->x[i]);
        append_number(text, values[i]);
        append_number(text, marks->error != NULL ? marks->error[i] : NAN);
        g_string_append_c(text, '\n');
    }
}
