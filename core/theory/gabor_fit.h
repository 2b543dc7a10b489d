/* Fits a Gabor function, a wave under a Gaussian, to a small picture.
 *
 *   u =  (x - x0) cos t + (y - y0) sin t      across the stripes
 *   v = -(x - x0) sin t + (y - y0) cos t      along them
 *   g = a exp(-u^2 / (2 su^2) - v^2 / (2 sv^2)) cos(2 pi f u + p)
 *
 * by least squares: Levenberg and Marquardt's method from several starts, the
 * strongest waves of the spectrum (Jones and Palmer, 1987, for receptive
 * fields).  Pure functions; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"
#include "core/jobs/job.h"

#define CX_GABOR_MAX_SIDE 32

typedef struct {
    double amplitude;
    double x, y;             /* centre, pixels from the middle of pixel 0, 0 */
    double sigma_u, sigma_v; /* pixels, positive */
    double angle;            /* t, radians in [0, pi): 0 = vertical stripes */
    double frequency;        /* f, cycles a pixel, not negative */
    double phase;            /* p, radians in [0, 2 pi) */
    double r2;               /* 1 - |picture - g|^2 / |picture - mean|^2 */
} CxGabor;

/* picture: side * side, rows from the top, side at least 4.  r2 = 0 for a flat
 * one. */
CxGabor cx_gabor_fit(const float *picture, unsigned side);

/* The function itself, side * side. */
void cx_gabor_draw(const CxGabor *gabor, unsigned side, float *picture);

/* One fit a picture, in parallel; gabors: n. */
bool cx_gabor_fit_all(const float *pictures, unsigned side, size_t n,
                      CxGabor *gabors, unsigned n_threads, CxJob *job,
                      GError **error);
