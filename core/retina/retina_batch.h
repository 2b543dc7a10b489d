/* One batch through a CxRetinaCnn, forwards and backwards: the loss and its
 * gradient with respect to every tensor.
 *
 * A batch is a set of runs of CX_RETINA_RUN windows of one film, some frames
 * apart; a run is a tile of lanes, so arrays are [run][item][lane].  Work goes
 * in phases, each split over threads by runs, frequencies or units, none of
 * which adds numbers in an order that depends on the split.
 *
 * The film's frames lie as lanes in `stride` groups by their number modulo
 * stride: neighbouring windows then read neighbouring lanes whatever the
 * stride (retina_batch.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_cnn_private.h"
#include "core/retina/retina_train.h"

#define CX_RETINA_RUN CX_GEMM_LANES

/* Windows first, first + stride, … of a clip. */
typedef struct {
    uint32_t clip;
    size_t first;
} CxRetinaRun;

typedef struct {
    unsigned n_runs, stride, n_threads;
    float noise, clip, l1, l2, momentum;
    bool batch_norm;
    bool by_channel; /* units of a channel share statistics, gain, shift */
    uint64_t seed;
} CxRetinaBatchOptions;

typedef struct CxRetinaBatch CxRetinaBatch;

/* net is borrowed and its running statistics are written to. */
CxRetinaBatch *cx_retina_batch_new(CxRetinaCnn *net,
                                   const CxRetinaBatchOptions *options,
                                   GError **error);
void cx_retina_batch_free(CxRetinaBatch *batch);

/* n_runs runs; the mean loss, or NaN if no target is among them. */
double cx_retina_batch_run(CxRetinaBatch *batch, const CxRetinaData *data,
                           const CxRetinaRun *runs, uint64_t step);

/* The gradient of the last batch, in the order of the network's tensors; 0
 * for what is not trained. */
const float *cx_retina_batch_gradient(const CxRetinaBatch *batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaBatch, cx_retina_batch_free)
