/* Smaller networks: which channels of layer 1 matter, and what is left when
 * only some of them are kept.
 *
 * A score a channel says how much it matters; an order lists channels from the
 * largest score to the smallest (equal scores: by index), and keeping k
 * channels keeps the first k.  What is removed gives the next layer nothing,
 * or what it gives to a grey film (CxRetinaFate).
 *
 * All functions only read the network they are given.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/attribution.h"
#include "core/retina/protocol.h"

typedef enum {
    CX_ORDER_STIMULUS,  /* mean |A_c(t)| for this protocol */
    CX_ORDER_ALL,       /* the same over the four protocols, each normalised */
    CX_ORDER_MAGNITUDE, /* root of the mean squared weight of the kernel */
    CX_ORDER_RANDOM,
    CX_ORDER_GRADIENT, /* mean |dr/dz1 (z1 - z1 of grey)| at the stimulus */
    CX_ORDER_SYNFLOW, /* what flows through the channel, all weights positive */
    CX_N_ORDERS,
} CxChannelOrder;

/* "stimulus", "all", "magnitude", "random", "gradient", "synflow". */
const char *cx_channel_order_name(CxChannelOrder order);
bool cx_channel_order_from_name(const char *name, CxChannelOrder *order);

typedef struct {
    CxChannelOrder order;
    CxProtocolKind kind;       /* of the protocol, for orders that need one */
    CxProtocolOptions options; /* preset and free settings of its films */
    bool abs_sum;          /* sum |A_u| over space instead of |sum of A_u| */
    uint32_t stride;       /* frames between attributions; 0 = 4 */
    uint64_t seed;         /* CX_ORDER_RANDOM */
    const double *synflow; /* [channels] scores to use instead of the network's
                              own, CX_ORDER_SYNFLOW; or NULL */
    unsigned n_threads;
} CxScoreOptions;

/* scores [channels of layer 1]. */
bool cx_channel_scores(const CxRetinaCnn *net, const CxScoreOptions *options,
                       double *scores, CxJob *job, GError **error);

/* The same from the root of the mean squared weight alone. */
void cx_channel_scores_magnitude(const CxRetinaCnn *net, double *scores);

/* SynFlow of whole channels: with every weight and gain by its magnitude,
 * biases left out and an input of ones, how much of the sum of all cells flows
 * through the channel.  The sum over channels is that sum. */
void cx_channel_scores_synflow(const CxRetinaCnn *net, double *scores);

/* Attributions and gradients of one film at one cell, summed over frames:
 * adds to attribution and gradient [channels] (either may be NULL), counts
 * the frames in *n. */
bool cx_channel_scores_add(const CxRetinaCnn *net, const CxMovie *movie,
                           CxRetinaPick pick, const CxScoreOptions *options,
                           double *attribution, double *gradient, size_t *n,
                           CxJob *job, GError **error);

/* order[0] has the largest score. */
void cx_channel_sort(const double *scores, size_t n, unsigned *order);

/* Keeps the first n_keep of the order. */
CxRetinaMask cx_channel_mask(const unsigned *order, size_t n, size_t n_keep,
                             CxRetinaFate fate);

/* A network without the channels of layer 1 that the mask removes: fewer
 * channels, the same rates as the masked network.  CX_ERROR_INVALID if none
 * is left, or the mask touches layer 2. */
CxRetinaCnn *cx_retina_cnn_pruned(const CxRetinaCnn *net,
                                  const CxRetinaMask *mask, GError **error);

/* Fits slope and offset of every map's logit so that the rates of net meet
 * those of the teacher (both [n_windows][maps]) with the smallest Poisson
 * loss; Newton's method.  Changes net. */
bool cx_retina_cnn_refit_output(CxRetinaCnn *net, const CxRetinaCnn *teacher,
                                const CxMovie *movie, unsigned n_threads,
                                CxJob *job, GError **error);

/* Trains the whole of net for some epochs on the rates of the teacher. */
bool cx_retina_cnn_refit_train(CxRetinaCnn *net, const CxRetinaCnn *teacher,
                               const CxMovie *movie, unsigned n_epochs,
                               unsigned n_threads, CxJob *job, GError **error);
