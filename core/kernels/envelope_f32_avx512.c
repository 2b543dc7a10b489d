/* envelope_f32.h with AVX-512.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/envelope_f32.h"

#include <immintrin.h>

#define LANES CX_ENVELOPE_LANES

void
cx_envelope_f32_avx512(float *dst, const float *src, size_t n, ptrdiff_t step,
                       ptrdiff_t below, ptrdiff_t above, float square)
{
    ptrdiff_t reach = below > above ? below : above;

    for (size_t at = 0; at < n; at += LANES) {
        __m512 best = _mm512_loadu_ps(src + at);

        for (ptrdiff_t k = 1; k <= reach; k++) {
            __m512 cost = _mm512_set1_ps((float)(k * k) * square);
            if (_mm512_cmp_ps_mask(best, cost, _CMP_GT_OQ) == 0)
                break;
            /* Beyond the end the row itself, which lowers nothing. */
            const float *a = src + at - (k <= below ? k * step : 0);
            const float *b = src + at + (k <= above ? k * step : 0);
            __m512 near = _mm512_min_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b));
            best = _mm512_min_ps(_mm512_add_ps(near, cost), best);
        }
        _mm512_storeu_ps(dst + at, best);
    }
}
