/* A CxRetinaCnn computed for several windows side by side.
 *
 * Layer 1 sees a film as planes whose lanes are frames: the spectrum of each
 * frame is worked out once, and the window that begins k frames later reads the
 * same rows k floats further on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/retina_lanes.h"

#include "core/base/alloc.h"

#include <math.h>
#include <string.h>

#define MAX_ROWS (2 * CX_RETINA_MAX_MAPS) /* of a CxPlaneRows */
#define STEP CX_GEMM_LANES

/* Lanes of the film under this many windows. */
static size_t
film_lanes(const CxRetinaCnn *net, size_t lanes)
{
    size_t n = lanes + net->shape.history - 1;

    return (n + CX_GEMM_LANES - 1) / CX_GEMM_LANES * CX_GEMM_LANES;
}

static size_t
n_frequencies(const CxRetinaCnn *net, unsigned layer)
{
    return cx_plane_dft_n_frequencies(cx_plane_conv_dft(net->convs[layer]));
}

static bool
take(float **memory, size_t n_rows, size_t lanes)
{
    *memory = n_rows < SIZE_MAX / 8 / lanes
                  ? cx_try_alloc(n_rows * lanes, sizeof(float), NULL)
                  : NULL;
    return *memory != NULL;
}

CxRetinaScratch *
cx_retina_scratch_new(const CxRetinaCnn *net)
{
    CxRetinaScratch *s = g_new0(CxRetinaScratch, 1);
    const CxRetinaLayer *l = net->layers;
    size_t lanes = CX_RETINA_LANES, frames = film_lanes(net, lanes);
    size_t in = 0, out = 0, rest = 0;

    for (unsigned i = 0; i < CX_RETINA_N_LAYERS; i++) {
        size_t n = 2 * n_frequencies(net, i);

        in = i > 0 ? MAX(in, l[i].n_in * n) : in;
        out = MAX(out, l[i].n_out * n);
        rest = MAX(rest, n);
    }
    if (take(&s->film, l[0].in_y * l[0].in_x, frames) &&
        take(&s->film_spectrum, 2 * n_frequencies(net, 0), frames) &&
        take(&s->z[0], l[0].n_units, lanes) &&
        take(&s->a[0], l[0].n_units, lanes) &&
        take(&s->z[1], l[1].n_units, lanes) &&
        take(&s->a[1], l[1].n_units, lanes) &&
        take(&s->u, l[2].n_units, lanes) && take(&s->in, in, lanes) &&
        take(&s->out, out, lanes) && take(&s->rest, rest, MAX(frames, lanes)))
        return s;
    cx_retina_scratch_free(s);
    return NULL;
}

void
cx_retina_scratch_free(CxRetinaScratch *scratch)
{
    if (scratch == NULL)
        return;
    cx_free(scratch->film);
    cx_free(scratch->film_spectrum);
    for (unsigned i = 0; i < 2; i++) {
        cx_free(scratch->z[i]);
        cx_free(scratch->a[i]);
    }
    cx_free(scratch->u);
    cx_free(scratch->in);
    cx_free(scratch->out);
    cx_free(scratch->rest);
    g_free(scratch);
}

void
cx_retina_to_lanes(const float *from, size_t from_step, size_t n_items,
                   size_t n, float *to, size_t lanes)
{
    for (size_t i0 = 0; i0 < n_items; i0 += STEP) {
        size_t n_i = MIN(STEP, n_items - i0);

        for (size_t k = 0; k < n; k++)
            for (size_t i = i0; i < i0 + n_i; i++)
                to[i * lanes + k] = from[k * from_step + i];
        for (size_t i = i0; i < i0 + n_i && n < lanes; i++)
            memset(to + i * lanes + n, 0, (lanes - n) * sizeof *to);
    }
}

void
cx_retina_from_lanes(const float *from, size_t lanes, size_t n_items, size_t n,
                     float *to, size_t to_step)
{
    for (size_t i0 = 0; i0 < n_items; i0 += STEP) {
        size_t n_i = MIN(STEP, n_items - i0);

        for (size_t k = 0; k < n; k++)
            for (size_t i = i0; i < i0 + n_i; i++)
                to[k * to_step + i] = from[i * lanes + k];
    }
}

/* Rows of channels [channel][frequency][ri][lane]. */
static CxPlaneRows
channel_rows(float *data, size_t *at, size_t n_channels, size_t n_f,
             size_t lanes)
{
    for (size_t i = 0; i < 2 * n_channels; i++)
        at[i] = (i / 2 * n_f * 2 + i % 2) * lanes;
    return (CxPlaneRows){.data = data, .at = at, .frequency = 2 * lanes};
}

static void
pack_film(const CxRetinaCnn *net, float *film, const CxMovie *movie,
          size_t first, size_t frames)
{
    size_t n = first < movie->n_frames ? movie->n_frames - first : 0;
    size_t height = net->shape.height, width = net->shape.width;
    size_t step = cx_movie_frame_size(movie);

    n = MIN(n, frames);
    cx_retina_to_lanes(cx_movie_frame(movie, first), step, step, n, film,
                       frames);
    for (size_t y = 1; y < height && movie->height == 1; y++)
        memcpy(film + y * width * frames, film, width * frames * sizeof *film);
}

/* All channels of a layer's result from their spectra. */
static void
invert(const CxRetinaCnn *net, CxRetinaScratch *scratch, unsigned layer,
       float *to, size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[layer];
    const CxPlaneDft *dft = cx_plane_conv_dft(net->convs[layer]);
    size_t n_f = n_frequencies(net, layer), area = l->out_y * l->out_x;

    for (size_t c = 0; c < l->n_out; c++)
        cx_plane_dft_inverse(
            dft, &net->kernels, scratch->out + c * 2 * n_f * lanes, l->out_y,
            l->out_x, lanes, to + c * area * lanes, scratch->rest);
}

void
cx_retina_lanes_film(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                     const CxMovie *movie, size_t first, size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[0];
    size_t frames = film_lanes(net, lanes), n_f = n_frequencies(net, 0);
    size_t in_at[2 * CX_RETINA_MAX_HISTORY], out_at[MAX_ROWS];
    CxPlaneRun run = {.last = n_f, .lanes = lanes, .n_tiles = 1};

    pack_film(net, scratch->film, movie, first, frames);
    cx_plane_dft_forward(cx_plane_conv_dft(net->convs[0]), &net->kernels,
                         scratch->film, l->in_y, l->in_x, frames,
                         scratch->film_spectrum, scratch->rest);
    for (size_t i = 0; i < 2 * l->n_in; i++)
        in_at[i] = i % 2 * frames + i / 2;
    run.in = (CxPlaneRows){
        .data = scratch->film_spectrum, .at = in_at, .frequency = 2 * frames};
    run.out = channel_rows(scratch->out, out_at, l->n_out, n_f, lanes);
    cx_plane_conv_forward(net->convs[0], &net->kernels, &run);
    invert(net, scratch, 0, scratch->z[0], lanes);
}

CxRetinaFate
cx_retina_fate(const CxRetinaMask *mask, unsigned layer, size_t channel)
{
    if (mask == NULL)
        return CX_RETINA_KEEP;
    return (CxRetinaFate)(layer == 0 ? mask->layer1[channel]
                                     : mask->layer2[channel]);
}

static void
fill_row(float *row, float value, size_t lanes)
{
    for (size_t k = 0; k < lanes; k++)
        row[k] = value;
}

static void
add_row(float *row, float value, size_t lanes)
{
    for (size_t k0 = 0; k0 < lanes; k0 += STEP)
        for (size_t k = k0; k < k0 + STEP; k++)
            row[k] += value;
}

void
cx_retina_lanes_relu(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                     const CxRetinaMask *mask, unsigned layer, bool with_bias,
                     size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[layer];
    const float *bias = cx_retina_values(net, layer, CX_RETINA_BIAS);
    size_t area = l->out_y * l->out_x;

    for (size_t u = 0; u < l->n_units; u++) {
        float *z = scratch->z[layer] + u * lanes;
        float *a = scratch->a[layer] + u * lanes;
        float scale = net->scale[layer][u], offset = net->offset[layer][u];
        float grey = layer == 0 ? bias[u / area] : net->grey_z2[u];
        CxRetinaFate fate = cx_retina_fate(mask, layer, u / area);

        if (with_bias)
            add_row(z, bias[u / area], lanes);
        if (fate == CX_RETINA_KEEP)
            net->kernels.norm_f32.relu(&(CxNormRows){.n_rows = 1,
                                                     .n = lanes,
                                                     .z = z,
                                                     .a = a,
                                                     .scale = scale,
                                                     .offset = offset});
        else
            fill_row(a,
                     fate == CX_RETINA_HOLD ? MAX(grey * scale + offset, 0.0f)
                                            : 0.0f,
                     lanes);
    }
}

void
cx_retina_lanes_conv(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                     unsigned layer, float *to, size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[layer];
    const CxPlaneDft *dft = cx_plane_conv_dft(net->convs[layer]);
    size_t n_f = n_frequencies(net, layer), area = l->in_y * l->in_x;
    size_t in_at[MAX_ROWS], out_at[MAX_ROWS];
    CxPlaneRun run = {.last = n_f, .lanes = lanes, .n_tiles = 1};

    for (size_t c = 0; c < l->n_in; c++)
        cx_plane_dft_forward(dft, &net->kernels,
                             scratch->a[layer - 1] + c * area * lanes, l->in_y,
                             l->in_x, lanes, scratch->in + c * 2 * n_f * lanes,
                             scratch->rest);
    run.in = channel_rows(scratch->in, in_at, l->n_in, n_f, lanes);
    run.out = channel_rows(scratch->out, out_at, l->n_out, n_f, lanes);
    cx_plane_conv_forward(net->convs[layer], &net->kernels, &run);
    invert(net, scratch, layer, to, lanes);
}

void
cx_retina_lanes_adjoint(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                        const float *dz, float *da, size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[1];
    const CxPlaneDft *dft = cx_plane_conv_dft(net->convs[1]);
    size_t n_f = n_frequencies(net, 1), area = l->in_y * l->in_x;
    size_t out_area = l->out_y * l->out_x;
    size_t in_at[MAX_ROWS], out_at[MAX_ROWS];
    CxPlaneRun run = {.last = n_f, .lanes = lanes, .n_tiles = 1};

    for (size_t c = 0; c < l->n_out; c++)
        cx_plane_dft_forward(dft, &net->kernels, dz + c * out_area * lanes,
                             l->out_y, l->out_x, lanes,
                             scratch->out + c * 2 * n_f * lanes, scratch->rest);
    run.in = channel_rows(scratch->in, in_at, l->n_in, n_f, lanes);
    run.out = channel_rows(scratch->out, out_at, l->n_out, n_f, lanes);
    cx_plane_conv_adjoint(net->convs[1], &net->kernels, &run);
    for (size_t c = 0; c < l->n_in; c++)
        cx_plane_dft_inverse(
            dft, &net->kernels, scratch->in + c * 2 * n_f * lanes, l->in_y,
            l->in_x, lanes, da + c * area * lanes, scratch->rest);
}

void
cx_retina_lanes_cells(const CxRetinaCnn *net, const CxRetinaScratch *scratch,
                      const CxRetinaPick *picks, size_t n_picks, float *to,
                      size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[2];
    const float *weights = cx_retina_values(net, 2, CX_RETINA_WEIGHT);
    const float *bias = cx_retina_values(net, 2, CX_RETINA_BIAS);
    size_t field = l->n_in * l->kernel_y * l->kernel_x, zero = 0;
    g_autofree size_t *at = g_new(size_t, field);
    CxGemmRows gemm = {.n_i = 1,
                       .n_j = field,
                       .n = lanes,
                       .a_j = 1,
                       .b_at = at,
                       .c_at = &zero,
                       .parts = 1};

    for (size_t i = 0; i < field; i++) {
        size_t x = i % l->kernel_x, y = i / l->kernel_x % l->kernel_y;
        size_t c = i / l->kernel_x / l->kernel_y;

        at[i] = ((c * l->in_y + y) * l->in_x + x) * lanes;
    }
    for (size_t p = 0; p < n_picks; p++, to += lanes) {
        size_t m = (size_t)picks[p].map;
        size_t first = (size_t)picks[p].y * l->in_x + (size_t)picks[p].x;

        gemm.a = weights + m * field;
        gemm.b = scratch->a[1] + first * lanes;
        gemm.c = to;
        net->kernels.gemm_rows_f32(&gemm);
        for (size_t k = 0; k < lanes; k++)
            to[k] = (to[k] + bias[m]) * net->scale[2][m] + net->offset[2][m];
    }
}

float
cx_retina_softplus(float x)
{
    return x > 20.0f ? x : log1pf(expf(x));
}
