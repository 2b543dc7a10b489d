/* winograd_f32.h with AVX-512.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <immintrin.h>

#define LANES 16
#define VECTOR(operation) _mm512_##operation##_ps
typedef __m512 Lanes;

#include "core/kernels/winograd_lanes.h"

void
cx_winograd_split_f32_avx512(float *dst, size_t part, const float *src,
                             size_t n_groups)
{
    split_groups(dst, part, src, n_groups);
}

void
cx_winograd_join_f32_avx512(float *dst, const float *src, size_t part,
                            const float *bias, bool relu, size_t n_groups)
{
    join_groups(dst, src, part, bias, relu, n_groups);
}
