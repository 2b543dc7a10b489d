/* Chunks inside the shards of a precomputed volume
 * (neuroglancer_uint64_sharded_v1).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/json.h"
#include "core/volume/chunk_cache.h"

typedef struct {
    unsigned preshift_bits, minishard_bits, shard_bits;
    bool murmur; /* else identity */
    bool index_gzip, data_gzip;
} CxShardSpec;

/* From the "sharding" of a scale; where names it in messages. */
bool cx_shard_spec_read(JsonObject *sharding, CxShardSpec *spec,
                        const char *where, GError **error);

/* Id of a chunk: the bits of its grid position interleaved, each axis only as
 * far as the grid reaches. */
uint64_t cx_shard_morton(const uint64_t position[3], const uint64_t grid[3]);

/* The bytes of a chunk, undone from data_gzip; NULL without error if the
 * shards have none.  dir: the folder of the scale; indices: a cache for
 * minishard indices; max_bytes: no chunk is larger. */
GBytes *cx_shard_read(const CxShardSpec *spec, const char *dir, uint64_t id,
                      size_t max_bytes, CxChunkCache *indices, GError **error);

/* Low half of MurmurHash3_x86_128 (Appleby) of the eight bytes of a number,
 * seed 0. */
uint64_t cx_shard_murmur(uint64_t key);
