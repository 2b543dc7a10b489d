/* What the four protocols find in rates.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/protocol.h"

#include <math.h>
#include <string.h>

#define OSR_MIN_RATIO 1.0
#define OSR_MIN_R_SQUARED 0.95
#define OSR_MIN_SLOPE 0.7
#define OSR_MAX_SLOPE 1.3
#define OSR_MAX_RATIO 99.0 /* shown where the train is silent */
#define OSR_GUARD_FRAMES 2 /* after the period */

#define LATENCY_MIN_DROP_MS 15.0
#define LATENCY_CENTRE_FRAMES 15
#define LATENCY_MIN_SHARE 0.02 /* of the largest response: an answer */

#define REVERSAL_REACH_PX 4.5
#define REVERSAL_FIRST_MS 50.0
#define REVERSAL_END_MS 400.0
#define REVERSAL_MIN_RATIO 1.2
#define REVERSAL_MIN_MS 80.0
#define REVERSAL_MAX_MS 300.0
#define REVERSAL_MAX_SD_MS 25.0
#define REVERSAL_MIN_SHARE 0.3

#define ANTICIPATION_SHARE 0.3
#define ANTICIPATION_MIN_ADVANCE_UM 25.0

/* ---- numbers ---------------------------------------------------------- */

static bool
find_peak(const float *y, size_t stride, size_t first, size_t end, size_t *at)
{
    float peak = 0.0f;

    for (size_t t = first; t < end; t++) {
        if (!(y[t * stride] > peak))
            continue;
        peak = y[t * stride];
        *at = t;
    }
    return peak > 0.0f;
}

double
cx_latency_argmax(const float *y, size_t stride, size_t first, size_t end)
{
    size_t at = first;

    return find_peak(y, stride, first, end, &at) ? (double)(at - first) + 0.5
                                                 : NAN;
}

double
cx_latency_parabola(const float *y, size_t stride, size_t first, size_t end)
{
    size_t at = first;

    if (!find_peak(y, stride, first, end, &at))
        return NAN;
    double middle = (double)(at - first) + 0.5;
    if (at == first || at + 1 >= end)
        return middle;
    double a = (double)y[(at - 1) * stride], b = (double)y[at * stride];
    double c = (double)y[(at + 1) * stride];
    double bend = a - 2.0 * b + c;
    return bend < 0.0 ? middle + 0.5 * (a - c) / bend : middle;
}

/* Centre of mass of what exceeds base, where it exceeds share of the peak's
 * excess. */
static double
centre_of_mass(const float *y, size_t stride, size_t first, size_t end,
               double base, double share)
{
    double peak = 0.0, sum = 0.0, moment = 0.0;

    for (size_t t = first; t < end; t++)
        peak = MAX(peak, (double)y[t * stride] - base);
    for (size_t t = first; t < end; t++) {
        double v = (double)y[t * stride] - base;

        if (!(v > share * peak))
            continue;
        sum += v;
        moment += v * ((double)(t - first) + 0.5);
    }
    return sum > 0.0 ? moment / sum : NAN;
}

double
cx_latency_centre(const float *y, size_t stride, size_t first, size_t end,
                  double share)
{
    return centre_of_mass(y, stride, first, end, 0.0, share);
}

typedef struct {
    double n, sum, squares, min, max;
} Sample;

static void
sample_add(Sample *s, double x)
{
    if (!isfinite(x))
        return;
    s->min = s->n > 0.0 ? MIN(s->min, x) : x;
    s->max = s->n > 0.0 ? MAX(s->max, x) : x;
    s->n += 1.0;
    s->sum += x;
    s->squares += x * x;
}

static double
sample_mean(const Sample *s)
{
    return s->n > 0.0 ? s->sum / s->n : NAN;
}

static double
sample_sd(const Sample *s)
{
    if (!(s->n > 0.0))
        return NAN;
    double mean = s->sum / s->n;
    return sqrt(MAX(s->squares / s->n - mean * mean, 0.0));
}

typedef struct {
    double slope, intercept, r_squared;
} Line;

/* Through the points (x, y) with finite y; NaN from fewer than three. */
static Line
fit_line(const CxProtocolPoint *points, size_t n_points, bool sub_bin)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;

    for (size_t i = 0; i < n_points; i++) {
        double value = sub_bin ? points[i].y_sub_bin : points[i].y;

        if (!isfinite(value))
            continue;
        n += 1;
        x += points[i].x;
        y += value;
        xx += points[i].x * points[i].x;
        xy += points[i].x * value;
        yy += value * value;
    }
    double vx = n * xx - x * x, vy = n * yy - y * y, cov = n * xy - x * y;
    if (n < 3 || !(vx > 0.0))
        return (Line){NAN, NAN, NAN};
    return (Line){cov / vx, (y - cov / vx * x) / n,
                  vy > 0.0 ? cov * cov / (vx * vy) : 0.0};
}

/* ---- results ---------------------------------------------------------- */

static void
put(CxProtocolResult *r, const char *key, const char *unit, double value,
    const char *definition)
{
    g_return_if_fail(r->n_scalars < CX_MAX_SCALARS);
    r->scalars[r->n_scalars++] = (CxScalar){key, unit, definition, value};
}

static CxProtocolPoint *
add_point(CxProtocolResult *r, double x)
{
    r->points = g_renew(CxProtocolPoint, r->points, r->n_points + 1);
    CxProtocolPoint *point = &r->points[r->n_points++];
    *point = (CxProtocolPoint){.x = x,
                               .y = NAN,
                               .y_sub_bin = NAN,
                               .y_centre = NAN,
                               .y_onset = NAN,
                               .sd = NAN,
                               .peak = NAN,
                               .reference = NAN};
    return point;
}

double
cx_protocol_scalar(const CxProtocolResult *result, const char *key)
{
    for (size_t i = 0; i < result->n_scalars; i++)
        if (strcmp(result->scalars[i].key, key) == 0)
            return result->scalars[i].value;
    return NAN;
}

void
cx_protocol_result_free(CxProtocolResult *result)
{
    if (result == NULL)
        return;
    g_free(result->points);
    g_free(result->verdict);
    g_free(result);
}

/* The mean over cells, one value a frame. */
static float *
mean_over_cells(const CxProtocol *p, const CxProtocolCondition *c,
                const float *rates)
{
    size_t n_frames = c->movie->n_frames;
    float *mean = g_new0(float, n_frames);

    for (size_t t = 0; t < n_frames; t++) {
        double sum = 0.0;

        for (size_t i = 0; i < p->n_cells; i++)
            sum += (double)rates[t * p->n_cells + i];
        mean[t] = (float)(sum / (double)p->n_cells);
    }
    return mean;
}

static double
largest(const float *y, size_t first, size_t end)
{
    size_t at = first;

    return find_peak(y, 1, first, end, &at) ? (double)y[at] : 0.0;
}

static size_t
frame_at(int64_t frame, const CxProtocolCondition *c)
{
    return (size_t)CLAMP(frame, 0, (int64_t)c->movie->n_frames);
}

/* s.d. over cells of the time of the peak in [first, end), in ms. */
static double
spread_over_cells(const CxProtocol *p, const CxProtocolCondition *c,
                  const float *rates, size_t first, size_t end)
{
    Sample sample = {0};

    for (size_t i = 0; i < p->n_cells; i++)
        sample_add(&sample,
                   cx_latency_parabola(rates + i, p->n_cells, first, end) *
                       c->movie->frame_ms);
    return sample_sd(&sample);
}

/* ---- omitted stimulus ------------------------------------------------- */

static void
measure_omission(const CxProtocol *p, const CxProtocolCondition *c,
                 const float *rates, CxProtocolResult *r)
{
    g_autofree float *y = mean_over_cells(p, c, rates);
    int64_t last = c->last_flash_frame, period = c->period_frames;
    size_t first = frame_at(last + period + OSR_GUARD_FRAMES, c);
    size_t end = frame_at(c->end_frame, c);
    double ms = c->movie->frame_ms;
    double before = (double)((int64_t)first - last) * ms;
    CxProtocolPoint *point = add_point(r, c->value);

    point->peak = largest(y, first, end);
    point->reference = largest(y, frame_at(last - 2 * period, c), first);
    point->y = before + ms * cx_latency_argmax(y, 1, first, end);
    point->y_sub_bin = before + ms * cx_latency_parabola(y, 1, first, end);
    point->y_centre = before + ms * cx_latency_centre(y, 1, first, end, 0.5);
    point->sd = spread_over_cells(p, c, rates, first, end);
    size_t start = frame_at(last + 10 + period - 2, c);
    double fifth = 0.2 * largest(y, start, end);
    for (size_t t = start; t < end && isnan(point->y_onset); t++)
        if ((double)y[t] > fifth && fifth > 0.0)
            point->y_onset = (double)((int64_t)t - last) * ms;
}

static void
judge_omission(CxProtocolResult *r, const Line *line, double ratio)
{
    bool answers = ratio >= OSR_MIN_RATIO;
    bool constant = line->slope >= OSR_MIN_SLOPE &&
                    line->slope <= OSR_MAX_SLOPE &&
                    line->r_squared >= OSR_MIN_R_SQUARED;
    bool one_period = isnan(line->slope) && r->n_points < 3;

    r->reproduced = answers && (constant || one_period);
    if (!answers)
        r->verdict = g_strdup_printf(
            "the answer to the omitted flash is %.2f x the largest answer to "
            "the train, expected at least %.1f",
            ratio, OSR_MIN_RATIO);
    else if (one_period)
        r->verdict = g_strdup_printf(
            "the answer to the omitted flash is %.2f x the largest answer to "
            "the train",
            ratio);
    else
        r->verdict = g_strdup_printf(
            "latency grows by %.2f ms for each ms of the period (r² %.3f), "
            "expected %.1f to %.1f (r² at least %.2f)",
            line->slope, line->r_squared, OSR_MIN_SLOPE, OSR_MAX_SLOPE,
            OSR_MIN_R_SQUARED);
}

static void
measure_osr(const CxProtocol *p, const float *const *rates, CxProtocolResult *r)
{
    Sample delay = {0}, ratios = {0};

    for (size_t i = 0; i < p->n_conditions; i++)
        if (!p->conditions[i].control)
            measure_omission(p, &p->conditions[i], rates[i], r);
    for (size_t i = 0; i < r->n_points; i++) {
        const CxProtocolPoint *point = &r->points[i];
        double ratio = point->reference > 0.0 ? point->peak / point->reference
                       : point->peak > 0.0    ? OSR_MAX_RATIO
                                              : 0.0;

        sample_add(&ratios, MIN(ratio, OSR_MAX_RATIO));
        sample_add(&delay, point->y_sub_bin - point->x);
    }
    Line line = fit_line(r->points, r->n_points, true);
    Line bins = fit_line(r->points, r->n_points, false);
    put(r, "slope", "", line.slope,
        "latency from the last flash over the period, per ms of the period");
    put(r, "r_squared", "", line.r_squared, "how well that is a line");
    put(r, "intercept_ms", "ms", line.intercept, "that line at a period of 0");
    put(r, "delay_ms", "ms", sample_mean(&delay),
        "peak after the time of the omitted flash, mean over periods");
    put(r, "delay_sd_ms", "ms", sample_sd(&delay),
        "standard deviation of that delay over periods");
    put(r, "ratio", "", ratios.n > 0.0 ? ratios.min : NAN,
        "smallest ratio over periods of the peak to the largest answer in the "
        "last two periods");
    put(r, "slope_bins", "", bins.slope, "the slope from whole bins");
    judge_omission(r, &line, ratios.n > 0.0 ? ratios.min : 0.0);
}

/* ---- latency coding --------------------------------------------------- */

static void
measure_step(const CxProtocol *p, const CxProtocolCondition *c,
             const float *rates, CxProtocolResult *r)
{
    g_autofree float *y = mean_over_cells(p, c, rates);
    size_t first = frame_at(c->onset_frame, c);
    size_t end = frame_at(c->end_frame, c);
    double base = (double)y[first], ms = c->movie->frame_ms;
    CxProtocolPoint *point = add_point(r, c->value);

    point->peak = largest(y, first, end) - base;
    point->reference = base;
    point->y = ms * cx_latency_argmax(y, 1, first, end);
    point->y_sub_bin = ms * cx_latency_parabola(y, 1, first, end);
    point->y_centre =
        ms * centre_of_mass(y, 1, first,
                            MIN(first + LATENCY_CENTRE_FRAMES, end), base, 0.0);
    point->sd = spread_over_cells(p, c, rates, first, end);
}

static void
judge_latency(CxProtocolResult *r, double drop, double rise)
{
    r->reproduced = drop >= LATENCY_MIN_DROP_MS && rise <= CX_RETINA_FRAME_MS;
    if (isnan(drop))
        r->verdict = g_strdup("fewer than two steps are answered");
    else
        r->verdict = g_strdup_printf(
            "latency falls by %.0f ms from the weakest to the strongest step "
            "(expected at least %.0f) and rises by at most %.0f ms on the way "
            "(allowed: %.0f)",
            drop, LATENCY_MIN_DROP_MS, rise, CX_RETINA_FRAME_MS);
}

static void
measure_latency(const CxProtocol *p, const float *const *rates,
                CxProtocolResult *r)
{
    const CxProtocolPoint *weakest = NULL, *strongest = NULL;
    double peak = 0.0, rise = 0.0, lowest = INFINITY;

    for (size_t i = 0; i < p->n_conditions; i++)
        if (!p->conditions[i].control)
            measure_step(p, &p->conditions[i], rates[i], r);
    for (size_t i = 0; i < r->n_points; i++)
        peak = MAX(peak, r->points[i].peak);
    for (size_t i = 0; i < r->n_points; i++) {
        CxProtocolPoint *point = &r->points[i];

        if (!(point->peak > LATENCY_MIN_SHARE * peak)) {
            point->y = point->y_sub_bin = point->y_centre = point->sd = NAN;
            continue;
        }
        weakest = weakest != NULL ? weakest : point;
        strongest = point;
        rise = MAX(rise, point->y_sub_bin - lowest);
        lowest = MIN(lowest, point->y_sub_bin);
    }
    bool two = strongest != weakest;
    double drop = two ? weakest->y_sub_bin - strongest->y_sub_bin : NAN;
    put(r, "weakest_ms", "ms", weakest != NULL ? weakest->y_sub_bin : NAN,
        "time of the peak after the weakest step that is answered");
    put(r, "strongest_ms", "ms", strongest != NULL ? strongest->y_sub_bin : NAN,
        "time of the peak after the strongest step");
    put(r, "drop_ms", "ms", drop, "how much earlier the strongest is answered");
    put(r, "largest_rise_ms", "ms", two ? rise : NAN,
        "largest rise of the latency with the step: 0 if it falls throughout");
    put(r, "drop_bins_ms", "ms", two ? weakest->y - strongest->y : NAN,
        "the drop from whole bins");
    put(r, "drop_centre_ms", "ms",
        two ? weakest->y_centre - strongest->y_centre : NAN,
        "the drop of the centre of mass over the first 150 ms");
    judge_latency(r, drop, rise);
}

/* ---- motion reversal -------------------------------------------------- */

static const CxProtocolCondition *
find_smooth(const CxProtocol *p, size_t *at)
{
    for (size_t i = 0; i < p->n_conditions; i++) {
        *at = i;
        if (p->conditions[i].control)
            return &p->conditions[i];
    }
    return NULL;
}

static double
peak_of_cell(const CxProtocol *p, const CxProtocolCondition *c,
             const float *rates, size_t cell)
{
    size_t at = 0;

    return find_peak(rates + cell, p->n_cells, 0, c->movie->n_frames, &at)
               ? (double)rates[at * p->n_cells + cell]
               : 0.0;
}

/* One point for every cell near the turn. */
static void
measure_turn(const CxProtocol *p, const CxProtocolCondition *c,
             const float *rates, const double *smooth, CxProtocolResult *r)
{
    double ms = c->movie->frame_ms;
    size_t first =
        frame_at(c->flip_frame + (int64_t)(REVERSAL_FIRST_MS / ms), c);
    size_t end =
        frame_at(c->flip_frame + (int64_t)(REVERSAL_END_MS / ms) + 1, c);
    double before = (double)((int64_t)first - c->flip_frame) * ms;

    for (size_t i = 0; i < p->n_cells; i++) {
        const float *y = rates + i;
        double offset = cx_protocol_cell_px(p, i) - c->value;
        size_t at = first;

        if (fabs(offset) > REVERSAL_REACH_PX)
            continue;
        CxProtocolPoint *point = add_point(r, offset);
        bool any = find_peak(y, p->n_cells, first, end, &at);
        point->peak = any ? (double)y[at * p->n_cells] : 0.0;
        point->reference = smooth[i];
        if (!(point->peak > REVERSAL_MIN_SHARE * smooth[i]))
            continue;
        point->y =
            before + ms * (cx_latency_argmax(y, p->n_cells, first, end) - 0.5);
        point->y_sub_bin =
            before +
            ms * (cx_latency_parabola(y, p->n_cells, first, end) - 0.5);
        point->y_centre =
            before +
            ms * (cx_latency_centre(y, p->n_cells, first, end, 0.5) - 0.5);
    }
}

static void
judge_reversal(CxProtocolResult *r, double ratio, const Sample *burst)
{
    double mean = sample_mean(burst), sd = sample_sd(burst);
    bool enough = 2.0 * burst->n >= (double)r->n_points && r->n_points > 0;

    r->reproduced = ratio >= REVERSAL_MIN_RATIO && enough &&
                    mean >= REVERSAL_MIN_MS && mean <= REVERSAL_MAX_MS &&
                    sd <= REVERSAL_MAX_SD_MS;
    if (isnan(mean))
        r->verdict = g_strdup("no cell answers the turn");
    else
        r->verdict = g_strdup_printf(
            "%.0f of %zu cells answer the turn after %.0f ± %.0f ms with %.2f "
            "x the peak of smooth motion, expected half of them after %.0f to "
            "%.0f ms, s.d. at most %.0f ms, at least %.1f x",
            burst->n, r->n_points, mean, sd, ratio, REVERSAL_MIN_MS,
            REVERSAL_MAX_MS, REVERSAL_MAX_SD_MS, REVERSAL_MIN_RATIO);
}

static void
measure_reversal(const CxProtocol *p, const float *const *rates,
                 CxProtocolResult *r)
{
    size_t at = 0;
    const CxProtocolCondition *sweep = find_smooth(p, &at);
    g_autofree double *smooth = g_new0(double, p->n_cells);
    Sample burst = {0}, peaks = {0}, references = {0};

    for (size_t i = 0; i < p->n_cells; i++)
        smooth[i] = peak_of_cell(p, sweep, rates[at], i);
    for (size_t i = 0; i < p->n_conditions; i++)
        if (!p->conditions[i].control)
            measure_turn(p, &p->conditions[i], rates[i], smooth, r);
    for (size_t i = 0; i < r->n_points; i++) {
        sample_add(&burst, r->points[i].y_sub_bin);
        sample_add(&peaks, r->points[i].peak);
        sample_add(&references, r->points[i].reference);
    }
    double ratio =
        references.sum > 0.0 ? peaks.max / sample_mean(&references) : NAN;
    put(r, "ratio", "", ratio,
        "largest peak after the turn over the mean peak of smooth motion");
    put(r, "burst_ms", "ms", sample_mean(&burst),
        "time of the peak after the turn, mean over the cells that answer");
    put(r, "sd_ms", "ms", sample_sd(&burst),
        "standard deviation of that time over cells");
    put(r, "burst_min_ms", "ms", burst.n > 0.0 ? burst.min : NAN,
        "the earliest cell");
    put(r, "burst_max_ms", "ms", burst.n > 0.0 ? burst.max : NAN,
        "the latest cell");
    put(r, "answering", "", burst.n,
        "cells whose peak exceeds 0.3 x that of smooth motion");
    put(r, "cells", "", (double)r->n_points, "cells within 4 px of the turn");
    judge_reversal(r, ratio, &burst);
}

/* ---- anticipation ----------------------------------------------------- */

typedef struct {
    Sample both, rightward, leftward, peak;
} Positions;

/* Where the bar is, from the cell's centre along its motion, when a cell
 * fires: weighted by the response, and at its peak. */
static void
measure_sweep(const CxProtocol *p, const CxProtocolCondition *c,
              const float *rates, Positions *positions)
{
    double um = c->movie->pixel_um * (double)c->direction;

    for (size_t i = 0; i < p->n_cells; i++) {
        double peak = peak_of_cell(p, c, rates, i);
        double sum = 0.0, moment = 0.0, cell = cx_protocol_cell_px(p, i);

        for (size_t t = 0; t < c->movie->n_frames; t++) {
            double v = (double)rates[t * p->n_cells + i];
            double from_cell = ((double)c->bar_px[t] - cell) * um;

            if (isnan(from_cell) || !(v > ANTICIPATION_SHARE * peak))
                continue;
            sum += v;
            moment += v * from_cell;
            if (v == peak)
                sample_add(&positions->peak, from_cell);
        }
        if (!(sum > 0.0))
            continue;
        sample_add(&positions->both, moment / sum);
        sample_add(c->direction > 0 ? &positions->rightward
                                    : &positions->leftward,
                   moment / sum);
    }
}

/* A flashed bar at a cell: its latency.  And a point of the profile: the
 * answer of the middle cell to a bar there. */
static void
measure_flash(const CxProtocol *p, const CxProtocolCondition *c,
              const float *rates, Sample *latency, CxProtocolResult *r)
{
    size_t first = frame_at(c->onset_frame, c), end = c->movie->n_frames;
    double ms = c->movie->frame_ms;
    size_t middle = p->n_cells / 2;
    CxProtocolPoint *point = add_point(
        r, (c->value - cx_protocol_cell_px(p, middle)) * c->movie->pixel_um);

    point->peak = peak_of_cell(p, c, rates, middle);
    point->y = point->peak;
    for (size_t i = 0; i < p->n_cells; i++)
        if (fabs(cx_protocol_cell_px(p, i) - c->value) <= 0.5)
            sample_add(latency, ms * cx_latency_parabola(rates + i, p->n_cells,
                                                         first, end));
}

/* Speed of a sweep in um a ms. */
static double
sweep_speed(const CxProtocol *p)
{
    for (size_t i = 0; i < p->n_conditions; i++) {
        const CxProtocolCondition *c = &p->conditions[i];
        size_t t = (size_t)c->onset_frame;

        if (c->direction != 0)
            return fabs((double)c->bar_px[t + 1] - (double)c->bar_px[t]) *
                   c->movie->pixel_um / c->movie->frame_ms;
    }
    return NAN;
}

static void
judge_anticipation(CxProtocolResult *r, double position, double advance)
{
    r->reproduced = position <= 0.0 && advance >= ANTICIPATION_MIN_ADVANCE_UM;
    if (isnan(position))
        r->verdict = g_strdup("no cell answers the moving bar");
    else
        r->verdict = g_strdup_printf(
            "cells fire when the bar is %.0f um %s their centre, %.0f um ahead "
            "of what the latency of a flash would give (expected: before it, "
            "at least %.0f um)",
            fabs(position), position <= 0.0 ? "before" : "behind", advance,
            ANTICIPATION_MIN_ADVANCE_UM);
}

static void
measure_anticipation(const CxProtocol *p, const float *const *rates,
                     CxProtocolResult *r)
{
    Positions positions = {0};
    Sample latency = {0};

    for (size_t i = 0; i < p->n_conditions; i++) {
        const CxProtocolCondition *c = &p->conditions[i];

        if (c->control)
            measure_flash(p, c, rates[i], &latency, r);
        else
            measure_sweep(p, c, rates[i], &positions);
    }
    double position = sample_mean(&positions.both);
    double expected = sweep_speed(p) * sample_mean(&latency);
    put(r, "position_um", "um", position,
        "bar centre when a cell fires, from the cell's centre along the "
        "motion, weighted by the rate (bins above 0.3 x peak): negative is "
        "ahead");
    put(r, "rightward_um", "um", sample_mean(&positions.rightward),
        "the same for rightward motion");
    put(r, "leftward_um", "um", sample_mean(&positions.leftward),
        "the same for leftward motion");
    put(r, "peak_um", "um", sample_mean(&positions.peak),
        "bar centre at the peak of the rate");
    put(r, "flash_latency_ms", "ms", sample_mean(&latency),
        "time of the peak after the bar is flashed at the cell");
    put(r, "expected_um", "um", expected, "how far the bar moves in that time");
    put(r, "advance_um", "um", expected - position,
        "how much earlier than that cells fire");
    judge_anticipation(r, position, expected - position);
}

/* ----------------------------------------------------------------------- */

CxProtocolResult *
cx_protocol_measure(const CxProtocol *protocol, const float *const *rates)
{
    CxProtocolResult *r = g_new0(CxProtocolResult, 1);

    r->kind = protocol->kind;
    switch (protocol->kind) {
    case CX_PROTOCOL_OSR:
        measure_osr(protocol, rates, r);
        break;
    case CX_PROTOCOL_LATENCY:
        measure_latency(protocol, rates, r);
        break;
    case CX_PROTOCOL_REVERSAL:
        measure_reversal(protocol, rates, r);
        break;
    case CX_PROTOCOL_ANTICIPATION:
    case CX_N_PROTOCOLS:
    default:
        measure_anticipation(protocol, rates, r);
        break;
    }
    return r;
}
