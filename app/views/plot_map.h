/* A map of values as coloured cells: a film frame, an activation map, a
 * filter, a mosaic of atoms, a picture of bits, a strip of x and time.
 *
 * Values are copied.  Cells are square unless the map has a time axis.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_figure.h"

#include <stddef.h>

typedef struct CxuiMap CxuiMap;

CxuiMap *cxui_map_new(const char *title, CxuiShades shades);

/* Row by row from the top, n_x a row; low and high take the ends of the
 * shades (NaN: -m and m for diverging ones, else least and largest). */
void cxui_map_set(CxuiMap *map, const float *values, size_t n_x, size_t n_y,
                  double low, double high);
void cxui_map_clear(CxuiMap *map);

/* Columns are times x0 + i step: axis below, cells stretched, cursor drawn.
 * y_label names the rows (y0 + i y_step from the top). */
void cxui_map_set_axes(CxuiMap *map, const char *x_label, double x0,
                       double step, const char *y_label, double y0,
                       double y_step);

/* A ring in cells from the upper left corner; radius 0: none. */
void cxui_map_set_ring(CxuiMap *map, double x, double y, double radius);

/* A band of rows, for strips: from, to in y units; NaN: none. */
void cxui_map_set_band(CxuiMap *map, double from, double to);

/* Bar at the lower right: so many cells, "500 µm"; 0: none. */
void cxui_map_set_scale_bar(CxuiMap *map, double cells, const char *label);

/* Lines between blocks of so many cells; 0: none. */
void cxui_map_set_blocks(CxuiMap *map, unsigned cells);

/* Colour bar at the right with its ends in this unit; NULL: none. */
void cxui_map_set_key(CxuiMap *map, const char *unit);

/* Upright dashed line at time x. */
void cxui_map_mark_x(CxuiMap *map, double x, int colour);
void cxui_map_clear_marks(CxuiMap *map);

void cxui_map_set_empty(CxuiMap *map, const char *text);

/* part_at() of the figure gives y * n_x + x. */
static inline CxuiFigure *
cxui_map_figure(CxuiMap *map)
{
    return (CxuiFigure *)map;
}
