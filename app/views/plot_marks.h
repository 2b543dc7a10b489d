/* One series of a chart: its copied data, drawn between two axes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_chart.h"

typedef struct {
    CxuiMark mark;
    char *name;
    int colour;
    int *colours;
    double *x, *y, *error;
    double *low;           /* stacks: lower edge of the area, y is the upper */
    double *own;           /* stacks: the values themselves */
    double *above, *below; /* stacks: what the next area stands on */
    size_t n;
    bool dashed, thick, faint;
} CxuiMarks;

/* below: the area it stands on, or NULL. */
CxuiMarks *cxui_marks_new(const CxuiSeries *series, const CxuiMarks *below);
void cxui_marks_free(void *marks);

void cxui_marks_draw(const CxuiMarks *marks, cairo_t *cr,
                     const CxuiPlotTheme *theme, const CxuiAxis *x,
                     const CxuiAxis *y);

/* Its sign in the legend, width pixels wide, its middle at y. */
void cxui_marks_swatch(const CxuiMarks *marks, cairo_t *cr,
                       const CxuiPlotTheme *theme, double x, double y,
                       double width);
void cxui_marks_to_csv(const CxuiMarks *marks, GString *text);
