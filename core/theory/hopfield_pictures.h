/* Small pictures in black and white for a Hopfield network to remember.
 *
 * The built-in ones are drawn by code at any size: as many black as white
 * pixels or nearly so, and little alike, so that the Hebbian rule can hold
 * several.  Pixels are int8_t, +1 = ink, row by row from the top.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"

#include <glib.h>

#define CX_PICTURE_MIN_SIDE 8
#define CX_PICTURE_MAX_SIDE 90 /* 90^2 <= CX_HOPFIELD_MAX_UNITS */

unsigned cx_picture_n_builtin(void);

/* "ring", "letter A", …; i < cx_picture_n_builtin(). */
const char *cx_picture_name(unsigned i);

/* picture: side * side. */
void cx_picture_draw(unsigned i, unsigned side, int8_t *picture);

/* An image file (PNG), its middle square averaged down to side * side pixels;
 * the darker half becomes ink. */
bool cx_picture_load(const char *path, unsigned side, int8_t *picture,
                     GError **error);
