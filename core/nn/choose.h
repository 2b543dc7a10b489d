/* Names of sample types and instruction sets → kernels, with refusals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/kernels.h"
#include "core/nn/layer.h"

/* type: NULL, "fp32", "bf16" or "int8".  isa: NULL for the best present under
 * CX_CPU, or "c", "avx2", "avx512", "vnni", "amx" as a cap.  A set that has
 * kernels of its own for the type, is named and cannot be had is refused, and
 * so is bf16 where it would run in plain C without being asked to. */
bool cx_nn_choose(const char *type, const char *isa, CxLayerType *layer_type,
                  CxKernels *kernels, GError **error);

/* What the kernels use for a type: static text. */
const char *cx_nn_isa(const CxKernels *kernels, CxLayerType type);

const char *cx_nn_type_name(CxLayerType type);
