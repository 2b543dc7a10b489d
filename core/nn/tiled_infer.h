/* Runs a network over a box of a volume: tiles with a halo, cropped, so that
 * the result does not depend on the tiling or the number of threads.
 *
 * At the volume's border the input is mirrored (edge voxel not repeated).
 * Input is brought to u8 (cx_volume_read_u8) and normalised as the model says;
 * a predictor samples section statistics once and keeps them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"
#include "core/volume/volume.h"

typedef struct CxPredictor CxPredictor;

typedef struct {
    unsigned n_threads; /* 0 = one per core */
    CxVoxel tile;       /* 0,0,0 = chosen; for tests */
    const char *isa;    /* NULL = best present; a cap: "c" … "amx" */
    const char *type;   /* NULL or "fp32"; "bf16" (AMX), "int8", "auto" */
} CxPredictorOptions;

/* "auto" is int8 where the network is calibrated and the processor has at least
 * AVX2, else fp32. */

/* Takes references to network and volume.  options may be NULL. */
CxPredictor *cx_predictor_new(CxNetwork *network, CxVolume *volume,
                              const CxPredictorOptions *options,
                              GError **error);
void cx_predictor_free(CxPredictor *predictor);

CxNetwork *cx_predictor_network(CxPredictor *predictor);
CxVolume *cx_predictor_volume(CxPredictor *predictor);
const char *cx_predictor_isa(const CxPredictor *predictor);
const char *cx_predictor_type(const CxPredictor *predictor); /* "fp32", … */

/* u8 chunk over box (inside the volume), one channel an output, 255 = 1.0.
 * Thread-safe: several boxes may be predicted at once. */
CxChunk *cx_predictor_run(CxPredictor *predictor, CxBox box, CxJob *job,
                          GError **error);

/* The same with one axis alone (0 x, 1 y, 2 z) as cutting direction, whatever
 * the number of views of the model: what a pane across that axis shows, for a
 * third of the work of three views.  cx_network_can_cut() must allow it. */
CxChunk *cx_predictor_run_cut(CxPredictor *predictor, CxBox box, unsigned axis,
                              CxJob *job, GError **error);

/* Runs the network in float over boxes of volumes and sets what 8 bits need to
 * know (CxLayer.amax, input_amax).  Nobody else may use the network meanwhile.
 */
bool cx_predictor_calibrate(CxNetwork *network, CxVolume *const *volumes,
                            const CxBox *boxes, size_t n, unsigned n_threads,
                            CxJob *job, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPredictor, cx_predictor_free)
