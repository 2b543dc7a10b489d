/* Colours; see colour.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/colour.h"

#include "core/base/hash64.h"

#include <math.h>
#include <string.h>

static double
to_srgb(double linear)
{
    if (linear <= 0.0031308)
        return 12.92 * linear;
    return 1.055 * pow(linear, 1 / 2.4) - 0.055;
}

/* OKLab to linear sRGB, the matrices of Ottosson (2020). */
static void
oklab_to_linear(double lightness, double a, double b, double rgb[3])
{
    double l = lightness + 0.3963377774 * a + 0.2158037573 * b;
    double m = lightness - 0.1055613458 * a - 0.0638541728 * b;
    double s = lightness - 0.0894841775 * a - 1.2914855480 * b;

    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

static bool
is_displayable(const double rgb[3])
{
    for (int i = 0; i < 3; i++)
        if (rgb[i] < -1e-4 || rgb[i] > 1 + 1e-4)
            return false;
    return true;
}

static uint8_t
to_byte(double value)
{
    double scaled = value * 255 + 0.5;

    return scaled <= 0 ? 0 : scaled >= 255 ? 255 : (uint8_t)scaled;
}

CxglColour
cxgl_colour_from_oklch(double lightness, double chroma, double hue)
{
    double angle = hue * 2 * G_PI, rgb[3];

    for (int step = 0; step < 24; step++) {
        oklab_to_linear(lightness, chroma * cos(angle), chroma * sin(angle),
                        rgb);
        if (is_displayable(rgb))
            break;
        chroma *= 0.94;
    }
    return (CxglColour){to_byte(to_srgb(rgb[0])), to_byte(to_srgb(rgb[1])),
                        to_byte(to_srgb(rgb[2])), 255};
}

/* Multiplying by 2^64 / golden ratio spreads consecutive ids over the circle
 * of hues; lightness and chroma move a little with other bits, so that ids a
 * Fibonacci number apart, whose hues are close, still differ. */
static CxglColour
even_colour(CxId id)
{
    uint64_t turn = id * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = cx_hash64_mix(id ^ UINT64_C(0x636f6e6e65786f6e));
    double hue = (double)(turn >> 11) * 0x1p-53;
    double lightness = 0.68 + 0.045 * (double)(hash % 4);
    double chroma = 0.125 + 0.02 * (double)((hash >> 8) % 3);

    return cxgl_colour_from_oklch(lightness, chroma, hue);
}

/* The seven hues of Okabe and Ito (2008), each plain, lighter and darker. */
static CxglColour
colour_blind_colour(CxId id)
{
    static const CxglColour hues[7] = {
        {230, 159, 0, 255},   {86, 180, 233, 255}, {0, 158, 115, 255},
        {240, 228, 66, 255},  {0, 114, 178, 255},  {213, 94, 0, 255},
        {204, 121, 167, 255},
    };
    static const CxglColour white = {255, 255, 255, 255};
    static const CxglColour black = {0, 0, 0, 255};
    uint64_t hash = cx_hash64_mix(id);
    CxglColour colour = hues[hash % 7];

    switch ((hash >> 16) % 3) {
    case 1:
        return cxgl_colour_mix(colour, white, 0.35);
    case 2:
        return cxgl_colour_mix(colour, black, 0.25);
    default:
        return colour;
    }
}

CxglColour
cxgl_colour_of_id(CxglPalette palette, CxId id)
{
    return palette == CXGL_PALETTE_COLOUR_BLIND ? colour_blind_colour(id)
                                                : even_colour(id);
}

static uint8_t
mix_byte(uint8_t a, uint8_t b, double t)
{
    return (uint8_t)lround(a + (b - a) * CLAMP(t, 0, 1));
}

CxglColour
cxgl_colour_mix(CxglColour a, CxglColour b, double t)
{
    return (CxglColour){mix_byte(a.r, b.r, t), mix_byte(a.g, b.g, t),
                        mix_byte(a.b, b.b, t), mix_byte(a.a, b.a, t)};
}

bool
cxgl_colour_parse(const char *text, CxglColour *colour)
{
    uint8_t bytes[4] = {0, 0, 0, 255};
    size_t length = strlen(text);

    if (text[0] != '#' || (length != 7 && length != 9))
        return false;
    for (size_t i = 0; 2 * i + 1 < length; i++) {
        int high = g_ascii_xdigit_value(text[2 * i + 1]);
        int low = g_ascii_xdigit_value(text[2 * i + 2]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    *colour = (CxglColour){bytes[0], bytes[1], bytes[2], bytes[3]};
    return true;
}
