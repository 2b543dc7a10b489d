/* Plots: ticks, stacks, seeking, parts, exports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_chart.h"
#include "app/views/plot_circuit.h"
#include "app/views/plot_map.h"
#include "app/views/plot_marks.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Ticks are round, rise by one step, and lie inside; for any range. */
static void
test_ticks(void)
{
    for (int i = 0; i < 2000; i++) {
        double from = g_test_rand_double_range(-1e4, 1e4);
        double width = pow(10.0, g_test_rand_double_range(-4.0, 5.0));
        CxuiAxis axis = {from, from + width, 0.0, 500.0, false};
        double ticks[CXUI_AXIS_MAX_TICKS];
        unsigned most = (unsigned)g_test_rand_int_range(3, 12);
        unsigned n = cxui_axis_ticks(&axis, most, ticks);
        double step = cxui_axis_step(&axis, most);

        g_assert_cmpuint(n, >=, 1);
        g_assert_cmpuint(n, <=, most + 1);
        for (unsigned k = 0; k < n; k++) {
            double rounds = ticks[k] / step;
            g_assert_cmpfloat(fabs(rounds - round(rounds)), <, 1e-4);
            g_assert_cmpfloat(ticks[k], >=, from - step * 1e-6);
            g_assert_cmpfloat(ticks[k], <=, from + width + step * 1e-6);
        }
        double v = g_test_rand_double_range(from, from + width);
        g_assert_cmpfloat(
            fabs(cxui_axis_value(&axis, cxui_axis_pixel(&axis, v)) - v), <,
            width * 1e-9);
    }
}

static void
test_labels(void)
{
    CxuiAxis axis = {0.0, 1.0, 0.0, 100.0, false};
    g_autofree char *quarter = cxui_axis_dup_label(&axis, 0.25, 0.05);
    g_autofree char *minus = cxui_axis_dup_label(&axis, -40.0, 20.0);
    g_autofree char *zero = cxui_axis_dup_label(&axis, -1e-17, 0.2);

    g_assert_cmpstr(quarter, ==, "0.25");
    g_assert_cmpstr(minus, ==, "−40");
    g_assert_cmpstr(zero, ==, "0.0");

    CxuiAxis log_axis = {1.0, 1e4, 0.0, 100.0, true};
    double ticks[CXUI_AXIS_MAX_TICKS];
    g_assert_cmpuint(cxui_axis_ticks(&log_axis, 6, ticks), ==, 5);
    g_assert_cmpfloat(cxui_axis_pixel(&log_axis, 100.0), ==, 50.0);
}

/* The upper edges of the areas less the lower ones are the values, and the
 * top and bottom of the pile are the sums of the signs. */
static void
test_stack(void)
{
    CxuiMarks *piles[8];
    double up[32] = {0};
    double down[32] = {0};

    for (int c = 0; c < 8; c++) {
        double y[32];
        for (int i = 0; i < 32; i++) {
            y[i] = g_test_rand_double_range(-5.0, 5.0);
            *(y[i] > 0.0 ? &up[i] : &down[i]) += y[i];
        }
        CxuiSeries series = {
            .mark = CXUI_MARK_STACK, .step = 1.0, .y = y, .n = 32};
        piles[c] = cxui_marks_new(&series, c > 0 ? piles[c - 1] : NULL);
        for (int i = 0; i < 32; i++)
            g_assert_cmpfloat(
                fabs(piles[c]->y[i] - piles[c]->low[i] - fabs(y[i])), <, 1e-9);
    }
    for (int i = 0; i < 32; i++) {
        g_assert_cmpfloat(fabs(piles[7]->above[i] - up[i]), <, 1e-9);
        g_assert_cmpfloat(fabs(piles[7]->below[i] - down[i]), <, 1e-9);
    }
    for (int c = 0; c < 8; c++)
        cxui_marks_free(piles[c]);
}

static CxuiFigure *
new_chart(void)
{
    CxuiChart *chart = cxui_chart_new("Rate", "Time (ms)", "Rate (Hz)");
    double y[] = {0.0, 1.0, 4.0, NAN, 2.0};
    CxuiSeries series = {.name = "full, model",
                         .mark = CXUI_MARK_LINE,
                         .step = 10.0,
                         .y = y,
                         .n = 5};

    cxui_chart_add(chart, &series);
    cxui_chart_mark_x(chart, 20.0, "flash", CXUI_COLOUR_DIM);
    return cxui_chart_figure(chart);
}

static void
test_seek(void)
{
    CxuiPlotTheme theme = cxui_plot_theme(true, 1.0);
    CxuiFigureFrame frame = {400.0, 200.0, &theme};
    CxuiFigure *figure = new_chart();
    double last = -1.0;

    for (double x = 0.0; x <= 400.0; x += 10.0) {
        double value = figure->class->value_at(figure, &frame, x, 100.0);
        g_assert_cmpfloat(value, >=, fmax(last, 0.0));
        g_assert_cmpfloat(value, <=, 40.0);
        last = value;
    }
    g_assert_cmpfloat(last, ==, 40.0);
    cxui_figure_free(figure);
}

static void
test_parts(void)
{
    CxuiPlotTheme theme = cxui_plot_theme(false, 1.0);
    CxuiFigureFrame frame = {204.0, 104.0, &theme};
    float values[20 * 10] = {0};
    CxuiMap *map = cxui_map_new(NULL, CXUI_SHADES_INK);
    CxuiFigure *figure = cxui_map_figure(map);

    cxui_map_set(map, values, 20, 10, -1.0, 1.0);
    /* cells of 10 pixels from 2, 2 */
    g_assert_cmpint(figure->class->part_at(figure, &frame, 3, 3), ==, 0);
    g_assert_cmpint(figure->class->part_at(figure, &frame, 195, 95), ==, 199);
    g_assert_cmpint(figure->class->part_at(figure, &frame, 47, 33), ==, 64);
    g_assert_cmpint(figure->class->part_at(figure, &frame, 1, 3), ==, -1);
    cxui_figure_free(figure);

    CxuiCircuit *circuit = cxui_circuit_new("Circuit");
    unsigned a = cxui_circuit_add_node(circuit, 0, "stimulus", NULL, 0, false);
    unsigned b = cxui_circuit_add_node(circuit, 1, "ON", "fast", 1, true);
    cxui_circuit_connect(circuit, a, b, -2.0, NULL);
    figure = cxui_circuit_figure(circuit);
    frame.width = 400.0;
    g_assert_cmpint(figure->class->part_at(figure, &frame, 20, 64), ==, 0);
    g_assert_cmpint(figure->class->part_at(figure, &frame, 380, 64), ==, 1);
    g_assert_cmpint(figure->class->part_at(figure, &frame, 200, 64), ==, -1);
    cxui_figure_free(figure);
}

static void
test_export(void)
{
    g_autofree char *dir = g_dir_make_tmp("connexon-plot-XXXXXX", NULL);
    CxuiPlotTheme theme = cxui_plot_theme(true, 1.0);
    CxuiFigureFrame frame = {300.0, 200.0, &theme};
    static const char *const suffixes[] = {"png", "svg", "csv"};
    static const char *const starts[] = {"\211PNG", "<?xml", "series,x,y"};
    CxuiFigure *figure = new_chart();

    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("%s/a.%s", dir, suffixes[i]);
        g_autofree char *text = NULL;
        GError *error = NULL;
        g_assert_true(cxui_figure_save(figure, &frame, name, &error));
        g_assert_no_error(error);
        g_assert_true(g_file_get_contents(name, &text, NULL, NULL));
        g_assert_true(memcmp(text, starts[i], strlen(starts[i])) == 0);
        if (i == 2)
            g_assert_nonnull(strstr(text, "\nfull  model,20,4,\n"));
        g_unlink(name);
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *bad = g_strdup_printf("%s/a.bmp", dir);
    g_assert_false(cxui_figure_save(figure, &frame, bad, &error));
    g_assert_nonnull(strstr(error->message, "expected .png"));
    g_clear_error(&error);
    g_assert_false(
        cxui_figure_save(figure, &frame, "/nowhere/at/all.svg", &error));
    g_assert_nonnull(error);
    cxui_figure_free(figure);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* Colours of a series and its ground differ enough to be read (WCAG: 3 to 1
 * for graphics), dark and light. */
static double
luminance(CxuiColour c)
{
    double v[3] = {c.r, c.g, c.b};

    for (int i = 0; i < 3; i++)
        v[i] =
            v[i] <= 0.04045 ? v[i] / 12.92 : pow((v[i] + 0.055) / 1.055, 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
}

static void
test_contrast(void)
{
    for (int dark = 0; dark < 2; dark++) {
        CxuiPlotTheme theme = cxui_plot_theme(dark, 1.0);
        double ground = luminance(theme.ground);
        for (int i = CXUI_COLOUR_WARNING; i < CXUI_N_SERIES; i++) {
            double own = luminance(cxui_plot_colour(&theme, i));
            double ratio =
                (fmax(own, ground) + 0.05) / (fmin(own, ground) + 0.05);
            double least =
                i == CXUI_COLOUR_TEXT || i == CXUI_COLOUR_DIM ? 4.5 : 2.6;
            if (ratio < least)
                g_test_message("colour %d, dark %d: %.2f", i, dark, ratio);
            g_assert_cmpfloat(ratio, >=, least);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plot/ticks", test_ticks);
    g_test_add_func("/plot/labels", test_labels);
    g_test_add_func("/plot/stack", test_stack);
    g_test_add_func("/plot/seek", test_seek);
    g_test_add_func("/plot/parts", test_parts);
    g_test_add_func("/plot/export", test_export);
    g_test_add_func("/plot/contrast", test_contrast);
    return g_test_run();
}
