/* Colours: 8-bit sRGB values, the even space OKLCH, and the two palettes that
 * give every segment its hue.
 *
 * OKLab: Björn Ottosson, "A perceptual color space for image processing"
 * (2020).  No GL, no state: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

/* sRGB, straight alpha. */
typedef struct {
    uint8_t r, g, b, a;
} CxglColour;

typedef enum {
    CXGL_PALETTE_EVEN,         /* all hues; lightness and chroma near one */
    CXGL_PALETTE_COLOUR_BLIND, /* safe for deutan, protan, tritan eyes */
} CxglPalette;

/* lightness and chroma as OKLCH counts them, hue in turns [0, 1); chroma is
 * reduced until the colour lies inside sRGB. */
CxglColour cxgl_colour_from_oklch(double lightness, double chroma, double hue);

/* The colour of a segment: a hash of the id only, the same on every run. */
CxglColour cxgl_colour_of_id(CxglPalette palette, CxId id);

/* a + (b - a) * t per channel, alpha too. */
CxglColour cxgl_colour_mix(CxglColour a, CxglColour b, double t);

/* "#rrggbb" or "#rrggbbaa". */
bool cxgl_colour_parse(const char *text, CxglColour *colour);
