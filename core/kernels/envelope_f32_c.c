/* envelope_f32.h in plain C: the specification.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/envelope_f32.h"

#include <stdbool.h>

#define LANES CX_ENVELOPE_LANES

/* Lowers best by one row; true while a farther row may still do so. */
static void
lower(float *best, const float *row, float cost)
{
    for (int i = 0; i < LANES; i++) {
        float candidate = row[i] + cost;
        best[i] = candidate < best[i] ? candidate : best[i];
    }
}

static bool
any_above(const float *best, float limit)
{
    int any = 0;

    for (int i = 0; i < LANES; i++)
        any |= best[i] > limit;
    return any != 0;
}

void
cx_envelope_f32_c(float *dst, const float *src, size_t n, ptrdiff_t step,
                  ptrdiff_t below, ptrdiff_t above, float square)
{
    ptrdiff_t reach = below > above ? below : above;

    for (size_t at = 0; at < n; at += LANES) {
        float best[LANES];

        for (int i = 0; i < LANES; i++)
            best[i] = src[at + (size_t)i];
        for (ptrdiff_t k = 1; k <= reach; k++) {
            float cost = (float)(k * k) * square;
            if (!any_above(best, cost))
                break;
            if (k <= below)
                lower(best, src + at - k * step, cost);
            if (k <= above)
                lower(best, src + at + k * step, cost);
        }
        for (int i = 0; i < LANES; i++)
            dst[at + (size_t)i] = best[i];
    }
}
