/* conv_f32.h with AVX2 and FMA: a block of 16 channels is two registers, six
 * pixels make 12 sums, and weights and a broadcast sample fill the rest.  The
 * taps are taken in parts whose weights stay in the first-level cache while a
 * row goes by.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_f32.h"

#include "core/kernels/unroll.h"

#include <immintrin.h>

#define MAX_PX 6
#define HALF 8        /* floats of a register */
#define PART_ROWS 256 /* of weights, 64 bytes each */

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
        CX_UNROLL_4
        for (size_t c = 0; c < n; c++, weights += CX_BLOCK) {
            __m256 w0 = _mm256_load_ps(weights);
            __m256 w1 = _mm256_load_ps(weights + HALF);

            CX_UNROLL
            for (int p = 0; p < n_px; p++) {
                __m256 s =
                    _mm256_broadcast_ss(src + p * step * CX_BLOCK + (int)c);

                sums->lo[p] = _mm256_fmadd_ps(w0, s, sums->lo[p]);
                sums->hi[p] = _mm256_fmadd_ps(w1, s, sums->hi[p]);
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
run(const Part *part, size_t x, int n_px)
{
    const CxConvRow *row = part->row;
    const float *weights = row->weights + part->block * row->k_total * CX_BLOCK;
    const float *bias = row->bias + part->block * CX_BLOCK;
    size_t stride = row->dst_step * CX_BLOCK;
    float *dst = row->dst + part->block * row->dst_plane + x * stride;
    Sums sums;

    CX_UNROLL
    for (int p = 0; p < n_px; p++) {
        const float *from = part->first == 0 ? bias : dst + (size_t)p * stride;

        sums.lo[p] = _mm256_loadu_ps(from);
        sums.hi[p] = _mm256_loadu_ps(from + HALF);
    }
    for (size_t t = part->first; t < part->last; t++) {
        if (row->taps[t].step == 1)
            add_tap(&sums, &row->taps[t], weights, x, n_px, 1);
        else
            add_tap(&sums, &row->taps[t], weights, x, n_px, 2);
    }
    __m256 floor = row->relu && part->last == row->n_taps
                       ? _mm256_setzero_ps()
                       : _mm256_set1_ps(-__builtin_inff());
    CX_UNROLL
    for (int p = 0; p < n_px; p++) {
        float *pixel = dst + (size_t)p * stride;

        _mm256_storeu_ps(pixel, _mm256_max_ps(floor, sums.lo[p]));
        _mm256_storeu_ps(pixel + HALF, _mm256_max_ps(floor, sums.hi[p]));
    }
}

#define RUN(n)                                                                 \
    static __attribute__((noinline)) void run_##n(const Part *part, size_t x)  \
    {                                                                          \
        run(part, x, n);                                                       \
    }

RUN(1)
RUN(2)
RUN(3)
RUN(4)
RUN(5)
RUN(6)

typedef void RunFn(const Part *part, size_t x);

static RunFn *const runs[MAX_PX + 1] = {NULL,  run_1, run_2, run_3,
                                        run_4, run_5, run_6};

/* Near-equal runs over the row. */
static void
cover(const Part *part)
{
    size_t n = part->row->n_pixels;
    size_t n_runs = (n + MAX_PX - 1) / MAX_PX;

    for (size_t i = 0; i < n_runs; i++) {
        size_t x = n * i / n_runs;

        runs[n * (i + 1) / n_runs - x](part, x);
    }
}

void
cx_conv_row_f32_avx2(const CxConvRow *row)
{
    for (size_t b = 0; b < row->n_blocks; b++) {
        Part part = {.row = row, .block = b};

        do {
            part.first = part.last;
            part.last = cx_conv_part_end(row, part.first, PART_ROWS);
            cover(&part);
        } while (part.last < row->n_taps);
    }
}
