/* Random networks, model files, and the slowest obvious way to run them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/nn/layer.h"

/* A U-Net-like network with random layers, kernels, poolings and weights of
 * this many dimensions; 1 or more outputs. */
CxNetwork *cx_test_random_network(CxRng *rng, int32_t dims);

/* A network of residual modules that grows an object in a field of view of 9 x
 * 9 x 7 voxels with steps of 2, 2 and 1; 2 modules of some channels. */
CxNetwork *cx_test_random_grower(CxRng *rng);

/* One that grows over all that is bright: one 1 x 1 x 1 convolution, 4 times
 * the normalised image; fields of view of 9 voxels, steps of 3. */
CxNetwork *cx_test_bright_grower(void);

/* Writes a model file as core/nn/README.md says. */
void cx_test_save_network(const CxNetwork *network, const char *path);

/* Probabilities over the box, channel by channel, x fastest: every layer
 * computed whole with zero padding, in double, on the mirrored volume with a
 * halo.  volume: u8, x fastest.  Owned. */
double *cx_test_naive_predict(const CxNetwork *network, const uint8_t *volume,
                              CxVoxel size, CxBox box);

/* What a network makes of one patch, zero outside at every layer, in double.
 * input: channel after channel, x fastest.  Owned. */
double *cx_test_naive_patch(const CxNetwork *network, const float *input,
                            CxVoxel size);
