/* The way of one cell's rate from no stimulus to the stimulus, and what each
 * hidden unit gives to it: integrated gradients (conductance) along the ray
 * s(alpha) = alpha s, alpha from 0 to 1.
 *
 * One cell of a two-layer ReLU network is seen through the patch of layer 1
 * that reaches it:
 *
 *     a1 = relu(scale1 alpha d + shift1)         d = W1 * s, without bias
 *     n2 = scale2 (W2 * a1) + shift2             valid convolution
 *     l  = sum weight3 relu(n2) + shift3
 *     r  = gain log(1 + exp(l))
 *
 * l is piecewise linear in alpha.  A run walks from kink to kink: each unit of
 * layer 1 has at most one, the next one of layer 2 follows from value and
 * slope, and a kink changes only what is below or above one unit.  So the
 * integral costs less than a few steps of forward and backward passes, and is
 * exact up to rounding: on a segment, the integral of dr/dl over alpha is
 * (softplus(l1) - softplus(l0)) / slope.  The same walk serves the rules with
 * n steps, which differ only in the measure: a point of weight 1/n at each
 * (k - 1/2)/n (mid-point) or k/n (right end).
 *
 * For unit u of layer 1, A_u = Integral (dr/dz1_u) (dz1_u/dalpha) dalpha, and
 * likewise for layer 2; both sum to r(s) - r(0).  All in double.
 *
 * Arrays run [channel][y][x], x fastest.  A CxRetinaRay is immutable and may
 * be shared by threads; each thread has its own CxRetinaWalk.
 *
 * Paper: Dhamdhere, Sundararajan and Yan 2018 (conductance); after Tanaka et
 * al. 2019.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef enum {
    CX_ATTRIBUTION_EXACT,
    CX_ATTRIBUTION_MIDPOINT,
    CX_ATTRIBUTION_RIGHT,
} CxAttributionRule;

/* What the cell sees; borrowed for the time of cx_retina_ray_new(). */
typedef struct {
    uint32_t n1, height1, width1;    /* channels and patch of layer 1 */
    uint32_t n2, kernel_h, kernel_w; /* patch of layer 2: height1 - kernel_h
                                       * + 1 by width1 - kernel_w + 1 */
    const double *scale1, *shift1;   /* [n1][height1][width1]; biases and
                                       * batch norm folded in */
    const float *weight2;            /* [n2][n1][kernel_h][kernel_w] */
    const double *scale2, *shift2;   /* [n2][height2][width2] */
    const double *weight3;           /* [n2][height2][width2] */
    double shift3, gain;
} CxRetinaRayShape;

typedef struct CxRetinaRay CxRetinaRay;
typedef struct CxRetinaWalk CxRetinaWalk;

/* What a run found.  rate and rate0 are computed on their own, by a plain
 * forward pass, so that they test the attributions. */
typedef struct {
    double rate, rate0; /* r(s), r(0) */
    double sum1, sum2;  /* of the attributions of each layer */
    uint32_t n_kinks;
} CxRetinaWalkResult;

CxRetinaRay *cx_retina_ray_new(const CxRetinaRayShape *shape);
void cx_retina_ray_free(CxRetinaRay *ray);
size_t cx_retina_ray_n1(const CxRetinaRay *ray); /* units in the patch */
size_t cx_retina_ray_n2(const CxRetinaRay *ray);

/* Scratch memory for one thread; the ray must outlive it. */
CxRetinaWalk *cx_retina_walk_new(const CxRetinaRay *ray);
void cx_retina_walk_free(CxRetinaWalk *walk);

/* Walks the ray of drive d = W1 * s.  n_steps counts for the two rules with
 * steps (> 0).  layer1, layer2: where the attributions go, or NULL. */
CxRetinaWalkResult cx_retina_walk_run(CxRetinaWalk *walk, const float *drive,
                                      CxAttributionRule rule, uint32_t n_steps,
                                      double *layer1, double *layer2);

/* r(alpha s) by a plain forward pass. */
double cx_retina_ray_rate(const CxRetinaRay *ray, CxRetinaWalk *walk,
                          const float *drive, double alpha);

/* Gradient of r by every unit of layer 1 before its scale, at alpha, by plain
 * forward and backward passes: the slow twin of a walk. */
void cx_retina_ray_gradient(const CxRetinaRay *ray, CxRetinaWalk *walk,
                            const float *drive, double alpha, double *gradient);

/* relu(n2) without a stimulus, [n2][y][x] of the patch. */
void cx_retina_ray_grey_layer2(const CxRetinaRay *ray, double *a2);

/* Where the integral comes from: at alpha = (k + 1/2) / n_points the rate, and
 * each channel's dA_c/dalpha.  rate: [n_points]; density: [n1][n_points]. */
void cx_retina_walk_path(CxRetinaWalk *walk, const float *drive,
                         uint32_t n_points, double *rate, double *density);

/* log(1 + exp(x)) and its derivative, without overflow. */
double cx_ray_softplus(double x);
double cx_ray_sigmoid(double x);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaRay, cx_retina_ray_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaWalk, cx_retina_walk_free)
