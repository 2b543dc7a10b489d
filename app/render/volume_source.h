/* A chunk source that reads from a volume when it is asked: for pictures made
 * in one go, where nobody waits for a frame.
 *
 * Keeps what it has read.  One thread at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/chunk_source.h"

typedef struct CxglVolumeSource CxglVolumeSource;

/* labels: u64 chunks, else u8.  chunk: size of the chunks, a flat one for one
 * plane.  volume_id: for the keys, not 0.  Borrows job (may be NULL). */
CxglVolumeSource *cxgl_volume_source_new(CxVolume *volume, bool labels,
                                         CxVoxel chunk, uint32_t volume_id,
                                         CxJob *job);
void cxgl_volume_source_free(CxglVolumeSource *source);

const CxglChunkGrid *cxgl_volume_source_grid(const CxglVolumeSource *source);
CxglChunkSource cxgl_volume_source_chunks(CxglVolumeSource *source);

/* The first error of a read, if there was one: false and a copy. */
bool cxgl_volume_source_is_good(CxglVolumeSource *source, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglVolumeSource, cxgl_volume_source_free)
