/* Neuroglancer's precomputed volumes in a local folder.
 *
 * Encodings raw and compressed_segmentation; chunks in files of their own
 * (also gzip, named so or not) or in shards.  x, y, z as here; voxel_offset
 * counts voxels of its scale from the corner.  Chunks that are not there are
 * zero.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

extern const CxReader cx_precomputed_reader;
