/* Numbers along an axis.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_axis.h"

#include <glib.h>
#include <math.h>

double
cxui_axis_pixel(const CxuiAxis *axis, double value)
{
    double t;

    if (axis->logarithmic)
        t = log(fmax(value, 1e-300) / axis->from) / log(axis->to / axis->from);
    else
        t = (value - axis->from) / (axis->to - axis->from);
    return axis->p0 + t * (axis->p1 - axis->p0);
}

double
cxui_axis_value(const CxuiAxis *axis, double pixel)
{
    double t = (pixel - axis->p0) / (axis->p1 - axis->p0);

    if (axis->logarithmic)
        return axis->from * pow(axis->to / axis->from, t);
    return axis->from + t * (axis->to - axis->from);
}

double
cxui_axis_step(const CxuiAxis *axis, unsigned max_ticks)
{
    double raw = (axis->to - axis->from) / MAX(max_ticks, 3);
    double power = pow(10.0, floor(log10(raw)));
    double digit = raw / power;

    return power * (digit <= 1.0   ? 1.0
                    : digit <= 2.0 ? 2.0
                    : digit <= 5.0 ? 5.0
                                   : 10.0);
}

static unsigned
log_ticks(const CxuiAxis *axis, unsigned max_ticks, double *ticks)
{
    static const double between[] = {1.0, 2.0, 5.0};
    double decades = log10(axis->to / axis->from);
    unsigned n_each = decades * 3.0 <= max_ticks ? 3 : 1;
    int every = (int)fmax(1.0, ceil(decades / MAX(max_ticks, 1)));
    unsigned n = 0;

    for (int e = (int)floor(log10(axis->from) + 1e-9);
         n < CXUI_AXIS_MAX_TICKS && pow(10.0, e) <= axis->to * 1.0001; e++) {
        if (e % every != 0)
            continue;
        for (unsigned k = 0; k < n_each && n < CXUI_AXIS_MAX_TICKS; k++) {
            double v = between[k] * pow(10.0, e);
            if (v >= axis->from * 0.9999 && v <= axis->to * 1.0001)
                ticks[n++] = v;
        }
    }
    return n;
}

unsigned
cxui_axis_ticks(const CxuiAxis *axis, unsigned max_ticks,
                double ticks[CXUI_AXIS_MAX_TICKS])
{
    max_ticks = CLAMP(max_ticks, 3, CXUI_AXIS_MAX_TICKS - 1);
    if (!(axis->to > axis->from) || !isfinite(axis->from) ||
        !isfinite(axis->to))
        return 0;
    if (axis->logarithmic)
        return log_ticks(axis, max_ticks, ticks);

    double step = cxui_axis_step(axis, max_ticks);
    double first = ceil(axis->from / step - 1e-9);
    unsigned n = 0;
    while (n < CXUI_AXIS_MAX_TICKS &&
           (first + n) * step <= axis->to + step * 1e-9) {
        ticks[n] = (first + n) * step;
        n++;
    }
    return n;
}

char *
cxui_axis_dup_label(const CxuiAxis *axis, double value, double step)
{
    int digits = 0;

    if (axis->logarithmic)
        return value >= 1e5 ? g_strdup_printf("1e%d", (int)round(log10(value)))
                            : g_strdup_printf("%g", value);
    if (fabs(value) < step * 1e-6)
        value = 0.0;
    if (fabs(value) >= 1e6)
        return g_strdup_printf("%.3g", value);
    while (digits < 9 && fabs(step * pow(10.0, digits) -
                              round(step * pow(10.0, digits))) > 1e-6)
        digits++;
    if (value < 0.0)
        return g_strdup_printf("−%.*f", digits, -value);
    return g_strdup_printf("%.*f", digits, value);
}

void
cxui_axis_cover(CxuiAxis *axis, double low, double high)
{
    if (!(low <= high)) {
        low = 0.0;
        high = 1.0;
    }
    double room = (high - low) * 0.06;
    if (!(room > 0.0))
        room = fmax(fabs(high) * 0.1, 0.5);
    axis->from = low == 0.0 ? 0.0 : low - room;
    axis->to = high == 0.0 && low < 0.0 ? 0.0 : high + room;
}
