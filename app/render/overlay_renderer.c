/* Shapes over a pane; see overlay_renderer.h.
 *
 * Every shape is one instance of a rectangle whose fragment shader measures
 * the distance to the shape's edge, so edges are smooth without samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/overlay_renderer.h"

#include "app/render/gl_program.h"
#include "app/render/stroke_font.h"

#include <math.h>
#include <string.h>

enum {
    KIND_LINE, /* box: both ends */
    KIND_FILL, /* box: corners */
    KIND_DISC, /* box: centre, radius, – */
    KIND_RING,
};

/* One instance, as the vertex buffer holds it. */
typedef struct {
    float box[4];
    float kind, width, dash, gap;
    CxglColour colour;
} Shape;

struct CxglOverlay {
    GArray *shapes;
};

struct CxglOverlayRenderer {
    GLuint program, array, buffer;
};

CxglOverlay *
cxgl_overlay_new(void)
{
    CxglOverlay *overlay = g_new0(CxglOverlay, 1);

    overlay->shapes = g_array_new(FALSE, FALSE, sizeof(Shape));
    return overlay;
}

void
cxgl_overlay_free(CxglOverlay *overlay)
{
    if (overlay == NULL)
        return;
    g_array_unref(overlay->shapes);
    g_free(overlay);
}

void
cxgl_overlay_clear(CxglOverlay *overlay)
{
    g_array_set_size(overlay->shapes, 0);
}

static void
add(CxglOverlay *overlay, int kind, double x0, double y0, double x1, double y1,
    double width, double dash, double gap, CxglColour colour)
{
    Shape shape = {{(float)x0, (float)y0, (float)x1, (float)y1},
                   (float)kind,
                   (float)width,
                   (float)dash,
                   (float)gap,
                   colour};

    if (colour.a > 0)
        g_array_append_val(overlay->shapes, shape);
}

void
cxgl_overlay_line(CxglOverlay *overlay, double x0, double y0, double x1,
                  double y1, double width, CxglColour colour)
{
    add(overlay, KIND_LINE, x0, y0, x1, y1, width, 0, 0, colour);
}

void
cxgl_overlay_dashed(CxglOverlay *overlay, double x0, double y0, double x1,
                    double y1, double width, double dash, double gap,
                    CxglColour colour)
{
    add(overlay, KIND_LINE, x0, y0, x1, y1, width, dash, gap, colour);
}

static void
add_frame(CxglOverlay *overlay, double x0, double y0, double x1, double y1,
          double width, double dash, CxglColour colour)
{
    double h = width / 2;

    add(overlay, KIND_LINE, x0 - h, y0, x1 + h, y0, width, dash, dash, colour);
    add(overlay, KIND_LINE, x0 - h, y1, x1 + h, y1, width, dash, dash, colour);
    add(overlay, KIND_LINE, x0, y0 + h, x0, y1 - h, width, dash, dash, colour);
    add(overlay, KIND_LINE, x1, y0 + h, x1, y1 - h, width, dash, dash, colour);
}

void
cxgl_overlay_rect(CxglOverlay *overlay, double x0, double y0, double x1,
                  double y1, double width, CxglColour colour)
{
    add_frame(overlay, x0, y0, x1, y1, width, 0, colour);
}

void
cxgl_overlay_fill(CxglOverlay *overlay, double x0, double y0, double x1,
                  double y1, CxglColour colour)
{
    add(overlay, KIND_FILL, x0, y0, x1, y1, 0, 0, 0, colour);
}

void
cxgl_overlay_disc(CxglOverlay *overlay, double x, double y, double radius,
                  CxglColour fill, double outline, CxglColour line)
{
    add(overlay, KIND_DISC, x, y, radius, 0, 0, 0, 0, fill);
    if (outline > 0)
        cxgl_overlay_circle(overlay, x, y, radius, outline, line);
}

void
cxgl_overlay_circle(CxglOverlay *overlay, double x, double y, double radius,
                    double width, CxglColour colour)
{
    add(overlay, KIND_RING, x, y, radius, 0, width, 0, 0, colour);
}

/* Text */

static void
add_glyph(CxglOverlay *overlay, const char *strokes, double x, double y,
          double unit, double width, CxglColour colour)
{
    bool is_down = false;
    double last_x = 0, last_y = 0;

    for (const char *at = strokes; at[0] != '\0';) {
        if (at[0] == ' ') {
            is_down = false;
            at++;
            continue;
        }
        double to_x = x + (at[0] - '0') * unit;
        double to_y = y + (at[1] - '0') * unit;
        if (is_down)
            cxgl_overlay_line(overlay, last_x, last_y, to_x, to_y, width,
                              colour);
        cxgl_overlay_disc(overlay, to_x, to_y, width / 2, colour, 0, colour);
        last_x = to_x;
        last_y = to_y;
        is_down = true;
        at += 2;
    }
}

double
cxgl_overlay_text(CxglOverlay *overlay, double x, double y, double size,
                  double width, CxglColour colour, const char *text)
{
    double unit = size / CXGL_GLYPH_HEIGHT;

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        const char *strokes = cxgl_glyph(g_utf8_get_char(at));

        if (strokes != NULL)
            add_glyph(overlay, strokes, x, y, unit, width, colour);
        x += (*at == ' ' ? 0.6 : 1) * CXGL_GLYPH_ADVANCE * unit;
    }
    return cxgl_overlay_text_width(size, text);
}

double
cxgl_overlay_text_width(double size, const char *text)
{
    double unit = size / CXGL_GLYPH_HEIGHT, width = 0;

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        width += (*at == ' ' ? 0.6 : 1) * CXGL_GLYPH_ADVANCE * unit;
    return fmax(width - 2 * unit, 0);
}

/* Things of a pane */

CxglColour
cxgl_axis_colour(CxglAxis plane)
{
    switch (plane) {
    case CXGL_AXIS_XY:
        return (CxglColour){98, 160, 234, 255};
    case CXGL_AXIS_XZ:
        return (CxglColour){143, 214, 120, 255};
    case CXGL_AXIS_YZ:
        break;
    }
    return (CxglColour){237, 116, 106, 255};
}

static CxglColour
fade(CxglColour colour, double opacity)
{
    colour.a = (uint8_t)lround(colour.a * CLAMP(opacity, 0, 1));
    return colour;
}

void
cxgl_overlay_cross_hair(CxglOverlay *overlay, const CxglSliceCamera *camera,
                        CxNm at, double opacity, double scale)
{
    /* The vertical line is where the plane whose depth runs right cuts. */
    CxglAxis vertical =
        camera->axis == CXGL_AXIS_YZ ? CXGL_AXIS_XZ : CXGL_AXIS_YZ;
    CxglAxis horizontal =
        camera->axis == CXGL_AXIS_XY ? CXGL_AXIS_XZ : CXGL_AXIS_XY;
    CxglColour v = fade(cxgl_axis_colour(vertical), opacity);
    CxglColour h = fade(cxgl_axis_colour(horizontal), opacity);
    double width = fmax(round(scale), 1), gap = 9 * scale, px, py;

    cxgl_slice_camera_px_of(camera, at, &px, &py);
    px = floor(px) + 0.5;
    py = floor(py) + 0.5;
    cxgl_overlay_line(overlay, px, 0, px, py - gap, width, v);
    cxgl_overlay_line(overlay, px, py + gap, px, camera->height, width, v);
    cxgl_overlay_line(overlay, 0, py, px - gap, py, width, h);
    cxgl_overlay_line(overlay, px + gap, py, camera->width, py, width, h);
}

void
cxgl_overlay_box(CxglOverlay *overlay, const CxglSliceCamera *camera, CxNm lo,
                 CxNm hi, double width, double near_nm, CxglColour colour)
{
    unsigned w = cxgl_axis_depth(camera->axis);
    double depth = cxgl_nm_get(camera->centre, w);
    double away = fmax(cxgl_nm_get(lo, w) - depth, depth - cxgl_nm_get(hi, w));
    double x0, y0, x1, y1;

    if (away > near_nm)
        return;
    cxgl_slice_camera_px_of(camera, lo, &x0, &y0);
    cxgl_slice_camera_px_of(camera, hi, &x1, &y1);
    add_frame(overlay, floor(x0) + 0.5, floor(y0) + 0.5, floor(x1) + 0.5,
              floor(y1) + 0.5, width, away > 0 ? 4 * width : 0, colour);
}

void
cxgl_overlay_seed(CxglOverlay *overlay, const CxglSliceCamera *camera, CxNm at,
                  double radius, double near_nm, CxglColour colour)
{
    unsigned w = cxgl_axis_depth(camera->axis);
    double away = fabs(cxgl_nm_get(at, w) - cxgl_nm_get(camera->centre, w));
    double opacity = near_nm > 0 ? 1 - away / near_nm : away == 0;
    CxglColour rim = {255, 255, 255, 255}, shade = {0, 0, 0, 110};
    double px, py;

    if (opacity <= 0)
        return;
    cxgl_slice_camera_px_of(camera, at, &px, &py);
    radius *= 0.6 + 0.4 * opacity;
    cxgl_overlay_circle(overlay, px, py, radius + 1, 2.5, fade(shade, opacity));
    cxgl_overlay_disc(overlay, px, py, radius, fade(colour, opacity), 1.5,
                      fade(rim, opacity));
}

/* Scale bar */

CxglScaleBar
cxgl_scale_bar(double nm_per_px, double max_px)
{
    static const double steps[] = {5, 2, 1};
    double most = nm_per_px * max_px;
    double decade = pow(10, floor(log10(fmax(most, 1e-9))));
    CxglScaleBar bar = {.length_nm = decade};

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i] * decade <= most * 1.0000001) {
            bar.length_nm = steps[i] * decade;
            break;
        }
    }
    bar.length_px = bar.length_nm / nm_per_px;
    if (bar.length_nm >= 1e6)
        g_snprintf(bar.text, sizeof bar.text, "%g mm", bar.length_nm / 1e6);
    else if (bar.length_nm >= 1e3)
        g_snprintf(bar.text, sizeof bar.text, "%g µm", bar.length_nm / 1e3);
    else
        g_snprintf(bar.text, sizeof bar.text, "%g nm", bar.length_nm);
    return bar;
}

static void
draw_scale_bar(CxglOverlay *overlay, const CxglScaleBar *bar, double x,
               double y, double width, double scale, bool with_text,
               CxglColour colour)
{
    double left = x - bar->length_px, tick = 4 * scale, size = 9 * scale;
    double h = width / 2;

    cxgl_overlay_line(overlay, left - h, y, x + h, y, width, colour);
    cxgl_overlay_line(overlay, left, y - tick, left, y + h, width, colour);
    cxgl_overlay_line(overlay, x, y - tick, x, y + h, width, colour);
    if (with_text)
        cxgl_overlay_text(
            overlay, (left + x - cxgl_overlay_text_width(size, bar->text)) / 2,
            y - tick - size - 4 * scale, size, width * 0.8, colour, bar->text);
}

void
cxgl_overlay_scale_bar(CxglOverlay *overlay, const CxglScaleBar *bar, double x,
                       double y, double scale, bool with_text,
                       CxglColour colour)
{
    CxglColour shade = {0, 0, 0, (uint8_t)(colour.a * 0.6)};

    draw_scale_bar(overlay, bar, x, y, 4.5 * scale, scale, with_text, shade);
    draw_scale_bar(overlay, bar, x, y, 2 * scale, scale, with_text, colour);
}

/* Drawing */

static void
set_attribute(GLuint index, GLint n, GLenum type, GLboolean normalised,
              size_t offset)
{
    glEnableVertexAttribArray(index);
    glVertexAttribPointer(index, n, type, normalised, sizeof(Shape),
                          (const void *)offset);
    glVertexAttribDivisor(index, 1);
}

CxglOverlayRenderer *
cxgl_overlay_renderer_new(GError **error)
{
    GLuint program =
        cxgl_program_new("overlay.vert", "overlay.frag", NULL, error);
    CxglOverlayRenderer *self;

    if (program == 0)
        return NULL;
    self = g_new0(CxglOverlayRenderer, 1);
    self->program = program;
    glGenVertexArrays(1, &self->array);
    glGenBuffers(1, &self->buffer);
    glBindVertexArray(self->array);
    glBindBuffer(GL_ARRAY_BUFFER, self->buffer);
    set_attribute(0, 4, GL_FLOAT, GL_FALSE, offsetof(Shape, box));
    set_attribute(1, 4, GL_FLOAT, GL_FALSE, offsetof(Shape, kind));
    set_attribute(2, 4, GL_UNSIGNED_BYTE, GL_TRUE, offsetof(Shape, colour));
    glBindVertexArray(0);
    return self;
}

void
cxgl_overlay_renderer_free(CxglOverlayRenderer *self)
{
    if (self == NULL)
        return;
    glDeleteProgram(self->program);
    glDeleteVertexArrays(1, &self->array);
    glDeleteBuffers(1, &self->buffer);
    g_free(self);
}

void
cxgl_overlay_renderer_draw(CxglOverlayRenderer *self,
                           const CxglOverlay *overlay, int width, int height)
{
    const GArray *shapes = overlay->shapes;

    if (shapes->len == 0)
        return;
    glViewport(0, 0, width, height);
    glDisable(GL_DEPTH_TEST);
    glDisable(GL_CULL_FACE);
    glEnable(GL_BLEND);
    glBlendFuncSeparate(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA, GL_ONE,
                        GL_ONE_MINUS_SRC_ALPHA);
    glUseProgram(self->program);
    glUniform2f(cxgl_uniform(self->program, "u_pane"), (float)width,
                (float)height);
    glBindVertexArray(self->array);
    glBindBuffer(GL_ARRAY_BUFFER, self->buffer);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(shapes->len * sizeof(Shape)),
                 shapes->data, GL_STREAM_DRAW);
    glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, (GLsizei)shapes->len);
    glBindVertexArray(0);
    glDisable(GL_BLEND);
}
