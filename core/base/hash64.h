/* Open-addressing map from a non-zero 64-bit key to a 64-bit value.
 *
 * Grows by doubling; iteration order depends on insertion order, so results
 * that reach the user must be sorted by id first.  Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxHash64 CxHash64;

CxHash64 *cx_hash64_new(size_t expected);
void cx_hash64_free(CxHash64 *map);
size_t cx_hash64_size(const CxHash64 *map);

/* Key must not be 0.  Replaces an older value. */
void cx_hash64_set(CxHash64 *map, uint64_t key, uint64_t value);
bool cx_hash64_get(const CxHash64 *map, uint64_t key, uint64_t *value);

/* Value's place, made as `initial` if the key is new.  Valid until the next
 * insertion.  *was_new may be NULL. */
uint64_t *cx_hash64_at(CxHash64 *map, uint64_t key, uint64_t initial,
                       bool *was_new);
bool cx_hash64_remove(CxHash64 *map, uint64_t key);

/* Iterates: start with *cursor = 0; false when over. */
bool cx_hash64_next(const CxHash64 *map, size_t *cursor, uint64_t *key,
                    uint64_t *value);

/* A good 64-bit mix (splitmix64 finaliser); stable over versions. */
uint64_t cx_hash64_mix(uint64_t key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxHash64, cx_hash64_free)
