/* The four experiments, and whether a responder shows what retinas show.
 *
 * A protocol is data: conditions (films with their ticks) and the positions of
 * the cells to ask.  A responder is anything that turns a film into rates: the
 * simulator, a network, a reduced network, a linear-nonlinear model.  measure
 * functions take the rates and give the protocol's scalars, each with the name
 * and the definition that screens print, and `reproduced` by these criteria:
 *
 *   omitted stimulus  peak later than period + 20 ms after the last flash is
 *                     >= 1.0 x the largest response of the last two periods,
 *                     at every period;
 *                     latency over periods of 30-80 ms linear (r^2 >= 0.95)
 *                     with slope 0.7-1.3; a linear-nonlinear baseline, if one
 *                     is given, fails the first
 *   latency coding    latency falls with the step (one bin of tolerance), by
 *                     >= 15 ms from the weakest to the strongest
 *   motion reversal   cells within 4 px of the flip: largest peak 50-400 ms
 *                     after it >= 1.2 x the mean smooth-motion peak; time of
 *                     the peak 80-300 ms on average, s.d. over the cells that
 *                     answer (above 0.3 x smooth) <= 25 ms; at least half of
 *                     the cells answer
 *   anticipation      response-weighted bar position (bins above 0.3 x peak)
 *                     <= 0, that is before the cell's centre, and >= 25 um
 *                     ahead of speed x (latency of a flashed bar)
 *
 * Schwartz et al. 2007; Gollisch and Meister 2008; Chen et al. 2014; Berry
 * et al. 1999.  Latencies are also given between bins (centre of mass, or a
 * parabola through the peak), because 10 ms bins hide most of the effect.
 *
 * Not thread-safe; a protocol may be read by many threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/retina/simulator.h"

typedef enum {
    CX_PROTOCOL_OSR,
    CX_PROTOCOL_LATENCY,
    CX_PROTOCOL_REVERSAL,
    CX_PROTOCOL_ANTICIPATION,
    CX_N_PROTOCOLS,
} CxProtocolKind;

/* "osr", "latency", "reversal", "anticipation". */
const char *cx_protocol_name(CxProtocolKind kind);
/* "Omitted stimulus response", … */
const char *cx_protocol_title(CxProtocolKind kind);
bool cx_protocol_from_name(const char *name, CxProtocolKind *kind);

/* Which publication's numbers. */
typedef enum {
    CX_PRESET_SIMULATED, /* those the simulated retina is described with: the
                            timing of the reduction figures, amplitude -1 */
    CX_PRESET_REDUCTION, /* figures of the model reduction (z-units, -2) */
    CX_PRESET_2023,      /* figures of the 2023 paper */
    CX_PRESET_LIBRARY,   /* defaults of the published library */
    CX_PRESET_EBERT,     /* omitted stimulus only: 40 ms flashes, 6-16 Hz */
    CX_N_PRESETS,
} CxProtocolPreset;

/* "simulated", "reduction", "2023", "library", "ebert". */
const char *cx_preset_name(CxProtocolPreset preset);
bool cx_preset_from_name(const char *name, CxProtocolPreset *preset);
/* "2-frame dark flashes (-2), periods 20-80 ms, last flash in frame 89". */
const char *cx_preset_describe(CxProtocolKind kind, CxProtocolPreset preset);

typedef struct {
    CxProtocolPreset preset;
    size_t width, height; /* of the films; height 1: x-t films */
    size_t margin;        /* pixels at the borders where no cell may lie */
    double amplitude;     /* factor on the preset's amplitudes; 0 means 1 */
    /* Free settings; 0 takes the preset's. */
    double speed_px; /* pixels a frame: reversal, anticipation */
    unsigned bar_px; /* width of the bar */
    double pixel_um; /* 50 */
} CxProtocolOptions;

/* What is shown once, and when; -1 where there is no such frame. */
typedef struct {
    char *label;  /* "period 60 ms" */
    double value; /* period ms, step size, flip or bar centre px */
    CxMovie *movie;
    int64_t onset_frame;      /* first frame that is not grey */
    int64_t last_flash_frame; /* onset of the last flash */
    int64_t omitted_frame;    /* where the next one would have begun */
    int64_t flip_frame;       /* last frame before the bar goes back */
    int64_t end_frame;        /* answers are looked for before this one */
    int64_t period_frames, duration_frames; /* of flashes */
    int direction; /* of a moving bar: 1 rightward, -1, 0 if none moves */
    bool control;  /* only compared with: smooth motion, flashed bar, flashes
                      without a gap */
    float *bar_px; /* centre of the bar for every frame, NaN without one; from
                      the middle of the film, as cx_protocol_cell_px();
                      NULL if the stimulus has no bar */
} CxProtocolCondition;

typedef struct {
    CxProtocolKind kind;
    CxProtocolOptions options;
    CxProtocolCondition *conditions;
    size_t n_conditions;
    CxCellPosition *cells; /* those a measure function expects, in order */
    size_t n_cells;
} CxProtocol;

/* CX_ERROR_INVALID if the preset has no such protocol or the film is too small
 * for its cells. */
CxProtocol *cx_protocol_new(CxProtocolKind kind,
                            const CxProtocolOptions *options, GError **error);
void cx_protocol_free(CxProtocol *protocol);

/* Centre of a cell's pixel from the middle of the film (the border between
 * two pixels if the width is even). */
double cx_protocol_cell_px(const CxProtocol *protocol, size_t cell);

/* Fills rates[n_frames][n_cells] (see movie.h).  Returns false with error. */
typedef bool (*CxRespondFunc)(const CxMovie *movie, const CxCellPosition *cells,
                              size_t n_cells, float *rates, void *user_data,
                              CxJob *job, GError **error);

typedef struct {
    const char *name; /* "simulated retina", "network", … */
    CxRespondFunc respond;
    void *user_data;
    size_t height, width; /* of films it takes; height 1: x-t films */
    size_t margin;        /* pixels at each border without cells */
} CxResponder;

/* A responder that asks the simulator; options is borrowed, may be NULL.
 * height 1 for x-t films. */
CxResponder cx_responder_simulator(const CxSimulatorOptions *options,
                                   size_t height, size_t width);

#define CX_MAX_SCALARS 16

/* A number with what it means. */
typedef struct {
    const char *key;        /* "slope": a JSON key */
    const char *unit;       /* "ms", "um", "" */
    const char *definition; /* one sentence for the screen */
    double value;           /* NaN: could not be measured */
} CxScalar;

/* One point of the curve of the protocol's panel, NaN where there is none. */
typedef struct {
    double x;         /* period ms, step size, cell - flip px, bar centre um */
    double y;         /* latency ms, whole bins; anticipation: response */
    double y_sub_bin; /* the same between bins (parabola) */
    double y_centre;  /* centre of mass of what exceeds the base rate */
    double y_onset;   /* omitted stimulus: first bin above a fifth of the peak
                         from 100 ms + (period - 20 ms) after the last flash */
    double sd;        /* of y_sub_bin over cells */
    double peak;      /* of the response measured */
    double reference; /* largest answer to the train; smooth-motion peak */
} CxProtocolPoint;

typedef struct {
    CxProtocolKind kind;
    bool reproduced;
    CxScalar scalars[CX_MAX_SCALARS];
    size_t n_scalars;
    CxProtocolPoint *points;
    size_t n_points;
    char *verdict; /* one sentence: which criterion holds or fails */
} CxProtocolResult;

/* rates[i] answers condition i at protocol->cells.  Never fails: what cannot
 * be measured is NaN and not reproduced. */
CxProtocolResult *cx_protocol_measure(const CxProtocol *protocol,
                                      const float *const *rates);
void cx_protocol_result_free(CxProtocolResult *result);

/* The value of a key, NaN if there is none.
 *   osr: slope r_squared intercept_ms delay_ms delay_sd_ms ratio slope_bins
 *   latency: weakest_ms strongest_ms drop_ms largest_rise_ms drop_centre_ms
 *     drop_bins_ms
 *   reversal: ratio burst_ms sd_ms burst_min_ms burst_max_ms answering cells
 *   anticipation: position_um rightward_um leftward_um peak_um
 *     flash_latency_ms expected_um advance_um */
double cx_protocol_scalar(const CxProtocolResult *result, const char *key);

typedef struct {
    CxProtocol *protocol;
    float **rates; /* of each condition */
    CxProtocolResult *result;
} CxProtocolRun;

/* Builds, asks, measures.  options NULL: the simulated preset in the size of
 * the responder.  Steps the job. */
CxProtocolRun *cx_protocol_run(CxProtocolKind kind,
                               const CxProtocolOptions *options,
                               const CxResponder *responder, CxJob *job,
                               GError **error);
void cx_protocol_run_free(CxProtocolRun *run);

typedef struct {
    CxProtocolRun *runs[CX_N_PROTOCOLS];
    bool baseline_asked;
    bool baseline_fails; /* criterion iii of the omitted stimulus */
    unsigned n_reproduced;
} CxProtocolReport;

/* All four.  baseline (a linear-nonlinear model) may be NULL; if it is given
 * and shows an omitted stimulus response, that protocol is not reproduced. */
CxProtocolReport *cx_protocol_report_new(const CxProtocolOptions *options,
                                         const CxResponder *responder,
                                         const CxResponder *baseline,
                                         CxJob *job, GError **error);
void cx_protocol_report_free(CxProtocolReport *report);

/* Latency of the largest value in y[first, end) (frame t at y[t * stride]), in
 * bins from the beginning of bin `first` to the middle of the bin: the bin;
 * the top of the parabola through it and its neighbours; and the centre of
 * mass of values above share x peak.  NaN if nothing is above 0. */
double cx_latency_argmax(const float *y, size_t stride, size_t first,
                         size_t end);
double cx_latency_parabola(const float *y, size_t stride, size_t first,
                           size_t end);
double cx_latency_centre(const float *y, size_t stride, size_t first,
                         size_t end, double share);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProtocol, cx_protocol_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProtocolResult, cx_protocol_result_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProtocolRun, cx_protocol_run_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProtocolReport, cx_protocol_report_free)
