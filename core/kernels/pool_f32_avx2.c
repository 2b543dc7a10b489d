/* pool_f32.h with AVX2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/pool_f32.h"

#include "core/kernels/conv_f32.h"

#include <immintrin.h>

#define LANES 8

void
cx_pool_row_f32_avx2(float *dst, const float *const *rows, size_t n_rows,
                     size_t factor, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels * CX_BLOCK; i += LANES) {
        size_t at = i / CX_BLOCK * factor * CX_BLOCK + i % CX_BLOCK;
        __m256 best = _mm256_loadu_ps(rows[0] + at);

        for (size_t r = 0; r < n_rows; r++)
            for (size_t j = 0; j < factor; j++)
                best = _mm256_max_ps(
                    _mm256_loadu_ps(rows[r] + at + j * CX_BLOCK), best);
        _mm256_storeu_ps(dst + i, best);
    }
}
