/* Numbers along an axis: round ticks, their labels, and where a value lies.
 *
 * Pure functions; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

typedef struct {
    double from, to;  /* values at both ends, from < to */
    double p0, p1;    /* pixels of from and to */
    bool logarithmic; /* from > 0 */
} CxuiAxis;

double cxui_axis_pixel(const CxuiAxis *axis, double value);
double cxui_axis_value(const CxuiAxis *axis, double pixel);

/* The distance of round ticks (1, 2 or 5 times a power of ten), at most
 * max_ticks of them, at least 3 asked for; linear axes. */
double cxui_axis_step(const CxuiAxis *axis, unsigned max_ticks);

#define CXUI_AXIS_MAX_TICKS 24

/* Ticks from low to high; their number.  Logarithmic axes: powers of ten, and
 * 2 and 5 between them where there is room. */
unsigned cxui_axis_ticks(const CxuiAxis *axis, unsigned max_ticks,
                         double ticks[CXUI_AXIS_MAX_TICKS]);

/* "0.25", "−40", "10⁴"-like as "1e4": digits as the step needs; owned. */
char *cxui_axis_dup_label(const CxuiAxis *axis, double value, double step);

/* A little wider than [low, high], never empty; keeps 0 an end if it was. */
void cxui_axis_cover(CxuiAxis *axis, double low, double high);
