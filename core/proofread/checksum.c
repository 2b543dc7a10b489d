/* 64-bit checksum of stored bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/checksum.h"

#include <glib.h>
#include <string.h>

#define P1 UINT64_C(0x9e3779b185ebca87)
#define P2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define P3 UINT64_C(0x165667b19e3779f9)
#define P4 UINT64_C(0x85ebca77c2b2ae63)
#define P5 UINT64_C(0x27d4eb2f165667c5)

static uint64_t
rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static uint64_t
read_u64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return GUINT64_FROM_LE(x);
}

static uint64_t
read_u32(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return GUINT32_FROM_LE(x);
}

static uint64_t
round_of(uint64_t sum, uint64_t lane)
{
    return rotate(sum + lane * P2, 31) * P1;
}

static uint64_t
merge_round(uint64_t sum, uint64_t lane)
{
    return (sum ^ round_of(0, lane)) * P1 + P4;
}

static uint64_t
stripes(const uint8_t **p, size_t n_stripes, uint64_t seed)
{
    uint64_t lanes[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
    uint64_t sum;

    for (size_t i = 0; i < n_stripes; i++) {
        for (unsigned k = 0; k < 4; k++, *p += 8)
            lanes[k] = round_of(lanes[k], read_u64(*p));
    }
    sum = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) +
          rotate(lanes[3], 18);
    for (unsigned k = 0; k < 4; k++)
        sum = merge_round(sum, lanes[k]);
    return sum;
}

uint64_t
cx_checksum(const void *data, size_t n_bytes, uint64_t seed)
{
    const uint8_t *p = data;
    size_t left = n_bytes % 32;
    uint64_t sum = n_bytes >= 32 ? stripes(&p, n_bytes / 32, seed) : seed + P5;

    sum += n_bytes;
    for (; left >= 8; left -= 8, p += 8)
        sum = rotate(sum ^ round_of(0, read_u64(p)), 27) * P1 + P4;
    if (left >= 4) {
        sum = rotate(sum ^ read_u32(p) * P1, 23) * P2 + P3;
        left -= 4;
        p += 4;
    }
    for (; left > 0; left--, p++)
        sum = rotate(sum ^ *p * P5, 11) * P1;
    sum = (sum ^ sum >> 33) * P2;
    sum = (sum ^ sum >> 29) * P3;
    return sum ^ sum >> 32;
}
