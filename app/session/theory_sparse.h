/* Sparse coding while it learns: a job that runs batches and shows its atoms
 * as they are.
 *
 * The worker leaves a copy of the mosaic and of the figures every few batches;
 * the main loop takes them when the bell rings.  Main thread only.
 *
 * Signals:
 *   changed()   atoms, figures, or whether it runs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "core/theory/sparse_coding.h"

#define CXUI_TYPE_THEORY_SPARSE (cxui_theory_sparse_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheorySparse, cxui_theory_sparse, CXUI, THEORY_SPARSE,
                     GObject)

/* What learning has come to. */
typedef struct {
    CxSparseProgress progress;
    double kurtosis;    /* of the coefficients; NaN until measured */
    double gabor_share; /* of atoms that a Gabor function explains to 70 % */
    unsigned n_wanted;  /* batches */
} CxuiSparseFigures;

CxuiTheorySparse *cxui_theory_sparse_new(CxuiSession *session);
void cxui_theory_sparse_stop(CxuiTheorySparse *self);

/* Begins anew; folder NULL: images drawn by Connexon. */
void cxui_theory_sparse_learn(CxuiTheorySparse *self,
                              const CxSparseOptions *options,
                              const char *folder);
void cxui_theory_sparse_cancel(CxuiTheorySparse *self);
bool cxui_theory_sparse_is_running(CxuiTheorySparse *self);

/* Atoms as grey values, row by row; NULL before the first.  Borrowed until
 * the next "changed". */
const uint8_t *cxui_theory_sparse_mosaic(CxuiTheorySparse *self,
                                         unsigned *width, unsigned *height);
CxuiSparseFigures cxui_theory_sparse_figures(CxuiTheorySparse *self);

/* Objective a patch over batches; borrowed. */
const double *cxui_theory_sparse_objective(CxuiTheorySparse *self,
                                           const double **batches, size_t *n);
