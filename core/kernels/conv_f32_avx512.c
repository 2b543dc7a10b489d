/* conv_f32.h with AVX-512: 16 channels a register.
 *
 * One block of channels against up to 28 pixels, or two blocks against 14:
 * 28 sums, the weights of one input channel and a broadcast sample fill the
 * 32 registers.  A row is cut into near-equal runs of pixels; the last run
 * overlaps the one before it, so that no run is shorter than the others.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_f32.h"

#include <immintrin.h>

#define MAX_SUMS 28

#define INLINE static inline __attribute__((always_inline))

/* Adds one tap to the sums of n_px pixels and n_b blocks. */
INLINE void
add_tap(__m512 sums[MAX_SUMS], const CxConvTap *tap, const float *weights,
        size_t weight_block, size_t x, int n_px, int n_b, int step)
{
    const float *src = tap->src + x * (size_t)step * CX_BLOCK;
    size_t left = tap->n_channels;

    weights += (size_t)tap->k * CX_BLOCK;
    for (; left > 0; src += tap->plane) {
        size_t n = left < CX_BLOCK ? left : CX_BLOCK;

        left -= n;
        for (size_t c = 0; c < n; c++, weights += CX_BLOCK) {
            __m512 w0 = _mm512_load_ps(weights);
            __m512 w1 = n_b > 1 ? _mm512_load_ps(weights + weight_block) : w0;

#pragma GCC unroll 28
            for (int p = 0; p < n_px; p++) {
                __m512 s = _mm512_set1_ps(src[p * step * CX_BLOCK + (int)c]);

                sums[p] = _mm512_fmadd_ps(w0, s, sums[p]);
                if (n_b > 1)
                    sums[n_px + p] = _mm512_fmadd_ps(w1, s, sums[n_px + p]);
            }
        }
    }
}

INLINE void
run(const CxConvRow *row, size_t block, size_t x, int n_px, int n_b)
{
    size_t weight_block = row->k_total * CX_BLOCK;
    const float *weights = row->weights + block * weight_block;
    __m512 sums[MAX_SUMS];

#pragma GCC unroll 28
    for (int i = 0; i < n_px * n_b; i++)
        sums[i] = _mm512_loadu_ps(row->bias +
                                  (block + (size_t)(i / n_px)) * CX_BLOCK);
    for (size_t t = 0; t < row->n_taps; t++) {
        if (row->taps[t].step == 1)
            add_tap(sums, &row->taps[t], weights, weight_block, x, n_px, n_b,
                    1);
        else
            add_tap(sums, &row->taps[t], weights, weight_block, x, n_px, n_b,
                    2);
    }
    float *dst = row->dst + block * row->dst_plane;
    size_t stride = row->dst_step * CX_BLOCK;
    __m512 floor =
        row->relu ? _mm512_setzero_ps() : _mm512_set1_ps(-__builtin_inff());
#pragma GCC unroll 28
    for (int i = 0; i < n_px * n_b; i++)
        _mm512_storeu_ps(dst + (size_t)(i / n_px) * row->dst_plane +
                             (x + (size_t)(i % n_px)) * stride,
                         _mm512_max_ps(floor, sums[i]));
}

#define RUN(n, b)                                                              \
    static __attribute__((noinline)) void run_##b##_##n(                       \
        const CxConvRow *row, size_t block, size_t x)                          \
    {                                                                          \
        run(row, block, x, n, b);                                              \
    }

RUN(1, 1)
RUN(2, 1)
RUN(4, 1)
RUN(6, 1)
RUN(8, 1)
RUN(10, 1)
RUN(12, 1)
RUN(14, 1)
RUN(16, 1)
RUN(18, 1)
RUN(20, 1)
RUN(22, 1)
RUN(24, 1)
RUN(26, 1)
RUN(28, 1)
RUN(1, 2)
RUN(2, 2)
RUN(3, 2)
RUN(4, 2)
RUN(5, 2)
RUN(6, 2)
RUN(7, 2)
RUN(8, 2)
RUN(9, 2)
RUN(10, 2)
RUN(11, 2)
RUN(12, 2)
RUN(13, 2)
RUN(14, 2)

typedef void RunFn(const CxConvRow *row, size_t block, size_t x);

typedef struct {
    size_t n;
    RunFn *fn;
} Run;

/* Longest first, down to one pixel. */
static const Run runs_1[] = {
    {28, run_1_28}, {26, run_1_26}, {24, run_1_24}, {22, run_1_22},
    {20, run_1_20}, {18, run_1_18}, {16, run_1_16}, {14, run_1_14},
    {12, run_1_12}, {10, run_1_10}, {8, run_1_8},   {6, run_1_6},
    {4, run_1_4},   {2, run_1_2},   {1, run_1_1},
};
static const Run runs_2[] = {
    {14, run_2_14}, {13, run_2_13}, {12, run_2_12}, {11, run_2_11},
    {10, run_2_10}, {9, run_2_9},   {8, run_2_8},   {7, run_2_7},
    {6, run_2_6},   {5, run_2_5},   {4, run_2_4},   {3, run_2_3},
    {2, run_2_2},   {1, run_2_1},
};

/* Covers the row with runs of the shortest length that needs no more of them
 * than the longest; rows shorter than that run are covered by several. */
static void
cover(const CxConvRow *row, size_t block, const Run *runs)
{
    size_t n = row->n_pixels;
    size_t n_runs = (n + runs[0].n - 1) / runs[0].n;
    size_t want = n_runs > 0 ? (n + n_runs - 1) / n_runs : 0;

    while (runs[0].n > 1 && runs[1].n >= want)
        runs++;
    while (runs[0].n > n)
        runs++;
    for (size_t x = 0; x < n; x += runs[0].n)
        runs[0].fn(row, block, x + runs[0].n <= n ? x : n - runs[0].n);
}

void
cx_conv_row_f32_avx512(const CxConvRow *row)
{
    size_t b = 0;

    if (row->n_pixels == 0)
        return;
    for (; b + 2 <= row->n_blocks; b += 2)
        cover(row, b, runs_2);
    if (b < row->n_blocks)
        cover(row, b, runs_1);
}
