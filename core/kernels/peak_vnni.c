/* peak.h with AVX-512 VNNI.
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
cx_peak_u8_vnni(size_t n_rounds)
{
    __m512i sums[N], a = _mm512_setzero_si512(), b = a;

    CX_UNROLL
    for (int i = 0; i < N; i++)
        sums[i] = _mm512_setzero_si512();
    for (; n_rounds > 0; n_rounds--) {
        KEEP(a);
        KEEP(b);
        CX_UNROLL
        for (int i = 0; i < N; i++) {
            sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
            KEEP(sums[i]);
        }
    }
}
