/* conv_f32.h with AVX2 and FMA: a block of 16 channels is two registers, six
 * pixels make 12 sums, and weights and a broadcast sample fill the rest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_f32.h"

#include <immintrin.h>

#define MAX_PX 6
#define HALF 8 /* floats of a register */

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    __m256 lo[MAX_PX], hi[MAX_PX];
} Sums;

INLINE void
add_tap(Sums *sums, const CxConvTap *tap, const float *weights, size_t x,
        int n_px, int step)
{
    const float *src = tap->src + x * (size_t)step * CX_BLOCK;
    size_t left = tap->n_channels;

    weights += (size_t)tap->k * CX_BLOCK;
    for (; left > 0; src += tap->plane) {
        size_t n = left < CX_BLOCK ? left : CX_BLOCK;

        left -= n;
        for (size_t c = 0; c < n; c++, weights += CX_BLOCK) {
            __m256 w0 = _mm256_load_ps(weights);
            __m256 w1 = _mm256_load_ps(weights + HALF);

#pragma GCC unroll 6
            for (int p = 0; p < n_px; p++) {
                __m256 s =
                    _mm256_broadcast_ss(src + p * step * CX_BLOCK + (int)c);

                sums->lo[p] = _mm256_fmadd_ps(w0, s, sums->lo[p]);
                sums->hi[p] = _mm256_fmadd_ps(w1, s, sums->hi[p]);
            }
        }
    }
}

INLINE void
run(const CxConvRow *row, size_t block, size_t x, int n_px)
{
    const float *weights = row->weights + block * row->k_total * CX_BLOCK;
    Sums sums;

#pragma GCC unroll 6
    for (int p = 0; p < n_px; p++) {
        sums.lo[p] = _mm256_loadu_ps(row->bias + block * CX_BLOCK);
        sums.hi[p] = _mm256_loadu_ps(row->bias + block * CX_BLOCK + HALF);
    }
    for (size_t t = 0; t < row->n_taps; t++) {
        if (row->taps[t].step == 1)
            add_tap(&sums, &row->taps[t], weights, x, n_px, 1);
        else
            add_tap(&sums, &row->taps[t], weights, x, n_px, 2);
    }
    float *dst = row->dst + block * row->dst_plane;
    __m256 floor =
        row->relu ? _mm256_setzero_ps() : _mm256_set1_ps(-__builtin_inff());
#pragma GCC unroll 6
    for (int p = 0; p < n_px; p++) {
        float *pixel = dst + (x + (size_t)p) * row->dst_step * CX_BLOCK;

        _mm256_storeu_ps(pixel, _mm256_max_ps(floor, sums.lo[p]));
        _mm256_storeu_ps(pixel + HALF, _mm256_max_ps(floor, sums.hi[p]));
    }
}

#define RUN(n)                                                                 \
    static __attribute__((noinline)) void run_##n(const CxConvRow *row,        \
                                                  size_t block, size_t x)      \
    {                                                                          \
        run(row, block, x, n);                                                 \
    }

RUN(1)
RUN(2)
RUN(3)
RUN(4)
RUN(5)
RUN(6)

typedef void RunFn(const CxConvRow *row, size_t block, size_t x);

void
cx_conv_row_f32_avx2(const CxConvRow *row)
{
    static RunFn *const runs[MAX_PX + 1] = {NULL,  run_1, run_2, run_3,
                                            run_4, run_5, run_6};
    size_t n = row->n_pixels;

    if (n == 0)
        return;
    /* Equal runs; the last overlaps the one before it. */
    size_t n_runs = (n + MAX_PX - 1) / MAX_PX;
    size_t length = (n + n_runs - 1) / n_runs;
    for (size_t b = 0; b < row->n_blocks; b++)
        for (size_t x = 0; x < n; x += length)
            runs[length](row, b, x + length <= n ? x : n - length);
}
