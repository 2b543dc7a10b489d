/* The linear-nonlinear model that networks are compared with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/retina/natural.h"
#include "core/retina/network_responder.h"

CxLnModel *
cx_network_baseline(size_t width, size_t n_frames, uint64_t seed, CxJob *job,
                    GError **error)
{
    CxNaturalOptions film = cx_natural_options_mixture();
    CxLnOptions options = cx_ln_options_default();
    size_t n_cells = 0;

    film.seed = seed;
    film.height = 1;
    film.width = width;
    film.n_frames = n_frames > 0 ? n_frames : 6000;
    g_autoptr(CxMovie) movie = cx_natural_new(&film, job, error);
    if (movie == NULL)
        return NULL;
    g_autofree CxCellPosition *cells = cx_cell_positions_all(
        1, width, MIN(options.size_px / 2, width / 3), &n_cells);
    CX_AUTOFREE float *rates =
        cx_try_alloc(movie->n_frames * n_cells, sizeof(float), error);
    CxSimulatorOutput output = {.rate = rates};
    if (rates == NULL ||
        !cx_simulator_run(movie, NULL, cells, n_cells, &output, job, error))
        return NULL;
    return cx_ln_model_fit(movie, cells, n_cells, rates, &options, job, error);
}
