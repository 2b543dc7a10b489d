/* Writes a changed network into a new model file: for flow_*.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/layer.h"
#include "core/theory/flow_models.h"

/* The card and parameters of the file `from` with the layers of network, whose
 * weights, biases and channels may differ; `to` appears only when it is
 * complete. */
bool cx_flow_write_network(const CxNetwork *network, const char *from,
                           const char *to, GError **error);
