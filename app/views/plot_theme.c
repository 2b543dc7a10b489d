/* Colours, strokes and letters of the plots.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_theme.h"

#include <math.h>
#include <pango/pangocairo.h>

#define HEX(v)                                                                 \
    {                                                                          \
        ((v) >> 16 & 255) / 255.0, ((v) >> 8 & 255) / 255.0,                   \
            ((v)&255) / 255.0, 1.0                                             \
    }

/* Pixels of a label at scale 1. */
#define LABEL_PX 11.5

static const CxuiPlotTheme dark_theme = {
    .dark = true,
    .ground = HEX(0x1b1e24),
    .text = HEX(0xf1f3f6),
    .dim = HEX(0xaeb4be),
    .grid = HEX(0x353a43),
    .cursor = HEX(0xffffff),
    .excite = HEX(0xf2a33a),
    .inhibit = HEX(0x5ab4f0),
    .warning = HEX(0xf0e442),
    .series = {HEX(0xe69f00), HEX(0x56b4e9), HEX(0x12b886), HEX(0xf0e442),
               HEX(0x4f8ef0), HEX(0xf0702a), HEX(0xdd8fbb), HEX(0xc3c8d0)},
};

static const CxuiPlotTheme light_theme = {
    .dark = false,
    .ground = HEX(0xffffff),
    .text = HEX(0x17191d),
    .dim = HEX(0x565c66),
    .grid = HEX(0xdcdfe4),
    .cursor = HEX(0x17191d),
    .excite = HEX(0xc25a00),
    .inhibit = HEX(0x0063a6),
    .warning = HEX(0x8a6d00),
    .series = {HEX(0xd98200), HEX(0x2f9bdc), HEX(0x00805d), HEX(0xb3a000),
               HEX(0x0060a8), HEX(0xc94f00), HEX(0xb85c8e), HEX(0x4a4f57)},
};

CxuiPlotTheme
cxui_plot_theme(bool dark, double scale)
{
    CxuiPlotTheme theme = dark ? dark_theme : light_theme;

    theme.scale = scale;
    return theme;
}

CxuiColour
cxui_plot_colour(const CxuiPlotTheme *theme, int index)
{
    switch (index) {
    case CXUI_COLOUR_TEXT:
        return theme->text;
    case CXUI_COLOUR_DIM:
        return theme->dim;
    case CXUI_COLOUR_EXCITE:
        return theme->excite;
    case CXUI_COLOUR_INHIBIT:
        return theme->inhibit;
    case CXUI_COLOUR_WARNING:
        return theme->warning;
    default:
        return theme->series[(unsigned)index % CXUI_N_SERIES];
    }
}

CxuiColour
cxui_colour_fade(CxuiColour colour, double alpha)
{
    colour.a *= alpha;
    return colour;
}

void
cxui_plot_source(cairo_t *cr, CxuiColour colour)
{
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, colour.a);
}

static CxuiColour
mix(CxuiColour a, CxuiColour b, double t)
{
    return (CxuiColour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t,
                        a.b + (b.b - a.b) * t, a.a + (b.a - a.a) * t};
}

/* Five steps of even lightness, after viridis (van der Walt and Smith). */
static const CxuiColour rising[] = {HEX(0x440154), HEX(0x3b528b), HEX(0x21918c),
                                    HEX(0x5ec962), HEX(0xfde725)};

static CxuiColour
diverging(const CxuiPlotTheme *theme, double t)
{
    CxuiColour middle =
        theme->dark ? (CxuiColour)HEX(0x22262d) : (CxuiColour)HEX(0xf4f5f7);

    return t < 0.5 ? mix(theme->inhibit, middle, t * 2.0)
                   : mix(middle, theme->excite, t * 2.0 - 1.0);
}

CxuiColour
cxui_plot_shade(const CxuiPlotTheme *theme, CxuiShades shades, double t)
{
    if (isnan(t))
        return theme->grid;
    t = fmin(fmax(t, 0.0), 1.0);
    switch (shades) {
    case CXUI_SHADES_DIVERGING:
        return diverging(theme, t);
    case CXUI_SHADES_SEQUENTIAL: {
        int step = (int)fmin(t * 4.0, 3.0);
        return mix(rising[step], rising[step + 1], t * 4.0 - step);
    }
    case CXUI_SHADES_INK:
        return theme->dark ? mix((CxuiColour)HEX(0x262b33),
                                 (CxuiColour)HEX(0xf2ead8), t)
                           : mix((CxuiColour)HEX(0xf6f1e6),
                                 (CxuiColour)HEX(0x24262b), t);
    case CXUI_SHADES_GREY:
    default:
        return (CxuiColour){t, t, t, 1.0};
    }
}

static PangoLayout *
new_layout(cairo_t *cr, const CxuiPlotTheme *theme,
           const CxuiPlotLetters *letters, const char *text)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_new();

    pango_font_description_set_family(font, "Cantarell, sans-serif");
    pango_font_description_set_absolute_size(
        font, LABEL_PX * theme->scale * letters->size * PANGO_SCALE);
    if (letters->bold)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

static void
show_layout(cairo_t *cr, const CxuiPlotLetters *letters, double x, double y,
            PangoLayout *layout)
{
    int width = 0;
    int height = 0;

    pango_layout_get_pixel_size(layout, &width, &height);
    cairo_move_to(cr, round(x - letters->ax * width),
                  round(y - letters->ay * height));
    cxui_plot_source(cr, letters->colour);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
    cairo_new_path(cr);
}

void
cxui_plot_text(cairo_t *cr, const CxuiPlotTheme *theme,
               const CxuiPlotLetters *letters, double x, double y,
               const char *text)
{
    show_layout(cr, letters, x, y, new_layout(cr, theme, letters, text));
}

void
cxui_plot_text_fit(cairo_t *cr, const CxuiPlotTheme *theme,
                   const CxuiPlotLetters *letters, double x, double y,
                   double width, const char *text)
{
    PangoLayout *layout = new_layout(cr, theme, letters, text);
    int own = 0;

    pango_layout_get_pixel_size(layout, &own, NULL);
    if (own > width) {
        pango_layout_set_width(layout, (int)(fmax(width, 1.0) * PANGO_SCALE));
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    }
    show_layout(cr, letters, x, y, layout);
}

void
cxui_plot_text_size(cairo_t *cr, const CxuiPlotTheme *theme,
                    const CxuiPlotLetters *letters, const char *text,
                    double *width, double *height)
{
    PangoLayout *layout = new_layout(cr, theme, letters, text);
    int w = 0;
    int h = 0;

    pango_layout_get_pixel_size(layout, &w, &h);
    g_object_unref(layout);
    if (width != NULL)
        *width = w;
    if (height != NULL)
        *height = h;
}
