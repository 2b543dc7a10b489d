/* The network over what is shown, while it is shown.
 *
 * Panes say what they show and draw what is there: tiles come nearest to the
 * focus first; until a tile is there, that of a section close by stands in for
 * it, faded.  When nothing is missing, the next sections in the direction of
 * scrolling are predicted.  What leaves the screen is cancelled.  Results are
 * kept (see prediction_queue.h), so that going back shows them at once.
 *
 * Follows the settings live-prediction, prediction-channel, prediction-gamma,
 * model-type and the segmenter's model.  Main thread only; nothing blocks.
 *
 * Properties: status (string, notified a few times a second at most).
 * Signals:
 *   changed()          something arrived: draw panes that lack something
 *   look-changed()     on, off, other model, volume or channel: draw all
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/prediction_queue.h"
#include "core/nn/network.h"
#include "core/volume/chunk_cache.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_PREDICTION (cxui_prediction_get_type())
G_DECLARE_FINAL_TYPE(CxuiPrediction, cxui_prediction, CXUI, PREDICTION, GObject)

/* Made by the session, which owns it. */
CxuiPrediction *cxui_prediction_new(CxuiSession *session);

/* Waits for the threads; nothing is predicted afterwards.  For the session,
 * before what they read is taken away. */
void cxui_prediction_stop(CxuiPrediction *self);

/* Switched on, with an image and a model. */
bool cxui_prediction_is_on(CxuiPrediction *self);

/* Why a pane that looks along this axis (0 x, 1 y, 2 z) shows none although it
 * is on: a sentence, borrowed; else NULL. */
const char *cxui_prediction_why_not(CxuiPrediction *self, unsigned axis);

/* What the pane shows: one section of voxels, none if it is hidden; first =
 * the pointer is here.  Cheap when nothing is new. */
void cxui_prediction_want(CxuiPrediction *self, unsigned axis, CxBox box,
                          CxVoxel focus, bool first);

/* What to draw.  volume_id (never 0) is another one whenever the samples of
 * old ones are not valid any more; 0: nothing to draw. */
typedef struct {
    uint32_t volume_id;
    CxVoxel size, tile;
    CxNm voxel_nm, offset_nm;
} CxuiPredictionGrid;
CxuiPredictionGrid cxui_prediction_grid(CxuiPrediction *self, unsigned axis);

/* New reference to a u8 tile, 0 = transparent, or NULL. */
CxChunk *cxui_prediction_lookup(CxuiPrediction *self, const CxChunkKey *key);

/* Everything the pane wants is there (not stood in for). */
bool cxui_prediction_is_complete(CxuiPrediction *self, unsigned axis);

/* "Predicting, 40 % · 9.1 Mvox/s · bf16", "Up to date · …", "Off"; owned. */
char *cxui_prediction_dup_status(CxuiPrediction *self);
bool cxui_prediction_is_busy(CxuiPrediction *self);
CxuiPredictionStats cxui_prediction_stats(CxuiPrediction *self);

/* The network that runs, or NULL (borrowed): for names of its channels. */
CxNetwork *cxui_prediction_network(CxuiPrediction *self);
