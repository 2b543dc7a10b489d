/* What all plots have in common: they draw themselves at any size, and save
 * themselves as PNG, SVG or CSV.  No GTK.
 *
 * A figure is filled in and drawn by one thread (the main one).  Kinds: a
 * chart (plot_chart.h), a map of values (plot_map.h), a circuit
 * (plot_circuit.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_theme.h"

#include <glib.h>

typedef struct CxuiFigure CxuiFigure;

typedef struct {
    double width, height;
    const CxuiPlotTheme *theme;
} CxuiFigureFrame;

typedef struct {
    void (*draw)(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame);
    /* What moves with the time cursor, drawn over the rest; may be NULL. */
    void (*draw_cursor)(CxuiFigure *figure, cairo_t *cr,
                        const CxuiFigureFrame *frame);
    /* The cursor's value under a pixel; NaN outside.  May be NULL. */
    double (*value_at)(CxuiFigure *figure, const CxuiFigureFrame *frame,
                       double x, double y);
    /* The part under a pixel, -1 for none.  May be NULL. */
    int (*part_at)(CxuiFigure *figure, const CxuiFigureFrame *frame, double x,
                   double y);
    void (*to_csv)(CxuiFigure *figure, GString *text);
    void (*free)(CxuiFigure *figure);
} CxuiFigureClass;

/* First member of each kind. */
struct CxuiFigure {
    const CxuiFigureClass *class;
    char *title;   /* heading, may be NULL */
    char *note;    /* small print below it or at the lower edge, may be NULL */
    double cursor; /* in units of x; NaN: none */
    unsigned serial; /* grows with each change that needs a new picture */
};

void cxui_figure_free(void *figure);
void cxui_figure_set_title(CxuiFigure *figure, const char *title);
void cxui_figure_set_note(CxuiFigure *figure, const char *note);

/* Says that the data have changed. */
void cxui_figure_touch(CxuiFigure *figure);

/* Everything: ground, figure, cursor. */
void cxui_figure_draw(CxuiFigure *figure, cairo_t *cr,
                      const CxuiFigureFrame *frame);

/* Numbers as text with a head line; owned. */
char *cxui_figure_to_csv(CxuiFigure *figure);

/* By suffix: .png (twice the resolution), .svg, .csv.  The file appears under
 * its name only when it is whole. */
bool cxui_figure_save(CxuiFigure *figure, const CxuiFigureFrame *frame,
                      const char *path, GError **error);

/* For the kinds: heading at the top left; returns the height it took. */
double cxui_figure_draw_title(CxuiFigure *figure, cairo_t *cr,
                              const CxuiFigureFrame *frame, double width);
