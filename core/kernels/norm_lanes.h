/* norm_f32.h for vectors of any width: the file that includes this one names
 * the width and the operations; without names they are those of SSE.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/norm_f32.h"
#include "core/kernels/unroll.h"

#include <immintrin.h>

#ifndef LANES
#define LANES 4
#define VECTOR(operation) _mm_##operation##_ps
typedef __m128 Lanes;
#define FUSED(a, b, c) _mm_add_ps(_mm_mul_ps((a), (b)), (c))
#define KEEP_ABOVE_0(a, d) _mm_and_ps(_mm_cmpgt_ps((a), _mm_setzero_ps()), (d))
#endif

#define ALL(k) VECTOR(set1)(k)
#define LOAD(at) VECTOR(loadu)(at)
#define STORE(at, value) VECTOR(storeu)((at), (value))
#define SUB(a, b) VECTOR(sub)((a), (b))
#define ADD(a, b) VECTOR(add)((a), (b))
#define PARTS (CX_NORM_LANES / LANES)

/* The 16 sums and 16 squares in registers. */
typedef struct {
    Lanes sums[PARTS], squares[PARTS];
} Sums;

static inline Sums
load_sums(const CxNormRows *r)
{
    Sums s;

    CX_UNROLL
    for (int v = 0; v < PARTS; v++) {
        s.sums[v] = LOAD(r->sums + v * LANES);
        s.squares[v] = LOAD(r->squares + v * LANES);
    }
    return s;
}

static inline void
store_sums(const CxNormRows *r, const Sums *s)
{
    CX_UNROLL
    for (int v = 0; v < PARTS; v++) {
        STORE(r->sums + v * LANES, s->sums[v]);
        STORE(r->squares + v * LANES, s->squares[v]);
    }
}

static void
moments(const CxNormRows *r)
{
    Sums s = load_sums(r);
    Lanes mean = ALL(r->mean);

    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k += CX_NORM_LANES) {
            const float *z = r->z + row * r->step + k;

            CX_UNROLL
            for (int v = 0; v < PARTS; v++) {
                Lanes off = SUB(LOAD(z + v * LANES), mean);

                s.sums[v] = ADD(s.sums[v], off);
                s.squares[v] = FUSED(off, off, s.squares[v]);
            }
        }
    store_sums(r, &s);
}

static void
relu(const CxNormRows *r)
{
    Lanes scale = ALL(r->scale), offset = ALL(r->offset), zero = ALL(0.0f);

    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k += LANES) {
            size_t at = row * r->step + k;
            Lanes y = FUSED(LOAD(r->z + at), scale, offset);

            if (r->noise != NULL)
                y = ADD(y, LOAD(r->noise + r->noise_at[row] + k));
            STORE(r->a + at, VECTOR(max)(y, zero));
        }
}

static void
unrelu(const CxNormRows *r)
{
    Sums s = load_sums(r);
    Lanes mean = ALL(r->mean);

    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k += CX_NORM_LANES) {
            CX_UNROLL
            for (int v = 0; v < PARTS; v++) {
                size_t at = row * r->step + k + (size_t)v * LANES;
                Lanes a = LOAD(r->a + at);
                Lanes d = KEEP_ABOVE_0(a, LOAD(r->d + at));
                Lanes off = SUB(LOAD(r->z + at), mean);

                STORE(r->d + at, d);
                s.sums[v] = ADD(s.sums[v], d);
                s.squares[v] = FUSED(d, off, s.squares[v]);
            }
        }
    store_sums(r, &s);
}

static void
unnorm(const CxNormRows *r)
{
    Lanes mean = ALL(r->mean), scale = ALL(r->scale), shift = ALL(r->shift);
    Lanes slope = ALL(-r->slope);

    for (size_t row = 0; row < r->n_rows; row++)
        for (size_t k = 0; k < r->n; k += LANES) {
            size_t at = row * r->step + k;
            Lanes off = SUB(LOAD(r->z + at), mean);
            Lanes d = FUSED(slope, off, SUB(LOAD(r->d + at), shift));

            STORE(r->d + at, VECTOR(mul)(scale, d));
        }
}
