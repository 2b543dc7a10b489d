/* Colours, strokes and letters of the plots; no GTK.
 *
 * Everything in plot_theme, plot_axis, plot_figure, plot_chart, plot_map and
 * plot_circuit draws on a cairo context with a theme, so that the window, a
 * PNG and an SVG come from the same code.  The eight series colours are those
 * of Okabe and Ito (2008), with the dark ones lifted on a dark ground and the
 * pale ones deepened on a light one; excitation is orange and inhibition blue,
 * never red and green.  Lengths are in pixels times scale.
 *
 * Pure functions; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <cairo.h>
#include <stdbool.h>

typedef struct {
    double r, g, b, a;
} CxuiColour;

#define CXUI_N_SERIES 8

/* Colours by role, for series; 0 … 7 are the palette. */
enum {
    CXUI_COLOUR_TEXT = -1,
    CXUI_COLOUR_DIM = -2,
    CXUI_COLOUR_EXCITE = -3,
    CXUI_COLOUR_INHIBIT = -4,
    CXUI_COLOUR_WARNING = -5,
};

typedef struct {
    bool dark;
    double scale; /* 1; larger on a stage: letters and strokes grow */
    CxuiColour ground, text, dim, grid, cursor;
    CxuiColour excite, inhibit, warning;
    CxuiColour series[CXUI_N_SERIES];
} CxuiPlotTheme;

CxuiPlotTheme cxui_plot_theme(bool dark, double scale);

/* A palette number (modulo eight) or one of the roles above. */
CxuiColour cxui_plot_colour(const CxuiPlotTheme *theme, int index);
CxuiColour cxui_colour_fade(CxuiColour colour, double alpha);
void cxui_plot_source(cairo_t *cr, CxuiColour colour);

/* How numbers become colours. */
typedef enum {
    CXUI_SHADES_GREY,       /* low black, high white */
    CXUI_SHADES_DIVERGING,  /* blue, ground, orange; for signed values */
    CXUI_SHADES_SEQUENTIAL, /* dark violet to yellow, rising lightness */
    CXUI_SHADES_INK,        /* -1 paper, 1 ink: bits */
} CxuiShades;

/* t in [0, 1], cut there; NaN gives the grid's colour. */
CxuiColour cxui_plot_shade(const CxuiPlotTheme *theme, CxuiShades shades,
                           double t);

/* Letters.  size: 1 = labels, larger for headings.  ax, ay: which part of the
 * text lies at x, y (0 left or top, 1 right or bottom). */
typedef struct {
    double size;
    bool bold;
    double ax, ay;
    CxuiColour colour;
} CxuiPlotLetters;

void cxui_plot_text(cairo_t *cr, const CxuiPlotTheme *theme,
                    const CxuiPlotLetters *letters, double x, double y,
                    const char *text);
void cxui_plot_text_size(cairo_t *cr, const CxuiPlotTheme *theme,
                         const CxuiPlotLetters *letters, const char *text,
                         double *width, double *height);

/* The text, or its beginning and "…" if it is wider than that. */
void cxui_plot_text_fit(cairo_t *cr, const CxuiPlotTheme *theme,
                        const CxuiPlotLetters *letters, double x, double y,
                        double width, const char *text);
