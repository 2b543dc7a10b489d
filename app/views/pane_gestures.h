/* Wires the pointer and keys of a pane, the same for slices and 3-D.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gtk/gtk.h>

/* Handlers of GTK's signals of the same name; the last argument of each is the
 * `data` of cxui_pane_add_gestures().  NULL = not wanted. */
typedef struct {
    GCallback enter, motion, leave;
    GCallback scroll;                            /* both axes */
    GCallback click;                             /* primary, released */
    GCallback drag_begin, drag_update, drag_end; /* primary */
    GCallback centre;                            /* secondary, released */
    GCallback menu;                              /* secondary, held */
    GCallback key;
    GCallback title; /* a press on the pane's title */
} CxuiPaneHandlers;

/* The controllers belong to area and title; data must outlive both. */
void cxui_pane_add_gestures(GtkWidget *area, GtkWidget *title,
                            const CxuiPaneHandlers *handlers, void *data);
