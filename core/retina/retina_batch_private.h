/* The insides of a CxRetinaBatch, for the files of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_batch.h"

#define CX_RETINA_RUN_BYTES (CX_RETINA_RUN * sizeof(float))

/* Sums over the lanes and places of one map in one run. */
typedef struct {
    double sum, square; /* of u; backwards: of d and of d times xhat */
    double loss;
    size_t n;
} CxRetinaSums;

/* What a layer needs between forwards and backwards. */
typedef struct {
    float *in, *out; /* spectra [run][channel][frequency][ri][lane] */
    size_t *in_at, *out_at;
    size_t in_run, out_run, in_frequency; /* floats */
    size_t n_frequencies;
    float *z, *a, *d;    /* [run][unit][lane]; of the cells a is the target */
    float *gradient;     /* spectra of the weights' gradient */
    float *mean, *scale; /* of the batch, a unit or map each */
    float *inverse;      /* 1 / standard deviation */
} CxRetinaPass;

struct CxRetinaBatch {
    CxRetinaCnn *net;
    CxRetinaBatchOptions options;
    CxRetinaPass passes[CX_RETINA_N_LAYERS];
    size_t frames;      /* lanes of a film */
    float *values;      /* the gradient, as net->values */
    float *table;       /* of noise */
    CxRetinaSums *sums; /* [run][map] */
    float **scratch;    /* one a thread */

    /* of the batch that runs */
    const CxRetinaData *data;
    const CxRetinaRun *runs;
    uint64_t step;
    double n_targets;
};

/* Units in one item of a phase over units. */
#define CX_RETINA_BATCH_UNITS 64

/* Layers 1 and 2: statistics, noise and relu of some units; and back.  An item
 * is a block of units, or a channel if channels share their statistics. */
size_t cx_retina_batch_n_norm_items(const CxRetinaBatch *batch, unsigned layer);
void cx_retina_batch_relu(CxRetinaBatch *batch, unsigned layer, size_t item);
void cx_retina_batch_unrelu(CxRetinaBatch *batch, unsigned layer, size_t item);

/* The cell layer.  Sums of u of a run; then once the statistics of all; the
 * loss of a run and d = its gradient over logits; then once what the
 * normalisation takes away; d over u. */
void cx_retina_batch_sum_cells(CxRetinaBatch *batch, size_t run);
void cx_retina_batch_norm_cells(CxRetinaBatch *batch);
void cx_retina_batch_loss(CxRetinaBatch *batch, size_t run);
double cx_retina_batch_total(CxRetinaBatch *batch);
void cx_retina_batch_unnorm_cells(CxRetinaBatch *batch, size_t run);

static inline float *
cx_retina_batch_gradient_of(const CxRetinaBatch *batch, unsigned layer,
                            unsigned which)
{
    return batch->values +
           (cx_retina_values(batch->net, layer, which) - batch->net->values);
}
