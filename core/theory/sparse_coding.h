/* Sparse coding: patches as sums of few atoms, and atoms learnt from patches
 * (Olshausen and Field, 1996).
 *
 * For a patch x and a dictionary D the code a minimises
 *     F(a) = 1/2 |x - D a|^2 + lambda |a|_1
 * by ISTA, a <- soft(a + D^T (x - D a) / L, lambda / L), or by FISTA, which
 * adds momentum (Beck and Teboulle, 2009); L bounds the largest eigenvalue of
 * D^T D.  Learning steps D along the mean of (x - D a) a^T, and brings every
 * atom back to length 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/theory/image_set.h"

#define CX_DICTIONARY_MAX_SIDE 32
#define CX_DICTIONARY_MAX_ATOMS 2048

/* Atoms of length 1, each side * side floats row by row. */
typedef struct {
    unsigned side;
    unsigned n_atoms;
    float *atoms; /* [n_atoms][side * side] */
} CxDictionary;

/* Random atoms. */
CxDictionary *cx_dictionary_new(unsigned side, unsigned n_atoms, CxRng *rng,
                                GError **error);
CxDictionary *cx_dictionary_copy(const CxDictionary *dictionary,
                                 GError **error);
void cx_dictionary_free(CxDictionary *dictionary);

typedef enum { CX_SPARSE_ISTA, CX_SPARSE_FISTA } CxSparseMethod;

/* Codes of n patches: codes[i * n_atoms + k] of patch i.  objective: the sum of
 * F over the patches before the first step and after each, n_steps + 1 values;
 * or NULL. */
bool cx_sparse_infer(const CxDictionary *dictionary, const float *patches,
                     size_t n, double lambda, CxSparseMethod method,
                     unsigned n_steps, float *codes, double *objective,
                     unsigned n_threads, CxJob *job, GError **error);

typedef struct {
    unsigned side; /* of a patch */
    unsigned n_atoms;
    double lambda;
    double rate;    /* of learning, falls to a tenth along the way */
    unsigned batch; /* patches */
    unsigned n_batches;
    unsigned n_steps; /* of FISTA a batch */
    uint64_t seed;
    unsigned n_threads; /* 0 = all cores */
} CxSparseOptions;

/* 12 x 12, 192 atoms, 100 patches a batch: the settings of README.md. */
CxSparseOptions cx_sparse_defaults(void);

/* What the last batch was like. */
typedef struct {
    unsigned n_batches; /* done */
    double objective;   /* F, mean over patches */
    double error;       /* |x - D a|^2 / |x|^2 over the batch */
    double active;      /* share of coefficients that are not 0 */
} CxSparseProgress;

/* ---- Learning, batch by batch.  One thread at a time calls it. ---- */

typedef struct CxSparseLearner CxSparseLearner;

/* images: whitened; borrowed. */
CxSparseLearner *cx_sparse_learner_new(const CxSparseOptions *options,
                                       const CxImageSet *images,
                                       GError **error);
void cx_sparse_learner_free(CxSparseLearner *learner);

/* The next n batches (fewer at the end of options.n_batches, then 0); steps
 * the job over them. */
bool cx_sparse_learner_run(CxSparseLearner *learner, unsigned n, CxJob *job,
                           GError **error);
bool cx_sparse_learner_is_done(const CxSparseLearner *learner);
CxSparseProgress cx_sparse_learner_progress(const CxSparseLearner *learner);

/* Borrowed; changes with the next run. */
const CxDictionary *
cx_sparse_learner_dictionary(const CxSparseLearner *learner);

/* Fourth over squared second moment of the values: 3 for a Gaussian. */
double cx_kurtosis(const float *values, size_t n);

/* All atoms side by side on a grid, each scaled to its own largest value, grey
 * = 0; 8 bits, *width * *height, owned (cx_free). */
uint8_t *cx_dictionary_mosaic(const CxDictionary *dictionary, unsigned zoom,
                              unsigned *width, unsigned *height,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxDictionary, cx_dictionary_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSparseLearner, cx_sparse_learner_free)
