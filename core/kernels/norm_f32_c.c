/* norm_f32.h in plain C: the specification.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/norm_f32.h"

static void
moments(const CxNormRows *r)
{
    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k++) {
            float off = r->z[row * r->step + k] - r->mean;

            r->sums[k % CX_NORM_LANES] += off;
            r->squares[k % CX_NORM_LANES] += off * off;
        }
}

static void
relu(const CxNormRows *r)
{
    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k++) {
            float y = r->z[row * r->step + k] * r->scale + r->offset;

            if (r->noise != NULL)
                y += r->noise[r->noise_at[row] + k];
            r->a[row * r->step + k] = y > 0.0f ? y : 0.0f;
        }
}

static void
unrelu(const CxNormRows *r)
{
    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k++) {
            size_t at = row * r->step + k;
            float d = r->a[at] > 0.0f ? r->d[at] : 0.0f;

            r->d[at] = d;
            r->sums[k % CX_NORM_LANES] += d;
            r->squares[k % CX_NORM_LANES] += d * (r->z[at] - r->mean);
        }
}

static void
unnorm(const CxNormRows *r)
{
    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k++) {
            size_t at = row * r->step + k;
            float off = r->z[at] - r->mean;

            r->d[at] = r->scale * (r->d[at] - r->shift - r->slope * off);
        }
}

const CxNormF32 cx_norm_f32_c = {moments, relu, unrelu, unnorm};
