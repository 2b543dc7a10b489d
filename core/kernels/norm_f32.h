/* Normalisation of a unit over the lanes of several rows, with a relu, and the
 * way back.
 *
 * A unit's samples are n_rows rows of n floats, n a multiple of 16, `step`
 * floats from a row to the next; z, a and d have the same shape.  Sums are 16,
 * by lane modulo 16, added to from row to row.
 *
 * moments:  sums[k] += z - mean;  squares[k] += (z - mean)^2
 * relu:     a = max(0, z scale + offset + noise), noise[noise_at[row] + lane];
 *           noise NULL: none
 * unrelu:   d = a > 0 ? d : 0;  sums[k] += d;  squares[k] += d (z - mean)
 * unnorm:   d = scale (d - shift - slope (z - mean))
 *
 * Vector variants fuse multiply-adds and give equal bits; C rounds each
 * operation: d and a within 4 * 2^-23 of the largest term.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CX_NORM_LANES 16

typedef struct {
    size_t n_rows, step, n;
    const float *z;
    float *a, *d;
    const float *noise;
    const uint32_t *noise_at; /* [n_rows] */
    float mean, scale, offset, shift, slope;
    float *sums, *squares; /* [16] */
} CxNormRows;

typedef void CxNormRowsFn(const CxNormRows *rows);

typedef struct {
    CxNormRowsFn *moments, *relu, *unrelu, *unnorm;
} CxNormF32;

extern const CxNormF32 cx_norm_f32_c;
extern const CxNormF32 cx_norm_f32_avx2;
extern const CxNormF32 cx_norm_f32_avx512;
