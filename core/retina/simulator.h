/* A retina whose mechanisms are known, to check a reduction against.
 *
 * "GTR-C": photoreceptors, a band-pass, OFF and ON bipolar cells with gain
 * control (after Berry et al. 1999 and Chen et al. 2013), a delayed ON path,
 * a ganglion cell that pools them, and a slow inhibitory branch with a
 * depressing synapse (after Ebert et al.).  "GTR-E" is that branch alone
 * with its published constants.  Neither is a recording: every screen that
 * shows them says "simulated retina".
 *
 * Equations (LP_tau: dv/dt = (u - v)/tau; [.]+ = max(0, .); G_s: normalised
 * Gaussian blur of s pixels, edge values repeated; s = 0 grey, -1 black):
 *   v = LP_7 LP_7 G_0.8 s                      photoreceptor
 *   y = LP_15 LP_15 v - LP_60 LP_60 v          fast band-pass
 *   o = [-y]+,  p = [LP_21 LP_21 y]+           OFF and ON drive
 *   dA/dt = (-A + 7.5 o)/160;  B = o/(1 + A^4) gain control, one A each
 *   V_off = 100 LP_7 G_2.9 B_off;  V_on = 44 LP_7 G_2.9 B_on
 *   slow branch VE: README.md
 *   r = [V_off + V_on + 0.73 VE]+              arbitrary Hz
 * Explicit Euler, 1 ms; rates are averages over a film's frame.
 *
 * A film with a height of 1 uses Gaussians in x, others isotropic ones; a film
 * that is constant in y is simulated as its first row, which gives the same.
 * Pure functions: any number of threads may call them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/retina/movie.h"

typedef enum {
    CX_RETINA_GTR_C,
    CX_RETINA_GTR_E, /* local: one such branch a pixel, driven by its light */
} CxRetinaModel;

/* Parts that can be taken out; a bit mask. */
typedef enum {
    CX_KNOCK_OUT_NONE = 0,
    CX_KNOCK_OUT_GAIN_CONTROL = 1 << 0, /* A = 0 in both bipolar cells */
    CX_KNOCK_OUT_SLOW_BRANCH = 1 << 1,  /* weight of VE = 0 */
    CX_KNOCK_OUT_ON_BIPOLAR = 1 << 2,   /* V_on = 0 */
    CX_KNOCK_OUT_OFF_BIPOLAR = 1 << 3,  /* V_off = 0 */
    CX_KNOCK_OUT_DEPRESSION = 1 << 4,   /* the inhibitory synapse keeps n = 1 */
    CX_KNOCK_OUT_ALL_BITS = (1 << 5) - 1,
} CxKnockOut;

#define CX_N_KNOCK_OUTS 5

/* "gain-control", "slow-branch", "on-bipolar", "off-bipolar", "depression":
 * name of bit i. */
const char *cx_knock_out_name(unsigned i);

/* The bit of a name, CX_KNOCK_OUT_NONE for none of them. */
CxKnockOut cx_knock_out_from_name(const char *name);

/* Every constant of the model.  Times in ms, lengths in pixels of 50 um. */
typedef struct {
    double step_ms;
    double blur_px, tau_receptor;              /* 0.8, 7 (twice) */
    double tau_fast, tau_surround, surround;   /* 15, 60 (twice each), 1.0 */
    double tau_on_delay;                       /* 21 (twice) */
    double tau_gain, gain;                     /* 160, 7.5 */
    double pool_px, tau_dendrite, w_off, w_on; /* 2.9, 7, 100, 44 */
    double slow_pool_px, slow_weight;          /* 5, 0.73 */
    double time_scale; /* of the slow branch: 0.5 (1 = as published) */
    double tau_b, tau_a1, tau_a2, tau_g; /* 80, 85, 120, 110 */
    double w_b, w_a1, w_a2;              /* 50, 53, 65 */
    double theta_b, theta_a2;            /* 26, 20 mV */
    double depression, recovery_per_s;   /* 0.086, 10 */
    double tau_light, output_slope;      /* GTR-E alone: 3 ms, 12 Hz/mV */
} CxRetinaParams;

/* For GTR_E the slow branch keeps its published times. */
CxRetinaParams cx_retina_params_default(CxRetinaModel model);

typedef struct {
    CxRetinaModel model;
    unsigned knock_outs;          /* CxKnockOut */
    const CxRetinaParams *params; /* NULL: the defaults */
    unsigned n_threads;           /* 0 = all cores */
    bool full_2d; /* do not reduce films constant in y to their first row */
} CxSimulatorOptions;

/* What a run gives, float [frame][cell]; NULL members are left out.  Rates
 * and drives are means over a frame; rate is not [mean of the sum]+ but the
 * mean of [sum]+. */
typedef struct {
    float *rate;
    float *v_off, *v_on; /* mV, with their weights */
    float *slow;         /* 0.73 VE */
} CxSimulatorOutput;

/* GTR-E gives rate and slow (VE in mV).
 *
 * Simulates from rest (grey for ever).  cells NULL: every pixel, row by row.
 * CX_ERROR_INVALID if a cell lies outside the film or the film's frame is no
 * whole number of steps. */
bool cx_simulator_run(const CxMovie *movie, const CxSimulatorOptions *options,
                      const CxCellPosition *cells, size_t n_cells,
                      const CxSimulatorOutput *output, CxJob *job,
                      GError **error);
