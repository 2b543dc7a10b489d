/* SynFlow on a network of the retina.
 *
 * Convolutions and gains become a CxFlowNet: gains of the normalisation count
 * by magnitude, so that they keep every sign, and are not pruned.  The softplus
 * at the end is left out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_cnn.h"
#include "core/theory/synflow.h"

/* One window of the film as the input; maps of logits as the output. */
CxFlowNet *cx_flow_new_from_retina(const CxRetinaCnn *retina, GError **error);

/* Sets weights of retina to 0 where the net's mask is. */
void cx_flow_mask_retina(const CxFlowNet *net, CxRetinaCnn *retina);

/* Importance of each channel of layer 1 (0) or 2 (1): the SynFlow scores that
 * enter it; scores: n_channels of the layer. */
bool cx_flow_retina_channels(CxFlowNet *net, unsigned layer, double *scores,
                             GError **error);
