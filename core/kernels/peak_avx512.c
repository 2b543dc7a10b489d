/* peak.h with AVX-512.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/peak.h"
#include "core/kernels/unroll.h"

#include <immintrin.h>

#define N 12

/* The compiler must believe that the register changes. */
#define KEEP(x) __asm__ volatile("" : "+v"(x))

void
cx_peak_f32_avx512(size_t n_rounds)
{
    __m512 sums[N], a = _mm512_setzero_ps(), b = a;

    CX_UNROLL
    for (int i = 0; i < N; i++)
        sums[i] = _mm512_setzero_ps();
    for (; n_rounds > 0; n_rounds--) {
        KEEP(a);
        KEEP(b);
        CX_UNROLL
        for (int i = 0; i < N; i++) {
            sums[i] = _mm512_fmadd_ps(a, b, sums[i]);
            KEEP(sums[i]);
        }
    }
}
