/* A widget that shows one figure (plot_figure.h), follows the light or dark
 * style, and lets the time cursor be dragged.
 *
 * The figure is drawn once and kept as a picture until it, the size or the
 * theme changes; a cursor that moves is drawn over it.  Main thread.
 *
 * Signals:
 *   seek(double value)         pressed or dragged over a figure with a cursor
 *   part(int part, guint button, int clicks)  pressed on a part of the figure
 *   brush(int part, guint button)  pressed or dragged onto another part
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_figure.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_PLOT_VIEW (cxui_plot_view_get_type())
G_DECLARE_FINAL_TYPE(CxuiPlotView, cxui_plot_view, CXUI, PLOT_VIEW, GtkWidget)

/* Takes the figure.  label is what a screen reader says. */
GtkWidget *cxui_plot_view_new(CxuiFigure *figure, const char *label);

/* Borrowed; call cxui_plot_view_update() after changing it. */
CxuiFigure *cxui_plot_view_figure(CxuiPlotView *self);

/* Draws again if the figure has changed. */
void cxui_plot_view_update(CxuiPlotView *self);

/* Moves the cursor alone; NaN hides it. */
void cxui_plot_view_set_cursor(CxuiPlotView *self, double cursor);

/* Of letters and strokes of all plots: 1, larger on a stage. */
void cxui_plot_view_set_scale(CxuiPlotView *self, double scale);

/* As it is shown now, for exports. */
bool cxui_plot_view_save(CxuiPlotView *self, const char *path, GError **error);

/* Plots that are shown at or below a widget (CxuiPlotView, borrowed); owned
 * array. */
GPtrArray *cxui_plot_views_below(GtkWidget *widget);
