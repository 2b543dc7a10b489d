/* bfloat16: the upper half of a float.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdint.h>
#include <string.h>

static inline float
cx_float_from_bf16(uint16_t sample)
{
    uint32_t bits = (uint32_t)sample << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounds to nearest, ties to even; value must not be NaN. */
static inline uint16_t
cx_bf16_from_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
