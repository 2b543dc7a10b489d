/* Networks as responders.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/network_responder.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/retina/film_drive.h"

#define BLOCK 32 /* windows a thread takes at a time */

typedef struct {
    const CxNetworkResponder *network;
    const CxFilmDrive *film;
    const CxRetinaPick *picks;
    size_t n_picks, n_windows, history;
    CxRetinaScratch **scratch; /* one a thread */
    float *rates;
} Run;

static bool
respond_block(size_t item, unsigned worker, void *data, GError **error)
{
    Run *run = data;
    const CxRetinaCnn *net = run->network->net;
    size_t units = cx_retina_cnn_layer(net, 0)->n_units;
    size_t first = item * BLOCK, n = MIN(BLOCK, run->n_windows - first);
    CX_AUTOFREE float *z1 = cx_try_alloc(n * units, sizeof(float), error);

    if (z1 == NULL || !cx_film_drive_get(run->film, run->scratch[worker],
                                         first + run->history, n, z1, error))
        return false;
    cx_film_drive_to_z1(net, n, z1);
    cx_retina_cnn_rates(net, run->scratch[worker], &run->network->mask, 1, z1,
                        n, run->picks, run->n_picks,
                        run->rates + first * run->n_picks);
    return true;
}

static CxRetinaPick *
find_picks(const CxNetworkResponder *network, const CxCellPosition *cells,
           size_t n_cells, GError **error)
{
    g_autofree CxRetinaPick *picks = g_new(CxRetinaPick, MAX(n_cells, 1));

    for (size_t i = 0; i < n_cells; i++)
        if (!cx_network_pick_at(network->net, network->map, cells[i].x,
                                &picks[i], error))
            return NULL;
    return g_steal_pointer(&picks);
}

static bool
respond(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
        float *rates, void *user_data, CxJob *job, GError **error)
{
    const CxNetworkResponder *network = user_data;
    size_t history = cx_retina_cnn_shape(network->net)->history;
    unsigned n_threads = cx_parallel_n_threads(network->n_threads);
    g_autofree CxRetinaPick *picks = find_picks(network, cells, n_cells, error);
    g_autoptr(CxMovie) film =
        picks != NULL ? cx_film_for_network(network->net, movie, history, error)
                      : NULL;
    g_autoptr(CxFilmDrive) drive =
        film != NULL ? cx_film_drive_new(network->net, film, error) : NULL;

    if (drive == NULL)
        return false;
    g_autofree CxRetinaScratch **scratch = g_new(CxRetinaScratch *, n_threads);
    for (unsigned i = 0; i < n_threads; i++)
        scratch[i] = cx_retina_scratch_new(network->net);
    Run run = {
        .network = network,
        .film = drive,
        .picks = picks,
        .n_picks = n_cells,
        .n_windows = movie->n_frames,
        .history = history,
        .scratch = scratch,
        .rates = rates,
    };
    bool done = cx_parallel_for(n_threads, (run.n_windows + BLOCK - 1) / BLOCK,
                                respond_block, &run, job, error);
    for (unsigned i = 0; i < n_threads; i++)
        cx_retina_scratch_free(scratch[i]);
    return done;
}

CxResponder
cx_responder_network(const CxNetworkResponder *network, const char *name)
{
    return (CxResponder){
        .name = name,
        .respond = respond,
        .user_data = (void *)network,
        .height = 1,
        .width = cx_retina_cnn_shape(network->net)->width,
        .margin = cx_network_margin(network->net),
    };
}

bool
cx_network_pick_at(const CxRetinaCnn *net, unsigned map, int32_t x,
                   CxRetinaPick *pick, GError **error)
{
    const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
    CxRetinaPick origin = {.map = (int32_t)map};

    if (map >= cells->n_out) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the network has no map %u, expected less than %zu", map,
                    cells->n_out);
        return false;
    }
    int32_t first = cx_retina_cnn_pick_centre(net, origin).x;
    if (x < first || x >= first + (int32_t)cells->out_x) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "no cell of the network looks at pixel %d, expected %d to "
                    "%d",
                    x, first, first + (int32_t)cells->out_x - 1);
        return false;
    }
    *pick = (CxRetinaPick){
        .map = (int32_t)map,
        .y = (int32_t)(cells->out_y / 2),
        .x = x - first,
    };
    return true;
}

size_t
cx_network_margin(const CxRetinaCnn *net)
{
    const CxRetinaShape *shape = cx_retina_cnn_shape(net);
    const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
    size_t left = (size_t)cx_retina_cnn_pick_centre(net, (CxRetinaPick){0}).x;

    return MAX(left, shape->width - cells->out_x - left);
}

void
cx_network_film_size(const CxRetinaCnn *net, CxProtocolOptions *options)
{
    options->height = 1;
    options->width = cx_retina_cnn_shape(net)->width;
    options->margin = cx_network_margin(net);
}
