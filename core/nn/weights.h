/* Reads a model file into a network.
 *
 * Every size is checked against what the layers before it demand, and against
 * the limits of layer.h, before memory is taken.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"

CxNetwork *cx_weights_read(const char *path, GError **error);
