/* Textures and framebuffers; see gl_texture.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/gl_texture.h"

#include "core/base/error.h"

static const struct {
    GLenum internal, format, type;
    size_t texel_bytes;
    bool is_integer;
} formats[] = {
    [CXGL_FORMAT_R8] = {GL_R8, GL_RED, GL_UNSIGNED_BYTE, 1, false},
    [CXGL_FORMAT_R32UI] = {GL_R32UI, GL_RED_INTEGER, GL_UNSIGNED_INT, 4, true},
    [CXGL_FORMAT_RG32UI] = {GL_RG32UI, GL_RG_INTEGER, GL_UNSIGNED_INT, 8, true},
    [CXGL_FORMAT_RGBA32UI] = {GL_RGBA32UI, GL_RGBA_INTEGER, GL_UNSIGNED_INT, 16,
                              true},
    [CXGL_FORMAT_RGBA8] = {GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, 4, false},
    [CXGL_FORMAT_DEPTH24] = {GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT,
                             GL_UNSIGNED_INT, 4, true},
};

size_t
cxgl_format_texel_bytes(CxglFormat format)
{
    return formats[format].texel_bytes;
}

static void
set_filter(GLint filter)
{
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
}

void
cxgl_texture_resize(CxglTexture *texture, CxglFormat format, int width,
                    int height, bool repeat)
{
    GLint wrap = repeat ? GL_REPEAT : GL_CLAMP_TO_EDGE;

    if (texture->name != 0 && texture->format == format &&
        texture->width == width && texture->height == height)
        return;
    if (texture->name == 0)
        glGenTextures(1, &texture->name);
    texture->format = format;
    texture->width = width;
    texture->height = height;
    glBindTexture(GL_TEXTURE_2D, texture->name);
    glTexImage2D(GL_TEXTURE_2D, 0, (GLint)formats[format].internal, width,
                 height, 0, formats[format].format, formats[format].type, NULL);
    set_filter(GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, wrap);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, wrap);
}

void
cxgl_texture_set_smooth(CxglTexture *texture, bool smooth)
{
    if (formats[texture->format].is_integer)
        return;
    glBindTexture(GL_TEXTURE_2D, texture->name);
    set_filter(smooth ? GL_LINEAR : GL_NEAREST);
}

void
cxgl_texture_upload(CxglTexture *texture, int x, int y, int width, int height,
                    const void *texels)
{
    glBindTexture(GL_TEXTURE_2D, texture->name);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexSubImage2D(GL_TEXTURE_2D, 0, x, y, width, height,
                    formats[texture->format].format,
                    formats[texture->format].type, texels);
}

void
cxgl_texture_clear(CxglTexture *texture)
{
    if (texture->name != 0)
        glDeleteTextures(1, &texture->name);
    *texture = (CxglTexture){0};
}

size_t
cxgl_texture_size_bytes(const CxglTexture *texture)
{
    if (texture->name == 0)
        return 0;
    return (size_t)texture->width * (size_t)texture->height *
           formats[texture->format].texel_bytes;
}

static void
attach_buffers(CxglTarget *target, CxglFormat format, bool with_depth)
{
    GLsizei samples = (GLsizei)target->samples;

    glGenRenderbuffers(1, &target->colour_buffer);
    glBindRenderbuffer(GL_RENDERBUFFER, target->colour_buffer);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples,
                                     formats[format].internal, target->width,
                                     target->height);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                              GL_RENDERBUFFER, target->colour_buffer);
    if (!with_depth)
        return;
    glGenRenderbuffers(1, &target->depth_buffer);
    glBindRenderbuffer(GL_RENDERBUFFER, target->depth_buffer);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples,
                                     GL_DEPTH_COMPONENT24, target->width,
                                     target->height);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT,
                              GL_RENDERBUFFER, target->depth_buffer);
}

static void
attach_textures(CxglTarget *target, CxglFormat format, bool with_depth)
{
    cxgl_texture_resize(&target->colour, format, target->width, target->height,
                        false);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D,
                           target->colour.name, 0);
    if (!with_depth)
        return;
    cxgl_texture_resize(&target->depth, CXGL_FORMAT_DEPTH24, target->width,
                        target->height, false);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D,
                           target->depth.name, 0);
}

bool
cxgl_target_resize(CxglTarget *target, CxglFormat format, bool with_depth,
                   int width, int height, unsigned samples, GError **error)
{
    GLenum status;
    bool is_same = target->name != 0 && target->width == width &&
                   target->height == height && target->samples == samples;

    if (is_same) {
        glBindFramebuffer(GL_FRAMEBUFFER, target->name);
        return true;
    }
    cxgl_target_clear(target);
    target->width = width;
    target->height = height;
    target->samples = samples;
    glGenFramebuffers(1, &target->name);
    glBindFramebuffer(GL_FRAMEBUFFER, target->name);
    if (samples > 0)
        attach_buffers(target, format, with_depth);
    else
        attach_textures(target, format, with_depth);
    status = glCheckFramebufferStatus(GL_FRAMEBUFFER);
    if (status == GL_FRAMEBUFFER_COMPLETE)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "the driver (%s) refuses a framebuffer of %d × %d pixels with "
                "%u samples (status 0x%x)",
                (const char *)glGetString(GL_RENDERER), width, height, samples,
                status);
    cxgl_target_clear(target);
    return false;
}

void
cxgl_target_clear(CxglTarget *target)
{
    cxgl_texture_clear(&target->colour);
    cxgl_texture_clear(&target->depth);
    if (target->colour_buffer != 0)
        glDeleteRenderbuffers(1, &target->colour_buffer);
    if (target->depth_buffer != 0)
        glDeleteRenderbuffers(1, &target->depth_buffer);
    if (target->name != 0)
        glDeleteFramebuffers(1, &target->name);
    *target = (CxglTarget){0};
}
