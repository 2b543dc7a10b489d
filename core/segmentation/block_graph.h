/* The region graph of a block, its edges across the faces among them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/block.h"

/* labels: u64 over the block, 1 … count (changed to global ids). */
CxFragments *cx_block_graph(const CxBlockInput *input,
                            const CxBlockOptions *options, CxChunk *labels,
                            uint32_t count, unsigned n_threads, CxJob *job,
                            GError **error);
