/* Films to train on: natural-like motion, and a mixture that also holds what
 * the four protocols probe.
 *
 * A clip is one of three kinds.  "natural": a scene with a power spectrum of
 * 1/f^2 seen through a moving window: a saccade to another place and contrast
 * every second, between saccades a random walk, in half of the fixations with
 * a constant drift.  "bars": two bars with random widths, speeds and
 * reversals, three of four dark.  "steps": full-field steps of random length,
 * half of the clips over weak texture.  A film of a mixture is a row of clips;
 * each begins with no memory of the one before, so a simulator should be run
 * over the whole film, and a trainer need not care.
 *
 * Height 1 gives x-t films (one-dimensional scenes); otherwise scenes are
 * isotropic and drift in both directions, and bars stand at any angle unless
 * vertical_bars is set.  Same seed, same film, on every machine with the same
 * libm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/jobs/job.h"
#include "core/retina/movie.h"

typedef enum {
    CX_CLIP_NATURAL,
    CX_CLIP_BARS,
    CX_CLIP_STEPS,
    CX_N_CLIP_KINDS,
} CxClipKind;

typedef struct {
    uint64_t seed;
    size_t n_frames, height, width;
    size_t clip_frames; /* 600: 6 s */

    /* Shares of the kinds of clips; need not sum to 1. */
    double share[CX_N_CLIP_KINDS]; /* 0.5, 0.25, 0.25 */

    /* natural */
    size_t n_waves;  /* 500 */
    size_t scene_px; /* 4096 in x-t, 512 a side otherwise; 0: those */
    double contrast_min, contrast_max; /* 0.3, 1.2: s.d. of a fixation */
    size_t fixation_frames;            /* 100 */
    double walk_min_px, walk_max_px;   /* 0.05, 0.25: s.d. a frame */
    double drift_share, drift_max_px;  /* 0.5, 0.5 px a frame */

    /* bars */
    unsigned n_bars;                             /* 2 */
    double bar_min_px, bar_max_px;               /* 2, 6 */
    double speed_min_px, speed_max_px;           /* 0.04, 0.44 a frame */
    double reversal_per_frame;                   /* 0.012 */
    double dark_share;                           /* 0.75 */
    double bar_amplitude_min, bar_amplitude_max; /* 0.5, 1.2 */
    bool vertical_bars;                          /* false */

    /* steps */
    size_t step_min_frames, step_max_frames; /* 1, 31 */
    double step_amplitude;                   /* 1.2: levels lie in +- this */
    double step_grey_share;                  /* 0.35 of the steps go to 0 */
    double step_dark_share;                  /* 0.75 of the others are dark */
    double texture_share;                    /* 0.5 of the clips */
    double texture_contrast;                 /* 0.2 */
} CxNaturalOptions;

/* The mixture, and natural clips alone, with the defaults above. */
CxNaturalOptions cx_natural_options_mixture(void);
CxNaturalOptions cx_natural_options_natural(void);

/* A whole film: n_frames of clips, the last one cut. */
CxMovie *cx_natural_new(const CxNaturalOptions *options, CxJob *job,
                        GError **error);

/* The kind of every clip of that film, in order; owned array of *n. */
CxClipKind *cx_natural_clip_kinds(const CxNaturalOptions *options, size_t *n);

/* One clip of a kind into frames [first, first + n) of a grey film. */
bool cx_natural_clip(CxMovie *movie, size_t first, size_t n, CxClipKind kind,
                     const CxNaturalOptions *options, CxRng *rng,
                     GError **error);
