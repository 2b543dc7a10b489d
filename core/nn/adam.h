/* The Adam optimiser (Kingma and Ba 2015, algorithm 1) over one array.
 *
 * Not thread-safe; constant in its results over machines, as it is plain C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxAdam CxAdam;

/* n values, first and second moments 0; decays 0.9 and 0.999, epsilon 1e-8.
 * NULL without memory. */
CxAdam *cx_adam_new(size_t n, GError **error);
void cx_adam_free(CxAdam *adam);

/* One step against the gradient at this rate. */
void cx_adam_step(CxAdam *adam, float *values, const float *gradient,
                  double rate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxAdam, cx_adam_free)
