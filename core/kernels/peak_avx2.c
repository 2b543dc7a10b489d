/* peak.h with AVX2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/peak.h"
#include "core/kernels/unroll.h"

#include <immintrin.h>

#define N_FLOAT 12
#define N_BYTES 8

/* The compiler must believe that the register changes. */
#define KEEP(x) __asm__ volatile("" : "+x"(x))

void
cx_peak_f32_avx2(size_t n_rounds)
{
    __m256 sums[N_FLOAT], a = _mm256_setzero_ps(), b = a;

    CX_UNROLL
    for (int i = 0; i < N_FLOAT; i++)
        sums[i] = _mm256_setzero_ps();
    for (; n_rounds > 0; n_rounds--) {
        KEEP(a);
        KEEP(b);
        CX_UNROLL
        for (int i = 0; i < N_FLOAT; i++) {
            sums[i] = _mm256_fmadd_ps(a, b, sums[i]);
            KEEP(sums[i]);
        }
    }
}

void
cx_peak_u8_avx2(size_t n_rounds)
{
    __m256i sums[N_BYTES], a = _mm256_setzero_si256(), b = a;

    CX_UNROLL
    for (int i = 0; i < N_BYTES; i++)
        sums[i] = _mm256_setzero_si256();
    for (; n_rounds > 0; n_rounds--) {
        CX_UNROLL
        for (int i = 0; i < N_BYTES; i++) {
            KEEP(a);
            KEEP(b);
            sums[i] = _mm256_add_epi16(sums[i], _mm256_maddubs_epi16(a, b));
            KEEP(sums[i]);
        }
    }
}
