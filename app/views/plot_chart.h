/* A chart: lines, points with error bars, stacked signed areas, bars and
 * rasters over one pair of axes, with a legend, marks and a time cursor.
 *
 * Data are copied.  NaN in y leaves a gap.  The legend stands beside the title
 * and goes on below it when there are many names.  Names of axes hold the
 * unit: "Time (ms)".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_axis.h"
#include "app/views/plot_figure.h"

#include <stddef.h>

typedef struct CxuiChart CxuiChart;

typedef enum {
    CXUI_MARK_LINE,
    CXUI_MARK_POINTS,
    CXUI_MARK_LINE_POINTS,
    CXUI_MARK_STACK, /* areas on top of each other; negative ones below 0 */
    CXUI_MARK_BARS,  /* at x = 0, 1, … with the names of set_categories() */
    CXUI_MARK_TICKS, /* short upright strokes at (x, row y) */
} CxuiMark;

typedef struct {
    const char *name; /* for legend and CSV; NULL: not in the legend */
    CxuiMark mark;
    int colour;         /* cxui_plot_colour() */
    const int *colours; /* bars: one a bar, or NULL */
    const double *x;    /* NULL: x0 + i step */
    double x0, step;
    const double *y;
    const double *error; /* half length of error bars, or NULL */
    size_t n;
    bool dashed, thick, faint;
} CxuiSeries;

CxuiChart *cxui_chart_new(const char *title, const char *x_label,
                          const char *y_label);

/* Takes all series and marks away; axes stay. */
void cxui_chart_clear(CxuiChart *chart);
void cxui_chart_add(CxuiChart *chart, const CxuiSeries *series);

/* Upright (or level) dashed line with a label at its end; both may be left
 * out with NULL. */
void cxui_chart_mark_x(CxuiChart *chart, double x, const char *label,
                       int colour);
void cxui_chart_mark_y(CxuiChart *chart, double y, const char *label,
                       int colour);

/* An upright strip behind the data. */
void cxui_chart_shade_x(CxuiChart *chart, double from, double to);

/* NaN: as the data want it. */
void cxui_chart_set_x_range(CxuiChart *chart, double from, double to);
void cxui_chart_set_y_range(CxuiChart *chart, double from, double to);
void cxui_chart_set_log(CxuiChart *chart, bool x, bool y);
void cxui_chart_set_labels(CxuiChart *chart, const char *x_label,
                           const char *y_label);

/* Without axes: data and the zero line alone. */
void cxui_chart_set_bare(CxuiChart *chart, bool bare);

/* Names of bars or rows; copied. */
void cxui_chart_set_categories(CxuiChart *chart, const char *const *names,
                               size_t n);

/* Said in the middle while there is nothing to draw. */
void cxui_chart_set_empty(CxuiChart *chart, const char *text);

static inline CxuiFigure *
cxui_chart_figure(CxuiChart *chart)
{
    return (CxuiFigure *)chart;
}
