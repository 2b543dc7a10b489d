/* The weak places of one segment: where it falls into two sides.
 *
 * The strongest edges that join all supervoxels of a segment form a tree; a
 * way to cut the segment at its weakest runs through an edge of that tree.
 * For each such edge the two sides are known, and so are all faces between
 * them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/fragments.h"

#include <glib.h>

typedef struct {
    CxId a, b; /* ends of the tree's edge, a on the first side */
    uint64_t n_a, n_b;
    double affinity; /* mean over all faces between the sides */
    uint64_t contacts;
} CxSides;

/* members: GArray of CxSupervoxel; edges: GArray of CxEdge inside the segment.
 * Of the tree's edges the `most` weakest whose smaller side has at least
 * min_voxels (GArray of CxSides, owned); weakest first. */
GArray *cx_sides_find(const GArray *members, const GArray *edges,
                      uint64_t min_voxels, unsigned most);
