/* What is under the pointer in 3-D; see picking.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/picking.h"

#include "app/render/gl_program.h"
#include "app/render/scene_private.h"

#include <math.h>
#include <string.h>

#define MAX_RADIUS 16

enum {
    KIND_NOTHING,
    KIND_MESH,
    KIND_PLANE,
};

/* One pixel as pick.frag writes it. */
typedef struct {
    uint32_t id_low, id_high, depth, kind;
} Pixel;

typedef struct {
    GLuint program;
    const CxglMat4 *clip_from_eye;
} Setup;

/* Clip space of the few pixels around px, py, from that of the pane. */
static CxglMat4
zoom_in(const CxglOrbitCamera *camera, double px, double py, int size)
{
    double sx = (double)camera->width / size;
    double sy = (double)camera->height / size;
    double x = 2 * px / camera->width - 1, y = 1 - 2 * py / camera->height;
    CxglMat4 moved = cxgl_mat4_translation(-x * sx, -y * sy, 0);
    CxglMat4 scaled = cxgl_mat4_scaling(sx, sy, 1);

    return cxgl_mat4_multiply(&moved, &scaled);
}

static void
set_up_mesh(CxId id, const CxglMeshLook *look, const CxglMat4 *eye, void *data)
{
    const Setup *setup = data;
    CxglMat4 clip = cxgl_mat4_multiply(setup->clip_from_eye, eye);

    glUniformMatrix4fv(cxgl_uniform(setup->program, "u_clip"), 1, GL_FALSE,
                       clip.m);
    glUniform2ui(cxgl_uniform(setup->program, "u_id"), (GLuint)id,
                 (GLuint)(id >> 32));
}

static void
draw_planes(CxglSceneRenderer *scene, const CxglOrbitCamera *camera,
            const CxglSceneContent *content, const CxglSceneStyle *style,
            const CxglMat4 *clip_from_eye)
{
    GLuint program = cxgl_scene_renderer_pick_program(scene, true);

    if (program == 0)
        return;
    glDisable(GL_CULL_FACE);
    glUseProgram(program);
    glUniform2ui(cxgl_uniform(program, "u_id"), 0, 0);
    glUniform1ui(cxgl_uniform(program, "u_kind"), KIND_PLANE);
    for (int i = 0; i < 3; i++)
        if (cxgl_scene_planes_is_shown(content, style, (CxglAxis)i))
            cxgl_scene_planes_draw_one(cxgl_scene_renderer_planes(scene),
                                       program, content, (CxglAxis)i, camera,
                                       clip_from_eye);
}

static bool
draw_pixels(CxglSceneRenderer *scene, const CxglOrbitCamera *camera,
            const CxglSceneContent *content, const CxglSceneStyle *style,
            const CxglMat4 *clip_from_eye, int size)
{
    static const GLuint nothing[4] = {0, 0, 0, KIND_NOTHING};
    GLuint program = cxgl_scene_renderer_pick_program(scene, false);
    CxglMeshSet *meshes = cxgl_scene_renderer_meshes(scene);
    Setup setup = {program, clip_from_eye};

    if (program == 0 || !cxgl_scene_renderer_bind_pick_target(scene, size))
        return false;
    cxgl_mesh_set_sync(meshes);
    glViewport(0, 0, size, size);
    glDisable(GL_BLEND);
    glEnable(GL_DEPTH_TEST);
    glDepthFunc(GL_LEQUAL);
    glDepthMask(GL_TRUE);
    glClearBufferuiv(GL_COLOR, 0, nothing);
    glClear(GL_DEPTH_BUFFER_BIT);
    glUseProgram(program);
    glUniform1ui(cxgl_uniform(program, "u_kind"), KIND_MESH);
    glEnable(GL_CULL_FACE);
    for (int see_through = 0; see_through < 2; see_through++)
        cxgl_mesh_set_draw(meshes, see_through, false, camera, clip_from_eye,
                           set_up_mesh, &setup);
    draw_planes(scene, camera, content, style, clip_from_eye);
    glDisable(GL_CULL_FACE);
    glDisable(GL_DEPTH_TEST);
    return true;
}

/* Position of a pixel of the pick target, from its depth. */
static CxNm
unproject(const CxglOrbitCamera *camera, const CxglMat4 *clip_from_eye, int x,
          int y, int size, float depth)
{
    CxglMat4 view = cxgl_orbit_camera_view(camera), all, back;
    double clip[4] = {(2 * x + 1.0) / size - 1, (2 * y + 1.0) / size - 1,
                      2 * (double)depth - 1, 1};
    CxNm at = camera->focus;

    all = cxgl_mat4_multiply(clip_from_eye, &view);
    if (!cxgl_mat4_invert(&all, &back))
        return at;
    cxgl_mat4_apply(&back, clip, clip);
    at.x += clip[0] / clip[3];
    at.y += clip[1] / clip[3];
    at.z += clip[2] / clip[3];
    return at;
}

/* The hit nearest to the middle; surfaces before planes at one distance. */
static const Pixel *
choose(const Pixel *pixels, int size)
{
    const Pixel *best = NULL;
    int middle = size / 2, least = INT32_MAX;

    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            const Pixel *pixel = &pixels[y * size + x];
            int away =
                (x - middle) * (x - middle) + (y - middle) * (y - middle);

            if (pixel->kind == KIND_NOTHING)
                continue;
            away = 2 * away + (pixel->kind == KIND_PLANE && away > 0);
            if (away < least) {
                least = away;
                best = pixel;
            }
        }
    }
    return best;
}

CxglPick
cxgl_pick_scene(CxglSceneRenderer *scene, const CxglOrbitCamera *camera,
                const CxglSceneContent *content, const CxglSceneStyle *style,
                double px, double py, int radius_px)
{
    int size = 2 * CLAMP(radius_px, 0, MAX_RADIUS) + 1;
    double radius = cxgl_scene_renderer_radius_nm(scene, camera, content);
    CxglMat4 projection = cxgl_orbit_camera_projection(camera, radius);
    CxglMat4 zoomed = zoom_in(camera, floor(px) + 0.5, floor(py) + 0.5, size);
    CxglMat4 clip = cxgl_mat4_multiply(&zoomed, &projection);
    g_autofree Pixel *pixels = g_new0(Pixel, size * size);
    CxglPick pick = {0};
    const Pixel *found = NULL;
    GLint framebuffer = 0;
    float depth;

    glGetIntegerv(GL_FRAMEBUFFER_BINDING, &framebuffer);
    if (draw_pixels(scene, camera, content, style, &clip, size)) {
        glPixelStorei(GL_PACK_ALIGNMENT, 4);
        glReadPixels(0, 0, size, size, GL_RGBA_INTEGER, GL_UNSIGNED_INT,
                     pixels);
        found = choose(pixels, size);
    }
    glBindFramebuffer(GL_FRAMEBUFFER, (GLuint)framebuffer);
    if (found == NULL)
        return pick;
    memcpy(&depth, &found->depth, sizeof depth);
    pick.hit = true;
    pick.id = (CxId)found->id_high << 32 | found->id_low;
    pick.plane = found->kind == KIND_PLANE;
    pick.at = unproject(camera, &clip, (int)(found - pixels) % size,
                        (int)(found - pixels) / size, size, depth);
    return pick;
}
