/* gemm_f32.h in plain C: the specification.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/gemm_f32.h"

static void
rows_of(const CxGemmRows *gemm, size_t part)
{
    const float *b = gemm->b + part * gemm->b_part;
    float *c = gemm->c + part * gemm->c_part;

    for (size_t i = 0; i < gemm->n_i; i++) {
        float *to = c + gemm->c_at[i];

        for (size_t x = 0; x < gemm->n && !gemm->add; x++)
            to[x] = 0.0f;
        for (size_t j = 0; j < gemm->n_j; j++) {
            float a = gemm->a[i * gemm->a_i + j * gemm->a_j];
            const float *from = b + gemm->b_at[j];

            for (size_t x = 0; x < gemm->n; x++)
                to[x] += a * from[x];
        }
    }
}

void
cx_gemm_rows_f32_c(const CxGemmRows *gemm)
{
    for (size_t part = 0; part < gemm->parts; part++)
        rows_of(gemm, part);
}

static float
dot(const CxGemmDots *gemm, size_t i, size_t j)
{
    float sums[CX_GEMM_LANES] = {0.0f};

    for (size_t part = 0; part < gemm->parts; part++) {
        const float *a = gemm->a + part * gemm->a_part + gemm->a_at[i];
        const float *b = gemm->b + part * gemm->b_part + gemm->b_at[j];

        for (size_t x = 0; x < gemm->n; x++)
            sums[x % CX_GEMM_LANES] += a[x] * b[x];
    }
    for (size_t half = CX_GEMM_LANES / 2; half > 0; half /= 2)
        for (size_t x = 0; x < half; x++)
            sums[x] += sums[x + half];
    return sums[0];
}

void
cx_gemm_dots_f32_c(const CxGemmDots *gemm)
{
    for (size_t i = 0; i < gemm->n_i; i++)
        for (size_t j = 0; j < gemm->n_j; j++) {
            float *c = gemm->c + i * gemm->c_i + j * gemm->c_j;
            float sum = dot(gemm, i, j);

            *c = gemm->add ? *c + sum : sum;
        }
}
