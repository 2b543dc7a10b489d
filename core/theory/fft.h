/* The discrete Fourier transform of small pictures, in double.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#define CX_FFT_MAX_SIDE 4096

/* In place; width and height powers of two, rows of width values.  Forward
 * without a factor; the inverse divides by width * height. */
void cx_fft_2d(double *re, double *im, unsigned width, unsigned height,
               bool inverse);

/* Frequency of bin i of n, cycles a sample, in [-1/2, 1/2). */
double cx_fft_frequency(unsigned i, unsigned n);

/* The smallest power of two that is at least n. */
unsigned cx_fft_size(unsigned n);
