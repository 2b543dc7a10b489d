/* Runs a CxRetinaCnn: films to rates, and from one layer to the next.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/retina/retina_lanes.h"

#include <string.h>

void
cx_retina_cnn_refresh(CxRetinaCnn *net)
{
    const CxRetinaLayer *l = net->layers;

    cx_retina_cnn_fold(net);
    for (unsigned i = 0; i < CX_RETINA_N_LAYERS; i++) {
        const float *weights = cx_retina_values(net, i, CX_RETINA_WEIGHT);

        for (size_t k = 0; k < cx_plane_conv_n_chunks(net->convs[i]); k++)
            cx_plane_conv_set_chunk(net->convs[i], &net->kernels, weights, k,
                                    net->chunk);
    }
    /* z2 of a grey film as the plain sum: it is wanted once */
    const float *w = cx_retina_values(net, 1, CX_RETINA_WEIGHT);
    const float *b1 = cx_retina_values(net, 0, CX_RETINA_BIAS);
    const float *b2 = cx_retina_values(net, 1, CX_RETINA_BIAS);
    size_t area = l[0].out_y * l[0].out_x;
    CX_AUTOFREE float *a1 = cx_try_alloc(l[0].n_units, sizeof *a1, NULL);

    g_return_if_fail(a1 != NULL);
    for (size_t u = 0; u < l[0].n_units; u++)
        a1[u] = MAX(b1[u / area] * net->scale[0][u] + net->offset[0][u], 0.0f);
    for (size_t u = 0; u < l[1].n_units; u++) {
        size_t x = u % l[1].out_x, y = u / l[1].out_x % l[1].out_y;
        size_t o = u / l[1].out_x / l[1].out_y;
        const float *tap = w + o * l[1].n_in * l[1].kernel_y * l[1].kernel_x;
        float sum = b2[o];

        for (size_t c = 0; c < l[1].n_in; c++)
            for (size_t dy = 0; dy < l[1].kernel_y; dy++) {
                const float *row =
                    a1 + (c * l[1].in_y + y + dy) * l[1].in_x + x;

                for (size_t dx = 0; dx < l[1].kernel_x; dx++)
                    sum += *tap++ * row[dx];
            }
        net->grey_z2[u] = sum;
    }
}

size_t
cx_retina_cnn_n_windows(const CxRetinaCnn *net, size_t n_frames)
{
    return n_frames > net->shape.history ? n_frames - net->shape.history : 0;
}

static bool
check_film(const CxRetinaCnn *net, const CxMovie *movie, GError **error)
{
    if (movie->width != net->shape.width ||
        (movie->height != net->shape.height && movie->height != 1)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the film is %zu x %zu pixels (x, y), expected %u x %u as "
                    "the network",
                    movie->width, movie->height, net->shape.width,
                    net->shape.height);
        return false;
    }
    if (cx_retina_cnn_n_windows(net, movie->n_frames) == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the film has %zu frames, expected more than the %u of "
                    "the network's history",
                    movie->n_frames, net->shape.history);
        return false;
    }
    return true;
}

/* ---- whole films ------------------------------------------------------ */

typedef struct {
    const CxRetinaCnn *net;
    const CxMovie *movie;
    const CxRetinaMask *mask;
    const CxRetinaPick *picks; /* NULL: whole maps */
    size_t n_rates;            /* a window */
    size_t n_windows;
    CxRetinaScratch **scratch; /* one a thread */
    float *rates;
} Respond;

/* Logits of whole maps. */
static void
map_logits(const CxRetinaCnn *net, CxRetinaScratch *scratch, size_t lanes)
{
    const CxRetinaLayer *l = &net->layers[2];
    const float *bias = cx_retina_values(net, 2, CX_RETINA_BIAS);
    size_t area = l->out_y * l->out_x * lanes;

    cx_retina_lanes_conv(net, scratch, 2, scratch->u, lanes);
    for (size_t m = 0; m < l->n_out; m++) {
        float scale = net->scale[2][m];
        float offset = bias[m] * scale + net->offset[2][m];

        for (size_t i = m * area; i < (m + 1) * area; i++)
            scratch->u[i] = scratch->u[i] * scale + offset;
    }
}

/* Rates of n windows from logits. */
static void
put_rates(const float *logits, size_t lanes, size_t n_rates, size_t n,
          float *rates)
{
    cx_retina_from_lanes(logits, lanes, n_rates, n, rates, n_rates);
    for (size_t i = 0; i < n_rates * n; i++)
        rates[i] = cx_retina_softplus(rates[i]);
}

static bool
respond_tile(size_t tile, unsigned worker, void *data, GError **error)
{
    const Respond *r = data;
    CxRetinaScratch *scratch = r->scratch[worker];
    size_t first = tile * CX_RETINA_LANES;
    size_t n = MIN(CX_RETINA_LANES, r->n_windows - first);
    size_t lanes = cx_retina_lanes_for(n);
    float *logits = scratch->u;
    CX_AUTOFREE float *own = NULL;

    if (r->picks != NULL) {
        own = cx_try_alloc(r->n_rates * lanes, sizeof *own, error);
        if (own == NULL)
            return false;
        logits = own;
    }
    cx_retina_lanes_film(r->net, scratch, r->movie, first, lanes);
    cx_retina_lanes_relu(r->net, scratch, r->mask, 0, true, lanes);
    cx_retina_lanes_conv(r->net, scratch, 1, scratch->z[1], lanes);
    cx_retina_lanes_relu(r->net, scratch, r->mask, 1, true, lanes);
    if (r->picks != NULL)
        cx_retina_lanes_cells(r->net, scratch, r->picks, r->n_rates, logits,
                              lanes);
    else
        map_logits(r->net, scratch, lanes);
    put_rates(logits, lanes, r->n_rates, n, r->rates + first * r->n_rates);
    return true;
}

static bool
respond(Respond *r, unsigned n_threads, CxJob *job, GError **error)
{
    if (!check_film(r->net, r->movie, error))
        return false;
    r->n_windows = cx_retina_cnn_n_windows(r->net, r->movie->n_frames);
    size_t n_tiles = (r->n_windows + CX_RETINA_LANES - 1) / CX_RETINA_LANES;
    bool ok = true;

    n_threads = (unsigned)MIN(cx_parallel_n_threads(n_threads), n_tiles);
    r->scratch = g_new0(CxRetinaScratch *, n_threads);
    for (unsigned i = 0; i < n_threads && ok; i++) {
        r->scratch[i] = cx_retina_scratch_new(r->net);
        ok = r->scratch[i] != NULL;
    }
    if (!ok)
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "not enough memory to run the network on %u threads",
                    n_threads);
    ok = ok && cx_parallel_for(n_threads, n_tiles, respond_tile, r, job, error);
    for (unsigned i = 0; i < n_threads; i++)
        cx_retina_scratch_free(r->scratch[i]);
    g_free(r->scratch);
    return ok;
}

bool
cx_retina_cnn_respond(const CxRetinaCnn *net, const CxMovie *movie,
                      const CxRetinaPick *picks, size_t n_picks,
                      const CxRetinaMask *mask, unsigned n_threads,
                      float *rates, CxJob *job, GError **error)
{
    Respond r = {.net = net,
                 .movie = movie,
                 .mask = mask,
                 .picks = picks != NULL ? picks : net->picks,
                 .n_rates = picks != NULL ? n_picks : net->n_picks,
                 .rates = rates};

    for (size_t i = 0; i < r.n_rates; i++)
        g_return_val_if_fail(cx_retina_pick_is_inside(net, r.picks[i]), false);
    return respond(&r, n_threads, job, error);
}

bool
cx_retina_cnn_respond_maps(const CxRetinaCnn *net, const CxMovie *movie,
                           const CxRetinaMask *mask, unsigned n_threads,
                           float *rates, CxJob *job, GError **error)
{
    Respond r = {.net = net,
                 .movie = movie,
                 .mask = mask,
                 .n_rates = net->layers[2].n_units,
                 .rates = rates};

    return respond(&r, n_threads, job, error);
}

/* ---- layer by layer --------------------------------------------------- */

bool
cx_retina_cnn_z1(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                 const CxMovie *movie, size_t first, size_t n, float *z1,
                 GError **error)
{
    size_t units = net->layers[0].n_units;

    if (!check_film(net, movie, error))
        return false;
    if (first + n > cx_retina_cnn_n_windows(net, movie->n_frames)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "windows %zu to %zu are asked for, expected at most %zu in "
                    "a film of %zu frames",
                    first, first + n,
                    cx_retina_cnn_n_windows(net, movie->n_frames),
                    movie->n_frames);
        return false;
    }
    for (size_t k = 0; k < n; k += CX_RETINA_LANES) {
        size_t part = MIN(CX_RETINA_LANES, n - k);
        size_t lanes = cx_retina_lanes_for(part);

        cx_retina_lanes_film(net, scratch, movie, first + k, lanes);
        cx_retina_lanes_relu(net, scratch, NULL, 0, true, lanes);
        cx_retina_from_lanes(scratch->z[0], lanes, units, part, z1 + k * units,
                             units);
    }
    return true;
}

void
cx_retina_cnn_z2(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                 const CxRetinaMask *mask, const float *z1, size_t n, float *z2)
{
    size_t units1 = net->layers[0].n_units, units2 = net->layers[1].n_units;

    for (size_t k = 0; k < n; k += CX_RETINA_LANES) {
        size_t part = MIN(CX_RETINA_LANES, n - k);
        size_t lanes = cx_retina_lanes_for(part);

        cx_retina_to_lanes(z1 + k * units1, units1, units1, part, scratch->z[0],
                           lanes);
        cx_retina_lanes_relu(net, scratch, mask, 0, false, lanes);
        cx_retina_lanes_conv(net, scratch, 1, scratch->z[1], lanes);
        cx_retina_lanes_relu(net, scratch, NULL, 1, true, lanes);
        cx_retina_from_lanes(scratch->z[1], lanes, units2, part,
                             z2 + k * units2, units2);
    }
}

void
cx_retina_cnn_grey(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                   const CxRetinaMask *mask, float *z1, float *z2)
{
    const CxRetinaLayer *l = &net->layers[0];
    const float *bias = cx_retina_values(net, 0, CX_RETINA_BIAS);

    for (size_t u = 0; u < l->n_units; u++)
        z1[u] = bias[u / (l->out_y * l->out_x)];
    cx_retina_cnn_z2(net, scratch, mask, z1, 1, z2);
}

void
cx_retina_cnn_rates(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                    const CxRetinaMask *mask, unsigned layer, const float *z,
                    size_t n, const CxRetinaPick *picks, size_t n_picks,
                    float *rates)
{
    size_t units = net->layers[layer - 1].n_units;
    CX_AUTOFREE float *logits =
        cx_try_alloc(n_picks * CX_RETINA_LANES, sizeof *logits, NULL);

    g_return_if_fail(logits != NULL && (layer == 1 || layer == 2));
    for (size_t k = 0; k < n; k += CX_RETINA_LANES) {
        size_t part = MIN(CX_RETINA_LANES, n - k);
        size_t lanes = cx_retina_lanes_for(part);

        cx_retina_to_lanes(z + k * units, units, units, part,
                           scratch->z[layer - 1], lanes);
        if (layer == 1) {
            cx_retina_lanes_relu(net, scratch, mask, 0, false, lanes);
            cx_retina_lanes_conv(net, scratch, 1, scratch->z[1], lanes);
        }
        cx_retina_lanes_relu(net, scratch, mask, 1, layer == 1, lanes);
        cx_retina_lanes_cells(net, scratch, picks, n_picks, logits, lanes);
        put_rates(logits, lanes, n_picks, part, rates + k * n_picks);
    }
}
