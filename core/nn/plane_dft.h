/* Fourier transforms of many small planes at once.
 *
 * Planes lie beside each other, sample [y][x][lane] with the lane fastest, so
 * that one product of matrices (core/kernels/gemm_f32.h) along x and one along
 * y transforms a multiple of 16 planes of any size, prime or not; for sides of
 * 20 to 60 that is as fast as anything with fewer products.  A plane smaller
 * than the transform counts as followed by zeros, and an inverse may be asked
 * for a part of its samples alone.
 *
 * A spectrum is [fx][fy][re, im][lane], fx 0 … width / 2, fy 0 … height - 1:
 *
 *     F[fx][fy] = sum over y, x of s[y][x] exp(-2 pi i (fx x / W + fy y / H))
 *
 * Constant after new: for any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/kernels.h"

#include <glib.h>

#define CX_PLANE_MAX_SIDE 512

typedef struct CxPlaneDft CxPlaneDft;

/* Sides 1 … CX_PLANE_MAX_SIDE.  NULL without memory. */
CxPlaneDft *cx_plane_dft_new(size_t height, size_t width, GError **error);
void cx_plane_dft_free(CxPlaneDft *dft);

/* (width / 2 + 1) * height */
size_t cx_plane_dft_n_frequencies(const CxPlaneDft *dft);

/* Floats of scratch for this many lanes. */
size_t cx_plane_dft_scratch(const CxPlaneDft *dft, size_t lanes);

/* The upper left n_y x n_x samples; lanes: a multiple of CX_GEMM_LANES. */
void cx_plane_dft_forward(const CxPlaneDft *dft, const CxKernels *kernels,
                          const float *src, size_t n_y, size_t n_x,
                          size_t lanes, float *spectrum, float *scratch);
void cx_plane_dft_inverse(const CxPlaneDft *dft, const CxKernels *kernels,
                          const float *spectrum, size_t n_y, size_t n_x,
                          size_t lanes, float *dst, float *scratch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPlaneDft, cx_plane_dft_free)
