/* Lines and balls in 3-D; see scene_lines.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/scene_lines.h"

#include "app/render/gl_program.h"

#include <stddef.h>

/* One instance: a line, or a ball (b unused). */
typedef struct {
    float a[3], b[3];
    float size; /* width or radius, pixels */
    CxglColour colour;
} Instance;

struct CxglSceneLines {
    GLuint line_program, ball_program, array, buffer;
};

static void
set_attribute(GLuint index, GLint n, GLenum type, GLboolean normalised,
              size_t offset)
{
    glEnableVertexAttribArray(index);
    glVertexAttribPointer(index, n, type, normalised, sizeof(Instance),
                          (const void *)offset);
    glVertexAttribDivisor(index, 1);
}

CxglSceneLines *
cxgl_scene_lines_new(GError **error)
{
    g_autoptr(CxglSceneLines) lines = g_new0(CxglSceneLines, 1);

    lines->line_program =
        cxgl_program_new("line.vert", "line.frag", NULL, error);
    if (lines->line_program == 0)
        return NULL;
    lines->ball_program =
        cxgl_program_new("line.vert", "line.frag", "BALL", error);
    if (lines->ball_program == 0)
        return NULL;
    glGenVertexArrays(1, &lines->array);
    glGenBuffers(1, &lines->buffer);
    glBindVertexArray(lines->array);
    glBindBuffer(GL_ARRAY_BUFFER, lines->buffer);
    set_attribute(0, 3, GL_FLOAT, GL_FALSE, offsetof(Instance, a));
    set_attribute(1, 3, GL_FLOAT, GL_FALSE, offsetof(Instance, b));
    set_attribute(2, 1, GL_FLOAT, GL_FALSE, offsetof(Instance, size));
    set_attribute(3, 4, GL_UNSIGNED_BYTE, GL_TRUE, offsetof(Instance, colour));
    glBindVertexArray(0);
    return g_steal_pointer(&lines);
}

void
cxgl_scene_lines_free(CxglSceneLines *lines)
{
    if (lines == NULL)
        return;
    if (lines->line_program != 0)
        glDeleteProgram(lines->line_program);
    if (lines->ball_program != 0)
        glDeleteProgram(lines->ball_program);
    if (lines->array != 0) {
        glDeleteVertexArrays(1, &lines->array);
        glDeleteBuffers(1, &lines->buffer);
    }
    g_free(lines);
}

static void
to_relative(CxNm nm, CxNm focus, float out[3])
{
    out[0] = (float)(nm.x - focus.x);
    out[1] = (float)(nm.y - focus.y);
    out[2] = (float)(nm.z - focus.z);
}

static void
draw_instances(const CxglSceneLines *lines, GLuint program,
               const CxglOrbitCamera *camera, const CxglMat4 *clip_from_eye,
               const GArray *instances)
{
    CxglMat4 view = cxgl_orbit_camera_view(camera);
    CxglMat4 clip = cxgl_mat4_multiply(clip_from_eye, &view);

    if (instances->len == 0)
        return;
    glUseProgram(program);
    glUniformMatrix4fv(cxgl_uniform(program, "u_clip"), 1, GL_FALSE, clip.m);
    glUniform2f(cxgl_uniform(program, "u_pane"), (float)camera->width,
                (float)camera->height);
    glBindVertexArray(lines->array);
    glBindBuffer(GL_ARRAY_BUFFER, lines->buffer);
    glBufferData(GL_ARRAY_BUFFER,
                 (GLsizeiptr)(instances->len * sizeof(Instance)),
                 instances->data, GL_STREAM_DRAW);
    glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, (GLsizei)instances->len);
    glBindVertexArray(0);
}

void
cxgl_scene_lines_draw(CxglSceneLines *lines, const GArray *segments,
                      const GArray *points, const CxglOrbitCamera *camera,
                      const CxglMat4 *clip_from_eye)
{
    g_autoptr(GArray) instances = g_array_new(FALSE, TRUE, sizeof(Instance));

    glEnable(GL_BLEND);
    glBlendFuncSeparate(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA, GL_ONE,
                        GL_ONE_MINUS_SRC_ALPHA);
    for (guint i = 0; i < segments->len; i++) {
        const CxglSceneSegment *segment =
            &g_array_index(segments, CxglSceneSegment, i);
        Instance one = {.size = segment->width_px, .colour = segment->colour};

        to_relative(segment->from, camera->focus, one.a);
        to_relative(segment->to, camera->focus, one.b);
        g_array_append_val(instances, one);
    }
    draw_instances(lines, lines->line_program, camera, clip_from_eye,
                   instances);
    g_array_set_size(instances, 0);
    for (guint i = 0; points != NULL && i < points->len; i++) {
        const CxglScenePoint *point = &g_array_index(points, CxglScenePoint, i);
        Instance one = {.size = point->radius_px, .colour = point->colour};

        to_relative(point->at, camera->focus, one.a);
        g_array_append_val(instances, one);
    }
    draw_instances(lines, lines->ball_program, camera, clip_from_eye,
                   instances);
    glDisable(GL_BLEND);
}

static CxNm
corner_of(CxNm lo, CxNm hi, int corner)
{
    return (CxNm){corner & 1 ? hi.x : lo.x, corner & 2 ? hi.y : lo.y,
                  corner & 4 ? hi.z : lo.z};
}

void
cxgl_scene_lines_add_box(GArray *segments, CxNm lo, CxNm hi, CxglColour colour,
                         float width_px)
{
    for (int corner = 0; corner < 8; corner++) {
        for (int bit = 1; bit < 8; bit <<= 1) {
            CxglSceneSegment edge = {corner_of(lo, hi, corner),
                                     corner_of(lo, hi, corner | bit), colour,
                                     width_px};

            if ((corner & bit) == 0)
                g_array_append_val(segments, edge);
        }
    }
}
