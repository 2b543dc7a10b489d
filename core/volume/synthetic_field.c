/* Smooth noise and small vector help for the synthetic volume.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/volume/synthetic_parts.h"

#include <math.h>
#include <string.h>

#define N CX_FIELD_NODES
#define MASK (N - 1)

float
cx_synthetic_normal(CxRng *rng)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += cx_rng_uniform(rng);
    return (float)sum;
}

CxVec3
cx_synthetic_direction(CxRng *rng)
{
    for (;;) {
        float v[3];

        for (int i = 0; i < 3; i++)
            v[i] = (float)cx_rng_uniform(rng) * 2 - 1;
        float length2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
        if (length2 > 0.01f && length2 < 1) {
            float scale = 1 / sqrtf(length2);

            return (CxVec3){v[0] * scale, v[1] * scale, v[2] * scale};
        }
    }
}

/* [1 2 1] / 4 along one axis, periodic. */
static void
smooth(float *values, const float *old, size_t stride)
{
    for (size_t i = 0; i < (size_t)N * N * N; i++) {
        size_t at = i / stride % N;
        size_t base = i - at * stride;
        float before = old[base + ((at + N - 1) & MASK) * stride];
        float after = old[base + ((at + 1) & MASK) * stride];

        values[i] = (before + 2 * old[i] + after) / 4;
    }
}

bool
cx_field_init(CxField *field, CxRng *rng, float spacing_nm, GError **error)
{
    size_t n = (size_t)N * N * N;
    CX_AUTOFREE float *old = cx_try_alloc(n, sizeof(float), error);

    field->spacing_nm = spacing_nm;
    field->values = old != NULL ? cx_try_alloc(n, sizeof(float), error) : NULL;
    if (field->values == NULL)
        return false;
    for (size_t i = 0; i < n; i++) { /* uniform of unit variance / 0.2296 */
        float u = (float)(cx_rng_next(rng) >> 40) / 16777216.0f;

        field->values[i] = (u - 0.5f) * (3.4641016f / 0.2296f);
    }
    for (size_t stride = 1; stride < n; stride *= N) {
        memcpy(old, field->values, n * sizeof(float));
        smooth(field->values, old, stride);
    }
    return true;
}

void
cx_field_clear(CxField *field)
{
    cx_free(field->values);
    field->values = NULL;
}

/* Whole part of a lattice position, wrapped, and the rest (floorf() is a
 * call on the plain instruction set). */
static inline unsigned
split(float position, float *rest)
{
    int32_t whole = (int32_t)position - (position < 0);

    *rest = position - (float)whole;
    return (unsigned)whole & MASK;
}

void
cx_field_row(const CxField *field, CxVec3 at, float dx, size_t n, float *out)
{
    float inverse = 1 / field->spacing_nm, fy, fz;
    unsigned y0 = split(at.y * inverse, &fy), z0 = split(at.z * inverse, &fz);
    unsigned y1 = (y0 + 1) & MASK, z1 = (z0 + 1) & MASK;
    const float *r00 = field->values + ((size_t)z0 * N + y0) * N;
    const float *r01 = field->values + ((size_t)z0 * N + y1) * N;
    const float *r10 = field->values + ((size_t)z1 * N + y0) * N;
    const float *r11 = field->values + ((size_t)z1 * N + y1) * N;
    float w00 = (1 - fy) * (1 - fz), w01 = fy * (1 - fz);
    float w10 = (1 - fy) * fz, w11 = fy * fz;

    for (size_t i = 0; i < n; i++) {
        float fx;
        unsigned a = split((at.x + (float)i * dx) * inverse, &fx);
        unsigned b = (a + 1) & MASK;
        float left = w00 * r00[a] + w01 * r01[a] + w10 * r10[a] + w11 * r11[a];
        float right = w00 * r00[b] + w01 * r01[b] + w10 * r10[b] + w11 * r11[b];

        out[i] = left + fx * (right - left);
    }
}
