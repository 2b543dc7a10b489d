/* Reads a model file into a network, and writes its calibration.
 *
 * Every size is checked against what the layers before it demand, and against
 * the limits of layer.h, before memory is taken.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"

CxNetwork *cx_weights_read(const char *path, GError **error);

/* A copy of a model file with the network's calibration in place of its own;
 * `to` appears only when it is complete. */
bool cx_weights_copy_calibrated(const CxNetwork *network, const char *from,
                                const char *to, GError **error);
