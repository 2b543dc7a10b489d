/* envelope_f32.h with AVX2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/envelope_f32.h"

#include <immintrin.h>

#define LANES CX_ENVELOPE_LANES

void
cx_envelope_f32_avx2(float *dst, const float *src, size_t n, ptrdiff_t step,
                     ptrdiff_t below, ptrdiff_t above, float square)
{
    ptrdiff_t reach = below > above ? below : above;

    for (size_t at = 0; at < n; at += LANES) {
        __m256 low = _mm256_loadu_ps(src + at);
        __m256 high = _mm256_loadu_ps(src + at + 8);

        for (ptrdiff_t k = 1; k <= reach; k++) {
            __m256 cost = _mm256_set1_ps((float)(k * k) * square);
            __m256 most = _mm256_max_ps(low, high);
            if (_mm256_movemask_ps(_mm256_cmp_ps(most, cost, _CMP_GT_OQ)) == 0)
                break;
            /* Beyond the end the row itself, which lowers nothing. */
            const float *a = src + at - (k <= below ? k * step : 0);
            const float *b = src + at + (k <= above ? k * step : 0);
            __m256 near_low =
                _mm256_min_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b));
            __m256 near_high =
                _mm256_min_ps(_mm256_loadu_ps(a + 8), _mm256_loadu_ps(b + 8));
            low = _mm256_min_ps(_mm256_add_ps(near_low, cost), low);
            high = _mm256_min_ps(_mm256_add_ps(near_high, cost), high);
        }
        _mm256_storeu_ps(dst + at, low);
        _mm256_storeu_ps(dst + at + 8, high);
    }
}
