/* Blocks of fixed size that a file's grid demands, cut out of a slab; byte
 * order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"

/* Fills dst, of size x * y * z samples, with one channel of what slab holds
 * of the block from lo on; zero elsewhere.  True if any byte is not zero. */
bool cx_block_pack(const CxChunk *slab, unsigned channel, CxVoxel lo,
                   CxVoxel size, void *dst);

/* Brings samples to the byte order of files, in place. */
void cx_block_to_little_endian(void *bytes, size_t n_bytes,
                               size_t sample_bytes);
void cx_block_swap(void *bytes, size_t n_bytes, size_t sample_bytes);
