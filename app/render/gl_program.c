/* Shader programs; see gl_program.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/gl_program.h"

#include "core/base/error.h"
#include "shaders/cxgl_shaders.h"

#define RESOURCE_DIR "/connexon/shaders/"

static char *
load(const char *name, GError **error)
{
    g_autofree char *path = g_strconcat(RESOURCE_DIR, name, NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(
        cxgl_shaders_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
    size_t size = 0;
    const char *text;

    if (bytes == NULL)
        return NULL;
    text = g_bytes_get_data(bytes, &size);
    return g_strndup(text, size);
}

static char *
preamble(const char *defines)
{
    GString *text = g_string_new(
        epoxy_is_desktop_gl() ? "#version 330 core\n"
                              : "#version 300 es\nprecision highp float;\n"
                                "precision highp int;\n"
                                "precision highp sampler2D;\n"
                                "precision highp usampler2D;\n");
    g_auto(GStrv) names = g_strsplit(defines != NULL ? defines : "", " ", -1);

    for (size_t i = 0; names[i] != NULL; i++)
        if (names[i][0] != '\0')
            g_string_append_printf(text, "#define %s 1\n", names[i]);
    return g_string_free(text, FALSE);
}

static GLuint
compile(GLenum type, const char *name, const char *defines, GError **error)
{
    g_autofree char *common = load("common.glsl", error);
    g_autofree char *source = common != NULL ? load(name, error) : NULL;
    g_autofree char *head = preamble(defines);
    const char *parts[] = {head, common, "#line 1\n", source};
    GLint is_compiled = GL_FALSE;
    GLuint shader;

    if (source == NULL)
        return 0;
    shader = glCreateShader(type);
    glShaderSource(shader, G_N_ELEMENTS(parts), parts, NULL);
    glCompileShader(shader);
    glGetShaderiv(shader, GL_COMPILE_STATUS, &is_compiled);
    if (!is_compiled) {
        char log[1024] = "";

        glGetShaderInfoLog(shader, sizeof log, NULL, log);
        g_strdelimit(g_strchomp(log), "\n", ' ');
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "shaders/%s: the driver (%s) does not compile it: %s", name,
                    (const char *)glGetString(GL_RENDERER), log);
        glDeleteShader(shader);
        return 0;
    }
    return shader;
}

static bool
has_gl(GError **error)
{
    int version = epoxy_gl_version();
    bool is_desktop = epoxy_is_desktop_gl();

    if (version >= (is_desktop ? 33 : 30))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                "the driver (%s) offers OpenGL%s %d.%d, but 3.3 (or ES 3.0) is "
                "needed",
                (const char *)glGetString(GL_RENDERER), is_desktop ? "" : " ES",
                version / 10, version % 10);
    return false;
}

GLuint
cxgl_program_new(const char *vertex, const char *fragment, const char *defines,
                 GError **error)
{
    GLuint vs, fs, program;
    GLint is_linked = GL_FALSE;

    if (!has_gl(error))
        return 0;
    vs = compile(GL_VERTEX_SHADER, vertex, defines, error);
    if (vs == 0)
        return 0;
    fs = compile(GL_FRAGMENT_SHADER, fragment, defines, error);
    if (fs == 0) {
        glDeleteShader(vs);
        return 0;
    }
    program = glCreateProgram();
    glAttachShader(program, vs);
    glAttachShader(program, fs);
    glLinkProgram(program);
    glDeleteShader(vs);
    glDeleteShader(fs);
    glGetProgramiv(program, GL_LINK_STATUS, &is_linked);
    if (!is_linked) {
        char log[1024] = "";

        glGetProgramInfoLog(program, sizeof log, NULL, log);
        g_strdelimit(g_strchomp(log), "\n", ' ');
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "shaders/%s and %s: the driver (%s) does not link them: %s",
                    vertex, fragment, (const char *)glGetString(GL_RENDERER),
                    log);
        glDeleteProgram(program);
        return 0;
    }
    return program;
}

GLint
cxgl_uniform(GLuint program, const char *name)
{
    return glGetUniformLocation(program, name);
}
