/* 3x3 convolutions of 8 bits with a quarter of their products
 * (core/kernels/winograd_u8.h), for instruction sets where that pays.
 *
 * Sources on the step's own grid are summed so; what coarser sources add (folded
 * transposed convolutions) is added to those sums by conv_rows.h, which also
 * brings them to samples.  The sums are exact: nothing depends on whether a step
 * is computed in this way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/kernels.h"
#include "core/nn/plan.h"

/* Sets winograd_rows (and units) of the steps of a new program of a 2-D network
 * where the kernels gain from it. */
bool cx_winograd_rows_prepare(CxProgram *program, const CxKernels *kernels,
                              GError **error);
void cx_winograd_rows_free(CxStep *step);

/* First pixel of a row that is summed, and how many: whole periods, whole
 * blocks. */
size_t cx_winograd_rows_range(const CxStep *step, const CxPlanTensor *tensor,
                              int64_t *first);

/* Bytes of the sums, and of them and the scratch memory, that the steps of a
 * plan need at most; multiples of 64. */
size_t cx_winograd_rows_bytes(const CxPlan *plan, size_t *sums_bytes);
