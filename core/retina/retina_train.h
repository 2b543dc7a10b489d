/* Trains a CxRetinaCnn on films and the rates a simulator (or a recording)
 * gives to them.
 *
 * Poisson loss, mean over windows and map places of r - y log r, plus weight
 * decay on the kernels and an L1 price on the rates; Adam; batch
 * normalisation with the statistics of the batch, Gaussian noise before each
 * relu.  The gradient of one place's loss with respect to its logit is cut at
 * -clip and the logit is kept in [-12, 30].
 *
 * A batch is made of runs: 16 windows of one film, `stride` frames apart, so
 * that the spectra of their frames are shared.  The same seed gives the same
 * network on every number of threads and, with vectors, every instruction set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_cnn.h"

/* One film with its answers.  target [n_frames][n_maps * out_y * out_x] of the
 * cell layer: target[t] belongs to frame t (movie.h), so that window t learns
 * target[t + history]; an entry that is NaN is no target.  Frames before
 * `first` are shown but not learnt from.  Both are borrowed. */
typedef struct {
    const CxMovie *movie;
    const float *target;
    size_t first;
} CxRetinaClip;

typedef struct {
    const CxRetinaClip *clips;
    size_t n_clips;
} CxRetinaData;

typedef struct {
    unsigned epochs;      /* 0 = 20 */
    unsigned batch;       /* windows, rounded up to 16; 0 = 512 */
    unsigned stride;      /* of windows in a run; 0 = 2 */
    double rate;          /* of Adam at the start; 0 = 1e-2 */
    double rate_end;      /* falls to this as a cosine; 0 = rate / 50 */
    double warm_up;       /* share of the steps; 0 = 0.02 */
    double noise;         /* s.d. before each relu; < 0 none, 0 = 0.05 */
    double l2;            /* on kernels of layers 1 and 2 (sum of squares
                                * times this); 0 none */
    double l1;            /* on the rates; 0 none */
    double clip;          /* 0 = 10 */
    double norm_momentum; /* of running statistics; 0 = 0.05 */
    bool no_batch_norm;   /* normalisation stays as it is, also the
                                * gains: for small nets without it */
    bool norm_by_channel; /* all units of a channel share statistics,
                           * gain and shift: better on rare stimuli */
    uint64_t seed;
    unsigned n_threads; /* 0 = one a core */
    const char *isa;    /* NULL = best present */
} CxRetinaTrainOptions;

/* After each epoch; return false to stop there (the network is kept). */
typedef struct {
    unsigned epoch, n_epochs;
    double rate;         /* of Adam */
    double train_loss;   /* mean over the epoch, noise and all */
    double valid_loss;   /* NaN without validation */
    double valid_r;      /* Pearson's r over all windows and places */
    double valid_cell_r; /* mean over places of r over time */
    double windows_per_s;
    double seconds; /* since the start */
} CxRetinaEpoch;
typedef bool (*CxRetinaEpochFunc)(const CxRetinaEpoch *epoch, void *user_data);

/* Trains in place; on cancellation (CX_ERROR_CANCELLED) and on errors the
 * network is as after the last whole step.  valid may be NULL.
 * CX_ERROR_INVALID if films or targets do not fit the network, or the loss is
 * no longer finite. */
bool cx_retina_train(CxRetinaCnn *net, const CxRetinaData *train,
                     const CxRetinaData *valid,
                     const CxRetinaTrainOptions *options,
                     CxRetinaEpochFunc on_epoch, void *user_data, CxJob *job,
                     GError **error);
