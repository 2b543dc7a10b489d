/* Lower envelope of parabolas over rows, searched outwards: the step of an
 * exact Euclidean distance transform along one axis.
 *
 *     dst[i] = min over k, -below <= k <= above, of
 *              src[k * step + i] + k * k * square,      i = 0 … n - 1
 *
 * Samples are not negative (infinity is one); square > 0.  n is a multiple of
 * 16 and rows -below … above are readable over all n samples (for step = 1 the
 * samples -below … n - 1 + above).  dst and src do not overlap.  The search
 * ends where k * k * square reaches the largest of 16 results, so the time
 * grows with the distances found, not with below and above.
 *
 * Every variant gives the same bits: a sum and a minimum have one result.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stddef.h>

#define CX_ENVELOPE_LANES 16

typedef void CxEnvelopeF32Fn(float *dst, const float *src, size_t n,
                             ptrdiff_t step, ptrdiff_t below, ptrdiff_t above,
                             float square);

CxEnvelopeF32Fn cx_envelope_f32_c;
CxEnvelopeF32Fn cx_envelope_f32_avx2;
CxEnvelopeF32Fn cx_envelope_f32_avx512;
