/* Grey images to learn from: drawn from a seed, or read from files.
 *
 * The drawn ones stand in for photographs: opaque shapes of all sizes cover
 * each other (dead leaves, Ruderman 1997, Lee, Mumford and Huang 2001), each
 * with its own grey, shading and 1/f texture, so that the power falls as 1/f^2
 * and edges are there.  The same seed gives the same images.
 *
 * Immutable after it is made, so threads may share it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/jobs/job.h"

typedef struct CxImageSet CxImageSet;

/* n_images squares of side pixels, a power of two from 64 to 1024. */
CxImageSet *cx_image_set_draw(unsigned n_images, unsigned side, uint64_t seed,
                              CxJob *job, GError **error);

/* A volume argument ("photo.png", "slices/", "stack.tif", "a.h5:/raw"), or a
 * folder of PNG and TIFF images of any sizes; each section is an image, at most
 * max_images of them, evenly spread. */
CxImageSet *cx_image_set_load(const char *spec, unsigned max_images, CxJob *job,
                              GError **error);
void cx_image_set_free(CxImageSet *set);

unsigned cx_image_set_n_images(const CxImageSet *set);

/* Rows from the top, borrowed; any scale until whitened. */
const float *cx_image_set_pixels(const CxImageSet *set, unsigned image,
                                 unsigned *width, unsigned *height);

/* The set filtered by R(f) = f exp(-(f / f0)^4), f in cycles a pixel, which
 * flattens the spectrum of natural images up to f0 (0.4) and drops what the
 * corners of the pixel grid carry (Olshausen and Field, 1997); then scaled so
 * that the mean variance of the images is 0.1. */
CxImageSet *cx_image_set_whiten(const CxImageSet *set, double f0, CxJob *job,
                                GError **error);

/* n random patches of side * side pixels, row by row, their mean taken away;
 * false with CX_ERROR_INVALID if no image is large enough. */
bool cx_image_set_patches(const CxImageSet *set, unsigned side, size_t n,
                          CxRng *rng, float *patches, GError **error);

/* Slope of log power over log frequency between 2 and side / 4 cycles an
 * image, mean over the images; about -2 for natural ones. */
double cx_image_set_slope(const CxImageSet *set, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxImageSet, cx_image_set_free)
