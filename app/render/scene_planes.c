/* Slice planes in the scene; see scene_planes.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/scene_planes.h"

#include "app/render/gl_program.h"
#include "app/render/gl_texture.h"

#include <math.h>

/* What a texture shows; drawn again when it differs. */
typedef struct {
    CxglSliceCamera camera;
    CxglSliceStyle style;
    uint64_t table_version;
    uint32_t image_id, labels_id;
} Shown;

typedef struct {
    CxglSliceRenderer *renderer;
    CxglTarget target;
    Shown shown;
    bool is_complete;
} Plane;

struct CxglScenePlanes {
    GLuint program, array;
    CxglSegmentTable *table; /* that the renderers were made for */
    Plane planes[3];
};

CxglScenePlanes *
cxgl_scene_planes_new(GError **error)
{
    GLuint program = cxgl_program_new("plane.vert", "plane.frag", NULL, error);
    CxglScenePlanes *self;

    if (program == 0)
        return NULL;
    self = g_new0(CxglScenePlanes, 1);
    self->program = program;
    glGenVertexArrays(1, &self->array);
    return self;
}

static void
clear_plane(Plane *plane)
{
    cxgl_slice_renderer_free(plane->renderer);
    cxgl_target_clear(&plane->target);
    *plane = (Plane){0};
}

void
cxgl_scene_planes_free(CxglScenePlanes *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < 3; i++)
        clear_plane(&self->planes[i]);
    glDeleteProgram(self->program);
    glDeleteVertexArrays(1, &self->array);
    g_free(self);
}

CxglSliceCamera
cxgl_scene_planes_camera(const CxglSceneContent *content, CxglAxis axis,
                         int side)
{
    unsigned u = cxgl_axis_right(axis), v = cxgl_axis_down(axis);
    unsigned w = cxgl_axis_depth(axis);
    double width = cxgl_nm_get(content->hi, u) - cxgl_nm_get(content->lo, u);
    double height = cxgl_nm_get(content->hi, v) - cxgl_nm_get(content->lo, v);
    double nm_per_px = fmax(fmax(width, height) / side, 1e-6);
    CxglSliceCamera camera = {
        .axis = axis,
        .centre = {(content->lo.x + content->hi.x) / 2,
                   (content->lo.y + content->hi.y) / 2,
                   (content->lo.z + content->hi.z) / 2},
        .nm_per_px = nm_per_px,
        .width = (int)CLAMP(lround(width / nm_per_px), 1, side),
        .height = (int)CLAMP(lround(height / nm_per_px), 1, side),
    };

    cxgl_nm_set(&camera.centre, w, cxgl_nm_get(content->cross_hair, w));
    return camera;
}

static bool
has_data(const CxglSliceLayer *layer)
{
    return layer->grid != NULL && layer->grid->volume_id != 0;
}

bool
cxgl_scene_planes_is_shown(const CxglSceneContent *content,
                           const CxglSceneStyle *style, CxglAxis axis)
{
    unsigned w = cxgl_axis_depth(axis);
    double at = cxgl_nm_get(content->cross_hair, w);

    return style->planes[axis] && content->layers != NULL &&
           content->slice_style != NULL &&
           (has_data(&content->layers->image) ||
            (style->plane_labels && has_data(&content->layers->labels))) &&
           at >= cxgl_nm_get(content->lo, w) &&
           at < cxgl_nm_get(content->hi, w);
}

static void
describe(const CxglSceneContent *content, const CxglSceneStyle *style,
         CxglAxis axis, int side, Shown *shown)
{
    const CxglSliceLayers *layers = content->layers;

    *shown = (Shown){0};
    shown->camera = cxgl_scene_planes_camera(content, axis, side);
    shown->style = *content->slice_style;
    shown->style.background = (CxglColour){0, 0, 0, 255};
    if (!style->plane_labels)
        shown->style.label_opacity = shown->style.border_opacity = 0;
    if (layers->image.grid != NULL)
        shown->image_id = layers->image.grid->volume_id;
    if (style->plane_labels && content->table != NULL &&
        layers->labels.grid != NULL) {
        shown->labels_id = layers->labels.grid->volume_id;
        shown->table_version = cxgl_segment_table_version(content->table);
    }
}

static bool
shows_same(const Shown *a, const Shown *b)
{
    return a->camera.width == b->camera.width &&
           a->camera.height == b->camera.height &&
           a->camera.nm_per_px == b->camera.nm_per_px &&
           a->camera.centre.x == b->camera.centre.x &&
           a->camera.centre.y == b->camera.centre.y &&
           a->camera.centre.z == b->camera.centre.z &&
           cxgl_slice_style_equal(&a->style, &b->style) &&
           a->table_version == b->table_version && a->image_id == b->image_id &&
           a->labels_id == b->labels_id;
}

static void
update_plane(CxglScenePlanes *self, const CxglSceneContent *content,
             const CxglSceneStyle *style, CxglAxis axis, int side,
             CxglSceneStats *stats)
{
    Plane *plane = &self->planes[axis];
    g_autoptr(GError) error = NULL;
    CxglSliceStats slice_stats;
    Shown shown;

    describe(content, style, axis, side, &shown);
    if (plane->is_complete && shows_same(&shown, &plane->shown))
        return;
    if (plane->renderer == NULL)
        plane->renderer = cxgl_slice_renderer_new(content->table, &error);
    if (plane->renderer == NULL ||
        !cxgl_target_resize(&plane->target, CXGL_FORMAT_RGBA8, false,
                            shown.camera.width, shown.camera.height, 0,
                            &error)) {
        g_warning("%s", error->message);
        return;
    }
    cxgl_texture_set_smooth(&plane->target.colour, true);
    cxgl_slice_renderer_draw(plane->renderer, &shown.camera, content->layers,
                             &shown.style, &slice_stats);
    plane->shown = shown;
    plane->is_complete = slice_stats.complete;
    stats->planes_complete &= slice_stats.complete;
    stats->has_more |= slice_stats.has_more;
}

void
cxgl_scene_planes_update(CxglScenePlanes *self, const CxglSceneContent *content,
                         const CxglSceneStyle *style, int side,
                         CxglSceneStats *stats)
{
    if (self->table != content->table)
        for (int i = 0; i < 3; i++)
            clear_plane(&self->planes[i]);
    self->table = content->table;
    for (int i = 0; i < 3; i++)
        if (cxgl_scene_planes_is_shown(content, style, (CxglAxis)i))
            update_plane(self, content, style, (CxglAxis)i, side, stats);
}

void
cxgl_scene_planes_draw_one(CxglScenePlanes *self, GLuint program,
                           const CxglSceneContent *content, CxglAxis axis,
                           const CxglOrbitCamera *camera,
                           const CxglMat4 *clip_from_eye)
{
    unsigned u = cxgl_axis_right(axis), v = cxgl_axis_down(axis);
    unsigned w = cxgl_axis_depth(axis);
    CxglMat4 view = cxgl_orbit_camera_view(camera);
    CxglMat4 clip = cxgl_mat4_multiply(clip_from_eye, &view);
    CxNm corner = content->lo;
    float right[3] = {0}, down[3] = {0};

    cxgl_nm_set(&corner, w, cxgl_nm_get(content->cross_hair, w));
    right[u] =
        (float)(cxgl_nm_get(content->hi, u) - cxgl_nm_get(content->lo, u));
    down[v] =
        (float)(cxgl_nm_get(content->hi, v) - cxgl_nm_get(content->lo, v));
    glUniformMatrix4fv(cxgl_uniform(program, "u_clip"), 1, GL_FALSE, clip.m);
    glUniform3f(cxgl_uniform(program, "u_corner"),
                (float)(corner.x - camera->focus.x),
                (float)(corner.y - camera->focus.y),
                (float)(corner.z - camera->focus.z));
    glUniform3fv(cxgl_uniform(program, "u_right"), 1, right);
    glUniform3fv(cxgl_uniform(program, "u_down"), 1, down);
    glBindVertexArray(self->array);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glBindVertexArray(0);
}

void
cxgl_scene_planes_draw(CxglScenePlanes *self, const CxglSceneContent *content,
                       const CxglSceneStyle *style,
                       const CxglOrbitCamera *camera,
                       const CxglMat4 *clip_from_eye)
{
    glUseProgram(self->program);
    glUniform1i(cxgl_uniform(self->program, "u_picture"), 0);
    glActiveTexture(GL_TEXTURE0);
    for (int i = 0; i < 3; i++) {
        if (!cxgl_scene_planes_is_shown(content, style, (CxglAxis)i) ||
            self->planes[i].target.name == 0)
            continue;
        glBindTexture(GL_TEXTURE_2D, self->planes[i].target.colour.name);
        cxgl_scene_planes_draw_one(self, self->program, content, (CxglAxis)i,
                                   camera, clip_from_eye);
    }
}

size_t
cxgl_scene_planes_gpu_bytes(const CxglScenePlanes *self)
{
    size_t bytes = 0;

    for (int i = 0; i < 3; i++) {
        bytes += cxgl_texture_size_bytes(&self->planes[i].target.colour);
        if (self->planes[i].renderer != NULL)
            bytes += cxgl_slice_renderer_gpu_bytes(self->planes[i].renderer);
    }
    return bytes;
}
