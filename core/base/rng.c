/* Seeded random numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/rng.h"

#include <math.h>

static uint64_t
rotate_left(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

void
cx_rng_init(CxRng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 fills the state */
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        rng->state[i] = z ^ z >> 31;
    }
}

uint64_t
cx_rng_next(CxRng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t
cx_rng_below(CxRng *rng, uint64_t n)
{
    uint64_t reject = -n % n;
    uint64_t x;

    do
        x = cx_rng_next(rng);
    while (x < reject);
    return x % n;
}

double
cx_rng_uniform(CxRng *rng)
{
    return (double)(cx_rng_next(rng) >> 11) * 0x1p-53;
}

double
cx_rng_normal(CxRng *rng)
{
    double u = 1.0 - cx_rng_uniform(rng);
    double v = cx_rng_uniform(rng);

    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}
