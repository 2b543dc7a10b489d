/* What is drawn of a network's output: evidence that two things are apart.
 *
 * Plain functions; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"
#include "core/volume/chunk.h"

/* All outputs in one: the boundary channel, or what is missing to 1 in the
 * least affinity to a direct neighbour (as `connexon-cli predict --channel
 * boundary`). */
#define CXUI_SHOW_BOUNDARY (-1)

/* Name of a channel for people: "Boundary", "Apart along x", "Apart along z,
 * 3 voxels"; channel may be CXUI_SHOW_BOUNDARY.  Owned. */
char *cxui_prediction_dup_channel_name(const CxNetwork *network, int channel);

typedef struct {
    int channel;   /* or CXUI_SHOW_BOUNDARY */
    double gamma;  /* 1 = straight; more: weak evidence fades */
    double weight; /* 1; less for what stands in for something else */
} CxuiPredictionLook;

/* One channel, 0 = together (transparent) … 255 = apart; NULL without memory.
 * The box is that of the outputs. */
CxChunk *cxui_prediction_map(const CxNetwork *network, const CxChunk *outputs,
                             const CxuiPredictionLook *look);
