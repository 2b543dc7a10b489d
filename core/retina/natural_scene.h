/* A random picture with the spectrum of natural scenes: power falls as 1/f^2,
 * phases are uniform, amplitudes Rayleigh.  It repeats at its borders and has
 * mean 0 and standard deviation 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"

#include <glib.h>

typedef struct CxNaturalScene CxNaturalScene;

/* side: a power of two, 2 … 8192; a line of side pixels, or side x side.
 * Frequencies of 1 … n_waves cycles a picture. */
CxNaturalScene *cx_natural_scene_new(size_t side, bool square, size_t n_waves,
                                     CxRng *rng, GError **error);
void cx_natural_scene_free(CxNaturalScene *scene);

/* Adds contrast x scene to a window of height x width whose corner lies at
 * (x, y) of the scene; between pixels by linear interpolation.  A line is
 * repeated in y. */
void cx_natural_scene_add(const CxNaturalScene *scene, double x, double y,
                          float contrast, size_t height, size_t width,
                          float *window);

size_t cx_natural_scene_side(const CxNaturalScene *scene);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxNaturalScene, cx_natural_scene_free)
