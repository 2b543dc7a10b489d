/* Neuroglancer's compressed_segmentation codec for labels of 32 or 64 bits.
 *
 * A block is split into small bricks; each stores a table of its labels and
 * indices of 0 to 32 bits into it.  Source: the format's description in the
 * Neuroglancer repository.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

/* Decodes n_channels channels of a block of some size into dst (label_bytes
 * each, 4 or 8; x fastest, channel slowest).  Safe for any input: false if
 * src is damaged. */
bool cx_compressed_seg_decode(const uint8_t *src, size_t n_src, CxVoxel size,
                              CxVoxel brick, unsigned n_channels,
                              size_t label_bytes, void *dst);

/* Encodes one channel; NULL if its tables grow beyond the 64 MiB that the
 * format can address. */
GByteArray *cx_compressed_seg_encode(const void *src, CxVoxel size,
                                     CxVoxel brick, size_t label_bytes);
