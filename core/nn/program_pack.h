/* Packs the weights of a convolution into the order of the kernels, once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/layer.h"
#include "core/nn/program.h"

/* Fills phases and bias of a step whose parts, reach and period are set.
 * ups[p]: a transposed convolution folded into part p, which then is what
 * that reads; or NULL. */
bool cx_program_pack(const CxNetwork *network, const CxLayer *layer,
                     const CxLayer *const *ups, CxLayerType type, CxStep *step,
                     GError **error);

/* The file's axis (z, y, x) of a program's axis. */
unsigned cx_program_file_axis(const CxNetwork *network, unsigned axis);
