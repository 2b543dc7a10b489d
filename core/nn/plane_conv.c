/* Correlation of planes through their spectra.
 *
 * A complex product z = conj(w) s is held as a real matrix of twice the sides,
 * [in, ri][out, ri] a frequency,
 *
 *     z_re = w_re s_re + w_im s_im        z_im = w_re s_im - w_im s_re
 *
 * whose transpose is the product with w itself: the adjoint.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/plane_conv.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <string.h>

#define MAX_MATRIX ((size_t)1 << 28) /* floats */
#define CHUNK 64                     /* kernels transformed at once */

struct CxPlaneConv {
    CxPlaneConvShape shape;
    CxPlaneDft *dft;
    size_t n_frequencies;
    float *matrix; /* [frequency][in, ri][out, ri] */
};

size_t
cx_plane_conv_gradient_size(const CxPlaneConv *conv)
{
    return conv->n_frequencies * 4 * conv->shape.n_in * conv->shape.n_out;
}

CxPlaneConv *
cx_plane_conv_new(const CxPlaneConvShape *shape, GError **error)
{
    g_autoptr(CxPlaneConv) conv = g_new0(CxPlaneConv, 1);

    g_return_val_if_fail(shape->kernel_y >= 1 && shape->kernel_y <= shape->in_y,
                         NULL);
    g_return_val_if_fail(shape->kernel_x >= 1 && shape->kernel_x <= shape->in_x,
                         NULL);
    conv->shape = *shape;
    conv->dft = cx_plane_dft_new(shape->in_y, shape->in_x, error);
    if (conv->dft == NULL)
        return NULL;
    conv->n_frequencies = cx_plane_dft_n_frequencies(conv->dft);
    if (shape->n_in > MAX_MATRIX / 4 / shape->n_out / conv->n_frequencies) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%zu kernels for planes of %zu x %zu have spectra of over "
                    "1 GiB, expected fewer channels or smaller planes",
                    shape->n_in * shape->n_out, shape->in_y, shape->in_x);
        return NULL;
    }
    conv->matrix = cx_try_alloc0(cx_plane_conv_gradient_size(conv),
                                 sizeof *conv->matrix, error);
    return conv->matrix != NULL ? g_steal_pointer(&conv) : NULL;
}

void
cx_plane_conv_free(CxPlaneConv *conv)
{
    if (conv == NULL)
        return;
    cx_plane_dft_free(conv->dft);
    cx_free(conv->matrix);
    g_free(conv);
}

const CxPlaneDft *
cx_plane_conv_dft(const CxPlaneConv *conv)
{
    return conv->dft;
}

static size_t
n_kernels(const CxPlaneConv *conv)
{
    return conv->shape.n_in * conv->shape.n_out;
}

static size_t
kernel_area(const CxPlaneConv *conv)
{
    return conv->shape.kernel_y * conv->shape.kernel_x;
}

size_t
cx_plane_conv_n_chunks(const CxPlaneConv *conv)
{
    return (n_kernels(conv) + CHUNK - 1) / CHUNK;
}

size_t
cx_plane_conv_chunk_scratch(const CxPlaneConv *conv)
{
    return CHUNK * kernel_area(conv) + 2 * conv->n_frequencies * CHUNK +
           cx_plane_dft_scratch(conv->dft, CHUNK);
}

/* Kernels of a chunk; scratch in three parts. */
typedef struct {
    size_t first, n;
    float *taps;     /* [tap][CHUNK] */
    float *spectrum; /* [frequency][ri][CHUNK] */
    float *rest;
} Chunk;

static Chunk
chunk_of(const CxPlaneConv *conv, size_t index, float *scratch)
{
    Chunk chunk = {.first = index * CHUNK, .taps = scratch};

    chunk.n = MIN(CHUNK, n_kernels(conv) - chunk.first);
    chunk.spectrum = chunk.taps + CHUNK * kernel_area(conv);
    chunk.rest = chunk.spectrum + 2 * conv->n_frequencies * CHUNK;
    return chunk;
}

/* Where kernel k (out, in) begins in the matrix of a frequency. */
static size_t
place_of(const CxPlaneConv *conv, size_t k)
{
    size_t out = k / conv->shape.n_in, in = k % conv->shape.n_in;

    return 2 * in * 2 * conv->shape.n_out + 2 * out;
}

void
cx_plane_conv_set_chunk(CxPlaneConv *conv, const CxKernels *kernels,
                        const float *weights, size_t index, float *scratch)
{
    Chunk chunk = chunk_of(conv, index, scratch);
    size_t area = kernel_area(conv), below = 2 * conv->shape.n_out;

    memset(chunk.taps, 0, CHUNK * area * sizeof *chunk.taps);
    for (size_t k = 0; k < chunk.n; k++)
        for (size_t tap = 0; tap < area; tap++)
            chunk.taps[tap * CHUNK + k] =
                weights[(chunk.first + k) * area + tap];
    cx_plane_dft_forward(conv->dft, kernels, chunk.taps, conv->shape.kernel_y,
                         conv->shape.kernel_x, CHUNK, chunk.spectrum,
                         chunk.rest);
    for (size_t f = 0; f < conv->n_frequencies; f++) {
        const float *re = chunk.spectrum + 2 * f * CHUNK, *im = re + CHUNK;
        float *matrix = conv->matrix + f * 4 * n_kernels(conv);

        for (size_t k = 0; k < chunk.n; k++) {
            float *to = matrix + place_of(conv, chunk.first + k);

            to[0] = re[k];
            to[1] = -im[k];
            to[below] = im[k];
            to[below + 1] = re[k];
        }
    }
}

bool
cx_plane_conv_set(CxPlaneConv *conv, const CxKernels *kernels,
                  const float *weights, GError **error)
{
    CX_AUTOFREE float *scratch =
        cx_try_alloc(cx_plane_conv_chunk_scratch(conv), sizeof *scratch, error);

    if (scratch == NULL)
        return false;
    for (size_t i = 0; i < cx_plane_conv_n_chunks(conv); i++)
        cx_plane_conv_set_chunk(conv, kernels, weights, i, scratch);
    return true;
}

void
cx_plane_conv_forward(const CxPlaneConv *conv, const CxKernels *kernels,
                      const CxPlaneRun *run)
{
    size_t n_in = 2 * conv->shape.n_in, n_out = 2 * conv->shape.n_out;
    CxGemmRows gemm = {.n_i = n_out,
                       .n_j = n_in,
                       .n = run->lanes,
                       .a_i = 1,
                       .a_j = n_out,
                       .b_at = run->in.at,
                       .c_at = run->out.at,
                       .parts = run->n_tiles,
                       .b_part = run->in.tile,
                       .c_part = run->out.tile};

    for (size_t f = run->first; f < run->last; f++) {
        gemm.a = conv->matrix + f * n_in * n_out;
        gemm.b = run->in.data + f * run->in.frequency;
        gemm.c = run->out.data + f * run->out.frequency;
        kernels->gemm_rows_f32(&gemm);
    }
}

void
cx_plane_conv_adjoint(const CxPlaneConv *conv, const CxKernels *kernels,
                      const CxPlaneRun *run)
{
    size_t n_in = 2 * conv->shape.n_in, n_out = 2 * conv->shape.n_out;
    CxGemmRows gemm = {.n_i = n_in,
                       .n_j = n_out,
                       .n = run->lanes,
                       .a_i = n_out,
                       .a_j = 1,
                       .b_at = run->out.at,
                       .c_at = run->in.at,
                       .parts = run->n_tiles,
                       .b_part = run->out.tile,
                       .c_part = run->in.tile};

    for (size_t f = run->first; f < run->last; f++) {
        gemm.a = conv->matrix + f * n_in * n_out;
        gemm.b = run->out.data + f * run->out.frequency;
        gemm.c = run->in.data + f * run->in.frequency;
        kernels->gemm_rows_f32(&gemm);
    }
}

void
cx_plane_conv_gradient(const CxPlaneConv *conv, const CxKernels *kernels,
                       const CxPlaneRun *run, float *gradient)
{
    size_t n_in = 2 * conv->shape.n_in, n_out = 2 * conv->shape.n_out;
    CxGemmDots gemm = {.n_i = n_in,
                       .n_j = n_out,
                       .n = run->lanes,
                       .a_at = run->in.at,
                       .b_at = run->out.at,
                       .c_i = n_out,
                       .c_j = 1,
                       .parts = run->n_tiles,
                       .a_part = run->in.tile,
                       .b_part = run->out.tile};

    for (size_t f = run->first; f < run->last; f++) {
        gemm.a = run->in.data + f * run->in.frequency;
        gemm.b = run->out.data + f * run->out.frequency;
        gemm.c = gradient + f * n_in * n_out;
        kernels->gemm_dots_f32(&gemm);
    }
}

void
cx_plane_conv_gradient_chunk(const CxPlaneConv *conv, const CxKernels *kernels,
                             const float *gradient, size_t index,
                             float *weights, float *scratch)
{
    Chunk chunk = chunk_of(conv, index, scratch);
    size_t area = kernel_area(conv), below = 2 * conv->shape.n_out;

    memset(chunk.spectrum, 0,
           2 * conv->n_frequencies * CHUNK * sizeof *chunk.spectrum);
    for (size_t f = 0; f < conv->n_frequencies; f++) {
        float *re = chunk.spectrum + 2 * f * CHUNK, *im = re + CHUNK;
        const float *matrix = gradient + f * 4 * n_kernels(conv);

        /* s conj(z): the four products of the parts are in the block */
        for (size_t k = 0; k < chunk.n; k++) {
            const float *from = matrix + place_of(conv, chunk.first + k);

            re[k] = from[0] + from[below + 1];
            im[k] = from[below] - from[1];
        }
    }
    cx_plane_dft_inverse(conv->dft, kernels, chunk.spectrum,
                         conv->shape.kernel_y, conv->shape.kernel_x, CHUNK,
                         chunk.taps, chunk.rest);
    for (size_t k = 0; k < chunk.n; k++)
        for (size_t tap = 0; tap < area; tap++)
            weights[(chunk.first + k) * area + tap] =
                chunk.taps[tap * CHUNK + k];
}
