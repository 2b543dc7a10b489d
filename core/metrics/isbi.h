/* Scores of a membrane map as in the ISBI 2012 challenge (Arganda-Carreras et
 * al., Frontiers in Neuroanatomy 2015).
 *
 * Section by section, for each of a list of thresholds: the 4-connected pieces
 * of what is not membrane are the cells; membrane pixels are then given to the
 * cells by flooding over the map (so borders have no width), and V_rand and
 * V_info are taken over the true interior alone.  The score of a threshold is
 * the mean over sections; the best threshold counts, for each score its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

typedef struct {
    double v_rand, v_info;
    double threshold; /* of v_rand: membrane probability in [0, 1] */
    double threshold_info;
    uint64_t n_voxels; /* true interior */
} CxIsbiScores;

/* truth: cell interior > 0; membranes: any image, brought to u8, 255 =
 * membrane.  Different sizes: CX_ERROR_INVALID. */
bool cx_isbi_score(CxVolume *truth, CxVolume *membranes, unsigned n_threads,
                   CxIsbiScores *scores, CxJob *job, GError **error);
