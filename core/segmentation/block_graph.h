/* The region graph of a block, its edges across the faces among them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/block.h"

/* labels: dense over the block, 1 … count.  links: GArray of CxEdge that takes
 * the place of contacts along z, or NULL. */
CxFragments *cx_block_graph(const CxBlockInput *input,
                            const CxBlockOptions *options,
                            const CxAffinities *affinities,
                            const uint32_t *labels, uint32_t count,
                            const GArray *links, unsigned n_threads, CxJob *job,
                            GError **error);
