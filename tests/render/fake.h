/* A volume in memory for the renderers: levels, chunks that may be missing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/chunk_source.h"

typedef uint64_t (*FakeValue)(CxVoxel voxel, unsigned level);

typedef struct {
    CxglChunkGrid grid;
    bool labels;
    FakeValue value;
    GHashTable *missing; /* text of keys that are not resident */
    GHashTable *failed;  /* the same, failed */
    GHashTable *chunks;  /* made once, as a cache keeps them */
    unsigned n_lookups;
} Fake;

/* One level; add others by hand. */
Fake *fake_new(bool labels, CxVoxel size, CxVoxel chunk_size, CxNm voxel_nm,
               CxNm offset_nm, FakeValue value);
void fake_free(Fake *fake);

/* A level whose voxels are `factor` times as large. */
void fake_add_level(Fake *fake, CxVoxel factor, CxVoxel chunk_size);
CxglChunkSource fake_source(Fake *fake);

/* Makes a chunk come or go. */
void fake_set_missing(Fake *fake, CxChunkKey key, bool missing);
void fake_set_level_missing(Fake *fake, unsigned level, bool missing);
void fake_set_failed(Fake *fake, CxChunkKey key);

/* Forgets all chunks, so that values are asked for again. */
void fake_renew(Fake *fake);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fake, fake_free)
