/* Networks to prune: small ones of our own, and those that Connexon runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"
#include "core/theory/synflow.h"

/* 28 x 28 → 300 → 100 → 10, weights random (LeCun et al., 1998). */
CxFlowNet *cx_flow_new_mlp(CxRng *rng, GError **error);

/* LeNet-5 with ReLU: conv 5x5 x 6, pool, conv 5x5 x 16, pool, 120, 84, 10. */
CxFlowNet *cx_flow_new_lenet(CxRng *rng, GError **error);

/* Ten kinds of drawn figures of 28 x 28, for the losses of SNIP and GraSP and
 * to train the two nets above on. */
typedef struct CxFlowSamples CxFlowSamples;

CxFlowSamples *cx_flow_samples_new(size_t n, uint64_t seed, GError **error);
void cx_flow_samples_free(CxFlowSamples *samples);

/* A CxFlowLoss: mean cross-entropy of samples (data: CxFlowSamples). */
double cx_flow_samples_loss(CxFlowNet *net, void *samples);

/* Share of samples that the net names rightly. */
double cx_flow_samples_accuracy(CxFlowNet *net, const CxFlowSamples *samples);

/* Stochastic gradient descent with momentum 0.9 on weights that are there. */
bool cx_flow_samples_train(CxFlowNet *net, const CxFlowSamples *samples,
                           unsigned n_epochs, double rate, uint64_t seed,
                           CxJob *job, GError **error);

/* A network of a model file over a tile of side pixels along each axis of its
 * dimensions (a multiple of its poolings; 0: the smallest that has an
 * interior).  The sigmoid at the end is left out. */
CxFlowNet *cx_flow_new_from_network(const CxNetwork *network, unsigned side,
                                    GError **error);

/* A CxFlowLoss for such a net: mean square of the outputs for normal noise
 * (data: CxRng, copied by each call). */
double cx_flow_noise_loss(CxFlowNet *net, void *rng);

/* A model file like `from`, which the net was made from, with weights of 0
 * where its mask is; `to` appears only when it is complete.  It has to be
 * calibrated anew to run as int8, as has the next. */
bool cx_flow_write_masked(const CxFlowNet *net, const char *from,
                          const char *to, GError **error);

/* Takes whole channels away until 1 / compression of the network's
 * multiplications remain, each round those with the smallest SynFlow scores;
 * writes a smaller model file, faster to run.  What a lost channel gave on
 * average (calibration) goes into the biases that follow.  Each layer keeps a
 * channel, outputs stay. */
typedef struct {
    double compression; /* of multiplications, at least 1 */
    unsigned n_rounds;
    double flop_before, flop_after; /* filled in: for a voxel */
    size_t weights_before, weights_after;
    unsigned channels_before, channels_after;
} CxChannelPruning;

bool cx_flow_write_narrow(const char *from, const char *to,
                          CxChannelPruning *pruning, CxJob *job,
                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFlowSamples, cx_flow_samples_free)
