/* Controls that the Retina and Models pages are made of: named for screen
 * readers, spaced alike.
 *
 * Each function appends to a vertical box and returns the control.  Controls
 * do not take the focus by a click, so that Space and arrows stay with the
 * time line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_view.h"

#include <gtk/gtk.h>

/* A column with margins, in a scrolled window if it has a width. */
GtkWidget *cxui_part_column(void);
GtkWidget *cxui_part_scrolled(GtkWidget *column, int width);

GtkWidget *cxui_part_heading(GtkWidget *box, const char *text);

/* Wrapping text; numeric figures. */
GtkWidget *cxui_part_text(GtkWidget *box, const char *text, bool dim);

/* A caption, and below it the slider with its value.  unit is shown after the
 * value; digits behind the point. */
GtkWidget *cxui_part_scale(GtkWidget *box, const char *name, const char *unit,
                           double low, double high, double step, int digits);
GtkWidget *cxui_part_choice(GtkWidget *box, const char *name,
                            const char *const *rows);
GtkWidget *cxui_part_check(GtkWidget *box, const char *name);
GtkWidget *cxui_part_button(GtkWidget *box, const char *name);

/* A horizontal box for buttons of equal width. */
GtkWidget *cxui_part_row(GtkWidget *box);

/* A plot that takes its share of the height. */
GtkWidget *cxui_part_plot(GtkWidget *box, CxuiFigure *figure, const char *name,
                          int least_height);

/* Sets a drop-down's rows without telling its listeners (handlers of data). */
void cxui_part_set_rows(GtkWidget *choice, const char *const *rows,
                        guint selected, GCallback handler, gpointer data);

/* "0.876", or "–" for what could not be measured; owned. */
char *cxui_part_dup_number(double value);

/* Sets the text of a label only if it differs. */
void cxui_part_say(GtkWidget *label, const char *text);

/* Icon button for bars. */
GtkWidget *cxui_part_icon(GtkWidget *box, const char *icon, const char *name,
                          const char *action);
