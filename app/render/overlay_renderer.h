/* Lines, discs and boxes over a pane: cross-hair, seeds, scale bar, frames.
 *
 * A frame collects shapes into a list (pixels of the pane, top left origin;
 * no GL) and draws them in one call with smooth edges.  Text is left to the
 * toolkit, except cxgl_overlay_text(), a stroke font for pictures made
 * without one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/camera.h"
#include "app/render/colour.h"

#include <glib.h>

typedef struct CxglOverlay CxglOverlay;

CxglOverlay *cxgl_overlay_new(void);
void cxgl_overlay_free(CxglOverlay *overlay);
void cxgl_overlay_clear(CxglOverlay *overlay);

void cxgl_overlay_line(CxglOverlay *overlay, double x0, double y0, double x1,
                       double y1, double width, CxglColour colour);

/* dash, gap in pixels. */
void cxgl_overlay_dashed(CxglOverlay *overlay, double x0, double y0, double x1,
                         double y1, double width, double dash, double gap,
                         CxglColour colour);
void cxgl_overlay_rect(CxglOverlay *overlay, double x0, double y0, double x1,
                       double y1, double width, CxglColour colour);
void cxgl_overlay_fill(CxglOverlay *overlay, double x0, double y0, double x1,
                       double y1, CxglColour colour);

/* A disc with an outline; outline width 0 = none. */
void cxgl_overlay_disc(CxglOverlay *overlay, double x, double y, double radius,
                       CxglColour fill, double outline, CxglColour line);
void cxgl_overlay_circle(CxglOverlay *overlay, double x, double y,
                         double radius, double width, CxglColour colour);

/* Stroke letters: digits, space, - . x y z n m µ k p : / and the alphabet in
 * capitals; size is the height of a capital.  Returns the width. */
double cxgl_overlay_text(CxglOverlay *overlay, double x, double y, double size,
                         double width, CxglColour colour, const char *text);
double cxgl_overlay_text_width(double size, const char *text);

/* The cross-hair through a position, with a gap around the centre; each line
 * has the colour of the pane it stands for (XY blue, XZ green, YZ red). */
void cxgl_overlay_cross_hair(CxglOverlay *overlay,
                             const CxglSliceCamera *camera, CxNm at,
                             double opacity, double scale);
CxglColour cxgl_axis_colour(CxglAxis plane);

/* A box of the volume where it cuts the plane; dashed if the plane misses
 * it but it lies within near_nm. */
void cxgl_overlay_box(CxglOverlay *overlay, const CxglSliceCamera *camera,
                      CxNm lo, CxNm hi, double width, double near_nm,
                      CxglColour colour);

/* A seed: full on its plane, fading with distance in depth until near_nm. */
void cxgl_overlay_seed(CxglOverlay *overlay, const CxglSliceCamera *camera,
                       CxNm at, double radius, double near_nm,
                       CxglColour colour);

/* A length that fits max_px: 1, 2 or 5 times a power of ten. */
typedef struct {
    double length_nm, length_px;
    char text[32]; /* "500 nm", "2 µm" */
} CxglScaleBar;
CxglScaleBar cxgl_scale_bar(double nm_per_px, double max_px);

/* Draws the bar with its right end at x, baseline y; scale: 1 = normal. */
void cxgl_overlay_scale_bar(CxglOverlay *overlay, const CxglScaleBar *bar,
                            double x, double y, double scale, bool with_text,
                            CxglColour colour);

typedef struct CxglOverlayRenderer CxglOverlayRenderer;

/* GL context current in all three. */
CxglOverlayRenderer *cxgl_overlay_renderer_new(GError **error);
void cxgl_overlay_renderer_free(CxglOverlayRenderer *renderer);
void cxgl_overlay_renderer_draw(CxglOverlayRenderer *renderer,
                                const CxglOverlay *overlay, int width,
                                int height);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglOverlay, cxgl_overlay_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglOverlayRenderer, cxgl_overlay_renderer_free)
