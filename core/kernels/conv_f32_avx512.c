/* conv_f32.h with AVX-512: 16 channels a register.
 *
 * One block of channels against up to 28 pixels, or two blocks against 14:
 * 28 sums, the weights of one input channel and a broadcast sample fill the
 * 32 registers.  The taps are taken in parts whose weights stay in the
 * first-level cache while a row goes by.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_f32.h"

#include "core/kernels/unroll.h"

#include <immintrin.h>

#define MAX_SUMS 28
#define PART_ROWS 192 /* of weights of two blocks, 128 bytes each */

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
        CX_UNROLL_4
        for (size_t c = 0; c < n; c++, weights += CX_BLOCK) {
            __m512 w0 = _mm512_load_ps(weights);
            __m512 w1 = n_b > 1 ? _mm512_load_ps(weights + weight_block) : w0;

            CX_UNROLL
            for (int p = 0; p < n_px; p++) {
                __m512 s = _mm512_set1_ps(src[p * step * CX_BLOCK + (int)c]);

                sums[p] = _mm512_fmadd_ps(w0, s, sums[p]);
                if (n_b > 1)
                    sums[n_px + p] = _mm512_fmadd_ps(w1, s, sums[n_px + p]);
            }
        }
    }
}

/* One part of the sum of a run of pixels: taps [first, last), the sums so far
 * in dst unless it is the first part. */
typedef struct {
    const CxConvRow *row;
    size_t block;
    size_t first, last;
} Part;

INLINE void
run(const Part *part, size_t x, int n_px, int n_b)
{
    const CxConvRow *row = part->row;
    size_t weight_block = row->k_total * CX_BLOCK;
    const float *weights = row->weights + part->block * weight_block;
    const float *bias = row->bias + part->block * CX_BLOCK;
    size_t stride = row->dst_step * CX_BLOCK;
    float *dst = row->dst + part->block * row->dst_plane + x * stride;
    __m512 sums[MAX_SUMS];

    CX_UNROLL
    for (int i = 0; i < n_px * n_b; i++) {
        size_t b = (size_t)(i / n_px), p = (size_t)(i % n_px);

        sums[i] = _mm512_loadu_ps(part->first == 0
                                      ? bias + b * CX_BLOCK
                                      : dst + b * row->dst_plane + p * stride);
    }
    for (size_t t = part->first; t < part->last; t++) {
        if (row->taps[t].step == 1)
            add_tap(sums, &row->taps[t], weights, weight_block, x, n_px, n_b,
                    1);
        else
            add_tap(sums, &row->taps[t], weights, weight_block, x, n_px, n_b,
                    2);
    }
    __m512 floor = row->relu && part->last == row->n_taps
                       ? _mm512_setzero_ps()
                       : _mm512_set1_ps(-__builtin_inff());
    CX_UNROLL
    for (int i = 0; i < n_px * n_b; i++) {
        size_t b = (size_t)(i / n_px), p = (size_t)(i % n_px);

        _mm512_storeu_ps(dst + b * row->dst_plane + p * stride,
                         _mm512_max_ps(floor, sums[i]));
    }
}

#define RUN(n, b)                                                              \
    static __attribute__((noinline)) void run_##b##_##n(const Part *part,      \
                                                        size_t x)              \
    {                                                                          \
        run(part, x, n, b);                                                    \
    }

RUN(1, 1)
RUN(2, 1)
RUN(3, 1)
RUN(4, 1)
RUN(5, 1)
RUN(6, 1)
RUN(7, 1)
RUN(8, 1)
RUN(9, 1)
RUN(10, 1)
RUN(11, 1)
RUN(12, 1)
RUN(13, 1)
RUN(14, 1)
RUN(15, 1)
RUN(16, 1)
RUN(17, 1)
RUN(18, 1)
RUN(19, 1)
RUN(20, 1)
RUN(21, 1)
RUN(22, 1)
RUN(23, 1)
RUN(24, 1)
RUN(25, 1)
RUN(26, 1)
RUN(27, 1)
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

typedef void RunFn(const Part *part, size_t x);

/* By number of pixels. */
static RunFn *const runs_1[] = {
    NULL,     run_1_1,  run_1_2,  run_1_3,  run_1_4,  run_1_5,
    run_1_6,  run_1_7,  run_1_8,  run_1_9,  run_1_10, run_1_11,
    run_1_12, run_1_13, run_1_14, run_1_15, run_1_16, run_1_17,
    run_1_18, run_1_19, run_1_20, run_1_21, run_1_22, run_1_23,
    run_1_24, run_1_25, run_1_26, run_1_27, run_1_28};
static RunFn *const runs_2[] = {
    NULL,    run_2_1, run_2_2,  run_2_3,  run_2_4,  run_2_5,  run_2_6, run_2_7,
    run_2_8, run_2_9, run_2_10, run_2_11, run_2_12, run_2_13, run_2_14};

/* Near-equal runs of at most `most` pixels over the row. */
static void
cover(const Part *part, RunFn *const *runs, size_t most)
{
    size_t n = part->row->n_pixels;
    size_t n_runs = (n + most - 1) / most;

    for (size_t i = 0; i < n_runs; i++) {
        size_t x = n * i / n_runs;

        runs[n * (i + 1) / n_runs - x](part, x);
    }
}

void
cx_conv_row_f32_avx512(const CxConvRow *row)
{
    for (size_t b = 0; b < row->n_blocks; b += 2) {
        Part part = {.row = row, .block = b};
        bool pair = b + 1 < row->n_blocks;

        do {
            part.first = part.last;
            part.last = cx_conv_part_end(row, part.first,
                                         pair ? PART_ROWS : 2 * PART_ROWS);
            cover(&part, pair ? runs_2 : runs_1,
                  pair ? MAX_SUMS / 2 : MAX_SUMS);
        } while (part.last < row->n_taps);
    }
}
