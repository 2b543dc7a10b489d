/* The samples of added levels: bricks in memory or in one cache file.
 *
 * A brick is CX_BRICK voxels on each side (full size at the edges, too), all
 * channels one behind the other.  Writers of different voxels and readers may
 * work at the same time.  Reference counted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"
#include "core/volume/volume.h"

#define CX_BRICK 64

typedef struct CxLevelStore CxLevelStore;

typedef struct {
    unsigned n_levels;
    CxVoxel sizes[16];
    CxDtype dtype;
    unsigned n_channels;
} CxLevelShape;

/* Bytes that these levels take. */
uint64_t cx_level_store_bytes(const CxLevelShape *shape);

/* In memory. */
CxLevelStore *cx_level_store_new(const CxLevelShape *shape, GError **error);

/* In a new file under a temporary name, until cx_level_store_finish(). */
CxLevelStore *cx_level_store_create(const char *path, uint64_t key,
                                    const CxLevelShape *shape, GError **error);

/* A finished file of this key and shape, or NULL (no error: build anew). */
CxLevelStore *cx_level_store_open(const char *path, uint64_t key,
                                  const CxLevelShape *shape);

CxLevelStore *cx_level_store_ref(CxLevelStore *store);

/* Also removes a file that was not finished. */
void cx_level_store_unref(CxLevelStore *store);

/* Writes one section of one channel; lo, width and height say where. */
bool cx_level_store_put(CxLevelStore *store, unsigned level, unsigned channel,
                        CxVoxel lo, size_t width, size_t height,
                        const void *samples, GError **error);
bool cx_level_store_finish(CxLevelStore *store, GError **error);

/* Fills dst, whose box lies inside the level. */
bool cx_level_store_get(CxLevelStore *store, unsigned level, CxChunk *dst,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxLevelStore, cx_level_store_unref)
