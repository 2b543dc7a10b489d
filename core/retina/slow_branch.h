/* The slow inhibitory branch: a bipolar cell and two amacrine cells, one of
 * them with a depressing synapse, that together answer what was expected and
 * did not come (after Ebert et al.).  One branch for every sample of a frame.
 *
 *   VB'  = -VB/tB + (20/tB) (sg(v; 14, -0.5) - 1)
 *   VA1' = -VA1/tA1 + (20/tA1) sg(-v; 12, 0.5)
 *   VA2' = -VA2/tA2 + (20/tA2) (sg(v; 14, -0.5) - 1)
 *   n'   = k (1 - n) - k 0.086 [VA1]+ n
 *   VE'  = -VE/tG + (50 [VB + 26]+ - 53 n [VA1]+ - 65 [VA2 + 20]+) /s
 * with sg(x; a, b) = 1/(1 + exp(-a (x - b))); v from -1 (black) to 0 (grey).
 * At grey 50 x 26 = 65 x 20 balance.  Belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/simulator.h"

typedef struct CxSlowBranch CxSlowBranch;

/* At rest at v = 0. */
CxSlowBranch *cx_slow_branch_new(const CxRetinaParams *params, bool depressing,
                                 size_t n);
void cx_slow_branch_free(CxSlowBranch *branch);

/* One Euler step; v [n]. */
void cx_slow_branch_step(CxSlowBranch *branch, const float *v);

/* VE [n] in mV; borrowed. */
const float *cx_slow_branch_ve(const CxSlowBranch *branch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSlowBranch, cx_slow_branch_free)
