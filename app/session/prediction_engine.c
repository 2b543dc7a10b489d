/* Makes what the prediction queue runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction_engine.h"

/* Sections of a tile of a 3-D network: its halo in depth would cost several
 * times the work of one section. */
#define THICKNESS_3D 8

static CxChunk *
run(void *data, CxBox box, unsigned axis, CxJob *job, GError **error)
{
    return cx_predictor_run_cut(data, box, axis, job, error);
}

static void
destroy(void *data)
{
    cx_predictor_free(data);
}

bool
cxui_prediction_engine_make(const CxuiPredictionRecipe *recipe,
                            CxuiPredictionEngine *engine, CxNetwork **network,
                            const char **type, GError **error)
{
    CxPredictorOptions options = {.n_threads = 1, .type = recipe->type};
    g_autoptr(CxNetwork) loaded = cx_network_load(recipe->model, error);

    if (loaded == NULL)
        return false;
    CxPredictor *predictor =
        cx_predictor_new(loaded, recipe->input, &options, error);
    if (predictor == NULL)
        return false;
    *engine = (CxuiPredictionEngine){
        .run = run,
        .data = predictor,
        .destroy = destroy,
        .size = cx_volume_level(recipe->input, 0).size,
        .n_channels = cx_network_n_outputs(loaded),
        .thickness = cx_network_dims(loaded) == 3 ? THICKNESS_3D : 1,
    };
    *type = cx_predictor_type(predictor);
    *network = g_steal_pointer(&loaded);
    return true;
}
