/* winograd_f32.h for vectors of any width: the file that includes this one
 * names the width and the operations; without names they are those of SSE.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/conv_f32.h"
#include "core/kernels/winograd_f32.h"

#include <immintrin.h>

#ifndef LANES
#define LANES 4
#define VECTOR(operation) _mm_##operation##_ps
typedef __m128 Lanes;
#endif

#define ADD(a, b) VECTOR(add)((a), (b))
#define SUB(a, b) VECTOR(sub)((a), (b))
#define MAX_OF(a, b) VECTOR(max)((a), (b))
#define ALL(k) VECTOR(set1)(k)
#define TIMES(k, a) VECTOR(mul)(ALL(k), (a))
#define LOAD(at) VECTOR(loadu)(at)
#define STORE(at, value) VECTOR(storeu)((at), (value))

static inline void
split(float *dst, size_t part, const float *src)
{
    Lanes x0 = LOAD(src), x1 = LOAD(src + CX_BLOCK);
    Lanes x2 = LOAD(src + 2 * CX_BLOCK), x3 = LOAD(src + 3 * CX_BLOCK);
    Lanes x4 = LOAD(src + 4 * CX_BLOCK), x5 = LOAD(src + 5 * CX_BLOCK);
    Lanes p = SUB(x4, TIMES(4.0f, x2)), q = SUB(x3, TIMES(4.0f, x1));
    Lanes r = SUB(x4, x2), s = TIMES(2.0f, SUB(x3, x1));

    STORE(dst, ADD(SUB(TIMES(4.0f, x0), TIMES(5.0f, x2)), x4));
    STORE(dst + part, ADD(p, q));
    STORE(dst + 2 * part, SUB(p, q));
    STORE(dst + 3 * part, ADD(r, s));
    STORE(dst + 4 * part, SUB(r, s));
    STORE(dst + 5 * part, ADD(SUB(TIMES(4.0f, x1), TIMES(5.0f, x3)), x5));
}

static inline void
split_groups(float *dst, size_t part, const float *src, size_t n_groups)
{
    for (size_t j = 0; j < n_groups; j++)
        for (size_t c = 0; c < CX_BLOCK; c += LANES)
            split(dst + j * CX_BLOCK + c, part,
                  src + j * CX_WINOGRAD_OUT * CX_BLOCK + c - CX_BLOCK);
}

static inline void
join(float *dst, const float *m, size_t part, Lanes bias, Lanes floor)
{
    Lanes m1 = LOAD(m + part), m2 = LOAD(m + 2 * part);
    Lanes m3 = LOAD(m + 3 * part), m4 = LOAD(m + 4 * part);
    Lanes u = ADD(m1, m2), v = SUB(m1, m2), w = ADD(m3, m4), z = SUB(m3, m4);
    Lanes y0 = ADD(ADD(ADD(LOAD(m), u), w), bias);
    Lanes y1 = ADD(ADD(v, TIMES(2.0f, z)), bias);
    Lanes y2 = ADD(ADD(u, TIMES(4.0f, w)), bias);
    Lanes y3 = ADD(ADD(ADD(v, TIMES(8.0f, z)), LOAD(m + 5 * part)), bias);

    STORE(dst, MAX_OF(y0, floor));
    STORE(dst + CX_BLOCK, MAX_OF(y1, floor));
    STORE(dst + 2 * CX_BLOCK, MAX_OF(y2, floor));
    STORE(dst + 3 * CX_BLOCK, MAX_OF(y3, floor));
}

static inline void
join_groups(float *dst, const float *src, size_t part, const float *bias,
            bool relu, size_t n_groups)
{
    Lanes floor = ALL(relu ? 0.0f : -__builtin_inff());

    for (size_t j = 0; j < n_groups; j++)
        for (size_t c = 0; c < CX_BLOCK; c += LANES)
            join(dst + j * CX_WINOGRAD_OUT * CX_BLOCK + c,
                 src + j * CX_BLOCK + c, part, LOAD(bias + c), floor);
}
