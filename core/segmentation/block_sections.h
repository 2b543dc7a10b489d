/* Edges across the sections of a block that was cut into 2-D fragments.
 *
 * Fragments are first joined within their section, so that links are made
 * between whole profiles; the score of a link then becomes the affinity
 * between all pairs of fragments that overlap in it.
 *
 * The block may come with one section more on either side: a section's
 * fragments depend on nothing but its prediction, so they are the neighbour's
 * own, and the z faces tell their ids.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/block.h"

/* labels: 1 … *count in order of z, over box: the sections of the block and
 * those beside it.  Changed to the labels of the block alone, numbered from 1,
 * and *count to their number.  Returns the links (GArray of CxEdge). */
GArray *cx_block_section_links(const CxBlockInput *input,
                               const CxBlockOptions *options,
                               const CxAffinities *affinities, uint32_t *labels,
                               CxBox box, uint32_t *count, unsigned n_threads,
                               CxJob *job, GError **error);
