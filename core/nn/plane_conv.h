/* Correlation of planes with large kernels, forwards and backwards, through
 * their spectra (plane_dft.h).
 *
 *     out[o][y][x] = sum over i, dy, dx of w[o][i][dy][dx] in[i][y + dy][x + dx]
 *
 * ("valid": out is in - kernel + 1 in size).  In spectra of the size of `in`
 * this is one small complex product a frequency, out = conj(w) in, which is
 * exact where the kernel does not run over the edge, and there alone samples
 * are asked for.  A kernel of 15 x 15 over 50 x 50 takes a fiftieth of the
 * products of the sum above, and the transforms, which channels share, come to
 * about as much again.
 *
 * Spectra of a channel are rows of lanes (plane_dft.h), found by tables, so
 * that the input channels may also be one row seen from several offsets: the
 * frames of a film under a moving window.  Tiles are sets of lanes that lie
 * apart.
 *
 * Calls over different frequencies, or different chunks, may run on several
 * threads at once; the result does not depend on how they are split.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/plane_dft.h"

typedef struct {
    size_t n_in, in_y, in_x;
    size_t n_out, kernel_y, kernel_x; /* kernel at most as large as in */
} CxPlaneConvShape;

typedef struct CxPlaneConv CxPlaneConv;

/* CX_ERROR_NO_MEMORY if the weights' spectra exceed 1 GiB or the machine. */
CxPlaneConv *cx_plane_conv_new(const CxPlaneConvShape *shape, GError **error);
void cx_plane_conv_free(CxPlaneConv *conv);
const CxPlaneDft *cx_plane_conv_dft(const CxPlaneConv *conv);

/* Weights [out][in][y][x] into spectra, or the gradient's spectra into
 * weights: chunks 0 … n_chunks - 1, each with this many floats of scratch. */
size_t cx_plane_conv_n_chunks(const CxPlaneConv *conv);
size_t cx_plane_conv_chunk_scratch(const CxPlaneConv *conv);
void cx_plane_conv_set_chunk(CxPlaneConv *conv, const CxKernels *kernels,
                             const float *weights, size_t chunk,
                             float *scratch);
bool cx_plane_conv_set(CxPlaneConv *conv, const CxKernels *kernels,
                       const float *weights, GError **error);

/* Rows of spectra: row (channel, ri) of frequency f in tile t begins at
 * data[t * tile + f * frequency + at[2 * channel + ri]]. */
typedef struct {
    float *data;
    const size_t *at;
    size_t frequency, tile;
} CxPlaneRows;

/* Frequencies first … last - 1 of n_tiles tiles of this many lanes.
 * forward: out from in.  adjoint: in from out (the gradient with respect to
 * in from that with respect to out). */
typedef struct {
    size_t first, last, lanes, n_tiles;
    CxPlaneRows in, out;
} CxPlaneRun;
void cx_plane_conv_forward(const CxPlaneConv *conv, const CxKernels *kernels,
                           const CxPlaneRun *run);
void cx_plane_conv_adjoint(const CxPlaneConv *conv, const CxKernels *kernels,
                           const CxPlaneRun *run);

/* The gradient with respect to the weights, summed over lanes and tiles, from
 * in and the gradient with respect to out, as spectra [f][2 n_in][2 n_out];
 * then a chunk of it as weights [out][in][y][x]. */
size_t cx_plane_conv_gradient_size(const CxPlaneConv *conv);
void cx_plane_conv_gradient(const CxPlaneConv *conv, const CxKernels *kernels,
                            const CxPlaneRun *run, float *gradient);
void cx_plane_conv_gradient_chunk(const CxPlaneConv *conv,
                                  const CxKernels *kernels,
                                  const float *gradient, size_t chunk,
                                  float *weights, float *scratch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPlaneConv, cx_plane_conv_free)
