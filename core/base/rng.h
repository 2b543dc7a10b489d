/* Seeded random numbers: xoshiro256** (Blackman and Vigna, 2018), the same
 * sequence on every machine.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

typedef struct {
    uint64_t state[4];
} CxRng;

void cx_rng_init(CxRng *rng, uint64_t seed);
uint64_t cx_rng_next(CxRng *rng);

/* Uniform in [0, n); n > 0; no modulo bias. */
uint64_t cx_rng_below(CxRng *rng, uint64_t n);

/* Uniform in [0, 1). */
double cx_rng_uniform(CxRng *rng);

/* Standard normal (Box and Muller). */
double cx_rng_normal(CxRng *rng);
