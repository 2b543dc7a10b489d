/* The linear-nonlinear baseline: one space-time filter, one curve.
 *
 * rate[t] at (x, y) = f(sum of filter[h][dy][dx] movie[t - history + h]
 * [y + dy][x + dx]), the same filter at every cell.  The filter is the
 * regularised reverse correlation (ridge regression by conjugate gradients on
 * the film itself: no matrix is kept, early stopping regularises too), the
 * curve f a rising broken line through the means of equally filled bins.
 * A model that shows latency, but no omitted stimulus response: the protocols
 * ask for more than filtering.
 *
 * Immutable once fitted: any number of threads may respond.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/protocol.h"

typedef struct {
    size_t history;      /* 40 frames */
    size_t size_px;      /* 21: odd; in x-t films the width alone */
    double ridge;        /* 1e-3 of the film's variance */
    size_t n_iterations; /* 40 */
    size_t n_knots;      /* 24 of the curve */
    size_t n_samples;    /* 40000: as many (frame, cell) pairs, evenly spread,
                            are fitted to */
    unsigned n_threads;  /* 0 = all cores; does not change the result */
} CxLnOptions;

CxLnOptions cx_ln_options_default(void);

typedef struct {
    size_t history, height, width; /* of the filter */
    float *filter;                 /* [h][dy][dx], newest last */
    float offset;                  /* added to the filter's output */
    size_t n_knots;
    float *knot_x, *knot_y; /* the curve: rising; flat beyond its ends */
    double correlation;     /* Pearson r on the samples of the fit */
} CxLnModel;

/* rates[t * n_cells + i] answers the film at cells[i]; cells nearer to the
 * border than half the filter see the film's edge repeated.  The first
 * `history` frames are left out.  options NULL: the defaults.
 * CX_ERROR_INVALID if the film is too short or the sizes make no sense. */
CxLnModel *cx_ln_model_fit(const CxMovie *movie, const CxCellPosition *cells,
                           size_t n_cells, const float *rates,
                           const CxLnOptions *options, CxJob *job,
                           GError **error);
void cx_ln_model_free(CxLnModel *model);

/* Every frame before `history` counts as preceded by grey. */
bool cx_ln_model_respond(const CxLnModel *model, const CxMovie *movie,
                         const CxCellPosition *cells, size_t n_cells,
                         float *rates, CxJob *job, GError **error);

/* A responder that asks the model, which is borrowed. */
CxResponder cx_responder_ln(const CxLnModel *model, size_t height,
                            size_t width);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxLnModel, cx_ln_model_free)
