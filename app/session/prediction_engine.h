/* Makes what the prediction queue runs: a network over an open image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/prediction_queue.h"
#include "core/nn/tiled_infer.h"

/* What to make it of; strings and volume are borrowed by the call. */
typedef struct {
    const char *model;
    const char *type; /* NULL or "fp32", … */
    CxVolume *input;
} CxuiPredictionRecipe;

/* Reads the model and packs its weights: a job's work.  *network is a new
 * reference, *type static: what it computes with. */
bool cxui_prediction_engine_make(const CxuiPredictionRecipe *recipe,
                                 CxuiPredictionEngine *engine,
                                 CxNetwork **network, const char **type,
                                 GError **error);
