/* An image as the network reads it: through the chunks that the panes have
 * loaded already.
 *
 * Tiles overlap by their halos and sections by their neighbours, so the same
 * voxels are read many times; from a compressed file that would take longer
 * than the network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk_cache.h"
#include "core/volume/volume.h"

/* A u8 volume of one level over an image: what the cache has of it under
 * volume_id comes from there, what is missing is read and put there.  Large
 * boxes (statistics) pass the cache by.  Takes a reference to the image; the
 * cache must outlive the result. */
CxVolume *cxui_prediction_input_new(CxVolume *image, CxChunkCache *cache,
                                    uint32_t volume_id, CxVoxel chunk_size);
