/* The drive of layer 1: z1 less its bias, W1 * s, for frames of a film.
 *
 * An x-t film (height 1) varies in x alone, and so does its drive: the kernels
 * are summed over y once, which takes a thousandth of the products of the
 * whole convolution.  Other films go through the network's own first layer.
 * Frames before the network's history have no window.  Films are samples, as
 * the network takes them.
 *
 * Immutable; the network and the film must outlive it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_cnn.h"

typedef struct CxFilmDrive CxFilmDrive;

/* CX_ERROR_INVALID if the film is too short or its sides are not those of the
 * network. */
CxFilmDrive *cx_film_drive_new(const CxRetinaCnn *net, const CxMovie *movie,
                               GError **error);
void cx_film_drive_free(CxFilmDrive *drive);

/* Frames [first, first + n), first >= history: out [n][units of layer 1].
 * scratch belongs to the calling thread. */
bool cx_film_drive_get(const CxFilmDrive *drive, CxRetinaScratch *scratch,
                       size_t first, size_t n, float *out, GError **error);

/* The mean over the layer of each channel's drive: out [n][channels]. */
bool cx_film_drive_means(const CxFilmDrive *drive, CxRetinaScratch *scratch,
                         size_t first, size_t n, double *out, GError **error);

/* Adds the bias: the same as z1, n windows in place. */
void cx_film_drive_to_z1(const CxRetinaCnn *net, size_t n, float *drive);

/* A film of raw pixels (0 grey, -1 black: what the simulated retina sees) as
 * samples of the network, behind n_lead grey frames: with as many as the
 * network's history every frame of the film has a window, n_lead later. */
CxMovie *cx_film_for_network(const CxRetinaCnn *net, const CxMovie *movie,
                             size_t n_lead, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFilmDrive, cx_film_drive_free)
