/* A retina network as a responder of the protocols.
 *
 * Protocol films are x-t films (height 1) of the network's width: bars stand
 * upright and flashes fill the field, so nothing varies in y.  A cell at pixel
 * x is the place of the middle row of a map that looks at it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/ln_model.h"
#include "core/retina/protocol.h"
#include "core/retina/retina_cnn.h"

typedef struct {
    const CxRetinaCnn *net;
    CxRetinaMask mask;
    unsigned map;       /* 0 */
    unsigned n_threads; /* 0 = one a core */
} CxNetworkResponder;

/* The responder asks `network`, which is borrowed. */
CxResponder cx_responder_network(const CxNetworkResponder *network,
                                 const char *name);

/* The place of a map that looks at pixel x (rounded as pick_centre rounds).
 * CX_ERROR_INVALID if no place does. */
bool cx_network_pick_at(const CxRetinaCnn *net, unsigned map, int32_t x,
                        CxRetinaPick *pick, GError **error);

/* Pixels at each side of a film that no cell looks at. */
size_t cx_network_margin(const CxRetinaCnn *net);

/* Width, height and margin of protocol films for this network; the rest of
 * the options is left as it is. */
void cx_network_film_size(const CxRetinaCnn *net, CxProtocolOptions *options);

/* A linear-nonlinear model fitted to the simulated retina on a mixed film of
 * n_frames (0 = 6000) of this width: the baseline of every comparison. */
CxLnModel *cx_network_baseline(size_t width, size_t n_frames, uint64_t seed,
                               CxJob *job, GError **error);
