/* Links 2-D segments across the sections of an anisotropic stack.
 *
 * For every two sections in a row: the shift that brings their borders
 * together, the overlaps of their segments at that shift, and for each overlap
 * a score in [0, 1], how likely both are the same cell: a logistic function of
 * how much of either the overlap covers and of whether each is the other's
 * best partner (its weights are fitted on a real stack, see README.md).  So a
 * cell goes on as one, two branches may leave one trunk, and a chance overlap
 * of neighbours scores low.
 *
 * A section that agrees with neither neighbour, while these agree with each
 * other, is lost (black, folded, out of place): it gets no links and its
 * neighbours are linked over it.
 *
 * Works on labels alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

typedef struct {
    uint32_t a, b;    /* in the lower and in the upper section */
    uint32_t overlap; /* pixels */
    float score;
} CxSectionLink;

/* Two sections that are compared.  Pixel (x, y) below lies under
 * (x + dx, y + dy) above. */
typedef struct {
    int64_t below, above; /* z */
    int64_t dx, dy;
    double agreement; /* mean over pixels of the best partner's share, 0 … 1 */
    GArray *links;    /* of CxSectionLink, sorted by (a, b) */
} CxSectionPair;

typedef struct {
    int64_t max_shift; /* pixels, each way; 0 = sections are aligned */
    unsigned n_threads;
} CxSectionFusionOptions;

/* labels: a dense stack, every section with ids of its own (0 = nothing).
 * Returns the pairs to link, in order of z (GPtrArray of CxSectionPair,
 * owned). */
GPtrArray *cx_section_fusion(const uint32_t *labels, CxVoxel size,
                             const CxSectionFusionOptions *options, CxJob *job,
                             GError **error);

/* One pair, without the question whether a section is lost. */
CxSectionPair *cx_section_pair_new(const uint32_t *labels, CxVoxel size,
                                   int64_t below, int64_t above,
                                   int64_t max_shift);
void cx_section_pair_free(CxSectionPair *pair);

/* Score of two labels of a pair; 0 if they do not overlap. */
float cx_section_pair_score(const CxSectionPair *pair, uint32_t a, uint32_t b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSectionPair, cx_section_pair_free)
