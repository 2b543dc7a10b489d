/* Finds how far the samples of each layer reach, for 8 bits.
 *
 * Watches a float program run, counts the sizes of all samples of each step in
 * bins of 1/32 of an octave, and chooses for each the limit (CxLayer.amax)
 * with the least mean square error of clamping and rounding together.  The mean
 * of each channel is kept too: from it follows what rounding the weights of the
 * next layer adds to its outputs (Nagel et al., Data-Free Quantization Through
 * Weight Equalization and Bias Correction, 2019).
 *
 * Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/infer.h"

typedef struct CxCalibrator CxCalibrator;

/* program: of float, borrowed. */
CxCalibrator *cx_calibrator_new(const CxProgram *program);
void cx_calibrator_free(CxCalibrator *calibrator);

/* For CxInferPorts.watch. */
void cx_calibrator_watch(void *calibrator, unsigned step, size_t n,
                         const float *row, size_t plane);

/* Sets amax and mean of all layers that were computed, and input_amax; the
 * network must not be shared yet, nor have a program. */
bool cx_calibrator_apply(CxCalibrator *calibrator, CxNetwork *network,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxCalibrator, cx_calibrator_free)
