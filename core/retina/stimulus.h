/* Draws the stimuli of the four protocols into films.
 *
 * Amplitudes are in units of the film's standard deviation ("z", 0 = mean
 * grey, dark is negative); for the simulated retina -1 is black.  Positions
 * are in pixels from the middle of the film (the edge between pixels
 * width / 2 - 1 and width / 2 for an even width).  Every function adds to what
 * is there, so that stimuli can be combined; all clip at the film's borders.
 *
 * After the published stimulus code of Maheswaranathan et al. 2023 and of
 * Ebert et al.; bars are full height.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/movie.h"

/* Grey frames in front of every protocol film: the history of a network. */
#define CX_STIMULUS_LEAD_FRAMES 40

/* Sub-pixels a pixel in which bars are drawn before they are averaged. */
#define CX_STIMULUS_OVERSAMPLING 5

/* Full field: amplitude in the n frames from `first`. */
void cx_stimulus_flash(CxMovie *movie, size_t first, size_t n, float amplitude);

/* Full field: amplitude from frame `first` to the end. */
void cx_stimulus_step(CxMovie *movie, size_t first, float amplitude);

/* n flashes of `duration` frames, one every `period` frames, from `first`. */
void cx_stimulus_flash_train(CxMovie *movie, size_t first, size_t n,
                             size_t period, size_t duration, float amplitude);

/* One frame of a bar.  Drawn as the published code draws it: the centre is
 * cut off to a sub-pixel towards zero, the half width rounded down to one. */
void cx_stimulus_bar(CxMovie *movie, size_t frame, double centre_px,
                     unsigned width_px, float amplitude);

/* One frame of a bar whose edges are shared out to pixels by area, exactly. */
void cx_stimulus_bar_exact(CxMovie *movie, size_t frame, double centre_px,
                           double width_px, float amplitude);

/* The bar of cx_stimulus_bar() in n frames: a flashed bar. */
void cx_stimulus_flash_bar(CxMovie *movie, size_t first, size_t n,
                           double centre_px, unsigned width_px,
                           float amplitude);

/* How many frames a bar takes from one place to another at a speed (> 0, in
 * pixels a frame): 1 + floor(|to - from| / speed). */
size_t cx_stimulus_sweep_frames(double from_px, double to_px, double speed_px);

/* Centre in frame i of such a sweep: evenly spaced, both ends included. */
double cx_stimulus_sweep_centre(double from_px, double to_px, size_t n_frames,
                                size_t i);

/* Draws the sweep from frame `first`; centres (may be NULL) receives the
 * centre of the bar for each of its frames. */
void cx_stimulus_sweep(CxMovie *movie, size_t first, double from_px,
                       double to_px, double speed_px, unsigned width_px,
                       float amplitude, float *centres);
