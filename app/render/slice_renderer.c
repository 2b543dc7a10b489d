/* Draws a slice pane; see slice_renderer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/slice_renderer.h"

#include "app/render/gl_program.h"
#include "app/render/segment_texture.h"
#include "app/render/slice_canvas.h"

#include <math.h>

#define DEFAULT_BUDGET ((size_t)32 << 20)
#define HATCH_PX 9

/* Bits of a program's number: which layers it draws. */
enum {
    WITH_IMAGE = 1,
    WITH_LABELS = 2,
    WITH_OVERLAY = 4,
    WITH_GAMMA = 8,
    N_PROGRAMS = 16,
};

enum {
    IMAGE,
    LABELS,
    OVERLAY,
    N_LAYERS,
};

struct CxglSliceRenderer {
    CxglSegmentTable *table;
    CxglSegmentTexture mirror;
    CxglSliceCanvas *canvases[N_LAYERS]; /* LABELS: NULL without a table */
    GLuint programs[N_PROGRAMS];         /* made when first needed */
    GLuint cover_program;
    GLuint vertex_array, cover_array, cover_buffer;
    size_t upload_budget;
};

/* Rectangle without data, in pixels, as the vertex buffer holds it. */
typedef struct {
    float x0, y0, x1, y1, kind;
} Cover;

CxglSliceStyle
cxgl_slice_style_defaults(void)
{
    return (CxglSliceStyle){
        .image_lo = 0,
        .image_hi = 1,
        .gamma = 1,
        .smooth = true,
        .label_opacity = 0.32f,
        .dim = 0.35f,
        .border_opacity = 0.75f,
        .hatch_failed = true,
        .background = {24, 25, 28, 255},
        .overlay_opacity = 0.8f,
        .overlay_colour = {255, 196, 64, 255},
    };
}

static bool
colours_equal(CxglColour a, CxglColour b)
{
    return a.r == b.r && a.g == b.g && a.b == b.b && a.a == b.a;
}

bool
cxgl_slice_style_equal(const CxglSliceStyle *a, const CxglSliceStyle *b)
{
    return a->image_lo == b->image_lo && a->image_hi == b->image_hi &&
           a->gamma == b->gamma && a->invert == b->invert &&
           a->smooth == b->smooth && a->label_opacity == b->label_opacity &&
           a->dim == b->dim && a->border_opacity == b->border_opacity &&
           a->only_selected == b->only_selected &&
           a->hatch_failed == b->hatch_failed &&
           colours_equal(a->background, b->background) &&
           a->overlay_opacity == b->overlay_opacity &&
           colours_equal(a->overlay_colour, b->overlay_colour);
}

static GLuint
make_program(unsigned number, GError **error)
{
    g_autofree char *defines =
        g_strconcat(number & WITH_IMAGE ? "IMAGE " : "",
                    number & WITH_LABELS ? "LABELS " : "",
                    number & WITH_OVERLAY ? "OVERLAY " : "",
                    number & WITH_GAMMA ? "GAMMA" : "", NULL);

    return cxgl_program_new("slice.vert", "slice.frag", defines, error);
}

static void
make_cover_array(CxglSliceRenderer *self)
{
    glGenVertexArrays(1, &self->cover_array);
    glGenBuffers(1, &self->cover_buffer);
    glBindVertexArray(self->cover_array);
    glBindBuffer(GL_ARRAY_BUFFER, self->cover_buffer);
    glEnableVertexAttribArray(0);
    glEnableVertexAttribArray(1);
    glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, sizeof(Cover), NULL);
    glVertexAttribPointer(1, 1, GL_FLOAT, GL_FALSE, sizeof(Cover),
                          (const void *)offsetof(Cover, kind));
    glVertexAttribDivisor(0, 1);
    glVertexAttribDivisor(1, 1);
    glBindVertexArray(0);
}

CxglSliceRenderer *
cxgl_slice_renderer_new(CxglSegmentTable *table, GError **error)
{
    g_autoptr(CxglSliceRenderer) self = g_new0(CxglSliceRenderer, 1);
    unsigned usual = WITH_IMAGE | (table != NULL ? WITH_LABELS : 0);

    self->table = table;
    self->upload_budget = DEFAULT_BUDGET;
    self->programs[usual] = make_program(usual, error);
    if (self->programs[usual] == 0)
        return NULL;
    self->cover_program =
        cxgl_program_new("cover.vert", "cover.frag", NULL, error);
    if (self->cover_program == 0)
        return NULL;
    self->canvases[IMAGE] = cxgl_slice_canvas_new(NULL);
    self->canvases[OVERLAY] = cxgl_slice_canvas_new(NULL);
    if (table != NULL)
        self->canvases[LABELS] = cxgl_slice_canvas_new(table);
    glGenVertexArrays(1, &self->vertex_array);
    make_cover_array(self);
    return g_steal_pointer(&self);
}

void
cxgl_slice_renderer_free(CxglSliceRenderer *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < N_PROGRAMS; i++)
        if (self->programs[i] != 0)
            glDeleteProgram(self->programs[i]);
    if (self->cover_program != 0)
        glDeleteProgram(self->cover_program);
    for (int i = 0; i < N_LAYERS; i++)
        cxgl_slice_canvas_free(self->canvases[i]);
    if (self->vertex_array != 0) {
        glDeleteVertexArrays(1, &self->vertex_array);
        glDeleteVertexArrays(1, &self->cover_array);
        glDeleteBuffers(1, &self->cover_buffer);
    }
    cxgl_segment_texture_clear(&self->mirror);
    g_free(self);
}

void
cxgl_slice_renderer_set_upload_budget(CxglSliceRenderer *self, size_t bytes)
{
    self->upload_budget = bytes;
}

void
cxgl_slice_renderer_invalidate(CxglSliceRenderer *self)
{
    for (int i = 0; i < N_LAYERS; i++)
        if (self->canvases[i] != NULL)
            cxgl_slice_canvas_invalidate(self->canvases[i]);
}

size_t
cxgl_slice_renderer_gpu_bytes(const CxglSliceRenderer *self)
{
    size_t bytes = cxgl_texture_size_bytes(&self->mirror.texture);

    for (int i = 0; i < N_LAYERS; i++)
        if (self->canvases[i] != NULL)
            bytes += cxgl_slice_canvas_size_bytes(self->canvases[i]);
    return bytes;
}

/* A program that failed to compile is left out: fewer layers are drawn. */
static GLuint
get_program(CxglSliceRenderer *self, unsigned *number)
{
    g_autoptr(GError) error = NULL;

    if (self->programs[*number] == 0)
        self->programs[*number] = make_program(*number, &error);
    if (self->programs[*number] == 0) {
        g_warning("%s", error->message);
        *number = WITH_IMAGE | (self->table != NULL ? WITH_LABELS : 0);
    }
    return self->programs[*number];
}

static bool
is_there(const CxglSliceLayer *layer)
{
    return layer->grid != NULL && layer->grid->volume_id != 0 &&
           layer->grid->n_levels > 0;
}

static void
update_layer(CxglSliceRenderer *self, int which, const CxglSliceLayer *layer,
             const CxglSliceCamera *camera, CxglCanvasPlane *plane,
             CxglSliceStats *stats)
{
    CxglCanvasUpdate update;
    size_t left = self->upload_budget > stats->uploaded_bytes
                      ? self->upload_budget - stats->uploaded_bytes
                      : 0;

    update = cxgl_slice_canvas_update(self->canvases[which], layer->grid,
                                      &layer->source, camera, left, plane);
    stats->complete &= update.complete;
    stats->has_more |= update.has_more;
    stats->uploaded_bytes += update.uploaded_bytes;
    stats->n_tiles_uploaded += update.n_tiles;
}

static void
bind_texture(GLuint program, int unit, const char *name, GLuint texture)
{
    glActiveTexture(GL_TEXTURE0 + (GLenum)unit);
    glBindTexture(GL_TEXTURE_2D, texture);
    glUniform1i(cxgl_uniform(program, name), unit);
}

/* Texture, mapping, range and size of a layer; prefix: "u_image". */
static void
set_layer(GLuint program, int unit, const char *prefix,
          const CxglCanvasPlane *plane, bool is_integer)
{
    char name[32];

    bind_texture(program, unit, prefix, plane->texture);
    g_snprintf(name, sizeof name, "%s_map", prefix);
    glUniform4f(cxgl_uniform(program, name), (float)plane->u0, (float)plane->v0,
                (float)plane->du, (float)plane->dv);
    g_snprintf(name, sizeof name, "%s_range", prefix);
    glUniform4f(cxgl_uniform(program, name), (float)plane->u_lo,
                (float)plane->v_lo, (float)plane->u_hi, (float)plane->v_hi);
    g_snprintf(name, sizeof name, "%s_size", prefix);
    if (is_integer)
        glUniform2i(cxgl_uniform(program, name), plane->width, plane->height);
    else
        glUniform2f(cxgl_uniform(program, name), (float)plane->width,
                    (float)plane->height);
}

static void
set_smooth(GLuint texture, bool smooth)
{
    GLint filter = smooth ? GL_LINEAR : GL_NEAREST;

    glBindTexture(GL_TEXTURE_2D, texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
}

static void
set_image(GLuint program, const CxglCanvasPlane *plane,
          const CxglSliceStyle *style)
{
    float width = fmaxf(style->image_hi - style->image_lo, 1e-4f);

    glActiveTexture(GL_TEXTURE0);
    set_smooth(plane->texture, style->smooth);
    set_layer(program, 0, "u_image", plane, false);
    if (style->invert)
        glUniform3f(cxgl_uniform(program, "u_window"), style->image_hi,
                    -1 / width, style->gamma);
    else
        glUniform3f(cxgl_uniform(program, "u_window"), style->image_lo,
                    1 / width, style->gamma);
}

static void
set_labels(CxglSliceRenderer *self, GLuint program,
           const CxglCanvasPlane *plane, const CxglSliceStyle *style)
{
    bool any =
        cxgl_segment_table_n_flagged(self->table, CXGL_SEGMENT_SELECTED) > 0;
    float others = style->label_opacity * (any ? style->dim : 1);
    float lines =
        style->border_opacity * (any ? 0.35f + 0.65f * style->dim : 1);
    float strong = style->label_opacity > 0
                       ? fminf(1, 0.3f + 0.8f * style->label_opacity)
                       : 0;

    set_layer(program, 1, "u_labels", plane, true);
    bind_texture(program, 2, "u_table", self->mirror.texture.name);
    glUniform4f(cxgl_uniform(program, "u_fill"), others, strong, 0.15f, 0.6f);
    glUniform2f(cxgl_uniform(program, "u_line"), lines,
                style->border_opacity > 0 ? 1 : 0);
    glUniform1ui(cxgl_uniform(program, "u_hide"),
                 style->only_selected ? CXGL_ENTRY_SELECTED | CXGL_ENTRY_SIDE
                                      : 0);
}

static void
set_overlay(GLuint program, const CxglCanvasPlane *plane,
            const CxglSliceStyle *style)
{
    glActiveTexture(GL_TEXTURE3);
    set_smooth(plane->texture, style->smooth);
    set_layer(program, 3, "u_overlay", plane, false);
    glUniform4f(cxgl_uniform(program, "u_overlay_colour"),
                style->overlay_colour.r / 255.0f,
                style->overlay_colour.g / 255.0f,
                style->overlay_colour.b / 255.0f, style->overlay_opacity);
}

/* Holes of a layer as rectangles of the pane. */
static void
collect_covers(const CxglCanvasPlane *plane, bool failed_only, GArray *covers)
{
    for (size_t i = 0; i < plane->n_holes; i++) {
        const CxglCanvasHole *hole = &plane->holes[i];
        Cover cover = {
            .x0 = (float)((hole->u0 - plane->u0) / plane->du),
            .y0 = (float)((hole->v0 - plane->v0) / plane->dv),
            .x1 = (float)((hole->u1 - plane->u0) / plane->du),
            .y1 = (float)((hole->v1 - plane->v0) / plane->dv),
            .kind = hole->failed ? 1 : 0,
        };

        if (hole->failed || (hole->empty && !failed_only))
            g_array_append_val(covers, cover);
    }
}

static void
draw_covers(CxglSliceRenderer *self, const CxglSliceCamera *camera,
            const CxglSliceStyle *style, const GArray *covers)
{
    GLuint program = self->cover_program;

    if (covers->len == 0)
        return;
    glUseProgram(program);
    glUniform2f(cxgl_uniform(program, "u_pane"), (float)camera->width,
                (float)camera->height);
    glUniform4f(cxgl_uniform(program, "u_tone"),
                style->background.r / 255.0f + 0.04f,
                style->background.g / 255.0f + 0.04f,
                style->background.b / 255.0f + 0.04f, 1);
    glUniform1f(cxgl_uniform(program, "u_hatch_px"), HATCH_PX);
    glBindVertexArray(self->cover_array);
    glBindBuffer(GL_ARRAY_BUFFER, self->cover_buffer);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(covers->len * sizeof(Cover)),
                 covers->data, GL_STREAM_DRAW);
    glEnable(GL_BLEND);
    glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
    glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, (GLsizei)covers->len);
    glDisable(GL_BLEND);
    glBindVertexArray(0);
}

static void
draw_planes(CxglSliceRenderer *self, const CxglSliceCamera *camera,
            const CxglSliceStyle *style, const CxglCanvasPlane *planes)
{
    unsigned number =
        (planes[IMAGE].inside ? WITH_IMAGE : 0) |
        (planes[LABELS].inside ? WITH_LABELS : 0) |
        (planes[OVERLAY].inside ? WITH_OVERLAY : 0) |
        (planes[IMAGE].inside && fabsf(style->gamma - 1) > 1e-3f ? WITH_GAMMA
                                                                 : 0);
    GLuint program = get_program(self, &number);

    glUseProgram(program);
    glUniform2f(cxgl_uniform(program, "u_pane"), (float)camera->width,
                (float)camera->height);
    glUniform4f(cxgl_uniform(program, "u_background"),
                style->background.r / 255.0f, style->background.g / 255.0f,
                style->background.b / 255.0f, 1);
    if (number & WITH_IMAGE)
        set_image(program, &planes[IMAGE], style);
    if (number & WITH_LABELS)
        set_labels(self, program, &planes[LABELS], style);
    if (number & WITH_OVERLAY)
        set_overlay(program, &planes[OVERLAY], style);
    glActiveTexture(GL_TEXTURE0);
    glBindVertexArray(self->vertex_array);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glBindVertexArray(0);
}

void
cxgl_slice_renderer_draw(CxglSliceRenderer *self, const CxglSliceCamera *camera,
                         const CxglSliceLayers *layers,
                         const CxglSliceStyle *style, CxglSliceStats *stats_out)
{
    CxglSliceStats stats = {.complete = true};
    CxglCanvasPlane planes[N_LAYERS] = {{0}};
    g_autoptr(GArray) covers = g_array_new(FALSE, FALSE, sizeof(Cover));
    bool with_labels = self->table != NULL && is_there(&layers->labels) &&
                       (style->label_opacity > 0 || style->border_opacity > 0);

    glActiveTexture(GL_TEXTURE0);
    if (is_there(&layers->image))
        update_layer(self, IMAGE, &layers->image, camera, &planes[IMAGE],
                     &stats);
    if (with_labels) {
        update_layer(self, LABELS, &layers->labels, camera, &planes[LABELS],
                     &stats);
        stats.uploaded_bytes +=
            cxgl_segment_texture_sync(&self->mirror, self->table);
    }
    if (is_there(&layers->overlay) && style->overlay_opacity > 0)
        update_layer(self, OVERLAY, &layers->overlay, camera, &planes[OVERLAY],
                     &stats);
    stats.level =
        planes[IMAGE].inside ? planes[IMAGE].level : planes[LABELS].level;

    glViewport(0, 0, camera->width, camera->height);
    glDisable(GL_DEPTH_TEST);
    glDisable(GL_BLEND);
    glDisable(GL_CULL_FACE);
    draw_planes(self, camera, style, planes);
    if (planes[IMAGE].inside)
        collect_covers(&planes[IMAGE], false, covers);
    if (style->hatch_failed && planes[LABELS].inside)
        collect_covers(&planes[LABELS], true, covers);
    draw_covers(self, camera, style, covers);
    if (stats_out != NULL)
        *stats_out = stats;
}
