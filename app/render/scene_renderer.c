/* The 3-D view; see scene_renderer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/scene_renderer.h"

#include "app/render/gl_program.h"
#include "app/render/gl_texture.h"
#include "app/render/overlay_renderer.h"
#include "app/render/scene_lines.h"
#include "app/render/scene_private.h"

#include <math.h>

#define MAX_PLANE_SIDE 1024

struct CxglSceneRenderer {
    CxglMeshSet *meshes;
    CxglScenePlanes *planes;
    CxglSceneLines *lines;
    CxglOverlayRenderer *overlay_renderer;
    CxglOverlay *overlay;
    GHashTable *line_sets; /* id → GArray of CxglSceneSegment */
    GArray *points;        /* CxglScenePoint */
    GLuint mesh_program, background_program, copy_program, edge_program;
    GLuint pick_program, pick_plane_program;
    GLuint empty_array;
    CxglTarget smooth, plain, pick; /* with samples; without */
};

CxglSceneStyle
cxgl_scene_style_defaults(void)
{
    return (CxglSceneStyle){
        .top = {52, 56, 64, 255},
        .bottom = {20, 21, 24, 255},
        .cross_hair = true,
        .box = true,
        .axes = true,
        .edge_shading = 0.7f,
        .depth_cue = 0.45f,
        .samples = 4,
        .scale = 1,
    };
}

static bool
make_programs(CxglSceneRenderer *self, GError **error)
{
    self->mesh_program =
        cxgl_program_new("mesh.vert", "mesh.frag", NULL, error);
    if (self->mesh_program == 0)
        return false;
    self->background_program =
        cxgl_program_new("slice.vert", "background.frag", NULL, error);
    if (self->background_program == 0)
        return false;
    self->copy_program =
        cxgl_program_new("slice.vert", "post.frag", NULL, error);
    if (self->copy_program == 0)
        return false;
    self->edge_program =
        cxgl_program_new("slice.vert", "post.frag", "EDGES", error);
    return self->edge_program != 0;
}

CxglSceneRenderer *
cxgl_scene_renderer_new(GError **error)
{
    g_autoptr(CxglSceneRenderer) self = g_new0(CxglSceneRenderer, 1);

    self->meshes = cxgl_mesh_set_new();
    self->overlay = cxgl_overlay_new();
    self->line_sets = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                            (GDestroyNotify)g_array_unref);
    self->points = g_array_new(FALSE, FALSE, sizeof(CxglScenePoint));
    if (!make_programs(self, error))
        return NULL;
    self->planes = cxgl_scene_planes_new(error);
    if (self->planes == NULL)
        return NULL;
    self->lines = cxgl_scene_lines_new(error);
    if (self->lines == NULL)
        return NULL;
    self->overlay_renderer = cxgl_overlay_renderer_new(error);
    if (self->overlay_renderer == NULL)
        return NULL;
    glGenVertexArrays(1, &self->empty_array);
    return g_steal_pointer(&self);
}

void
cxgl_scene_renderer_free(CxglSceneRenderer *self)
{
    if (self == NULL)
        return;

    const GLuint programs[] = {self->mesh_program, self->background_program,
                               self->copy_program, self->edge_program,
                               self->pick_program, self->pick_plane_program};
    for (size_t i = 0; i < G_N_ELEMENTS(programs); i++)
        if (programs[i] != 0)
            glDeleteProgram(programs[i]);
    cxgl_mesh_set_free(self->meshes);
    cxgl_scene_planes_free(self->planes);
    cxgl_scene_lines_free(self->lines);
    cxgl_overlay_renderer_free(self->overlay_renderer);
    cxgl_overlay_free(self->overlay);
    g_hash_table_unref(self->line_sets);
    g_array_unref(self->points);
    if (self->empty_array != 0)
        glDeleteVertexArrays(1, &self->empty_array);
    cxgl_target_clear(&self->smooth);
    cxgl_target_clear(&self->plain);
    cxgl_target_clear(&self->pick);
    g_free(self);
}

void
cxgl_scene_renderer_set_mesh(CxglSceneRenderer *self, CxId id,
                             CxglMeshData *data)
{
    cxgl_mesh_set_put(self->meshes, id, data);
}

void
cxgl_scene_renderer_set_look(CxglSceneRenderer *self, CxId id,
                             const CxglMeshLook *look)
{
    CxglMeshLook *place = cxgl_mesh_set_look(self->meshes, id);

    if (place != NULL)
        *place = *look;
}

bool
cxgl_scene_renderer_get_look(CxglSceneRenderer *self, CxId id,
                             CxglMeshLook *look)
{
    const CxglMeshLook *place = cxgl_mesh_set_look(self->meshes, id);

    if (place != NULL)
        *look = *place;
    return place != NULL;
}

void
cxgl_scene_renderer_remove_mesh(CxglSceneRenderer *self, CxId id)
{
    cxgl_mesh_set_remove(self->meshes, id);
}

void
cxgl_scene_renderer_remove_all(CxglSceneRenderer *self)
{
    cxgl_mesh_set_remove_all(self->meshes);
    g_hash_table_remove_all(self->line_sets);
    g_array_set_size(self->points, 0);
}

bool
cxgl_scene_renderer_has_mesh(CxglSceneRenderer *self, CxId id)
{
    return cxgl_mesh_set_look(self->meshes, id) != NULL;
}

size_t
cxgl_scene_renderer_n_meshes(const CxglSceneRenderer *self)
{
    return cxgl_mesh_set_size(self->meshes);
}

void
cxgl_scene_renderer_set_lines(CxglSceneRenderer *self, CxId id,
                              const CxNm *points, size_t n_segments,
                              CxglColour colour, double width_px)
{
    GArray *segments;

    g_hash_table_remove(self->line_sets, &id);
    if (n_segments == 0)
        return;
    segments = g_array_new(FALSE, FALSE, sizeof(CxglSceneSegment));
    for (size_t i = 0; i < n_segments; i++) {
        CxglSceneSegment segment = {points[2 * i], points[2 * i + 1], colour,
                                    (float)width_px};
        g_array_append_val(segments, segment);
    }
    g_hash_table_insert(self->line_sets, g_memdup2(&id, sizeof id), segments);
}

void
cxgl_scene_renderer_set_points(CxglSceneRenderer *self, const CxNm *points,
                               const CxglColour *colours, size_t n,
                               double radius_px)
{
    g_array_set_size(self->points, 0);
    for (size_t i = 0; i < n; i++) {
        CxglScenePoint point = {points[i], colours[i], (float)radius_px};
        g_array_append_val(self->points, point);
    }
}

bool
cxgl_scene_renderer_bounds(CxglSceneRenderer *self, CxNm *lo, CxNm *hi)
{
    return cxgl_mesh_set_bounds(self->meshes, lo, hi);
}

size_t
cxgl_scene_renderer_gpu_bytes(const CxglSceneRenderer *self)
{
    size_t pixels = (size_t)self->smooth.width * (size_t)self->smooth.height;

    return cxgl_mesh_set_gpu_bytes(self->meshes) +
           cxgl_scene_planes_gpu_bytes(self->planes) +
           pixels * self->smooth.samples * 8 +
           cxgl_texture_size_bytes(&self->plain.colour) +
           cxgl_texture_size_bytes(&self->plain.depth);
}

/* Shared with picking */

CxglMeshSet *
cxgl_scene_renderer_meshes(CxglSceneRenderer *self)
{
    return self->meshes;
}

CxglScenePlanes *
cxgl_scene_renderer_planes(CxglSceneRenderer *self)
{
    return self->planes;
}

GLuint
cxgl_scene_renderer_pick_program(CxglSceneRenderer *self, bool planes)
{
    GLuint *program = planes ? &self->pick_plane_program : &self->pick_program;
    g_autoptr(GError) error = NULL;

    if (*program == 0)
        *program = cxgl_program_new(planes ? "plane.vert" : "pick.vert",
                                    "pick.frag", NULL, &error);
    if (*program == 0)
        g_warning("%s", error->message);
    return *program;
}

bool
cxgl_scene_renderer_bind_pick_target(CxglSceneRenderer *self, int size)
{
    g_autoptr(GError) error = NULL;

    if (cxgl_target_resize(&self->pick, CXGL_FORMAT_RGBA32UI, true, size, size,
                           0, &error))
        return true;
    g_warning("%s", error->message);
    return false;
}

static double
reach(CxNm focus, CxNm lo, CxNm hi)
{
    double x = fmax(fabs(lo.x - focus.x), fabs(hi.x - focus.x));
    double y = fmax(fabs(lo.y - focus.y), fabs(hi.y - focus.y));
    double z = fmax(fabs(lo.z - focus.z), fabs(hi.z - focus.z));

    return sqrt(x * x + y * y + z * z);
}

double
cxgl_scene_renderer_radius_nm(CxglSceneRenderer *self,
                              const CxglOrbitCamera *camera,
                              const CxglSceneContent *content)
{
    double radius = reach(camera->focus, content->lo, content->hi);
    CxNm lo, hi;

    if (cxgl_mesh_set_bounds(self->meshes, &lo, &hi))
        radius = fmax(radius, reach(camera->focus, lo, hi));
    return fmax(radius * 1.01, 1);
}

/* Drawing */

static void
set_colour(GLuint program, const char *name, CxglColour colour)
{
    glUniform3f(cxgl_uniform(program, name), colour.r / 255.0f,
                colour.g / 255.0f, colour.b / 255.0f);
}

static void
draw_background(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
                const CxglSceneStyle *style)
{
    GLuint program = self->background_program;

    glUseProgram(program);
    glUniform2f(cxgl_uniform(program, "u_pane"), (float)camera->width,
                (float)camera->height);
    set_colour(program, "u_top", style->top);
    set_colour(program, "u_bottom", style->bottom);
    glDisable(GL_DEPTH_TEST);
    glDepthMask(GL_FALSE);
    glBindVertexArray(self->empty_array);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glBindVertexArray(0);
    glDepthMask(GL_TRUE);
}

/* While meshes are drawn. */
typedef struct {
    GLint eye, colour, rim;
} MeshUniforms;

static void
set_up_mesh(CxId id, const CxglMeshLook *look, const CxglMat4 *eye, void *data)
{
    const MeshUniforms *uniforms = data;
    float r = look->colour.r / 255.0f, g = look->colour.g / 255.0f;
    float b = look->colour.b / 255.0f;
    float grey = 0.3f * r + 0.59f * g + 0.11f * b;
    float fade = look->stale ? 0.5f : 0;

    glUniformMatrix4fv(uniforms->eye, 1, GL_FALSE, eye->m);
    glUniform4f(uniforms->colour, r + (grey - r) * fade, g + (grey - g) * fade,
                b + (grey - b) * fade, look->colour.a / 255.0f);
    glUniform1f(uniforms->rim, look->selected ? 0.9f : 0.12f);
}

/* The depth cue covers what is seen of the meshes. */
static void
set_depth_cue(CxglSceneRenderer *self, GLuint program,
              const CxglOrbitCamera *camera, const CxglSceneStyle *style)
{
    double distance = cxgl_orbit_camera_distance_nm(camera), radius = distance;
    CxNm lo, hi;

    if (cxgl_mesh_set_bounds(self->meshes, &lo, &hi))
        radius = reach(
            (CxNm){(lo.x + hi.x) / 2, (lo.y + hi.y) / 2, (lo.z + hi.z) / 2}, lo,
            hi);
    glUniform3f(cxgl_uniform(program, "u_cue"),
                (float)(distance - 0.4 * radius), (float)(1 / (1.6 * radius)),
                style->depth_cue);
}

static uint32_t
draw_meshes(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
            const CxglSceneStyle *style, const CxglMat4 *clip_from_eye,
            bool see_through)
{
    GLuint program = self->mesh_program;
    MeshUniforms uniforms = {cxgl_uniform(program, "u_eye"),
                             cxgl_uniform(program, "u_colour"),
                             cxgl_uniform(program, "u_rim")};

    glUseProgram(program);
    glUniformMatrix4fv(cxgl_uniform(program, "u_clip"), 1, GL_FALSE,
                       clip_from_eye->m);
    set_colour(program, "u_top", style->top);
    set_colour(program, "u_bottom", style->bottom);
    glUniform1f(cxgl_uniform(program, "u_height"), (float)camera->height);
    set_depth_cue(self, program, camera, style);
    return cxgl_mesh_set_draw(self->meshes, see_through, style->moving, camera,
                              clip_from_eye, set_up_mesh, &uniforms);
}

static void
add_cross_hair(const CxglSceneContent *content, float width, GArray *segments)
{
    static const CxglAxis plane_of[3] = {CXGL_AXIS_YZ, CXGL_AXIS_XZ,
                                         CXGL_AXIS_XY};

    for (unsigned c = 0; c < 3; c++) {
        CxglSceneSegment segment = {content->cross_hair, content->cross_hair,
                                    cxgl_axis_colour(plane_of[c]), width};

        segment.colour.a = 190;
        cxgl_nm_set(&segment.from, c, cxgl_nm_get(content->lo, c));
        cxgl_nm_set(&segment.to, c, cxgl_nm_get(content->hi, c));
        g_array_append_val(segments, segment);
    }
}

/* Frames around the planes, in their colours. */
static void
add_plane_frames(const CxglSceneContent *content, const CxglSceneStyle *style,
                 float width, GArray *segments)
{
    for (int i = 0; i < 3; i++) {
        unsigned w = cxgl_axis_depth((CxglAxis)i);
        CxglColour colour = cxgl_axis_colour((CxglAxis)i);
        CxNm lo = content->lo, hi = content->hi;

        if (!cxgl_scene_planes_is_shown(content, style, (CxglAxis)i))
            continue;
        cxgl_nm_set(&lo, w, cxgl_nm_get(content->cross_hair, w));
        cxgl_nm_set(&hi, w, cxgl_nm_get(content->cross_hair, w));
        colour.a = 150;
        cxgl_scene_lines_add_box(segments, lo, hi, colour, width);
    }
}

static void
draw_lines(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
           const CxglSceneContent *content, const CxglSceneStyle *style,
           const CxglMat4 *clip_from_eye)
{
    g_autoptr(GArray) segments =
        g_array_new(FALSE, FALSE, sizeof(CxglSceneSegment));
    float width = style->scale;
    GHashTableIter iter;
    void *value;

    if (style->box)
        cxgl_scene_lines_add_box(segments, content->lo, content->hi,
                                 (CxglColour){255, 255, 255, 70}, width);
    add_plane_frames(content, style, 1.5f * width, segments);
    if (style->cross_hair)
        add_cross_hair(content, 1.2f * width, segments);
    g_hash_table_iter_init(&iter, self->line_sets);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const GArray *set = value;
        g_array_append_vals(segments, set->data, set->len);
    }
    cxgl_scene_lines_draw(self->lines, segments, self->points, camera,
                          clip_from_eye);
}

/* All into the bound framebuffer. */
static void
draw_scene(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
           const CxglSceneContent *content, const CxglSceneStyle *style,
           const CxglMat4 *clip_from_eye, CxglSceneStats *stats)
{
    glViewport(0, 0, camera->width, camera->height);
    glDisable(GL_BLEND);
    glDepthMask(GL_TRUE);
    glClear(GL_DEPTH_BUFFER_BIT);
    draw_background(self, camera, style);
    glEnable(GL_DEPTH_TEST);
    glDepthFunc(GL_LEQUAL);
    glEnable(GL_CULL_FACE);
    glCullFace(GL_BACK);
    stats->n_triangles +=
        draw_meshes(self, camera, style, clip_from_eye, false);
    glDisable(GL_CULL_FACE);
    cxgl_scene_planes_draw(self->planes, content, style, camera, clip_from_eye);
    glDepthMask(GL_FALSE); /* lines cast no shade */
    draw_lines(self, camera, content, style, clip_from_eye);
    glDepthMask(GL_TRUE);
    glEnable(GL_CULL_FACE);
    glEnable(GL_BLEND);
    glBlendFuncSeparate(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA, GL_ONE,
                        GL_ONE_MINUS_SRC_ALPHA);
    stats->n_triangles += draw_meshes(self, camera, style, clip_from_eye, true);
    glDisable(GL_BLEND);
    glDisable(GL_CULL_FACE);
    glDisable(GL_DEPTH_TEST);
}

/* From the scene's own target to the one of the caller. */
static void
copy_to(CxglSceneRenderer *self, GLuint framebuffer,
        const CxglOrbitCamera *camera, const CxglSceneStyle *style,
        const CxglMat4 *projection)
{
    bool with_edges = !style->moving && style->edge_shading > 0;
    GLuint program = with_edges ? self->edge_program : self->copy_program;
    const float *m = projection->m;

    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glViewport(0, 0, camera->width, camera->height);
    glUseProgram(program);
    glUniform2f(cxgl_uniform(program, "u_pane"), (float)camera->width,
                (float)camera->height);
    glUniform1i(cxgl_uniform(program, "u_picture"), 0);
    if (with_edges) {
        glUniform1i(cxgl_uniform(program, "u_depth"), 1);
        glUniform4f(cxgl_uniform(program, "u_unproject"), -m[14], -m[15], m[11],
                    m[10]);
        glUniform2f(cxgl_uniform(program, "u_radius"), 1.3f * style->scale,
                    7 * style->scale);
        glUniform1f(cxgl_uniform(program, "u_strength"), style->edge_shading);
        glActiveTexture(GL_TEXTURE1);
        glBindTexture(GL_TEXTURE_2D, self->plain.depth.name);
    }
    glActiveTexture(GL_TEXTURE0);
    glBindTexture(GL_TEXTURE_2D, self->plain.colour.name);
    glBindVertexArray(self->empty_array);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glBindVertexArray(0);
}

/* Binds the target to draw into: with samples if possible and asked for. */
static bool
bind_target(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
            const CxglSceneStyle *style, bool *has_samples)
{
    g_autoptr(GError) error = NULL;
    GLint most = 0;
    unsigned samples = style->moving ? 0 : style->samples;

    glGetIntegerv(GL_MAX_SAMPLES, &most);
    samples = MIN(samples, (unsigned)most);
    if (!cxgl_target_resize(&self->plain, CXGL_FORMAT_RGBA8, true,
                            camera->width, camera->height, 0, &error)) {
        g_warning("%s", error->message);
        return false;
    }
    *has_samples =
        samples > 1 &&
        cxgl_target_resize(&self->smooth, CXGL_FORMAT_RGBA8, true,
                           camera->width, camera->height, samples, NULL);
    if (samples > 1 && !*has_samples)
        glBindFramebuffer(GL_FRAMEBUFFER, self->plain.name);
    return true;
}

static void
resolve_samples(CxglSceneRenderer *self, const CxglOrbitCamera *camera)
{
    glBindFramebuffer(GL_READ_FRAMEBUFFER, self->smooth.name);
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, self->plain.name);
    glBlitFramebuffer(0, 0, camera->width, camera->height, 0, 0, camera->width,
                      camera->height, GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT,
                      GL_NEAREST);
}

/* Small axes in the lower left corner, turned like the scene. */
static void
draw_axes(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
          const CxglSceneStyle *style)
{
    static const CxglAxis plane_of[3] = {CXGL_AXIS_YZ, CXGL_AXIS_XZ,
                                         CXGL_AXIS_XY};
    static const char *const names[3] = {"x", "y", "z"};
    double length = 26 * style->scale, margin = 44 * style->scale;
    double size = 8 * style->scale;
    double x = margin, y = camera->height - margin;

    cxgl_overlay_clear(self->overlay);
    for (unsigned c = 0; c < 3; c++) {
        double in[3] = {c == 0, c == 1 ? -1 : 0, c == 2 ? -1 : 0}, eye[3];
        CxglColour colour = cxgl_axis_colour(plane_of[c]);
        double tip_x, tip_y, far = 1.42;

        cxgl_quat_rotate(camera->rotation, in, eye);
        tip_x = x + eye[0] * length;
        tip_y = y - eye[1] * length;
        colour.a = eye[2] < -0.2 ? 150 : 255;
        cxgl_overlay_line(self->overlay, x, y, tip_x, tip_y, 2 * style->scale,
                          colour);
        cxgl_overlay_text(self->overlay, x + eye[0] * length * far - size / 4,
                          y - eye[1] * length * far - size * 0.6, size,
                          1.4 * style->scale, colour, names[c]);
    }
    cxgl_overlay_renderer_draw(self->overlay_renderer, self->overlay,
                               camera->width, camera->height);
}

void
cxgl_scene_renderer_draw(CxglSceneRenderer *self, const CxglOrbitCamera *camera,
                         const CxglSceneContent *content,
                         const CxglSceneStyle *style, CxglSceneStats *stats_out)
{
    CxglSceneStats stats = {.planes_complete = true};
    double radius = cxgl_scene_renderer_radius_nm(self, camera, content);
    CxglMat4 projection = cxgl_orbit_camera_projection(camera, radius);
    int side = MIN(MAX(camera->width, camera->height), MAX_PLANE_SIDE);
    bool has_samples = false;
    GLint framebuffer = 0;

    glGetIntegerv(GL_FRAMEBUFFER_BINDING, &framebuffer);
    cxgl_mesh_set_sync(self->meshes);
    cxgl_scene_planes_update(self->planes, content, style, side, &stats);
    if (bind_target(self, camera, style, &has_samples)) {
        draw_scene(self, camera, content, style, &projection, &stats);
        if (has_samples)
            resolve_samples(self, camera);
        copy_to(self, (GLuint)framebuffer, camera, style, &projection);
    }
    glBindFramebuffer(GL_FRAMEBUFFER, (GLuint)framebuffer);
    if (style->axes)
        draw_axes(self, camera, style);
    if (stats_out != NULL)
        *stats_out = stats;
}

void
cxgl_scene_renderer_wanted(CxglSceneRenderer *self,
                           const CxglSceneContent *content,
                           const CxglSceneStyle *style,
                           const CxglChunkGrid *grid, GArray *keys)
{
    for (int i = 0; i < 3; i++) {
        CxglSliceCamera camera =
            cxgl_scene_planes_camera(content, (CxglAxis)i, MAX_PLANE_SIDE);

        if (cxgl_scene_planes_is_shown(content, style, (CxglAxis)i))
            cxgl_chunk_grid_wanted(grid, &camera, 0, keys);
    }
}
