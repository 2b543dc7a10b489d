/* A CxRetinaCnn computed for several windows side by side, step by step, for
 * running and for gradients.
 *
 * Every array is [item][lane], a lane a window; lanes is a multiple of 16 up to
 * CX_RETINA_LANES.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_cnn_private.h"

struct CxRetinaScratch {
    float *film, *film_spectrum; /* pixels; frames as lanes */
    float *z[2], *a[2];          /* units of layers 1 and 2 */
    float *u;                    /* units of the cell layer, or picks */
    float *in, *out;             /* spectra of a layer's two sides */
    float *rest;                 /* for transforms */
};

/* Lanes for n windows. */
static inline size_t
cx_retina_lanes_for(size_t n)
{
    size_t lanes = MIN(MAX(n, 1), CX_RETINA_LANES);

    return (lanes + CX_GEMM_LANES - 1) / CX_GEMM_LANES * CX_GEMM_LANES;
}

/* scratch->z[0] of the windows from `first` on, without the bias; frames
 * beyond the end are grey. */
void cx_retina_lanes_film(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                          const CxMovie *movie, size_t first, size_t lanes);

/* scratch->a[layer] from scratch->z[layer] under the mask; with_bias: adds the
 * bias to z first. */
void cx_retina_lanes_relu(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                          const CxRetinaMask *mask, unsigned layer,
                          bool with_bias, size_t lanes);

/* The layer's correlation: scratch->a[layer - 1] to `to`, without the bias. */
void cx_retina_lanes_conv(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                          unsigned layer, float *to, size_t lanes);

/* Backwards: the gradient with respect to layer 2's input from that with
 * respect to z2. */
void cx_retina_lanes_adjoint(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                             const float *dz, float *da, size_t lanes);

/* Logits of n_picks cells from scratch->a[1]: to [pick][lane]. */
void cx_retina_lanes_cells(const CxRetinaCnn *net,
                           const CxRetinaScratch *scratch,
                           const CxRetinaPick *picks, size_t n_picks, float *to,
                           size_t lanes);

/* log(1 + exp(x)) */
float cx_retina_softplus(float x);

CxRetinaFate cx_retina_fate(const CxRetinaMask *mask, unsigned layer,
                            size_t channel);
