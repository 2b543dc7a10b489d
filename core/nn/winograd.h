/* Convolutions in float whose three taps along x go through
 * core/kernels/winograd_f32.h: half of the products.
 *
 * Such a step keeps its plain phase, for rows shorter than a group, and has
 * six others, one a part, without taps along x.  Each source row is
 * split once and kept while taps of later rows meet it.
 *
 * Groups of four pixels start where the tile starts, so that samples differ in
 * the last bits between tiles; see README.md.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/kernels.h"
#include "core/nn/plan.h"

/* Work of a step of three taps along x, against all its products. */
#define CX_WINOGRAD_SHARE 0.5

/* Whether a convolution with these taps and channels gains by it. */
bool cx_winograd_suits(const CxStep *step);

/* Makes the six phases from the plain one. */
bool cx_winograd_pack(CxStep *step, GError **error);

/* Split rows of one worker.  Not thread-safe. */
typedef struct CxWinograd CxWinograd;

CxWinograd *cx_winograd_new(const CxProgram *program);
void cx_winograd_free(CxWinograd *winograd);

/* Forgets all rows and returns the floats needed for a tile of this plan. */
size_t cx_winograd_fit(CxWinograd *winograd, const CxPlan *plan);

/* Whether the rows of a step are long enough in this plan. */
bool cx_winograd_takes(const CxPlan *plan, unsigned step);

/* Makes a row.  arena: of the plan's tensors; memory: the floats asked for. */
void cx_winograd_row(CxWinograd *winograd, const CxPlan *plan,
                     const CxKernels *kernels, uint8_t *arena, float *memory,
                     unsigned step, int64_t unit, int64_t row);
