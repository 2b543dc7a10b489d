/* A network of films from a network of x-t films, to go on training with.
 *
 * Stimuli that are constant in y ask of a kernel only its sum over y.  So a
 * network of x and time, which trains 25 times as fast, gives a start: each
 * row of kernels spreads over y as a Gaussian whose sum is 1, normalisation is
 * repeated in y.  To a film that is constant in y the result answers as the
 * x-t network does; what varies in y it still has to learn.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_cnn.h"

/* Square kernels; `height` pixels of film; sigma_px > 0 of the Gaussian.
 * Texts and normalisation of pixels are copied, picks are not.
 * CX_ERROR_INVALID if the network is not one of x-t films or does not fit the
 * height. */
CxRetinaCnn *cx_retina_cnn_spread(const CxRetinaCnn *flat, uint32_t height,
                                  double sigma_px, GError **error);
