/* gemm_f32.h for vectors of any width: the file that includes this one names
 * the width, the operations and how many sums fit the registers; without names
 * they are those of SSE.
 *
 * A tile of the result, up to MAX_I rows of two vectors (or one, at the end of
 * a row), stays in registers while j runs: two loads and one broadcast a row.
 * Dots keep DOT_I x DOT_J sums of 16 lanes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/gemm_f32.h"
#include "core/kernels/unroll.h"

#include <immintrin.h>

#ifndef LANES
#define LANES 4
#define VECTOR(operation) _mm_##operation##_ps
typedef __m128 Lanes;
#define MAX_I 6
#define DOT_I 1
#define DOT_J 2
static inline Lanes
fused(Lanes a, Lanes b, Lanes c)
{
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}
#else
#define fused(a, b, c) VECTOR(fmadd)((a), (b), (c))
#endif

#define INLINE static inline __attribute__((always_inline))
#define LOAD(at) VECTOR(loadu)(at)
#define STORE(at, value) VECTOR(storeu)((at), (value))
#define ALL(k) VECTOR(set1)(k)
#define PARTS (CX_GEMM_LANES / LANES) /* vectors of the 16 sums of a dot */

/* One tile: rows i … i + n_i - 1, n_v vectors from x on. */
INLINE void
rows_tile(const CxGemmRows *gemm, const float *b, float *c, size_t i, int n_i,
          int n_v)
{
    Lanes sums[MAX_I][2];
    const float *a = gemm->a + i * gemm->a_i;
    const size_t *b_at = gemm->b_at, *c_at = gemm->c_at + i;
    size_t a_i = gemm->a_i, a_j = gemm->a_j, n_j = gemm->n_j;

    CX_UNROLL
    for (int r = 0; r < n_i; r++) {
        CX_UNROLL
        for (int v = 0; v < n_v; v++)
            sums[r][v] = gemm->add ? LOAD(c + c_at[r] + v * LANES) : ALL(0.0f);
    }
    for (size_t j = 0; j < n_j; j++, a += a_j) {
        const float *from = b + b_at[j];
        Lanes b0 = LOAD(from), b1 = n_v > 1 ? LOAD(from + LANES) : b0;

        CX_UNROLL
        for (int r = 0; r < n_i; r++) {
            Lanes k = ALL(a[(size_t)r * a_i]);

            sums[r][0] = fused(k, b0, sums[r][0]);
            if (n_v > 1)
                sums[r][1] = fused(k, b1, sums[r][1]);
        }
    }
    CX_UNROLL
    for (int r = 0; r < n_i; r++) {
        CX_UNROLL
        for (int v = 0; v < n_v; v++)
            STORE(c + c_at[r] + v * LANES, sums[r][v]);
    }
}

INLINE void
rows_tile_of(const CxGemmRows *gemm, const float *b, float *c, size_t i,
             size_t n_i, int n_v)
{
#define CASE(k)                                                                \
    case k:                                                                    \
        rows_tile(gemm, b, c, i, k, n_v);                                      \
        break
    switch (n_i) {
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
#if MAX_I > 6
        CASE(7);
        CASE(8);
        CASE(9);
        CASE(10);
        CASE(11);
        CASE(12);
        CASE(13);
        CASE(14);
#endif
    default:
        break;
    }
#undef CASE
}

/* Rows of C in near-equal groups of at most MAX_I. */
INLINE void
gemm_rows(const CxGemmRows *gemm)
{
    size_t n_groups = (gemm->n_i + MAX_I - 1) / MAX_I;

    for (size_t g = 0; g < n_groups; g++) {
        size_t i = g * gemm->n_i / n_groups;
        size_t n_i = (g + 1) * gemm->n_i / n_groups - i;

        for (size_t p = 0; p < gemm->parts; p++) {
            const float *b = gemm->b + p * gemm->b_part;
            float *c = gemm->c + p * gemm->c_part;
            size_t x = 0;

            for (; x + 2 * LANES <= gemm->n; x += 2 * LANES)
                rows_tile_of(gemm, b + x, c + x, i, n_i, 2);
            if (x < gemm->n)
                rows_tile_of(gemm, b + x, c + x, i, n_i, 1);
        }
    }
}

/* The 16 sums as a tree of 8, 4, 2, 1. */
INLINE float
total(const Lanes sums[PARTS])
{
    float all[CX_GEMM_LANES];

    CX_UNROLL
    for (int v = 0; v < PARTS; v++)
        STORE(all + v * LANES, sums[v]);
    __m128 low = _mm_add_ps(_mm_loadu_ps(all), _mm_loadu_ps(all + 8));
    __m128 high = _mm_add_ps(_mm_loadu_ps(all + 4), _mm_loadu_ps(all + 12));
    __m128 four = _mm_add_ps(low, high);
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

INLINE void
dots_tile(const CxGemmDots *gemm, size_t i, size_t j, int n_i, int n_j)
{
    Lanes sums[DOT_I][DOT_J][PARTS];

    CX_UNROLL
    for (int r = 0; r < n_i; r++) {
        CX_UNROLL
        for (int s = 0; s < n_j; s++) {
            CX_UNROLL
            for (int v = 0; v < PARTS; v++)
                sums[r][s][v] = ALL(0.0f);
        }
    }
    for (size_t p = 0; p < gemm->parts; p++) {
        const float *a = gemm->a + p * gemm->a_part;
        const float *b = gemm->b + p * gemm->b_part;

        for (size_t x = 0; x < gemm->n; x += CX_GEMM_LANES) {
            CX_UNROLL
            for (int v = 0; v < PARTS; v++) {
                Lanes right[DOT_J];
                size_t at = x + (size_t)v * LANES;

                CX_UNROLL
                for (int s = 0; s < n_j; s++)
                    right[s] = LOAD(b + gemm->b_at[j + (size_t)s] + at);
                CX_UNROLL
                for (int r = 0; r < n_i; r++) {
                    Lanes left = LOAD(a + gemm->a_at[i + (size_t)r] + at);

                    CX_UNROLL
                    for (int s = 0; s < n_j; s++)
                        sums[r][s][v] = fused(left, right[s], sums[r][s][v]);
                }
            }
        }
    }
    CX_UNROLL
    for (int r = 0; r < n_i; r++) {
        CX_UNROLL
        for (int s = 0; s < n_j; s++) {
            float *c = gemm->c + (i + (size_t)r) * gemm->c_i +
                       (j + (size_t)s) * gemm->c_j;
            float sum = total(sums[r][s]);

            *c = gemm->add ? *c + sum : sum;
        }
    }
}

INLINE void
gemm_dots(const CxGemmDots *gemm)
{
    size_t full_j = gemm->n_j - gemm->n_j % DOT_J;
    size_t i = 0;

    for (; i + DOT_I <= gemm->n_i; i += DOT_I) {
        for (size_t j = 0; j < full_j; j += DOT_J)
            dots_tile(gemm, i, j, DOT_I, DOT_J);
        for (size_t j = full_j; j < gemm->n_j; j++)
            dots_tile(gemm, i, j, DOT_I, 1);
    }
    for (; i < gemm->n_i; i++) {
        for (size_t j = 0; j < full_j; j += DOT_J)
            dots_tile(gemm, i, j, 1, DOT_J);
        for (size_t j = full_j; j < gemm->n_j; j++)
            dots_tile(gemm, i, j, 1, 1);
    }
}
